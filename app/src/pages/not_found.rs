//! An address that leads nowhere.

use super::{Content, page, set_status};
use crate::{markup::empty::empty, reader::Reader};
use axum::http::StatusCode;
use leptos::prelude::*;
use leptos_i18n::td_string;
use maud::html;

/// The page for every other address, with status 404.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status(StatusCode::NOT_FOUND);
    page(async |visit| content(&visit.reader))
}

/// What it says.
pub fn content(reader: &Reader) -> Content {
    let locale = reader.locale;
    let title = td_string!(locale, error.not_found);
    let text = html! { (td_string!(locale, error.not_found_text)) };
    let actions = html! { a.btn.primary href="/" { (td_string!(locale, nav.feed)) } };
    Content::plain(
        title,
        html! {
            h1.sr { (title) }
            section.card { (empty("search", title, &text, &actions)) }
        },
    )
}
