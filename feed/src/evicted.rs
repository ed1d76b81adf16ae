//! What the ring evicted of one partition, kept so that a reader who missed it can be told exactly what it was.

use std::collections::VecDeque;
use wire::Count;

/// The most runs that are kept apart. A run ends where offsets go back (a replay, a redelivery), which is rare; older runs
/// are merged.
const MAX_RUNS: usize = 16;

/// How far a reader, or the ring's own end, is in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    /// How many records of the partition were appended before.
    pub count: u64,
    /// The next offset. Without meaning while `count` is 0.
    pub next: i64,
}

impl Tally {
    /// The tally after a record.
    pub fn advance(&mut self, offset: i64) {
        *self = Self { count: self.count + 1, next: offset.saturating_add(1) };
    }
}

/// The evicted records of one partition.
#[derive(Debug, Default)]
pub(crate) struct Evicted {
    tally: Tally,
    runs: VecDeque<Run>,
}

/// Evicted records of one partition whose offsets only grow.
#[derive(Debug)]
struct Run {
    /// The seq of its first record.
    seq: u64,
    /// How many records of the partition were appended before it.
    from: u64,
    /// The lowest offset, the first record's.
    first: i64,
    /// The highest offset, the last record's.
    last: i64,
    /// Whether several runs were merged into this one: its offsets do not only grow.
    is_merged: bool,
}

/// A range of records that a reader will not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missed {
    pub first: i64,
    pub last: i64,
    pub count: Count,
    /// Where the reader is in this partition, once it knows.
    pub after: Tally,
}

impl Evicted {
    /// Where a reader at the ring's tail is.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Takes in a record that left the ring.
    pub fn add(&mut self, seq: u64, offset: i64) {
        match self.runs.back_mut() {
            Some(run) if offset >= self.tally.next => run.last = offset,
            _ => {
                let run = Run { seq, from: self.tally.count, first: offset, last: offset, is_merged: false };
                self.runs.push_back(run);
                self.merge_oldest();
            }
        }
        self.tally.advance(offset);
    }

    fn merge_oldest(&mut self) {
        if self.runs.len() <= MAX_RUNS {
            return;
        }
        if let Some(oldest) = self.runs.pop_front()
            && let Some(run) = self.runs.front_mut()
        {
            *run = Run {
                seq: oldest.seq,
                from: oldest.from,
                first: oldest.first.min(run.first),
                last: oldest.last.max(run.last),
                is_merged: true,
            };
        }
    }

    /// What a reader who is at `seen` missed, in order, counted exactly. The first range begins at the reader's next offset:
    /// where the log has a hole just there, the hole is inside the range.
    pub fn missed_since(&self, seen: Tally) -> impl Iterator<Item = Missed> + '_ {
        let begun = self.runs.partition_point(|run| run.from < seen.count).saturating_sub(1);
        (begun..self.runs.len()).filter_map(move |at| {
            let run = &self.runs[at];
            let after = self.after(at);
            let first = if run.from < seen.count && !run.is_merged { seen.next } else { run.first };
            let count = after.count.checked_sub(run.from.max(seen.count)).filter(|count| *count > 0)?;
            Some(Missed { first, last: run.last, count: Count::Exact(count), after })
        })
    }

    /// What a tab missed that left at `seq` and knows its next offset, or (`None`) only `seq`. `appends` is how many appends
    /// of all partitions were evicted since `seq`. Inside the run that the tab was in, counts are exact where the run has no
    /// holes and the offset is known.
    pub fn missed_since_seq(&self, seq: u64, next: Option<i64>, appends: u64) -> Vec<Missed> {
        let begun = match self.runs.partition_point(|run| run.seq < seq).checked_sub(1) {
            Some(at) => Some(at),
            // The tab was told of gaps beyond `seq`, or has the records from elsewhere.
            None => next.and(self.runs.front()).map(|_| 0),
        };
        let seen = begun.map_or(Tally::default(), |at| self.after(at));
        let missed = begun.and_then(|at| self.missed_of_run(at, next, appends));
        missed.into_iter().chain(self.missed_since(seen)).collect()
    }

    /// Whether something of the partition was evicted that was appended before `seq`.
    pub fn has_before(&self, seq: u64) -> bool {
        self.runs.front().is_some_and(|run| run.seq < seq)
    }

    fn missed_of_run(&self, at: usize, next: Option<i64>, appends: u64) -> Option<Missed> {
        let run = &self.runs[at];
        let after = self.after(at);
        let count = after.count - run.from;
        let is_dense = !run.is_merged && width(run.first, run.last) == count;
        let (first, count) = match next {
            Some(next) if !run.is_merged => {
                let first = next.max(run.first);
                let width = (first <= run.last).then(|| width(first, run.last))?;
                (first, if is_dense { Count::Exact(width) } else { Count::UpTo(width.min(count).min(appends)) })
            }
            _ => {
                let count = count.min(appends);
                let back = i64::try_from(count).unwrap_or(i64::MAX).saturating_sub(1);
                let first = if is_dense { run.first.max(run.last.saturating_sub(back)) } else { run.first };
                (first, Count::UpTo(count))
            }
        };
        Some(Missed { first, last: run.last, count, after })
    }

    /// Where a reader is after the run at this index.
    fn after(&self, at: usize) -> Tally {
        match self.runs.get(at + 1) {
            Some(following) => Tally { count: following.from, next: self.runs[at].last.saturating_add(1) },
            None => self.tally,
        }
    }
}

/// How many offsets a range has.
pub(crate) fn width(first: i64, last: i64) -> u64 {
    last.abs_diff(first).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evicted(offsets: impl IntoIterator<Item = i64>) -> Evicted {
        let mut evicted = Evicted::default();
        for (seq, offset) in (1..).zip(offsets) {
            evicted.add(seq, offset);
        }
        evicted
    }

    fn ranges(missed: impl IntoIterator<Item = Missed>) -> Vec<(i64, i64, Count)> {
        missed.into_iter().map(|missed| (missed.first, missed.last, missed.count)).collect()
    }

    #[test]
    fn what_was_evicted_since_a_position_is_counted_exactly() {
        let evicted = evicted(10..20);
        assert_eq!(ranges(evicted.missed_since(Tally::default())), [(10, 19, Count::Exact(10))]);
        assert_eq!(ranges(evicted.missed_since(Tally { count: 4, next: 14 })), [(14, 19, Count::Exact(6))]);
        assert_eq!(ranges(evicted.missed_since(Tally { count: 10, next: 20 })), []);
    }

    #[test]
    fn holes_are_not_counted() {
        let evicted = evicted([1, 2, 5, 9]);
        assert_eq!(ranges(evicted.missed_since(Tally { count: 2, next: 3 })), [(3, 9, Count::Exact(2))]);
    }

    #[test]
    fn a_replay_is_a_range_of_its_own() {
        let evicted = evicted((0..6).chain(2..4));
        let seen = Tally { count: 5, next: 5 };
        assert_eq!(ranges(evicted.missed_since(seen)), [(5, 5, Count::Exact(1)), (2, 3, Count::Exact(2))]);
    }

    #[test]
    fn more_runs_than_are_kept_are_merged_and_counted() {
        let evicted = evicted((0..100).rev());
        let missed = ranges(evicted.missed_since(Tally::default()));
        assert_eq!(missed.len(), MAX_RUNS);
        assert_eq!(missed[0], (15, 99, Count::Exact(85)));
        assert_eq!(missed[1], (14, 14, Count::Exact(1)));
    }

    #[test]
    fn a_cursor_with_an_offset_is_counted_exactly_where_there_are_no_holes() {
        let dense = evicted(10..20);
        assert_eq!(ranges(dense.missed_since_seq(5, Some(14), 6)), [(14, 19, Count::Exact(6))]);
        assert_eq!(ranges(dense.missed_since_seq(1, None, 10)), [(10, 19, Count::Exact(10))]);
        let holes = evicted([1, 2, 5, 9]);
        assert_eq!(ranges(holes.missed_since_seq(3, Some(3), 2)), [(3, 9, Count::UpTo(2))]);
    }

    #[test]
    fn a_cursor_without_an_offset_is_answered_with_an_upper_bound() {
        assert_eq!(ranges(evicted(10..20).missed_since_seq(5, None, 6)), [(14, 19, Count::UpTo(6))]);
    }
}
