//! Producing for programs.

use super::problem::Problem;
use axum::{
    Json,
    body::Bytes,
    extract::{Query, State, rejection::BytesRejection},
};
use engine::Engine;
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use wire::{Encoding, ProduceInput, Receipt};

/// What can be said in the address of `POST /api/kafka/send`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    /// The topic; the page's feed's first one where it is not given.
    topic: Option<String>,
    /// The key as text; generated where it is not given.
    key: Option<String>,
    /// The partition.
    partition: Option<i32>,
}

/// `POST /api/kafka/send`: the body is a JSON string, the message. An empty string is a message too: a program that sends one
/// means it.
pub(super) async fn send(
    State(engine): State<Arc<Engine>>,
    Query(target): Query<Target>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Receipt>, Problem> {
    let body = body.map_err(|error| Problem::new(error.status(), "body", error.body_text()))?;
    let value: String = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "not-a-json-string", format!("the body must be a JSON string: {error}"))
    })?;
    let input = ProduceInput {
        topic: target.topic.unwrap_or_else(|| engine.default_feed().topics()[0].clone()),
        partition: target.partition.map(|partition| partition.to_string()).unwrap_or_default(),
        key_encoding: if target.key.is_some() { Encoding::Text } else { Encoding::Auto },
        key: target.key.unwrap_or_default(),
        value_encoding: Encoding::Text,
        value,
        allow_empty: true,
        headers: Vec::new(),
    };
    Ok(Json(engine.produce(&input).await?))
}
