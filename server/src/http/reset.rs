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
    let posted = Posted::read(&body);
    let outcome = match posted.rows.as_slice() {
        rows @ [_, ..] if posted.is_sure => match state.engine.reset(&group, rows).await {
            Ok(results) => ResetOutcome::Done(results),
            Err(error) => ResetOutcome::Failed(error),
        },
        _ => ResetOutcome::Unsure,
    };
    page(&state, &headers, &group, &posted, outcome).await
}

/// `POST /groups/{name}/replay`: begins a feed at these offsets with a group of its own, and leads to it.
pub(super) async fn replay(
    State(state): State<AppState>,
    Path(group): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let posted = Posted::read(&body);
    if posted.rows.is_empty() {
        return page(&state, &headers, &group, &posted, ResetOutcome::Unsure).await;
    }
    match state.engine.replay_apart(&posted.rows).await {
        Ok(feed) => Redirect::to(&format!("/?feed={feed}")).into_response(),
        Err(error) => page(&state, &headers, &group, &posted, ResetOutcome::Failed(error)).await,
    }
}

/// The page, with what came of it and what was asked for; where nothing was done, with the plan once more.
async fn page(state: &AppState, headers: &HeaderMap, group: &str, posted: &Posted, outcome: ResetOutcome) -> Response {
    let status = match &outcome {
        ResetOutcome::Done(_) => StatusCode::OK,
        ResetOutcome::Unsure => StatusCode::UNPROCESSABLE_ENTITY,
        ResetOutcome::Failed(error) => Problem::from(error.clone()).status(),
    };
    let is_done = matches!(outcome, ResetOutcome::Done(_));
    let address = format!("{}/reset?{}", app::group_path(group), posted.query(!is_done));
    outcome::page(state, headers, &address, status, outcome).await
}

/// What a form of the page sends.
struct Posted {
    /// What was shown; nothing where what was posted is no reset.
    rows: Vec<ResetRow>,
    /// Whether someone ticked that they know what it means.
    is_sure: bool,
    /// What the plan was for, as the page's address has it.
    asked: Vec<(String, String)>,
}

impl Posted {
    fn read(body: &[u8]) -> Self {
        let (mut topic, mut places, mut is_sure, mut asked) = (String::new(), Vec::new(), false, Vec::new());
        for (field, value) in url::form_urlencoded::parse(body) {
            match field.as_ref() {
                "row" => places.push(place(&value)),
                "sure" => is_sure = true,
                "to" | "value" | "topic" | "partitions" => {
                    if field == "topic" {
                        topic = value.clone().into_owned();
                    }
                    asked.push((field.into_owned(), value.into_owned()));
                }
                _ => {}
            }
        }
        let row = |(partition, to)| ResetRow { topic: topic.clone(), partition, committed: None, to };
        let places: Option<Vec<_>> = places.into_iter().collect();
        let rows = places.unwrap_or_default().into_iter().map(row).collect();
        Self { rows, is_sure, asked }
    }

    /// The query of the page that shows what was asked for, and what that would do where the plan is wanted.
    fn query(&self, wants_plan: bool) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.asked);
        if wants_plan && self.asked.iter().any(|(field, _)| field == "to") {
            query.append_pair("preview", "1");
        }
        query.finish()
    }
}

/// `0:5`: a partition and where it goes on.
fn place(row: &str) -> Option<(i32, i64)> {
    let (partition, to) = row.split_once(':')?;
    Some((partition.parse().ok()?, to.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_needs_the_tick_and_rows() {
        let read = |body: &str| {
            let posted = Posted::read(body.as_bytes());
            (posted.rows.len(), posted.is_sure)
        };
        assert_eq!(read("topic=t&row=0%3A5&row=1%3A7&sure=on"), (2, true));
        assert_eq!(read("topic=t&row=0%3A5"), (1, false));
        assert_eq!(read("topic=t&sure=on"), (0, true));
        assert_eq!(read("topic=t&row=0%3A5&row=0%3Ax&sure=on"), (0, true), "a part of it is no reset either");
    }

    #[test]
    fn what_was_asked_for_comes_back_and_the_plan_where_nothing_was_done() {
        let posted = Posted::read("to=shift&value=-100&topic=a+b&partitions=0-5%2C+7&row=0%3A5".as_bytes());
        let asked = "to=shift&value=-100&topic=a+b&partitions=0-5%2C+7";
        assert_eq!(posted.query(true), format!("{asked}&preview=1"));
        assert_eq!(posted.query(false), asked);
        // Who posts no more than the rows has no plan to see again.
        assert_eq!(Posted::read(b"topic=t&row=0%3A5").query(true), "topic=t");
    }
}
