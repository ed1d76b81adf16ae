//! What this tab sent, and what became of it. Pure.

use std::{collections::VecDeque, sync::Arc, time::Duration};
use wire::{Assignment, Receipt};

/// How many receipts are kept.
const KEPT: usize = 20;

/// A message that this tab sent and the broker acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The acknowledgement.
    pub receipt: Receipt,
    /// When it was sent, on the tab's own clock: see [`clock`](super::clock).
    pub sent_at: Duration,
    /// What became of it.
    pub state: SentState,
}

/// What became of a message that this tab sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentState {
    /// The broker has it.
    Acked,
    /// The group consumed it, and this tab shows it.
    Consumed {
        /// The instance that consumed it.
        instance: Arc<str>,
        /// How long after it was sent its row came, in milliseconds by the tab's own clock.
        after_ms: Option<u32>,
    },
    /// Its partition belongs to another instance now, whose tabs will show it.
    Elsewhere,
}

/// The last receipts, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    sent: VecDeque<Sent>,
}

impl Receipts {
    pub(crate) fn add(&mut self, receipt: Receipt, sent_at: Duration, assignment: &Assignment) {
        self.sent.push_front(Sent { receipt, sent_at, state: SentState::Acked });
        self.sent.truncate(KEPT);
        self.assess(assignment);
    }

    /// Whether this tab sent what is at this place.
    pub(crate) fn has(&self, topic: &str, partition: i32, offset: i64) -> bool {
        self.sent.iter().any(|sent| is_at(&sent.receipt, topic, partition, offset))
    }

    /// Takes note that a row came. Returns whether that says something new.
    pub(crate) fn consumed(
        &mut self,
        topic: &str,
        partition: i32,
        offset: i64,
        instance: &Arc<str>,
        arrived: Duration,
    ) -> bool {
        let is_open = |sent: &&mut Sent| {
            is_at(&sent.receipt, topic, partition, offset) && !matches!(sent.state, SentState::Consumed { .. })
        };
        let Some(sent) = self.sent.iter_mut().find(is_open) else { return false };
        let after = arrived.checked_sub(sent.sent_at).and_then(|after| u32::try_from(after.as_millis()).ok());
        sent.state = SentState::Consumed { instance: Arc::clone(instance), after_ms: after };
        true
    }

    /// Takes note that someone consumed a range. Returns whether that says something new.
    pub(crate) fn consumed_range(&mut self, range: &wire::Consumed, at: Duration) -> bool {
        let is_in = |receipt: &Receipt| {
            (range.first..=range.last).contains(&receipt.offset)
                && receipt.partition == range.partition
                && receipt.topic == range.topic
        };
        let offsets: Vec<_> = self
            .sent
            .iter()
            .map(|sent| &sent.receipt)
            .filter(|receipt| is_in(receipt))
            .map(|receipt| receipt.offset)
            .collect();
        let instance = Arc::from(range.instance.as_str());
        let mut is_new = false;
        for offset in offsets {
            is_new |= self.consumed(&range.topic, range.partition, offset, &instance, at);
        }
        is_new
    }

    /// Takes note of what this instance owns. Returns whether that says something new.
    pub(crate) fn assess(&mut self, assignment: &Assignment) -> bool {
        let mut is_new = false;
        for sent in self.sent.iter_mut().filter(|sent| !matches!(sent.state, SentState::Consumed { .. })) {
            let owns = assignment
                .owned
                .iter()
                .any(|owned| owned.topic == sent.receipt.topic && owned.partitions.contains(&sent.receipt.partition));
            let state = if owns { SentState::Acked } else { SentState::Elsewhere };
            is_new |= sent.state != state;
            sent.state = state;
        }
        is_new
    }

    pub(crate) fn list(&self) -> Vec<Sent> {
        self.sent.iter().cloned().collect()
    }
}

fn is_at(receipt: &Receipt, topic: &str, partition: i32, offset: i64) -> bool {
    receipt.offset == offset && receipt.partition == partition && receipt.topic == topic
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Owned;

    fn receipt(partition: i32, offset: i64) -> Receipt {
        Receipt { topic: "t".into(), partition, offset, timestamp: None, acked_in: 900, key: None }
    }

    fn owning(partitions: Vec<i32>) -> Assignment {
        Assignment { owned: vec![Owned { topic: "t".into(), partitions, of: 3 }] }
    }

    fn states(receipts: &Receipts) -> Vec<SentState> {
        receipts.list().into_iter().map(|sent| sent.state).collect()
    }

    #[test]
    fn a_receipt_turns_consumed_when_its_row_comes_and_stays_so() {
        let (mut receipts, instance) = (Receipts::default(), Arc::from("ottla-2"));
        receipts.add(receipt(0, 7), Duration::from_millis(100), &owning(vec![0]));
        assert!(!receipts.consumed("t", 0, 6, &instance, Duration::from_millis(110)));
        assert!(receipts.consumed("t", 0, 7, &instance, Duration::from_millis(111)));
        let consumed = SentState::Consumed { instance: Arc::clone(&instance), after_ms: Some(11) };
        assert_eq!(states(&receipts), std::slice::from_ref(&consumed));
        assert!(!receipts.assess(&owning(vec![])));
        assert!(
            !receipts.consumed("t", 0, 7, &instance, Duration::from_millis(500)),
            "a replay is not its consumption"
        );
        assert_eq!(states(&receipts), [consumed]);
    }

    #[test]
    fn a_partition_of_another_instance_is_elsewhere_until_it_comes_here() {
        let mut receipts = Receipts::default();
        receipts.add(receipt(1, 7), Duration::ZERO, &owning(vec![0]));
        assert_eq!(states(&receipts), [SentState::Elsewhere]);
        assert!(receipts.assess(&owning(vec![0, 1])));
        assert_eq!(states(&receipts), [SentState::Acked]);
    }

    #[test]
    fn the_last_ones_are_kept() {
        let mut receipts = Receipts::default();
        for offset in 0..30 {
            receipts.add(receipt(0, offset), Duration::ZERO, &owning(vec![0]));
        }
        assert_eq!(receipts.list().len(), KEPT);
        assert!(receipts.has("t", 0, 29) && receipts.has("t", 0, 10) && !receipts.has("t", 0, 9));
    }
}
