//! `[feed]` and `[[feeds]]`: which group consumes which topics, from where.

use super::{ConfigError, ConsumerConfig, broken};
use serde::{Deserialize, Serialize};

/// `[feed]`, and each of `[[feeds]]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeedConfig {
    /// The feed's name, in addresses. `[feed]` is always called `default`.
    pub name: String,
    /// The consumer group.
    pub group: String,
    /// The topics.
    pub topics: Vec<String>,
    /// Where a partition without a committed offset begins.
    pub from: From,
    /// How many bytes of records are kept in memory for tabs.
    pub ring_bytes: usize,
}

/// Where a partition without a committed offset begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// With the first record that there is.
    Earliest,
    /// With the next record that comes.
    Latest,
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self {
            name: Self::DEFAULT_NAME.into(),
            group: "ottla".into(),
            topics: vec!["test-topic".into()],
            from: From::Earliest,
            ring_bytes: 64 * 1024 * 1024,
        }
    }
}

impl FeedConfig {
    /// The name of the feed that `[feed]` and the flags make.
    pub const DEFAULT_NAME: &str = "default";
    /// The smallest ring: room for the newest hundred records of the largest size that goes to a tab.
    const RING_MIN: usize = 8 * 1024 * 1024;

    pub(super) fn check(&self, section: &str) -> Result<(), ConfigError> {
        let key = |key: &str| format!("{section}.{key}");
        if wire::check_topic_name(&self.name).is_err() {
            return Err(broken(
                key("name"),
                format!("{:?} must be 1 to 249 letters, digits, '.', '_' or '-'", self.name),
            ));
        }
        if section == "feed" && self.name != Self::DEFAULT_NAME {
            return Err(broken(key("name"), "is always \"default\": give further feeds a name in [[feeds]]"));
        }
        if self.group.is_empty() {
            return Err(broken(key("group"), "is required"));
        }
        if self.topics.is_empty() {
            return Err(broken(key("topics"), "needs at least one topic"));
        }
        for topic in &self.topics {
            if let Err(rule) = wire::check_topic_name(topic) {
                return Err(broken(key("topics"), format!("{topic:?} {rule}")));
            }
        }
        if self.ring_bytes < Self::RING_MIN {
            return Err(broken(key("ring_bytes"), format!("must be at least {}", Self::RING_MIN)));
        }
        Ok(())
    }

    pub(super) fn engine(&self, name: &str, consumer: &ConsumerConfig) -> Result<engine::FeedConfig, ConfigError> {
        Ok(engine::FeedConfig { name: name.into(), group: consumer.group(self)?, ring_bytes: self.ring_bytes })
    }
}
