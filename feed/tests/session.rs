//! Sessions against a model: whatever the order of appends, evictions, starts, takes and reconnects, each reader gets each
//! record once, in order, or a gap that names exactly what is missing.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use feed::{Hub, HubConfig, Session, Sieve, Writer, hub};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use wire::{
    ChangeKind, Count, Cursor, DataView, Event, Filter, Flags, From, Gap, MAX_EVENT_MESSAGE, Owned, RecordView,
    Timestamp, codec,
};

const HUBS: usize = 2;
const READERS: usize = 3;
const PARTITIONS: [(&str, i32); 4] = [("orders", 0), ("orders", 1), ("payments", 0), ("payments", 7)];
/// Room for a few segments, so that most runs evict.
const RING_BYTES: usize = 24 * 1024;

#[derive(Debug, Clone)]
enum Step {
    Append { hub: usize, partition: usize, jump: i64, size: usize },
    Burst { hub: usize, partition: usize, count: usize },
    Change { hub: usize },
    Flush { hub: usize },
    Start { reader: usize, hub: usize, from: Start, filter: usize },
    Take { reader: usize, limit: usize },
    Reconnect { reader: usize, hub: usize, only_seq: bool },
}

#[derive(Debug, Clone, Copy)]
enum Start {
    Now,
    Newest(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let hub = 0..HUBS;
    let reader = 0..READERS;
    let partition = 0..PARTITIONS.len();
    let jump = prop_oneof![12 => Just(0i64), 2 => 1..5i64, 1 => -8..0i64];
    let size = prop_oneof![8 => 0..300usize, 2 => 2000..9000usize, 1 => 20_000..200_000usize];
    let limit = prop_oneof![1 => 0..200usize, 3 => 200..4000usize, 3 => Just(MAX_EVENT_MESSAGE)];
    let from = prop_oneof![Just(Start::Now), (0..60u32).prop_map(Start::Newest)];
    prop_oneof![
        12 => (hub.clone(), partition.clone(), jump, size)
            .prop_map(|(hub, partition, jump, size)| Step::Append { hub, partition, jump, size }),
        4 => (hub.clone(), partition, 1..60usize).prop_map(|(hub, partition, count)| Step::Burst { hub, partition, count }),
        2 => hub.clone().prop_map(|hub| Step::Change { hub }),
        6 => hub.clone().prop_map(|hub| Step::Flush { hub }),
        2 => (reader.clone(), hub.clone(), from, 0..FILTERS)
            .prop_map(|(reader, hub, from, filter)| Step::Start { reader, hub, from, filter }),
        8 => (reader.clone(), limit).prop_map(|(reader, limit)| Step::Take { reader, limit }),
        3 => (reader, hub, any::<bool>())
            .prop_map(|(reader, hub, only_seq)| Step::Reconnect { reader, hub, only_seq }),
    ]
}

const FILTERS: usize = 11;

/// No filter is the most frequent.
fn filter(number: usize) -> Filter {
    let text = |text: &str| Filter { text: text.into(), ..Filter::default() };
    match number {
        3 => Filter { topic: "orders".into(), partitions: vec![1, 7], ..Filter::default() },
        4 => text("VEN"),
        5 => text("key=even"),
        6 => text("-key:odd"),
        7 => text("where:key == 'even'"),
        // It fails on the odd ones, for they have no such text to be a number.
        8 => text("where:key == 'even' || int(key) > 0"),
        9 => text("-topic=payments -partition:0"),
        10 => Filter { partitions: vec![1, 7], ..text("topic:orders key:even") },
        _ => Filter::default(),
    }
}

/// Whether the filter wants some of a partition, as far as that is known without looking into the records.
fn wants_partition(filter: &Filter, partition: usize) -> bool {
    let (topic, number) = PARTITIONS[partition];
    let of_text = match filter.text.as_str() {
        "-topic=payments -partition:0" => topic != "payments" && number != 0,
        "topic:orders key:even" => topic == "orders",
        _ => true,
    };
    (filter.topic.is_empty() || filter.topic == topic)
        && (filter.partitions.is_empty() || filter.partitions.contains(&number))
        && of_text
}

/// One append, as the model remembers it.
#[derive(Debug, Clone)]
struct Append {
    seq: u64,
    /// None: a change.
    record: Option<(usize, i64, usize)>,
}

struct ModelHub {
    writer: Writer,
    hub: Arc<Hub>,
    log: Vec<Append>,
    flushed: u64,
    next: [i64; PARTITIONS.len()],
    /// Whether some partition's offsets went back.
    went_back: bool,
}

impl ModelHub {
    /// A hub whose offsets begin at `first`.
    fn new(first: i64) -> Self {
        let (writer, hub) = hub(HubConfig { ring_bytes: RING_BYTES });
        Self { writer, hub, log: Vec::new(), flushed: 1, next: [first; PARTITIONS.len()], went_back: false }
    }

    fn next_seq(&self) -> u64 {
        1 + self.log.len() as u64
    }

    fn append(&mut self, partition: usize, jump: i64, size: usize) {
        let offset = (self.next[partition] + jump).max(0);
        self.went_back |= offset < self.next[partition];
        self.next[partition] = offset + 1;
        let seq = self.next_seq();
        self.log.push(Append { seq, record: Some((partition, offset, size)) });
        let value = vec![b'x'; size];
        let (topic, number) = PARTITIONS[partition];
        self.writer.push(&RecordView {
            seq: 0,
            topic,
            partition: number,
            offset,
            timestamp: Timestamp::None,
            received: 0,
            flags: Flags::FIRST,
            key: Some(DataView::cut(parity(offset).as_bytes(), 9)),
            value: Some(DataView::cut(&value, size)),
            headers: &[],
            headers_left_out: 0,
        });
    }

    fn change(&mut self) {
        self.log.push(Append { seq: self.next_seq(), record: None });
        let owned = Owned { topic: "orders".into(), partitions: vec![0], of: 2 };
        self.writer.change(7, ChangeKind::Assigned(vec![owned]));
    }

    fn flush(&mut self) {
        self.writer.flush();
        self.flushed = self.next_seq();
    }

    /// The seqs of the records that are in the ring.
    fn ring(&self) -> Vec<u64> {
        let (records, cursor) = self.hub.newest(usize::MAX);
        assert!(records.iter().map(|record| record.seq).is_sorted());
        assert!(cursor.seq >= self.flushed && cursor.seq <= self.next_seq());
        records.iter().map(|record| record.seq).collect()
    }

    /// The seq of the oldest record in the ring: older ones were evicted.
    fn tail(&self) -> u64 {
        self.ring().first().copied().unwrap_or(self.hub.newest(0).1.seq)
    }
}

/// What half of the records have in their key.
fn parity(offset: i64) -> &'static str {
    if offset % 2 == 0 { "even" } else { "odd" }
}

fn is_wanted(filter: &Filter, partition: usize, offset: i64) -> bool {
    let is_about_keys = !matches!(filter.text.as_str(), "" | "-topic=payments -partition:0");
    wants_partition(filter, partition) && (!is_about_keys || parity(offset) == "even")
}

struct Reader {
    session: Session,
    hub: usize,
    filter: Filter,
    /// The seq from which appends were not looked at yet.
    read_log_from: u64,
    /// What must still come, per partition.
    owed: [VecDeque<(u64, i64, usize)>; PARTITIONS.len()],
    owed_changes: VecDeque<u64>,
    last_seq: u64,
    /// Offsets brought from another hub, of partitions that the hub did not know then.
    awaited: BTreeMap<usize, i64>,
    /// Whether gaps were told since the last record or change: there may be more of them.
    in_gaps: bool,
    /// Offsets brought from another hub: what lies below them the tab has.
    brought: BTreeMap<usize, i64>,
    /// Records that the session gave.
    given: u64,
}

impl Reader {
    fn new(model: &ModelHub, hub: usize, filter: Filter, from: From) -> (Self, feed::SessionStart) {
        let (session, start) = Session::new(&model.hub, Sieve::of(&filter).unwrap(), from);
        assert_eq!(start.epoch, model.hub.epoch());
        let reader = Self {
            session,
            hub,
            filter,
            read_log_from: start.seq,
            owed: Default::default(),
            owed_changes: VecDeque::new(),
            last_seq: start.seq - 1,
            awaited: BTreeMap::new(),
            in_gaps: false,
            brought: BTreeMap::new(),
            given: 0,
        };
        (reader, start)
    }

    /// Notes what was appended since.
    fn read_log(&mut self, model: &ModelHub, unless: impl Fn(u64, usize, i64) -> bool) {
        for append in &model.log[usize::try_from(self.read_log_from).unwrap() - 1..] {
            match append.record {
                None => self.owed_changes.push_back(append.seq),
                Some((partition, offset, size)) => {
                    if is_wanted(&self.filter, partition, offset) && !unless(append.seq, partition, offset) {
                        self.owed[partition].push_back((append.seq, offset, size));
                    }
                }
            }
        }
        self.read_log_from = model.next_seq();
    }

    /// A partition that turned up at or below the offset that the tab wants next has no gap before it.
    fn settle_awaited(&mut self, model: &ModelHub) {
        self.awaited.retain(|partition, next| {
            let first = model.log.iter().filter_map(|append| append.record).find(|(of, ..)| of == partition);
            first.is_none_or(|(_, offset, _)| offset > *next)
        });
    }

    fn take(&mut self, model: &ModelHub, limit: usize) -> bool {
        self.settle_awaited(model);
        let tail = model.tail();
        let before = self.session.cursor();
        let batch = self.session.take(limit);
        let message = batch.postcard().to_vec();
        let json: Vec<_> = batch.json().map(|(name, json)| (name, String::from_utf8(json.to_vec()).unwrap())).collect();
        assert!(message.len() <= MAX_EVENT_MESSAGE);
        let is_empty = batch.is_empty();
        let events = codec::decode_events(&message).unwrap();
        let as_json = |event: &Event| (event.name(), codec::event_to_json(event));
        assert_eq!(json, events.iter().map(as_json).collect::<Vec<_>>(), "both forms say the same");
        assert!(message.len() <= limit || events.len() <= 1, "{} bytes of {limit}", message.len());
        let records = |event: &Event| if let Event::Records(records) = event { records.records.len() } else { 0 };
        assert!(message.len() <= limit || events.iter().map(records).sum::<usize>() <= 1);
        self.given += events.iter().map(|event| records(event) as u64).sum::<u64>();
        let sieved = self.session.sieved();
        if !self.filter.is_empty() {
            assert_eq!(sieved.matched, self.given);
            assert!(sieved.looked >= sieved.matched + sieved.failed);
            assert!(sieved.failed == 0 || self.filter.text.contains("int(key)"));
        }
        for event in events {
            self.see(event, model, tail);
        }
        let after = self.session.cursor();
        !is_empty || before.seq != after.seq
    }

    fn see(&mut self, event: Event, model: &ModelHub, tail: u64) {
        match event {
            Event::Records(records) => {
                for record in records.records {
                    assert!(record.seq > self.last_seq, "in order and once");
                    self.last_seq = record.seq;
                    let partition = number_of(&record.topic, record.partition);
                    let (seq, offset, size) = self.owed[partition].pop_front().expect("nothing more is owed");
                    assert_eq!((record.seq, record.offset), (seq, offset), "the next one of its partition");
                    assert_eq!(record.value.unwrap().size, size as u64);
                    assert!(!self.awaited.contains_key(&partition), "no gap was told");
                }
                self.in_gaps = false;
                assert!(records.next > self.last_seq);
                self.last_seq = records.next - 1;
            }
            Event::Change(change) => {
                self.in_gaps = false;
                assert!(change.seq > self.last_seq);
                self.last_seq = change.seq;
                let is_evicted = |seq: u64| seq < tail;
                while let owed = self.owed_changes.pop_front().expect("a change that was appended")
                    && owed != change.seq
                {
                    assert!(is_evicted(owed), "the change {owed} was passed over");
                }
            }
            Event::Gap(gap) => self.miss(&gap, model, tail, 0),
            other => panic!("{other:?}"),
        }
    }

    /// A gap has to name evicted records that are owed: an exact count all of them, in a range that ends with the last. An
    /// upper bound leaves so many evicted ones to the exact gaps after it as `reserved` says.
    fn miss(&mut self, gap: &Gap, model: &ModelHub, tail: u64, reserved: usize) {
        let partition = number_of(&gap.topic, gap.partition);
        if let Some(next) = self.awaited.remove(&partition) {
            assert_eq!((gap.first, gap.count), (next, Count::UpTo((gap.last - next + 1).unsigned_abs())));
            return;
        }
        let is_evicted = |seq| seq < tail;
        let owed = &mut self.owed[partition];
        let has = self.brought.get(&partition).copied().unwrap_or(i64::MIN);
        let has = |offset| offset < has && !(gap.first..=gap.last).contains(&offset);
        while owed.pop_front_if(|(seq, offset, _)| is_evicted(*seq) && has(*offset)).is_some() {}
        let evicted = owed.iter().take_while(|(seq, ..)| is_evicted(*seq)).count();
        self.in_gaps = true;
        let mut named = Vec::new();
        match gap.count {
            Count::Exact(count) => named.extend(owed.drain(..usize::try_from(count).unwrap())),
            Count::UpTo(count) => {
                while owed.front().is_some_and(|(_, offset, _)| {
                    named.len() + reserved < evicted
                        && (named.len() as u64) < count
                        && (gap.first..=gap.last).contains(offset)
                        && named.last().is_none_or(|(_, last, _)| last < offset)
                }) {
                    named.extend(owed.pop_front());
                }
            }
        }
        for (seq, offset, _) in &named {
            assert!(is_evicted(*seq), "{gap:?} names seq {seq}, which is in the ring");
            assert!((gap.first..=gap.last).contains(offset), "{gap:?} does not hold offset {offset}");
        }
        if matches!(gap.count, Count::Exact(_)) {
            let (first, last) = (named[0].1, named[named.len() - 1].1);
            assert_eq!(gap.last, last);
            // A hole in the offsets just where the gap begins may be inside it.
            let is_before =
                |append: &&Append| append.seq < named[0].0 && append.record.is_some_and(|(of, ..)| of == partition);
            let before = model.log.iter().rfind(is_before).and_then(|append| append.record);
            let follows = before.is_some_and(|(_, offset, _)| offset + 1 == gap.first && gap.first < first);
            assert!(gap.first == first || follows, "{gap:?} begins where nothing did");
        }
    }

    /// All changes before `seq` came, but for those that left the ring with the records around them.
    fn expect_changes(&mut self, seq: u64, tail: u64) {
        while let Some(owed) = self.owed_changes.pop_front_if(|owed| *owed < seq) {
            assert!(owed < tail, "the change {owed} was passed over");
        }
    }

    fn drain(&mut self, model: &ModelHub) {
        while self.take(model, MAX_EVENT_MESSAGE) {}
        self.expect_changes(u64::MAX, model.tail());
        assert!(self.owed.iter().all(VecDeque::is_empty), "never came and no gap: {:?}", self.owed);
    }
}

fn number_of(topic: &str, partition: i32) -> usize {
    PARTITIONS.iter().position(|known| *known == (topic, partition)).unwrap()
}

#[derive(Default)]
struct World {
    hubs: Vec<ModelHub>,
    readers: BTreeMap<usize, Reader>,
}

impl World {
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Append { hub, partition, jump, size } => self.hubs[hub].append(partition, jump, size),
            Step::Burst { hub, partition, count } => {
                for _ in 0..count {
                    self.hubs[hub].append(partition, 0, 40);
                }
            }
            Step::Change { hub } => self.hubs[hub].change(),
            Step::Flush { hub } => self.hubs[hub].flush(),
            Step::Start { reader, hub, from, filter: number } => self.start(reader, hub, from, filter(number)),
            Step::Take { reader, limit } => {
                if let Some(reader) = self.readers.get_mut(&reader) {
                    let model = &self.hubs[reader.hub];
                    reader.read_log(model, |_, _, _| false);
                    reader.take(model, limit);
                }
            }
            Step::Reconnect { reader, hub, only_seq } => self.reconnect(reader, hub, only_seq),
        }
    }

    fn start(&mut self, number: usize, hub: usize, from: Start, filter: Filter) {
        let model = &self.hubs[hub];
        let ring = model.ring();
        let (wire, expected) = match from {
            Start::Now => (From::Now, model.hub.newest(0).1.seq),
            Start::Newest(n) => {
                let at = (n as usize).min(ring.len());
                (From::Newest(n), ring[ring.len() - at..].first().copied().unwrap_or(u64::MAX))
            }
        };
        let (reader, start) = Reader::new(model, hub, filter, wire);
        assert!(!start.resumed && start.gaps.is_empty());
        assert!(start.seq <= expected, "all that was asked for");
        let unasked = ring.iter().filter(|seq| (start.seq..expected).contains(*seq)).count();
        assert_eq!(unasked, 0, "and no record more");
        self.readers.insert(number, reader);
    }

    fn reconnect(&mut self, number: usize, hub: usize, only_seq: bool) {
        // Among the gaps of a replay, offsets can't say which of them a tab was told: some are told again, which is no loss but
        // is more than this model follows.
        let is_followed = |left: &Reader| !left.in_gaps || !self.hubs[left.hub].went_back;
        if !self.readers.get(&number).is_some_and(is_followed) {
            return;
        }
        let Some(mut left) = self.readers.remove(&number) else { return };
        left.read_log(&self.hubs[left.hub], |_, _, _| false);
        let mut cursor = left.session.cursor();
        // Among gaps the seq does not move: without offsets those that were told are told again, which is no loss.
        if only_seq && !left.in_gaps {
            cursor.positions.clear();
            left.awaited.clear();
            left.brought.clear();
        }
        let by_seq = left.hub == hub && cursor.epoch == self.hubs[hub].hub.epoch();
        let reader = if by_seq { self.resume(left, cursor) } else { self.move_to(hub, left.filter, cursor) };
        self.readers.insert(number, reader);
    }

    /// The same hub: what was owed is owed still.
    fn resume(&self, mut left: Reader, cursor: Cursor) -> Reader {
        let model = &self.hubs[left.hub];
        let tail = model.tail();
        let from = From::Cursor(cursor.clone());
        let (session, start) = Session::new(&model.hub, Sieve::of(&left.filter).unwrap(), from);
        assert!(start.resumed);
        assert!(start.seq >= cursor.seq);
        left.expect_changes(cursor.seq, tail);
        left.session = session;
        left.given = 0;
        left.settle_awaited(model);
        for (at, gap) in start.gaps.iter().enumerate() {
            let of_partition = |later: &&Gap| (&later.topic, later.partition) == (&gap.topic, gap.partition);
            let exact = |later: &Gap| if let Count::Exact(count) = later.count { count } else { 0 };
            let reserved: u64 = start.gaps[at + 1..].iter().filter(of_partition).map(exact).sum();
            left.miss(gap, model, tail, usize::try_from(reserved).unwrap());
        }
        for (partition, next) in left.brought.clone() {
            left.owed[partition].retain(|(seq, offset, _)| *seq >= start.seq || *offset >= next);
        }
        left.last_seq = start.seq - 1;
        left
    }

    /// Another hub: only the offsets count.
    fn move_to(&self, hub: usize, filter: Filter, cursor: Cursor) -> Reader {
        let model = &self.hubs[hub];
        let ring = model.ring();
        let head = model.hub.newest(0).1.seq;
        let floors: BTreeMap<usize, i64> = cursor
            .positions
            .iter()
            .map(|position| (number_of(&position.topic, position.partition), position.next))
            .collect();
        let (mut reader, start) = Reader::new(model, hub, filter, From::Cursor(cursor));
        assert!(!start.resumed);
        assert!(ring.first().is_none_or(|tail| start.seq <= *tail), "from the tail");
        reader.read_log(model, |seq, partition, offset| {
            seq < head && floors.get(&partition).is_some_and(|floor| offset < *floor)
        });
        let published = || model.log.iter().take_while(|append| append.seq < head);
        let mut expected = Vec::new();
        reader.brought = floors.clone();
        for (partition, floor) in floors {
            let of = |append: &Append| append.record.filter(|(of, ..)| *of == partition).map(|(_, offset, _)| offset);
            if !published().any(|append| of(append).is_some()) {
                reader.awaited.insert(partition, floor);
                continue;
            }
            let here = published().filter(|append| ring.contains(&append.seq)).filter_map(of);
            let lowest = here.filter(|offset| *offset >= floor).min();
            let end = published().filter_map(of).max().unwrap_or(0) + 1;
            let first = lowest.unwrap_or(end);
            if first > floor && wants_partition(&reader.filter, partition) {
                expected.push((partition, floor, first - 1, Count::UpTo((first - floor).unsigned_abs())));
            }
        }
        let mut gaps: Vec<_> = start
            .gaps
            .iter()
            .map(|gap| (number_of(&gap.topic, gap.partition), gap.first, gap.last, gap.count))
            .collect();
        gaps.sort_by_key(|gap| gap.0);
        assert_eq!(gaps, expected);
        // Awaited partitions that turn up at or below the tab's offset, or that it does not want, get no gap.
        reader.awaited.retain(|partition, _| wants_partition(&reader.filter, *partition));
        reader
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_reader_gets_every_record_once_or_a_gap(steps in prop::collection::vec(step(), 1..160)) {
        let mut world = World { hubs: [100, 112].map(ModelHub::new).into(), readers: BTreeMap::new() };
        for step in &steps {
            world.step(step);
        }
        for model in &mut world.hubs {
            model.flush();
            prop_assert!(model.hub.bytes() <= RING_BYTES + 2 * MAX_EVENT_MESSAGE);
        }
        for reader in world.readers.values_mut() {
            let model = &world.hubs[reader.hub];
            reader.read_log(model, |_, _, _| false);
            reader.drain(model);
        }
    }
}
