//! Producing a message, from the page and from a plain form.

use super::codec::Postcard;
use leptos::prelude::*;
use wire::{ProduceError, ProduceInput, Receipt};

/// Checks a message and produces it.
#[server(prefix = "/fn", endpoint = "produce", input = Postcard, output = Postcard)]
pub async fn produce(input: ProduceInput) -> Result<Result<Receipt, ProduceError>, ServerFnError> {
    Ok(super::engine()?.produce(&input).await)
}
