//! Consumer groups: where they are, moving them, and deleting them or their offsets.

#![allow(unused_qualifications, reason = "utoipa's macro writes them")]

use super::Confirmed;
use crate::http::{
    extract::{Address, Body, Params},
    problem::Problem,
};
use axum::{Json, extract::State};
use engine::{Engine, Patience};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, sync::Arc};
use utoipa::ToSchema;
use wire::{Group, GroupSummary, ResetHow, ResetInput, ResetPlan, ResetRow, ResetTo, SeekFault, SeekResult};

/// Where a group is to go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The topic.
    #[schema(min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$", example = "test-topic")]
    topic: String,
    /// The partitions; none: all.
    #[serde(default)]
    partitions: Vec<i32>,
    /// Where to go on.
    #[schema(value_type = wire::schema::ResetTo)]
    to: ResetTo,
    /// Do it. Without it the answer says what would be done.
    #[serde(default)]
    execute: bool,
}

/// What a reset would do, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reset {
    /// Per partition, sorted.
    rows: Vec<ResetRow>,
    /// How it would be, or was done.
    how: ResetHow,
    /// What came of it, per partition. Null where it was not to be done.
    results: Option<Vec<SeekResult>>,
}

/// A feed that reads again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Replay {
    /// The feed's name.
    feed: String,
    /// Its stream of server-sent events.
    stream: String,
}

/// The consumer groups
#[utoipa::path(get, path = "/api/v1/groups", tag = "groups", responses(
    (status = 200, description = "Sorted by name", body = Vec<GroupSummary>),
    (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
    (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(State(engine): State<Arc<Engine>>) -> Result<Json<Vec<GroupSummary>>, Problem> {
    Ok(Json(engine.groups(Patience::Program).await?))
}

/// One consumer group
///
/// Its members, what each owns, and how far each partition is.
#[utoipa::path(get, path = "/api/v1/groups/{group}", tag = "groups",
    params(("group" = String, Path, description = "Its name, `group.id`", min_length = 1)),
    responses(
        (status = 200, description = "As it is now", body = Group),
        (status = 404, description = "There is no such group", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn one(
    State(engine): State<Arc<Engine>>,
    Address(group): Address<String>,
) -> Result<Json<Group>, Problem> {
    let found = engine
        .group(&group, Patience::Program)
        .await?
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "unknown-group", format!("there is no group {group:?}")))?;
    Ok(Json(found))
}

/// Delete a group
///
/// With all that it has committed. Kafka deletes none that has members.
#[utoipa::path(delete, path = "/api/v1/groups/{group}", tag = "groups",
    params(Confirmed, ("group" = String, Path, description = "Its name, `group.id`", min_length = 1)),
    responses(
        (status = 204, description = "It is deleted"),
        (status = 404, description = "There is no such group", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The group has members", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The name was not confirmed", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete(
    State(engine): State<Arc<Engine>>,
    Address(group): Address<String>,
    Params(Confirmed { confirm }): Params<Confirmed>,
) -> Result<StatusCode, Problem> {
    engine.delete_group(&group, &confirm).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a group's offsets of a topic
///
/// The group begins there as if it had never been. Nobody of it may be subscribed to the topic.
#[utoipa::path(delete, path = "/api/v1/groups/{group}/offsets/{topic}", tag = "groups",
    params(
        Confirmed,
        ("group" = String, Path, description = "Its name, `group.id`", min_length = 1),
        ("topic" = String, Path, description = "The topic's name", min_length = 1, max_length = 249, pattern = "^[a-zA-Z0-9._-]+$", example = "test-topic"),
    ),
    responses(
        (status = 204, description = "They are deleted"),
        (status = 404, description = "There is no such group, or it has committed nothing of the topic", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The group is subscribed to the topic", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The name was not confirmed", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete_offsets(
    State(engine): State<Arc<Engine>>,
    Address((group, topic)): Address<(String, String)>,
    Params(Confirmed { confirm }): Params<Confirmed>,
) -> Result<StatusCode, Problem> {
    engine.delete_offsets(&group, &topic, &confirm).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Move a group
///
/// While instances of Ottla consume the group, the owner of each partition moves; an empty group's offsets are committed for it. A
/// group with other active members is not moved. Without `execute` nothing changes.
#[utoipa::path(post, path = "/api/v1/groups/{group}/reset", tag = "groups", request_body = Wanted,
    params(("group" = String, Path, description = "Its name, `group.id`", min_length = 1)),
    responses(
        (status = 200, description = "What would be done; or it is done, in every partition", body = Reset),
        (status = 207, description = "Some partitions were not moved: their results say why", body = Reset),
        (status = 409, description = "The group has active members that are not instances of Ottla, or no partition was moved", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field broke a rule, or there is no such topic or partition", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka, or every partition's owner, did not answer in time", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reset(
    State(engine): State<Arc<Engine>>,
    Address(group): Address<String>,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<Reset>), Problem> {
    let execute = wanted.execute;
    let ResetPlan { rows, how } = engine.plan_reset(&wanted.of(&group)?).await?;
    let results = if execute { Some(engine.reset(&group, &rows).await?) } else { None };
    let status = status(results.as_deref().unwrap_or_default())?;
    Ok((status, Json(Reset { rows, how, results })))
}

/// What a reset with these results is answered with: all are moved, or some. None: that is a problem.
fn status(results: &[SeekResult]) -> Result<StatusCode, Problem> {
    let failed: Vec<_> = results.iter().filter(|result| result.to.is_none()).collect();
    match failed.len() {
        0 => return Ok(StatusCode::OK),
        some if some < results.len() => return Ok(StatusCode::MULTI_STATUS),
        _ => {}
    }
    let reason = |result: &SeekResult| result.error.clone().unwrap_or_default();
    let why = |result: &&SeekResult| format!("{}[{}]: {}", result.topic, result.partition, reason(result));
    let detail = failed.iter().map(why).collect::<Vec<_>>().join("; ");
    Err(if failed.iter().all(|result| result.fault == Some(SeekFault::Unanswered)) {
        Problem::new(StatusCode::GATEWAY_TIMEOUT, "owners-timed-out", detail)
    } else {
        Problem::new(StatusCode::CONFLICT, "not-moved", detail)
    })
}

/// Read again beside a group
///
/// Begins a feed with a new group of its own there. The group itself stays where it is. `execute` says nothing here.
#[utoipa::path(post, path = "/api/v1/groups/{group}/replay", tag = "groups", request_body = Wanted,
    params(("group" = String, Path, description = "Its name, `group.id`", min_length = 1)),
    responses(
        (status = 201, description = "The feed runs", body = Replay, headers(("location" = String, description = "The feed"))),
        (status = 409, description = "There are as many replays as there may be", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field broke a rule, or there is no such topic or partition", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "Kafka did not answer in time", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn replay(
    State(engine): State<Arc<Engine>>,
    Address(group): Address<String>,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, [(header::HeaderName, HeaderValue); 1], Json<Replay>), Problem> {
    let plan = engine.plan_reset(&wanted.of(&group)?).await?;
    let feed = engine.replay_apart(&plan.rows).await?;
    let place = format!("/api/v1/feeds/{feed}");
    let stream = format!("{place}/stream");
    // A replay's name is of letters, digits and dashes.
    let location = HeaderValue::try_from(place).unwrap_or(HeaderValue::from_static("/api/v1/feeds"));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(Replay { feed, stream })))
}

impl Wanted {
    fn of(self, group: &str) -> Result<ResetInput, Problem> {
        let Self { topic, partitions, to, .. } = self;
        let mut known = HashSet::new();
        let twice = partitions.iter().enumerate().filter(|(_, partition)| !known.insert(**partition));
        let twice: Vec<_> =
            twice.map(|(at, _)| (format!("partitions[{at}]"), "stands there twice".to_owned())).collect();
        if !twice.is_empty() {
            return Err(Problem::invalid(twice));
        }
        Ok(ResetInput { group: group.into(), topic, partitions, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_reset_that_did_a_part_is_no_success_and_one_that_did_nothing_a_problem() {
        let done = |partition| SeekResult { topic: "t".into(), partition, to: Some(5), error: None, fault: None };
        let failed = |partition, fault| SeekResult::failed("t".into(), partition, fault);
        let late = |partition| failed(partition, SeekFault::Unanswered);
        let taken = |partition| failed(partition, SeekFault::TakenOver { by: "b".into(), from: "a".into() });
        assert_eq!(status(&[]).unwrap(), StatusCode::OK, "nothing was to be done");
        assert_eq!(status(&[done(0), done(1)]).unwrap(), StatusCode::OK);
        assert_eq!(status(&[done(0), late(1)]).unwrap(), StatusCode::MULTI_STATUS);
        let problem = |results: &[SeekResult]| serde_json::to_value(status(results).unwrap_err()).unwrap();
        let nobody = problem(&[late(0), late(1)]);
        assert_eq!((&nobody["status"], &nobody["type"]), (&json!(504), &json!("/api/docs#owners-timed-out")));
        let refused: Value = problem(&[late(0), taken(1)]);
        assert_eq!((&refused["status"], &refused["type"]), (&json!(409), &json!("/api/docs#not-moved")));
        assert!(refused["detail"].as_str().unwrap().contains("; t[1]: not done: b has taken"), "{refused}");
    }
}
