//! `ottla-load tabs`: many tabs on real instances, records at a steady rate, and what it costs: how late records are, what the
//! server spends on them, and whether every tab was told of each.
//!
//! What lives here: the flags and the course of a measurement. One tab is in `tabs/tab.rs`, what it was told in `tabs/tally.rs`,
//! the records in `tabs/source.rs`, the result in `tabs/report.rs`.

mod decode;
pub(crate) mod process;
pub(crate) mod report;
pub(crate) mod source;
pub(crate) mod tab;
pub(crate) mod tally;

use anyhow::{Context as _, ensure};
use client::Subprotocol;
use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use process::{Processes, Sample};
use report::{Latencies, Report, Server, Tabs};
use source::{Source, Work};
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tab::{Orders, Role, Run, Tab};
use tally::Tally;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::sleep,
};
use wire::{Filter, From, Pace, Scope, Subscribe};

/// How long all tabs together may take to connect, or to come back.
const CONNECTED_WITHIN: Duration = Duration::from_secs(60);
/// How many tabs connect at the same time at first. In a storm all of them do.
const CONNECT_AT_ONCE: usize = 128;
/// After so long without anything new, what was not told is missing.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it is looked whether something is done.
const LOOK: Duration = Duration::from_millis(20);

/// The flags of `ottla-load tabs`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// The instances' addresses, separated by commas. The tabs are spread over them
    #[arg(long, value_name = "URL,…", value_delimiter = ',', required = true)]
    pub instances: Vec<String>,
    /// Their processes, for the time they use and their memory
    #[arg(long, value_name = "PID,…", value_delimiter = ',')]
    pub pids: Vec<u32>,
    /// Kafka's addresses, separated by commas
    #[arg(long, value_name = "HOST:PORT,…", required_unless_present = "idle")]
    pub brokers: Option<String>,
    /// A topic that the feed consumes and nobody else writes to
    #[arg(long, required_unless_present = "idle")]
    pub topic: Option<String>,
    /// The feed's name
    #[arg(long, default_value = "default")]
    pub feed: String,
    /// How many tabs
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub tabs: u32,
    /// What they speak
    #[arg(long, value_enum, default_value = "postcard")]
    pub subprotocol: Speech,
    /// How eagerly they are served
    #[arg(long, value_enum, default_value = "latency")]
    pub pace: Eagerness,
    /// Whose consumption they follow; by default the instance's where there is one, the group's where there are several
    #[arg(long, value_enum)]
    pub scope: Option<Whose>,
    /// What they filter by, in the language of the page. It must let through all that is produced here
    #[arg(long, default_value = "")]
    pub filter: String,
    /// Records a second
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: u32,
    /// Produce so many records and then no more: a burst, where the rate is high
    #[arg(long)]
    pub records: Option<u64>,
    /// A value's size in bytes
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(source::STAMP as i64..=1_000_000))]
    pub size: u32,
    /// How long to measure
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
    /// How long to produce before
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    pub warm_up: u64,
    /// How long to leave the server alone once all tabs are there, before its memory is looked at
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    pub settle: u64,
    /// How many of a hundred tabs connect and never read
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub stalled: u32,
    /// How many of a hundred tabs read slowly
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub slow: u32,
    /// How many bytes a second a slow tab reads
    #[arg(long, value_name = "BYTES", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub slow_bytes: u32,
    /// Produce nothing: what tabs cost that have nothing to show
    #[arg(long)]
    pub idle: bool,
    /// How often all tabs drop their connections and come back at once
    #[arg(long, default_value_t = 0)]
    pub storms: u32,
    /// Look at the server's memory once more, so long after the last record
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub rest: u64,
}

/// A subprotocol, as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Speech {
    /// ottla.v1.postcard
    Postcard,
    /// ottla.v1.json
    Json,
}

/// A pace, as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Eagerness {
    /// Whatever has gathered since the last write, at once
    Latency,
    /// At most one message per 16 ms
    Display,
}

/// A scope, as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Whose {
    /// What the tab's own instance consumes
    Instance,
    /// What the whole group consumes
    Group,
}

impl Options {
    fn subscribe(&self) -> Subscribe {
        let is_alone = self.instances.len() == 1;
        let scope = match self.scope.unwrap_or(if is_alone { Whose::Instance } else { Whose::Group }) {
            Whose::Instance => Scope::Instance,
            Whose::Group => Scope::Group,
        };
        let pace = match self.pace {
            Eagerness::Latency => Pace::Latency,
            Eagerness::Display => Pace::Display,
        };
        let filter = Filter { text: self.filter.clone(), ..Filter::default() };
        Subscribe { feed: self.feed.clone(), scope, filter, pace, from: From::Now }
    }

    /// What the `number`th tab does. Those that stall come first, then the slow ones.
    fn role(&self, number: u32) -> Role {
        let stalled = share(self.tabs, self.stalled);
        if number < stalled {
            Role::Stalled
        } else if number < stalled + share(self.tabs, self.slow) {
            Role::Slow(self.slow_bytes)
        } else {
            Role::Reader
        }
    }
}

fn share(tabs: u32, percent: u32) -> u32 {
    (u64::from(tabs) * u64::from(percent) / 100) as u32
}

/// Measures, and prints the result. False when a tab was not told of everything.
#[expect(clippy::print_stdout, reason = "the result is what this command is for")]
pub(crate) async fn run(options: Options) -> anyhow::Result<bool> {
    let report = measure(&options).await?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(report.is_complete)
}

/// Raises the limit of open files to what the system allows this process. Instances that it starts inherit it. The limit.
pub(crate) fn raise_file_limit() -> anyhow::Result<u64> {
    rlimit::increase_nofile_limit(u64::MAX).context("the limit of open files can't be raised")
}

/// Measures.
///
/// # Errors
/// When an instance can't be reached, Kafka does not answer, or not all tabs are served in time.
pub(crate) async fn measure(options: &Options) -> anyhow::Result<Report> {
    ensure!(options.stalled + options.slow <= 100, "more than a hundred of a hundred tabs stall or are slow");
    raise_file_limit()?;
    let bar = Bar::new();
    let ends = match (&options.brokers, &options.topic) {
        (Some(brokers), Some(topic)) if !options.idle => source::ends(brokers, topic).await?,
        _ => Vec::new(),
    };
    let mut stage = Stage::new(options, ends)?;
    let before = stage.server.sample();
    bar.say("connecting");
    let connected_in = stage.connect().await?;
    bar.say("settling");
    stage.hold(Duration::from_secs(options.settle), &bar).await?;
    let connected = stage.server.sample();
    let (produced, span) = if options.idle { (None, stage.idle(&bar).await?) } else { stage.produce(&bar).await? };
    let loaded = stage.server.sample();
    bar.say("waiting for the last records");
    let ends = match &produced {
        Some(produced) => stage.drain(produced.ends.clone()).await?,
        None => stage.from.to_vec(),
    };
    let rested = if options.rest > 0 {
        bar.say("resting");
        stage.hold(Duration::from_secs(options.rest), &bar).await?;
        stage.server.sample()
    } else {
        None
    };
    bar.clear();
    Ok(stage.report(Course { connected_in, before, connected, loaded, rested, produced, span, ends }))
}

/// The records of a measurement.
struct Produced {
    sent: u64,
    failed: u64,
    ends: Vec<i64>,
}

/// The time that counts.
struct Span {
    took: Duration,
    /// What the tabs had, what the server and what this process had used, at its beginning and end.
    delivered: [u64; 2],
    server: [Option<Sample>; 2],
    own: [Option<Sample>; 2],
    /// How long all tabs took to come back, storm by storm.
    storms: Vec<Duration>,
}

/// All that was looked at on the way.
struct Course {
    connected_in: Duration,
    before: Option<Sample>,
    connected: Option<Sample>,
    loaded: Option<Sample>,
    rested: Option<Sample>,
    produced: Option<Produced>,
    span: Span,
    ends: Vec<i64>,
}

struct Stage<'a> {
    options: &'a Options,
    run: Arc<Run>,
    /// By partition, where the measurement begins.
    from: Arc<[i64]>,
    /// Of the tabs that read, slowly or not.
    tallies: Vec<Arc<Mutex<Tally>>>,
    orders: watch::Sender<Orders>,
    tabs: JoinSet<client::Error>,
    server: Processes,
    own: Processes,
}

impl<'a> Stage<'a> {
    fn new(options: &'a Options, from: Vec<i64>) -> anyhow::Result<Self> {
        let subprotocol = match options.subprotocol {
            Speech::Postcard => Subprotocol::Postcard,
            Speech::Json => Subprotocol::Json,
        };
        let topic = options.topic.clone().unwrap_or_default();
        Ok(Self {
            options,
            run: Arc::new(Run::new(topic, options.subscribe(), subprotocol)?),
            from: from.into(),
            tallies: Vec::new(),
            orders: watch::Sender::new(Orders::default()),
            tabs: JoinSet::new(),
            server: Processes::new(&options.pids)?,
            own: Processes::new(&[std::process::id()])?,
        })
    }

    /// Opens all tabs. How long that took.
    async fn connect(&mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let permits = Arc::new(Semaphore::new(CONNECT_AT_ONCE));
        for number in 0..self.options.tabs {
            let url = self.options.instances[number as usize % self.options.instances.len()].clone();
            let tally = Arc::new(Mutex::new(Tally::new(Arc::clone(&self.from))));
            let role = self.options.role(number);
            if role != Role::Stalled {
                self.tallies.push(Arc::clone(&tally));
            }
            let tab = Tab::new(Arc::clone(&self.run), url, role, tally, self.orders.subscribe());
            self.tabs.spawn(tab.follow(Arc::clone(&permits)));
        }
        self.all_subscribed(began).await
    }

    /// Waits until every tab is subscribed, since `began`.
    async fn all_subscribed(&mut self, began: Instant) -> anyhow::Result<Duration> {
        loop {
            let subscribed = self.run.subscribed.load(Ordering::Relaxed);
            if subscribed >= self.options.tabs as usize {
                return Ok(began.elapsed());
            }
            ensure!(
                began.elapsed() < CONNECTED_WITHIN,
                "{subscribed} of {} tabs were served within {CONNECTED_WITHIN:?}: {}",
                self.options.tabs,
                self.run.trouble.lock()
            );
            self.no_tab_ended()?;
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// A tab goes on until it is dropped, but for what another attempt would not mend.
    fn no_tab_ended(&mut self) -> anyhow::Result<()> {
        match self.tabs.try_join_next() {
            Some(ended) => Err(ended?).context("a tab could not go on"),
            None => Ok(()),
        }
    }

    async fn hold(&mut self, time: Duration, bar: &Bar) -> anyhow::Result<()> {
        let began = Instant::now();
        bar.begin(time);
        while began.elapsed() < time {
            sleep(LOOK.min(time.saturating_sub(began.elapsed()))).await;
            bar.at(began.elapsed());
            self.no_tab_ended()?;
        }
        Ok(())
    }

    /// Produces nothing, and looks on.
    async fn idle(&mut self, bar: &Bar) -> anyhow::Result<Span> {
        bar.say("idle");
        let began = self.mark();
        self.hold(Duration::from_secs(self.options.seconds), bar).await?;
        Ok(self.span(began, Vec::new()))
    }

    /// Produces for as long as was asked, and stops.
    async fn produce(&mut self, bar: &Bar) -> anyhow::Result<(Option<Produced>, Span)> {
        let Options { rate, size, records, .. } = *self.options;
        let (brokers, topic) = self.options.brokers.clone().zip(self.options.topic.clone()).context("no topic")?;
        let work = Work { rate, size: size as usize, records, large: None };
        let source = Source::start(&brokers, &topic, work, self.run.clock)?;
        bar.say("warming up");
        self.hold(Duration::from_secs(self.options.warm_up), bar).await?;
        bar.say("measuring");
        self.run.window.open(self.run.clock.now());
        let began = self.mark();
        let time = Duration::from_secs(self.options.seconds);
        let pieces = self.options.storms + 1;
        let mut storms = Vec::new();
        for piece in 0..pieces {
            let until = (time * (piece + 1) / pieces).saturating_sub(began.at.elapsed());
            self.hold(until, bar).await?;
            if piece + 1 < pieces {
                self.run.subscribed.store(0, Ordering::Relaxed);
                self.orders.send_modify(|orders| orders.storm += 1);
                storms.push(self.all_subscribed(Instant::now()).await?);
            }
        }
        self.run.window.close(self.run.clock.now());
        let span = self.span(began, storms);
        let (sent, failed) = source.stop().await?;
        let ends = source::ends(&brokers, &topic).await?;
        Ok((Some(Produced { sent, failed, ends }), span))
    }

    fn mark(&mut self) -> Mark {
        Mark {
            at: Instant::now(),
            delivered: self.run.delivered.load(Ordering::Relaxed),
            server: self.server.sample(),
            own: self.own.sample(),
        }
    }

    fn span(&mut self, began: Mark, storms: Vec<Duration>) -> Span {
        let end = self.mark();
        Span {
            took: end.at - began.at,
            delivered: [began.delivered, end.delivered],
            server: [began.server, end.server],
            own: [began.own, end.own],
            storms,
        }
    }

    /// Waits until every tab that reads was told of everything up to `ends`, or nothing new comes. The ends.
    async fn drain(&mut self, ends: Vec<i64>) -> anyhow::Result<Vec<i64>> {
        self.orders.send_modify(|orders| orders.hurry = true);
        let (mut least, mut news) = (u64::MAX, Instant::now());
        loop {
            let left: u64 = self.tallies.iter().map(|tally| tally.lock().outstanding(&ends)).sum();
            if left == 0 || news.elapsed() > PATIENCE {
                return Ok(ends);
            }
            if left < least {
                (least, news) = (left, Instant::now());
            }
            self.no_tab_ended()?;
            sleep(LOOK).await;
        }
    }

    fn report(self, course: Course) -> Report {
        let Self { options, run, from, tallies, tabs, .. } = self;
        // Nothing is counted after this.
        drop(tabs);
        let Course { connected_in, before, connected, loaded, rested, produced, span, ends } = course;
        let told: Vec<_> = tallies.iter().map(|tally| tally.lock().told(&ends)).collect();
        let (sent, failed) = produced.as_ref().map_or((0, 0), |produced| (produced.sent, produced.failed));
        let in_log: u64 = from.iter().zip(&ends).map(|(from, end)| end.abs_diff(*from)).sum();
        let delivered_in_span = span.delivered[1] - span.delivered[0];
        let storms = span.storms.len() as u64 * u64::from(options.tabs);
        let connections = run.connections.load(Ordering::Relaxed);
        Report {
            tabs: Tabs::of(
                options.tabs,
                share(options.tabs, options.stalled),
                share(options.tabs, options.slow),
                &told,
            ),
            pace: wire_name(options.pace),
            subprotocol: wire_name(options.subprotocol),
            rate: if options.idle { 0 } else { options.rate },
            size: options.size,
            seconds: span.took.as_secs_f64(),
            produced: in_log,
            not_produced: failed,
            deliveries_per_second: delivered_in_span as f64 / span.took.as_secs_f64(),
            latency: Latencies::of(&run.latencies.lock()),
            server: Server::of(
                [before, connected, loaded, rested],
                &span.server,
                span.took,
                delivered_in_span,
                options.tabs,
            ),
            generator_cpu: process::share(&span.own, span.took),
            load_average: process::load_average(),
            connected_in_ms: millis(connected_in),
            storms_ms: span.storms.into_iter().map(millis).collect(),
            // Beyond those that were asked for.
            reconnects: connections.saturating_sub(u64::from(options.tabs) + storms),
            closed_stalled: run.closed_stalled.load(Ordering::Relaxed),
            // Records that were sent and are not in the log are not the tabs' fault, and are none of the figures.
            is_complete: failed == 0 && sent == in_log && told.iter().all(|told| told.is_complete(in_log)),
        }
    }
}

struct Mark {
    at: Instant,
    delivered: u64,
    server: Option<Sample>,
    own: Option<Sample>,
}

/// A flag's value, as it is written on the command line.
fn wire_name(value: impl clap::ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// How far it is, on stderr. Nothing is drawn where that is no terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        // The template is known to be one.
        if let Ok(style) = ProgressStyle::with_template("{msg:28} {wide_bar} {elapsed}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    fn say(&self, what: &'static str) {
        self.begin(Duration::ZERO);
        self.0.set_message(what);
    }

    fn begin(&self, time: Duration) {
        self.0.set_length(millis(time));
        self.0.set_position(0);
    }

    fn at(&self, elapsed: Duration) {
        self.0.set_position(millis(elapsed));
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn options(flags: &str) -> Result<Options, clap::Error> {
        let flags = format!("tabs --instances http://127.0.0.1:1 {flags}");
        Ok(Line::try_parse_from(flags.split(' ').filter(|flag| !flag.is_empty()))?.options)
    }

    #[test]
    fn records_need_a_topic_and_idle_tabs_do_not() {
        assert!(options("").is_err());
        assert!(options("--brokers 127.0.0.1:2").is_err());
        assert!(options("--brokers 127.0.0.1:2 --topic orders").is_ok());
        assert!(options("--idle").is_ok());
    }

    #[test]
    fn every_tab_has_the_role_that_its_share_says() {
        let options = options("--idle --tabs 20 --stalled 10 --slow 25 --slow-bytes 7").unwrap();
        let roles: Vec<_> = (0..20).map(|number| options.role(number)).collect();
        assert_eq!(roles[..2], [Role::Stalled; 2]);
        assert_eq!(roles[2..7], [Role::Slow(7); 5]);
        assert_eq!(roles[7..], [Role::Reader; 13]);
    }

    #[test]
    fn several_instances_are_followed_as_a_group_unless_asked_otherwise() {
        assert_eq!(options("--idle").unwrap().subscribe().scope, Scope::Instance);
        assert_eq!(options("--idle --instances http://127.0.0.1:2").unwrap().subscribe().scope, Scope::Group);
        let each = options("--idle --instances http://127.0.0.1:2 --scope instance").unwrap();
        assert_eq!(each.subscribe().scope, Scope::Instance);
    }
}
