//! A feed as a stream over HTTP: server-sent events, `curl -N http://…/api/v1/feeds/default/stream`, or with `?format=ndjson` JSON
//! lines for scripts.
//!
//! Each event, and each line, is one JSON [`wire::Event`]. Server-sent events have its name in `event:`, and ids: where the client is
//! then. A client that comes back with an id in `Last-Event-ID` (as browsers do by themselves) or as `?cursor=` goes on there. An
//! id carries the same cursor as the WebSocket protocol has, the JSON in base64 without padding.

#![allow(unused_qualifications, reason = "utoipa's macro writes them")]

use super::{
    HttpLimits,
    extract::{Address, Params},
    problem::Problem,
    traffic::{Connected, Traffic, Transport},
    wanted::{self, NotThere},
};
use axum::{
    body::{Body, Bytes},
    extract::State,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event as Sent, KeepAlive},
    },
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use engine::{Engine, Output, Refusal, Tab};
use futures::{Stream, StreamExt, stream};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use std::{convert::Infallible, sync::Arc, time::Duration};
use utoipa::{IntoParams, ToSchema};
use wire::{ByeReason, Command, Cursor, Event, Filter, From, Pace, Rule, Scope, Subscribe};

/// How often a quiet stream says that it lives, so that proxies do not end it (nginx does after 60 s).
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How soon a browser comes back when the stream ended.
const RETRY: Duration = Duration::from_secs(1);
/// The media type of JSON lines.
pub(super) const JSON_LINES: &str = "application/x-ndjson";

/// What can be asked for in the address.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// How events are written.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// Begin with so many of the newest records; without it, with what comes.
    #[serde(default)]
    newest: u32,
    /// Go on after the event of this id.
    #[serde(default)]
    cursor: String,
    /// See [`Subscribe::scope`].
    #[serde(default)]
    #[param(value_type = String, example = "instance")]
    scope: Scope,
    /// See [`Filter::text`].
    #[serde(default)]
    text: String,
    /// See [`Filter::topic`].
    #[serde(default)]
    topic: String,
    /// One partition of [`Filter::partitions`].
    partition: Option<i32>,
}

/// How events are written.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// As server-sent events.
    #[default]
    Sse,
    /// As JSON, each on a line.
    Ndjson,
}

/// Follow a feed
///
/// Server-sent events or JSON lines, each a JSON event of the protocol. `Last-Event-ID` or `cursor` resumes.
#[utoipa::path(get, path = "/api/v1/feeds/{feed}/stream", tag = "feeds",
    params(Wanted,
        ("feed" = String, Path, description = "Its name", min_length = 1, example = "default"),
        ("last-event-id" = Option<String>, Header, description = "Where to go on: the id of an event"),
    ),
    responses(
        (status = 200, description = "Ends when the instance stops, or when nothing is read for `server.stall_limit_seconds`",
            content((String = "text/event-stream"), (String = "application/x-ndjson"))),
        (status = 404, description = "There is no such feed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The filter can't be read, or the feed has no such topic or partition", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn stream(
    State(engine): State<Arc<Engine>>,
    State(limits): State<HttpLimits>,
    State(traffic): State<Arc<Traffic>>,
    Address(feed): Address<String>,
    Params(wanted): Params<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // The header is newer than the address, which a browser repeats when it comes back.
    let header = headers.get("last-event-id").map(|id| ("Last-Event-ID", id.as_bytes()));
    let id = header.into_iter().chain([("cursor", wanted.cursor.as_bytes())]).find(|(_, id)| !id.is_empty());
    let from = match id {
        Some((name, id)) => From::Cursor(cursor_from_id(id).ok_or_else(|| {
            Problem::field(StatusCode::BAD_REQUEST, "bad-cursor", name, "must be the id of an event of this stream")
        })?),
        None if wanted.newest > 0 => From::Newest(wanted.newest),
        None => From::Now,
    };
    let filter = Filter { text: wanted.text, topic: wanted.topic, partitions: wanted.partition.into_iter().collect() };
    let unreadable =
        |field: &str, rule: String| Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "bad-subscription", field, rule);
    // Of partitions one at most is asked for, which is legal.
    if !filter.is_legal() {
        return Err(unreadable("topic", Rule::TopicName.to_string()));
    }
    engine::check_filter(&filter.text).map_err(|error| unreadable("text", error.to_string()))?;
    wanted::check(&engine, &feed, &filter).await.map_err(|error| match error {
        NotThere::Topic(_) => unreadable("topic", error.to_string()),
        NotThere::Partition(_) => unreadable("partition", error.to_string()),
    })?;
    let mut tab = Tab::new(engine, limits.stall);
    let hello = tab.hello();
    let subscribe = Subscribe { feed, scope: wanted.scope, filter, pace: Pace::Latency, from };
    let first = tab.command(Command::Subscribe(subscribe)).await;
    let mut first = first.map_err(|Refusal { reason, why }| match reason {
        ByeReason::UnknownFeed => Problem::new(StatusCode::NOT_FOUND, "unknown-feed", why),
        _ => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-subscription", why),
    })?;
    first.insert(0, hello);
    Ok(match wanted.format {
        Format::Sse => {
            let told = conversation(tab, first, traffic.connect(Transport::ServerSentEvents));
            let retry = Sent::default().retry(RETRY);
            let events = stream::iter([retry]).chain(told.map(Told::sent)).map(Ok::<_, Infallible>);
            Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
        }
        Format::Ndjson => {
            // Counters come once a second: nothing else must keep it alive.
            let told = conversation(tab, first, traffic.connect(Transport::Ndjson));
            let lines = told.map(|Told { mut json, .. }| {
                json.push('\n');
                Ok::<_, Infallible>(Bytes::from(json))
            });
            ([(header::CONTENT_TYPE, JSON_LINES)], Body::from_stream(lines)).into_response()
        }
    })
}

/// An event as it is told.
struct Told {
    name: &'static str,
    json: String,
    /// Where the client is after it.
    id: Option<String>,
}

impl Told {
    fn new(event: &Event) -> Self {
        Self { name: event.name(), json: wire::codec::event_to_json(event), id: None }
    }

    fn sent(self) -> Sent {
        let sent = Sent::default().event(self.name).data(self.json);
        match self.id {
            Some(id) => sent.id(id),
            None => sent,
        }
    }
}

/// The first events and everything after them, up to the server's last words.
fn conversation(tab: Tab, first: Vec<Event>, connected: Connected) -> impl Stream<Item = Told> {
    let mut first: Vec<_> = first.iter().map(Told::new).collect();
    // From here a client goes on that loses its connection before the first record.
    mark(&mut first, tab.cursor());
    let rest = stream::unfold(Some(tab), |tab| async {
        let mut tab = tab?;
        let told = match tab.next().await {
            Output::Batch(batch) => {
                let told = batch.json().map(|(name, message)| {
                    let json = String::from_utf8(message.to_vec()).expect("JSON is UTF-8");
                    Told { name, json, id: None }
                });
                let mut told: Vec<_> = told.collect();
                mark(&mut told, tab.cursor());
                told
            }
            Output::Announcement(told) => {
                vec![Told { name: told.name(), json: told.json().to_owned(), id: None }]
            }
            Output::Event(event) => vec![Told::new(&event)],
            Output::Bye(bye) => {
                let mut told = vec![Told::new(&Event::Bye(bye))];
                mark(&mut told, tab.cursor());
                return Some((stream::iter(told), None));
            }
        };
        Some((stream::iter(told), Some(tab)))
    });
    stream::iter(first).chain(rest.flatten()).inspect(move |told| connected.sent(told.json.len()))
}

/// Says with the last of these where the client is after all of them.
fn mark(told: &mut [Told], cursor: Option<Cursor>) {
    if let (Some(last), Some(cursor)) = (told.last_mut(), cursor) {
        last.id = Some(id_of(&cursor));
    }
}

fn id_of(cursor: &Cursor) -> String {
    let json = serde_json::to_vec(cursor).expect("a cursor has string keys and no failing Serialize");
    BASE64_URL_SAFE_NO_PAD.encode(json)
}

fn cursor_from_id(id: &[u8]) -> Option<Cursor> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(id).ok()?).ok()
}
