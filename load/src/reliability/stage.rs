//! What a scenario has at hand: a topic and a group of its own, instances, the checker, and a place for its figures.

use super::{
    Options,
    cluster::Cluster,
    instance::{Instance, Launch, Signal},
};
use crate::check::{Checker, Kind, Log, MAX_RECORDS, Rules, Settings, SharedHistory, Verdict, Work};
use anyhow::Context as _;
use serde_json::{Map, Value};
use std::{
    collections::HashSet,
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::time::sleep;
use wire::Millis;

/// How long a clean stop may take.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How long partitions may take to move, the session's time-out included (KIP-848's is the broker's).
const MOVED_WITHIN: Duration = Duration::from_secs(60);
/// How long the last commits may take.
const COMMITTED_WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(50);

pub(super) struct Stage<'a> {
    pub options: &'a Options,
    pub cluster: &'a Cluster,
    pub topic: String,
    pub group: String,
    pub checker: Checker,
    pub history: SharedHistory,
    pub instances: Vec<Instance>,
    /// Keys of every instance's configuration, as environment variables without `OTTLA_`.
    pub configuration: Vec<(String, String)>,
    /// How much of the log's end a scenario leaves uncommitted: transaction markers, which are no records.
    pub markers: i64,
    logs: PathBuf,
    measures: Map<String, Value>,
    failures: Vec<String>,
}

impl<'a> Stage<'a> {
    pub async fn set(options: &'a Options, cluster: &'a Cluster, name: &str) -> anyhow::Result<Self> {
        let run: u32 = rand::random();
        let (topic, group) = (format!("reliability-{name}-{run:08x}"), format!("reliability-{name}-{run:08x}"));
        let logs = options.logs.join(name);
        std::fs::create_dir_all(&logs).with_context(|| format!("{} can't be made", logs.display()))?;
        let checker = Checker::start(Settings {
            brokers: cluster.brokers.clone(),
            topic: topic.clone(),
            group: group.clone(),
            feed: "default".into(),
            marks: options.marks.clone(),
        })?;
        Ok(Self {
            options,
            cluster,
            topic,
            group,
            history: checker.history(),
            checker,
            instances: Vec::new(),
            configuration: options.set.clone(),
            markers: 0,
            logs,
            measures: Map::new(),
            failures: Vec::new(),
        })
    }

    // What happens.

    pub async fn create_topic(&self, partitions: i32, replication: i32) -> anyhow::Result<()> {
        self.cluster.create(&self.topic, partitions, replication).await
    }

    /// An instance that does not run yet, with a tab on it. Its number.
    pub fn add(&mut self, name: &str) -> anyhow::Result<usize> {
        self.add_with(name, &self.cluster.brokers.clone(), &[])
    }

    /// The same, with addresses of its own for Kafka and keys of its own.
    pub fn add_with(&mut self, name: &str, brokers: &str, configuration: &[(String, String)]) -> anyhow::Result<usize> {
        let mut launch = self.launch()?;
        launch.brokers = brokers.into();
        launch.configuration.extend_from_slice(configuration);
        let instance = Instance::new(name, launch)?;
        self.checker.follow(&instance.url());
        self.instances.push(instance);
        Ok(self.instances.len() - 1)
    }

    /// An instance of another group, which the checker has nothing to do with.
    pub fn add_to_group(&mut self, name: &str, group: &str) -> anyhow::Result<usize> {
        let launch = Launch { group: group.into(), ..self.launch()? };
        self.instances.push(Instance::new(name, launch)?);
        Ok(self.instances.len() - 1)
    }

    fn launch(&self) -> anyhow::Result<Launch> {
        Ok(Launch {
            ottla: std::path::absolute(&self.options.ottla)?,
            logs: std::path::absolute(&self.logs)?,
            brokers: self.cluster.brokers.clone(),
            topic: self.topic.clone(),
            group: self.group.clone(),
            configuration: self.configuration.clone(),
            core: None,
        })
    }

    pub async fn start(&mut self, instance: usize) -> anyhow::Result<Duration> {
        self.instances[instance].start().await
    }

    /// Adds instances, and starts one after the other.
    pub async fn start_all(&mut self, names: &[&str]) -> anyhow::Result<Vec<usize>> {
        let mut instances = Vec::new();
        for name in names {
            let instance = self.add(name)?;
            self.start(instance).await?;
            instances.push(instance);
        }
        Ok(instances)
    }

    /// Tells an instance to stop, and waits until it has. How long that took.
    pub async fn stop(&mut self, instance: usize) -> anyhow::Result<Duration> {
        let instance = &mut self.instances[instance];
        instance.signal(Signal::Terminate).await?;
        let took = instance.ended().await?;
        if took > STOP_WITHIN {
            let failure = format!("{} needed {} ms to stop", instance.name, took.as_millis());
            self.fail(failure);
        }
        Ok(took)
    }

    pub async fn kill(&mut self, instance: usize) -> anyhow::Result<()> {
        self.instances[instance].signal(Signal::Kill).await?;
        self.instances[instance].ended().await.map(drop)
    }

    pub fn produce(&mut self, partitions: i32) -> anyhow::Result<()> {
        self.checker.produce(Work { rate: self.options.rate, partitions, total: MAX_RECORDS })
    }

    pub async fn hold(&self, seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
    }

    /// Stops producing, and waits until all is consumed and committed.
    pub async fn drain(&mut self) -> anyhow::Result<()> {
        self.checker.rest().await?;
        self.checker.settle(Duration::from_secs(self.options.patience)).await;
        let until = Instant::now() + COMMITTED_WITHIN;
        loop {
            let lag = self.lag().await?;
            if lag.iter().all(|lag| (0..=self.markers).contains(lag)) {
                return Ok(());
            }
            if Instant::now() > until {
                self.fail(format!("after all was consumed, the lag of the partitions is {lag:?}"));
                return Ok(());
            }
            sleep(LOOK * 4).await;
        }
    }

    async fn lag(&self) -> anyhow::Result<Vec<i64>> {
        let offsets = self.checker.offsets();
        let standings = tokio::task::spawn_blocking(move || offsets.standings()).await??;
        Ok(standings.into_iter().map(|standing| standing.lag()).collect())
    }

    // What is seen.

    pub fn owned(&self, instance: usize) -> HashSet<Log> {
        self.history.lock().owned(&self.instances[instance].name)
    }

    /// Waits until each of `logs` was given to someone since `since` and went on there. How long that took, at most: from
    /// `since`, and from the assignment.
    pub async fn moved(&self, logs: &HashSet<Log>, since: Millis) -> anyhow::Result<Moved> {
        let until = Instant::now() + MOVED_WITHIN;
        loop {
            let resumed = self.history.lock().resumed_since(since);
            let of_these = || resumed.iter().filter(|resumed| logs.contains(&resumed.log));
            if of_these().map(|resumed| resumed.log).collect::<HashSet<_>>().len() == logs.len() {
                let from_assignment = of_these().map(|resumed| resumed.first - resumed.assigned).max().unwrap_or(0);
                let in_all = of_these().map(|resumed| resumed.first - since).max().unwrap_or(0);
                return Ok(Moved { in_all, from_assignment });
            }
            anyhow::ensure!(Instant::now() < until, "{logs:?} did not all move within {MOVED_WITHIN:?}");
            sleep(LOOK).await;
        }
    }

    // What is told.

    pub fn measure(&mut self, name: &str, value: impl Into<Value>) {
        self.measures.insert(name.into(), value.into());
    }

    /// A figure of which the largest counts.
    pub fn measure_most(&mut self, name: &str, value: i64) {
        let most = self.measures.get(name).and_then(Value::as_i64).map_or(value, |most| most.max(value));
        self.measure(name, most);
    }

    /// Something that the scenario asks is not so.
    pub fn fail(&mut self, failure: impl Into<String>) {
        self.failures.push(failure.into());
    }

    /// Waits until all is consumed, stops everything, and judges.
    pub async fn end(mut self, rules: Rules) -> anyhow::Result<(Verdict, Map<String, Value>)> {
        self.drain().await?;
        let running: Vec<_> = (0..self.instances.len()).filter(|it| self.instances[*it].is_running()).collect();
        for instance in running {
            let took = self.stop(instance).await?;
            self.measure_most("stop_ms", millis(took));
        }
        let mut verdict = self.checker.finish(rules).await?;
        for failure in self.failures {
            verdict.violate(Kind::Scenario, || failure);
        }
        self.cluster.delete(&self.topic).await?;
        Ok((verdict, self.measures))
    }
}

/// How long partitions took to go on elsewhere, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    pub in_all: Millis,
    pub from_assignment: Millis,
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The clock, as the instances and the brokers have it.
pub(super) fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}
