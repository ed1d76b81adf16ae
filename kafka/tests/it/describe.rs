//! The cluster from outside: its brokers, and where each partition lives.

use crate::cluster::{PATIENCE, client, client_of, has_zookeeper, is_real, topic, unique};
use kafka::Admin;
use std::time::{Duration, Instant};
use wire::NewTopic;

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_tells_its_brokers_and_where_each_partition_lives() {
    let admin = Admin::new(&client()).unwrap();
    let name = unique("topic");
    let replication = if is_real() { 3 } else { 1 };
    let new = NewTopic { name: name.clone(), partitions: 6, replication, config: Vec::new() };
    admin.create_topic(&new, PATIENCE).await.unwrap();
    let began = Instant::now();
    let placed = loop {
        let picture = admin.cluster(PATIENCE).await.unwrap();
        assert_eq!(picture.brokers.len(), usize::try_from(replication).unwrap());
        assert!(picture.brokers.iter().all(|broker| broker.address.starts_with("127.0.0.1:")), "{picture:?}");
        assert!(picture.brokers.is_sorted_by_key(|broker| broker.id));
        if is_real() {
            assert!(picture.topics.iter().any(|topic| topic.topic == "__consumer_offsets"), "Kafka's own too");
        }
        // Some broker hears of a new topic later than the one that made it, and the cluster's id is waited for but a moment.
        match picture.topics.into_iter().find(|topic| topic.topic == name && topic.of == 6) {
            Some(placed) if picture.id.is_some() || !is_real() => break placed,
            placed => assert!(began.elapsed() < PATIENCE, "{:?}: {placed:?}", picture.id),
        }
    };
    assert_eq!(placed.trouble(), (0, 0));
    let mut leaders: Vec<_> = placed.partitions.iter().map(|partition| partition.leader.unwrap()).collect();
    for (number, partition) in placed.partitions.iter().enumerate() {
        assert_eq!(partition.partition, i32::try_from(number).unwrap());
        assert_eq!(partition.replicas.len(), usize::try_from(replication).unwrap());
        assert_eq!(partition.replicas.len(), partition.in_sync.len());
    }
    leaders.sort_unstable();
    leaders.dedup();
    assert_eq!(leaders.len(), usize::try_from(replication).unwrap(), "they are spread");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_tells_its_rack_where_it_has_one() {
    let admin = Admin::new(&client()).unwrap();
    topic(1).await;
    for broker in admin.cluster(PATIENCE).await.unwrap().brokers {
        let rack = admin.broker_traits(broker.id, PATIENCE).await.and_then(|traits| traits.rack);
        // As scripts/kafka.sh has it.
        assert_eq!(rack, is_real().then(|| format!("rack-{}", broker.id)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_kafka_makes_up_is_not_believed() {
    let admin = Admin::new(&client()).unwrap();
    topic(1).await;
    let picture = admin.cluster(PATIENCE).await.unwrap();
    let names = admin.broker_traits(picture.brokers[0].id, PATIENCE).await;
    let names = names.is_some_and(|traits| traits.knows_the_controller);
    assert_eq!(names, has_zookeeper(), "{picture:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn describing_ends_where_nobody_answers() {
    const DEADLINE: Duration = Duration::from_millis(300);
    // Nobody listens at this address.
    let admin = Admin::new(&client_of("127.0.0.1:9".into())).unwrap();
    let began = Instant::now();
    let error = admin.cluster(DEADLINE).await.unwrap_err();
    assert!(error.to_string().contains("127.0.0.1:9"), "it says who does not answer: {error}");
    assert_eq!(admin.broker_traits(1, DEADLINE).await, None);
    // Without a deadline one of them takes longer than that.
    assert!(began.elapsed() < PATIENCE / 3, "{:?}", began.elapsed());
}
