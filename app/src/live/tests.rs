//! The parts together, against a server that is a log and a ring, and may send more than it was asked for: whatever breaks in
//! between, nothing is shown twice, and nothing is missing that no gap names. Against the real feed: `instances`.

mod instances;

use super::{
    machine::{Input, Machine, Output},
    query::Asked,
    window::{Arrival, Bounds, EntryKind, Window},
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use wire::{
    Count, Cursor, Event, Filter, Flags, From, Gap, Hello, Record, Records, Scope, Stats, Subscribe, Subscribed,
    Timestamp,
};

pub(super) fn record(topic: &str, partition: i32, offset: i64) -> Record {
    Record {
        seq: 0,
        topic: topic.into(),
        partition,
        offset,
        timestamp: Timestamp::None,
        received: 0,
        flags: Flags::FIRST,
        key: None,
        value: None,
        headers: vec![],
        headers_left_out: 0,
    }
}

const TOPIC: &str = "t";
const PARTITIONS: usize = 3;
/// So many records does the server's ring hold.
const RING: u64 = 12;

/// One instance's feed. What it consumed in this epoch is all kept here; what the ring would have evicted is not sent.
struct Server {
    epoch: u64,
    consumed: Vec<Record>,
    /// Per partition: the next offset to consume, and the highest ever consumed + 1.
    next: [i64; PARTITIONS],
    end: [i64; PARTITIONS],
    replays: [bool; PARTITIONS],
    /// The tab's session: the next append to send.
    session: Option<u64>,
    /// The one partition that the tab asked for.
    only: Option<i32>,
    sent: VecDeque<Event>,
}

impl Server {
    fn new() -> Self {
        Self {
            epoch: 1,
            consumed: vec![],
            next: [0; PARTITIONS],
            end: [0; PARTITIONS],
            replays: [false; PARTITIONS],
            session: None,
            only: None,
            sent: VecDeque::new(),
        }
    }

    fn seq(&self) -> u64 {
        self.consumed.len() as u64
    }

    fn tail(&self) -> u64 {
        self.seq().saturating_sub(RING)
    }

    fn consume(&mut self, partition: usize) {
        let offset = self.next[partition];
        let is_again = offset < self.end[partition];
        let flags = match (is_again, self.replays[partition]) {
            (false, _) => Flags::FIRST,
            (true, true) => Flags::REPLAYED,
            (true, false) => Flags::REDELIVERED,
        };
        let partition_number = i32::try_from(partition).expect("a few partitions");
        self.consumed.push(Record { seq: self.seq(), flags, ..record("t", partition_number, offset) });
        self.next[partition] += 1;
        self.end[partition] = self.end[partition].max(self.next[partition]);
    }

    /// Another process: an empty ring, and of each partition the last `again` records once more.
    fn restart(&mut self, again: i64) {
        self.epoch += 1;
        self.consumed.clear();
        self.session = None;
        self.sent.clear();
        self.replays = [false; PARTITIONS];
        self.next = self.end.map(|end| (end - again).max(0));
    }

    /// The tab was with another instance for a while, so that its epoch is another one; the ring is still here.
    fn return_to(&mut self) {
        self.epoch += 1;
        self.session = None;
        self.sent.clear();
    }

    fn replay(&mut self, partition: usize) {
        self.next[partition] = 0;
        self.replays[partition] = true;
    }

    fn is_asked_for(&self, partition: i32) -> bool {
        self.only.is_none_or(|only| only == partition)
    }

    fn subscribe(&mut self, cursor: &Cursor, filter: &Filter, is_sloppy: bool) {
        self.only = filter.partitions.first().copied();
        self.sent.push_back(Event::Hello(Hello {
            instance: format!("ottla-{}", self.epoch),
            incarnation: self.epoch,
            build: String::new(),
            feeds: vec![],
            now: 0,
        }));
        let resumed = cursor.epoch == self.epoch;
        self.sent.push_back(Event::Subscribed(Subscribed {
            feed: "default".into(),
            group: "g".into(),
            scope: Scope::Instance,
            epoch: self.epoch,
            seq: if resumed { cursor.seq } else { self.tail() },
            resumed,
        }));
        if resumed {
            let again = if is_sloppy { 3 } else { 0 };
            self.session = Some(cursor.seq.saturating_sub(again).max(cursor.seq.min(self.tail())));
            self.name_evicted();
        } else {
            self.resume_by_offsets(cursor, is_sloppy);
        }
        self.sent.push_back(Event::Stats(Stats::default()));
    }

    /// `is_sloppy`: more is sent than was asked for, and the tab must see for itself what it has.
    fn resume_by_offsets(&mut self, cursor: &Cursor, is_sloppy: bool) {
        let tail = self.tail();
        let ring: Vec<Record> = self.consumed[usize::try_from(tail).expect("small")..].to_vec();
        let mut positions = BTreeMap::new();
        for partition in 0..PARTITIONS {
            let number = i32::try_from(partition).expect("a few partitions");
            let next = cursor
                .positions
                .iter()
                .find(|position| position.partition == number)
                .map_or(0, |position| position.next);
            positions.insert(number, next);
            let held: BTreeSet<i64> =
                ring.iter().filter(|record| record.partition == number).map(|record| record.offset).collect();
            let end =
                self.consumed.iter().filter(|record| record.partition == number).map(|record| record.offset + 1).max();
            // Before the first record of this epoch, what former processes consumed.
            let end = end.unwrap_or(self.next[partition]).max(self.next[partition]);
            let mut from = end;
            while from > next && held.contains(&(from - 1)) {
                from -= 1;
            }
            if next < from && self.is_asked_for(number) {
                self.sent.push_back(Event::Gap(gap(number, next, from - 1, Count::UpTo((from - next).unsigned_abs()))));
                positions.insert(number, from);
            }
        }
        let is_new = |record: &Record| is_sloppy || record.offset >= positions[&record.partition];
        let wanted = ring.into_iter().filter(|record| self.is_asked_for(record.partition) && is_new(record));
        let records = wanted.collect();
        self.sent.push_back(Event::Records(Records { epoch: self.epoch, next: self.seq(), records }));
        self.session = Some(self.seq());
    }

    fn name_evicted(&mut self) {
        let Some(session) = &mut self.session else { return };
        let tail = (self.consumed.len() as u64).saturating_sub(RING);
        let mut gaps: BTreeMap<i32, Gap> = BTreeMap::new();
        for record in &self.consumed
            [usize::try_from(*session).expect("small")..usize::try_from(tail.max(*session)).expect("small")]
        {
            let gap = gaps
                .entry(record.partition)
                .or_insert_with(|| gap(record.partition, record.offset, record.offset, Count::Exact(0)));
            gap.first = gap.first.min(record.offset);
            gap.last = gap.last.max(record.offset);
            let Count::Exact(count) = &mut gap.count else { unreachable!("made exact above") };
            *count += 1;
        }
        *session = tail.max(*session);
        let gaps = gaps.into_values().filter(|gap| self.only.is_none_or(|only| only == gap.partition));
        self.sent.extend(gaps.map(Event::Gap));
    }

    fn send(&mut self, limit: u64) {
        self.name_evicted();
        let Some(session) = self.session else { return };
        let next = self.seq().min(session + limit);
        if next > session {
            let range = usize::try_from(session).expect("small")..usize::try_from(next).expect("small");
            let wanted = self.consumed[range].iter().filter(|record| self.is_asked_for(record.partition));
            let records = wanted.cloned().collect();
            self.sent.push_back(Event::Records(Records { epoch: self.epoch, next, records }));
            self.session = Some(next);
        }
    }
}

fn gap(partition: i32, first: i64, last: i64, count: Count) -> Gap {
    Gap { topic: TOPIC.into(), partition, first, last, count, now_with: None }
}

struct World {
    server: Server,
    machine: Machine,
    window: Window,
    now: Duration,
    is_held: bool,
    is_sloppy: bool,
    instance: Arc<str>,
    /// What was in the list at some time: by row, and the places.
    shown: BTreeMap<u64, (i32, i64, Flags)>,
    named: BTreeMap<u64, Gap>,
    /// Those of them that came while the server was asked with a filter, and go with it.
    filtered: BTreeSet<u64>,
    resumed: u64,
}

impl World {
    fn new(is_sloppy: bool) -> Self {
        let mut world = Self {
            server: Server::new(),
            machine: Machine::new(),
            window: Window::new(Bounds { rows: 16, bytes: usize::MAX }),
            now: Duration::ZERO,
            is_held: false,
            is_sloppy,
            instance: Arc::from("ottla"),
            shown: BTreeMap::new(),
            named: BTreeMap::new(),
            filtered: BTreeSet::new(),
            resumed: 0,
        };
        let start = Input::Start {
            feed: "default".into(),
            cursor: Cursor { epoch: 1, ..Cursor::default() },
            instance: "ottla-1".into(),
            scope: Scope::Instance,
        };
        world.input(start);
        world
    }

    fn input(&mut self, input: Input) {
        for output in self.machine.step(self.now, 0.5, input) {
            match output {
                Output::Connect => {
                    self.server.sent.clear();
                    self.input(Input::Opened);
                }
                Output::Send(wire::Command::Subscribe(Subscribe {
                    from: From::Recent { cursor, .. }, filter, ..
                })) => {
                    self.server.subscribe(&cursor, &filter, self.is_sloppy);
                }
                Output::Send(wire::Command::Ping(number)) => self.server.sent.push_back(Event::Pong(number)),
                Output::Send(wire::Command::Taken(_)) => {}
                Output::Send(command) => panic!("no reason for {command:?}"),
                // Nothing more is heard of it.
                Output::Close => {
                    self.server.sent.clear();
                    self.server.session = None;
                }
                Output::Resumed(_) => self.resumed += 1,
                Output::Take(event) => self.take(event),
            }
        }
    }

    fn take(&mut self, event: Event) {
        let instance = Arc::clone(&self.instance);
        let arrival = Arrival { instance: Some(&instance), at: self.now };
        match event {
            Event::Records(records) => {
                for record in records.records {
                    self.window.push_record(record, false, &arrival);
                }
            }
            Event::Gap(gap) => self.window.push_note(EntryKind::Gap(gap), &arrival),
            _ => {}
        }
        if !self.is_held {
            self.publish();
        }
    }

    fn deliver(&mut self, events: usize) {
        for _ in 0..events {
            let Some(event) = self.server.sent.pop_front() else { return };
            self.now += Duration::from_millis(1);
            self.input(Input::Event(event));
        }
    }

    fn disconnect(&mut self) {
        self.server.session = None;
        self.server.sent.clear();
        self.input(Input::Closed { code: 1006 });
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.input(Input::Tick);
    }

    fn publish(&mut self) {
        self.window.publish();
        // What the list would show without the filter.
        self.window.ask(Asked::default());
        for row in self.window.visible() {
            if row.filtered {
                self.filtered.insert(row.id());
            }
            match &row.kind {
                EntryKind::Record(record) => {
                    self.shown.insert(row.id(), (record.partition, record.offset, record.flags));
                }
                EntryKind::Gap(gap) => {
                    self.named.insert(row.id(), gap.clone());
                }
                _ => {}
            }
        }
    }

    fn filter(&mut self, is_on: bool) {
        let asked = Asked::new("", is_on.then(|| ("t".into(), 1))).unwrap();
        let filter = asked.filter().clone();
        self.window.ask(asked);
        self.window.filter_from_here(is_on);
        let is_left = |id: &u64| !self.filtered.contains(id);
        self.shown.retain(|id, _| is_left(id));
        self.named.retain(|id, _| is_left(id));
        self.input(Input::Filter { filter, anew: false });
    }

    fn settle(&mut self) {
        self.filter(false);
        self.is_held = false;
        for partition in 0..PARTITIONS {
            while self.server.next[partition] < self.server.end[partition] {
                self.server.consume(partition);
            }
        }
        for _ in 0..3 {
            self.input(Input::RetryNow);
            self.deliver(usize::MAX);
        }
        while self.server.session.is_some_and(|session| session < self.server.seq()) {
            self.server.send(5);
            self.deliver(usize::MAX);
        }
        self.publish();
    }
}

#[derive(Debug, Clone)]
enum Step {
    Consume { partition: usize, records: u8 },
    Send(u64),
    Deliver(usize),
    Disconnect,
    Restart { again: i64 },
    Return,
    Replay(usize),
    Wait(u64),
    Retry,
    Hold(bool),
    Filter(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..PARTITIONS, 1u8..8).prop_map(|(partition, records)| Step::Consume { partition, records }),
        6 => (1u64..6).prop_map(Step::Send),
        6 => (1usize..9).prop_map(Step::Deliver),
        2 => Just(Step::Disconnect),
        1 => (0i64..4).prop_map(|again| Step::Restart { again }),
        1 => Just(Step::Return),
        1 => (0..PARTITIONS).prop_map(Step::Replay),
        2 => (0u64..12_000).prop_map(Step::Wait),
        2 => Just(Step::Retry),
        2 => any::<bool>().prop_map(Step::Hold),
        1 => any::<bool>().prop_map(Step::Filter),
    ];
    prop::collection::vec(step, 0..120)
}

proptest! {
    #[test]
    fn nothing_is_shown_twice_and_nothing_is_missing_without_a_gap(steps in steps(), is_sloppy: bool) {
        let mut world = World::new(is_sloppy);
        let is_plain = !is_sloppy && !steps.iter().any(|step| matches!(step, Step::Restart { .. } | Step::Replay(_)));
        for step in steps {
            match step {
                Step::Consume { partition, records } => (0..records).for_each(|_| world.server.consume(partition)),
                Step::Send(limit) => world.server.send(limit),
                Step::Deliver(events) => world.deliver(events),
                Step::Disconnect => world.disconnect(),
                Step::Restart { again } => {
                    world.server.restart(again);
                    world.input(Input::Closed { code: 1006 });
                }
                Step::Return => {
                    world.server.return_to();
                    world.input(Input::Closed { code: 1006 });
                }
                Step::Replay(partition) => world.server.replay(partition),
                Step::Wait(milliseconds) => world.wait(Duration::from_millis(milliseconds)),
                Step::Retry => world.input(Input::RetryNow),
                Step::Hold(is_held) => {
                    world.is_held = is_held;
                    if !is_held {
                        world.publish();
                    }
                }
                Step::Filter(is_on) => world.filter(is_on),
            }
        }
        world.settle();

        let mut seen = BTreeSet::new();
        for &(partition, offset, flags) in world.shown.values() {
            if flags == Flags::FIRST {
                prop_assert!(seen.insert((partition, offset)), "t[{partition}]@{offset} is shown twice");
            }
        }
        let seen: BTreeSet<_> = world.shown.values().map(|&(partition, offset, _)| (partition, offset)).collect();
        for partition in 0..PARTITIONS {
            let number = i32::try_from(partition).expect("a few partitions");
            for offset in 0..world.server.end[partition] {
                let is_named = world.named.values().any(|gap| gap.partition == number && (gap.first..=gap.last).contains(&offset));
                prop_assert!(seen.contains(&(number, offset)) || is_named, "t[{number}]@{offset} is missing");
            }
        }
        // Offsets repeat in a replay, and who sends too much may name too much. Else what was named was not shown, and was
        // named once.
        if is_plain {
            let mut named = BTreeSet::new();
            for gap in world.named.values() {
                for offset in gap.first..=gap.last {
                    prop_assert!(!seen.contains(&(gap.partition, offset)), "t[{}]@{offset} is shown and named", gap.partition);
                    prop_assert!(named.insert((gap.partition, offset)), "t[{}]@{offset} is named twice", gap.partition);
                }
            }
        }
        prop_assert!(world.named.values().all(|gap| gap.last < world.server.end[usize::try_from(gap.partition).expect("from 0")]));
    }
}

#[test]
fn a_quiet_life_has_no_gaps_and_says_that_it_resumed() {
    let mut world = World::new(false);
    for _ in 0..4 {
        world.server.consume(0);
        world.server.send(9);
        world.deliver(usize::MAX);
        world.disconnect();
        world.server.consume(1);
        world.settle();
    }
    assert_eq!((world.shown.len(), world.named.len(), world.resumed), (8, 0, 4));
}
