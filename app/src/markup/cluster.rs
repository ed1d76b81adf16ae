//! The cluster's page: what is in trouble, its figures, where each partition lives, what changed, its brokers, and the instances of
//! Ottla over it. Only the server renders it, and sends anew what changed ([`pieces`]).

mod changes;
mod picture;

use super::{icon::icon, instance::instance, live::Piece, time, topics};
use crate::{
    format::number::grouped,
    i18n::Locale,
    reader::Reader,
    words::{ranges, span},
};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{Cluster, ClusterBroker, ClusterInstance, ClusterQuery, Millis, Owned, PlacedPartition};

/// How many topics in trouble are named above everything else.
const NAMED: usize = 6;
/// An instance says a word every second: after so long it is said that it does not.
const SILENT: Millis = 3_000;

/// A cluster, for whom it is shown, and when.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// For whom.
    pub reader: &'a Reader,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// What was asked for.
    pub query: &'a ClusterQuery,
    /// The instance that serves the page.
    pub serving: &'a str,
    /// The server's clock.
    pub now: Millis,
}

/// The address of a page of the picture, or below it.
pub fn address(query: &ClusterQuery, below: &str) -> String {
    let mut to = url::form_urlencoded::Serializer::new(String::new());
    if !query.q.is_empty() {
        to.append_pair("q", &query.q);
    }
    if query.page > 1 {
        to.append_pair("page", &query.page.to_string());
    }
    match to.finish() {
        parameters if parameters.is_empty() => format!("/cluster{below}"),
        parameters => format!("/cluster{below}?{parameters}"),
    }
}

/// What of the page is kept up to date.
pub fn pieces(shown: Shown<'_>) -> Vec<Piece> {
    vec![
        ("cluster-trouble", trouble(shown)),
        ("cluster-figures", figures(shown)),
        ("cluster-found", picture::found(shown)),
        ("cluster-picture", picture::picture(shown)),
        ("cluster-pages", picture::pages(shown)),
        ("cluster-changes", changes::table(shown)),
        ("cluster-brokers", brokers(shown)),
        ("cluster-instances", instances(shown)),
    ]
}

/// Everything below the page's heading.
pub fn body(shown: Shown<'_>) -> Markup {
    let locale = shown.reader.locale;
    html! {
        // Here from the beginning: what comes into it is announced.
        div #cluster-trouble role="status" { (trouble(shown)) }
        section.card {
            dl #cluster-figures .strip tabindex="0" aria-label=(td_string!(locale, groups.numbers)) { (figures(shown)) }
        }
        section.card {
            header {
                h2 { (td_string!(locale, cluster.picture)) }
                (picture::legend(locale))
            }
            (picture::search(shown))
            div #cluster-picture .picture { (picture::picture(shown)) }
            footer #cluster-pages { (picture::pages(shown)) }
        }
        section.card {
            header {
                h2 { (td_string!(locale, cluster.changes)) }
                p.muted { (td_string!(locale, cluster.changes_mean)) }
            }
            div.scroll tabindex="0" role="region" aria-label=(td_string!(locale, cluster.changes)) {
                table #cluster-changes .table { (changes::table(shown)) }
            }
        }
        section.card {
            header { h2 { (td_string!(locale, cluster.brokers)) } }
            div.scroll tabindex="0" role="region" aria-label=(td_string!(locale, cluster.brokers)) {
                table #cluster-brokers .table { (brokers(shown)) }
            }
        }
        section.card {
            header {
                h2 { (td_string!(locale, cluster.instances)) }
                p.muted { (td_string!(locale, cluster.instances_mean)) }
            }
            div.scroll tabindex="0" role="region" aria-label=(td_string!(locale, cluster.instances)) {
                table #cluster-instances .table { (instances(shown)) }
            }
        }
    }
}

/// What is wrong, if something is: how much of it, which broker is behind it, and where it begins.
fn trouble(Shown { reader, cluster, .. }: Shown<'_>) -> Markup {
    let locale = reader.locale;
    let totals = cluster.totals;
    let behind: Vec<_> = cluster.brokers.iter().filter(|broker| broker.not_in_sync > 0 || !broker.is_up).collect();
    if totals.in_trouble == 0 && behind.is_empty() {
        return html! {};
    }
    let is_bad = totals.offline > 0;
    let named = by_topic(&cluster.trouble);
    let all = totals.in_trouble as usize;
    let shown: usize = named.iter().take(NAMED).map(|owned| owned.partitions.len()).sum();
    html! {
        div.banner data-tone=(if is_bad { "danger" } else { "warn" }) {
            (icon(if is_bad { "error" } else { "warn" }))
            p {
                @match totals.offline {
                    0 => {}
                    1 => { b { (td_string!(locale, cluster.one_offline)) } " " }
                    count => { b { (td_string!(locale, cluster.some_offline, count = grouped(count.into()))) } " " }
                }
                @match totals.under_replicated {
                    0 => {}
                    1 => { b { (td_string!(locale, cluster.one_under)) } " " }
                    count => { b { (td_string!(locale, cluster.some_under, count = grouped(count.into()))) } " " }
                }
                @for broker in behind {
                    @if !broker.is_up { (td_string!(locale, cluster.broker_away, id = broker.id)) }
                    @else { (td_string!(locale, cluster.broker_behind, id = broker.id, count = grouped(broker.not_in_sync.into()))) }
                    " "
                }
                @for (at, owned) in named.iter().take(NAMED).enumerate() {
                    @if at > 0 { ", " }
                    a.mono href=(topics::path(&owned.topic)) { (ranges(std::slice::from_ref(owned))) }
                }
                @if all > shown { " " (td_string!(locale, cluster.more, count = grouped((all - shown) as u64))) }
            }
        }
    }
}

/// Partitions in trouble, by topic, in their order.
fn by_topic(partitions: &[PlacedPartition]) -> Vec<Owned> {
    let mut topics: Vec<Owned> = Vec::new();
    for PlacedPartition { topic, partition, .. } in partitions {
        match topics.iter_mut().find(|known| known.topic == *topic) {
            Some(known) => known.partitions.push(*partition),
            None => topics.push(Owned { topic: topic.clone(), partitions: vec![*partition], of: 0 }),
        }
    }
    for topic in &mut topics {
        topic.partitions.sort_unstable();
    }
    topics
}

fn figures(Shown { reader, cluster, .. }: Shown<'_>) -> Markup {
    let locale = reader.locale;
    let totals = cluster.totals;
    let up = cluster.brokers.iter().filter(|broker| broker.is_up).count();
    let controller = cluster.brokers.iter().find(|broker| broker.is_controller == Some(true));
    let bad = |count: u32, tone: &'static str| {
        html! { @if count > 0 { span.badge data-tone=(tone) { (grouped(count.into())) } } @else { "0" } }
    };
    html! {
        div {
            dt { (td_string!(locale, cluster.brokers)) }
            dd { (up) " " small { (td_string!(locale, cluster.of_up, count = cluster.brokers.len())) } }
        }
        div title=(td_string!(locale, cluster.controller_hint)) {
            dt { (td_string!(locale, cluster.controller)) }
            dd {
                @match controller {
                    Some(broker) => (td_string!(locale, groups.broker, id = broker.id)),
                    None => small { (td_string!(locale, groups.not_known)) },
                }
            }
        }
        div { dt { (td_string!(locale, nav.topics)) } dd { (grouped(totals.topics.into())) } }
        div {
            dt { (td_string!(locale, topics.partitions)) }
            dd {
                (grouped(totals.partitions.into())) " "
                small { (td_string!(locale, cluster.some_replicas, count = grouped(totals.replicas.into()))) }
            }
        }
        div { dt { (td_string!(locale, cluster.under)) } dd { (bad(totals.under_replicated, "warn")) } }
        div { dt { (td_string!(locale, cluster.offline)) } dd { (bad(totals.offline, "danger")) } }
    }
}

fn brokers(Shown { reader, cluster, .. }: Shown<'_>) -> Markup {
    let locale = reader.locale;
    let all: u32 = cluster.brokers.iter().map(|broker| broker.leaders).sum();
    html! {
        thead {
            tr {
                th scope="col" { (td_string!(locale, cluster.broker)) }
                th scope="col" { (td_string!(locale, cluster.state)) }
                th scope="col" { (td_string!(locale, cluster.address)) }
                th scope="col" { (td_string!(locale, cluster.rack)) }
                th.r scope="col" { (td_string!(locale, cluster.leaders)) }
                th.as-bar scope="col" { span.sr { (td_string!(locale, cluster.share)) } }
                th.r scope="col" title=(td_string!(locale, cluster.preferred_hint)) { (td_string!(locale, cluster.preferred)) }
                th.r scope="col" { (td_string!(locale, topics.replicas)) }
                th.r scope="col" { (td_string!(locale, topic.not_in_sync)) }
            }
        }
        tbody { @for broker in &cluster.brokers { (broker_row(reader, broker, all)) } }
    }
}

fn broker_row(reader: &Reader, broker: &ClusterBroker, all: u32) -> Markup {
    let locale = reader.locale;
    let percent = u64::from(broker.leaders) * 100 / u64::from(all.max(1));
    let unless_empty = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
    html! {
        tr {
            th scope="row" {
                span.wrap {
                    span.num { (broker.id) }
                    @if broker.is_controller == Some(true) {
                        span.badge data-tone="info" { (td_string!(locale, cluster.is_controller)) }
                    }
                }
            }
            td { (state(reader, broker)) }
            td.mono { (unless_empty(&broker.address)) }
            td {
                @match &broker.rack {
                    Some(rack) => (rack),
                    None if broker.is_rack_known => "–",
                    None => small.muted { (td_string!(locale, groups.not_known)) },
                }
            }
            td.r { (grouped(broker.leaders.into())) }
            td.as-bar {
                // In SVG: the page's policy forbids style attributes.
                svg.meter data-tone="info" aria-hidden="true" { rect width={ (percent) "%" } height="100%" {} }
            }
            td.r { (grouped(broker.preferred.into())) }
            td.r { (grouped(broker.replicas.into())) }
            td.r { (grouped(broker.not_in_sync.into())) }
        }
    }
}

fn state(reader: &Reader, broker: &ClusterBroker) -> Markup {
    let locale = reader.locale;
    html! {
        @if !broker.is_up {
            span.badge data-tone="danger" { (icon("plug")) (td_string!(locale, cluster.away)) }
            @if let Some(since) = broker.away_since { " " (time::of_day(reader, since)) }
        } @else if broker.not_in_sync > 0 {
            span.badge data-tone="warn" { (icon("warn")) (td_string!(locale, topic.not_in_sync)) }
        } @else {
            span.conn data-tone="ok" { (td_string!(locale, cluster.up)) }
        }
    }
}

fn instances(Shown { reader, cluster, serving, now, .. }: Shown<'_>) -> Markup {
    let locale = reader.locale;
    html! {
        thead {
            tr {
                th scope="col" { (td_string!(locale, cluster.instance)) }
                th scope="col" { (td_string!(locale, cluster.state)) }
                th scope="col" { (td_string!(locale, nav.group)) }
                th.r scope="col" { (td_string!(locale, topics.partitions)) }
                th.r scope="col" { (td_string!(locale, groups.rate)) }
                th.r scope="col" { (td_string!(locale, cluster.tabs)) }
            }
        }
        tbody { @for instance in &cluster.instances { (instance_rows(locale, instance, serving, now)) } }
    }
}

/// An instance has a line for each group that it consumes.
fn instance_rows(locale: Locale, told: &ClusterInstance, serving: &str, now: Millis) -> Markup {
    let lines = told.groups.len().max(1);
    let silent = now - told.heard;
    html! {
        @for line in 0..lines {
            tr {
                @if line == 0 {
                    th scope="rowgroup" rowspan=[(lines > 1).then_some(lines)] {
                        span.wrap {
                            (instance(&told.instance, if told.is_self { serving } else { "" }))
                            @if told.is_self { span.badge { (td_string!(locale, nav.this_tab)) } }
                        }
                    }
                    td rowspan=[(lines > 1).then_some(lines)] {
                        @if silent > SILENT {
                            span.conn data-tone="warn" { (td_string!(locale, cluster.silent, time = span(locale, silent / 1_000 * 1_000))) }
                        } @else {
                            span.conn data-tone="ok" { (up(locale, now - told.started)) }
                        }
                    }
                }
                @match told.groups.get(line) {
                    Some(group) => {
                        td { a.mono href=(super::groups::path(&group.group)) { (group.group) } }
                        td.r { (grouped(group.partitions.into())) }
                        td.r { (grouped(group.rate)) " " small.muted { (td_string!(locale, unit.per_second)) } }
                    }
                    None => { td { "–" } td.r { "–" } td.r { "–" } }
                }
                @if line == 0 {
                    td.r rowspan=[(lines > 1).then_some(lines)] { (told.tabs.map_or("–".into(), |tabs| grouped(tabs.into()))) }
                }
            }
        }
    }
}

/// For how long it has run, to the minute: it need not change every second.
fn up(locale: Locale, millis: Millis) -> String {
    match millis {
        ..60_000 => td_string!(locale, groups.just_started).into(),
        _ => td_string!(locale, groups.up, time = span(locale, millis)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::live::text;
    use wire::{ClusterTotals, InstanceGroup, PlacedTopic, TopicPartition};

    pub const NOW: Millis = 1_795_185_127_418;

    pub fn in_english() -> Reader {
        Reader::of(Locale::en)
    }

    pub fn partition(number: i32, leader: Option<i32>, replicas: &[i32], in_sync: &[i32]) -> TopicPartition {
        TopicPartition {
            partition: number,
            leader,
            replicas: replicas.to_vec(),
            in_sync: in_sync.to_vec(),
            first: None,
            end: None,
            unknown: None,
        }
    }

    fn broker(id: i32) -> ClusterBroker {
        ClusterBroker {
            id,
            address: format!("kafka-{id}:9092"),
            rack: (id == 1).then(|| "a".into()),
            is_rack_known: true,
            is_up: true,
            leaders: 1,
            preferred: 1,
            replicas: 2,
            ..ClusterBroker::default()
        }
    }

    /// Two brokers, one topic, all in sync.
    pub fn cluster() -> Cluster {
        let partitions = vec![partition(0, Some(1), &[1, 2], &[1, 2]), partition(1, Some(2), &[2, 1], &[2, 1])];
        let group = InstanceGroup { group: "g".into(), partitions: 2, rate: 1_204 };
        Cluster {
            brokers: vec![broker(1), broker(2)],
            totals: ClusterTotals { topics: 1, partitions: 2, replicas: 4, ..ClusterTotals::default() },
            topics: vec![PlacedTopic { topic: "orders".into(), of: 2, partitions }],
            found: 1,
            page: 1,
            pages: 1,
            watched_since: NOW,
            instances: vec![ClusterInstance {
                instance: "ottla-1".into(),
                is_self: true,
                started: NOW - 120_000,
                heard: NOW - 400,
                tabs: Some(3),
                groups: vec![group],
            }],
            ..Cluster::default()
        }
    }

    pub fn shown<'a>(reader: &'a Reader, cluster: &'a Cluster, query: &'a ClusterQuery) -> Shown<'a> {
        Shown { reader, cluster, query, serving: "ottla-1", now: NOW }
    }

    fn words(piece: fn(Shown<'_>) -> Markup, cluster: &Cluster) -> String {
        text(&piece(shown(&in_english(), cluster, &ClusterQuery::default())))
    }

    #[test]
    fn a_cluster_without_trouble_says_nothing_about_it() {
        assert_eq!(words(trouble, &cluster()), "");
        let figures = words(figures, &cluster());
        let said =
            "Brokers 2 of 2 up Controller not known Topics 1 Partitions 2 4 replicas Under-replicated 0 Offline 0";
        assert_eq!(figures, said);
        let rows = words(brokers, &cluster());
        assert!(rows.ends_with("1 up kafka-1:9092 a 1 1 2 0 2 up kafka-2:9092 – 1 1 2 0"), "{rows}");
    }

    #[test]
    fn trouble_is_counted_and_names_the_broker_and_the_partitions() {
        let mut cluster = cluster();
        cluster.totals = ClusterTotals { offline: 1, under_replicated: 12, in_trouble: 13, ..cluster.totals };
        let placed = |topic: &str, partition| PlacedPartition {
            topic: topic.into(),
            partition,
            leader: None,
            replicas: vec![1, 2],
            in_sync: vec![2],
        };
        cluster.trouble = vec![placed("orders", 2), placed("audit", 0), placed("orders", 1)];
        cluster.brokers[0] = ClusterBroker {
            is_up: false,
            away_since: Some(NOW),
            not_in_sync: 12,
            is_controller: Some(false),
            ..cluster.brokers[0].clone()
        };
        cluster.brokers[1].is_controller = Some(true);
        cluster.brokers[1].is_rack_known = false;
        let said = words(trouble, &cluster);
        let expected = "1 partition is offline. 12 partitions are under-replicated. Broker 1 is away. \
                        orders[1–2] , audit[0] and 10 more";
        assert_eq!(said, expected);
        let figures = words(figures, &cluster);
        assert!(figures.starts_with("Brokers 1 of 2 up Controller broker 2"), "{figures}");
        let rows = words(brokers, &cluster);
        assert!(rows.contains("1 away 14:32:07.418 kafka-1:9092 a"), "{rows}");
        assert!(rows.contains("2 controller up kafka-2:9092 not known 1"), "{rows}");
    }

    #[test]
    fn an_instance_tells_its_groups_and_tabs_and_one_that_is_silent_is_called_so() {
        let mut cluster = cluster();
        let rows = words(instances, &cluster);
        assert!(rows.ends_with("ottla-1 this tab up 2 min g 2 1,204 msg/s 3"), "{rows}");
        cluster.instances[0].heard = NOW - 4_900;
        cluster.instances[0].tabs = None;
        cluster.instances[0].groups.push(InstanceGroup { group: "h".into(), partitions: 1, rate: 0 });
        let rows = words(instances, &cluster);
        assert!(rows.ends_with("no word for 4.0 s g 2 1,204 msg/s – h 1 0 msg/s"), "{rows}");
    }

    #[test]
    fn an_address_holds_what_was_asked_for() {
        let query = ClusterQuery { q: "a&b".into(), page: 2 };
        assert_eq!(address(&query, "/live"), "/cluster/live?q=a%26b&page=2");
        assert_eq!(address(&ClusterQuery::default(), ""), "/cluster");
    }
}
