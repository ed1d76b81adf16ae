//! Producing many records at once for programs: `POST /api/v1/topics/{topic}/records/bulk`.

#![allow(unused_qualifications, reason = "utoipa's macro writes them")]

use crate::http::{
    extract::{Address, Params},
    problem::Problem,
};
use app::{MOST_BYTES, MOST_LINES};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request, State},
};
use engine::{Engine, Fate};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{error::Category, value::RawValue};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use wire::{
    Encoding, ProduceError, ProduceInput, Receipt, check_topic_name,
    lines::{self, LineError, LineFormat},
};

/// How a bulk is to be read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BulkQuery {
    /// How the body is to be read, whatever its content type: `lines`, `jsonl` or `csv`.
    #[serde(default)]
    format: Option<Format>,
    /// Whether records that are right are produced although others are wrong. Else nothing is produced then. The answer has a result
    /// for each record, whatever became of it, unless none could be read.
    #[serde(default)]
    partial: bool,
    /// The key of records without one: generated (a UUID) or none.
    #[serde(default)]
    key: Key,
    /// The partition of records that name none; without it by the key's hash.
    #[serde(default)]
    #[param(minimum = 0)]
    partition: Option<i32>,
}

/// How a body holds records.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Lines,
    Jsonl,
    Csv,
}

/// What becomes of a record without a key.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Key {
    #[default]
    Generated,
    None,
}

/// What became of many records.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Bulk {
    /// How many are acknowledged.
    stored: usize,
    /// How many are not.
    failed: usize,
    /// One after the other, as they were sent.
    results: Vec<BulkResult>,
}

/// What became of one record.
#[derive(Debug, Serialize, ToSchema)]
struct BulkResult {
    /// The line on which it begins, or its place in the array; from 1.
    line: u64,
    /// Where it is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Receipt>,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

/// Produce many records
///
/// A JSON array, JSON lines, CSV with names in its first row, or (`?format=lines`) a value on each line; 10,000 records and 10 MiB at
/// most. An object has `value` (a string, null, `{"json": …}` or `{"base64": …}`), and may have `key`, `headers` and `partition`.
/// All records are checked first, and if one is wrong none is produced, unless `partial` says so. They are produced in
/// their order.
///
/// What Ottla writes into files, and `ottla tail --format json`, is read as it is. Of what a record has there besides, `topic`, `offset`,
/// `timestamp`, `received`, `consumed_by`, `flags` and `seq` are passed over: it goes to the topic of the address, and its timestamp is that
/// of now. Its partition is the one that it was in; whoever wants another leaves that out. A gap in such a file, and a record of which it has
/// only the head, are refused.
#[utoipa::path(post, path = "/api/v1/topics/{topic}/records/bulk", tag = "messages",
    params(BulkQuery, ("topic" = String, Path, description = "The topic's name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$", example = "test-topic")),
    request_body(content(
        (Vec<serde_json::Value> = "application/json", example = json!([{"key": "a", "value": "text"}, {"key": null, "value": {"json": {"n": 1}}}])),
        (String = "application/x-ndjson", example = "{\"value\":\"a\"}\n{\"value\":\"b\"}\n"),
        (String = "text/csv", example = "key,value\na,text\n"),
    )),
    responses(
        (status = 201, description = "All are acknowledged", body = Bulk),
        (status = 207, description = "Some are not", body = Bulk),
        (status = 413, description = "More than 10 MiB, or more than 10,000 records", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type says nothing of how to read the body, nor does `format`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Records are wrong, and none was produced", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused all of them", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time for any of them; they may have been stored", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn produce(
    State(engine): State<Arc<Engine>>,
    Address(topic): Address<String>,
    Params(query): Params<BulkQuery>,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<Bulk>), Problem> {
    // One for all of them, which no record can mend.
    check_topic_name(&topic).map_err(|rule| Problem::invalid([("topic".into(), rule.to_string())]))?;
    super::check_open("topic", &topic)?;
    let body = Bytes::from_request(request, &()).await;
    let body = body.map_err(|error| Problem::new(error.status(), "body", error.body_text()))?;
    let like = ProduceInput {
        topic,
        partition: query.partition.map(|partition| partition.to_string()).unwrap_or_default(),
        key_encoding: if matches!(query.key, Key::None) { Encoding::Null } else { Encoding::Auto },
        ..ProduceInput::default()
    };
    let records = read(query.format, &headers, &body, &like)?;
    if records.len() > MOST_LINES {
        let detail = format!("more than {MOST_LINES} records at once");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many", detail));
    }
    let (numbers, inputs): (Vec<_>, Vec<_>) = records.into_iter().unzip();
    if inputs.is_empty() {
        return Err(Problem::invalid([("body".into(), "holds no record".into())]));
    }
    let fates = engine.produce_many(inputs, query.partial).await;
    let none_is_stored = !fates.iter().any(|fate| matches!(fate, Fate::Stored(_)));
    let none_is_readable = fates.iter().all(|fate| matches!(fate, Fate::Unreadable(_)));
    if none_is_readable || (none_is_stored && !query.partial) {
        return Err(none_stored(&numbers, fates));
    }
    let results: Vec<_> = numbers.into_iter().zip(fates).map(|(line, fate)| result(line, fate)).collect();
    let failed = results.iter().filter(|result| result.error.is_some()).count();
    let status = if failed == 0 { StatusCode::CREATED } else { StatusCode::MULTI_STATUS };
    Ok((status, Json(Bulk { stored: results.len() - failed, failed, results })))
}

/// The largest body.
pub(super) const MOST_BODY: usize = MOST_BYTES;

/// A record as it was read, and its number.
type Numbered = (u64, Result<ProduceInput, LineError>);

/// The records with their numbers.
fn read(
    format: Option<Format>,
    headers: &HeaderMap,
    body: &[u8],
    like: &ProduceInput,
) -> Result<Vec<Numbered>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let format = match (format, kind.as_str()) {
        (Some(Format::Lines), _) => LineFormat::Text,
        (Some(Format::Jsonl), _) | (None, "application/x-ndjson" | "application/jsonl") => LineFormat::Json,
        (Some(Format::Csv), _) | (None, "text/csv") => LineFormat::Csv,
        (None, "application/json") => {
            let records: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| match error.classify() {
                Category::Data => Problem::invalid([("body".into(), "must be a list of records".into())]),
                _ => Problem::new(StatusCode::BAD_REQUEST, "not-json", format!("the body must be JSON: {error}")),
            })?;
            let record = |(number, record): (u64, &RawValue)| (number, lines::json(record.get().as_bytes(), like));
            return Ok((1..).zip(records).take(MOST_LINES + 1).map(record).collect());
        }
        (None, kind) => {
            let detail = format!(
                "{kind:?} is none of application/json, application/x-ndjson and text/csv; or say ?format=lines, jsonl or csv"
            );
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", detail));
        }
    };
    Ok(lines::lines(format, body, like, MOST_LINES + 1).into_iter().map(|line| (line.number, line.input)).collect())
}

fn result(line: u64, fate: Fate) -> BulkResult {
    let failed = |error: Problem| BulkResult { line, receipt: None, error: Some(error) };
    match fate {
        Fate::Stored(receipt) => BulkResult { line, receipt: Some(receipt), error: None },
        Fate::Failed(error) => failed(error.into()),
        Fate::Unreadable(error) => failed(Problem::invalid([("record".into(), error.to_string())])),
        Fate::Held => failed(Problem::new(StatusCode::FAILED_DEPENDENCY, "held", "not sent, because others are wrong")),
    }
}

/// Why none is stored: what is wrong with records, by their numbers; or what Kafka said.
fn none_stored(numbers: &[u64], fates: Vec<Fate>) -> Problem {
    let mut wrong = Vec::new();
    let mut said = None;
    for (number, fate) in numbers.iter().zip(fates) {
        match fate {
            Fate::Unreadable(error) => wrong.push((format!("line {number}"), error.to_string())),
            Fate::Failed(ProduceError::Invalid(errors)) => {
                let errors = errors.into_iter();
                wrong.extend(errors.map(|error| (format!("line {number}: {}", error.field), error.rule.to_string())));
            }
            // Where nobody knows of one whether it is stored, nobody is to hear that none is.
            Fate::Failed(error @ ProduceError::TimedOut { .. }) => said = Some(error),
            Fate::Failed(error) => said = said.or(Some(error)),
            Fate::Stored(_) | Fate::Held => {}
        }
    }
    match said {
        Some(error) if wrong.is_empty() => error.into(),
        _ => Problem::invalid(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_records_that_may_be_stored_nobody_hears_that_none_is() {
        let refused = || Fate::Failed(ProduceError::Refused { reason: "too large".into() });
        let late = || Fate::Failed(ProduceError::TimedOut { seconds: 10, reason: "no leader".into() });
        assert_eq!(none_stored(&[1, 2], vec![refused(), refused()]).status(), StatusCode::BAD_GATEWAY);
        for fates in [vec![refused(), late()], vec![late(), refused()]] {
            assert_eq!(none_stored(&[1, 2], fates).status(), StatusCode::GATEWAY_TIMEOUT);
        }
    }
}
