//! What is shown where rows would be: an empty feed and a filter without a match are different things.

use super::{icon::icon, instance::instance};
use crate::{format::number::grouped, reader::Reader, words};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{Assignment, Sieved};

/// How many records of the log an empty feed offers.
pub const LAST: usize = 100;

/// An empty place: what is (not) there, what that means, what can be done.
pub fn empty(symbol: &str, title: &str, text: &Markup, actions: &Markup) -> Markup {
    html! {
        div.empty {
            (icon(symbol))
            h2 { (title) }
            p { (text) }
            div.wrap { (actions) }
        }
    }
}

/// What a filter found; nothing where it had nothing to look at.
pub fn found(reader: &Reader, found: &Sieved) -> Markup {
    let locale = reader.locale;
    let Sieved { looked, matched, failed } = *found;
    html! {
        @if looked > 0 { (td_string!(locale, feed.found, matched = grouped(matched), looked = grouped(looked))) }
        @if failed > 0 { (td_string!(locale, feed.not_judged, count = grouped(failed))) }
    }
}

/// The filter let nothing through of all that it looked at.
pub fn no_match(reader: &Reader, total: u64) -> Markup {
    let locale = reader.locale;
    empty(
        "filter",
        &td_string!(locale, feed.no_match, total = grouped(total)),
        &html! { (td_string!(locale, feed.no_match_text)) },
        &html! { button.btn type="button" data-do="clear-filter" { (td_string!(locale, feed.clear_filter)) } },
    )
}

/// Nothing was consumed yet; `trouble` is why the log could not be shown instead.
pub fn nothing_yet(
    reader: &Reader,
    feed: &str,
    topics: &[String],
    serving: &str,
    assignment: &Assignment,
    trouble: &str,
) -> Markup {
    let locale = reader.locale;
    let text = html! {
        (instance(serving, serving)) " "
        @if assignment.owned.is_empty() { (td_string!(locale, feed.owns_nothing_yet)) }
        @else { (td_string!(locale, feed.listens, partitions = words::owned(locale, &assignment.owned))) }
        " " (td_string!(locale, feed.appears_by_itself))
        @if !trouble.is_empty() { " " b role="alert" { (trouble) } }
    };
    // Links, so that they lead somewhere without JavaScript too.
    let actions = html! {
        a.btn.primary href="/produce" data-do="compose" { (icon("send")) (td_string!(locale, feed.send_first)) }
        a.btn href={ "/?feed=" (feed) "&last=" (LAST) } data-do="show-last" { (icon("down")) (td_string!(locale, feed.show_last, count = LAST)) }
    };
    empty("feed", &td_string!(locale, feed.nothing_yet, topics = topics.join(", ")), &text, &actions)
}
