//! Moving a group's offsets: what a reset would do, and doing it. While instances of Ottla consume the group, the owner of each
//! partition moves, asked through the journal; an empty group's offsets are committed for it.

use crate::Engine;
use kafka::{Partition, PartitionOffset};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};
use wire::{
    Millis, News, ResetError, ResetHow, ResetInput, ResetPlan, ResetRow, ResetTo, Seek, SeekFault, SeekOrder,
    SeekResult,
};

/// How long looking things up may take.
const LOOKUP_DEADLINE: Duration = Duration::from_secs(5);
/// How long an order holds, in milliseconds.
const ORDER_HOLDS: Millis = 10_000;
/// How often the answers to an order are looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How many orders are remembered, so that none is done twice.
const REMEMBERED: usize = 100;

impl Engine {
    /// What a reset would do. Nothing changes.
    ///
    /// # Errors
    /// A topic or partition that does not exist, or Kafka does not answer.
    pub async fn plan_reset(&self, input: &ResetInput) -> Result<ResetPlan, ResetError> {
        let topics = self.admin.topics(LOOKUP_DEADLINE).await.map_err(unread)?;
        let topic = topics.iter().find(|topic| topic.name == input.topic);
        let topic = topic.ok_or_else(|| ResetError::UnknownTopic { topic: input.topic.clone() })?;
        let count = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
        let numbers: Vec<_> = if input.partitions.is_empty() { (0..count).collect() } else { input.partitions.clone() };
        if numbers.iter().any(|number| !(0..count).contains(number)) {
            return Err(ResetError::UnknownPartition { topic: input.topic.clone() });
        }
        let partitions: Vec<_> = numbers.iter().map(|number| Partition::new(input.topic.as_str(), *number)).collect();

        let committed = self.admin.committed(&input.group, LOOKUP_DEADLINE).await.map_err(unread)?;
        let committed: HashMap<_, _> = committed.into_iter().map(|at| (at.partition, at.offset)).collect();
        let watermarks = self.admin.watermarks(&partitions, LOOKUP_DEADLINE).await.map_err(unread)?;
        let at_time: HashMap<_, _> = match input.to {
            ResetTo::Time(time) => {
                let found = self.admin.offsets_for_time(&partitions, time, LOOKUP_DEADLINE).await.map_err(unread)?;
                found.into_iter().collect()
            }
            _ => HashMap::new(),
        };
        let mut rows = Vec::with_capacity(watermarks.len());
        for (partition, log) in watermarks {
            let log = log.map_err(|reason| ResetError::Kafka { reason })?;
            let committed = committed.get(&partition).copied();
            let to = match input.to {
                ResetTo::Earliest => log.first,
                ResetTo::Latest => log.end,
                ResetTo::Offset(offset) => offset,
                ResetTo::Shift(by) => committed.unwrap_or(log.first).saturating_add(by),
                ResetTo::Time(_) => match at_time.get(&partition) {
                    Some(Ok(offset)) => *offset,
                    Some(Err(reason)) => return Err(ResetError::Kafka { reason: reason.clone() }),
                    None => log.end,
                },
            };
            let to = to.clamp(log.first, log.end);
            rows.push(ResetRow { topic: partition.topic, partition: partition.partition, committed, to });
        }
        rows.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        Ok(ResetPlan { rows, how: self.how_to_reset(&input.group).await? })
    }

    async fn how_to_reset(&self, group: &str) -> Result<ResetHow, ResetError> {
        // This instance need not have heard of itself yet.
        let is_own = self.journal.is_on() && self.feeds().any(|feed| feed.group() == group && feed.is_member());
        if is_own || !self.journal.peers(|peers| peers.fellows(group)).is_empty() {
            return Ok(ResetHow::Owners);
        }
        let found = self.admin.group(group, LOOKUP_DEADLINE).await;
        let members = found.map_err(unread)?.map(|group| group.members);
        let members: Vec<_> = members.into_iter().flatten().map(|member| member.client_id).collect();
        Ok(if members.is_empty() { ResetHow::Commit } else { ResetHow::Active(members) })
    }

    /// Does what a plan says, and returns what came of it per partition.
    ///
    /// # Errors
    /// When the group's members are not instances of Ottla, or Kafka refuses.
    pub async fn reset(&self, group: &str, rows: &[ResetRow]) -> Result<Vec<SeekResult>, ResetError> {
        let how = self.how_to_reset(group).await?;
        let done = self.reset_by(how, group, rows).await;
        self.forget_group(group);
        done
    }

    async fn reset_by(&self, how: ResetHow, group: &str, rows: &[ResetRow]) -> Result<Vec<SeekResult>, ResetError> {
        match how {
            ResetHow::Active(members) => Err(ResetError::Active { members }),
            ResetHow::Owners => Ok(self.order(group, rows).await),
            ResetHow::Commit => {
                let offsets: Vec<_> = rows
                    .iter()
                    .map(|row| PartitionOffset {
                        partition: Partition::new(row.topic.as_str(), row.partition),
                        offset: row.to,
                    })
                    .collect();
                let altered = self.admin.alter_offsets(group, &offsets, LOOKUP_DEADLINE).await;
                let altered = altered.map_err(|error| match unread(error) {
                    // Unlike what is only looked up.
                    ResetError::Unread { reason } => ResetError::Unanswered { reason },
                    refused => refused,
                })?;
                if let Some(row) = rows.first() {
                    let done = altered.iter().filter(|(_, result)| result.is_ok()).count();
                    tracing::info!(
                        group,
                        topic = row.topic,
                        partitions = done,
                        of = rows.len(),
                        "a group's offsets were reset"
                    );
                }
                let to =
                    |partition: &Partition| offsets.iter().find(|at| at.partition == *partition).map(|at| at.offset);
                let results = altered.into_iter().map(|(partition, result)| {
                    let to = to(&partition).filter(|_| result.is_ok());
                    let Partition { topic, partition } = partition;
                    SeekResult { topic, partition, to, error: result.err(), fault: None }
                });
                Ok(results.collect())
            }
        }
    }

    /// Orders the owners to move, and gathers their answers until the order expires.
    async fn order(&self, group: &str, rows: &[ResetRow]) -> Vec<SeekResult> {
        let id = uuid::Uuid::new_v4().to_string();
        let seek = |row: &ResetRow| {
            let (topic, partition) = (row.topic.clone(), row.partition);
            let owner = self.journal.peers(|peers| peers.owner(group, &topic, partition).cloned());
            Seek { topic, partition, to: row.to, owner }
        };
        let seeks: Vec<_> = rows.iter().map(seek).collect();
        if let Some(row) = rows.first() {
            tracing::info!(
                group,
                topic = row.topic,
                partitions = rows.len(),
                order = id,
                "a group's owners are ordered to move"
            );
        }
        let expires = crate::now() + ORDER_HOLDS;
        self.journal.tell(News::Seek(SeekOrder { id: id.clone(), group: group.into(), expires, seeks: seeks.clone() }));
        let until = Instant::now() + Duration::from_millis(ORDER_HOLDS.unsigned_abs());
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let answers = self.journal.peers(|peers| peers.answers(&id));
            let is_last = Instant::now() >= until;
            if answers.len() < seeks.len() && !is_last {
                continue;
            }
            let answer = |seek: &Seek| {
                let found =
                    answers.iter().find(|answer| answer.topic == seek.topic && answer.partition == seek.partition);
                let unanswered = || SeekResult::failed(seek.topic.clone(), seek.partition, SeekFault::Unanswered);
                found.cloned().unwrap_or_else(unanswered)
            };
            return seeks.iter().map(answer).collect();
        }
    }

    /// Does what is ordered of the partitions that this instance owns.
    pub(crate) async fn obey(self: Arc<Self>) {
        let mut stopping = self.stopping();
        let mut orders = self.journal.take_orders();
        let mut done = VecDeque::new();
        loop {
            let order = tokio::select! {
                Some(order) = orders.recv() => order,
                _ = stopping.wait_for(|stopping| *stopping) => return,
                else => return,
            };
            let SeekOrder { id, group, expires, seeks } = order;
            // Of an order from before this start nobody waits for the answer.
            let is_due = expires > crate::now() && expires - ORDER_HOLDS >= self.started && !done.contains(&id);
            let Some(feed) = self.feeds().find(|feed| feed.group() == group).filter(|_| is_due) else { continue };
            let owned = feed.assignment().owned;
            let owns = |seek: &Seek| {
                owned.iter().any(|owned| owned.topic == seek.topic && owned.partitions.contains(&seek.partition))
            };
            let mine = seeks.into_iter().filter(owns);
            let (asked, others): (Vec<_>, Vec<_>) =
                mine.partition(|seek| seek.owner.as_ref().is_none_or(|owner| owner == self.journal.author()));
            if asked.is_empty() && others.is_empty() {
                continue;
            }
            if done.len() == REMEMBERED {
                done.pop_front();
            }
            done.push_back(id.clone());
            if let Some(seek) = asked.first() {
                tracing::info!(
                    group,
                    topic = seek.topic,
                    partitions = asked.len(),
                    order = id,
                    "partitions move as ordered"
                );
            }
            let asked = asked.iter().map(|seek| (Partition::new(seek.topic.as_str(), seek.partition), seek.to));
            let sought =
                feed.seek(asked.collect()).await.into_iter().map(|(Partition { topic, partition }, result)| {
                    let (to, error) = match result {
                        Ok(to) => (Some(to), None),
                        Err(error) => (None, Some(error)),
                    };
                    SeekResult { topic, partition, to, error, fault: None }
                });
            let refused = others.into_iter().map(|Seek { topic, partition, owner, .. }| {
                let from = owner.map(|owner| owner.instance).unwrap_or_default();
                SeekResult::failed(topic, partition, SeekFault::TakenOver { by: self.instance().into(), from })
            });
            self.journal.tell(News::Sought { id, results: sought.chain(refused).collect() });
        }
    }
}

/// Kafka was asked before anything was to be changed, and nothing was.
pub(crate) fn unread(error: kafka::Error) -> ResetError {
    let reason = error.to_string();
    if error.is_no_answer() { ResetError::Unread { reason } } else { ResetError::Kafka { reason } }
}
