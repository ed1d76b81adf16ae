//! Looking through the records of a topic, page by page and either way, over one partition or many; and searching them.
//!
//! A log can be read forward only. So back is read in stretches: a short one before where the reading is, forward, then the one before
//! that. Several partitions are merged by timestamp, and only those are read on from which the next record may come. What is read at a
//! time is bounded in offsets, bytes and time, whatever is looked for: who asks goes on from where it stands, or lets it be. And whoever
//! asks for more than a moment takes turns with the others.

use super::{POLL, READS_AT_ONCE, Read, Reader, no_answer, refusal};
use crate::{
    ClientSettings, Error,
    message::{Extent, lend},
};
use rdkafka::{Message, error::KafkaError, message::BorrowedMessage};
use std::{
    cmp::Ordering,
    collections::{HashMap, VecDeque},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};
use wire::{Direction, Flags, Millis, ReadError, Record, RecordView};

/// What all partitions together may keep of what was found and not handed out, in bytes of keys, values and headers; and one record more,
/// which is handed out next. Where that is not enough for a record of each, only its time is kept, and it is read again when it is due.
const KEPT_BYTES: usize = 8 * 1024 * 1024;
/// What one call hands out at most, in bytes, but one record at least.
const GIVEN_BYTES: usize = 4 * 1024 * 1024;
/// How many offsets are read at a time of one partition, at least: at first, and where they come slowly. And of all together, at most.
const LEAST_AT_FIRST: i64 = 4;
const LEAST: i64 = 1;
const MOST: i64 = 200_000;
/// After so long it is another one's turn to read.
const TURN: Duration = Duration::from_millis(250);
/// How long a turn may last in which nothing has come yet. What a first record costs does not depend on how much is asked for, so that a
/// shorter stretch would be read in vain as well.
const LONGEST_TURN: Duration = Duration::from_secs(2);
/// A stretch whose records came within the one, from the first to the last, is followed by a longer one, and after the other, which a
/// turn leaves them in any case, by a shorter one.
const FAST: Duration = Duration::from_millis(80);
const SLOW: Duration = Duration::from_millis(160);

/// A partition's part of what is looked through. Back it leads from an offset, without it, down to a lower one; forward from an offset
/// up to a higher one, without that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The partition's number.
    pub partition: i32,
    /// Where it begins.
    pub from: i64,
    /// Where it ends.
    pub to: i64,
}

/// What decides on a record; nothing where it fails on it.
pub type Wants = Arc<dyn Fn(&RecordView<'_>) -> Option<bool> + Send + Sync>;

/// A topic that is being looked through, and how far that is.
pub struct Browse {
    topic: String,
    direction: Direction,
    wants: Wants,
    /// Whether records are wanted whole, or cut to what fits a message to a tab. Judged they are whole.
    is_whole: bool,
    lanes: Vec<Lane>,
    /// How many offsets of a partition are read next.
    step: i64,
    /// How long the last stretch took.
    took: Duration,
    /// How long was read in vain since it last came further.
    in_vain: Duration,
    judged: Judged,
    /// What is kept, in bytes.
    kept_bytes: usize,
}

/// How many records were decided on, and on how many of them the decision failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Judged {
    looked: u64,
    failed: u64,
}

/// Whether a reading came further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It did, or there was nothing to be read.
    Further,
    /// Kafka did not answer in time, or is slow: see [`Browse::in_vain`].
    Nowhere,
    /// Others had all the turns, so that Kafka was not asked.
    NoTurn,
}

/// How long a turn lasts, and for whom.
struct Turn {
    until: Instant,
    /// See [`LONGEST_TURN`].
    at_latest: Instant,
    /// Gone when nobody waits for it any more.
    asker: Weak<()>,
}

/// One partition.
struct Lane {
    partition: i32,
    start: i64,
    /// Up to here it was read.
    near: i64,
    far: i64,
    /// Whether its end was reached before that.
    ended: bool,
    /// The timestamp of the last record that was read, on the way.
    edge: Option<Millis>,
    /// What was found and not handed out, the next of it first.
    kept: VecDeque<Record>,
    /// The time of the next record, where that was found and there was no room for it. It is the first that is read next.
    ahead: Option<Millis>,
}

impl Lane {
    fn is_read(&self, direction: Direction) -> bool {
        self.ended
            || match direction {
                Direction::Older => self.near <= self.far,
                Direction::Newer => self.near >= self.far,
            }
    }

    /// Where one goes on who has what was handed out.
    fn position(&self, direction: Direction) -> i64 {
        match (self.kept.front(), direction) {
            (Some(next), Direction::Older) => next.offset + 1,
            (Some(next), Direction::Newer) => next.offset,
            (None, _) => self.near,
        }
    }

    /// Where its next record stands, if that is known.
    fn next(&self) -> Option<Rank> {
        self.kept.front().map(rank).or_else(|| Some((self.ahead?, self.partition)))
    }
}

/// Where a record stands among those of all partitions: by time, then by partition. Inside a partition offsets decide.
type Rank = (Millis, i32);

fn rank(record: &Record) -> Rank {
    // Kafka's own word for "no timestamp".
    (record.timestamp.millis().unwrap_or(-1), record.partition)
}

/// `Less` comes first.
fn order(direction: Direction, a: Rank, b: Rank) -> Ordering {
    match direction {
        Direction::Older => b.cmp(&a),
        Direction::Newer => a.cmp(&b),
    }
}

impl Browse {
    /// Begins at these stretches, for those records that `wants` says yes to.
    pub fn new(
        topic: &str,
        direction: Direction,
        stretches: impl IntoIterator<Item = Stretch>,
        wants: Wants,
        is_whole: bool,
    ) -> Self {
        let lane = |Stretch { partition, from, to }| Lane {
            partition,
            start: from,
            near: from,
            far: to,
            ended: false,
            edge: None,
            kept: VecDeque::new(),
            ahead: None,
        };
        let lanes = stretches.into_iter().map(lane).collect();
        Self {
            topic: topic.into(),
            direction,
            wants,
            is_whole,
            lanes,
            step: 0,
            took: Duration::ZERO,
            in_vain: Duration::ZERO,
            judged: Judged::default(),
            kept_bytes: 0,
        }
    }

    /// Which way it goes.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Where it began, per partition. Back from a log's end, that is after the last record that is decided: what a transaction may
    /// still add there is newer.
    pub fn starts(&self) -> Vec<(i32, i64)> {
        self.lanes.iter().map(|lane| (lane.partition, lane.start)).collect()
    }

    /// Where one goes on who has what was handed out so far, per partition.
    pub fn positions(&self) -> Vec<(i32, i64)> {
        self.lanes.iter().map(|lane| (lane.partition, lane.position(self.direction))).collect()
    }

    /// How many offsets were passed over, and how many are left.
    pub fn progress(&self) -> (u64, u64) {
        self.lanes.iter().fold((0, 0), |(passed, left), lane| {
            let near = if lane.ended { lane.far } else { lane.near };
            (passed + lane.start.abs_diff(near), left + near.abs_diff(lane.far))
        })
    }

    /// How many records were decided on.
    pub fn looked(&self) -> u64 {
        self.judged.looked
    }

    /// On how many of them the decision failed.
    pub fn failed(&self) -> u64 {
        self.judged.failed
    }

    /// How much of what was found waits until it can be handed out, in bytes of keys, values and headers: at most 8 MiB and one record.
    pub fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    /// How long Kafka was asked for more in vain, since it came further: without the time in which others had their turns, or nobody
    /// asked.
    pub fn in_vain(&self) -> Duration {
        self.in_vain
    }

    /// Whether everything was read and handed out.
    pub fn is_done(&self) -> bool {
        self.lanes.iter().all(|lane| lane.kept.is_empty() && lane.is_read(self.direction))
    }

    /// Whether everything was read.
    pub fn is_read(&self) -> bool {
        self.lanes.iter().all(|lane| lane.is_read(self.direction))
    }

    /// Hands out what was found, up to `most`, though something that was not read may belong before it.
    pub fn take(&mut self, most: usize) -> Vec<Record> {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some((lane, _)) = self.first(|lane| lane.kept.front().map(rank))
        {
            taken.extend(self.pop(lane));
        }
        taken
    }

    fn pop(&mut self, lane: usize) -> Option<Record> {
        let record = self.lanes[lane].kept.pop_front()?;
        self.kept_bytes = self.kept_bytes.saturating_sub(record.bytes());
        Some(record)
    }

    /// The lane of the first of these.
    fn first(&self, of: impl Fn(&Lane) -> Option<Rank>) -> Option<(usize, Rank)> {
        let found = self.lanes.iter().enumerate().filter_map(|(index, lane)| Some((index, of(lane)?)));
        found.min_by(|(_, a), (_, b)| order(self.direction, *a, *b))
    }

    /// The lane of the first record that was found.
    fn best(&self) -> Option<(usize, Rank)> {
        self.first(Lane::next)
    }

    /// The lanes that have to be read on before it is known which record comes next, and can be handed out.
    fn open(&self) -> Vec<usize> {
        let best = self.best();
        let may_precede = |lane: &Lane| match (best, lane.edge) {
            (Some((_, best)), Some(edge)) => order(self.direction, (edge, lane.partition), best).is_lt(),
            _ => true,
        };
        let open = self.lanes.iter().enumerate();
        let open = open.filter(|(_, lane)| lane.next().is_none() && !lane.is_read(self.direction) && may_precede(lane));
        let open: Vec<_> = open.map(|(index, _)| index).collect();
        match best {
            // It is due only when nothing can precede it: then it is handed out, and takes no room from others.
            Some((index, _)) if open.is_empty() && self.lanes[index].kept.is_empty() => vec![index],
            _ => open,
        }
    }

    /// Hands out what nothing can precede.
    fn give(&mut self, most: usize, given: &mut Vec<Record>, bytes: &mut usize) {
        while given.len() < most
            && *bytes < GIVEN_BYTES
            && let Some((lane, _)) = self.best()
            && self.open().is_empty()
            && let Some(record) = self.pop(lane)
        {
            *bytes += record.bytes();
            given.push(record);
        }
    }
}

/// A stretch of a partition as it is read.
#[derive(Default)]
struct Part {
    lane: usize,
    from: i64,
    to: i64,
    is_done: bool,
    ended: bool,
    /// Whether its record is the next that is handed out: then it is kept, whatever room there is.
    is_due: bool,
    /// The last offset that was seen.
    last: Option<i64>,
    /// The timestamps of the first record and of the last one.
    times: Option<(Millis, Millis)>,
    /// What was found, each with what was decided on up to it.
    found: VecDeque<(Record, Judged)>,
    bytes: usize,
    /// What was found beyond what can be kept begins here, or, back, ends before here.
    cut: Option<i64>,
    /// See [`Lane::ahead`].
    ahead: Option<Millis>,
    /// What was decided on, and how much of that lies behind the cut and is decided on again.
    judged: Judged,
    again: Judged,
}

/// How much a part may keep.
#[derive(Clone, Copy)]
struct Room {
    records: usize,
    /// Its share, which one record may exceed.
    bytes: usize,
    /// What is left for all, which none may exceed that is not due.
    left: usize,
}

impl Part {
    /// Takes the next message of its partition.
    fn take(&mut self, message: &BorrowedMessage<'_>, browse: &Browse, room: Room) {
        let offset = message.offset();
        if self.is_done || !self.reaches(offset, browse.direction, room) {
            return;
        }
        let judged = lend(message, crate::now(), Flags::LOADED, Extent::Whole, |record| {
            let at = record.timestamp.millis().unwrap_or(-1);
            let is_wanted = (browse.wants)(record);
            (at, is_wanted, (browse.is_whole && is_wanted == Some(true)).then(|| record.to_owned()))
        });
        let (at, is_wanted, whole) = judged;
        let cut = || lend(message, crate::now(), Flags::LOADED, Extent::Heads, |record| record.to_owned());
        let found = (is_wanted == Some(true)).then(|| whole.unwrap_or_else(cut));
        self.see(offset, at, found, is_wanted.is_none(), browse.direction, room);
    }

    /// Whether this offset is looked at. Else it is done.
    fn reaches(&mut self, offset: i64, direction: Direction, room: Room) -> bool {
        // Below: the log was made anew meanwhile, and begins again.
        if offset < self.from || offset >= self.to {
            self.is_done = true;
            return false;
        }
        let is_full = self.found.len() >= room.records || self.bytes >= room.bytes;
        if is_full && direction == Direction::Newer {
            (self.cut, self.is_done) = (Some(offset), true);
            return false;
        }
        true
    }

    /// Takes what was decided on: a record that was found, or none.
    fn see(&mut self, offset: i64, at: Millis, found: Option<Record>, failed: bool, direction: Direction, room: Room) {
        let before = self.judged;
        self.judged.looked += 1;
        self.judged.failed += u64::from(failed);
        if let Some(record) = found {
            self.bytes += record.bytes();
            self.found.push_back((record, self.judged));
        }
        let has_room = |part: &Self| part.bytes <= room.left || (part.is_due && part.found.len() == 1);
        match direction {
            // Back, the last ones are those that are nearest.
            Direction::Older => {
                let is_over = |part: &Self| part.found.len() > room.records || part.bytes > room.bytes;
                while ((is_over(self) && self.found.len() > 1) || !has_room(self))
                    && let Some((far, up_to_it)) = self.found.pop_front()
                {
                    self.bytes -= far.bytes();
                    (self.cut, self.again) = (Some(far.offset + 1), up_to_it);
                    self.ahead = self.found.is_empty().then_some(at);
                }
            }
            Direction::Newer if !has_room(self) => {
                if let Some((record, _)) = self.found.pop_back() {
                    self.bytes -= record.bytes();
                }
                self.judged = before;
                (self.cut, self.is_done, self.ahead) = (Some(offset), true, self.found.is_empty().then_some(at));
                return;
            }
            Direction::Newer => {}
        }
        self.last = Some(offset);
        self.times = Some((self.times.map_or(at, |(first, _)| first), at));
        self.is_done = offset + 1 >= self.to;
    }
}

impl Reader {
    /// Makes a reader that looks through topics. Needs no broker.
    ///
    /// # Errors
    /// When a property cannot be set.
    pub fn browsing(client: &ClientSettings) -> Result<Self, Error> {
        let mut config = client.reader()?;
        // What was deleted since its offset was looked up is a hole, no error. And a stretch is often short: of hundreds of partitions
        // much more would be fetched in vain.
        config.set("auto.offset.reset", "earliest").set("max.partition.fetch.bytes", "131072");
        Self::with(config, READS_AT_ONCE)
    }

    /// Reads on until `most` records can be handed out in their order, everything was read, or the time is over: that is `within`, but
    /// up to `at_latest` it waits for its turn, and for the first record where records come slowly. Where the future is dropped,
    /// nothing is left of `browse`.
    ///
    /// # Errors
    /// [`ReadError::Refused`] where Kafka refuses.
    pub async fn browse(
        &self,
        browse: &mut Browse,
        most: usize,
        within: Duration,
        at_latest: Duration,
    ) -> Result<(Vec<Record>, Came), ReadError> {
        let began = Instant::now();
        let (until, at_latest) = (began + within, began + at_latest.max(within));
        let (mut given, mut came) = (Vec::new(), Came::NoTurn);
        loop {
            // Turns come in the order in which they are waited for.
            let waits = if came == Came::NoTurn { at_latest } else { until }.saturating_duration_since(Instant::now());
            let Ok(turn) = tokio::time::timeout(waits, Arc::clone(&self.inner.reads).acquire_owned()).await else {
                return Ok((given, came));
            };
            let now = Instant::now();
            let asker = Arc::new(());
            let limits = Turn {
                until: (now + TURN).min(if now < until { until } else { at_latest }),
                at_latest: (now + LONGEST_TURN).min(at_latest),
                asker: Arc::downgrade(&asker),
            };
            let nothing = Browse::new(&browse.topic, browse.direction, [], Arc::clone(&browse.wants), browse.is_whole);
            let mut read_on = std::mem::replace(browse, nothing);
            let inner = Arc::clone(&self.inner);
            let work = tokio::task::spawn_blocking(move || {
                // Given back when the reading ends, whoever waits for it.
                let _turn = turn.expect("the semaphore is never closed");
                let read = inner.take().and_then(|consumer| {
                    let (until, deadline) = (limits.at_latest, limits.at_latest.saturating_duration_since(now));
                    let read = Read { consumer: &consumer, context: &inner.context, until, deadline };
                    let result = read.browse(&mut read_on, most, &mut given, &limits);
                    inner.put_back_after(&result, consumer);
                    result
                });
                let has_moved = read.as_ref().is_ok_and(|(has_moved, _)| *has_moved);
                read_on.in_vain = if has_moved { Duration::ZERO } else { read_on.in_vain + now.elapsed() };
                (read_on, given, read)
            });
            let done = work.await.map_err(|error| ReadError::Kafka { reason: error.to_string() })?;
            drop(asker);
            let read;
            (*browse, given, read) = done;
            let (has_moved, is_over) = read?;
            if has_moved || came == Came::NoTurn {
                came = if has_moved { Came::Further } else { Came::Nowhere };
            }
            if is_over || Instant::now() >= until {
                return Ok((given, came));
            }
        }
    }

    /// What was wrong with the connection to Kafka lately, or that there was no answer.
    pub fn silence(&self, waited: Duration) -> ReadError {
        ReadError::Kafka { reason: self.inner.context.explain(&no_answer(waited)) }
    }
}

impl Read<'_> {
    /// Whether it came further, and whether it is over: enough is given, or there is nothing to be read.
    fn browse(
        &self,
        browse: &mut Browse,
        most: usize,
        given: &mut Vec<Record>,
        turn: &Turn,
    ) -> Result<(bool, bool), ReadError> {
        let (mut bytes, mut has_moved) = (given.iter().map(Record::bytes).sum(), false);
        loop {
            browse.give(most, given, &mut bytes);
            let open = browse.open();
            if given.len() >= most || bytes >= GIVEN_BYTES || open.is_empty() {
                return Ok((true, true));
            }
            // What is not read to its end is read in vain.
            let needs = if has_moved { browse.took } else { Duration::ZERO };
            if Instant::now() + needs >= turn.until {
                return Ok((has_moved, false));
            }
            has_moved |= self.read_on(browse, &open, most - given.len(), has_moved, turn)?;
        }
    }

    /// Reads the next stretch of these lanes. Whether one of them came further.
    fn read_on(
        &self,
        browse: &mut Browse,
        open: &[usize],
        most: usize,
        has_moved: bool,
        turn: &Turn,
    ) -> Result<bool, ReadError> {
        let lanes = i64::try_from(open.len()).unwrap_or(i64::MAX);
        let most_at_once = (MOST / lanes).max(LEAST);
        if browse.step == 0 {
            // As if the records came from all alike, and every second one was wanted.
            let all = i64::try_from(browse.lanes.len()).unwrap_or(i64::MAX).max(1);
            let wanted = i64::try_from(most).unwrap_or(i64::MAX);
            let step = if all == 1 { wanted } else { wanted.saturating_mul(2) / all };
            browse.step = step.max(LEAST_AT_FIRST);
        }
        let step = browse.step.clamp(LEAST, most_at_once);
        let share = KEPT_BYTES / browse.lanes.len().max(1);
        let part = |&index: &usize| {
            let lane = &browse.lanes[index];
            // What is known to be there is read alone.
            let step = if lane.ahead.is_some() { 1 } else { step };
            let (from, to) = match browse.direction {
                Direction::Older => (lane.near.saturating_sub(step).max(lane.far), lane.near),
                Direction::Newer => (lane.near, lane.near.saturating_add(step).min(lane.far)),
            };
            Part { lane: index, from, to, is_due: lane.ahead.is_some(), ..Part::default() }
        };
        let mut parts: Vec<_> = open.iter().map(part).collect();
        let by_partition: HashMap<i32, usize> =
            parts.iter().enumerate().map(|(index, part)| (browse.lanes[part.lane].partition, index)).collect();
        self.assign(&browse.topic, parts.iter().map(|part| (browse.lanes[part.lane].partition, part.from)))?;

        let began = Instant::now();
        // When the first of it came, and the last.
        let mut came: Option<(Instant, Instant)> = None;
        let (mut left, mut kept) = (parts.len(), browse.kept_bytes);
        while left > 0 {
            let until = match came {
                Some((first, _)) => turn.until.max(first + SLOW).min(turn.at_latest),
                None if !has_moved => turn.at_latest,
                None => turn.until,
            };
            let time = until.saturating_duration_since(Instant::now());
            if time.is_zero() || turn.asker.strong_count() == 0 {
                break;
            }
            // rdkafka cuts time-outs to whole milliseconds, and a time-out of 0 would not wait at all.
            let polled = self.consumer.poll(time.clamp(Duration::from_millis(1), POLL));
            let index = match &polled {
                Some(Ok(message)) if message.topic() == browse.topic => by_partition.get(&message.partition()),
                Some(Err(KafkaError::PartitionEOF(partition))) => by_partition.get(partition),
                Some(Err(error)) => match refusal(error) {
                    Some(refusal) => return Err(refusal),
                    // A connection's trouble may pass before the deadline.
                    None => None,
                },
                _ => None,
            };
            let Some(part) = index.map(|&index| &mut parts[index]).filter(|part| !part.is_done) else { continue };
            let first = came.map_or_else(Instant::now, |(first, _)| first);
            match polled {
                Some(Ok(message)) => {
                    kept -= part.bytes;
                    let room = Room { records: most, bytes: share, left: KEPT_BYTES.saturating_sub(kept) };
                    part.take(&message, browse, room);
                    kept += part.bytes;
                }
                _ => (part.is_done, part.ended) = (true, true),
            }
            left -= usize::from(part.is_done);
            came = Some((first, Instant::now()));
        }
        browse.took = began.elapsed();
        // One record that was due says nothing of a stretch.
        if parts.iter().any(|part| !part.is_due) {
            let took = came.map_or(Duration::ZERO, |(first, last)| last - first);
            let is_cut_off = parts.iter().any(|part| !part.is_done && part.last.is_some());
            browse.step = next_step(step, took, left == 0, is_cut_off);
        }
        Ok(parts.into_iter().fold(false, |has_moved, part| browse.keep(part) | has_moved))
    }
}

/// How many offsets are read next, after so many whose records came within `took`, from the first to the last. Where not all of them were
/// read, partitions of which nothing came would not come sooner if less were asked for: only one that was cut off says that it was too
/// much, or that records kept coming.
fn next_step(step: i64, took: Duration, is_whole: bool, is_cut_off: bool) -> i64 {
    match is_whole {
        true if took < FAST => step.saturating_mul(2).min(MOST),
        true if took > SLOW => (step / 2).max(LEAST),
        false if is_cut_off || took > FAST => (step / 4).max(LEAST),
        _ => step,
    }
}

impl Browse {
    /// Keeps what a part of a lane gave. Whether that came further.
    fn keep(&mut self, part: Part) -> bool {
        let lane = &mut self.lanes[part.lane];
        // Back: below what was read lies nothing, but above it something may.
        if self.direction == Direction::Older && !part.is_done {
            return false;
        }
        let before = lane.near;
        let found = part.found.into_iter().map(|(record, _)| record);
        match self.direction {
            Direction::Newer => {
                // What was read before the time was over counts too.
                let seen = part.last.map_or(part.from, |last| last + 1);
                lane.near = match part.cut {
                    Some(cut) => cut,
                    None if part.is_done && !part.ended => part.to,
                    None => seen,
                };
                lane.ended = part.ended;
                lane.edge = part.times.map(|(_, last)| last).or(lane.edge);
                lane.kept.extend(found);
            }
            Direction::Older => {
                if part.ended && lane.near == lane.start {
                    lane.start = part.last.map_or(part.from, |last| last + 1);
                }
                lane.near = part.cut.unwrap_or(part.from);
                let first = part.times.map(|(first, _)| first);
                lane.kept.extend(found.rev());
                // What was let go is not known to this lane.
                lane.edge = match (part.cut, lane.kept.back()) {
                    (Some(_), Some(record)) => Some(rank(record).0),
                    (Some(_), None) => part.ahead.or(lane.edge),
                    (None, _) => first.or(lane.edge),
                };
            }
        }
        lane.ahead = part.ahead.filter(|_| lane.kept.is_empty());
        self.kept_bytes += part.bytes;
        self.judged.looked += part.judged.looked - part.again.looked;
        self.judged.failed += part.judged.failed - part.again.failed;
        lane.near != before || lane.ended || lane.ahead.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Data, Timestamp};

    fn record(partition: i32, offset: i64, at: Millis) -> Record {
        Record {
            seq: 0,
            topic: "t".into(),
            partition,
            offset,
            timestamp: Timestamp::Created(at),
            received: 0,
            flags: Flags::LOADED,
            key: None,
            value: None,
            headers: Vec::new(),
            headers_left_out: 0,
        }
    }

    fn browse(direction: Direction, lanes: &[(i64, i64)]) -> Browse {
        let stretches = lanes.iter().zip(0..).map(|(&(from, to), partition)| Stretch { partition, from, to });
        Browse::new("t", direction, stretches, Arc::new(|_| Some(true)), false)
    }

    /// A part of a lane that was read from offset to offset, in which these were found.
    fn part(lane: usize, from: i64, to: i64, found: &[Record]) -> Part {
        let times = found.first().zip(found.last()).map(|(first, last)| (rank(first).0, rank(last).0));
        let found = found.iter().map(|record| (record.clone(), Judged::default())).collect();
        Part { lane, from, to, is_done: true, last: Some(to - 1), times, found, ..Part::default() }
    }

    fn given(browse: &mut Browse) -> Vec<(i32, i64)> {
        let mut given = Vec::new();
        browse.give(100, &mut given, &mut 0);
        given.iter().map(|record| (record.partition, record.offset)).collect()
    }

    #[test]
    fn nothing_is_handed_out_that_something_unread_may_precede() {
        let mut browse = browse(Direction::Older, &[(10, 0), (10, 0)]);
        assert_eq!(browse.open(), [0, 1]);
        browse.keep(part(0, 8, 10, &[record(0, 8, 80), record(0, 9, 90)]));
        assert_eq!((given(&mut browse), browse.open()), (vec![], vec![1]), "partition 1 is not known at all");
        browse.keep(part(1, 8, 10, &[record(1, 9, 85)]));
        // Of partition 1, what is older than 85 may still be newer than 80; so nothing is known after its record.
        assert_eq!((given(&mut browse), browse.open()), (vec![(0, 9), (1, 9)], vec![1]));
        assert_eq!(browse.positions(), [(0, 9), (1, 8)], "what waits comes again to who goes on from here");
        browse.keep(part(1, 6, 8, &[record(1, 6, 10)]));
        assert_eq!(given(&mut browse), [(0, 8)]);
        assert_eq!((browse.open(), browse.progress()), (vec![0], (6, 14)));
    }

    #[test]
    fn equal_times_come_by_partition_and_the_other_way_round_in_the_other_direction() {
        let lanes = |direction, from, to| {
            let mut browse = browse(direction, &[(from, to), (from, to)]);
            for lane in [1, 0] {
                let partition = i32::try_from(lane).unwrap();
                browse.keep(part(lane, 0, 2, &[record(partition, 0, 5), record(partition, 1, 5)]));
            }
            assert!(browse.is_read());
            given(&mut browse)
        };
        let forward = lanes(Direction::Newer, 0, 2);
        assert_eq!(forward, [(0, 0), (0, 1), (1, 0), (1, 1)]);
        assert_eq!(lanes(Direction::Older, 2, 0), forward.into_iter().rev().collect::<Vec<_>>());
    }

    #[test]
    fn the_order_inside_a_partition_is_its_offsets_whatever_the_clocks_said() {
        let mut browse = browse(Direction::Newer, &[(0, 3), (0, 1)]);
        browse.keep(part(0, 0, 3, &[record(0, 0, 50), record(0, 1, 10), record(0, 2, 60)]));
        browse.keep(part(1, 0, 1, &[record(1, 0, 55)]));
        assert_eq!(given(&mut browse), [(0, 0), (0, 1), (1, 0), (0, 2)]);
        assert!(browse.is_done());
    }

    #[test]
    fn what_the_first_record_costs_makes_no_stretch_shorter() {
        let (short, long) = (FAST / 2, SLOW * 2);
        assert_eq!(next_step(100, short, true, false), 200, "however late the first of them came");
        assert_eq!(next_step(100, FAST, true, false), 100);
        assert_eq!(next_step(100, long, true, false), 50);
        assert_eq!(next_step(MOST, short, true, false), MOST);
        // Nothing came, or nothing of some partitions.
        assert_eq!(next_step(100, Duration::ZERO, false, false), 100);
        assert_eq!(next_step(100, short, false, false), 100);
        // It was too much.
        assert_eq!(next_step(100, short, false, true), 25);
        assert_eq!(next_step(100, long, false, false), 25);
        assert_eq!(next_step(LEAST, long, false, true), LEAST);
    }

    #[test]
    fn a_stretch_that_was_not_read_to_its_end_counts_forward_only() {
        let unfinished = |lane, from, to| Part { is_done: false, last: Some(from), ..part(lane, from, to, &[]) };
        let mut back = browse(Direction::Older, &[(10, 0)]);
        assert!(!back.keep(unfinished(0, 5, 10)));
        assert_eq!(back.positions(), [(0, 10)]);
        let mut forward = browse(Direction::Newer, &[(0, 10)]);
        assert!(forward.keep(unfinished(0, 0, 5)));
        assert_eq!(forward.positions(), [(0, 1)]);
    }

    /// A record of so many bytes.
    fn heavy(partition: i32, offset: i64, at: Millis, bytes: usize) -> Record {
        Record { value: Some(Data::whole(vec![b'x'; bytes])), ..record(partition, offset, at) }
    }

    /// Reads what `open` says, from logs of one record of 1,000 bytes each offset, as `read_on` does it; `fails` at these offsets.
    fn read_on(
        browse: &mut Browse,
        step: i64,
        most: usize,
        all: usize,
        time: impl Fn(i32, i64) -> Millis,
        fails: &[i64],
    ) {
        let mut kept = browse.kept_bytes;
        let parts: Vec<_> = browse
            .open()
            .into_iter()
            .map(|index| {
                let lane = &browse.lanes[index];
                let step = if lane.ahead.is_some() { 1 } else { step };
                let (from, to) = match browse.direction {
                    Direction::Older => ((lane.near - step).max(lane.far), lane.near),
                    Direction::Newer => (lane.near, (lane.near + step).min(lane.far)),
                };
                let mut part = Part { lane: index, from, to, is_due: lane.ahead.is_some(), ..Part::default() };
                for offset in from..to {
                    let room = Room { records: most, bytes: usize::MAX, left: all.saturating_sub(kept - part.bytes) };
                    kept -= part.bytes;
                    if !part.is_done && part.reaches(offset, browse.direction, room) {
                        let (at, failed) = (time(lane.partition, offset), fails.contains(&offset));
                        let found = (!failed).then(|| heavy(lane.partition, offset, at, 1_000));
                        part.see(offset, at, found, failed, browse.direction, room);
                    }
                    kept += part.bytes;
                }
                part
            })
            .collect();
        for part in parts {
            browse.keep(part);
        }
    }

    #[test]
    fn of_many_partitions_no_more_is_kept_than_there_is_room_for_and_the_order_stays() {
        let time = |partition: i32, offset: i64| offset * 10 + i64::from(partition * 7 % 10);
        for (direction, from, to) in [(Direction::Older, 6, 0), (Direction::Newer, 0, 6)] {
            let mut browse = browse(direction, &[(from, to); 10]);
            let (mut got, mut most) = (Vec::new(), 0);
            for _ in 0..1_000 {
                browse.give(1_000, &mut got, &mut 0);
                if browse.is_done() {
                    break;
                }
                read_on(&mut browse, 4, 1_000, 3_000, time, &[]);
                most = most.max(browse.kept_bytes());
            }
            assert!(browse.is_done() && most <= 4_000, "{direction:?}: {most} bytes kept");
            assert_eq!((got.len(), browse.kept_bytes()), (60, 0), "{direction:?}");
            let ranks: Vec<_> = got.iter().map(rank).collect();
            assert!(ranks.is_sorted_by(|a, b| order(direction, *a, *b).is_lt()), "{direction:?} {ranks:?}");
            assert_eq!(browse.looked(), 60, "{direction:?}: what is read again is counted once");
        }
    }

    #[test]
    fn what_was_let_go_and_is_read_again_is_counted_once() {
        let mut browse = browse(Direction::Older, &[(8, 0)]);
        // Five and seven are kept, and six failed between them; what lies below was let go, with two, which failed.
        read_on(&mut browse, 8, 2, usize::MAX, |_, offset| offset, &[2, 6]);
        assert_eq!((browse.positions(), browse.looked(), browse.failed()), (vec![(0, 8)], 3, 1));
        while !browse.is_done() {
            given(&mut browse);
            read_on(&mut browse, 8, 2, usize::MAX, |_, offset| offset, &[2, 6]);
        }
        assert_eq!((browse.looked(), browse.failed()), (8, 2));
    }
}
