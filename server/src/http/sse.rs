//! A feed as server-sent events: `curl -N http://…/api/v1/feeds/default/stream`.
//!
//! Each event is one JSON [`wire::Event`], its name in `event:`. The id of an event with records is where the client is then;
//! a client that comes back with it in `Last-Event-ID` (as browsers do by themselves) goes on there. An id carries the same
//! cursor as the WebSocket protocol has, the JSON in base64 without padding.

#![allow(unused_qualifications, reason = "utoipa's macro writes them")]

use super::{
    HttpLimits,
    extract::{Address, Params},
    problem::Problem,
};
use axum::{
    extract::State,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event as Sent, KeepAlive},
    },
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use engine::{Engine, Output, Refusal, Tab};
use futures::{Stream, StreamExt, stream};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::{convert::Infallible, sync::Arc, time::Duration};
use utoipa::IntoParams;
use wire::{ByeReason, Command, Cursor, Event, Filter, From, Pace, Scope, Subscribe};

/// How often a quiet stream says that it lives, so that proxies do not end it (nginx does after 60 s).
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What can be asked for in the address.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Begin with so many of the newest records; without it, with what comes.
    #[serde(default)]
    newest: u32,
    /// See [`Filter::text`].
    #[serde(default)]
    text: String,
    /// See [`Filter::topic`].
    #[serde(default)]
    topic: String,
    /// One partition of [`Filter::partitions`].
    partition: Option<i32>,
}

/// Follow a feed
///
/// Server-sent events, each a JSON event of the protocol. `Last-Event-ID` resumes.
#[utoipa::path(get, path = "/api/v1/feeds/{feed}/stream", tag = "feeds",
    params(Wanted,
        ("feed" = String, Path, description = "Its name", min_length = 1, example = "default"),
        ("last-event-id" = Option<String>, Header, description = "Where to go on: the id of an event"),
    ),
    responses(
        (status = 200, description = "Ends when the instance stops", body = String, content_type = "text/event-stream"),
        (status = 404, description = "There is no such feed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The filter can't be read", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn stream(
    State(engine): State<Arc<Engine>>,
    State(limits): State<HttpLimits>,
    Address(feed): Address<String>,
    Params(wanted): Params<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let from = match headers.get("last-event-id") {
        Some(id) => From::Cursor(cursor_from_id(id.as_bytes()).ok_or_else(|| {
            Problem::new(StatusCode::BAD_REQUEST, "bad-cursor", "Last-Event-ID is not an id of this stream")
        })?),
        None if wanted.newest > 0 => From::Newest(wanted.newest),
        None => From::Now,
    };
    let filter = Filter { text: wanted.text, topic: wanted.topic, partitions: wanted.partition.into_iter().collect() };
    let mut tab = Tab::new(engine, limits.stall);
    let hello = tab.hello();
    let subscribe = Subscribe { feed, scope: Scope::Instance, filter, pace: Pace::Latency, from };
    let mut first = tab.command(Command::Subscribe(subscribe)).map_err(|Refusal { reason, why }| {
        let status =
            if reason == ByeReason::UnknownFeed { StatusCode::NOT_FOUND } else { StatusCode::UNPROCESSABLE_ENTITY };
        Problem::new(status, "bad-subscription", why)
    })?;
    first.insert(0, hello);
    let events = stream::iter(first.into_iter().map(|event| sent(&event))).chain(following(tab));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// Everything after the first events, up to the server's last words.
fn following(tab: Tab) -> impl Stream<Item = Result<Sent, Infallible>> {
    stream::unfold(Some(tab), |tab| async {
        let mut tab = tab?;
        let batch = match tab.next().await {
            Output::Batch(batch) => batch,
            Output::Announcement(told) => {
                let told = Sent::default().event(told.name()).data(told.json());
                return Some((stream::iter(vec![Ok(told)]), Some(tab)));
            }
            Output::Event(event) => return Some((stream::iter(vec![sent(&event)]), Some(tab))),
            Output::Bye(bye) => return Some((stream::iter(vec![sent(&Event::Bye(bye))]), None)),
        };
        let mut events: Vec<_> = batch
            .json()
            .map(|(name, json)| Sent::default().event(name).data(String::from_utf8_lossy(&json.to_vec())))
            .collect();
        // Only the last event of a batch has an id: the cursor is past all of them.
        if let (Some(last), Some(cursor)) = (events.pop(), tab.cursor()) {
            events.push(last.id(id_of(&cursor)));
        }
        Some((stream::iter(events.into_iter().map(Ok).collect::<Vec<_>>()), Some(tab)))
    })
    .flatten()
}

fn sent(event: &Event) -> Result<Sent, Infallible> {
    Ok(Sent::default().event(event.name()).data(wire::codec::event_to_json(event)))
}

fn id_of(cursor: &Cursor) -> String {
    let json = serde_json::to_vec(cursor).expect("a cursor has string keys and no failing Serialize");
    BASE64_URL_SAFE_NO_PAD.encode(json)
}

fn cursor_from_id(id: &[u8]) -> Option<Cursor> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(id).ok()?).ok()
}
