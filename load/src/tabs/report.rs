//! What a measurement came to: one JSON object.

use super::{
    process::{self, Sample},
    tally::Told,
};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The result of `ottla-load tabs`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    pub tabs: Tabs,
    pub pace: String,
    pub subprotocol: String,
    /// Records a second that were asked for; 0 where none were.
    pub rate: u32,
    /// Bytes of a value.
    pub size: u32,
    /// How long was measured.
    pub seconds: f64,
    /// Records in the log, warm-up included.
    pub produced: u64,
    /// Records that Kafka did not take.
    pub not_produced: u64,
    /// Records delivered to tabs, over the measured time.
    pub deliveries_per_second: f64,
    pub latency: Option<Latencies>,
    pub server: Option<Server>,
    /// The share of one core that this program itself took.
    pub generator_cpu: Option<f64>,
    /// The system's, over the last minute. Well above the number of cores, latencies are those of a queue for them.
    pub load_average: f64,
    /// Until all tabs were subscribed.
    pub connected_in_ms: u64,
    /// Until all tabs were subscribed again, storm by storm.
    pub storms_ms: Vec<u64>,
    /// Connections that were lost and made again, besides the storms.
    pub reconnects: u64,
    /// Connections that the server closed because the tab did not read.
    pub closed_stalled: u64,
    /// Whether every tab that reads was told of every record: delivered, or named in a gap, and nothing twice.
    pub is_complete: bool,
}

/// The tabs, and what those that read were told, together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tabs {
    pub all: u32,
    pub stalled: u32,
    pub slow: u32,
    pub delivered: u64,
    pub named_in_gaps: u64,
    pub missing: u64,
    pub repeated: u64,
    pub miscounted_gaps: u64,
}

impl Tabs {
    pub(crate) fn of(all: u32, stalled: u32, slow: u32, told: &[Told]) -> Self {
        let mut tabs = Self { all, stalled, slow, ..Self::default() };
        for told in told {
            tabs.delivered += told.delivered;
            tabs.named_in_gaps += told.named;
            tabs.missing += told.missing;
            tabs.repeated += told.repeated;
            tabs.miscounted_gaps += told.miscounted;
        }
        tabs
    }
}

/// From the sending of a record to its decoding in a tab, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latencies {
    pub samples: u64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p99_9: f64,
    pub max: f64,
}

impl Latencies {
    /// Of a histogram in microseconds. None of an empty one.
    pub(super) fn of(histogram: &Histogram<u64>) -> Option<Self> {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        (!histogram.is_empty()).then(|| Self {
            samples: histogram.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: histogram.max() as f64 / 1_000.0,
        })
    }
}

/// What the server used. Memory in bytes, resident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Server {
    /// The share of one core, over the measured time.
    pub cpu: f64,
    pub deliveries_per_cpu_second: f64,
    /// Before the first tab came.
    pub rss_before: u64,
    /// When all tabs were there, and nothing had been sent.
    pub rss_connected: u64,
    /// At the end of the measured time.
    pub rss_loaded: u64,
    /// After a rest, where one was asked for.
    pub rss_rested: Option<u64>,
    /// What a tab took that had nothing to show.
    pub rss_per_tab: f64,
}

impl Server {
    /// From samples before the first tab, when all tabs were there, after the work and after the rest, and from those at both
    /// ends of the measured time. None where there is no server to look at.
    pub(super) fn of(
        samples: [Option<Sample>; 4],
        span: &[Option<Sample>; 2],
        took: Duration,
        delivered: u64,
        tabs: u32,
    ) -> Option<Self> {
        let [before, connected, loaded, rested] = samples.map(|sample| sample.map(|sample| sample.rss));
        let (before, connected) = (before?, connected?);
        let used = process::used(span)?.as_secs_f64();
        Some(Self {
            cpu: process::share(span, took)?,
            deliveries_per_cpu_second: if used > 0.0 { delivered as f64 / used } else { 0.0 },
            rss_before: before,
            rss_connected: connected,
            rss_loaded: loaded?,
            rss_rested: rested,
            rss_per_tab: (connected as f64 - before as f64) / f64::from(tabs),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_those_of_the_histogram() {
        let mut histogram = Histogram::new_with_bounds(1, 120_000_000, 3).unwrap();
        assert_eq!(Latencies::of(&histogram), None);
        (1..=1_000).for_each(|millis| histogram.record(millis * 1_000).unwrap());
        let found = Latencies::of(&histogram).unwrap();
        assert_eq!(found.samples, 1_000);
        for (value, expected) in
            [(found.p50, 500.0), (found.p90, 900.0), (found.p99, 990.0), (found.p99_9, 999.0), (found.max, 1_000.0)]
        {
            assert!((value - expected).abs() <= expected / 1_000.0, "{value} is not {expected}");
        }
    }

    #[test]
    fn what_the_server_used_is_told_by_tab_and_by_delivery() {
        let sample = |millis, rss| Some(Sample { cpu: Duration::from_millis(millis), rss });
        let samples = [sample(100, 50_000), sample(200, 70_000), sample(900, 90_000), None];
        let span = [sample(300, 0), sample(800, 0)];
        let server = Server::of(samples, &span, Duration::from_secs(2), 1_000_000, 10).unwrap();
        assert_eq!(server.cpu, 0.25);
        assert_eq!(server.deliveries_per_cpu_second, 2_000_000.0);
        assert_eq!((server.rss_per_tab, server.rss_loaded, server.rss_rested), (2_000.0, 90_000, None));
        assert_eq!(Server::of([None; 4], &[None; 2], Duration::from_secs(2), 1, 10), None);
    }

    #[test]
    fn the_result_is_one_line_that_can_be_read_back() {
        let told = [Told { delivered: 3, named: 1, ..Told::default() }, Told { delivered: 4, ..Told::default() }];
        let report = Report {
            tabs: Tabs::of(3, 1, 0, &told),
            pace: "latency".into(),
            subprotocol: "json".into(),
            rate: 2,
            size: 200,
            seconds: 2.0,
            produced: 4,
            not_produced: 0,
            deliveries_per_second: 3.5,
            latency: None,
            server: None,
            generator_cpu: None,
            load_average: 0.5,
            connected_in_ms: 12,
            storms_ms: vec![34],
            reconnects: 0,
            closed_stalled: 0,
            is_complete: true,
        };
        let line = serde_json::to_string(&report).unwrap();
        assert!(!line.contains('\n'));
        let read: Report = serde_json::from_str(&line).unwrap();
        assert_eq!(read.tabs, Tabs { all: 3, stalled: 1, delivered: 7, named_in_gaps: 1, ..Tabs::default() });
        assert_eq!(read.storms_ms, [34]);
    }
}
