//! Consuming as a group.

use crate::cluster::{
    Memory, PATIENCE, client, client_of, has_consumer_protocol, is_real, member, member_of, message, produce, producer,
    spec, stop, topic, unique,
};
use kafka::{Admin, From, GroupSettings, Partition, Taken};
use std::{collections::BTreeSet, time::Duration};
use wire::{Flags, KafkaState, Outgoing, OutgoingHeader, Timestamp};

/// Long enough for records to come that should not.
const QUIET: Duration = Duration::from_secs(2);

fn numbers(range: std::ops::Range<i32>) -> BTreeSet<String> {
    range.map(|number| number.to_string()).collect()
}

fn each_once(memory: &Memory, expected: &BTreeSet<String>) {
    let values = memory.values();
    assert_eq!(values.len(), expected.len());
    assert_eq!(&values.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_produced_is_consumed_in_order_and_committed() {
    let topic = topic(2).await;
    let (group, memory) = member(&unique("group"), &topic);
    produce(&topic, 2, 0..20).await;
    memory.wait_for("20 records", |told| told.records.len() == 20);
    each_once(&memory, &numbers(0..20));
    for partition in 0..2 {
        let offsets: Vec<_> =
            memory.told().records.iter().filter(|r| r.partition == partition).map(|r| r.offset).collect();
        assert_eq!(offsets, (0..10).collect::<Vec<_>>());
    }
    memory.wait_for("the commit", |told| told.committed.values().sum::<i64>() == 20);
    memory.wait_for("the topic's partitions", |told| told.counts.get(&topic) == Some(&2));
    memory.wait_for("offsets", |told| {
        told.offsets.len() == 2 && told.offsets.iter().all(|o| o.end == Some(10) && o.committed == Some(10))
    });
    assert_eq!(memory.told().states, [KafkaState::Up]);
    stop(group).await;
    assert_eq!(memory.told().owned, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_consumes_nothing_again_and_a_new_group_everything() {
    let topic = topic(3).await;
    let name = unique("group");
    produce(&topic, 3, 0..9).await;
    let (group, memory) = member(&name, &topic);
    memory.wait_for("9 records", |told| told.records.len() == 9);
    // At once: what the commits every 500 ms did not reach, the stop commits.
    stop(group).await;

    let (group, memory) = member(&name, &topic);
    memory.wait_for("the assignment", |told| told.owned.len() == 3);
    produce(&topic, 3, 9..12).await;
    memory.wait_for("3 records", |told| told.records.len() >= 3);
    tokio::time::sleep(QUIET).await;
    each_once(&memory, &numbers(9..12));
    stop(group).await;

    let (group, memory) = member(&unique("group"), &topic);
    memory.wait_for("12 records", |told| told.records.len() == 12);
    each_once(&memory, &numbers(0..12));
    stop(group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_members_share_and_each_record_is_consumed_once() {
    let topic = topic(4).await;
    // Nobody is taken for dead before this.
    let evicted = Duration::from_secs(30);
    let settings = GroupSettings {
        group: unique("group"),
        topics: vec![topic.clone()],
        session_timeout: evicted,
        max_poll_interval: evicted,
        ..Default::default()
    };
    let (first, one) = member_of(client(), settings.clone());
    one.wait_for("all partitions", |told| told.owned.len() == 4);
    produce(&topic, 4, 0..40).await;
    let (second, two) = member_of(client(), settings);
    two.wait_for("half of the partitions", |told| told.owned.len() == 2);
    one.wait_for("half of the partitions", |told| told.owned.len() == 2);
    produce(&topic, 4, 40..80).await;
    let count = || one.told().records.len() + two.told().records.len();
    let began = std::time::Instant::now();
    while count() < 80 && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
    tokio::time::sleep(QUIET).await;
    let mut all = one.values();
    all.extend(two.values());
    assert_eq!(all.len(), 80);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), numbers(0..80));
    assert!(!two.told().records.is_empty());

    // Who leaves hands over at once, not after the session time-out.
    let left = std::time::Instant::now();
    stop(first).await;
    two.wait_for("all partitions", |told| told.owned.len() == 4);
    assert!(left.elapsed() < evicted / 2, "{:?}", left.elapsed());
    stop(second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn null_empty_binary_and_headers_arrive_as_they_were_sent() {
    let topic = topic(1).await;
    let (group, memory) = member(&unique("group"), &topic);
    let header = |name: &str, value: &[u8]| OutgoingHeader { name: name.into(), value: Some(value.to_vec().into()) };
    let producer = producer();
    let tombstone = Outgoing { value: None, key: Some("gone".into()), ..message(&topic, "") };
    let empty = Outgoing { key: Some("".into()), ..message(&topic, "") };
    let binary = Outgoing {
        headers: vec![header("a", b"1"), header("a", b""), header("\u{0}ü", &[0xff, 0])],
        ..message(&topic, vec![0, 0xff, 0xfe])
    };
    for message in [tombstone, empty, binary] {
        producer.send(message).await.unwrap();
    }
    memory.wait_for("3 records", |told| told.records.len() == 3);
    let [tombstone, empty, binary] = <[_; 3]>::try_from(std::mem::take(&mut memory.told().records)).unwrap();
    assert_eq!((tombstone.key.as_ref().unwrap().text(), tombstone.value), (Some("gone"), None));
    assert_eq!(empty.key.as_ref().unwrap().size, 0);
    assert_eq!(empty.value.as_ref().unwrap().size, 0);
    assert_eq!(binary.key, None);
    assert_eq!(&binary.value.as_ref().unwrap().head[..], [0, 0xff, 0xfe]);
    let values: Vec<_> = binary.headers.iter().map(|header| header.value.as_ref().unwrap().head.to_vec()).collect();
    assert_eq!(values, [&b"1"[..], b"", &[0xff, 0]]);
    assert_eq!(binary.headers[1].name, "a");
    assert!(matches!(binary.timestamp, Timestamp::Created(at) if (binary.received - at).abs() < 60_000));
    assert_eq!(binary.flags, Flags::FIRST);
    stop(group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn latest_begins_at_the_end() {
    let topic = topic(1).await;
    produce(&topic, 1, 0..5).await;
    let settings =
        GroupSettings { group: unique("group"), topics: vec![topic.clone()], from: From::Latest, ..Default::default() };
    let (group, memory) = member_of(client(), settings.clone());
    memory.wait_for("the assignment", |told| told.owned.len() == 1);
    memory.wait_for("the first position's commit", |told| told.committed.values().eq([&5]));
    stop(group).await;
    produce(&topic, 1, 5..7).await;
    let (group, memory) = member_of(client(), settings);
    memory.wait_for("2 records", |told| told.records.len() == 2);
    each_once(&memory, &numbers(5..7));
    stop(group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bound_on_the_uncommitted_holds_nothing_up() {
    let topic = topic(1).await;
    produce(&topic, 1, 0..200).await;
    let settings = GroupSettings {
        group: unique("group"),
        topics: vec![topic.clone()],
        uncommitted_bound: 10,
        commit_interval: Duration::from_secs(3600),
        ..Default::default()
    };
    let (group, memory) = member_of(client(), settings);
    memory.wait_for("200 records", |told| {
        let committed = told.committed.get(&Partition::new(&topic, 0)).copied().unwrap_or(0);
        assert!(told.records.len() as i64 - committed <= 10, "beyond the bound");
        told.records.len() == 200
    });
    each_once(&memory, &numbers(0..200));
    stop(group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_created_later_is_found() {
    let topic = unique("later");
    let (group, memory) = member(&unique("group"), &topic);
    memory.wait_for("the topic's absence", |told| told.counts.get(&topic) == Some(&0));
    Admin::new(&client()).unwrap().ensure_topics(&[spec(&topic, 1)], PATIENCE).await.unwrap();
    produce(&topic, 1, 0..1).await;
    memory.wait_for("the record", |told| told.records.len() == 1);
    stop(group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_records_are_declared_missing() {
    let topic = topic(1).await;
    let name = unique("group");
    produce(&topic, 1, 0..10).await;
    let (group, memory) = member(&name, &topic);
    memory.wait_for("10 records", |told| told.records.len() == 10);
    stop(group).await;

    produce(&topic, 1, 10..30).await;
    delete_before(&topic, 20).await;
    let (group, memory) = member(&name, &topic);
    memory.wait_for("10 records", |told| told.records.len() == 10);
    each_once(&memory, &numbers(20..30));
    assert_eq!(memory.told().missing, [(topic.clone(), 0, 10, 19)]);
    stop(group).await;
}

pub async fn delete_before(topic: &str, offset: i64) {
    use rdkafka::{
        ClientConfig, Offset, TopicPartitionList,
        admin::{AdminClient, AdminOptions},
        client::DefaultClientContext,
    };
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", client().brokers).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(offset)).unwrap();
    let deleted = admin.delete_records(&list, &AdminOptions::new()).await.unwrap();
    deleted.elements()[0].error().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_created_anew_is_consumed_from_its_beginning() {
    let topic = topic(1).await;
    let (group, memory) = member(&unique("group"), &topic);
    produce(&topic, 1, 0..10).await;
    memory.wait_for("the commit", |told| told.committed.values().eq([&10]));
    delete(&topic).await;
    Admin::new(&client()).unwrap().ensure_topics(&[spec(&topic, 1)], PATIENCE).await.unwrap();
    produce(&topic, 1, 10..13).await;
    memory.wait_for("3 records", |told| told.records.len() == 13);
    memory.wait_for("the commit", |told| told.committed.values().eq([&3]));
    assert_eq!(memory.told().missing, []);
    each_once(&memory, &numbers(0..13));
    stop(group).await;
}

async fn delete(topic: &str) {
    use rdkafka::{
        ClientConfig,
        admin::{AdminClient, AdminOptions},
        client::DefaultClientContext,
    };
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", client().brokers).create().unwrap();
    admin.delete_topics(&[topic], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    // The name is free a moment after the answer.
    let names = || async { Admin::new(&client()).unwrap().topics(PATIENCE).await.unwrap() };
    while names().await.iter().any(|summary| summary.name == topic) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_the_member_says_so_and_stops_in_time() {
    let settings = GroupSettings { group: "g".into(), topics: vec!["t".into()], ..Default::default() };
    let (group, memory) = member_of(client_of("127.0.0.1:9".into()), settings);
    memory.wait_for(
        "the outage",
        |told| matches!(&told.states[..], [KafkaState::Down { reason, .. }] if reason.contains("127.0.0.1:9")),
    );
    stop(group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_the_consumer_makes_a_new_member() {
    #[derive(Clone)]
    struct Clumsy(Memory, bool);
    impl kafka::Consume for Clumsy {
        fn record(&mut self, record: &wire::RecordView<'_>) {
            assert!(std::mem::replace(&mut self.1, true), "dropped it");
            self.0.record(record);
        }
        fn end_of_batch(&mut self) {
            self.0.end_of_batch();
        }
        fn assigned(&mut self, taken: &[Taken]) {
            self.0.assigned(taken);
        }
        fn sought(&mut self, _: &Partition, _: i64, _: i64) {}
        fn began_anew(&mut self, _: &Partition) {}
        fn turn(&mut self) {}
        fn revoked(&mut self, partitions: &[Partition]) {
            self.0.revoked(partitions);
        }
        fn lost(&mut self, partitions: &[Partition]) {
            self.0.lost(partitions);
        }
        fn missing(&mut self, _: &str, _: i32, _: i64, _: i64) {}
        fn committed(&mut self, offsets: &[kafka::PartitionOffset]) {
            self.0.committed(offsets);
        }
        fn partition_offsets(&mut self, _: &[kafka::PartitionOffsets]) {}
        fn topic_partitions(&mut self, _: &str, _: u32) {}
        fn state(&mut self, _: KafkaState) {}
    }
    let topic = topic(1).await;
    produce(&topic, 1, 0..3).await;
    let memory = Memory::default();
    let settings = GroupSettings { group: unique("group"), topics: vec![topic], ..Default::default() };
    let group = kafka::Group::spawn(&client(), Admin::new(&client()).unwrap(), settings, Clumsy(memory.clone(), false))
        .unwrap();
    memory.wait_for("3 records", |told| told.records.len() == 3);
    each_once(&memory, &numbers(0..3));
    stop(group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brokers_protocol_works_on_a_real_cluster() {
    if !has_consumer_protocol() {
        return;
    }
    let topic = topic(2).await;
    let settings = GroupSettings {
        group: unique("group"),
        topics: vec![topic.clone()],
        protocol: kafka::Protocol::Consumer,
        ..Default::default()
    };
    let (group, memory) = member_of(client(), settings);
    produce(&topic, 2, 0..10).await;
    memory.wait_for("10 records", |told| told.records.len() == 10);
    stop(group).await;
}

/// A member that is killed leaves without a word: the thread of one in this process can only be told to stop, so the claim is
/// written as a killed one leaves it, by a consumer of the group that never joins.
async fn leave_a_claim(group: &str, topic: &str, offset: i64, metadata: &str) {
    use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
    let mut list = rdkafka::TopicPartitionList::new();
    let mut element = list.add_partition(topic, 0);
    element.set_offset(rdkafka::Offset::Offset(offset)).unwrap();
    element.set_metadata(metadata);
    let (group, brokers) = (group.to_owned(), client().brokers);
    tokio::task::spawn_blocking(move || {
        let consumer: BaseConsumer = rdkafka::ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        consumer.commit(&list, CommitMode::Sync).unwrap();
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_owner_may_have_consumed_is_suspect_and_what_a_clean_one_gave_back_is_not() {
    let topic = topic(1).await;
    let name = unique("group");
    produce(&topic, 1, 0..10).await;
    let (group, memory) = member(&name, &topic);
    memory.wait_for("10 records", |told| told.records.len() == 10);
    assert_eq!(memory.told().taken[0].suspects, 0..0, "nobody was there before");
    stop(group).await;

    produce(&topic, 1, 10..14).await;
    let (group, memory) = member(&name, &topic);
    memory.wait_for("4 records", |told| told.records.len() == 4);
    assert_eq!(memory.told().taken[0].suspects, 10..10, "it was given back");
    stop(group).await;

    leave_a_claim(&name, &topic, 12, "ottla held").await;
    let (group, memory) = member(&name, &topic);
    memory.wait_for("2 records", |told| told.records.len() == 2);
    assert_eq!(memory.told().taken[0].suspects, 12..14, "it was not given back, and the log ends at 14");
    stop(group).await;

    leave_a_claim(&name, &topic, 14, "ottla released suspect-below=20").await;
    let (group, memory) = member(&name, &topic);
    memory.wait_for("the assignment", |told| told.taken.len() == 1);
    assert_eq!(memory.told().taken[0].suspects, 14..20, "nobody got past what was suspect before");
    stop(group).await;

    leave_a_claim(&name, &topic, 3, "").await;
    let (group, memory) = member(&name, &topic);
    memory.wait_for("11 records", |told| told.records.len() == 11);
    assert_eq!(memory.told().taken[0].suspects, 3..14, "someone else committed it");
    stop(group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seek_moves_the_owner_and_what_it_committed_and_nobody_else() {
    let topic = topic(2).await;
    let name = unique("group");
    produce(&topic, 2, 0..20).await;
    let (group, memory) = member(&name, &topic);
    memory.wait_for("20 records", |told| told.records.len() == 20);
    let at = |partition, to| (Partition::new(topic.as_str(), partition), to);
    let results = group.seek(vec![at(0, 4), at(1, 99), at(7, 0)]).await;
    assert_eq!(results[0], (Partition::new(topic.as_str(), 0), Ok(4)));
    assert!(results[1].1.as_ref().is_err_and(|error| error.contains("0 to 10")), "{results:?}");
    assert!(results[2].1.is_err(), "{results:?}");
    memory.wait_for("6 records again", |told| told.records.len() == 26);
    assert_eq!(memory.told().sought, [(Partition::new(topic.as_str(), 0), 10, 4)]);
    let again: Vec<_> = memory.told().records[20..].iter().map(|record| (record.partition, record.offset)).collect();
    assert_eq!(again, (4..10).map(|offset| (0, offset)).collect::<Vec<_>>());
    // Forward too: what lies between is not consumed.
    group.seek(vec![at(0, 2)]).await;
    memory.wait_for("8 records again", |told| told.records.len() == 34);
    group.seek(vec![at(0, 10)]).await;
    stop(group).await;
    let (group, memory) = member(&name, &topic);
    memory.wait_for("the assignment", |told| told.taken.len() == 2);
    assert!(memory.told().taken.iter().all(|taken| taken.next == 10 && taken.suspects.is_empty()));
    stop(group).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_a_topic_gets_are_consumed_too() {
    if !is_real() {
        return; // The embedded broker cannot add one.
    }
    let topic = topic(1).await;
    let (group, memory) = member(&unique("group"), &topic);
    produce(&topic, 1, 0..2).await;
    memory.wait_for("2 records", |told| told.records.len() == 2);
    let native: rdkafka::admin::AdminClient<_> =
        rdkafka::ClientConfig::new().set("bootstrap.servers", client().brokers).create().unwrap();
    let more = rdkafka::admin::NewPartitions::new(&topic, 2);
    native.create_partitions([&more], &rdkafka::admin::AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    memory.wait_for("the second partition", |told| told.owned.len() == 2);
    produce(&topic, 2, 2..4).await;
    memory.wait_for("4 records", |told| told.records.len() == 4);
    each_once(&memory, &numbers(0..4));
    stop(group).await;
}
