//! Producing: one message, many at once, and a record of the log once more. What a message may be is `wire`'s affair.

use crate::Engine;
use futures::future::{self, Either};
use kafka::check_place;
use std::collections::HashMap;
use wire::{
    Data, Outgoing, OutgoingHeader, Place, ProduceError, ProduceInput, ReadError, Receipt, Record, lines::LineError,
};

/// How many partitions topics have; see [`kafka::Producer::partition_count`].
type Counts = HashMap<String, Option<u32>>;

/// Kafka's own topics, for which it takes nobody's messages (`org.apache.kafka.common.internals.Topic.INTERNAL_TOPICS`). Other topics may
/// have names like these and are everybody's.
const KAFKAS_OWN: [&str; 3] = ["__consumer_offsets", "__share_group_state", "__transaction_state"];

/// What became of one message of many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Acknowledged.
    Stored(Receipt),
    /// It can't be read.
    Unreadable(LineError),
    /// Not produced, or nobody knows: see [`ProduceError`].
    Failed(ProduceError),
    /// Nothing is wrong with it. It was not sent, for something is with another one.
    Held,
}

/// Why a record was not sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgainError {
    /// There is no such record.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It could not be produced.
    #[error(transparent)]
    Produce(#[from] ProduceError),
}

impl Engine {
    /// Why nobody produces to a topic of this name, where that is so. Kafka would refuse it as if it did not exist.
    pub fn why_closed(topic: &str) -> Option<&'static str> {
        KAFKAS_OWN.contains(&topic.trim()).then_some("is one of Kafka's own topics, which nobody produces to")
    }

    /// How many partitions a topic has, 0 where it does not exist, none where that is not known. Answers within seconds.
    pub async fn partition_count(&self, topic: &str) -> Option<u32> {
        self.producer.partition_count(topic).await
    }

    /// Checks a message and produces it.
    ///
    /// # Errors
    /// The fields that broke a rule, or what Kafka said.
    pub async fn produce(&self, input: &ProduceInput) -> Result<Receipt, ProduceError> {
        self.counted(async { self.producer.hand_on(self.checked(input, &mut Counts::new()).await?).await?.await }).await
    }

    /// Produces many messages, in their order. All of them are checked first: unless `others_go` says so, none is sent where one is
    /// wrong. What Kafka refuses is known one by one.
    pub async fn produce_many(&self, inputs: Vec<Result<ProduceInput, LineError>>, others_go: bool) -> Vec<Fate> {
        let (mut checked, mut counts) = (Vec::with_capacity(inputs.len()), Counts::new());
        for input in inputs {
            checked.push(match input {
                Err(error) => Err(Fate::Unreadable(error)),
                Ok(input) => self.checked(&input, &mut counts).await.map_err(Fate::Failed),
            });
        }
        if !others_go && checked.iter().any(Result::is_err) {
            return checked.into_iter().map(|message| message.map_or_else(|fate| fate, |_| Fate::Held)).collect();
        }
        let mut fates = Vec::with_capacity(checked.len());
        for message in checked {
            fates.push(match message {
                Err(fate) => Either::Left(future::ready(fate)),
                // Handed on one after the other, so that the log has their order; answered together.
                Ok(outgoing) => {
                    let waiting = self.produced.begin();
                    let handed_on = self.producer.hand_on(outgoing).await;
                    let result = async move {
                        let _waiting = waiting;
                        handed_on?.await
                    };
                    Either::Right(async {
                        let result = result.await;
                        self.produced.ended(&result);
                        result.map_or_else(Fate::Failed, Fate::Stored)
                    })
                }
            });
        }
        future::join_all(fates).await
    }

    /// Produces the record at `place` once more, byte for byte: key, value and headers. The partition follows from the key; the
    /// timestamp is that of now.
    ///
    /// # Errors
    /// See [`AgainError`].
    pub async fn produce_again(&self, place: &Place, topic: &str) -> Result<Receipt, AgainError> {
        check_open(topic)?;
        let record = self.record(place).await?;
        let message = Outgoing { topic: topic.into(), ..like(record) };
        Ok(self.counted(self.producer.send(message)).await?)
    }

    /// Looks for all that can be wrong with a message before Kafka is given it. Of each topic Kafka is asked once.
    async fn checked(&self, input: &ProduceInput, counts: &mut Counts) -> Result<Outgoing, ProduceError> {
        let outgoing =
            input.check(self.limits(), || uuid::Uuid::new_v4().to_string()).map_err(ProduceError::Invalid)?;
        check_open(&outgoing.topic)?;
        let count = match counts.get(&outgoing.topic) {
            Some(count) => *count,
            None => {
                let count = self.producer.partition_count(&outgoing.topic).await;
                counts.insert(outgoing.topic.clone(), count);
                count
            }
        };
        check_place(&outgoing, count)?;
        Ok(outgoing)
    }

    async fn counted(
        &self,
        sent: impl Future<Output = Result<Receipt, ProduceError>>,
    ) -> Result<Receipt, ProduceError> {
        let result = {
            let _waiting = self.produced.begin();
            sent.await
        };
        self.produced.ended(&result);
        result
    }
}

/// Whether somebody may produce to a topic of this name.
fn check_open(topic: &str) -> Result<(), ProduceError> {
    let closed = Engine::why_closed(topic);
    closed.map_or(Ok(()), |why| Err(ProduceError::Refused { reason: format!("{topic} {why}") }))
}

/// A message like a record that was read whole.
fn like(record: Record) -> Outgoing {
    let bytes = |data: Option<Data>| data.map(|data| data.head);
    let headers = record.headers.into_iter();
    Outgoing {
        topic: record.topic,
        partition: None,
        key: bytes(record.key),
        value: bytes(record.value),
        headers: headers.map(|header| OutgoingHeader { name: header.name, value: bytes(header.value) }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_produces_to_kafkas_own_topics_and_hears_why() {
        let refused = check_open("__consumer_offsets").unwrap_err().to_string();
        assert!(
            refused.ends_with("__consumer_offsets is one of Kafka's own topics, which nobody produces to"),
            "{refused}"
        );
        for open_to_all in ["orders", "__debezium-heartbeat.orders", "_schemas"] {
            assert_eq!(check_open(open_to_all), Ok(()));
        }
    }
}
