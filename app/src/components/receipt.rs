//! The receipt: where a message was stored, and who consumed it.

use super::{icon, instance, row::path};
use crate::{
    format::number::millis,
    live::{Sent, SentState},
    tab::use_tab,
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_query_map;
use wire::Place;

/// A message that was sent by a form without JavaScript, as the address tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Where it was stored.
    pub place: Place,
    /// How long the acknowledgement took, in microseconds.
    pub acked_in: u64,
}

impl Posted {
    /// Of the page's address, if it is one that a form leads to.
    pub fn from_query() -> Option<Self> {
        let query = use_query_map().get_untracked();
        let place = Place {
            topic: query.get("topic")?,
            partition: query.get("partition")?.parse().ok()?,
            offset: query.get("offset")?.parse().ok()?,
        };
        wire::check_topic_name(&place.topic).ok()?;
        Some(Self { place, acked_in: query.get("acked_in")?.parse().ok()? })
    }
}

/// The receipt's line.
pub fn receipt(place: Place, acked_in: u64) -> AnyView {
    let tab = use_tab();
    let locale = tab.locale;
    let address = path(&place);
    let name = place.to_string();
    let receipts = tab.live.receipts();
    let state = Memo::new(move |_| {
        let sent = receipts.get().into_iter().find(|sent| is_at(sent, &place));
        sent.map_or(SentState::Acked, |sent| sent.state)
    });
    let mark = move || match state.get() {
        SentState::Consumed { .. } => view! { <span class="ink" data-tone="ok">{icon("checks")}</span> }.into_any(),
        SentState::Acked | SentState::Elsewhere => icon("check"),
    };
    let after = move || match state.get() {
        SentState::Acked => td_string!(locale, receipt.waiting).into_any(),
        SentState::Elsewhere => td_string!(locale, receipt.elsewhere).into_any(),
        SentState::Consumed { instance: by, after_ms } => {
            let after = after_ms.map(|ms| td_string!(locale, receipt.after, ms));
            view! {
                {td_string!(locale, receipt.consumed_by)}
                " "
                {instance(&by, tab.live.instance().get_untracked() == *by)}
                " "
                {after}
            }
            .into_any()
        }
    };
    view! {
        <span class="receipt" data-receipt=name.clone()>
            {mark}
            <a class="mono" href=address>{name.clone()}</a>
            <span>"· " {td_string!(locale, receipt.acked, ms = millis(acked_in))} " ·"</span>
            {after}
        </span>
    }
    .into_any()
}

fn is_at(sent: &Sent, place: &Place) -> bool {
    let receipt = &sent.receipt;
    (receipt.partition, receipt.offset) == (place.partition, place.offset) && receipt.topic == place.topic
}

/// The messages sent from this tab, the newest first.
#[component]
pub fn SentTable() -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let receipts = tab.live.receipts();
    let line = move |sent: Sent| {
        let receipt = sent.receipt;
        let place = Place { topic: receipt.topic, partition: receipt.partition, offset: receipt.offset };
        let (who, after) = match sent.state {
            SentState::Acked => (td_string!(locale, receipt.waiting).into_any(), None),
            SentState::Elsewhere => (td_string!(locale, receipt.elsewhere).into_any(), None),
            SentState::Consumed { instance: by, after_ms } => {
                (instance(&by, tab.live.instance().get_untracked() == *by), after_ms)
            }
        };
        view! {
            <tr>
                <td><a class="mono link" href=path(&place)>{place.to_string()}</a></td>
                <td class="muted">{who}</td>
                <td class="r">{after.map(|ms| format!("{ms} ms"))}</td>
            </tr>
        }
        .into_any()
    };
    view! {
        <section class="card" hidden=move || receipts.get().is_empty()>
            <header><h2>{td_string!(locale, produce.sent_here)}</h2></header>
            <div class="scroll" tabindex="0">
                <table class="table">
                    <tbody>{move || receipts.get().into_iter().map(line).collect_view()}</tbody>
                </table>
            </div>
        </section>
    }
}
