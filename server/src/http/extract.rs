//! Reading what a program sends in the address and in the body: what can't be read is a problem that names the field and the rule.

use super::problem::Problem;
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
};
use http::{StatusCode, request::Parts};
use serde::de::DeserializeOwned;

/// A body of JSON, whatever its content type is: the guard has looked at that.
pub(crate) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| Problem::new(error.status(), "body", error.body_text()))?;
        read(&bytes).map(Self)
    }
}

/// The parts of the path.
pub(crate) struct Address<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Address<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(path)| Self(path)).map_err(|error| Problem::new(error.status(), "address", error.body_text()))
    }
}

/// The parameters after the `?`.
pub(crate) struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        query
            .map(|Query(query)| Self(query))
            .map_err(|error| Problem::new(error.status(), "address", error.body_text()))
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        let error = error.into_inner();
        match error.classify() {
            serde_json::error::Category::Data => {
                let rule = without_place(&error.to_string());
                Problem::invalid([(if field == "." { "body".into() } else { field }, rule)])
            }
            _ => not_json(&error),
        }
    })?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "not-json", format!("the body must be JSON: {error}"))
}

/// serde's words without the line and the column: the field says where.
fn without_place(text: &str) -> String {
    text.split(" at line ").next().unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[expect(dead_code, reason = "only read")]
        count: u32,
    }

    fn problem(body: &str) -> serde_json::Value {
        serde_json::to_value(read::<Order>(body.as_bytes()).unwrap_err()).unwrap()
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = problem(r#"{"count": -1}"#);
        assert_eq!(wrong["status"], 422);
        assert_eq!(wrong["errors"][0]["field"], "count");
        assert_eq!(wrong["errors"][0]["rule"], "invalid value: integer `-1`, expected u32");
        assert_eq!(problem("{}")["errors"][0]["rule"], "missing field `count`");
        assert_eq!(problem("{")["status"], 400);
        assert_eq!(problem(r#"{"count": 1} {}"#)["type"], "not-json");
    }
}
