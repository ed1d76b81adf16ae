//! The bookkeeping of offsets: what was handed on, what may be committed, what is. Pure: no broker, no clock of its own.
//!
//! A record's offset becomes committable only after its batch was handed off. One commit is in flight at most. The
//! distance between what was consumed and what is committed is what the bound U bounds; it counts offsets, so that holes
//! (compaction, transaction markers) make it larger, never smaller.

use super::{Partition, PartitionOffset};

/// One owned partition. An offset here is always the *next* one: what comes after the last record it speaks of.
#[derive(Debug)]
struct Slot {
    partition: Partition,
    /// Where the next record is expected.
    next: i64,
    /// What the group may be told.
    committable: i64,
    /// What the group was last told and acknowledged.
    committed: i64,
    /// Where the count of the uncommitted begins.
    base: i64,
    /// Below it a former owner may have consumed in silence: goes with every commit.
    suspect_below: i64,
}

impl Slot {
    fn uncommitted(&self) -> u64 {
        u64::try_from(self.next - self.base).unwrap_or(0)
    }

    fn is_due(&self) -> bool {
        self.committable != self.committed
    }
}

/// The offsets of the partitions that this member owns.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    slots: Vec<Slot>,
    /// The slot of the last record: records come in runs of one partition.
    last: usize,
    is_in_flight: bool,
}

impl Offsets {
    /// Takes over a partition at `at`, which is committed.
    pub fn assign(&mut self, partition: Partition, at: i64, suspect_below: i64) {
        self.remove(std::slice::from_ref(&partition));
        self.slots.push(Slot { partition, next: at, committable: at, committed: at, base: at, suspect_below });
    }

    /// Forgets partitions, whatever was not committed of them.
    pub fn remove(&mut self, partitions: &[Partition]) {
        self.slots.retain(|slot| !partitions.contains(&slot.partition));
        self.last = 0;
    }

    /// Moves a partition to `next`, which may be earlier, and has the group told so.
    pub fn restart(&mut self, partition: &Partition, next: i64) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.partition == *partition) {
            (slot.next, slot.committable, slot.base, slot.suspect_below) = (next, next, next, 0);
        }
    }

    /// Whether a record is to be handed on, and takes note of it. False when its partition is not owned, or when it was handed
    /// on already: a rebalance pauses and resumes the partitions that a member keeps, and librdkafka then goes on after the
    /// last record that it knows to be taken, which it writes down a moment after it gave it
    /// (`rd_kafka_toppar_pause_resume`, `rd_kafka_fetch_op_app_prepare`).
    pub fn handed(&mut self, topic: &str, partition: i32, offset: i64) -> bool {
        let is_it = |slot: &Slot| slot.partition.partition == partition && slot.partition.topic == topic;
        if !self.slots.get(self.last).is_some_and(is_it) {
            match self.slots.iter().position(is_it) {
                Some(found) => self.last = found,
                None => return false,
            }
        }
        let slot = &mut self.slots[self.last];
        if offset < slot.next {
            return false;
        }
        slot.next = offset + 1;
        true
    }

    /// The batch was handed off: everything handed on may be committed.
    pub fn end_of_batch(&mut self) {
        for slot in &mut self.slots {
            slot.committable = slot.next;
        }
    }

    /// How many offsets are consumed and not committed.
    pub fn uncommitted(&self) -> u64 {
        self.slots.iter().map(Slot::uncommitted).sum()
    }

    /// Whether a commit would tell the group something new.
    pub fn is_due(&self) -> bool {
        self.slots.iter().any(Slot::is_due)
    }

    /// Begins a commit of all that is due, unless one is in flight. Empty: nothing to do.
    pub fn begin_commit(&mut self) -> Vec<PartitionOffset> {
        if self.is_in_flight {
            return Vec::new();
        }
        let due = self.due();
        self.is_in_flight = !due.is_empty();
        due
    }

    /// What is committable and not committed. For a commit that is waited for.
    pub fn due(&self) -> Vec<PartitionOffset> {
        let due = self.slots.iter().filter(|slot| slot.is_due());
        due.map(|slot| PartitionOffset { partition: slot.partition.clone(), offset: slot.committable }).collect()
    }

    /// What is committable of `partitions`, be it committed already or not.
    pub fn standing(&self, partitions: &[Partition]) -> Vec<PartitionOffset> {
        let slots = self.slots.iter().filter(|slot| partitions.contains(&slot.partition));
        slots.map(|slot| PartitionOffset { partition: slot.partition.clone(), offset: slot.committable }).collect()
    }

    /// Below which offset of an owned partition a former owner may have consumed in silence.
    pub fn suspect_below(&self, partition: &Partition) -> i64 {
        self.slots.iter().find(|slot| slot.partition == *partition).map_or(0, |slot| slot.suspect_below)
    }

    /// The group acknowledged these offsets. (A partition that was taken away meanwhile has no slot.)
    pub fn committed(&mut self, offsets: &[PartitionOffset]) {
        self.is_in_flight = false;
        for PartitionOffset { partition, offset } in offsets {
            if let Some(slot) = self.slots.iter_mut().find(|slot| slot.partition == *partition) {
                slot.committed = *offset;
                slot.base = slot.base.max(*offset).min(slot.next);
            }
        }
    }

    /// The commit in flight failed, or its answer is not waited for any more: what it said is due again.
    pub fn failed(&mut self) {
        self.is_in_flight = false;
    }

    /// The partitions owned, with the offset where the next record is expected.
    pub fn owned(&self) -> impl Iterator<Item = (&Partition, i64)> {
        self.slots.iter().map(|slot| (&slot.partition, slot.next))
    }

    /// The committed offset of a partition, if known.
    pub fn committed_offset(&self, topic: &str, partition: i32) -> Option<i64> {
        self.slots
            .iter()
            .find(|slot| slot.partition.partition == partition && slot.partition.topic == topic)
            .map(|slot| slot.committed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(number: i32) -> Partition {
        Partition { topic: "t".into(), partition: number }
    }

    fn at(number: i32, offset: i64) -> PartitionOffset {
        PartitionOffset { partition: partition(number), offset }
    }

    fn owning(count: i32) -> Offsets {
        let mut offsets = Offsets::default();
        for number in 0..count {
            offsets.assign(partition(number), 0, 0);
        }
        offsets
    }

    #[test]
    fn an_offset_is_committable_only_after_the_hand_off() {
        let mut offsets = owning(1);
        assert!(offsets.handed("t", 0, 7));
        assert!(!offsets.is_due());
        assert_eq!(offsets.begin_commit(), []);
        offsets.end_of_batch();
        assert_eq!(offsets.begin_commit(), [at(0, 8)]);
    }

    #[test]
    fn what_was_handed_on_is_not_handed_on_again_unless_someone_went_back() {
        let mut offsets = owning(1);
        assert!(offsets.handed("t", 0, 7));
        assert!(!offsets.handed("t", 0, 7), "librdkafka gives it twice");
        assert!(offsets.handed("t", 0, 8));
        offsets.restart(&partition(0), 7);
        assert!(offsets.handed("t", 0, 7));
    }

    #[test]
    fn one_commit_is_in_flight_at_most() {
        let mut offsets = owning(1);
        offsets.handed("t", 0, 0);
        offsets.end_of_batch();
        assert_eq!(offsets.begin_commit(), [at(0, 1)]);
        offsets.handed("t", 0, 1);
        offsets.end_of_batch();
        assert_eq!(offsets.begin_commit(), []);
        offsets.committed(&[at(0, 1)]);
        assert_eq!(offsets.begin_commit(), [at(0, 2)]);
    }

    #[test]
    fn a_failed_commit_is_due_again() {
        let mut offsets = owning(1);
        offsets.handed("t", 0, 0);
        offsets.end_of_batch();
        let sent = offsets.begin_commit();
        offsets.failed();
        assert_eq!(offsets.begin_commit(), sent);
    }

    #[test]
    fn the_bound_counts_what_is_consumed_and_not_committed() {
        let mut offsets = owning(1);
        offsets.assign(partition(1), 10, 0);
        for offset in 10..15 {
            offsets.handed("t", 1, offset);
        }
        offsets.handed("t", 0, 0);
        assert_eq!(offsets.uncommitted(), 6);
        offsets.end_of_batch();
        let sent = offsets.begin_commit();
        offsets.handed("t", 0, 1);
        offsets.committed(&sent);
        assert_eq!(offsets.uncommitted(), 1);
    }

    #[test]
    fn what_is_lost_or_revoked_is_neither_committed_nor_counted() {
        let mut offsets = owning(2);
        offsets.handed("t", 0, 0);
        offsets.handed("t", 1, 0);
        offsets.remove(&[partition(0)]);
        offsets.end_of_batch();
        assert_eq!(offsets.begin_commit(), [at(1, 1)]);
        assert_eq!(offsets.uncommitted(), 1);
        assert!(!offsets.handed("t", 0, 1), "a record of a partition that is not owned");
    }

    #[test]
    fn an_answer_after_a_revocation_still_ends_the_commit() {
        let mut offsets = owning(2);
        offsets.handed("t", 0, 0);
        offsets.handed("t", 1, 0);
        offsets.end_of_batch();
        let sent = offsets.begin_commit();
        offsets.remove(&[partition(0)]);
        offsets.committed(&sent);
        assert!(!offsets.is_due());
        offsets.handed("t", 1, 1);
        offsets.end_of_batch();
        assert_eq!(offsets.begin_commit(), [at(1, 2)]);
    }

    #[test]
    fn a_partition_that_began_anew_is_committed_at_its_beginning() {
        let mut offsets = Offsets::default();
        offsets.assign(partition(0), 500, 510);
        assert!(!offsets.is_due());
        offsets.restart(&partition(0), 0);
        assert_eq!(offsets.suspect_below(&partition(0)), 0);
        assert_eq!(offsets.begin_commit(), [at(0, 0)]);
        offsets.committed(&[at(0, 0)]);
        offsets.handed("t", 0, 0);
        offsets.end_of_batch();
        assert_eq!(offsets.begin_commit(), [at(0, 1)]);
    }

    #[test]
    fn the_answer_to_a_commit_before_a_seek_does_not_undo_the_seek() {
        let mut offsets = owning(1);
        (0..150).for_each(|offset| assert!(offsets.handed("t", 0, offset)));
        offsets.end_of_batch();
        let sent = offsets.begin_commit();
        offsets.restart(&partition(0), 50);
        offsets.committed(&sent);
        assert_eq!(offsets.uncommitted(), 0);
        assert_eq!(offsets.begin_commit(), [at(0, 50)]);
    }

    #[test]
    fn nothing_is_due_of_a_partition_that_nothing_was_consumed_of_but_it_stands_somewhere() {
        let mut offsets = Offsets::default();
        offsets.assign(partition(0), 5, 0);
        offsets.end_of_batch();
        assert!(!offsets.is_due());
        assert_eq!(offsets.uncommitted(), 0);
        assert_eq!(offsets.standing(&[partition(0), partition(1)]), [at(0, 5)]);
    }
}
