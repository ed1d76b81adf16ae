//! The cluster's topics, as pages and programs see and change them: a list, one topic, what is wanted of one, and how that fails.
//!
//! The checks are here, and only here: what can be said without Kafka in [`TopicInput::check`], what needs to know the cluster in
//! [`NewTopic::check_against`]. What Kafka says beyond that is handed on in its own words.

use crate::{check_topic_name, number, produce::Rule};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, fmt};

/// The most partitions that Kafka makes at once
/// (`org.apache.kafka.controller.ReplicationControlManager.MAX_PARTITIONS_PER_BATCH`).
pub const MOST_PARTITIONS: i32 = 10_000;
/// The most replicas that the protocol has a number for (CreateTopics, `ReplicationFactor`: a 16-bit integer).
const MOST_REPLICAS: i32 = i16::MAX as i32;

/// The settings that a form offers, as a cluster may have them (Apache Kafka's documentation, "Topic Configs"). Others can be written
/// too: the cluster knows which it has.
pub const TOPIC_SETTINGS: [&str; 27] = [
    "cleanup.policy",
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "delete.retention.ms",
    "file.delete.delay.ms",
    "flush.messages",
    "flush.ms",
    "index.interval.bytes",
    "local.retention.bytes",
    "local.retention.ms",
    "max.compaction.lag.ms",
    "max.message.bytes",
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "message.timestamp.type",
    "min.cleanable.dirty.ratio",
    "min.compaction.lag.ms",
    "min.insync.replicas",
    "preallocate",
    "remote.storage.enable",
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
    "segment.ms",
    "unclean.leader.election.enable",
];

/// Which topics are asked for, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct TopicQuery {
    /// Only those whose name contains this, whatever the case.
    pub q: String,
    /// The order.
    #[cfg_attr(feature = "openapi", param(inline))]
    pub sort: TopicSort,
    /// The other way round.
    pub descending: bool,
    /// Kafka's own too, whose names begin with `__`.
    pub internal: bool,
    /// Which page of the list, from 1 on.
    #[cfg_attr(feature = "openapi", param(value_type = i64, minimum = 0, maximum = 4294967295_u64))]
    pub page: u32,
}

impl Default for TopicQuery {
    fn default() -> Self {
        Self { q: String::new(), sort: TopicSort::default(), descending: false, internal: false, page: 1 }
    }
}

/// The order of a list of topics. Those that are equal come by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TopicSort {
    /// Those with partitions offline first, then those with under-replicated ones.
    #[default]
    Trouble,
    /// By name.
    Name,
    /// By the number of partitions.
    Partitions,
    /// By the number of replicas.
    Replication,
    /// By the number of records.
    Records,
}

impl TopicSort {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Trouble, Self::Name, Self::Partitions, Self::Replication, Self::Records];

    /// The name in addresses and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trouble => "trouble",
            Self::Name => "name",
            Self::Partitions => "partitions",
            Self::Replication => "replication",
            Self::Records => "records",
        }
    }
}

/// A topic in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopicRow {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: u32,
    /// How many replicas its first partition has.
    pub replication: u32,
    /// How many partitions have fewer replicas in sync than they have.
    pub under_replicated: u32,
    /// How many partitions have no leader.
    pub offline: u32,
    /// Log end offsets less the first ones, over all partitions: what a compacted topic, or one with transactions, really holds is
    /// less. None where that could not be read in time.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub records: Option<i64>,
    /// The sum of its log end offsets: it grows with what is written. None where that could not be read in time.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub written: Option<i64>,
    /// How fast records came in, as far as this instance has looked at the topic twice within some minutes.
    pub rate: Option<TopicRate>,
}

/// How fast records came into a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopicRate {
    /// How many were written, transaction markers with them,
    pub records: u64,
    /// within how many milliseconds up to now.
    pub millis: u64,
}

impl TopicRate {
    /// How many a second.
    pub fn per_second(self) -> f64 {
        self.records as f64 * 1_000.0 / self.millis.max(1) as f64
    }
}

impl TopicRow {
    /// Whether it is one of Kafka's own.
    pub fn is_internal(&self) -> bool {
        is_internal(&self.name)
    }

    /// How bad it is: partitions offline count before anything else.
    fn trouble(&self) -> (u32, u32) {
        (self.offline, self.under_replicated)
    }
}

/// Whether a topic is one of Kafka's own (`__consumer_offsets`, `__transaction_state`).
pub fn is_internal(topic: &str) -> bool {
    topic.starts_with("__")
}

/// A page of a list of topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopicPage {
    /// The topics, in the order that was asked for.
    pub topics: Vec<TopicRow>,
    /// How many there are on all pages.
    pub found: u32,
    /// How many the cluster has, without Kafka's own unless they were asked for.
    pub all: u32,
    /// How many of those have partitions offline or under-replicated.
    pub troubled: u32,
    /// Which page this is, from 1 on.
    pub page: u32,
    /// How many pages there are: at least 1.
    pub pages: u32,
    /// In which order they are. Not the one that was asked for, where the records of too many partitions would have to be counted.
    pub sort: TopicSort,
    /// Whether they can be sorted by the number of records.
    pub can_sort_by_records: bool,
}

impl TopicPage {
    /// What a query finds among `all`. Sorted, but not cut to the page yet, for records may have to be counted before.
    pub fn find(all: &[TopicRow], query: &TopicQuery) -> Vec<TopicRow> {
        let wanted = query.q.trim().to_lowercase();
        let is_found =
            |topic: &&TopicRow| (query.internal || !topic.is_internal()) && topic.name.to_lowercase().contains(&wanted);
        all.iter().filter(is_found).cloned().collect()
    }

    /// Sorts them.
    pub fn order(topics: &mut [TopicRow], sort: TopicSort, descending: bool) {
        topics.sort_by(|a, b| {
            let order = match sort {
                TopicSort::Trouble => b.trouble().cmp(&a.trouble()),
                TopicSort::Name => a.name.cmp(&b.name),
                TopicSort::Partitions => a.partitions.cmp(&b.partitions),
                TopicSort::Replication => a.replication.cmp(&b.replication),
                TopicSort::Records => a.records.cmp(&b.records),
            };
            let order = if descending { order.reverse() } else { order };
            order.then_with(|| a.name.cmp(&b.name))
        });
    }
}

/// A topic as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its id, as Kafka prints it, where it has one (KIP-516).
    pub id: Option<String>,
    /// Its partitions, sorted.
    pub partitions: Vec<TopicPartition>,
}

impl Topic {
    /// How many records it holds, where every partition tells: see [`TopicRow::records`].
    pub fn records(&self) -> Option<i64> {
        self.partitions.iter().map(TopicPartition::records).sum()
    }

    /// The sum of its log end offsets, where every partition tells: see [`TopicRow::written`].
    pub fn written(&self) -> Option<i64> {
        self.partitions.iter().map(|partition| partition.end).sum()
    }
}

/// A partition as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopicPartition {
    /// Its number.
    pub partition: i32,
    /// The broker that leads it; none: it is offline.
    pub leader: Option<i32>,
    /// The brokers that have it, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those of them that are in sync.
    pub in_sync: Vec<i32>,
    /// The first offset that was not deleted. None where it could not be read, or not in time.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub first: Option<i64>,
    /// The log end offset: that of the next record.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub end: Option<i64>,
    /// Why they could not be read, in Kafka's words; none where they were, or nothing was said in time.
    pub unknown: Option<String>,
}

impl TopicPartition {
    /// Log end offset less first offset.
    pub fn records(&self) -> Option<i64> {
        Some((self.end? - self.first?).max(0))
    }

    /// Whether replicas are missing or behind.
    pub fn is_under_replicated(&self) -> bool {
        self.in_sync.len() < self.replicas.len()
    }
}

/// A setting of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigEntry {
    /// Its name.
    pub name: String,
    /// Its value. None where there is none, or Kafka keeps it secret.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: ConfigSource,
    /// What would hold if nothing were set on the topic, where something is. None where there is no default, or Kafka does not tell.
    pub default: Option<String>,
    /// Whether it can't be changed.
    pub read_only: bool,
    /// Whether Kafka keeps its value secret.
    pub sensitive: bool,
}

/// Where the value of a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ConfigSource {
    /// It was set for this topic.
    Topic,
    /// It was set for the broker that was asked, while it runs.
    Broker,
    /// It was set for all brokers, while they run.
    Cluster,
    /// It stands in the broker's file.
    File,
    /// Kafka's own default.
    Default,
    /// The broker does not tell.
    Unknown,
}

/// A topic that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopicInput {
    /// Its name.
    pub name: String,
    /// How many partitions; none: the cluster's default (`num.partitions`).
    pub partitions: Option<i32>,
    /// How many replicas; none: the cluster's default (`default.replication.factor`).
    pub replication: Option<i32>,
    /// Its settings, besides the cluster's.
    pub config: Vec<ConfigInput>,
}

/// A setting that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigInput {
    /// Its name.
    pub name: String,
    /// Its value; none: the default again.
    pub value: Option<String>,
}

/// A topic that is to be made, and was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; -1: the cluster's default.
    pub partitions: i32,
    /// How many replicas; -1: the cluster's default.
    pub replication: i32,
    /// Its settings: name and value.
    pub config: Vec<(String, String)>,
}

/// Partitions that are to be added.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartitionsInput {
    /// How many there are to be then.
    pub partitions: i32,
    /// The topic's name again: a key's records may go to another partition from then on, and that can't be undone.
    pub confirm: String,
}

/// A field of [`TopicInput`], or of what else is asked about a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopicField {
    /// `name`
    Name,
    /// `partitions`
    Partitions,
    /// `replication`
    Replication,
    /// `config`, the name of the one at this index.
    ConfigName(u32),
    /// `config`, the value of the one at this index.
    ConfigValue(u32),
    /// `config`, as a whole.
    Config,
    /// `confirm`
    Confirm,
}

impl fmt::Display for TopicField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("name"),
            Self::Partitions => f.write_str("partitions"),
            Self::Replication => f.write_str("replication"),
            Self::ConfigName(index) => write!(f, "config[{index}].name"),
            Self::ConfigValue(index) => write!(f, "config[{index}].value"),
            Self::Config => f.write_str("config"),
            Self::Confirm => f.write_str("confirm"),
        }
    }
}

/// The rule that a field broke. Its `Display` is the English text; the page has its own words for each language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum TopicRule {
    /// Nothing was given.
    #[error("is required")]
    Required,
    /// A name that Kafka does not take.
    #[error("must be 1 to 249 letters, digits, '.', '_' or '-', and neither '.' nor '..'")]
    Name,
    /// There is a topic of this name.
    #[error("exists already")]
    Exists,
    /// In Kafka's metrics '.' and '_' are the same: it takes no two names that differ in these alone.
    #[error("collides with {with}: to Kafka's metrics '.' and '_' are the same")]
    Collides {
        /// The topic that there is.
        with: String,
    },
    /// Not a whole number.
    #[error("must be a whole number")]
    Number,
    /// A number out of range.
    #[error("must be {min} to {max}")]
    Range {
        /// The least.
        min: i32,
        /// The most.
        max: i32,
    },
    /// More replicas than brokers.
    #[error("must be 1 to {brokers}: the cluster has so many brokers")]
    Replicas {
        /// How many brokers there are.
        brokers: u32,
    },
    /// Partitions can't become fewer.
    #[error("must be above {now}: the topic has so many, and partitions are never removed")]
    Grows {
        /// How many there are.
        now: u32,
    },
    /// The same setting twice.
    #[error("stands there twice")]
    Twice,
    /// What was typed to confirm is not the topic's name.
    #[error("must be the topic's name, {name}")]
    Confirm {
        /// The topic's name.
        name: String,
    },
    /// It is one of Kafka's own.
    #[error("is one of Kafka's own topics")]
    Internal,
    /// What Kafka says.
    #[error("{reason}")]
    Refused {
        /// In its words.
        reason: String,
    },
}

/// A field and the rule that it broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field} {rule}")]
pub struct TopicFieldError {
    /// Which.
    pub field: TopicField,
    /// Why.
    pub rule: TopicRule,
}

/// How changing a topic failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum TopicError {
    /// Fields that broke a rule, in the form's order. Nothing was changed.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<TopicFieldError>),
    /// There is no such topic.
    #[error("the topic {topic} does not exist")]
    Unknown {
        /// Its name.
        topic: String,
    },
    /// Kafka, or the client library, refused. Nothing was changed.
    #[error("Kafka refuses: {reason}")]
    Refused {
        /// In its words.
        reason: String,
    },
    /// Kafka deletes no records of a topic that is only compacted (KIP-107: `cleanup.policy` has to name `delete`). Nothing was changed.
    #[error("the messages of a topic can be deleted only where its cleanup.policy has delete")]
    Compacted,
    /// Some partitions were emptied, others were not.
    #[error("{done} partitions were emptied; {}", .failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Partly {
        /// How many were.
        done: u32,
        /// Those that were not.
        failed: Vec<PartitionFailure>,
    },
    /// Kafka did not answer in time. It may have been done.
    #[error("Kafka does not answer: {reason}. It may have been done")]
    Unanswered {
        /// In the client library's words.
        reason: String,
    },
    /// Kafka did not answer what had to be known first. Nothing was changed.
    #[error("Kafka does not answer: {reason}. Nothing was changed")]
    Unread {
        /// In the client library's words.
        reason: String,
    },
}

/// Why something was not done to a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("partition {partition}: {reason}")]
pub struct PartitionFailure {
    /// The partition's number.
    pub partition: i32,
    /// In Kafka's words.
    pub reason: String,
}

impl TopicError {
    /// One field.
    pub fn field(field: TopicField, rule: TopicRule) -> Self {
        Self::Invalid(vec![TopicFieldError { field, rule }])
    }
}

impl TopicInput {
    /// Checks everything that can be checked without asking Kafka. Settings whose name and value are both empty are lines that
    /// nobody filled in, and are passed over.
    ///
    /// # Errors
    /// Every field that broke a rule, in the form's order.
    pub fn check(&self) -> Result<NewTopic, Vec<TopicFieldError>> {
        let mut errors = Vec::new();
        let mut refuse = |field, rule| errors.push(TopicFieldError { field, rule });
        let name = self.name.trim();
        match check_topic_name(name) {
            Ok(()) => {}
            Err(Rule::Required) => refuse(TopicField::Name, TopicRule::Required),
            Err(_) => refuse(TopicField::Name, TopicRule::Name),
        }
        for (field, given, max) in [
            (TopicField::Partitions, self.partitions, MOST_PARTITIONS),
            (TopicField::Replication, self.replication, MOST_REPLICAS),
        ] {
            if given.is_some_and(|number| !(1..=max).contains(&number)) {
                refuse(field, TopicRule::Range { min: 1, max });
            }
        }
        let mut config: Vec<(String, String)> = Vec::with_capacity(self.config.len());
        for (index, setting) in self.config.iter().enumerate() {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let value = setting.value.as_deref().unwrap_or_default();
            match setting.name.trim() {
                "" if value.is_empty() => {}
                "" => refuse(TopicField::ConfigName(index), TopicRule::Required),
                name if name.contains('\0') => refuse(TopicField::ConfigName(index), no_nul()),
                name if config.iter().any(|(known, _)| known == name) => {
                    refuse(TopicField::ConfigName(index), TopicRule::Twice);
                }
                name => config.push((name.to_owned(), value.to_owned())),
            }
            if value.contains('\0') {
                refuse(TopicField::ConfigValue(index), no_nul());
            }
        }
        if errors.is_empty() {
            let (partitions, replication) = (self.partitions.unwrap_or(-1), self.replication.unwrap_or(-1));
            Ok(NewTopic { name: name.into(), partitions, replication, config })
        } else {
            Err(errors)
        }
    }
}

impl NewTopic {
    /// Checks what needs to know which topics there are, and how many brokers.
    ///
    /// # Errors
    /// Every field that broke a rule, in the form's order.
    pub fn check_against<'a>(
        &self,
        topics: impl IntoIterator<Item = &'a str>,
        brokers: u32,
    ) -> Result<(), Vec<TopicFieldError>> {
        let mut errors = Vec::new();
        let own = unified(&self.name);
        let mut colliding = topics.into_iter().filter(|known| known.len() == self.name.len() && unified(known) == own);
        if let Some(known) = colliding.next() {
            let exists = known == self.name || colliding.any(|known| known == self.name);
            let rule = if exists { TopicRule::Exists } else { TopicRule::Collides { with: known.into() } };
            errors.push(TopicFieldError { field: TopicField::Name, rule });
        }
        if brokers > 0 && u32::try_from(self.replication).is_ok_and(|replicas| replicas > brokers) {
            errors.push(TopicFieldError { field: TopicField::Replication, rule: TopicRule::Replicas { brokers } });
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// A name as Kafka compares them (`org.apache.kafka.common.internals.Topic.unifyCollisionChars`).
fn unified(name: &str) -> String {
    name.replace('.', "_")
}

impl PartitionsInput {
    /// Checks it for a topic that has `now` partitions.
    ///
    /// # Errors
    /// Every field that broke a rule, in the form's order.
    pub fn check(&self, topic: &str, now: u32) -> Result<(), Vec<TopicFieldError>> {
        let mut errors = Vec::new();
        let rule = match u32::try_from(self.partitions) {
            Ok(wanted) if wanted <= now => Some(TopicRule::Grows { now }),
            Err(_) => Some(TopicRule::Grows { now }),
            // Kafka counts those that it makes.
            Ok(wanted) if wanted - now > MOST_PARTITIONS.unsigned_abs() => {
                let now = i32::try_from(now).unwrap_or(i32::MAX);
                Some(TopicRule::Range { min: now.saturating_add(1), max: now.saturating_add(MOST_PARTITIONS) })
            }
            Ok(_) => None,
        };
        errors.extend(rule.map(|rule| TopicFieldError { field: TopicField::Partitions, rule }));
        errors.extend(check_confirmed(topic, &self.confirm).err());
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// Whether the topic's name was typed again before it is destroyed or changed for good.
///
/// # Errors
/// When it was not.
pub fn check_confirmed(topic: &str, typed: &str) -> Result<(), TopicFieldError> {
    match typed.trim() {
        typed if typed == topic => Ok(()),
        _ => Err(TopicFieldError { field: TopicField::Confirm, rule: TopicRule::Confirm { name: topic.into() } }),
    }
}

/// Checks settings that are to be made of a topic that there is, and returns them by name, with none where the default is to hold
/// again.
///
/// # Errors
/// Every field that broke a rule, in the form's order.
pub fn check_config(changes: &[ConfigInput]) -> Result<Vec<(String, Option<String>)>, Vec<TopicFieldError>> {
    let (mut errors, mut checked, mut known) = (Vec::new(), Vec::with_capacity(changes.len()), HashSet::new());
    for (index, ConfigInput { name, value }) in changes.iter().enumerate() {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let name = name.trim();
        let rule = match name {
            "" => Some(TopicRule::Required),
            name if name.contains('\0') => Some(no_nul()),
            name if !known.insert(name) => Some(TopicRule::Twice),
            _ => None,
        };
        errors.extend(rule.map(|rule| TopicFieldError { field: TopicField::ConfigName(index), rule }));
        if value.as_deref().is_some_and(|value| value.contains('\0')) {
            errors.push(TopicFieldError { field: TopicField::ConfigValue(index), rule: no_nul() });
        }
        checked.push((name.to_owned(), value.clone()));
    }
    if changes.is_empty() {
        errors.push(TopicFieldError { field: TopicField::Config, rule: TopicRule::Required });
    }
    if errors.is_empty() { Ok(checked) } else { Err(errors) }
}

/// librdkafka takes texts that end with NUL.
fn no_nul() -> TopicRule {
    TopicRule::Refused { reason: "cannot hold the character NUL".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_holds_no_nul() {
        let settings = [setting("a\0", "1"), setting("b", "\0")];
        let new = TopicInput { config: settings.to_vec(), ..input() };
        for wrong in [check_config(&settings).unwrap_err(), new.check().unwrap_err()] {
            let fields: Vec<_> = wrong.iter().map(|error| error.field).collect();
            assert_eq!(fields, [TopicField::ConfigName(0), TopicField::ConfigValue(1)], "{wrong:?}");
        }
    }

    fn input() -> TopicInput {
        TopicInput { name: "orders".into(), partitions: Some(6), replication: Some(3), config: Vec::new() }
    }

    fn setting(name: &str, value: &str) -> ConfigInput {
        ConfigInput { name: name.into(), value: Some(value.into()) }
    }

    fn errors(error: Vec<TopicFieldError>) -> Vec<String> {
        error.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_topic_is_checked_field_by_field_in_the_forms_order() {
        let wrong = TopicInput {
            name: "a b".into(),
            partitions: Some(0),
            replication: Some(40_000),
            config: vec![
                setting("", "1"),
                setting("", ""),
                setting("retention.ms", "1"),
                setting(" retention.ms", "2"),
            ],
        };
        let said = errors(wrong.check().unwrap_err());
        assert_eq!(said.len(), 5, "{said:?}");
        assert!(said[0].starts_with("name must be 1 to 249 letters"), "{said:?}");
        assert_eq!(
            said[1..],
            [
                "partitions must be 1 to 10000",
                "replication must be 1 to 32767",
                "config[0].name is required",
                "config[3].name stands there twice",
            ]
        );
        let without_a_name = TopicInput { name: " ".into(), ..input() };
        assert_eq!(errors(without_a_name.check().unwrap_err()), ["name is required"]);
    }

    #[test]
    fn what_is_not_given_is_the_clusters_default() {
        let given = TopicInput { partitions: None, replication: None, config: vec![setting("", "")], ..input() };
        let expected = NewTopic { name: "orders".into(), partitions: -1, replication: -1, config: Vec::new() };
        assert_eq!(given.check(), Ok(expected));
        let most = TopicInput { partitions: Some(MOST_PARTITIONS), config: vec![setting("a", "")], ..input() };
        assert_eq!(most.check().unwrap().config, [("a".to_owned(), String::new())]);
    }

    #[test]
    fn names_that_differ_in_dots_and_underscores_alone_collide() {
        let new = |name: &str| NewTopic { name: name.into(), partitions: 1, replication: 1, config: Vec::new() };
        let rule = |name: &str| {
            new(name).check_against(["a.b_c", "plain", "x.y", "x_y"], 3).map_err(|errors| errors[0].rule.clone())
        };
        assert_eq!(rule("a_b.c"), Err(TopicRule::Collides { with: "a.b_c".into() }));
        assert_eq!(rule("plain"), Err(TopicRule::Exists));
        assert_eq!(rule("x_y"), Err(TopicRule::Exists), "whichever stands first");
        assert_eq!(rule("a-b-c"), Ok(()));
        assert_eq!(rule("a.b_cd"), Ok(()));
    }

    #[test]
    fn there_are_no_more_replicas_than_brokers() {
        let new = |replication| NewTopic { name: "t".into(), partitions: 1, replication, config: Vec::new() };
        let said = errors(new(4).check_against([], 3).unwrap_err());
        assert_eq!(said, ["replication must be 1 to 3: the cluster has so many brokers"]);
        for replication in [-1, 1, 3] {
            assert_eq!(new(replication).check_against([], 3), Ok(()));
        }
        assert_eq!(new(4).check_against([], 0), Ok(()), "how many there are is not known");
    }

    #[test]
    fn partitions_only_ever_become_more_and_the_name_is_typed_again() {
        let check = |partitions, confirm: &str| {
            PartitionsInput { partitions, confirm: confirm.into() }.check("orders", 6).map_err(errors)
        };
        assert_eq!(check(7, " orders "), Ok(()));
        let grows = "partitions must be above 6: the topic has so many, and partitions are never removed";
        for number in [6, 0, -1] {
            assert_eq!(check(number, "orders"), Err(vec![grows.to_owned()]));
        }
        assert_eq!(check(10_007, "orders"), Err(vec!["partitions must be 7 to 10006".into()]));
        let both = check(6, "Orders").unwrap_err();
        assert_eq!(both, [grows, "confirm must be the topic's name, orders"]);
    }

    #[test]
    fn a_setting_has_a_name_and_stands_there_once() {
        let default = ConfigInput { name: "retention.ms".into(), value: None };
        let expected = vec![("retention.ms".to_owned(), None), ("a".to_owned(), Some("1".to_owned()))];
        assert_eq!(check_config(&[default.clone(), setting("a", "1")]), Ok(expected));
        let said = errors(check_config(&[setting(" ", "1"), default.clone(), default]).unwrap_err());
        assert_eq!(said, ["config[0].name is required", "config[2].name stands there twice"]);
        assert_eq!(errors(check_config(&[]).unwrap_err()), ["config is required"]);
    }

    fn row(name: &str, partitions: u32, under_replicated: u32, offline: u32) -> TopicRow {
        TopicRow {
            name: name.into(),
            partitions,
            replication: 1,
            under_replicated,
            offline,
            records: None,
            written: None,
            rate: None,
        }
    }

    #[test]
    fn a_list_begins_with_what_is_offline_then_what_is_under_replicated() {
        let mut topics = vec![row("b", 1, 0, 0), row("c", 6, 6, 0), row("d", 3, 1, 1), row("a", 2, 0, 0)];
        let mut names = |sort, descending| {
            TopicPage::order(&mut topics, sort, descending);
            topics.iter().map(|topic| topic.name.as_str()).collect::<String>()
        };
        assert_eq!(names(TopicSort::Trouble, false), "dcab");
        assert_eq!(names(TopicSort::Name, true), "dcba");
        assert_eq!(names(TopicSort::Partitions, false), "badc");
        assert_eq!(names(TopicSort::Replication, true), "abcd", "equal ones come by name");
    }

    #[test]
    fn a_search_is_for_a_part_of_the_name_whatever_the_case() {
        let all = [row("Orders.v2", 1, 0, 0), row("__orders", 1, 0, 0), row("payments", 1, 0, 0)];
        let found = |q: &str, internal| {
            let query = TopicQuery { q: q.into(), internal, ..TopicQuery::default() };
            TopicPage::find(&all, &query).iter().map(|topic| topic.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(found(" orders ", false), ["Orders.v2"]);
        assert_eq!(found("ORDERS", true), ["Orders.v2", "__orders"]);
        assert_eq!(found("", false), ["Orders.v2", "payments"]);
    }

    #[test]
    fn a_topic_holds_what_its_partitions_hold_where_all_tell() {
        let partition = |first, end| TopicPartition {
            partition: 0,
            leader: Some(1),
            replicas: vec![1, 2],
            in_sync: vec![1],
            first,
            end,
            unknown: None,
        };
        let topic = |partitions| Topic { name: "t".into(), id: None, partitions };
        assert_eq!(topic(vec![partition(Some(3), Some(10)), partition(Some(5), Some(5))]).records(), Some(7));
        assert_eq!(topic(vec![partition(Some(3), Some(10)), partition(None, Some(5))]).records(), None);
        assert!(partition(None, None).is_under_replicated());
    }

    #[test]
    fn sixty_four_bit_numbers_are_strings_in_json() {
        let topic = TopicRow { records: Some(9_007_199_254_740_993), ..row("t", 1, 0, 0) };
        let json = serde_json::to_value(&topic).unwrap();
        assert_eq!(json["records"], "9007199254740993");
        assert_eq!(serde_json::from_value::<TopicRow>(json).unwrap(), topic);
        for sort in TopicSort::ALL {
            assert_eq!(serde_json::to_value(sort).unwrap(), sort.name());
        }
    }
}
