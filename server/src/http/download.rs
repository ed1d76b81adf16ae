//! Records as files: one of them whole from the log, all that a search names, and the rows that a page holds. In the subprotocol `ottla.v1.json`'s form, as
//! CSV, or the value alone. How a row is written is here too, for no other surface writes files.

mod csv;
mod json;

use super::{problem::Problem, sse::JSON_LINES};
use axum::{
    RequestExt,
    body::{Body, Bytes},
    extract::{Path, RawQuery, Request, State, rejection::BytesRejection},
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use engine::{BrowseError, BrowseQuery, Engine, Search};
use futures::stream;
use http::{StatusCode, header};
use std::{borrow::Cow, io, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::timeout};
use wire::{Data, Place, Record, Row, Unread, codec};

const JSON: &str = "application/json";
const CSV: &str = "text/csv; charset=utf-8; header=present";
/// What a page may hold, in base64 (`app`'s bounds are 32 MiB and twice that, with what waits).
pub(super) const MOST_ROWS: usize = 96 * 1024 * 1024;
/// The same in rows: 10,000, as many that wait, and those that were loaded between them.
const MOST: usize = 40_000;
/// How long a page may take to send them.
const SENT_WITHIN: Duration = Duration::from_secs(30);
/// How many records are read at a time for a file, and for how long at most: then it is seen whether anybody still takes them.
const AT_ONCE: usize = 1_000;
const STEP: Duration = Duration::from_secs(1);
/// Whatever a value is: no browser is to make anything of it but a file.
const BYTES: &str = "application/octet-stream";

/// `GET /topics/{topic}/{partition}/{offset}/{form}`: the record, read from the log, as `json`, as `csv`, or its `value`. What there is
/// no record of leads to its page, which says why.
pub(super) async fn record(
    State(engine): State<Arc<Engine>>,
    Path((topic, partition, offset, form)): Path<(String, String, String, String)>,
) -> Response {
    let Ok(place) = format!("{topic}[{partition}]@{offset}").parse::<Place>() else { return unknown() };
    let Place { topic, partition, offset } = &place;
    let (name, page) = (format!("{topic}-{partition}-{offset}"), format!("/topics/{topic}/{partition}/{offset}"));
    let Ok(record) = engine.record(&place).await else { return Redirect::to(&page).into_response() };
    match (form.as_str(), record.value.clone()) {
        ("json", _) => file(JSON, &format!("{name}.json"), json::lines(&[row(&record)])),
        ("csv", _) => file(CSV, &format!("{name}.csv"), csv::table(&[row(&record)])),
        ("value", Some(value)) => file(BYTES, &format!("{name}.{}", ending(&value)), value.head),
        ("value", None) => Redirect::to(&page).into_response(),
        _ => unknown(),
    }
}

/// `POST /rows/{feed}/{form}`: the rows that a page holds, as `jsonl` or `csv`. The body is a plain form's (`enctype=text/plain`) with
/// `rows`, each as [`codec::encode_row`] writes it and all in base64.
pub(super) async fn rows(
    State(engine): State<Arc<Engine>>,
    Path((feed, form)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    if engine.feed(&feed).is_none() {
        return Err(Problem::new(StatusCode::NOT_FOUND, "unknown-feed", "there is no feed of this name"));
    }
    if !["jsonl", "csv"].contains(&form.as_str()) {
        return Ok(unknown());
    }
    // One at a time: a page's rows, as they come and as they go, can take a hundred megabytes.
    static TURN: Semaphore = Semaphore::const_new(1);
    let _turn = TURN.acquire().await.expect("the semaphore is never closed");
    let body: Result<Bytes, _> = timeout(SENT_WITHIN, request.extract())
        .await
        .map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "body", "the rows did not come in time"))?;
    let body = body.map_err(|error: BytesRejection| Problem::new(error.status(), "body", error.body_text()))?;
    let rows =
        posted(&body).ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "not-rows", "the body holds no rows"))?;
    let name = format!("{feed}-{}.{form}", jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ"));
    Ok(if form == "csv" { file(CSV, &name, csv::table(&rows)) } else { file(JSON_LINES, &name, json::lines(&rows)) })
}

/// `GET /topics/{topic}/records/{form}`: every record that a query names (see [`BrowseQuery`]), whole, as `jsonl` or `csv`.
pub(super) async fn records(
    State(engine): State<Arc<Engine>>,
    Path((topic, form)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (kind, form) = match form.as_str() {
        "jsonl" => (JSON_LINES, Form::Lines),
        "csv" => (CSV, Form::Table),
        _ => return Ok(unknown()),
    };
    let query = BrowseQuery::of(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()));
    let query = BrowseQuery { at: String::new(), limit: String::new(), ..query };
    // Whoever sends them again as they stand in the file, sends them in the order in which they were sent first.
    let request = query.read().map_err(BrowseError::from)?.in_log_order();
    let search = engine.search(&topic, &request, true).await?;
    let ending = if form == Form::Table { "csv" } else { "jsonl" };
    let name = format!("{topic}-{}.{ending}", jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ"));
    Ok(file(kind, &name, stream(&engine, search, form, usize::MAX).await?))
}

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As JSON lines.
    Lines,
    /// As CSV.
    Table,
}

/// The records that a search finds, up to so many, as they are found. It ends when nobody takes them any more; where it can't go on, the
/// connection breaks off, so that nobody takes a part for the whole.
///
/// # Errors
/// Where some partitions can't be read, the same; and where nothing can, for Kafka refuses: the first records are read before the answer.
pub(super) async fn stream(engine: &Engine, mut search: Search, form: Form, most: usize) -> Result<Body, Problem> {
    if !search.unread().is_empty() {
        return Err(incomplete(search.unread()));
    }
    let first = match search.next(most.min(AT_ONCE), STEP).await {
        // A file takes its time.
        Err(BrowseError::Busy) => Vec::new(),
        first => first?,
    };
    let begin = (search, Some(first), most, engine.stopping());
    let parts = stream::try_unfold(begin, move |(mut search, first, most, mut stopping)| async move {
        let is_first = first.is_some();
        if most == 0 || (search.is_done() && !is_first) {
            return Ok(None);
        }
        let records = match first {
            Some(records) => records,
            None => loop {
                let found = tokio::select! {
                    found = search.next(most.min(AT_ONCE), STEP) => found,
                    _ = stopping.wait_for(|stopping| *stopping) => return Err(io::Error::other("the instance stops")),
                };
                match found {
                    Err(BrowseError::Busy) => {}
                    found => break found.map_err(io::Error::other)?,
                }
            },
        };
        let rows: Vec<_> = records.iter().map(row).collect();
        let part = match form {
            Form::Lines => json::lines(&rows),
            Form::Table => csv::part(&rows, is_first),
        };
        Ok(Some((Bytes::from(part), (search, None, most - records.len(), stopping))))
    });
    Ok(Body::from_stream(parts))
}

/// What is answered instead of a file that would lack these partitions.
fn incomplete(unread: &[Unread]) -> Problem {
    let each: Vec<_> = unread.iter().map(|unread| format!("{} ({})", unread.partition, unread.reason)).collect();
    let detail = format!("some partitions can't be read, and would be left out: {}", each.join(", "));
    Problem::new(StatusCode::BAD_GATEWAY, "partitions-unread", detail)
}

fn posted(body: &[u8]) -> Option<Vec<Row<'static>>> {
    let rows = body.strip_prefix(b"rows=")?.trim_ascii_end();
    codec::decode_rows(&BASE64_STANDARD.decode(rows).ok()?, MOST).ok()
}

fn row(record: &Record) -> Row<'_> {
    Row::Record { record: Cow::Borrowed(record), consumed_by: None }
}

fn file(kind: &'static str, name: &str, content: impl Into<Body>) -> Response {
    // Names of topics and feeds are all that is not known of the name. Quotes and line breaks can't be in them.
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], content.into())
        .into_response()
}

/// How the name of a value's file ends.
fn ending(value: &Data) -> &'static str {
    match value.text() {
        Some(text) if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => "json",
        Some(_) => "txt",
        None => "bin",
    }
}

fn unknown() -> Response {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown-file",
        "a record has the files json, csv and value; rows have jsonl and csv",
    )
    .into_response()
}

#[cfg(test)]
fn example() -> Vec<Row<'static>> {
    use wire::{Count, Flags, Gap, Header, Timestamp};
    let record = Record {
        seq: 7,
        topic: "orders".into(),
        partition: 2,
        offset: 9_007_199_254_740_993,
        timestamp: Timestamp::Created(1_790_000_000_000),
        received: 1_790_000_000_007,
        flags: Flags::REDELIVERED.with(Flags::LOADED),
        key: Some(Data::whole("訂單 \"17\"")),
        value: Some(Data::whole("a,b\r\nc")),
        headers: vec![Header { name: "trace".into(), value: Some(Data::whole(&b"\x00\xff"[..])) }],
        headers_left_out: 0,
    };
    let cut = Record {
        offset: 5,
        timestamp: Timestamp::None,
        flags: Flags::FIRST,
        key: None,
        value: Some(Data { head: (&b"\xff\x00"[..]).into(), size: 5_000_000 }),
        headers: vec![],
        headers_left_out: 3,
        ..record.clone()
    };
    let gap = Gap { topic: "orders".into(), partition: 0, first: 8, last: 19, count: Count::UpTo(12), now_with: None };
    vec![
        Row::Record { record: Cow::Owned(record), consumed_by: Some("ottla-2".into()) },
        Row::Gap(Cow::Owned(gap)),
        Row::Record { record: Cow::Owned(cut), consumed_by: None },
    ]
}
