//! Reading without a group.

use crate::{
    cluster::{PATIENCE, client, client_of, is_real, message, produce, producer, spec, topic, unique},
    group::delete_before,
};
use kafka::{Admin, Found, GroupSettings, Reader};
use rdkafka::{
    ClientConfig,
    producer::{BaseProducer, BaseRecord, Producer as _},
};
use std::time::{Duration, Instant};
use wire::{Flags, Place, ReadError, RecordView, Sieved};

fn place(topic: &str, partition: i32, offset: i64) -> Place {
    Place { topic: topic.into(), partition, offset }
}

#[tokio::test]
async fn a_record_is_read_whole() {
    let topic = topic(1).await;
    let reader = Reader::new(&client()).unwrap();
    let long = "x".repeat(100_000);
    producer().send(message(&topic, "first")).await.unwrap();
    producer().send(message(&topic, long.clone())).await.unwrap();
    for _ in 0..2 {
        let record = reader.record(&place(&topic, 0, 1), PATIENCE).await.unwrap();
        assert_eq!(record.value.unwrap().text(), Some(long.as_str()));
        assert_eq!((record.offset, record.flags), (1, Flags::LOADED));
    }
    let newest = reader.newest(&[topic], 1, PATIENCE).await.unwrap();
    assert!(newest[0].value.as_ref().unwrap().is_cut());
}

#[tokio::test]
async fn every_way_not_to_find_a_record_is_told_apart() {
    let topic = topic(2).await;
    produce(&topic, 2, 0..2).await;
    let reader = Reader::new(&client()).unwrap();
    let nowhere = unique("nowhere");
    let error = reader.record(&place(&nowhere, 0, 0), PATIENCE).await.unwrap_err();
    assert_eq!(error, ReadError::UnknownTopic { topic: nowhere });
    let error = reader.record(&place(&topic, 2, 0), PATIENCE).await.unwrap_err();
    assert_eq!(error, ReadError::UnknownPartition { topic: topic.clone(), of: 2 });
    let error = reader.record(&place(&topic, 1, 1), PATIENCE).await.unwrap_err();
    assert_eq!(error, ReadError::NotYet { place: place(&topic, 1, 1), end: 1 });
}

#[tokio::test]
async fn what_stands_in_a_range_is_counted() {
    let topic = topic(1).await;
    produce(&topic, 1, 0..10).await;
    let reader = Reader::new(&client()).unwrap();
    let found = |first, last, records| Some(Found { first, last, records });
    let in_range = async |range| reader.records_in(&topic, 0, range, PATIENCE).await.unwrap();
    assert_eq!(in_range(2..5).await, (5, found(2, 4, 3)));
    assert_eq!(in_range(8..20).await, (20, found(8, 9, 2)), "up to the end");
}

#[tokio::test]
async fn a_gap_is_read_from_its_end() {
    let topic = topic(1).await;
    produce(&topic, 1, 0..20).await;
    let reader = Reader::new(&client()).unwrap();
    let part = async |range, most| {
        let part = reader.gap_part(&topic, 0, range, most, |_| Some(true), PATIENCE).await.unwrap();
        assert!(part.records.iter().all(|record| record.flags == Flags::LOADED));
        let offsets: Vec<_> = part.records.iter().map(|record| record.offset).collect();
        (part.from, offsets, part.log_start)
    };
    assert_eq!(part(5..10, 3).await, (7, vec![7, 8, 9], 0));
    assert_eq!(part(5..7, 100).await, (5, vec![5, 6], 0));
    assert_eq!(part(18..90, 100).await, (18, vec![18, 19], 0), "no further than the log's end");
    assert_eq!(part(50..90, 100).await.1, [0; 0]);
    let error = reader.gap_part(&topic, 7, 0..1, 1, |_| Some(true), PATIENCE).await.unwrap_err();
    assert_eq!(error, ReadError::UnknownPartition { topic: topic.clone(), of: 1 });
}

#[tokio::test]
async fn a_part_of_a_gap_is_bounded_in_bytes() {
    let topic = topic(1).await;
    let producer = producer();
    for _ in 0..80 {
        producer.send(message(&topic, "x".repeat(40_000))).await.unwrap();
    }
    let reader = Reader::new(&client()).unwrap();
    let part = reader.gap_part(&topic, 0, 0..80, 500, |_| Some(true), PATIENCE).await.unwrap();
    // Their heads are 32 KiB, of which 64 are 2 MiB.
    assert_eq!((part.from, part.records.len()), (16, 64));
    assert_eq!(part.records[0].offset, part.from);
}

#[tokio::test]
async fn of_a_gap_comes_what_is_wanted_and_how_much_was_looked_at() {
    let topic = topic(1).await;
    produce(&topic, 1, 0..40).await;
    let reader = Reader::new(&client()).unwrap();
    // Every fourth; it fails on the odd ones.
    let wants = |record: &RecordView<'_>| (record.offset % 2 == 0).then_some(record.offset % 4 == 0);
    let part = reader.gap_part(&topic, 0, 3..30, 20, wants, PATIENCE).await.unwrap();
    assert_eq!(part.records.iter().map(|record| record.offset).collect::<Vec<_>>(), [12, 16, 20, 24, 28]);
    assert_eq!((part.from, part.sieved), (10, Sieved { looked: 20, matched: 5, failed: 10 }));
}

#[tokio::test]
async fn what_was_let_go_of_a_gap_does_not_count_as_looked_at() {
    let topic = topic(1).await;
    let producer = producer();
    for n in 0..150 {
        producer.send(message(&topic, if n % 2 == 0 { "small".into() } else { "x".repeat(40_000) })).await.unwrap();
    }
    let reader = Reader::new(&client()).unwrap();
    let wants = |record: &RecordView<'_>| Some(record.offset % 2 == 1);
    let part = reader.gap_part(&topic, 0, 0..150, 500, wants, PATIENCE).await.unwrap();
    // 64 heads are 2 MiB: those of 23, 25, … 149.
    assert_eq!((part.from, part.records[0].offset, part.records.len()), (22, 23, 64));
    assert_eq!(part.sieved, Sieved { looked: 128, matched: 64, failed: 0 });
}

#[tokio::test]
async fn what_was_deleted_of_a_gap_is_told() {
    let topic = topic(1).await;
    produce(&topic, 1, 0..20).await;
    delete_before(&topic, 12).await;
    let reader = Reader::new(&client()).unwrap();
    let part = reader.gap_part(&topic, 0, 5..15, 100, |_| Some(true), PATIENCE).await.unwrap();
    assert_eq!((part.from, part.log_start), (5, 12));
    assert_eq!(part.records.iter().map(|record| record.offset).collect::<Vec<_>>(), [12, 13, 14]);
}

pub fn transactional() -> BaseProducer {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", client().brokers)
        .set("transactional.id", unique("transaction"))
        .create()
        .unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer
}

/// A range in which an aborted record and two markers stand is empty for a group that reads what is committed, as it is for the
/// group itself; for one that reads everything it is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_hole_is_looked_into_as_the_group_reads() {
    if !is_real() {
        return; // The embedded broker refuses transactional producers.
    }
    let topic = topic(1).await;
    let producer = transactional();
    for is_committed in [true, false, true] {
        producer.begin_transaction().unwrap();
        producer.send(BaseRecord::<str, str>::to(&topic).payload("in a transaction")).unwrap();
        if is_committed {
            producer.commit_transaction(PATIENCE).unwrap();
        } else {
            producer.flush(PATIENCE).unwrap();
            producer.abort_transaction(PATIENCE).unwrap();
        }
    }
    // Committed 0, its marker 1, aborted 2, its marker 3, committed 4, its marker 5.
    let look = async |level: &str| {
        let properties = [("isolation.level".to_owned(), level.to_owned())].into();
        let group = GroupSettings { properties, ..GroupSettings::default() };
        let reader = Reader::like(&client(), &group).unwrap();
        reader.records_in(&topic, 0, 1..4, PATIENCE).await.unwrap()
    };
    assert_eq!(look("read_committed").await, (4, None));
    assert_eq!(look("read_uncommitted").await, (4, Some(Found { first: 2, last: 2, records: 1 })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_marker_is_a_hole() {
    if !is_real() {
        return; // The embedded broker refuses transactional producers.
    }
    let topic = topic(1).await;
    let producer = transactional();
    producer.begin_transaction().unwrap();
    producer.send(BaseRecord::<str, str>::to(&topic).payload("in a transaction")).unwrap();
    producer.commit_transaction(PATIENCE).unwrap();

    // The commit is answered before its marker is in the partition, and until then a committed reader sees nothing.
    let reader = Reader::new(&client()).unwrap();
    let began = Instant::now();
    let record = loop {
        match reader.record(&place(&topic, 0, 0), PATIENCE).await {
            Err(ReadError::NotYet { .. }) if began.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            read => break read.unwrap(),
        }
    };
    assert_eq!(record.value.unwrap().text(), Some("in a transaction"));
    let error = reader.record(&place(&topic, 0, 1), PATIENCE).await.unwrap_err();
    assert_eq!(error, ReadError::Hole { place: place(&topic, 0, 1) });
    assert_eq!(reader.newest(&[topic], 1, PATIENCE).await.unwrap().len(), 0, "the newest offset is the marker's");
}

#[tokio::test]
async fn the_newest_come_in_the_order_of_their_time() {
    let topic = topic(3).await;
    produce(&topic, 3, 0..30).await;
    let reader = Reader::new(&client()).unwrap();
    let newest = reader.newest(&[topic.clone(), unique("nowhere")], 10, PATIENCE).await.unwrap();
    assert_eq!(newest.len(), 10);
    assert!(newest.is_sorted_by_key(|record| record.timestamp.millis()));
    let mut values: Vec<i32> =
        newest.iter().map(|record| record.value.as_ref().unwrap().text().unwrap().parse().unwrap()).collect();
    values.sort_unstable();
    assert_eq!(values, (20..30).collect::<Vec<_>>());
    assert_eq!(reader.newest(&[topic], 100, PATIENCE).await.unwrap().len(), 30);
}

#[tokio::test]
async fn without_a_broker_a_read_keeps_its_deadline() {
    let client = client_of("127.0.0.1:9".into());
    let began = Instant::now();
    let deadline = Duration::from_millis(300);
    let error = Reader::new(&client).unwrap().record(&place("t", 0, 0), deadline).await.unwrap_err();
    assert!(matches!(error, ReadError::Kafka { .. }), "{error:?}");
    Admin::new(&client).unwrap().topics(deadline).await.unwrap_err();
    // Without a deadline one of them takes longer than that.
    assert!(began.elapsed() < PATIENCE / 3, "{:?}", began.elapsed());
}

#[tokio::test]
async fn topics_are_listed_without_kafkas_own() {
    let topic = topic(3).await;
    let admin = Admin::new(&client()).unwrap();
    let began = Instant::now();
    let found = loop {
        let topics = admin.topics(PATIENCE).await.unwrap();
        assert!(topics.iter().all(|topic| !topic.name.starts_with("__")));
        // Some broker hears of a new topic later than the one that made it.
        match topics.into_iter().find(|summary| summary.name == topic) {
            Some(found) => break found,
            None => assert!(began.elapsed() < PATIENCE),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((found.partitions, found.replication), (3, 1));
    admin.ensure_topics(&[spec(&topic, 3)], PATIENCE).await.unwrap();
}
