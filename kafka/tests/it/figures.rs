//! Figures, reported and not asserted: `cargo test -p kafka --test it -- --ignored --nocapture figures`.

use crate::cluster::{client, member_of, message, producer, stop, topic, unique};
use kafka::{Admin, Consume, GroupSettings, Partition, PartitionOffset, PartitionOffsets};
use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

struct Arrivals(mpsc::Sender<(i64, Instant)>);

impl Consume for Arrivals {
    fn record(&mut self, record: &wire::RecordView<'_>) {
        let _ = self.0.send((record.offset, Instant::now()));
    }
    fn end_of_batch(&mut self) {}
    fn assigned(&mut self, _: &[kafka::Taken]) {}
    fn sought(&mut self, _: &Partition, _: i64, _: i64) {}
    fn began_anew(&mut self, _: &Partition) {}
    fn turn(&mut self) {}
    fn revoked(&mut self, _: &[Partition]) {}
    fn lost(&mut self, _: &[Partition]) {}
    fn missing(&mut self, _: &str, _: i32, _: i64, _: i64) {}
    fn committed(&mut self, _: &[PartitionOffset]) {}
    fn partition_offsets(&mut self, _: &[PartitionOffsets]) {}
    fn topic_partitions(&mut self, _: &str, _: u32) {}
    fn state(&mut self, _: wire::KafkaState) {}
}

/// The process's CPU time so far (Linux: utime and stime of /proc/self/stat, in clock ticks of 10 ms).
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn figures_produce_to_consume_and_rest() {
    let topic = topic(6).await;
    let (group, memory) =
        member_of(client(), GroupSettings { group: unique("rest"), topics: vec![topic.clone()], ..Default::default() });
    memory.wait_for("the assignment", |told| told.owned.len() == 6);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (before, began) = (cpu(), Instant::now());
    tokio::time::sleep(Duration::from_secs(15)).await;
    let share = (cpu() - before).as_secs_f64() / began.elapsed().as_secs_f64();
    println!("at rest, one member of 6 partitions: {:.1} % of a core", share * 100.0);
    stop(group).await;

    let (sender, arrivals) = mpsc::channel();
    let settings = GroupSettings { group: unique("latency"), topics: vec![topic.clone()], ..Default::default() };
    let group = kafka::Group::spawn(&client(), Admin::new(&client()).unwrap(), settings, Arrivals(sender)).unwrap();
    let producer = producer();
    let mut visible = Vec::new();
    let mut acked = Vec::new();
    for number in 0..120 {
        tokio::time::sleep(Duration::from_millis(97)).await;
        let sent = Instant::now();
        let receipt = producer.send(message(&topic, number.to_string())).await.unwrap();
        let answered = sent.elapsed();
        let (_, arrived) = arrivals.recv_timeout(Duration::from_secs(10)).unwrap();
        if number >= 20 {
            acked.push(Duration::from_micros(receipt.acked_in));
            visible.push(arrived - sent);
            if arrived - sent > Duration::from_millis(200) {
                println!(
                    "slow: {number}, {receipt:?}, answered after {answered:?}, arrived after {:?}",
                    arrived - sent
                );
            }
        }
    }
    visible.sort_unstable();
    acked.sort_unstable();
    let at = |sorted: &[Duration], share: usize| sorted[sorted.len() * share / 100];
    println!(
        "produce to consumed: p50 {:?}, p90 {:?}, max {:?}",
        at(&visible, 50),
        at(&visible, 90),
        visible[visible.len() - 1]
    );
    println!("acknowledged: p50 {:?}, p90 {:?}, max {:?}", at(&acked, 50), at(&acked, 90), acked[acked.len() - 1]);
    group.stop(Duration::from_secs(10)).await.unwrap();
}
