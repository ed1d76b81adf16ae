//! An address that leads nowhere: no page, no feed.

use super::{Content, Visit, page, set_status};
use crate::{
    markup::{empty::empty, icon::icon},
    reader::Reader,
};
use axum::http::StatusCode;
use leptos::prelude::*;
use leptos_i18n::td_string;
use maud::{Markup, html};

/// The page for every other address, with status 404.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status(StatusCode::NOT_FOUND);
    page(async |visit| content(&visit.reader))
}

/// What it says.
pub fn content(reader: &Reader) -> Content {
    let locale = reader.locale;
    let actions = html! { a.btn.primary href="/" { (td_string!(locale, nav.feed)) } };
    nothing(td_string!(locale, error.not_found), td_string!(locale, error.not_found_text), &actions)
}

/// What is said, with status 404, of a feed that there is none of: a replay that ended, most of the time. Those that there are
/// can be chosen.
pub fn feed(visit: &Visit, name: &str) -> Content {
    set_status(StatusCode::NOT_FOUND);
    let locale = visit.reader.locale;
    let actions = html! {
        // Names of feeds need no escaping: they are checked when the configuration is read.
        @for feed in &visit.snapshot.feeds { a.btn href={ "/?feed=" (feed) } { (icon("feed")) span.mono { (feed) } } }
    };
    nothing(&td_string!(locale, error.no_feed, name), td_string!(locale, error.no_feed_text), &actions)
}

fn nothing(title: &str, text: &str, actions: &Markup) -> Content {
    Content::plain(
        title,
        html! {
            h1.sr { (title) }
            section.card { (empty("search", title, &html! { (text) }, actions)) }
        },
    )
}
