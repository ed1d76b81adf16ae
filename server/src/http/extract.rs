//! Reading what a program sends in the address and in the body: what can't be read is a problem that names the field and the rule.

use super::problem::Problem;
use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Path, RawPathParams, Request,
        path::ErrorKind,
        rejection::{PathRejection, RawPathParamsRejection},
    },
};
use http::{StatusCode, request::Parts};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

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
        match Path::from_request_parts(parts, state).await {
            Ok(Path(path)) => Ok(Self(path)),
            Err(rejection) => {
                let names = RawPathParams::from_request_parts(parts, state).await;
                Err(not_a_path(&rejection, &names))
            }
        }
    }
}

/// The parameters after the `?`.
pub(crate) struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn read_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let query = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(query).map_err(|error| {
        let place = error.path().to_string();
        let rule = error.into_inner().to_string();
        Problem::field(StatusCode::BAD_REQUEST, "address", field(&place, &rule).unwrap_or("query".into()), rule)
    })
}

/// `names` are those that the route gives the parts.
fn not_a_path(rejection: &PathRejection, names: &Result<RawPathParams, RawPathParamsRejection>) -> Problem {
    let PathRejection::FailedToDeserializePathParams(error) = rejection else {
        return Problem::new(rejection.status(), "address", rejection.body_text());
    };
    let not_of = |value: &str, expected: &str| format!("invalid value: string {value:?}, expected {expected}");
    let name_of = |index: usize| names.as_ref().ok().and_then(|names| names.iter().nth(index)).map(|(name, _)| name);
    let (field, rule) = match error.kind() {
        ErrorKind::ParseErrorAtIndex { index, value, expected_type } => (name_of(*index), not_of(value, expected_type)),
        ErrorKind::ParseErrorAtKey { key, value, expected_type } => (Some(key.as_str()), not_of(value, expected_type)),
        ErrorKind::InvalidUtf8InPathParam { key } => (Some(key.as_str()), "must be UTF-8".into()),
        _ => (None, error.body_text()),
    };
    match field {
        Some(field) => Problem::field(error.status(), "address", field, rule),
        None => Problem::new(error.status(), "address", rule),
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let place = error.path().to_string();
        let error = error.into_inner();
        match error.classify() {
            serde_json::error::Category::Data => {
                let rule = without_place(&error.to_string());
                Problem::invalid([(field(&place, &rule).unwrap_or("body".into()), rule)])
            }
            _ => not_json(&error),
        }
    })?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

/// The field that broke a rule: where serde was, and, of one that is missing or there twice, the name that only its words have. None
/// where it is about everything.
fn field(place: &str, rule: &str) -> Option<String> {
    let place = (place != ".").then_some(place);
    let rest = ["missing field `", "duplicate field `"].iter().find_map(|words| rule.strip_prefix(words));
    let name = rest.and_then(|rest| rest.split_once('`')).map(|(name, _)| name);
    match (place, name) {
        (Some(place), Some(name)) => Some(format!("{place}.{name}")),
        (place, name) => place.or(name).map(Into::into),
    }
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

    #[derive(Debug, Deserialize)]
    struct Orders {
        #[expect(dead_code, reason = "only read")]
        orders: Vec<Order>,
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
        assert_eq!(problem("{")["status"], 400);
        assert_eq!(problem(r#"{"count": 1} {}"#)["type"], "/api/docs#not-json");
        assert_eq!(problem("1")["errors"][0]["field"], "body");
    }

    #[test]
    fn a_field_that_is_missing_or_there_twice_is_named_too() {
        let error = |field: &str, rule: &str| serde_json::json!([{"field": field, "rule": rule}]);
        assert_eq!(problem("{}")["errors"], error("count", "missing field `count`"));
        assert_eq!(problem(r#"{"count": 1, "count": 1}"#)["errors"], error("count", "duplicate field `count`"));
        let deep = read::<Orders>(br#"{"orders": [{"count": 1}, {}]}"#).unwrap_err();
        let deep = serde_json::to_value(deep).unwrap();
        assert_eq!(deep["errors"], error("orders[1].count", "missing field `count`"));
    }

    #[test]
    fn what_is_wrong_in_the_query_is_named() {
        for (query, field, rule) in [
            ("count=x", "count", "invalid digit found in string"),
            ("colour=red", "colour", "unknown field `colour`, expected `count`"),
            ("", "count", "missing field `count`"),
            ("count=1&count=2", "count", "duplicate field `count`"),
        ] {
            let problem = serde_json::to_value(read_query::<Order>(query).unwrap_err()).unwrap();
            assert_eq!((&problem["status"], &problem["type"]), (&400.into(), &"/api/docs#address".into()), "{query}");
            assert_eq!(problem["errors"], serde_json::json!([{"field": field, "rule": rule}]), "{query}");
            assert_eq!(problem["detail"], format!("{field}: {rule}"));
        }
    }
}
