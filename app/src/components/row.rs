//! A record as a row: one height, the same cells in the same order.

use super::{icon, instance};
use crate::{
    format::{
        html::escape_into,
        number::bytes,
        time,
        value::{self, Shown},
    },
    i18n::Locale,
    tab::{Tab, use_tab},
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use wire::{Data, Flags, Place, Record, Timestamp};

/// The longest "in N ms" that is believed: beyond it the clocks differ, or the record waited for something else.
const LONGEST_WAY_MS: i64 = 60_000;

/// The cells of a record's row. `consumed_by` is the instance that consumed it; `own` whether that serves this tab.
pub fn record_cells(record: &Record, consumed_by: &str, own: Signal<String>, mine: bool) -> AnyView {
    let tab = use_tab();
    let locale = tab.locale;
    let received = record.received;
    let partition = format!("[{}]", record.partition);
    let offset = format!("@{}", record.offset);
    view! {
        <time class="time" role="gridcell" datetime=time::rfc3339(received)>{move || tab.time_of_day(received)}</time>
        <span class="at" role="gridcell">
            <a href=path(&place(record)) tabindex="-1">
                <span>{record.topic.clone()}</span>
                <b>{partition}</b>
                {offset}
            </a>
        </span>
        <span class="key" role="gridcell" inner_html=data_html(locale, record.key.as_ref(), false)></span>
        <span class="val json" role="gridcell" inner_html=data_html(locale, record.value.as_ref(), true)></span>
        <span class="who" role="gridcell">{who(tab, record, consumed_by, own)}</span>
        <span class="how" role="gridcell">
            {how(tab, record)}
            {mine.then(|| view! { <span class="sr">{td_string!(locale, row.mine)}</span> })}
        </span>
    }
    .into_any()
}

/// Where a record is.
pub fn place(record: &Record) -> Place {
    Place { topic: record.topic.clone(), partition: record.partition, offset: record.offset }
}

/// The address of a record's own page.
pub fn path(Place { topic, partition, offset }: &Place) -> String {
    // Topic names need no escaping: Kafka takes `[a-zA-Z0-9._-]` only.
    format!("/topics/{topic}/{partition}/{offset}")
}

/// A key or a value in one line.
pub fn data_html(locale: Locale, data: Option<&Data>, is_value: bool) -> String {
    let badge = |text: &str| format!("<span class=\"badge\">{text}</span>");
    let mut html = String::new();
    match value::in_a_row(data) {
        Shown::Null if is_value => {
            html = format!("{} <i class=\"w\">null</i>", badge(td_string!(locale, row.tombstone)))
        }
        Shown::Null => html = format!("<i class=\"faint\">{}</i>", td_string!(locale, row.no_key)),
        Shown::Empty => html = badge(td_string!(locale, row.empty)),
        Shown::Json(tinted) => html = tinted,
        Shown::Text(text) => {
            html.push_str("<i class=\"t\">");
            escape_into(&text, &mut html);
            html.push_str("</i>");
        }
        Shown::Bytes(hex) => {
            let size = bytes(data.map_or(0, |data| data.size));
            html = format!("{} <i class=\"k\">{hex}</i>", badge(&td_string!(locale, row.bytes, size)));
        }
    }
    html
}

fn who(tab: Tab, record: &Record, consumed_by: &str, own: Signal<String>) -> AnyView {
    if record.flags.contains(Flags::LOADED) {
        let text = td_string!(tab.locale, row.not_consumed_now);
        return view! { <span class="faint" title=text>"—"<span class="sr">{text}</span></span> }.into_any();
    }
    let consumed_by = consumed_by.to_owned();
    (move || instance(&consumed_by, own.get() == consumed_by)).into_any()
}

/// How the record was consumed, as far as anything is to be said about it.
pub fn how(tab: Tab, record: &Record) -> AnyView {
    let locale = tab.locale;
    if let Some((tone, symbol, word, title)) = remark(locale, record.flags) {
        return view! {
            <span class="badge" data-tone=tone title=title>
                {icon(symbol)}
                <span>{word}</span>
            </span>
        }
        .into_any();
    }
    view! {
        <span class="ink" data-tone="ok">{icon("checks")}<span class="sr">{td_string!(locale, row.consumed)}</span></span>
        {on_the_way(record).map(|ms| view! {
            <span class="long">{td_string!(locale, row.within)}" "</span>
            {ms}
            " ms"
        })}
    }
    .into_any()
}

type Remark = (&'static str, &'static str, &'static str, &'static str);

/// What is known of an earlier consumption: tone, icon, word, explanation. The gravest counts.
fn remark(locale: Locale, flags: Flags) -> Option<Remark> {
    let remarks = [
        (Flags::DUPLICATE, "danger", "warn", td_string!(locale, row.duplicate), td_string!(locale, row.duplicate_hint)),
        (
            Flags::REDELIVERED,
            "warn",
            "again",
            td_string!(locale, row.redelivered),
            td_string!(locale, row.redelivered_hint),
        ),
        (
            Flags::POSSIBLY_REDELIVERED,
            "warn",
            "again",
            td_string!(locale, row.possibly),
            td_string!(locale, row.possibly_hint),
        ),
        (Flags::REPLAYED, "info", "again", td_string!(locale, row.replayed), td_string!(locale, row.replayed_hint)),
        (Flags::LOADED, "info", "down", td_string!(locale, row.loaded), td_string!(locale, row.loaded_hint)),
    ];
    let found = remarks.into_iter().find(|(flag, ..)| flags.contains(*flag))?;
    Some((found.1, found.2, found.3, found.4))
}

/// From the producer's timestamp to the consumer's clock, where both mean that and can be believed.
pub fn on_the_way(record: &Record) -> Option<i64> {
    match record.timestamp {
        Timestamp::Created(at) => {
            Some(record.received.saturating_sub(at)).filter(|ms| (0..=LONGEST_WAY_MS).contains(ms))
        }
        Timestamp::Appended(_) | Timestamp::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(timestamp: Timestamp, received: i64) -> Record {
        Record {
            seq: 0,
            topic: "orders".into(),
            partition: 2,
            offset: 1043,
            timestamp,
            received,
            flags: Flags::FIRST,
            key: None,
            value: None,
            headers: vec![],
            headers_left_out: 0,
        }
    }

    #[test]
    fn the_way_is_told_only_where_the_clocks_can_be_believed() {
        assert_eq!(on_the_way(&record(Timestamp::Created(1_000), 1_011)), Some(11));
        assert_eq!(on_the_way(&record(Timestamp::Created(1_012), 1_011)), None);
        assert_eq!(on_the_way(&record(Timestamp::Created(0), 60_001)), None);
        assert_eq!(on_the_way(&record(Timestamp::Appended(1_000), 1_011)), None);
        assert_eq!(on_the_way(&record(Timestamp::Created(i64::MIN), i64::MAX)), None);
    }

    #[test]
    fn a_records_page_has_its_place_in_the_address() {
        assert_eq!(path(&place(&record(Timestamp::None, 0))), "/topics/orders/2/1043");
    }

    #[test]
    fn null_empty_and_text_are_three_different_things() {
        let html = |data: Option<&Data>| data_html(Locale::en, data, true);
        let shown = [html(None), html(Some(&Data::whole(""))), html(Some(&Data::whole("null")))];
        assert!(shown[0].contains("tombstone"));
        assert!(shown[1].contains("empty"));
        assert_eq!(shown[2], "<i class=\"t\">null</i>");
    }
}
