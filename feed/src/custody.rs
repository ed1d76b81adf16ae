//! Whether a record was consumed before by the same group, as far as this instance can know. Pure: no broker, no clock.
//!
//! Three sources say so. What this process consumed itself. The *marks* of others, read in the order in which they stand in
//! the log: of two marks over the same offset the second one is the redelivery, whoever wrote it. And the *suspects*: the
//! offsets that a former owner may have consumed without a word, where it did not give the partition back: from the
//! committed offset on, at most as many as an owner may leave uncommitted, and none beyond the log's end at the hand-over.
//!
//! `tests/custody.rs` proves it: over crashes, sleepers and rebalances in any order, of each offset all consumptions but one
//! are flagged.

use rangemap::RangeSet;
use std::ops::Range;
use wire::Flags;

/// How many separate stretches of a partition are remembered; the lowest go first. Replays and redeliveries make them,
/// ordinary consuming makes one.
const STRETCHES: usize = 64;

/// What is known of one partition's consumption.
#[derive(Debug, Default)]
pub struct Custody {
    /// What this process consumed before `run`.
    own: RangeSet<i64>,
    /// What this process consumed since the partition was taken on, or sought.
    run: Range<i64>,
    /// What others are known to have consumed.
    others: RangeSet<i64>,
    /// What of `own` and `run` was flagged as redelivered or replayed already.
    flagged: RangeSet<i64>,
    suspects: Range<i64>,
    /// Below it every offset was asked for again.
    replayed_below: i64,
    /// From here on nothing is known of anyone: the fast path.
    fresh_from: i64,
}

impl Custody {
    /// The partition was taken on, with these suspects.
    pub fn taken(&mut self, suspects: Range<i64>) {
        self.end_run();
        self.replayed_below = 0;
        self.suspects = suspects;
        self.set_fresh();
    }

    /// Someone asked to go on at another offset; `next` was to come. What lies below it is consumed again on purpose.
    pub fn sought(&mut self, next: i64) {
        self.end_run();
        self.replayed_below = self.replayed_below.max(next);
        self.set_fresh();
    }

    /// The topic was made anew: its offsets say nothing about those before.
    pub fn began_anew(&mut self) {
        *self = Self::default();
    }

    /// Takes note of a consumed offset, and says what is known of an earlier consumption.
    pub fn consumed(&mut self, offset: i64) -> Flags {
        let flags = if offset >= self.fresh_from { Flags::FIRST } else { self.look(offset) };
        if self.run.is_empty() {
            self.run = offset..offset + 1;
        } else {
            // Holes belong to it: compaction and transaction markers were passed.
            self.run.end = self.run.end.max(offset + 1);
        }
        flags
    }

    #[cold]
    fn look(&mut self, offset: i64) -> Flags {
        let flags = if offset < self.replayed_below {
            Flags::REPLAYED
        } else if self.others.contains(&offset) || self.own.contains(&offset) {
            Flags::REDELIVERED
        } else if self.suspects.contains(&offset) {
            return Flags::POSSIBLY_REDELIVERED;
        } else {
            return Flags::FIRST;
        };
        remember(&mut self.flagged, offset..offset + 1);
        flags
    }

    /// A mark of another one was read.
    pub fn heard_other(&mut self, range: Range<i64>) {
        remember(&mut self.others, range);
        self.set_fresh();
    }

    /// What was heard of others was about another topic of the same name.
    pub fn forget_others(&mut self) {
        self.others.clear();
        self.set_fresh();
    }

    /// A mark of this process was read back. What of it others had marked before, and was not known when it was handed on:
    /// to be flagged late.
    pub fn heard_own(&mut self, range: Range<i64>) -> Vec<Range<i64>> {
        if self.others.is_empty() || range.is_empty() {
            return Vec::new();
        }
        let twice = self.others.overlapping(&range).map(|other| other.start.max(range.start)..other.end.min(range.end));
        let late: Vec<_> = twice.flat_map(|twice| self.flagged.gaps(&twice).collect::<Vec<_>>()).collect();
        for range in &late {
            remember(&mut self.flagged, range.clone());
        }
        late
    }

    /// The next offset after all that is known to be consumed, by anyone.
    pub fn end(&self) -> i64 {
        self.run.end.max(last_end(&self.own)).max(last_end(&self.others))
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        remember(&mut self.own, run);
    }

    fn set_fresh(&mut self) {
        self.fresh_from =
            last_end(&self.own).max(last_end(&self.others)).max(self.suspects.end).max(self.replayed_below);
    }
}

fn remember(stretches: &mut RangeSet<i64>, range: Range<i64>) {
    if range.is_empty() {
        return;
    }
    stretches.insert(range);
    while stretches.len() > STRETCHES
        && let Some(lowest) = stretches.first().cloned()
    {
        stretches.remove(lowest);
    }
}

fn last_end(stretches: &RangeSet<i64>) -> i64 {
    stretches.last().map_or(0, |last| last.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_clean_hand_over_is_first() {
        let mut custody = Custody::default();
        custody.heard_other(0..100);
        custody.taken(100..100);
        assert_eq!(custody.consumed(100), Flags::FIRST);
    }

    #[test]
    fn below_the_highest_mark_it_is_redelivered_and_then_suspect_until_the_bound() {
        let mut custody = Custody::default();
        custody.heard_other(0..105);
        custody.taken(100..110);
        assert_eq!(custody.consumed(100), Flags::REDELIVERED);
        assert_eq!(custody.consumed(105), Flags::POSSIBLY_REDELIVERED);
        assert_eq!(custody.consumed(110), Flags::FIRST);
    }

    #[test]
    fn what_this_process_consumed_before_it_lost_the_partition_is_redelivered() {
        let mut custody = Custody::default();
        custody.taken(0..0);
        for offset in 0..5 {
            assert_eq!(custody.consumed(offset), Flags::FIRST);
        }
        custody.taken(3..3);
        assert_eq!(custody.consumed(3), Flags::REDELIVERED);
        assert_eq!(custody.consumed(5), Flags::FIRST);
    }

    #[test]
    fn a_replay_is_no_redelivery_and_ends_where_it_began() {
        let mut custody = Custody::default();
        custody.taken(0..0);
        for offset in 0..5 {
            let _ = custody.consumed(offset);
        }
        custody.sought(5);
        assert_eq!(custody.consumed(1), Flags::REPLAYED);
        assert_eq!(custody.consumed(4), Flags::REPLAYED);
        assert_eq!(custody.consumed(5), Flags::FIRST);
    }

    #[test]
    fn the_second_mark_over_an_offset_is_flagged_late_and_once() {
        let mut custody = Custody::default();
        custody.taken(0..0);
        for offset in 0..10 {
            let _ = custody.consumed(offset);
        }
        assert_eq!(custody.heard_own(0..4), []);
        custody.heard_other(2..8);
        assert_eq!(custody.heard_own(4..10), vec![Range { start: 4, end: 8 }]);
        assert_eq!(custody.heard_own(4..10), []);
    }

    #[test]
    fn what_was_flagged_when_it_was_handed_on_is_not_flagged_late() {
        let mut custody = Custody::default();
        custody.heard_other(0..3);
        custody.taken(0..5);
        for offset in 0..5 {
            let _ = custody.consumed(offset);
        }
        assert_eq!(custody.heard_own(0..5), []);
    }

    #[test]
    fn a_topic_made_anew_remembers_nothing() {
        let mut custody = Custody::default();
        custody.heard_other(0..100);
        custody.began_anew();
        assert_eq!(custody.consumed(5), Flags::FIRST);
    }
}
