//! The engine: what an instance is made of, started and stopped as one.

use crate::{Brokers, Config, Feed};
use kafka::{Admin, Producer, Reader};
use parking_lot::Mutex;
use rand::Rng;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::task::TaskTracker;
use wire::{
    KafkaState, Limits, Millis, Place, ProduceError, ProduceInput, ReadError, Receipt, Record, Snapshot, TopicSummary,
};

/// How many of a feed's newest records a page is rendered with.
const NEWEST: usize = 100;
/// How long a broker call may take while a page is rendered, before the page says that Kafka does not answer.
const RENDER_DEADLINE: Duration = Duration::from_millis(300);
/// How long reading from the log may take when someone asked for it.
const READ_DEADLINE: Duration = Duration::from_secs(5);
/// How long the list of topics is taken for true.
const TOPICS_AGE: Duration = Duration::from_secs(5);
/// How long one attempt to create the feeds' topics may take.
const CREATE_DEADLINE: Duration = Duration::from_secs(5);
/// The longest pause between two such attempts.
const CREATE_BACKOFF_MAX: Duration = Duration::from_secs(5);

/// One running instance: its producer, its feeds, its readers. Stopped by [`Engine::stop`].
pub struct Engine {
    config: Config,
    incarnation: u64,
    started: Millis,
    producer: Producer,
    reader: Reader,
    admin: Admin,
    feeds: Vec<Arc<Feed>>,
    topics: Mutex<Option<(Instant, Vec<TopicSummary>)>>,
    tabs: AtomicU32,
    stopping: watch::Sender<bool>,
    tasks: TaskTracker,
    #[cfg(feature = "embedded")]
    embedded: Mutex<Option<kafka::embedded::Embedded>>,
}

/// Why an instance could not start. A broker that does not answer is no reason.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The client library refused a setting.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// No brokers are configured, and this build has none embedded.
    #[error("kafka.brokers is empty, and this build has no embedded broker")]
    NoBroker,
    /// No feed is configured.
    #[error("no feed is configured")]
    NoFeed,
}

impl Engine {
    /// Starts the instance: the embedded broker where there is no cluster, then everything that talks to Kafka. Returns as
    /// soon as pages can be served; topics are created and groups joined behind it.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(mut config: Config) -> Result<Arc<Self>, StartError> {
        if config.feeds.is_empty() {
            return Err(StartError::NoFeed);
        }
        #[cfg(feature = "embedded")]
        let embedded = start_embedded(&mut config).await?;
        #[cfg(not(feature = "embedded"))]
        if matches!(config.brokers, Brokers::Embedded { .. }) {
            return Err(StartError::NoBroker);
        }
        if let Brokers::Cluster(brokers) = &config.brokers {
            config.client.brokers.clone_from(brokers);
        }
        let engine = Arc::new(Self {
            incarnation: rand::rng().random(),
            started: crate::now(),
            producer: Producer::new(&config.client, &config.producer)?,
            reader: Reader::new(&config.client)?,
            admin: Admin::new(&config.client)?,
            feeds: config.feeds.iter().cloned().map(|feed| Arc::new(Feed::new(feed))).collect(),
            config,
            topics: Mutex::default(),
            tabs: AtomicU32::default(),
            stopping: watch::Sender::new(false),
            tasks: TaskTracker::new(),
            #[cfg(feature = "embedded")]
            embedded: Mutex::new(embedded),
        });
        for feed in &engine.feeds {
            engine.tasks.spawn(Arc::clone(&engine).consume(Arc::clone(feed)));
        }
        engine.tasks.spawn(Arc::clone(&engine).keep_counters());
        engine.tasks.close();
        Ok(engine)
    }

    /// Stops within about `deadline`: tabs are told, what was handed on is committed, the group is left, messages on their
    /// way are delivered or failed.
    pub async fn stop(&self, deadline: Duration) {
        self.stopping.send_replace(true);
        self.tasks.wait().await;
        let until = Instant::now() + deadline;
        futures::future::join_all(self.feeds.iter().map(|feed| feed.stop(deadline))).await;
        let producer = self.producer.clone();
        let left = until.saturating_duration_since(Instant::now());
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || producer.flush(left)).await {
            tracing::error!(%error, "not every message was acknowledged before the stop");
        }
        #[cfg(feature = "embedded")]
        {
            let embedded = self.embedded.lock().take();
            if let Some(embedded) = embedded {
                embedded.stop().await;
            }
        }
    }

    /// The instance's name.
    pub fn instance(&self) -> &str {
        &self.config.instance
    }

    /// Random per start.
    pub fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// When it started.
    pub(crate) fn started(&self) -> Millis {
        self.started
    }

    /// The build of the page that this instance serves.
    pub fn build(&self) -> &str {
        &self.config.build
    }

    /// Whether Kafka is the broker inside this process.
    pub fn is_embedded(&self) -> bool {
        matches!(self.config.brokers, Brokers::Embedded { .. })
    }

    /// The brokers' addresses.
    pub fn brokers(&self) -> &str {
        &self.config.client.brokers
    }

    /// What a message may be at most.
    pub fn limits(&self) -> Limits {
        self.config.limits
    }

    /// Whether Kafka answers.
    pub fn kafka(&self) -> KafkaState {
        self.default_feed().kafka()
    }

    /// The feed of this name.
    pub fn feed(&self, name: &str) -> Option<&Arc<Feed>> {
        self.feeds.iter().find(|feed| feed.name() == name)
    }

    /// The page's feed.
    pub fn default_feed(&self) -> &Arc<Feed> {
        &self.feeds[0]
    }

    /// All feeds, in the order of the configuration.
    pub fn feeds(&self) -> impl Iterator<Item = &Arc<Feed>> {
        self.feeds.iter()
    }

    /// Turns true when the instance stops.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    pub(crate) fn tab_connected(&self) {
        self.tabs.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn tab_disconnected(&self) {
        self.tabs.fetch_sub(1, Ordering::Relaxed);
    }

    /// Checks a message and produces it.
    ///
    /// # Errors
    /// The fields that broke a rule, or what Kafka said.
    pub async fn produce(&self, input: &ProduceInput) -> Result<Receipt, ProduceError> {
        let outgoing =
            input.check(self.limits(), || uuid::Uuid::new_v4().to_string()).map_err(ProduceError::Invalid)?;
        self.producer.send(outgoing).await
    }

    /// Reads one record from the log, in full.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn record(&self, place: &Place) -> Result<Record, ReadError> {
        self.reader.record(place, READ_DEADLINE).await
    }

    /// The newest `n` records of the feed's topics from the log, whoever consumed them. The oldest of them first.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub async fn newest_from_log(&self, feed: &Feed, n: usize) -> Result<Vec<Record>, ReadError> {
        self.reader.newest(feed.topics(), n, READ_DEADLINE).await
    }

    /// The cluster's topics, at most [`TOPICS_AGE`] old.
    ///
    /// # Errors
    /// When Kafka does not answer within the time that a page has.
    pub async fn topics(&self) -> Result<Vec<TopicSummary>, ReadError> {
        if let Some((at, topics)) = &*self.topics.lock()
            && at.elapsed() < TOPICS_AGE
        {
            return Ok(topics.clone());
        }
        let topics =
            self.admin.topics(RENDER_DEADLINE).await.map_err(|error| ReadError::Kafka { reason: error.to_string() })?;
        *self.topics.lock() = Some((Instant::now(), topics.clone()));
        Ok(topics)
    }

    /// The feed as it stands, from memory.
    pub fn snapshot(&self, feed: &Feed) -> Snapshot {
        let (records, cursor) = feed.hub().newest(NEWEST);
        Snapshot {
            feed: feed.name().into(),
            group: feed.group().into(),
            topics: feed.topics().to_vec(),
            instance: self.instance().into(),
            build: self.build().into(),
            embedded: self.is_embedded(),
            limits: self.limits(),
            at: crate::now(),
            kafka: feed.kafka(),
            assignment: feed.assignment(),
            stats: feed.stats(),
            cursor,
            records,
        }
    }

    /// Sees to the feed's topics, then joins the group. Kafka may be away for as long as it likes.
    async fn consume(self: Arc<Self>, feed: Arc<Feed>) {
        let mut stopping = self.stopping();
        tokio::select! {
            () = self.create_topics(&feed) => {
                if let Err(error) = feed.consume(&self.config.client) {
                    tracing::error!(feed = feed.name(), group = feed.group(), %error, "the group's consumer could not be made");
                    feed.state.kafka.send_replace(KafkaState::Down { since: crate::now(), reason: error.to_string() });
                }
            }
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    async fn create_topics(&self, feed: &Feed) {
        let Some(creation) = self.config.create_topics else { return };
        let topics: Vec<_> =
            feed.topics().iter().map(|topic| (topic.as_str(), creation.partitions, creation.replication)).collect();
        let mut backoff = Duration::from_millis(200);
        loop {
            let error = match self.admin.ensure_topics(&topics, CREATE_DEADLINE).await {
                Ok(()) => return,
                Err(error) => error,
            };
            if matches!(error, kafka::Error::Refused { .. }) {
                // The group then waits for topics that someone else makes.
                tracing::warn!(feed = feed.name(), %error, "the feed's topics could not be created");
                return;
            }
            let is_news = feed.state.kafka.send_if_modified(|state| {
                let was_down = matches!(state, KafkaState::Down { .. });
                if !was_down {
                    *state = KafkaState::Down { since: crate::now(), reason: error.to_string() };
                }
                !was_down
            });
            if is_news {
                tracing::warn!(feed = feed.name(), %error, "Kafka does not answer: the feed waits for it");
            }
            let wait = backoff.mul_f64(rand::rng().random_range(0.5..1.0));
            tokio::time::sleep(wait).await;
            backoff = (backoff * 2).min(CREATE_BACKOFF_MAX);
        }
    }

    /// Once a second, each feed's counters are told to its tabs.
    async fn keep_counters(self: Arc<Self>) {
        let mut stopping = self.stopping();
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = second.tick() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
            for feed in &self.feeds {
                feed.tick(crate::now(), self.tabs.load(Ordering::Relaxed));
            }
        }
    }
}

#[cfg(feature = "embedded")]
async fn start_embedded(config: &mut Config) -> Result<Option<kafka::embedded::Embedded>, StartError> {
    let Brokers::Embedded { listen, data_dir } = &config.brokers else { return Ok(None) };
    let settings = kafka::embedded::Settings { listen: *listen, data_dir: data_dir.clone() };
    let embedded = kafka::embedded::Embedded::start(settings).await?;
    config.client.brokers = embedded.addr().to_string();
    Ok(Some(embedded))
}
