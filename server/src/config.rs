//! The configuration: defaults ← `ottla.toml` ← environment (`OTTLA_KAFKA__BROKERS`) ← flags.
//!
//! One struct per concern, each in its file; every key is in `docs/CONFIGURATION.md`, which a test holds to the structs.
//! An unknown key, and a value that breaks a rule, is an error that names the key.

mod consumer;
mod embedded;
mod feed;
mod journal;
mod kafka;
mod log;
mod producer;
mod server;
mod topics;

pub use self::{
    consumer::{ConsumerConfig, Protocol},
    embedded::EmbeddedConfig,
    feed::{FeedConfig, From},
    journal::JournalConfig,
    kafka::KafkaConfig,
    log::{LogConfig, LogFormat},
    producer::ProducerConfig,
    server::ServerConfig,
    topics::TopicsConfig,
};

use crate::cli::Options;
use engine::Brokers;
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// Everything that can be configured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether this instance changes nothing in the cluster, whoever asks for it. The one key without a section.
    pub read_only: bool,
    /// `[server]`
    pub server: ServerConfig,
    /// `[kafka]`
    pub kafka: KafkaConfig,
    /// `[producer]`
    pub producer: ProducerConfig,
    /// `[consumer]`
    pub consumer: ConsumerConfig,
    /// `[topics]`
    pub topics: TopicsConfig,
    /// `[feed]`: the one called `default`
    pub feed: FeedConfig,
    /// `[[feeds]]`: further ones
    pub feeds: Vec<FeedConfig>,
    /// `[journal]`
    pub journal: JournalConfig,
    /// `[embedded]`
    pub embedded: EmbeddedConfig,
    /// `[log]`
    pub log: LogConfig,
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that `--config` names is not there.
    #[error("configuration: no file {0}")]
    NoFile(String),
    /// A key is unknown, or its value is of another type.
    #[error("configuration: {0}")]
    Read(#[from] Box<figment::Error>),
    /// A value breaks a rule.
    #[error("configuration: {key}: {rule}")]
    Rule {
        /// The key, with its section.
        key: String,
        /// The rule, and what was given.
        rule: String,
    },
}

/// A [`ConfigError::Rule`].
pub(crate) fn broken(key: impl Into<String>, rule: impl Into<String>) -> ConfigError {
    ConfigError::Rule { key: key.into(), rule: rule.into() }
}

/// Read from the working folder, where it is there and no other is named.
const DEFAULT_FILE: &str = "ottla.toml";
/// What stands where a secret would be shown.
const HIDDEN: &str = "(hidden)";

impl Config {
    /// Reads all layers and checks them.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(options: &Options) -> Result<Self, ConfigError> {
        let file = match &options.config {
            Some(path) if !path.is_file() => return Err(ConfigError::NoFile(path.display().to_string())),
            Some(path) => Some(path.as_path()),
            None => Some(Path::new(DEFAULT_FILE)).filter(|path| path.is_file()),
        };
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let mut config: Self = figment.merge(environment()).extract().map_err(Box::new)?;
        config.override_with(options);
        config.check()?;
        Ok(config)
    }

    /// How log lines look, of a configuration that can't be loaded: as far as its layers can be read.
    pub fn log_format(options: &Options) -> LogFormat {
        const KEY: &str = "log.format";
        let file = options.config.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        let read = |layer: Figment| layer.extract_inner(KEY).ok();
        let layers = || read(Figment::from(environment())).or_else(|| read(Figment::from(Toml::file_exact(file))));
        options.log_format.or_else(layers).unwrap_or(LogConfig::default().format)
    }

    fn override_with(&mut self, options: &Options) {
        let Options { listen, brokers, topics, group, instance, data_dir, log_format, read_only, config: _ } =
            options.clone();
        self.read_only |= read_only;
        set(&mut self.server.listen, listen);
        set(&mut self.kafka.brokers, brokers);
        set(&mut self.feed.topics, topics);
        set(&mut self.feed.group, group);
        set(&mut self.kafka.instance, instance);
        set(&mut self.embedded.data_dir, data_dir);
        set(&mut self.log.format, log_format);
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.server.check()?;
        self.kafka.check()?;
        self.producer.check()?;
        self.consumer.check()?;
        self.topics.check()?;
        self.journal.check()?;
        self.feed.check("feed")?;
        let mut names = vec![FeedConfig::DEFAULT_NAME];
        for (index, feed) in self.feeds.iter().enumerate() {
            let section = format!("feeds[{index}]");
            feed.check(&section)?;
            if names.contains(&feed.name.as_str()) {
                return Err(broken(format!("{section}.name"), format!("{:?} is taken by another feed", feed.name)));
            }
            names.push(&feed.name);
        }
        Ok(())
    }

    /// What the engine is built from. `build` is the page's build.
    ///
    /// # Errors
    /// When a file that a secret is read from can't be read.
    pub fn engine(&self, build: String) -> Result<engine::Config, ConfigError> {
        let instance = self.instance();
        let mut feeds = vec![self.feed.engine(FeedConfig::DEFAULT_NAME, &self.consumer)?];
        for feed in &self.feeds {
            feeds.push(feed.engine(&feed.name, &self.consumer)?);
        }
        let is_embedded = self.kafka.brokers.is_empty();
        Ok(engine::Config {
            client: self.kafka.client(&instance)?,
            instance,
            build,
            brokers: if is_embedded { self.embedded.brokers() } else { Brokers::Cluster(self.kafka.brokers.clone()) },
            producer: self.producer.engine()?,
            limits: wire::Limits { message_bytes: self.producer.max_message_bytes },
            read_only: self.read_only,
            create_topics: self.topics.engine(is_embedded),
            journal: self.journal.engine(self.topics.replication(is_embedded)),
            feeds,
        })
    }

    /// The instance's name: the one configured, or `host-port`.
    pub fn instance(&self) -> String {
        if self.kafka.instance.is_empty() {
            format!("{}-{}", host_name(), self.server.listen.port())
        } else {
            self.kafka.instance.clone()
        }
    }

    /// The configuration as TOML, with the values of secrets hidden.
    pub fn shown(&self) -> String {
        let mut shown = self.clone();
        for properties in [&mut shown.kafka.properties, &mut shown.producer.properties, &mut shown.consumer.properties]
        {
            hide_secrets(properties);
        }
        toml::to_string(&shown).expect("the configuration has string keys only")
    }
}

/// The layer of the environment. All keys but one have a section, so that other names without two underscores (OTTLA_CONFIG and the
/// like) are none.
fn environment() -> Env {
    Env::prefixed("OTTLA_")
        .filter(|name| name.as_str().contains("__") || name == "READ_ONLY")
        .split("__")
        .lowercase(true)
}

fn hide_secrets(properties: &mut BTreeMap<String, String>) {
    for (_, value) in properties.iter_mut().filter(|(name, _)| engine::is_secret(name)) {
        *value = HIDDEN.into();
    }
}

/// Properties to pass through: those given, and those to be read from files.
fn pass_through(
    section: &str,
    properties: &BTreeMap<String, String>,
    files: &BTreeMap<String, std::path::PathBuf>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut all = properties.clone();
    for (name, path) in files {
        let value = std::fs::read_to_string(path).map_err(|error| {
            broken(format!("{section}.property_files.{name}"), format!("can't read {}: {error}", path.display()))
        })?;
        // Files of secrets mostly end in a line feed that is not part of them.
        all.insert(name.clone(), value.trim_end_matches(['\r', '\n']).to_owned());
    }
    Ok(all)
}

fn set<T>(key: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *key = value;
    }
}

fn host_name() -> String {
    hostname::get().ok().and_then(|name| name.into_string().ok()).unwrap_or_else(|| "ottla".into())
}

#[cfg(test)]
mod tests;
