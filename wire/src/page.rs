//! What a page is rendered from: a feed as it stands, a topic in a list, and how reading from the log fails. And what it gives back
//! to have it written into a file.

use crate::{Assignment, Cursor, Fellow, Gap, KafkaState, Limits, Millis, Place, Record, Scope, Sieved, Stats, number};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A feed as this instance has it now, from memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The feed's name.
    pub feed: String,
    /// All feeds of the instance, to choose from.
    pub feeds: Vec<String>,
    /// The consumer group.
    pub group: String,
    /// The topics that the feed follows.
    pub topics: Vec<String>,
    /// The instance that serves it.
    pub instance: String,
    /// The build of the page.
    pub build: String,
    /// Whether the broker is the embedded one.
    pub embedded: bool,
    /// What a message may be at most.
    pub limits: Limits,
    /// The server's clock.
    #[serde(with = "number::text")]
    pub at: Millis,
    /// Whether Kafka answers.
    pub kafka: KafkaState,
    /// What this instance owns.
    pub assignment: Assignment,
    /// Its counters.
    pub stats: Stats,
    /// The instances that consume the group.
    pub members: Vec<Fellow>,
    /// Whose consumption a page shows if nobody says otherwise: the whole group's where several instances consume.
    pub scope: Scope,
    /// Why the instances can't tell each other what they consumed, where they can't.
    pub journal: Option<String>,
    /// Where a tab that has these records goes on.
    pub cursor: Cursor,
    /// The newest records, the oldest of them first.
    pub records: Vec<Record>,
}

/// A part of a gap, read from the log: its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapPart {
    /// From here on up to the end of what was asked for all records of the log were looked at. What lies below was not.
    #[serde(with = "number::text")]
    pub from: i64,
    /// How many that were, and how many of them are wanted.
    pub sieved: Sieved,
    /// The wanted ones, in the order of their offsets.
    pub records: Vec<Record>,
    /// The first offset that the log still has.
    #[serde(with = "number::text")]
    pub log_start: i64,
}

/// A row of a page's list, to be written into a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Row<'a> {
    /// A record as the page holds it.
    Record {
        /// It.
        record: Cow<'a, Record>,
        /// The instance that consumed it. Nobody did, where it was only read from the log, or did not yet.
        consumed_by: Option<Cow<'a, str>>,
    },
    /// Records that the page was not sent, or that are not there any more.
    Gap(Cow<'a, Gap>),
}

/// A topic in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopicSummary {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: u32,
    /// How many replicas each partition has.
    pub replication: u32,
}

/// How reading from the log failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ReadError {
    /// The topic does not exist.
    #[error("the topic {topic} does not exist")]
    UnknownTopic {
        /// Its name.
        topic: String,
    },
    /// The topic has fewer partitions.
    #[error("the topic {topic} has partitions 0 to {}", of - 1)]
    UnknownPartition {
        /// Its name.
        topic: String,
        /// How many it has.
        of: u32,
    },
    /// The offset is below the log's start: retention, or someone, deleted it.
    #[error("{place} was deleted: the log begins at offset {first}")]
    Deleted {
        /// What was asked for.
        place: Place,
        /// The first offset that there is.
        #[serde(with = "number::text")]
        first: i64,
    },
    /// The offset is not written yet.
    #[error("{place} is not written yet: the log ends before offset {end}")]
    NotYet {
        /// What was asked for.
        place: Place,
        /// The log end offset.
        #[serde(with = "number::text")]
        end: i64,
    },
    /// The offset is inside the log, but no record has it: compacted away, or a transaction marker.
    #[error("no record is at {place}: it was compacted away, or is a transaction marker")]
    Hole {
        /// What was asked for.
        place: Place,
    },
    /// Kafka did not answer.
    #[error("Kafka does not answer{}{reason}", if reason.is_empty() { "" } else { ": " })]
    Kafka {
        /// In the client library's words; empty where a page just did not wait any longer.
        reason: String,
    },
    /// Kafka, or the client library, refused; in its words.
    #[error("Kafka refuses: {0}")]
    Refused(String),
}
