//! The feeds of this instance, as they are now. Following one is `http/sse.rs` and `http/ws.rs`.

use crate::http::{extract::Address, problem::Problem};
use axum::{Json, extract::State};
use engine::{Engine, Feed};
use http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use wire::{Assignment, Fellow, KafkaState, Stats};

/// A feed, as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FeedState {
    /// Its name: of `/api/v1/feeds/NAME/stream`, and of a WebSocket's subscribe.
    name: String,
    /// The consumer group.
    group: String,
    /// The topics.
    topics: Vec<String>,
    /// Whether the group has given this instance its share, which may be nothing.
    is_member: bool,
    /// Whether Kafka answers.
    kafka: KafkaState,
    /// What this instance owns.
    assignment: Assignment,
    /// The group's instances.
    members: Vec<Fellow>,
    /// Counters since this instance's start.
    stats: Stats,
}

impl FeedState {
    fn of(feed: &Feed) -> Self {
        Self {
            name: feed.name().into(),
            group: feed.group().into(),
            topics: feed.topics().to_vec(),
            is_member: feed.is_member(),
            kafka: feed.kafka(),
            assignment: feed.assignment(),
            members: feed.members(),
            stats: feed.stats(),
        }
    }
}

/// The feeds
///
/// Those of the configuration, and the replays that run.
#[utoipa::path(get, path = "/api/v1/feeds", tag = "feeds", responses(
    (status = 200, description = "The first one is the page's", body = Vec<FeedState>),
))]
pub(super) async fn list(State(engine): State<Arc<Engine>>) -> Json<Vec<FeedState>> {
    Json(engine.feeds().map(|feed| FeedState::of(&feed)).collect())
}

/// One feed
#[utoipa::path(get, path = "/api/v1/feeds/{feed}", tag = "feeds",
    params(("feed" = String, Path, description = "Its name", min_length = 1, example = "default")),
    responses(
        (status = 200, description = "As it is now", body = FeedState),
        (status = 404, description = "There is no such feed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn one(
    State(engine): State<Arc<Engine>>,
    Address(feed): Address<String>,
) -> Result<Json<FeedState>, Problem> {
    let found = engine
        .feed(&feed)
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "unknown-feed", format!("there is no feed {feed:?}")))?;
    Ok(Json(FeedState::of(&found)))
}
