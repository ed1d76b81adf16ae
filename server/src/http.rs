//! HTTP: the router. How connections are served is in `serve.rs`, what the routes do in the other files below.

mod api;
mod assets;
mod bulk;
mod download;
mod extract;
mod forms;
mod groups;
mod guard;
mod headers;
mod health;
mod live;
mod metrics;
mod outcome;
mod preferences;
mod problem;
mod read_only;
mod reset;
mod serve;
mod sse;
mod topics;
mod traffic;
mod wanted;
pub mod ws;

pub use assets::Site;
pub use serve::serve;

use crate::config::ServerConfig;
use app::{App, shell};
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    middleware,
    routing::{get, post},
};
use engine::Engine;
use leptos::prelude::{LeptosOptions, provide_context};
use leptos_axum::{LeptosRoutes, generate_route_list};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tower_http::compression::{CompressionLayer, Predicate, predicate};
use traffic::Traffic;

/// What every handler can have.
#[derive(Clone, FromRef)]
pub(crate) struct AppState {
    engine: Arc<Engine>,
    leptos: LeptosOptions,
    limits: HttpLimits,
    traffic: Arc<Traffic>,
}

/// What the configuration says of connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HttpLimits {
    /// See [`ServerConfig::stall_limit_seconds`].
    stall: Duration,
}

/// The whole application.
pub fn app(engine: &Arc<Engine>, config: &ServerConfig, listen: SocketAddr, site: Site) -> Router {
    let state = AppState {
        engine: Arc::clone(engine),
        leptos: site.leptos_options(listen),
        limits: HttpLimits { stall: Duration::from_secs(config.stall_limit_seconds) },
        traffic: Arc::default(),
    };
    let context = {
        let engine = Arc::clone(engine);
        move || provide_context(Arc::clone(&engine))
    };
    let shell_options = state.leptos.clone();
    Router::new()
        .route("/ws", get(ws::upgrade))
        .merge(api::routes())
        .route("/live/groups", get(live::groups))
        .route("/groups/{name}/live", get(live::group))
        .route("/cluster/live", get(live::cluster))
        .route("/topics/{topic}/live", get(live::records))
        .route("/topics/{topic}/records/{form}", get(download::records))
        .route("/topics/{topic}/{partition}/{offset}/{form}", get(download::record))
        .route("/rows/{feed}/{form}", post(download::rows).layer(DefaultBodyLimit::max(download::MOST_ROWS)))
        .route(guard::HEALTHZ, get(health::healthz))
        .route(guard::READYZ, get(health::readyz))
        .route(guard::METRICS, get(metrics::metrics))
        .route("/produce", post(forms::produce))
        .route("/produce/many", post(bulk::send).layer(DefaultBodyLimit::max(bulk::MOST_BODY)))
        .route("/topics/{topic}/{partition}/{offset}/again", post(forms::again))
        .route("/topics", post(topics::create))
        .route("/topics/{topic}/config", post(topics::config))
        .route("/topics/{topic}/partitions", post(topics::partitions))
        .route("/topics/{topic}/empty", post(topics::empty))
        .route("/topics/{topic}/delete", post(topics::delete))
        .route("/groups/{name}/delete", post(groups::delete))
        .route("/groups/{name}/offsets", post(groups::offsets))
        .route("/groups/{name}/reset", post(reset::reset))
        .route("/groups/{name}/replay", post(reset::replay))
        .route("/preferences", get(preferences::remember))
        .leptos_routes_with_context(&state, generate_route_list(App), context, move || shell(shell_options.clone()))
        .fallback(assets::serve)
        .layer(middleware::from_fn_with_state(state.clone(), read_only::refuse))
        .layer(
            CompressionLayer::new().compress_when(
                // A stream must not wait in a compressor's buffer.
                predicate::DefaultPredicate::new()
                    .and(predicate::NotForContentType::SSE)
                    .and(predicate::NotForContentType::const_new(sse::JSON_LINES)),
            ),
        )
        .layer(DefaultBodyLimit::max(config.body_limit_bytes))
        .layer(middleware::from_fn_with_state(state.clone(), serve::in_time))
        .layer(middleware::from_fn_with_state(Arc::new(guard::Guard::new(config, listen)), guard::check))
        .layer(middleware::from_fn(headers::add))
        .layer(middleware::from_fn_with_state(Arc::clone(&state.traffic), traffic::measure))
        .layer(axum::Extension(site))
        .with_state(state)
}
