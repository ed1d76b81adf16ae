//! What a feed's group thread and the engine's clock write down for its tabs, besides records.

use crate::meter::{GroupMeter, LateTabs};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64},
};
use tokio::sync::watch;
use wire::{Assignment, Event, Fellow, KafkaState, Stats, codec};

/// What a feed's tabs are told besides records. Written by the group's thread and the engine's clock, followed by every tab.
pub(crate) struct State {
    /// One channel for all of it: a tab that waits for four takes a kilobyte.
    pub standing: watch::Sender<Standing>,
    /// Records that tabs were not sent.
    pub gaps: AtomicU64,
    /// Whether the group has given this instance its share, be it nothing.
    pub is_member: AtomicBool,
    pub meter: GroupMeter,
    pub late: LateTabs,
}

/// How things stand.
#[derive(Clone)]
pub(crate) struct Standing {
    pub assignment: Told<Assignment>,
    pub kafka: Told<KafkaState>,
    pub stats: Told<Stats>,
    pub members: Told<Vec<Fellow>>,
}

/// A state, and the event that tells it.
#[derive(Clone)]
pub(crate) struct Told<T> {
    pub value: T,
    pub announcement: Arc<Announcement>,
}

/// An event that is the same for every tab, written once in each form.
#[derive(Debug)]
pub struct Announcement {
    name: &'static str,
    postcard: Vec<u8>,
    json: String,
}

impl State {
    pub fn assign(&self, assignment: Assignment) {
        self.standing.send_modify(|standing| standing.assignment = Told::new(assignment, Event::Assignment));
    }

    pub fn kafka(&self, kafka: KafkaState) {
        self.standing.send_modify(|standing| standing.kafka = Told::new(kafka, Event::Kafka));
    }

    /// The counters, and who consumes the group.
    pub fn tick(&self, stats: Stats, members: Vec<Fellow>) {
        self.standing.send_modify(|standing| {
            standing.stats = Told::new(stats, Event::Stats);
            if standing.members.value != members {
                standing.members = Told::new(members, Event::Members);
            }
        });
    }
}

impl Default for State {
    fn default() -> Self {
        let standing = Standing {
            assignment: Told::new(Assignment::default(), Event::Assignment),
            kafka: Told::new(KafkaState::Connecting, Event::Kafka),
            stats: Told::new(Stats::default(), Event::Stats),
            members: Told::new(Vec::new(), Event::Members),
        };
        Self {
            standing: watch::Sender::new(standing),
            gaps: AtomicU64::default(),
            is_member: AtomicBool::default(),
            meter: GroupMeter::default(),
            late: LateTabs::default(),
        }
    }
}

impl Standing {
    /// The announcements, in the order in which they are told.
    pub fn announcements(&self) -> [&Arc<Announcement>; 4] {
        [&self.assignment.announcement, &self.kafka.announcement, &self.stats.announcement, &self.members.announcement]
    }
}

impl<T: Clone> Told<T> {
    fn new(value: T, event: fn(T) -> Event) -> Self {
        let announcement = Arc::new(Announcement::new(&event(value.clone())));
        Self { value, announcement }
    }
}

impl Announcement {
    fn new(event: &Event) -> Self {
        let mut postcard = Vec::new();
        codec::encode_event(event, &mut postcard);
        Self { name: event.name(), postcard, json: codec::event_to_json(event) }
    }

    /// See [`Event::name`].
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The event in its postcard form.
    pub fn postcard(&self) -> &[u8] {
        &self.postcard
    }

    /// The event in its JSON form.
    pub fn json(&self) -> &str {
        &self.json
    }
}
