//! What changes on the produce page: a header's line, what is said under the value, how sending ended.

use super::{banner::banner, field, icon::icon, receipt::receipt};
use crate::{form::Posted, format::number::bytes, i18n::Locale, live::SentState, reader::Reader, words};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{Encoding, HeaderInput, Limits, ProduceError};

/// What is said under the value: how it is sent, and how large it is.
pub fn value_hint(reader: &Reader, encoding: Encoding, size: usize, limits: Limits) -> Markup {
    let locale = reader.locale;
    let text = match encoding {
        Encoding::Auto | Encoding::Text => td_string!(locale, produce.text_hint),
        Encoding::Json => td_string!(locale, produce.json_hint),
        Encoding::Base64 => td_string!(locale, produce.base64_hint),
        Encoding::Null => td_string!(locale, produce.null_hint),
    };
    html! {
        span.wrap {
            span { (text) }
            span.push.num { (td_string!(locale, produce.size_of, size = bytes(size as u64), limit = bytes(limits.message_bytes))) }
        }
    }
}

/// A header's line. `id` tells its error's line from others.
pub fn header_line(reader: &Reader, id: usize, header: &HeaderInput, wrong: Option<&str>) -> Markup {
    let locale = reader.locale;
    let (name, value) = (td_string!(locale, produce.header_name), td_string!(locale, produce.header_value));
    let remove = td_string!(locale, produce.remove_header, name = header.name.as_str());
    html! {
        div.header-line {
            input.input.mono name="header_name" autocomplete="off" aria-label=(name) placeholder=(name) value=(header.name)
                aria-describedby={ "header-error-" (id) } aria-invalid=[wrong.map(|_| "true")];
            input.input.mono name="header_value" autocomplete="off" aria-label=(value) placeholder=(value) value=(header.value);
            button.btn.quiet.square.needs-script type="button" aria-label=(remove) data-do="remove-header" { (icon("x")) }
            (field::error(&format!("header-error-{id}"), wrong))
        }
    }
}

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
