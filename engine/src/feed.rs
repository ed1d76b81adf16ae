//! One group's stream of consumed records, as this instance serves it.

use crate::{
    FeedConfig,
    holes::Holes,
    ingest::Ingest,
    journal::Journal,
    state::{Standing, State},
    whole::{Use, Whole},
};
use ::feed::{Audit, AuditReader, Hub, HubConfig};
use kafka::{Admin, ClientSettings, Group, Partition, Reader, SeekResults};
use parking_lot::Mutex;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::sync::watch;
use wire::{Assignment, FeedNews, Fellow, KafkaState, Millis, Stats};

/// A feed: the hub that tabs read from, what is known of its group, and the thread that consumes.
pub struct Feed {
    config: FeedConfig,
    hub: Arc<Hub>,
    audit: AuditReader,
    pub(crate) state: Arc<State>,
    pub(crate) journal: Arc<Journal>,
    client: ClientSettings,
    admin: Admin,
    whole: Whole,
    /// The consumer; none before the topics were seen to, and after the stop.
    group: Mutex<Option<Group>>,
    /// What the group's thread will hand records to; taken when it starts.
    ingest: Mutex<Option<Ingest>>,
}

impl Feed {
    /// A feed whose group is not joined yet. Within a Tokio runtime.
    pub(crate) fn new(
        config: FeedConfig,
        client: ClientSettings,
        admin: Admin,
        journal: Arc<Journal>,
    ) -> Result<Self, kafka::Error> {
        let (writer, hub) = ::feed::hub(HubConfig { ring_bytes: config.ring_bytes });
        let state = Arc::new(State::default());
        let audit = Audit::new();
        let reader = audit.reader();
        let group = &config.group;
        let holes = Holes::new(Reader::like(&client, group)?);
        let ingest = Ingest::new(group.group.clone(), writer, audit, Arc::clone(&state), Arc::clone(&journal), holes);
        let whole = Whole::new(group.group.clone(), group.topics.clone(), config.ring_bytes);
        let (group, ingest) = (Mutex::default(), Mutex::new(Some(ingest)));
        Ok(Self { config, hub, audit: reader, state, journal, client, admin, whole, group, ingest })
    }

    /// How it is made.
    pub(crate) fn config(&self) -> &FeedConfig {
        &self.config
    }

    /// Whether some tab follows it.
    pub(crate) fn has_tabs(&self) -> bool {
        self.state.standing.receiver_count() > 0
    }

    /// The feed's name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// The consumer group.
    pub fn group(&self) -> &str {
        &self.config.group.group
    }

    /// How the group is coordinated.
    pub(crate) fn protocol(&self) -> kafka::Protocol {
        self.config.group.protocol
    }

    /// The topics that the group consumes.
    pub fn topics(&self) -> &[String] {
        &self.config.group.topics
    }

    /// Where tabs read from.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// What this instance owns now.
    pub fn assignment(&self) -> Assignment {
        self.state.standing.borrow().assignment.value.clone()
    }

    /// Whether Kafka answers this feed's consumer.
    pub fn kafka(&self) -> KafkaState {
        self.state.standing.borrow().kafka.value.clone()
    }

    /// The feed's counters.
    pub fn stats(&self) -> Stats {
        self.state.standing.borrow().stats.value.clone()
    }

    /// Whether the group has given this instance its share, be it nothing.
    pub fn is_member(&self) -> bool {
        self.state.is_member.load(Ordering::Relaxed)
    }

    /// The instances that consume the group.
    pub fn members(&self) -> Vec<Fellow> {
        self.state.standing.borrow().members.value.clone()
    }

    /// How many partitions a topic has, as far as those know who consume it: 0 where that is not known. Somewhat later than Kafka.
    pub fn partition_count(&self, topic: &str) -> u32 {
        let standing = self.state.standing.borrow();
        let shares = standing.members.value.iter().flat_map(|fellow| &fellow.owned);
        let shares = shares.chain(&standing.assignment.value.owned);
        shares.filter(|share| share.topic == topic).map(|share| share.of).max().unwrap_or(0)
    }

    /// Whether this instance consumes all partitions of all topics, so that its share is the whole group's.
    pub fn owns_all(&self) -> bool {
        self.state.standing.borrow().assignment.value.is_all(self.topics())
    }

    /// What the others are told of it.
    pub(crate) fn news(&self) -> FeedNews {
        FeedNews { group: self.group().into(), owned: self.assignment().owned, stats: self.stats() }
    }

    /// The whole group's records, whoever consumes them.
    pub(crate) fn whole(&self) -> Result<(Arc<Hub>, Use), kafka::Error> {
        self.whole.open(&self.client, &self.admin, &self.journal, self.hub.positions())
    }

    /// Tells the tabs the counters as of `now`, and who consumes the group.
    pub(crate) fn tick(&self, now: Millis, tabs: u32) {
        let members = self.journal.peers(|peers| peers.fellows(self.group()));
        self.state.tick(Stats { tabs, ..self.stats_at(now) }, members);
        self.whole.tick();
    }

    /// The counters as of `now`, without the tabs.
    pub(crate) fn stats_at(&self, now: Millis) -> Stats {
        Stats { gaps: self.state.gaps.load(Ordering::Relaxed), ..self.audit.stats(now) }
    }

    /// What a tab follows besides the records.
    pub(crate) fn watch(&self) -> watch::Receiver<Standing> {
        self.state.standing.subscribe()
    }

    /// A tab was told of records that it is not sent.
    pub(crate) fn count_gap(&self, records: u64) {
        self.state.gaps.fetch_add(records, Ordering::Relaxed);
    }

    /// Starts the group's thread. Once.
    pub(crate) fn consume(&self) -> Result<(), kafka::Error> {
        if let Some(ingest) = self.ingest.lock().take() {
            *self.group.lock() =
                Some(Group::spawn(&self.client, self.admin.clone(), self.config.group.clone(), ingest)?);
        }
        Ok(())
    }

    /// Has this instance's member go on elsewhere.
    pub(crate) async fn seek(&self, seeks: Vec<(Partition, i64)>) -> SeekResults {
        let sought = self.group.lock().as_ref().map(|group| group.seek(seeks.clone()));
        match sought {
            Some(sought) => sought.await,
            None => seeks
                .into_iter()
                .map(|(partition, _)| (partition, Err("the member has not joined yet".into())))
                .collect(),
        }
    }

    /// Commits, leaves the group and ends its thread.
    pub(crate) async fn stop(&self, deadline: Duration) {
        self.whole.stop();
        // A consumer that has not started must not start any more.
        self.ingest.lock().take();
        let group = self.group.lock().take();
        if let Some(group) = group
            && let Err(error) = group.stop(deadline).await
        {
            tracing::error!(feed = self.name(), group = self.group(), %error, "the group's consumer did not stop cleanly");
        }
    }
}
