//! `ottla produce`: a record for each line of standard input, through a running instance. Receipts come as JSON lines on standard
//! output, in the order of the lines; what is refused is named by its line on standard error.

use super::{Remote, block_on, print, say};
use anyhow::Context;
use client::{NotProduced, Producer};
use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    sync::mpsc,
};
use wire::{Encoding, HeaderInput, ProduceInput, lines};

/// The flags of `ottla produce`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = super::EXIT_CODES)]
pub struct Produce {
    /// The topic
    pub topic: String,
    /// Whom to ask.
    #[command(flatten)]
    pub remote: Remote,
    /// The key of every record; without it each gets a UUID
    #[arg(long, value_name = "TEXT")]
    pub key: Option<String>,
    /// A header of every record; may be given again
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    pub headers: Vec<HeaderInput>,
    /// The partition; without it the key decides
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(0..))]
    pub partition: Option<i32>,
    /// Each line is JSON: {"key": …, "value": …, "headers": {…}, "partition": …}, with a value at least
    #[arg(long)]
    pub json: bool,
    /// For how long the instance may keep still before it is given up; longer than its producer.delivery_timeout_ms
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
}

fn header(text: &str) -> Result<HeaderInput, String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok(HeaderInput { name: name.into(), value: value.into(), encoding: Encoding::Text })
}

/// Produces until the input ends.
///
/// # Errors
/// When the instance does not answer any more: what follows the line that is named was not produced.
pub fn run(options: Produce) -> anyhow::Result<ExitCode> {
    let producer = Producer::new(&options.remote.url, Duration::from_secs(options.timeout))?;
    block_on(produce(&options, &producer))
}

async fn produce(options: &Produce, producer: &Producer) -> anyhow::Result<ExitCode> {
    let like = ProduceInput {
        topic: options.topic.clone(),
        partition: options.partition.map(|partition| partition.to_string()).unwrap_or_default(),
        key_encoding: if options.key.is_some() { Encoding::Text } else { Encoding::Auto },
        key: options.key.clone().unwrap_or_default(),
        headers: options.headers.clone(),
        ..ProduceInput::default()
    };
    let (to_batches, mut input) = mpsc::channel(MOST_RECORDS);
    // Apart, so that what comes while Kafka is waited for is the next batch.
    tokio::spawn(read(to_batches, options.json));
    let (mut code, mut next) = (ExitCode::SUCCESS, None);
    while let Some(batch) = take_batch(&mut input, &mut next).await.context("standard input can't be read")? {
        let first = batch[0].number;
        let read = batch.into_iter().map(|Line { number, text }| (number, read_line(options.json, text, &like)));
        let read: Vec<_> = read.collect();
        let records: Vec<_> = read.iter().filter_map(|(_, record)| record.clone().ok()).collect();
        let sent = match records.as_slice() {
            [] => Vec::new(),
            records => match producer.send(&options.topic, records).await {
                Ok(answers) => answers,
                Err(NotProduced::Refused { detail, .. }) => vec![Err(detail); records.len()],
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("line {first} may not have been produced, nor those after it"));
                }
            },
        };
        let mut sent = sent.into_iter();
        for (number, record) in read {
            match record.and_then(|_| sent.next().expect("an answer for each record")) {
                Ok(receipt) => {
                    let receipt = serde_json::to_string(&receipt).expect("a receipt has string keys only");
                    print(|out| writeln!(out, "{receipt}"))?;
                }
                Err(why) => {
                    say(format_args!("ottla: line {number}: {why}"));
                    code = ExitCode::FAILURE;
                }
            }
        }
    }
    Ok(code)
}

/// What goes out together, at most: in records, and in bytes of lines, which JSON may make six times as long.
const MOST_RECORDS: usize = 1_000;
const MOST_BYTES: usize = 1_500_000;

/// A line of standard input, without what ends it.
struct Line {
    number: u64,
    text: Vec<u8>,
}

/// A first line, and those that are there with it. `next` keeps one that would be too much, or an error. None at the end.
async fn take_batch(
    lines: &mut mpsc::Receiver<io::Result<Line>>,
    next: &mut Option<io::Result<Line>>,
) -> io::Result<Option<Vec<Line>>> {
    let first = match next.take() {
        Some(line) => line?,
        None => match lines.recv().await {
            Some(line) => line?,
            None => return Ok(None),
        },
    };
    let mut bytes = first.text.len();
    let mut batch = vec![first];
    while batch.len() < MOST_RECORDS
        && let Ok(line) = lines.try_recv()
    {
        match line {
            Ok(line) if bytes + line.text.len() <= MOST_BYTES => {
                bytes += line.text.len();
                batch.push(line);
            }
            // What is here goes out before it.
            line => {
                *next = Some(line);
                break;
            }
        }
    }
    Ok(Some(batch))
}

fn read_line(json: bool, text: Vec<u8>, like: &ProduceInput) -> Result<ProduceInput, String> {
    if json { lines::json(&text, like).map_err(|error| error.to_string()) } else { Ok(lines::plain(text, like)) }
}

/// Reads standard input to its end. Blank lines are none where lines are JSON.
async fn read(lines: mpsc::Sender<io::Result<Line>>, json: bool) {
    let mut input = BufReader::new(tokio::io::stdin());
    for number in 1.. {
        let mut text = Vec::new();
        let line = match input.read_until(b'\n', &mut text).await {
            Ok(0) => return,
            Ok(_) if json && text.trim_ascii().is_empty() => continue,
            Ok(_) => Ok(Line { number, text: text.strip_suffix(b"\n").map(<[u8]>::to_vec).unwrap_or(text) }),
            Err(error) => Err(error),
        };
        let is_end = line.is_err();
        if lines.send(line).await.is_err() || is_end {
            return;
        }
    }
}
