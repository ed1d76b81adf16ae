//! The figures of the feed: the group, what this instance owns, rate, lag, audit, and what this tab keeps.

use crate::{
    format::{hue, number::grouped},
    tab::use_tab,
    words,
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use wire::{Assignment, Owned, Stats};

/// The strip above the list.
#[component]
pub fn Strip(
    /// The consumer group.
    group: String,
) -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let (serving, assignment, stats) = (tab.live.instance(), tab.live.assignment(), tab.live.stats());
    let lag = move || match lag(&stats.get()) {
        Some(lag) => {
            view! { <span>{grouped(lag)}</span> " " <small>{td_string!(locale, strip.pending)}</small> }.into_any()
        }
        None => view! { <small>{td_string!(locale, strip.unknown)}</small> }.into_any(),
    };
    view! {
        <dl class="strip" tabindex="0" aria-label=td_string!(locale, strip.group_named, group = group.as_str())>
            {figure(td_string!(locale, strip.group), view! { <span class="mono">{group.clone()}</span> }.into_any())}
            {figure(td_string!(locale, strip.owns), view! { {move || owned(&assignment.get(), &serving.get())} }.into_any())}
            {figure(td_string!(locale, strip.rate), view! {
                <span>{move || grouped(stats.get().rate)}</span>
                " "
                <small>{td_string!(locale, unit.per_second)}</small>
            }.into_any())}
            {figure(td_string!(locale, strip.lag), lag.into_any())}
            {figure(td_string!(locale, strip.audit), view! {
                <span data-count="consumed">{move || grouped(stats.get().consumed)}</span>
                " "
                <small>{td_string!(locale, strip.consumed)}</small>
                {move || audit(stats.get().duplicates, td_string!(locale, strip.duplicates), "warn", "duplicates")}
                {move || audit(stats.get().missing, td_string!(locale, strip.missing), "danger", "missing")}
            }.into_any())}
            {figure(td_string!(locale, strip.kept), view! {
                <span data-count="kept">{move || grouped(tab.live.total().get())}</span>
                {move || (tab.live.dropped().get() > 0).then(|| view! {
                    <small>{td_string!(locale, strip.dropped, count = grouped(tab.live.dropped().get()))}</small>
                })}
            }.into_any())}
        </dl>
    }
}

fn figure(label: &'static str, value: AnyView) -> AnyView {
    view! {
        <div>
            <dt>{label}</dt>
            <dd>{value}</dd>
        </div>
    }
    .into_any()
}

/// A count that should be 0: quiet while it is.
fn audit(count: u64, what: &'static str, tone: &'static str, name: &'static str) -> AnyView {
    let text = format!("{} {what}", grouped(count));
    match count {
        0 => view! { <small data-count=name>{text}</small> }.into_any(),
        _ => view! { <span class="badge" data-tone=tone data-count=name>{text}</span> }.into_any(),
    }
}

fn owned(assignment: &Assignment, serving: &str) -> AnyView {
    let locale = use_tab().locale;
    if assignment.owned.is_empty() {
        return view! { <small>{td_string!(locale, strip.owns_nothing)}</small> }.into_any();
    }
    let sentence = td_string!(locale, strip.sentence, owned = words::owned(locale, &assignment.owned));
    let hue = hue::of(serving).to_string();
    let topics = assignment
        .owned
        .iter()
        .map(|Owned { topic, partitions, of }| {
            let parts = partitions
                .iter()
                .map(|partition| view! { <span class="part" data-i=hue.clone()>{*partition}</span> })
                .collect_view();
            view! {
                <span class="mono">{topic.clone()}</span>
                {parts}
                <small>{(*of > 0).then(|| td_string!(locale, strip.of, count = *of))}</small>
            }
        })
        .collect_view();
    view! {
        <span class="sr">{sentence}</span>
        <span class="wrap owned" aria-hidden="true">{topics}</span>
    }
    .into_any()
}

/// Log end offset less committed offset, over all owned partitions; nothing while one of them is not known.
fn lag(stats: &Stats) -> Option<u64> {
    if stats.partitions.is_empty() {
        return None;
    }
    stats
        .partitions
        .iter()
        .map(|partition| Some(partition.end?.saturating_sub(partition.committed?).max(0).unsigned_abs()))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::PartitionStats;

    fn partition(committed: Option<i64>, end: Option<i64>) -> PartitionStats {
        PartitionStats { topic: "orders".into(), partition: 0, consumed: 0, committed, end }
    }

    fn of(partitions: Vec<PartitionStats>) -> Option<u64> {
        lag(&Stats { partitions, ..Default::default() })
    }

    #[test]
    fn lag_is_the_sum_and_never_a_guess() {
        assert_eq!(of(vec![partition(Some(3), Some(10)), partition(Some(5), Some(5))]), Some(7));
        assert_eq!(of(vec![partition(Some(3), Some(10)), partition(None, Some(5))]), None);
        assert_eq!(of(vec![]), None);
        assert_eq!(of(vec![partition(Some(6), Some(5))]), Some(0));
    }
}
