//! Where a tab is in a feed.

use crate::number;
use serde::{Deserialize, Serialize};

/// Where a tab is: what it has is everything before. While the epoch is the same, `seq` alone decides; after a restart,
/// or on another instance, the offsets do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// The epoch that `seq` counts in: one life of one feed in one process.
    #[serde(with = "number::text")]
    pub epoch: u64,
    /// The next append that the tab has not seen.
    #[serde(with = "number::text")]
    pub seq: u64,
    /// Per partition that the tab has seen, the next offset that it has not.
    pub positions: Vec<Position>,
    /// Which topics these positions are in, as far as the server told: a topic that was deleted and made anew has the same name.
    #[serde(default)]
    pub topics: Vec<TopicId>,
}

/// Which topic a name means.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TopicId {
    /// The topic's name.
    pub topic: String,
    /// Its id (KIP-516).
    pub id: String,
}

/// The next offset of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The next offset that has not been seen.
    #[serde(with = "number::text")]
    pub next: i64,
}
