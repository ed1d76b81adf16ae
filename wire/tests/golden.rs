//! Version 1 of the protocol is frozen: what is in `golden/v1.jsonl` is written and read like that for good. A line is an event or a
//! command in JSON, and its postcard form in hexadecimal. Lines are only added, for new variants.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/examples.rs"]
mod examples;

use examples::examples;
use serde::Deserialize;
use serde_json::value::RawValue;
use wire::codec;

const GOLDEN: &str = include_str!("golden/v1.jsonl");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    command: Option<&'a RawValue>,
    postcard: &'a str,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// The line of a JSON event or command, as the file should have it.
fn line(kind: &str, json: &str) -> String {
    let (json, postcard) = if kind == "event" {
        let event = codec::event_from_json(json).unwrap();
        let mut postcard = Vec::new();
        codec::encode_event(&event, &mut postcard);
        (codec::event_to_json(&event), postcard)
    } else {
        let command = codec::command_from_json(json).unwrap();
        (codec::command_to_json(&command), codec::encode_command(&command))
    };
    format!(r#"{{"{kind}":{json},"postcard":"{}"}}"#, hex(&postcard))
}

#[test]
fn every_line_is_written_and_read_as_it_was() {
    for golden in GOLDEN.lines() {
        let Line { event, command, postcard } = serde_json::from_str(golden).unwrap();
        match (event, command) {
            (Some(json), None) => {
                assert_eq!(line("event", json.get()), golden);
                let event = codec::event_from_json(json.get()).unwrap();
                assert_eq!(codec::decode_events(&bytes(postcard)).unwrap(), [event]);
            }
            (None, Some(json)) => {
                assert_eq!(line("command", json.get()), golden);
                let command = codec::command_from_json(json.get()).unwrap();
                assert_eq!(codec::decode_command(&bytes(postcard)).unwrap(), command);
            }
            _ => panic!("either an event or a command: {golden}"),
        }
    }
}

#[test]
fn every_example_of_the_protocol_is_there() {
    let mut missing = Vec::new();
    for kind in ["event", "command"] {
        for example in examples(kind) {
            let line = line(kind, example);
            missing.extend((!GOLDEN.lines().any(|golden| golden == line)).then_some(line));
        }
    }
    assert!(missing.is_empty(), "add to golden/v1.jsonl:\n{}", missing.join("\n"));
}

#[test]
fn every_variant_is_there() {
    let variants = [
        // Of timestamps, counts, states and changes.
        r#""timestamp":"none""#,
        r#""timestamp":{"created":"#,
        r#""timestamp":{"appended":"#,
        r#""count":{"exact":"#,
        r#""count":{"up_to":"#,
        r#""now_with":null"#,
        r#""now_with":""#,
        r#""kafka":"connecting""#,
        r#""kafka":"up""#,
        r#""kafka":{"down":"#,
        r#""kind":{"assigned":"#,
        r#""kind":{"revoked":"#,
        r#""kind":{"lost":"#,
        r#""kind":{"missing":"#,
        r#""kind":{"sought":"#,
        r#""kind":{"passed_over":"#,
        r#""kind":{"happened":"#,
        r#""kind":"joined""#,
        r#""kind":"left""#,
        r#""kind":"silent""#,
        r#""kind":"assigned""#,
        r#""kind":"revoked""#,
        r#""kind":"lost""#,
        r#""kind":"sought""#,
        r#""unowned":null,"from":null"#,
        // Of why a connection ends.
        r#""reason":"stopping""#,
        r#""reason":"bad_message""#,
        r#""reason":"wrong_state""#,
        r#""reason":"unknown_feed""#,
        r#""reason":"bad_subscription""#,
        r#""reason":"stalled""#,
        r#""cursor":null"#,
        // Of what is asked for.
        r#""scope":"instance""#,
        r#""scope":"group""#,
        r#""pace":"display""#,
        r#""pace":"latency""#,
        r#""from":"now""#,
        r#""from":{"newest":"#,
        r#""from":{"cursor":"#,
        r#""from":{"recent":"#,
        // Of bytes: text, none, other bytes, the head of more.
        r#"{"text":"#,
        r#""key":null"#,
        r#"{"base64":"#,
        r#","size":""#,
    ];
    for variant in variants {
        assert!(GOLDEN.contains(variant), "{variant}");
    }
}
