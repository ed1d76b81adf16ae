//! A segment: encoded records, or one change, that every session shares. And the open one that the writer fills.

use crate::{
    json::{Json, Kept},
    sieve::{Sieve, Verdict},
};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};
use wire::{
    DataView, Event, HeaderView, MAX_EVENT_MESSAGE, RecordRef, RecordView, codec,
    record_limits::{KEY_HEAD, VALUE_HEAD},
};

/// The body at which an open segment is sealed. With one more record it stays below the 128 KiB at which malloc turns to
/// mmap.
pub(crate) const SEALED_AT: usize = 48 * 1024;
/// Up to this body small neighbours are joined, so that a quiet feed does not pay a segment's overhead per record. Joining
/// copies: a few kilobytes per flush are cheap.
pub(crate) const JOINED_UP_TO: usize = 8 * 1024;
/// The largest encoded record that fits an event message.
const MAX_RECORD: usize = MAX_EVENT_MESSAGE - codec::RECORDS_HEAD_MAX;

/// Of so many filters a segment remembers what they said of its records: a byte for each.
const REMEMBERED: usize = 8;
/// How long a filter is asked at once.
const JUDGED_AT_ONCE: Duration = Duration::from_millis(2);
/// The clock is looked at after so many records; after each one, where the filter is slow.
const JUDGED_BLINDLY: usize = 32;

/// Appends with consecutive `seq`s: either records or a single change. Never changes.
#[derive(Debug)]
pub(crate) struct Segment {
    first_seq: u64,
    body: Box<[u8]>,
    /// One entry per record; empty in a change, whose body is the encoded event.
    index: Box<[Entry]>,
    /// What filters said, the one asked last at the end.
    judged: Mutex<VecDeque<Judged>>,
    json: Kept,
}

/// What a filter said of a segment's first records. Shared, so that each is asked once, whoever comes first.
#[derive(Debug, Clone)]
struct Judged {
    sieve: u64,
    verdicts: Arc<Mutex<Vec<Verdict>>>,
}

/// Where a record ends in the body, and what it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub end: u32,
    pub partition: u32,
    pub offset: i64,
}

impl Segment {
    /// A change as a segment of its own.
    pub fn change(event: &Event, seq: u64) -> Self {
        let mut body = Vec::new();
        codec::encode_event(event, &mut body);
        Self {
            first_seq: seq,
            body: body.into(),
            index: Box::default(),
            judged: Mutex::default(),
            json: Kept::default(),
        }
    }

    pub fn is_change(&self) -> bool {
        self.index.is_empty()
    }

    pub fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// The seq after the last append.
    pub fn end_seq(&self) -> u64 {
        self.first_seq + self.index.len().max(1) as u64
    }

    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub fn index(&self) -> &[Entry] {
        &self.index
    }

    /// The index entries of the records with a seq of at least `seq`.
    pub fn index_from(&self, seq: u64) -> &[Entry] {
        &self.index[self.number_of(seq)..]
    }

    /// The number of the first record with a seq of at least `seq`; the number after the last where there is none.
    pub fn number_of(&self, seq: u64) -> usize {
        let skipped = usize::try_from(seq.saturating_sub(self.first_seq));
        skipped.map_or(self.index.len(), |skipped| skipped.min(self.index.len()))
    }

    /// Where what has a seq of at least `seq` begins in the body.
    pub fn start_of_seq(&self, seq: u64) -> usize {
        if seq >= self.end_seq() { self.body.len() } else { self.start_of(self.number_of(seq)) }
    }

    /// The first record with a seq of at least `seq`.
    pub fn record_from(&self, seq: u64) -> Option<RecordRef<'_>> {
        let at = self.number_of(seq);
        let record = (at < self.index.len()).then(|| codec::decode_record_ref(self.bytes(at..at + 1)))?;
        Some(record.expect("the ring holds what this process encoded"))
    }

    /// Where record number `at` begins in the body; for the number after the last, the body's end.
    pub fn start_of(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.index[before].end as usize)
    }

    /// Where consecutive records stand in the body.
    pub fn range(&self, records: Range<usize>) -> Range<usize> {
        self.start_of(records.start)..self.start_of(records.end)
    }

    /// The bytes of consecutive records.
    pub fn bytes(&self, records: Range<usize>) -> &[u8] {
        &self.body[self.range(records)]
    }

    /// The JSON of the records from number `first` on, at least. Those before are not written: nobody may want them.
    pub fn json(&self, first: usize) -> Arc<Json> {
        self.json.or_write(first, |json| {
            for at in first..self.index.len() {
                let record = codec::decode_record_ref(self.bytes(at..at + 1));
                json.push(&record.expect("the ring holds what this process encoded").view());
            }
        })
    }

    /// Gives what a filter says of the records, from the first to at least number `at`: to the last, unless that takes long.
    pub fn sifted<T>(&self, sieve: &Sieve, at: usize, take: impl FnOnce(&[Verdict]) -> T) -> T {
        let verdicts = self.verdicts_of(sieve.id());
        // Held while the filter is asked: who wants the same has to wait for it in any case.
        let mut verdicts = verdicts.lock();
        let began = Instant::now();
        while verdicts.len() < self.index.len() {
            let next = verdicts.len();
            let looks_up = sieve.is_slow() || next.is_multiple_of(JUDGED_BLINDLY);
            if next > at && looks_up && began.elapsed() > JUDGED_AT_ONCE {
                break;
            }
            let record = codec::decode_record_ref(self.bytes(next..next + 1));
            verdicts.push(sieve.judge(&record.expect("the ring holds what this process encoded").view()));
        }
        // A segment that goes on after this one may have asked further.
        take(&verdicts[..verdicts.len().min(self.index.len())])
    }

    fn verdicts_of(&self, sieve: u64) -> Arc<Mutex<Vec<Verdict>>> {
        let mut judged = self.judged.lock();
        let known = judged.iter().position(|judged| judged.sieve == sieve).and_then(|at| judged.remove(at));
        let asked = known.unwrap_or_else(|| Judged { sieve, verdicts: Arc::default() });
        let verdicts = Arc::clone(&asked.verdicts);
        if judged.len() == REMEMBERED {
            judged.pop_front();
        }
        judged.push_back(asked);
        verdicts
    }

    /// The memory that the segment takes, in bytes, its place in the ring included.
    pub fn cost(&self) -> usize {
        const COUNTS: usize = 2 * size_of::<usize>();
        COUNTS + size_of::<Self>() + size_of::<Arc<Self>>() + self.body.len() + size_of_val(&*self.index)
    }
}

/// The writer's buffer: records that are encoded and not yet in the ring. Its memory is used again and again.
#[derive(Debug, Default)]
pub(crate) struct OpenSegment {
    body: Vec<u8>,
    index: Vec<Entry>,
}

impl OpenSegment {
    /// Encodes `record` as number `seq`.
    pub fn push(&mut self, record: &RecordView<'_>, seq: u64, partition: u32) {
        let start = self.body.len();
        let record = RecordView { seq, ..*record };
        codec::encode_record(&record, &mut self.body);
        if self.body.len() - start > MAX_RECORD {
            self.body.truncate(start);
            encode_cut(&record, &mut self.body);
        }
        let end = u32::try_from(self.body.len()).expect("an open segment is sealed long before 4 GiB");
        self.index.push(Entry { end, partition, offset: record.offset });
    }

    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.body.len() >= SEALED_AT
    }

    pub fn index(&self) -> &[Entry] {
        &self.index
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether `last`, the newest segment of the ring, and this one are small enough to be one.
    pub fn joins(&self, last: &Segment) -> bool {
        !last.is_change() && last.body.len() + self.body.len() <= JOINED_UP_TO
    }

    /// A segment of `last`'s records and these.
    pub fn joined(&self, last: &Segment) -> Segment {
        let shift = last.index.last().map_or(0, |entry| entry.end);
        let shifted = self.index.iter().map(|entry| Entry { end: entry.end + shift, ..*entry });
        Segment {
            first_seq: last.first_seq,
            body: [&*last.body, &self.body].concat().into(),
            index: last.index.iter().copied().chain(shifted).collect(),
            // Its records are the first ones here.
            judged: Mutex::new(last.judged.lock().clone()),
            json: Kept::default(),
        }
    }

    /// A segment of these records, of exactly their size.
    pub fn sealed(&self, first_seq: u64) -> Segment {
        let (body, index) = (self.body.as_slice().into(), self.index.as_slice().into());
        Segment { first_seq, body, index, judged: Mutex::default(), json: Kept::default() }
    }

    pub fn clear(&mut self) {
        self.body.clear();
        self.index.clear();
    }
}

/// Encodes a record whose parts were not cut to fit a message by whoever read it.
#[cold]
fn encode_cut(record: &RecordView<'_>, to: &mut Vec<u8>) {
    let headers: &[HeaderView<'_>] = &record.headers[..codec::fit_headers(record.headers)];
    let left_out = u32::try_from(record.headers.len() - headers.len()).unwrap_or(u32::MAX);
    let record = RecordView {
        key: record.key.map(|key| cut(key, KEY_HEAD)),
        value: record.value.map(|value| cut(value, VALUE_HEAD)),
        headers,
        headers_left_out: record.headers_left_out.saturating_add(left_out),
        ..*record
    };
    codec::encode_record(&record, to);
}

fn cut(data: DataView<'_>, limit: usize) -> DataView<'_> {
    DataView { head: &data.head[..data.head.len().min(limit)], ..data }
}
