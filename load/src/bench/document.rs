//! The measured part of docs/BENCHMARKS.md. What stands around it is written by people and stays.

use super::{Plan, Results, figures::figures, picture::Point};
use crate::topics::RECORD;
use anyhow::ensure;
use std::fmt::Write as _;

const BEGIN: &str = "<!-- measured: what follows is written by `make bench` -->\n";
const END: &str = "<!-- /measured -->\n";

/// Whether there is a place for what is measured.
pub(super) fn check(text: &str) -> anyhow::Result<()> {
    split(text).map(drop)
}

/// The text, with what was measured in its place.
pub(super) fn write(text: &str, results: &Results, plan: &Plan) -> anyhow::Result<String> {
    let (before, after) = split(text)?;
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", measured(results, plan)))
}

fn split(text: &str) -> anyhow::Result<(&str, &str)> {
    let found = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    ensure!(found.is_some(), "the text has no place for what is measured: {} … {}", BEGIN.trim(), END.trim());
    Ok(found.unwrap_or_default())
}

fn measured(results: &Results, plan: &Plan) -> String {
    let mut text = String::new();
    if plan.is_quick() {
        text.push_str("**A quick run: it shows that everything works, and not how fast.**\n\n");
    }
    for (key, value) in &results.about {
        put(&mut text, format_args!("- {key}: {value}\n"));
    }
    let averages = results.tabs.values().map(|(_, report)| report.load_average);
    if let Some(most) = averages.reduce(f64::max) {
        put(&mut text, format_args!("- load meanwhile: up to {most:.1}\n"));
    }
    text.push_str("\n## Figures to reach\n\n| what | to reach | measured | | command |\n|---|---|---|---|---|\n");
    for figure in figures(results, plan) {
        let mark = if figure.is_reached { "✓" } else { "✗" };
        let measured = if figure.measured.is_empty() { "could not be measured" } else { &figure.measured };
        put(
            &mut text,
            format_args!("| {} | {} | {measured} | {mark} | `{}` |\n", figure.what, figure.goal, figure.command),
        );
    }
    text.push_str(
        "\n`ottla-load tabs` takes `--instances --pids --brokers --topic` besides, which name what the bench starts.\n",
    );
    others(&mut text, results);
    browsers(&mut text, results);
    growth(&mut text, &plan.growth(results));
    topics(&mut text, results);
    micro(&mut text, results);
    text
}

fn others(text: &mut String, results: &Results) {
    text.push_str("\n## Besides\n\n| what | measured |\n|---|---|\n");
    if let Some(start) = &results.start_up {
        put(
            text,
            format_args!(
                "| Start-up | answers after {:.0} ms, consumes after {:.0} ms |\n",
                start.answers, start.consumes
            ),
        );
    }
    if let Some((flags, report)) = results.tabs.get("storm") {
        let storms: Vec<_> = report.storms_ms.iter().map(|millis| format!("{millis} ms")).collect();
        let told = if report.is_complete { "every record delivered or named, none twice" } else { "RECORDS MISSING" };
        put(
            text,
            format_args!(
                "| {} tabs drop and come back at once (`ottla-load tabs {flags}`) | all subscribed after {}; {told} |\n",
                report.tabs.all,
                storms.join(", ")
            ),
        );
    }
    if let Some((flags, report)) = results.tabs.get("idle") {
        let cpu = report.server.as_ref().map_or(0.0, |server| server.cpu * 100.0);
        put(
            text,
            format_args!(
                "| {} idle tabs (`ottla-load tabs {flags}`) | connected in {:.1} s; {cpu:.0} % of a core for the counters that each gets once a second |\n",
                report.tabs.all,
                report.connected_in_ms as f64 / 1_000.0
            ),
        );
    }
    if let Some((flags, report)) = results.tabs.get("json")
        && let (Some(server), Some(latency)) = (&report.server, &report.latency)
    {
        let millions = server.deliveries_per_cpu_second / 1e6;
        put(
            text,
            format_args!(
                "| Subprotocol JSON (`ottla-load tabs {flags}`) | {millions:.2} M deliveries per CPU-second, p50 {:.1} ms, p99 {:.1} ms |\n",
                latency.p50, latency.p99
            ),
        );
    }
    if let Some(page) = &results.first_page {
        put(text, format_args!("| The first page's HTML | {:.1} kB |\n", page.bytes as f64 / 1_000.0));
    }
    for file in &results.files {
        let (bytes, brotli) = (file.bytes as f64 / 1_000.0, file.brotli as f64 / 1_000.0);
        put(text, format_args!("| The page's {} | {bytes:.1} kB, {brotli:.1} in brotli |\n", file.kind));
    }
    if let (Some((_, latency)), Some((_, full))) = (results.tabs.get("latency"), results.tabs.get("saturation")) {
        let share = |cpu: Option<f64>| cpu.map_or(0.0, |cpu| cpu * 100.0);
        let [quiet, busy] = [share(latency.generator_cpu), share(full.generator_cpu)];
        put(
            text,
            format_args!(
                "| The generator itself | {quiet:.0} % of a core in the fan-out at pace `latency`, {busy:.0} % at saturation |\n"
            ),
        );
    }
}

fn browsers(text: &mut String, results: &Results) {
    let Some((.., first)) = results.browsers.first() else { return };
    put(
        text,
        format_args!(
            "\n## The page in Chromium\n\nChromium {}, headless, `gpu_compositing: {}`, 1440 × 900.\n\n",
            first.chromium, first.gpu_compositing
        ),
    );
    text.push_str(
        "Where the main thread is busy for much longer than it has a processor, what is measured is the wait for one.\n\n",
    );
    text.push_str(
        "| `ottla-load browser` | frames/s (by `requestAnimationFrame`) | after the one before: p50, p95, max ms | tick to screen: p95 ms | long tasks: count, longest, beyond 50 ms | main thread: busy, on a processor | records/s: in the log, in the list | memory MB |\n|---|---|---|---|---|---|---|---|\n",
    );
    for (_, flags, report) in &results.browsers {
        let traced = &report.traced;
        let [interval, took] = [traced.frames.interval_ms, traced.frames.took_ms].map(Option::unwrap_or_default);
        let share = |of| traced.main_thread.get(of).copied().unwrap_or(0.0);
        let heap = report.heap.each_ref().map(|heap| format!("{:.1}", heap.bytes() as f64 / 1e6));
        put(
            text,
            format_args!(
                "| `{flags}` | {:.1} ({:.1}) | {:.1}, {:.1}, {:.0} | {:.1} | {}, {:.0} ms, {:.0} ms | {:.0} %, {:.0} % | {:.0}, {:.0} | {} |\n",
                traced.frames.per_second,
                traced.raf.per_second,
                interval.p50,
                interval.p95,
                interval.max,
                took.p95,
                traced.long_tasks.count,
                traced.long_tasks.longest_ms,
                traced.long_tasks.blocking_ms,
                share("busy") * 100.0,
                share("processor") * 100.0,
                report.produced_per_second,
                traced.listed_per_second,
                heap.join(" → ")
            ),
        );
    }
}

fn growth(text: &mut String, [tabs, rates]: &[Vec<Point>; 2]) {
    text.push_str(
        "\n## How cost grows\n\n![Processor time and latency over tabs and over the rate](benchmarks/growth.svg)\n",
    );
    let titles =
        [format!("tabs, at {} records/s", Plan::GROWTH_RATE), format!("records/s, with {} tabs", Plan::GROWTH_TABS)];
    for (title, points) in titles.into_iter().zip([tabs, rates]) {
        put(
            text,
            format_args!("\n| {title} | % of a core | p50 ms | p99 ms | named in gaps |\n|---|---|---|---|---|\n"),
        );
        for Point { x, cpu, p50, p99, named } in points {
            put(text, format_args!("| {x} | {:.1} | {p50:.1} | {p99:.1} | {:.0} % |\n", cpu * 100.0, named * 100.0));
        }
    }
}

fn topics(text: &mut String, results: &Results) {
    let Some(report) = &results.topics else { return };
    put(
        text,
        format_args!(
            "\n## A large cluster\n\n`ottla-load topics`: {} topics, and one of {} partitions with {} records of {RECORD} bytes in each. A page \
             that is asked for waits 300 ms for Kafka at most; what takes longer comes to the next one, and a page that lacks something \
             counts as no answer. In milliseconds, from the request to the last byte, over loopback.\n\n",
            report.topics, report.partitions, report.records
        ),
    );
    put(text, format_args!("{report}"));
}

fn micro(text: &mut String, results: &Results) {
    if results.micro.is_empty() {
        return;
    }
    text.push_str(
        "\n## Micro-benchmarks of `feed`\n\n`cargo bench --package feed`, 200-byte values, release profile.\n\n",
    );
    text.push_str("| what | a time | records a second |\n|---|---|---|\n");
    for micro in &results.micro {
        let each = micro.per_second.map_or_else(String::new, |rate| format!("{:.1} M", rate / 1e6));
        put(text, format_args!("| {} | {} | {each} |\n", micro.name, duration(micro.nanoseconds)));
    }
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        under if under < 1e3 => format!("{under:.0} ns"),
        under if under < 1e6 => format!("{:.1} µs", under / 1e3),
        other => format!("{:.2} ms", other / 1e6),
    }
}

/// Writing to a string does not fail.
fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_measured_is_written_anew() {
        let plan = Plan::new(false, 20_000);
        let results = Results { about: vec![("machine".into(), "an abacus".into())], ..Results::default() };
        let text = format!("# Title\n{BEGIN}old figures\n{END}Reasons.\n");
        let written = write(&text, &results, &plan).unwrap();
        assert!(written.starts_with("# Title\n") && written.ends_with("Reasons.\n"));
        assert!(written.contains("- machine: an abacus\n") && !written.contains("old figures"));
        // Once more, and it is the same.
        assert_eq!(write(&written, &results, &plan).unwrap(), written);
        assert!(write("# No place\n", &results, &plan).is_err());
    }

    #[test]
    fn a_quick_run_says_that_it_is_none_to_quote() {
        let text = measured(&Results::default(), &Plan::new(true, 20_000));
        assert!(text.starts_with("**A quick run"));
        assert!(!measured(&Results::default(), &Plan::new(false, 20_000)).contains("quick"));
    }

    #[test]
    fn a_duration_has_the_unit_that_fits() {
        assert_eq!([80.4, 12_340.0, 3_210_000.0].map(duration), ["80 ns", "12.3 µs", "3.21 ms"]);
    }
}
