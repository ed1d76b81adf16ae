//! `ottla produce`: a record for each line of standard input, through a running instance. Receipts come as JSON lines on standard
//! output, in the order of the lines; what is refused is named by its line on standard error. What would be refused of every line ends it.

use super::{Remote, block_on, print, refuse, say};
use anyhow::Context;
use client::{NotProduced, Producer};
use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, BufReader},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};
use wire::{Encoding, HeaderInput, ProduceInput, lines};

/// For `--help`.
const LINES: &str = "A line ends with LF or CR LF, and has 11 MiB at most. Where every line would be refused, all ends with the first: a proxy \
    asks who it is, the instance is read-only or has another name, there is no such topic";

/// The flags of `ottla produce`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = format!("{LINES}\n\n{}", super::EXIT_CODES))]
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
    /// A blank line is a record too, with what is in the line as its value; without it blank lines are passed over
    #[arg(long, conflicts_with = "json")]
    pub blank_lines: bool,
    /// For how long the instance may keep still, or not be there, before it is given up; longer than its producer.delivery_timeout_ms
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
/// When the instance does not answer any more, or refuses everything: what follows the line that is named was not produced.
pub fn run(options: Produce) -> anyhow::Result<ExitCode> {
    let producer = match Producer::new(&options.remote.url, options.patience()) {
        Err(error @ NotProduced::Address(..)) => refuse(NAME, format_args!("--url: {error}")),
        made => made?.authorized(options.remote.authorization(NAME)),
    };
    block_on(produce(&options, &producer))
}

/// The command's.
const NAME: &str = "produce";

impl Produce {
    fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
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
    let passes_blanks = !options.blank_lines;
    tokio::spawn(read(BufReader::new(tokio::io::stdin()), to_batches, passes_blanks));
    let (mut code, mut next) = (ExitCode::SUCCESS, None);
    while let Some(batch) = take_batch(&mut input, &mut next).await.context("standard input can't be read")? {
        let first = batch[0].number;
        let read = batch
            .into_iter()
            .map(|Line { number, text, .. }| (number, text.and_then(|text| understand(options.json, text, &like))));
        let read: Vec<_> = read.collect();
        let records: Vec<_> = read.iter().filter_map(|(_, record)| record.clone().ok()).collect();
        let sent = match records.as_slice() {
            [] => Vec::new(),
            records => {
                let absent =
                    |error: &NotProduced| say(format_args!("ottla: {}: {error}: coming back", options.remote.url));
                match producer.send_within(options.patience(), &options.topic, records, absent).await {
                    Ok(answers) => answers,
                    Err(NotProduced::Refused { detail, is_lasting: false, .. }) => vec![Err(detail); records.len()],
                    Err(error @ (NotProduced::Refused { .. } | NotProduced::Absent(_))) => {
                        return Err(error)
                            .with_context(|| format!("line {first} was not produced, nor those after it"));
                    }
                    Err(error) => {
                        return Err(error)
                            .with_context(|| format!("line {first} may not have been produced, nor those after it"));
                    }
                }
            }
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

/// The longest line, in bytes: more than an instance takes at once.
const LONGEST_LINE: usize = 11 * 1024 * 1024;
/// How many bytes of lines wait at most, beside the line that is being read. (A line that is longer waits alone.)
const MOST_WAITING: usize = 8 * 1024 * 1024;

/// A line of standard input, without what ends it; or why there is none.
struct Line {
    number: u64,
    text: Result<Vec<u8>, String>,
    /// The bytes that it takes of [`MOST_WAITING`].
    _room: OwnedSemaphorePermit,
}

impl Line {
    fn bytes(&self) -> usize {
        self.text.as_ref().map_or(0, Vec::len)
    }
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
    let mut bytes = first.bytes();
    let mut batch = vec![first];
    while batch.len() < MOST_RECORDS
        && let Ok(line) = lines.try_recv()
    {
        match line {
            Ok(line) if bytes + line.bytes() <= MOST_BYTES => {
                bytes += line.bytes();
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

fn understand(json: bool, text: Vec<u8>, like: &ProduceInput) -> Result<ProduceInput, String> {
    if json { lines::json(&text, like).map_err(|error| error.to_string()) } else { Ok(lines::plain(text, like)) }
}

/// Reads lines to the input's end, as `POST …/records/bulk` does: a byte order mark before the first one is none of it, blank lines are
/// none where they are passed over.
async fn read(mut input: impl AsyncBufRead + Unpin, lines: mpsc::Sender<io::Result<Line>>, passes_blanks: bool) {
    let room = Arc::new(Semaphore::new(MOST_WAITING));
    for number in 1.. {
        let mut text = match read_line(&mut input).await {
            Ok(None) => return,
            Ok(Some(text)) => text,
            Err(error) => {
                // Nobody may be there any more to be told.
                let _ = lines.send(Err(error)).await;
                return;
            }
        };
        if let Ok(text) = &mut text {
            if number == 1 && text.starts_with(BYTE_ORDER_MARK) {
                text.drain(..BYTE_ORDER_MARK.len());
            }
            if passes_blanks && text.trim_ascii().is_empty() {
                continue;
            }
        }
        let bytes = text.as_ref().map_or(0, Vec::len).min(MOST_WAITING);
        let permits = u32::try_from(bytes).expect("MOST_WAITING is less");
        let room = Arc::clone(&room).acquire_many_owned(permits).await.expect("it is never closed");
        if lines.send(Ok(Line { number, text, _room: room })).await.is_err() {
            return;
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The next line without its LF or CR LF, none at the end. Of one that is too long nothing is kept.
async fn read_line(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Result<Vec<u8>, String>>> {
    let (mut line, mut length, mut has_begun) = (Vec::new(), 0, false);
    loop {
        let read = input.fill_buf().await?;
        if read.is_empty() && !has_begun {
            return Ok(None);
        }
        has_begun = true;
        let end = read.iter().position(|byte| *byte == b'\n');
        let is_whole = end.is_some() || read.is_empty();
        let part = &read[..end.unwrap_or(read.len())];
        length += part.len();
        if length <= LONGEST_LINE {
            line.extend_from_slice(part);
        } else {
            line = Vec::new();
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if is_whole {
            line.pop_if(|byte| *byte == b'\r');
            let too_long = || format!("too long: {} MiB at most", LONGEST_LINE / 1024 / 1024);
            return Ok(Some(if length <= LONGEST_LINE { Ok(line) } else { Err(too_long()) }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{io::AsyncWriteExt, time::timeout};

    /// What is read of an input to its end, with the lines' numbers.
    async fn all(input: &[u8], passes_blanks: bool) -> Vec<(u64, Result<String, String>)> {
        let (to, mut lines) = mpsc::channel::<io::Result<Line>>(100);
        let taken = async {
            let mut taken = Vec::new();
            while let Some(line) = lines.recv().await {
                let line = line.unwrap();
                taken.push((line.number, line.text.map(|text| String::from_utf8(text).unwrap())));
            }
            taken
        };
        tokio::join!(read(input, to, passes_blanks), taken).1
    }

    #[tokio::test]
    async fn lines_are_those_of_the_api() {
        let input = "\u{feff}one\r\n\n \t\r\ntwo\r\r\nlast\r";
        let expected: Vec<_> = lines::lines(lines::LineFormat::Text, input.as_bytes(), &ProduceInput::default(), 100)
            .into_iter()
            .map(|line| (line.number, Ok(String::from_utf8(line.text.to_vec()).unwrap())))
            .collect();
        assert_eq!(all(input.as_bytes(), true).await, expected);
        assert_eq!(expected.len(), 3);
        let with_blanks: Vec<_> =
            all(input.as_bytes(), false).await.into_iter().map(|(_, text)| text.unwrap()).collect();
        assert_eq!(with_blanks, ["one", "", " \t", "two\r", "last"]);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_skipped_and_the_others_are_not() {
        let longest = "x".repeat(LONGEST_LINE);
        let read = all(format!("a\n{longest}\n{longest}x\nb\n{longest}xx").as_bytes(), true).await;
        let too_long = Err("too long: 11 MiB at most".into());
        let expected = [Ok("a".into()), Ok(longest), too_long.clone(), Ok("b".into()), too_long];
        assert!(read.iter().map(|(_, text)| text).eq(&expected), "{:?}", read.iter().map(|(_, text)| text.is_ok()));
    }

    #[tokio::test]
    async fn what_waits_is_bounded_in_bytes() {
        // For ever, a line of a megabyte after the other.
        let line = [&vec![b'x'; 1024 * 1024 - 1][..], b"\n"].concat();
        let (mut far, near) = tokio::io::duplex(64 * 1024);
        tokio::spawn(async move { while far.write_all(&line).await.is_ok() {} });
        let (to, mut lines) = mpsc::channel(MOST_RECORDS);
        let reading = tokio::spawn(read(BufReader::new(near), to, true));
        let settled = async {
            let mut before = usize::MAX;
            while before != lines.len() || lines.is_empty() {
                before = lines.len();
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        timeout(Duration::from_secs(30), settled).await.expect("it stops to read");
        assert_eq!(lines.len(), 8);
        // What is taken makes room.
        drop(lines.recv().await);
        let next = async {
            while lines.len() < 8 {
                tokio::task::yield_now().await
            }
        };
        timeout(Duration::from_secs(30), next).await.expect("it goes on");
        reading.abort();
    }
}
