//! A gap's records, from the log.

use super::codec::Postcard;
use leptos::prelude::*;
use wire::{Filter, Gap, GapPart, ReadError};

/// The end of a gap: its newest records that the filter lets through.
#[server(name = LoadGap, prefix = "/fn", endpoint = "gap", input = Postcard, output = Postcard)]
pub async fn gap(gap: Gap, filter: Filter) -> Result<Result<GapPart, ReadError>, ServerFnError> {
    Ok(super::engine()?.gap_part(&gap, &filter).await?)
}
