//! A record in full: when, how large, headers, and its value as JSON, text and bytes. In the drawer and on the record's page.

use super::{icon::icon, row, time};
use crate::{
    format::{
        hex, json,
        number::{bytes, grouped},
        value::is_json,
    },
    reader::Reader,
};
use leptos_i18n::td_string;
use maud::{Markup, PreEscaped, html};
use wire::{Data, Flags, Record, Timestamp};

/// How much of a value is shown in hexadecimal, in bytes.
const HEX_LIMIT: usize = 16 * 1024;
/// The longest JSON that is tinted, in bytes. Each token is an element of its own: those of megabytes would hold up the page for
/// seconds.
const TINT_LIMIT: usize = 256 * 1024;

/// Everything there is to know of a record.
pub fn detail(reader: &Reader, record: &Record) -> Markup {
    let locale = reader.locale;
    let timestamp = match record.timestamp {
        Timestamp::Created(at) => Some((td_string!(locale, detail.created), at)),
        Timestamp::Appended(at) => Some((td_string!(locale, detail.appended), at)),
        Timestamp::None => None,
    };
    let size = |data: &Option<Data>| data.as_ref().map_or_else(|| "null".to_owned(), |data| bytes(data.size));
    html! {
        dl.kv {
            dt { (td_string!(locale, produce.key)) }
            dd.mono.json { (row::data(locale, record.key.as_ref(), false)) }
            @if let Some((name, at)) = timestamp { dt { (name) } dd { (time::full(reader, at)) } }
            // What was read from the log on request was not received: it says when somebody looked.
            @if !record.flags.contains(Flags::LOADED) {
                dt { (td_string!(locale, detail.received)) }
                dd { (time::full(reader, record.received)) }
            }
            dt { (td_string!(locale, detail.size)) }
            dd { (td_string!(locale, detail.sizes, key = size(&record.key), value = size(&record.value))) }
            dt { (td_string!(locale, detail.delivery)) }
            dd.wrap { (row::how(locale, record)) }
        }
        (headers(reader, record))
        @match &record.value {
            Some(data) if data.size > 0 => (value(reader, data, &row::path(&row::place(record)))),
            data => p.json { (row::data(locale, data.as_ref(), true)) },
        }
    }
}

fn headers(reader: &Reader, record: &Record) -> Markup {
    let locale = reader.locale;
    html! {
        section {
            h2 {
                (td_string!(locale, produce.headers)) " "
                span.faint { (grouped(record.headers.len() as u64 + u64::from(record.headers_left_out))) }
            }
            dl.kv {
                @for header in &record.headers {
                    dt.mono { (header.name) }
                    dd.mono.json {
                        @if header.value.is_none() { i.w { "null" } }
                        @else { (row::data(locale, header.value.as_ref(), false)) }
                    }
                }
            }
            @if record.headers_left_out > 0 {
                p.faint { (td_string!(locale, detail.left_out, count = record.headers_left_out)) }
            }
        }
    }
}

fn value(reader: &Reader, data: &Data, path: &str) -> Markup {
    let locale = reader.locale;
    let text = data.text();
    let document = text.filter(|text| is_json(data, text)).map(json::pretty);
    let tinted = document.as_ref().filter(|document| document.len() <= TINT_LIMIT).map(|document| json::tint(document));
    let shown_of = |shown: usize| td_string!(locale, detail.cut, shown = bytes(shown as u64), size = bytes(data.size));
    let first = if document.is_some() {
        "a"
    } else if text.is_some() {
        "b"
    } else {
        "c"
    };
    let choice = |class: &str, name: &str| {
        html! { label { input class=(class) type="radio" name="value-as" autocomplete="off" checked[class == first]; (name) } }
    };
    html! {
        section.tabbed {
            div.wrap {
                fieldset.seg {
                    legend.sr { (td_string!(locale, detail.value_as)) }
                    @if document.is_some() { (choice("a", "JSON")) }
                    @if text.is_some() { (choice("b", td_string!(locale, detail.raw))) }
                    (choice("c", td_string!(locale, detail.hex)))
                }
                // What is not here is asked for.
                @let is_asked_for = data.is_cut() && text.is_some();
                button.btn.quiet.push.needs-script type="button" data-do="copy" data-copy-from=[(!is_asked_for).then_some("whole-value")]
                    data-copy-url=[is_asked_for.then(|| format!("{path}/value"))] {
                    (icon("copy")) (td_string!(locale, app.copy))
                }
            }
            @if data.is_cut() {
                p.wrap.muted {
                    (shown_of(data.head.len()))
                    button.btn.needs-script type="button" data-do="load" { (icon("down")) (td_string!(locale, detail.load_all)) }
                    small #load-trouble .ink data-tone="danger" role="alert" {}
                }
            }
            @if let Some(document) = document {
                div.panel.a {
                    pre.code.json tabindex="0" {
                        @if let Some(tinted) = tinted { (PreEscaped(tinted)) } @else { (document) }
                    }
                }
            }
            @if let Some(text) = text {
                // HTML drops the first newline of a `pre`: this one.
                div.panel.b { pre #whole-value .code.wrapped tabindex="0" { "\n" (text) } }
            }
            div.panel.c {
                @if data.head.len() > HEX_LIMIT { p.muted { (shown_of(HEX_LIMIT)) } }
                pre.code tabindex="0" id=[text.is_none().then_some("whole-value")] { "\n" (hex::dump(&data.head, HEX_LIMIT)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;
    use wire::{Flags, Header};

    fn html(value: Option<Data>) -> String {
        let record = Record {
            seq: 0,
            topic: "orders".into(),
            partition: 2,
            offset: 1043,
            timestamp: Timestamp::None,
            received: 0,
            flags: Flags::FIRST,
            key: None,
            value,
            headers: vec![Header { name: "<h>".into(), value: None }],
            headers_left_out: 2,
        };
        detail(&Reader::of(Locale::en), &record).into_string()
    }

    #[test]
    fn numbers_are_shown_exactly_as_they_were_produced() {
        let html = html(Some(Data::whole("{\"n\":9007199254740993,\"d\":1.10}")));
        assert!(html.contains("9007199254740993") && html.contains("1.10"));
    }

    #[test]
    fn what_is_no_text_is_shown_as_bytes_only() {
        let html = html(Some(Data::whole(&b"\x00\xff"[..])));
        assert!(html.contains("00 ff"));
        assert!(!html.contains("class=\"panel b\""));
    }

    #[test]
    fn a_long_document_is_not_tinted_and_of_many_bytes_it_is_said_how_many_are_shown() {
        let html = html(Some(Data::whole(format!("[\"<b>\",{}0]", "1,".repeat(200_000)))));
        assert!(html.contains("&lt;b&gt;") && !html.contains("<i class=\"n\">"));
        assert!(html.contains("The first 16 KiB of 390.6 KiB."), "{}", &html[..600]);
    }

    #[test]
    fn what_is_not_here_is_said() {
        let html = html(Some(Data { head: "abc".into(), size: 2048 }));
        assert!(html.contains("The first 3 B of 2 KiB."));
        assert!(html.contains("data-do=\"load\""));
        assert!(html.contains("too large to be shown here: 2."));
        assert!(html.contains("&lt;h&gt;"));
    }
}
