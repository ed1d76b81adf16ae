//! Whether a filter can be read, where only the server can tell.

use super::codec::Postcard;
use leptos::prelude::*;
use wire::QueryError;

/// Whether the text of a filter can be read.
#[server(name = CheckFilter, prefix = "/fn", endpoint = "filter", input = Postcard, output = Postcard)]
pub async fn filter(text: String) -> Result<Result<(), QueryError>, ServerFnError> {
    Ok(engine::check_filter(&text))
}
