//! One life of a group's member: join, consume, commit, give partitions back, leave.
//!
//! One turn of the loop is one batch: wait for the first message, take what is there besides, hand it off, act on what
//! happened in the polls ([`Note`]), commit when it is time.

use super::{
    Consume, Partition, PartitionOffset,
    commit::commit_within,
    context::{GroupContext, Note, assign, unassign},
    link::Link,
    offsets::Offsets,
    statistics::Statistics,
    topics::TopicLookup,
};
use crate::{
    Error, From, GroupSettings,
    context::is_connection_trouble,
    error::reason,
    message::{Extent, lend},
};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use wire::Flags;

/// The longest wait for a first message: how soon a stop, a statistic or a due commit is noticed.
const IDLE_WAIT: Duration = Duration::from_millis(100);
/// A batch ends after so many records, …
const BATCH_RECORDS: usize = 1_000;
/// … after so many bytes of keys and values, …
const BATCH_BYTES: usize = 256 * 1024;
/// … or after so long: a record must not wait for the next ones.
const BATCH_TIME: Duration = Duration::from_millis(2);
/// How long a commit is waited for when partitions are given back, at the bound U, and at the stop.
const COMMIT_DEADLINE: Duration = Duration::from_secs(2);
/// A commit without an answer for so long is given up (librdkafka's `socket.timeout.ms` and a retry).
const COMMIT_LOST: Duration = Duration::from_secs(15);
/// How long committed offsets and watermarks are waited for. Other partitions stand still meanwhile.
const LOOKUP_DEADLINE: Duration = Duration::from_secs(2);
/// A member that consumes nothing for so long, although records wait, is stuck.
const STUCK: Duration = Duration::from_secs(30);
/// The same error is logged again after so long.
const LOG_AGAIN: Duration = Duration::from_secs(60);

/// How a member's life ended.
pub(super) enum End {
    /// It was told to stop, and left the group.
    Stopped,
    /// It cannot go on, and a new one must join.
    Failed(String),
}

/// The consumer, which closes when it is dropped: that leaves the group and blocks until it has.
struct Client {
    consumer: Arc<BaseConsumer<GroupContext>>,
    topics: TopicLookup,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.consumer.context().close();
        // Whoever drops the last reference closes the consumer: it must be this thread.
        self.topics.wait();
    }
}

pub(super) struct Member<'a, C> {
    client: Client,
    settings: &'a GroupSettings,
    stop: &'a AtomicBool,
    link: &'a mut Link,
    consume: &'a mut C,
    offsets: Offsets,
    last_commit: Instant,
    /// A failed commit is not tried again before.
    retry_commit: Option<Instant>,
    /// Where the uncommitted reached U and Kafka does not take a commit: everything is paused.
    is_stalled: bool,
    /// When to look for partitions whose position does not exist.
    reposition: Option<Instant>,
    /// Whether librdkafka stopped a partition and said so, without saying which.
    has_stopped: bool,
    last_progress: Instant,
    logged: HashMap<String, Instant>,
    fatal: Option<String>,
}

impl<'a, C: Consume> Member<'a, C> {
    pub fn join(
        config: &ClientConfig,
        settings: &'a GroupSettings,
        stop: &'a AtomicBool,
        link: &'a mut Link,
        consume: &'a mut C,
    ) -> Result<Self, Error> {
        let consumer: BaseConsumer<_> =
            config.create_with_context(GroupContext::default()).map_err(Error::client)?;
        let topics: Vec<_> = settings.topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(|error| Error::failed("subscribing", &error))?;
        Ok(Self {
            client: Client { consumer: Arc::new(consumer), topics: TopicLookup::default() },
            settings,
            stop,
            link,
            consume,
            offsets: Offsets::default(),
            last_commit: Instant::now(),
            retry_commit: None,
            is_stalled: false,
            reposition: None,
            has_stopped: false,
            last_progress: Instant::now(),
            logged: HashMap::new(),
            fatal: None,
        })
    }

    pub fn live(mut self) -> End {
        while !self.stop.load(Ordering::Relaxed) {
            self.turn();
            if let Some(reason) = self.fatal.take() {
                self.lose_all();
                return End::Failed(reason);
            }
        }
        self.give_back_all();
        End::Stopped
    }

    fn turn(&mut self) {
        let has_records = self.take_batch();
        let notes = self.client.consumer.context().take();
        // Before the hand-off: what was lost may not become committable.
        for note in &notes {
            if let Note::Lose(partitions) = note {
                self.offsets.remove(partitions);
            }
        }
        if has_records {
            self.consume.end_of_batch();
            self.offsets.end_of_batch();
            self.link.answered(self.consume);
        }
        for note in notes {
            self.act(note);
        }
        if self.reposition.is_some_and(|at| at <= Instant::now()) {
            self.reposition();
        }
        self.commit_if_due();
        self.hold_the_bound();
        self.look_up_topics();
    }

    /// Waits for a message and takes those that are there with it. Whether there was any.
    fn take_batch(&mut self) -> bool {
        let consumer = Arc::clone(&self.client.consumer);
        let Some(first) = self.message(consumer.poll(self.wait())) else { return false };
        let (began, received) = (Instant::now(), crate::now());
        let (mut records, mut bytes) = (0, 0);
        let mut next = Some(first);
        while let Some(message) = next {
            bytes += message.payload_len() + message.key_len();
            records += 1;
            self.hand_on(&message, received);
            let is_full = records >= BATCH_RECORDS
                || bytes >= BATCH_BYTES
                // The clock costs more than a record.
                || (records % 32 == 0 && began.elapsed() >= BATCH_TIME);
            if is_full || self.offsets.uncommitted() >= self.settings.uncommitted_bound {
                break;
            }
            next = self.message(consumer.poll(Duration::ZERO));
        }
        true
    }

    fn wait(&self) -> Duration {
        if self.offsets.is_due() && !self.offsets.is_in_flight() {
            let due = self.settings.commit_interval.saturating_sub(self.last_commit.elapsed());
            due.clamp(Duration::from_millis(1), IDLE_WAIT)
        } else {
            IDLE_WAIT
        }
    }

    fn message<'m>(&mut self, polled: Option<KafkaResult<BorrowedMessage<'m>>>) -> Option<BorrowedMessage<'m>> {
        match polled? {
            Ok(message) => Some(message),
            Err(KafkaError::MessageConsumptionFatal(code)) => {
                self.fatal = Some(code.to_string());
                None
            }
            // The context noted it, with librdkafka's reason.
            Err(_) => None,
        }
    }

    fn hand_on(&mut self, message: &BorrowedMessage<'_>, received: wire::Millis) {
        // A partition that was taken away meanwhile is another member's.
        if self.offsets.handed(message.topic(), message.partition(), message.offset()) {
            let consume = &mut *self.consume;
            lend(message, received, Flags::FIRST, Extent::Heads, |record| consume.record(record));
            self.last_progress = Instant::now();
        }
    }

    fn act(&mut self, note: Note) {
        match note {
            Note::Assign(partitions) => self.assigned(partitions),
            Note::Revoke(partitions) => self.revoked(&partitions),
            Note::Lose(partitions) => self.lost(&partitions),
            Note::Committed(result, offsets) => self.commit_answered(result, &offsets),
            Note::Error(code, reason) => self.failed(code, reason),
            Note::Statistics(statistics) => self.reported(&statistics),
        }
    }

    // The group's three words.

    fn assigned(&mut self, partitions: Vec<Partition>) {
        self.link.answered(self.consume);
        let committed = self.committed_offsets(&partitions);
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in &partitions {
            let position = match &committed {
                Ok(committed) => match committed.get(partition) {
                    Some(&offset) => {
                        self.offsets.assign(partition.clone(), Some(offset), Some(offset));
                        Offset::Offset(offset)
                    }
                    None => self.first_position(partition),
                },
                // librdkafka looks again by itself, and tells when there is none.
                Err(_) => {
                    self.offsets.assign(partition.clone(), None, None);
                    Offset::Stored
                }
            };
            add(&mut list, partition, position);
        }
        if let Err(error) = assign(&self.client.consumer, &list) {
            self.fatal = Some(format!("partitions were not taken on: {}", reason(&error)));
            return;
        }
        if self.is_stalled {
            self.pause();
        }
        self.last_progress = Instant::now();
        self.client.topics.hurry();
        tracing::info!(group = self.settings.group, partitions = %Listed(&partitions), "assigned");
        self.consume.assigned(&partitions);
    }

    fn revoked(&mut self, partitions: &[Partition]) {
        self.commit_and_wait(Some(partitions));
        self.let_go(partitions);
        tracing::info!(group = self.settings.group, partitions = %Listed(partitions), "revoked");
        self.consume.revoked(partitions);
    }

    fn lost(&mut self, partitions: &[Partition]) {
        self.let_go(partitions);
        tracing::warn!(group = self.settings.group, partitions = %Listed(partitions), "lost");
        self.consume.lost(partitions);
    }

    fn let_go(&mut self, partitions: &[Partition]) {
        self.offsets.remove(partitions);
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            add(&mut list, partition, Offset::Invalid);
        }
        if let Err(error) = unassign(&self.client.consumer, &list) {
            self.fatal = Some(format!("partitions were not given back: {}", reason(&error)));
        }
    }

    // Where a partition begins.

    fn committed_offsets(&mut self, partitions: &[Partition]) -> KafkaResult<HashMap<Partition, i64>> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition(&partition.topic, partition.partition);
        }
        let found = self.client.consumer.committed_offsets(list, LOOKUP_DEADLINE).inspect_err(|error| {
            tracing::warn!(
                group = self.settings.group,
                cause = reason(error),
                "committed offsets are not known yet, librdkafka goes on asking"
            );
        })?;
        let mut committed = HashMap::new();
        for element in found.elements() {
            element.error()?;
            if let Offset::Offset(offset) = element.offset() {
                committed.insert(Partition::new(element.topic(), element.partition()), offset);
            }
        }
        Ok(committed)
    }

    /// Where a partition begins that the group has no committed offset for.
    fn first_position(&mut self, partition: &Partition) -> Offset {
        self.offsets.assign(partition.clone(), None, None);
        match self.settings.from {
            From::Earliest => Offset::Beginning,
            From::Latest => match self.watermarks(partition) {
                // Committed at once: else a restart before the first record would begin at a later end.
                Ok((_, end)) => {
                    self.offsets.restart(partition, end);
                    Offset::Offset(end)
                }
                Err(_) => Offset::End,
            },
        }
    }

    fn watermarks(&self, partition: &Partition) -> KafkaResult<(i64, i64)> {
        self.client.consumer.fetch_watermarks(&partition.topic, partition.partition, LOOKUP_DEADLINE)
    }

    /// Looks for partitions whose position does not exist, and moves them where the log is.
    fn reposition(&mut self) {
        self.reposition = None;
        let owned: Vec<_> = self.offsets.owned().map(|(partition, next)| (partition.clone(), next)).collect();
        let mut moves = Vec::new();
        for (partition, next) in &owned {
            let (first, end) = match self.watermarks(partition) {
                Ok(watermarks) => watermarks,
                Err(error) => {
                    self.reposition = Some(Instant::now() + self.settings.retry_backoff);
                    self.log_once(RDKafkaErrorCode::AutoOffsetReset, reason(&error));
                    continue;
                }
            };
            let to = match *next {
                None if self.settings.from == From::Latest => end,
                None => first,
                Some(next) if next < first => {
                    tracing::warn!(
                        group = self.settings.group,
                        topic = partition.topic,
                        partition = partition.partition,
                        first = next,
                        last = first - 1,
                        "records were deleted before the group consumed them"
                    );
                    self.consume.missing(&partition.topic, partition.partition, next, first - 1);
                    first
                }
                Some(next) if next > end => {
                    tracing::warn!(
                        group = self.settings.group,
                        topic = partition.topic,
                        partition = partition.partition,
                        next,
                        end,
                        "the log ends before the group's position: it began anew"
                    );
                    first
                }
                Some(_) => continue,
            };
            moves.push((partition.clone(), to));
        }
        for (partition, to) in &moves {
            self.offsets.restart(partition, *to);
        }
        if moves.is_empty() && self.has_stopped {
            // Each position exists, and yet librdkafka stopped one of them: begin again where they are.
            moves = owned.into_iter().filter_map(|(partition, next)| Some((partition, next?))).collect();
        }
        self.has_stopped &= self.reposition.is_some();
        self.restart(&moves);
    }

    /// Has librdkafka begin at these offsets. A partition that it stopped does not take a seek.
    fn restart(&mut self, moves: &[(Partition, i64)]) {
        if moves.is_empty() {
            return;
        }
        let mut list = TopicPartitionList::with_capacity(moves.len());
        for (partition, to) in moves {
            add(&mut list, partition, Offset::Offset(*to));
        }
        let consumer = &self.client.consumer;
        if let Err(error) = unassign(consumer, &list).and_then(|()| assign(consumer, &list)) {
            self.fatal = Some(format!("a partition could not begin anew: {}", reason(&error)));
        }
    }

    // Commits.

    fn commit_if_due(&mut self) {
        let now = Instant::now();
        if self.offsets.is_in_flight() {
            if self.last_commit.elapsed() > COMMIT_LOST {
                tracing::warn!(group = self.settings.group, "a commit was never answered");
                self.offsets.give_up_in_flight();
            }
            return;
        }
        // Half the bound: so that a busy feed need not stop at the whole of it.
        let is_time = self.last_commit.elapsed() >= self.settings.commit_interval
            || self.offsets.uncommitted() >= self.settings.uncommitted_bound / 2;
        if !is_time || self.retry_commit.is_some_and(|at| at > now) {
            return;
        }
        let due = self.offsets.begin_commit();
        if due.is_empty() {
            return;
        }
        self.last_commit = now;
        if let Err(error) = self.client.consumer.commit(&listed(&due), CommitMode::Async) {
            let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
            self.commit_answered(Err(code), &due);
        }
    }

    fn commit_answered(&mut self, result: Result<(), RDKafkaErrorCode>, offsets: &[PartitionOffset]) {
        match result {
            Ok(()) => {
                self.offsets.committed(offsets);
                self.retry_commit = None;
                self.link.answered(self.consume);
                self.consume.committed(offsets);
            }
            Err(RDKafkaErrorCode::NoOffset) => self.offsets.failed(offsets),
            Err(code) => {
                self.offsets.failed(offsets);
                self.retry_commit = Some(Instant::now() + self.settings.retry_backoff);
                self.log_once(code, "offsets were not committed".into());
            }
        }
    }

    /// Commits what is due, of `partitions` or of all, and waits for it. Whether it succeeded.
    fn commit_and_wait(&mut self, partitions: Option<&[Partition]>) -> bool {
        let due = self.offsets.due(partitions);
        if due.is_empty() {
            return true;
        }
        let result = commit_within(&self.client.consumer, &listed(&due), COMMIT_DEADLINE);
        let is_done = result.is_ok();
        self.commit_answered(result, &due);
        is_done
    }

    /// Nothing is handed on beyond U uncommitted offsets.
    fn hold_the_bound(&mut self) {
        if self.is_stalled {
            let may_retry = self.retry_commit.is_none_or(|at| at <= Instant::now());
            if may_retry && self.commit_and_wait(None) {
                self.is_stalled = false;
                self.offsets.give_up_in_flight();
                tracing::info!(group = self.settings.group, "commits work again, consuming goes on");
                self.resume();
            }
        } else if self.offsets.uncommitted() >= self.settings.uncommitted_bound && !self.commit_and_wait(None) {
            self.is_stalled = true;
            tracing::error!(
                group = self.settings.group,
                uncommitted = self.offsets.uncommitted(),
                "consuming stops until offsets can be committed"
            );
            self.pause();
        }
    }

    fn pause(&mut self) {
        let paused = self.client.consumer.assignment().and_then(|list| self.client.consumer.pause(&list));
        if let Err(error) = paused {
            self.fatal = Some(format!("partitions were not paused: {}", reason(&error)));
        }
    }

    fn resume(&mut self) {
        let resumed = self.client.consumer.assignment().and_then(|list| self.client.consumer.resume(&list));
        if let Err(error) = resumed {
            self.fatal = Some(format!("partitions were not resumed: {}", reason(&error)));
        }
        self.last_progress = Instant::now();
    }

    // What librdkafka says.

    fn failed(&mut self, code: RDKafkaErrorCode, reason: String) {
        match code {
            RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::NoOffset => {
                tracing::debug!(group = self.settings.group, reason, "a position does not exist");
                self.has_stopped = true;
                self.reposition.get_or_insert_with(Instant::now);
            }
            RDKafkaErrorCode::AllBrokersDown => self.link.all_down(&reason, self.consume),
            code if is_connection_trouble(code) => {
                tracing::debug!(group = self.settings.group, reason, "a connection failed");
                self.link.trouble(reason);
            }
            RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
                self.client.topics.hurry();
                self.log_once(code, reason);
            }
            code => self.log_once(code, reason),
        }
    }

    /// Logs an error unless it was logged a moment ago.
    fn log_once(&mut self, code: RDKafkaErrorCode, reason: String) {
        self.logged.retain(|_, at| at.elapsed() < LOG_AGAIN);
        let error = format!("{code}: {reason}");
        if !self.logged.contains_key(&error) {
            tracing::warn!(group = self.settings.group, error, "kafka consumer");
            self.logged.insert(error, Instant::now());
        }
    }

    fn reported(&mut self, statistics: &Statistics) {
        self.link.reported(statistics, self.consume);
        let mut all = Vec::new();
        let mut waiting = 0;
        let mut is_beyond = false;
        for (partition, next) in self.offsets.owned() {
            let Some((mut offsets, behind)) = statistics.partition(&partition.topic, partition.partition) else {
                continue;
            };
            offsets.committed = self.offsets.committed_offset(&partition.topic, partition.partition).or(offsets.committed);
            waiting += behind;
            // A broker that answers nothing instead of "out of range" is found out by the end that it tells.
            is_beyond |= matches!((next, offsets.end), (Some(next), Some(end)) if next > end);
            all.push(offsets);
        }
        if is_beyond {
            self.reposition.get_or_insert_with(Instant::now);
        }
        if waiting == 0 || self.is_stalled || !self.link.is_up() {
            self.last_progress = Instant::now();
        } else if self.last_progress.elapsed() > STUCK {
            self.fatal = Some(format!("{waiting} records wait and none came for {} s", STUCK.as_secs()));
        }
        if !all.is_empty() {
            self.consume.partition_offsets(&all);
        }
    }

    fn look_up_topics(&mut self) {
        let Client { consumer, topics } = &mut self.client;
        let (settings, offsets) = (self.settings, &self.offsets);
        let news = topics.step(consumer, || {
            let subscribed = settings.topics.iter().filter(|topic| !topic.starts_with('^')).cloned();
            subscribed.chain(offsets.owned().map(|(partition, _)| partition.topic.clone())).collect()
        });
        for (topic, count) in news {
            self.link.answered(self.consume);
            self.consume.topic_partitions(&topic, count);
        }
    }

    // The end.

    fn owned(&self) -> Vec<Partition> {
        self.offsets.owned().map(|(partition, _)| partition.clone()).collect()
    }

    /// The clean end: what was consumed is committed, and the consumer's closing leaves the group.
    fn give_back_all(&mut self) {
        self.commit_and_wait(None);
        let owned = self.owned();
        self.offsets.remove(&owned);
        if !owned.is_empty() {
            self.consume.revoked(&owned);
        }
        tracing::info!(group = self.settings.group, "leaving the group");
    }

    fn lose_all(&mut self) {
        let owned = self.owned();
        self.offsets.remove(&owned);
        if !owned.is_empty() {
            self.consume.lost(&owned);
        }
    }
}

fn listed(offsets: &[PartitionOffset]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for PartitionOffset { partition, offset } in offsets {
        add(&mut list, partition, Offset::Offset(*offset));
    }
    list
}

fn add(list: &mut TopicPartitionList, partition: &Partition, offset: Offset) {
    list.add_partition_offset(&partition.topic, partition.partition, offset)
        .expect("the offsets are librdkafka's own, or logical ones");
}

/// Partitions for the log: `orders[0] orders[1]`.
struct Listed<'a>(&'a [Partition]);

impl std::fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, Partition { topic, partition }) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{topic}[{partition}]")?;
        }
        Ok(())
    }
}
