//! Both codecs: what is written reads back the same, and no input makes a decoder panic.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/strategies.rs"]
mod strategies;
#[path = "common/view.rs"]
mod view;

use proptest::{collection::vec, prelude::*};
use strategies::{BYE_REASONS, command, cursor, event, record};
use view::with_view;
use wire::*;

fn encoded(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec::encode_event(event, &mut bytes);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_read_back_from_postcard(events in vec(event(), 0..4)) {
        let bytes: Vec<u8> = events.iter().flat_map(encoded).collect();
        prop_assume!(bytes.len() <= MAX_EVENT_MESSAGE);
        prop_assert_eq!(codec::decode_events(&bytes).unwrap(), events);
    }

    #[test]
    fn events_read_back_from_json(event in event()) {
        prop_assert_eq!(codec::event_from_json(&codec::event_to_json(&event)).unwrap(), event);
    }

    #[test]
    fn commands_read_back_from_both(command in command()) {
        prop_assert_eq!(&codec::decode_command(&codec::encode_command(&command)).unwrap(), &command);
        let json = serde_json::to_string(&command).unwrap();
        prop_assert_eq!(codec::command_from_json(&json).unwrap(), command);
    }

    #[test]
    fn cursors_read_back_from_json(cursor in cursor()) {
        let json = serde_json::to_string(&cursor).unwrap();
        prop_assert_eq!(serde_json::from_str::<Cursor>(&json).unwrap(), cursor);
    }

    #[test]
    fn a_view_is_written_like_the_record(record in record()) {
        let (binary, json) = with_view(&record, |view| {
            let mut binary = Vec::new();
            codec::encode_record(view, &mut binary);
            assert_eq!(view.to_owned(), record);
            (binary, serde_json::to_string(view).unwrap())
        });
        prop_assert_eq!(&binary, &postcard::to_stdvec(&record).unwrap());
        prop_assert_eq!(json, serde_json::to_string(&record).unwrap());
        let (decoded, rest) = codec::decode_record(&binary).unwrap();
        prop_assert_eq!(decoded, record);
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn a_head_and_encoded_records_are_the_event(
        epoch in any::<u64>(), next in any::<u64>(), records in vec(record(), 0..200),
    ) {
        let mut bytes = Vec::new();
        codec::encode_records_head(epoch, next, records.len(), &mut bytes);
        prop_assert!(bytes.len() <= codec::RECORDS_HEAD_MAX);
        for record in &records {
            with_view(record, |view| codec::encode_record(view, &mut bytes));
        }
        prop_assert_eq!(bytes, encoded(&Event::Records(Records { epoch, next, records })));
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = codec::decode_events(&bytes);
        let _ = codec::decode_command(&bytes);
        let _ = codec::decode_record(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = codec::event_from_json(&text);
        let _ = codec::command_from_json(&text);
    }

    #[test]
    fn a_cut_message_is_an_error(command in command(), keep in any::<prop::sample::Index>()) {
        let bytes = codec::encode_command(&command);
        prop_assert!(codec::decode_command(&bytes[..keep.index(bytes.len())]).is_err());
    }
}

#[test]
fn a_command_with_something_after_it_is_refused() {
    let mut bytes = codec::encode_command(&Command::Pause);
    bytes.push(0);
    assert!(codec::decode_command(&bytes).is_err());
}

#[test]
fn messages_over_the_limit_are_refused_before_they_are_read() {
    let large = vec![0; MAX_EVENT_MESSAGE + 1];
    assert!(matches!(codec::decode_events(&large), Err(codec::DecodeError::TooLarge { .. })));
    assert!(matches!(codec::decode_command(&large), Err(codec::DecodeError::TooLarge { .. })));
    let text = " ".repeat(MAX_COMMAND_MESSAGE + 1);
    assert!(matches!(codec::command_from_json(&text), Err(codec::DecodeError::TooLarge { .. })));
}

#[test]
fn a_record_cut_to_the_limits_fits_one_message() {
    let name = "x".repeat(255);
    let bytes = vec![0xff; 1_000_000];
    for header_size in [0, 1, 7, 100, 1000, 16_000, 20_000] {
        let header =
            HeaderView { name: &name[..header_size.min(255)], value: Some(DataView::cut(&bytes, header_size)) };
        let null = HeaderView { name: "", value: None };
        let headers: Vec<_> = (0..10_000).map(|number| if number % 2 == 0 { header } else { null }).collect();
        let kept = codec::fit_headers(&headers);
        let record = RecordView {
            seq: u64::MAX,
            topic: &"t".repeat(249),
            partition: i32::MIN,
            offset: i64::MIN,
            timestamp: Timestamp::Appended(i64::MIN),
            received: i64::MIN,
            flags: Flags(u8::MAX),
            key: Some(DataView::cut(&bytes, record_limits::KEY_HEAD)),
            value: Some(DataView::cut(&bytes, record_limits::VALUE_HEAD)),
            headers: &headers[..kept],
            headers_left_out: u32::MAX,
        };
        let mut message = Vec::new();
        codec::encode_records_head(u64::MAX, u64::MAX, 1, &mut message);
        codec::encode_record(&record, &mut message);
        assert!(message.len() <= MAX_EVENT_MESSAGE, "{} bytes with headers of {header_size}", message.len());
        assert!(codec::decode_events(&message).is_ok());
    }
}

#[test]
fn a_record_in_json() {
    let record = Record {
        seq: 9_007_199_254_740_993,
        topic: "orders".into(),
        partition: 2,
        offset: i64::MAX,
        timestamp: Timestamp::Created(1_790_000_000_000),
        received: 1_790_000_000_007,
        flags: Flags::FIRST,
        key: None,
        value: Some(Data { head: "數".into(), size: 40_000 }),
        headers: vec![
            Header { name: "trace".into(), value: Some(Data::whole(vec![0, 0xff])) },
            Header { name: "empty".into(), value: Some(Data::whole("")) },
            Header { name: "none".into(), value: None },
        ],
        headers_left_out: 0,
    };
    insta::assert_snapshot!(serde_json::to_string_pretty(&record).unwrap(), @r#"
    {
      "seq": "9007199254740993",
      "topic": "orders",
      "partition": 2,
      "offset": "9223372036854775807",
      "timestamp": {
        "created": "1790000000000"
      },
      "received": "1790000000007",
      "flags": 0,
      "key": null,
      "value": {
        "text": "數",
        "size": "40000"
      },
      "headers": [
        {
          "name": "trace",
          "value": {
            "base64": "AP8="
          }
        },
        {
          "name": "empty",
          "value": {
            "text": ""
          }
        },
        {
          "name": "none",
          "value": null
        }
      ],
      "headers_left_out": 0
    }
    "#);
}

#[test]
fn commands_in_json_have_defaults() {
    let least = codec::command_from_json(r#"{"subscribe":{"feed":"default"}}"#).unwrap();
    let Command::Subscribe(subscribe) = least else { panic!("{least:?}") };
    assert_eq!((subscribe.scope, subscribe.pace, subscribe.from), (Scope::Instance, Pace::Display, From::Now));
    assert!(subscribe.filter.is_empty());
    assert_eq!(codec::command_from_json(r#""pause""#).unwrap(), Command::Pause);
    assert_eq!(codec::command_from_json(r#"{"ping":"7"}"#).unwrap(), Command::Ping(7));
    for bad in
        [r#"{"ping":7}"#, r#"{"subscribe":{"feed":"default","speed":1}}"#, r#"{"subscribe":{}}"#, "{}", "", "null"]
    {
        assert!(codec::command_from_json(bad).is_err(), "{bad}");
    }
}

#[test]
fn bytes_in_json_are_given_one_way() {
    for bad in [r#"{}"#, r#"{"text":"a","base64":"YQ=="}"#, r#"{"base64":"?"}"#, r#"{"text":"abc","size":"2"}"#] {
        assert!(serde_json::from_str::<Data>(bad).is_err(), "{bad}");
    }
}

#[test]
fn close_codes_differ_and_their_texts_fit_a_close_frame() {
    let mut codes: Vec<_> = BYE_REASONS.iter().map(|reason| reason.close_code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), BYE_REASONS.len());
    assert!(BYE_REASONS.iter().all(|reason| reason.text().len() <= 123));
}
