//! Whether Kafka answers, as the group's thread sees it. Each change is told once.

use super::{Consume, statistics::Statistics};
use wire::KafkaState;

/// How many reports without a connection in a row mean that Kafka is down although nobody said so.
const SILENT_REPORTS: u32 = 5;

/// The connection to the cluster.
#[derive(Default)]
pub(super) struct Link {
    /// None: not heard of yet.
    is_up: Option<bool>,
    /// What was wrong last.
    trouble: Option<String>,
    silent_reports: u32,
}

impl Link {
    pub fn is_up(&self) -> bool {
        self.is_up == Some(true)
    }

    /// Something came from Kafka.
    pub fn answered(&mut self, consume: &mut impl Consume) {
        self.silent_reports = 0;
        if self.is_up != Some(true) {
            self.is_up = Some(true);
            self.trouble = None;
            tracing::info!("Kafka answers");
            consume.state(KafkaState::Up);
        }
    }

    /// A connection failed; others may stand.
    pub fn trouble(&mut self, reason: String) {
        self.trouble = Some(reason);
    }

    /// No broker can be reached.
    pub fn all_down(&mut self, reason: &str, consume: &mut impl Consume) {
        if self.is_up == Some(false) {
            return;
        }
        self.is_up = Some(false);
        let reason = self.trouble.clone().unwrap_or_else(|| reason.to_owned());
        tracing::error!(cause = reason, "Kafka does not answer");
        consume.state(KafkaState::Down { since: crate::now(), reason });
    }

    /// librdkafka's report: what an idle member notices an outage and its end by.
    pub fn reported(&mut self, statistics: &Statistics, consume: &mut impl Consume) {
        if statistics.is_connected() {
            self.answered(consume);
            return;
        }
        self.silent_reports = self.silent_reports.saturating_add(1);
        if self.silent_reports >= SILENT_REPORTS {
            self.all_down("no connection to any broker", consume);
        }
    }
}
