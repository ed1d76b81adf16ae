//! The connection's chip: its state, and how long a round trip takes.

use crate::{live::Connection, reader::Reader};
use leptos_i18n::td_string;
use maud::{Markup, html};

/// What the connection's chip says. Latency and the count-down are not announced.
pub fn connection(reader: &Reader, connection: Connection) -> Markup {
    let locale = reader.locale;
    let (word, figure) = match connection {
        Connection::Connecting => (td_string!(locale, conn.connecting), None),
        Connection::Live { latency_ms } => (td_string!(locale, conn.live), latency_ms.map(|ms| format!("{ms} ms"))),
        Connection::Behind(behind) => (td_string!(locale, conn.behind), Some(format!("{} s", behind.millis / 1_000))),
        Connection::Reconnecting { in_seconds } => {
            (td_string!(locale, conn.reconnecting), Some(format!("{in_seconds} s")))
        }
        Connection::Offline => (td_string!(locale, conn.offline), None),
    };
    html! {
        span {
            span.only-wide[figure.is_some()] { (word) }
            @if let Some(figure) = figure {
                span.only-wide aria-hidden="true" { " · " }
                span.num { (figure) }
            }
        }
    }
}

/// Its `data-state` and tone.
pub fn state(connection: Connection) -> (&'static str, &'static str) {
    match connection {
        Connection::Connecting => ("connecting", "info"),
        Connection::Live { .. } => ("live", "ok"),
        Connection::Behind(_) => ("behind", "warn"),
        Connection::Reconnecting { .. } => ("reconnecting", "warn"),
        Connection::Offline => ("offline", "danger"),
    }
}
