//! The topics of the cluster.

use leptos::{prelude::*, server_fn::codec::Json};
use wire::{ReadError, TopicSummary};

/// All topics, sorted by name.
#[server(name = GetTopics, prefix = "/fn", endpoint = "topics", input = Json, output = Json)]
pub async fn topics() -> Result<Result<Vec<TopicSummary>, ReadError>, ServerFnError> {
    Ok(super::engine()?.topics().await)
}
