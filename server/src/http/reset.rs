//! The reset of a group's offsets, as its page posts it: `POST /groups/NAME/reset`.

use super::{AppState, outcome, problem::Problem};
use app::ResetOutcome;
use axum::{
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use wire::ResetRow;

/// `POST /groups/{name}/reset`: does what its dry run showed, and renders the page with what came of it.
pub(super) async fn reset(
    State(state): State<AppState>,
    Path(group): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let outcome = match Posted::read(&body) {
        Some(Posted { rows, is_sure: true }) => match state.engine.reset(&group, &rows).await {
            Ok(results) => ResetOutcome::Done(results),
            Err(error) => ResetOutcome::Failed(error),
        },
        _ => ResetOutcome::Unsure,
    };
    page(&state, &headers, &group, outcome).await
}

/// `POST /groups/{name}/replay`: begins a feed at these offsets with a group of its own, and leads to it.
pub(super) async fn replay(
    State(state): State<AppState>,
    Path(group): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(Posted { rows, .. }) = Posted::read(&body) else {
        return page(&state, &headers, &group, ResetOutcome::Unsure).await;
    };
    match state.engine.replay_apart(&rows).await {
        Ok(feed) => Redirect::to(&format!("/?feed={feed}")).into_response(),
        Err(error) => page(&state, &headers, &group, ResetOutcome::Failed(error)).await,
    }
}

/// The page, with what came of it.
async fn page(state: &AppState, headers: &HeaderMap, group: &str, outcome: ResetOutcome) -> Response {
    let status = match &outcome {
        ResetOutcome::Done(_) => StatusCode::OK,
        ResetOutcome::Unsure => StatusCode::UNPROCESSABLE_ENTITY,
        ResetOutcome::Failed(error) => Problem::from(error.clone()).status(),
    };
    let address = format!("{}/reset", app::group_path(group));
    outcome::page(state, headers, &address, status, outcome).await
}

/// What a form of the page sends.
struct Posted {
    /// What was shown: at least one.
    rows: Vec<ResetRow>,
    /// Whether someone ticked that they know what it means.
    is_sure: bool,
}

impl Posted {
    fn read(body: &[u8]) -> Option<Self> {
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
        let rows: Vec<_> = places.into_iter().map(row).collect();
        (!rows.is_empty()).then_some(Self { rows, is_sure })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_needs_the_tick_and_rows() {
        let read = |body: &str| Posted::read(body.as_bytes()).map(|posted| (posted.rows.len(), posted.is_sure));
        assert_eq!(read("topic=t&row=0%3A5&row=1%3A7&sure=on"), Some((2, true)));
        assert_eq!(read("topic=t&row=0%3A5"), Some((1, false)));
        assert_eq!(read("topic=t&sure=on"), None);
        assert_eq!(read("topic=t&row=0%3Ax&sure=on"), None);
    }
}
