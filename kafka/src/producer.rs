//! The process's one producer: `acks=all`, idempotent. What is not here: what a message may be (`wire::ProduceInput`).

use crate::{
    ClientReport, ClientSettings, Error, ProducerSettings, context::Context, deliveries::Deliveries, error::reason,
    group::partition_count,
};
use parking_lot::Mutex;
use rdkafka::{
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::Producer as _,
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use wire::{Data, Field, FieldError, Outgoing, ProduceError, Receipt, Rule};

/// How long a topic's partition count is believed. Partitions are only ever added, and a topic that was deleted is told by
/// the delivery.
const BELIEVED: Duration = Duration::from_secs(5);
/// How long the metadata are waited for before a message goes out unchecked.
const METADATA_DEADLINE: Duration = Duration::from_secs(1);
/// A topic that was created a moment ago may not be known to every broker yet: it is looked for once more after this.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long a message may wait for room in librdkafka's queue.
const QUEUE_DEADLINE: Duration = Duration::from_secs(1);

/// The producer. Cheap to clone.
#[derive(Clone)]
pub struct Producer {
    deliveries: Deliveries,
    context: Context,
    topics: Arc<Mutex<HashMap<String, (Instant, u32)>>>,
    delivery_timeout: Duration,
}

impl Producer {
    /// Makes the producer. Needs no broker.
    ///
    /// # Errors
    /// When a property cannot be set.
    pub fn new(client: &ClientSettings, settings: &ProducerSettings) -> Result<Self, Error> {
        let config = client.producer(settings)?;
        let context = Context::of(&config);
        let deliveries = Deliveries::new(&config, context.clone())?;
        let delivery_timeout =
            config.get("delivery.timeout.ms").and_then(|text| text.parse().ok()).map(Duration::from_millis);
        Ok(Self {
            deliveries,
            context,
            topics: Arc::default(),
            delivery_timeout: delivery_timeout.unwrap_or(settings.delivery_timeout),
        })
    }

    /// Produces one message, and waits for its acknowledgement.
    ///
    /// # Errors
    /// A topic or a partition that does not exist, a broker that refuses, no answer within the delivery time-out.
    pub async fn send(&self, message: Outgoing) -> Result<Receipt, ProduceError> {
        check_place(&message, self.partition_count(&message.topic).await)?;
        self.hand_on(message).await?.await
    }

    /// Hands on a message to a topic and a partition that were checked, as soon as there is room for it. Messages to a partition stand
    /// in the log in the order in which they were handed on; the answer is waited for apart.
    ///
    /// # Errors
    /// When there is no room. The answer's errors are those of [`Self::send`].
    pub async fn hand_on(
        &self,
        message: Outgoing,
    ) -> Result<impl Future<Output = Result<Receipt, ProduceError>> + use<>, ProduceError> {
        let began = Instant::now();
        let handed_on = self.deliveries.hand_on(&message.topic, QUEUE_DEADLINE, |record| {
            record.partition = message.partition;
            record.key = message.key.as_deref();
            record.payload = message.value.as_deref();
            if !message.headers.is_empty() {
                let headers = OwnedHeaders::new_with_capacity(message.headers.len());
                record.headers = Some(message.headers.iter().fold(headers, |headers, header| {
                    headers.insert(Header { key: &header.name, value: header.value.as_deref() })
                }));
            }
        });
        let answer = match handed_on.await {
            Ok(answer) => answer,
            Err(error) => return Err(self.refusal(&error, &message)),
        };
        let producer = self.clone();
        Ok(async move {
            match answer.await.unwrap_or(Err(KafkaError::Canceled)) {
                Ok(delivery) => Ok(Receipt {
                    partition: delivery.partition,
                    offset: delivery.offset,
                    timestamp: delivery.timestamp.to_millis(),
                    acked_in: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
                    key: message.key.map(Data::whole),
                    topic: message.topic,
                }),
                Err(error) => Err(producer.refusal(&error, &message)),
            }
        })
    }

    /// Hands on a message to a topic that is known to exist, without waiting; the answer is whether it was acknowledged.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn post<'a>(
        &self,
        topic: &'a str,
        key: &'a str,
        value: &'a [u8],
    ) -> Result<impl Future<Output = Result<(), Error>> + use<>, Error> {
        const POSTING: &str = "writing to a topic of Ottla's own";
        let offered =
            self.deliveries.offer(topic, |record| (record.key, record.payload) = (Some(key.as_bytes()), Some(value)));
        let answer = offered.map_err(|error| Error::failed(POSTING, &error))?;
        Ok(async move {
            match answer.await.unwrap_or(Err(KafkaError::Canceled)) {
                Ok(_) => Ok(()),
                Err(error) => Err(Error::failed(POSTING, &error)),
            }
        })
    }

    /// What librdkafka said of it last, which it does once a second.
    pub fn report(&self) -> ClientReport {
        self.deliveries.report()
    }

    /// Waits until everything that was sent is answered, at most `deadline`. Blocks.
    ///
    /// # Errors
    /// When something is not answered.
    pub fn flush(&self, deadline: Duration) -> Result<(), Error> {
        self.deliveries.flush(deadline).map_err(|error| Error::failed("flushing the producer", &error))
    }

    /// How many partitions a topic has, 0 where it does not exist, none where that is not known. Answers within seconds.
    pub async fn partition_count(&self, topic: &str) -> Option<u32> {
        let believed = self.topics.lock().get(topic).copied();
        if let Some((_, count)) = believed.filter(|(at, _)| at.elapsed() < BELIEVED) {
            return Some(count);
        }
        let count = match self.ask_partition_count(topic).await {
            Ok(None) => {
                tokio::time::sleep(LOOK_AGAIN).await;
                self.ask_partition_count(topic).await
            }
            answer => answer,
        };
        match count {
            Ok(Some(count)) => {
                let mut topics = self.topics.lock();
                topics.retain(|_, (at, _)| at.elapsed() < BELIEVED);
                topics.insert(topic.to_owned(), (Instant::now(), count));
                Some(count)
            }
            Ok(None) => Some(0),
            Err(error) => {
                tracing::debug!(topic, cause = reason(&error), "the topic could not be checked");
                None
            }
        }
    }

    async fn ask_partition_count(&self, topic: &str) -> KafkaResult<Option<u32>> {
        let (deliveries, topic) = (self.deliveries.clone(), topic.to_owned());
        let asked = tokio::task::spawn_blocking(move || {
            let metadata = deliveries.producer().client().fetch_metadata(Some(&topic), METADATA_DEADLINE)?;
            partition_count(&metadata, &topic)
        });
        asked.await.unwrap_or(Err(KafkaError::Canceled))
    }

    fn refusal(&self, error: &KafkaError, message: &Outgoing) -> ProduceError {
        let reason = reason(error);
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::MessageTimedOut) => ProduceError::TimedOut {
                seconds: u32::try_from(self.delivery_timeout.as_secs()).unwrap_or(u32::MAX),
                reason: self.context.explain(&reason),
            },
            Some(
                RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::InvalidTopic,
            ) => invalid(Field::Topic, Rule::UnknownTopic),
            Some(RDKafkaErrorCode::UnknownPartition) => {
                match self.topics.lock().get(&message.topic).filter(|_| message.partition.is_some()) {
                    Some(&(_, of)) => invalid(Field::Partition, Rule::UnknownPartition { of }),
                    None => ProduceError::Refused { reason },
                }
            }
            _ => ProduceError::Refused { reason },
        }
    }
}

/// Looks whether a message has a place in a topic of `count` partitions, as [`Producer::partition_count`] tells it. Where that is not
/// known Kafka will say.
///
/// # Errors
/// [`ProduceError::Invalid`] alone.
pub fn check_place(message: &Outgoing, count: Option<u32>) -> Result<(), ProduceError> {
    match (count, message.partition) {
        (Some(0), _) => Err(invalid(Field::Topic, Rule::UnknownTopic)),
        (Some(of), Some(partition)) if u32::try_from(partition).is_ok_and(|number| number >= of) => {
            Err(invalid(Field::Partition, Rule::UnknownPartition { of }))
        }
        _ => Ok(()),
    }
}

fn invalid(field: Field, rule: Rule) -> ProduceError {
    ProduceError::Invalid(vec![FieldError { field, rule }])
}
