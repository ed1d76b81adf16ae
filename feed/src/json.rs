//! The JSON form of consecutive records: written once for all the tabs that ask for it, and only for them.

use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    ops::Range,
    sync::{Arc, Weak},
};
use wire::{RecordView, codec};

/// So many are kept in the process, the newest: tabs that keep up find them, and memory is bounded. One is about twice as large as
/// the records that it is of.
const KEPT: usize = 64;

/// Those that are kept, the newest at the end.
static WRITTEN: Mutex<VecDeque<Weak<Place>>> = Mutex::new(VecDeque::new());

/// The JSON of consecutive records, each followed by a comma.
#[derive(Debug)]
pub(crate) struct Json {
    /// The number of the first record that is here.
    first: usize,
    text: Vec<u8>,
    /// Where each record ends, its comma included.
    ends: Vec<usize>,
}

/// Where a segment's JSON is kept for a while.
#[derive(Debug, Default)]
pub(crate) struct Kept(Arc<Place>);

type Place = Mutex<Option<Arc<Json>>>;

impl Kept {
    /// What is kept, if it begins with record number `first` or before; else what is written now.
    pub fn or_write(&self, first: usize, write: impl FnOnce(&mut Json)) -> Arc<Json> {
        // Held while it is written: who wants the same has to wait for it in any case.
        let mut kept = self.0.lock();
        if let Some(json) = kept.as_ref().filter(|json| json.first <= first) {
            return Arc::clone(json);
        }
        let mut json = Json { first, text: Vec::new(), ends: Vec::new() };
        write(&mut json);
        let json = Arc::new(json);
        let is_new = kept.replace(Arc::clone(&json)).is_none();
        drop(kept);
        if is_new {
            self.keep();
        }
        json
    }

    /// Makes room for this one.
    fn keep(&self) {
        let mut written = WRITTEN.lock();
        written.push_back(Arc::downgrade(&self.0));
        let oldest = if written.len() > KEPT { written.pop_front() } else { None };
        drop(written);
        if let Some(oldest) = oldest.and_then(|oldest| oldest.upgrade()) {
            *oldest.lock() = None;
        }
    }
}

impl Json {
    /// Writes the next record.
    pub fn push(&mut self, record: &RecordView<'_>) {
        codec::record_to_json(record, &mut self.text);
        self.text.push(b',');
        self.ends.push(self.text.len());
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
