//! The page of a form that was posted, rendered with what came of it. What a form says and does is with each form.

use super::AppState;
use app::shell;
use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use leptos::prelude::provide_context;
use std::sync::Arc;

/// The page at `address`, which finds `outcome` in its context. `headers` are those of the form's request: who posted it reads the page
/// in a language and a theme of their own.
pub(super) async fn page<T: Clone + Send + Sync + 'static>(
    state: &AppState,
    headers: &HeaderMap,
    address: &str,
    status: StatusCode,
    outcome: T,
) -> Response {
    let (engine, options) = (Arc::clone(&state.engine), state.leptos.clone());
    let page = leptos_axum::render_app_async_with_context(
        move || {
            provide_context(Arc::clone(&engine));
            provide_context(outcome.clone());
        },
        move || shell(options.clone()),
    );
    let Ok(mut request) = Request::get(address).body(Body::empty()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    *request.headers_mut() = headers.clone();
    let mut response = page(request).await;
    *response.status_mut() = status;
    response
}
