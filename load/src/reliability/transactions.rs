//! A producer that writes in transactions and aborts every third.

use crate::check::{Fate, Log, Numbered, Sent, SharedHistory};
use anyhow::Context as _;
use parking_lot::Mutex;
use rdkafka::{
    ClientConfig, ClientContext, Message,
    producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How many records a transaction has, over all partitions.
const RECORDS: u64 = 500;
/// Every which transaction is aborted.
const ABORTED: u64 = 3;
/// How long one step may take.
const STEP: Duration = Duration::from_secs(30);

/// What to write.
pub(super) struct Transactions {
    pub brokers: String,
    pub topic: String,
    pub run: String,
    pub partitions: i32,
    /// Records a second, at most.
    pub rate: u32,
    pub lasts: Duration,
    /// What the history says of the records of an aborted transaction: for a consumer that reads them, they are as good as
    /// acknowledged.
    pub aborted: Fate,
    pub history: SharedHistory,
}

struct Deliveries {
    taken: Arc<Mutex<Vec<(Numbered, i64)>>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Numbered>;

    fn delivery(&self, result: &DeliveryResult<'_>, record: Box<Numbered>) {
        if let Ok(message) = result {
            self.taken.lock().push((*record, message.offset()));
        }
    }
}

impl Transactions {
    /// Writes. Blocks. How many transactions were committed and aborted; the last one is committed.
    ///
    /// # Errors
    /// When a step fails.
    pub fn write(self) -> anyhow::Result<(u64, u64)> {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let producer: BaseProducer<_> = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "ottla-load")
            .set("transactional.id", &self.topic)
            .set("linger.ms", "5")
            .create_with_context(Deliveries { taken: Arc::clone(&taken) })
            .context("the transactional producer can't be made")?;
        producer.init_transactions(STEP)?;

        let (mut committed, mut aborted, mut number) = (0, 0, 0);
        let (until, pause) =
            (Instant::now() + self.lasts, Duration::from_secs_f64(RECORDS as f64 / f64::from(self.rate)));
        let mut next = Instant::now();
        loop {
            let is_aborted = (committed + aborted) % ABORTED == ABORTED - 1;
            producer.begin_transaction()?;
            for _ in 0..RECORDS {
                self.send(&producer, number)?;
                number += 1;
            }
            // Aborted or not, the records are to be in the log.
            producer.flush(STEP)?;
            let fate = if is_aborted {
                producer.abort_transaction(STEP)?;
                aborted += 1;
                self.aborted
            } else {
                producer.commit_transaction(STEP)?;
                committed += 1;
                Fate::Acknowledged
            };
            self.note(&taken, fate);
            if Instant::now() > until && !is_aborted {
                return Ok((committed, aborted));
            }
            next += pause;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    /// The `number`th record over all partitions.
    fn send(&self, producer: &BaseProducer<Deliveries>, number: u64) -> anyhow::Result<()> {
        let partitions = u64::from(self.partitions.unsigned_abs());
        let log = Log { life: 0, partition: i32::try_from(number % partitions)? };
        let record = Numbered { log, number: number / partitions };
        let (key, value) = (record.kafka_key(), record.value(&self.run));
        let message = BaseRecord::with_opaque_to(&self.topic, Box::new(record))
            .partition(log.partition)
            .key(&key)
            .payload(&value);
        producer.send(message).map_err(|(error, _)| error).context("producing")
    }

    fn note(&self, taken: &Mutex<Vec<(Numbered, i64)>>, fate: Fate) {
        let mut history = self.history.lock();
        for (Numbered { log, number }, offset) in taken.lock().drain(..) {
            history.sent(Sent { log, offset, number, fate });
        }
    }
}
