//! A gap's records, from the log.

use super::codec::Postcard;
use leptos::prelude::*;
use wire::{Gap, GapPart, ReadError};

/// The end of a gap: its newest records.
#[server(name = LoadGap, prefix = "/fn", endpoint = "gap", input = Postcard, output = Postcard)]
pub async fn gap(gap: Gap) -> Result<Result<GapPart, ReadError>, ServerFnError> {
    Ok(super::engine()?.gap_part(&gap).await)
}
