//! Pages that the server keeps live: what a piece is, the sign of the stream that they come by, what is said when there is
//! nothing new to send.

use super::{icon::icon, time};
use crate::reader::Reader;
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::Millis;

/// A part of a page that is kept up to date: the id of an element, and what is in it.
pub type Piece = (&'static str, Markup);

/// The stream's sign. It says how the stream is, by `data-state`: `live`, `lost`, and nothing before it is
/// made. `from` is the stream's address.
pub fn sign(reader: &Reader, from: &str) -> Markup {
    let locale = reader.locale;
    html! {
        span #stream .stream.needs-script data-from=(from) title=(td_string!(locale, live.hint)) {
            span.conn.is-live data-tone="ok" { span { (td_string!(locale, live.live)) } }
            span.conn.is-lost data-tone="warn" aria-busy="true" { span { (td_string!(locale, conn.reconnecting)) } }
            span.conn.is-new data-tone="info" aria-busy="true" { span { (td_string!(locale, conn.connecting)) } }
        }
    }
}

/// What a page without JavaScript, or whose WebAssembly does not load, says about itself: it is as of `at`, and its own
/// `address` has it anew.
pub fn without_script(reader: &Reader, at: Millis, address: &str) -> Markup {
    let locale = reader.locale;
    html! {
        div.banner.only-static data-tone="info" {
            (icon("info"))
            p { (td_string!(locale, live.without_script)) " " (time::of_day(reader, at)) " UTC" }
            a.btn href=(address) { (icon("again")) (td_string!(locale, app.reload)) }
        }
    }
}

/// That what is shown is old: what happened, and as of when it is.
pub fn old(reader: &Reader, tone: &str, title: &str, at: Millis) -> Markup {
    html! {
        div.banner data-tone=(tone) role=(if tone == "danger" { "alert" } else { "status" }) {
            (icon(if tone == "danger" { "error" } else { "warn" }))
            p { b { (title) } " " (td_string!(reader.locale, live.as_of)) " " (time::of_day(reader, at)) }
        }
    }
}

/// What a person reads: without tags, and with one space where some are.
#[cfg(test)]
pub fn text(markup: &Markup) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for c in markup.0.chars() {
        match c {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                text.push(' ');
            }
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
