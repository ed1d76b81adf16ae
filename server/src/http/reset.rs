//! The reset of a group's offsets, as its page posts it: `POST /groups/NAME/reset`.

use super::AppState;
use app::{ResetOutcome, shell};
use axum::{
    body::{Body, Bytes},
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use leptos::prelude::provide_context;
use std::sync::Arc;
use wire::{ResetError, ResetRow};

/// `POST /groups/{name}/reset`: does what its dry run showed, and renders the page with what came of it.
pub(super) async fn reset(State(state): State<AppState>, Path(group): Path<String>, body: Bytes) -> Response {
    let outcome = match rows(&body) {
        None => ResetOutcome::Unsure,
        Some(rows) => match state.engine.reset(&group, &rows).await {
            Ok(results) => ResetOutcome::Done(results),
            Err(error) => ResetOutcome::Failed(error),
        },
    };
    let status = match &outcome {
        ResetOutcome::Done(_) => StatusCode::OK,
        ResetOutcome::Unsure => StatusCode::UNPROCESSABLE_ENTITY,
        ResetOutcome::Failed(ResetError::Active { .. }) => StatusCode::CONFLICT,
        ResetOutcome::Failed(_) => StatusCode::BAD_GATEWAY,
    };
    let address = format!("{}/reset", app::group_path(&group));
    let (engine, options) = (Arc::clone(&state.engine), state.leptos.clone());
    let page = leptos_axum::render_app_async_with_context(
        move || {
            provide_context(Arc::clone(&engine));
            provide_context(outcome.clone());
        },
        move || shell(options.clone()),
    );
    let Ok(request) = Request::get(address).body(Body::empty()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = page(request).await;
    *response.status_mut() = status;
    response
}

/// The rows that were shown, if someone ticked that they know what it means.
fn rows(body: &[u8]) -> Option<Vec<ResetRow>> {
    let (mut topic, mut places, mut is_sure) = (String::new(), Vec::new(), false);
    for (field, value) in url::form_urlencoded::parse(body) {
        match field.as_ref() {
            "topic" => topic = value.into_owned(),
            "row" => {
                let (partition, to) = value.split_once(':')?;
                places.push((partition.parse().ok()?, to.parse().ok()?));
            }
            "sure" => is_sure = true,
            _ => {}
        }
    }
    let row = |(partition, to)| ResetRow { topic: topic.clone(), partition, committed: None, to };
    (is_sure && !places.is_empty()).then(|| places.into_iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_needs_the_tick_and_rows() {
        let rows = |body: &str| rows(body.as_bytes()).map(|rows| rows.len());
        assert_eq!(rows("topic=t&row=0%3A5&row=1%3A7&sure=on"), Some(2));
        assert_eq!(rows("topic=t&row=0%3A5"), None);
        assert_eq!(rows("topic=t&sure=on"), None);
        assert_eq!(rows("topic=t&row=0%3Ax&sure=on"), None);
    }
}
