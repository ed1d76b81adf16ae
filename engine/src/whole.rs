//! The whole group's records, whoever consumes them: read from the log without a group while some tab asks for them, and
//! joined with the marks that tell who consumed what.

use crate::journal::{Journal, Said};
use ::feed::{Hub, HubConfig, Remark, Writer};
use kafka::{Admin, ClientSettings, Follow, Partition, Tail};
use parking_lot::Mutex;
use rangemap::RangeSet;
use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::timeout};
use wire::{
    ChangeKind, Consumed, Flag, Flags, Happening, HappeningKind, Mark, Millis, Position, RecordView, TopicId, codec,
};

/// How long it goes on after the last tab left.
const LINGERS: Duration = Duration::from_secs(30);
/// How many records before the present end are read of a partition of which this instance has nothing.
const CONTEXT: i64 = 20;
/// How many records before this instance's own position are read, for tabs that come with an older cursor.
const OVERLAP: i64 = 100;
/// How long the records from before it was opened may take, after which those that are there are shown.
const CATCHES_UP: Duration = Duration::from_secs(2);
/// How many of them are put in order.
const CAUGHT_UP_AT_MOST: usize = 5_000;
/// How many marks of a partition are kept that run ahead of the records.
const AHEAD: usize = 1_000;
/// How many separate stretches of a partition are remembered as consumed.
const STRETCHES: usize = 64;

/// The whole group's view of a feed. It runs while it is used.
pub(crate) struct Whole {
    group: String,
    topics: Vec<String>,
    ring_bytes: usize,
    running: Mutex<Option<Running>>,
    users: Arc<AtomicUsize>,
}

struct Running {
    hub: Arc<Hub>,
    caught_up: watch::Receiver<bool>,
    used: Instant,
    _tail: Tail,
}

/// Somebody who uses it; until it is dropped it goes on.
pub(crate) struct Use {
    users: Arc<AtomicUsize>,
    caught_up: watch::Receiver<bool>,
}

impl Use {
    /// Waits until the records from before it was opened are there: what comes after them comes now.
    pub async fn caught_up(&mut self) {
        // Without Kafka they never are.
        let _ = timeout(CATCHES_UP, self.caught_up.wait_for(|caught_up| *caught_up)).await;
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        self.users.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Whole {
    pub fn new(group: String, topics: Vec<String>, ring_bytes: usize) -> Self {
        Self { group, topics, ring_bytes, running: Mutex::default(), users: Arc::default() }
    }

    /// The hub to read from, started if it does not run yet. `own` is where this instance's own feed is.
    pub fn open(
        &self,
        client: &ClientSettings,
        admin: &Admin,
        journal: &Journal,
        own: Vec<Position>,
    ) -> Result<(Arc<Hub>, Use), kafka::Error> {
        let mut running = self.running.lock();
        let running = match &mut *running {
            Some(running) => running,
            None => {
                let (writer, hub) = ::feed::hub(HubConfig { ring_bytes: self.ring_bytes });
                let (tell, caught_up) = watch::channel(false);
                let join = Join::new(writer, journal.listen(&self.group), self.topics.clone(), own, tell);
                let tail = Tail::spawn(client, admin.clone(), self.topics.clone(), join)?;
                tracing::debug!(group = self.group, "the whole group is read");
                running.insert(Running { hub, caught_up, used: Instant::now(), _tail: tail })
            }
        };
        running.used = Instant::now();
        self.users.fetch_add(1, Ordering::Relaxed);
        Ok((Arc::clone(&running.hub), Use { users: Arc::clone(&self.users), caught_up: running.caught_up.clone() }))
    }

    /// Ends it when nobody used it for a while. Once a second.
    pub fn tick(&self) {
        let mut running = self.running.lock();
        if self.users.load(Ordering::Relaxed) > 0 {
            if let Some(running) = &mut *running {
                running.used = Instant::now();
            }
        } else if running.as_ref().is_some_and(|running| running.used.elapsed() > LINGERS) {
            *running = None;
            tracing::debug!(group = self.group, "the whole group is not read any more");
        }
    }

    /// Ends it.
    pub fn stop(&self) {
        self.running.lock().take();
    }
}

/// Joins records and marks. Lives on the tail's thread.
struct Join {
    writer: Writer,
    said: mpsc::Receiver<Said>,
    topics: Vec<String>,
    own: Vec<Position>,
    /// What happened before is history.
    since: Millis,
    partitions: HashMap<Partition, Progress>,
    /// Until everything from before it was opened is there; then that is told.
    catch_up: Option<CatchUp>,
    caught_up: watch::Sender<bool>,
}

/// The records from before it was opened. librdkafka gives them partition by partition; they are shown in the order of their times.
struct CatchUp {
    until: Instant,
    /// Where each partition ended that has something.
    ends: HashMap<Partition, i64>,
    /// Each encoded, with what it is ordered by: its time or an earlier record's of its partition, whichever is later. So those of
    /// one partition stay as they stand in it.
    records: Vec<(Millis, Vec<u8>)>,
    latest: HashMap<Partition, Millis>,
}

impl CatchUp {
    fn new() -> Self {
        let until = Instant::now() + CATCHES_UP;
        Self { until, ends: HashMap::new(), records: Vec::new(), latest: HashMap::new() }
    }

    fn take(&mut self, record: &RecordView<'_>) {
        let partition = Partition::new(record.topic, record.partition);
        if self.ends.get(&partition).is_some_and(|end| record.offset + 1 >= *end) {
            self.ends.remove(&partition);
        }
        let latest = self.latest.entry(partition).or_insert(Millis::MIN);
        *latest = record.timestamp.millis().map_or(*latest, |at| at.max(*latest));
        let mut bytes = Vec::new();
        codec::encode_record(record, &mut bytes);
        self.records.push((*latest, bytes));
    }

    fn is_over(&self) -> bool {
        self.ends.is_empty() || self.records.len() >= CAUGHT_UP_AT_MOST || Instant::now() >= self.until
    }

    fn in_order(mut self) -> Vec<Vec<u8>> {
        self.records.sort_by_key(|(at, _)| *at);
        self.records.into_iter().map(|(_, bytes)| bytes).collect()
    }
}

/// How far one partition is.
#[derive(Default)]
struct Progress {
    /// The first offset that was read, and the one to be read next. Nothing yet: nothing was read.
    read: Option<(i64, i64)>,
    /// Marks of what was not read yet.
    ahead: VecDeque<Mark>,
    /// What is marked.
    consumed: RangeSet<i64>,
}

impl Join {
    fn new(
        writer: Writer,
        said: mpsc::Receiver<Said>,
        topics: Vec<String>,
        own: Vec<Position>,
        caught_up: watch::Sender<bool>,
    ) -> Self {
        let (since, catch_up) = (crate::now(), Some(CatchUp::new()));
        Self { writer, said, topics, own, since, partitions: HashMap::new(), catch_up, caught_up }
    }

    /// Whether the topic is one of the feed's: they may be patterns (librdkafka's `subscribe`).
    fn follows(&self, topic: &str) -> bool {
        self.topics.iter().any(|name| name == topic || name.starts_with('^'))
    }

    fn progress(&mut self, topic: &str, partition: i32) -> &mut Progress {
        self.partitions.entry(Partition::new(topic, partition)).or_default()
    }

    fn push(&mut self, record: &RecordView<'_>) {
        self.writer.push(record);
        let (offset, next) = (record.offset, record.offset + 1);
        let progress = self.progress(record.topic, record.partition);
        progress.read = Some((progress.read.map_or(offset, |(begin, _)| begin), next));
    }

    fn hear(&mut self, mark: Mark) {
        if mark.first >= mark.next {
            return;
        }
        let progress = self.progress(&mark.topic, mark.partition);
        let end = progress.read.map_or(i64::MIN, |(_, end)| end);
        if mark.next > end {
            if progress.ahead.len() == AHEAD {
                progress.ahead.pop_front();
            }
            progress.ahead.push_back(Mark { first: mark.first.max(end), ..mark.clone() });
        }
        self.tell(&mark, end);
    }

    /// A rebalance is a row among the records: not that a partition was given back, for who has it next says so too.
    fn happened(&mut self, happening: Happening) {
        let is_row = match happening.kind {
            HappeningKind::Revoked => false,
            // A member that gets nothing new has nothing to say.
            HappeningKind::Assigned | HappeningKind::Lost | HappeningKind::Sought => !happening.partitions.is_empty(),
            HappeningKind::Joined | HappeningKind::Left | HappeningKind::Silent => true,
        };
        if is_row && happening.at >= self.since {
            self.writer.change(happening.at, ChangeKind::Happened(happening));
        }
    }

    /// Tells what of a mark is about records that were read: up to before `end`.
    fn tell(&mut self, mark: &Mark, end: i64) {
        let progress = self.progress(&mark.topic, mark.partition);
        let Some((begin, _)) = progress.read else { return };
        let range = mark.first.max(begin)..mark.next.min(end);
        if range.is_empty() {
            return;
        }
        let again = progress.consumed.overlapping(&range).next().is_some();
        progress.consumed.insert(range.clone());
        while progress.consumed.len() > STRETCHES
            && let Some(lowest) = progress.consumed.first().cloned()
        {
            progress.consumed.remove(lowest);
        }
        let (topic, partition, first, last) = (mark.topic.clone(), mark.partition, range.start, range.end - 1);
        if again {
            let flags = if mark.replayed { Flags::REPLAYED } else { Flags::REDELIVERED };
            self.writer.remark(Remark::Flag(Flag { topic: topic.clone(), partition, first, last, flags }));
        }
        let (instance, at) = (mark.by.instance.clone(), mark.at);
        self.writer.remark(Remark::Consumed(Consumed { topic, partition, first, last, instance, at }));
    }
}

impl Follow for Join {
    fn begin(&mut self, partition: &Partition, first: i64, end: i64) -> i64 {
        let is_it = |own: &&Position| own.topic == partition.topic && own.partition == partition.partition;
        let begin = match self.own.iter().find(is_it) {
            Some(own) => own.next - OVERLAP,
            None => end - CONTEXT,
        };
        let begin = begin.clamp(first, end);
        let (topic, number) = (partition.topic.clone(), partition.partition);
        self.writer.begin(&[Position { topic, partition: number, next: begin }]);
        self.writer.flush();
        if let Some(catch_up) = &mut self.catch_up
            && begin < end
        {
            catch_up.ends.insert(partition.clone(), end);
        }
        begin
    }

    fn record(&mut self, record: &RecordView<'_>) {
        match &mut self.catch_up {
            Some(catch_up) => catch_up.take(record),
            None => self.push(record),
        }
    }

    fn end_of_batch(&mut self) {
        if let Some(catch_up) = self.catch_up.take_if(|catch_up| catch_up.is_over()) {
            for bytes in catch_up.in_order() {
                let record = codec::decode_record_ref(&bytes).expect("it was encoded here");
                self.push(&record.view());
            }
            self.writer.flush();
            self.caught_up.send_replace(true);
        }
        let mut due = Vec::new();
        for progress in self.partitions.values_mut() {
            let Some((_, end)) = progress.read else { continue };
            while let Some(mark) = progress.ahead.front()
                && mark.first < end
            {
                due.push((mark.clone(), end));
                if mark.next > end {
                    // The rest of it comes with the next records.
                    if let Some(mark) = progress.ahead.front_mut() {
                        mark.first = end;
                    }
                    break;
                }
                progress.ahead.pop_front();
            }
        }
        for (mark, end) in due {
            self.tell(&mark, end);
        }
        self.writer.flush();
    }

    fn turn(&mut self) {
        while let Ok(said) = self.said.try_recv() {
            match said {
                Said::Mark(mark) => self.hear(mark),
                Said::Topic(TopicId { topic, id }) if self.follows(&topic) => self.writer.topic(&topic, &id),
                // The journal knows those of all feeds.
                Said::Topic(_) => {}
                Said::Happened(happening) => self.happened(happening),
                Said::Anew(topic) => {
                    let of_topic = self.partitions.iter_mut().filter(|(partition, _)| partition.topic == topic);
                    of_topic.for_each(|(_, progress)| *progress = Progress::default());
                }
            }
        }
        // What is awaited may be no record: a transaction's marker, what compaction removed.
        if self.catch_up.as_ref().is_some_and(|catch_up| Instant::now() >= catch_up.until) {
            self.end_of_batch();
        }
        self.writer.flush();
    }

    fn readable(&mut self, state: Result<(), String>) {
        if let Err(reason) = state {
            tracing::warn!(reason, "the whole group can't be read");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::feed::{Batch, Session};
    use wire::{Author, Event, From};

    struct World {
        join: Join,
        said: mpsc::Sender<Said>,
        session: Session,
    }

    impl World {
        fn new() -> Self {
            let (writer, hub) = ::feed::hub(HubConfig::default());
            let (said, heard) = mpsc::channel();
            let (session, _) = Session::new(&hub, Arc::default(), From::Now);
            let join = Join::new(writer, heard, vec!["t".into()], Vec::new(), watch::Sender::default());
            Self { join, said, session }
        }

        fn read(&mut self, offsets: std::ops::Range<i64>) {
            for offset in offsets {
                self.join.record(&crate::record_at(offset));
            }
            self.join.end_of_batch();
        }

        fn mark(&mut self, instance: &str, first: i64, next: i64) {
            let by = Author { deployment: "d".into(), instance: instance.into(), incarnation: 1 };
            let (group, topic) = ("g".into(), "t".into());
            let mark = Mark { by, group, topic, topic_id: None, partition: 0, first, next, at: 5, replayed: false };
            self.said.send(Said::Mark(mark)).unwrap();
            self.join.turn();
        }

        fn told(&mut self) -> Vec<String> {
            let batch: Batch = self.session.take(usize::MAX);
            let tell = |event| match event {
                Event::Records(records) => {
                    let offsets: Vec<_> = records.records.iter().map(|record| record.offset.to_string()).collect();
                    format!("records {}", offsets.join(" "))
                }
                Event::Consumed(Consumed { first, last, instance, .. }) => format!("{instance} {first}..={last}"),
                Event::Flag(Flag { first, last, .. }) => format!("again {first}..={last}"),
                other => format!("{other:?}"),
            };
            crate::events_of(&batch).into_iter().map(tell).filter(|told| told != "records ").collect()
        }
    }

    #[test]
    fn a_mark_after_the_records_tells_who_consumed_them() {
        let mut world = World::new();
        world.read(10..13);
        world.mark("one", 10, 12);
        assert_eq!(world.told(), ["records 10 11 12", "one 10..=11"]);
    }

    #[test]
    fn a_mark_ahead_of_the_records_waits_for_them() {
        let mut world = World::new();
        world.mark("one", 8, 13);
        assert_eq!(world.told(), [""; 0]);
        world.read(10..12);
        assert_eq!(world.told(), ["records 10 11", "one 10..=11"]);
        world.read(12..14);
        assert_eq!(world.told(), ["records 12 13", "one 12..=12"]);
    }

    #[test]
    fn a_mark_that_the_records_have_reached_in_part_is_no_second_one() {
        let mut world = World::new();
        world.read(10..12);
        world.mark("one", 10, 14);
        world.read(12..14);
        assert_eq!(world.told(), ["records 10 11", "one 10..=11", "records 12 13", "one 12..=13"]);
    }

    #[test]
    fn what_was_there_before_is_shown_by_time_and_a_partition_in_its_own_order() {
        let mut world = World::new();
        for partition in 0..2 {
            world.join.begin(&Partition::new("t", partition), 0, 3);
        }
        // Where it begins.
        world.told();
        let times = [(0, [10, 40, 20]), (1, [15, 30, 60])];
        for (partition, at) in times {
            for (offset, at) in (0..).zip(at) {
                let timestamp = wire::Timestamp::Created(at);
                world.join.record(&RecordView { partition, timestamp, ..crate::record_at(offset) });
            }
            world.join.end_of_batch();
            if partition == 0 {
                world.mark("one", 0, 3);
                assert_eq!(world.told(), [""; 0], "the other partition is awaited");
            }
        }
        let batch = world.session.take(usize::MAX);
        let places = crate::events_of(&batch).into_iter().filter_map(|event| match event {
            Event::Records(records) => {
                Some(records.records.into_iter().map(|record| (record.partition, record.offset)))
            }
            _ => None,
        });
        assert_eq!(places.flatten().collect::<Vec<_>>(), [(0, 0), (1, 0), (1, 1), (0, 1), (0, 2), (1, 2)]);
    }

    #[test]
    fn what_is_awaited_and_never_comes_is_waited_for_so_long_only() {
        let mut world = World::new();
        world.join.begin(&Partition::new("t", 0), 0, 3);
        world.told();
        world.read(0..2);
        assert_eq!(world.told(), [""; 0]);
        world.join.catch_up.as_mut().unwrap().until = Instant::now();
        world.join.turn();
        assert_eq!(world.told(), ["records 0 1"]);
    }

    #[test]
    fn a_topic_made_anew_was_not_consumed_yet() {
        let mut world = World::new();
        world.read(10..12);
        world.mark("one", 10, 12);
        world.said.send(Said::Anew("t".into())).unwrap();
        world.join.turn();
        world.read(11..12);
        world.mark("two", 11, 12);
        assert_eq!(world.told(), ["records 10 11", "one 10..=11", "records 11", "two 11..=11"]);
    }

    #[test]
    fn a_rebalance_is_a_row_giving_back_and_history_are_none() {
        let mut world = World::new();
        let now = crate::now();
        for (at, kind) in [
            (now - 60_000, HappeningKind::Lost),
            (now, HappeningKind::Revoked),
            (now, HappeningKind::Assigned),
            (now, HappeningKind::Left),
        ] {
            let partitions = vec![wire::Owned { topic: "t".into(), partitions: vec![0], of: 1 }];
            let happening = Happening { at, member: "one".into(), kind, partitions, unowned: None, from: None };
            world.said.send(Said::Happened(happening)).unwrap();
        }
        world.join.turn();
        let told = world.told();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("Assigned") && told[1].contains("Left"), "{told:?}");
    }

    #[test]
    fn what_is_marked_twice_is_flagged() {
        let mut world = World::new();
        world.read(0..4);
        world.mark("one", 0, 4);
        world.mark("two", 2, 4);
        assert_eq!(world.told(), ["records 0 1 2 3", "one 0..=3", "again 2..=3", "two 2..=3"]);
    }

    #[test]
    fn marks_of_what_was_before_the_first_record_are_not_told() {
        let mut world = World::new();
        world.read(100..101);
        world.mark("one", 0, 100);
        assert_eq!(world.told(), ["records 100"]);
    }
}
