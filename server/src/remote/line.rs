//! A line of `ottla produce`: what is produced of it.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use wire::{Encoding, HeaderInput, ProduceInput};

/// The bytes of a line as a record's value. What is no UTF-8 goes as base64.
pub(super) fn plain(line: Vec<u8>, like: &ProduceInput) -> ProduceInput {
    let (value_encoding, value) = match String::from_utf8(line) {
        Ok(text) => (Encoding::Text, text),
        Err(bytes) => (Encoding::Base64, base64(bytes.as_bytes())),
    };
    ProduceInput { value_encoding, value, allow_empty: true, ..like.clone() }
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(bytes)
}

/// What a record of `ottla tail --format json` has besides, and what is not produced of it.
const PASSED_OVER: [&str; 7] = ["seq", "topic", "offset", "timestamp", "received", "flags", "headers_left_out"];

/// A line of JSON with `key`, `value`, `headers` and `partition`, as far as it has them; the rest is `like` another.
///
/// # Errors
/// Which field is wrong, and why.
pub(super) fn json(line: &[u8], like: &ProduceInput) -> Result<ProduceInput, String> {
    let mut fields: BTreeMap<String, &RawValue> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let mut input = like.clone();
    if let Some(key) = fields.remove("key") {
        (input.key_encoding, input.key) = data(key).map_err(|why| format!("key {why}"))?;
    }
    let value = fields.remove("value").ok_or("value is required; null is one")?;
    (input.value_encoding, input.value) = data(value).map_err(|why| format!("value {why}"))?;
    // Whoever writes "" means it.
    input.allow_empty = true;
    if let Some(partition) = fields.remove("partition") {
        input.partition = partition.get().trim_matches('"').to_owned();
    }
    if let Some(given) = fields.remove("headers") {
        input.headers = headers(given)?;
    }
    fields.retain(|name, _| !PASSED_OVER.contains(&name.as_str()));
    match fields.keys().next() {
        None => Ok(input),
        Some(unknown) => Err(format!("{unknown:?} is none of key, value, headers and partition")),
    }
}

/// A key or a value that is not text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped<'a> {
    text: Option<String>,
    base64: Option<String>,
    #[serde(borrow)]
    json: Option<&'a RawValue>,
    size: Option<&'a RawValue>,
}

fn data(given: &RawValue) -> Result<(Encoding, String), String> {
    const FORMS: &str = r#"must be a string, null, {"text": …}, {"base64": …} or {"json": …}"#;
    let text = given.get();
    if text == "null" {
        return Ok((Encoding::Null, String::new()));
    }
    if text.starts_with('"') {
        let text = serde_json::from_str(text).map_err(|error| error.to_string())?;
        return Ok((Encoding::Text, text));
    }
    let wrapped: Wrapped<'_> = serde_json::from_str(text).map_err(|_| FORMS)?;
    if wrapped.size.is_some() {
        return Err("is only the head of what Kafka holds".into());
    }
    match wrapped {
        Wrapped { text: Some(text), base64: None, json: None, .. } => Ok((Encoding::Text, text)),
        Wrapped { text: None, base64: Some(base64), json: None, .. } => Ok((Encoding::Base64, base64)),
        // As it is written, every digit of it.
        Wrapped { text: None, base64: None, json: Some(json), .. } => Ok((Encoding::Json, json.get().to_owned())),
        _ => Err(FORMS.into()),
    }
}

/// A header of a record of `ottla tail --format json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given<'a> {
    name: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// `{"name": "value"}`, or `[{"name": …, "value": …}]` where names repeat.
fn headers(given: &RawValue) -> Result<Vec<HeaderInput>, String> {
    let text = given.get();
    let pairs: Vec<(String, &RawValue)> = if text.starts_with('{') {
        let named: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        named.into_iter().collect()
    } else {
        let listed: Vec<Given<'_>> = serde_json::from_str(text).map_err(|error| {
            format!(r#"headers must be {{"name": "value"}} or [{{"name": …, "value": …}}]: {error}"#)
        })?;
        listed.into_iter().map(|Given { name, value }| (name, value)).collect()
    };
    let header = |(name, value): (String, &RawValue)| match data(value) {
        Ok((Encoding::Text, value)) => Ok(HeaderInput { name, value }),
        _ => Err(format!("header {name:?} must be text")),
    };
    pairs.into_iter().map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn like() -> ProduceInput {
        ProduceInput { topic: "t".into(), key: "k".into(), key_encoding: Encoding::Text, ..ProduceInput::default() }
    }

    #[test]
    fn a_plain_line_is_its_bytes() {
        let text = plain("訊 息".into(), &like());
        assert_eq!((text.value_encoding, text.value.as_str(), text.key.as_str()), (Encoding::Text, "訊 息", "k"));
        let bytes = plain(vec![0xff, 0], &like());
        assert_eq!((bytes.value_encoding, bytes.value.as_str()), (Encoding::Base64, "/wA="));
        assert!(plain(Vec::new(), &like()).allow_empty);
    }

    #[rstest]
    #[case(r#"{"value":"a"}"#, Encoding::Text, "a")]
    #[case(r#"{"value":null}"#, Encoding::Null, "")]
    #[case(r#"{"value":""}"#, Encoding::Text, "")]
    #[case(r#"{"value":{"base64":"/wA="}}"#, Encoding::Base64, "/wA=")]
    #[case(
        r#"{"value":{"json":{"n":9007199254740993, "m":1.50}}}"#,
        Encoding::Json,
        r#"{"n":9007199254740993, "m":1.50}"#
    )]
    fn a_value_is_as_it_is_given(#[case] line: &str, #[case] encoding: Encoding, #[case] value: &str) {
        let input = json(line.as_bytes(), &like()).unwrap();
        assert_eq!((input.value_encoding, input.value.as_str()), (encoding, value));
        assert_eq!((input.key.as_str(), input.allow_empty), ("k", true));
    }

    #[test]
    fn a_line_says_more_than_the_flags_and_a_record_of_tail_is_one() {
        let line = br#"{"seq":"7","topic":"other","partition":2,"offset":"9","timestamp":{"created":"1"},"received":"2",
            "flags":0,"key":null,"value":{"text":"v"},"headers":[{"name":"a","value":{"text":"1"}}],"headers_left_out":0}"#;
        let input = json(line, &like()).unwrap();
        let header = |name: &str, value: &str| HeaderInput { name: name.into(), value: value.into() };
        assert_eq!((input.topic.as_str(), input.partition.as_str()), ("t", "2"));
        assert_eq!((input.key_encoding, input.headers), (Encoding::Null, vec![header("a", "1")]));
        let named = json(br#"{"value":"v","headers":{"b":"2","a":"1"}}"#, &like()).unwrap();
        assert_eq!(named.headers, [header("a", "1"), header("b", "2")]);
    }

    #[rstest]
    #[case("x", "expected value")]
    #[case("[]", "invalid type")]
    #[case(r#"{"key":"a"}"#, "value is required")]
    #[case(r#"{"value":{"a":1}}"#, "value must be a string, null")]
    #[case(r#"{"value":7}"#, "value must be a string, null")]
    #[case(r#"{"value":{"text":"a","size":"9"}}"#, "value is only the head")]
    #[case(r#"{"value":"a","vlaue":"b"}"#, "\"vlaue\" is none of")]
    #[case(r#"{"value":"a","headers":{"n":null}}"#, "header \"n\" must be text")]
    #[case(r#"{"value":"a","headers":"n"}"#, "headers must be")]
    fn what_is_wrong_is_named(#[case] line: &str, #[case] why: &str) {
        let error = json(line.as_bytes(), &like()).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}
