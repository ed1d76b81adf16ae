//! The receipt: where a message was stored, and who consumed it. And how sending ended otherwise.

use super::{icon::icon, instance::instance, row::path};
use crate::{
    form::Posted,
    format::number::millis,
    live::{Sent, SentState},
    reader::Reader,
    words,
};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{Place, ProduceError, Receipt};

/// What a broker acknowledged.
pub fn posted(receipt: &Receipt) -> Posted {
    let place = Place { topic: receipt.topic.clone(), partition: receipt.partition, offset: receipt.offset };
    Posted { place, acked_in: receipt.acked_in }
}

/// The receipt's line. `own` is the instance that serves this tab.
pub fn receipt(reader: &Reader, posted: &Posted, state: &SentState, own: &str) -> Markup {
    let locale = reader.locale;
    html! {
        span.receipt data-receipt=(posted.place) {
            @if let SentState::Consumed { .. } = state { span.ink data-tone="ok" { (icon("checks")) } } @else { (icon("check")) }
            a.mono href=(path(&posted.place)) { (posted.place) }
            span { "· " (td_string!(locale, receipt.acked, ms = millis(posted.acked_in))) " ·" }
            @match state {
                SentState::Acked => span { (td_string!(locale, receipt.waiting)) },
                SentState::Elsewhere => span { (td_string!(locale, receipt.elsewhere)) },
                SentState::Consumed { instance: by, after_ms } => {
                    span { (td_string!(locale, receipt.consumed_by)) } (instance(by, own))
                    @if let Some(ms) = after_ms { span { (td_string!(locale, receipt.after, ms = *ms)) } }
                }
            }
        }
    }
}

/// What went wrong, in one line. What is wrong with a field is said at the field.
pub fn failure(what: &str, why: &str) -> Markup {
    html! { span.ink.wrap data-tone="danger" role="alert" { (icon("error")) b { (what) } (why) } }
}

/// Why a message was not produced, in one line.
pub fn refused(reader: &Reader, error: &ProduceError) -> Markup {
    match error {
        ProduceError::Invalid(_) => html! {},
        _ => {
            let (what, why) = words::produce_error(reader.locale, error);
            failure(&what, &why)
        }
    }
}

/// The messages sent from this tab, the newest first.
pub fn sent(reader: &Reader, sent: &[Sent], own: &str) -> Markup {
    let locale = reader.locale;
    html! {
        header { h2 { (td_string!(locale, produce.sent_here)) } }
        div.scroll tabindex="0" {
            table.table {
                tbody {
                    @for Sent { receipt, state, .. } in sent {
                        @let Posted { place, .. } = posted(receipt);
                        tr {
                            td { a.mono.link href=(path(&place)) { (place) } }
                            @match state {
                                SentState::Acked => { td.muted { (td_string!(locale, receipt.waiting)) } td {} }
                                SentState::Elsewhere => { td.muted { (td_string!(locale, receipt.elsewhere)) } td {} }
                                SentState::Consumed { instance: by, after_ms } => {
                                    td { (instance(by, own)) }
                                    td.r { @if let Some(ms) = after_ms { (td_string!(locale, receipt.after, ms = *ms)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;

    fn html(state: &SentState) -> String {
        let place = Place { topic: "orders".into(), partition: 2, offset: 1043 };
        receipt(&Reader::of(Locale::en), &Posted { place, acked_in: 4_000 }, state, "ottla-2").into_string()
    }

    #[test]
    fn a_receipt_says_where_and_who_and_never_guesses() {
        let waiting = html(&SentState::Acked);
        assert!(waiting.contains("data-receipt=\"orders[2]@1043\"") && waiting.contains("acked 4 ms"));
        assert!(!waiting.contains("class=\"inst"));
        assert!(html(&SentState::Elsewhere).contains("consumed elsewhere"));
        let consumed = html(&SentState::Consumed { instance: "ottla-2".into(), after_ms: Some(11) });
        assert!(consumed.contains("inst own") && consumed.contains("after 11 ms"));
    }
}
