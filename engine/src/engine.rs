//! The engine: what an instance is made of, started and stopped as one.

use crate::{
    Brokers, Config, Feed, FeedConfig, TopicCreation, cluster, groups, journal::Journal, meter::Produce,
    peers::SILENT_AFTER, rates::Rates, shared::Shared, temporary::Temporary, topics,
};
use feed::Sieve;
use kafka::{Admin, Producer, ProducerSettings, Reader, TopicList, TopicSpec};
use parking_lot::Mutex;
use rand::Rng;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::task::TaskTracker;
use wire::{
    Author, Filter, Gap, GapPart, KafkaState, Limits, News, Place, QueryError, ReadError, Record, RecordView, Scope,
    Snapshot, TopicError,
};

/// How many of a feed's newest records a page is rendered with.
const NEWEST: usize = 100;
/// How long reading from the log may take when someone asked for it.
const READ_DEADLINE: Duration = Duration::from_secs(5);
/// How many offsets of a gap are read at a time; and how many records a filter is to let through of a gap, for which more are read: at
/// most so many at a time, for so long. What an expression takes is not known before: more are read only after a read that was
/// as fast as this.
const GAP_PART: u32 = 500;
const GAP_READ: u32 = 16_000;
const GAP_SEARCH: Duration = Duration::from_secs(1);
const GAP_FAST: Duration = Duration::from_millis(250);
/// How long one attempt to create the feeds' topics may take.
const CREATE_DEADLINE: Duration = Duration::from_secs(5);
/// The pause after the cluster refused.
const CREATE_REFUSED: Duration = Duration::from_secs(60);
/// The longest pause between two such attempts.
const CREATE_BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How often it is looked whether a topic is still the same, and how long that may take.
const TOPIC_IDS_EVERY: Duration = Duration::from_secs(5);
const TOPIC_IDS_DEADLINE: Duration = Duration::from_secs(3);
/// How long what is written into the journal waits for more (`linger.ms`). It has a producer of its own, for people's messages
/// wait for nothing: with a linger of 0 a thread of librdkafka spins while more than five marks of a partition are on their
/// way (`RD_KAFKA_IDEMP_MAX_INFLIGHT`), which took half of an instance's processor time under load.
const JOURNAL_LINGER: Duration = Duration::from_millis(5);
/// How long the group waits for the journal before it is joined without.
const JOURNAL_DEADLINE: Duration = Duration::from_secs(3);
/// How long an instance of the same name may be silent before it is taken for gone: it says a word every second.
const NAMESAKE_WAITS: Duration = Duration::from_millis(2_500);
/// The partitions of the journal's topics. One of events, for they are few, and in order.
const MARKS_PARTITIONS: i32 = 3;

/// One running instance: its producer, its feeds, its readers. Stopped by [`Engine::stop`].
pub struct Engine {
    config: Config,
    pub(crate) started: wire::Millis,
    pub(crate) journal: Arc<Journal>,
    /// Whether the journal was read so far, or is not waited for any more.
    journal_read: watch::Sender<bool>,
    /// Why the instance must not go on.
    fatal: watch::Sender<Option<String>>,
    pub(crate) producer: Producer,
    reader: Reader,
    /// For who looks through a topic: it waits for no read that someone else asked for.
    pub(crate) browsing: Reader,
    pub(crate) admin: Admin,
    feeds: Vec<Arc<Feed>>,
    pub(crate) temporary: Mutex<Vec<Temporary>>,
    pub(crate) listed: Arc<Shared<TopicList>>,
    pub(crate) seen: Arc<Shared<cluster::Seen>>,
    pub(crate) watched: Arc<Mutex<cluster::Watch>>,
    pub(crate) rates: Rates,
    pub(crate) found: Mutex<groups::Found>,
    pub(crate) topic_looks: topics::TopicLooks,
    pub(crate) group_looks: groups::GroupLooks,
    tabs: AtomicU32,
    pub(crate) produced: Produce,
    stopping: watch::Sender<bool>,
    pub(crate) tasks: TaskTracker,
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
        let author = Author {
            deployment: config.journal.deployment.clone(),
            instance: config.instance.clone(),
            incarnation: rand::rng().random(),
        };
        let producer = Producer::new(&config.client, &config.producer)?;
        let groups = config.feeds.iter().map(|feed| feed.group.group.clone());
        let journal_producer = if config.journal.is_on {
            Producer::new(&config.client, &ProducerSettings { linger: JOURNAL_LINGER, ..config.producer.clone() })?
        } else {
            producer.clone()
        };
        let journal = Arc::new(Journal::new(author, config.journal.clone(), journal_producer, groups));
        let admin = Admin::new(&config.client)?;
        let feed = |feed: &FeedConfig| {
            Feed::new(feed.clone(), config.client.clone(), admin.clone(), Arc::clone(&journal)).map(Arc::new)
        };
        let feeds = config.feeds.iter().map(feed).collect::<Result<_, _>>()?;
        let engine = Arc::new(Self {
            feeds,
            temporary: Mutex::default(),
            reader: Reader::new(&config.client)?,
            browsing: Reader::browsing(&config.client)?,
            admin,
            producer,
            journal,
            journal_read: watch::Sender::new(!config.journal.is_on),
            fatal: watch::Sender::default(),
            started: crate::now(),
            config,
            listed: Arc::default(),
            seen: Arc::default(),
            watched: Arc::default(),
            rates: Rates::default(),
            found: Mutex::default(),
            topic_looks: topics::TopicLooks::default(),
            group_looks: groups::GroupLooks::default(),
            tabs: AtomicU32::default(),
            produced: Produce::default(),
            stopping: watch::Sender::new(false),
            tasks: TaskTracker::new(),
            #[cfg(feature = "embedded")]
            embedded: Mutex::new(embedded),
        });
        for feed in &engine.feeds {
            engine.tasks.spawn(Arc::clone(&engine).consume(Arc::clone(feed)));
        }
        if engine.journal.is_on() {
            engine.tasks.spawn(Arc::clone(&engine).keep_journal());
            engine.tasks.spawn(Arc::clone(&engine).obey());
            engine.tasks.spawn(Arc::clone(&engine).keep_topic_ids());
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
        let temporary: Vec<_> = self.temporary.lock().iter().map(|temporary| Arc::clone(&temporary.feed)).collect();
        let ended = futures::future::join_all(temporary.iter().map(|feed| self.end_temporary(feed)));
        let stopped = futures::future::join_all(self.feeds.iter().map(|feed| feed.stop(deadline)));
        // A group that could not be deleted in time is one that Kafka forgets by itself.
        let _ = tokio::join!(stopped, tokio::time::timeout(deadline, ended));
        self.journal.tell(News::Left);
        let left = until.saturating_duration_since(Instant::now());
        // Tells what the feeds had to tell while they stopped. Who can't hear it notices the silence.
        let _ = tokio::time::timeout(left, self.journal.write(std::future::ready(()))).await;
        self.journal.stop();
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
        self.journal.author().incarnation
    }

    /// Why the instance must not go on, once there is a reason: another one of its name is there.
    pub fn fatal(&self) -> watch::Receiver<Option<String>> {
        self.fatal.subscribe()
    }

    /// The build of the page that this instance serves.
    pub fn build(&self) -> &str {
        &self.config.build
    }

    /// Whether people are not to change the cluster through this instance.
    pub fn is_read_only(&self) -> bool {
        self.config.read_only
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

    /// Why the instances can't tell each other what they consumed, where they can't.
    pub fn journal_trouble(&self) -> Option<String> {
        self.journal.trouble()
    }

    /// The feed of this name.
    pub fn feed(&self, name: &str) -> Option<Arc<Feed>> {
        self.feeds().find(|feed| feed.name() == name)
    }

    /// The page's feed.
    pub fn default_feed(&self) -> &Arc<Feed> {
        &self.feeds[0]
    }

    /// The feeds of the configuration, in its order.
    pub fn configured_feeds(&self) -> &[Arc<Feed>] {
        &self.feeds
    }

    /// All feeds, in the order of the configuration; after them the temporary ones.
    pub fn feeds(&self) -> impl Iterator<Item = Arc<Feed>> {
        let temporary: Vec<_> = self.temporary.lock().iter().map(|temporary| Arc::clone(&temporary.feed)).collect();
        self.feeds.iter().cloned().chain(temporary)
    }

    /// One more.
    pub(crate) fn make_feed(&self, config: FeedConfig) -> Result<Arc<Feed>, kafka::Error> {
        let (client, journal) = (self.config.client.clone(), Arc::clone(&self.journal));
        Feed::new(config, client, self.admin.clone(), journal).map(Arc::new)
    }

    /// Turns true when the instance stops.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// How many tabs it serves.
    pub(crate) fn tabs(&self) -> u32 {
        self.tabs.load(Ordering::Relaxed)
    }

    pub(crate) fn tab_connected(&self) {
        self.tabs.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn tab_disconnected(&self) {
        self.tabs.fetch_sub(1, Ordering::Relaxed);
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

    /// The end of a gap, from the log, as far as the filter lets it through: see [`Reader::gap_part`]. Where that is little, more of the gap
    /// is looked through, for a second at most.
    ///
    /// # Errors
    /// When the partition does not exist, or Kafka does not answer; before that, where the filter can't be read.
    pub async fn gap_part(&self, gap: &Gap, filter: &Filter) -> Result<Result<GapPart, ReadError>, QueryError> {
        let sieve = Sieve::of(filter)?;
        Ok(self.sifted_part(gap, &sieve).await)
    }

    async fn sifted_part(&self, gap: &Gap, sieve: &Arc<Sieve>) -> Result<GapPart, ReadError> {
        let read = async |end: i64, most: u32| {
            let sieve = Arc::clone(sieve);
            let wants = move |record: &RecordView<'_>| sieve.lets_through(record);
            self.reader.gap_part(&gap.topic, gap.partition, gap.first..end, most, wants, READ_DEADLINE).await
        };
        let began = Instant::now();
        let mut most = GAP_PART;
        let mut part = read(gap.last.saturating_add(1), most).await?;
        let mut took = began.elapsed();
        while part.records.len() < GAP_PART as usize
            && !sieve.is_empty()
            && part.from > gap.first.max(part.log_start)
            && began.elapsed() < GAP_SEARCH
        {
            if took < GAP_FAST {
                most = (most * 2).min(GAP_READ);
            }
            let before = Instant::now();
            // What was found so far is something.
            let Ok(mut earlier) = read(part.from, most).await else { break };
            took = before.elapsed();
            earlier.records.append(&mut part.records);
            earlier.sieved = earlier.sieved.with(&part.sieved);
            part = earlier;
        }
        Ok(part)
    }

    /// The feed as it stands, from memory.
    pub fn snapshot(&self, feed: &Feed) -> Snapshot {
        let (records, cursor) = feed.hub().newest(NEWEST);
        Snapshot {
            feed: feed.name().into(),
            feeds: self.feeds().map(|feed| feed.name().into()).collect(),
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
            scope: if feed.members().len() > 1 && !feed.owns_all() { Scope::Group } else { Scope::Instance },
            members: feed.members(),
            journal: self.journal.trouble(),
            cursor,
            records,
        }
    }

    /// Sees to the feed's topics, then joins the group. Kafka may be away for as long as it likes.
    pub(crate) async fn consume(self: Arc<Self>, feed: Arc<Feed>) {
        let mut stopping = self.stopping();
        let begin = async {
            self.create_topics(&feed).await;
            let mut journal_read = self.journal_read.subscribe();
            // Without it others' marks are heard late, and a namesake is not noticed.
            let _ = tokio::time::timeout(JOURNAL_DEADLINE, journal_read.wait_for(|read| *read)).await;
            self.wait_for_namesake(&feed).await
        };
        tokio::select! {
            is_alone = begin => {
                if is_alone && let Err(error) = feed.consume() {
                    tracing::error!(feed = feed.name(), group = feed.group(), %error, "the group's consumer could not be made");
                    feed.state.kafka(KafkaState::Down { since: crate::now(), reason: error.to_string() });
                }
            }
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    /// Waits whether an instance of the same name in the same group is there or was just killed. Whether there is none.
    async fn wait_for_namesake(&self, feed: &Feed) -> bool {
        let Some((_, heard)) = self.journal.peers(|peers| peers.namesake(feed.group())) else { return true };
        if crate::now() - heard > SILENT_AFTER {
            return true;
        }
        tokio::time::sleep(NAMESAKE_WAITS).await;
        match self.journal.peers(|peers| peers.namesake(feed.group())) {
            Some((incarnation, again)) if again > heard => {
                let (name, group) = (self.instance(), feed.group());
                let reason = format!(
                    "another instance is called {name:?} in the group {group:?} (incarnation {incarnation:016x}): give \
                     each its own name with --instance or kafka.instance"
                );
                self.fatal.send_replace(Some(reason));
                false
            }
            _ => true,
        }
    }

    /// Reads and writes the journal, once its topics are there.
    async fn keep_journal(self: Arc<Self>) {
        let mut stopping = self.stopping();
        let stopped = async {
            let _ = stopping.wait_for(|stopping| *stopping).await;
        };
        tokio::pin!(stopped);
        tokio::select! {
            () = self.open_journal() => self.journal.write(stopped).await,
            () = &mut stopped => {}
        }
    }

    async fn open_journal(&self) {
        let journal = &self.config.journal;
        let retention = journal.retention.as_millis().to_string();
        let settings = [("retention.ms", retention.as_str()), ("cleanup.policy", "delete")];
        let replication = journal.replication;
        let spec = |name, partitions| TopicSpec { name, partitions, replication, settings: &settings };
        let topics = [spec(journal.marks_topic.as_str(), MARKS_PARTITIONS), spec(journal.events_topic.as_str(), 1)];
        let mut backoff = Duration::from_millis(200);
        while let Err(error) = self.find_or_make(&topics).await {
            self.journal.set_trouble(Some(error.to_string()));
            if matches!(error, kafka::Error::Refused { .. }) {
                // Nobody waits for it; someone else may make them one day.
                self.journal_read.send_replace(true);
                tokio::time::sleep(CREATE_REFUSED).await;
            } else {
                let wait = backoff.mul_f64(rand::rng().random_range(0.5..1.0));
                tokio::time::sleep(wait).await;
                backoff = (backoff * 2).min(CREATE_BACKOFF_MAX);
            }
        }
        if let Err(error) = self.journal.start(&self.config.client, &self.admin) {
            self.journal.set_trouble(Some(error.to_string()));
        }
        let journal = Arc::clone(&self.journal);
        // A panic in it costs the wait alone.
        let _ = tokio::task::spawn_blocking(move || journal.catch_up(JOURNAL_DEADLINE)).await;
        self.journal_read.send_replace(true);
    }

    /// Sees to it that topics are there; what is read-only makes none.
    async fn find_or_make(&self, topics: &[TopicSpec<'_>]) -> Result<(), kafka::Error> {
        if !self.config.read_only {
            return self.admin.ensure_topics(topics, CREATE_DEADLINE).await;
        }
        let known = self.admin.topics(CREATE_DEADLINE).await?;
        match topics.iter().find(|spec| !known.iter().any(|topic| topic.name == spec.name)) {
            None => Ok(()),
            Some(TopicSpec { name, .. }) => Err(kafka::Error::Refused {
                action: format!("creating the topic {name}"),
                reason: "this instance is read-only (read_only)".into(),
            }),
        }
    }

    /// How a topic is made of the instance's own accord, where it makes any.
    fn topic_creation(&self) -> Option<TopicCreation> {
        self.config.create_topics.filter(|_| !self.config.read_only)
    }

    /// Sees to a topic that nobody named but the program: where it is missing, it is made as a feed's would be. Whether it may.
    ///
    /// # Errors
    /// See [`TopicError`].
    pub async fn find_or_make_topic(&self, name: &str) -> Result<bool, TopicError> {
        let Some(TopicCreation { partitions, replication }) = self.topic_creation() else { return Ok(false) };
        let spec = TopicSpec { name, partitions, replication, settings: &[] };
        self.admin.ensure_topics(&[spec], CREATE_DEADLINE).await.map_err(|error| {
            let reason = error.to_string();
            if error.is_no_answer() { TopicError::Unanswered { reason } } else { TopicError::Refused { reason } }
        })?;
        self.forget_topic(name);
        Ok(true)
    }

    async fn create_topics(&self, feed: &Feed) {
        let Some(creation) = self.topic_creation() else { return };
        let (partitions, replication) = (creation.partitions, creation.replication);
        let topics = feed.topics().iter().map(|name| TopicSpec { name, partitions, replication, settings: &[] });
        let topics: Vec<_> = topics.collect();
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
            if !matches!(feed.kafka(), KafkaState::Down { .. }) {
                feed.state.kafka(KafkaState::Down { since: crate::now(), reason: error.to_string() });
                tracing::warn!(feed = feed.name(), %error, "Kafka does not answer: the feed waits for it");
            }
            let wait = backoff.mul_f64(rand::rng().random_range(0.5..1.0));
            tokio::time::sleep(wait).await;
            backoff = (backoff * 2).min(CREATE_BACKOFF_MAX);
        }
    }

    /// A topic that was deleted and made anew is another one, of which old marks say nothing.
    async fn keep_topic_ids(self: Arc<Self>) {
        let mut stopping = self.stopping();
        let mut look = tokio::time::interval(TOPIC_IDS_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
            let topics: BTreeSet<_> = self.feeds().flat_map(|feed| feed.topics().to_vec()).collect();
            let topics: Vec<_> = topics.iter().map(String::as_str).collect();
            // Where Kafka does not answer, or has no ids, marks are told apart by nothing.
            if let Ok(ids) = self.admin.topic_ids(&topics, TOPIC_IDS_DEADLINE).await {
                self.journal.set_topic_ids(ids);
            }
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
            self.journal.forget_silent(crate::now());
            self.end_idle();
            for feed in self.feeds() {
                feed.tick(crate::now(), self.tabs.load(Ordering::Relaxed));
            }
            let feeds = self.feeds().map(|feed| feed.news()).collect();
            self.journal.tell(News::Alive { started: self.started, feeds });
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
