//! What the instances of a deployment tell each other, through two topics that each of them reads without a group: *marks*
//! (who consumed which offsets) and *events* (who is there, who owns what, what is asked of whom). JSON, so that any Kafka
//! tool can read it.

use crate::{Millis, Owned, Stats, number};
use serde::{Deserialize, Serialize};

/// Who writes. One per process.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Author {
    /// Tells deployments that share a cluster apart.
    pub deployment: String,
    /// The instance's name.
    pub instance: String,
    /// Random per start.
    #[serde(with = "number::text")]
    pub incarnation: u64,
}

/// A consumption mark: an instance consumed these offsets of a partition, in order. What stands in a partition of the marks'
/// topic, keyed by [`Mark::key`], stands in the order in which everyone reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Who consumed.
    pub by: Author,
    /// The consumer group.
    pub group: String,
    /// The topic's name.
    pub topic: String,
    /// The topic's id (KIP-516), where the broker tells it: a topic that was made anew has another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_id: Option<String>,
    /// The partition's number.
    pub partition: i32,
    /// The first offset.
    #[serde(with = "number::text")]
    pub first: i64,
    /// The offset after the last one.
    #[serde(with = "number::text")]
    pub next: i64,
    /// When the last of them was consumed.
    #[serde(with = "number::text")]
    pub at: Millis,
    /// Whether someone asked for them again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
}

impl Mark {
    /// The key of its record: the marks of one partition stand in one partition of the marks' topic.
    pub fn key(group: &str, topic: &str, partition: i32) -> String {
        format!("{group}/{topic}/{partition}")
    }
}

/// What an instance tells all others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Who tells it.
    pub by: Author,
    /// When.
    #[serde(with = "number::text")]
    pub at: Millis,
    /// What.
    pub news: News,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// Once a second: it is alive, and this is how it stands.
    Alive {
        /// When it started.
        #[serde(with = "number::text")]
        started: Millis,
        /// Its feeds.
        feeds: Vec<FeedNews>,
    },
    /// It stops.
    Left,
    /// The assignment of a group's member changed.
    Changed {
        /// The consumer group.
        group: String,
        /// How.
        change: crate::HappeningKind,
        /// Of these partitions.
        partitions: Vec<Owned>,
    },
    /// The owners of these partitions are to go on elsewhere. Who owns one of them, is the one that was asked, and reads this
    /// before it expires, does it, once.
    Seek(SeekOrder),
    /// What came of an order.
    Sought {
        /// The order's id.
        id: String,
        /// Per partition.
        results: Vec<SeekResult>,
    },
}

/// A feed, in [`News::Alive`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedNews {
    /// The consumer group.
    pub group: String,
    /// What this instance owns.
    pub owned: Vec<Owned>,
    /// Its counters.
    pub stats: Stats,
}

/// A replay that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeekOrder {
    /// Random.
    pub id: String,
    /// The consumer group.
    pub group: String,
    /// When it is too late to do it.
    #[serde(with = "number::text")]
    pub expires: Millis,
    /// What to do.
    pub seeks: Vec<Seek>,
}

/// Where to go on in a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seek {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The offset of the record to consume next.
    #[serde(with = "number::text")]
    pub to: i64,
    /// The owner that is asked, where one is known. Another one that owns the partition by then does not move it, and says so:
    /// what was asked for was decided over a state that is no more. (A group's generation would say less: it changes with every
    /// rebalance, whoever owns the partition, and with the protocol of KIP-848 members have none in common.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Author>,
}

/// What came of a [`Seek`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeekResult {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// Where the group goes on, or why it was not moved.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub to: Option<i64>,
    /// Why it was not moved, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The same as a page can say it in its reader's language, where it was not Kafka that said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<SeekFault>,
}

/// Why a [`Seek`] was not done, where Kafka had no part in that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SeekFault {
    /// Nobody answered in time.
    #[error("not done: no owner answered in time")]
    Unanswered,
    /// The owner that was asked is none any more.
    #[error("not done: {by} has taken the partition over from {from}, which was asked")]
    TakenOver {
        /// The instance that owns the partition.
        by: String,
        /// The one that was asked.
        from: String,
    },
}

impl SeekResult {
    /// That a partition was not moved, and why.
    pub fn failed(topic: String, partition: i32, fault: SeekFault) -> Self {
        Self { topic, partition, to: None, error: Some(fault.to_string()), fault: Some(fault) }
    }
}
