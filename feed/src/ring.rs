//! The ring: published segments, bounded in bytes, and what is known of every partition. One lock guards it; nothing is
//! encoded, decoded or freed while it is held.

use crate::{
    evicted::{Evicted, Tally},
    partitions::{Name, Partitions},
    segment::{Entry, Segment},
    topics::Topics,
};
use std::{collections::VecDeque, sync::Arc};
use wire::Position;

/// The seq of a hub's first append: 0 means "not of a feed" in a record.
pub(crate) const FIRST_SEQ: u64 = 1;

#[derive(Debug)]
pub(crate) struct Ring {
    limit: usize,
    bytes: usize,
    segments: VecDeque<Arc<Segment>>,
    head: u64,
    pub topics: Topics,
    partitions: Partitions,
    /// By ordinal.
    known: Vec<Known>,
    /// By ordinal, at the head. Shared by the sessions that are there.
    tallies: Arc<Vec<Tally>>,
    /// By ordinal; as long as the highest evicted ordinal demands.
    evicted: Vec<Evicted>,
}

/// The offsets of a partition in this epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// Where it begins: the first that was appended, unless it was said before.
    pub first: i64,
    /// The one after the highest that was appended, or where it went on after another instance had it.
    pub end: i64,
}

/// Where a tab's position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// In the partition with this ordinal.
    Here(usize),
    /// In one of which nothing was appended, and may be yet.
    NotYet,
    /// In a log that was never here: it says nothing.
    Never,
}

/// What lies after a position.
#[derive(Debug)]
pub(crate) struct Stretch {
    pub segments: Vec<Arc<Segment>>,
    pub head: u64,
    pub tallies_at_head: Arc<Vec<Tally>>,
}

impl Ring {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: 0,
            segments: VecDeque::new(),
            head: FIRST_SEQ,
            topics: Topics::default(),
            partitions: Partitions::default(),
            known: Vec::new(),
            tallies: Arc::default(),
            evicted: Vec::new(),
        }
    }

    /// The seq after the last published append.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The oldest seq that is still here; the head where nothing is.
    pub fn tail(&self) -> u64 {
        self.segments.front().map_or(self.head, |segment| segment.first_seq())
    }

    /// The memory that the segments take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The oldest segment with records.
    pub fn oldest_records(&self) -> Option<&Arc<Segment>> {
        self.segments.iter().find(|segment| !segment.is_change())
    }

    pub fn newest_segment(&self) -> Option<&Arc<Segment>> {
        self.segments.back()
    }

    /// Publishes `segment`, whose records `fresh` are new: all of them, or, where it takes the place of the newest segment
    /// (`joined`), its last ones. `names` are all partitions that were seen so far. Returns what was evicted, to be freed
    /// without the lock.
    pub fn append(
        &mut self,
        segment: Arc<Segment>,
        joined: bool,
        fresh: &[Entry],
        names: &[Name],
    ) -> Vec<Arc<Segment>> {
        self.take_over(names);
        self.count(fresh);
        let mut replaced = Vec::new();
        if joined && let Some(last) = self.segments.pop_back() {
            self.bytes -= last.cost();
            replaced.push(last);
        }
        self.head = segment.end_seq();
        self.bytes += segment.cost();
        self.segments.push_back(segment);
        self.evict(replaced)
    }

    /// What comes of a partition comes from `next` on; `names` are all partitions up to this one.
    pub fn begin(&mut self, ordinal: usize, next: i64, names: &[Name]) {
        self.take_over(names);
        match self.known.get_mut(ordinal) {
            Some(known) => known.end = known.end.max(next),
            None => self.known.push(Known { first: next, end: next }),
        }
    }

    fn take_over(&mut self, names: &[Name]) {
        for name in &names[self.partitions.names().len()..] {
            self.partitions.take_over(name);
        }
    }

    fn count(&mut self, fresh: &[Entry]) {
        if fresh.is_empty() {
            return;
        }
        let tallies = Arc::make_mut(&mut self.tallies);
        tallies.resize(self.partitions.names().len(), Tally::default());
        for entry in fresh {
            let end = entry.offset.saturating_add(1);
            match self.known.get_mut(entry.partition as usize) {
                Some(known) => known.end = known.end.max(end),
                // Ordinals are given in the order of first sight, so a new one is always the next.
                None => self.known.push(Known { first: entry.offset, end }),
            }
            tallies[entry.partition as usize].advance(entry.offset);
        }
    }

    fn evict(&mut self, mut freed: Vec<Arc<Segment>>) -> Vec<Arc<Segment>> {
        // The newest segment stays whatever its size, for nobody can have read it yet.
        while self.bytes > self.limit
            && self.segments.len() > 1
            && let Some(segment) = self.segments.pop_front()
        {
            self.bytes -= segment.cost();
            for (seq, entry) in (segment.first_seq()..).zip(segment.index()) {
                let at = entry.partition as usize;
                if self.evicted.len() <= at {
                    self.evicted.resize_with(at + 1, Evicted::default);
                }
                self.evicted[at].add(seq, entry.offset);
            }
            freed.push(segment);
        }
        freed
    }

    /// How many partitions were seen in this epoch.
    pub fn partition_count(&self) -> usize {
        self.known.len()
    }

    pub fn name(&self, ordinal: usize) -> &Name {
        &self.partitions.names()[ordinal]
    }

    /// Where a position of a tab is to be found that knows the topic by this id, or by none.
    pub fn find(&self, position: &Position, id: Option<&str>) -> Found {
        let Position { topic, partition, .. } = position;
        match self.topics.log(topic, id) {
            None => Found::Never,
            Some(log) => match self.partitions.find(topic, *partition, log) {
                Some(ordinal) => Found::Here(ordinal as usize),
                None => Found::NotYet,
            },
        }
    }

    pub fn known(&self, ordinal: usize) -> Known {
        self.known[ordinal]
    }

    pub fn evicted(&self) -> &[Evicted] {
        &self.evicted
    }

    pub fn tallies_at_head(&self) -> &Arc<Vec<Tally>> {
        &self.tallies
    }

    pub fn tallies_at_tail(&self) -> Arc<Vec<Tally>> {
        Arc::new(self.evicted.iter().map(Evicted::tally).collect())
    }

    /// The tallies of a reader that stands at `seq`, which is in the ring. Counted back from the head, for most readers are
    /// near it.
    pub fn tallies_at(&self, seq: u64) -> Arc<Vec<Tally>> {
        if seq == self.head {
            return Arc::clone(&self.tallies);
        }
        let mut tallies = Vec::clone(&self.tallies);
        // By ordinal, whether records were taken off: the next offset then follows from the record before them.
        let mut is_open = vec![false; tallies.len()];
        let mut open = 0;
        for segment in self.segments.iter().rev() {
            if segment.end_seq() <= seq && open == 0 {
                break;
            }
            for (of, entry) in (segment.first_seq()..segment.end_seq()).rev().zip(segment.index().iter().rev()) {
                let ordinal = entry.partition as usize;
                if of >= seq {
                    tallies[ordinal].count -= 1;
                    open += usize::from(!is_open[ordinal]);
                    is_open[ordinal] = true;
                } else if is_open[ordinal] {
                    tallies[ordinal].next = entry.offset.saturating_add(1);
                    open -= 1;
                    is_open[ordinal] = false;
                }
            }
        }
        for (ordinal, tally) in tallies.iter_mut().enumerate().filter(|(ordinal, _)| is_open[*ordinal]) {
            tally.next = self.evicted.get(ordinal).map_or(0, |evicted| evicted.tally().next);
        }
        Arc::new(tallies)
    }

    /// What lies after `seq`: up to the head, or until the bodies have `bytes`, but at least one segment.
    pub fn stretch(&self, seq: u64, bytes: usize) -> Stretch {
        let from = self.segments.partition_point(|segment| segment.end_seq() <= seq);
        let mut gathered = 0;
        let mut segments = Vec::new();
        for segment in self.segments.range(from..) {
            if gathered >= bytes && !segments.is_empty() {
                break;
            }
            gathered += segment.body().len() - segment.start_of_seq(seq);
            segments.push(Arc::clone(segment));
        }
        Stretch { segments, head: self.head, tallies_at_head: Arc::clone(&self.tallies) }
    }

    /// The seq of the `n`th newest record, or the tail where there are fewer.
    pub fn newest_start(&self, n: usize) -> u64 {
        let mut left = n;
        for segment in self.segments.iter().rev() {
            if left == 0 {
                return segment.end_seq();
            }
            match segment.index().len().checked_sub(left) {
                Some(skipped) => return segment.first_seq() + skipped as u64,
                None => left -= segment.index().len(),
            }
        }
        self.tail()
    }

    /// Every record that is here, with its seq.
    pub fn entries(&self) -> impl Iterator<Item = (u64, &Entry)> {
        self.segments.iter().flat_map(|segment| (segment.first_seq()..).zip(segment.index()))
    }

    /// The ordinals and next offsets of a reader at `seq` with these tallies. Of a partition of which it has seen nothing that is
    /// the offset that it begins with.
    pub fn standing(&self, tallies: &[Tally], seq: u64) -> impl Iterator<Item = (usize, i64)> {
        let held = self.known.iter().enumerate().filter(move |(ordinal, _)| self.holds_at(*ordinal, seq));
        held.map(|(ordinal, known)| match tallies.get(ordinal) {
            Some(tally) if tally.count > 0 => (ordinal, tally.next),
            _ => (ordinal, known.first),
        })
    }

    /// Whether at `seq` the topic's name meant the log that this partition is of.
    pub fn holds_at(&self, ordinal: usize, seq: u64) -> bool {
        let Name { topic, log, .. } = self.name(ordinal);
        self.topics.log_at(topic, seq) == *log
    }

    pub fn position(&self, ordinal: usize, next: i64) -> Position {
        let Name { topic, partition, .. } = self.name(ordinal);
        Position { topic: topic.as_ref().into(), partition: *partition, next }
    }
}
