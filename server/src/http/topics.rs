//! The forms of the topics' pages, as browsers post them without JavaScript: done, they lead to where it can be seen; refused, the
//! page comes again with what was typed and what is wrong with it.

use super::{AppState, outcome::page, problem::Problem};
use app::{ChangeForm, TopicAction, TopicForm, TopicOutcome, topic_path};
use axum::{
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use wire::{TopicError, check_topic_name};

/// `POST /topics`: makes a topic; or gives back the form with one line more for a setting.
pub(super) async fn create(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Response {
    let form = read_new(&body);
    if asks_for_a_line(&body) {
        return page(&state, &headers, "/topics?create=1", StatusCode::OK, TopicOutcome::OneMore(form)).await;
    }
    let made = match form.read() {
        Ok(input) => state.engine.create_topic(&input).await,
        Err(errors) => Err(TopicError::Invalid(errors)),
    };
    match made {
        Ok(topic) => done(&topic_path(&topic.name), TopicDone::Created),
        Err(error) => {
            let status = Problem::from(error.clone()).status();
            page(&state, &headers, "/topics?create=1", status, TopicOutcome::NotCreated { form, error }).await
        }
    }
}

/// `POST /topics/{topic}/config`: changes a setting.
pub(super) async fn config(state: State<AppState>, topic: Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    change(state, topic, &headers, &body, TopicAction::Config).await
}

/// `POST /topics/{topic}/partitions`: adds partitions.
pub(super) async fn partitions(
    state: State<AppState>,
    topic: Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    change(state, topic, &headers, &body, TopicAction::Partitions).await
}

/// `POST /topics/{topic}/empty`: deletes all records.
pub(super) async fn empty(state: State<AppState>, topic: Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    change(state, topic, &headers, &body, TopicAction::Empty).await
}

/// `POST /topics/{topic}/delete`: deletes the topic.
pub(super) async fn delete(state: State<AppState>, topic: Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    change(state, topic, &headers, &body, TopicAction::Delete).await
}

async fn change(
    State(state): State<AppState>,
    Path(topic): Path<String>,
    headers: &HeaderMap,
    body: &[u8],
    action: TopicAction,
) -> Response {
    // No topic can have such a name, and it may be no address either.
    if check_topic_name(&topic).is_err() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (engine, form) = (&state.engine, read_change(body));
    let changed = match action {
        TopicAction::Config => engine.alter_topic_config(&topic, &[form.setting()]).await,
        TopicAction::Partitions => match form.partitions(&topic) {
            Ok(input) => engine.add_partitions(&topic, &input).await,
            Err(error) => Err(error),
        },
        TopicAction::Empty => engine.empty_topic(&topic, &form.confirm).await.map(|_| ()),
        TopicAction::Delete => engine.delete_topic(&topic, &form.confirm).await,
    };
    let address = topic_path(&topic);
    match (changed, action) {
        (Ok(()), TopicAction::Config) => done(&address, TopicDone::Changed("config", "#config")),
        (Ok(()), TopicAction::Delete) => Redirect::to(&format!("/topics?deleted={topic}")).into_response(),
        (Ok(()), action) => done(&address, TopicDone::Changed(action.name(), "")),
        (Err(error), action) => {
            let status = Problem::from(error.clone()).status();
            page(&state, headers, &address, status, TopicOutcome::NotChanged { action, form, error }).await
        }
    }
}

/// What was done.
enum TopicDone {
    Created,
    /// By its name in the address, and which part of the page shows it.
    Changed(&'static str, &'static str),
}

fn done(address: &str, what: TopicDone) -> Response {
    let (name, part) = match what {
        TopicDone::Created => ("created", ""),
        TopicDone::Changed(name, part) => (name, part),
    };
    Redirect::to(&format!("{address}?done={name}{part}")).into_response()
}

/// Whether a form's button for one line more was pressed.
fn asks_for_a_line(body: &[u8]) -> bool {
    url::form_urlencoded::parse(body).any(|(field, _)| field == "more")
}

fn read_new(body: &[u8]) -> TopicForm {
    let mut form = TopicForm::default();
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (field, value) in url::form_urlencoded::parse(body) {
        let value = value.into_owned();
        match field.as_ref() {
            "name" => form.name = value,
            "partitions" => form.partitions = value,
            "replication" => form.replication = value,
            "config_name" => names.push(value),
            "config_value" => values.push(value),
            _ => {}
        }
    }
    values.resize(names.len(), String::new());
    form.config = names.into_iter().zip(values).collect();
    form
}

fn read_change(body: &[u8]) -> ChangeForm {
    let mut form = ChangeForm::default();
    for (field, value) in url::form_urlencoded::parse(body) {
        let value = value.into_owned();
        match field.as_ref() {
            "confirm" => form.confirm = value,
            "partitions" => form.partitions = value,
            "setting" => form.setting = value,
            "value" => form.value = value,
            "default" => form.back_to_default = true,
            _ => {}
        }
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_read_as_they_were_typed() {
        let new = read_new(
            b"name=a.b&partitions=6&replication=&config_name=retention.ms&config_value=1+000&config_name=&config_value=&config_name=x",
        );
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = TopicForm {
            name: "a.b".into(),
            partitions: "6".into(),
            replication: String::new(),
            config: vec![pair("retention.ms", "1 000"), pair("", ""), pair("x", "")],
        };
        assert_eq!(new, expected);
        let change = read_change(b"confirm=a%20b&partitions=7&setting=s&value=v&default=1&nonsense=1");
        let expected = ChangeForm {
            confirm: "a b".into(),
            partitions: "7".into(),
            setting: "s".into(),
            value: "v".into(),
            back_to_default: true,
        };
        assert_eq!(change, expected);
    }
}
