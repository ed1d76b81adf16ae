//! A consumer group's member: one OS thread that polls librdkafka, hands on what it consumes and commits by hand.
//!
//! What lives here: the handle, what the thread hands its news to ([`Consume`]), and the thread's outermost loop, which
//! makes a new member when one fails. The member's life is in `group/member.rs`, the bookkeeping in `group/offsets.rs`.
//! Not here: what becomes of the records.

mod claim;
mod commit;
mod context;
mod link;
mod member;
mod offsets;
mod statistics;
mod topics;

pub(crate) use claim::Claim;
pub(crate) use statistics::Statistics;

use crate::{Admin, ClientSettings, Error, GroupSettings};
use link::Link;
use member::{End, Member};
use rand::Rng;
use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
pub(crate) use topics::partition_count;
use wire::{KafkaState, RecordView};

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
}

impl Partition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

/// An offset of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionOffset {
    /// The partition.
    pub partition: Partition,
    /// The next offset: that of the record after the last one it speaks of.
    pub offset: i64,
}

/// A partition that a member took on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The partition.
    pub partition: Partition,
    /// The topic's id (KIP-516), where it could be had: a topic that was deleted and made anew has another one.
    pub topic_id: Option<String>,
    /// Where it begins: the offset of the record to come next.
    pub next: i64,
    /// What a former owner may have consumed and could not say: empty after a clean hand-over.
    pub suspects: Range<i64>,
}

/// Where an owned partition stands, as librdkafka last heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionOffsets {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The group's committed offset.
    pub committed: Option<i64>,
    /// The log end offset. Lag is this less `committed`.
    pub end: Option<i64>,
}

/// What librdkafka says of a client (its STATISTICS.md). Counters of a group's client begin anew with each member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientReport {
    /// The brokers that it knows, sorted by id.
    pub brokers: Vec<BrokerReport>,
    /// Records that were fetched and not consumed yet.
    pub prefetched_records: u64,
    /// What they take.
    pub prefetched_bytes: u64,
    /// Bytes of records that were fetched so far.
    pub received_bytes: u64,
    /// Messages that were handed to it and are not acknowledged.
    pub queued_messages: u64,
    /// What they take.
    pub queued_bytes: u64,
    /// Bytes of messages that were sent so far, those that were sent again included.
    pub sent_bytes: u64,
    /// Requests that could not be sent.
    pub transmit_errors: u64,
    /// Answers that could not be received.
    pub receive_errors: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// Requests without an answer in time.
    pub timeouts: u64,
    /// Connections that ended, whoever ended them.
    pub connections_lost: u64,
    /// For how long brokers had it wait so far, by its quotas.
    pub throttled: Duration,
}

/// A broker, as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerReport {
    /// Its id.
    pub id: i32,
    /// Whether a connection to it stands. There is none to one that is not needed.
    pub is_connected: bool,
    /// How long 99 % of the requests took at most, lately. None where there were none.
    pub round_trip: Option<Duration>,
}

/// What the group's thread hands its news to. Everything is called on that thread, in order, and holds it up.
pub trait Consume: Send + 'static {
    /// A record, borrowed from librdkafka's memory, cut to what fits a message to a tab.
    fn record(&mut self, record: &RecordView<'_>);

    /// The hand-off of all records since the last one: after it their offsets are committed. Called only when there were
    /// records.
    fn end_of_batch(&mut self);

    /// The group gave these partitions, besides those that the member has, and the member took them on. None of their records
    /// comes before this returns.
    fn assigned(&mut self, taken: &[Taken]);

    /// The group took these partitions back, or the member stops. What was consumed of them is committed, if Kafka
    /// answered within 2 s.
    fn revoked(&mut self, partitions: &[Partition]);

    /// The member was out of the group for too long. What was not committed of these partitions will be consumed by
    /// others; the records since the last [`Self::end_of_batch`] among them.
    fn lost(&mut self, partitions: &[Partition]);

    /// The position of an owned partition was moved: `to` is what comes next instead of `from`.
    fn sought(&mut self, partition: &Partition, from: i64, to: i64);

    /// The log of an owned partition began anew, and so does the group.
    fn began_anew(&mut self, partition: &Partition);

    /// Once a turn: at least every 100 ms.
    fn turn(&mut self);

    /// Offsets that the group should have consumed and cannot: they were deleted before.
    fn missing(&mut self, topic: &str, partition: i32, first: i64, last: i64);

    /// The group acknowledged these offsets.
    fn committed(&mut self, offsets: &[PartitionOffset]);

    /// About once a second: where the owned partitions stand.
    fn partition_offsets(&mut self, offsets: &[PartitionOffsets]);

    /// How many partitions a topic has, whenever that changes; 0: the topic does not exist.
    fn topic_partitions(&mut self, topic: &str, count: u32);

    /// Whether Kafka answers, whenever that changes.
    fn state(&mut self, state: KafkaState);

    /// A commit ended: how long that took, and whether Kafka acknowledged it. For those who measure.
    fn commit_ended(&mut self, took: Duration, is_acknowledged: bool) {
        let _ = (took, is_acknowledged);
    }

    /// About once a second: what the client says of itself. For those who measure.
    fn client_report(&mut self, report: ClientReport) {
        let _ = report;
    }
}

/// Has a member go on elsewhere, and says what came of it.
struct SeekOrder {
    seeks: Vec<(Partition, i64)>,
    done: oneshot::Sender<SeekResults>,
}

/// Per partition, where the member goes on, or why it was not moved.
pub type SeekResults = Vec<(Partition, Result<i64, String>)>;

/// A member of a consumer group. Dropping it tells the thread to stop and does not wait; [`Self::stop`] waits.
pub struct Group {
    stop: Arc<AtomicBool>,
    orders: mpsc::Sender<SeekOrder>,
    done: oneshot::Receiver<()>,
}

impl Group {
    /// Starts the thread. Needs no broker: the thread waits for one.
    ///
    /// # Errors
    /// When a property cannot be set, or the thread not be made.
    pub fn spawn(
        client: &ClientSettings,
        admin: Admin,
        settings: GroupSettings,
        consume: impl Consume,
    ) -> Result<Self, Error> {
        let config = client.group(&settings)?;
        config.create_native_config().map_err(Error::client)?;

        let stop = Arc::new(AtomicBool::new(false));
        let (ended, done) = oneshot::channel();
        let (orders, ordered) = mpsc::channel();
        let link = Link::default();
        let life = Life { config, admin, settings, stop: Arc::clone(&stop), ordered, link, consume };
        thread::Builder::new()
            .name("kafka-group".into())
            .spawn(move || {
                life.live();
                // Nobody waits where the handle was dropped.
                let _ = ended.send(());
            })
            .map_err(|error| Error::Client { reason: format!("no thread for the group: {error}") })?;
        Ok(Self { stop, orders, done })
    }

    /// Has the member consume these partitions from these offsets on, and commit that. Of those that it does not own, and of
    /// offsets that the log does not have, the result says so.
    pub fn seek(&self, seeks: Vec<(Partition, i64)>) -> impl Future<Output = SeekResults> + Send + use<> {
        let partitions: Vec<_> = seeks.iter().map(|(partition, _)| partition.clone()).collect();
        let (done, is_done) = oneshot::channel();
        let sent = self.orders.send(SeekOrder { seeks, done });
        async move {
            let not_done =
                || partitions.into_iter().map(|partition| (partition, Err("the member stopped".into()))).collect();
            match sent {
                Ok(()) => is_done.await.unwrap_or_else(|_| not_done()),
                Err(_) => not_done(),
            }
        }
    }

    /// Commits, leaves the group (a static member stays in it, KIP-345) and ends the thread.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when the thread is not done within `deadline`; it ends by itself later.
    pub async fn stop(mut self, deadline: Duration) -> Result<(), Error> {
        self.stop.store(true, Ordering::Relaxed);
        match tokio::time::timeout(deadline, &mut self.done).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::TimedOut { action: "leaving the group".into(), deadline }),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The longest wait before a new member is made.
const MAX_BACKOFF: Duration = Duration::from_secs(5);
/// The wait after the first failure.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
/// A member that lived so long did not fail at the start: the waits begin anew.
const HEALTHY: Duration = Duration::from_secs(60);
/// How soon a stop is noticed while waiting.
const STOP_NOTICED: Duration = Duration::from_millis(50);

/// All that outlives a member.
struct Life<C> {
    config: rdkafka::ClientConfig,
    admin: Admin,
    settings: GroupSettings,
    stop: Arc<AtomicBool>,
    ordered: mpsc::Receiver<SeekOrder>,
    link: Link,
    consume: C,
}

impl<C: Consume> Life<C> {
    fn live(mut self) {
        let mut backoff = FIRST_BACKOFF;
        while !self.stop.load(Ordering::Relaxed) {
            let born = Instant::now();
            // A panic of whoever consumes must not end the consuming without a word.
            let end = catch_unwind(AssertUnwindSafe(|| {
                let Self { config, admin, settings, stop, ordered, link, consume } = &mut self;
                Member::join(config, admin, settings, stop, ordered, link, consume).map(Member::live)
            }));
            let reason = match end {
                Ok(Ok(End::Stopped)) => return,
                Ok(Ok(End::Failed(reason))) => reason,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the group's thread panicked".into(),
            };
            if born.elapsed() > HEALTHY {
                backoff = FIRST_BACKOFF;
            }
            let wait = backoff.mul_f64(rand::rng().random_range(0.5..=1.0));
            backoff = (backoff * 2).min(MAX_BACKOFF);
            tracing::error!(
                group = self.settings.group,
                cause = reason,
                retry_in_ms = wait.as_millis() as u64,
                "the group's member failed, a new one will join"
            );
            self.rest(wait);
        }
    }

    fn rest(&self, wait: Duration) {
        let until = Instant::now() + wait;
        while !self.stop.load(Ordering::Relaxed) && Instant::now() < until {
            thread::sleep(STOP_NOTICED);
        }
    }
}
