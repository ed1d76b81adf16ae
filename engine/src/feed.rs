//! One group's stream of consumed records, as this instance serves it.

use crate::{FeedConfig, ingest::Ingest};
use ::feed::{Audit, AuditReader, Hub, HubConfig};
use kafka::{ClientSettings, Group};
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;
use wire::{Assignment, KafkaState, Millis, Stats};

/// A feed: the hub that tabs read from, what is known of its group, and the thread that consumes.
pub struct Feed {
    config: FeedConfig,
    hub: Arc<Hub>,
    audit: AuditReader,
    pub(crate) state: Arc<State>,
    /// The consumer; none before the topics were seen to, and after the stop.
    group: Mutex<Option<Group>>,
    /// What the group's thread will hand records to; taken when it starts.
    ingest: Mutex<Option<Ingest>>,
}

/// What tabs are told besides records. Written by the group's thread and the engine's clock, watched by every tab.
pub(crate) struct State {
    pub assignment: watch::Sender<Assignment>,
    pub kafka: watch::Sender<KafkaState>,
    pub stats: watch::Sender<Stats>,
    /// Whether the group has given this instance its share, be it nothing.
    pub is_member: AtomicBool,
}

impl Feed {
    pub(crate) fn new(config: FeedConfig) -> Self {
        let (writer, hub) = ::feed::hub(HubConfig { ring_bytes: config.ring_bytes });
        let state = Arc::new(State {
            assignment: watch::Sender::default(),
            kafka: watch::Sender::new(KafkaState::Connecting),
            stats: watch::Sender::default(),
            is_member: AtomicBool::default(),
        });
        let audit = Audit::new();
        let reader = audit.reader();
        let ingest = Ingest::new(writer, audit, Arc::clone(&state));
        Self { config, hub, audit: reader, state, group: Mutex::default(), ingest: Mutex::new(Some(ingest)) }
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
        self.state.assignment.borrow().clone()
    }

    /// Whether Kafka answers this feed's consumer.
    pub fn kafka(&self) -> KafkaState {
        self.state.kafka.borrow().clone()
    }

    /// The feed's counters.
    pub fn stats(&self) -> Stats {
        self.state.stats.borrow().clone()
    }

    /// Whether the group has given this instance its share, be it nothing.
    pub fn is_member(&self) -> bool {
        self.state.is_member.load(Ordering::Relaxed)
    }

    /// Tells the tabs the counters as of `now`.
    pub(crate) fn tick(&self, now: Millis, tabs: u32) {
        self.state.stats.send_replace(Stats { tabs, ..self.audit.stats(now) });
    }

    /// Assignment, Kafka's state and the counters, for a tab to follow.
    pub(crate) fn watch(&self) -> (watch::Receiver<Assignment>, watch::Receiver<KafkaState>, watch::Receiver<Stats>) {
        (self.state.assignment.subscribe(), self.state.kafka.subscribe(), self.state.stats.subscribe())
    }

    /// Starts the group's thread. Once.
    pub(crate) fn consume(&self, client: &ClientSettings) -> Result<(), kafka::Error> {
        if let Some(ingest) = self.ingest.lock().take() {
            *self.group.lock() = Some(Group::spawn(client.clone(), self.config.group.clone(), ingest)?);
        }
        Ok(())
    }

    /// Commits, leaves the group and ends its thread.
    pub(crate) async fn stop(&self, deadline: Duration) {
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
