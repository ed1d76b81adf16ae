//! What an engine is built from. `server` reads it from files, environment and flags; tests write it by hand.

use kafka::{ClientSettings, GroupSettings, ProducerSettings};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// One instance's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The instance's name: the group member's `client.id`.
    pub instance: String,
    /// The build of the page that this instance serves.
    pub build: String,
    /// Which Kafka.
    pub brokers: Brokers,
    /// The client's settings; `brokers` in it is filled in from [`Self::brokers`].
    pub client: ClientSettings,
    /// The producer's settings.
    pub producer: ProducerSettings,
    /// What a message may be at most.
    pub limits: wire::Limits,
    /// Whether the cluster is to stay as it is. Nobody is offered what would change it, and no topic is made of the instance's own
    /// accord; its groups are consumed and committed as ever. What people ask for is refused before it comes here.
    pub read_only: bool,
    /// Whether and how to create the feeds' topics where they are missing.
    pub create_topics: Option<TopicCreation>,
    /// The feeds; the first one is the page's.
    pub feeds: Vec<FeedConfig>,
    /// How the instances tell each other what they consume.
    pub journal: JournalConfig,
}

/// The topics through which the instances of a deployment tell each other who consumed what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalConfig {
    /// Whether they do.
    pub is_on: bool,
    /// Tells deployments that share a cluster apart.
    pub deployment: String,
    /// The topic of the consumption marks.
    pub marks_topic: String,
    /// The topic of everything else: who is there, who owns what.
    pub events_topic: String,
    /// How long what stands in them is kept (`retention.ms`).
    pub retention: Duration,
    /// How many replicas they have where they are created; -1 is the cluster's default.
    pub replication: i32,
}

/// Which Kafka to talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brokers {
    /// A cluster, by its bootstrap addresses (librdkafka's `bootstrap.servers`).
    Cluster(String),
    /// The broker inside this process.
    Embedded {
        /// Where it listens; port 0 takes a free one.
        listen: SocketAddr,
        /// Where it keeps its data.
        data_dir: PathBuf,
    },
}

/// How a missing topic is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicCreation {
    /// The number of partitions.
    pub partitions: i32,
    /// The number of replicas; -1 is the cluster's `default.replication.factor`.
    pub replication: i32,
}

/// One feed.
#[derive(Debug, Clone)]
pub struct FeedConfig {
    /// Its name, in addresses and in the protocol.
    pub name: String,
    /// The group that consumes it, and how.
    pub group: GroupSettings,
    /// How many bytes of records it keeps in memory.
    pub ring_bytes: usize,
}
