//! The connection's chip: its state, and how long a round trip takes.

use crate::{live::Connection, reader::Reader};
use leptos_i18n::td_string;
use maud::{Markup, html};

/// What the connection's chip says. Latency and the count-down are not announced. In a narrow head the style shows the figure alone
/// while all is well, and the word alone when it is not.
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
        Connection::Ended => (td_string!(locale, conn.ended), None),
    };
    html! {
        span {
            span.word { (word) }
            @if let Some(figure) = figure {
                span aria-hidden="true" { " · " }
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
        Connection::Ended => ("ended", "warn"),
    }
}
