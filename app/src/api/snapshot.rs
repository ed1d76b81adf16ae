//! A feed as the instance has it in memory.

use super::codec::Postcard;
use leptos::prelude::*;
use wire::Snapshot;

/// The feed called `feed`, as it stands; empty means the page's own.
#[server(name = GetSnapshot, prefix = "/fn", endpoint = "snapshot", input = Postcard, output = Postcard)]
pub async fn snapshot(feed: String) -> Result<Snapshot, ServerFnError> {
    let engine = super::engine()?;
    let feed = find(&engine, &feed)?;
    Ok(engine.snapshot(&feed))
}

/// The feed of this name.
#[cfg(feature = "ssr")]
pub(super) fn find(engine: &engine::Engine, name: &str) -> Result<std::sync::Arc<engine::Feed>, ServerFnError> {
    match name {
        "" => Ok(engine.default_feed().clone()),
        _ => engine.feed(name).ok_or_else(|| ServerFnError::new("no such feed")),
    }
}
