//! The newest records of a feed's topics from the log, whoever consumed them.

use super::codec::Postcard;
use leptos::prelude::*;
use wire::{ReadError, Record};

/// The newest `n` records of the topics of the feed called `feed`; empty means the page's own. At most 1,000.
#[server(prefix = "/fn", endpoint = "newest_from_log", input = Postcard, output = Postcard)]
pub async fn newest_from_log(feed: String, n: usize) -> Result<Result<Vec<Record>, ReadError>, ServerFnError> {
    const MOST: usize = 1_000;
    let engine = super::engine()?;
    let feed = super::snapshot::find(&engine, &feed)?;
    Ok(engine.newest_from_log(&feed, n.min(MOST)).await)
}
