//! Watches the group's committed offsets from outside, on a thread of its own: they never go back, and in the end there is no
//! lag.

use super::{SharedHistory, history::Committed};
use anyhow::Context as _;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
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

/// How often it looks.
const EVERY: Duration = Duration::from_millis(500);
/// How long one question may take.
const ASK: Duration = Duration::from_secs(3);

/// Where a partition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub partition: i32,
    pub committed: Option<i64>,
    /// The first offset that exists, and the log end offset.
    pub low: i64,
    pub end: i64,
}

impl Standing {
    /// How many offsets are not committed.
    pub fn lag(self) -> i64 {
        self.end - self.committed.unwrap_or(self.low)
    }
}

/// Asks for a group's offsets without being a member.
#[derive(Clone)]
pub(crate) struct GroupOffsets {
    consumer: Arc<BaseConsumer>,
    topic: String,
}

impl GroupOffsets {
    pub fn new(brokers: &str, group: &str, topic: &str) -> anyhow::Result<Self> {
        let consumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("client.id", "ottla-load")
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("allow.auto.create.topics", "false")
            .set("reconnect.backoff.max.ms", "1000")
            .create()
            .context("the group's offsets can't be asked for")?;
        Ok(Self { consumer: Arc::new(consumer), topic: topic.into() })
    }

    /// The topic's partitions. None where it does not exist.
    pub fn partitions(&self) -> anyhow::Result<Vec<i32>> {
        let metadata = self.consumer.fetch_metadata(Some(&self.topic), ASK)?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.topic);
        Ok(topic.map(|topic| topic.partitions().iter().map(|partition| partition.id()).collect()).unwrap_or_default())
    }

    /// The committed offsets by partition. Blocks.
    pub fn committed(&self) -> anyhow::Result<HashMap<i32, i64>> {
        let mut list = TopicPartitionList::new();
        for partition in self.partitions()? {
            list.add_partition(&self.topic, partition);
        }
        let found = self.consumer.committed_offsets(list, ASK)?;
        let offset = |element: rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match element.offset() {
            Offset::Offset(offset) => Some((element.partition(), offset)),
            _ => None,
        };
        Ok(found.elements().into_iter().filter_map(offset).collect())
    }

    /// Where each partition stands. Blocks.
    pub fn standings(&self) -> anyhow::Result<Vec<Standing>> {
        let committed = self.committed()?;
        let partitions = self.partitions()?.into_iter().map(|partition| {
            let (low, end) = self.consumer.fetch_watermarks(&self.topic, partition, ASK)?;
            Ok(Standing { partition, committed: committed.get(&partition).copied(), low, end })
        });
        partitions.collect()
    }

    /// Sets the group's offsets, which the broker takes from outside only while the group is empty. Blocks.
    pub fn reset(&self, offsets: &[(i32, i64)]) -> anyhow::Result<()> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(*offset))?;
        }
        Ok(self.consumer.commit(&list, rdkafka::consumer::CommitMode::Sync)?)
    }
}

/// The thread that watches.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watch {
    pub fn start(offsets: GroupOffsets, history: SharedHistory) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new().name("committed".into()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let life = history.lock().life;
                // Brokers may be away: then later.
                if let Ok(committed) = offsets.committed() {
                    note(&history, life, committed);
                }
                let next = Instant::now() + EVERY;
                while !stopped.load(Ordering::Relaxed) && Instant::now() < next {
                    thread::sleep(Duration::from_millis(50));
                }
            }
        })?;
        Ok(Self { stop, thread })
    }

    pub async fn finish(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        tokio::task::spawn_blocking(move || self.thread.join())
            .await?
            .map_err(|_| anyhow::anyhow!("the watch of the committed offsets panicked"))
    }
}

/// Notes what changed, unless the topic was made anew while it was asked for.
fn note(history: &SharedHistory, life: u32, committed: HashMap<i32, i64>) {
    let mut history = history.lock();
    if history.life != life {
        return;
    }
    for (partition, offset) in committed {
        let log = history.log(partition);
        let last = history.committed.iter().rfind(|committed| committed.log == log);
        if last.is_none_or(|last| last.offset != offset) {
            history.committed.push(Committed { log, offset });
        }
    }
}
