//! Banners: each lasts as long as the state that it tells about, and says what happened, what it means for the data, and
//! what can be done.

use super::{icon::icon, instance::instance, time};
use crate::{format::number, live::Connection, reader::Reader};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{Behind, KafkaState};

/// A banner with a title and a text. `danger` is told to a screen reader at once.
pub fn banner(tone: &str, title: &str, text: &str) -> Markup {
    let (role, mark) = match tone {
        "danger" => ("alert", "error"),
        "warn" => ("status", "warn"),
        _ => ("status", "info"),
    };
    html! {
        div.banner data-tone=(tone) role=(role) {
            (icon(mark))
            p { b { (title) } " " (text) }
        }
    }
}

/// What has to be said above a page: the connection lost, Kafka down, another build.
pub fn banners(reader: &Reader, connection: Connection, kafka: &KafkaState, serving: &str, is_stale: bool) -> Markup {
    let locale = reader.locale;
    html! {
        @if let Connection::Reconnecting { .. } | Connection::Offline = connection {
            div.banner data-tone="warn" {
                (icon("plug"))
                p {
                    b { (td_string!(locale, conn.lost)) " " (instance(serving, serving)) }
                    " "
                    // Its count is not announced, and changes without the rest of the banner.
                    span #countdown .num role="timer" aria-live="off" { (countdown(reader, connection)) }
                    " " (td_string!(locale, conn.nothing_skipped))
                }
                button.btn type="button" data-do="retry" { (td_string!(locale, conn.try_now)) }
            }
        }
        @if let Connection::Ended = connection {
            div.banner data-tone="warn" {
                (icon("plug"))
                p { b { (td_string!(locale, conn.ended)) } }
                a.btn href="/" { (td_string!(locale, nav.feed)) }
            }
        }
        @if let Connection::Behind(_) = connection {
            div.banner data-tone="warn" {
                (icon("warn"))
                p {
                    // Every second other figures: not announced, and the rest of the banners stays as it is.
                    b #behind-by { (behind(reader, connection)) }
                    " " (td_string!(locale, conn.behind_means))
                }
            }
        }
        @if let KafkaState::Down { since, reason } = kafka {
            div.banner data-tone="danger" role="alert" {
                (icon("error"))
                p {
                    b { (td_string!(locale, kafka.down)) }
                    " " (td_string!(locale, kafka.down_since)) " " (time::of_day(reader, *since))
                    (td_string!(locale, kafka.down_means)) " "
                    code { (reason) }
                }
            }
        }
        @if is_stale {
            div.banner data-tone="info" role="status" {
                (icon("info"))
                p { (td_string!(locale, conn.stale_build)) }
                button.btn type="button" data-do="reload" { (icon("again")) (td_string!(locale, app.reload)) }
            }
        }
    }
}

/// How far the tab is behind.
pub fn behind(reader: &Reader, connection: Connection) -> String {
    let Connection::Behind(Behind { records, bytes, .. }) = connection else { return String::new() };
    td_string!(reader.locale, conn.behind_by, count = number::grouped(records), size = number::bytes(bytes))
}

/// When the next attempt to connect is made.
pub fn countdown(reader: &Reader, connection: Connection) -> String {
    match connection {
        Connection::Reconnecting { in_seconds } => td_string!(reader.locale, conn.again_in, seconds = in_seconds),
        _ => td_string!(reader.locale, conn.offline_text).into(),
    }
}

#[cfg(feature = "ssr")]
/// What a page without JavaScript, or whose WebAssembly does not load, says about itself: it is as of `at`, and its own
/// `address` has it anew. The stylesheets show it only then.
pub fn without_script(reader: &Reader, at: wire::Millis, address: &str) -> Markup {
    let locale = reader.locale;
    html! {
        div.banner.only-static data-tone="info" {
            (icon("info"))
            p { (td_string!(locale, feed.without_script)) " " (time::of_day(reader, at)) " UTC" }
            a.btn href=(address) { (icon("again")) (td_string!(locale, app.reload)) }
        }
    }
}
