//! A reset of a group's offsets: what is asked, what it would do, what came of it.

use crate::{Millis, number};
use serde::{Deserialize, Serialize};

/// Where a group is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetTo {
    /// With the first record that there is.
    Earliest,
    /// With the next record that comes.
    Latest,
    /// With the first record whose timestamp is this or later.
    Time(#[serde(with = "number::text")] Millis),
    /// At this offset.
    Offset(#[serde(with = "number::text")] i64),
    /// So many offsets further than what is committed; back, where it is negative.
    Shift(#[serde(with = "number::text")] i64),
}

/// What a reset is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResetInput {
    /// The group.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// The partitions; none: all.
    pub partitions: Vec<i32>,
    /// Where to go on.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::ResetTo))]
    pub to: ResetTo,
}

/// What a reset would do to one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResetRow {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The committed offset, where there is one.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub committed: Option<i64>,
    /// Where the group would go on: always inside the log.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub to: i64,
}

impl ResetRow {
    /// How many offsets further; back, where it is negative. None where nothing is committed.
    pub fn change(&self) -> Option<i64> {
        Some(self.to - self.committed?)
    }
}

/// What a reset would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResetPlan {
    /// Per partition, sorted.
    pub rows: Vec<ResetRow>,
    /// How it would be done.
    pub how: ResetHow,
}

/// How a reset is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ResetHow {
    /// The group runs, and its members are instances of Ottla: the owner of each partition moves.
    Owners,
    /// The group is empty: the offsets are committed for it.
    Commit,
    /// It can't be done while these members are active.
    Active(Vec<String>),
}

/// How planning or doing a reset fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ResetError {
    /// There is no such topic.
    #[error("the topic {topic} does not exist")]
    UnknownTopic {
        /// Its name.
        topic: String,
    },
    /// A partition that the topic does not have.
    #[error("{topic} has no such partition")]
    UnknownPartition {
        /// The topic's name.
        topic: String,
    },
    /// The group has members that are not instances of Ottla.
    #[error("the group is active: {}", members.join(", "))]
    Active {
        /// Their client ids.
        members: Vec<String>,
    },
    /// There are as many replays with a group of their own as there may be.
    #[error("there are {most} replays already")]
    TooMany {
        /// So many.
        most: u32,
    },
    /// Kafka refused, or could not.
    #[error("Kafka: {reason}")]
    Kafka {
        /// In its words.
        reason: String,
    },
    /// Kafka did not answer what had to be known first. Nothing was changed.
    #[error("Kafka does not answer: {reason}. Nothing was changed")]
    Unread {
        /// In the client library's words.
        reason: String,
    },
    /// Kafka did not answer in time. It may have been done.
    #[error("Kafka does not answer: {reason}. It may have been done")]
    Unanswered {
        /// In the client library's words.
        reason: String,
    },
}
