//! What happened in a group lately: a lane for each member, and the same facts in a table.
//!
//! The lanes are drawn in SVG, whose attributes say where things are: the page's policy forbids style attributes.

use super::{Shown, count};
use crate::{
    i18n::Locale,
    markup::{instance::instance, time},
    reader::Reader,
    words::{ranges, span},
};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{Happening, HappeningKind, Millis};

/// How far back the lanes go.
const SHOWN: Millis = 10 * 60_000;
/// How far the lanes move at once, so that they are not drawn anew every second.
const STEP: Millis = 5_000;
/// What happened to one member within this time is drawn side by side, for it would lie upon each other.
const TOGETHER: Millis = 30_000;
/// How many lines the table has at most.
const LINES: usize = 100;

/// Of the last ten minutes, the newest first.
fn lately<'a>(shown: &Shown<'a>) -> impl Iterator<Item = &'a Happening> {
    let since = edge(shown.now) - SHOWN;
    shown.group.history.iter().filter(move |happening| happening.at > since)
}

/// Where the lanes end.
fn edge(now: Millis) -> Millis {
    (now / STEP + 1) * STEP
}

/// The lanes; nothing where nothing happened.
pub fn lanes(shown: Shown<'_>) -> Markup {
    let locale = shown.reader.locale;
    if lately(&shown).next().is_none() {
        return html! {};
    }
    // Of members that are no instances of Ottla nothing is known: an empty lane would say that nothing happened.
    let members = shown.group.members.iter().filter(|member| member.ottla.is_some());
    let mut names: Vec<_> = members.map(|member| member.client_id.as_str()).collect();
    names.extend(lately(&shown).map(|happening| happening.member.as_str()));
    names.sort_unstable();
    names.dedup();
    html! {
        @for name in names {
            span { (instance(name, shown.serving)) }
            (lane(&shown, name))
        }
        span {}
        svg.lane.axis {
            @for minutes in (0..=10).step_by(2) {
                text.oldest[minutes == 10] x={ (100 - minutes * 10) "%" } y="16" {
                    @if minutes == 0 { (td_string!(locale, groups.now)) }
                    @else { (td_string!(locale, groups.minutes, count = minutes)) }
                }
            }
        }
    }
}

fn lane(shown: &Shown<'_>, name: &str) -> Markup {
    let locale = shown.reader.locale;
    let begin = edge(shown.now) - SHOWN;
    let x = |at: Millis| {
        let tenths = (at - begin).clamp(0, SHOWN) * 1_000 / SHOWN;
        format!("{}.{}%", tenths / 10, tenths % 10)
    };
    let mut own: Vec<_> = lately(shown).filter(|happening| happening.member == name).collect();
    own.sort_by_key(|happening| happening.at);
    let holds = own.iter().filter_map(|happening| Some((happening.at - happening.unowned?, happening.at)));
    html! {
        svg.lane {
            @for (from, to) in holds { line.hold data-tone="warn" x1=(x(from)) x2=(x(to)) y1="16" y2="16" {} }
            @for cluster in clusters(&own) { svg x=(x(cluster.at)) y="6" { (marks(locale, &cluster.marks)) } }
        }
    }
}

/// What is drawn at one place.
struct Cluster {
    /// The newest of it.
    at: Millis,
    /// What happened, and to how many partitions.
    marks: Vec<(HappeningKind, usize)>,
}

/// What happened to one member, the oldest first, by place.
fn clusters(happenings: &[&Happening]) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for happening in happenings {
        let (kind, count) = (happening.kind, count(&happening.partitions));
        match clusters.last_mut() {
            Some(cluster) if happening.at - cluster.at < TOGETHER => {
                cluster.at = happening.at;
                match cluster.marks.last_mut() {
                    Some((last, sum)) if *last == kind => *sum += count,
                    _ => cluster.marks.push((kind, count)),
                }
            }
            _ => clusters.push(Cluster { at: happening.at, marks: vec![(kind, count)] }),
        }
    }
    clusters
}

/// Side by side: the newest in the middle of the place, the others before it. Lengths are CSS pixels.
fn marks(locale: Locale, marks: &[(HappeningKind, usize)]) -> Markup {
    const GAP: usize = 3;
    let texts: Vec<_> = marks
        .iter()
        .map(|&(kind, count)| {
            let text = match kind {
                HappeningKind::Assigned => format!("+{count}"),
                HappeningKind::Revoked => format!("−{count}"),
                HappeningKind::Lost => format!("{} {count}", word(locale, kind)),
                kind => word(locale, kind).into(),
            };
            (tone(kind), width(&text), text)
        })
        .collect();
    let half = texts.last().map_or(0, |(_, width, _)| width / 2);
    let before = texts.iter().map(|(_, width, _)| width + GAP).sum::<usize>().saturating_sub(half + GAP);
    let mut left = 0;
    let placed = texts.into_iter().map(|(tone, width, text)| {
        let x = left as i64 - before as i64;
        left += width + GAP;
        (tone, x, width, text)
    });
    html! {
        @for (tone, x, width, text) in placed {
            g data-tone=[tone] {
                rect x=(x) width=(width) height="20" rx="4" {}
                text x=(x + width as i64 / 2) y="14" { (text) }
            }
        }
    }
}

/// About how wide a mark with this text is.
fn width(text: &str) -> usize {
    const PADDING: usize = 12;
    PADDING + text.chars().map(|c| if c.len_utf8() < 3 || c == '−' { 7 } else { 12 }).sum::<usize>()
}

/// The table of the same facts, the newest first.
pub fn table(shown: Shown<'_>) -> Markup {
    let Shown { reader, group, serving, .. } = shown;
    let locale = reader.locale;
    let mut rows: Vec<_> = lately(&shown).collect();
    rows.sort_by_key(|happening| std::cmp::Reverse(happening.at));
    rows.truncate(LINES);
    let nobody_tells = group.history.is_empty() && group.members.iter().all(|member| member.ottla.is_none());
    html! {
        @if rows.is_empty() {
            tbody {
                tr {
                    td.said {
                        @if nobody_tells { (td_string!(locale, groups.nobody_tells)) }
                        @else { (td_string!(locale, groups.no_rebalance)) }
                    }
                }
            }
        } @else {
            thead {
                tr {
                    th scope="col" { (td_string!(locale, groups.time)) }
                    th scope="col" { (td_string!(locale, groups.event)) }
                    th scope="col" { (td_string!(locale, groups.partitions)) }
                    th scope="col" { (td_string!(locale, groups.member)) }
                    th.r scope="col" { (td_string!(locale, groups.unowned)) }
                    th scope="col" { (td_string!(locale, groups.from)) }
                }
            }
            tbody { @for happening in rows { (line(reader, happening, serving)) } }
        }
    }
}

fn line(reader: &Reader, happening: &Happening, serving: &str) -> Markup {
    let locale = reader.locale;
    html! {
        tr {
            td { (time::of_day(reader, happening.at)) }
            td { span.badge data-tone=[tone(happening.kind)] { (word(locale, happening.kind)) } }
            td.mono { (ranges(&happening.partitions)) }
            td { (instance(&happening.member, serving)) }
            td.r {
                @match happening.unowned {
                    Some(millis) => (span(locale, millis)),
                    None => span.faint { "–" },
                }
            }
            td {
                @match &happening.from {
                    Some(name) => (instance(name, serving)),
                    None => span.faint { "–" },
                }
            }
        }
    }
}

/// What the events' words mean.
pub fn glossary(locale: Locale) -> Markup {
    let meanings = [
        (HappeningKind::Joined, td_string!(locale, groups.joined_means)),
        (HappeningKind::Assigned, td_string!(locale, groups.assigned_means)),
        (HappeningKind::Revoked, td_string!(locale, groups.revoked_means)),
        (HappeningKind::Lost, td_string!(locale, groups.lost_means)),
        (HappeningKind::Left, td_string!(locale, groups.left_means)),
        (HappeningKind::Silent, td_string!(locale, groups.silent_means)),
        (HappeningKind::Sought, td_string!(locale, groups.sought_means)),
    ];
    html! {
        details {
            summary.link { (td_string!(locale, groups.glossary)) }
            dl.kv {
                @for (kind, meaning) in meanings {
                    dt { span.badge data-tone=[tone(kind)] { (word(locale, kind)) } }
                    dd { (meaning) }
                }
            }
        }
    }
}

fn word(locale: Locale, kind: HappeningKind) -> &'static str {
    match kind {
        HappeningKind::Joined => td_string!(locale, groups.joined),
        HappeningKind::Left => td_string!(locale, groups.left),
        HappeningKind::Silent => td_string!(locale, groups.silent),
        HappeningKind::Assigned => td_string!(locale, groups.assigned),
        HappeningKind::Revoked => td_string!(locale, groups.revoked),
        HappeningKind::Lost => td_string!(locale, groups.lost),
        HappeningKind::Sought => td_string!(locale, groups.sought),
    }
}

fn tone(kind: HappeningKind) -> Option<&'static str> {
    match kind {
        HappeningKind::Assigned => Some("ok"),
        HappeningKind::Revoked => Some("warn"),
        HappeningKind::Lost | HappeningKind::Silent => Some("danger"),
        HappeningKind::Sought => Some("info"),
        HappeningKind::Joined | HappeningKind::Left => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::*, *};
    use crate::markup::live::text;
    use wire::Group;

    fn happening(seconds_ago: i64, member: &str, kind: HappeningKind, partitions: &[i32]) -> Happening {
        let partitions = vec![owned("orders", partitions)];
        Happening { at: NOW - seconds_ago * 1_000, member: member.into(), kind, partitions, unowned: None, from: None }
    }

    /// The third instance crashed, and the second took over.
    fn eventful() -> Group {
        let taken = Happening {
            unowned: Some(1_821),
            from: Some("ottla-3".into()),
            ..happening(10, "ottla-2", HappeningKind::Assigned, &[3, 4, 5])
        };
        let silent = Happening { partitions: vec![], ..happening(12, "ottla-3", HappeningKind::Silent, &[]) };
        let old = happening(601, "ottla-1", HappeningKind::Lost, &[0]);
        Group { history: vec![taken, silent, old], ..group() }
    }

    #[test]
    fn the_table_says_what_the_lanes_show_the_newest_first() {
        let (reader, group) = (in_english(), eventful());
        let rows = text(&table(shown(&reader, &group)));
        assert!(
            rows.contains("14:31:57.418 assigned orders[3–5] ottla-2 1.8 s ottla-3 14:31:55.418 silent ottla-3 – –"),
            "{rows}"
        );
        assert!(!rows.contains("lost"), "longer ago than ten minutes: {rows}");
        let lanes = lanes(shown(&reader, &group)).into_string();
        assert!(lanes.contains("+3") && lanes.contains("class=\"hold\"") && lanes.contains(">silent<"), "{lanes}");
    }

    #[test]
    fn a_member_that_is_gone_still_has_its_lane() {
        let (reader, group) = (in_english(), eventful());
        let lanes = text(&lanes(shown(&reader, &group)));
        let at = |name| lanes.find(name).unwrap_or_else(|| panic!("{name} in {lanes}"));
        assert!(at("ottla-1") < at("ottla-2") && at("ottla-2") < at("ottla-3"));
    }

    #[test]
    fn where_nothing_happened_it_is_said_and_where_nobody_can_tell_too() {
        let reader = in_english();
        let mut group = group();
        assert!(lanes(shown(&reader, &group)).into_string().is_empty());
        assert!(text(&table(shown(&reader, &group))).contains("No rebalance in the last 10 minutes"));
        group.members.iter_mut().for_each(|member| member.ottla = None);
        assert!(text(&table(shown(&reader, &group))).contains("none is a member of this group"));
    }

    #[test]
    fn what_happened_at_about_the_same_time_is_drawn_side_by_side() {
        let all = [
            happening(100, "a", HappeningKind::Joined, &[]),
            happening(99, "a", HappeningKind::Assigned, &[1]),
            happening(98, "a", HappeningKind::Assigned, &[2, 3]),
            happening(50, "a", HappeningKind::Revoked, &[1]),
        ];
        let clusters = clusters(&all.iter().collect::<Vec<_>>());
        let marks: Vec<_> = clusters.iter().map(|cluster| cluster.marks.as_slice()).collect();
        let first = [(HappeningKind::Joined, 0), (HappeningKind::Assigned, 3)];
        assert_eq!(marks, [&first[..], &[(HappeningKind::Revoked, 1)]]);
    }

    #[test]
    fn the_lanes_move_in_steps() {
        let (reader, group) = (in_english(), eventful());
        let at = |now| lanes(Shown { now, ..shown(&reader, &group) }).into_string();
        let begin = NOW / STEP * STEP;
        assert_eq!(at(begin), at(begin + STEP - 1));
        assert_ne!(at(begin), at(begin + STEP));
    }

    #[test]
    fn events_have_words_in_every_language() {
        for locale in [Locale::en, Locale::zh_Hant, Locale::zh_Hans] {
            assert_eq!(glossary(locale).into_string().matches("<dt>").count(), 7);
            let (reader, group) = (Reader::of(locale), eventful());
            assert!(text(&table(shown(&reader, &group))).contains(word(locale, HappeningKind::Silent)));
        }
    }
}
