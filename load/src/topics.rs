//! `ottla-load topics`: what a large cluster costs. Makes thousands of topics, one of them with hundreds of partitions that hold records,
//! and measures how soon the pages and the API about them answer, whole, and how fast all those records are searched. The topics are
//! deleted at the end.

use crate::{
    ingest::{self, median},
    reliability::instance::{Instance, Signal},
    setting::Setting,
};
use anyhow::{Context as _, bail, ensure};
use kafka::{Admin, TopicSpec};
use serde::Serialize;
use serde_json::Value;
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
/// How large a record of the large topic is, in bytes.
pub(crate) const RECORD: u32 = 200;
/// How long a page of the search may take. It has five seconds.
const PAGE_WITHIN: Duration = Duration::from_secs(20);
/// How many records a page has.
const PAGE: usize = 50;

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
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(i32).range(1..))]
    pub partitions: i32,
    /// How many records each of them holds
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub records: u64,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub topics: usize,
    pub partitions: i32,
    pub records: u64,
    pub addresses: Vec<Address>,
    pub search: Searched,
}

/// A search through all records of the large topic, which finds none.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Searched {
    /// How many records were looked at, and in how many seconds.
    pub records: u64,
    pub seconds: f64,
}

/// A table in Markdown, and a sentence.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("| what | whole for the first time | p50 | longest after the first | whole | kB |\n")?;
        f.write_str("|---|---|---|---|---|---|\n")?;
        self.addresses.iter().try_for_each(|Address { what, first, p50, longest, whole, bytes }| {
            let kilobytes = *bytes as f64 / 1_000.0;
            writeln!(f, "| {what} | {first:.0} | {p50:.1} | {longest:.1} | {whole} of {TIMES} | {kilobytes:.0} |")
        })?;
        let Searched { records, seconds } = self.search;
        let rate = records as f64 / seconds;
        writeln!(
            f,
            "\nA search through the {records} records of the large topic took {seconds:.2} s: {rate:.0} records/s."
        )
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
    /// How many of those after the first lacked nothing.
    pub whole: usize,
    pub bytes: usize,
}

/// What an answer is that lacks nothing of what Kafka was to tell.
#[derive(Debug, Clone, Copy)]
enum Whole {
    /// A page, by what it says where something is not known in time; and by the sign of a search that goes on.
    Page,
    /// The list of topics.
    Topics,
    /// A topic.
    Topic,
    /// A topic's records.
    Records,
    /// Whatever it is.
    Any,
}

impl Whole {
    fn is(self, body: &str) -> anyhow::Result<bool> {
        let json = || serde_json::from_str::<Value>(body).context("no JSON");
        let each = |list: &Value, is: fn(&Value) -> bool| {
            list.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is))
        };
        Ok(match self {
            Self::Page => {
                const LACKS: [&str; 5] = [
                    ">not known<",
                    "Kafka does not answer",
                    "Kafka did not say in time",
                    "These partitions are not here",
                    "id=\"stream\"",
                ];
                LACKS.iter().all(|said| !body.contains(said))
            }
            Self::Topics => each(&json()?["topics"], |topic| !topic["records"].is_null()),
            Self::Topic => {
                each(&json()?["partitions"], |partition| !partition["end"].is_null() && !partition["first"].is_null())
            }
            Self::Records => {
                let page = json()?;
                let is_full = page["records"].as_array().is_some_and(|records| records.len() == PAGE);
                is_full && page["is_complete"] == true && page["unread"] == Value::Array(Vec::new())
            }
            Self::Any => true,
        })
    }
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
    let records = size.records * u64::from(size.partitions.unsigned_abs());
    ensure!(records >= PAGE as u64, "a page has {PAGE} records, and there are {records} to be");
    ingest::fill(&setting.brokers, &large, size.partitions, records, RECORD).await?;

    let mut instance = Instance::new("topics", setting.launch(&own))?;
    instance.start().await?;
    let mut addresses = Vec::new();
    for (what, path, whole) in [
        ("`/topics`", "/topics".to_owned(), Whole::Page),
        ("`/topics`, searched", format!("/topics?q={prefix}-1"), Whole::Page),
        ("`/topics`, the last page", format!("/topics?page={}", size.topics.div_ceil(100)), Whole::Page),
        ("`/topics/NAME`, the large one", format!("/topics/{large}"), Whole::Page),
        ("`/cluster`", "/cluster".to_owned(), Whole::Any),
        ("`/cluster`, the large topic", format!("/cluster?q={large}"), Whole::Any),
        ("`/api/v1/topics`", "/api/v1/topics".to_owned(), Whole::Topics),
        ("`/api/v1/topics/NAME`, the large one", format!("/api/v1/topics/{large}"), Whole::Topic),
        ("`/api/v1/topics/NAME/records`, the large one", format!("/api/v1/topics/{large}/records"), Whole::Records),
        ("`/api/v1/cluster`", "/api/v1/cluster".to_owned(), Whole::Any),
    ] {
        addresses.push(ask(&instance, what, &path, whole).await?);
    }
    let search = search(&instance, &large).await?;
    ensure!(search.records == records, "{} of {records} records were looked at", search.records);
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
    let Size { topics, partitions, records } = size;
    Ok(Report { topics, partitions, records, addresses, search })
}

/// Searches all that a topic holds for what it does not hold, page by page.
async fn search(instance: &Instance, topic: &str) -> anyhow::Result<Searched> {
    let wanted = format!("/api/v1/topics/{topic}/records?filter=nowhere");
    let (mut path, began) = (format!("{wanted}&from=oldest"), Instant::now());
    loop {
        let (status, body) = instance.get_within(&path, PAGE_WITHIN).await?;
        ensure!(status == 200, "{path} has status {status}: {body}");
        let page: Value = serde_json::from_str(&body)?;
        ensure!(page["unread"] == Value::Array(Vec::new()), "partitions were left out: {}", page["unread"]);
        let text = |name: &str| page[name].as_str().with_context(|| format!("a page without {name}"));
        if page["is_complete"] == true {
            return Ok(Searched { records: text("scanned")?.parse()?, seconds: began.elapsed().as_secs_f64() });
        }
        path = format!("{wanted}&at={}", text("newer")?);
    }
}

async fn ask(instance: &Instance, what: &'static str, path: &str, whole: Whole) -> anyhow::Result<Address> {
    let first = first_answer(instance, path, whole).await?;
    let (mut took, mut bytes, mut is_whole) = (Vec::with_capacity(TIMES), 0, 0);
    for _ in 0..TIMES {
        let began = Instant::now();
        let (status, body) = instance.get(path).await?;
        took.push(millis(began.elapsed()));
        ensure!(status == 200, "{path} has status {status}");
        is_whole += usize::from(whole.is(&body)?);
        bytes = body.len();
    }
    let longest = took.iter().copied().fold(0.0, f64::max);
    Ok(Address { what, first, p50: median(took), longest, whole: is_whole, bytes })
}

/// How long it takes until an address answers with all that is asked for. A page has little time for Kafka's answer: what comes later is
/// there for the next one.
async fn first_answer(instance: &Instance, path: &str, whole: Whole) -> anyhow::Result<f64> {
    let began = Instant::now();
    loop {
        let (status, body) = instance.get(path).await?;
        if status == 200 && whole.is(&body)? {
            return Ok(millis(began.elapsed()));
        }
        if began.elapsed() >= ANSWERS_WITHIN {
            bail!("{path} has status {status}, and something is missing in it or it is no answer");
        }
        sleep(Duration::from_millis(50)).await;
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_lacks_something_is_not_whole() {
        let records = |count: usize, is_complete: bool, unread: &str| {
            let records = vec!["{}"; count].join(",");
            format!("{{\"records\":[{records}],\"is_complete\":{is_complete},\"unread\":[{unread}]}}")
        };
        for (whole, body, is) in [
            (Whole::Page, "<td>7</td>".to_owned(), true),
            (Whole::Page, "<span class=\"faint\">not known</span>".to_owned(), false),
            (Whole::Page, "<span id=\"stream\" data-from=\"/x\"></span>".to_owned(), false),
            (Whole::Topics, "{\"topics\":[{\"records\":\"7\"},{\"records\":null}]}".to_owned(), false),
            (Whole::Topics, "{\"topics\":[{\"records\":\"7\"}]}".to_owned(), true),
            (Whole::Topics, "{\"topics\":[]}".to_owned(), false),
            (Whole::Topic, "{\"partitions\":[{\"first\":\"0\",\"end\":null}]}".to_owned(), false),
            (Whole::Records, records(PAGE, true, ""), true),
            (Whole::Records, records(0, true, ""), false),
            (Whole::Records, records(PAGE, false, ""), false),
            (Whole::Records, records(PAGE, true, "3"), false),
        ] {
            assert_eq!(whole.is(&body).unwrap(), is, "{whole:?} {body}");
        }
    }
}
