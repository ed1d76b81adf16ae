//! What one tab was told, offset by offset: nothing twice, and nothing left out that no gap names.

use std::sync::Arc;
use wire::{Count, Gap};

/// Counts what a tab was told of a topic whose offsets are all records.
#[derive(Debug)]
pub(crate) struct Tally {
    /// By partition, where the measurement began: what lies before is not counted.
    from: Arc<[i64]>,
    /// By partition, the first offset that the tab was told nothing of yet.
    next: Vec<i64>,
    delivered: u64,
    named: u64,
    skipped: u64,
    repeated: u64,
    miscounted: u64,
}

/// What a tab was told in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Told {
    /// Records that it was sent.
    pub delivered: u64,
    /// Records that it was not sent and that gaps named.
    pub named: u64,
    /// Records that it was told nothing of.
    pub missing: u64,
    /// Records that came again.
    pub repeated: u64,
    /// Gaps that claimed to be exact and named another number of records than there are.
    pub miscounted: u64,
}

impl Told {
    /// Whether the tab was told of each of the `produced` records, of each once.
    pub fn is_complete(&self, produced: u64) -> bool {
        let is_right = self.missing == 0 && self.repeated == 0 && self.miscounted == 0;
        is_right && self.delivered + self.named == produced
    }
}

impl Tally {
    /// Of a tab that knows everything before `from`, by partition.
    pub fn new(from: Arc<[i64]>) -> Self {
        let next = from.to_vec();
        Self { from, next, delivered: 0, named: 0, skipped: 0, repeated: 0, miscounted: 0 }
    }

    /// A record came. Whether it counts: it is of this measurement, and came for the first time.
    pub fn record(&mut self, partition: i32, offset: i64) -> bool {
        let Some((next, from)) = self.place(partition) else { return false };
        if offset < from {
            return false;
        }
        let expected = *next;
        if offset < expected {
            self.repeated += 1;
            return false;
        }
        *next = offset + 1;
        self.skipped += offset.abs_diff(expected);
        self.delivered += 1;
        true
    }

    /// A gap was named.
    pub fn gap(&mut self, gap: &Gap) {
        let Some((next, from)) = self.place(gap.partition) else { return };
        if gap.last < from {
            return;
        }
        let expected = *next;
        *next = expected.max(gap.last + 1);
        self.skipped += gap.first.saturating_sub(expected).max(0).unsigned_abs();
        let first = gap.first.max(expected);
        self.named += (gap.last - first + 1).max(0).unsigned_abs();
        if let Count::Exact(count) = gap.count {
            self.miscounted += u64::from(count != gap.last.abs_diff(gap.first) + 1);
        }
    }

    /// By partition, the next offset that the tab is to be told of.
    pub fn next(&self) -> &[i64] {
        &self.next
    }

    /// How many records before `ends` the tab was told nothing of yet.
    pub fn outstanding(&self, ends: &[i64]) -> u64 {
        self.next.iter().zip(ends).map(|(next, end)| (end - next).max(0).unsigned_abs()).sum()
    }

    /// How many records a tab has to be told of, if `ends` is where the measurement ended.
    pub fn due(&self, ends: &[i64]) -> u64 {
        self.from.iter().zip(ends).map(|(from, end)| (end - from).max(0).unsigned_abs()).sum()
    }

    /// What came of it, if `ends` is where the measurement ended.
    pub fn told(&self, ends: &[i64]) -> Told {
        let &Self { delivered, named, repeated, miscounted, .. } = self;
        Told { delivered, named, missing: self.skipped + self.outstanding(ends), repeated, miscounted }
    }

    fn place(&mut self, partition: i32) -> Option<(&mut i64, i64)> {
        let at = usize::try_from(partition).ok()?;
        self.next.get_mut(at).zip(self.from.get(at).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(partition: i32, first: i64, last: i64, count: Count) -> Gap {
        Gap { topic: "t".into(), partition, first, last, count, now_with: None }
    }

    #[test]
    fn records_and_gaps_together_are_everything() {
        let mut tally = Tally::new([10, 0].into());
        // Of before.
        assert!(!tally.record(0, 9));
        assert!(tally.record(0, 10) && tally.record(1, 0));
        tally.gap(&gap(0, 11, 14, Count::Exact(4)));
        assert!(tally.record(0, 15));
        assert_eq!(tally.outstanding(&[18, 1]), 2);
        assert!(!tally.told(&[18, 1]).is_complete(9));
        tally.gap(&gap(0, 16, 17, Count::UpTo(9)));
        let told = tally.told(&[18, 1]);
        assert_eq!(told, Told { delivered: 3, named: 6, ..Told::default() });
        assert!(told.is_complete(9) && !told.is_complete(10));
        assert_eq!(tally.due(&[18, 1]), 9);
    }

    #[test]
    fn what_is_left_out_without_a_word_is_missing() {
        let mut tally = Tally::new([0].into());
        tally.record(0, 0);
        tally.record(0, 3);
        // One before the gap, and two behind it.
        tally.gap(&gap(0, 5, 6, Count::Exact(2)));
        let told = tally.told(&[9]);
        assert_eq!(told, Told { delivered: 2, named: 2, missing: 5, ..Told::default() });
        assert!(!told.is_complete(9));
    }

    #[test]
    fn what_comes_twice_is_no_delivery_and_breaks_the_promise() {
        let mut tally = Tally::new([0].into());
        assert!(tally.record(0, 0) && tally.record(0, 1) && !tally.record(0, 0));
        let told = tally.told(&[2]);
        assert_eq!(told, Told { delivered: 2, repeated: 1, ..Told::default() });
        assert!(!told.is_complete(2));
    }

    #[test]
    fn a_gap_that_is_named_again_counts_once_and_a_wrong_count_is_seen() {
        let mut tally = Tally::new([0].into());
        tally.gap(&gap(0, 0, 3, Count::Exact(4)));
        tally.gap(&gap(0, 2, 5, Count::Exact(4)));
        assert_eq!(tally.told(&[6]), Told { named: 6, ..Told::default() });
        tally.gap(&gap(0, 6, 7, Count::Exact(3)));
        assert!(!tally.told(&[8]).is_complete(8));
    }
}
