//! What a client is told: Ottla's settings and what they become as librdkafka properties. What is not here: where the
//! settings come from (the `server` reads them).

use crate::Error;
use rdkafka::ClientConfig;
use std::{collections::BTreeMap, fmt, time::Duration};

/// librdkafka properties that are passed through, by name. They win over Ottla's defaults.
pub type Properties = BTreeMap<String, String>;

/// What all clients of one cluster have in common.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// `host:port`, separated by commas (librdkafka's `bootstrap.servers`).
    pub brokers: String,
    /// The instance's name: every client's `client.id`.
    pub instance: String,
    /// Passed through to every client: TLS, SASL, …
    pub properties: Properties,
}

/// The producer's part.
#[derive(Clone, PartialEq, Eq)]
pub struct ProducerSettings {
    /// How long a message may wait for its acknowledgement, retries included (`delivery.timeout.ms`).
    pub delivery_timeout: Duration,
    /// How long a message waits for others to share a request with (`linger.ms`).
    pub linger: Duration,
    /// Passed through to the producer.
    pub properties: Properties,
}

impl Default for ProducerSettings {
    fn default() -> Self {
        Self {
            delivery_timeout: Duration::from_secs(10),
            linger: Duration::from_millis(1),
            properties: Properties::new(),
        }
    }
}

/// A consumer group's part.
#[derive(Clone, PartialEq, Eq)]
pub struct GroupSettings {
    /// The group's name (`group.id`).
    pub group: String,
    /// The topics to subscribe to. One that begins with `^` is a pattern, as librdkafka has it.
    pub topics: Vec<String>,
    /// Where a partition begins that the group has no committed offset for.
    pub from: From,
    /// How long a member may be silent before the group gives its partitions to others (`session.timeout.ms`). Decided by
    /// the broker with [`Protocol::Consumer`].
    pub session_timeout: Duration,
    /// How often a member says that it lives (`heartbeat.interval.ms`). Decided by the broker with [`Protocol::Consumer`].
    pub heartbeat: Duration,
    /// How long the group's thread may be busy with one batch (`max.poll.interval.ms`).
    pub max_poll_interval: Duration,
    /// The wait before a failed request is tried again (`retry.backoff.ms`), a failed commit too.
    pub retry_backoff: Duration,
    /// How often offsets are committed.
    pub commit_interval: Duration,
    /// U: how many offsets may be consumed and not committed. Nothing is handed on beyond.
    pub uncommitted_bound: u64,
    /// How long a broker may hold back an empty answer (`fetch.wait.max.ms`).
    pub fetch_wait: Duration,
    /// How the group is coordinated (`group.protocol`).
    pub protocol: Protocol,
    /// The name of a static member (`group.instance.id`, KIP-345), which keeps its partitions over a restart.
    pub group_instance_id: Option<String>,
    /// Passed through to the consumer.
    pub properties: Properties,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            group: "ottla".into(),
            topics: Vec::new(),
            from: From::default(),
            session_timeout: Duration::from_secs(6),
            heartbeat: Duration::from_secs(2),
            max_poll_interval: Duration::from_secs(10),
            retry_backoff: Duration::from_secs(1),
            commit_interval: Duration::from_millis(500),
            uncommitted_bound: 50_000,
            fetch_wait: Duration::from_millis(500),
            protocol: Protocol::default(),
            group_instance_id: None,
            properties: Properties::new(),
        }
    }
}

/// Where a partition begins that the group has no committed offset for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// At the first offset that there is.
    #[default]
    Earliest,
    /// At the log's end as it is at the assignment.
    Latest,
}

/// How a group is coordinated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// By its members: cooperative-sticky (KIP-429).
    #[default]
    Classic,
    /// By the broker (KIP-848; Kafka 4.0 and later).
    Consumer,
}

const DECIDES_ITSELF: &str = "Ottla commits by hand and decides itself where a partition begins";
const HAS_A_KEY: &str = "it has a setting of its own";
const RELIED_ON: &str = "Ottla relies on it";

/// What cannot be passed through, and why.
const RESERVED: &[(&str, &str)] = &[
    ("enable.auto.commit", DECIDES_ITSELF),
    ("auto.commit.enable", DECIDES_ITSELF),
    ("enable.auto.offset.store", DECIDES_ITSELF),
    ("auto.offset.reset", DECIDES_ITSELF),
    ("bootstrap.servers", HAS_A_KEY),
    ("metadata.broker.list", HAS_A_KEY),
    ("client.id", HAS_A_KEY),
    ("group.id", HAS_A_KEY),
    ("group.protocol", HAS_A_KEY),
    ("group.instance.id", HAS_A_KEY),
    ("enable.partition.eof", RELIED_ON),
    ("statistics.interval.ms", RELIED_ON),
];

/// Parts of a property's name that mark a secret (`sasl.password`, `ssl.key.pem`, `sasl.oauthbearer.client.secret`, …).
const SECRET: &[&str] = &["password", "secret", "ssl.key", "pem", "sasl.oauthbearer.config", "assertion"];

/// Whether the value of the librdkafka property `key` must not be shown.
pub fn is_secret(key: &str) -> bool {
    SECRET.iter().any(|part| key.contains(part))
}

/// How often librdkafka reports what it knows, in milliseconds: how soon an idle member notices that Kafka is back, and how
/// old the lag on the page may be.
const STATISTICS_INTERVAL_MS: &str = "1000";

impl ClientSettings {
    /// Checks everything that can be checked without a broker.
    ///
    /// # Errors
    /// The first property that cannot be set.
    pub fn check(&self, producer: &ProducerSettings, groups: &[GroupSettings]) -> Result<(), Error> {
        native(&self.producer(producer)?)?;
        groups.iter().try_for_each(|group| native(&self.group(group)?))
    }

    pub(crate) fn producer(&self, settings: &ProducerSettings) -> Result<ClientConfig, Error> {
        let mut config = self.common();
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("delivery.timeout.ms", millis(settings.delivery_timeout))
            .set("linger.ms", millis(settings.linger))
            .set("statistics.interval.ms", STATISTICS_INTERVAL_MS)
            // A topic that the metadata does not name is refused after this, not after librdkafka's 30 s.
            .set("topic.metadata.propagation.max.ms", "5000");
        self.pass_through(config, &settings.properties)
    }

    /// What a group's consumer is told. Public so that it can be measured against a consumer with the same settings.
    ///
    /// # Errors
    /// When a property is passed through that Ottla decides itself.
    pub fn group(&self, settings: &GroupSettings) -> Result<ClientConfig, Error> {
        let mut config = self.common();
        config
            .set("group.id", &settings.group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "false")
            .set("statistics.interval.ms", STATISTICS_INTERVAL_MS)
            .set("max.poll.interval.ms", millis(settings.max_poll_interval))
            .set("retry.backoff.ms", millis(settings.retry_backoff))
            .set("retry.backoff.max.ms", millis(settings.retry_backoff.max(Duration::from_secs(1))))
            // A subscribed topic that is created later, or grows, is noticed within this.
            .set("topic.metadata.refresh.interval.ms", "5000")
            .set("fetch.wait.max.ms", millis(settings.fetch_wait))
            // librdkafka's default of 1,000 ms stalls a partition whose queue was full for a moment.
            .set("fetch.queue.backoff.ms", "10")
            .set("fetch.error.backoff.ms", "500")
            .set("max.partition.fetch.bytes", "4194304")
            // The bound of the prefetch, in KiB.
            .set("queued.max.messages.kbytes", "65536");
        match settings.protocol {
            Protocol::Classic => {
                config
                    .set("group.protocol", "classic")
                    .set("partition.assignment.strategy", "cooperative-sticky")
                    .set("session.timeout.ms", millis(settings.session_timeout))
                    .set("heartbeat.interval.ms", millis(settings.heartbeat));
            }
            Protocol::Consumer => {
                config.set("group.protocol", "consumer");
            }
        }
        if let Some(name) = &settings.group_instance_id {
            config.set("group.instance.id", name);
        }
        self.pass_through(config, &settings.properties)
    }

    /// A consumer that never joins its group: librdkafka asks for a group's name from whoever assigns partitions.
    pub(crate) fn reader(&self) -> Result<ClientConfig, Error> {
        let mut config = self.common();
        config
            .set("group.id", format!("{}-reader", self.instance))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            // The end of a partition is told at once, so that a read knows that nothing more comes.
            .set("enable.partition.eof", "true")
            .set("isolation.level", "read_committed")
            .set("fetch.wait.max.ms", "10")
            .set("fetch.queue.backoff.ms", "10")
            .set("queued.max.messages.kbytes", "8192");
        self.pass_through(config, &Properties::new())
    }

    /// A reader that is given what the group is given. It reads few records at a time.
    pub(crate) fn reader_like(&self, group: &GroupSettings) -> Result<ClientConfig, Error> {
        let mut config = self.reader()?;
        config.set("max.partition.fetch.bytes", "16384").set("queued.min.messages", "1");
        if let Some(level) = group.properties.get("isolation.level") {
            config.set("isolation.level", level);
        }
        Ok(config)
    }

    /// A consumer that never joins its group and reads on and on.
    pub(crate) fn tail(&self) -> Result<ClientConfig, Error> {
        let mut config = self.common();
        config
            .set("group.id", format!("{}-tail", self.instance))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "false")
            .set("isolation.level", "read_committed")
            .set("fetch.wait.max.ms", "500")
            .set("fetch.queue.backoff.ms", "10")
            .set("fetch.error.backoff.ms", "500")
            .set("queued.max.messages.kbytes", "16384");
        self.pass_through(config, &Properties::new())
    }

    pub(crate) fn admin(&self) -> Result<ClientConfig, Error> {
        self.pass_through(self.common(), &Properties::new())
    }

    /// A consumer that never joins its group, for `admin/requests.rs`.
    pub(crate) fn requester(&self) -> Result<ClientConfig, Error> {
        let mut config = self.common();
        config
            .set("group.id", format!("{}-admin", self.instance))
            .set("enable.auto.commit", "false")
            // Where a partition is led is looked up anew after this; what is older than that is forgotten too, a partition
            // that was added later among it.
            .set("metadata.max.age.ms", "1000");
        self.pass_through(config, &Properties::new())
    }

    fn common(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", &self.instance)
            .set("socket.timeout.ms", "10000")
            .set("socket.nagle.disable", "true")
            // Recovery is noticed within about this, where librdkafka's default waits up to 10 s.
            .set("reconnect.backoff.max.ms", "2000")
            // A misspelt name is an error, not a new topic.
            .set("allow.auto.create.topics", "false")
            // Brokers close idle connections: no news.
            .set("log.connection.close", "false");
        config
    }

    fn pass_through(&self, mut config: ClientConfig, own: &Properties) -> Result<ClientConfig, Error> {
        for (key, value) in self.properties.iter().chain(own) {
            if let Some((_, reason)) = RESERVED.iter().find(|(reserved, _)| reserved == key) {
                return Err(Error::ReservedProperty { key: key.clone(), reason });
            }
            // librdkafka knows these by two names, and the later one set of both wins.
            let alias = match key.as_str() {
                "queue.buffering.max.ms" => "linger.ms",
                "message.timeout.ms" => "delivery.timeout.ms",
                "request.required.acks" => "acks",
                "fetch.message.max.bytes" => "max.partition.fetch.bytes",
                other => other,
            };
            config.set(alias, value);
        }
        Ok(config)
    }
}

fn native(config: &ClientConfig) -> Result<(), Error> {
    config.create_native_config().map(drop).map_err(Error::client)
}

fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

/// Properties with their secrets hidden.
struct Shown<'a>(&'a Properties);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|(key, value)| (key, if is_secret(key) { "***" } else { value.as_str() })))
            .finish()
    }
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { brokers, instance, properties } = self;
        f.debug_struct("ClientSettings")
            .field("brokers", brokers)
            .field("instance", instance)
            .field("properties", &Shown(properties))
            .finish()
    }
}

impl fmt::Debug for ProducerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delivery_timeout, linger, properties } = self;
        f.debug_struct("ProducerSettings")
            .field("delivery_timeout", delivery_timeout)
            .field("linger", linger)
            .field("properties", &Shown(properties))
            .finish()
    }
}

impl fmt::Debug for GroupSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupSettings")
            .field("group", &self.group)
            .field("topics", &self.topics)
            .field("from", &self.from)
            .field("session_timeout", &self.session_timeout)
            .field("heartbeat", &self.heartbeat)
            .field("max_poll_interval", &self.max_poll_interval)
            .field("retry_backoff", &self.retry_backoff)
            .field("commit_interval", &self.commit_interval)
            .field("uncommitted_bound", &self.uncommitted_bound)
            .field("fetch_wait", &self.fetch_wait)
            .field("protocol", &self.protocol)
            .field("group_instance_id", &self.group_instance_id)
            .field("properties", &Shown(&self.properties))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn client() -> ClientSettings {
        ClientSettings { brokers: "localhost:9092".into(), instance: "ottla-1".into(), properties: Properties::new() }
    }

    fn properties(key: &str, value: &str) -> Properties {
        [(key.to_owned(), value.to_owned())].into()
    }

    #[test]
    fn the_defaults_are_legal_for_librdkafka() {
        let groups = [
            GroupSettings::default(),
            GroupSettings { protocol: Protocol::Consumer, ..Default::default() },
            GroupSettings { group_instance_id: Some("a".into()), from: From::Latest, ..Default::default() },
        ];
        client().check(&ProducerSettings::default(), &groups).unwrap();
        native(&client().reader().unwrap()).unwrap();
        native(&client().admin().unwrap()).unwrap();
        native(&client().requester().unwrap()).unwrap();
    }

    #[test]
    fn the_consumer_protocol_leaves_out_what_the_broker_decides() {
        let config = client().group(&GroupSettings { protocol: Protocol::Consumer, ..Default::default() }).unwrap();
        for key in ["session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"] {
            assert_eq!(config.get(key), None, "{key}");
        }
        assert_eq!(config.get("group.protocol"), Some("consumer"));
    }

    #[rstest]
    #[case("enable.auto.commit")]
    #[case("enable.auto.offset.store")]
    #[case("auto.offset.reset")]
    fn what_ottla_decides_cannot_be_passed_through(#[case] key: &str) {
        let group = GroupSettings { properties: properties(key, "true"), ..Default::default() };
        assert!(matches!(client().group(&group), Err(Error::ReservedProperty { key: named, .. }) if named == key));
        let common = ClientSettings { properties: properties(key, "true"), ..client() };
        assert!(matches!(common.group(&GroupSettings::default()), Err(Error::ReservedProperty { .. })));
    }

    #[test]
    fn passed_through_properties_win_over_the_defaults() {
        let group = GroupSettings { properties: properties("fetch.wait.max.ms", "7"), ..Default::default() };
        assert_eq!(client().group(&group).unwrap().get("fetch.wait.max.ms"), Some("7"));
        let producer = ProducerSettings { properties: properties("queue.buffering.max.ms", "3"), ..Default::default() };
        assert_eq!(client().producer(&producer).unwrap().get("linger.ms"), Some("3"));
    }

    #[test]
    fn an_unknown_property_is_named_and_a_value_is_not_repeated() {
        let unknown = ClientSettings { properties: properties("no.such.thing", "hush"), ..client() };
        let error = unknown.check(&ProducerSettings::default(), &[]).unwrap_err();
        assert!(error.to_string().contains("no.such.thing"), "{error}");
        assert!(!error.to_string().contains("hush"), "{error}");
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = ClientSettings { properties: properties("sasl.password", "hush"), ..client() };
        assert!(!format!("{secret:?}").contains("hush"));
        assert!(format!("{secret:?}").contains("sasl.password"));
        let group = GroupSettings { properties: properties("ssl.key.pem", "hush"), ..Default::default() };
        assert!(!format!("{group:?}").contains("hush"));
    }
}
