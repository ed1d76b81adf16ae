//! What changes on the produce page: how sending ended.

use super::{banner::banner, receipt::receipt};
use crate::{form::Posted, i18n::Locale, live::SentState, reader::Reader, words};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::ProduceError;

/// Where the message was stored.
pub fn stored(reader: &Reader, posted: &Posted, state: &SentState, own: &str) -> Markup {
    let locale = reader.locale;
    html! {
        div.banner data-tone="ok" role="status" {
            p.wrap { b { (td_string!(locale, produce.stored)) } (receipt(reader, posted, state, own)) }
            a.link href="/" { (td_string!(locale, produce.show_in_feed)) }
        }
    }
}

/// Why it was not.
pub fn refused(locale: Locale, error: &ProduceError) -> Markup {
    let (what, why) = words::produce_error(locale, error);
    banner(if matches!(error, ProduceError::TimedOut { .. }) { "warn" } else { "danger" }, &what, &why)
}
