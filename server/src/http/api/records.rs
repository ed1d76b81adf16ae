//! A topic's records for programs, `/api/v1/topics/{topic}/records`: looked through with `GET`, and with `POST` one is produced, the
//! message in full, where `send.rs` takes a text alone; and one of the log once more. Many at once are in `bulk.rs`.

#![allow(unused_qualifications, reason = "utoipa's macro writes them")]

use crate::http::{
    download,
    extract::{Address, Body, Params},
    problem::Problem,
    sse::JSON_LINES,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use engine::{BrowseError, BrowseQuery, Engine, MOST_RECORDS};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use utoipa::{IntoParams, ToSchema};
use wire::{Encoding, HeaderInput, Place, ProduceInput, Receipt, RecordPage};

/// How long a page may take: what was found by then is the answer, with a cursor that goes on.
const WITHIN: Duration = Duration::from_secs(5);

/// A message, as [`ProduceInput`] has it. The topic is in the address, and the partition may be a number.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Message {
    /// The same as in the address, if it is given.
    #[schema(nullable)]
    topic: Option<String>,
    /// The partition's number, or as text; without it by the key's hash.
    #[schema(value_type = Option<i32>, minimum = 0)]
    partition: Value,
    /// How the key is meant. `auto`: a UUID where it is empty, else text.
    key_encoding: Encoding,
    /// The key.
    key: String,
    /// How the value is meant. `auto`: as text.
    value_encoding: Encoding,
    /// The value.
    value: String,
    /// Whether an empty text value is meant.
    allow_empty: bool,
    /// The headers.
    headers: Vec<HeaderInput>,
}

impl Message {
    fn into_input(self, topic: String) -> Result<ProduceInput, Problem> {
        let mut wrong = self.beside_null();
        if let Some(other) = self.topic.filter(|other| !other.is_empty() && *other != topic) {
            wrong.push(("topic".into(), format!("the address names {topic:?}, the body {other:?}")));
        }
        if !wrong.is_empty() {
            return Err(Problem::invalid(wrong));
        }
        let partition = match self.partition {
            Value::Null => String::new(),
            Value::String(text) => text,
            // What is no partition's number is told with the other fields.
            other => other.to_string(),
        };
        Ok(ProduceInput {
            topic,
            partition,
            key_encoding: self.key_encoding,
            key: self.key,
            value_encoding: self.value_encoding,
            value: self.value,
            allow_empty: self.allow_empty,
            headers: self.headers,
        })
    }

    /// Texts beside an encoding that says null. A form keeps what was typed before null was chosen; a program that sends both would lose
    /// one of them.
    fn beside_null(&self) -> Vec<(String, String)> {
        let own = [("key", self.key_encoding, &self.key), ("value", self.value_encoding, &self.value)];
        let own = own.map(|(field, encoding, text)| (field.to_owned(), format!("{field}_encoding"), encoding, text));
        let headers = self.headers.iter().enumerate().map(|(index, HeaderInput { value, encoding, .. })| {
            (format!("headers[{index}].value"), format!("headers[{index}].encoding"), *encoding, value)
        });
        let lost = own
            .into_iter()
            .chain(headers)
            .filter(|(.., encoding, text)| *encoding == Encoding::Null && !text.is_empty());
        lost.map(|(field, says, ..)| (field, format!("must be empty, for {says} says null"))).collect()
    }
}

/// What of a topic is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// How the answer is written.
    #[param(inline)]
    format: Format,
    /// Where to begin: `newest` (and read back), `oldest`, `offset` or `time`. Without it: where an offset or a time is given, from there,
    /// else from the newest.
    #[param(example = "newest")]
    from: String,
    /// The offset to begin with, in each partition.
    #[param(pattern = "^[0-9]*$")]
    offset: String,
    /// The time to begin with: RFC 3339 (UTC, where it has no offset), milliseconds since 1970, or how long ago, like `-15m`.
    #[param(example = "-15m")]
    time: String,
    /// The time where the range ends: back to it where it begins with the newest, else up to it.
    until: String,
    /// The partition; without it all of them, merged by timestamp.
    #[param(pattern = "^[0-9]*$")]
    partition: String,
    /// What records have to match, in the language of filters.
    #[param(example = "key:order-17")]
    filter: String,
    /// How many records: 1 to 500 of a page, 50 without it. With `format=ndjson` any number, and all without it.
    #[param(pattern = "^[0-9]*$")]
    limit: String,
    /// Where a page before ended: its `older` or `newer`.
    at: String,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// As a page, with cursors.
    #[default]
    Json,
    /// As JSON lines: the whole range, for as long as it is read.
    Ndjson,
}

/// Look through a topic
///
/// Read from the log, by no group: nothing is committed. A page answers within five seconds; where that was not enough for a search, it is
/// not complete, says how far it came, and goes on with its cursor.
#[utoipa::path(get, path = "/api/v1/topics/{topic}/records", tag = "messages",
    params(Wanted, ("topic" = String, Path, description = "The topic's name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$", example = "test-topic")),
    responses(
        (status = 200, description = "A page; with `format=ndjson` a record a line, whole", content((RecordPage = "application/json"), (String = "application/x-ndjson"))),
        (status = 404, description = "There is no such topic", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field broke a rule", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused; or, with `format=ndjson`, some partitions can't be read: a page names them in `unread`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many look through topics at the moment", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn browse(
    State(engine): State<Arc<Engine>>,
    Address(topic): Address<String>,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Problem> {
    let Wanted { format, from, offset, time, until, partition, filter, limit, at } = wanted;
    let is_limited = !limit.trim().is_empty();
    let query = BrowseQuery { from, offset, time, until, partition, filter, limit, at };
    let most = if format == Format::Json { MOST_RECORDS } else { usize::MAX };
    let request = query.read_up_to(most).map_err(BrowseError::from)?;
    if format == Format::Json {
        return Ok(Json(engine.browse(&topic, &request, WITHIN).await?).into_response());
    }
    let search = engine.search(&topic, &request, true).await?;
    let most = if is_limited { request.limit() } else { usize::MAX };
    let lines = download::stream(&engine, search, download::Form::Lines, most).await?;
    Ok(([(header::CONTENT_TYPE, JSON_LINES)], lines).into_response())
}

/// Produce a record
///
/// With key, value and headers as text, JSON, base64 or null. What is null has no text beside it.
#[utoipa::path(post, path = "/api/v1/topics/{topic}/records", tag = "messages", request_body = Message,
    params(("topic" = String, Path, description = "The topic's name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$", example = "test-topic")),
    responses(
        (status = 201, description = "Acknowledged", body = Receipt, headers(("location" = String, description = "The record's page"))),
        (status = 422, description = "A field broke a rule", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time; the message may have been stored", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn produce(
    State(engine): State<Arc<Engine>>,
    Address(topic): Address<String>,
    Body(message): Body<Message>,
) -> Result<impl IntoResponse, Problem> {
    super::check_open("topic", &topic)?;
    Ok(created(engine.produce(&message.into_input(topic)?).await?))
}

/// Where a record goes once more.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Again {
    /// The topic; without it the record's own.
    #[param(min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$")]
    to: Option<String>,
}

/// Produce a record again
///
/// A record of the log once more, byte for byte: key, value and headers. The key decides its partition.
#[utoipa::path(post, path = "/api/v1/topics/{topic}/{partition}/{offset}/again", tag = "messages",
    params(
        Again,
        ("topic" = String, Path, description = "The topic's name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$"),
        ("partition" = i32, Path, description = "The partition's number", minimum = 0),
        ("offset" = i64, Path, description = "The offset", minimum = 0),
    ),
    responses(
        (status = 201, description = "Acknowledged", body = Receipt, headers(("location" = String, description = "The record's page"))),
        (status = 404, description = "There is no such record: unknown topic or partition, deleted, or not written yet", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "There is no such topic to produce to", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time; the message may have been stored", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn again(
    State(engine): State<Arc<Engine>>,
    Address((topic, partition, offset)): Address<(String, i32, i64)>,
    Params(Again { to }): Params<Again>,
) -> Result<impl IntoResponse, Problem> {
    super::check_open(if to.is_some() { "to" } else { "topic" }, to.as_deref().unwrap_or(&topic))?;
    let to = to.unwrap_or_else(|| topic.clone());
    Ok(created(engine.produce_again(&Place { topic, partition, offset }, &to).await?))
}

fn created(receipt: Receipt) -> impl IntoResponse {
    // A topic's name needs no escape in an address.
    let page = format!("/topics/{}/{}/{}", receipt.topic, receipt.partition, receipt.offset);
    (StatusCode::CREATED, [(header::LOCATION, page)], Json(receipt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_the_produce_input_and_may_name_the_partition_as_a_number() {
        let whole = ProduceInput {
            topic: "orders".into(),
            partition: "2".into(),
            key_encoding: Encoding::Text,
            key: "k".into(),
            value_encoding: Encoding::Json,
            value: "{}".into(),
            allow_empty: true,
            headers: vec![HeaderInput { name: "n".into(), value: "AP8=".into(), encoding: Encoding::Base64 }],
        };
        let text = serde_json::to_string(&whole).unwrap();
        let read = |text: &str| serde_json::from_str::<Message>(text).unwrap().into_input("orders".into());
        assert_eq!(read(&text).ok(), Some(whole.clone()));
        assert_eq!(read(&text.replace("\"2\"", "2")).ok(), Some(whole));
        assert_eq!(read(r#"{"value":"x"}"#).map(|input| input.partition).ok(), Some(String::new()));
        assert!(read(r#"{"topic":"bills"}"#).is_err());
        assert!(serde_json::from_str::<Message>(r#"{"vlaue":"x"}"#).is_err());
    }

    #[test]
    fn a_text_beside_null_is_refused_and_not_dropped() {
        let read = |text: &str| serde_json::from_str::<Message>(text).unwrap().into_input("orders".into());
        let both = r#"{"key_encoding":"null","key":"k","value_encoding":"null","value":"v","headers":[{"name":"a","value":"1"},
            {"name":"b","encoding":"null","value":"2"}]}"#;
        let problem = serde_json::to_value(read(both).unwrap_err()).unwrap();
        let fields: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str()).collect();
        assert_eq!(fields, [Some("key"), Some("value"), Some("headers[1].value")]);
        assert_eq!(problem["status"], 422);
        assert_eq!(problem["errors"][1]["rule"], "must be empty, for value_encoding says null");
        let null = r#"{"key_encoding":"null","value_encoding":"null","headers":[{"name":"b","encoding":"null"}]}"#;
        assert!(read(null).is_ok());
    }
}
