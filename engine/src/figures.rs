//! What an instance counts, as it is at the moment when someone asks: for metrics. Everything is read from what is counted anyway.

use crate::{
    Engine, Feed,
    journal::Waiting,
    meter::{Histogram, Produced},
};
use kafka::ClientReport;
use std::sync::atomic::{AtomicU64, Ordering};
use wire::{KafkaState, Millis, Stats};

/// An instance's figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// What became of the messages that it was given.
    pub produced: Produced,
    /// Whether the instances can tell each other what they consumed, and what waits to be told. None where they are not to.
    pub journal: Option<(bool, Waiting)>,
    /// Its feeds, those of the configuration. A temporary one has a name that nothing had before and nothing will have again: whoever
    /// keeps figures by name would keep one more for ever with each.
    pub feeds: Vec<FeedFigures>,
    /// How many temporary ones there are.
    pub temporary_feeds: usize,
    /// What librdkafka says of its producers: for people's messages, and for the journal where that has one of its own.
    pub producers: Vec<(&'static str, ClientReport)>,
}

/// A feed's figures.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedFigures {
    /// Its name.
    pub feed: String,
    /// Its consumer group.
    pub group: String,
    /// Its counters, of this moment. `gaps` is of this feed; `tabs` is not filled in.
    pub stats: Stats,
    /// Whether Kafka answers its consumer.
    pub kafka_is_up: bool,
    /// Whether the group has given this instance its share.
    pub is_member: bool,
    /// How often the group gave it partitions, took them back, and gave it up.
    pub rebalances: Rebalances,
    /// How long its commits took.
    pub commits: Histogram,
    /// How many failed.
    pub failed_commits: u64,
    /// When the last one was acknowledged.
    pub committed_at: Option<Millis>,
    /// The memory that its records take, in bytes.
    pub ring_bytes: usize,
    /// What they may take.
    pub ring_limit: usize,
    /// When the oldest of them was polled.
    pub ring_oldest: Option<Millis>,
    /// How many tabs do not keep up.
    pub late_tabs: usize,
    /// When the oldest record was polled that waits for one of them.
    pub late_since: Option<Millis>,
    /// What librdkafka says of its consumer.
    pub client: ClientReport,
}

/// Changes of what an instance owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rebalances {
    /// Partitions were given.
    pub assigned: u64,
    /// Partitions were taken back.
    pub revoked: u64,
    /// The instance was out of the group for too long.
    pub lost: u64,
}

impl Engine {
    /// The instance's figures as they are now.
    pub fn figures(&self) -> Figures {
        let feeds = self.configured_feeds().iter().map(|feed| feed.figures(crate::now())).collect();
        let journal = self.journal.is_on().then(|| (self.journal.trouble().is_none(), self.journal.waiting()));
        let mut producers = vec![("producer", self.producer.report())];
        if self.journal.is_on() {
            producers.push(("journal", self.journal.client()));
        }
        Figures {
            produced: self.produced.read(),
            journal,
            feeds,
            temporary_feeds: self.temporary.lock().len(),
            producers,
        }
    }
}

impl Feed {
    fn figures(&self, now: Millis) -> FeedFigures {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let meter = &self.state.meter;
        let (late_tabs, late_since) = self.state.late.read();
        FeedFigures {
            feed: self.name().into(),
            group: self.group().into(),
            stats: self.stats_at(now),
            kafka_is_up: self.kafka() == KafkaState::Up,
            is_member: self.is_member(),
            rebalances: Rebalances {
                assigned: count(&meter.assigned),
                revoked: count(&meter.revoked),
                lost: count(&meter.lost),
            },
            commits: meter.commits.read(),
            failed_commits: count(&meter.failed_commits),
            committed_at: Some(meter.committed_at.load(Ordering::Relaxed)).filter(|at| *at > 0),
            ring_bytes: self.hub().bytes(),
            ring_limit: self.config().ring_bytes,
            ring_oldest: self.hub().oldest(),
            late_tabs,
            late_since,
            client: meter.client.lock().clone(),
        }
    }
}
