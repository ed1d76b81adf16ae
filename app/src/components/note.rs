//! A row that tells about the stream itself: records not shown, a rebalance, a connection that came back.

use super::{icon, instance, row};
use crate::{
    format::{number::grouped, time},
    live::Resumed,
    tab::use_tab,
    words,
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use wire::{Change, ChangeKind, Count, Gap, Millis, Owned, Place};

/// Records that this tab was not sent. "Not shown" is about this tab; what the group missed is [`change`]'s.
pub fn gap(gap: &Gap) -> AnyView {
    let locale = use_tab().locale;
    let count = match gap.count {
        Count::Exact(1) => td_string!(locale, note.not_shown_one).to_owned(),
        Count::Exact(count) => td_string!(locale, note.not_shown, count = grouped(count)),
        Count::UpTo(count) => td_string!(locale, note.not_shown_up_to, count = grouped(count)),
    };
    let now_with = gap.now_with.as_deref().map(|name| {
        view! { <span>{td_string!(locale, note.now_with)}</span> {instance(name, false)} }
    });
    let open = view! {
        <a class="link" href=row::path(&first_of(gap)) tabindex="-1">{td_string!(locale, note.open_first)}</a>
    };
    view! {
        {icon("gap")}
        <span><b>{count}</b> " " <span class="mono">{range(gap)}</span></span>
        {now_with}
        {open}
    }
    .into_any()
}

fn first_of(gap: &Gap) -> Place {
    Place { topic: gap.topic.clone(), partition: gap.partition, offset: gap.first }
}

/// `orders[2] 10413–10824`. Ungrouped: an offset is a name, written the same way everywhere.
fn range(gap: &Gap) -> String {
    let Gap { topic, partition, first, last, .. } = gap;
    if first == last {
        format!("{topic}[{partition}] {first}")
    } else {
        format!("{topic}[{partition}] {first}–{last}")
    }
}

/// The tone of a change's row.
pub fn tone(kind: &ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Assigned(_) | ChangeKind::Revoked(_) => "info",
        ChangeKind::Lost(_) => "warn",
        ChangeKind::Missing(_) => "danger",
    }
}

/// A change of what this instance consumes.
pub fn change(change: &Change) -> AnyView {
    let locale = use_tab().locale;
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
    };
    view! {
        {icon(symbol)}
        <span><b>{what}</b> " " <span class="mono">{which}</span> " " {means}</span>
        {moment(change.at)}
    }
    .into_any()
}

fn moment(at: Millis) -> AnyView {
    let tab = use_tab();
    view! {
        <time class="mono push only-wide" datetime=time::rfc3339(at)>{move || tab.time_of_day(at)}</time>
    }
    .into_any()
}

/// The connection came back.
pub fn resumed(resumed: &Resumed) -> AnyView {
    let locale = use_tab().locale;
    let missed = match resumed.missed {
        0 => td_string!(locale, note.nothing_missed).to_owned(),
        missed => td_string!(locale, note.missed, count = grouped(missed)),
    };
    let changed = resumed.changed.then(|| td_string!(locale, note.another_instance));
    let after = resumed.after.as_millis();
    let seconds = format!("{}.{}", after / 1000, after / 100 % 10);
    view! {
        {icon("check")}
        <b>{td_string!(locale, note.resumed)}</b>
        {instance(&resumed.instance, true)}
        <span>{changed} " " {missed}</span>
        <span class="num">{td_string!(locale, note.after, seconds)}</span>
    }
    .into_any()
}
