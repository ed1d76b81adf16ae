//! `[topics]`: what to do about a feed's topic that does not exist.

use super::{ConfigError, broken};
use engine::TopicCreation;
use serde::{Deserialize, Serialize};

/// `[topics]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopicsConfig {
    /// Whether to create the feeds' topics where they are missing.
    pub create: bool,
    /// The number of partitions of a topic that is created.
    pub partitions: i32,
    /// The number of replicas of a topic that is created; -1 is the cluster's `default.replication.factor` (KIP-464). The
    /// embedded broker always has 1.
    pub replication: i32,
}

impl Default for TopicsConfig {
    fn default() -> Self {
        Self { create: true, partitions: 6, replication: -1 }
    }
}

impl TopicsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(1..=10_000).contains(&self.partitions) {
            return Err(broken("topics.partitions", format!("{} must be 1 to 10000", self.partitions)));
        }
        if self.replication != -1 && !(1..=100).contains(&self.replication) {
            return Err(broken("topics.replication", format!("{} must be -1 or 1 to 100", self.replication)));
        }
        Ok(())
    }

    pub(super) fn engine(&self, is_embedded: bool) -> Option<TopicCreation> {
        let replication = self.replication(is_embedded);
        self.create.then_some(TopicCreation { partitions: self.partitions, replication })
    }

    /// Of any topic that is created.
    pub(super) fn replication(&self, is_embedded: bool) -> i32 {
        if is_embedded { 1 } else { self.replication }
    }
}
