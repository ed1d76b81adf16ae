//! A row that tells about the stream itself: records not shown, a rebalance, a connection that came back.

use super::{empty::found, icon::icon, instance::instance, time};
use crate::{format::number::grouped, live::Resumed, reader::Reader, words};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{Change, ChangeKind, Count, Gap, Happening, HappeningKind, Owned, Sieved, Sought};

/// Records that this tab was not sent. "Not shown" is about this tab; what the group missed is [`change`]'s.
pub fn gap(reader: &Reader, gap: &Gap) -> Markup {
    let locale = reader.locale;
    let count = match gap.count {
        Count::Exact(1) => td_string!(locale, note.not_shown_one).to_owned(),
        Count::Exact(count) => td_string!(locale, note.not_shown, count = grouped(count)),
        Count::UpTo(count) => td_string!(locale, note.not_shown_up_to, count = grouped(count)),
    };
    html! {
        (icon("gap"))
        span { b { (count) } " " span.mono { (range(gap)) } }
        @if let Some(name) = &gap.now_with { span { (td_string!(locale, note.now_with)) } (instance(name, "")) }
        button.link type="button" data-do="load-gap" tabindex="-1" { (td_string!(locale, note.load)) }
        small.ink data-tone="danger" {}
    }
}

/// What was looked for in the log, and is not there.
pub fn gone(reader: &Reader, gap: &Gap, is_deleted: bool) -> Markup {
    let locale = reader.locale;
    let why = if is_deleted { td_string!(locale, note.deleted) } else { td_string!(locale, note.holes) };
    html! { (icon("gap")) span { b { (why) } " " span.mono { (range(gap)) } } }
}

/// What was looked through in the log for what the filter wants.
pub fn sifted(reader: &Reader, gap: &Gap, sieved: &Sieved) -> Markup {
    html! { (icon("filter")) span { b { (found(reader, sieved)) } " " span.mono { (range(gap)) } } }
}

/// `orders[2] 10413–10824`. Ungrouped: an offset is a name, written the same way everywhere.
fn range(Gap { topic, partition, first, last, .. }: &Gap) -> String {
    if first == last {
        format!("{topic}[{partition}] {first}")
    } else {
        format!("{topic}[{partition}] {first}–{last}")
    }
}

/// The tone of a change's row.
pub fn tone(kind: &ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Assigned(_) | ChangeKind::Revoked(_) | ChangeKind::Sought(_) => "info",
        ChangeKind::Lost(_) => "warn",
        ChangeKind::Missing(_) | ChangeKind::PassedOver(_) => "danger",
        ChangeKind::Happened(happening) => match happening.kind {
            HappeningKind::Lost | HappeningKind::Silent => "warn",
            _ => "info",
        },
    }
}

/// A change of what this instance, or the whole group, consumes.
pub fn change(reader: &Reader, change: &Change) -> Markup {
    let locale = reader.locale;
    let partitions = |owned: &[Owned]| words::owned(locale, owned);
    let (symbol, what, which, means) = match &change.kind {
        ChangeKind::Assigned(owned) => ("swap", td_string!(locale, note.assigned), partitions(owned), ""),
        ChangeKind::Revoked(owned) => {
            ("swap", td_string!(locale, note.revoked), partitions(owned), td_string!(locale, note.revoked_means))
        }
        ChangeKind::Lost(owned) => {
            ("warn", td_string!(locale, note.lost), partitions(owned), td_string!(locale, note.lost_means))
        }
        ChangeKind::Missing(gap) => {
            ("gap", td_string!(locale, note.missing), range(gap), td_string!(locale, note.missing_means))
        }
        ChangeKind::PassedOver(gap) => {
            ("gap", td_string!(locale, note.passed_over), range(gap), td_string!(locale, note.passed_over_means))
        }
        ChangeKind::Sought(Sought { topic, partition, from, to }) => {
            ("again", td_string!(locale, note.sought), format!("{topic}[{partition}] {from} → {to}"), "")
        }
        ChangeKind::Happened(happening) => return happened(reader, happening),
    };
    html! {
        (icon(symbol))
        span { b { (what) } " " span.mono { (which) } " " (means) }
        span.push { (time::of_day(reader, change.at)) }
    }
}

/// What happened to another member of the group.
fn happened(reader: &Reader, happening: &Happening) -> Markup {
    let locale = reader.locale;
    let (symbol, what, means) = match happening.kind {
        HappeningKind::Assigned => ("swap", td_string!(locale, note.rebalanced), ""),
        HappeningKind::Revoked => ("swap", td_string!(locale, note.revoked), td_string!(locale, note.revoked_means)),
        HappeningKind::Lost => ("warn", td_string!(locale, note.lost), td_string!(locale, note.lost_means)),
        HappeningKind::Sought => ("again", td_string!(locale, note.sought), ""),
        HappeningKind::Joined => ("swap", td_string!(locale, note.joined), ""),
        HappeningKind::Left => ("swap", td_string!(locale, note.left), ""),
        HappeningKind::Silent => ("warn", td_string!(locale, note.silent), ""),
    };
    html! {
        (icon(symbol))
        span {
            b { (what) }
            @if !happening.partitions.is_empty() { " " span.mono { (words::owned(locale, &happening.partitions)) } }
        }
        @if let Some(from) = happening.from.as_ref().filter(|from| **from != happening.member) {
            (instance(from, "")) span { "→" }
        }
        (instance(&happening.member, ""))
        span { (means) }
        @if let Some(unowned) = happening.unowned {
            span.num { (td_string!(locale, note.without_owner, seconds = tenths(unowned.unsigned_abs()))) }
        }
        span.push { (time::of_day(reader, happening.at)) }
    }
}

/// Milliseconds as seconds: `1.8`.
fn tenths(millis: u64) -> String {
    format!("{}.{}", millis / 1_000, millis % 1_000 / 100)
}

/// The connection came back.
pub fn resumed(reader: &Reader, resumed: &Resumed) -> Markup {
    let locale = reader.locale;
    let seconds = tenths(u64::try_from(resumed.after.as_millis()).unwrap_or(u64::MAX));
    html! {
        (icon("check"))
        b { (td_string!(locale, note.resumed)) }
        (instance(&resumed.instance, &resumed.instance))
        span {
            @if resumed.changed { (td_string!(locale, note.another_instance)) " " }
            @if resumed.missed == 0 { (td_string!(locale, note.nothing_missed)) }
            @else { (td_string!(locale, note.missed, count = grouped(resumed.missed))) }
        }
        span.num { (td_string!(locale, note.after, seconds)) }
    }
}
