//! Errors for programs: problem details (RFC 9457), with the field and the rule where a field is wrong.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use wire::ProduceError;

/// A problem, as `application/problem+json`.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    /// What kind, as a fragment that stays the same.
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

/// A field that broke a rule.
#[derive(Debug, Serialize)]
struct FieldProblem {
    field: String,
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
}

impl From<ProduceError> for Problem {
    fn from(error: ProduceError) -> Self {
        let detail = error.to_string();
        match error {
            ProduceError::Invalid(fields) => {
                let errors = fields
                    .into_iter()
                    .map(|error| FieldProblem { field: error.field.to_string(), rule: error.rule.to_string() })
                    .collect();
                Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail) }
            }
            ProduceError::Refused { .. } => Self::new(StatusCode::BAD_GATEWAY, "kafka-refused", detail),
            ProduceError::TimedOut { .. } => Self::new(StatusCode::GATEWAY_TIMEOUT, "kafka-timed-out", detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
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
