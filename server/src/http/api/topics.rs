//! The cluster's topics, and one message of them.

use crate::http::{extract::Address, problem::Problem};
use axum::{Json, extract::State};
use engine::Engine;
use std::sync::Arc;
use wire::{Place, Record, TopicSummary};

/// The topics
#[utoipa::path(get, path = "/api/v1/topics", tag = "topics", responses(
    (status = 200, description = "Sorted by name", body = Vec<TopicSummary>),
    (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
    (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(State(engine): State<Arc<Engine>>) -> Result<Json<Vec<TopicSummary>>, Problem> {
    Ok(Json(engine.topics().await?))
}

/// One message
///
/// Read from the log, whole, by no group.
#[utoipa::path(get, path = "/api/v1/topics/{topic}/{partition}/{offset}", tag = "messages",
    params(
        ("topic" = String, Path, description = "The topic's name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$"),
        ("partition" = i32, Path, description = "The partition's number", minimum = 0),
        ("offset" = i64, Path, description = "The offset", minimum = 0),
    ),
    responses(
        (status = 200, description = "The message", body = Record),
        (status = 404, description = "There is none: unknown topic or partition, deleted, or not written yet", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn record(
    State(engine): State<Arc<Engine>>,
    Address((topic, partition, offset)): Address<(String, i32, i64)>,
) -> Result<Json<Record>, Problem> {
    Ok(Json(engine.record(&Place { topic, partition, offset }).await?))
}
