//! A row of the list: one height, the same cells in the same order.

use super::{icon::icon, instance::instance, note};
use crate::{
    format::{
        number::bytes,
        time,
        value::{self, Shown},
    },
    i18n::Locale,
    live::{Entry, EntryKind},
    reader::Reader,
};
use leptos_i18n::td_string;
use maud::{Markup, PreEscaped, html};
use wire::{Data, Flags, Place, Record, Timestamp};

/// The longest "in N ms" that is believed: beyond it the clocks differ, or the record waited for something else.
const LONGEST_WAY_MS: i64 = 60_000;

/// The row of an entry. `own` is the instance that serves this tab, `index` the entry's place in the list, from 0; a row
/// that `is_new` is tinted for a moment.
pub fn row(reader: &Reader, entry: &Entry, own: &str, index: usize, is_new: bool) -> Markup {
    // The list's head is row 1.
    let number = index + 2;
    html! {
        @match &entry.kind {
            EntryKind::Record(record) => {
                div.row.mine[entry.mine].new[is_new] role="row" tabindex="-1" data-key=(key(entry))
                    data-place=(place(record)) data-seq=(record.seq) aria-rowindex=(number) { (cells(reader, entry, record, own)) }
            }
            EntryKind::Gap(gap) => (noted(entry, number, "warn", note::gap(reader, gap))),
            EntryKind::Gone { gap, is_deleted } => (noted(entry, number, "info", note::gone(reader, gap, *is_deleted))),
            EntryKind::Sifted { gap, sieved } => (noted(entry, number, "info", note::sifted(reader, gap, sieved))),
            EntryKind::Change(change) => (noted(entry, number, note::tone(&change.kind), note::change(reader, change))),
            EntryKind::Resumed(resumed) => (noted(entry, number, "ok", note::resumed(reader, resumed))),
        }
    }
}

/// What tells a row from others in the document; it changes when the row must be written anew.
pub fn key(entry: &Entry) -> String {
    let (id, revision) = entry.key();
    format!("{id}.{revision}")
}

fn noted(entry: &Entry, number: usize, tone: &str, content: Markup) -> Markup {
    html! {
        div.row.note role="row" tabindex="-1" data-key=(key(entry)) data-tone=(tone) aria-rowindex=(number) {
            div role="gridcell" aria-colspan="6" { (content) }
        }
    }
}

fn cells(reader: &Reader, entry: &Entry, record: &Record, own: &str) -> Markup {
    let locale = reader.locale;
    let received = record.received;
    html! {
        time.time role="gridcell" datetime=(time::rfc3339(received)) { (reader.time_of_day(received)) }
        span.at role="gridcell" {
            a href=(path(&place(record))) tabindex="-1" {
                span { (record.topic) } b { "[" (record.partition) "]" } "@" (record.offset)
            }
        }
        span.key role="gridcell" { (data(locale, record.key.as_ref(), false)) }
        span.val.json role="gridcell" { (data(locale, record.value.as_ref(), true)) }
        span.who role="gridcell" {
            @match &entry.instance {
                Some(by) => (instance(by, own)),
                None if entry.waits() => span.faint { (td_string!(locale, row.waiting)) },
                None => span.faint title=(td_string!(locale, row.not_consumed_now)) {
                    span aria-hidden="true" { "—" }
                    span.sr { (td_string!(locale, row.not_consumed_now)) }
                },
            }
        }
        span.how role="gridcell" {
            @if entry.waits() { span.faint.wrap { (icon("check")) (td_string!(locale, row.in_the_log)) } }
            @else { (how(locale, record)) }
            @if entry.mine { span.sr { (td_string!(locale, row.mine)) } }
        }
    }
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
pub fn data(locale: Locale, data: Option<&Data>, is_value: bool) -> Markup {
    html! {
        @match value::in_a_row(data) {
            Shown::Null if is_value => { span.badge { (td_string!(locale, row.tombstone)) } " " i.w { "null" } }
            Shown::Null => i.faint { (td_string!(locale, row.no_key)) },
            Shown::Empty => span.badge { (td_string!(locale, row.empty)) },
            // Tinted JSON is HTML already, its texts escaped.
            Shown::Json(tinted) => (PreEscaped(tinted)),
            Shown::Text(text) => i.t { (text) },
            Shown::Bytes(hex) => {
                span.badge { (td_string!(locale, row.bytes, size = bytes(data.map_or(0, |data| data.size)))) } " " i.k { (hex) }
            }
        }
    }
}

/// How the record was consumed, as far as anything is to be said about it.
pub fn how(locale: Locale, record: &Record) -> Markup {
    html! {
        @match remark(locale, record.flags) {
            Some((tone, symbol, word, title)) => span.badge data-tone=(tone) title=(title) { (icon(symbol)) span { (word) } },
            None => {
                span.ink data-tone="ok" { (icon("checks")) span.sr { (td_string!(locale, row.consumed)) } }
                @if let Some(ms) = on_the_way(record) {
                    span.long { (td_string!(locale, row.within)) " " } (ms) " ms"
                }
            }
        }
    }
}

type Remark = (&'static str, &'static str, &'static str, &'static str);

/// What is known of an earlier consumption: tone, icon, word, explanation. The gravest counts.
fn remark(locale: Locale, flags: Flags) -> Option<Remark> {
    let has = |flag| flags.contains(flag);
    if has(Flags::DUPLICATE) {
        Some(("danger", "warn", td_string!(locale, row.duplicate), td_string!(locale, row.duplicate_hint)))
    } else if has(Flags::REDELIVERED) {
        Some(("warn", "again", td_string!(locale, row.redelivered), td_string!(locale, row.redelivered_hint)))
    } else if has(Flags::POSSIBLY_REDELIVERED) {
        Some(("warn", "again", td_string!(locale, row.possibly), td_string!(locale, row.possibly_hint)))
    } else if has(Flags::REPLAYED) {
        Some(("info", "again", td_string!(locale, row.replayed), td_string!(locale, row.replayed_hint)))
    } else if has(Flags::LOADED) {
        Some(("info", "down", td_string!(locale, row.loaded), td_string!(locale, row.loaded_hint)))
    } else {
        None
    }
}

/// From the producer's timestamp to the consumer's clock, where both mean that and can be believed.
fn on_the_way(record: &Record) -> Option<i64> {
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
        let html = |value: Option<&Data>| data(Locale::en, value, true).into_string();
        assert!(html(None).contains("tombstone"));
        assert!(html(Some(&Data::whole(""))).contains("empty"));
        assert_eq!(html(Some(&Data::whole("null"))), "<i class=\"t\">null</i>");
    }

    #[test]
    fn what_someone_produced_never_becomes_markup() {
        for text in ["<script>", "{\"<script>\":\"<script>\"}"] {
            let html = data(Locale::en, Some(&Data::whole(text)), true).into_string();
            assert!(!html.contains("<script>"), "{html}");
        }
    }
}
