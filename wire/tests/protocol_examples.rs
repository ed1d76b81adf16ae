//! Every JSON example of `docs/PROTOCOL.md` is what it says it is, and every variant has one.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/examples.rs"]
mod examples;

use examples::{DOCUMENT, examples};
use std::collections::BTreeSet;
use wire::{ByeReason, Event, codec};

fn same_json(written: &str, read: &str) {
    let value = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(value(written), value(read), "nothing in the example is ignored or implied");
}

fn variant(example: &str) -> String {
    match serde_json::from_str(example).unwrap() {
        serde_json::Value::String(name) => name,
        serde_json::Value::Object(object) => object.keys().next().unwrap().clone(),
        other => panic!("{other}"),
    }
}

#[test]
fn every_event_has_an_example_that_reads_back() {
    let mut variants = BTreeSet::new();
    for example in examples("event") {
        let event = codec::event_from_json(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        same_json(example, &codec::event_to_json(&event));
        variants.insert(variant(example));
    }
    let all = [
        "assignment",
        "behind",
        "bye",
        "change",
        "consumed",
        "flag",
        "gap",
        "hello",
        "kafka",
        "members",
        "pong",
        "positions",
        "records",
        "sieved",
        "stats",
        "subscribed",
        "topics",
    ];
    assert_eq!(variants, all.map(String::from).into());
}

#[test]
fn every_command_has_an_example_that_reads_back() {
    let mut variants = BTreeSet::new();
    for example in examples("command") {
        codec::command_from_json(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        variants.insert(variant(example));
    }
    assert_eq!(variants, ["pause", "ping", "resume", "subscribe", "taken"].map(String::from).into());
}

#[test]
fn every_block_of_json_is_an_example() {
    assert_eq!(DOCUMENT.matches("```json").count(), examples("event").len() + examples("command").len());
}

#[test]
fn the_close_codes_are_those_of_the_table() {
    use ByeReason::{BadMessage, BadSubscription, Stalled, Stopping, UnknownFeed, WrongState};
    for reason in [Stopping, BadMessage, UnknownFeed, Stalled, WrongState, BadSubscription] {
        let name = serde_json::to_string(&reason).unwrap().replace('"', "`");
        let row = format!("| {name} | {} |", reason.close_code());
        assert!(DOCUMENT.contains(&row), "{row}");
    }
}

#[test]
fn the_postcard_numbers_are_those_of_the_text() {
    for example in examples("event") {
        let event = codec::event_from_json(example).unwrap();
        let mut bytes = Vec::new();
        codec::encode_event(&event, &mut bytes);
        assert!(DOCUMENT.contains(&format!("`{}` {}", variant(example), bytes[0])), "{example}");
    }
    let mut pong = Vec::new();
    codec::encode_event(&Event::Pong(300), &mut pong);
    assert_eq!(pong, [0x0a, 0xac, 0x02]);
    assert_eq!(codec::encode_command(&wire::Command::Ping(7)), [0x03, 0x07]);
}

#[test]
fn the_limits_are_those_of_the_table() {
    let kib = |bytes: usize| format!("{} KiB", bytes / 1024);
    for (what, limit) in [
        ("a message from the server", kib(wire::MAX_EVENT_MESSAGE)),
        ("a message to the server", kib(wire::MAX_COMMAND_MESSAGE)),
        ("a value's head in a record", kib(wire::record_limits::VALUE_HEAD)),
        ("a key's head", kib(wire::record_limits::KEY_HEAD)),
        ("the headers of a record", kib(wire::record_limits::HEADERS_BUDGET)),
        ("`filter.text`", format!("{} bytes", wire::Filter::MAX_TEXT)),
        ("`filter.partitions`", wire::Filter::MAX_PARTITIONS.to_string()),
    ] {
        let row = format!("| {what} | {limit}");
        assert!(DOCUMENT.contains(&row), "{row}");
    }
}
