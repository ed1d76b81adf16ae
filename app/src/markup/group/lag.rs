//! How far a group is in each partition.

use super::{BEHIND, Shown, lag_of};
use crate::{format::number::grouped, markup::instance::instance};
use leptos_i18n::td_string;
use maud::{Markup, html};
use std::cmp::Reverse;
use wire::GroupPartition;

/// How many partitions the table has at most: it is sent whole when a number changes. All of them are on the board.
const LINES: usize = 200;

/// The table, the partition that is furthest behind first.
pub fn table(Shown { reader, group, serving, .. }: Shown<'_>) -> Markup {
    let locale = reader.locale;
    let mut rows: Vec<(Option<u64>, &GroupPartition)> =
        group.partitions.iter().map(|partition| (lag_of(partition), partition)).collect();
    // Stable: those that are as far keep the order of their names.
    rows.sort_by_key(|(lag, _)| Reverse(*lag));
    rows.truncate(LINES);
    let worst = rows.first().and_then(|(lag, _)| *lag).unwrap_or(0);
    let offset = |offset: Option<i64>| offset.map_or("–".into(), |offset| grouped(offset.max(0).unsigned_abs()));
    if rows.is_empty() {
        return html! { tbody { tr { td.said { (td_string!(locale, groups.nothing_committed)) } } } };
    }
    html! {
        thead {
            tr {
                th scope="col" { (td_string!(locale, groups.partition)) }
                th.r scope="col" { (td_string!(locale, groups.current)) }
                th.r scope="col" { (td_string!(locale, groups.end)) }
                th.r scope="col" aria-sort="descending" { (td_string!(locale, groups.lag)) " ↓" }
                th.as-bar scope="col" { span.sr { (td_string!(locale, groups.bar)) } }
                th scope="col" { (td_string!(locale, groups.owner)) }
                th.r scope="col" { (td_string!(locale, groups.rate)) }
            }
        }
        tbody {
            @for (lag, partition) in rows {
                tr.level[lag == Some(0)] {
                    th.mono scope="row" { (partition.topic) "[" (partition.partition) "]" }
                    td.r.mono { (offset(partition.committed)) }
                    td.r.mono { (offset(partition.end)) }
                    td.r.mono { (lag.map_or("–".into(), grouped)) }
                    td.as-bar { @if let Some(lag) = lag { (bar(lag, worst)) } }
                    td {
                        @match &partition.owner {
                            Some(name) => (instance(name, serving)),
                            None => span.faint { (td_string!(locale, groups.no_owner)) },
                        }
                    }
                    td.r {
                        @match partition.rate {
                            Some(rate) => { (grouped(rate.into())) " " small.muted { (td_string!(locale, unit.per_second)) } },
                            None => span.faint { "–" },
                        }
                    }
                }
            }
        }
    }
}

/// A lag beside the largest. In SVG: the page's policy forbids style attributes.
fn bar(lag: u64, worst: u64) -> Markup {
    // What is there is seen, be it ever so little.
    let percent = if lag == 0 { 0 } else { (u128::from(lag) * 100 / u128::from(worst.max(1))).clamp(2, 100) };
    html! {
        svg.meter data-tone=(if lag >= BEHIND { "warn" } else { "info" }) aria-hidden="true" {
            rect width={ (percent) "%" } height="100%" {}
        }
    }
}

/// How many of the partitions the table shows, where it does not show all.
pub fn foot(Shown { reader, group, .. }: Shown<'_>) -> Markup {
    let count = group.partitions.len();
    html! {
        @if count > LINES {
            (td_string!(reader.locale, groups.cut, shown = LINES, count = grouped(count as u64)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::*, *};
    use crate::markup::live::text;
    use wire::Group;

    #[test]
    fn the_partition_that_is_furthest_behind_comes_first() {
        let (reader, group) = (in_english(), group());
        let table = table(shown(&reader, &group));
        let text = text(&table);
        let rows = "orders[2] 10 1,214 1,204 ottla-2 12 msg/s \
                    orders[1] 10 97 87 ottla-1 12 msg/s orders[0] 10 10 0 ottla-1 12 msg/s";
        assert!(text.ends_with(rows), "{text}");
        let html = table.into_string();
        assert_eq!(html.matches("class=\"level\"").count(), 1, "one has caught up");
        for percent in ["\"100%\"", "\"7%\"", "\"0%\""] {
            assert!(html.contains(&format!("rect width={percent}")), "{html}");
        }
    }

    #[test]
    fn what_is_not_known_is_a_dash_and_comes_last() {
        let reader = in_english();
        let mut group = group();
        group.partitions[2] =
            GroupPartition { committed: None, owner: None, rate: None, ..group.partitions[2].clone() };
        let text = text(&table(shown(&reader, &group)));
        assert!(text.ends_with("orders[2] – 1,214 – No owner –"), "{text}");
    }

    #[test]
    fn a_large_group_is_cut_and_says_so() {
        let reader = in_english();
        let partitions = (0..1_500).map(|number| partition("orders", number, 0, number.into(), None)).collect();
        let group = Group { partitions, ..group() };
        let html = table(shown(&reader, &group)).into_string();
        assert_eq!(html.matches("scope=\"row\"").count(), LINES);
        assert!(html.contains("orders[1499]") && !html.contains("orders[1299]"));
        assert_eq!(text(&foot(shown(&reader, &group))), "200 of 1,500 partitions: those with the most lag");
    }
}
