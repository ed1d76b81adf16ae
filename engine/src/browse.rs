//! Looking through a topic's records without a group: what an address asks for, a page of it, and a search that goes on for as long as
//! somebody waits. How records of several partitions are put in order, and how much is read at a time, is decided in `kafka`.

use crate::{Engine, shared};
use feed::Sieve;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use kafka::{Browse, Came, Partition, Reader, Stretch, Wants};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use wire::{
    BrowseCursor, BrowseNotice, Direction, Filter, LogRange, Millis, QueryError, ReadError, Record, RecordPage, Topic,
    Unread, UnreadReason,
};

/// How many records a page has, if nobody says otherwise, and at most.
pub const RECORDS: usize = 50;
/// See [`RECORDS`].
pub const MOST_RECORDS: usize = 500;
/// How long Kafka may keep still while it is asked, before a search is given up; and how long one waits for its turn.
const SILENCE: Duration = Duration::from_secs(5);

/// What an address asks for, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BrowseQuery {
    /// `newest`, `oldest`, `offset` or `time`. Empty: where an offset or a time is given, from there; else from the newest.
    pub from: String,
    /// The offset to begin with.
    pub offset: String,
    /// The time to begin with: see [`time`].
    pub time: String,
    /// Where the range ends that begins there: back to this time, where it begins with the newest, else up to it. Empty: with the log.
    pub until: String,
    /// The partition's number. Empty: all.
    pub partition: String,
    /// What records have to match: see [`Filter::text`].
    pub filter: String,
    /// How many records.
    pub limit: String,
    /// A cursor of a page before.
    pub at: String,
}

/// The names of a query's fields in an address, in their order.
const PARAMETERS: [&str; 8] = ["from", "offset", "time", "until", "partition", "filter", "limit", "at"];

impl BrowseQuery {
    /// Of the parameters of an address. Others are passed over.
    pub fn of<K: AsRef<str>, V: Into<String>>(parameters: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut query = Self::default();
        for (name, value) in parameters {
            if let Some((_, field)) = query.fields_mut().find(|(known, _)| *known == name.as_ref()) {
                *field = value.into();
            }
        }
        query
    }

    /// The parameters of an address that are not empty.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let Self { from, offset, time, until, partition, filter, limit, at } = self;
        let values = [from, offset, time, until, partition, filter, limit, at];
        PARAMETERS.into_iter().zip(values.map(String::as_str)).filter(|(_, value)| !value.is_empty())
    }

    fn fields_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut String)> {
        let Self { from, offset, time, until, partition, filter, limit, at } = self;
        PARAMETERS.into_iter().zip([from, offset, time, until, partition, filter, limit, at])
    }

    /// Where it begins, by the name that a form has for it.
    pub fn begins(&self) -> &str {
        match (self.from.trim(), self.offset.trim(), self.time.trim()) {
            ("", "", "") => "newest",
            ("", "", _) => "time",
            ("", _, _) => "offset",
            (from, ..) => from,
        }
    }

    /// What it means, of a page.
    ///
    /// # Errors
    /// Every field that broke a rule, in the form's order.
    pub fn read(&self) -> Result<BrowseRequest, Vec<BrowseFault>> {
        self.read_up_to(MOST_RECORDS)
    }

    /// What it means where up to so many records may be asked for.
    ///
    /// # Errors
    /// See [`Self::read`].
    pub fn read_up_to(&self, most: usize) -> Result<BrowseRequest, Vec<BrowseFault>> {
        let mut faults = Vec::new();
        let mut refuse = |field, rule| faults.push(BrowseFault { field, rule });
        let now = crate::now();
        let start = match self.begins() {
            "newest" => Start::Newest,
            "oldest" => Start::Oldest,
            "offset" => match number(&self.offset) {
                Some(offset) => Start::Offset(offset),
                None => {
                    refuse(BrowseField::Offset, BrowseRule::Number);
                    Start::Newest
                }
            },
            "time" => match time(&self.time, now) {
                Some(time) => Start::Time(time),
                None => {
                    refuse(BrowseField::Time, BrowseRule::Time);
                    Start::Newest
                }
            },
            _ => {
                refuse(BrowseField::From, BrowseRule::From);
                Start::Newest
            }
        };
        let mut until = None;
        if !self.until.trim().is_empty() {
            match (time(&self.until, now), start) {
                (None, _) => refuse(BrowseField::Until, BrowseRule::Time),
                (Some(until), Start::Time(from)) if until <= from => refuse(BrowseField::Until, BrowseRule::After),
                (time, _) => until = time,
            }
        }
        let mut partition = None;
        if !self.partition.trim().is_empty() {
            partition = number(&self.partition).and_then(|number| i32::try_from(number).ok());
            if partition.is_none() {
                refuse(BrowseField::Partition, BrowseRule::Number);
            }
        }
        let sieve = Sieve::of(&Filter { text: self.filter.clone(), ..Filter::default() });
        let sieve = sieve.unwrap_or_else(|error| {
            refuse(BrowseField::Filter, BrowseRule::Filter(error));
            Arc::default()
        });
        let limit = match (self.limit.trim(), number(&self.limit).and_then(|limit| usize::try_from(limit).ok())) {
            ("", _) => RECORDS,
            (_, Some(limit)) if (1..=most).contains(&limit) => limit,
            _ => {
                refuse(BrowseField::Limit, BrowseRule::Limit { most });
                RECORDS
            }
        };
        let mut at = None;
        if !self.at.is_empty() {
            at = self.at.parse().ok();
            if at.is_none() {
                refuse(BrowseField::At, BrowseRule::Cursor);
            }
        }
        if faults.is_empty() { Ok(BrowseRequest { start, until, partition, sieve, limit, at }) } else { Err(faults) }
    }
}

fn number(text: &str) -> Option<i64> {
    text.trim().parse().ok().filter(|number| *number >= 0)
}

/// Milliseconds since 1970 of what people and programs write: RFC 3339; the same without an offset from UTC, which means UTC; the
/// milliseconds themselves; or how long before `now`, `-15m` (`s`, `m`, `h`, `d`).
pub fn time(text: &str, now: Millis) -> Option<Millis> {
    // People type the minus that books print.
    let text = text.trim().replace('−', "-");
    let ago = || {
        let text = text.strip_prefix('-')?;
        let unit = match text.chars().last()? {
            's' => 1_000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            _ => return None,
        };
        let ago = text[..text.len() - 1].trim_end().parse::<i64>().ok().filter(|ago| *ago >= 0)?;
        now.checked_sub(ago.checked_mul(unit)?)
    };
    // A bare number of four digits would be a year to nobody, and a time in 1970.
    let millis = || text.parse::<i64>().ok().filter(|millis| *millis >= 0);
    ago().or_else(millis).or_else(|| moment(&text))
}

/// Milliseconds since 1970; with an offset from UTC (RFC 3339), or without one, which means UTC. Also as pages write it, with a space before
/// the offset.
pub fn moment(text: &str) -> Option<Millis> {
    let text = text.replacen(" +", "+", 1).replacen(" -", "-", 1);
    let zoned = text.parse::<Timestamp>().ok();
    let plain = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    zoned.or_else(plain).map(Timestamp::as_millisecond)
}

/// A field of a [`BrowseQuery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the query's")]
pub enum BrowseField {
    From,
    Offset,
    Time,
    Until,
    Partition,
    Filter,
    Limit,
    At,
}

impl BrowseField {
    /// Its name in an address.
    pub fn name(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::Offset => "offset",
            Self::Time => "time",
            Self::Until => "until",
            Self::Partition => "partition",
            Self::Filter => "filter",
            Self::Limit => "limit",
            Self::At => "at",
        }
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrowseRule {
    /// It names no beginning.
    #[error("newest, oldest, offset or time")]
    From,
    /// It is no whole number from 0 on.
    #[error("a whole number from 0 on")]
    Number,
    /// It is no time.
    #[error("a time: RFC 3339, in UTC where it has no offset; milliseconds since 1970; or how long ago, like -15m")]
    Time,
    /// It does not lie after the time where the range begins.
    #[error("after the time where it begins")]
    After,
    /// The topic has not so many partitions.
    #[error("0 to {}: the topic has so many partitions", of.saturating_sub(1))]
    UnknownPartition {
        /// How many it has.
        of: u32,
    },
    /// The filter can't be read.
    #[error("{0}")]
    Filter(QueryError),
    /// It is not within its bounds.
    #[error("{}", if *most == usize::MAX { "a whole number from 1 on".to_owned() } else { format!("1 to {most}") })]
    Limit {
        /// The upper one; `usize::MAX`: there is none.
        most: usize,
    },
    /// It is no cursor.
    #[error("a cursor that a page gave, or nothing")]
    Cursor,
}

/// A field that broke a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {rule}", field.name())]
pub struct BrowseFault {
    /// Which one.
    pub field: BrowseField,
    /// The rule.
    pub rule: BrowseRule,
}

/// What a [`BrowseQuery`] means.
#[derive(Debug, Clone)]
pub struct BrowseRequest {
    start: Start,
    until: Option<Millis>,
    partition: Option<i32>,
    sieve: Arc<Sieve>,
    limit: usize,
    at: Option<BrowseCursor>,
}

#[derive(Debug, Clone, Copy)]
enum Start {
    Newest,
    Oldest,
    Offset(i64),
    Time(Millis),
}

impl BrowseRequest {
    /// The same records in the order of the log, where they would be read back from the newest.
    #[must_use]
    pub fn in_log_order(self) -> Self {
        match self.start {
            Start::Newest => Self { start: self.until.map_or(Start::Oldest, Start::Time), until: None, ..self },
            _ => self,
        }
    }

    /// Whether records are looked into, of which many may have to be read for one that is found.
    pub fn is_search(&self) -> bool {
        !self.sieve.is_empty()
    }

    /// How many records are asked for.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The same from a place where it was before.
    pub fn from(self, at: BrowseCursor) -> Self {
        Self { at: Some(at), ..self }
    }
}

/// Why nothing is looked through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrowseError {
    /// What is asked for can't be.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<BrowseFault>),
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It had no turn, or hardly one: Kafka was not asked.
    #[error("too many look through topics at the moment: try again")]
    Busy,
}

impl From<Vec<BrowseFault>> for BrowseError {
    fn from(faults: Vec<BrowseFault>) -> Self {
        Self::Invalid(faults)
    }
}

/// A topic that is being looked through.
pub struct Search {
    reader: Reader,
    browse: Browse,
    /// What can be read of the partitions: sorted, and side by side with their logs.
    ranges: Vec<Range>,
    unread: Vec<Unread>,
    /// Where it would be in those of them of which that is known, by the cursor that it began with.
    left_out: Vec<(i32, i64)>,
    notice: Option<BrowseNotice>,
    /// How many offsets the pages before passed over.
    carried: u64,
    began: Instant,
}

/// What is looked through of a partition.
#[derive(Debug, Clone, Copy)]
struct Range {
    log: LogRange,
    low: i64,
    high: i64,
    start: i64,
}

impl Search {
    /// Reads on until so many records are found, or the time is over: then there may be fewer, or none. In their order. It takes longer
    /// where it waits for its turn, or records come slowly: about five seconds at most.
    ///
    /// # Errors
    /// When Kafka refuses, or keeps still for five seconds in which it is asked; and [`BrowseError::Busy`], after which it can go on.
    pub async fn next(&mut self, most: usize, within: Duration) -> Result<Vec<Record>, BrowseError> {
        let (records, came) = self.reader.browse(&mut self.browse, most, within, SILENCE).await?;
        match came {
            Came::NoTurn => Err(BrowseError::Busy),
            Came::Nowhere if self.browse.in_vain() >= SILENCE => Err(self.silence().into()),
            Came::Nowhere | Came::Further => Ok(records),
        }
    }

    fn silence(&self) -> ReadError {
        self.reader.silence(self.browse.in_vain())
    }

    /// The partitions that it leaves out, for they can't be read: those without a leader, and those of which it was not told in time
    /// where they begin and end, or where a time is in them.
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// What was found and not handed out, though something may still belong before it; up to so many.
    pub fn rest(&mut self, most: usize) -> Vec<Record> {
        self.browse.take(most)
    }

    /// Whether everything was read and handed out.
    pub fn is_done(&self) -> bool {
        self.browse.is_done()
    }

    /// How many offsets were passed over, and how many there are in all.
    pub fn progress(&self) -> (u64, u64) {
        let (passed, left) = self.browse.progress();
        let passed = self.carried.saturating_add(passed);
        (passed, passed.saturating_add(left))
    }

    /// Where one goes on who has what was handed out so far.
    pub fn cursor(&self) -> BrowseCursor {
        let positions = self.browse.positions();
        let starts = self.browse.starts();
        let passed = starts.iter().zip(&positions).map(|((_, start), (_, now))| start.abs_diff(*now)).sum::<u64>();
        self.cursor_at(self.browse.direction(), self.carried.saturating_add(passed), positions)
    }

    /// A cursor at these positions, and where it would be in the partitions that are left out.
    fn cursor_at(&self, direction: Direction, passed: u64, mut positions: Vec<(i32, i64)>) -> BrowseCursor {
        positions.extend(&self.left_out);
        positions.sort_unstable();
        let has_no_place = |unread: &&Unread| self.left_out.iter().all(|(partition, _)| *partition != unread.partition);
        let unread = self.unread.iter().filter(has_no_place).map(|unread| unread.partition).collect();
        BrowseCursor { direction, passed, positions, unread }
    }

    /// A page of these records, which were handed out since it began.
    pub fn page(&self, records: Vec<Record>, is_complete: bool) -> RecordPage {
        let direction = self.browse.direction();
        let (scanned, of) = self.progress();
        let onward = self.cursor();
        let back = self.cursor_at(direction.turned(), 0, self.browse.starts());
        let (older, newer, from) = match direction {
            Direction::Older => (onward, back, self.browse.positions()),
            Direction::Newer => (back, onward, self.browse.starts()),
        };
        let mut begins = self.ranges.iter().zip(self.browse.starts());
        let at_end = match direction {
            // Back from an end that was not yet decided, it begins before that.
            Direction::Older => begins.all(|(range, (_, start))| start >= range.high || start != range.start),
            Direction::Newer => self.is_done(),
        };
        let lies_above = |(range, (_, position)): (&Range, &(i32, i64))| *position > range.low;
        let has_older =
            self.ranges.iter().zip(&from).any(lies_above) || self.left_out.iter().any(|(_, position)| *position > 0);
        RecordPage {
            records,
            direction,
            older: has_older.then_some(older),
            newer,
            at_end,
            is_complete,
            scanned,
            of,
            looked: self.browse.looked(),
            failed: self.browse.failed(),
            took_ms: u32::try_from(self.began.elapsed().as_millis()).unwrap_or(u32::MAX),
            notice: self.notice,
            partitions: self.ranges.iter().map(|range| range.log).collect(),
            unread: self.unread.clone(),
        }
    }
}

impl Engine {
    /// A page of a topic's records, read by no group, within about this time: fewer records than were asked for, where that was not
    /// enough.
    ///
    /// # Errors
    /// See [`BrowseError`].
    pub async fn browse(
        &self,
        topic: &str,
        request: &BrowseRequest,
        within: Duration,
    ) -> Result<RecordPage, BrowseError> {
        let until = Instant::now() + within;
        let topic = self.browsed_topic(topic, within).await?;
        self.browse_of(&topic, request, until.saturating_duration_since(Instant::now())).await
    }

    /// The same of a topic that was just looked up.
    ///
    /// # Errors
    /// See [`BrowseError`].
    pub async fn browse_of(
        &self,
        topic: &Topic,
        request: &BrowseRequest,
        within: Duration,
    ) -> Result<RecordPage, BrowseError> {
        let until = Instant::now() + within;
        let mut search = self.search_of(topic, request, false, within).await?;
        let left = until.saturating_duration_since(Instant::now());
        let (mut records, came) = search.reader.browse(&mut search.browse, request.limit, left, left).await?;
        let (passed, of) = search.browse.progress();
        if passed == 0 && of > 0 && records.is_empty() {
            // Kafka is not to blame for what was waited for others.
            let is_busy = came == Came::NoTurn || search.browse.in_vain() < left / 2;
            return Err(if is_busy { BrowseError::Busy } else { search.silence().into() });
        }
        // The time is over: what was found is something.
        records.extend(search.rest(request.limit - records.len()));
        let is_complete = records.len() >= request.limit || search.is_done();
        Ok(search.page(records, is_complete))
    }

    /// Begins to look through a topic, for as long as somebody wants to. `is_whole`: its records are not cut to what fits a message to a
    /// tab.
    ///
    /// # Errors
    /// See [`BrowseError`].
    pub async fn search(&self, topic: &str, request: &BrowseRequest, is_whole: bool) -> Result<Search, BrowseError> {
        let topic = self.browsed_topic(topic, SILENCE).await?;
        self.search_of(&topic, request, is_whole, SILENCE).await
    }

    async fn browsed_topic(&self, name: &str, within: Duration) -> Result<Topic, ReadError> {
        let unknown = || ReadError::UnknownTopic { topic: name.into() };
        wire::check_topic_name(name).map_err(|_| unknown())?;
        let topic = self.admin.topic(name, within).await;
        topic.map_err(shared::unread)?.ok_or_else(unknown)
    }

    async fn search_of(
        &self,
        topic: &Topic,
        request: &BrowseRequest,
        is_whole: bool,
        within: Duration,
    ) -> Result<Search, BrowseError> {
        let began = Instant::now();
        let of = u32::try_from(topic.partitions.len()).unwrap_or(u32::MAX);
        let (mut ranges, mut unread) = logs(topic, request.partition);
        if ranges.is_empty() && unread.is_empty() && request.partition.is_some() {
            let rule = BrowseRule::UnknownPartition { of };
            return Err(BrowseError::Invalid(vec![BrowseFault { field: BrowseField::Partition, rule }]));
        }
        let places: Vec<_> =
            ranges.iter().map(|range| Partition::new(topic.name.as_str(), range.log.partition)).collect();
        let at_time = async |time: Option<Millis>| {
            let Some(time) = time.filter(|_| !places.is_empty()) else { return Ok(None) };
            let left = within.saturating_sub(began.elapsed());
            let found = self.admin.offsets_for_time(&places, time, left).await;
            let found = found.map_err(shared::unread)?;
            let offsets = found.into_iter().map(|(place, offset)| (place.partition, offset));
            Ok::<Option<AtTime>, ReadError>(Some(offsets.collect()))
        };
        // Of a page on which no partition could be read there is nothing to go on from.
        let at = request.at.as_ref().filter(|cursor| !cursor.positions.is_empty());
        let begins_at = match request.start {
            Start::Time(time) if at.is_none() => Some(time),
            _ => None,
        };
        let (bounds, begins) = tokio::join!(at_time(request.until), at_time(begins_at));
        let (bounds, begins) = (bounds?, begins?);
        for found in [&bounds, &begins].into_iter().flatten() {
            without_time(&mut ranges, &mut unread, found);
        }
        let is_back = matches!(request.start, Start::Newest);
        for range in &mut ranges {
            if let Some(bound) = bounds.as_ref().and_then(|bounds| offset_in(bounds, range.log.partition)) {
                let bound = bound.clamp(range.low, range.high);
                *(if is_back { &mut range.low } else { &mut range.high }) = bound;
            }
        }

        let (direction, notice, carried) = match at {
            Some(cursor) => {
                resume(&mut ranges, &mut unread, cursor);
                (cursor.direction, None, cursor.passed)
            }
            None => {
                // A range, a search and a file hold what was asked for, and nothing else.
                let is_page = !is_whole && request.until.is_none() && !request.is_search();
                let (direction, notice) = begin(&mut ranges, request.start, begins.as_ref(), is_page);
                (direction, notice, 0)
            }
        };
        unread.sort_by_key(|unread| unread.partition);
        let is_unread = |partition| unread.iter().any(|unread| unread.partition == partition);
        let left_out = at.iter().flat_map(|cursor| &cursor.positions).copied();
        let left_out = left_out.filter(|(partition, _)| is_unread(*partition)).collect();

        let stretch = |range: &Range| Stretch {
            partition: range.log.partition,
            from: range.start,
            to: if direction == Direction::Older { range.low } else { range.high },
        };
        let sieve = Arc::clone(&request.sieve);
        let wants: Wants = if sieve.is_empty() {
            Arc::new(|_| Some(true))
        } else {
            Arc::new(move |record| sieve.lets_through(record))
        };
        let browse = Browse::new(&topic.name, direction, ranges.iter().map(stretch), wants, is_whole);
        Ok(Search { reader: self.browsing.clone(), browse, ranges, unread, left_out, notice, carried, began })
    }
}

/// Begins where the ranges are asked to begin: which way, and what has to be said. Where that is beyond the logs' ends, a page shows the last
/// records instead.
fn begin(
    ranges: &mut [Range],
    start: Start,
    begins: Option<&AtTime>,
    is_page: bool,
) -> (Direction, Option<BrowseNotice>) {
    let wanted = |range: &Range| match start {
        Start::Newest => range.high,
        Start::Oldest => range.low,
        Start::Offset(offset) => offset,
        Start::Time(_) => begins.and_then(|begins| offset_in(begins, range.log.partition)).unwrap_or(range.high),
    };
    let held = || ranges.iter().filter(|range| range.log.first < range.log.end);
    // What a range ends before may be there: it is the log that decides.
    let is_beyond = held().next().is_some() && held().all(|range| wanted(range) >= range.log.end);
    let notice = match start {
        Start::Offset(_) if is_beyond => {
            held().map(|range| range.log.end).max().map(|end| BrowseNotice::NotYet { end })
        }
        Start::Offset(offset) if held().all(|range| offset < range.log.first) => {
            held().map(|range| range.log.first).min().map(|first| BrowseNotice::Deleted { first })
        }
        Start::Time(_) if is_beyond => Some(BrowseNotice::TimeBeyondEnd),
        _ => None,
    };
    let is_turned = is_beyond && is_page && notice.is_some();
    let direction = if is_turned || matches!(start, Start::Newest) { Direction::Older } else { Direction::Newer };
    for range in ranges {
        range.start = wanted(range).clamp(range.low, range.high);
    }
    (direction, notice)
}

/// Goes on where a cursor is. A partition that was added since is newer than what was read; one that could not be read where it began is
/// left out, for nobody knows where in it that was.
fn resume(ranges: &mut Vec<Range>, unread: &mut Vec<Unread>, cursor: &BrowseCursor) {
    let known: HashMap<_, _> = cursor.positions.iter().copied().collect();
    ranges.retain_mut(|range| {
        let partition = range.log.partition;
        let position = known.get(&partition).copied();
        if position.is_none() && cursor.unread.contains(&partition) {
            unread.push(Unread { partition, reason: UnreadReason::SinceTheBeginning });
            return false;
        }
        range.start = position.unwrap_or(range.low).clamp(range.low, range.high);
        true
    });
}

/// Where a time is in partitions, or why that can't be told.
type AtTime = HashMap<i32, Result<i64, String>>;

fn offset_in(found: &AtTime, partition: i32) -> Option<i64> {
    found.get(&partition)?.as_ref().ok().copied()
}

/// What can be looked through of a topic, or of one partition of it, and what can't.
fn logs(topic: &Topic, of: Option<i32>) -> (Vec<Range>, Vec<Unread>) {
    let (mut ranges, mut unread) = (Vec::new(), Vec::new());
    for partition in &topic.partitions {
        let number = partition.partition;
        if of.is_some_and(|wanted| wanted != number) {
            continue;
        }
        match partition.first.zip(partition.end) {
            Some((first, end)) => {
                let log = LogRange { partition: number, first, end: end.max(first) };
                ranges.push(Range { log, low: first, high: log.end, start: first });
            }
            None => {
                let reason = match (&partition.unknown, partition.leader) {
                    (_, None) => UnreadReason::NoLeader,
                    (Some(reason), _) => UnreadReason::Refused(reason.clone()),
                    (None, _) => UnreadReason::Late,
                };
                unread.push(Unread { partition: number, reason });
            }
        }
    }
    (ranges, unread)
}

/// What can't be looked through, for it is not known where a time is in it, becomes unread.
fn without_time(ranges: &mut Vec<Range>, unread: &mut Vec<Unread>, found: &AtTime) {
    ranges.retain(|range| {
        let partition = range.log.partition;
        let reason = match found.get(&partition) {
            Some(Ok(_)) => return true,
            Some(Err(reason)) => UnreadReason::Refused(reason.clone()),
            None => UnreadReason::Late,
        };
        unread.push(Unread { partition, reason });
        false
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::TopicPartition;

    #[test]
    fn a_partition_of_which_too_little_is_known_is_unread_and_says_why() {
        let partition = |partition, leader, first: Option<i64>| TopicPartition {
            partition,
            leader,
            replicas: Vec::new(),
            in_sync: Vec::new(),
            first,
            end: first.map(|first| first + 10),
            unknown: (partition == 5).then(|| "Topic authorization failed".into()),
        };
        let known = [
            (0, Some(1), Some(5)),
            (1, None, None),
            (2, Some(1), None),
            (3, Some(1), Some(0)),
            (4, Some(1), Some(0)),
            (5, Some(1), None),
        ];
        let partitions = known.map(|(number, leader, first)| partition(number, leader, first)).into();
        let topic = Topic { name: "t".into(), id: None, partitions };
        let (mut ranges, mut unread) = logs(&topic, None);
        let said = |unread: &[Unread]| -> Vec<_> {
            unread.iter().map(|unread| format!("{}: {}", unread.partition, unread.reason)).collect()
        };
        let late = "2: Kafka did not say in time where it begins and ends, or where a time is in it";
        let refused = "5: Topic authorization failed";
        assert_eq!(said(&unread), ["1: no leader", late, refused]);
        assert!(logs(&topic, Some(3)).1.is_empty(), "nobody asked for the others");

        // A time that was not looked up is neither the log's end nor no bound at all.
        let found = HashMap::from([(0, Ok(7)), (3, Err("broker down".into())), (4, Ok(10))]);
        without_time(&mut ranges, &mut unread, &found);
        assert_eq!(ranges.iter().map(|range| range.log.partition).collect::<Vec<_>>(), [0, 4]);
        assert_eq!(said(&unread), ["1: no leader", late, refused, "3: broker down"]);
    }

    /// A partition whose log goes from 10 to 20, of which this is looked through.
    fn range(partition: i32, low: i64, high: i64) -> Range {
        Range { log: LogRange { partition, first: 10, end: 20 }, low, high, start: low }
    }

    #[test]
    fn what_lies_beyond_the_end_is_empty_but_on_a_page_that_shows_the_last_ones_instead() {
        let at = |offset| AtTime::from([(0, Ok(offset)), (1, Ok(20))]);
        let begin = |start, at: Option<AtTime>, high, is_page| {
            let mut ranges = vec![range(0, 10, high), range(1, 10, 20)];
            let (direction, notice) = begin(&mut ranges, start, at.as_ref(), is_page);
            (direction, notice, ranges[0].start)
        };
        let (older, newer) = (Direction::Older, Direction::Newer);
        let not_yet = Some(BrowseNotice::NotYet { end: 20 });
        for (start, at, high, is_page, expected) in [
            (Start::Newest, None, 20, false, (older, None, 20)),
            (Start::Oldest, None, 20, false, (newer, None, 10)),
            // Nothing is as young as that: a page turns back, a file and a search are empty.
            (Start::Time(5), Some(at(20)), 20, true, (older, Some(BrowseNotice::TimeBeyondEnd), 20)),
            (Start::Time(5), Some(at(20)), 20, false, (newer, Some(BrowseNotice::TimeBeyondEnd), 20)),
            (Start::Offset(99), None, 20, true, (older, not_yet, 20)),
            (Start::Offset(99), None, 20, false, (newer, not_yet, 20)),
            // Nothing lies between the two ends of a range, but there is something younger.
            (Start::Time(5), Some(at(15)), 15, false, (newer, None, 15)),
            (Start::Offset(17), None, 15, false, (newer, None, 15)),
            (Start::Offset(3), None, 20, true, (newer, Some(BrowseNotice::Deleted { first: 10 }), 10)),
        ] {
            assert_eq!(begin(start, at, high, is_page), expected, "{start:?} up to {high}, {is_page}");
        }
        let mut empty = [Range { log: LogRange { partition: 0, first: 7, end: 7 }, low: 7, high: 7, start: 7 }];
        assert_eq!(
            super::begin(&mut empty, Start::Offset(9), None, true),
            (newer, None),
            "an empty log has no end to speak of"
        );
    }

    #[test]
    fn a_partition_that_was_unread_where_it_began_stays_so_and_a_new_one_does_not() {
        let cursor = BrowseCursor { direction: Direction::Newer, passed: 3, positions: vec![(0, 13)], unread: vec![1] };
        let (mut ranges, mut unread) = (vec![range(0, 10, 20), range(1, 10, 20), range(2, 10, 20)], Vec::new());
        resume(&mut ranges, &mut unread, &cursor);
        let starts: Vec<_> = ranges.iter().map(|range| (range.log.partition, range.start)).collect();
        assert_eq!(starts, [(0, 13), (2, 10)], "2 was added since");
        assert_eq!(unread, [Unread { partition: 1, reason: UnreadReason::SinceTheBeginning }]);
    }

    #[test]
    fn where_it_would_be_in_a_partition_that_is_left_out_goes_on_with_the_cursor() {
        let client = kafka::ClientSettings {
            brokers: "127.0.0.1:9".into(),
            instance: "test".into(),
            properties: kafka::Properties::new(),
        };
        let unread = |partition| Unread { partition, reason: UnreadReason::Late };
        let stretch = Stretch { partition: 1, from: 15, to: 10 };
        let search = Search {
            reader: Reader::browsing(&client).unwrap(),
            browse: Browse::new("t", Direction::Older, [stretch], Arc::new(|_| Some(true)), false),
            ranges: vec![Range { start: 15, ..range(1, 10, 20) }],
            unread: vec![unread(0), unread(2)],
            left_out: vec![(0, 12)],
            notice: None,
            carried: 0,
            began: Instant::now(),
        };
        let page = search.page(Vec::new(), true);
        for cursor in [page.older.unwrap(), page.newer] {
            assert_eq!((cursor.positions, cursor.unread), (vec![(0, 12), (1, 15)], vec![2]), "{:?}", cursor.direction);
        }
        assert_eq!(page.unread, [unread(0), unread(2)]);
    }

    #[test]
    fn times_are_read_as_people_and_programs_write_them() {
        let now = 1_795_185_127_418;
        for (text, expected) in [
            ("2026-11-20T14:32:07.418Z", Some(now)),
            ("2026-11-20T22:32:07.418+08:00", Some(now)),
            ("2026-11-20 14:32:07.418", Some(now)),
            ("2026-11-20 22:32:07.418 +08:00", Some(now)),
            ("2026-11-20 09:32:07.418 -05:00", Some(now)),
            ("2026-11-20T14:32", Some(now - 7_418)),
            (" 1795185127418 ", Some(now)),
            ("0", Some(0)),
            ("-15m", Some(now - 900_000)),
            ("−2 h", Some(now - 7_200_000)),
            ("-0s", Some(now)),
            ("-7d", Some(now - 604_800_000)),
            ("", None),
            ("-15", None),
            ("-m", None),
            ("--5m", None),
            ("-é", None),
            ("-9223372036854775807d", None),
            ("yesterday", None),
        ] {
            assert_eq!(time(text, now), expected, "{text}");
        }
    }

    fn faults(query: &BrowseQuery) -> Vec<String> {
        query.read().map(drop).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_field_says_what_is_wrong_with_it() {
        let query = BrowseQuery {
            from: "offset".into(),
            offset: "-1".into(),
            until: "soon".into(),
            partition: "x".into(),
            filter: "json:x".into(),
            limit: "501".into(),
            at: "nowhere".into(),
            ..BrowseQuery::default()
        };
        let said = faults(&query);
        let fields: Vec<_> = said.iter().map(|said| said.split(':').next().unwrap()).collect();
        assert_eq!(fields, ["offset", "until", "partition", "filter", "limit", "at"]);
        let query = BrowseQuery { from: "here".into(), ..BrowseQuery::default() };
        assert_eq!(faults(&query), ["from: newest, oldest, offset or time"]);
        let backwards = BrowseQuery { time: "1000".into(), until: "1000".into(), ..BrowseQuery::default() };
        assert_eq!(faults(&backwards), ["until: after the time where it begins"]);
        assert_eq!(faults(&BrowseQuery { from: "time".into(), ..BrowseQuery::default() }).len(), 1, "no time");
    }

    #[test]
    fn what_is_given_says_where_it_begins_and_a_query_is_its_parameters() {
        let query = |parameters: &[(&str, &str)]| BrowseQuery::of(parameters.iter().copied());
        for (parameters, begins) in [
            (&[][..], "newest"),
            (&[("offset", "7")], "offset"),
            (&[("time", "-1h")], "time"),
            (&[("offset", "7"), ("from", "oldest")], "oldest"),
        ] {
            assert_eq!(query(parameters).begins(), begins);
            assert!(query(parameters).read().is_ok());
        }
        let given = [("from", "time"), ("time", "0"), ("filter", "a b"), ("edit", "x")];
        assert_eq!(query(&given).parameters().collect::<Vec<_>>(), given[..3]);
    }
}
