//! One tab: where it is in the hub, and what it wants of it. It holds no records.
//!
//! A session stands at a `seq`, with a tally per partition (how many records of it were appended before, and the next
//! offset). Both move together in [`Session::take`]. When the ring evicted what lies after the session, the difference
//! between the ring's tallies and the session's is what it missed.

use crate::{
    batch::Batch,
    evicted::{Missed, Tally, width},
    hub::Hub,
    ring::{Found, Ring, Stretch},
    segment::{Entry, Segment},
    sieve::{Sieve, Verdict},
};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};
use tokio::sync::watch;
use wire::{Behind, Count, Cursor, From, Gap, MAX_EVENT_MESSAGE, Millis, Position, Sieved, TopicId};

/// How much a filter looks at in one [`Session::take`], in bytes of encoded records: about half a millisecond.
const SCANNED_AT_ONCE: usize = 256 * 1024;
/// After so many appends that the filter left out, the tab is told how far it is by an event without records.
const TOLD_EVERY: u64 = 4096;

/// One tab's cursor and policy.
#[derive(Debug)]
pub struct Session {
    hub: Arc<Hub>,
    published: watch::Receiver<u64>,
    sieve: Arc<Sieve>,
    /// By ordinal, whether the filter can let some of its records through. Empty where there is no filter.
    wanted: Vec<bool>,
    sieved: Sieved,
    seq: u64,
    /// By ordinal; a missing one is zero. Shared with the ring while the session is at its head.
    tallies: Arc<Vec<Tally>>,
    /// The seq that the tab knows it is at.
    told: u64,
    /// How many partitions of the hub were looked up in `awaited` and `wanted`.
    known: usize,
    /// Positions of the tab in partitions of which it has seen nothing here, and the topic's id that it knows: when one turns up,
    /// what lies between is a gap.
    awaited: Vec<(Position, Option<String>)>,
    /// By ordinal, the next offsets that the tab brought from another epoch.
    floors: BTreeMap<usize, i64>,
    /// Records below their floor are passed over up to this seq: they were in the ring when the tab came.
    floors_until: u64,
}

/// Where a new session begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionStart {
    /// The hub's epoch.
    pub epoch: u64,
    /// The first append that follows.
    pub seq: u64,
    /// Whether a cursor of this epoch was given and followed.
    pub resumed: bool,
    /// What the topics' names mean there.
    pub topics: Vec<TopicId>,
    /// Where the tab stands in each partition that is here, after these gaps.
    pub positions: Vec<Position>,
    /// What the tab will not be sent. They come before the first batch, and are in no batch.
    pub gaps: Vec<Gap>,
}

impl Session {
    /// A session on `hub` from where `from` says:
    ///
    /// - `Now`: after everything that is published. A cursor of this epoch that lies beyond is answered so too.
    /// - `Newest(n)`: at the `n`th newest record (before filtering), or the ring's tail.
    /// - `Cursor` of this epoch: `seq` decides. If it was evicted, its `positions` tell how much: without them the gaps'
    ///   counts are upper bounds.
    /// - `Recent`: as with its cursor, and then on to the newest of what follows.
    /// - `Cursor` of another epoch: from the ring's tail, without what lies below the cursor's offsets. A gap names what lies
    ///   between such an offset and the first one at or above it here. Partitions that are not in the cursor are sent from
    ///   the tail; those that are unknown here are remembered, and get their gap when they turn up. What the cursor says of a
    ///   topic that has another id now says nothing.
    pub fn new(hub: &Arc<Hub>, sieve: Arc<Sieve>, from: From) -> (Self, SessionStart) {
        let ring = hub.ring.read();
        let mut session = Self {
            hub: Arc::clone(hub),
            published: hub.published.subscribe(),
            sieve,
            wanted: Vec::new(),
            sieved: Sieved::default(),
            seq: ring.head(),
            tallies: Arc::clone(ring.tallies_at_head()),
            told: ring.head(),
            known: 0,
            awaited: Vec::new(),
            floors: BTreeMap::new(),
            floors_until: 0,
        };
        session.extend_wanted(&ring);
        let (resumed, gaps) = match from {
            From::Now => (false, Vec::new()),
            From::Newest(n) => {
                session.stand_at(&ring, ring.newest_start(usize::try_from(n).unwrap_or(usize::MAX)));
                (false, Vec::new())
            }
            From::Cursor(cursor) => session.follow(&ring, cursor),
            From::Recent { cursor, most } => {
                let (resumed, mut gaps) = session.follow(&ring, cursor);
                gaps.extend(session.pass_over(&ring, most));
                (resumed, gaps)
            }
        };
        session.told = session.seq;
        let Cursor { seq, positions, topics, .. } = session.cursor_in(&ring);
        (session, SessionStart { epoch: hub.epoch(), seq, resumed, topics, positions, gaps })
    }

    /// What lies after the cursor, as far as it fits one message of `limit` bytes (at most [`MAX_EVENT_MESSAGE`]; a single
    /// event that is larger than `limit` is taken alone); the cursor advances over it. Empty when there is nothing new, and
    /// when a filter left out all that was looked at.
    pub fn take(&mut self, limit: usize) -> Batch {
        let mut batch = Batch::new(self.hub.epoch(), limit);
        let Some(stretch) = self.approach(limit, &mut batch) else { return batch };
        let from = self.seq;
        for segment in &stretch.segments {
            let went_through = if segment.is_change() {
                self.take_change(segment, &mut batch)
            } else {
                self.take_records(segment, &mut batch)
            };
            if !went_through {
                break;
            }
        }
        self.move_tallies(from, stretch);
        let must_tell = self.seq - self.told >= TOLD_EVERY;
        self.told = batch.end_at(self.seq, must_tell).unwrap_or(self.told);
        batch
    }

    /// Resolves when something lies after the cursor, at once or after the next [`crate::Writer::flush`]. Costs nothing while
    /// it waits, and may be dropped at any time.
    pub async fn ready(&mut self) {
        let seq = self.seq;
        // The sender lives in the hub, which this session holds: it can't be closed.
        let _ = self.published.wait_for(|head| *head > seq).await;
    }

    /// How far a reader at `seq` is behind.
    pub fn behind(&self, seq: u64, now: Millis) -> Behind {
        let waiting = self.hub.ring.read().stretch(seq, usize::MAX);
        let bytes = waiting.segments.iter().map(|segment| (segment.body().len() - segment.start_of_seq(seq)) as u64);
        let oldest = waiting.segments.iter().find_map(|segment| segment.record_from(seq));
        Behind {
            records: waiting.head.saturating_sub(seq),
            bytes: bytes.sum(),
            millis: oldest.map_or(0, |record| now.saturating_sub(record.view().received).try_into().unwrap_or(0)),
        }
    }

    /// The seq after all that is published.
    pub fn head(&self) -> u64 {
        self.hub.ring.read().head()
    }

    /// The seq of what it takes next.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// What the tab wants.
    pub fn sieve(&self) -> &Arc<Sieve> {
        &self.sieve
    }

    /// What the filter did so far.
    pub fn sieved(&self) -> Sieved {
        self.sieved
    }

    /// Where the tab is after all that was taken: to go on from in another session, here or on another instance. While
    /// records that the tab has from elsewhere are still passed over, the epoch is 0, which no hub has: `seq` could not say
    /// which those are, the offsets can.
    pub fn cursor(&self) -> Cursor {
        self.cursor_in(&self.hub.ring.read())
    }

    fn cursor_in(&self, ring: &Ring) -> Cursor {
        let mut next: BTreeMap<usize, i64> = ring.standing(&self.tallies, self.seq).collect();
        for (&ordinal, &floor) in self.floors.iter().filter(|(ordinal, _)| ring.holds_at(**ordinal, self.seq)) {
            let next = next.entry(ordinal).or_insert(floor);
            *next = floor.max(*next);
        }
        for (position, id) in &self.awaited {
            // Here already, and the gap before it is not told yet.
            if let Found::Here(ordinal) = ring.find(position, id.as_deref()) {
                next.remove(&ordinal);
            }
        }
        let mut topics = ring.topics.at(self.seq);
        let mut positions: Vec<_> = next.into_iter().map(|(ordinal, next)| ring.position(ordinal, next)).collect();
        for (position, id) in &self.awaited {
            let here = topics.iter().find(|known| known.topic == position.topic).map(|known| known.id.clone());
            match (here, id) {
                (Some(here), Some(id)) if here != *id => continue,
                (None, Some(id)) => topics.push(TopicId { topic: position.topic.clone(), id: id.clone() }),
                _ => {}
            }
            positions.push(position.clone());
        }
        let epoch = if self.seq < self.floors_until { 0 } else { self.hub.epoch() };
        Cursor { epoch, seq: self.seq, positions, topics }
    }

    /// For a tab that came by offsets: what it missed of partitions that another instance has now. `owner` tells who has a
    /// partition, and up to before which offset there is something in it. To be told after the gaps of the start.
    pub fn elsewhere(&mut self, owner: impl Fn(&str, i32) -> Option<(String, i64)>) -> Vec<Gap> {
        let hub = Arc::clone(&self.hub);
        let ring = hub.ring.read();
        let mut gaps = Vec::new();
        let mut miss = |position: &Position, first: i64| {
            let Position { topic, partition, .. } = position;
            let (name, end) = owner(topic, *partition).filter(|(_, end)| first < *end)?;
            let (count, now_with) = (Count::UpTo(end.abs_diff(first)), Some(name));
            let (topic, partition) = (topic.clone(), *partition);
            gaps.push(Gap { topic, partition, first, last: end - 1, count, now_with });
            Some(end)
        };
        for (position, _) in &mut self.awaited {
            position.next = miss(position, position.next).unwrap_or(position.next);
        }
        for (&ordinal, floor) in &mut self.floors {
            let first = ring.known(ordinal).end.max(*floor);
            // Where records are here that the tab has not had, a higher floor would pass over them.
            if let Some(end) = miss(&ring.position(ordinal, first), first)
                && first == *floor
            {
                *floor = end;
            }
        }
        gaps.retain(|gap| self.sieve.may_be_in(gap));
        gaps.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        gaps
    }

    fn stand_at(&mut self, ring: &Ring, seq: u64) {
        self.seq = seq;
        self.tallies = if seq == ring.tail() { ring.tallies_at_tail() } else { ring.tallies_at(seq) };
    }

    /// Goes on from a cursor. Returns whether by its `seq`, and what is gone.
    fn follow(&mut self, ring: &Ring, cursor: Cursor) -> (bool, Vec<Gap>) {
        match cursor {
            cursor if cursor.epoch != self.hub.epoch() => (false, self.follow_offsets(ring, cursor)),
            cursor if cursor.seq > ring.head() => (false, Vec::new()),
            cursor => (true, self.follow_seq(ring, cursor)),
        }
    }

    /// Goes on to the `most` newest records. Returns what was passed over: of each partition one gap, counted exactly.
    fn pass_over(&mut self, ring: &Ring, most: u32) -> Vec<Gap> {
        let to = ring.newest_start(usize::try_from(most).unwrap_or(usize::MAX));
        // Nearly always: a thousand tabs that come back at once must not each walk the ring under its lock.
        if to <= self.seq {
            return Vec::new();
        }
        let mut gaps = Vec::new();
        // What lies before the first record of a partition comes before what is passed over of it: a tab that hears of the later
        // gap first takes itself to be beyond the earlier one.
        self.meet_awaited(ring, |gap| {
            gaps.push(gap);
            true
        });
        let mut passed: BTreeMap<usize, (i64, i64, u64)> = BTreeMap::new();
        for (seq, entry) in ring.entries().filter(|(seq, _)| (self.seq..to).contains(seq)) {
            let ordinal = entry.partition as usize;
            if self.is_wanted(ordinal) && !self.is_below_floor(seq, entry) {
                let (first, last, count) = passed.entry(ordinal).or_insert((entry.offset, entry.offset, 0));
                (*first, *last, *count) = (entry.offset.min(*first), entry.offset.max(*last), *count + 1);
            }
        }
        self.stand_at(ring, to);
        let gap = |(ordinal, (first, last, count))| self.gap_of(ring, ordinal, first, last, Count::Exact(count));
        gaps.extend(passed.into_iter().map(gap));
        gaps
    }

    /// Goes on from a cursor of this epoch. Returns what was evicted since.
    fn follow_seq(&mut self, ring: &Ring, cursor: Cursor) -> Vec<Gap> {
        let tail = ring.tail();
        self.stand_at(ring, cursor.seq.max(tail));
        let mut next = HashMap::new();
        for (position, id) in identified(cursor.positions, &cursor.topics) {
            match ring.find(&position, id.as_deref()) {
                Found::Here(ordinal) if self.tally(ordinal).count > 0 => {
                    next.insert(ordinal, position.next);
                }
                Found::Here(_) | Found::NotYet => self.awaited.push((position, id)),
                Found::Never => {}
            }
        }
        let mut gaps = Vec::new();
        for (ordinal, evicted) in ring.evicted().iter().enumerate().take_while(|_| cursor.seq < tail) {
            let next = next.get(&ordinal).copied();
            if let Some(next) = next.filter(|_| !evicted.has_before(cursor.seq)) {
                gaps.extend(self.gap_before(ring, ordinal, next, ring.known(ordinal).first));
            }
            let missed = evicted.missed_since_seq(cursor.seq, next, tail - cursor.seq);
            gaps.extend(missed.iter().filter_map(|missed| self.gap(ring, ordinal, missed)));
        }
        gaps
    }

    /// Goes on from a cursor of another epoch, by offsets. Returns what lies between them and the ring.
    fn follow_offsets(&mut self, ring: &Ring, cursor: Cursor) -> Vec<Gap> {
        self.stand_at(ring, ring.tail());
        for (position, id) in identified(cursor.positions, &cursor.topics) {
            match ring.find(&position, id.as_deref()) {
                Found::Here(ordinal) => {
                    self.floors.insert(ordinal, position.next);
                }
                Found::NotYet => self.awaited.push((position, id)),
                Found::Never => {}
            }
        }
        let mut lowest: HashMap<usize, i64> = HashMap::new();
        if !self.floors.is_empty() {
            self.floors_until = ring.head();
            for (_, entry) in ring.entries() {
                let ordinal = entry.partition as usize;
                if self.floors.get(&ordinal).is_some_and(|floor| entry.offset >= *floor) {
                    let lowest = lowest.entry(ordinal).or_insert(entry.offset);
                    *lowest = entry.offset.min(*lowest);
                }
            }
        }
        let gap = |(&ordinal, &floor)| {
            let here = lowest.get(&ordinal).copied().unwrap_or(ring.known(ordinal).end);
            self.gap_before(ring, ordinal, floor, here)
        };
        self.floors.iter().filter_map(gap).collect()
    }

    /// Tells what has to be told before records, and takes hold of what lies after the cursor. `None` when the batch is full
    /// before the first record.
    fn approach(&mut self, limit: usize, batch: &mut Batch) -> Option<Stretch> {
        let hub = Arc::clone(&self.hub);
        let ring = hub.ring.read();
        if ring.partition_count() > self.known {
            self.extend_wanted(&ring);
            self.meet_awaited(&ring, |gap| batch.push_gap(gap))?;
            self.known = ring.partition_count();
        }
        if self.seq < ring.tail() {
            self.go_to_tail(&ring, batch)?;
        }
        let bytes = if self.takes_all() { limit.min(MAX_EVENT_MESSAGE) } else { SCANNED_AT_ONCE };
        Some(ring.stretch(self.seq, bytes))
    }

    fn extend_wanted(&mut self, ring: &Ring) {
        if self.sieve.is_empty() {
            return;
        }
        for ordinal in self.wanted.len()..ring.partition_count() {
            let all = self.gap_of(ring, ordinal, i64::MIN, i64::MAX, Count::UpTo(u64::MAX));
            self.wanted.push(self.sieve.may_be_in(&all));
        }
    }

    /// Tells what lies between the tab's offsets and the first ones here of partitions that turned up since. `tell` says whether
    /// there was room for the gap.
    fn meet_awaited(&mut self, ring: &Ring, mut tell: impl FnMut(Gap) -> bool) -> Option<()> {
        let mut at = 0;
        while let Some((position, id)) = self.awaited.get(at) {
            let ordinal = match ring.find(position, id.as_deref()) {
                Found::Here(ordinal) => ordinal,
                Found::NotYet => {
                    at += 1;
                    continue;
                }
                Found::Never => {
                    self.awaited.swap_remove(at);
                    continue;
                }
            };
            let (next, first) = (position.next, ring.known(ordinal).first);
            if let Some(gap) = self.gap_before(ring, ordinal, next, first)
                && !tell(gap)
            {
                return None;
            }
            self.floors.insert(ordinal, next.max(first));
            self.awaited.swap_remove(at);
        }
        Some(())
    }

    /// Tells what was evicted since the cursor, partition by partition. The tallies advance with each gap, so that a tab that
    /// leaves in between is told the rest when it comes back.
    fn go_to_tail(&mut self, ring: &Ring, batch: &mut Batch) -> Option<()> {
        let tail = ring.tail();
        for (ordinal, evicted) in ring.evicted().iter().enumerate() {
            for missed in evicted.missed_since(self.tally(ordinal)) {
                if let Some(gap) = self.gap(ring, ordinal, &missed)
                    && !batch.push_gap(gap)
                {
                    return None;
                }
                let tallies = Arc::make_mut(&mut self.tallies);
                tallies.resize(tallies.len().max(ordinal + 1), Tally::default());
                tallies[ordinal] = missed.after;
            }
        }
        self.seq = tail;
        self.told = tail;
        Some(())
    }

    /// The gap event of what was missed, if the tab wants the partition.
    fn gap(&self, ring: &Ring, ordinal: usize, missed: &Missed) -> Option<Gap> {
        let Missed { mut first, last, mut count, .. } = *missed;
        if !self.is_wanted(ordinal) {
            return None;
        }
        if self.seq < self.floors_until
            && let Some(floor) = self.floors.get(&ordinal)
        {
            // What lay below the floor when the tab came was not to be sent: how many records that is was not counted.
            if ring.tail() <= self.floors_until {
                first = first.max(*floor);
            }
            let left = (first <= last).then(|| width(first, last))?;
            count = Count::UpTo(left.min(of(count)));
        }
        self.wanted_gap(ring, ordinal, first, last, count)
    }

    /// The gap between the offset that the tab wants next and the first one that it can have, if there is one.
    fn gap_before(&self, ring: &Ring, ordinal: usize, next: i64, here: i64) -> Option<Gap> {
        let next = next.max(0);
        let is_gap = next < here && self.is_wanted(ordinal);
        is_gap.then(|| self.wanted_gap(ring, ordinal, next, here - 1, Count::UpTo(here.abs_diff(next))))?
    }

    /// The gap, unless the filter names offsets of which none is in it.
    fn wanted_gap(&self, ring: &Ring, ordinal: usize, first: i64, last: i64, count: Count) -> Option<Gap> {
        let gap = self.gap_of(ring, ordinal, first, last, count);
        (self.sieve.is_empty() || self.sieve.may_be_in(&gap)).then_some(gap)
    }

    fn gap_of(&self, ring: &Ring, ordinal: usize, first: i64, last: i64, count: Count) -> Gap {
        let Position { topic, partition, .. } = ring.position(ordinal, first);
        // What looks inside would have left some out; a topic and partitions would not.
        let count = if self.sieve.looks_inside() { Count::UpTo(of(count)) } else { count };
        Gap { topic, partition, first, last, count, now_with: None }
    }

    fn take_change(&mut self, segment: &Arc<Segment>, batch: &mut Batch) -> bool {
        let fits = batch.push_change(segment);
        if fits {
            self.seq = segment.end_seq();
        }
        fits
    }

    /// Takes what fits of the segment's records; whether all of them were gone through.
    fn take_records(&mut self, segment: &Arc<Segment>, batch: &mut Batch) -> bool {
        let count = segment.index().len();
        let from = count - segment.index_from(self.seq).len();
        let to = if self.takes_all() {
            batch.push_records(segment, from)
        } else if self.sieve.looks_inside() {
            let sieve = Arc::clone(&self.sieve);
            segment.sifted(&sieve, from, |verdicts| {
                self.take_wanted(segment, from..verdicts.len(), batch, |at| verdicts[at])
            })
        } else {
            self.take_wanted(segment, from..count, batch, |_| Verdict::Yes)
        };
        self.seq = segment.first_seq() + to as u64;
        to == count
    }

    fn takes_all(&self) -> bool {
        self.sieve.is_empty() && self.seq >= self.floors_until
    }

    /// Whether the tab has the record from elsewhere.
    fn is_below_floor(&self, seq: u64, entry: &Entry) -> bool {
        seq < self.floors_until
            && self.floors.get(&(entry.partition as usize)).is_some_and(|floor| entry.offset < *floor)
    }

    /// Takes those of the segment's records that the tab wants, as far as they fit; returns the number after the last one that
    /// was gone through.
    fn take_wanted(
        &mut self,
        segment: &Arc<Segment>,
        records: Range<usize>,
        batch: &mut Batch,
        verdict: impl Fn(usize) -> Verdict,
    ) -> usize {
        for at in records.clone() {
            let entry = &segment.index()[at];
            let ordinal = entry.partition as usize;
            if self.is_below_floor(segment.first_seq() + at as u64, entry) {
                continue;
            }
            match verdict(at) {
                Verdict::Yes if self.is_wanted(ordinal) => {
                    if !batch.push_record(segment, at) {
                        return at;
                    }
                    self.sieved.matched += 1;
                }
                Verdict::Failed => self.sieved.failed += 1,
                Verdict::Yes | Verdict::No => {}
            }
            self.sieved.looked += 1;
        }
        records.end
    }

    fn is_wanted(&self, ordinal: usize) -> bool {
        self.wanted.get(ordinal).copied().unwrap_or(true)
    }

    fn tally(&self, ordinal: usize) -> Tally {
        self.tallies.get(ordinal).copied().unwrap_or_default()
    }

    /// Brings the tallies from `from` to where the session is now.
    fn move_tallies(&mut self, from: u64, stretch: Stretch) {
        if self.seq == stretch.head {
            self.tallies = stretch.tallies_at_head;
            return;
        }
        if self.seq == from {
            return;
        }
        let tallies = Arc::make_mut(&mut self.tallies);
        tallies.resize(tallies.len().max(stretch.tallies_at_head.len()), Tally::default());
        for segment in &stretch.segments {
            let begun = from.max(segment.first_seq());
            let passed = usize::try_from(self.seq.saturating_sub(begun)).unwrap_or(usize::MAX);
            for entry in segment.index_from(begun).iter().take(passed) {
                tallies[entry.partition as usize].advance(entry.offset);
            }
        }
    }
}

/// Each position with its topic's id, where the tab knows it.
fn identified(positions: Vec<Position>, topics: &[TopicId]) -> impl Iterator<Item = (Position, Option<String>)> {
    positions.into_iter().map(|position| {
        let known = topics.iter().find(|known| known.topic == position.topic);
        let id = known.map(|known| known.id.clone());
        (position, id)
    })
}

fn of(count: Count) -> u64 {
    match count {
        Count::Exact(n) | Count::UpTo(n) => n,
    }
}
