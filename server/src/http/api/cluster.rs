//! The cluster: its brokers, where each partition lives, and what changed while someone looked.

#![allow(unused_qualifications, reason = "utoipa's macro writes them")]

use crate::http::{extract::Params, problem::Problem};
use axum::{Json, extract::State};
use engine::{Engine, Patience};
use std::sync::Arc;
use wire::{Cluster, ClusterQuery};

/// The cluster
///
/// Kafka is asked once a second at most, whoever asks here; what changed is told since the first who asked.
#[utoipa::path(get, path = "/api/v1/cluster", tag = "cluster", params(ClusterQuery), responses(
        (status = 200, description = "As it is now", body = Cluster),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn one(
    State(engine): State<Arc<Engine>>,
    Params(query): Params<ClusterQuery>,
) -> Result<Json<Cluster>, Problem> {
    Ok(Json(engine.cluster(&query, Patience::Program).await?))
}
