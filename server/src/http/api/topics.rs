//! The cluster's topics, looked at and changed, and one message of them.

#![allow(unused_qualifications, reason = "utoipa's macro writes them")]

use super::Confirmed;
use crate::http::{
    extract::{Address, Body, Params},
    problem::Problem,
};
use axum::{Json, extract::State, response::IntoResponse};
use engine::{Engine, Patience};
use http::{StatusCode, header};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use wire::{ConfigEntry, ConfigInput, PartitionsInput, Place, Record, Topic, TopicInput, TopicPage, TopicQuery};

/// The topics
///
/// A page of a hundred, those in trouble first.
#[utoipa::path(get, path = "/api/v1/topics", tag = "topics", params(TopicQuery), responses(
        (status = 200, description = "As the query wants them", body = TopicPage),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Params(query): Params<TopicQuery>,
) -> Result<Json<TopicPage>, Problem> {
    Ok(Json(engine.topic_page(&query, Patience::Program).await?))
}

/// Make a topic
///
/// What is not said of partitions, replicas and settings is as the brokers have it by default.
#[utoipa::path(post, path = "/api/v1/topics", tag = "topics", request_body = TopicInput, responses(
        (status = 201, description = "It is there", body = Made, headers(("location" = String, description = "The topic"))),
        (status = 409, description = "There is a topic of this name already", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field broke a rule, or Kafka says so of it", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn create(
    State(engine): State<Arc<Engine>>,
    Body(input): Body<TopicInput>,
) -> Result<impl IntoResponse, Problem> {
    let made = engine.create_topic(&input).await?;
    // A topic's name needs no escape in an address.
    let place = format!("/api/v1/topics/{}", made.name);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(Made { name: made.name })))
}

/// A topic that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Made {
    /// Its name.
    name: String,
}

/// One topic
///
/// Per partition leader, replicas and offsets.
#[utoipa::path(get, path = "/api/v1/topics/{topic}", tag = "topics", params(("topic" = String, Path, description = "The topic's name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$", example = "test-topic")), responses(
        (status = 200, description = "As it is now", body = Topic),
        (status = 404, description = "There is no such topic", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn one(
    State(engine): State<Arc<Engine>>,
    Address(topic): Address<String>,
) -> Result<Json<Topic>, Problem> {
    Ok(Json(engine.topic(&topic, Patience::Program).await?.ok_or_else(|| unknown(&topic))?))
}

/// Delete a topic
#[utoipa::path(delete, path = "/api/v1/topics/{topic}", tag = "topics", params(Confirmed, ("topic" = String, Path, description = "The topic's name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$", example = "test-topic")), responses(
        (status = 204, description = "It is deleted"),
        (status = 404, description = "There is no such topic", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field broke a rule, or Kafka says so of it", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn delete(
    State(engine): State<Arc<Engine>>,
    Address(topic): Address<String>,
    Params(Confirmed { confirm }): Params<Confirmed>,
) -> Result<StatusCode, Problem> {
    engine.delete_topic(&topic, &confirm).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Empty a topic
///
/// Deletes the records that are in it now.
#[utoipa::path(delete, path = "/api/v1/topics/{topic}/records", tag = "topics", params(Confirmed, ("topic" = String, Path, description = "The topic's name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$", example = "test-topic")), responses(
        (status = 204, description = "They are deleted"),
        (status = 404, description = "There is no such topic", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The topic is only compacted: Kafka deletes no records of it", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field broke a rule, or Kafka says so of it", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn empty(
    State(engine): State<Arc<Engine>>,
    Address(topic): Address<String>,
    Params(Confirmed { confirm }): Params<Confirmed>,
) -> Result<StatusCode, Problem> {
    engine.empty_topic(&topic, &confirm).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Add partitions
///
/// There is no way back, and keys go to other partitions from then on.
#[utoipa::path(post, path = "/api/v1/topics/{topic}/partitions", tag = "topics", request_body = PartitionsInput, params(("topic" = String, Path, description = "The topic's name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$", example = "test-topic")), responses(
        (status = 204, description = "They are there"),
        (status = 404, description = "There is no such topic", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field broke a rule, or Kafka says so of it", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn partitions(
    State(engine): State<Arc<Engine>>,
    Address(topic): Address<String>,
    Body(input): Body<PartitionsInput>,
) -> Result<StatusCode, Problem> {
    engine.add_partitions(&topic, &input).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A topic's settings
#[utoipa::path(get, path = "/api/v1/topics/{topic}/config", tag = "topics", params(("topic" = String, Path, description = "The topic's name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$", example = "test-topic")), responses(
        (status = 200, description = "Sorted by name", body = Vec<ConfigEntry>),
        (status = 404, description = "There is no such topic", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn config(
    State(engine): State<Arc<Engine>>,
    Address(topic): Address<String>,
) -> Result<Json<Vec<ConfigEntry>>, Problem> {
    // Of a topic that is not there, Kafka says something else than that.
    engine.topic(&topic, Patience::Program).await?.ok_or_else(|| unknown(&topic))?;
    Ok(Json(engine.topic_config(&topic, Patience::Program).await?))
}

/// Change a topic's settings
///
/// Those that are named, and no other. A setting with null goes back to the brokers' default.
#[utoipa::path(patch, path = "/api/v1/topics/{topic}/config", tag = "topics", request_body = Vec<ConfigInput>, params(("topic" = String, Path, description = "The topic's name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$", example = "test-topic")), responses(
        (status = 204, description = "They are changed"),
        (status = 404, description = "There is no such topic", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field broke a rule, or Kafka says so of it", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn configure(
    State(engine): State<Arc<Engine>>,
    Address(topic): Address<String>,
    Body(changes): Body<Vec<ConfigInput>>,
) -> Result<StatusCode, Problem> {
    engine.alter_topic_config(&topic, &changes).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(topic: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown-topic", format!("there is no topic {topic:?}"))
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
