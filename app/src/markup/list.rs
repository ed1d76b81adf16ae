//! The list around its rows, as the server renders it.

use super::row::row;
use crate::{live::Entry, reader::Reader};
use leptos_i18n::td_string;
use maud::{Markup, html};
use std::sync::Arc;

/// The list with all these rows. `one_topic`: narrow rows can do without the topic's name.
pub fn list(reader: &Reader, entries: &[Arc<Entry>], own: &str, one_topic: bool) -> Markup {
    let locale = reader.locale;
    let head = [
        ("time", td_string!(locale, row.received)),
        ("at", td_string!(locale, row.place)),
        ("key", td_string!(locale, produce.key)),
        ("val", td_string!(locale, row.value)),
        ("who", td_string!(locale, row.consumed_by)),
        ("how", td_string!(locale, row.status)),
    ];
    html! {
        div.feed.one[one_topic] {
            div #rows .rows role="grid" tabindex="0" aria-label=(td_string!(locale, feed.messages))
                aria-rowcount=(entries.len() + 1) aria-keyshortcuts="j k Enter" {
                div.row.head role="row" aria-rowindex="1" {
                    @for (class, name) in head { span class=(class) role="columnheader" { (name) } }
                }
                div #above role="presentation" {}
                div #lines role="rowgroup" {
                    @for (index, entry) in entries.iter().enumerate() { (row(reader, entry, own, index, false)) }
                }
                div #below role="presentation" {}
            }
            button #pill .pill type="button" data-do="newest" hidden {}
        }
    }
}
