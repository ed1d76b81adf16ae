//! What the tests share: brokers, names of their own, and a consumer that remembers what it was told.

use kafka::{
    Admin, ClientSettings, Consume, Group, GroupSettings, Partition, PartitionOffset, PartitionOffsets, Producer,
    ProducerSettings, Properties, Taken, TopicSpec,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::{Duration, Instant},
};
use wire::{KafkaState, Outgoing, Receipt, Record, RecordView};

/// How long anything may take that needs several answers of a broker.
pub const PATIENCE: Duration = Duration::from_secs(30);

fn brokers() -> String {
    static BROKERS: OnceLock<String> = OnceLock::new();
    BROKERS.get_or_init(|| std::env::var("OTTLA_TEST_BROKERS").unwrap_or_else(|_| embedded_for_all())).clone()
}

/// Whether the tests run against a cluster of their own, not the embedded broker.
pub fn is_real() -> bool {
    std::env::var("OTTLA_TEST_BROKERS").is_ok()
}

/// Whether that cluster still has ZooKeeper, as Kafka 3.9 may.
pub fn has_zookeeper() -> bool {
    std::env::var("OTTLA_KAFKA_ZOOKEEPER").is_ok()
}

/// Whether the brokers know the protocol of KIP-848: not the embedded one, and none that has ZooKeeper.
pub fn has_consumer_protocol() -> bool {
    is_real() && !has_zookeeper()
}

/// A broker that lives as long as the tests, on a runtime of its own.
fn embedded_for_all() -> String {
    let (sender, addr) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let settings =
                kafka::embedded::Settings { listen: ([127, 0, 0, 1], 0).into(), data_dir: folder.path().into() };
            let broker = kafka::embedded::Embedded::start(settings).await.unwrap();
            sender.send(broker.addr()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    addr.recv().unwrap().to_string()
}

pub fn client() -> ClientSettings {
    client_of(brokers())
}

pub fn client_of(brokers: String) -> ClientSettings {
    ClientSettings { brokers, instance: "test".into(), properties: Properties::new() }
}

pub fn unique(name: &str) -> String {
    format!("{name}-{}", uuid::Uuid::new_v4())
}

pub async fn topic(partitions: i32) -> String {
    let name = unique("topic");
    Admin::new(&client()).unwrap().ensure_topics(&[spec(&name, partitions)], PATIENCE).await.unwrap();
    name
}

/// A topic of one replica.
pub fn spec(name: &str, partitions: i32) -> TopicSpec<'_> {
    TopicSpec { name, partitions, replication: 1, settings: &[] }
}

pub fn producer() -> Producer {
    Producer::new(&client(), &ProducerSettings::default()).unwrap()
}

pub fn message(topic: &str, value: impl Into<bytes::Bytes>) -> Outgoing {
    Outgoing { topic: topic.into(), partition: None, key: None, value: Some(value.into()), headers: Vec::new() }
}

/// Produces `values`, each to the partition of its number modulo `partitions`.
pub async fn produce(topic: &str, partitions: i32, values: std::ops::Range<i32>) -> Vec<Receipt> {
    let producer = producer();
    let mut receipts = Vec::new();
    for number in values {
        let message = Outgoing { partition: Some(number % partitions), ..message(topic, number.to_string()) };
        receipts.push(producer.send(message).await.unwrap());
    }
    receipts
}

/// What a member was told.
#[derive(Default)]
pub struct Told {
    pub records: Vec<Record>,
    pub batches: usize,
    pub owned: Vec<Partition>,
    pub taken: Vec<Taken>,
    pub sought: Vec<(Partition, i64, i64)>,
    pub anew: Vec<Partition>,
    pub revocations: usize,
    pub missing: Vec<(String, i32, i64, i64)>,
    pub committed: BTreeMap<Partition, i64>,
    pub offsets: Vec<PartitionOffsets>,
    pub counts: BTreeMap<String, u32>,
    pub states: Vec<KafkaState>,
}

/// Remembers what it is told; clones share the memory.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Told>>);

impl Memory {
    pub fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap()
    }

    /// Waits until `holds`.
    #[track_caller]
    pub fn wait_for(&self, what: &str, holds: impl Fn(&Told) -> bool) {
        let began = Instant::now();
        while !holds(&self.told()) {
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn values(&self) -> Vec<String> {
        self.told().records.iter().map(|record| record.value.as_ref().unwrap().text().unwrap().to_owned()).collect()
    }
}

impl Consume for Memory {
    fn record(&mut self, record: &RecordView<'_>) {
        self.told().records.push(record.to_owned());
    }
    fn end_of_batch(&mut self) {
        self.told().batches += 1;
    }
    fn assigned(&mut self, taken: &[Taken]) {
        let mut told = self.told();
        told.owned.extend(taken.iter().map(|taken| taken.partition.clone()));
        told.taken.extend_from_slice(taken);
    }
    fn revoked(&mut self, partitions: &[Partition]) {
        let mut told = self.told();
        told.revocations += 1;
        told.owned.retain(|owned| !partitions.contains(owned));
    }
    fn lost(&mut self, partitions: &[Partition]) {
        self.told().owned.retain(|owned| !partitions.contains(owned));
    }
    fn sought(&mut self, partition: &Partition, from: i64, to: i64) {
        self.told().sought.push((partition.clone(), from, to));
    }
    fn began_anew(&mut self, partition: &Partition) {
        self.told().anew.push(partition.clone());
    }
    fn turn(&mut self) {}
    fn missing(&mut self, topic: &str, partition: i32, first: i64, last: i64) {
        self.told().missing.push((topic.to_owned(), partition, first, last));
    }
    fn committed(&mut self, offsets: &[PartitionOffset]) {
        let mut told = self.told();
        for PartitionOffset { partition, offset } in offsets {
            told.committed.insert(partition.clone(), *offset);
        }
    }
    fn partition_offsets(&mut self, offsets: &[PartitionOffsets]) {
        self.told().offsets = offsets.to_vec();
    }
    fn topic_partitions(&mut self, topic: &str, count: u32) {
        self.told().counts.insert(topic.to_owned(), count);
    }
    fn state(&mut self, state: KafkaState) {
        self.told().states.push(state);
    }
}

/// A member of `group` that consumes `topic`.
pub fn member(group: &str, topic: &str) -> (Group, Memory) {
    member_of(client(), GroupSettings { group: group.into(), topics: vec![topic.into()], ..Default::default() })
}

pub fn member_of(client: ClientSettings, settings: GroupSettings) -> (Group, Memory) {
    let memory = Memory::default();
    let admin = Admin::new(&client).unwrap();
    (Group::spawn(&client, admin, settings, memory.clone()).unwrap(), memory)
}

pub async fn stop(group: Group) {
    group.stop(Duration::from_secs(10)).await.unwrap();
}
