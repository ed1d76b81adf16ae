//! `ottla-load bench`: every figure of docs/BENCHMARKS.md that a program can measure, one after the other, each on an instance
//! that is started for it. `scripts/bench.sh` builds the programs and starts the cluster before.
//!
//! What lives here: the course, and what is measured without tabs. What is measured with them is listed in `bench/plan.rs`; the
//! figures to reach are in `bench/figures.rs`, the text in `bench/document.rs`, the picture in `bench/picture.rs`.

mod document;
mod figures;
mod picture;
mod plan;

use crate::{
    browser,
    ingest::{self, Ingest, median},
    reliability::instance::{Instance, Launch, Signal},
    setting::Setting,
    tabs::{self, process::Processes, report::Report},
    topics,
};
use anyhow::{Context as _, ensure};
use clap::Parser;
use plan::{Plan, Scene};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    cmp::Reverse,
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// How many partitions a topic has.
const PARTITIONS: i32 = 6;
/// How long a start may take.
const START: Duration = Duration::from_secs(60);
/// How often it is looked during a start.
const LOOK: Duration = Duration::from_millis(2);
/// How often the first page is asked for.
const PAGES: usize = 100;
/// How long an instance is left alone before it is looked at, and how long it is looked at.
const SETTLE: Duration = Duration::from_secs(3);

/// The flags of `ottla-load bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    setting: Setting,
    /// The folder with BENCHMARKS.md, whose measured part is written anew; the results go to `benchmarks/` in it
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// What the micro-benchmarks left
    #[arg(long, value_name = "FOLDER")]
    criterion: Option<PathBuf>,
    /// The one core that instances may run on
    #[arg(long)]
    core: Option<u32>,
    /// A little of everything, in under 90 seconds: whether it works, not how fast
    #[arg(long)]
    quick: bool,
    /// What opens the page in a Chromium; without it, that is left out
    #[arg(long, value_name = "FILE")]
    browser: Option<PathBuf>,
    /// What else stands beside the figures: `commit=0a1b2c3`
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    about: Vec<(String, String)>,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it must be KEY=VALUE")?;
    Ok((key.into(), value.into()))
}

/// The flags of `ottla-load tabs` by themselves, so that what the text quotes is what was run.
#[derive(Debug, Parser)]
struct TabsLine {
    #[command(flatten)]
    options: tabs::Options,
}

/// The same of `ottla-load browser`.
#[derive(Debug, Parser)]
struct BrowserLine {
    #[command(flatten)]
    options: browser::Options,
}

/// A micro-benchmark's mean.
#[derive(Debug, Clone, Serialize)]
struct Micro {
    name: String,
    nanoseconds: f64,
    /// Elements a second, where it counts some.
    per_second: Option<f64>,
}

/// How soon an instance is there, in milliseconds: medians.
#[derive(Debug, Clone, Serialize)]
struct StartUp {
    /// From the start of the process to the first answer.
    answers: f64,
    /// To the group's first assignment.
    consumes: f64,
}

/// An instance that nobody looks at.
#[derive(Debug, Clone, Serialize)]
struct AtRest {
    rss: u64,
    /// The share of one core.
    cpu: f64,
}

/// The first page, from a connect to the last byte, in milliseconds.
#[derive(Debug, Clone, Serialize)]
struct FirstPage {
    p50: f64,
    p99: f64,
    bytes: u64,
}

/// A file that the page loads.
#[derive(Debug, Clone, Serialize)]
struct PageFile {
    /// What it is: its ending.
    kind: String,
    bytes: u64,
    brotli: u64,
}

/// All that was measured. What could not be is not there.
#[derive(Default)]
struct Results {
    about: Vec<(String, String)>,
    micro: Vec<Micro>,
    files: Vec<PageFile>,
    start_up: Option<StartUp>,
    first_page: Option<FirstPage>,
    at_rest: Option<AtRest>,
    topics: Option<topics::Report>,
    at_rest_embedded: Option<AtRest>,
    ingest: Option<Ingest>,
    /// By name, the flags and what came of them.
    tabs: BTreeMap<String, (String, Report)>,
    /// In the plan's order.
    browsers: Vec<(String, String, browser::Report)>,
}

/// Measures it all and writes it down. False when something could not be measured, or a tab was not told of everything.
pub(crate) async fn run(mut options: Options) -> anyhow::Result<bool> {
    let file_limit = tabs::raise_file_limit()?;
    let document = options.out.join("BENCHMARKS.md");
    // Before ten minutes are spent.
    document::check(&fs::read_to_string(&document).with_context(|| document.display().to_string())?)?;
    let folder = options.out.join("benchmarks");
    fs::create_dir_all(&folder)?;
    options.setting = options.setting.absolute()?;
    let mut bench = Bench {
        lines: fs::File::create(folder.join("results.jsonl"))?,
        results: Results { about: about(&options.about)?, ..Results::default() },
        plan: Plan::new(options.quick, file_limit),
        options,
        is_whole: true,
    };
    bench.measure().await?;
    let Bench { results, plan, is_whole, .. } = bench;
    fs::write(folder.join("growth.svg"), picture::draw(&plan.growth(&results)))?;
    let text = fs::read_to_string(&document)?;
    fs::write(&document, document::write(&text, &results, &plan)?)?;
    Ok(is_whole)
}

fn about(given: &[(String, String)]) -> anyhow::Result<Vec<(String, String)>> {
    use sysinfo::System;
    let system = System::new_all()?;
    let cpu = system.cpus().first().map_or_else(String::new, |cpu| cpu.brand().trim().to_owned());
    let mut about = vec![
        ("machine".into(), format!("{} × {cpu}, {} GB", system.cpus().len(), system.total_memory() >> 30)),
        ("system".into(), System::long_os_version().unwrap_or_default()),
        ("kernel".into(), System::kernel_version().unwrap_or_default()),
        ("load before".into(), format!("{:.1}", System::load_average()?.one)),
        ("librdkafka".into(), rdkafka::util::get_rdkafka_version().1),
    ];
    about.extend_from_slice(given);
    Ok(about)
}

struct Bench {
    options: Options,
    plan: Plan,
    lines: fs::File,
    results: Results,
    is_whole: bool,
}

impl Bench {
    async fn measure(&mut self) -> anyhow::Result<()> {
        let about: serde_json::Map<_, _> =
            self.results.about.iter().map(|(key, value)| (key.clone(), Value::from(value.clone()))).collect();
        self.write("about", "", &Value::from(about))?;

        if let Some(folder) = &self.options.criterion {
            self.results.micro = micro(folder)?;
            self.write("micro", "cargo bench --package feed", &json!(self.results.micro))?;
        }
        self.results.files = page_files(&self.options.setting.site)?;
        self.write("page files", "scripts/build.sh", &json!(self.results.files))?;

        let started = self.start_up().await;
        self.results.start_up = self.keep("start-up", "ottla", started)?;
        let seen = self.page_and_rest().await;
        if let Some((page, rest)) = self.keep("first page, at rest", "ottla", seen)? {
            (self.results.first_page, self.results.at_rest) = (Some(page), Some(rest));
        }
        let embedded = self.embedded().await;
        self.results.at_rest_embedded = self.keep("at rest, embedded broker", "ottla", embedded)?;

        let ingest = self.ingest();
        let command = format!("ottla-load ingest --records {} --rounds {}", ingest.records, ingest.rounds);
        eprintln!("━━ {command}");
        let ingested = ingest::measure(&ingest).await;
        self.results.ingest = self.keep("ingest", &command, ingested)?;

        for scene in self.plan.scenes() {
            if let Err(error) = self.play(&scene).await {
                self.fail(scene.name, "", &error)?;
            }
        }
        if let Some(script) = self.options.browser.clone() {
            for (name, flags) in self.plan.browsers() {
                let command = format!("ottla-load browser {flags}");
                eprintln!("━━ {command}");
                let seen = self.browse(&script, &flags).await;
                if let Some(report) = self.keep(&name, &command, seen)? {
                    self.results.browsers.push((name, flags, report));
                }
            }
        }
        // Last, for the broker is slower with so many.
        let size = self.plan.topics();
        let topics::Size { topics, partitions, records } = size;
        let command = format!("ottla-load topics --topics {topics} --partitions {partitions} --records {records}");
        eprintln!("━━ {command}");
        let measured = topics::measure(&self.options.setting, size).await;
        self.results.topics = self.keep("topics", &command, measured)?;
        Ok(())
    }

    /// The page in a browser, on an instance of its own that has no core to itself: here the browser is what is looked at.
    async fn browse(&self, script: &Path, flags: &str) -> anyhow::Result<browser::Report> {
        let topic = format!("bench-browser-{:08x}", rand::random::<u32>());
        ingest::create(&self.options.setting.brokers, &topic, PARTITIONS).await?;
        let mut instance = Instance::new("browser", Launch { core: None, ..self.launch(&topic) })?;
        instance.start().await?;
        let (url, script) = (instance.url(), script.display().to_string());
        let place = ["browser", "--instance", &url, "--brokers", &self.options.setting.brokers, "--topic", &topic];
        let line = place.into_iter().chain(["--script", &script]).chain(flags.split(' '));
        let measured = browser::measure(&BrowserLine::try_parse_from(line)?.options, self.options.core.is_some()).await;
        stop(instance).await?;
        let report = measured?;
        ensure!(report.traced.errors.is_empty(), "the page threw: {}", report.traced.errors.join("; "));
        Ok(report)
    }

    /// Keeps what was measured, or notes why it was not.
    fn keep<T: Serialize>(
        &mut self,
        name: &str,
        command: &str,
        result: anyhow::Result<T>,
    ) -> anyhow::Result<Option<T>> {
        match result {
            Ok(result) => {
                self.write(name, command, &json!(result))?;
                Ok(Some(result))
            }
            Err(error) => {
                self.fail(name, command, &error)?;
                Ok(None)
            }
        }
    }

    fn fail(&mut self, name: &str, command: &str, error: &anyhow::Error) -> anyhow::Result<()> {
        eprintln!("ottla-load: {name}: {error:#}");
        self.is_whole = false;
        writeln!(self.lines, "{}", json!({ "name": name, "command": command, "error": format!("{error:#}") }))?;
        Ok(())
    }

    fn write(&mut self, name: &str, command: &str, result: &Value) -> anyhow::Result<()> {
        writeln!(self.lines, "{}", json!({ "name": name, "command": command, "result": result }))?;
        Ok(())
    }

    fn launch(&self, topic: &str) -> Launch {
        Launch { core: self.options.core, ..self.options.setting.launch(topic) }
    }

    fn ingest(&self) -> ingest::Options {
        let (records, rounds) = self.plan.ingest();
        ingest::Options {
            brokers: self.options.setting.brokers.clone(),
            ottla: self.options.setting.ottla.clone(),
            logs: self.options.setting.logs.clone(),
            records,
            size: 200,
            rounds,
            core: self.options.core,
        }
    }

    /// An instance on a topic of its own that has none of its records yet.
    async fn instance(&self, name: &str) -> anyhow::Result<(Instance, String)> {
        let topic = format!("bench-{name}-{:08x}", rand::random::<u32>());
        ingest::create(&self.options.setting.brokers, &topic, PARTITIONS).await?;
        let mut instance = Instance::new(name, self.launch(&topic))?;
        instance.start().await?;
        Ok((instance, topic))
    }

    async fn start_up(&self) -> anyhow::Result<StartUp> {
        let topic = format!("bench-start-{:08x}", rand::random::<u32>());
        ingest::create(&self.options.setting.brokers, &topic, PARTITIONS).await?;
        let (mut answers, mut consumes) = (Vec::new(), Vec::new());
        for _ in 0..self.plan.starts() {
            let mut instance = Instance::new("start", self.launch(&topic))?;
            let began = Instant::now();
            instance.spawn()?;
            answers.push(reached(&instance, "/healthz", began).await?);
            consumes.push(reached(&instance, "/readyz", began).await?);
            stop(instance).await?;
        }
        Ok(StartUp { answers: median(answers), consumes: median(consumes) })
    }

    async fn page_and_rest(&self) -> anyhow::Result<(FirstPage, AtRest)> {
        let (instance, _) = self.instance("page").await?;
        let rest = at_rest(&instance).await?;
        let (mut took, mut bytes) = (Vec::new(), 0);
        for _ in 0..PAGES {
            let began = Instant::now();
            let (status, body) = instance.get("/").await?;
            took.push(began.elapsed().as_secs_f64() * 1_000.0);
            ensure!(status == 200, "the first page has status {status}");
            bytes = body.len() as u64;
        }
        stop(instance).await?;
        took.sort_by(f64::total_cmp);
        Ok((FirstPage { p50: took[PAGES / 2], p99: took[PAGES * 99 / 100], bytes }, rest))
    }

    async fn embedded(&self) -> anyhow::Result<AtRest> {
        let mut launch = self.launch("bench-rest");
        launch.brokers = String::new();
        let data = self.options.setting.logs.join("broker").display().to_string();
        launch.configuration.push(("EMBEDDED__DATA_DIR".into(), data));
        let mut instance = Instance::new("embedded", launch)?;
        instance.start().await?;
        let rest = at_rest(&instance).await?;
        stop(instance).await?;
        Ok(rest)
    }

    /// Runs what the scene has, on one instance.
    async fn play(&mut self, scene: &Scene) -> anyhow::Result<()> {
        let (instance, topic) = self.instance(scene.name).await?;
        let pid = instance.pid().context("it runs")?.to_string();
        for (name, flags) in &scene.runs {
            let command = format!("ottla-load tabs {flags}");
            eprintln!("━━ {command}");
            let url = instance.url();
            let place = [
                "tabs",
                "--instances",
                &url,
                "--pids",
                &pid,
                "--brokers",
                &self.options.setting.brokers,
                "--topic",
                &topic,
            ];
            let options = TabsLine::try_parse_from(place.into_iter().chain(flags.split(' ')))?.options;
            let measured = tabs::measure(&options).await;
            if let Some(report) = self.keep(name, &command, measured)? {
                if !report.is_complete {
                    eprintln!("ottla-load: {name}: not every tab was told of every record");
                    self.is_whole = false;
                }
                self.results.tabs.insert(name.clone(), (flags.clone(), report));
            }
        }
        stop(instance).await
    }
}

async fn stop(mut instance: Instance) -> anyhow::Result<()> {
    instance.signal(Signal::Terminate).await?;
    instance.ended().await.map(drop)
}

/// How long after `began` a path answers well, in milliseconds.
async fn reached(instance: &Instance, path: &str, began: Instant) -> anyhow::Result<f64> {
    while !instance.get(path).await.is_ok_and(|(status, _)| status == 200) {
        ensure!(began.elapsed() < START, "{path} did not answer within {START:?}");
        sleep(LOOK).await;
    }
    Ok(began.elapsed().as_secs_f64() * 1_000.0)
}

async fn at_rest(instance: &Instance) -> anyhow::Result<AtRest> {
    let mut processes = Processes::new(&[instance.pid().context("it runs")?])?;
    sleep(SETTLE).await;
    let (first, began) = (processes.sample().context("no process")?, Instant::now());
    sleep(SETTLE).await;
    let last = processes.sample().context("no process")?;
    let cpu = last.cpu.saturating_sub(first.cpu).as_secs_f64() / began.elapsed().as_secs_f64();
    Ok(AtRest { rss: last.rss, cpu })
}

/// What criterion left: a folder a benchmark, each with `new/estimates.json` and `new/benchmark.json`.
fn micro(folder: &Path) -> anyhow::Result<Vec<Micro>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let new = entry?.path().join("new");
        let read = |name: &str| -> anyhow::Result<Value> {
            let file = new.join(name);
            serde_json::from_str(&fs::read_to_string(&file)?).with_context(|| file.display().to_string())
        };
        if !new.is_dir() {
            continue;
        }
        let (estimates, benchmark) = (read("estimates.json")?, read("benchmark.json")?);
        let nanoseconds = estimates["mean"]["point_estimate"].as_f64().context("criterion has no mean")?;
        let elements = benchmark["throughput"]["Elements"].as_f64();
        let name = benchmark["function_id"].as_str().context("criterion has no name")?.to_owned();
        found.push(Micro { name, nanoseconds, per_second: elements.map(|elements| elements * 1e9 / nanoseconds) });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The files that the page loads, largest first.
fn page_files(site: &Path) -> anyhow::Result<Vec<PageFile>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(site.join("pkg")).with_context(|| site.display().to_string())? {
        let path = entry?.path();
        let kind = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_owned();
        if ["wasm", "js", "css"].contains(&kind.as_str()) {
            let compressed = path.with_added_extension("br");
            let brotli = fs::metadata(&compressed).with_context(|| compressed.display().to_string())?.len();
            found.push(PageFile { kind, bytes: fs::metadata(&path)?.len(), brotli });
        }
    }
    found.sort_by_key(|file| Reverse(file.bytes));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ottla-bench-{name}-{:08x}", rand::random::<u32>()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn what_criterion_left_is_read() {
        let all = folder("criterion");
        let new = all.join("push_1").join("new");
        fs::create_dir_all(&new).unwrap();
        fs::create_dir_all(all.join("report")).unwrap();
        fs::write(new.join("estimates.json"), r#"{"mean":{"point_estimate":250.0}}"#).unwrap();
        fs::write(new.join("benchmark.json"), r#"{"function_id":"push 1","throughput":{"Elements":10}}"#).unwrap();
        let found = micro(&all).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((&*found[0].name, found[0].nanoseconds, found[0].per_second), ("push 1", 250.0, Some(40_000_000.0)));
        fs::remove_dir_all(all).unwrap();
    }

    #[test]
    fn the_pages_files_are_those_that_it_loads() {
        let site = folder("site");
        let pkg = site.join("pkg");
        fs::create_dir_all(&pkg).unwrap();
        for (name, size) in
            [("a.wasm", 9), ("a.wasm.br", 4), ("a.js", 20), ("a.js.br", 5), ("a.js.gz", 6), ("a.txt", 1)]
        {
            fs::write(pkg.join(name), vec![0; size]).unwrap();
        }
        let found = page_files(&site).unwrap();
        let found: Vec<_> = found.iter().map(|file| (file.kind.as_str(), file.bytes, file.brotli)).collect();
        assert_eq!(found, [("js", 20, 5), ("wasm", 9, 4)]);
        fs::remove_dir_all(site).unwrap();
    }
}
