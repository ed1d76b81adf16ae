//! The drawer: the record of the current row, beside the list.

use super::{detail::detail, icon::icon, instance::instance, row};
use crate::reader::Reader;
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::Record;

/// The drawer's content. `consumed_by` is nobody where the record was only read from the log.
pub fn drawer(reader: &Reader, record: &Record, consumed_by: Option<&str>, own: &str) -> Markup {
    let locale = reader.locale;
    let place = row::place(record);
    let path = row::path(&place);
    html! {
        header {
            h2.mono { (place) }
            span.push {}
            (square(td_string!(locale, detail.newer), "k", "prev", "newer"))
            (square(td_string!(locale, detail.older), "j", "down", "older"))
            (link_button(reader, &path))
            (square(td_string!(locale, app.close), "Esc", "x", "close"))
        }
        div.body {
            @if let Some(by) = consumed_by {
                p.receipt { (td_string!(locale, receipt.consumed_by)) " " (instance(by, own)) }
            }
            (files(reader, record, &path))
            (detail(reader, record))
        }
        footer {
            (again(reader, record))
            a.btn href=(path) { (td_string!(locale, detail.own_page)) }
        }
    }
}

fn square(name: &str, key: &str, symbol: &str, action: &str) -> Markup {
    html! {
        button.btn.quiet.square type="button" aria-label=(name) title={ (name) " (" (key) ")" } data-do=(action) { (icon(symbol)) }
    }
}

/// Copies the address of a record's page.
pub fn link_button(reader: &Reader, path: &str) -> Markup {
    let name = td_string!(reader.locale, detail.copy_link);
    html! {
        button.btn.quiet.square.needs-script type="button" aria-label=(name) title=(name) data-do="copy" data-copy-path=(path) {
            (icon("link"))
        }
    }
}

/// A record as a file, whole and from the log; and on the clipboard. In a window of its own: what can't be read must not take the
/// page's place.
pub fn files(reader: &Reader, record: &Record, path: &str) -> Markup {
    let locale = reader.locale;
    let copy = td_string!(locale, app.copy);
    html! {
        p.wrap.files {
            (icon("save")) span.muted { (td_string!(locale, detail.download)) }
            a.btn.quiet target="_blank" href={ (path) "/json" } { "JSON" }
            a.btn.quiet target="_blank" href={ (path) "/csv" } { "CSV" }
            @if record.value.is_some() {
                a.btn.quiet target="_blank" href={ (path) "/value" } { (td_string!(locale, row.value)) }
            }
            button.btn.quiet.push.needs-script type="button" aria-label={ (copy) " JSON" } data-do="copy" data-copy-url={ (path) "/json" } {
                (icon("copy")) "JSON"
            }
        }
    }
}

/// Sends the record once more as it is; and leads to the form, filled with it.
pub fn again(reader: &Reader, record: &Record) -> Markup {
    let place = row::place(record);
    html! {
        form method="post" target="_blank" action={ (row::path(&place)) "/again" } {
            button.btn.primary { (icon("again")) (td_string!(reader.locale, detail.again)) }
        }
        a.btn href={ "/produce?again=" (place) } { (td_string!(reader.locale, detail.edit)) }
    }
}
