//! One writer, many readers: the writer's half encodes, publishes and wakes; the hub is what sessions read from.

use crate::{
    batch::Batch,
    change,
    partitions::Partitions,
    ring::{FIRST_SEQ, Ring},
    segment::{OpenSegment, Segment},
    topics::Identified,
};
use parking_lot::RwLock;
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};
use tokio::sync::watch;
use wire::{Change, ChangeKind, Consumed, Cursor, Event, Flag, Millis, Position, Record, RecordView, TopicId};

/// How many positions are told in one event: they fit a message whatever the topics' names are.
pub const POSITIONS_AT_ONCE: usize = 200;

/// How much a hub keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubConfig {
    /// The most memory that the encoded records and their index may take, in bytes. The newest segment (about 100 KiB at
    /// most) stays even where this is less.
    pub ring_bytes: usize,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self { ring_bytes: 64 * 1024 * 1024 }
    }
}

/// A new hub, in an epoch of its own, and its only writer.
pub fn hub(config: HubConfig) -> (Writer, Arc<Hub>) {
    let hub = Arc::new(Hub {
        epoch: new_epoch(),
        ring: RwLock::new(Ring::new(config.ring_bytes)),
        published: watch::Sender::new(FIRST_SEQ),
    });
    let writer = Writer {
        hub: Arc::clone(&hub),
        open: OpenSegment::default(),
        partitions: Partitions::default(),
        next_seq: FIRST_SEQ,
        announced: FIRST_SEQ,
    };
    (writer, hub)
}

/// Random, and never the 0 of an empty cursor.
fn new_epoch() -> u64 {
    // The standard library seeds every RandomState's hasher from the operating system's randomness.
    RandomState::new().build_hasher().finish().max(1)
}

/// The hub's only writer: the group's thread.
#[derive(Debug)]
pub struct Writer {
    hub: Arc<Hub>,
    open: OpenSegment,
    partitions: Partitions,
    next_seq: u64,
    announced: u64,
}

impl Writer {
    /// Encodes `record` as the next append; its own `seq` is ignored. Sessions are told at the next [`Writer::flush`], though
    /// what fills a segment may be read before.
    pub fn push(&mut self, record: &RecordView<'_>) {
        let partition = self.partitions.ordinal(record.topic, record.partition);
        self.open.push(record, self.next_seq, partition);
        self.next_seq += 1;
        if self.open.is_full() {
            self.publish_records();
        }
    }

    /// Appends a change, as a row of its own (as several, where it names more partitions than fit a message). Told like
    /// records, at the next [`Writer::flush`].
    pub fn change(&mut self, at: Millis, kind: ChangeKind) {
        self.publish_records();
        for kind in change::split(kind) {
            self.append(&Event::Change(Change { epoch: self.hub.epoch, seq: self.next_seq, at, kind }));
        }
    }

    /// Appends what became known of records that were pushed before, or who consumed them. It has its place in the stream
    /// like they, so that a tab which comes back is told it too. Told at the next [`Writer::flush`].
    pub fn remark(&mut self, remark: Remark) {
        self.publish_records();
        self.append(&match remark {
            Remark::Flag(flag) => Event::Flag(flag),
            Remark::Consumed(consumed) => Event::Consumed(consumed),
        });
    }

    /// The topic's name has this id from here on. Where it is not the one that was known, the topic was deleted and made anew:
    /// what is appended from now on is of another log than what came before. Told at the next [`Writer::flush`].
    pub fn topic(&mut self, topic: &str, id: &str) {
        self.publish_records();
        let identified = self.hub.ring.write().topics.identify(topic, id, self.next_seq);
        match identified {
            Identified::Known => return,
            Identified::Present => {}
            Identified::Anew => self.partitions.begin_anew(topic),
        }
        self.append(&Event::Topics(vec![TopicId { topic: topic.to_owned(), id: id.to_owned() }]));
    }

    /// The topic was deleted and made anew: its id is not known yet.
    pub fn topic_began_anew(&mut self, topic: &str) {
        self.publish_records();
        if self.hub.ring.write().topics.begin_anew(topic, self.next_seq) {
            self.partitions.begin_anew(topic);
        }
    }

    /// What comes of these partitions comes from these positions on. A tab that wants earlier records is told of the gap at once,
    /// and not when something comes. Told at the next [`Writer::flush`].
    pub fn begin(&mut self, positions: &[Position]) {
        self.publish_records();
        for Position { topic, partition, next } in positions {
            let ordinal = self.partitions.ordinal(topic, *partition);
            self.hub.ring.write().begin(ordinal as usize, *next, self.partitions.names());
        }
        for positions in positions.chunks(POSITIONS_AT_ONCE) {
            self.append(&Event::Positions(positions.to_vec()));
        }
    }

    fn append(&mut self, event: &Event) {
        let segment = Arc::new(Segment::change(event, self.next_seq));
        self.next_seq += 1;
        // The lock is released before what was evicted is freed.
        let evicted = self.hub.ring.write().append(segment, false, &[], self.partitions.names());
        drop(evicted);
    }

    /// Publishes what was pushed, and wakes the sessions that wait. Cheap when there is nothing new.
    pub fn flush(&mut self) {
        self.publish_records();
        if self.announced < self.next_seq {
            self.announced = self.next_seq;
            self.hub.published.send_replace(self.next_seq);
        }
    }

    fn publish_records(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let last = self.hub.ring.read().newest_segment().cloned().filter(|last| self.open.joins(last));
        let segment = match &last {
            Some(last) => self.open.joined(last),
            None => self.open.sealed(self.next_seq - self.open.len() as u64),
        };
        let (segment, joined) = (Arc::new(segment), last.is_some());
        let evicted = self.hub.ring.write().append(segment, joined, self.open.index(), self.partitions.names());
        drop(evicted);
        self.open.clear();
    }
}

/// What is said of records after they were pushed: see [`Writer::remark`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// They have other flags.
    Flag(Flag),
    /// This instance consumed them.
    Consumed(Consumed),
}

/// What sessions read from: the newest records that fit the ring.
#[derive(Debug)]
pub struct Hub {
    epoch: u64,
    pub(crate) ring: RwLock<Ring>,
    /// The head as of the last flush. It lives as long as the hub, so waiting for it never ends in an error.
    pub(crate) published: watch::Sender<u64>,
}

impl Hub {
    /// The hub's life: random, never 0.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The `n` newest records, the oldest of them first, and where a tab that has them goes on. Both as of one moment.
    pub fn newest(&self, n: usize) -> (Vec<Record>, Cursor) {
        let (stretch, start, cursor) = {
            let ring = self.ring.read();
            let (start, seq) = (ring.newest_start(n), ring.head());
            let (positions, topics) = (positions_at_head(&ring), ring.topics.at(seq));
            (ring.stretch(start, usize::MAX), start, Cursor { epoch: self.epoch, seq, positions, topics })
        };
        (Batch::records_from(&stretch.segments, start), cursor)
    }

    /// Per partition that was seen in this epoch, the offset after the last append.
    pub fn positions(&self) -> Vec<Position> {
        positions_at_head(&self.ring.read())
    }

    /// When the oldest record that is still here was polled. None where there is none.
    pub fn oldest(&self) -> Option<Millis> {
        let segment = self.ring.read().oldest_records().cloned()?;
        segment.record_from(segment.first_seq()).map(|record| record.view().received)
    }

    /// The memory that the ring takes now, in bytes.
    pub fn bytes(&self) -> usize {
        self.ring.read().bytes()
    }
}

fn positions_at_head(ring: &Ring) -> Vec<Position> {
    let standing = ring.standing(ring.tallies_at_head(), ring.head());
    standing.map(|(ordinal, next)| ring.position(ordinal, next)).collect()
}
