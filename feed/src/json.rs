//! The JSON form of a segment's records: written once for all the tabs that ask for it, and only for them.

use crate::segment::Segment;
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    ops::Range,
    sync::{Arc, Weak},
};
use wire::codec;

/// Of so many segments in the process the JSON is kept, the newest: tabs that keep up find it, and memory is bounded. It is about
/// twice as large as what it says.
const KEPT: usize = 64;

/// The segments that have their JSON, the one that got it last at the end.
static WRITTEN: Mutex<VecDeque<Weak<Segment>>> = Mutex::new(VecDeque::new());

/// The JSON of consecutive records of a segment, each followed by a comma.
#[derive(Debug)]
pub(crate) struct Json {
    /// The number of the first record that is here.
    first: usize,
    text: Vec<u8>,
    /// Where each record ends, its comma included.
    ends: Vec<usize>,
}

/// What a segment keeps of it.
pub(crate) type Kept = Mutex<Option<Arc<Json>>>;

impl Json {
    /// The JSON of `segment`'s records from number `first` on, at least. Those before are not written: nobody may want them.
    pub fn of(segment: &Arc<Segment>, first: usize) -> Arc<Self> {
        // Held while it is written: who wants the same has to wait for it in any case.
        let mut kept = segment.json().lock();
        if let Some(json) = kept.as_ref().filter(|json| json.first <= first) {
            return Arc::clone(json);
        }
        let json = Arc::new(Self::write(segment, first));
        let is_new = kept.replace(Arc::clone(&json)).is_none();
        drop(kept);
        if is_new {
            let oldest = {
                let mut written = WRITTEN.lock();
                written.push_back(Arc::downgrade(segment));
                if written.len() > KEPT { written.pop_front() } else { None }
            };
            if let Some(oldest) = oldest.and_then(|oldest| oldest.upgrade()) {
                *oldest.json().lock() = None;
            }
        }
        json
    }

    fn write(segment: &Segment, first: usize) -> Self {
        let count = segment.index().len();
        let mut text = Vec::with_capacity(2 * segment.bytes(first..count).len());
        let mut ends = Vec::with_capacity(count - first);
        for at in first..count {
            let record = codec::decode_record_ref(segment.bytes(at..at + 1));
            codec::record_to_json(&record.expect("the ring holds what this process encoded").view(), &mut text);
            text.push(b',');
            ends.push(text.len());
        }
        Self { first, text, ends }
    }

    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where these records stand in the text, with the comma after the last one.
    pub fn range(&self, records: Range<usize>) -> Range<usize> {
        let end_of = |number: usize| number.checked_sub(self.first + 1).map_or(0, |before| self.ends[before]);
        end_of(records.start)..end_of(records.end)
    }
}
