//! Pages that are kept live: a stream of server-sent events for each that someone looks at, `/groups/NAME/live`. An event is
//! the id of an element, a line break, and the HTML that is to be in it; `app` says what. Once a second, and only what changed.

use app::LivePage;
use axum::{
    extract::{Path, Query, RawQuery, State},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use engine::Engine;
use futures::{StreamExt, stream};
use http::HeaderMap;
use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval};
use wire::ClusterQuery;

/// How often the server looks.
const EVERY: Duration = Duration::from_secs(1);
/// How soon a browser comes back when the stream ended.
const RETRY: Duration = Duration::from_secs(1);

/// `GET /groups/live`
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
    let asked = ClusterQuery {
        q: asked.get("q").cloned().unwrap_or_default(),
        page: asked.get("page").and_then(|page| page.parse().ok()).unwrap_or(1),
    };
    stream(engine, LivePage::cluster(asked, &headers, query.as_deref()))
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
    let events = changes.flatten().map(|(id, html)| Event::default().data(format!("{id}\n{html}")));
    let first = Event::default().retry(RETRY);
    let events = stream::iter([first]).chain(events).map(Ok::<_, Infallible>);
    Sse::new(events).keep_alive(KeepAlive::new()).into_response()
}
