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
use wire::{ChangeKind, Consumed, Flag, Flags, Happening, HappeningKind, Mark, Millis, Position, RecordView, TopicId};

/// How long it goes on after the last tab left.
const LINGERS: Duration = Duration::from_secs(30);
/// How many records before the present end are read of a partition of which this instance has nothing.
const CONTEXT: i64 = 20;
/// How many records before this instance's own position are read, for tabs that come with an older cursor.
const OVERLAP: i64 = 100;
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
    used: Instant,
    _tail: Tail,
}

/// Somebody who uses it; until it is dropped it goes on.
pub(crate) struct Use {
    users: Arc<AtomicUsize>,
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
        let hub = match &mut *running {
            Some(running) => {
                running.used = Instant::now();
                Arc::clone(&running.hub)
            }
            None => {
                let (writer, hub) = ::feed::hub(HubConfig { ring_bytes: self.ring_bytes });
                let join = Join::new(writer, journal.listen(&self.group), self.topics.clone(), own);
                let tail = Tail::spawn(client, admin.clone(), self.topics.clone(), join)?;
                tracing::debug!(group = self.group, "the whole group is read");
                *running = Some(Running { hub: Arc::clone(&hub), used: Instant::now(), _tail: tail });
                hub
            }
        };
        self.users.fetch_add(1, Ordering::Relaxed);
        Ok((hub, Use { users: Arc::clone(&self.users) }))
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
    fn new(writer: Writer, said: mpsc::Receiver<Said>, topics: Vec<String>, own: Vec<Position>) -> Self {
        Self { writer, said, topics, own, since: crate::now(), partitions: HashMap::new() }
    }

    /// Whether the topic is one of the feed's: they may be patterns (librdkafka's `subscribe`).
    fn follows(&self, topic: &str) -> bool {
        self.topics.iter().any(|name| name == topic || name.starts_with('^'))
    }

    fn progress(&mut self, topic: &str, partition: i32) -> &mut Progress {
        self.partitions.entry(Partition::new(topic, partition)).or_default()
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
        let (topic, partition) = (partition.topic.clone(), partition.partition);
        self.writer.begin(&[Position { topic, partition, next: begin }]);
        self.writer.flush();
        begin
    }

    fn record(&mut self, record: &RecordView<'_>) {
        self.writer.push(record);
        let (offset, next) = (record.offset, record.offset + 1);
        let progress = self.progress(record.topic, record.partition);
        progress.read = Some((progress.read.map_or(offset, |(begin, _)| begin), next));
    }

    fn end_of_batch(&mut self) {
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
            Self { join: Join::new(writer, heard, vec!["t".into()], Vec::new()), said, session }
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
