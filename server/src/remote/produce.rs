//! `ottla produce`: a record for each line of standard input, through a running instance. Receipts come as JSON lines on standard
//! output, in the order of the lines; what is refused is named by its line on standard error.

use super::{block_on, print, say};
use crate::cli::Remote;
use anyhow::Context;
use client::{NotProduced, Producer};
use futures::{Stream, StreamExt, stream};
use std::{
    io::{self, Write},
    process::ExitCode,
};
use tokio::io::{AsyncBufReadExt, BufReader};
use wire::{Encoding, HeaderInput, ProduceInput, Receipt, lines};

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
    /// How many records may wait for their receipts at once; above 1 it is quicker, and their order in the log is not that of the lines
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub in_flight: u16,
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
    let producer = Producer::new(&options.remote.url)?;
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
    let like = &like;
    let answers = lines().map(|(number, line)| async move { (number, one(options, producer, like, line).await) });
    let mut answers = std::pin::pin!(answers.buffered(options.in_flight.into()));
    let mut code = ExitCode::SUCCESS;
    while let Some((number, answer)) = answers.next().await {
        match answer {
            Ok(None) => {}
            Ok(Some(receipt)) => {
                let receipt = serde_json::to_string(&receipt).expect("a receipt has string keys only");
                print(|out| writeln!(out, "{receipt}"))?;
            }
            Err(Failure::Line(why)) => {
                say(format_args!("ottla: line {number}: {why}"));
                code = ExitCode::FAILURE;
            }
            Err(Failure::Instance(error)) => {
                return Err(error)
                    .with_context(|| format!("line {number} may not have been produced, the next ones were not"));
            }
        }
    }
    Ok(code)
}

/// Why a line was not produced.
enum Failure {
    /// It is its own fault, or that of what it was to become in Kafka: the next one may fare better.
    Line(String),
    /// Nothing more can be produced.
    Instance(anyhow::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Instance(anyhow::Error::new(error).context("standard input can't be read"))
    }
}

/// The receipt of a line's record; none of an empty line where lines are JSON.
async fn one(
    options: &Produce,
    producer: &Producer,
    like: &ProduceInput,
    line: io::Result<Vec<u8>>,
) -> Result<Option<Receipt>, Failure> {
    let text = line?;
    let input = if !options.json {
        lines::plain(text, like)
    } else if text.trim_ascii().is_empty() {
        return Ok(None);
    } else {
        lines::json(&text, like).map_err(|error| Failure::Line(error.to_string()))?
    };
    match producer.send(&input).await {
        Ok(receipt) => Ok(Some(receipt)),
        Err(NotProduced::Refused { detail, .. }) => Err(Failure::Line(detail)),
        Err(error) => Err(Failure::Instance(error.into())),
    }
}

/// Standard input by lines, without what ends them, each with its number from 1.
fn lines() -> impl Stream<Item = (u64, io::Result<Vec<u8>>)> {
    let input = BufReader::new(tokio::io::stdin());
    stream::unfold((input, 0), |(mut input, before)| async move {
        let mut line = Vec::new();
        let read = input.read_until(b'\n', &mut line).await;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        match read {
            Ok(0) => None,
            read => Some(((before + 1, read.map(|_| line)), (input, before + 1))),
        }
    })
}
