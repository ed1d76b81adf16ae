//! The figures of the feed: the group, what this instance owns, rate, lag, audit, and what this tab holds.

use crate::{
    format::{hue, number::grouped},
    reader::Reader,
    words,
};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{Assignment, Fellow, Stats};

/// What the strip shows.
#[derive(Clone, Copy)]
pub struct Figures<'a> {
    /// The consumer group.
    pub group: &'a str,
    /// The instance that serves this tab.
    pub serving: &'a str,
    /// What it owns.
    pub assignment: &'a Assignment,
    /// Its counters.
    pub stats: &'a Stats,
    /// The instances that consume the group, where the whole group is shown.
    pub members: Option<&'a [Fellow]>,
    /// How many records this tab holds.
    pub held: u64,
    /// How many it let go at the far end.
    pub dropped: u64,
}

/// The strip's content.
pub fn figures(
    reader: &Reader,
    Figures { group, serving, assignment, stats, members, held, dropped }: Figures<'_>,
) -> Markup {
    let locale = reader.locale;
    let (rate_of, rate) = match members {
        Some(members) => (td_string!(locale, strip.rate_whole), members.iter().map(|member| member.rate).sum()),
        None => (td_string!(locale, strip.rate), stats.rate),
    };
    html! {
        div { dt { (td_string!(locale, strip.group)) } dd { span.mono { (group) } } }
        div { dt { (td_string!(locale, strip.owns)) } dd { (owned(reader, assignment, serving)) } }
        div {
            dt { (rate_of) }
            dd { span { (grouped(rate)) } " " small { (td_string!(locale, unit.per_second)) } }
        }
        div {
            dt { (td_string!(locale, strip.lag)) }
            dd {
                @match lag(stats) {
                    Some(lag) => { span { (grouped(lag)) } " " small { (td_string!(locale, strip.pending)) } }
                    None => small { (td_string!(locale, strip.unknown)) }
                }
            }
        }
        div {
            dt { (td_string!(locale, strip.audit)) }
            dd {
                span data-count="consumed" { (grouped(stats.consumed)) } " "
                small { (td_string!(locale, strip.consumed)) }
                (audit(stats.duplicates, td_string!(locale, strip.duplicates), "warn", "duplicates"))
                (audit(stats.missing, td_string!(locale, strip.missing), "danger", "missing"))
                @for (count, name, what) in [
                    (stats.redelivered, "redelivered", td_string!(locale, row.redelivered)),
                    (stats.possibly_redelivered, "possibly", td_string!(locale, row.possibly)),
                    (stats.replayed, "replayed", td_string!(locale, row.replayed)),
                    (stats.skipped, "skipped", td_string!(locale, strip.skipped)),
                    (stats.gaps, "gaps", td_string!(locale, strip.not_shown)),
                ] {
                    @if count > 0 { small data-count=(name) { (grouped(count)) " " (what) } }
                }
            }
        }
        div {
            dt { (td_string!(locale, strip.kept)) }
            dd {
                span data-count="kept" { (grouped(held)) }
                @if dropped > 0 { small { (td_string!(locale, strip.dropped, count = grouped(dropped))) } }
            }
        }
    }
}

/// A count that should be 0: quiet while it is.
fn audit(count: u64, what: &str, tone: &str, name: &str) -> Markup {
    html! {
        @if count == 0 { small data-count=(name) { "0 " (what) } }
        @else { span.badge data-tone=(tone) data-count=(name) { (grouped(count)) " " (what) } }
    }
}

fn owned(reader: &Reader, assignment: &Assignment, serving: &str) -> Markup {
    let locale = reader.locale;
    if assignment.owned.is_empty() {
        return html! { small { (td_string!(locale, strip.owns_nothing)) } };
    }
    html! {
        span.sr { (td_string!(locale, strip.sentence, owned = words::owned(locale, &assignment.owned))) }
        span.wrap.owned aria-hidden="true" {
            @for owned in &assignment.owned {
                span.mono { (owned.topic) }
                @for partition in &owned.partitions { span.part data-i=(hue::of(serving)) { (partition) } }
                @if owned.of > 0 { small { (td_string!(locale, strip.of, count = owned.of)) } }
            }
        }
    }
}

/// Log end offset less committed offset, over all owned partitions; nothing while one of them is not known.
fn lag(stats: &Stats) -> Option<u64> {
    if stats.partitions.is_empty() {
        return None;
    }
    let of_one = |partition: &wire::PartitionStats| {
        Some(partition.end?.saturating_sub(partition.committed?).max(0).unsigned_abs())
    };
    stats.partitions.iter().map(of_one).sum()
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
