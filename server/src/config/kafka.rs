//! `[kafka]`: which cluster, and as whom.

use super::{ConfigError, broken, pass_through};
use engine::ClientSettings;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// `[kafka]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaConfig {
    /// The cluster's addresses, `host:port` separated by commas. Empty: the embedded broker.
    pub brokers: String,
    /// This instance's name, the group member's `client.id`. Empty: `host-port`.
    pub instance: String,
    /// librdkafka properties for producer and consumers: `"security.protocol" = "SASL_SSL"`.
    pub properties: BTreeMap<String, String>,
    /// The same, each value read from a file: `"sasl.password" = "/run/secrets/kafka"`.
    pub property_files: BTreeMap<String, PathBuf>,
}

impl KafkaConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for broker in self.brokers.split(',').filter(|_| !self.brokers.is_empty()) {
            let port = broker.trim().rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
            if port.is_none() {
                return Err(broken("kafka.brokers", format!("{broker:?} must be host:port")));
            }
        }
        // The rule of topic names: a name that is safe in logs, addresses and metrics.
        if !self.instance.is_empty() && wire::check_topic_name(&self.instance).is_err() {
            let rule = format!("{:?} must be 1 to 249 letters, digits, '.', '_' or '-'", self.instance);
            return Err(broken("kafka.instance", rule));
        }
        Ok(())
    }

    pub(super) fn client(&self, instance: &str) -> Result<ClientSettings, ConfigError> {
        Ok(ClientSettings {
            brokers: self.brokers.clone(),
            instance: instance.into(),
            properties: pass_through("kafka", &self.properties, &self.property_files)?,
        })
    }
}
