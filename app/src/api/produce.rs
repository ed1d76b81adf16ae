//! Producing a message, from the page and from a plain form.

use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};
use wire::{ProduceError, ProduceInput, Receipt};

/// Checks a message and produces it.
#[server(prefix = "/fn", endpoint = "produce", input = Json, output = Json)]
pub async fn produce(input: ProduceInput) -> Result<Result<Receipt, ProduceError>, ServerFnError> {
    Ok(super::engine()?.produce(&input).await)
}

/// A form that was posted without JavaScript and could not be produced. The server puts it into the context when it renders
/// the form's page again, with status 422.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormFailure {
    /// What was typed.
    pub input: ProduceInput,
    /// What is wrong with it.
    pub error: ProduceError,
}

/// The failed form that this page was rendered for, if it was. Travels with the page, so that hydration sees the same.
pub fn form_failure() -> Resource<Option<FormFailure>> {
    Resource::new_blocking(|| (), |()| std::future::ready(use_context::<FormFailure>()))
}
