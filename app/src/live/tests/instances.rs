//! The whole way but for Kafka and the socket: two instances' real hubs and sessions, and the tab's machine and window. Partitions move,
//! instances restart with another epoch, rings evict, connections break with messages on their way, the tab is hidden, filtered,
//! held, led to the other instance, and has gaps loaded. Nothing is shown twice, and whatever the tab was owed is shown or named.

use super::{
    super::{
        machine::{Input, Machine, Output},
        query::Asked,
        window::{Arrival, Bounds, Entry, EntryKind, Window},
    },
    TOPIC, gap, record,
};
use feed::{Hub, HubConfig, Session, Sieve, Writer, hub};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use wire::{
    Bye, ByeReason, ChangeKind, Command, Count, Data, DataView, Event, Flags, From, Gap, GapPart, Hello,
    MAX_EVENT_MESSAGE, Owned, Position, Record, RecordView, Scope, Sieved, Sought, Stats, Subscribe, Subscribed,
    Timestamp, codec,
};

const PARTITIONS: usize = 3;
const INSTANCES: usize = 2;
/// Room for a few segments of large records, so that most runs evict.
const RING_BYTES: usize = 24 * 1024;
/// How many records a tab that comes back is sent at most. (The page asks for ten thousand.)
const MOST: u32 = 30;
/// How many offsets of a gap are loaded at a time.
const PART: i64 = 7;

type At = (usize, i64);

fn number(partition: usize) -> i32 {
    i32::try_from(partition).expect("a few partitions")
}

fn ordinal(partition: i32) -> usize {
    usize::try_from(partition).expect("from 0")
}

fn position(partition: usize, next: i64) -> Position {
    Position { topic: TOPIC.into(), partition: number(partition), next }
}

fn owned(partition: usize) -> Vec<Owned> {
    vec![Owned { topic: TOPIC.into(), partitions: vec![number(partition)], of: PARTITIONS as u32 }]
}

/// A record's key says whether its offset is even.
fn key(offset: i64) -> &'static str {
    if offset % 2 == 0 { "even" } else { "odd" }
}

/// One life of an instance's feed.
struct Life {
    writer: Writer,
    hub: Arc<Hub>,
    consumed: Vec<At>,
    /// Where each partition began here.
    begun: [Option<i64>; PARTITIONS],
    /// Where each goes on, as far as is known here.
    ends: [i64; PARTITIONS],
}

impl Life {
    fn new() -> Self {
        let (mut writer, hub) = hub(HubConfig { ring_bytes: RING_BYTES });
        writer.topic(TOPIC, "an id");
        writer.flush();
        Self { writer, hub, consumed: vec![], begun: [None; PARTITIONS], ends: [0; PARTITIONS] }
    }

    fn assigned(&mut self, partition: usize, next: i64) {
        self.begun[partition].get_or_insert(next);
        self.ends[partition] = self.ends[partition].max(next);
        self.writer.begin(&[position(partition, next)]);
        self.writer.change(0, ChangeKind::Assigned(owned(partition)));
        self.writer.flush();
    }

    fn revoked(&mut self, partition: usize) {
        self.writer.change(0, ChangeKind::Revoked(owned(partition)));
        self.writer.flush();
    }
}

/// The group: who owns which partition, and how far each is consumed.
struct Group {
    lives: [Life; INSTANCES],
    owner: [usize; PARTITIONS],
    next: [i64; PARTITIONS],
    end: [i64; PARTITIONS],
    replays: [bool; PARTITIONS],
    /// Whether something came, or is to come, a second time.
    went_back: bool,
}

impl Group {
    fn new() -> Self {
        let mut group = Self {
            lives: [Life::new(), Life::new()],
            owner: [0; PARTITIONS],
            next: [0; PARTITIONS],
            end: [0; PARTITIONS],
            replays: [false; PARTITIONS],
            went_back: false,
        };
        for partition in 0..PARTITIONS {
            group.lives[0].assigned(partition, 0);
        }
        group
    }

    fn consume(&mut self, partition: usize, size: usize) {
        let (offset, owner) = (self.next[partition], self.owner[partition]);
        let flags = match (offset < self.end[partition], self.replays[partition]) {
            (false, _) => Flags::FIRST,
            (true, true) => Flags::REPLAYED,
            (true, false) => Flags::REDELIVERED,
        };
        let value = vec![b'x'; size];
        let life = &mut self.lives[owner];
        life.writer.push(&RecordView {
            seq: 0,
            topic: TOPIC,
            partition: number(partition),
            offset,
            timestamp: Timestamp::None,
            received: 0,
            flags,
            key: Some(DataView::cut(key(offset).as_bytes(), 9)),
            value: Some(DataView::cut(&value, size)),
            headers: &[],
            headers_left_out: 0,
        });
        life.writer.flush();
        life.consumed.push((partition, offset));
        life.ends[partition] = life.ends[partition].max(offset + 1);
        self.next[partition] = offset + 1;
        self.end[partition] = self.end[partition].max(offset + 1);
    }

    /// The partition goes to the other instance, which consumes the last `again` records once more.
    fn transfer(&mut self, partition: usize, again: i64) {
        let from = self.owner[partition];
        self.owner[partition] = 1 - from;
        self.went_back |= again > 0;
        self.next[partition] = (self.next[partition] - again).max(0);
        self.replays[partition] = false;
        self.lives[from].revoked(partition);
        self.lives[1 - from].assigned(partition, self.next[partition]);
    }

    fn restart(&mut self, instance: usize, again: i64) {
        self.lives[instance] = Life::new();
        self.went_back |= again > 0;
        for partition in (0..PARTITIONS).filter(|partition| self.owner[*partition] == instance) {
            self.next[partition] = (self.next[partition] - again).max(0);
            self.replays[partition] = false;
            self.lives[instance].assigned(partition, self.next[partition]);
        }
    }

    fn replay(&mut self, partition: usize) {
        self.went_back = true;
        let from = std::mem::replace(&mut self.next[partition], 0);
        self.replays[partition] = true;
        let sought = Sought { topic: TOPIC.into(), partition: number(partition), from, to: 0 };
        let writer = &mut self.lives[self.owner[partition]].writer;
        writer.change(0, ChangeKind::Sought(sought));
        writer.flush();
    }
}

/// What is on the other end of the tab's socket.
struct Connection {
    instance: usize,
    session: Session,
    is_paused: bool,
}

struct World {
    group: Group,
    /// Whom the tab reaches when it connects.
    reaches: usize,
    connection: Option<Connection>,
    sent: VecDeque<Event>,
    machine: Machine,
    window: Window,
    now: Duration,
    filter: usize,
    is_held: bool,
    is_hidden: bool,
    /// What the tab must have seen, or read the name of, in the end: by the connections that it had, each with its epoch.
    owed: Vec<(u64, BTreeSet<At>)>,
    /// How many they were when the first filter began: when it ends, the tab goes on from there.
    unfiltered: Option<usize>,
    /// By the rows' ids.
    shown: BTreeMap<u64, (usize, i64, Flags)>,
    named: BTreeMap<u64, Gap>,
    filtered: BTreeSet<u64>,
    /// What was shown though the filter does not want it.
    unwanted: Vec<At>,
}

/// What can be in the filter box and beside it.
const FILTERS: [(&str, Option<usize>); 5] =
    [("", None), ("", Some(1)), ("key:even", None), ("-key=even", Some(2)), ("where:key == 'even'", None)];

fn is_wanted(filter: usize, (partition, offset): At) -> bool {
    let (text, only) = FILTERS[filter];
    let of_text = match text {
        "" => true,
        "-key=even" => key(offset) != "even",
        _ => key(offset) == "even",
    };
    of_text && only.is_none_or(|only| only == partition)
}

impl World {
    fn new() -> Self {
        let group = Group::new();
        let (_, cursor) = group.lives[0].hub.newest(100);
        let mut world = Self {
            group,
            reaches: 0,
            connection: None,
            sent: VecDeque::new(),
            machine: Machine::new(),
            window: Window::new(Bounds { rows: 16, bytes: usize::MAX }),
            now: Duration::ZERO,
            filter: 0,
            is_held: false,
            is_hidden: false,
            owed: vec![],
            unfiltered: None,
            shown: BTreeMap::new(),
            named: BTreeMap::new(),
            filtered: BTreeSet::new(),
            unwanted: vec![],
        };
        let (feed, instance) = ("default".into(), "ottla-0".into());
        world.input(Input::Start { feed, cursor, instance, scope: Scope::Instance });
        world
    }

    fn input(&mut self, input: Input) {
        for output in self.machine.step(self.now, 0.5, input) {
            match output {
                Output::Connect => {
                    self.hang_up();
                    self.input(Input::Opened);
                }
                Output::Send(Command::Subscribe(subscribe)) => self.subscribe(subscribe),
                Output::Send(Command::Ping(number)) => self.sent.push_back(Event::Pong(number)),
                Output::Send(Command::Pause) => {
                    if let Some(connection) = &mut self.connection {
                        connection.is_paused = true;
                    }
                }
                Output::Send(Command::Taken(_)) => {}
                Output::Send(command @ Command::Resume) => panic!("no reason for {command:?}"),
                Output::Close => self.hang_up(),
                Output::Resumed(_) => {}
                Output::Take(event) => self.take(event),
            }
        }
    }

    fn hang_up(&mut self) {
        self.sent.clear();
        self.connection = None;
    }

    /// As `engine`'s tab does.
    fn subscribe(&mut self, Subscribe { filter, from, .. }: Subscribe) {
        let instance = self.connection.as_ref().map_or(self.reaches, |connection| connection.instance);
        let from = match from {
            From::Recent { cursor, most } => From::Recent { cursor, most: most.min(MOST) },
            From::Newest(most) => From::Newest(most.min(MOST)),
            other => other,
        };
        let Group { lives, owner, end: ends, .. } = &self.group;
        let life = &lives[instance];
        let cursor = if let From::Recent { cursor, .. } = &from { Some(cursor.clone()) } else { None };
        let (mut session, mut start) = Session::new(&life.hub, Sieve::of(&filter).unwrap(), from);
        if !start.resumed {
            let elsewhere = |_: &str, partition| {
                let partition = ordinal(partition);
                (owner[partition] != instance).then(|| (format!("ottla-{}", owner[partition]), ends[partition]))
            };
            start.gaps.extend(session.elsewhere(elsewhere));
        }
        if filter.is_empty()
            && let Some(unfiltered) = self.unfiltered.take()
        {
            self.owed.truncate(unfiltered);
        }
        // The tab goes on in an epoch in which it was before: of those between the two it took nothing.
        if start.resumed {
            let last = self.owed.iter().rposition(|(epoch, _)| *epoch == start.epoch);
            self.owed.truncate(last.map_or(0, |last| last + 1));
            self.unfiltered = self.unfiltered.map(|unfiltered| unfiltered.min(self.owed.len()));
        }
        let mut all = BTreeSet::new();
        // What this instance has beyond the tab's position, what lies between the two, and what lies beyond with another one.
        for Position { partition, next: at, .. } in cursor.into_iter().flat_map(|cursor| cursor.positions) {
            let partition = ordinal(partition);
            let here = life.consumed.iter().filter(|(of, _)| *of == partition).map(|(_, offset)| *offset);
            let before = at..life.begun[partition].unwrap_or(at);
            let end = at.max(life.ends[partition]);
            // A known weakness: what another instance consumed between two times that this one had the partition, and what the
            // tab lost on its way from there, is named by nobody here.
            let held: BTreeSet<_> = here.clone().collect();
            let begun = life.begun[partition].unwrap_or(end);
            let is_between = |offset: i64| {
                (at.max(begun)..end).contains(&offset) && !held.contains(&offset) && held.range(at..).next().is_some()
            };
            for (_, owed) in &mut self.owed {
                owed.retain(|(of, offset)| *of != partition || !is_between(*offset));
            }
            let elsewhere = end..if start.resumed || owner[partition] == instance { end } else { ends[partition] };
            let owed = before.chain(here.filter(|offset| *offset >= at)).chain(elsewhere);
            all.extend(owed.map(|offset| (partition, offset)));
        }
        self.owed.push((start.epoch, all));
        if self.connection.is_none() {
            let (feeds, build) = (vec![], String::new());
            let name = format!("ottla-{instance}");
            self.sent.push_back(Event::Hello(Hello { instance: name, incarnation: 1, build, feeds, now: 0 }));
        }
        self.sent.push_back(Event::Subscribed(Subscribed {
            feed: "default".into(),
            group: "g".into(),
            scope: Scope::Instance,
            epoch: start.epoch,
            seq: start.seq,
            resumed: start.resumed,
        }));
        self.sent.push_back(Event::Topics(start.topics));
        self.sent.push_back(Event::Positions(start.positions));
        self.sent.extend(start.gaps.into_iter().map(Event::Gap));
        self.sent.push_back(Event::Stats(Stats::default()));
        self.connection = Some(Connection { instance, session, is_paused: false });
    }

    /// The server writes one message of so many bytes.
    fn send(&mut self, bytes: usize) {
        let Some(Connection { session, is_paused: false, .. }) = &mut self.connection else { return };
        let message = session.take(bytes).postcard().to_vec();
        self.sent.extend(codec::decode_events(&message).unwrap());
    }

    fn deliver(&mut self, events: usize) {
        for _ in 0..events {
            let Some(event) = self.sent.pop_front() else { return };
            self.now += Duration::from_millis(1);
            self.input(Input::Event(event));
        }
    }

    fn take(&mut self, event: Event) {
        let instance = Arc::from("ottla");
        let arrival = Arrival { instance: Some(&instance), at: self.now };
        match event {
            Event::Records(records) => {
                records.records.into_iter().for_each(|record| self.window.push_record(record, false, &arrival));
            }
            Event::Gap(gap) => self.window.push_note(EntryKind::Gap(gap), &arrival),
            _ => {}
        }
        self.publish();
    }

    fn publish(&mut self) {
        if self.is_held || self.is_hidden {
            return;
        }
        self.window.publish();
        self.look();
    }

    fn asked(&self) -> Asked {
        let (text, only) = FILTERS[self.filter];
        Asked::new(text, only.map(|partition| (TOPIC.into(), number(partition)))).unwrap()
    }

    /// Takes note of what the list shows, and of what it would show without the filter.
    fn look(&mut self) {
        let records = |rows: &[Arc<Entry>]| rows.iter().filter_map(|row| row.record().cloned()).collect::<Vec<_>>();
        for record in records(&self.window.visible()) {
            let at = (ordinal(record.partition), record.offset);
            if !is_wanted(self.filter, at) {
                self.unwanted.push(at);
            }
        }
        self.window.ask(Asked::default());
        for row in self.window.visible() {
            if row.filtered {
                self.filtered.insert(row.id());
            }
            match &row.kind {
                EntryKind::Record(record) => {
                    self.shown.insert(row.id(), (ordinal(record.partition), record.offset, record.flags));
                }
                EntryKind::Gap(gap) => {
                    self.named.insert(row.id(), gap.clone());
                }
                _ => {}
            }
        }
        self.window.ask(self.asked());
    }

    fn filter(&mut self, filter: usize) {
        if self.filter == filter {
            return;
        }
        if self.filter == 0 {
            // Unless there was no connection since the last filter ended.
            self.unfiltered.get_or_insert(self.owed.len());
        }
        self.filter = filter;
        let asked = self.asked();
        let (filter, anew) = (asked.filter().clone(), asked.is_for_the_server());
        self.window.ask(asked);
        self.window.filter_from_here(!filter.is_empty());
        // What came with the filter went with it.
        self.shown.retain(|id, _| !self.filtered.contains(id));
        self.named.retain(|id, _| !self.filtered.contains(id));
        self.input(Input::Filter { filter, anew });
        self.publish();
    }

    /// Loads the end of the newest gap that the list shows.
    fn load(&mut self) {
        let is_gap = |row: &Arc<Entry>| {
            if let EntryKind::Gap(gap) = &row.kind { Some((Arc::clone(row), gap.clone())) } else { None }
        };
        let Some((row, gap)) = self.window.visible().iter().find_map(is_gap) else { return };
        let (partition, from) = (ordinal(gap.partition), gap.first.max(gap.last + 1 - PART));
        let all = from..=gap.last;
        let wanted = all.clone().filter(|offset| is_wanted(self.filter, (partition, *offset)));
        let read = |offset| Record {
            flags: Flags::LOADED,
            key: Some(Data::whole(key(offset))),
            ..record(TOPIC, gap.partition, offset)
        };
        let records: Vec<_> = wanted.map(read).collect();
        let sieved = Sieved { looked: all.count() as u64, matched: records.len() as u64, failed: 0 };
        self.window.fill_gap(row.id(), GapPart { from, sieved, records, log_start: 0 });
        // A gap from before the filter comes back after it.
        if row.filtered || self.filter == 0 {
            self.named.remove(&row.id());
        }
        self.look();
    }

    fn consume(&mut self, partition: usize, size: usize) {
        let offset = self.group.next[partition];
        // Offsets can't tell another instance which of a replay the tab has had; what comes again was owed when it came first.
        let is_first = offset == self.group.end[partition];
        self.group.consume(partition, size);
        let owner = self.group.owner[partition];
        if is_first
            && self.connection.as_ref().is_some_and(|connection| connection.instance == owner)
            && let Some((_, owed)) = self.owed.last_mut()
        {
            owed.insert((partition, offset));
        }
    }

    /// The instance ends, and begins anew; it tells the tab where to go on, or is killed.
    fn restart(&mut self, instance: usize, again: i64, is_clean: bool) {
        if self.connection.as_ref().is_some_and(|connection| connection.instance == instance)
            && let Some(Connection { session, .. }) = self.connection.take()
        {
            if is_clean {
                // A known weakness: after a redelivery the session's positions say more than was sent.
                let cursor = (!self.group.went_back).then(|| session.cursor());
                self.sent.push_back(Event::Bye(Bye { reason: ByeReason::Stopping, cursor }));
                self.deliver(usize::MAX);
            } else {
                self.lose();
            }
        }
        self.group.restart(instance, if is_clean { 0 } else { again });
    }

    fn lose(&mut self) {
        self.hang_up();
        self.input(Input::Closed { code: 1006 });
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.input(Input::Tick);
    }

    fn show(&mut self, is_hidden: bool) {
        self.is_hidden = is_hidden;
        self.input(if is_hidden { Input::Hidden } else { Input::Visible });
        self.publish();
    }

    fn settle(&mut self) {
        self.is_held = false;
        self.show(false);
        self.filter(0);
        // What is to come again comes again; the tab is told of what went on elsewhere when it connects.
        for partition in 0..PARTITIONS {
            while self.group.next[partition] < self.group.end[partition] {
                self.consume(partition, 20);
            }
        }
        self.input(Input::RetryNow);
        self.deliver(usize::MAX);
        assert!(self.connection.as_ref().is_none_or(|connection| !connection.is_paused), "paused, and looked at");
        self.lose();
        for _ in 0..3 {
            self.input(Input::RetryNow);
            self.deliver(usize::MAX);
        }
        // A filter passes over much in one take, and says nothing.
        for _ in 0..200 {
            self.send(MAX_EVENT_MESSAGE);
            self.deliver(usize::MAX);
        }
        self.publish();
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Consume { partition, records, size } => (0..records).for_each(|_| self.consume(partition, size)),
            Step::Send(bytes) => self.send(bytes),
            Step::Deliver(events) => self.deliver(events),
            Step::Lose => self.lose(),
            Step::Reach(instance) => self.reaches = instance,
            Step::Transfer { partition, again } => self.group.transfer(partition, again),
            Step::Restart { instance, again, is_clean } => self.restart(instance, again, is_clean),
            Step::Replay(partition) => self.group.replay(partition),
            Step::Wait(milliseconds) => self.wait(Duration::from_millis(milliseconds)),
            Step::Retry => self.input(Input::RetryNow),
            Step::Hide(is_hidden) => self.show(is_hidden),
            Step::Hold(is_held) => {
                self.is_held = is_held;
                self.publish();
            }
            Step::Filter(filter) => self.filter(filter),
            Step::Load => self.load(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Consume { partition: usize, records: u8, size: usize },
    Send(usize),
    Deliver(usize),
    Lose,
    Reach(usize),
    Transfer { partition: usize, again: i64 },
    Restart { instance: usize, again: i64, is_clean: bool },
    Replay(usize),
    Wait(u64),
    Retry,
    Hide(bool),
    Hold(bool),
    Filter(usize),
    Load,
}

impl Step {
    fn without_going_back(self) -> Self {
        match self {
            Self::Transfer { partition, .. } => Self::Transfer { partition, again: 0 },
            Self::Restart { instance, is_clean, .. } => Self::Restart { instance, again: 0, is_clean },
            Self::Replay(_) => Self::Retry,
            other => other,
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let partition = 0..PARTITIONS;
    let size = prop_oneof![3 => Just(20usize), 2 => Just(3_000), 1 => Just(20_000)];
    let bytes = prop_oneof![1 => 100..2_000usize, 1 => Just(MAX_EVENT_MESSAGE)];
    let step = prop_oneof![
        10 => (partition.clone(), 1u8..12, size).prop_map(|(partition, records, size)| Step::Consume { partition, records, size }),
        10 => bytes.prop_map(Step::Send),
        10 => (1usize..9).prop_map(Step::Deliver),
        2 => Just(Step::Lose),
        2 => (0..INSTANCES).prop_map(Step::Reach),
        2 => (partition.clone(), 0i64..3).prop_map(|(partition, again)| Step::Transfer { partition, again }),
        1 => (0..INSTANCES, 0i64..4, any::<bool>()).prop_map(|(instance, again, is_clean)| Step::Restart { instance, again, is_clean }),
        1 => partition.prop_map(Step::Replay),
        3 => (0u64..12_000).prop_map(Step::Wait),
        3 => Just(Step::Retry),
        2 => any::<bool>().prop_map(Step::Hide),
        2 => any::<bool>().prop_map(Step::Hold),
        2 => (0..FILTERS.len()).prop_map(Step::Filter),
        2 => Just(Step::Load),
    ];
    prop::collection::vec(step, 0..150)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn across_instances_nothing_is_shown_twice_and_all_that_is_owed_is_shown_or_named(steps in steps(), goes_back: bool) {
        let mut world = World::new();
        for step in steps {
            world.step(if goes_back { step } else { step.without_going_back() });
        }
        world.settle();

        prop_assert!(world.unwanted.is_empty(), "shown against the filter: {:?}", world.unwanted);
        let mut first = BTreeSet::new();
        for &(partition, offset, flags) in world.shown.values() {
            if flags == Flags::FIRST {
                prop_assert!(first.insert((partition, offset)), "{TOPIC}[{partition}]@{offset} is shown twice");
            }
        }
        let seen: BTreeSet<_> = world.shown.values().map(|&(partition, offset, _)| (partition, offset)).collect();
        let is_named = |(partition, offset): At| {
            world.named.values().any(|gap| ordinal(gap.partition) == partition && (gap.first..=gap.last).contains(&offset))
        };
        // What comes a second time may come elsewhere, and is not owed there; nobody remembers then that it was owed the first time.
        for &at in world.owed.iter().flat_map(|(_, owed)| owed).filter(|_| !goes_back) {
            prop_assert!(seen.contains(&at) || is_named(at), "{TOPIC}[{}]@{} is missing", at.0, at.1);
        }
        prop_assert!(world.named.values().all(|gap| gap.last < world.group.end[ordinal(gap.partition)]));
    }
}

/// The property would hold for a tab that is owed nothing.
#[test]
fn a_tab_that_goes_from_one_instance_to_the_other_has_seen_what_both_consumed() {
    let mut world = World::new();
    let consume = |partition, size| Step::Consume { partition, records: 4, size };
    let follow = [Step::Send(MAX_EVENT_MESSAGE), Step::Deliver(99)];
    let steps = [
        [Step::Deliver(99), consume(0, 20)],
        follow,
        [Step::Transfer { partition: 0, again: 1 }, consume(0, 20_000)],
        [consume(0, 20_000), Step::Reach(1)],
        [Step::Lose, Step::Retry],
        follow,
    ];
    steps.into_iter().flatten().for_each(|step| world.step(step));
    world.settle();
    let owed: BTreeSet<_> = world.owed.into_iter().flat_map(|(_, owed)| owed).collect();
    assert_eq!(owed, (0..11).map(|offset| (0, offset)).collect());
    let mut shown: Vec<_> = world.shown.values().map(|(_, offset, flags)| (*offset, *flags)).collect();
    shown.sort_unstable_by_key(|(offset, flags)| (*offset, flags.0));
    let first = |offsets: std::ops::Range<i64>| offsets.map(|offset| (offset, Flags::FIRST)).collect::<Vec<_>>();
    let named: Vec<_> = world.named.into_values().collect();
    // Of 160 kB the ring keeps the newest segment.
    let from = shown.iter().map(|(offset, _)| *offset).find(|offset| *offset > 3).unwrap();
    assert!(from > 4, "the ring evicted something");
    assert_eq!(shown, [first(0..4), first(from..11)].concat());
    assert_eq!(named, [gap(0, 4, from - 1, Count::UpTo((from - 4).unsigned_abs()))]);
}
