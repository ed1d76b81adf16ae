//! `ottla-load check`: produces numbered records, follows instances, reads the marks, and verifies that every record was consumed,
//! in order, and that what was consumed twice says so. What is verified is in `check/verdict.rs`.

mod committed;
mod history;
mod marks;
mod numbered;
mod producer;
mod tab;
mod through;
mod verdict;

pub(crate) use committed::GroupOffsets;
pub(crate) use history::{Fate, History, Log, Sent};
pub(crate) use numbered::Numbered;
pub(crate) use producer::Work;
pub(crate) use verdict::{Kind, Rules, Verdict, verify};

use anyhow::Context as _;
use committed::Watch;
use marks::{Marks, MarksReader};
use parking_lot::Mutex;
use producer::Producer;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use through::{Place, Visitors};
use tokio::{task::JoinSet, time::sleep};

pub(crate) type SharedHistory = Arc<Mutex<History>>;

/// The flags of `ottla-load check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Kafka's addresses, separated by commas
    #[arg(long, value_name = "HOST:PORT,…")]
    brokers: String,
    /// The topic, which must exist
    #[arg(long)]
    topic: String,
    /// The instances' consumer group
    #[arg(long)]
    group: String,
    /// The instances, all that may consume the topic as this group
    #[arg(long, value_name = "URL,…", value_delimiter = ',', required = true)]
    instances: Vec<String>,
    /// The feed's name
    #[arg(long, default_value = "default")]
    feed: String,
    /// The topic of the consumption marks
    #[arg(long, default_value = "ottla.marks")]
    marks: String,
    /// Records a second
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// How many records in all
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=MAX_RECORDS))]
    total: u64,
    /// After so many seconds without anything new the rest is lost
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    patience: u64,
    /// A reverse proxy's address before the instances: tabs follow the whole group there, wherever it sends them, and each must be told
    /// of every record once
    #[arg(long, value_name = "URL")]
    through: Option<String>,
    /// How many tabs
    #[arg(long, default_value_t = 12, requires = "through", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    tabs: u32,
    /// Nothing will happen to the instances: no record may be consumed twice or be flagged
    #[arg(long)]
    clean: bool,
}

/// What memory bounds: a record takes about 200 bytes here.
pub(crate) const MAX_RECORDS: u64 = 10_000_000;
/// How often it is looked whether all is consumed.
const LOOK: Duration = Duration::from_millis(250);
/// What is waited for at the end of a run, when all is consumed: something that comes twice, late flags, the last marks.
const AFTERMATH: Duration = Duration::from_secs(3);

/// Produces, waits until all is consumed, and tells. False when the promise was broken.
#[expect(clippy::print_stdout, reason = "the result is what this command is for")]
pub(crate) async fn run(options: Options) -> anyhow::Result<bool> {
    let Options { brokers, topic, group, feed, marks, .. } = options;
    let mut checker = Checker::start(Settings { brokers, topic, group, feed, marks })?;
    for url in &options.instances {
        checker.follow(url);
    }
    let ends = ends(checker.offsets()).await?;
    let partitions = i32::try_from(ends.len())?;
    anyhow::ensure!(partitions > 0, "the topic {} does not exist", checker.settings.topic);
    let visitors = match options.through {
        Some(url) => {
            let Settings { feed, topic, .. } = checker.settings.clone();
            Some(Visitors::open(&Place { url, feed, topic }, options.tabs, ends).await?)
        }
        None => None,
    };
    checker.produce(Work { rate: options.rate, partitions, total: options.total })?;
    while !checker.is_produced() {
        tokio::select! {
            () = sleep(LOOK) => {}
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    checker.rest().await?;
    let patience = Duration::from_secs(options.patience);
    checker.settle(patience).await;
    let rows = match visitors {
        Some(visitors) => Some(visitors.told(&self::ends(checker.offsets()).await?, patience).await?),
        None => None,
    };
    let verdict = checker.finish(Rules { is_clean: options.clean, ..Rules::default() }).await?;
    eprintln!("{}", summary(&verdict));
    println!("{}", serde_json::to_string(&verdict)?);
    if let Some(rows) = &rows {
        println!("{}", serde_json::to_string(rows)?);
    }
    Ok(verdict.is_kept() && rows.is_none_or(|rows| rows.is_complete))
}

/// The log end offsets, by partition.
async fn ends(offsets: GroupOffsets) -> anyhow::Result<Vec<i64>> {
    let mut standings = tokio::task::spawn_blocking(move || offsets.standings()).await??;
    standings.sort_unstable_by_key(|standing| standing.partition);
    Ok(standings.into_iter().map(|standing| standing.end).collect())
}

/// A verdict for people.
pub(crate) fn summary(verdict: &Verdict) -> String {
    let Verdict { acknowledged, seen, by_mark_only, in_gaps, missing, repeated, .. } = verdict;
    let mut text = format!(
        "{acknowledged} records acknowledged; {seen} shown in tabs, {by_mark_only} by marks only, {in_gaps} in declared gaps, \
         {missing} declared missing; {repeated} consumed more than once ({} redelivered, {} possibly, {} replayed, {} flagged \
         late); {} instances' lives, {} marks",
        verdict.redelivered,
        verdict.possibly_redelivered,
        verdict.replayed,
        verdict.late_flags,
        verdict.incarnations,
        verdict.marks
    );
    if verdict.is_kept() {
        text.push_str("\nThe promise was kept.");
    }
    for (kind, finding) in &verdict.violations {
        text.push_str(&format!("\nBROKEN: {kind:?} {} times", finding.count));
        for example in &finding.examples {
            text.push_str(&format!("\n  {example}"));
        }
    }
    text
}

/// What is checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub brokers: String,
    pub topic: String,
    pub group: String,
    pub feed: String,
    /// The topic of the marks.
    pub marks: String,
}

/// A run of the check: everything that gathers the history.
pub(crate) struct Checker {
    settings: Settings,
    /// Tells this run's records from others'.
    run: String,
    history: SharedHistory,
    offsets: GroupOffsets,
    producer: Option<Producer>,
    tabs: JoinSet<client::Error>,
    marks: MarksReader,
    watch: Watch,
}

impl Checker {
    /// Begins to read marks and committed offsets. Nothing is produced yet.
    pub fn start(settings: Settings) -> anyhow::Result<Self> {
        let history = SharedHistory::default();
        let Settings { brokers, topic, group, marks, .. } = settings.clone();
        let offsets = GroupOffsets::new(&brokers, &group, &topic)?;
        let watch = Watch::start(offsets.clone(), Arc::clone(&history))?;
        let marks = MarksReader::start(Marks { brokers, marks, group, topic }, Arc::clone(&history))?;
        let run = format!("{:08x}", rand::random::<u32>());
        Ok(Self { settings, run, history, offsets, producer: None, tabs: JoinSet::new(), marks, watch })
    }

    pub fn history(&self) -> SharedHistory {
        Arc::clone(&self.history)
    }

    pub fn offsets(&self) -> GroupOffsets {
        self.offsets.clone()
    }

    pub fn run(&self) -> &str {
        &self.run
    }

    /// Opens a tab on an instance; it need not run yet, and may restart.
    pub fn follow(&mut self, url: &str) {
        let Settings { feed, topic, .. } = self.settings.clone();
        let place = tab::Place { url: url.into(), feed, topic, run: self.run.clone() };
        self.tabs.spawn(tab::follow(place, Arc::clone(&self.history)));
    }

    /// Opens a tab on an instance of another group. What it is told is a history of its own.
    pub fn observe(&mut self, url: &str) -> SharedHistory {
        let history = SharedHistory::default();
        let Settings { feed, topic, .. } = self.settings.clone();
        let place = tab::Place { url: url.into(), feed, topic, run: self.run.clone() };
        self.tabs.spawn(tab::follow(place, Arc::clone(&history)));
        history
    }

    /// Begins to produce. A producer that is there already must have been stopped.
    pub fn produce(&mut self, work: Work) -> anyhow::Result<()> {
        let Settings { brokers, topic, .. } = &self.settings;
        self.producer = Some(Producer::start(brokers, topic, &self.run, Arc::clone(&self.history), work)?);
        Ok(())
    }

    /// Produces otherwise from now on.
    pub fn set(&self, change: impl FnOnce(&mut Work)) {
        if let Some(producer) = &self.producer {
            producer.set(change);
        }
    }

    /// Whether all that was wanted is produced.
    pub fn is_produced(&self) -> bool {
        self.producer.as_ref().is_none_or(Producer::is_done)
    }

    /// Stops producing, and waits until everything is acknowledged.
    pub async fn rest(&mut self) -> anyhow::Result<()> {
        match self.producer.take() {
            Some(producer) => producer.stop().await,
            None => Ok(()),
        }
    }

    /// Waits until everything acknowledged is consumed or accounted for, at most `patience` after the last news.
    pub async fn settle(&self, patience: Duration) {
        let mut least = usize::MAX;
        let mut news = Instant::now();
        loop {
            let outstanding = self.history.lock().outstanding();
            if outstanding == 0 {
                break;
            }
            if outstanding < least {
                (least, news) = (outstanding, Instant::now());
            }
            if news.elapsed() > patience {
                break;
            }
            sleep(LOOK).await;
        }
        sleep(AFTERMATH).await;
    }

    /// Ends everything, and judges.
    pub async fn finish(mut self, rules: Rules) -> anyhow::Result<Verdict> {
        self.rest().await?;
        self.watch.finish().await?;
        self.marks.finish().await.context("reading the marks")?;
        self.tabs.shutdown().await;
        let history = self.history;
        Ok(tokio::task::spawn_blocking(move || verify(&history.lock(), rules)).await?)
    }
}
