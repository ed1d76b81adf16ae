//! Counters of what the group consumed: per partition and in all, for the page and for the proof that nothing was lost or
//! consumed twice.

use crate::{Custody, partitions::Partitions};
use parking_lot::Mutex;
use std::{ops::Range, sync::Arc};
use wire::{Flags, Millis, PartitionStats, Stats};

/// How many holes are kept until they are taken.
const HOLES: usize = 16;

/// The counting half: the group's thread only.
#[derive(Debug, Default)]
pub struct Audit {
    partitions: Partitions,
    /// By ordinal.
    counters: Vec<Counters>,
    /// Ordinals whose counters changed since the last publication.
    changed: Vec<u32>,
    totals: Totals,
    /// Holes that nobody has asked for yet.
    holes: Vec<Hole>,
    since_tick: u64,
    shared: Arc<Mutex<Shared>>,
}

/// Offsets between two consumed records of a partition. The log has such holes where it holds no record for the group: markers of
/// transactions, aborted records, compaction. Or a record was passed over, which only a second look into the log can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The offsets.
    pub offsets: Range<i64>,
    /// Which of the logs of this name: see [`Counters::log`].
    log: u32,
}

/// The reading half: cheap to clone, for any thread.
#[derive(Debug, Clone)]
pub struct AuditReader {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Counters {
    is_owned: bool,
    is_changed: bool,
    /// The offset that should come next; none where the log began anew.
    expected: Option<i64>,
    /// How many times the log began anew.
    log: u32,
    consumed: u64,
    committed: Option<i64>,
    end: Option<i64>,
    custody: Custody,
}

#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    consumed: u64,
    redelivered: u64,
    possibly_redelivered: u64,
    replayed: u64,
    duplicates: u64,
    skipped: u64,
    empty: u64,
    missing: u64,
}

/// What was published at the last tick.
#[derive(Debug, Default)]
struct Shared {
    totals: Totals,
    /// Sorted by topic and partition.
    partitions: Vec<PartitionStats>,
    /// The second that the last tick lay in, in seconds since 1970.
    second: i64,
    in_second: u64,
    in_second_before: u64,
}

impl Audit {
    /// All counters at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// The other half.
    pub fn reader(&self) -> AuditReader {
        AuditReader { shared: Arc::clone(&self.shared) }
    }

    /// These partitions are this instance's (besides those that it has), each with the offset that comes next, and what a former
    /// owner may have consumed in silence.
    pub fn assigned<'a>(&mut self, partitions: impl IntoIterator<Item = (&'a str, i32, i64, Range<i64>)>) {
        for (topic, partition, next, suspects) in partitions {
            let counters = self.counters(topic, partition);
            counters.begin(true);
            counters.expected = Some(next);
            counters.custody.taken(suspects);
        }
        self.publish_owned();
    }

    /// These partitions are no longer this instance's, revoked or lost.
    pub fn revoked<'a>(&mut self, partitions: impl IntoIterator<Item = (&'a str, i32)>) {
        for (topic, partition) in partitions {
            self.counters(topic, partition).begin(false);
        }
        self.publish_owned();
    }

    /// Someone moved the partition's position: `from` was to come, and `to` comes instead.
    pub fn sought(&mut self, topic: &str, partition: i32, from: i64, to: i64) {
        let counters = self.counters(topic, partition);
        counters.expected = Some(to);
        counters.custody.sought(from);
    }

    /// The partition's log began anew.
    pub fn began_anew(&mut self, topic: &str, partition: i32) {
        self.counters(topic, partition).begin_anew();
    }

    /// Another instance marked these offsets as consumed.
    pub fn heard_other(&mut self, topic: &str, partition: i32, marked: Range<i64>) {
        self.counters(topic, partition).custody.heard_other(marked);
    }

    /// The topic was deleted and made anew: nothing is known of its offsets.
    pub fn topic_began_anew(&mut self, topic: &str) {
        for (name, counters) in self.partitions.names().iter().zip(&mut self.counters) {
            if *name.topic == *topic {
                counters.begin_anew();
            }
        }
    }

    /// What was heard of others about this topic was about another one of the same name.
    pub fn forget_others(&mut self, topic: &str) {
        for (name, counters) in self.partitions.names().iter().zip(&mut self.counters) {
            if *name.topic == *topic {
                counters.custody.forget_others();
            }
        }
    }

    /// A mark of this instance was read back. What others had marked before it, and was not flagged when it was handed on.
    pub fn heard_own(&mut self, topic: &str, partition: i32, marked: Range<i64>) -> Vec<Range<i64>> {
        let late = self.counters(topic, partition).custody.heard_own(marked);
        self.totals.redelivered += late.iter().map(width).sum::<u64>();
        late
    }

    /// Counts a record. Says what is known of an earlier consumption: [`Flags::DUPLICATE`] for an offset that this
    /// assignment had passed, or what its [`Custody`] says.
    #[must_use]
    pub fn observe(&mut self, topic: &str, partition: i32, offset: i64) -> Flags {
        let counters = self.counters(topic, partition);
        counters.consumed += 1;
        let expected = counters.expected.unwrap_or(offset);
        // After a duplicate the expectation stays, or the records after it would count as duplicates no more.
        counters.expected = Some(expected.max(offset.saturating_add(1)));
        let known = counters.custody.consumed(offset);
        self.totals.consumed += 1;
        self.since_tick += 1;
        if offset < expected {
            self.totals.duplicates += 1;
            return Flags::DUPLICATE;
        }
        if offset > expected {
            self.skipped(topic, partition, expected..offset);
        }
        match known {
            Flags::REDELIVERED => self.totals.redelivered += 1,
            Flags::POSSIBLY_REDELIVERED => self.totals.possibly_redelivered += 1,
            Flags::REPLAYED => self.totals.replayed += 1,
            _ => {}
        }
        known
    }

    #[cold]
    fn skipped(&mut self, topic: &str, partition: i32, offsets: Range<i64>) {
        self.totals.skipped += width(&offsets);
        if self.holes.len() < HOLES {
            let log = self.counters(topic, partition).log;
            self.holes.push(Hole { topic: topic.into(), partition, offsets, log });
        }
    }

    /// The holes since the last call, or the first [`HOLES`] of them: to be looked into.
    pub fn take_holes(&mut self) -> Vec<Hole> {
        std::mem::take(&mut self.holes)
    }

    /// The hole was looked into, up to before `looked_to`: so many `records` stand there, which were passed over. False where the
    /// log began anew since, so that what was found is no part of the one that was consumed.
    pub fn looked_into(&mut self, hole: &Hole, looked_to: i64, records: u64) -> bool {
        let Hole { topic, partition, offsets, log } = hole;
        if self.counters(topic, *partition).log != *log {
            return false;
        }
        let looked = width(&(offsets.start..looked_to.clamp(offsets.start, offsets.end)));
        let records = records.min(looked);
        self.totals.skipped -= records;
        self.totals.missing += records;
        self.totals.empty += looked - records;
        true
    }

    /// Offsets `first` to `last` should have been consumed and are gone: declared by the group.
    pub fn missing(&mut self, topic: &str, partition: i32, first: i64, last: i64) {
        if first <= last {
            self.totals.missing += last.abs_diff(first).saturating_add(1);
            self.counters(topic, partition).expected = Some(last.saturating_add(1));
        }
    }

    /// The partition's committed offset.
    pub fn committed(&mut self, topic: &str, partition: i32, offset: i64) {
        self.counters(topic, partition).committed = Some(offset);
    }

    /// The partition's log end offset.
    pub fn log_end(&mut self, topic: &str, partition: i32, end: i64) {
        self.counters(topic, partition).end = Some(end);
    }

    /// Publishes the counters to the readers: after every polled batch, with the time.
    pub fn tick(&mut self, now: Millis) {
        let mut shared = self.shared.lock();
        let second = now.div_euclid(1000);
        if second != shared.second {
            shared.in_second_before = if second == shared.second + 1 { shared.in_second } else { 0 };
            shared.in_second = 0;
            shared.second = second;
        }
        shared.in_second += std::mem::take(&mut self.since_tick);
        shared.totals = self.totals;
        for ordinal in self.changed.drain(..) {
            let name = &self.partitions.names()[ordinal as usize];
            let counters = &mut self.counters[ordinal as usize];
            counters.is_changed = false;
            let at = shared.partitions.binary_search_by(|published| {
                (published.topic.as_str(), published.partition).cmp(&(&*name.topic, name.partition))
            });
            if let Ok(at) = at {
                counters.write(&mut shared.partitions[at]);
            }
        }
    }

    fn publish_owned(&mut self) {
        let owned = self.partitions.names().iter().zip(&self.counters).filter(|(_, counters)| counters.is_owned);
        let mut partitions: Vec<_> = owned
            .map(|(name, counters)| {
                let (topic, partition) = (name.topic.as_ref().into(), name.partition);
                let mut stats = PartitionStats { topic, partition, consumed: 0, committed: None, end: None };
                counters.write(&mut stats);
                stats
            })
            .collect();
        partitions.sort_unstable_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        self.shared.lock().partitions = partitions;
    }

    fn counters(&mut self, topic: &str, partition: i32) -> &mut Counters {
        let ordinal = self.partitions.ordinal(topic, partition);
        if self.counters.len() <= ordinal as usize {
            self.counters.resize_with(ordinal as usize + 1, Counters::default);
        }
        let counters = &mut self.counters[ordinal as usize];
        if !counters.is_changed {
            counters.is_changed = true;
            self.changed.push(ordinal);
        }
        counters
    }
}

impl Counters {
    /// Another assignment begins. What is known of the partition's consumption stays.
    fn begin(&mut self, is_owned: bool) {
        let custody = std::mem::take(&mut self.custody);
        *self = Self { is_owned, is_changed: self.is_changed, log: self.log, custody, ..Self::default() };
    }

    fn begin_anew(&mut self) {
        self.log += 1;
        self.expected = None;
        self.custody.began_anew();
    }

    fn write(&self, to: &mut PartitionStats) {
        (to.consumed, to.committed, to.end) = (self.consumed, self.committed, self.end);
    }
}

impl AuditReader {
    /// The counters as of the last tick, at the time `now`. `rate` is of the last full second; `tabs` and `gaps` are 0, for
    /// tabs are not known here.
    pub fn stats(&self, now: Millis) -> Stats {
        let shared = self.shared.lock();
        let Totals { consumed, redelivered, possibly_redelivered, replayed, duplicates, skipped, empty, missing } =
            shared.totals;
        let rate = match now.div_euclid(1000) - shared.second {
            0 => shared.in_second_before,
            1 => shared.in_second,
            _ => 0,
        };
        Stats {
            at: now,
            consumed,
            redelivered,
            possibly_redelivered,
            replayed,
            duplicates,
            skipped,
            empty,
            missing,
            rate,
            gaps: 0,
            tabs: 0,
            partitions: shared.partitions.clone(),
        }
    }
}

fn width(offsets: &Range<i64>) -> u64 {
    offsets.end.abs_diff(offsets.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned() -> (Audit, AuditReader) {
        let mut audit = Audit::new();
        audit.assigned([("orders", 1, 0, 0..0), ("orders", 0, 3, 3..3)]);
        let reader = audit.reader();
        (audit, reader)
    }

    fn stats(audit: &mut Audit, reader: &AuditReader) -> Stats {
        audit.tick(0);
        reader.stats(0)
    }

    #[test]
    fn consecutive_offsets_are_consumed_and_nothing_else() {
        let (mut audit, reader) = assigned();
        for offset in 3..6 {
            assert_eq!(audit.observe("orders", 0, offset), Flags::FIRST);
        }
        let stats = stats(&mut audit, &reader);
        assert_eq!((stats.consumed, stats.duplicates, stats.skipped, stats.missing), (3, 0, 0, 0));
        let consumed: Vec<_> = stats.partitions.iter().map(|p| (p.partition, p.consumed)).collect();
        assert_eq!(consumed, [(0, 3), (1, 0)]);
    }

    #[test]
    fn an_offset_again_is_a_duplicate_and_so_is_the_one_after_it() {
        let (mut audit, reader) = assigned();
        let flags = [3, 4, 3, 4, 5].map(|offset| audit.observe("orders", 0, offset));
        assert_eq!(flags, [Flags::FIRST, Flags::FIRST, Flags::DUPLICATE, Flags::DUPLICATE, Flags::FIRST]);
        assert_eq!(stats(&mut audit, &reader).duplicates, 2);
    }

    #[test]
    fn a_jump_is_skipped() {
        let (mut audit, reader) = assigned();
        let _ = [3, 7].map(|offset| audit.observe("orders", 0, offset));
        assert_eq!(stats(&mut audit, &reader).skipped, 3);
    }

    #[test]
    fn after_a_seek_or_a_new_assignment_another_offset_is_right() {
        let (mut audit, reader) = assigned();
        assert_eq!(audit.observe("orders", 0, 3), Flags::FIRST);
        audit.sought("orders", 0, 4, 10);
        assert_eq!(audit.observe("orders", 0, 10), Flags::FIRST);
        audit.revoked([("orders", 0)]);
        audit.assigned([("orders", 0, 2, 2..2)]);
        assert_eq!(audit.observe("orders", 0, 2), Flags::FIRST);
        let stats = stats(&mut audit, &reader);
        assert_eq!((stats.consumed, stats.duplicates, stats.skipped), (3, 0, 0));
        assert_eq!(stats.partitions[0].consumed, 1, "counted since it was assigned");
    }

    #[test]
    fn what_a_new_owner_passes_over_is_skipped_too() {
        let (mut audit, reader) = assigned();
        let _ = audit.observe("orders", 0, 5);
        assert_eq!(stats(&mut audit, &reader).skipped, 2, "3 and 4");
    }

    #[test]
    fn a_second_look_into_a_hole_tells_what_was_empty_from_what_is_missing() {
        let (mut audit, reader) = assigned();
        let _ = [3, 5, 9, 20].map(|offset| audit.observe("orders", 0, offset));
        let holes = audit.take_holes();
        assert_eq!(holes.iter().map(|hole| hole.offsets.clone()).collect::<Vec<_>>(), [4..5, 6..9, 10..20]);
        assert_eq!(audit.take_holes(), []);
        assert!(audit.looked_into(&holes[0], 5, 0));
        assert!(audit.looked_into(&holes[1], 9, 2));
        assert!(audit.looked_into(&holes[2], 14, 0), "only so far");
        let stats = stats(&mut audit, &reader);
        assert_eq!((stats.skipped, stats.empty, stats.missing), (12, 6, 2));
    }

    #[test]
    fn what_stands_in_another_log_is_not_missing() {
        let (mut audit, reader) = assigned();
        let _ = [3, 5].map(|offset| audit.observe("orders", 0, offset));
        let holes = audit.take_holes();
        audit.topic_began_anew("orders");
        assert!(!audit.looked_into(&holes[0], 5, 1));
        let stats = stats(&mut audit, &reader);
        assert_eq!((stats.skipped, stats.empty, stats.missing), (1, 0, 0));
    }

    #[test]
    fn no_more_holes_are_kept_than_can_be_looked_into() {
        let (mut audit, _) = assigned();
        let _ = (2..200).map(|nth| audit.observe("orders", 0, 2 * nth)).count();
        assert_eq!(audit.take_holes().len(), HOLES);
    }

    #[test]
    fn what_is_declared_missing_is_not_skipped() {
        let (mut audit, reader) = assigned();
        let _ = audit.observe("orders", 0, 3);
        audit.missing("orders", 0, 4, 9);
        let _ = audit.observe("orders", 0, 10);
        let stats = stats(&mut audit, &reader);
        assert_eq!((stats.missing, stats.skipped), (6, 0));
    }

    #[test]
    fn revoked_partitions_leave_the_list_and_stay_in_the_totals() {
        let (mut audit, reader) = assigned();
        let _ = audit.observe("orders", 0, 3);
        audit.committed("orders", 1, 4);
        audit.log_end("orders", 1, 9);
        audit.revoked([("orders", 0)]);
        let stats = stats(&mut audit, &reader);
        assert_eq!(stats.consumed, 1);
        assert_eq!(stats.partitions.len(), 1);
        assert_eq!((stats.partitions[0].committed, stats.partitions[0].end), (Some(4), Some(9)));
    }

    #[test]
    fn the_rate_is_of_the_last_full_second() {
        let (mut audit, reader) = assigned();
        for (offset, now) in [(3, 1000), (4, 1500), (5, 1999), (6, 2000)] {
            let _ = audit.observe("orders", 0, offset);
            audit.tick(now);
        }
        assert_eq!(reader.stats(2900).rate, 3);
        assert_eq!(reader.stats(3000).rate, 1, "the thread was silent since");
        assert_eq!(reader.stats(4000).rate, 0);
    }
}
