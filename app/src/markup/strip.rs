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
    /// The rate of each of the last seconds that this tab saw, the newest last.
    pub rates: &'a [u64],
    /// How many records this tab holds.
    pub held: u64,
    /// How many it let go at the far end.
    pub dropped: u64,
}

/// The strip's content.
pub fn figures(
    reader: &Reader,
    Figures { group, serving, assignment, stats, members, rates, held, dropped }: Figures<'_>,
) -> Markup {
    let locale = reader.locale;
    let rate_of = match members {
        Some(_) => td_string!(locale, strip.rate_whole),
        None => td_string!(locale, strip.rate),
    };
    html! {
        div { dt { (td_string!(locale, strip.group)) } dd { span.mono { (group) } } }
        div { dt { (td_string!(locale, strip.owns)) } dd { (owned(reader, assignment, serving)) } }
        div {
            dt { (rate_of) }
            dd { (spark(rates)) span { (grouped(rate(stats, members))) } " " small { (td_string!(locale, unit.per_second)) } }
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

/// Records consumed in the last second: by the whole group, where its members are given, else by this instance.
pub fn rate(stats: &Stats, members: Option<&[Fellow]>) -> u64 {
    members.map_or(stats.rate, |members| members.iter().map(|member| member.rate).sum())
}

/// How many seconds the rate's line shows.
pub const SPARK_SECONDS: usize = 60;

/// The rate as a line over the last minute, which fills up from the right. The number beside it says it to those who can't see it.
fn spark(rates: &[u64]) -> Markup {
    // In whole units of the picture, each about a pixel.
    const HEIGHT: u64 = 20;
    let most = rates.iter().copied().max().unwrap_or(0).max(1);
    let first = SPARK_SECONDS.saturating_sub(rates.len());
    let mut line = format!("M{first} {HEIGHT}");
    for (second, rate) in rates.iter().enumerate() {
        line.push_str(&format!("L{} {}", first + second, HEIGHT - rate.saturating_mul(HEIGHT) / most));
    }
    line.push_str(&format!("V{HEIGHT}"));
    html! {
        svg.spark viewBox={ "0 0 " (SPARK_SECONDS - 1) " " (HEIGHT) } preserveAspectRatio="none" aria-hidden="true" { path d=(line); }
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
    fn the_line_of_the_rate_ends_at_the_right_and_its_peak_at_the_top() {
        let path = |rates: &[u64]| spark(rates).into_string().split('"').rev().nth(1).unwrap().to_owned();
        assert_eq!(path(&[]), "M60 20V20");
        assert_eq!(path(&[0, 5, 10]), "M57 20L57 20L58 10L59 0V20");
        assert!(path(&vec![u64::MAX; SPARK_SECONDS]).starts_with("M0 20L0 "));
    }

    #[test]
    fn lag_is_the_sum_and_never_a_guess() {
        assert_eq!(of(vec![partition(Some(3), Some(10)), partition(Some(5), Some(5))]), Some(7));
        assert_eq!(of(vec![partition(Some(3), Some(10)), partition(None, Some(5))]), None);
        assert_eq!(of(vec![]), None);
        assert_eq!(of(vec![partition(Some(6), Some(5))]), Some(0));
    }
}
