//! The topics of the cluster.

use super::codec::Postcard;
use leptos::prelude::*;
use wire::{ReadError, TopicSummary};

/// All topics, sorted by name.
#[server(name = GetTopics, prefix = "/fn", endpoint = "topics", input = Postcard, output = Postcard)]
pub async fn topics() -> Result<Result<Vec<TopicSummary>, ReadError>, ServerFnError> {
    Ok(super::engine()?.topics().await)
}
