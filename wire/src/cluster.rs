//! The cluster as a page shows it: its brokers, where each partition lives, what changed while someone looked, and the instances of
//! Ottla that work over it.

use crate::{Millis, Owned, TopicPartition, is_internal, number};
use serde::{Deserialize, Serialize};

/// How many partitions of a topic stand together in the picture. A page never cuts such a block.
pub const PARTITIONS_PER_BLOCK: usize = 10;

/// Which part of the picture is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct ClusterQuery {
    /// Only topics whose name contains this, whatever the case.
    pub q: String,
    /// Which page of the picture, from 1 on.
    #[cfg_attr(feature = "openapi", param(value_type = i64, minimum = 0, maximum = 4294967295_u64))]
    pub page: u32,
}

impl ClusterQuery {
    /// Of an address's parameters; a page that is no number is the first.
    pub fn of(parameter: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            q: parameter("q").unwrap_or_default(),
            page: parameter("page").and_then(|page| page.parse().ok()).unwrap_or(1),
        }
    }
}

impl Default for ClusterQuery {
    fn default() -> Self {
        Self { q: String::new(), page: 1 }
    }
}

/// A cluster as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cluster {
    /// When Kafka was asked.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub at: Millis,
    /// Its id, where it is told.
    pub id: Option<String>,
    /// Its brokers, sorted by id: those that are up, and those that are not and have replicas.
    pub brokers: Vec<ClusterBroker>,
    /// The sums over all topics.
    pub totals: ClusterTotals,
    /// The partitions that have no leader or too few replicas in sync, the worst first: a hundred at most, of all topics.
    pub trouble: Vec<PlacedPartition>,
    /// This page of the picture: topics in trouble first, then by name, Kafka's own last. A topic that has many partitions may
    /// go on on the next page.
    pub topics: Vec<PlacedTopic>,
    /// How many topics the query finds, on all pages.
    pub found: u32,
    /// Which page this is, from 1 on.
    pub page: u32,
    /// How many pages there are: at least 1.
    pub pages: u32,
    /// What changed while someone looked, the newest first: two hundred at most.
    pub changes: Vec<ClusterChange>,
    /// Since when this instance has looked, so that it would have seen a change.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub watched_since: Millis,
    /// The instances of Ottla that this one hears of, and itself, sorted by name.
    pub instances: Vec<ClusterInstance>,
}

/// A broker.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClusterBroker {
    /// Its id.
    pub id: i32,
    /// The address that clients are told, `host:port`. Empty where it is not up and was never seen up.
    pub address: String,
    /// Its `broker.rack`, where it has one.
    pub rack: Option<String>,
    /// Whether its settings could be read: where not, it may have a rack.
    pub is_rack_known: bool,
    /// Whether the cluster counts it as up.
    pub is_up: bool,
    /// When it was seen to be gone, where someone looked then.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub away_since: Option<Millis>,
    /// Whether it is the cluster's controller. Null where that is not known: with KRaft, Kafka tells clients some broker or other.
    pub is_controller: Option<bool>,
    /// How many partitions it leads.
    pub leaders: u32,
    /// Of how many it is the preferred leader: the first of the replicas.
    pub preferred: u32,
    /// How many replicas it has.
    pub replicas: u32,
    /// How many of them are not in sync.
    pub not_in_sync: u32,
}

/// The sums over all topics, Kafka's own too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClusterTotals {
    /// How many topics there are.
    pub topics: u32,
    /// How many partitions they have.
    pub partitions: u32,
    /// How many replicas those have.
    pub replicas: u32,
    /// How many partitions have fewer replicas in sync than they have.
    pub under_replicated: u32,
    /// How many partitions have no leader.
    pub offline: u32,
    /// How many are one or the other: some are both.
    pub in_trouble: u32,
}

/// A partition, and where it lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlacedPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The broker that leads it; none: it is offline.
    pub leader: Option<i32>,
    /// The brokers that have it, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those of them that are in sync.
    pub in_sync: Vec<i32>,
}

/// A topic, and where its partitions live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlacedTopic {
    /// Its name.
    pub topic: String,
    /// How many partitions it has.
    pub of: u32,
    /// Its partitions, sorted, or a part of them. Without offsets.
    pub partitions: Vec<TopicPartition>,
}

impl PlacedTopic {
    /// How many partitions have no leader, and how many have too few replicas in sync.
    pub fn trouble(&self) -> (u32, u32) {
        self.partitions.iter().fold((0, 0), |(offline, under), partition| {
            (offline + u32::from(partition.leader.is_none()), under + u32::from(partition.is_under_replicated()))
        })
    }

    /// Its place in the picture: the worst first, then by name, Kafka's own last.
    pub fn cmp_in_picture(&self, other: &Self) -> std::cmp::Ordering {
        let key = |topic: &Self| (std::cmp::Reverse(topic.trouble()), is_internal(&topic.topic));
        key(self).cmp(&key(other)).then_with(|| self.topic.cmp(&other.topic))
    }
}

/// Something that changed in the cluster between two looks. What happened to several partitions alike is one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClusterChange {
    /// When it was seen.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub at: Millis,
    /// When it was not so yet: the look before.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub after: Millis,
    /// What.
    pub kind: ClusterChangeKind,
    /// The broker that led before, that is not in sync any more, or that is gone.
    pub from: Option<i32>,
    /// The broker that leads now, that is in sync again, or that is there.
    pub to: Option<i32>,
    /// The partitions that it is about, two hundred of them at most.
    pub partitions: Vec<Owned>,
    /// How many they are.
    pub count: u32,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ClusterChangeKind {
    /// A broker is not there any more.
    Gone,
    /// A broker is there that was not, or was away.
    Came,
    /// Another broker leads partitions.
    Led,
    /// Partitions have no leader any more.
    Offline,
    /// Partitions have a leader again.
    Online,
    /// A broker is not in sync any more.
    Shrunk,
    /// A broker is in sync (again).
    Expanded,
}

/// An instance of Ottla, as it tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClusterInstance {
    /// Its name.
    pub instance: String,
    /// Whether it is the one that answers.
    pub is_self: bool,
    /// When it started.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub started: Millis,
    /// When it was last heard of. It says a word every second.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub heard: Millis,
    /// How many tabs it serves. Null where it does not tell.
    pub tabs: Option<u32>,
    /// What it consumes, by group.
    pub groups: Vec<InstanceGroup>,
}

/// A group that an instance consumes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstanceGroup {
    /// The group's name.
    pub group: String,
    /// How many partitions it owns.
    pub partitions: u32,
    /// Records consumed in the last second.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub rate: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str, leader: Option<i32>, in_sync: &[i32]) -> PlacedTopic {
        let partition = TopicPartition {
            partition: 0,
            leader,
            replicas: vec![1, 2, 3],
            in_sync: in_sync.to_vec(),
            first: None,
            end: None,
            unknown: None,
        };
        PlacedTopic { topic: name.into(), of: 1, partitions: vec![partition] }
    }

    #[test]
    fn what_is_in_trouble_comes_first_and_kafkas_own_topics_last() {
        let mut topics = [
            topic("__consumer_offsets", Some(1), &[1, 2, 3]),
            topic("b", Some(1), &[1, 2, 3]),
            topic("a", Some(1), &[1, 2, 3]),
            topic("behind", Some(1), &[1]),
            topic("offline", None, &[1]),
            topic("__transaction_state", Some(1), &[1]),
        ];
        topics.sort_by(PlacedTopic::cmp_in_picture);
        let names: Vec<_> = topics.iter().map(|topic| topic.topic.as_str()).collect();
        assert_eq!(names, ["offline", "behind", "__transaction_state", "a", "b", "__consumer_offsets"]);
    }
}
