//! Errors for programs: problem details (RFC 9457), with the field and the rule where a field is wrong.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use engine::{AgainError, BrowseError};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use wire::{GroupError, ProduceError, ReadError, ResetError, TopicError};

/// A problem, as `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What kind, as a fragment that stays the same.
    r#type: &'static str,
    /// The status in words.
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
    /// A problem of the kind `kind`, a fragment without `#`.
    pub(super) fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            r#type: kind,
            title: status.canonical_reason().unwrap_or_default(),
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
            ResetError::UnknownPartition { .. } => Self::invalid([("partitions".into(), detail)]),
            ResetError::Active { .. } => Self::new(StatusCode::CONFLICT, "group-active", detail),
            ResetError::TooMany { .. } => Self::new(StatusCode::CONFLICT, "too-many-replays", detail),
            ResetError::Kafka { .. } => Self::new(StatusCode::BAD_GATEWAY, "kafka-failed", detail),
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
            TopicError::Invalid(fields) => {
                let fields = fields.into_iter().map(|error| (error.field.to_string(), error.rule.to_string()));
                Self { detail, ..Self::invalid(fields) }
            }
            TopicError::Unknown { .. } => Self::new(StatusCode::NOT_FOUND, "unknown-topic", detail),
            TopicError::Refused { .. } => Self::new(StatusCode::BAD_GATEWAY, "kafka-refused", detail),
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
        let mut response = (status, Json(self)).into_response();
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        if status == StatusCode::UPGRADE_REQUIRED {
            // What can be had instead (RFC 6455, section 4.4): nothing else is answered so.
            response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }
}
