//! Who owns what: a column for each member, a tile for each of its partitions.

use super::{Shown, count, lag_of, partitions};
use crate::{
    format::{hue, number::grouped},
    i18n::Locale,
    markup::instance::instance,
    words::span,
};
use leptos_i18n::td_string;
use maud::{Markup, html};
use std::collections::{BTreeMap, HashMap, HashSet};
use wire::{Group, GroupPartition, HappeningKind, Member, Millis};

/// For how long a tile shows that its partition moved.
const MOVED: Millis = 60_000;

/// The columns, and a sentence where a member has nothing to do.
pub fn board(shown: Shown<'_>) -> Markup {
    let Shown { reader, group, .. } = shown;
    let locale = reader.locale;
    let by_place: HashMap<_, _> =
        group.partitions.iter().map(|partition| ((partition.topic.as_str(), partition.partition), partition)).collect();
    let owned: HashSet<_> = group.members.iter().flat_map(places).collect();
    let unowned: Vec<_> =
        group.partitions.iter().filter(|p| !owned.contains(&(p.topic.as_str(), p.partition))).collect();
    html! {
        @if let Some(why) = idle(locale, group) { p.said { (why) } }
        @if group.members.is_empty() && group.partitions.is_empty() { p.said { (td_string!(locale, groups.nothing_shared)) } }
        @for member in &group.members { (column(shown, member, &by_place)) }
        @if !unowned.is_empty() { (without_owner(shown, &unowned)) }
    }
}

fn places(member: &Member) -> impl Iterator<Item = (&str, i32)> {
    member.owned.iter().flat_map(|owned| owned.partitions.iter().map(|partition| (owned.topic.as_str(), *partition)))
}

/// Why members have nothing to do, where the group has more of them than partitions.
fn idle(locale: Locale, group: &Group) -> Option<Markup> {
    let idle = group.members.iter().filter(|member| count(&member.owned) == 0).count();
    if idle == 0 || !is_crowded(group) {
        return None;
    }
    let members = td_string!(locale, groups.some_members, count = group.members.len());
    let partitions = partitions(locale, group.partitions.len());
    let what = match idle {
        1 => td_string!(locale, groups.one_idle, members, partitions),
        idle => td_string!(locale, groups.some_idle, members, partitions, idle),
    };
    Some(html! { b { (what) } " " (td_string!(locale, groups.idle_means)) })
}

/// Whether there are more members than partitions, so that some must be idle.
fn is_crowded(group: &Group) -> bool {
    group.members.len() > group.partitions.len() && !group.partitions.is_empty()
}

fn column(shown: Shown<'_>, member: &Member, by_place: &HashMap<(&str, i32), &GroupPartition>) -> Markup {
    let Shown { reader, group, serving, now } = shown;
    let locale = reader.locale;
    let of = group.partitions.len();
    let is_self = member.ottla.as_ref().is_some_and(|ottla| ottla.is_self);
    html! {
        section data-i=(hue::of(&member.client_id)) aria-label=(member.client_id) {
            header.wrap {
                (instance(&member.client_id, if is_self { serving } else { "" }))
                @if is_self { span.badge { (td_string!(locale, nav.this_tab)) } }
                @if let Some(ottla) = &member.ottla {
                    span.num.muted.push { (grouped(ottla.stats.rate)) " " (td_string!(locale, unit.per_second)) }
                }
            }
            p.faint.num {
                (td_string!(locale, groups.of_partitions, count = count(&member.owned), of = partitions(locale, of)))
                // A Java broker writes it with a slash before it.
                @let host = member.host.trim_start_matches('/');
                @if !host.is_empty() { " · " span.mono { (host) } }
                @if let Some(ottla) = &member.ottla { " · " (up(locale, now - ottla.started)) }
                @if let Some(id) = &member.static_id { " · " (td_string!(locale, groups.static_member)) " " span.mono { (id) } }
            }
            @if member.ottla.is_none() { p.faint { (td_string!(locale, groups.not_ottla)) } }
            @if count(&member.owned) == 0 {
                p {
                    @if is_crowded(group) { (td_string!(locale, groups.idle)) }
                    @else { (td_string!(locale, groups.idle_for_now)) }
                }
            }
            @for owned in &member.owned {
                @if !owned.partitions.is_empty() {
                    (tiles(&owned.topic, owned.partitions.iter().map(|&partition| {
                        tile(shown, partition, by_place.get(&(owned.topic.as_str(), partition)).copied())
                    })))
                }
            }
        }
    }
}

/// Partitions that nobody consumes.
fn without_owner(shown: Shown<'_>, unowned: &[&GroupPartition]) -> Markup {
    let locale = shown.reader.locale;
    let mut by_topic = BTreeMap::<_, Vec<_>>::new();
    for partition in unowned {
        by_topic.entry(partition.topic.as_str()).or_default().push(*partition);
    }
    let of = partitions(locale, shown.group.partitions.len());
    html! {
        section data-tone="warn" aria-label=(td_string!(locale, groups.no_owner)) {
            header.wrap { strong.ink { (td_string!(locale, groups.no_owner)) } }
            p.faint.num { (td_string!(locale, groups.of_partitions, count = unowned.len(), of)) }
            p { (td_string!(locale, groups.no_owner_means)) }
            @for (topic, partitions) in by_topic {
                (tiles(topic, partitions.into_iter().map(|partition| tile(shown, partition.partition, Some(partition)))))
            }
        }
    }
}

fn tiles(topic: &str, tiles: impl Iterator<Item = Markup>) -> Markup {
    html! {
        div {
            h3.mono { (topic) }
            ul.wrap { @for tile in tiles { (tile) } }
        }
    }
}

fn tile(Shown { reader, group, now, .. }: Shown<'_>, number: i32, partition: Option<&GroupPartition>) -> Markup {
    let locale = reader.locale;
    let moved = partition.filter(|partition| partition.moved.is_some_and(|at| now - at < MOVED));
    let moved = moved.map(|partition| match from(group, partition) {
        Some(name) => td_string!(locale, groups.moved_from, name),
        None => td_string!(locale, groups.moved).into(),
    });
    let lag = partition.and_then(lag_of).map_or("–".into(), grouped);
    html! {
        li.tile.moved[moved.is_some()] title=[&moved] {
            b { (number) }
            small { (td_string!(locale, groups.lag_of, lag)) }
            @if let Some(moved) = &moved { span.sr { (moved) } }
        }
    }
}

/// The member that a partition came from when it moved last, where that is known.
fn from<'a>(group: &'a Group, partition: &GroupPartition) -> Option<&'a str> {
    let about_it = |happening: &&wire::Happening| {
        let mut owned = happening.partitions.iter();
        happening.kind == HappeningKind::Assigned
            && owned.any(|owned| owned.topic == partition.topic && owned.partitions.contains(&partition.partition))
    };
    group.history.iter().filter(about_it).max_by_key(|happening| happening.at)?.from.as_deref()
}

/// For how long a member has run, to the minute: it need not change every second.
fn up(locale: Locale, millis: Millis) -> String {
    const MINUTE: Millis = 60_000;
    match millis {
        ..MINUTE => td_string!(locale, groups.just_started).into(),
        _ => td_string!(locale, groups.up, time = span(locale, millis)),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::*, *};
    use crate::markup::live::text;
    use wire::Happening;

    fn board_of(group: &Group) -> (String, String) {
        let reader = in_english();
        let board = board(shown(&reader, group));
        (text(&board), board.into_string())
    }

    #[test]
    fn each_member_has_a_column_and_only_the_serving_one_is_filled() {
        let (text, html) = board_of(&group());
        assert!(text.contains("ottla-1 400 msg/s 2 of 3 partitions · 10.4.1.11 · up 3 h 10 min"), "{text}");
        assert!(text.contains("ottla-2 this tab 400 msg/s 1 of 3 partitions"), "{text}");
        assert!(text.contains("orders 2 lag 1,204"), "{text}");
        assert_eq!(html.matches("inst own").count(), 1);
        assert!(!text.contains("No owner") && !text.contains("nothing to do"), "{text}");
    }

    #[test]
    fn a_tile_that_moved_is_outlined_for_a_minute_and_says_from_where() {
        let mut group = group();
        group.partitions[0].moved = Some(NOW - 59_000);
        group.partitions[1].moved = Some(NOW - 60_000);
        group.history.push(Happening {
            at: NOW - 59_000,
            member: "ottla-1".into(),
            kind: HappeningKind::Assigned,
            partitions: vec![owned("orders", &[0])],
            unowned: None,
            from: Some("ottla-3".into()),
        });
        let (text, html) = board_of(&group);
        assert_eq!(html.matches("tile moved").count(), 1);
        assert!(text.contains("0 lag 0 Moved in the last minute, from ottla-3"), "{text}");
    }

    #[test]
    fn a_member_without_partitions_says_why() {
        let mut group = group();
        group.members.push(member("ottla-3", vec![], false));
        group.members.push(member("ottla-4", vec![], false));
        let (text, _) = board_of(&group);
        assert!(text.starts_with("4 members, 3 partitions: 2 have nothing to do."), "{text}");
        group.members.pop();
        group.partitions.pop();
        group.members[1].owned.clear();
        group.members.pop();
        group.partitions.pop();
        let (text, _) = board_of(&group);
        assert!(text.starts_with("2 members, 1 partition: one has nothing to do."), "{text}");
        assert!(text.contains("Idle: it takes over when another member leaves."), "{text}");
    }

    #[test]
    fn a_member_that_waits_for_its_share_is_not_called_one_too_many() {
        let mut group = group();
        group.members[1].owned.clear();
        let (text, _) = board_of(&group);
        assert!(!text.contains("nothing to do."), "{text}");
        assert!(text.contains("Nothing yet"), "{text}");
    }

    #[test]
    fn partitions_without_an_owner_have_a_column_of_their_own() {
        let mut group = group();
        group.members.clear();
        let (text, _) = board_of(&group);
        assert!(text.starts_with("No owner 3 of 3 partitions"), "{text}");
        group.partitions.clear();
        assert!(board_of(&group).0.starts_with("No member is connected"));
    }

    #[test]
    fn a_member_that_is_not_an_instance_of_ottla_says_so() {
        let mut group = group();
        group.members[0].ottla = None;
        let (text, _) = board_of(&group);
        assert!(text.contains("ottla-1 2 of 3 partitions · 10.4.1.11 Not an instance of Ottla"), "{text}");
    }
}
