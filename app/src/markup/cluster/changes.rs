//! What changed in the cluster while someone looked.

use super::Shown;
use crate::{
    format::number::grouped,
    i18n::Locale,
    markup::{icon::icon, time},
    reader::Reader,
    words::ranges,
};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{ClusterChange, ClusterChangeKind, Millis, Owned};

/// How many lines the table has at most: it is sent whole when one is added.
const LINES: usize = 50;
/// How many partitions a line names at most.
const NAMED: usize = 30;
/// When the look before was so long ago, the line says so: it may have happened at any time between.
const APART: Millis = 3_000;

/// Where an element stands in a sentence, which is at another place in each language.
const HERE: &str = "\u{fffc}";

/// The table, the newest first; or that nothing changed.
pub fn table(Shown { reader, cluster, .. }: Shown<'_>) -> Markup {
    let locale = reader.locale;
    html! {
        @if cluster.changes.is_empty() {
            tbody {
                tr {
                    @let said = td_string!(locale, cluster.nothing_changed, time = HERE);
                    @let (before, after) = said.split_once(HERE).unwrap_or((said.as_str(), ""));
                    td.said { (before) (time::of_day(reader, cluster.watched_since)) (after) }
                }
            }
        } @else {
            thead {
                tr {
                    th scope="col" { (td_string!(locale, groups.time)) }
                    th scope="col" { (td_string!(locale, groups.event)) }
                    th scope="col" { (td_string!(locale, groups.from)) }
                    th scope="col" { (td_string!(locale, cluster.to)) }
                    th scope="col" { (td_string!(locale, topics.partitions)) }
                }
            }
            tbody { @for change in cluster.changes.iter().take(LINES) { (line(reader, change)) } }
        }
    }
}

fn line(reader: &Reader, change: &ClusterChange) -> Markup {
    let locale = reader.locale;
    let broker = |id: Option<i32>| match id {
        Some(id) => html! { (td_string!(locale, groups.broker, id)) },
        None => html! { span.faint { "–" } },
    };
    let (tone, symbol, word) = kind(locale, change.kind);
    let (named, count) = first(&change.partitions);
    let more = u64::from(change.count).saturating_sub(count as u64);
    html! {
        tr {
            td {
                @if change.at - change.after > APART { (time::of_day(reader, change.after)) " – " }
                (time::of_day(reader, change.at))
            }
            td { span.badge data-tone=[tone] { (icon(symbol)) (word) } }
            td { (broker(change.from)) }
            td { (broker(change.to)) }
            td.mono.said.places {
                @if change.count == 0 { span.faint { "–" } }
                (ranges(&named))
                @if more > 0 { " " (td_string!(locale, cluster.more, count = grouped(more))) }
            }
        }
    }
}

/// The partitions that a line names, and how many they are.
fn first(partitions: &[Owned]) -> (Vec<Owned>, usize) {
    let mut left = NAMED;
    let mut named = Vec::new();
    for owned in partitions {
        let partitions: Vec<_> = owned.partitions.iter().copied().take(left).collect();
        left -= partitions.len();
        if !partitions.is_empty() {
            named.push(Owned { partitions, ..owned.clone() });
        }
    }
    (named, NAMED - left)
}

fn kind(locale: Locale, kind: ClusterChangeKind) -> (Option<&'static str>, &'static str, &'static str) {
    match kind {
        ClusterChangeKind::Gone => (Some("danger"), "plug", td_string!(locale, cluster.gone)),
        ClusterChangeKind::Came => (Some("ok"), "plug", td_string!(locale, cluster.came)),
        ClusterChangeKind::Led => (Some("info"), "swap", td_string!(locale, cluster.led)),
        ClusterChangeKind::Offline => (Some("danger"), "error", td_string!(locale, cluster.went_offline)),
        ClusterChangeKind::Online => (Some("ok"), "check", td_string!(locale, cluster.came_online)),
        ClusterChangeKind::Shrunk => (Some("warn"), "warn", td_string!(locale, cluster.shrunk)),
        ClusterChangeKind::Expanded => (Some("ok"), "check", td_string!(locale, cluster.expanded)),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::*, *};
    use crate::markup::live::text;
    use wire::ClusterQuery;

    fn change(kind: ClusterChangeKind, from: Option<i32>, to: Option<i32>, partitions: Vec<i32>) -> ClusterChange {
        let count = partitions.len() as u32;
        let partitions = match count {
            0 => Vec::new(),
            _ => vec![Owned { topic: "orders".into(), partitions, of: 50 }],
        };
        ClusterChange { at: NOW, after: NOW - 1_000, kind, from, to, partitions, count }
    }

    fn words(changes: Vec<ClusterChange>) -> String {
        let mut cluster = cluster();
        cluster.changes = changes;
        text(&table(shown(&in_english(), &cluster, &ClusterQuery::default())))
    }

    #[test]
    fn an_election_says_from_whom_to_whom_and_of_which_partitions() {
        let rows = words(vec![
            change(ClusterChangeKind::Led, Some(1), Some(2), vec![0, 1, 2, 5]),
            change(ClusterChangeKind::Gone, Some(1), None, vec![]),
        ]);
        let expected = "14:32:07.418 leader elected broker 1 broker 2 orders[0–2, 5] \
                        14:32:07.418 broker gone broker 1 – –";
        assert!(rows.ends_with(expected), "{rows}");
    }

    #[test]
    fn a_long_line_is_cut_and_says_so_and_a_late_look_says_when_it_was_not_so_yet() {
        let mut late = change(ClusterChangeKind::Shrunk, Some(3), None, (0..45).collect());
        late.after = NOW - 61_000;
        late.count = 400;
        let rows = words(vec![late]);
        assert!(
            rows.ends_with("14:31:06.418 – 14:32:07.418 out of sync broker 3 – orders[0–29] and 370 more"),
            "{rows}"
        );
    }

    #[test]
    fn where_nothing_changed_it_says_since_when() {
        assert_eq!(words(Vec::new()), "Nothing changed since 14:32:07.418");
    }

    #[test]
    fn every_change_has_a_word_in_every_language() {
        use ClusterChangeKind::{Came, Expanded, Gone, Led, Offline, Online, Shrunk};
        for locale in [Locale::en, Locale::zh_Hant, Locale::zh_Hans] {
            let words: std::collections::HashSet<_> =
                [Gone, Came, Led, Offline, Online, Shrunk, Expanded].map(|what| kind(locale, what).2).into();
            assert_eq!(words.len(), 7, "{words:?}");
        }
    }
}
