//! Brokers × partitions: who leads, who follows, who is behind. Small tables of at most ten partitions each, which stand side by side
//! as far as the window is wide: ten fit on a phone.

use super::{Shown, address};
use crate::{
    format::number::grouped,
    i18n::Locale,
    markup::{empty::empty, icon::icon, topics},
};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{ClusterBroker, ClusterQuery, PARTITIONS_PER_BLOCK, PlacedTopic, TopicPartition};

/// Up to so many brokers each table has a line for all of them, so that they compare; with more, for those that it needs.
const ALL_BROKERS: usize = 12;

/// How a partition's replica on a broker is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replica {
    None,
    Leads,
    /// It leads in place of the preferred one, which is the first replica.
    LeadsInstead,
    InSync,
    Behind,
    Away,
}

impl Replica {
    fn of(partition: &TopicPartition, broker: &ClusterBroker) -> Self {
        if !partition.replicas.contains(&broker.id) {
            Self::None
        } else if !broker.is_up {
            Self::Away
        } else if partition.leader == Some(broker.id) {
            if partition.replicas.first() == Some(&broker.id) { Self::Leads } else { Self::LeadsInstead }
        } else if partition.in_sync.contains(&broker.id) {
            Self::InSync
        } else {
            Self::Behind
        }
    }

    fn tone(self) -> Option<&'static str> {
        match self {
            Self::Behind => Some("warn"),
            Self::Away => Some("danger"),
            Self::None | Self::Leads | Self::LeadsInstead | Self::InSync => None,
        }
    }

    fn leads(self) -> bool {
        matches!(self, Self::Leads | Self::LeadsInstead)
    }

    /// Each has a sign of its own: no meaning is by colour alone.
    fn sign(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Leads => "L",
            Self::LeadsInstead => "L*",
            Self::InSync => "·",
            Self::Behind => "!",
            Self::Away => "×",
        }
    }

    fn word(self, locale: Locale) -> &'static str {
        match self {
            Self::None => "",
            Self::Leads => td_string!(locale, cluster.leader),
            Self::LeadsInstead => td_string!(locale, cluster.leads_instead),
            Self::InSync => td_string!(locale, topics.in_sync),
            Self::Behind => td_string!(locale, topic.not_in_sync),
            Self::Away => td_string!(locale, cluster.replica_away),
        }
    }
}

/// What the signs mean.
pub fn legend(locale: Locale) -> Markup {
    html! {
        ul.wrap.legend.push {
            @for replica in [Replica::Leads, Replica::LeadsInstead, Replica::InSync, Replica::Behind, Replica::Away] {
                li.wrap {
                    span.cell.lead[replica.leads()] data-tone=[replica.tone()] aria-hidden="true" { (replica.sign()) }
                    span.muted { (replica.word(locale)) }
                }
            }
        }
    }
}

/// The search. It is no part of what changes by itself.
pub fn search(shown: Shown<'_>) -> Markup {
    let locale = shown.reader.locale;
    html! {
        form.tools method="get" action="/cluster" role="search" {
            label.search {
                (icon("search"))
                span.sr { (td_string!(locale, cluster.search)) }
                input #filter .input type="search" name="q" value=(shown.query.q) placeholder=(td_string!(locale, cluster.search)) autocomplete="off";
            }
            button.btn { (td_string!(locale, topics.find)) }
            span #cluster-found .muted.num role="status" { (found(shown)) }
        }
    }
}

/// How many topics the search found.
pub fn found(Shown { reader, cluster, .. }: Shown<'_>) -> Markup {
    let (found, all) = (grouped(cluster.found.into()), grouped(cluster.totals.topics.into()));
    html! { (td_string!(reader.locale, topics.found, found, all)) }
}

/// The tables, or that there are none.
pub fn picture(Shown { reader, cluster, query, .. }: Shown<'_>) -> Markup {
    let locale = reader.locale;
    html! {
        @if cluster.topics.is_empty() && query.q.trim().is_empty() {
            (empty("topic", td_string!(locale, topics.none), &html! {}, &html! {}))
        } @else if cluster.topics.is_empty() {
            (empty("search", &td_string!(locale, topics.no_match, q = query.q.trim()), &html! {}, &html! {
                a.btn href="/cluster" { (td_string!(locale, topic.all)) }
            }))
        }
        @for topic in &cluster.topics {
            @for partitions in topic.partitions.chunks(PARTITIONS_PER_BLOCK) {
                (block(locale, topic, partitions, &cluster.brokers))
            }
        }
    }
}

fn block(locale: Locale, topic: &PlacedTopic, partitions: &[TopicPartition], brokers: &[ClusterBroker]) -> Markup {
    let has = |broker: &&ClusterBroker| {
        brokers.len() <= ALL_BROKERS || partitions.iter().any(|partition| partition.replicas.contains(&broker.id))
    };
    let is_part = topic.of as usize > PARTITIONS_PER_BLOCK;
    let (first, last) = (partitions.first().map_or(0, |p| p.partition), partitions.last().map_or(0, |p| p.partition));
    html! {
        section {
            h3 {
                a.mono href=(topics::path(&topic.topic)) title=(topic.topic) { (topic.topic) }
                @if is_part { " " span.muted.num { (first) "–" (last) } }
            }
            table aria-label={ (topic.topic) @if is_part { " " (first) "–" (last) } } {
                thead {
                    tr {
                        th scope="col" { span.sr { (td_string!(locale, cluster.broker)) } }
                        @for partition in partitions {
                            @let is_offline = partition.leader.is_none();
                            th.offline[is_offline] scope="col" data-tone=[is_offline.then_some("danger")] {
                                (partition.partition)
                                @if is_offline { span.sr { " " (td_string!(locale, topic.no_leader)) } }
                            }
                        }
                    }
                }
                tbody {
                    @for broker in brokers.iter().filter(has) {
                        tr {
                            th scope="row" {
                                (broker.id)
                                @if !broker.is_up { span.sr { " " (td_string!(locale, cluster.away)) } }
                            }
                            @for partition in partitions { (cell(locale, Replica::of(partition, broker))) }
                        }
                    }
                }
            }
        }
    }
}

fn cell(locale: Locale, replica: Replica) -> Markup {
    html! {
        @if replica == Replica::None { td {} }
        @else {
            td.cell.lead[replica.leads()] data-tone=[replica.tone()] {
                span aria-hidden="true" { (replica.sign()) }
                span.sr { (replica.word(locale)) }
            }
        }
    }
}

/// The way to other pages of the picture.
pub fn pages(Shown { reader, cluster, query, .. }: Shown<'_>) -> Markup {
    let locale = reader.locale;
    let to = |page| address(&ClusterQuery { page, ..query.clone() }, "");
    html! {
        @if cluster.pages > 1 {
            nav.wrap aria-label=(td_string!(locale, topics.pages)) {
                @if cluster.page > 1 { a.btn rel="prev" href=(to(cluster.page - 1)) { (td_string!(locale, topics.previous)) } }
                span.muted.num { (td_string!(locale, topics.page_of, page = cluster.page, pages = cluster.pages)) }
                @if cluster.page < cluster.pages { a.btn rel="next" href=(to(cluster.page + 1)) { (td_string!(locale, topics.next)) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::*, *};
    use crate::markup::live::text;
    use wire::Cluster;

    fn drawn(cluster: &Cluster, query: &ClusterQuery) -> (String, String) {
        let picture = picture(shown(&in_english(), cluster, query));
        (text(&picture), picture.into_string())
    }

    #[test]
    fn each_replica_has_a_sign_and_a_word() {
        let mut cluster = cluster();
        cluster.brokers[1].is_up = false;
        cluster.topics[0].partitions = vec![
            partition(0, Some(1), &[1, 2], &[1]),
            partition(1, None, &[2], &[2]),
            partition(2, Some(2), &[2, 1], &[2]),
            partition(3, Some(1), &[2, 1], &[1]),
        ];
        let (text, html) = drawn(&cluster, &ClusterQuery::default());
        let expected = "orders Broker 0 1 offline 2 3 1 L leader ! not in sync L* leader, not the preferred one \
                        2 away × on a broker that is away × on a broker that is away × on a broker that is away \
                        × on a broker that is away";
        assert_eq!(text, expected);
        assert_eq!(html.matches("<td></td>").count(), 1, "broker 1 has nothing of partition 1");
        assert_eq!(html.matches("class=\"cell lead\"").count(), 2);
        assert!(!html.contains("style="));
    }

    #[test]
    fn a_large_topic_is_drawn_ten_at_a_time_and_leads_on() {
        let mut cluster = cluster();
        let partitions = (600..625).map(|number| partition(number, Some(1), &[1, 2], &[1, 2]));
        cluster.topics[0] = PlacedTopic { of: 1_000, partitions: partitions.collect(), ..cluster.topics[0].clone() };
        (cluster.page, cluster.pages) = (2, 3);
        let query = ClusterQuery { q: "or".into(), page: 2 };
        let (text, html) = drawn(&cluster, &query);
        assert_eq!(html.matches("<table").count(), 3);
        assert!(text.contains("orders 600–609") && text.contains("orders 620–624"), "{text}");
        let pages = pages(shown(&in_english(), &cluster, &query)).into_string();
        for link in ["\"/cluster?q=or\"", "\"/cluster?q=or&amp;page=3\""] {
            assert!(pages.contains(link), "{link}: {pages}");
        }
    }

    #[test]
    fn of_many_brokers_only_those_are_drawn_that_have_something() {
        let mut cluster = cluster();
        let one = cluster.brokers[0].clone();
        cluster.brokers.extend((3..=12).map(|id| ClusterBroker { id, ..one.clone() }));
        let rows = |cluster: &Cluster| drawn(cluster, &ClusterQuery::default()).1.matches("scope=\"row\"").count();
        assert_eq!(rows(&cluster), 12);
        cluster.brokers.push(ClusterBroker { id: 13, ..one });
        assert_eq!(rows(&cluster), 2);
    }

    #[test]
    fn a_search_without_a_match_is_another_thing_than_an_empty_cluster() {
        let mut cluster = cluster();
        cluster.topics.clear();
        assert!(drawn(&cluster, &ClusterQuery::default()).0.contains("There are no topics yet"));
        let query = ClusterQuery { q: "<x>".into(), page: 1 };
        assert!(drawn(&cluster, &query).1.contains("&lt;x&gt;"));
    }
}
