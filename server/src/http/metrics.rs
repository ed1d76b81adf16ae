//! `/metrics`: what the instance counts, for Prometheus: in the OpenMetrics text format for those who ask for it, else in the one before
//! (`classic`). Names and units by Prometheus's conventions; `docs/OPERATIONS.md` says what to make of them. Everything is read when it
//! is asked for, from what is counted anyway. Labels have values that are known beforehand, or as many as the configuration says.

mod classic;

use super::{
    problem::Problem,
    traffic::{Close, RequestFigures, Traffic, Transport},
};
use axum::{extract::State, response::IntoResponse};
use engine::{BOUNDS, ClientReport, Engine, FeedFigures, Figures, Histogram};
use http::{HeaderMap, StatusCode, header};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, MetricEncoder, NoLabelSet, text::encode},
    metrics::MetricType,
    registry::Registry,
};
use std::{borrow::Cow, fmt, sync::Arc};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use wire::Millis;

/// The formats' media types.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /metrics`
pub(super) async fn metrics(
    State(engine): State<Arc<Engine>>,
    State(traffic): State<Arc<Traffic>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    // The process's open files are counted by the system, one by one.
    let written = tokio::task::spawn_blocking(move || written(Scrape::take(&engine, &traffic))).await;
    let text = written.ok().and_then(Result::ok).ok_or_else(|| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no-metrics", "the metrics could not be written")
    })?;
    let (kind, text) = if takes_open_metrics(&headers) { (OPEN_METRICS, text) } else { (CLASSIC, classic::of(&text)) };
    Ok(([(header::CONTENT_TYPE, kind), (header::VARY, "accept")], text))
}

/// Whether it is named as what may come. Prometheus names both, and prefers this one.
fn takes_open_metrics(headers: &HeaderMap) -> bool {
    let named = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges = named.flat_map(|value| value.split(','));
    ranges.any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/openmetrics-text"));
        // With a weight of nothing it is what must not come (RFC 9110, section 12.4.2).
        is_named
            && !parts
                .any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse().is_ok_and(|weight: f64| weight <= 0.0)))
    })
}

fn written(scrape: Scrape) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(scrape));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// Everything as it is at one moment.
#[derive(Debug)]
struct Scrape {
    now: Millis,
    build: [(&'static str, String); 3],
    figures: Figures,
    /// As [`Traffic::read`] has it.
    traffic: [(Transport, u32, u64); Transport::ALL.len()],
    closes: [(Close, u64); Close::ALL.len()],
    requests: Vec<RequestFigures>,
    process: Option<ProcessFigures>,
}

/// What the system says of this process.
#[derive(Debug, Clone, Copy)]
struct ProcessFigures {
    cpu_seconds: f64,
    resident_bytes: i64,
    virtual_bytes: i64,
    /// In seconds since 1970.
    started: i64,
    open_files: Option<i64>,
    open_files_limit: Option<i64>,
}

impl Scrape {
    fn take(engine: &Engine, traffic: &Traffic) -> Self {
        let build = [
            ("version", env!("CARGO_PKG_VERSION").into()),
            ("build", engine.build().into()),
            ("member", engine.instance().into()),
        ];
        let carried = |transport| {
            let (tabs, bytes) = traffic.read(transport);
            (transport, tabs, bytes)
        };
        Self {
            now: engine::now(),
            build,
            figures: engine.figures(),
            traffic: Transport::ALL.map(carried),
            closes: Close::ALL.map(|why| (why, traffic.closes(why))),
            requests: traffic.requests(),
            process: ProcessFigures::take(),
        }
    }
}

impl ProcessFigures {
    /// None on a system whose table of processes is not known how to be read.
    fn take() -> Option<Self> {
        let pid = Pid::from_u32(std::process::id());
        let mut system = System::new().ok()?;
        let what = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
        let process = system.process(pid)?;
        let files = |count: Option<usize>| count.and_then(|count| i64::try_from(count).ok());
        Some(Self {
            cpu_seconds: process.accumulated_cpu_time() as f64 / 1_000.0,
            resident_bytes: process.memory().cast_signed(),
            virtual_bytes: process.virtual_memory().cast_signed(),
            started: process.start_time().cast_signed(),
            open_files: files(process.open_files()),
            open_files_limit: files(process.open_files_limit()),
        })
    }
}

type Labels<'a> = Vec<(&'static str, Cow<'a, str>)>;

/// Writes one family of metrics after the other.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    /// What only grows. `name` is without its `_total`.
    fn counter<'l>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            sample(&mut family, &labels, |sample| sample.encode_counter::<NoLabelSet, u64, f64>(&value, None))?;
        }
        Ok(())
    }

    /// The same, of time.
    fn seconds<'l>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, f64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            sample(&mut family, &labels, |sample| sample.encode_counter::<NoLabelSet, f64, f64>(&value, None))?;
        }
        Ok(())
    }

    /// What goes up and down.
    fn gauge<'l, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, V)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in samples {
            sample(&mut family, &labels, |sample| sample.encode_gauge(&value))?;
        }
        Ok(())
    }

    fn histogram<'l>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, Histogram)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, histogram) in samples {
            let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
            let buckets: Vec<_> = bounds.zip(histogram.buckets).collect();
            sample(&mut family, &labels, |sample| {
                sample.encode_histogram::<NoLabelSet>(histogram.sum, histogram.count(), &buckets, None)
            })?;
        }
        Ok(())
    }
}

/// Writes a sample with its labels. Without any there are no braces, as everyone else writes it.
fn sample(
    family: &mut MetricEncoder<'_>,
    labels: &Labels<'_>,
    write: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    if labels.is_empty() { write(family) } else { write(&mut family.encode_family(labels)?) }
}

fn of<'a>(figures: &'a FeedFigures) -> Labels<'a> {
    vec![("feed", Cow::from(&figures.feed)), ("group", Cow::from(&figures.group))]
}

fn of_and<'a>(figures: &'a FeedFigures, more: &'static str, value: impl Into<Cow<'a, str>>) -> Labels<'a> {
    let mut labels = of(figures);
    labels.push((more, value.into()));
    labels
}

fn seconds(millis: Millis) -> f64 {
    millis as f64 / 1_000.0
}

fn integer(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut page = Page(encoder);
        page.0
            .encode_descriptor("ottla_build", "This program, and its name in groups.", None, MetricType::Info)?
            .encode_info(&self.build)?;
        self.feeds(&mut page)?;
        self.rings(&mut page)?;
        self.tabs(&mut page)?;
        self.producing(&mut page)?;
        self.clients(&mut page)?;
        self.requests(&mut page)?;
        self.process.map_or(Ok(()), |process| process.encode(&mut page))
    }
}

impl Scrape {
    /// One sample of each feed.
    fn each<'a, V>(&'a self, value: impl Fn(&FeedFigures) -> V) -> impl Iterator<Item = (Labels<'a>, V)> {
        self.figures.feeds.iter().map(move |feed| (of(feed), value(feed)))
    }

    /// Those samples of each feed that it has.
    fn those<'a, V>(&'a self, value: impl Fn(&FeedFigures) -> Option<V>) -> impl Iterator<Item = (Labels<'a>, V)> {
        self.figures.feeds.iter().filter_map(move |feed| Some((of(feed), value(feed)?)))
    }

    /// What the groups consume.
    fn feeds(&self, page: &mut Page<'_>) -> fmt::Result {
        let feeds = &self.figures.feeds;
        page.gauge(
            "ottla_kafka_up",
            "Whether Kafka answers the feed's consumer.",
            self.each(|feed| i64::from(feed.kafka_is_up)),
        )?;
        page.gauge(
            "ottla_group_joined",
            "Whether the group has given this instance its share, be it nothing.",
            self.each(|feed| i64::from(feed.is_member)),
        )?;
        page.counter("ottla_records_consumed", "Records consumed.", self.each(|feed| feed.stats.consumed))?;
        let again = feeds.iter().flat_map(|feed| {
            [
                ("redelivered", feed.stats.redelivered),
                ("possibly_redelivered", feed.stats.possibly_redelivered),
                ("replayed", feed.stats.replayed),
                ("duplicate", feed.stats.duplicates),
            ]
            .map(|(reason, count)| (of_and(feed, "reason", reason), count))
        });
        page.counter("ottla_records_consumed_again", "Of those: what the group had consumed before.", again)?;
        page.counter(
            "ottla_offsets_skipped",
            "Offsets that the log passed over: compaction, markers of transactions, aborted records, or loss.",
            self.each(|feed| feed.stats.skipped),
        )?;
        page.counter(
            "ottla_offsets_empty",
            "Of the skipped: those where a second look found no record.",
            self.each(|feed| feed.stats.empty),
        )?;
        page.counter(
            "ottla_records_missing",
            "Offsets that the group should have consumed and did not: deleted before, or passed over.",
            self.each(|feed| feed.stats.missing),
        )?;
        page.gauge(
            "ottla_partitions_assigned",
            "Partitions that this instance owns.",
            self.each(|feed| integer(feed.stats.partitions.len())),
        )?;
        let lag = feeds.iter().flat_map(|feed| {
            feed.stats.partitions.iter().filter_map(|partition| {
                let mut labels = of_and(feed, "topic", &partition.topic);
                labels.push(("partition", partition.partition.to_string().into()));
                Some((labels, (partition.end? - partition.committed?).max(0)))
            })
        });
        page.gauge("ottla_lag_records", "Log end offset less committed offset, of owned partitions.", lag)?;
        let rebalances = feeds.iter().flat_map(|feed| {
            let engine::Rebalances { assigned, revoked, lost } = feed.rebalances;
            [("assigned", assigned), ("revoked", revoked), ("lost", lost)]
                .map(|(kind, count)| (of_and(feed, "kind", kind), count))
        });
        page.counter("ottla_rebalances", "Words of the group about what this instance owns.", rebalances)?;
        page.histogram(
            "ottla_commit_duration_seconds",
            "From sending offsets to commit to Kafka's acknowledgement.",
            self.each(|feed| feed.commits),
        )?;
        page.counter(
            "ottla_commit_failures",
            "Commits that Kafka refused or did not answer.",
            self.each(|feed| feed.failed_commits),
        )?;
        page.gauge(
            "ottla_last_commit_timestamp_seconds",
            "When Kafka acknowledged a commit last.",
            self.those(|feed| feed.committed_at.map(seconds)),
        )?;
        page.gauge(
            "ottla_temporary_feeds",
            "Replays with a group of their own. They are in no other figure of feeds.",
            [(Labels::new(), integer(self.figures.temporary_feeds))],
        )?;
        let journal = self.figures.journal;
        let is_up = journal.map(|(is_up, _)| (Labels::new(), i64::from(is_up)));
        page.gauge("ottla_journal_up", "Whether the instances can tell each other what they consumed.", is_up)?;
        page.gauge(
            "ottla_journal_waiting",
            "Marks and notices of this instance that Kafka has not acknowledged yet.",
            journal.map(|(_, waiting)| (Labels::new(), integer(waiting.length))),
        )?;
        page.gauge(
            "ottla_journal_oldest_waiting_seconds",
            "Age of the oldest of them.",
            journal.map(|(_, waiting)| (Labels::new(), waiting.oldest.as_secs_f64())),
        )
    }

    /// What was asked for over HTTP.
    fn requests(&self, page: &mut Page<'_>) -> fmt::Result {
        let requests = self.requests.iter().map(|((route, class), took)| {
            let route = route.as_deref().unwrap_or("other");
            (vec![("route", route.into()), ("status", format!("{class}xx").into())], *took)
        });
        page.histogram(
            "ottla_http_request_duration_seconds",
            "From a request to the beginning of its answer, by the route's template.",
            requests,
        )?;
        page.counter(
            "ottla_websocket_closes",
            "WebSockets that are over, by why.",
            self.closes.iter().map(|(why, count)| (vec![("reason", why.name().into())], *count)),
        )
    }

    /// What is kept for tabs.
    fn rings(&self, page: &mut Page<'_>) -> fmt::Result {
        page.gauge(
            "ottla_ring_bytes",
            "Memory that the feed's records take.",
            self.each(|feed| integer(feed.ring_bytes)),
        )?;
        page.gauge("ottla_ring_limit_bytes", "What they may take.", self.each(|feed| integer(feed.ring_limit)))?;
        page.gauge(
            "ottla_ring_oldest_record_age_seconds",
            "How far back a tab can resume without a gap.",
            self.those(|feed| feed.ring_oldest.map(|at| seconds((self.now - at).max(0)))),
        )
    }

    fn tabs(&self, page: &mut Page<'_>) -> fmt::Result {
        let by = |transport: Transport| vec![("transport", transport.name().into())];
        page.gauge(
            "ottla_tabs_connected",
            "Tabs and programs that are connected.",
            self.traffic.iter().map(|(transport, tabs, _)| (by(*transport), i64::from(*tabs))),
        )?;
        page.counter(
            "ottla_tabs_sent_bytes",
            "Bytes of messages that were sent to them.",
            self.traffic.iter().map(|(transport, _, bytes)| (by(*transport), *bytes)),
        )?;
        page.counter(
            "ottla_gap_records",
            "Records that tabs were told of as not shown.",
            self.each(|feed| feed.stats.gaps),
        )?;
        page.gauge("ottla_tabs_behind", "Tabs that do not keep up.", self.each(|feed| integer(feed.late_tabs)))?;
        page.gauge(
            "ottla_tabs_oldest_waiting_seconds",
            "Age of the oldest record that waits for such a tab.",
            self.each(|feed| feed.late_since.map_or(0.0, |since| seconds((self.now - since).max(0)))),
        )
    }

    fn producing(&self, page: &mut Page<'_>) -> fmt::Result {
        let produced = &self.figures.produced;
        let outcomes = [
            ("acknowledged", produced.acknowledged),
            ("invalid", produced.invalid),
            ("refused", produced.refused),
            ("timed_out", produced.timed_out),
        ];
        page.counter(
            "ottla_produced_messages",
            "What became of the messages from the page, the API and the command line.",
            outcomes.map(|(outcome, count)| (vec![("outcome", outcome.into())], count)),
        )?;
        page.histogram(
            "ottla_produce_duration_seconds",
            "From handing a message to the client library to Kafka's acknowledgement.",
            [(Labels::new(), produced.took)],
        )?;
        page.gauge(
            "ottla_produce_in_flight",
            "Messages that wait for Kafka's answer.",
            [(Labels::new(), integer(produced.in_flight))],
        )?;
        let oldest = produced.oldest.map_or(0.0, |age| age.as_secs_f64());
        page.gauge("ottla_produce_oldest_waiting_seconds", "Age of the oldest of them.", [(Labels::new(), oldest)])
    }

    /// Each client of librdkafka that reports: the feeds' consumers and the producers.
    fn reports(&self) -> impl Iterator<Item = (Labels<'_>, &ClientReport)> {
        let consumers = self.figures.feeds.iter().map(|feed| (of_and(feed, "client", "consumer"), &feed.client));
        consumers.chain(self.producers())
    }

    fn producers(&self) -> impl Iterator<Item = (Labels<'_>, &ClientReport)> {
        self.figures.producers.iter().map(|(client, report)| (vec![("client", (*client).into())], report))
    }

    /// What librdkafka says of its clients.
    fn clients(&self, page: &mut Page<'_>) -> fmt::Result {
        let connected = |client: &ClientReport| client.brokers.iter().filter(|broker| broker.is_connected).count();
        page.gauge(
            "ottla_kafka_client_brokers_connected",
            "Brokers with a standing connection.",
            self.reports().map(|(labels, client)| (labels, integer(connected(client)))),
        )?;
        let trips = self.reports().flat_map(|(labels, client)| {
            client.brokers.iter().filter_map(move |broker| {
                let mut labels = labels.clone();
                labels.push(("broker", broker.id.to_string().into()));
                Some((labels, broker.round_trip?.as_secs_f64()))
            })
        });
        page.gauge(
            "ottla_kafka_client_broker_rtt_p99_seconds",
            "99 % of the last second's requests took this at most. A fetch waits for records, up to fetch.wait.max.ms.",
            trips,
        )?;
        page.gauge(
            "ottla_kafka_client_prefetched_records",
            "Records that were fetched and not consumed yet.",
            self.each(|feed| feed.client.prefetched_records.cast_signed()),
        )?;
        page.gauge(
            "ottla_kafka_client_prefetched_bytes",
            "What they take.",
            self.each(|feed| feed.client.prefetched_bytes.cast_signed()),
        )?;
        page.counter(
            "ottla_kafka_client_received_bytes",
            "Bytes of records that were fetched.",
            self.each(|feed| feed.client.received_bytes),
        )?;
        page.gauge(
            "ottla_kafka_client_queued_messages",
            "Messages that the producer has and Kafka has not acknowledged.",
            self.producers().map(|(labels, client)| (labels, client.queued_messages.cast_signed())),
        )?;
        page.gauge(
            "ottla_kafka_client_queued_bytes",
            "What they take, of queue.buffering.max.kbytes.",
            self.producers().map(|(labels, client)| (labels, client.queued_bytes.cast_signed())),
        )?;
        page.counter(
            "ottla_kafka_client_sent_bytes",
            "Bytes of messages that were sent, those that were sent again included.",
            self.producers().map(|(labels, client)| (labels, client.sent_bytes)),
        )?;
        let errors = self.reports().flat_map(|(labels, client)| {
            [
                ("transmit", client.transmit_errors),
                ("receive", client.receive_errors),
                ("timeout", client.timeouts),
                ("retry", client.retries),
            ]
            .map(|(kind, count)| ([labels.as_slice(), &[("kind", kind.into())]].concat(), count))
        });
        page.counter("ottla_kafka_client_request_errors", "Requests that went wrong.", errors)?;
        page.counter(
            "ottla_kafka_client_connections_lost",
            "Connections to brokers that ended.",
            self.reports().map(|(labels, client)| (labels, client.connections_lost)),
        )?;
        page.seconds(
            "ottla_kafka_client_throttled_seconds",
            "For how long brokers had the client wait, by their quotas.",
            self.reports().map(|(labels, client)| (labels, client.throttled.as_secs_f64())),
        )
    }
}

impl ProcessFigures {
    /// By the names that every client of Prometheus gives them (its "Writing client libraries", process metrics).
    fn encode(&self, page: &mut Page<'_>) -> fmt::Result {
        page.seconds(
            "process_cpu_seconds",
            "Time on a processor, in the program and in the system for it.",
            [(Labels::new(), self.cpu_seconds)],
        )?;
        let gauges = [
            ("process_resident_memory_bytes", "Resident memory.", Some(self.resident_bytes)),
            ("process_virtual_memory_bytes", "Virtual memory.", Some(self.virtual_bytes)),
            ("process_start_time_seconds", "Start of the process since 1970.", Some(self.started)),
            ("process_open_fds", "Open files and connections.", self.open_files),
            ("process_max_fds", "How many there may be.", self.open_files_limit),
        ];
        gauges
            .into_iter()
            .try_for_each(|(name, help, value)| page.gauge(name, help, value.map(|value| (Labels::new(), value))))
    }
}

#[cfg(test)]
mod tests;
