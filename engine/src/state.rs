//! What a feed's group thread and the engine's clock write down for its tabs, besides records.

use std::sync::atomic::{AtomicBool, AtomicU64};
use tokio::sync::watch;
use wire::{Assignment, Fellow, KafkaState, Stats};

/// What tabs are told besides records. Written by the group's thread and the engine's clock, watched by every tab.
pub(crate) struct State {
    pub assignment: watch::Sender<Assignment>,
    pub kafka: watch::Sender<KafkaState>,
    pub stats: watch::Sender<Stats>,
    pub members: watch::Sender<Vec<Fellow>>,
    /// Records that tabs were not sent.
    pub gaps: AtomicU64,
    /// Whether the group has given this instance its share, be it nothing.
    pub is_member: AtomicBool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            assignment: watch::Sender::default(),
            kafka: watch::Sender::new(KafkaState::Connecting),
            stats: watch::Sender::default(),
            members: watch::Sender::default(),
            gaps: AtomicU64::default(),
            is_member: AtomicBool::default(),
        }
    }
}
