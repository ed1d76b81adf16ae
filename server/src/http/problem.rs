//! Errors for programs: problem details (RFC 9457), with the field and the rule where a field is wrong.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use engine::{AgainError, BrowseError};
use http::{HeaderValue, StatusCode, header};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use wire::{GroupError, ProduceError, ReadError, ResetError, TopicError, TopicRule};

/// Every kind of problem, and what it is in general. The API's description lists them, for that is where their addresses lead.
pub(super) const KINDS: [(&str, &str); 39] = [
    ("address", "The address can't be read"),
    ("bad-cursor", "The cursor can't be read"),
    ("bad-subscription", "The filter can't be read, or asks for what the feed has not"),
    ("body", "The body can't be taken"),
    ("busy", "There is no room for it now"),
    ("compacted-topic", "Its records are compacted, not deleted"),
    ("content-type", "The content type says nothing of how to read the body"),
    ("deleted", "The record is deleted"),
    ("foreign-host", "This server is not called so"),
    ("foreign-origin", "Another site may not do this"),
    ("group-active", "The group is in use"),
    ("held", "Nothing is wrong with it, and it was not sent"),
    ("hole", "There is no record at this offset"),
    ("invalid", "Fields broke a rule"),
    ("kafka-failed", "Kafka could not do it"),
    ("kafka-refused", "Kafka refused"),
    ("kafka-timed-out", "Kafka does not answer"),
    ("method-not-allowed", "The address has other methods"),
    ("no-metrics", "The metrics can't be written"),
    ("no-subprotocol", "The subprotocol is missing"),
    ("no-websocket", "This is no WebSocket"),
    ("not-found", "There is no such address"),
    ("not-json", "The body is no JSON"),
    ("not-moved", "No partition was moved"),
    ("not-rows", "The body holds no rows"),
    ("not-yet", "The record is not written yet"),
    ("nothing-committed", "The group has committed nothing there"),
    ("owners-timed-out", "No owner answered"),
    ("partitions-unread", "Partitions can't be read"),
    ("partly-done", "A part of it was done"),
    ("read-only", "This instance changes nothing"),
    ("too-many", "There are too many of them"),
    ("too-many-replays", "There are as many replays as there may be"),
    ("topic-exists", "There is such a topic already"),
    ("unknown-feed", "There is no such feed"),
    ("unknown-file", "There is no such file"),
    ("unknown-group", "There is no such group"),
    ("unknown-place", "There is no such topic or partition"),
    ("unknown-topic", "There is no such topic"),
];

/// Where they are described: what a problem's type begins with. From the root on, for it must not depend on the address that was asked
/// (RFC 9457, section 3.1.1).
const DESCRIBED: &str = "/api/docs#";

/// A problem, as `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What kind: an address that stays the same, below which the API's description tells of it.
    #[serde(serialize_with = "described")]
    #[schema(value_type = String, format = "uri-reference", example = "/api/docs#invalid")]
    r#type: &'static str,
    /// What problems of this kind are in general.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, for a person.
    detail: String,
    /// The fields that broke a rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

/// A field that broke a rule.
#[derive(Debug, Serialize, ToSchema)]
struct FieldProblem {
    /// Where it is in what was sent.
    field: String,
    /// What it must be.
    rule: String,
}

impl Problem {
    /// A problem of a kind that stands in [`KINDS`].
    pub(super) fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        let title = KINDS.iter().find(|(known, _)| *known == kind).map(|(_, title)| *title);
        Self {
            r#type: kind,
            title: title.or(status.canonical_reason()).unwrap_or_default(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// What a page about it is answered with, too.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Fields that broke a rule, each with the rule.
    pub(super) fn invalid(fields: impl IntoIterator<Item = (String, String)>) -> Self {
        let errors: Vec<_> = fields.into_iter().map(|(field, rule)| FieldProblem { field, rule }).collect();
        let detail: Vec<_> = errors.iter().map(|FieldProblem { field, rule }| format!("{field}: {rule}")).collect();
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail.join("; ")) }
    }

    /// One field that broke a rule, in a problem of another status and kind.
    pub(super) fn field(
        status: StatusCode,
        kind: &'static str,
        field: impl Into<String>,
        rule: impl Into<String>,
    ) -> Self {
        let Self { detail, errors, .. } = Self::invalid([(field.into(), rule.into())]);
        Self { errors, ..Self::new(status, kind, detail) }
    }
}

fn described<S: Serializer>(kind: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{DESCRIBED}{kind}"))
}

impl From<ProduceError> for Problem {
    fn from(error: ProduceError) -> Self {
        let detail = error.to_string();
        match error {
            ProduceError::Invalid(fields) => {
                let fields = fields.into_iter().map(|error| (error.field.to_string(), error.rule.to_string()));
                Self { detail, ..Self::invalid(fields) }
            }
            ProduceError::Refused { .. } => Self::new(StatusCode::BAD_GATEWAY, "kafka-refused", detail),
            ProduceError::TimedOut { .. } => Self::new(StatusCode::GATEWAY_TIMEOUT, "kafka-timed-out", detail),
        }
    }
}

impl From<AgainError> for Problem {
    fn from(error: AgainError) -> Self {
        match error {
            AgainError::Read(error) => error.into(),
            AgainError::Produce(error) => error.into(),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let (status, kind) = match &error {
            ReadError::UnknownTopic { .. } | ReadError::UnknownPartition { .. } => {
                (StatusCode::NOT_FOUND, "unknown-place")
            }
            ReadError::Deleted { .. } => (StatusCode::NOT_FOUND, "deleted"),
            ReadError::NotYet { .. } => (StatusCode::NOT_FOUND, "not-yet"),
            ReadError::Hole { .. } => (StatusCode::NOT_FOUND, "hole"),
            ReadError::Kafka { .. } => (StatusCode::GATEWAY_TIMEOUT, "kafka-timed-out"),
            ReadError::Refused(_) => (StatusCode::BAD_GATEWAY, "kafka-refused"),
        };
        Self::new(status, kind, error.to_string())
    }
}

impl From<BrowseError> for Problem {
    fn from(error: BrowseError) -> Self {
        match error {
            BrowseError::Invalid(faults) => {
                Self::invalid(faults.into_iter().map(|fault| (fault.field.name().to_owned(), fault.rule.to_string())))
            }
            BrowseError::Read(error) => error.into(),
            BrowseError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", error.to_string()),
        }
    }
}

impl From<ResetError> for Problem {
    fn from(error: ResetError) -> Self {
        let detail = error.to_string();
        match error {
            ResetError::UnknownTopic { .. } => Self::invalid([("topic".into(), detail)]),
            ResetError::UnknownPartition { .. } => Self::invalid([("partitions".into(), detail)]),
            ResetError::Active { .. } => Self::new(StatusCode::CONFLICT, "group-active", detail),
            ResetError::TooMany { .. } => Self::new(StatusCode::CONFLICT, "too-many-replays", detail),
            ResetError::Kafka { .. } => Self::new(StatusCode::BAD_GATEWAY, "kafka-failed", detail),
            ResetError::Unread { .. } | ResetError::Unanswered { .. } => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "kafka-timed-out", detail)
            }
        }
    }
}

impl From<GroupError> for Problem {
    fn from(error: GroupError) -> Self {
        let detail = error.to_string();
        match error {
            GroupError::Confirm { group } => {
                Self { detail, ..Self::invalid([("confirm".into(), format!("must be the group's name, {group}"))]) }
            }
            GroupError::Unknown { .. } => Self::new(StatusCode::NOT_FOUND, "unknown-group", detail),
            GroupError::NothingCommitted { .. } => Self::new(StatusCode::NOT_FOUND, "nothing-committed", detail),
            GroupError::InUse { .. } => Self::new(StatusCode::CONFLICT, "group-active", detail),
            GroupError::Refused { .. } => Self::new(StatusCode::BAD_GATEWAY, "kafka-refused", detail),
            GroupError::Unanswered { .. } | GroupError::Unread { .. } => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "kafka-timed-out", detail)
            }
        }
    }
}

impl From<TopicError> for Problem {
    fn from(error: TopicError) -> Self {
        let detail = error.to_string();
        match error {
            // Nothing else is wrong with it: a program that only wants it to be there goes on.
            TopicError::Invalid(fields) if matches!(&fields[..], [only] if only.rule == TopicRule::Exists) => {
                let (field, rule) = (fields[0].field.to_string(), fields[0].rule.to_string());
                Self { detail, ..Self::field(StatusCode::CONFLICT, "topic-exists", field, rule) }
            }
            TopicError::Invalid(fields) => {
                let fields = fields.into_iter().map(|error| (error.field.to_string(), error.rule.to_string()));
                Self { detail, ..Self::invalid(fields) }
            }
            TopicError::Unknown { .. } => Self::new(StatusCode::NOT_FOUND, "unknown-topic", detail),
            TopicError::Refused { .. } => Self::new(StatusCode::BAD_GATEWAY, "kafka-refused", detail),
            TopicError::Compacted => Self::new(StatusCode::CONFLICT, "compacted-topic", detail),
            TopicError::Partly { .. } => Self::new(StatusCode::BAD_GATEWAY, "partly-done", detail),
            TopicError::Unanswered { .. } | TopicError::Unread { .. } => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "kafka-timed-out", detail)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        if matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) {
            tracing::warn!(
                status = self.status,
                kind = self.r#type,
                cause = self.detail,
                "Kafka could not be had for a program"
            );
        }
        let mut response = (status, Json(self)).into_response();
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        let more = match status {
            // What can be had instead (RFC 6455, section 4.4): nothing else is answered so.
            StatusCode::UPGRADE_REQUIRED => Some((header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))),
            // A turn takes a quarter of a second, and a few are before it.
            StatusCode::SERVICE_UNAVAILABLE => Some((header::RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => None,
        };
        response.headers_mut().extend(more);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};
    use wire::{TopicField, TopicFieldError};

    /// What stands in these files between a status and the next quote: the kinds that are answered.
    fn kinds_in(folder: &Path, kinds: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                kinds_in(&path, kinds);
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            for after in text.split("StatusCode::").skip(1) {
                let name = after.trim_start_matches(|c: char| c.is_ascii_uppercase() || c == '_');
                let kind = name.strip_prefix(',').and_then(|rest| rest.trim_start().strip_prefix('"'));
                let kind = kind.and_then(|kind| kind.split('"').next());
                kinds.extend(kind.filter(|kind| !kind.contains(' ')).map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_kind_that_is_answered_is_described_and_no_other() {
        let mut kinds = BTreeSet::new();
        kinds_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"), &mut kinds);
        // No status stands before it.
        kinds.insert("no-websocket".into());
        let described: Vec<_> = KINDS.iter().map(|(kind, _)| (*kind).to_owned()).collect();
        assert_eq!(described, kinds.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_topic_that_exists_is_a_conflict_while_nothing_else_is_wrong() {
        let exists = TopicFieldError { field: TopicField::Name, rule: TopicRule::Exists };
        let replicas = TopicFieldError { field: TopicField::Replication, rule: TopicRule::Replicas { brokers: 1 } };
        let told = |fields: &[TopicFieldError]| {
            serde_json::to_value(Problem::from(TopicError::Invalid(fields.to_vec()))).unwrap()
        };
        let conflict = told(std::slice::from_ref(&exists));
        assert_eq!((&conflict["status"], &conflict["type"]), (&409.into(), &"/api/docs#topic-exists".into()));
        assert_eq!(conflict["errors"][0]["field"], "name");
        let both = told(&[exists, replicas]);
        assert_eq!((&both["status"], both["errors"].as_array().map(Vec::len)), (&422.into(), Some(2)));
    }

    #[test]
    fn a_problem_says_when_to_come_again_and_what_it_is_in_general() {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "why");
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!((&json["type"], &json["title"]), (&"/api/docs#busy".into(), &"There is no room for it now".into()));
        assert_eq!(problem.into_response().headers()["retry-after"], "1");
    }
}
