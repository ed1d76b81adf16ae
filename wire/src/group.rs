//! A consumer group as a page shows it: who is in it, who owns what, how far each partition is, and what happened lately.

use crate::{Millis, Owned, Stats, number};
use serde::{Deserialize, Serialize};

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupSummary {
    /// Its name, `group.id`.
    pub name: String,
    /// Its state in Kafka's words, in lower case: `stable`, `empty`, `preparing rebalance` and so on.
    pub state: String,
    /// Its protocol: `classic`, or `consumer` (KIP-848). Empty where the broker does not tell.
    pub protocol: String,
    /// How many members it has.
    pub members: u32,
    /// Log end offsets less committed offsets, over the partitions that have a committed offset. None where that could not
    /// be read in time.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub lag: Option<i64>,
    /// The feed of this instance that consumes it, if one does.
    pub feed: Option<String>,
}

/// Why something of a group was not deleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// What was typed to confirm is not the group's name. Nobody was asked.
    #[error("confirm: must be the group's name, {group}")]
    Confirm {
        /// Its name.
        group: String,
    },
    /// There is no such group.
    #[error("there is no group {group:?}")]
    Unknown {
        /// Its name.
        group: String,
    },
    /// It has committed no offset of the topic.
    #[error("the group {group} has committed nothing of {topic}")]
    NothingCommitted {
        /// Its name.
        group: String,
        /// The topic's name.
        topic: String,
    },
    /// It has members, or one that is subscribed to the topic. Nothing was deleted.
    #[error("Kafka refuses: {reason}. Its members have to end first")]
    InUse {
        /// In Kafka's words.
        reason: String,
    },
    /// Kafka, or the client library, refused.
    #[error("Kafka refuses: {reason}")]
    Refused {
        /// In its words.
        reason: String,
    },
    /// Kafka did not answer in time. It may have been done.
    #[error("Kafka does not answer: {reason}. It may have been done")]
    Unanswered {
        /// In the client library's words.
        reason: String,
    },
    /// Kafka did not answer what had to be known first. Nothing was deleted.
    #[error("Kafka does not answer: {reason}. Nothing was deleted")]
    Unread {
        /// In the client library's words.
        reason: String,
    },
}

/// A group as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Group {
    /// Its name, `group.id`.
    pub name: String,
    /// Its state in Kafka's words, in lower case.
    pub state: String,
    /// Its protocol: `classic`, or `consumer` (KIP-848). Empty where the broker does not tell.
    pub protocol: String,
    /// The assignor (`cooperative-sticky`, `uniform`). Empty where the broker does not tell.
    pub assignor: String,
    /// The broker that coordinates it, where it is known.
    pub coordinator: Option<i32>,
    /// Its members, sorted by client id.
    pub members: Vec<Member>,
    /// The partitions that a member owns or that have a committed offset, sorted by topic and partition.
    pub partitions: Vec<GroupPartition>,
    /// The feed of this instance that consumes it, if one does.
    pub feed: Option<String>,
    /// What happened in it lately, the newest first. Known only of groups that instances of Ottla consume.
    pub history: Vec<Happening>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// Its `client.id`: an instance's name, where it is an instance of Ottla.
    pub client_id: String,
    /// The member id that the coordinator gave it. Empty where it is not known.
    pub member_id: String,
    /// Its `group.instance.id`, where it is a static member (KIP-345).
    pub static_id: Option<String>,
    /// The address that it talks to Kafka from.
    pub host: String,
    /// What it owns.
    pub owned: Vec<Owned>,
    /// What it tells of itself, where it is an instance of Ottla that was heard of lately.
    pub ottla: Option<MemberOttla>,
}

/// What an instance of Ottla tells of itself as a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberOttla {
    /// When it started.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub started: Millis,
    /// When it was last heard of.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub heard: Millis,
    /// Its counters since it started; those of its partitions are left out.
    pub stats: Stats,
    /// Whether this instance is the one that serves the page.
    pub is_self: bool,
}

/// How far a group is in a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The committed offset, where there is one.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub committed: Option<i64>,
    /// The log end offset, where it is known. Lag is this less `committed`.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub end: Option<i64>,
    /// The `client.id` of the member that owns it.
    pub owner: Option<String>,
    /// Records consumed in the last second, where an instance of Ottla owns it.
    pub rate: Option<u32>,
    /// When it changed its owner, where that was lately.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub moved: Option<Millis>,
}

impl GroupPartition {
    /// Log end offset less committed offset: never below 0.
    pub fn lag(&self) -> Option<i64> {
        Some((self.end? - self.committed?).max(0))
    }
}

/// Something that happened in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Happening {
    /// When, by the clock of the instance that it happened to.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub at: Millis,
    /// The member, by its `client.id`.
    pub member: String,
    /// What.
    pub kind: HappeningKind,
    /// The partitions it is about. Empty where it is about none.
    pub partitions: Vec<Owned>,
    /// For how long these partitions had no owner, in milliseconds: of an assignment whose former owner told when it gave
    /// them back.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub unowned: Option<i64>,
    /// The member that owned them before, where that is known.
    pub from: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum HappeningKind {
    /// An instance started and joined.
    Joined,
    /// An instance left: it was stopped.
    Left,
    /// An instance was not heard of any more.
    Silent,
    /// The group gave it partitions.
    Assigned,
    /// The group took partitions back; what was consumed is committed.
    Revoked,
    /// It was out of the group for too long.
    Lost,
    /// Its position was moved: a replay.
    Sought,
}
