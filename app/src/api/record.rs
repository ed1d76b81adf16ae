//! One record from the log.

use leptos::{prelude::*, server_fn::codec::Json};
use wire::{Place, ReadError, Record};

/// The record at a place, in full.
#[server(name = GetRecord, prefix = "/fn", endpoint = "record", input = Json, output = Json)]
pub async fn record(place: Place) -> Result<Result<Record, ReadError>, ServerFnError> {
    Ok(super::engine()?.record(&place).await)
}
