//! One instance: the real program as a process of its own, with a port and a log that stay over its restarts.

use anyhow::{Context as _, ensure};
use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

/// How long a start may take until the group has given the instance its share. A static member's or a killed one's session
/// may have to end before.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a stop is waited for before it counts as failed.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
/// How long an answer to a request may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How often it is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// A signal.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    /// Stop, cleanly.
    Terminate,
    /// End at once.
    Kill,
    /// Freeze.
    Freeze,
    /// Go on after [`Signal::Freeze`].
    Thaw,
}

/// How it is started.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub ottla: PathBuf,
    pub logs: PathBuf,
    pub brokers: String,
    pub topic: String,
    pub group: String,
    /// Keys of the configuration, as environment variables without `OTTLA_`.
    pub configuration: Vec<(String, String)>,
    /// The one core that it may run on; without it, all of them.
    pub core: Option<u32>,
}

/// `program`, on one core only where one is named.
pub(crate) fn command_on(core: Option<u32>, program: &Path) -> Command {
    match core {
        None => Command::new(program),
        Some(core) => {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", &core.to_string()]).arg(program);
            command
        }
    }
}

/// An instance, running or not. Killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Instance {
    pub name: String,
    address: SocketAddr,
    launch: Launch,
    child: Option<Child>,
}

impl Instance {
    /// One that does not run yet, on a free port of loopback.
    pub fn new(name: &str, launch: Launch) -> anyhow::Result<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        Ok(Self { name: name.into(), address, launch, child: None })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Starts the process, and waits until the group has given it its share. How long that took.
    pub async fn start(&mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        self.spawn()?;
        while !self.is_ready().await {
            ensure!(began.elapsed() < READY_WITHIN, "{} was not ready within {READY_WITHIN:?}", self.name);
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().transpose()) {
                anyhow::bail!("{} ended at its start: {}; see its log", self.name, status?);
            }
            sleep(ASK_EVERY).await;
        }
        Ok(began.elapsed())
    }

    /// Starts the process.
    pub fn spawn(&mut self) -> anyhow::Result<()> {
        ensure!(self.child.is_none(), "{} runs already", self.name);
        let Launch { ottla, logs, brokers, topic, group, configuration, core } = &self.launch;
        let log = File::options().create(true).append(true).open(log_of(logs, &self.name))?;
        let mut command = command_on(*core, ottla);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OTTLA_")) {
            command.env_remove(name);
        }
        let child = command
            .args(["--listen", &self.address.to_string(), "--brokers", brokers, "--topics", topic])
            .args(["--group", group, "--instance", &self.name])
            .envs(configuration.iter().map(|(key, value)| (format!("OTTLA_{key}"), value)))
            // An ottla.toml of whoever runs this is not meant.
            .current_dir(logs)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} can't be started", ottla.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// Whether the group has given it its share.
    pub async fn is_ready(&self) -> bool {
        self.get("/readyz").await.is_ok_and(|(status, _)| status == 200)
    }

    /// What it answers to a GET: status and body.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        self.get_within(path, ANSWER_WITHIN).await
    }

    /// The same of an address that may take its time.
    pub async fn get_within(&self, path: &str, within: Duration) -> anyhow::Result<(u16, String)> {
        let asked = async {
            let mut stream = TcpStream::connect(self.address).await?;
            // HTTP/1.0: no chunks, and the end of the connection is the end of the body.
            let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\nAccept-Language: en\r\n\r\n", self.address);
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            anyhow::Ok(String::from_utf8_lossy(&answer).into_owned())
        };
        let answer = timeout(within, asked).await.context("no answer in time")??;
        let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP")?;
        let status = head.split(' ').nth(1).context("no HTTP")?.parse()?;
        Ok((status, body.to_owned()))
    }

    /// Sends a signal.
    pub async fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = self.pid().with_context(|| format!("{} does not run", self.name))?;
        let name = match signal {
            Signal::Terminate => "TERM",
            Signal::Kill => "KILL",
            Signal::Freeze => "STOP",
            Signal::Thaw => "CONT",
        };
        let sent = Command::new("kill").args(["-s", name, &id.to_string()]).status().await?;
        ensure!(sent.success(), "{name} could not be sent to {}", self.name);
        Ok(())
    }

    /// Waits until the process has ended. How long that took.
    pub async fn ended(&mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let child = self.child.as_mut().with_context(|| format!("{} does not run", self.name))?;
        let status = timeout(STOPPED_WITHIN, child.wait())
            .await
            .with_context(|| format!("{} did not end within {STOPPED_WITHIN:?}", self.name))??;
        tell_failure(&self.name, status);
        self.child = None;
        Ok(began.elapsed())
    }
}

/// An end by an error is worth a line.
fn tell_failure(name: &str, status: std::process::ExitStatus) {
    if status.code().is_some_and(|code| code != 0) {
        eprintln!("ottla-load: {name} ended with {status}");
    }
}

fn log_of(logs: &Path, name: &str) -> PathBuf {
    logs.join(format!("{name}.log"))
}
