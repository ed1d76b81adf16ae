//! Produces the numbered records, each to the partition that it names, in order, and notes which the broker took. Independent
//! of `kafka::Producer`: who checks must not rely on what is checked.

use super::{
    SharedHistory,
    history::{Fate, Sent},
    numbered::Numbered,
};
use anyhow::Context as _;
use rdkafka::{
    ClientConfig, ClientContext, Message,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer},
};
use std::time::Duration;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep},
};

/// Records of one tick are sent together.
const TICK: Duration = Duration::from_millis(10);
/// How long the broker may take for a record. Longer than any scenario keeps brokers away, so that none has to fail.
const DELIVERY_TIMEOUT_MS: &str = "180000";
/// How long a record waits for room in librdkafka's queue, or for a partition that is not known yet, before it is tried again.
const AGAIN: Duration = Duration::from_millis(20);
/// How long everything on its way is waited for at the end.
const FLUSH: Duration = Duration::from_secs(60);

/// What to produce now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Work {
    /// Records a second, over all partitions; 0 rests.
    pub rate: u32,
    pub partitions: i32,
    /// How many records in all, over the producer's life.
    pub total: u64,
}

/// A producer at work.
pub(crate) struct Producer {
    work: watch::Sender<Work>,
    task: JoinHandle<anyhow::Result<()>>,
}

struct Deliveries {
    history: SharedHistory,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Numbered>;

    fn delivery(&self, result: &DeliveryResult<'_>, record: Box<Numbered>) {
        let mut history = self.history.lock();
        match result {
            Ok(message) => history.sent(Sent {
                log: record.log,
                offset: message.offset(),
                number: record.number,
                fate: Fate::Acknowledged,
            }),
            Err((error, _)) => {
                history.failed += 1;
                if history.failed == 1 {
                    eprintln!("ottla-load: a record was not delivered: {error}");
                }
            }
        }
    }
}

impl Producer {
    /// Begins to produce in a task of its own.
    pub fn start(brokers: &str, topic: &str, run: &str, history: SharedHistory, work: Work) -> anyhow::Result<Self> {
        let producer: ThreadedProducer<_> = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("client.id", "ottla-load")
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "5")
            .set("delivery.timeout.ms", DELIVERY_TIMEOUT_MS)
            // A partition that is being made, or a topic that is, is waited for.
            .set("topic.metadata.propagation.max.ms", DELIVERY_TIMEOUT_MS)
            .set("topic.metadata.refresh.interval.ms", "2000")
            .set("queue.buffering.max.messages", "1000000")
            .set("reconnect.backoff.max.ms", "1000")
            .create_with_context(Deliveries { history: SharedHistory::clone(&history) })
            .context("the producer can't be made")?;
        let (work, todo) = watch::channel(work);
        let task = tokio::spawn(produce(producer, topic.to_owned(), run.to_owned(), history, todo));
        Ok(Self { work, task })
    }

    /// From now on so much, or to so many partitions.
    pub fn set(&self, change: impl FnOnce(&mut Work)) {
        self.work.send_modify(change);
    }

    /// Whether all that was wanted is sent.
    pub fn is_done(&self) -> bool {
        self.task.is_finished()
    }

    /// Sends nothing more, and waits until everything on its way is answered.
    ///
    /// # Errors
    /// When the producer failed, or not everything is answered in time.
    pub async fn stop(self) -> anyhow::Result<()> {
        drop(self.work);
        self.task.await?
    }
}

/// Until all is sent, or the handle is dropped.
async fn produce(
    producer: ThreadedProducer<Deliveries>,
    topic: String,
    run: String,
    history: SharedHistory,
    mut todo: watch::Receiver<Work>,
) -> anyhow::Result<()> {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut sent, mut owed) = (0_u64, 0.0);
    let mut work = *todo.borrow_and_update();
    let mut is_wanted = true;
    while is_wanted && sent < work.total {
        tokio::select! {
            _ = ticks.tick() => owed += f64::from(work.rate) * TICK.as_secs_f64(),
            changed = todo.changed() => match changed {
                Ok(()) => (work, owed) = (*todo.borrow_and_update(), 0.0),
                Err(_) => is_wanted = false,
            },
        }
        while is_wanted && owed >= 1.0 && sent < work.total {
            let partition = i32::try_from(sent % u64::from(work.partitions.unsigned_abs()))?;
            let record = history.lock().next(partition);
            (sent, owed) = (sent + 1, owed - 1.0);
            send(&producer, &topic, &run, record).await?;
        }
    }
    tokio::task::spawn_blocking(move || producer.flush(FLUSH)).await?.context("not every record was answered")
}

async fn send(producer: &ThreadedProducer<Deliveries>, topic: &str, run: &str, record: Numbered) -> anyhow::Result<()> {
    let (key, value) = (record.kafka_key(), record.value(run));
    loop {
        let message = BaseRecord::with_opaque_to(topic, Box::new(record))
            .partition(record.log.partition)
            .key(&key)
            .payload(&value);
        match producer.send(message) {
            Ok(()) => return Ok(()),
            Err((
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull | RDKafkaErrorCode::UnknownPartition),
                _,
            )) => {
                sleep(AGAIN).await;
            }
            Err((error, _)) => return Err(error).context("producing"),
        }
    }
}
