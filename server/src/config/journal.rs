//! `[journal]`: how the instances tell each other who consumed what.

use super::{ConfigError, broken};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `[journal]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournalConfig {
    /// Whether they tell each other. Without, redelivered records are flagged as possible only, and pages know of this
    /// instance alone.
    pub enabled: bool,
    /// Tells deployments of Ottla that share a cluster and these topics apart.
    pub deployment: String,
    /// The topic of the consumption marks. Created where it is missing.
    pub marks_topic: String,
    /// The topic of everything else: who is there, who owns what. Created where it is missing.
    pub events_topic: String,
    /// How long what stands in them is kept, in hours (`retention.ms` of the topics, where they are created).
    pub retention_hours: u64,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            deployment: "ottla".into(),
            marks_topic: "ottla.marks".into(),
            events_topic: "ottla.events".into(),
            retention_hours: 24,
        }
    }
}

impl JournalConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.deployment.is_empty() {
            return Err(broken("journal.deployment", "is required"));
        }
        for (key, topic) in [("journal.marks_topic", &self.marks_topic), ("journal.events_topic", &self.events_topic)] {
            if let Err(rule) = wire::check_topic_name(topic) {
                return Err(broken(key, format!("{topic:?} {rule}")));
            }
        }
        if self.marks_topic == self.events_topic {
            return Err(broken("journal.events_topic", "must be another topic than journal.marks_topic"));
        }
        if !(1..=8_760).contains(&self.retention_hours) {
            return Err(broken("journal.retention_hours", format!("{} must be 1 to 8760", self.retention_hours)));
        }
        Ok(())
    }

    pub(super) fn engine(&self, replication: i32) -> engine::JournalConfig {
        engine::JournalConfig {
            is_on: self.enabled,
            deployment: self.deployment.clone(),
            marks_topic: self.marks_topic.clone(),
            events_topic: self.events_topic.clone(),
            retention: Duration::from_secs(self.retention_hours * 3_600),
            replication,
        }
    }
}
