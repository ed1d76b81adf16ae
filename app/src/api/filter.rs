//! Whether a filter can be read, where only the server can tell.

use super::codec::Postcard;
use leptos::prelude::*;

/// What is wrong with the text of a filter, in the reader's language: nothing, where it can be read.
#[server(name = CheckFilter, prefix = "/fn", endpoint = "filter", input = Postcard, output = Postcard)]
pub async fn filter(text: String) -> Result<Option<String>, ServerFnError> {
    let locale = crate::reader::Reader::current().locale;
    Ok(engine::check_filter(&text).err().map(|error| crate::words::query_error(locale, &text, &error)))
}
