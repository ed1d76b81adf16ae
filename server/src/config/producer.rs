//! `[producer]`: how messages are sent.

use super::{ConfigError, broken, pass_through};
use engine::ProducerSettings;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// What librdkafka counts besides key, value and headers, generously: lengths, timestamps, the batch's head. A broker's
/// default `message.max.bytes` (1,048,588) is above the default maximum and this.
const RECORD_OVERHEAD: u64 = 8 * 1024;

/// `[producer]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProducerConfig {
    /// How long Kafka may take to acknowledge a message before it has failed, in milliseconds (librdkafka's
    /// `delivery.timeout.ms`).
    pub delivery_timeout_ms: u64,
    /// How long to wait for more messages to send together, in milliseconds (`linger.ms`).
    pub linger_ms: u64,
    /// The largest message, key, value and headers together, in bytes.
    pub max_message_bytes: u64,
    /// Further librdkafka properties of the producer.
    pub properties: BTreeMap<String, String>,
    /// The same, each value read from a file.
    pub property_files: BTreeMap<String, PathBuf>,
}

impl Default for ProducerConfig {
    fn default() -> Self {
        Self {
            delivery_timeout_ms: 10_000,
            linger_ms: 0,
            max_message_bytes: wire::Limits::default().message_bytes,
            properties: BTreeMap::new(),
            property_files: BTreeMap::new(),
        }
    }
}

impl ProducerConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(1_000..=3_600_000).contains(&self.delivery_timeout_ms) {
            return Err(broken("producer.delivery_timeout_ms", "must be 1000 to 3600000"));
        }
        if self.linger_ms > 1_000 {
            return Err(broken("producer.linger_ms", "must be at most 1000"));
        }
        if !(1_000..=1_000_000_000).contains(&self.max_message_bytes) {
            return Err(broken("producer.max_message_bytes", "must be 1000 to 1000000000"));
        }
        Ok(())
    }

    pub(super) fn engine(&self) -> Result<ProducerSettings, ConfigError> {
        let mut properties = pass_through("producer", &self.properties, &self.property_files)?;
        let with_overhead = self.max_message_bytes + RECORD_OVERHEAD;
        properties.entry("message.max.bytes".into()).or_insert_with(|| with_overhead.to_string());
        Ok(ProducerSettings {
            delivery_timeout: Duration::from_millis(self.delivery_timeout_ms),
            linger: Duration::from_millis(self.linger_ms),
            properties,
        })
    }
}
