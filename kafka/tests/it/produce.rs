//! Producing: receipts, and what is refused.

use crate::cluster::{client_of, message, producer, topic, unique};
use kafka::{Producer, ProducerSettings};
use std::time::Duration;
use wire::{Field, FieldError, Outgoing, ProduceError, Rule};

fn refused(error: ProduceError) -> FieldError {
    match error {
        ProduceError::Invalid(mut errors) => errors.remove(0),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_receipt_tells_where_the_record_is() {
    let topic = topic(3).await;
    let producer = producer();
    for offset in 0..2 {
        let message = Outgoing { partition: Some(2), key: Some("k".into()), ..message(&topic, "v") };
        let receipt = producer.send(message).await.unwrap();
        assert_eq!((receipt.topic.as_str(), receipt.partition, receipt.offset), (topic.as_str(), 2, offset));
        assert!(receipt.timestamp.is_some() && receipt.acked_in > 0);
        assert_eq!(receipt.key.unwrap().text(), Some("k"));
    }
}

#[tokio::test]
async fn an_unknown_topic_is_refused_at_its_field() {
    let error = producer().send(message(&unique("nowhere"), "v")).await.unwrap_err();
    assert_eq!(refused(error), FieldError { field: Field::Topic, rule: Rule::UnknownTopic });
}

#[tokio::test]
async fn an_unknown_partition_is_refused_with_how_many_there_are() {
    let topic = topic(2).await;
    let error = producer().send(Outgoing { partition: Some(2), ..message(&topic, "v") }).await.unwrap_err();
    assert_eq!(refused(error), FieldError { field: Field::Partition, rule: Rule::UnknownPartition { of: 2 } });
}

#[tokio::test]
async fn without_a_broker_producing_times_out_with_the_reason() {
    let settings = ProducerSettings { delivery_timeout: Duration::from_secs(1), ..Default::default() };
    // Nobody listens on the discard port of this address.
    let producer = Producer::new(&client_of("127.0.0.1:9".into()), &settings).unwrap();
    match producer.send(message("t", "v")).await.unwrap_err() {
        ProduceError::TimedOut { seconds: 1, reason } => assert!(reason.contains("127.0.0.1:9"), "{reason}"),
        other => panic!("{other:?}"),
    }
}
