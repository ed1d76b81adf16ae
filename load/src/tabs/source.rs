//! The records: at a steady rate, straight through librdkafka, each with the time of its sending in front of its value. They have no
//! key: the producer changes the partition every ten milliseconds (`sticky.partitioning.linger.ms`, KIP-480), as producers do by default.

use anyhow::Context as _;
use rdkafka::{
    ClientConfig, ClientContext,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// How many bytes of a value are the time of its sending.
pub(crate) const STAMP: usize = 20;
/// How often it is looked which records are due: what the sending adds to the latencies, at most.
const TICK: Duration = Duration::from_millis(1);
/// How long Kafka may take for an answer.
const ASK: Duration = Duration::from_secs(10);
/// How long everything on its way is waited for at the end.
const FLUSH: Duration = Duration::from_secs(60);

/// Nanoseconds since 1970. It follows the system's clock as it was at the start, and never jumps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    began: Instant,
    offset: u64,
}

impl Clock {
    pub fn start() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { began: Instant::now(), offset: nanos(since) }
    }

    pub fn now(&self) -> u64 {
        self.offset + nanos(self.began.elapsed())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Writes the time of sending into the first [`STAMP`] bytes of a value: readable, and text in every form of the protocol.
fn stamp(value: &mut [u8], mut at: u64) {
    for digit in value[..STAMP].iter_mut().rev() {
        *digit = b'0' + (at % 10) as u8;
        at /= 10;
    }
}

/// When a value was sent. None where it has no stamp.
pub(super) fn sent_at(value: &[u8]) -> Option<u64> {
    value.get(..STAMP)?.iter().try_fold(0_u64, |at, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        at.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// By partition, the log end offset.
///
/// # Errors
/// When Kafka does not answer, or the topic does not exist.
pub(crate) async fn ends(brokers: &str, topic: &str) -> anyhow::Result<Vec<i64>> {
    let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
    tokio::task::spawn_blocking(move || {
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", brokers).set("allow.auto.create.topics", "false").create()?;
        let metadata = consumer.fetch_metadata(Some(&topic), ASK).context("Kafka does not answer")?;
        let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        anyhow::ensure!(partitions > 0, "there is no topic {topic}");
        let end = |partition| Ok(consumer.fetch_watermarks(&topic, partition, ASK)?.1);
        (0..i32::try_from(partitions)?).map(end).collect()
    })
    .await?
}

/// What to produce.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    /// Records a second, over all partitions.
    pub rate: u32,
    /// A value's size in bytes, at least [`STAMP`].
    pub size: usize,
    /// After so many it is done.
    pub records: Option<u64>,
    /// Of so many records one has a value of so many bytes.
    pub large: Option<(u64, usize)>,
}

impl Work {
    /// How many records are due after so long: what a tick came too late for, the next one makes good.
    fn due(self, elapsed: Duration) -> u64 {
        let due = (elapsed.as_micros() * u128::from(self.rate) / 1_000_000) as u64;
        self.records.map_or(due, |records| due.min(records))
    }
}

/// Produces on a thread of its own until it is stopped.
pub(crate) struct Source {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<(u64, u64)>>,
}

#[derive(Default)]
struct Failures(AtomicU64);

impl ClientContext for Failures {}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result
            && self.0.fetch_add(1, Ordering::Relaxed) == 0
        {
            eprintln!("ottla-load: a record was not delivered: {error}");
        }
    }
}

impl Source {
    pub fn start(brokers: &str, topic: &str, work: Work, clock: Clock) -> anyhow::Result<Self> {
        let producer: ThreadedProducer<_> = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("client.id", "ottla-load")
            // As producers have it by default (librdkafka, and Java's since Kafka 4.0, KIP-1030): it is part of what is measured.
            .set("linger.ms", "5")
            .set("socket.nagle.disable", "true")
            .set("queue.buffering.max.messages", "1000000")
            // The largest that a broker takes by its own default; librdkafka's leaves no room for what belongs to a record.
            .set("message.max.bytes", "1048588")
            .create_with_context(Failures::default())
            .context("the producer can't be made")?;
        let stop = Arc::new(AtomicBool::new(false));
        let (topic, is_stopped) = (topic.to_owned(), Arc::clone(&stop));
        let thread = thread::Builder::new()
            .name("source".into())
            .spawn(move || produce(&producer, &topic, work, clock, &is_stopped))?;
        Ok(Self { stop, thread })
    }

    /// Sends nothing more, and waits until everything on its way is answered. How many were sent, and how many of these failed.
    pub async fn stop(self) -> anyhow::Result<(u64, u64)> {
        self.stop.store(true, Ordering::Relaxed);
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await?;
        joined.map_err(|_| anyhow::anyhow!("the producer's thread panicked"))?
    }
}

fn produce(
    producer: &ThreadedProducer<Failures>,
    topic: &str,
    work: Work,
    clock: Clock,
    stop: &AtomicBool,
) -> anyhow::Result<(u64, u64)> {
    let mut value = vec![b'x'; work.size];
    let (every, large) = work.large.unwrap_or((u64::MAX, STAMP));
    let mut large = vec![b'x'; large];
    let (began, mut sent) = (Instant::now(), 0);
    while !stop.load(Ordering::Relaxed) {
        let due = work.due(began.elapsed());
        while sent < due {
            let value = if sent % every == every - 1 { &mut large } else { &mut value };
            stamp(value, clock.now());
            let record = BaseRecord::<(), _>::to(topic).payload(&*value);
            match producer.send(record) {
                Ok(()) => sent += 1,
                // Kafka can't keep up; what is due stays due.
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => break,
                Err((error, _)) => return Err(error).context("producing"),
            }
        }
        thread::sleep(TICK);
    }
    producer.flush(FLUSH).context("not every record was answered")?;
    Ok((sent, producer.context().0.load(Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_follows_the_clock_and_not_the_ticks() {
        let work = Work { rate: 1_500, size: 20, records: None, large: None };
        assert_eq!(work.due(Duration::ZERO), 0);
        assert_eq!(work.due(Duration::from_millis(1)), 1);
        assert_eq!(work.due(Duration::from_millis(2)), 3);
        assert_eq!(work.due(Duration::from_secs(3_600)), 5_400_000);
        let work = Work { records: Some(4), ..work };
        assert_eq!((work.due(Duration::from_millis(2)), work.due(Duration::from_secs(3_600))), (3, 4));
    }

    #[test]
    fn a_stamp_is_read_back_and_other_values_have_none() {
        let mut value = [b'x'; 30];
        for at in [0, 1_790_000_000_000_000_007, u64::MAX] {
            stamp(&mut value, at);
            assert_eq!(sent_at(&value), Some(at));
            assert!(value[STAMP..].iter().all(|byte| *byte == b'x'));
        }
        assert_eq!(sent_at(b"short"), None);
        assert_eq!(sent_at(b"an order, and no time at all"), None);
        assert_eq!(sent_at(b"99999999999999999999"), None);
    }

    #[test]
    fn the_clock_does_not_go_back() {
        let clock = Clock::start();
        let first = clock.now();
        assert!(clock.now() >= first);
    }
}
