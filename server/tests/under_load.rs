//! The instance under load. It is the real program, in a process of its own, over the cluster that `OTTLA_TEST_BROKERS`
//! names; without one they are left out. While something disturbs it, the tabs of an `ottla-load` must not notice: their
//! records come as soon as before, each of them once; the instance's memory stays bounded, nothing panics, and its counters
//! agree with what the tabs were told.

// What a process uses is read from /proc.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod common;

use common::{
    JsonTab, PATIENCE, free_address,
    raw::{self, Raw},
};
use futures::future::join_all;
use serde_json::Value;
use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep, timeout},
};
use wire::{Event, From, Sieved, Stats};

/// One instance at a time: what is measured is the machine's, too.
static ALONE: Mutex<()> = Mutex::const_new(());

/// The tabs that must not notice.
const READERS: &str = "--tabs 40 --rate 200";
/// What fills the buffers of a tab that gets it and does not read: 2.5 MB a second.
const HEAVY: &str = "--tabs 5 --rate 500 --size 5000";
/// By how much the readers' median may rise for reasons of the machine. Who waits for a slow tab waits for [`STALL`].
const NOISE: Duration = Duration::from_millis(250);
/// A feed's memory for tabs, in bytes: small, so that what grows with the traffic is seen to.
const RING: u64 = 8 << 20;
/// How long a tab may take to read a message.
const STALL: Duration = Duration::from_secs(2);
const MIB: u64 = 1 << 20;
/// What memory may grow by that no disturbance explains: the ring fills, librdkafka fetches ahead as much again.
const SLACK: u64 = 2 * RING + 16 * MIB;

/// An instance, and what it is fed.
struct Stage {
    address: SocketAddr,
    brokers: String,
    /// What the readers read.
    topic: String,
    /// A second topic of the same feed, for whatever disturbs.
    other: String,
    ottla: Child,
    dir: tempfile::TempDir,
    /// Open files of the idle instance.
    files: usize,
    /// Resident memory of the instance while only the readers were there.
    calm: u64,
    /// What was produced, and what gaps named to the tabs of all `ottla-load`s, up to now.
    produced: u64,
    named: u64,
    _alone: MutexGuard<'static, ()>,
}

/// What an `ottla-load` reports.
struct Report(Value);

impl Report {
    fn number(&self, path: &str) -> u64 {
        self.0.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path} of {}", self.0))
    }

    /// The middle latency of the readers.
    fn median(&self) -> Duration {
        Duration::from_secs_f64(self.0["latency"]["p50"].as_f64().unwrap() / 1_000.0)
    }
}

impl Stage {
    /// Nothing without a cluster: the embedded broker itself is too slow to tell what slows the instance.
    async fn start() -> Option<Self> {
        let brokers = std::env::var("OTTLA_TEST_BROKERS").ok()?;
        let alone = ALONE.lock().await;
        // For a thousand tabs, there and here. The instance inherits it.
        rlimit::increase_nofile_limit(u64::MAX).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let group = format!("load-{}", uuid::Uuid::new_v4());
        let (topic, other) = (format!("{group}-a"), format!("{group}-b"));
        let address = free_address();
        let child = program(dir.path(), "ottla")
            .args(["--listen", &address.to_string(), "--brokers", &brokers])
            .args(["--topics", &format!("{topic},{other}"), "--group", &group, "--instance", &group])
            .env("OTTLA_SERVER__SITE_ROOT", common::site(dir.path()))
            .env("OTTLA_SERVER__STALL_LIMIT_SECONDS", STALL.as_secs().to_string())
            .env("OTTLA_TOPICS__PARTITIONS", "2")
            .env("OTTLA_FEED__RING_BYTES", RING.to_string())
            // As much again may wait in the consumer.
            .env("OTTLA_CONSUMER__PROPERTIES", format!("{{\"queued.max.messages.kbytes\"=\"{}\"}}", RING / 1024))
            .spawn()
            .unwrap();
        let mut stage = Self {
            address,
            brokers,
            topic,
            other,
            ottla: child,
            dir,
            files: 0,
            calm: 0,
            produced: 0,
            named: 0,
            _alone: alone,
        };
        let ready = async {
            while !reqwest::get(format!("http://{address}/readyz")).await.is_ok_and(|answer| answer.status() == 200) {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, ready).await.unwrap_or_else(|_| panic!("not ready: {}", stage.log()));
        stage.files = stage.open_files();
        Some(stage)
    }

    /// What the instance said.
    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("ottla.log")).unwrap()
    }

    fn proc(&self, what: &str) -> PathBuf {
        Path::new("/proc").join(self.ottla.id().expect("it runs").to_string()).join(what)
    }

    fn open_files(&self) -> usize {
        fs::read_dir(self.proc("fd")).unwrap().count()
    }

    /// A line of the process's status (man 5 proc), in bytes: `VmRSS` is its resident memory, `VmHWM` the most that was.
    fn memory(&self, line: &str) -> u64 {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find_map(|it| it.strip_prefix(line)).unwrap();
        line.trim_matches([':', '\t', ' ']).strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
    }

    /// How far the instance's memory rose at its highest, above what it was while only the readers were there.
    fn growth(&self) -> u64 {
        self.memory("VmHWM").saturating_sub(self.calm)
    }

    /// Tabs of `ottla-load`, and records for them. Each tab that reads must have been told of each record, once.
    async fn load(&self, topic: &str, flags: String) -> Report {
        let load = beside(env!("CARGO_BIN_EXE_ottla"), "ottla-load");
        assert!(load.exists(), "{} is missing: cargo build --package load", load.display());
        let output = Command::new(load)
            .args(["tabs", "--instances", &format!("http://{}", self.address), "--brokers", &self.brokers])
            .args(["--topic", topic, "--filter", &format!("topic={topic}"), "--warm-up", "0", "--settle", "0"])
            .args(flags.split(' '))
            .kill_on_drop(true)
            .output();
        let output = timeout(2 * PATIENCE, output).await.expect("it ends").unwrap();
        let report = serde_json::from_slice(&output.stdout);
        let report: Value =
            report.unwrap_or_else(|_| panic!("ottla-load: {}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!(report["is_complete"], true, "{report}");
        Report(report)
    }

    /// Counts what a report says was produced, and not sent to tabs.
    fn count(&mut self, report: &Report) {
        self.produced += report.number("/produced");
        self.named += report.number("/tabs/named_in_gaps");
    }

    /// Has readers read for a while, and `traffic` beside them where there is any: before, during and after `disturbance`. While it
    /// goes on, for so many seconds, the readers must not fare much worse.
    async fn readers_do_not_notice<T>(
        &mut self,
        seconds: u32,
        traffic: Option<&str>,
        disturbance: impl AsyncFnOnce(&Self) -> T,
    ) -> T {
        let before = self.read_for(2, traffic).await;
        self.calm = self.memory("VmRSS");
        // Forgets the highest there was.
        fs::write(self.proc("clear_refs"), "5").unwrap();
        let (during, outcome) = tokio::join!(self.read_for(seconds, traffic), disturbance(self));
        let growth = self.growth();
        let after = self.read_for(2, traffic).await;
        for report in [&before, &during, &after].into_iter().flatten() {
            self.count(report);
        }
        let [before, during, after] = [before, during, after].map(|reports| reports[0].median());
        // For whoever reads a run: `--nocapture`.
        eprintln!("median {before:?}, {during:?}, {after:?}; memory {} + {} KiB", self.calm / 1024, growth / 1024);
        let most = 3 * before.max(after) + NOISE;
        assert!(during <= most, "the readers' median was {before:?} and {after:?}, but {during:?} while disturbed");
        outcome
    }

    /// The readers' report, and that of the traffic where there is any.
    async fn read_for(&self, seconds: u32, traffic: Option<&str>) -> Vec<Report> {
        let flags = |what: &str| format!("{what} --seconds {seconds}");
        let readers = self.load(&self.topic, flags(READERS));
        match traffic {
            None => vec![readers.await],
            Some(traffic) => {
                let (readers, traffic) = tokio::join!(readers, self.load(&self.other, flags(traffic)));
                vec![readers, traffic]
            }
        }
    }

    /// The instance's counters, once no tab is there any more but the one that asks.
    async fn counters(&self) -> Stats {
        let mut tab = JsonTab::connect(self.address).await;
        tab.subscribe(From::Now).await;
        let alone = |event| match event {
            Event::Stats(stats) if stats.tabs == 1 => Some(stats),
            _ => None,
        };
        timeout(PATIENCE, tab.wait_for(alone)).await.expect("every tab that is gone is counted as gone")
    }

    /// Everything adds up, and nothing is left of who is gone. Stops the instance.
    async fn end(mut self) {
        let stats = self.counters().await;
        assert_eq!(stats.consumed, self.produced, "each record is consumed: {stats:?}");
        assert_eq!(stats.gaps, self.named, "what tabs were not sent: {stats:?}");
        let wrong = [stats.duplicates, stats.missing, stats.skipped, stats.redelivered, stats.possibly_redelivered];
        assert_eq!(wrong, [0; 5], "{stats:?}");
        // Connections that are over are closed.
        let began = Instant::now();
        while self.open_files() > self.files + 5 {
            assert!(began.elapsed() < PATIENCE, "{} open files, {} at first", self.open_files(), self.files);
            sleep(Duration::from_millis(50)).await;
        }
        let id = self.ottla.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().await.unwrap().success());
        let status = timeout(PATIENCE, self.ottla.wait()).await.expect("it stops").unwrap();
        let log = self.log();
        assert!(status.success() && !log.contains("panicked") && !log.contains("ERROR"), "{status}: {log}");
    }
}

/// One of the programs, which writes what it says into a file.
fn program(dir: &Path, name: &str) -> Command {
    let log = File::create(dir.join(format!("{name}.log"))).unwrap();
    let mut command = common::program();
    command
        // An ottla.toml of whoever runs this is not meant.
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    command
}

fn beside(program: &str, name: &str) -> PathBuf {
    Path::new(program).with_file_name(name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tabs_that_come_back_at_once() {
    let Some(mut stage) = Stage::start().await else { return };
    let storm = stage
        .readers_do_not_notice(5, None, async |stage| {
            stage.load(&stage.other, "--tabs 1000 --rate 5 --seconds 4 --storms 1".into()).await
        })
        .await;
    stage.count(&storm);
    assert_eq!(storm.0["storms_ms"].as_array().unwrap().len(), 1);
    // What a tab may take while it comes: far more than while it is there (`make bench`), and no ring of its own.
    assert!(stage.growth() < 64 * MIB, "{} bytes", stage.growth());
    stage.end().await;
}

/// Tabs that get all there is, and are no readers.
async fn followers<const N: usize>(stage: &Stage) -> [Raw; N] {
    let mut tabs = Vec::new();
    for _ in 0..N {
        let mut tab = Raw::connect_with_little_room(stage.address).await;
        tab.subscribe("").await;
        tabs.push(tab);
    }
    tabs.try_into().unwrap_or_else(|_| unreachable!())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenth_of_the_tabs_does_not_read() {
    let Some(mut stage) = Stage::start().await else { return };
    let stalled = stage.readers_do_not_notice(5, Some(HEAVY), async |stage| followers::<5>(stage).await).await;
    assert!(stage.growth() < SLACK, "{} bytes", stage.growth());
    // They are told nothing more, though they are still there.
    stage.end().await;
    drop(stalled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::async_yields_async, reason = "the tab goes on reading after the readers were asked")]
async fn a_tab_reads_one_byte_a_second() {
    let Some(mut stage) = Stage::start().await else { return };
    let dripping = stage
        .readers_do_not_notice(5, Some(HEAVY), async |stage| {
            let [mut tab] = followers(stage).await;
            tokio::spawn(async move {
                while tab.stream.read_u8().await.is_ok() {
                    sleep(Duration::from_secs(1)).await;
                }
            })
        })
        .await;
    assert!(stage.growth() < SLACK, "{} bytes", stage.growth());
    // A byte now and then does not make it one that reads: it is given up, or this would not end.
    stage.end().await;
    dripping.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tabs_vanish_without_a_close() {
    let Some(mut stage) = Stage::start().await else { return };
    stage
        .readers_do_not_notice(5, Some(HEAVY), async |stage| {
            let (until, mut vanished) = (Instant::now() + Duration::from_secs(5), 0);
            while Instant::now() < until || vanished < 50 {
                let [reset, ended, in_a_frame, before_it_subscribes] = followers(stage).await;
                let mut unheard = Raw::connect(stage.address).await;
                unheard.send_bytes(&raw::frame(raw::FIN | raw::TEXT, b"{\"ping\": \"1\"}")[..3]).await;
                reset.vanish();
                drop(ended);
                for mut tab in [in_a_frame, before_it_subscribes] {
                    tab.send_bytes(&[raw::FIN | raw::TEXT, 0xfe]).await;
                    tab.vanish();
                }
                vanished += 5;
                sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
    assert!(stage.growth() < SLACK, "{} bytes", stage.growth());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_a_megabyte() {
    let Some(mut stage) = Stage::start().await else { return };
    let large = stage
        .readers_do_not_notice(5, None, async |stage| {
            stage.load(&stage.other, "--tabs 5 --rate 20 --size 1000000 --seconds 5".into()).await
        })
        .await;
    let produced = large.number("/produced");
    stage.count(&large);
    assert!(stage.growth() < produced * 1_000_000 / 2, "{} bytes for {produced} records", stage.growth());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_into_an_idle_feed() {
    const RECORDS: u64 = 100_000;
    let Some(mut stage) = Stage::start().await else { return };
    let burst = stage
        // Long enough that the burst itself is not the half of it.
        .readers_do_not_notice(10, None, async |stage| {
            let flags = "--tabs 10 --slow 20 --slow-bytes 100000 --rate 1000000 --size 1000 --seconds 3";
            stage.load(&stage.other, format!("{flags} --records {RECORDS}")).await
        })
        .await;
    stage.count(&burst);
    assert_eq!(burst.number("/produced"), RECORDS);
    // A hundred megabytes are more than the ring holds, so that the slow ones miss some.
    assert!(burst.number("/tabs/named_in_gaps") > 0, "{}", burst.0);
    assert!(stage.growth() < 64 * MIB, "{} bytes", stage.growth());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_that_match_nothing() {
    let Some(mut stage) = Stage::start().await else { return };
    // All of it fits into the ring, so that those who come later look at everything that was consumed.
    let filtered = stage
        .readers_do_not_notice(5, Some("--tabs 5 --rate 500"), async |stage| {
            join_all((0..50).map(async |number| {
                // Half of them want the same, the others each something else.
                let text = ["value:nobody".into(), format!("where:value == \"nobody {number}\"")];
                let mut tab = JsonTab::connect(stage.address).await;
                tab.subscribe_to(&text[number % 2], From::Newest(u32::MAX)).await;
                tab
            }))
            .await
        })
        .await;
    // Each of them was spared every record, and is told so.
    for mut tab in filtered {
        let spared = Sieved { looked: stage.produced, ..Sieved::default() };
        tab.wait_for(|event| match event {
            Event::Records(records) if !records.records.is_empty() => panic!("{records:?}"),
            Event::Sieved(sieved) => (sieved == spared).then_some(()),
            _ => None,
        })
        .await;
    }
    assert!(stage.growth() < SLACK, "{} bytes", stage.growth());
    stage.end().await;
}
