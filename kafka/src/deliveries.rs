//! A producer of librdkafka's whose deliveries are futures. rdkafka has one too, whose thread polls for 100 ms at a time and spins
//! through the last of them (`BaseProducer::poll` cuts what is left to whole milliseconds): a percent of a core, at rest.

use crate::{ClientReport, Error, context::Context, group::Statistics};
use parking_lot::Mutex;
use rdkafka::{
    ClientConfig, ClientContext, Message as _, Timestamp,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext},
};
use std::{
    sync::{Arc, Weak},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How long the thread waits for deliveries before it looks whether the producer is still there.
const POLL: Duration = Duration::from_secs(1);
/// How long a message waits for room in librdkafka's queue before it is offered again.
const OFFER_AGAIN: Duration = Duration::from_millis(100);

/// The producer with its thread, which ends when the last clone is gone.
#[derive(Clone)]
pub(crate) struct Deliveries {
    producer: Arc<BaseProducer<Answers>>,
    report: Arc<Mutex<ClientReport>>,
}

/// Where the brokers put a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivered {
    pub partition: i32,
    pub offset: i64,
    pub timestamp: Timestamp,
}

/// Resolves when the message is acknowledged or given up; an error where the producer went away before.
pub(crate) type Answer = oneshot::Receiver<Result<Delivered, KafkaError>>;

/// A message, with the other end of its [`Answer`] from [`Deliveries::offer`] on.
pub(crate) type Message<'a> = BaseRecord<'a, [u8], [u8], Opaque>;

type Opaque = Box<oneshot::Sender<Result<Delivered, KafkaError>>>;

struct Answers {
    context: Context,
    /// What librdkafka said last.
    report: Arc<Mutex<ClientReport>>,
}

impl ClientContext for Answers {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.context.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }

    fn stats_raw(&self, json: &[u8]) {
        match Statistics::parse(json) {
            Ok(statistics) => {
                let (mut report, mut last) = (statistics.client(), self.report.lock());
                report.throttled += last.throttled;
                *last = report;
            }
            Err(error) => tracing::debug!(%error, "statistics of librdkafka"),
        }
    }
}

impl ProducerContext for Answers {
    type DeliveryOpaque = Opaque;

    fn delivery(&self, result: &DeliveryResult<'_>, answer: Opaque) {
        let delivered = match result {
            Ok(message) => Ok(Delivered {
                partition: message.partition(),
                offset: message.offset(),
                timestamp: message.timestamp(),
            }),
            Err((error, _)) => Err(error.clone()),
        };
        // Nobody may wait for it any more.
        let _ = answer.send(delivered);
    }
}

impl Deliveries {
    /// Makes the producer and starts its thread. Needs no broker.
    pub fn new(config: &ClientConfig, context: Context) -> Result<Self, Error> {
        let report = Arc::<Mutex<ClientReport>>::default();
        let answers = Answers { context, report: Arc::clone(&report) };
        let producer: BaseProducer<_> = config.create_with_context(answers).map_err(Error::client)?;
        let producer = Arc::new(producer);
        let polled = Arc::downgrade(&producer);
        thread::Builder::new()
            .name("producer".into())
            .spawn(move || poll(&polled))
            .map_err(|error| Error::Client { reason: format!("no thread for the producer: {error}") })?;
        Ok(Self { producer, report })
    }

    /// Hands on a message if there is room for it. `fill` says what is in it.
    pub fn offer<'a>(&self, topic: &'a str, fill: impl FnOnce(&mut Message<'a>)) -> Result<Answer, KafkaError> {
        let (message, answer) = message(topic, fill);
        self.producer.send(message).map(|()| answer).map_err(|(error, _)| error)
    }

    /// Hands on a message, which waits at most so long for room.
    pub async fn hand_on<'a>(
        &self,
        topic: &'a str,
        room_within: Duration,
        fill: impl FnOnce(&mut Message<'a>),
    ) -> Result<Answer, KafkaError> {
        let (mut message, answer) = message(topic, fill);
        let began = Instant::now();
        while let Err((error, back)) = self.producer.send(message) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) || began.elapsed() >= room_within {
                return Err(error);
            }
            message = back;
            tokio::time::sleep(OFFER_AGAIN).await;
        }
        Ok(answer)
    }

    /// What librdkafka said of the producer last.
    pub fn report(&self) -> ClientReport {
        self.report.lock().clone()
    }

    /// librdkafka's own.
    pub fn producer(&self) -> &BaseProducer<impl ProducerContext + use<>> {
        &self.producer
    }

    /// Waits until everything that was sent is answered, at most `deadline`. Blocks.
    pub fn flush(&self, deadline: Duration) -> Result<(), KafkaError> {
        self.producer.flush(deadline)
    }
}

fn message<'a>(topic: &'a str, fill: impl FnOnce(&mut Message<'a>)) -> (Message<'a>, Answer) {
    let (opaque, answer) = oneshot::channel();
    let mut message = BaseRecord::with_opaque_to(topic, Box::new(opaque));
    fill(&mut message);
    (message, answer)
}

fn poll(producer: &Weak<BaseProducer<Answers>>) {
    while let Some(producer) = producer.upgrade() {
        producer.poll(POLL);
    }
}
