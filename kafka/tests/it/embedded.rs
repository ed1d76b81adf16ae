//! The embedded broker over a restart.

use crate::cluster::{client_of, member_of, message, spec};
use kafka::{
    Admin, GroupSettings, Producer, ProducerSettings,
    embedded::{Embedded, Settings},
};
use std::time::Duration;
use wire::KafkaState;

#[tokio::test(flavor = "multi_thread")]
async fn data_and_offsets_survive_a_restart_and_members_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("資料 data");
    let broker =
        Embedded::start(Settings { listen: ([127, 0, 0, 1], 0).into(), data_dir: data_dir.clone() }).await.unwrap();
    let listen = broker.addr();
    let client = client_of(listen.to_string());
    Admin::new(&client).unwrap().ensure_topics(&[spec("t", 1)], Duration::from_secs(10)).await.unwrap();
    let producer = Producer::new(&client, &ProducerSettings::default()).unwrap();
    let settings = GroupSettings { group: "g".into(), topics: vec!["t".into()], ..Default::default() };
    let (group, memory) = member_of(client.clone(), settings.clone());
    producer.send(message("t", "before")).await.unwrap();
    memory.wait_for("the record", |told| told.records.len() == 1);
    memory.wait_for("the commit", |told| told.committed.values().eq([&1]));

    broker.stop().await;
    memory.wait_for("the outage", |told| matches!(told.states[..], [KafkaState::Up, KafkaState::Down { .. }]));

    let broker = Embedded::start(Settings { listen, data_dir }).await.unwrap();
    memory.wait_for("the recovery", |told| matches!(told.states[..], [_, _, KafkaState::Up]));
    let receipt = producer.send(message("t", "after")).await.unwrap();
    assert_eq!(receipt.offset, 1);
    memory.wait_for("the record", |told| told.records.len() == 2);
    assert_eq!(memory.values(), ["before", "after"]);
    group.stop(Duration::from_secs(10)).await.unwrap();
    broker.stop().await;
}
