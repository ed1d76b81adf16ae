//! `POST /api/kafka/send`: a message as the tutorials send it.

#![allow(unused_qualifications, reason = "utoipa's macro writes them")]

use crate::http::{
    extract::{Body, Params},
    problem::Problem,
};
use axum::{Json, extract::State};
use engine::Engine;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use wire::{Encoding, ProduceInput, Receipt};

/// What can be said in the address of `POST /api/kafka/send`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Target {
    /// The topic; the page's feed's first one where it is not given.
    topic: Option<String>,
    /// The key as text; generated where it is not given.
    key: Option<String>,
    /// The partition.
    partition: Option<i32>,
}

/// Send a message
///
/// The body is a JSON string, the message. An empty string is a message too: a program that sends one means it.
#[utoipa::path(post, path = "/api/kafka/send", tag = "messages", params(Target),
    request_body(content = String, description = "The message", content_type = "application/json", example = "hello"),
    responses(
        (status = 200, description = "Acknowledged", body = Receipt),
        (status = 422, description = "A field broke a rule", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time; the message may have been stored", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn send(
    State(engine): State<Arc<Engine>>,
    Params(target): Params<Target>,
    Body(value): Body<String>,
) -> Result<Json<Receipt>, Problem> {
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
    super::check_open("topic", &input.topic)?;
    Ok(Json(engine.produce(&input).await?))
}
