//! Whether the process lives, and whether it does its work.

use axum::{Json, extract::State};
use engine::Engine;
use http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use wire::KafkaState;

/// The process lives: 200.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// What `/readyz` answers.
#[derive(Debug, Serialize)]
pub(super) struct Readiness {
    ready: bool,
    /// Why it is not ready.
    reasons: Vec<Reason>,
    /// What is wrong and does not keep it from its work.
    warnings: Vec<Reason>,
}

/// Something that is wrong.
#[derive(Debug, Serialize)]
struct Reason {
    /// What kind: a word that stays the same.
    code: &'static str,
    /// The feed that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    feed: Option<String>,
    detail: String,
}

/// 200 when Kafka answers and every feed's group has given this instance its share (which may be nothing), else 503 with
/// the reasons.
pub(super) async fn readyz(State(engine): State<Arc<Engine>>) -> (StatusCode, Json<Readiness>) {
    let mut reasons = Vec::new();
    if *engine.stopping().borrow() {
        reasons.push(Reason { code: "stopping", feed: None, detail: "the instance stops".into() });
    }
    for feed in engine.configured_feeds() {
        let (code, detail) = match feed.kafka() {
            KafkaState::Up if feed.is_member() => continue,
            KafkaState::Up => ("not_assigned", format!("the group {} has not assigned partitions yet", feed.group())),
            KafkaState::Connecting => ("connecting", "connecting to Kafka".into()),
            KafkaState::Down { reason, .. } => ("kafka_down", format!("Kafka does not answer: {reason}")),
        };
        reasons.push(Reason { code, feed: Some(feed.name().into()), detail });
    }
    let journal = engine.journal_trouble().map(|reason| Reason {
        code: "journal",
        feed: None,
        detail: format!("the instances can't tell each other what they consumed: {reason}"),
    });
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, reasons, warnings: journal.into_iter().collect() }))
}
