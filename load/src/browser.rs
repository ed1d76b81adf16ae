//! `ottla-load browser`: the feed's page in a real Chromium while records come at a steady rate, and what it costs the reader: frames
//! that reach the screen, long tasks, memory.
//!
//! What lives here: the flags, the course of a measurement and its result. The browser itself is driven by
//! `end2end/bench/browser.ts`, over `browser/chromium.rs`.

pub(crate) mod chromium;

use crate::tabs::{
    process,
    source::{self, Clock, Source, Work},
};
use anyhow::{Context as _, ensure};
use chromium::{Chromium, Heap, Traced};
use serde::{Deserialize, Serialize};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// By which part of itself the page's memory may grow and still be flat: what rows that are not all alike and V8's own tables vary by.
/// `ottla-load soak` looks for long.
const FLAT: f64 = 0.05;

/// The flags of `ottla-load browser`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// The instance's address
    #[arg(long, value_name = "URL")]
    pub instance: String,
    /// Kafka's addresses, separated by commas
    #[arg(long, value_name = "HOST:PORT,…")]
    pub brokers: String,
    /// A topic that the feed consumes and nobody else writes to
    #[arg(long)]
    pub topic: String,
    /// What `npm run browser` made of bench/browser.ts
    #[arg(long, value_name = "FILE", default_value = "end2end/built/bench/browser.js")]
    pub script: PathBuf,
    /// Records a second
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: u32,
    /// A value's size in bytes
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(source::STAMP as i64..=1_000_000))]
    pub size: u32,
    /// How the list is looked at
    #[arg(long, value_enum, default_value = "follow")]
    pub view: View,
    /// How long frames are looked at, and then the memory alone
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
    /// How long to produce before: the list holds 10,000 rows, and is not full before
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub warm_up: u64,
    /// Where the trace goes, for Chromium's own tools
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}

/// How the list is looked at, as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum View {
    /// At the newest rows
    Follow,
    /// Scrolled away from them
    Scrolled,
    /// Paused
    Paused,
}

impl View {
    /// The word that the browser is told.
    fn word(self) -> &'static str {
        match self {
            Self::Follow => "follow",
            Self::Scrolled => "scrolled",
            Self::Paused => "paused",
        }
    }
}

/// The result.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    pub chromium: String,
    /// What draws: `disabled_software` where there is no GPU.
    pub gpu_compositing: String,
    pub view: View,
    pub rate: u32,
    pub size: u32,
    /// Records that came into the log while the page was traced: a machine without time to spare takes fewer than are asked for.
    pub produced_per_second: f64,
    #[serde(flatten)]
    pub traced: Traced,
    /// After a garbage collection each: before the frames were looked at, after, and as long again later.
    pub heap: [Heap; 3],
    /// Over all three, in bytes a second.
    pub heap_slope: f64,
    /// From the first to the last: right after a trace Chromium still has some of its own.
    pub heap_is_flat: bool,
    /// The system's, over the last minute. Well above the number of cores, frames are late because the browser waits for one.
    pub load_average: f64,
}

/// Measures, and prints the result.
#[expect(clippy::print_stdout, reason = "the result is what this command is for")]
pub(crate) async fn run(options: Options) -> anyhow::Result<bool> {
    let report = measure(&options, false).await?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(report.traced.errors.is_empty())
}

/// Measures. `on_all_cores`: where this process may not use all of them, the browser may.
///
/// # Errors
/// When there is no Chromium, the page does not become live, or Kafka does not take the records.
pub(crate) async fn measure(options: &Options, on_all_cores: bool) -> anyhow::Result<Report> {
    let Options { brokers, topic, rate, size, .. } = options;
    let (mut page, opened) = Chromium::open(&options.script, &options.instance, on_all_cores).await?;
    page.view(options.view.word()).await?;
    page.probe().await?;
    let work = Work { rate: *rate, size: *size as usize, records: None, large: None };
    let source = Source::start(brokers, topic, work, Clock::start())?;
    sleep(Duration::from_secs(options.warm_up)).await;

    let time = Duration::from_secs(options.seconds);
    let began = Instant::now();
    let mut heap = Vec::with_capacity(3);
    let mut look = async |page: &mut Chromium| -> anyhow::Result<()> {
        let found = page.heap(true).await?;
        heap.push((began.elapsed().as_secs_f64(), found));
        Ok(())
    };
    look(&mut page).await?;
    let (log_before, tracing) = (log_end(brokers, topic).await?, Instant::now());
    let traced = page.trace(time, options.trace.as_deref()).await?;
    let produced_per_second =
        log_end(brokers, topic).await?.abs_diff(log_before) as f64 / tracing.elapsed().as_secs_f64();
    look(&mut page).await?;
    sleep(time).await;
    look(&mut page).await?;
    page.close().await?;
    let (sent, failed) = source.stop().await?;
    ensure!(failed == 0, "{failed} of {sent} records were not delivered");

    let points: Vec<_> = heap.iter().map(|(at, heap)| (*at, heap.bytes() as f64)).collect();
    let heap: [Heap; 3] =
        heap.into_iter().map(|(_, heap)| heap).collect::<Vec<_>>().try_into().ok().context("three")?;
    Ok(Report {
        chromium: opened.chromium,
        gpu_compositing: opened.gpu_compositing,
        view: options.view,
        rate: *rate,
        size: *size,
        produced_per_second,
        traced,
        heap_slope: slope(&points),
        heap_is_flat: is_flat(heap[0].bytes() as f64, heap[2].bytes() as f64),
        heap,
        load_average: process::load_average(),
    })
}

/// How many records the topic has had.
async fn log_end(brokers: &str, topic: &str) -> anyhow::Result<i64> {
    Ok(source::ends(brokers, topic).await?.iter().sum())
}

/// Whether what was `before` and is `after` now did not grow.
fn is_flat(before: f64, after: f64) -> bool {
    after <= before * (1.0 + FLAT)
}

/// By how much the value grows a unit of time: of points `(time, value)`, the line with the least squares. 0 of less than two.
pub(crate) fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len().max(1) as f64;
    let (sum_x, sum_y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let together: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    if spread > 0.0 { together / spread } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_that_of_the_line_through_the_points() {
        assert_eq!(slope(&[(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)]), 2.0);
        assert_eq!(slope(&[(0.0, 1.0), (1.0, 4.0), (2.0, 1.0)]), 0.0);
        assert_eq!((slope(&[(3.0, 1.0)]), slope(&[])), (0.0, 0.0));
    }

    #[test]
    fn what_shrinks_is_flat_and_what_grows_is_not() {
        assert!(is_flat(100.0, 80.0) && is_flat(100.0, 104.0) && !is_flat(100.0, 106.0));
    }
}
