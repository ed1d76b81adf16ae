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
    /// Why not.
    reasons: Vec<String>,
}

/// 200 when Kafka answers and every feed's group has given this instance its share (which may be nothing), else 503 with
/// the reasons.
pub(super) async fn readyz(State(engine): State<Arc<Engine>>) -> (StatusCode, Json<Readiness>) {
    let mut reasons = Vec::new();
    for feed in engine.configured_feeds() {
        match feed.kafka() {
            KafkaState::Up if feed.is_member() => {}
            KafkaState::Up => reasons.push(format!(
                "feed {}: the group {} has not assigned partitions yet",
                feed.name(),
                feed.group()
            )),
            KafkaState::Connecting => reasons.push(format!("feed {}: connecting to Kafka", feed.name())),
            KafkaState::Down { reason, .. } => {
                reasons.push(format!("feed {}: Kafka does not answer: {reason}", feed.name()))
            }
        }
    }
    if *engine.stopping().borrow() {
        reasons.push("stopping".into());
    }
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, reasons }))
}
