//! The figures to reach, and whether they are.

use super::{AtRest, Plan, Results, plan::browser_at};
use crate::{
    browser::{self, chromium::Frames},
    ingest::median,
    tabs::report::Report,
};

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Figure {
    pub what: &'static str,
    pub goal: &'static str,
    /// What was measured; empty where it could not be.
    pub measured: String,
    pub is_reached: bool,
    /// What measured it.
    pub command: String,
}

/// The largest WebAssembly that the page may load, in brotli: `scripts/check-budget.sh` has the same.
const WASM: u64 = 150_000;
/// The least time between two frames of a display with 60 Hz, in milliseconds, and a little for rounding.
const TICK: f64 = 16.7;
/// What a tab may take, in bytes: 3 KB.
const TAB: f64 = 3_000.0;
const MB: f64 = 1e6;

/// All of them.
pub(super) fn figures(results: &Results, plan: &Plan) -> Vec<Figure> {
    let mut figures = vec![ingest(results)];
    figures.push(of(
        results,
        "latency",
        "Fan-out, pace `latency`, 50 tabs × 2,000 records/s",
        "≥ 0.6 M deliveries per server CPU-second, p50 ≤ 6 ms, p99 ≤ 20 ms",
        |report| fan_out(report, 0.6, 6.0, 20.0),
    ));
    figures.push(of(
        results,
        "display",
        "Fan-out, pace `display`, the same work",
        "≥ 1.3 M, p50 ≤ 15 ms, p99 ≤ 30 ms",
        |report| fan_out(report, 1.3, 15.0, 30.0),
    ));
    figures.push(of(
        results,
        "saturation",
        "Fan-out at saturation, 50 tabs",
        "≥ 3 M deliveries/s, ≥ 5 M per CPU-second",
        saturation,
    ));
    figures.push(of(results, "idle", "Memory of an idle tab", "≤ 3 KB", |report| {
        let server = report.server.as_ref()?;
        let measured = format!("{:.2} KB, {} tabs", server.rss_per_tab / 1_000.0, report.tabs.all);
        Some((measured, server.rss_per_tab <= TAB))
    }));
    figures.push(stalled(results, plan));
    figures.push(of(results, "intake", "Taking in 2,000 records/s", "≤ 4 % of a core, p50 ≤ 6 ms", |report| {
        let (server, latency) = (report.server.as_ref()?, report.latency.as_ref()?);
        let measured = format!("{:.1} % with one tab, p50 {:.1} ms", server.cpu * 100.0, latency.p50);
        Some((measured, server.cpu <= 0.04 && latency.p50 <= 6.0))
    }));
    figures.push(of(
        results,
        "burst",
        "A tab's memory after a burst",
        "back to its idle figure (≤ 3 KB) within 10 s",
        |report| {
            let server = report.server.as_ref()?;
            let beyond = |rss: u64| (rss as f64 - server.rss_before as f64) / f64::from(report.tabs.all) / 1_000.0;
            let rested = beyond(server.rss_rested?);
            let [idle, loaded] = [server.rss_connected, server.rss_loaded].map(beyond);
            let measured =
                format!("{rested:.1} KB a tab, the ring's records included; {idle:.1} before, {loaded:.1} in it");
            Some((measured, rested <= TAB / 1_000.0))
        },
    ));
    figures.extend(page(results));
    figures.extend(in_browser(results));
    figures
}

fn in_browser(results: &Results) -> [Figure; 3] {
    let at = |rate: u32, what, goal, is_reached: &dyn Fn(f64, f64) -> bool| {
        let found = results.browsers.iter().find(|(name, ..)| *name == browser_at(rate));
        let shown = found.and_then(|(.., report)| {
            let Frames { per_second, interval_ms, .. } = &report.traced.frames;
            Some((report.produced_per_second, *per_second, (*interval_ms)?.p95))
        });
        Figure {
            what,
            goal,
            measured: shown.map_or_else(String::new, |(produced, frames, p95)| {
                format!("p95 {p95:.1} ms, {frames:.1} frames/s at {produced:.0} records/s")
            }),
            // Fewer records than were asked for are another measurement.
            is_reached: shown
                .is_some_and(|(produced, frames, p95)| produced >= 0.9 * f64::from(rate) && is_reached(p95, frames)),
            command: found.map_or_else(String::new, |(_, flags, _)| format!("ottla-load browser {flags}")),
        }
    };
    let heap = |report: &browser::Report| {
        let [first, _, last] = report.heap.each_ref().map(|heap| heap.bytes() as f64 / MB);
        format!("{first:.1} → {last:.1} MB at {}/s", report.rate)
    };
    let heaps: Vec<_> = results.browsers.iter().map(|(.., report)| heap(report)).collect();
    [
        at(10_000, "The page at 10,000 records/s", "95 % of the frames ≤ 16.7 ms after the one before", &|p95, _| {
            p95 <= TICK
        }),
        at(100_000, "The page at 100,000 records/s", "≥ 30 frames/s", &|_, frames| frames >= 30.0),
        Figure {
            what: "The page's memory, JavaScript's and WebAssembly's",
            goal: "flat",
            measured: heaps.join(", "),
            is_reached: !heaps.is_empty() && results.browsers.iter().all(|(.., report)| report.heap_is_flat),
            command: "ottla-load browser, each of those below".into(),
        },
    ]
}

fn of(
    results: &Results,
    name: &str,
    what: &'static str,
    goal: &'static str,
    judge: impl Fn(&Report) -> Option<(String, bool)>,
) -> Figure {
    let found = results.tabs.get(name);
    let command = found.map_or_else(String::new, |(flags, _)| format!("ottla-load tabs {flags}"));
    // A figure is none where tabs were not told of what they were not sent.
    let judged = found.and_then(|(_, report)| Some((judge(report)?, report.is_complete)));
    let ((measured, is_reached), is_complete) = judged.unwrap_or_default();
    Figure { what, goal, measured, is_reached: is_reached && is_complete, command }
}

fn fan_out(report: &Report, millions: f64, p50: f64, p99: f64) -> Option<(String, bool)> {
    let (server, latency) = (report.server.as_ref()?, report.latency.as_ref()?);
    let found = server.deliveries_per_cpu_second / 1e6;
    let measured = format!("{found:.2} M, p50 {:.1} ms, p99 {:.1} ms", latency.p50, latency.p99);
    Some((measured, found >= millions && latency.p50 <= p50 && latency.p99 <= p99))
}

fn saturation(report: &Report) -> Option<(String, bool)> {
    let server = report.server.as_ref()?;
    let (second, cpu) = (report.deliveries_per_second / 1e6, server.deliveries_per_cpu_second / 1e6);
    let named = report.tabs.named_in_gaps as f64 / (report.tabs.named_in_gaps + report.tabs.delivered).max(1) as f64;
    let measured =
        format!("{second:.2} M/s, {cpu:.2} M per CPU-second; {:.0} % of the records named in gaps", named * 100.0);
    Some((measured, second >= 3.0 && cpu >= 5.0))
}

fn ingest(results: &Results) -> Figure {
    let found = results.ingest.as_ref();
    Figure {
        what: "Ingest, 200-byte records, one core",
        goal: "≥ 0.9 × a bare librdkafka loop with the same settings",
        measured: found.map_or_else(String::new, |found| {
            format!(
                "{:.2} × ({:.2} of {:.2} M records/s; {:.2} M without marks)",
                found.ratio,
                found.ottla / 1e6,
                found.bare / 1e6,
                found.without_marks / 1e6
            )
        }),
        is_reached: found.is_some_and(|found| found.ratio >= 0.9),
        command: found.map_or_else(String::new, |found| {
            format!("ottla-load ingest --records {} --rounds {}", found.records, found.rounds)
        }),
    }
}

fn stalled(results: &Results, plan: &Plan) -> Figure {
    let (measured, is_reached) = match plan.stalled(results) {
        None => Default::default(),
        Some((none, some)) => {
            let (none, some) = (median(none), median(some));
            (format!("{:.2} × (p99 {some:.1} ms, {none:.1} with none)", some / none), some / none <= 1.1)
        }
    };
    let flags = results.tabs.get("a tenth stalled 0").map_or("", |(flags, _)| flags);
    Figure {
        what: "A tenth of the tabs stop reading",
        goal: "the others' p99 within 1.1 ×",
        measured,
        is_reached,
        command: format!("ottla-load tabs {flags}, and without the last flag, in turn"),
    }
}

fn page(results: &Results) -> Vec<Figure> {
    let wasm: u64 = results.files.iter().filter(|file| file.kind == "wasm").map(|file| file.brotli).sum();
    let first = results.first_page.as_ref();
    let at_rest = |it: &AtRest| format!("{:.1} MB, {:.1} % of a core", it.rss as f64 / MB, it.cpu * 100.0);
    let rest = results.at_rest.as_ref();
    let embedded = results.at_rest_embedded.as_ref();
    let bench = || "ottla-load bench".to_owned();
    vec![
        Figure {
            what: "WebAssembly of the page, brotli",
            goal: "≤ 150 kB",
            measured: format!("{:.1} kB", wasm as f64 / 1_000.0),
            is_reached: (1..=WASM).contains(&wasm),
            command: "scripts/build.sh".into(),
        },
        Figure {
            what: "First page, warm server, from connect to last byte",
            goal: "≤ 5 ms",
            measured: first.map_or_else(String::new, |it| format!("p50 {:.2} ms, p99 {:.2} ms", it.p50, it.p99)),
            is_reached: first.is_some_and(|it| it.p50 <= 5.0),
            command: bench(),
        },
        Figure {
            what: "Server at rest",
            goal: "≤ 40 MB",
            measured: rest.map_or_else(String::new, at_rest),
            is_reached: rest.is_some_and(|it| it.rss as f64 <= 40.0 * MB),
            command: bench(),
        },
        Figure {
            what: "Server at rest, with the embedded broker",
            goal: "≤ 80 MB, ≤ 5 % of a core",
            measured: embedded.map_or_else(String::new, at_rest),
            is_reached: embedded.is_some_and(|it| it.rss as f64 <= 80.0 * MB && it.cpu <= 0.05),
            command: bench(),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tabs::report::{Latencies, Server, Tabs};
    use serde_json::json;

    fn report(p99: f64, millions: f64, is_complete: bool) -> Report {
        Report {
            tabs: Tabs { all: 50, delivered: 100, ..Tabs::default() },
            pace: "latency".into(),
            subprotocol: "postcard".into(),
            rate: 2_000,
            size: 200,
            seconds: 10.0,
            produced: 2,
            not_produced: 0,
            deliveries_per_second: 100_000.0,
            latency: Some(Latencies { samples: 9, p50: 5.0, p90: 9.0, p99, p99_9: p99, max: p99 }),
            server: Some(Server {
                cpu: 0.1,
                deliveries_per_cpu_second: millions * 1e6,
                rss_before: 1,
                rss_connected: 1,
                rss_loaded: 1,
                rss_rested: None,
                rss_per_tab: 2_000.0,
            }),
            generator_cpu: None,
            load_average: 0.5,
            connected_in_ms: 1,
            storms_ms: Vec::new(),
            reconnects: 0,
            closed_stalled: 0,
            is_complete,
        }
    }

    fn figure(report: Report) -> Figure {
        let mut results = Results::default();
        results.tabs.insert("latency".into(), ("--tabs 50".into(), report));
        figures(&results, &Plan::new(false, 20_000)).remove(1)
    }

    #[test]
    fn a_figure_is_reached_when_each_of_its_parts_is() {
        assert!(figure(report(20.0, 0.6, true)).is_reached);
        assert!(!figure(report(20.1, 0.6, true)).is_reached);
        assert!(!figure(report(20.0, 0.59, true)).is_reached);
        assert_eq!(figure(report(20.0, 0.6, true)).command, "ottla-load tabs --tabs 50");
    }

    #[test]
    fn fast_and_silent_about_what_is_missing_is_no_figure() {
        let figure = figure(report(1.0, 9.0, false));
        assert!(!figure.is_reached && figure.measured.starts_with("9.00 M"));
    }

    fn at_100_000(produced: f64, frames: f64) -> Figure {
        let spread = json!({ "p50": 16.7, "p95": 33.3, "p99": 33.3, "max": 50.0 });
        let heap = json!({ "js": 1, "document": 1, "buffers": 1, "wasm": 1 });
        let report = json!({
            "chromium": "156", "gpu_compositing": "disabled_software", "view": "follow", "rate": 100_000, "size": 200,
            "produced_per_second": produced, "seconds": 10.0,
            "frames": { "per_second": frames, "interval_ms": spread, "shown_interval_ms": null, "took_ms": null, "states": {} },
            "long_tasks": { "count": 0, "longest_ms": 9.0, "blocking_ms": 0.0 }, "main_thread": {},
            "raf": { "per_second": frames, "interval_ms": null }, "cpu": {}, "listed_per_second": 9.0, "errors": [],
            "heap": [heap, heap, heap], "heap_slope": 0.0, "heap_is_flat": true, "load_average": 0.5,
        });
        let mut results = Results::default();
        results.browsers.push((browser_at(100_000), "--rate 100000".into(), serde_json::from_value(report).unwrap()));
        let [_, figure, heap] = in_browser(&results);
        assert!(heap.is_reached, "{heap:?}");
        figure
    }

    #[test]
    fn frames_count_at_the_rate_that_was_asked_for() {
        let figure = at_100_000(99_000.0, 31.5);
        assert_eq!(figure.measured, "p95 33.3 ms, 31.5 frames/s at 99000 records/s");
        assert!(figure.is_reached && figure.command == "ottla-load browser --rate 100000");
        assert!(!at_100_000(99_000.0, 29.9).is_reached && !at_100_000(40_000.0, 60.0).is_reached);
    }

    #[test]
    fn what_was_not_measured_is_not_reached() {
        for figure in figures(&Results::default(), &Plan::new(false, 20_000)) {
            assert!(!figure.is_reached, "{figure:?}");
        }
    }

    #[test]
    fn stalled_tabs_are_judged_by_the_medians_of_the_turns() {
        let mut results = Results::default();
        for (turn, (none, some)) in [(10.0, 10.5), (10.0, 99.0), (10.0, 10.5)].into_iter().enumerate() {
            let of = |p99| (String::new(), report(p99, 1.0, true));
            results.tabs.insert(format!("none stalled {turn}"), of(none));
            results.tabs.insert(format!("a tenth stalled {turn}"), of(some));
        }
        let plan = Plan::new(false, 20_000);
        assert!(stalled(&results, &plan).is_reached);
        results.tabs.insert("a tenth stalled 0".into(), (String::new(), report(12.0, 1.0, true)));
        assert!(!stalled(&results, &plan).is_reached);
    }
}
