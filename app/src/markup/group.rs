//! A group's page: its figures, who owns what, how that changed, how far it is in each partition. Only the server renders it,
//! and sends anew what changed ([`pieces`]): the page is kept live without a line of this in the WebAssembly.

mod audit;
mod board;
mod changes;
mod history;
mod lag;

pub use changes::{changes, trouble};

use super::{icon::icon, live::Piece};
use crate::{
    format::number::grouped,
    i18n::Locale,
    reader::Reader,
    words::{ago, span},
};
use leptos_i18n::td_string;
use maud::{Markup, html};
use std::collections::BTreeSet;
use wire::{Group, GroupPartition, Happening, HappeningKind, Millis, Owned};

/// From how many records on a lag is marked.
const BEHIND: u64 = 1_000;

/// A group, for whom it is shown, and when.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// For whom.
    pub reader: &'a Reader,
    /// The group.
    pub group: &'a Group,
    /// The instance that serves the page.
    pub serving: &'a str,
    /// The server's clock.
    pub now: Millis,
}

/// What of the page is kept up to date.
pub fn pieces(shown: Shown<'_>) -> Vec<Piece> {
    vec![
        ("group-state", heading(shown)),
        ("group-figures", figures(shown)),
        ("group-board", board::board(shown)),
        ("group-lanes", history::lanes(shown)),
        ("group-history", history::table(shown)),
        ("group-audit", audit::table(shown)),
        ("group-lag", lag::table(shown)),
        ("group-lag-foot", lag::foot(shown)),
    ]
}

/// Everything below the page's heading.
pub fn body(shown: Shown<'_>) -> Markup {
    let locale = shown.reader.locale;
    html! {
        section.card {
            dl #group-figures .strip tabindex="0" aria-label=(td_string!(locale, groups.numbers)) { (figures(shown)) }
        }
        section.card {
            header {
                h2 { (td_string!(locale, groups.owners)) }
                p.muted { (td_string!(locale, groups.owners_means)) }
            }
            div #group-board .board { (board::board(shown)) }
        }
        section.card {
            header {
                h2 { (td_string!(locale, groups.rebalances)) }
                p.muted { (td_string!(locale, groups.rebalances_means)) }
                span.push.faint { (td_string!(locale, groups.last_ten)) }
            }
            div.scroll.to-the-end tabindex="0" role="group" aria-label=(td_string!(locale, groups.last_ten)) {
                div #group-lanes .lanes aria-hidden="true" { (history::lanes(shown)) }
            }
            div.scroll tabindex="0" role="region" aria-label=(td_string!(locale, groups.rebalances)) {
                table #group-history .table { (history::table(shown)) }
            }
            footer { (history::glossary(locale)) }
        }
        section.card {
            header {
                h2 { (td_string!(locale, strip.audit)) }
                p.muted { (td_string!(locale, audit.means)) }
            }
            div.scroll tabindex="0" role="region" aria-label=(td_string!(locale, strip.audit)) {
                table #group-audit .table { (audit::table(shown)) }
            }
            footer { (audit::glossary(locale)) }
        }
        section.card.lags {
            header {
                h2 { (td_string!(locale, groups.lag)) }
                p.muted { (td_string!(locale, groups.lag_means)) }
                label.check.push {
                    input #only-behind type="checkbox" autocomplete="off";
                    span { (td_string!(locale, groups.only_behind)) }
                }
            }
            div.scroll tabindex="0" role="region" aria-label=(td_string!(locale, groups.lag)) {
                table #group-lag .table { (lag::table(shown)) }
                // By the style alone, as the choice is.
                p.none.muted { (td_string!(locale, groups.none_behind)) }
            }
            footer #group-lag-foot .muted { (lag::foot(shown)) }
        }
    }
}

/// The group's state, and in a sentence what that means.
pub fn heading(Shown { reader, group, .. }: Shown<'_>) -> Markup {
    let locale = reader.locale;
    html! {
        (state(locale, &group.state))
        @if group.feed.is_some() { (this_instance(locale)) }
        span.muted { (meaning(locale, &group.state)) }
    }
}

/// That this instance is a member.
pub fn this_instance(locale: Locale) -> Markup {
    html! { span.badge title=(td_string!(locale, groups.this_instance_hint)) { (td_string!(locale, groups.this_instance)) } }
}

/// A group's state: Kafka's word for it, in the reader's language where it is a known one.
pub fn state(locale: Locale, state: &str) -> Markup {
    let (tone, symbol, word) = match state {
        "stable" => (Some("ok"), Some("check"), td_string!(locale, groups.stable)),
        "empty" => (None, None, td_string!(locale, groups.empty)),
        "preparing rebalance" => (Some("info"), Some("swap"), td_string!(locale, groups.preparing)),
        "completing rebalance" => (Some("info"), Some("swap"), td_string!(locale, groups.completing)),
        "assigning" => (Some("info"), Some("swap"), td_string!(locale, groups.assigning)),
        "reconciling" => (Some("info"), Some("swap"), td_string!(locale, groups.reconciling)),
        "dead" => (Some("danger"), None, td_string!(locale, groups.dead)),
        other => (None, None, other),
    };
    html! { span.badge data-tone=[tone] { @if let Some(symbol) = symbol { (icon(symbol)) } (word) } }
}

fn meaning(locale: Locale, state: &str) -> &'static str {
    match state {
        "stable" => td_string!(locale, groups.stable_means),
        "empty" => td_string!(locale, groups.empty_means),
        "preparing rebalance" | "completing rebalance" | "assigning" | "reconciling" => {
            td_string!(locale, groups.rebalancing_means)
        }
        "dead" => td_string!(locale, groups.dead_means),
        _ => "",
    }
}

/// A group's protocol, with the name that its documentation is found by.
pub fn protocol(protocol: &str) -> Markup {
    html! {
        (protocol)
        @if protocol == "consumer" { " " small { "KIP-848" } }
    }
}

fn figures(Shown { reader, group, now, .. }: Shown<'_>) -> Markup {
    let locale = reader.locale;
    let topics = group.partitions.iter().map(|partition| &partition.topic).collect::<BTreeSet<_>>().len();
    let members = group.members.iter().filter_map(|member| member.ottla.as_ref());
    let rate = members.map(|member| member.stats.rate).reduce(u64::saturating_add);
    let lags = || group.partitions.iter().filter_map(|partition| Some((lag_of(partition)?, partition)));
    let total = lags().map(|(lag, _)| lag).reduce(u64::saturating_add);
    // Of several, the first.
    let worst = lags().rev().max_by_key(|(lag, _)| *lag).filter(|(lag, _)| *lag > 0);
    let last = group.history.iter().filter(|happening| is_rebalance(happening)).max_by_key(|happening| happening.at);
    html! {
        div { dt { (td_string!(locale, groups.members)) } dd { (grouped(group.members.len() as u64)) } }
        div {
            dt { (td_string!(locale, groups.partitions)) }
            dd {
                span { (grouped(group.partitions.len() as u64)) }
                @match topics {
                    0 => {}
                    1 => small { (td_string!(locale, groups.in_one_topic)) },
                    count => small { (td_string!(locale, groups.in_topics, count)) },
                }
            }
        }
        div {
            dt { (td_string!(locale, groups.rate)) }
            dd {
                @match rate {
                    Some(rate) => { span { (grouped(rate)) } " " small { (td_string!(locale, unit.per_second)) } }
                    None => small { (td_string!(locale, groups.not_known)) }
                }
            }
        }
        div {
            dt { (td_string!(locale, groups.total_lag)) }
            dd {
                @match total {
                    Some(total) => span { (grouped(total)) },
                    None => small { (td_string!(locale, groups.not_known)) },
                }
                @if let Some((lag, partition)) = worst {
                    span.badge.mono data-tone=[(lag >= BEHIND).then_some("warn")] title=(td_string!(locale, groups.worst)) {
                        span.sr { (td_string!(locale, groups.worst)) " " }
                        (partition.topic) "[" (partition.partition) "]"
                    }
                }
            }
        }
        @if !group.assignor.is_empty() {
            div { dt { (td_string!(locale, groups.assignor)) } dd { (group.assignor) } }
        }
        @if !group.protocol.is_empty() {
            div { dt { (td_string!(locale, groups.protocol)) } dd { (protocol(&group.protocol)) } }
        }
        @if let Some(id) = group.coordinator {
            div { dt { (td_string!(locale, groups.coordinator)) } dd { (td_string!(locale, groups.broker, id)) } }
        }
        @if let Some(last) = last {
            div {
                dt { (td_string!(locale, groups.last_rebalance)) }
                dd {
                    span { (ago(locale, now - last.at)) } " "
                    @if let Some(unowned) = last.unowned {
                        small title=(td_string!(locale, groups.unowned)) { (span(locale, unowned)) }
                    }
                }
            }
        }
    }
}

fn is_rebalance(happening: &Happening) -> bool {
    matches!(happening.kind, HappeningKind::Assigned | HappeningKind::Revoked | HappeningKind::Lost)
}

/// A partition's lag, where it is known.
fn lag_of(partition: &GroupPartition) -> Option<u64> {
    partition.lag().map(i64::unsigned_abs)
}

/// `3 partitions`.
fn partitions(locale: Locale, count: usize) -> String {
    match count {
        1 => td_string!(locale, groups.one_partition).into(),
        count => td_string!(locale, groups.some_partitions, count = grouped(count as u64)),
    }
}

/// How many partitions these are.
fn count(owned: &[Owned]) -> usize {
    owned.iter().map(|owned| owned.partitions.len()).sum()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::markup::live::text;
    use wire::{Member, MemberOttla, Stats};

    /// When the samples are looked at.
    pub const NOW: Millis = 1_795_185_127_418;

    pub fn owned(topic: &str, partitions: &[i32]) -> Owned {
        Owned { topic: topic.into(), partitions: partitions.into(), of: 6 }
    }

    pub fn partition(topic: &str, partition: i32, committed: i64, end: i64, owner: Option<&str>) -> GroupPartition {
        let (committed, end, owner) = (Some(committed), Some(end), owner.map(Into::into));
        GroupPartition { topic: topic.into(), partition, committed, end, owner, rate: Some(12), moved: None }
    }

    pub fn member(name: &str, owned: Vec<Owned>, is_self: bool) -> Member {
        let ottla = MemberOttla {
            started: NOW - 190 * 60_000,
            heard: NOW,
            stats: Stats { rate: 400, ..Stats::default() },
            is_self,
        };
        Member { client_id: name.into(), host: "/10.4.1.11".into(), owned, ottla: Some(ottla), ..Member::default() }
    }

    /// Two instances that share a topic.
    pub fn group() -> Group {
        Group {
            name: "ottla".into(),
            state: "stable".into(),
            protocol: "consumer".into(),
            assignor: "uniform".into(),
            coordinator: Some(2),
            members: vec![
                member("ottla-1", vec![owned("orders", &[0, 1])], false),
                member("ottla-2", vec![owned("orders", &[2])], true),
            ],
            partitions: vec![
                partition("orders", 0, 10, 10, Some("ottla-1")),
                partition("orders", 1, 10, 97, Some("ottla-1")),
                partition("orders", 2, 10, 1_214, Some("ottla-2")),
            ],
            feed: Some("default".into()),
            history: vec![],
        }
    }

    pub fn shown<'a>(reader: &'a Reader, group: &'a Group) -> Shown<'a> {
        Shown { reader, group, serving: "ottla-2", now: NOW }
    }

    pub fn in_english() -> Reader {
        Reader::of(Locale::en)
    }

    #[test]
    fn the_figures_sum_up_and_name_the_partition_that_is_furthest_behind() {
        let (reader, group) = (in_english(), group());
        let text = text(&figures(shown(&reader, &group)));
        for figure in ["Members 2", "3 in 1 topic", "800 msg/s", "1,291", "orders[2]", "uniform", "broker 2"] {
            assert!(text.contains(figure), "{figure} in {text}");
        }
    }

    #[test]
    fn what_is_not_known_is_said_or_left_out_never_guessed() {
        let reader = in_english();
        let mut group = Group { assignor: String::new(), coordinator: None, ..group() };
        group.partitions.iter_mut().for_each(|partition| partition.end = None);
        group.members.iter_mut().for_each(|member| member.ottla = None);
        let text = text(&figures(shown(&reader, &group)));
        assert!(text.contains("Rate not known") && text.contains("Total lag not known"), "{text}");
        assert!(!text.contains("Assignor") && !text.contains("Coordinator") && !text.contains("rebalance"), "{text}");
    }

    #[test]
    fn every_piece_has_its_place_in_the_page() {
        let (reader, group) = (in_english(), group());
        let page = body(shown(&reader, &group)).into_string();
        // The heading is the page's.
        for (id, content) in pieces(shown(&reader, &group)).into_iter().skip(1) {
            assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
            assert!(page.contains(&content.into_string()), "{id}");
        }
    }

    #[test]
    fn no_style_attributes_which_the_pages_policy_forbids() {
        let (reader, group) = (in_english(), group());
        assert!(!body(shown(&reader, &group)).into_string().contains("style="));
    }

    #[test]
    fn states_that_are_not_known_are_kafkas_word() {
        assert_eq!(text(&state(Locale::en, "not ready")), "not ready");
        assert_eq!(text(&state(Locale::zh_Hant, "stable")), "穩定");
    }

    #[test]
    fn names_are_text_and_never_markup() {
        let reader = in_english();
        let mut group = group();
        group.members[0].client_id = "<script>".into();
        group.members[0].host = "<b>".into();
        let page = body(shown(&reader, &group)).into_string();
        assert!(!page.contains("<script>") && !page.contains("<b>&"), "{page}");
    }
}
