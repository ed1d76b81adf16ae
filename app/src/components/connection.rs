//! The connection's chip: its state, and how long a round trip takes.

use crate::{live::Connection, tab::use_tab};
use leptos::prelude::*;
use leptos_i18n::td_string;

/// The chip in the page's head. Latency and the count-down are not announced.
#[component]
pub fn ConnectionChip() -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let connection = tab.live.connection();
    let state = move || match connection.get() {
        Connection::Connecting => ("connecting", "info"),
        Connection::Live { .. } => ("live", "ok"),
        Connection::Reconnecting { .. } => ("reconnecting", "warn"),
        Connection::Offline => ("offline", "danger"),
    };
    let word = move || match connection.get() {
        Connection::Connecting => td_string!(locale, conn.connecting),
        Connection::Live { .. } => td_string!(locale, conn.live),
        Connection::Reconnecting { .. } => td_string!(locale, conn.reconnecting),
        Connection::Offline => td_string!(locale, conn.offline),
    };
    let figure = move || match connection.get() {
        Connection::Live { latency_ms: Some(ms) } => Some(format!("{ms} ms")),
        Connection::Reconnecting { in_seconds } => Some(format!("{in_seconds} s")),
        _ => None,
    };
    view! {
        <span
            class="conn needs-script"
            data-state=move || state().0
            data-tone=move || state().1
            aria-busy=move || matches!(state().0, "connecting" | "reconnecting").to_string()
        >
            <span>
                <span class:only-wide=move || figure().is_some()>{word}</span>
                {move || figure().map(|figure| view! {
                    <span class="only-wide" aria-hidden="true">" · "</span>
                    <span class="num">{figure}</span>
                })}
            </span>
        </span>
    }
}
