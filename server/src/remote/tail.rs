//! `ottla tail`: follows a feed of a running instance, over as many connections as it takes. A record is a line; what is not shown
//! is named on standard error.

use super::{Remote, block_on, end_with_the_reader, print, refuse, say};
use crate::text::{flags, time};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use client::{Follow, Subprotocol, check_address};
use std::{fmt::Write as _, io::Write as _, process::ExitCode, str::FromStr};
use wire::{
    Change, ChangeKind, Count, Data, Event, Filter, From, Gap, KafkaState, Pace, Record, Scope, Subscribe, codec,
};

/// For `--help`.
const OLDER: &str = "The newest are those that the instance has in memory. What is older is in the log, which is read by no group: \
    curl -N 'http://…/api/v1/topics/NAME/records?format=ndjson&from=oldest', or time=-15m instead of from";

/// The flags of `ottla tail`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = format!("{OLDER}\n\n{}", super::EXIT_CODES))]
pub struct Tail {
    /// Whom to ask.
    #[command(flatten)]
    pub remote: Remote,
    /// The feed's name
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub feed: String,
    /// Only what matches, in the language of the page's filter box: `refund -key=a json:$.total>100`
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub filter: String,
    /// Where to begin: `now`, or `newest N` with so many of the newest records
    #[arg(long, num_args = 1..=2, value_names = ["now|newest", "N"], default_value = "now")]
    pub from: Vec<String>,
    /// All that the group consumes, not what this instance does
    #[arg(long)]
    pub whole_group: bool,
    /// How a record is written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// End after so many records
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
}

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Time, place, key and value, with tabs between them
    #[default]
    Text,
    /// The whole record as JSON
    Json,
}

/// Follows until the count is reached.
///
/// # Errors
/// When the instance is not there, or refuses. A connection that is lost later is mended.
pub fn run(options: Tail) -> anyhow::Result<ExitCode> {
    let from = begin(&options.from).unwrap_or_else(|why| refuse(NAME, why));
    check_address(&options.remote.url).unwrap_or_else(|error| refuse(NAME, format_args!("--url: {error}")));
    end_with_the_reader();
    block_on(follow(&options, from))
}

/// The command's.
const NAME: &str = "tail";

/// Where to begin, in the command line's words.
fn begin(words: &[String]) -> Result<From, String> {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let newest = |text: &str| u32::from_str(text).ok().filter(|most| *most > 0).map(From::Newest);
    match words[..] {
        ["now"] => Some(From::Now),
        ["newest", most] => newest(most),
        _ => None,
    }
    .ok_or_else(|| {
        let most = u32::MAX;
        format!(
            "--from must be `now`, or `newest N` with N from 1 to {most}; what is older is in the log, see `--help`"
        )
    })
}

async fn follow(options: &Tail, from: From) -> anyhow::Result<ExitCode> {
    let scope = if options.whole_group { Scope::Group } else { Scope::Instance };
    let filter = Filter { text: options.filter.clone(), ..Filter::default() };
    let subscribe = Subscribe { feed: options.feed.clone(), scope, filter, pace: Pace::Latency, from };
    let mut follow = Follow::new(&options.remote.url, Subprotocol::Postcard, subscribe)
        .authorized(options.remote.authorization(NAME));
    let mut left = options.count;
    let mut was_subscribed = false;
    loop {
        let events = match follow.try_next().await {
            Ok(events) => events,
            Err(error) if was_subscribed && error.is_passing() => {
                say(format_args!("ottla: {error}: coming back"));
                continue;
            }
            // Its text says what its sources say.
            Err(error) => anyhow::bail!("{}: {error}", options.remote.url),
        };
        for event in events {
            match event {
                Event::Records(batch) => {
                    let records = batch
                        .records
                        .iter()
                        .take(left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX)));
                    print(|out| {
                        for record in records {
                            match options.format {
                                Format::Text => writeln!(out, "{}", text_line(record))?,
                                Format::Json => writeln!(out, "{}", json_line(record))?,
                            }
                        }
                        Ok(())
                    })?;
                    left = left.map(|left| left.saturating_sub(batch.records.len() as u64));
                    if left == Some(0) {
                        return Ok(ExitCode::SUCCESS);
                    }
                }
                Event::Subscribed(_) => was_subscribed = true,
                event => tell(&event, options.format),
            }
        }
    }
}

/// Says on standard error what is not a record and must not go unsaid.
fn tell(event: &Event, format: Format) {
    let said = match event {
        Event::Gap(gap) => format!("not shown: {}", range(gap)),
        Event::Change(Change { kind: ChangeKind::Missing(gap), .. }) => {
            format!("missing, for it was deleted before: {}", range(gap))
        }
        Event::Change(Change { kind: ChangeKind::PassedOver(gap), .. }) => {
            format!("missing, for it was passed over: {}", range(gap))
        }
        Event::Kafka(KafkaState::Down { reason, .. }) => format!("Kafka does not answer: {reason}"),
        _ => return,
    };
    match format {
        Format::Text => say(format_args!("ottla: {said}")),
        Format::Json => say(codec::event_to_json(event)),
    }
}

/// `orders[2] 1200 to 1611, 412 records`
fn range(gap: &Gap) -> String {
    let Gap { topic, partition, first, last, count, now_with } = gap;
    let count = match count {
        Count::Exact(count) => count.to_string(),
        Count::UpTo(count) => format!("up to {count}"),
    };
    let with = now_with.as_ref().map_or(String::new(), |instance| format!(", now with {instance}"));
    format!("{topic}[{partition}] {first} to {last}, {count} records{with}")
}

/// The record as in [`Event::Records`].
fn json_line(record: &Record) -> String {
    serde_json::to_string(record).expect("a record has string keys and no failing Serialize")
}

/// Time, place, key, value and, where there are any, flags. Nothing in it breaks the line, or moves the terminal's cursor.
fn text_line(record: &Record) -> String {
    let Record { topic, partition, offset, timestamp, received, .. } = record;
    let at = time(timestamp.millis().unwrap_or(*received));
    let (key, value) = (shown(record.key.as_ref()), shown(record.value.as_ref()));
    let mut line = format!("{at}\t{topic}[{partition}]@{offset}\t{key}\t{value}");
    let flags = flags(record.flags);
    if !flags.is_empty() {
        line.push('\t');
        line.push_str(&flags);
    }
    line
}

fn shown(data: Option<&Data>) -> String {
    let Some(data) = data else { return "<null>".into() };
    let mut shown = match data.text() {
        Some(text) => printable(text),
        None => format!("base64:{}", BASE64_STANDARD.encode(&data.head)),
    };
    if data.is_cut() {
        write!(shown, "… ({} of {} bytes)", data.head.len(), data.size).expect("a String takes any text");
    }
    shown
}

/// Control characters, and what tells them apart from text, escaped as in Rust.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || c == '\\' {
            printable.extend(c.escape_default());
        } else {
            printable.push(c);
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Flags, Timestamp};

    fn record(key: Option<Data>, value: Option<Data>, flags: Flags) -> Record {
        Record {
            seq: 1,
            topic: "orders".into(),
            partition: 2,
            offset: 1043,
            timestamp: Timestamp::Created(1_790_000_000_007),
            received: 0,
            flags,
            key,
            value,
            headers: Vec::new(),
            headers_left_out: 0,
        }
    }

    #[test]
    fn a_record_is_one_line_whatever_is_in_it() {
        let line = text_line(&record(Some(Data::whole("k")), Some(Data::whole("a\nb\t\u{1b}[31m訊\\")), Flags::FIRST));
        assert_eq!(line, "2026-09-21T14:13:20.007Z\torders[2]@1043\tk\ta\\nb\\t\\u{1b}[31m訊\\\\");
    }

    #[test]
    fn null_empty_bytes_and_heads_are_told_apart() {
        assert_eq!(shown(None), "<null>");
        assert_eq!(shown(Some(&Data::whole(""))), "");
        assert_eq!(shown(Some(&Data::whole(vec![0xff, 0]))), "base64:/wA=");
        assert_eq!(shown(Some(&Data { head: "abc".into(), size: 9 })), "abc… (3 of 9 bytes)");
        let again = text_line(&record(None, None, Flags::REDELIVERED.with(Flags::REPLAYED)));
        assert!(again.ends_with("\t<null>\t<null>\tredelivered replayed"), "{again}");
    }

    #[test]
    fn where_to_begin_is_now_or_with_the_newest() {
        let begin = |words: &[&str]| begin(&words.iter().map(ToString::to_string).collect::<Vec<_>>()).ok();
        assert_eq!(begin(&["now"]), Some(From::Now));
        assert_eq!(begin(&["newest", "10"]), Some(From::Newest(10)));
        for bad in [&["newest"][..], &["newest", "0"], &["newest", "x"], &["oldest"], &["now", "1"]] {
            assert_eq!(begin(bad), None, "{bad:?}");
        }
    }
}
