//! Reads the consumption marks, on a thread of its own and without a group, as every instance does. Where the topic does not
//! exist there are none, until it does.

use super::{
    SharedHistory,
    history::{Incarnation, Marked},
};
use anyhow::Context as _;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use wire::Mark;

/// How long one question to the cluster may take.
const ASK: Duration = Duration::from_secs(5);
/// How often a topic that does not exist yet is looked for.
const LOOK: Duration = Duration::from_secs(1);
/// How long one poll waits: how soon a stop is noticed.
const POLL: Duration = Duration::from_millis(100);
/// How long reading up to the end may take after the stop.
const CATCH_UP: Duration = Duration::from_secs(15);

/// Whose marks count.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    pub brokers: String,
    /// The topic of the marks.
    pub marks: String,
    pub group: String,
    pub topic: String,
}

/// The thread.
pub(crate) struct MarksReader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl MarksReader {
    /// Reads from the beginning of the topic.
    pub fn start(marks: Marks, history: SharedHistory) -> anyhow::Result<Self> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &marks.brokers)
            .set("client.id", "ottla-load")
            // librdkafka asks for a group's name from whoever assigns partitions; this one is never joined.
            .set("group.id", "ottla-load-marks")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "50")
            .set("allow.auto.create.topics", "false")
            .create()
            .context("the marks' reader can't be made")?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("marks".into())
            .spawn(move || Reading { consumer, marks, history, stop: stopped, next: HashMap::new() }.run())?;
        Ok(Self { stop, thread })
    }

    /// Reads what is there at this moment, and ends.
    ///
    /// # Errors
    /// When the end was not reached in time.
    pub async fn finish(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        tokio::task::spawn_blocking(move || self.thread.join())
            .await?
            .map_err(|_| anyhow::anyhow!("the marks' reader panicked"))?
    }
}

struct Reading {
    consumer: BaseConsumer,
    marks: Marks,
    history: SharedHistory,
    stop: Arc<AtomicBool>,
    /// Per partition, the offset after the last mark that was read.
    next: HashMap<i32, i64>,
}

impl Reading {
    fn run(mut self) -> anyhow::Result<()> {
        while !self.stop.load(Ordering::Relaxed) && !self.assign()? {
            thread::sleep(LOOK);
        }
        while !self.stop.load(Ordering::Relaxed) {
            self.read();
        }
        self.catch_up()
    }

    /// Takes all partitions on. False when there are none yet.
    fn assign(&self) -> anyhow::Result<bool> {
        // Brokers may be away: then later.
        let Ok(metadata) = self.consumer.fetch_metadata(Some(&self.marks.marks), ASK) else { return Ok(false) };
        let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == self.marks.marks) else {
            return Ok(false);
        };
        let mut list = TopicPartitionList::new();
        for partition in topic.partitions() {
            list.add_partition_offset(&self.marks.marks, partition.id(), Offset::Beginning)?;
        }
        if list.count() > 0 {
            self.consumer.assign(&list)?;
        }
        Ok(list.count() > 0)
    }

    fn read(&mut self) {
        // Connections come and go: librdkafka comes back by itself.
        let Some(Ok(message)) = self.consumer.poll(POLL) else { return };
        self.next.insert(message.partition(), message.offset() + 1);
        let Some(mark) = message.payload().and_then(|value| serde_json::from_slice::<Mark>(value).ok()) else { return };
        if mark.group != self.marks.group || mark.topic != self.marks.topic {
            return;
        }
        let mut history = self.history.lock();
        let log = history.log_at(mark.partition, mark.at);
        let by = Incarnation { instance: mark.by.instance, number: mark.by.incarnation };
        history.marked(Marked { by, log, first: mark.first, next: mark.next, at: mark.at });
    }

    fn catch_up(&mut self) -> anyhow::Result<()> {
        if self.consumer.assignment()?.count() == 0 {
            return Ok(());
        }
        let until = Instant::now() + CATCH_UP;
        let mut ends = Vec::new();
        for element in self.consumer.assignment()?.elements() {
            let (low, end) = self.consumer.fetch_watermarks(&self.marks.marks, element.partition(), ASK)?;
            ends.push((element.partition(), low, end));
        }
        let is_read = |next: &HashMap<i32, i64>| {
            ends.iter().all(|(partition, low, end)| low == end || next.get(partition) >= Some(end))
        };
        while !is_read(&self.next) {
            anyhow::ensure!(Instant::now() < until, "the marks were not read to their end within {CATCH_UP:?}");
            self.read();
        }
        Ok(())
    }
}
