//! One life of a group's member: join, consume, commit, give partitions back, leave.
//!
//! One turn of the loop is one batch: wait for the first message, take what is there besides, hand it off, act on what
//! happened in the polls ([`Note`]), commit when it is time.

use super::{
    Consume, Partition, PartitionOffset, PartitionOffsets, SeekOrder, Taken,
    claim::Claim,
    commit::Commit,
    context::{GroupContext, Note, assign, unassign},
    link::Link,
    offsets::Offsets,
    statistics::Statistics,
    topics::TopicLookup,
};
use crate::{
    Admin, Error, From, GroupSettings,
    context::is_connection_trouble,
    error::reason,
    message::{Extent, lend},
};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, RebalanceProtocol},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
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
/// How often the answer to a commit is looked for while nothing comes.
const COMMIT_LOOK: Duration = Duration::from_millis(20);
/// A commit without an answer for so long is given up (librdkafka's `socket.timeout.ms` and a retry).
const COMMIT_LOST: Duration = Duration::from_secs(15);
/// How long committed offsets and watermarks are waited for. Other partitions stand still meanwhile.
const LOOKUP_DEADLINE: Duration = Duration::from_secs(2);
/// A member that consumes nothing for so long, although records wait, is stuck.
const STUCK: Duration = Duration::from_secs(30);
/// A position beyond the log's end is believed after so many reports in a row: a new leader may lag for a moment.
const BEYOND_REPORTS: u32 = 3;
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
    /// The commit that is out, and what it says. Before the client, so that it is dropped before it.
    commit: Option<(Commit, Vec<PartitionOffset>)>,
    client: Client,
    admin: &'a Admin,
    settings: &'a GroupSettings,
    stop: &'a AtomicBool,
    ordered: &'a mpsc::Receiver<SeekOrder>,
    link: &'a mut Link,
    consume: &'a mut C,
    offsets: Offsets,
    last_commit: Instant,
    /// Partitions that the group gave and that could not be taken on yet, and when that is tried again.
    given: Vec<Partition>,
    retry_given: Instant,
    /// A failed commit is not tried again before.
    retry_commit: Option<Instant>,
    /// Where the uncommitted reached U and Kafka does not take a commit: everything is paused.
    is_stalled: bool,
    /// Whether librdkafka stopped a partition whose position does not exist. It does not say which: its next report does.
    has_stopped: bool,
    /// How many reports in a row spoke of a position beyond the log's end.
    beyond_reports: u32,
    last_progress: Instant,
    /// For how long brokers had this member wait.
    throttled: Duration,
    logged: HashMap<String, Instant>,
    fatal: Option<String>,
}

impl<'a, C: Consume> Member<'a, C> {
    pub fn join(
        config: &ClientConfig,
        admin: &'a Admin,
        settings: &'a GroupSettings,
        stop: &'a AtomicBool,
        ordered: &'a mpsc::Receiver<SeekOrder>,
        link: &'a mut Link,
        consume: &'a mut C,
    ) -> Result<Self, Error> {
        let consumer: BaseConsumer<_> = config.create_with_context(GroupContext::default()).map_err(Error::client)?;
        let topics: Vec<_> = settings.topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(|error| Error::failed("subscribing", &error))?;
        Ok(Self {
            commit: None,
            client: Client { consumer: Arc::new(consumer), topics: TopicLookup::default() },
            admin,
            settings,
            stop,
            ordered,
            link,
            consume,
            offsets: Offsets::default(),
            last_commit: Instant::now(),
            given: Vec::new(),
            retry_given: Instant::now(),
            retry_commit: None,
            is_stalled: false,
            has_stopped: false,
            beyond_reports: 0,
            last_progress: Instant::now(),
            throttled: Duration::ZERO,
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
        self.take_over_if_due();
        self.obey();
        self.consume.turn();
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
        if self.commit.is_some() {
            COMMIT_LOOK
        } else if self.offsets.is_due() && self.retry_commit.is_none() {
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
        // A partition that was taken away meanwhile is another member's; what was handed on already is not given again.
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
            Note::Error(code, reason) => self.failed(code, reason),
            Note::Statistics(statistics) => self.reported(&statistics),
        }
    }

    // The group's three words.

    fn assigned(&mut self, partitions: Vec<Partition>) {
        self.link.answered(self.consume);
        self.client.topics.hurry();
        // The group waits for a word, be it that nothing is taken on yet.
        let is_none = partitions.is_empty();
        self.given.extend(partitions);
        if is_none || !self.take_over() {
            self.begin(&[]);
        }
        if is_none {
            self.consume.assigned(&[]);
        }
    }

    fn take_over_if_due(&mut self) {
        if !self.given.is_empty() && self.retry_given <= Instant::now() {
            self.take_over();
        }
    }

    /// Takes on what the group gave: finds out where it stands, claims it, begins. Nothing is consumed unclaimed, or the next
    /// owner would not know of it; so what can't be claimed waits.
    fn take_over(&mut self) -> bool {
        let given = std::mem::take(&mut self.given);
        match self.standing_of(&given).and_then(|taken| self.claim(&taken).map(|()| taken)) {
            Ok(taken) => {
                self.begin(&taken);
                tracing::info!(group = self.settings.group, partitions = %Listed(&given), "assigned");
                self.consume.assigned(&taken);
                let claimed = |taken: Taken| PartitionOffset { partition: taken.partition, offset: taken.next };
                self.consume.committed(&taken.into_iter().map(claimed).collect::<Vec<_>>());
                true
            }
            Err(error) => {
                let cause = reason(&error);
                tracing::warn!(group = self.settings.group, partitions = %Listed(&given), cause, "not taken on yet");
                self.given = given;
                self.retry_given = Instant::now() + self.settings.retry_backoff;
                false
            }
        }
    }

    fn begin(&mut self, taken: &[Taken]) {
        let mut list = TopicPartitionList::with_capacity(taken.len());
        for Taken { partition, next, suspects, .. } in taken {
            self.offsets.assign(partition.clone(), *next, suspects.end);
            add(&mut list, partition, Offset::Offset(*next));
        }
        if let Err(error) = assign(&self.client.consumer, &list) {
            self.fatal = Some(format!("partitions were not taken on: {}", reason(&error)));
            return;
        }
        if self.is_stalled {
            self.pause();
        }
        self.last_progress = Instant::now();
    }

    fn revoked(&mut self, partitions: &[Partition]) {
        self.release(partitions);
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
        let begun = partitions.iter().filter(|partition| !self.given.contains(partition));
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in begun {
            add(&mut list, partition, Offset::Invalid);
        }
        self.given.retain(|given| !partitions.contains(given));
        self.offsets.remove(partitions);
        if let Err(error) = unassign(&self.client.consumer, &list) {
            self.fatal = Some(format!("partitions were not given back: {}", reason(&error)));
        }
    }

    // Where a partition begins.

    /// Where these partitions stand in the group, and what of them is suspect.
    fn standing_of(&self, partitions: &[Partition]) -> KafkaResult<Vec<Taken>> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition(&partition.topic, partition.partition);
        }
        let found = self.client.consumer.committed_offsets(list, LOOKUP_DEADLINE)?;
        let topics = partitions.iter().map(|partition| partition.topic.as_str()).collect();
        let topic_ids = self.admin.topic_ids_of(&topics, LOOKUP_DEADLINE);
        let mut taken = Vec::with_capacity(partitions.len());
        for element in found.elements() {
            element.error()?;
            let partition = Partition::new(element.topic(), element.partition());
            let (next, suspects) = match element.offset() {
                Offset::Offset(offset) => {
                    let claim = Claim::parse(element.metadata());
                    let end = if Claim::is_clean(claim) { None } else { Some(self.watermarks(&partition)?.1) };
                    (offset, Claim::suspects(claim, offset, end, self.settings.uncommitted_bound))
                }
                // Nobody claimed it ever.
                _ => {
                    let (first, end) = self.watermarks(&partition)?;
                    let next = if self.settings.from == From::Earliest { first } else { end };
                    (next, next..next)
                }
            };
            let topic_id = topic_ids.get(&partition.topic).cloned();
            taken.push(Taken { partition, topic_id, next, suspects });
        }
        Ok(taken)
    }

    /// Commits that this member holds these partitions from here on, and waits for it.
    fn claim(&self, taken: &[Taken]) -> KafkaResult<()> {
        let held = taken.iter().map(|Taken { partition, next, suspects, .. }| {
            let claim = Claim { is_held: true, suspect_below: suspects.end };
            (PartitionOffset { partition: partition.clone(), offset: *next }, claim)
        });
        let commit = Commit::send(&self.client.consumer, &listed(held)).map_err(KafkaError::ConsumerCommit)?;
        let answer = commit.answer(COMMIT_DEADLINE).unwrap_or(Err(RDKafkaErrorCode::OperationTimedOut));
        answer.map_err(KafkaError::ConsumerCommit)
    }

    fn watermarks(&self, partition: &Partition) -> KafkaResult<(i64, i64)> {
        self.admin.watermarks_of(partition, LOOKUP_DEADLINE)
    }

    /// Moves partitions whose position does not exist to where the log is. What could not be looked up in time is tried
    /// again after the next report.
    fn reposition(&mut self, astray: Vec<(Partition, i64)>) {
        let until = Instant::now() + LOOKUP_DEADLINE;
        let mut moves = Vec::with_capacity(astray.len());
        let is_all = astray.into_iter().all(|(partition, next)| match self.watermarks(&partition) {
            Ok((first, end)) => {
                let to = self.position_in(&partition, next, first, end);
                moves.push((partition, to));
                Instant::now() < until
            }
            Err(error) => {
                self.log_once(RDKafkaErrorCode::AutoOffsetReset, reason(&error));
                false
            }
        });
        self.has_stopped &= !is_all;
        self.restart(&moves);
    }

    /// Where to go on in a log from `first` to `end`. Declares what is missing.
    fn position_in(&mut self, partition: &Partition, next: i64, first: i64, end: i64) -> i64 {
        let (group, topic, number) = (&self.settings.group, &partition.topic, partition.partition);
        if next < first {
            let last = first - 1;
            tracing::warn!(group, topic, partition = number, first = next, last, "records were deleted unconsumed");
            self.consume.missing(topic, number, next, last);
            first
        } else if next > end {
            tracing::warn!(group, topic, partition = number, next, end, "the log began anew, and so does the group");
            self.consume.began_anew(partition);
            first
        } else {
            next
        }
    }

    /// Goes on elsewhere, where someone asked for it.
    fn obey(&mut self) {
        while let Ok(SeekOrder { seeks, done }) = self.ordered.try_recv() {
            let mut moves = Vec::new();
            let mut results = Vec::with_capacity(seeks.len());
            for (partition, to) in seeks {
                let result = self.may_seek(&partition, to).map(|from| {
                    moves.push((partition.clone(), to));
                    self.consume.sought(&partition, from, to);
                    to
                });
                results.push((partition, result));
            }
            self.restart(&moves);
            if !moves.is_empty() {
                tracing::info!(group = self.settings.group, to = ?moves, "moved on request");
                // What is not committed now is due at the next commit.
                self.commit_and_wait();
            }
            // Who asked may not wait any more.
            let _ = done.send(results);
        }
    }

    /// From where a partition would be moved, if it may be.
    fn may_seek(&self, partition: &Partition, to: i64) -> Result<i64, String> {
        let owned = self.offsets.owned().find(|(owned, _)| *owned == partition);
        let (_, from) = owned.ok_or("this instance does not own the partition")?;
        let (first, end) = self.watermarks(partition).map_err(|error| reason(&error))?;
        if (first..=end).contains(&to) { Ok(from) } else { Err(format!("the log goes from {first} to {end}")) }
    }

    /// Has librdkafka begin at these offsets. A partition that it stopped does not take a seek.
    fn restart(&mut self, moves: &[(Partition, i64)]) {
        if moves.is_empty() {
            return;
        }
        let mut list = TopicPartitionList::with_capacity(moves.len());
        for (partition, to) in moves {
            self.offsets.restart(partition, *to);
            add(&mut list, partition, Offset::Offset(*to));
        }
        let consumer = &self.client.consumer;
        let again = match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => unassign(consumer, &list).and_then(|()| assign(consumer, &list)),
            // The whole assignment is set at once.
            _ => {
                let mut all = TopicPartitionList::new();
                for (partition, next) in self.offsets.owned() {
                    add(&mut all, partition, Offset::Offset(next));
                }
                assign(consumer, &all)
            }
        };
        if let Err(error) = again {
            self.fatal = Some(format!("a partition could not begin anew: {}", reason(&error)));
        }
    }

    // Commits.

    fn commit_if_due(&mut self) {
        if let Some((commit, _)) = &self.commit {
            let answer = commit.answer(Duration::ZERO);
            let is_lost = self.last_commit.elapsed() > COMMIT_LOST;
            match answer.or(is_lost.then_some(Err(RDKafkaErrorCode::RequestTimedOut))) {
                Some(answer) => self.commit_answered(answer),
                None => return,
            }
        }
        // Half the bound: so that a busy feed need not stop at the whole of it.
        let is_time = self.last_commit.elapsed() >= self.settings.commit_interval
            || self.offsets.uncommitted() >= self.settings.uncommitted_bound / 2;
        if is_time && self.retry_commit.is_none_or(|at| at <= Instant::now()) {
            let due = self.offsets.begin_commit();
            if !due.is_empty() {
                self.send_commit(due);
            }
        }
    }

    /// Commits what is due and waits for it. Whether it succeeded.
    fn commit_and_wait(&mut self) -> bool {
        self.forget_commit();
        let due = self.offsets.due();
        if due.is_empty() {
            return true;
        }
        self.send_commit(due);
        self.wait_for_commit();
        self.retry_commit.is_none()
    }

    /// Commits that nothing was consumed of these partitions beyond what this says, and waits for it.
    fn release(&mut self, partitions: &[Partition]) {
        self.forget_commit();
        let standing = self.offsets.standing(partitions);
        if standing.is_empty() {
            return;
        }
        self.send(standing, false);
        self.wait_for_commit();
    }

    /// What is out says less than what is due now, and arrives before it.
    fn forget_commit(&mut self) {
        self.commit = None;
        self.offsets.failed();
    }

    fn wait_for_commit(&mut self) {
        if let Some((commit, _)) = &self.commit {
            let answer = commit.answer(COMMIT_DEADLINE);
            self.commit_answered(answer.unwrap_or(Err(RDKafkaErrorCode::OperationTimedOut)));
        }
    }

    fn send_commit(&mut self, due: Vec<PartitionOffset>) {
        self.send(due, true);
    }

    fn send(&mut self, offsets: Vec<PartitionOffset>, is_held: bool) {
        self.last_commit = Instant::now();
        let claimed = offsets
            .iter()
            .map(|at| (at.clone(), Claim { is_held, suspect_below: self.offsets.suspect_below(&at.partition) }));
        match Commit::send(&self.client.consumer, &listed(claimed)) {
            Ok(commit) => self.commit = Some((commit, offsets)),
            Err(code) => self.commit_answered(Err(code)),
        }
    }

    fn commit_answered(&mut self, answer: Result<(), RDKafkaErrorCode>) {
        self.consume.commit_ended(self.last_commit.elapsed(), answer.is_ok());
        let offsets = self.commit.take().map(|(_, offsets)| offsets).unwrap_or_default();
        match answer {
            Ok(()) => {
                self.offsets.committed(&offsets);
                self.retry_commit = None;
                self.link.answered(self.consume);
                self.consume.committed(&offsets);
            }
            Err(code) => {
                self.offsets.failed();
                self.retry_commit = Some(Instant::now() + self.settings.retry_backoff);
                self.log_once(code, "offsets were not committed".into());
            }
        }
    }

    /// Nothing is handed on beyond U uncommitted offsets.
    fn hold_the_bound(&mut self) {
        if self.is_stalled {
            let may_retry = self.retry_commit.is_none_or(|at| at <= Instant::now());
            if may_retry && self.commit_and_wait() {
                self.is_stalled = false;
                tracing::info!(group = self.settings.group, "commits work again, consuming goes on");
                self.resume();
            }
        } else if self.offsets.uncommitted() >= self.settings.uncommitted_bound && !self.commit_and_wait() {
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
        let mut client = statistics.client();
        self.throttled += client.throttled;
        client.throttled = self.throttled;
        self.consume.client_report(client);
        let (mut all, mut stopped, mut beyond) = (Vec::new(), Vec::new(), Vec::new());
        let mut waiting = 0;
        for (partition, next) in self.offsets.owned() {
            let Some(report) = statistics.partition(&partition.topic, partition.partition) else { continue };
            if report.is_stopped {
                stopped.push((partition.clone(), next));
            } else if report.is_beyond {
                beyond.push((partition.clone(), next));
            }
            waiting += report.waiting;
            let committed = self.offsets.committed_offset(&partition.topic, partition.partition);
            all.push(PartitionOffsets { committed: committed.or(report.offsets.committed), ..report.offsets });
        }
        if !all.is_empty() {
            self.consume.partition_offsets(&all);
        }
        self.look_for_strays(stopped, beyond);

        if waiting == 0 || self.is_stalled || !self.link.is_up() {
            self.last_progress = Instant::now();
        } else if self.last_progress.elapsed() > STUCK {
            self.fatal = Some(format!("{waiting} records wait and none came for {} s", STUCK.as_secs()));
        }
    }

    fn look_for_strays(&mut self, stopped: Vec<(Partition, i64)>, beyond: Vec<(Partition, i64)>) {
        if self.has_stopped && !stopped.is_empty() {
            self.reposition(stopped);
        }
        // Kafka says "out of range" to a position beyond the end; the embedded broker answers nothing.
        self.beyond_reports = if beyond.is_empty() { 0 } else { self.beyond_reports + 1 };
        if self.beyond_reports >= BEYOND_REPORTS {
            self.beyond_reports = 0;
            self.reposition(beyond);
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
        let owned = self.owned();
        self.release(&owned);
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

/// Offsets to commit, each with its claim.
fn listed(claimed: impl Iterator<Item = (PartitionOffset, Claim)>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (PartitionOffset { partition, offset }, claim) in claimed {
        let mut element = list.add_partition(&partition.topic, partition.partition);
        element.set_metadata(claim.metadata(offset));
        element.set_offset(Offset::Offset(offset)).expect("an offset that Kafka gave is legal");
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
