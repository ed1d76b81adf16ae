//! From the group's thread into the feed: what [`kafka::Group`] hands on goes to the hub, to the audit, and to the state that
//! tabs follow.

use crate::{
    holes::{Holes, Looked},
    journal::{Journal, Said, Stretch},
    state::State,
};
use ::feed::{Audit, Remark, Writer};
use kafka::{ClientReport, Consume, Found, Partition, PartitionOffset, PartitionOffsets, Taken};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, atomic::Ordering, mpsc},
    time::Duration,
};
use wire::{
    Assignment, ChangeKind, Count, Flag, Flags, Gap, HappeningKind, KafkaState, Mark, News, Owned, Position,
    RecordView, Sought, TopicId,
};

/// How long marks are waited for when a partition is taken on that was not given back.
const MARKS_DEADLINE: Duration = Duration::from_secs(1);

/// The consumer's end of a feed. Lives on the group's thread.
pub(crate) struct Ingest {
    group: String,
    writer: Writer,
    audit: Audit,
    state: Arc<State>,
    journal: Arc<Journal>,
    /// What everyone says of this group.
    said: mpsc::Receiver<Said>,
    /// Looks into the holes that the audit finds.
    holes: Holes,
    /// What this instance owns.
    owned: BTreeSet<Partition>,
    /// How many partitions each topic has, as far as that is known.
    totals: BTreeMap<String, u32>,
    /// The id of each topic of which a partition was taken on.
    topic_ids: HashMap<String, String>,
    /// What was consumed since the last hand-off, by partition: records come in runs of one.
    batch: Vec<(Partition, Stretch)>,
}

impl Ingest {
    pub(crate) fn new(
        group: String,
        writer: Writer,
        audit: Audit,
        state: Arc<State>,
        journal: Arc<Journal>,
        holes: Holes,
    ) -> Self {
        let said = journal.listen(&group);
        let (owned, totals, topic_ids, batch) = (BTreeSet::new(), BTreeMap::new(), HashMap::new(), Vec::new());
        Self { group, writer, audit, state, journal, said, holes, owned, totals, topic_ids, batch }
    }

    /// Takes note of a mark, and tells late what it shows to be redelivered.
    fn hear(&mut self, mark: &Mark) {
        let Mark { topic, partition, .. } = mark;
        if mark.by != *self.journal.author() {
            self.audit.heard_other(topic, *partition, mark.first..mark.next);
        } else if !mark.replayed {
            for late in self.audit.heard_own(topic, *partition, mark.first..mark.next) {
                let (first, last, flags) = (late.start, late.end - 1, Flags::REDELIVERED);
                let flag = Flag { topic: topic.clone(), partition: *partition, first, last, flags };
                self.writer.remark(Remark::Flag(flag));
            }
        }
    }

    fn hear_all(&mut self) {
        while let Ok(said) = self.said.try_recv() {
            match said {
                Said::Mark(mark) => self.hear(&mark),
                // The journal knows those of all feeds.
                Said::Topic(TopicId { topic, id }) if self.totals.contains_key(&topic) => {
                    self.writer.topic(&topic, &id)
                }
                Said::Anew(topic) => self.audit.forget_others(&topic),
                // The tabs of this instance's share are told of its own part at its place among the records.
                Said::Topic(_) | Said::Happened(_) => {}
            }
        }
        self.writer.flush();
    }

    /// Has the holes looked into that were found, and tells what stood in those that were.
    fn look_into_holes(&mut self) {
        self.holes.look(self.audit.take_holes());
        for Looked { hole, to, found } in self.holes.looked() {
            let records = found.as_ref().map_or(0, |found| found.records);
            if self.audit.looked_into(&hole, to, records)
                && let Some(Found { first, last, records }) = found
            {
                let (topic, partition) = (hole.topic, hole.partition);
                tracing::error!(group = self.group, topic, partition, first, last, records, "records were passed over");
                let count = Count::Exact(records);
                let gap = Gap { topic, partition, first, last, count, now_with: None };
                self.writer.change(crate::now(), ChangeKind::PassedOver(gap));
                self.writer.flush();
            }
        }
    }

    /// A topic that was deleted and made anew is another one: what was consumed of the old says nothing of it.
    fn note_topics(&mut self, taken: &[Taken]) {
        let ids: HashMap<_, _> =
            taken.iter().filter_map(|taken| Some((taken.partition.topic.clone(), taken.topic_id.clone()?))).collect();
        for (topic, id) in &ids {
            self.writer.topic(topic, id);
            if self.topic_ids.insert(topic.clone(), id.clone()).is_some_and(|before| before != *id) {
                self.audit.topic_began_anew(topic);
            }
        }
        self.journal.set_topic_ids(ids);
    }

    /// Notes what is to be marked of this batch.
    fn note(&mut self, record: &RecordView<'_>, is_replayed: bool) {
        let (first, next) = (record.offset, record.offset + 1);
        if let Some((partition, stretch)) = self.batch.last_mut()
            && partition.partition == record.partition
            && partition.topic == record.topic
            && stretch.is_replayed == is_replayed
            && stretch.next <= first
        {
            // Holes belong to it: compaction and transaction markers were passed.
            (stretch.next, stretch.at) = (next, record.received);
            return;
        }
        let stretch = Stretch { first, next, at: record.received, is_replayed };
        self.batch.push((Partition::new(record.topic, record.partition), stretch));
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
        self.state.assign(Assignment { owned: self.by_topic(&self.owned) });
    }

    /// A change of the assignment is a row among the records, news for the others, and the new state of the feed.
    fn change(&mut self, partitions: &[Partition], kind: fn(Vec<Owned>) -> ChangeKind, news: HappeningKind) {
        // A member that gets nothing new has nothing to say.
        if !partitions.is_empty() {
            let partitions = self.by_topic(partitions);
            self.writer.change(crate::now(), kind(partitions.clone()));
            self.writer.flush();
            self.journal.tell(News::Changed { group: self.group.clone(), change: news, partitions });
        }
        self.publish_assignment();
        self.audit.tick(crate::now());
    }
}

impl Consume for Ingest {
    fn record(&mut self, record: &RecordView<'_>) {
        let flags = self.audit.observe(record.topic, record.partition, record.offset);
        self.writer.push(&RecordView { flags: record.flags.with(flags), ..*record });
        self.note(record, flags.contains(Flags::REPLAYED));
    }

    fn end_of_batch(&mut self) {
        self.writer.flush();
        self.audit.tick(crate::now());
        for (partition, stretch) in self.batch.drain(..) {
            self.journal.mark(&self.group, &partition, stretch);
        }
    }

    fn assigned(&mut self, taken: &[Taken]) {
        self.state.is_member.store(true, Ordering::Relaxed);
        // What the former owner marked before it went away tells which of the suspects it did consume.
        if self.journal.is_on()
            && taken.iter().any(|taken| !taken.suspects.is_empty())
            && !self.journal.catch_up(MARKS_DEADLINE)
        {
            tracing::warn!(group = self.group, "the marks of former owners could not be read in time");
        }
        self.note_topics(taken);
        self.hear_all();
        let begin = |taken: &Taken| Position {
            topic: taken.partition.topic.clone(),
            partition: taken.partition.partition,
            next: taken.next,
        };
        self.writer.begin(&taken.iter().map(begin).collect::<Vec<_>>());
        self.state.meter.assigned.fetch_add(1, Ordering::Relaxed);
        let partitions: Vec<_> = taken.iter().map(|taken| taken.partition.clone()).collect();
        self.owned.extend(partitions.iter().cloned());
        let begun = taken.iter().map(|Taken { partition, next, suspects, .. }| {
            (partition.topic.as_str(), partition.partition, *next, suspects.clone())
        });
        self.audit.assigned(begun);
        self.change(&partitions, ChangeKind::Assigned, HappeningKind::Assigned);
    }

    fn revoked(&mut self, partitions: &[Partition]) {
        self.state.meter.revoked.fetch_add(1, Ordering::Relaxed);
        self.owned.retain(|owned| !partitions.contains(owned));
        self.audit.revoked(pairs(partitions));
        self.change(partitions, ChangeKind::Revoked, HappeningKind::Revoked);
    }

    fn lost(&mut self, partitions: &[Partition]) {
        self.state.is_member.store(false, Ordering::Relaxed);
        self.state.meter.lost.fetch_add(1, Ordering::Relaxed);
        self.owned.retain(|owned| !partitions.contains(owned));
        self.audit.revoked(pairs(partitions));
        self.change(partitions, ChangeKind::Lost, HappeningKind::Lost);
    }

    fn sought(&mut self, partition: &Partition, from: i64, to: i64) {
        self.audit.sought(&partition.topic, partition.partition, from, to);
        let sought = Sought { topic: partition.topic.clone(), partition: partition.partition, from, to };
        self.writer.change(crate::now(), ChangeKind::Sought(sought));
        self.writer.flush();
        let partitions = self.by_topic([partition]);
        self.journal.tell(News::Changed { group: self.group.clone(), change: HappeningKind::Sought, partitions });
    }

    fn began_anew(&mut self, partition: &Partition) {
        self.audit.began_anew(&partition.topic, partition.partition);
        self.writer.topic_began_anew(&partition.topic);
    }

    fn turn(&mut self) {
        self.hear_all();
        self.look_into_holes();
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
        self.state.kafka(state);
    }

    fn commit_ended(&mut self, took: Duration, is_acknowledged: bool) {
        self.state.meter.committed(took, is_acknowledged, crate::now());
    }

    fn client_report(&mut self, report: ClientReport) {
        *self.state.meter.client.lock() = report;
    }
}

fn pairs(partitions: &[Partition]) -> impl Iterator<Item = (&str, i32)> {
    partitions.iter().map(|partition| (partition.topic.as_str(), partition.partition))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::feed::{AuditReader, Hole, HubConfig, Session};
    use tokio::sync::mpsc as channel;
    use wire::{Author, Change, Event, From};

    struct World {
        ingest: Ingest,
        session: Session,
        audit: AuditReader,
        holes: channel::Receiver<Hole>,
        looked: mpsc::Sender<Looked>,
    }

    impl World {
        /// An instance that was assigned partition 0 of topic t, from `next` on.
        fn new(next: i64) -> Self {
            let (writer, hub) = ::feed::hub(HubConfig::default());
            let (session, _) = Session::new(&hub, Arc::default(), From::Now);
            let author = Author { deployment: "d".into(), instance: "one".into(), incarnation: 1 };
            let journal = Arc::new(Journal::unread(author, "g"));
            let (holes, asked, looked) = Holes::by_hand();
            let audit = Audit::new();
            let reader = audit.reader();
            let mut ingest = Ingest::new("g".into(), writer, audit, Arc::default(), journal, holes);
            let topic_id = Some("id".into());
            ingest.assigned(&[Taken { partition: Partition::new("t", 0), topic_id, next, suspects: next..next }]);
            Self { ingest, session, audit: reader, holes: asked, looked }
        }

        fn consume(&mut self, offset: i64) {
            self.ingest.record(&crate::record_at(offset));
            self.ingest.end_of_batch();
            self.ingest.turn();
        }

        fn passed_over(&mut self) -> Vec<Gap> {
            let events = crate::events_of(&self.session.take(usize::MAX)).into_iter();
            let gap = |event| match event {
                Event::Change(Change { kind: ChangeKind::PassedOver(gap), .. }) => Some(gap),
                _ => None,
            };
            events.filter_map(gap).collect()
        }
    }

    #[test]
    fn a_record_that_stands_in_a_hole_is_missing_and_named_in_the_feed() {
        let mut world = World::new(3);
        world.consume(3);
        world.consume(9);
        let hole = world.holes.try_recv().unwrap();
        assert_eq!(hole.offsets, 4..9);
        let found = Some(Found { first: 5, last: 6, records: 2 });
        world.looked.send(Looked { hole, to: 9, found }).unwrap();
        world.ingest.turn();
        world.ingest.end_of_batch();
        let stats = world.audit.stats(0);
        assert_eq!((stats.skipped, stats.empty, stats.missing), (3, 3, 2));
        let (topic, count) = ("t".into(), Count::Exact(2));
        assert_eq!(world.passed_over(), [Gap { topic, partition: 0, first: 5, last: 6, count, now_with: None }]);
    }

    #[test]
    fn an_empty_hole_is_counted_and_no_row() {
        let mut world = World::new(0);
        world.consume(1);
        let hole = world.holes.try_recv().unwrap();
        world.looked.send(Looked { hole, to: 1, found: None }).unwrap();
        world.ingest.turn();
        world.ingest.end_of_batch();
        let stats = world.audit.stats(0);
        assert_eq!((stats.skipped, stats.empty, stats.missing), (1, 1, 0));
        assert_eq!(world.passed_over(), []);
    }
}
