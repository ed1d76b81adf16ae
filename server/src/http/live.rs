//! Pages that are kept live: a stream of server-sent events for each that someone looks at, `/groups/NAME/live`. An event is
//! the id of an element, a line break, and the HTML that is to be in it; `app` says what. Once a second, and only what changed; and of a
//! search, `/topics/NAME/live`, what it found, until it is over or nobody listens any more.

use app::{LivePage, SearchPage};
use axum::{
    extract::{Path, Query, RawQuery, State},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use engine::Engine;
use futures::{Stream, StreamExt, stream};
use http::{HeaderMap, StatusCode};
use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval};
use wire::ClusterQuery;

/// How often the server looks.
const EVERY: Duration = Duration::from_secs(1);
/// How soon a browser comes back when the stream ended.
const RETRY: Duration = Duration::from_secs(1);

/// `GET /live/groups`: below `/groups/` each word is a group's name.
pub(super) async fn groups(
    State(engine): State<Arc<Engine>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    stream(engine, LivePage::groups(&headers, query.as_deref()))
}

/// `GET /groups/{name}/live`
pub(super) async fn group(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    stream(engine, LivePage::group(name, &headers, query.as_deref()))
}

/// `GET /cluster/live`
pub(super) async fn cluster(
    State(engine): State<Arc<Engine>>,
    Query(asked): Query<HashMap<String, String>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let asked = ClusterQuery::of(|name| asked.get(name).cloned());
    stream(engine, LivePage::cluster(asked, &headers, query.as_deref()))
}

/// `GET /topics/{topic}/live`: a search, whose page has shown what it found so far. Where it is over there is nothing, which keeps the
/// browser from coming back (HTML, section 9.2.3).
pub(super) async fn records(
    State(engine): State<Arc<Engine>>,
    Path(topic): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(page) = SearchPage::new(&topic, &headers, query.as_deref()) else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let stopping = engine.stopping();
    let steps = stream::unfold((engine, page, stopping), |(engine, mut page, mut stopping)| async move {
        let changes = tokio::select! {
            changes = page.changes(&engine) => changes?,
            _ = stopping.wait_for(|stopping| *stopping) => return None,
        };
        let last = changes.len().saturating_sub(1);
        let id = page.id();
        let events = changes.into_iter().enumerate().map(move |(index, (element, html))| {
            // What carriage returns there are stand in somebody's message; an event has none.
            let event = Event::default().data(format!("{element}\n{}", html.replace('\r', "&#13;")));
            // Who lost the connection in the midst of it gets all of it again.
            if index == last { event.id(&id) } else { event }
        });
        let events: Vec<_> = events.collect();
        Some((stream::iter(events), (engine, page, stopping)))
    });
    respond(steps.flatten())
}

/// Ends when the instance stops: the browser then asks whichever answers at this address.
fn stream(engine: Arc<Engine>, page: LivePage) -> Response {
    let mut clock = interval(EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stopping = engine.stopping();
    let changes =
        stream::unfold((engine, page, clock, stopping), |(engine, mut page, mut clock, mut stopping)| async {
            tokio::select! {
                _ = clock.tick() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return None,
            }
            let changes = page.changes(&engine).await;
            Some((stream::iter(changes), (engine, page, clock, stopping)))
        });
    respond(changes.flatten().map(|(id, html)| Event::default().data(format!("{id}\n{html}"))))
}

fn respond(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let first = Event::default().retry(RETRY);
    let events = stream::iter([first]).chain(events).map(Ok::<_, Infallible>);
    Sse::new(events).keep_alive(KeepAlive::new()).into_response()
}
