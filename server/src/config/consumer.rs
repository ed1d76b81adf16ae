//! `[consumer]`: how groups consume. The defaults are those of the write-up that set the task (a dead instance's partitions
//! move within six seconds).

use super::{ConfigError, FeedConfig, From, broken, pass_through};
use engine::GroupSettings;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// `[consumer]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsumerConfig {
    /// The group protocol.
    pub protocol: Protocol,
    /// After so many milliseconds without a heartbeat a member is dead (`session.timeout.ms`). Not with `consumer`, where
    /// the broker decides.
    pub session_timeout_ms: u64,
    /// How often a member says that it lives, in milliseconds (`heartbeat.interval.ms`). Not with `consumer`.
    pub heartbeat_interval_ms: u64,
    /// After so many milliseconds without asking for records a member leaves (`max.poll.interval.ms`).
    pub max_poll_interval_ms: u64,
    /// How often offsets are committed, in milliseconds.
    pub commit_interval_ms: u64,
    /// The most records that are handed on before they are committed: what may come twice when an instance is killed.
    pub max_uncommitted: u64,
    /// Makes this a static member (KIP-345): a short restart moves no partition.
    pub group_instance_id: String,
    /// Further librdkafka properties of consumers.
    pub properties: BTreeMap<String, String>,
    /// The same, each value read from a file.
    pub property_files: BTreeMap<String, PathBuf>,
}

/// The group protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// The one that every Kafka has, cooperative (KIP-429).
    Classic,
    /// The one of Kafka 4 (KIP-848).
    Consumer,
}

impl Default for ConsumerConfig {
    fn default() -> Self {
        Self {
            protocol: Protocol::Classic,
            session_timeout_ms: 6_000,
            heartbeat_interval_ms: 2_000,
            max_poll_interval_ms: 10_000,
            commit_interval_ms: 500,
            max_uncommitted: 50_000,
            group_instance_id: String::new(),
            properties: BTreeMap::new(),
            property_files: BTreeMap::new(),
        }
    }
}

impl ConsumerConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.heartbeat_interval_ms == 0 || self.heartbeat_interval_ms >= self.session_timeout_ms {
            let rule = format!("must be 1 to below session_timeout_ms ({})", self.session_timeout_ms);
            return Err(broken("consumer.heartbeat_interval_ms", rule));
        }
        if self.max_poll_interval_ms < self.session_timeout_ms {
            let rule = format!("must be at least session_timeout_ms ({})", self.session_timeout_ms);
            return Err(broken("consumer.max_poll_interval_ms", rule));
        }
        if !(10..=60_000).contains(&self.commit_interval_ms) {
            return Err(broken("consumer.commit_interval_ms", "must be 10 to 60000"));
        }
        if self.max_uncommitted == 0 {
            return Err(broken("consumer.max_uncommitted", "must be at least 1"));
        }
        Ok(())
    }

    pub(super) fn group(&self, feed: &FeedConfig) -> Result<GroupSettings, ConfigError> {
        Ok(GroupSettings {
            group: feed.group.clone(),
            topics: feed.topics.clone(),
            from: match feed.from {
                From::Earliest => engine::From::Earliest,
                From::Latest => engine::From::Latest,
            },
            protocol: match self.protocol {
                Protocol::Classic => engine::Protocol::Classic,
                Protocol::Consumer => engine::Protocol::Consumer,
            },
            session_timeout: Duration::from_millis(self.session_timeout_ms),
            heartbeat: Duration::from_millis(self.heartbeat_interval_ms),
            max_poll_interval: Duration::from_millis(self.max_poll_interval_ms),
            commit_interval: Duration::from_millis(self.commit_interval_ms),
            uncommitted_bound: self.max_uncommitted,
            group_instance_id: Some(self.group_instance_id.clone()).filter(|id| !id.is_empty()),
            properties: pass_through("consumer", &self.properties, &self.property_files)?,
            ..GroupSettings::default()
        })
    }
}
