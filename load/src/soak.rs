//! `ottla-load soak`: one instance, a steady load, a crowd of tabs of which some behave badly, and one real browser, for a quarter
//! of an hour. Does anything grow that should not, does anything panic, and do the counters add up?
//!
//! What lives here: the flags, the course and the verdict. The tabs are those of `ottla-load tabs`, the browser that of
//! `ottla-load browser`.

use crate::{
    browser::{chromium::Chromium, slope},
    ingest,
    reliability::instance::{Instance, Signal},
    setting::Setting,
    tabs::{
        self,
        process::{self, Processes},
        report::Tabs,
        source::{self, Source, Work},
        tab::{Orders, Role, Run, Tab},
        tally::Tally,
    },
};
use anyhow::{Context as _, ensure};
use client::{Subprotocol, connect};
use parking_lot::Mutex;
use serde::Serialize;
use std::{
    fs,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use wire::{Command, Event, Filter, From, Pace, Scope, Stats, Subscribe};

/// How many partitions the topic has.
const PARTITIONS: i32 = 6;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(10);
/// How often the browser collects its garbage first, in looks. Until the look after that its list is scrolled away.
const COLLECT: u32 = 6;
/// A shorter run says nothing of memory: the ring and the page's window fill up first.
const LONG_ENOUGH: u64 = 10;
/// How long a tab that passes stays.
const PASSES: Duration = Duration::from_secs(5);
/// How long all tabs may take to connect, the last records to arrive, and the server to count them.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many tabs connect at the same time at first.
const CONNECT_AT_ONCE: usize = 64;

/// By which part of itself memory may grow over the second half, by the line through its samples, and still be flat.
///
/// 5 % of an instance with 100 MB are 5 MB in 450 s: two bytes a record at 5,000 a second, or 1.4 KB for each of the 3,600
/// connections that come and go meanwhile. What leaks less is lost in what the allocator and the garbage collector vary by.
const FLAT: f64 = 0.05;

/// The flags of `ottla-load soak`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    setting: Setting,
    /// What opens the page in a Chromium; without it, that is left out
    #[arg(long, value_name = "FILE")]
    browser: Option<PathBuf>,
    /// How long
    #[arg(default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Records a second
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// A value's size in bytes, and that of each hundredth
    #[arg(long, value_name = "BYTES", default_values_t = [200, 40_000], num_args = 2)]
    sizes: Vec<usize>,
    /// How many tabs
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..))]
    tabs: u32,
}

/// Some of the tabs.
struct Kind {
    name: &'static str,
    /// How many of a hundred.
    percent: u32,
    role: Role,
    /// How often all of them drop their connections, without a word, and come back where they were.
    drops: Option<Duration>,
}

/// Those that stay; whoever reads is told of every record. The others pass: each follows for a moment, is gone without a close,
/// and the next one comes.
const KINDS: [Kind; 4] = [
    Kind { name: "steady", percent: 50, role: Role::Reader, drops: None },
    Kind { name: "restless", percent: 20, role: Role::Reader, drops: Some(Duration::from_secs(10)) },
    Kind { name: "slow", percent: 10, role: Role::Slow(20_000), drops: None },
    Kind { name: "stalled", percent: 10, role: Role::Stalled, drops: Some(Duration::from_secs(60)) },
];

/// What is seen every ten seconds: a line of JSON.
#[derive(Debug, Serialize)]
struct Look {
    seconds: f64,
    /// The instance's, in bytes.
    rss: Option<u64>,
    /// The page's memory in bytes, and whether garbage was collected before.
    page: Option<u64>,
    is_collected: bool,
    /// Records that tabs were sent since the beginning.
    delivered: u64,
    load_average: f64,
}

/// How memory went over the second half.
#[derive(Debug, Clone, Copy, Serialize)]
struct Course {
    samples: usize,
    mean_mb: f64,
    mb_a_minute: f64,
    /// By which part of the mean it grew.
    growth: f64,
    is_flat: bool,
}

/// What came of it: the last line.
#[derive(Debug, Serialize)]
struct Verdict {
    minutes: u64,
    rate: u32,
    /// Records in the log, and those of them that the instance says that it consumed, twice, or never.
    produced: u64,
    consumed: u64,
    duplicates: u64,
    missing: u64,
    /// What the tabs that stay and read were told, by kind.
    told: Vec<(&'static str, Tabs)>,
    /// Connections of tabs that stay beyond their first, and of tabs that pass.
    returned: u64,
    passed: u64,
    server: Option<Course>,
    page: Option<Course>,
    /// What the page threw.
    page_errors: Vec<String>,
    panics: usize,
    /// Why it is not kept.
    broken: Vec<String>,
}

/// Runs it, and prints what is seen. False when something grew, panicked or does not add up.
pub(crate) async fn run(mut options: Options) -> anyhow::Result<bool> {
    tabs::raise_file_limit()?;
    options.setting = options.setting.absolute()?;
    let topic = format!("soak-{:08x}", rand::random::<u32>());
    ingest::create(&options.setting.brokers, &topic, PARTITIONS).await?;
    let mut instance = Instance::new("soak", options.setting.launch(&topic))?;
    instance.start().await?;
    let lived = live(&options, &instance, &topic).await;
    // Also after a failure: its log is to be whole.
    instance.signal(Signal::Terminate).await?;
    instance.ended().await?;
    let mut verdict = lived?;
    let log = fs::read_to_string(options.setting.logs.join("soak.log"))?;
    verdict.panics = log.lines().filter(|line| line.contains("panicked")).count();
    verdict.broken = broken(&verdict);
    say(&verdict)?;
    for reason in &verdict.broken {
        eprintln!("BROKEN: {reason}");
    }
    eprintln!("{}", summary(&verdict));
    Ok(verdict.broken.is_empty())
}

#[expect(clippy::print_stdout, reason = "the results are what this command is for")]
fn say(line: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(line)?);
    Ok(())
}

async fn live(options: &Options, instance: &Instance, topic: &str) -> anyhow::Result<Verdict> {
    let Options { setting: Setting { brokers, .. }, rate, .. } = options;
    let from: Arc<[i64]> = source::ends(brokers, topic).await?.into();
    let mut crowd = Crowd::gather(options.tabs, &instance.url(), topic, Arc::clone(&from)).await?;
    let mut page = match &options.browser {
        None => None,
        Some(script) => Some(Chromium::open(script, &instance.url(), false).await?.0),
    };
    let [size, large] = options.sizes[..] else { anyhow::bail!("two sizes") };
    let work = Work { rate: *rate, size, records: None, large: Some((100, large)) };
    let source = Source::start(brokers, topic, work, crowd.run.clock)?;
    let mut server = Processes::new(&[instance.pid().context("it runs")?])?;

    let began = Instant::now();
    let mut looks = Vec::new();
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    while began.elapsed() < Duration::from_secs(options.minutes * 60) {
        ticks.tick().await;
        let number = looks.len() as u32 + 1;
        let is_collected = page.is_some() && number.is_multiple_of(COLLECT);
        let heap = match &mut page {
            None => None,
            Some(page) => Some(page.heap(is_collected).await?.bytes()),
        };
        if let Some(page) = &mut page {
            page.view(if is_collected { "scrolled" } else { "follow" }).await?;
        }
        let look = Look {
            seconds: began.elapsed().as_secs_f64(),
            rss: server.sample().map(|sample| sample.rss),
            page: heap,
            is_collected,
            delivered: crowd.run.delivered.load(Ordering::Relaxed),
            load_average: process::load_average(),
        };
        ensure!(look.rss.is_some(), "the instance ended; see its log");
        say(&look)?;
        looks.push(look);
        crowd.obey()?;
    }
    let (sent, failed) = source.stop().await?;
    let ends = source::ends(brokers, topic).await?;
    let produced = from.iter().zip(&ends).map(|(from, end)| end.abs_diff(*from)).sum();
    ensure!(failed == 0 && sent == produced, "{produced} of {sent} records are in the log: Kafka lost {failed}");
    let told = crowd.drain(&ends).await?;
    let stats = counted(&instance.url(), produced).await?;
    let page_errors = match page {
        None => Vec::new(),
        Some(mut page) => {
            let errors = page.heap(true).await?.errors;
            page.close().await?;
            errors
        }
    };
    let half = Duration::from_secs(options.minutes * 30).as_secs_f64();
    let late: Vec<_> = looks.iter().filter(|look| look.seconds >= half).collect();
    let memory = |of: &dyn Fn(&Look) -> Option<u64>| -> Option<Course> {
        course(&late.iter().filter_map(|look| Some((look.seconds, of(look)? as f64))).collect::<Vec<_>>())
    };
    Ok(Verdict {
        minutes: options.minutes,
        rate: *rate,
        produced,
        consumed: stats.consumed,
        duplicates: stats.duplicates,
        missing: stats.missing,
        told,
        returned: crowd.run.connections.load(Ordering::Relaxed).saturating_sub(u64::from(crowd.stay)),
        passed: crowd.passing.connections.load(Ordering::Relaxed),
        server: memory(&|look| look.rss),
        page: memory(&|look| look.page.filter(|_| look.is_collected)),
        page_errors,
        panics: 0,
        broken: Vec::new(),
    })
}

/// What every tab asks for.
fn subscribe() -> Subscribe {
    let (filter, pace, from) = (Filter::default(), Pace::Display, From::Now);
    Subscribe { feed: "default".into(), scope: Scope::Instance, filter, pace, from }
}

/// All tabs.
struct Crowd {
    /// Of those that stay, and of those that pass.
    run: Arc<Run>,
    passing: Arc<Run>,
    stay: u32,
    /// By kind, of those that read.
    tallies: Vec<(&'static str, Vec<Arc<Mutex<Tally>>>)>,
    /// By kind; how often it is told to drop its connections, and when it was the last time.
    orders: Vec<(watch::Sender<Orders>, Option<Duration>, Instant)>,
    tabs: JoinSet<client::Error>,
}

impl Crowd {
    /// Opens them, and waits until those that stay are all served.
    async fn gather(all: u32, url: &str, topic: &str, from: Arc<[i64]>) -> anyhow::Result<Self> {
        let run = || Ok::<_, anyhow::Error>(Arc::new(Run::new(topic.into(), subscribe(), Subprotocol::Postcard)?));
        let (run, passing) = (run()?, run()?);
        let permits = Arc::new(Semaphore::new(CONNECT_AT_ONCE));
        let (mut stay, mut tallies, mut orders, mut tabs) = (0, Vec::new(), Vec::new(), JoinSet::new());
        for Kind { name, percent, role, drops } in KINDS {
            let told = watch::Sender::new(Orders::default());
            let mut of_kind = Vec::new();
            for _ in 0..all * percent / 100 {
                let tally = Arc::new(Mutex::new(Tally::new(Arc::clone(&from))));
                let tab = Tab::new(Arc::clone(&run), url.into(), role, Arc::clone(&tally), told.subscribe());
                tabs.spawn(tab.follow(Arc::clone(&permits)));
                of_kind.push(tally);
                stay += 1;
            }
            if role != Role::Stalled {
                tallies.push((name, of_kind));
            }
            orders.push((told, drops, Instant::now()));
        }
        let began = Instant::now();
        while run.subscribed.load(Ordering::Relaxed) < stay as usize {
            ensure!(began.elapsed() < PATIENCE, "not all tabs were served within {PATIENCE:?}: {}", run.trouble.lock());
            sleep(Duration::from_millis(20)).await;
        }
        for _ in stay..all {
            tabs.spawn(pass(Arc::clone(&passing), url.to_owned(), Arc::clone(&permits)));
        }
        Ok(Self { run, passing, stay, tallies, orders, tabs })
    }

    /// Has those kinds drop their connections whose time it is. Fails when a tab could not go on.
    fn obey(&mut self) -> anyhow::Result<()> {
        for (orders, drops, last) in &mut self.orders {
            if drops.is_some_and(|drops| last.elapsed() >= drops) {
                *last = Instant::now();
                orders.send_modify(|orders| orders.storm += 1);
            }
        }
        match self.tabs.try_join_next() {
            Some(ended) => Err(ended?).context("a tab could not go on"),
            None => Ok(()),
        }
    }

    /// Waits until every tab that reads was told of everything up to `ends`, or nothing new comes. What they were told.
    async fn drain(&mut self, ends: &[i64]) -> anyhow::Result<Vec<(&'static str, Tabs)>> {
        for (orders, drops, _) in &mut self.orders {
            *drops = None;
            orders.send_modify(|orders| orders.hurry = true);
        }
        let (mut least, mut news) = (u64::MAX, Instant::now());
        loop {
            let left =
                self.tallies.iter().flat_map(|(_, of_kind)| of_kind).map(|tally| tally.lock().outstanding(ends)).sum();
            if left < least {
                (least, news) = (left, Instant::now());
            }
            if left == 0 || news.elapsed() > PATIENCE {
                break;
            }
            self.obey()?;
            sleep(Duration::from_millis(50)).await;
        }
        let told = self.tallies.iter().map(|(name, of_kind)| {
            let told: Vec<_> = of_kind.iter().map(|tally| tally.lock().told(ends)).collect();
            (*name, Tabs::of(of_kind.len() as u32, 0, 0, &told))
        });
        Ok(told.collect())
    }
}

/// One after the other, for ever; until one meets what another attempt would not mend.
async fn pass(run: Arc<Run>, url: String, permits: Arc<Semaphore>) -> client::Error {
    loop {
        let orders = watch::Sender::new(Orders::default());
        // What it was told is not counted: where it begins is not known.
        let tally = Arc::new(Mutex::new(Tally::new(Arc::new([]))));
        let tab = Tab::new(Arc::clone(&run), url.clone(), Role::Reader, tally, orders.subscribe());
        if let Ok(error) = timeout(PASSES, tab.follow(Arc::clone(&permits))).await {
            return error;
        }
    }
}

/// The instance's counters, once they have come to `records`, or do not any more.
async fn counted(url: &str, records: u64) -> anyhow::Result<Stats> {
    let mut client = connect(url, Subprotocol::Postcard).await?;
    client.send(&Command::Subscribe(subscribe())).await?;
    let began = Instant::now();
    loop {
        for event in client.next().await? {
            if let Event::Stats(stats) = event
                && (stats.consumed >= records || began.elapsed() > PATIENCE)
            {
                return Ok(stats);
            }
        }
    }
}

/// How something went, of `(seconds, bytes)`. None of fewer than two.
fn course(points: &[(f64, f64)]) -> Option<Course> {
    let ((first, _), (last, _)) = (points.first()?, points.last()?);
    let mean = points.iter().map(|(_, bytes)| bytes).sum::<f64>() / points.len() as f64;
    let slope = slope(points);
    let growth = slope * (last - first) / mean;
    (points.len() > 1).then(|| Course {
        samples: points.len(),
        mean_mb: mean / 1e6,
        mb_a_minute: slope * 60.0 / 1e6,
        growth,
        is_flat: growth <= FLAT,
    })
}

fn broken(verdict: &Verdict) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut check = |holds: bool, reason: String| {
        if !holds {
            reasons.push(reason);
        }
    };
    for (what, course) in [("the instance's memory", verdict.server), ("the page's memory", verdict.page)] {
        if let Some(Course { growth, is_flat, .. }) = course {
            check(
                is_flat || verdict.minutes < LONG_ENOUGH,
                format!("{what} grew by {:.1} % over the second half", growth * 100.0),
            );
        }
    }
    check(verdict.panics == 0, format!("{} panics in the instance's log", verdict.panics));
    check(verdict.page_errors.is_empty(), format!("the page threw: {}", verdict.page_errors.join("; ")));
    let &Verdict { produced, consumed, duplicates, missing, .. } = verdict;
    check(
        consumed == produced && duplicates == 0 && missing == 0,
        format!(
            "of {produced} records it counted {consumed} consumed, {duplicates} of them twice, and {missing} missing"
        ),
    );
    for (name, told) in &verdict.told {
        let wrong = told.missing + told.repeated + told.miscounted_gaps;
        check(
            wrong == 0 && told.delivered + told.named_in_gaps == produced * u64::from(told.all),
            format!("{name} tabs were not told of every record once: {told:?}"),
        );
    }
    reasons
}

fn summary(verdict: &Verdict) -> String {
    let course = |course: Option<Course>| match course {
        None => "not looked at".into(),
        Some(Course { mean_mb, growth, is_flat, .. }) => {
            let flat = match is_flat {
                true => "flat",
                false if verdict.minutes < LONG_ENOUGH => "too short a run to judge",
                false => "NOT FLAT",
            };
            format!("{mean_mb:.1} MB, {:+.1} % over the second half: {flat}", growth * 100.0)
        }
    };
    let told: Vec<_> = verdict
        .told
        .iter()
        .map(|(name, told)| {
            let share = told.named_in_gaps as f64 * 100.0 / (told.named_in_gaps + told.delivered).max(1) as f64;
            format!("{name} {share:.1} %")
        })
        .collect();
    format!(
        "{} min, {} records; {} returns, {} tabs passed; {} panics\nthe instance: {}\nthe page: {}\nnamed in gaps: {}",
        verdict.minutes,
        verdict.produced,
        verdict.returned,
        verdict.passed,
        verdict.panics,
        course(verdict.server),
        course(verdict.page),
        told.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_flat_when_its_line_is() {
        let of = |bytes: &dyn Fn(f64) -> f64| {
            course(&(0..45).map(|n| f64::from(n) * 10.0).map(|at| (at, bytes(at))).collect::<Vec<_>>()).unwrap()
        };
        assert!(of(&|_| 1e8).is_flat);
        // One high sample at the end is no trend.
        assert!(of(&|at| if at > 430.0 { 1.2e8 } else { 1e8 }).is_flat);
        let grown = of(&|at| 1e8 + at * 2e4);
        assert!(!grown.is_flat && (grown.growth - 0.084).abs() < 0.001, "{grown:?}");
        assert!(course(&[(0.0, 1.0)]).is_none());
    }

    fn verdict() -> Verdict {
        let told = vec![("steady", Tabs { all: 2, delivered: 15, named_in_gaps: 5, ..Tabs::default() })];
        Verdict {
            minutes: 15,
            rate: 1,
            produced: 10,
            consumed: 10,
            duplicates: 0,
            missing: 0,
            told,
            returned: 0,
            passed: 0,
            server: course(&[(0.0, 5.0), (9.0, 5.0)]),
            page: None,
            page_errors: Vec::new(),
            panics: 0,
            broken: Vec::new(),
        }
    }

    #[test]
    fn whatever_does_not_add_up_breaks_it() {
        assert_eq!(broken(&verdict()), Vec::<String>::new());
        let cases: [fn(&mut Verdict); 7] = [
            |verdict| verdict.consumed = 9,
            |verdict| verdict.duplicates = 1,
            |verdict| verdict.missing = 1,
            |verdict| verdict.told[0].1.delivered = 14,
            |verdict| verdict.server = course(&[(0.0, 5.0), (9.0, 6.0)]),
            |verdict| verdict.page_errors = vec!["unreachable".into()],
            |verdict| verdict.panics = 1,
        ];
        let mut short = Verdict { minutes: 2, ..verdict() };
        short.server = course(&[(0.0, 5.0), (9.0, 6.0)]);
        assert_eq!(broken(&short), Vec::<String>::new());
        for (number, change) in cases.into_iter().enumerate() {
            let mut verdict = verdict();
            change(&mut verdict);
            assert_eq!(broken(&verdict).len(), 1, "{number}");
        }
    }

    #[test]
    fn nine_of_ten_tabs_stay() {
        assert_eq!(KINDS.iter().map(|kind| kind.percent).sum::<u32>(), 90);
    }
}
