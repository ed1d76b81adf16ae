//! From the group's thread into the feed: what [`kafka::Group`] hands on goes to the hub, to the audit, and to the state that
//! tabs follow.

use crate::feed::State;
use ::feed::{Audit, Writer};
use kafka::{Consume, Partition, PartitionOffset, PartitionOffsets};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
};
use wire::{Assignment, ChangeKind, Count, Gap, KafkaState, Owned, RecordView};

/// The consumer's end of a feed. Lives on the group's thread.
pub(crate) struct Ingest {
    writer: Writer,
    audit: Audit,
    state: Arc<State>,
    /// What this instance owns.
    owned: BTreeSet<Partition>,
    /// How many partitions each topic has, as far as that is known.
    totals: BTreeMap<String, u32>,
}

impl Ingest {
    pub(crate) fn new(writer: Writer, audit: Audit, state: Arc<State>) -> Self {
        Self { writer, audit, state, owned: BTreeSet::new(), totals: BTreeMap::new() }
    }

    /// These partitions by topic, with how many each topic has.
    fn by_topic<'a>(&self, partitions: impl IntoIterator<Item = &'a Partition>) -> Vec<Owned> {
        let mut topics = BTreeMap::<&str, Vec<i32>>::new();
        for Partition { topic, partition } in partitions {
            topics.entry(topic).or_default().push(*partition);
        }
        let owned = topics.into_iter().map(|(topic, mut partitions)| {
            partitions.sort_unstable();
            Owned { topic: topic.into(), partitions, of: self.totals.get(topic).copied().unwrap_or(0) }
        });
        owned.collect()
    }

    fn publish_assignment(&self) {
        self.state.assignment.send_replace(Assignment { owned: self.by_topic(&self.owned) });
    }

    /// A change of the assignment is a row among the records, and the new state of the feed.
    fn change(&mut self, partitions: &[Partition], kind: fn(Vec<Owned>) -> ChangeKind) {
        // A member that gets nothing new has nothing to say.
        if !partitions.is_empty() {
            self.writer.change(crate::now(), kind(self.by_topic(partitions)));
            self.writer.flush();
        }
        self.publish_assignment();
        self.audit.tick(crate::now());
    }
}

impl Consume for Ingest {
    fn record(&mut self, record: &RecordView<'_>) {
        let flags = self.audit.observe(record.topic, record.partition, record.offset);
        self.writer.push(&RecordView { flags: record.flags.with(flags), ..*record });
    }

    fn end_of_batch(&mut self) {
        self.writer.flush();
        self.audit.tick(crate::now());
    }

    fn assigned(&mut self, partitions: &[Partition]) {
        self.state.is_member.store(true, Ordering::Relaxed);
        self.owned.extend(partitions.iter().cloned());
        self.audit.assigned(pairs(partitions));
        self.change(partitions, ChangeKind::Assigned);
    }

    fn revoked(&mut self, partitions: &[Partition]) {
        self.owned.retain(|owned| !partitions.contains(owned));
        self.audit.revoked(pairs(partitions));
        self.change(partitions, ChangeKind::Revoked);
    }

    fn lost(&mut self, partitions: &[Partition]) {
        self.state.is_member.store(false, Ordering::Relaxed);
        self.owned.retain(|owned| !partitions.contains(owned));
        self.audit.revoked(pairs(partitions));
        self.change(partitions, ChangeKind::Lost);
    }

    fn missing(&mut self, topic: &str, partition: i32, first: i64, last: i64) {
        self.audit.missing(topic, partition, first, last);
        let count = Count::UpTo(last.abs_diff(first).saturating_add(1));
        let gap = Gap { topic: topic.into(), partition, first, last, count, now_with: None };
        self.writer.change(crate::now(), ChangeKind::Missing(gap));
        self.writer.flush();
    }

    fn committed(&mut self, offsets: &[PartitionOffset]) {
        for PartitionOffset { partition, offset } in offsets {
            self.audit.committed(&partition.topic, partition.partition, *offset);
        }
        self.audit.tick(crate::now());
    }

    fn topic_partitions(&mut self, topic: &str, partitions: u32) {
        if self.totals.insert(topic.into(), partitions) != Some(partitions) {
            self.publish_assignment();
        }
    }

    fn partition_offsets(&mut self, offsets: &[PartitionOffsets]) {
        for PartitionOffsets { topic, partition, committed, end } in offsets {
            if let Some(committed) = committed {
                self.audit.committed(topic, *partition, *committed);
            }
            if let Some(end) = end {
                self.audit.log_end(topic, *partition, *end);
            }
        }
        self.audit.tick(crate::now());
    }

    fn state(&mut self, state: KafkaState) {
        self.state.kafka.send_replace(state);
    }
}

fn pairs(partitions: &[Partition]) -> impl Iterator<Item = (&str, i32)> {
    partitions.iter().map(|partition| (partition.topic.as_str(), partition.partition))
}
