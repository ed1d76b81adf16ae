//! One record from the log.

use super::codec::Postcard;
use leptos::prelude::*;
use wire::{Place, ReadError, Record};

/// The record at a place, in full.
#[server(name = GetRecord, prefix = "/fn", endpoint = "record", input = Postcard, output = Postcard)]
pub async fn record(place: Place) -> Result<Result<Record, ReadError>, ServerFnError> {
    Ok(super::engine()?.record(&place).await)
}
