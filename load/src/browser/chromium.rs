//! One Chromium on a page, as a process of its own: orders go in and a line of JSON comes back for each. The other side is
//! `end2end/bench/browser.ts`, which says what the orders are.

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, path::Path, process::Stdio, time::Duration};
use sysinfo::System;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// How long the browser may take to start and the page to be live, and an answer beyond the time that was asked for: a machine
/// that is busy with a hundred thousand records a second has little left for reading a trace.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the browser says of itself.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Opened {
    pub chromium: String,
    pub gpu_compositing: String,
}

/// What a trace came to. Times in milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Traced {
    pub seconds: f64,
    pub frames: Frames,
    pub long_tasks: LongTasks,
    /// Shares of the time that the page's main thread had of a processor, by kind of work.
    pub main_thread: BTreeMap<String, f64>,
    /// The page's own account of its frames.
    pub raf: Raf,
    /// Shares of one core, by kind of process.
    pub cpu: BTreeMap<String, f64>,
    /// Records that came into the list.
    pub listed_per_second: f64,
    /// What the page threw.
    pub errors: Vec<String>,
}

/// Frames that reached the screen with what the main thread last did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Frames {
    pub per_second: f64,
    /// From one that was shown to the next, by the display's ticks.
    pub interval_ms: Option<Spread>,
    /// The same, by when they were there.
    pub shown_interval_ms: Option<Spread>,
    /// From the tick until it was there.
    pub took_ms: Option<Spread>,
    /// How Chromium's frames ended, by its own words.
    pub states: BTreeMap<String, u64>,
}

/// What `requestAnimationFrame` saw.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Raf {
    pub per_second: f64,
    pub interval_ms: Option<Spread>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

/// Tasks of the main thread that took more than 50 ms.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LongTasks {
    pub count: u64,
    /// Of all tasks, long or not.
    pub longest_ms: f64,
    /// What they took beyond 50 ms each.
    pub blocking_ms: f64,
}

/// What the page takes in memory, in bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Heap {
    pub js: u64,
    pub document: u64,
    pub buffers: u64,
    /// WebAssembly's memory, which never shrinks.
    pub wasm: u64,
    /// What the page threw up to now.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<String>,
}

impl Heap {
    /// All of it.
    pub fn bytes(&self) -> u64 {
        self.js + self.document + self.buffers + self.wasm
    }
}

/// A page in a browser of its own. It ends when its orders do: when this is dropped, or its process is gone.
pub(crate) struct Chromium {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Chromium {
    /// Opens the feed of the instance at `url`.
    pub async fn open(script: &Path, url: &str, on_all_cores: bool) -> anyhow::Result<(Self, Opened)> {
        let mut command = if on_all_cores { on_all("node") } else { Command::new("node") };
        let mut child = command
            .arg(script)
            .arg(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("node can't be started")?;
        let (orders, answers) = child.stdin.take().zip(child.stdout.take()).context("the streams were asked for")?;
        let mut page = Self { child, orders, answers: BufReader::new(answers).lines() };
        let opened = page.answer(Duration::ZERO).await.with_context(|| format!("{} on {url}", script.display()))?;
        Ok((page, opened))
    }

    /// Looks at the list so: `follow`, `scrolled` or `paused`.
    pub async fn view(&mut self, view: &str) -> anyhow::Result<()> {
        let _: serde_json::Value = self.ask(&format!("view {view}"), Duration::ZERO).await?;
        Ok(())
    }

    /// Has something change in every frame from now on.
    pub async fn probe(&mut self) -> anyhow::Result<()> {
        let _: serde_json::Value = self.ask("probe", Duration::ZERO).await?;
        Ok(())
    }

    /// What frames and the main thread do for so long.
    pub async fn trace(&mut self, time: Duration, file: Option<&Path>) -> anyhow::Result<Traced> {
        let file = file.map(|file| std::path::absolute(file).map(|file| file.display().to_string())).transpose()?;
        self.ask(&format!("trace {} {}", time.as_secs_f64(), file.unwrap_or_default()), time).await
    }

    /// What the page takes in memory, after a garbage collection where it is to be `collected`.
    pub async fn heap(&mut self, collected: bool) -> anyhow::Result<Heap> {
        self.ask(if collected { "heap collected" } else { "heap" }, Duration::ZERO).await
    }

    /// Ends it, and waits for that.
    pub async fn close(self) -> anyhow::Result<()> {
        let Self { mut child, orders, .. } = self;
        drop(orders);
        let status = timeout(PATIENCE, child.wait()).await.context("the browser does not end")??;
        ensure!(status.success(), "the browser ended with {status}");
        Ok(())
    }

    async fn ask<T: DeserializeOwned>(&mut self, order: &str, takes: Duration) -> anyhow::Result<T> {
        self.orders.write_all(format!("{}\n", order.trim_end()).as_bytes()).await?;
        self.answer(takes).await.with_context(|| order.to_owned())
    }

    async fn answer<T: DeserializeOwned>(&mut self, takes: Duration) -> anyhow::Result<T> {
        let line =
            timeout(takes + PATIENCE, self.answers.next_line()).await.context("the browser does not answer")??;
        let line = line.context("the browser ended; see above")?;
        serde_json::from_str(&line).with_context(|| line)
    }
}

/// `program`, on all cores, whichever this process may use.
fn on_all(program: &str) -> Command {
    let cores = System::new_all().map_or(1, |system| system.cpus().len()).max(1);
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &format!("0-{}", cores - 1), program]);
    command
}
