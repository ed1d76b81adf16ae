//! The forms of a group's page that delete, as browsers post them without JavaScript: done, they lead to where it can be seen; refused,
//! the page comes again with what was chosen and why. Its reset is in `reset.rs`.

use super::{AppState, outcome::page, problem::Problem};
use app::{GroupAction, GroupForm, GroupOutcome, group_path};
use axum::{
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use http::HeaderMap;

/// `POST /groups/{name}/delete`: deletes the group.
pub(super) async fn delete(state: State<AppState>, group: Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    change(state, group, &headers, &body, GroupAction::Delete).await
}

/// `POST /groups/{name}/offsets`: deletes its offsets of a topic.
pub(super) async fn offsets(state: State<AppState>, group: Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    change(state, group, &headers, &body, GroupAction::Offsets).await
}

async fn change(
    State(state): State<AppState>,
    Path(group): Path<String>,
    headers: &HeaderMap,
    body: &[u8],
    action: GroupAction,
) -> Response {
    let (engine, form) = (&state.engine, read(body));
    let (changed, seen_at) = match action {
        GroupAction::Delete => {
            let deleted = url::form_urlencoded::byte_serialize(group.as_bytes());
            (
                engine.delete_group(&group, &form.confirm).await,
                format!("/groups?deleted={}", deleted.collect::<String>()),
            )
        }
        GroupAction::Offsets => (
            engine.delete_offsets(&group, &form.topic, &form.confirm).await,
            format!("{}?done={}", group_path(&group), action.name()),
        ),
    };
    match changed {
        Ok(()) => Redirect::to(&seen_at).into_response(),
        Err(error) => {
            let status = Problem::from(error.clone()).status();
            page(&state, headers, &group_path(&group), status, GroupOutcome { action, form, error }).await
        }
    }
}

fn read(body: &[u8]) -> GroupForm {
    let mut form = GroupForm::default();
    for (field, value) in url::form_urlencoded::parse(body) {
        match field.as_ref() {
            "confirm" => form.confirm = value.into_owned(),
            "topic" => form.topic = value.into_owned(),
            _ => {}
        }
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_as_it_was_typed() {
        let form = GroupForm { confirm: "a b".into(), topic: "orders".into() };
        assert_eq!(read(b"topic=orders&confirm=a+b&nonsense=1"), form);
    }
}
