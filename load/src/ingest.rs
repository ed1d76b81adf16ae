//! `ottla-load ingest`: how fast one instance consumes what lies in a topic, beside a bare loop that polls librdkafka with the
//! same settings and does nothing with the records; and what the consumption marks cost it. The runs alternate, and what is
//! quoted are ratios, for machines are noisy.

use crate::reliability::instance::{Instance, Launch, Signal, command_on};
use anyhow::{Context as _, ensure};
use client::{Subprotocol, connect};
use kafka::{Admin, ClientSettings, GroupSettings, Properties, TopicSpec};
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer},
};
use serde::Serialize;
use std::{
    hint::black_box,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};
use wire::{Command, Event, Filter, From, Millis, Pace, Scope, Subscribe};

/// How many partitions the topic has.
const PARTITIONS: i32 = 6;
/// How long one run may take.
const RUN: Duration = Duration::from_secs(180);
/// How long Kafka may take to make the topic, and to take in what is on its way.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the bare loop waits for a record before it looks again.
const POLL: Duration = Duration::from_millis(100);

/// The flags of `ottla-load ingest`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// The cluster's addresses, separated by commas
    #[arg(long, value_name = "HOST:PORT,…")]
    pub brokers: String,
    /// The program
    #[arg(long, value_name = "FILE")]
    pub ottla: PathBuf,
    /// Where the instances' logs go
    #[arg(long, value_name = "FOLDER")]
    pub logs: PathBuf,
    /// How many records to consume in a run
    #[arg(long, default_value_t = 6_000_000)]
    pub records: u64,
    /// A value's size in bytes
    #[arg(long, default_value_t = 200)]
    pub size: u32,
    /// How many runs of each
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// The one core that the instance, and in its turn the bare loop, may run on
    #[arg(long)]
    pub core: Option<u32>,
}

/// The flags of `ottla-load bare`.
#[derive(Debug, clap::Args)]
pub(crate) struct Bare {
    /// The cluster's addresses, separated by commas
    #[arg(long, value_name = "HOST:PORT,…")]
    brokers: String,
    #[arg(long)]
    topic: String,
    #[arg(long)]
    group: String,
    /// How many records to consume
    #[arg(long)]
    records: u64,
}

/// Who consumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Who {
    /// An instance as it is.
    Ottla,
    /// An instance that tells nobody what it consumed.
    WithoutMarks,
    /// librdkafka, polled.
    Bare,
}

/// What came of it: medians, in records a second.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Ingest {
    pub ottla: f64,
    pub without_marks: f64,
    pub bare: f64,
    /// How many records a second Ottla takes in for each that the bare loop takes in.
    pub ratio: f64,
    /// Which part of its speed the marks cost Ottla.
    pub marks_cost: f64,
    pub records: u64,
    pub size: u32,
    pub rounds: u32,
}

/// Measures, and prints what came of it.
#[expect(clippy::print_stdout, reason = "the figures are what this command is for")]
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(&measure(&options).await?)?);
    Ok(())
}

/// Fills a topic, and has it consumed again and again.
pub(crate) async fn measure(options: &Options) -> anyhow::Result<Ingest> {
    let topic = format!("ingest-{:08x}", rand::random::<u32>());
    create(&options.brokers, &topic, PARTITIONS).await?;
    fill(&options.brokers, &topic, PARTITIONS, options.records, options.size).await?;
    let mut rates: [Vec<f64>; 3] = Default::default();
    for round in 0..options.rounds {
        for (who, rates) in [Who::Ottla, Who::WithoutMarks, Who::Bare].into_iter().zip(&mut rates) {
            let group = format!("{topic}-{round}-{who:?}");
            let rate = match who {
                Who::Bare => apart(options, &topic, &group).await?,
                Who::Ottla | Who::WithoutMarks => consume(options, &topic, group, who == Who::Ottla).await?,
            };
            eprintln!("ottla-load: {who:?}: {rate:.0} records/s");
            rates.push(rate);
        }
    }
    let [ottla, without_marks, bare] = rates.map(median);
    let &Options { records, size, rounds, .. } = options;
    let (ratio, marks_cost) = (ottla / bare, 1.0 - ottla / without_marks);
    Ok(Ingest { ottla, without_marks, bare, ratio, marks_cost, records, size, rounds })
}

/// The one in the middle; 0 of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Makes a topic. With one replica: Kafka's replication is not what is measured here.
pub(crate) async fn create(brokers: &str, topic: &str, partitions: i32) -> anyhow::Result<()> {
    let client = settings(brokers);
    let spec = TopicSpec { name: topic, partitions, replication: 1, settings: &[] };
    Ok(Admin::new(&client)?.ensure_topics(&[spec], PATIENCE).await?)
}

pub(crate) fn settings(brokers: &str) -> ClientSettings {
    ClientSettings { brokers: brokers.into(), instance: "ottla-load".into(), properties: Properties::new() }
}

/// Produces so many records to a topic's partitions in turn, each of this size.
pub(crate) async fn fill(brokers: &str, topic: &str, partitions: i32, records: u64, size: u32) -> anyhow::Result<()> {
    let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
    tokio::task::spawn_blocking(move || {
        let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("linger.ms", "20")
            .set("queue.buffering.max.messages", "1000000")
            .create()?;
        let value = vec![b'x'; size as usize];
        for number in 0..records {
            let partition = i32::try_from(number % u64::from(partitions.unsigned_abs()))?;
            loop {
                let record = BaseRecord::<(), _>::to(&topic).partition(partition).payload(&value);
                match producer.send(record) {
                    Ok(()) => break,
                    Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    Err((error, _)) => return Err(error).context("producing"),
                }
            }
        }
        producer.flush(PATIENCE).context("not every record was answered")
    })
    .await?
}

/// Has a new group consume it all: records a second, between the first and the last word of the instance on the way.
async fn consume(options: &Options, topic: &str, group: String, has_marks: bool) -> anyhow::Result<f64> {
    let launch = Launch {
        ottla: options.ottla.clone(),
        logs: options.logs.clone(),
        brokers: options.brokers.clone(),
        topic: topic.into(),
        group,
        configuration: vec![("JOURNAL__ENABLED".into(), has_marks.to_string())],
        core: options.core,
    };
    let mut instance = Instance::new("ingest", launch)?;
    instance.spawn()?;
    let rate = timeout(RUN, counted(&instance.url(), options.records)).await;
    instance.signal(Signal::Terminate).await?;
    instance.ended().await?;
    rate.with_context(|| format!("not consumed within {RUN:?}"))?
}

async fn counted(url: &str, records: u64) -> anyhow::Result<f64> {
    let mut client = loop {
        match connect(url, Subprotocol::Postcard).await {
            Ok(client) => break client,
            Err(error) if error.is_passing() => sleep(Duration::from_millis(20)).await,
            Err(error) => return Err(error.into()),
        }
    };
    let (filter, pace, from) = (Filter::default(), Pace::Display, From::Now);
    client
        .send(&Command::Subscribe(Subscribe { feed: "default".into(), scope: Scope::Instance, filter, pace, from }))
        .await?;
    // The counters go on; what records cost a tab is another measurement.
    client.send(&Command::Pause).await?;
    let mut words = Vec::new();
    loop {
        for event in client.next().await? {
            let Event::Stats(stats) = event else { continue };
            if stats.consumed >= records {
                return rate(&words, (stats.at, stats.consumed));
            }
            if stats.consumed > 0 {
                words.push((stats.at, stats.consumed));
            }
        }
    }
}

/// Records a second, from the times and counts on the way. The last word came up to a second after the last record, so it is used
/// only where there are not two others: the rate is higher then.
fn rate(words: &[(Millis, u64)], end: (Millis, u64)) -> anyhow::Result<f64> {
    let (from, first) = *words.first().context("too few records for a rate: it was over within a second")?;
    let (to, last) = *words[1..].last().unwrap_or(&end);
    Ok((last - first) as f64 * 1_000.0 / (to - from).max(1) as f64)
}

/// The bare loop, in a process of its own as an instance is one.
async fn apart(options: &Options, topic: &str, group: &str) -> anyhow::Result<f64> {
    let mut command = command_on(options.core, &std::env::current_exe()?);
    command
        .args(["bare", "--brokers", &options.brokers, "--topic", topic, "--group", group])
        .args(["--records", &options.records.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    let output = timeout(RUN, command.output()).await.with_context(|| format!("not consumed within {RUN:?}"))??;
    ensure!(output.status.success(), "the bare loop ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// `ottla-load bare`: polls until all is there, and prints records a second.
#[expect(clippy::print_stdout, reason = "the figure is what this command is for")]
pub(crate) async fn bare(options: Bare) -> anyhow::Result<()> {
    let rate = tokio::task::spawn_blocking(move || poll(&options)).await??;
    println!("{rate}");
    Ok(())
}

fn poll(options: &Bare) -> anyhow::Result<f64> {
    let group = GroupSettings { group: options.group.clone(), ..GroupSettings::default() };
    let mut config = settings(&options.brokers).group(&group)?;
    // An instance decides itself where a partition begins. It would come to the same.
    config.set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create()?;
    consumer.subscribe(&[&options.topic])?;
    let (mut count, mut bytes, mut began) = (0_u64, 0, None);
    let start = Instant::now();
    while count < options.records {
        match consumer.poll(POLL) {
            Some(Ok(message)) => {
                began.get_or_insert_with(Instant::now);
                bytes += message.payload_len();
                count += 1;
            }
            Some(Err(error)) => return Err(error).context("consuming"),
            None => ensure!(start.elapsed() < RUN, "not consumed within {RUN:?}"),
        }
    }
    black_box(bytes);
    let took = began.context("no records")?.elapsed();
    Ok(count as f64 / took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_way_and_not_of_its_end() {
        assert_eq!(rate(&[(1_000, 10), (2_000, 30), (4_000, 100)], (5_000, 101)).unwrap(), 30.0);
        assert_eq!(rate(&[(1_000, 10)], (3_000, 50)).unwrap(), 20.0);
        assert!(rate(&[], (3_000, 50)).is_err());
    }

    #[test]
    fn a_median_is_the_one_in_the_middle() {
        assert_eq!(median(vec![3.0, 9.0, 1.0]), 3.0);
        assert_eq!(median(Vec::new()), 0.0);
    }
}
