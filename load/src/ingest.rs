//! `ottla-load ingest`: how fast one instance consumes what lies in a topic, with the journal and without: what the consumption
//! marks cost. The two alternate, and what is quoted is their ratio, for machines are noisy.

use crate::reliability::instance::{Instance, Launch, Signal};
use anyhow::{Context as _, ensure};
use client::{Subprotocol, connect};
use kafka::{Admin, ClientSettings, Properties, TopicSpec};
use rdkafka::{
    ClientConfig,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer},
};
use std::{path::PathBuf, time::Duration};
use tokio::time::{sleep, timeout};
use wire::{Command, Event, Filter, From, Pace, Scope, Subscribe};

/// How many partitions the topic has.
const PARTITIONS: i32 = 6;
/// A value's size in bytes: a small record, so that what is done per record counts.
const SIZE: usize = 100;
/// How long one run may take.
const RUN: Duration = Duration::from_secs(180);
/// How long Kafka may take to make the topic, and to take in what is on its way.
const PATIENCE: Duration = Duration::from_secs(60);

/// The flags of `ottla-load ingest`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The cluster's addresses, separated by commas
    #[arg(long, value_name = "HOST:PORT,…")]
    brokers: String,
    /// The program
    #[arg(long, value_name = "FILE")]
    ottla: PathBuf,
    /// Where the instances' logs go
    #[arg(long, value_name = "FOLDER")]
    logs: PathBuf,
    /// How many records to consume in a run
    #[arg(long, default_value_t = 3_000_000)]
    records: u64,
    /// How many runs of each
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// Measures, and prints what came of it.
#[expect(clippy::print_stdout, reason = "the figures are what this command is for")]
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let topic = format!("ingest-{:08x}", rand::random::<u32>());
    fill(&options, &topic).await?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        for is_on in [true, false] {
            let rate = consume(&options, &topic, round, is_on).await?;
            println!("{} marks: {rate:>9.0} records/s", if is_on { "with   " } else { "without" });
            if is_on { with.push(rate) } else { without.push(rate) }
        }
    }
    let (with, without) = (median(with), median(without));
    let cost = (1.0 - with / without) * 100.0;
    println!("medians: {with:.0} with, {without:.0} without: the marks cost {cost:.1} %");
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Makes the topic and fills it.
async fn fill(options: &Options, topic: &str) -> anyhow::Result<()> {
    let brokers = options.brokers.clone();
    let client =
        ClientSettings { brokers: brokers.clone(), instance: "ottla-load".into(), properties: Properties::new() };
    let spec = TopicSpec { name: topic, partitions: PARTITIONS, replication: 1, settings: &[] };
    Admin::new(&client)?.ensure_topics(&[spec], PATIENCE).await?;
    let (topic, records) = (topic.to_owned(), options.records);
    tokio::task::spawn_blocking(move || {
        let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("linger.ms", "20")
            .set("queue.buffering.max.messages", "1000000")
            .create()?;
        let value = [b'x'; SIZE];
        for number in 0..records {
            let partition = i32::try_from(number % PARTITIONS.unsigned_abs() as u64)?;
            loop {
                let record = BaseRecord::<(), _>::to(&topic).partition(partition).payload(&value[..]);
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
async fn consume(options: &Options, topic: &str, round: u32, is_on: bool) -> anyhow::Result<f64> {
    let launch = Launch {
        ottla: options.ottla.clone(),
        logs: options.logs.clone(),
        brokers: options.brokers.clone(),
        topic: topic.into(),
        group: format!("{topic}-{round}-{is_on}"),
        configuration: vec![("JOURNAL__ENABLED".into(), is_on.to_string())],
    };
    let mut instance = Instance::new("ingest", launch)?;
    instance.start().await?;
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
                let (&(from, first), &(to, last)) = words.first().zip(words.last()).context("too few records")?;
                ensure!(to > from, "too few records for a rate: it was over within two seconds");
                return Ok((last - first) as f64 * 1_000.0 / (to - from) as f64);
            }
            if stats.consumed > 0 {
                words.push((stats.at, stats.consumed));
            }
        }
    }
}
