//! `ottla-load topics`: what a large cluster costs. Makes thousands of topics, one of them with hundreds of partitions, and measures how
//! soon the pages and the API about them answer. The topics are deleted at the end.

use crate::{
    ingest::{self, median},
    reliability::instance::{Instance, Signal},
    setting::Setting,
};
use anyhow::ensure;
use kafka::{Admin, TopicSpec};
use serde::Serialize;
use std::{
    fmt,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

/// How many topics are made or deleted at a time, and how long that may take: a broker writes a folder for each partition.
const AT_ONCE: usize = 200;
const MADE_WITHIN: Duration = Duration::from_secs(120);
/// How long an address may take to answer for the first time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// How often each address is asked for then.
const TIMES: usize = 20;

/// The flags of `ottla-load topics`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub setting: Setting,
    #[command(flatten)]
    pub size: Size,
}

/// How large the cluster is.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Size {
    /// How many topics there are, of one partition each
    #[arg(long, default_value_t = 5_000)]
    pub topics: usize,
    /// How many partitions one more topic has
    #[arg(long, default_value_t = 500)]
    pub partitions: i32,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub topics: usize,
    pub partitions: i32,
    pub addresses: Vec<Address>,
}

/// A table in Markdown.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("| what | the first time | p50 | longest after the first | kB |\n|---|---|---|---|---|\n")?;
        self.addresses.iter().try_for_each(|Address { what, first, p50, longest, bytes }| {
            let kilobytes = *bytes as f64 / 1_000.0;
            writeln!(f, "| {what} | {first:.0} | {p50:.1} | {longest:.1} | {kilobytes:.0} |")
        })
    }
}

/// An address, and how it answered.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Address {
    pub what: &'static str,
    /// In milliseconds, the server's time and the way over loopback: until the first answer, then the median and the longest.
    pub first: f64,
    pub p50: f64,
    pub longest: f64,
    pub bytes: usize,
}

/// Measures, and prints it.
///
/// # Errors
/// When the cluster or the instance can't be had.
#[allow(clippy::print_stdout, reason = "what was measured is what it is for")]
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let setting = options.setting.absolute()?;
    let report = measure(&setting, options.size).await?;
    print!("{report}");
    Ok(())
}

/// The same, without a word.
///
/// # Errors
/// When the cluster or the instance can't be had.
pub(crate) async fn measure(setting: &Setting, size: Size) -> anyhow::Result<Report> {
    let admin = Admin::new(&ingest::settings(&setting.brokers))?;
    let prefix = format!("many-{:08x}", rand::random::<u32>());
    let (large, own) = (format!("{prefix}-large"), format!("{prefix}-own"));
    let names: Vec<_> = (0..size.topics).map(|number| format!("{prefix}-{number:04}")).collect();
    for names in names.chunks(AT_ONCE) {
        let spec = |name| TopicSpec { name, partitions: 1, replication: 1, settings: &[] };
        let specs: Vec<_> = names.iter().map(|name| spec(name.as_str())).collect();
        admin.ensure_topics(&specs, MADE_WITHIN).await?;
    }
    ingest::create(&setting.brokers, &large, size.partitions).await?;
    ingest::create(&setting.brokers, &own, 1).await?;

    let mut instance = Instance::new("topics", setting.launch(&own))?;
    instance.start().await?;
    let mut addresses = Vec::new();
    for (what, path) in [
        ("`/topics`", "/topics".to_owned()),
        ("`/topics`, searched", format!("/topics?q={prefix}-1")),
        ("`/topics`, the last page", format!("/topics?page={}", size.topics.div_ceil(100))),
        ("`/topics/NAME`, the large one", format!("/topics/{large}")),
        ("`/cluster`", "/cluster".to_owned()),
        ("`/cluster`, the large topic", format!("/cluster?q={large}")),
        ("`/api/v1/topics`", "/api/v1/topics".to_owned()),
        ("`/api/v1/topics/NAME`, the large one", format!("/api/v1/topics/{large}")),
        ("`/api/v1/topics/NAME/records`, the large one", format!("/api/v1/topics/{large}/records")),
        ("`/api/v1/cluster`", "/api/v1/cluster".to_owned()),
    ] {
        addresses.push(ask(&instance, what, &path).await?);
    }
    instance.signal(Signal::Terminate).await?;
    instance.ended().await?;
    let mut names: Vec<_> = names.into_iter().chain([large, own]).collect();
    while !names.is_empty() {
        let mut deleted = JoinSet::new();
        for name in names.drain(..names.len().min(AT_ONCE)) {
            let admin = admin.clone();
            deleted.spawn(async move { admin.delete_topic(&name, MADE_WITHIN).await });
        }
        for deleted in deleted.join_all().await {
            deleted?;
        }
    }
    Ok(Report { topics: size.topics, partitions: size.partitions, addresses })
}

async fn ask(instance: &Instance, what: &'static str, path: &str) -> anyhow::Result<Address> {
    let first = first_answer(instance, path).await?;
    let (mut took, mut bytes) = (Vec::with_capacity(TIMES), 0);
    for _ in 0..TIMES {
        let began = Instant::now();
        let (status, body) = instance.get(path).await?;
        took.push(millis(began.elapsed()));
        ensure!(status == 200, "{path} has status {status}");
        bytes = body.len();
    }
    let longest = took.iter().copied().fold(0.0, f64::max);
    Ok(Address { what, first, p50: median(took), longest, bytes })
}

/// How long it takes until an address answers with what is asked for. A page has little time for Kafka's answer: what comes later is
/// there for the next one.
async fn first_answer(instance: &Instance, path: &str) -> anyhow::Result<f64> {
    let began = Instant::now();
    loop {
        let (status, _) = instance.get(path).await?;
        if status == 200 {
            return Ok(millis(began.elapsed()));
        }
        ensure!(began.elapsed() < ANSWERS_WITHIN, "{path} has status {status}");
        sleep(Duration::from_millis(50)).await;
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
