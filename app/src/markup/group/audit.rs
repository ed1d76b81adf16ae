//! What each instance counted since it started, and the group's sum: what was consumed once, what came again and why, what did
//! not come at all.

use super::Shown;
use crate::{format::number::grouped, i18n::Locale, markup::instance::instance};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::Stats;

/// A counter: its name, what it means, and the tone of one that should be 0.
struct Counter {
    name: &'static str,
    means: &'static str,
    tone: Option<&'static str>,
    of: fn(&Stats) -> u64,
    /// How many of these a second look showed to be no messages.
    empty: Option<fn(&Stats) -> u64>,
}

fn counters(locale: Locale) -> [Counter; 8] {
    let counter = |name, means, tone, of| Counter { name, means, tone, of, empty: None };
    [
        counter(td_string!(locale, strip.consumed), td_string!(locale, audit.consumed), None, |it| it.consumed),
        counter(td_string!(locale, strip.duplicates), td_string!(locale, audit.duplicates), Some("danger"), |it| {
            it.duplicates
        }),
        counter(td_string!(locale, row.redelivered), td_string!(locale, row.redelivered_hint), None, |it| {
            it.redelivered
        }),
        counter(td_string!(locale, row.possibly), td_string!(locale, row.possibly_hint), None, |it| {
            it.possibly_redelivered
        }),
        counter(td_string!(locale, row.replayed), td_string!(locale, row.replayed_hint), None, |it| it.replayed),
        counter(td_string!(locale, strip.missing), td_string!(locale, audit.missing), Some("danger"), |it| it.missing),
        Counter {
            empty: Some(|it| it.empty),
            ..counter(td_string!(locale, strip.skipped), td_string!(locale, audit.skipped), None, |it| it.skipped)
        },
        counter(td_string!(locale, strip.not_shown), td_string!(locale, audit.not_shown), None, |it| it.gaps),
    ]
}

/// The table; nothing where no member is an instance of Ottla.
pub fn table(Shown { reader, group, serving, .. }: Shown<'_>) -> Markup {
    let locale = reader.locale;
    let counters = counters(locale);
    let rows: Vec<_> =
        group.members.iter().filter_map(|member| Some((&member.client_id, &member.ottla.as_ref()?.stats))).collect();
    let cells = |total: &dyn Fn(fn(&Stats) -> u64) -> u64| {
        html! {
            @for counter in &counters {
                @let count = total(counter.of);
                td.r.num {
                    @match counter.tone.filter(|_| count > 0) {
                        Some(tone) => span.badge data-tone=(tone) { (grouped(count)) },
                        None => (grouped(count)),
                    }
                    @if let Some(empty) = counter.empty && count > 0 {
                        " " small.muted { (td_string!(locale, audit.empty, count = grouped(total(empty)))) }
                    }
                }
            }
        }
    };
    if rows.is_empty() {
        return html! { tbody { tr { td.said { (td_string!(locale, audit.none)) } } } };
    }
    html! {
        thead {
            tr {
                th scope="col" { (td_string!(locale, groups.member)) }
                @for counter in &counters { th.r scope="col" title=(counter.means) { (counter.name) } }
            }
        }
        tbody {
            @for (name, stats) in &rows {
                tr {
                    th scope="row" { (instance(name, serving)) }
                    (cells(&|of| of(stats)))
                }
            }
        }
        @if rows.len() > 1 {
            tfoot {
                tr {
                    th scope="row" { (td_string!(locale, audit.sum)) }
                    (cells(&|of| rows.iter().map(|(_, stats)| of(stats)).fold(0, u64::saturating_add)))
                }
            }
        }
    }
}

/// What the counters mean.
pub fn glossary(locale: Locale) -> Markup {
    html! {
        details {
            summary.link { (td_string!(locale, groups.glossary)) }
            dl.kv { @for counter in counters(locale) { dt { (counter.name) } dd { (counter.means) } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{group, in_english, shown};
    use super::*;
    use crate::markup::live::text;

    #[test]
    fn the_sum_is_of_all_instances_and_what_should_be_0_stands_out() {
        let (reader, mut group) = (in_english(), group());
        for (member, consumed) in group.members.iter_mut().zip([1_000, 234]) {
            member.ottla.as_mut().unwrap().stats.consumed = consumed;
        }
        group.members[1].ottla.as_mut().unwrap().stats.missing = 3;
        let table = table(shown(&reader, &group));
        let html = table.clone().into_string();
        assert!(text(&table).contains("All together 1,234 0 0 0 0 3 0 0"), "{}", text(&table));
        assert_eq!(html.matches("data-tone=\"danger\"").count(), 2, "{html}");
    }

    #[test]
    fn skipped_offsets_say_how_many_were_seen_to_be_empty() {
        let (reader, mut group) = (in_english(), group());
        let stats = &mut group.members[0].ottla.as_mut().unwrap().stats;
        (stats.skipped, stats.empty) = (12, 9);
        let text = text(&table(shown(&reader, &group)));
        assert!(text.contains("12 9 seen empty"), "{text}");
    }

    #[test]
    fn members_that_are_not_ours_have_no_counters() {
        let (reader, mut group) = (in_english(), group());
        group.members.iter_mut().for_each(|member| member.ottla = None);
        assert!(text(&table(shown(&reader, &group))).contains("No member"));
    }
}
