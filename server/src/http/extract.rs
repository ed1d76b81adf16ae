//! Reading what a program sends in the address and in the body: what can't be read is a problem that names the field and the rule.

mod query;
mod rules;

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
use rules::{must_be, rule};
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
    serde_path_to_error::deserialize(query::deserializer(query)).map_err(|error| {
        let place = error.path().to_string();
        let said = error.into_inner().to_string();
        Problem::field(StatusCode::BAD_REQUEST, "address", field(&place, &said).unwrap_or("query".into()), rule(&said))
    })
}

/// `names` are those that the route gives the parts.
fn not_a_path(rejection: &PathRejection, names: &Result<RawPathParams, RawPathParamsRejection>) -> Problem {
    let PathRejection::FailedToDeserializePathParams(error) = rejection else {
        return Problem::new(rejection.status(), "address", rejection.body_text());
    };
    let name_of = |index: usize| names.as_ref().ok().and_then(|names| names.iter().nth(index)).map(|(name, _)| name);
    let (field, rule) = match error.kind() {
        ErrorKind::ParseErrorAtIndex { index, expected_type, .. } => (name_of(*index), must_be(expected_type)),
        ErrorKind::ParseErrorAtKey { key, expected_type, .. } => (Some(key.as_str()), must_be(expected_type)),
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
        let said = without_place(&error.to_string());
        let wrong = |rule: &str| Problem::invalid([(field(&place, &said).unwrap_or("body".into()), rule.into())]);
        match error.classify() {
            serde_json::error::Category::Data => wrong(&rule(&said)),
            // Where one of some names is wanted and something else stands there, the parser speaks as if that were no JSON.
            _ if said == "expected value" && is_json(bytes) => wrong("must be a string, or an object with one field"),
            _ => not_json(&error),
        }
    })?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

/// The field that broke a rule: where serde was, and, of one that is missing or there twice, the name that only its words have. None
/// where it is about everything.
fn field(place: &str, said: &str) -> Option<String> {
    let place = (place != ".").then_some(place);
    let rest = ["missing field `", "duplicate field `"].iter().find_map(|words| said.strip_prefix(words));
    let name = rest.and_then(|rest| rest.split_once('`')).map(|(name, _)| name);
    match (place, name) {
        (Some(place), Some(name)) => Some(format!("{place}.{name}")),
        (place, name) => place.or(name).map(Into::into),
    }
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "not-json", format!("the body must be JSON: {error}"))
}

/// serde's words without the line and the column: the field says where.
fn without_place(text: &str) -> String {
    text.rsplit_once(" at line ").map_or(text, |(said, _)| said).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::{Value, json};
    use wire::{Encoding, ResetTo};

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Order {
        count: u32,
        partition: Option<i32>,
        encoding: Encoding,
        is_gift: bool,
    }

    #[derive(Debug, Deserialize)]
    struct Orders {
        #[expect(dead_code, reason = "only read")]
        orders: Vec<Order>,
        #[expect(dead_code, reason = "only read")]
        to: ResetTo,
    }

    fn problem<T: DeserializeOwned + std::fmt::Debug>(body: &str) -> Value {
        serde_json::to_value(read::<T>(body.as_bytes()).unwrap_err()).unwrap()
    }

    #[test]
    fn what_is_no_json_is_another_thing_than_what_breaks_a_rule() {
        assert_eq!(problem::<Order>(r#"{"count": -1}"#)["status"], 422);
        assert_eq!(problem::<Order>("{")["status"], 400);
        assert_eq!(problem::<Order>(r#"{"count": 1} {}"#)["type"], "/api/docs#not-json");
    }

    #[test]
    fn what_is_wrong_in_a_body_is_named_in_words_of_json() {
        let number = "must be a whole number from 0 to 4294967295";
        let fields = "is unknown: there are only count, partition, encoding, is_gift";
        for (body, field, rule) in [
            (r#"{"orders": [{"count": -1}]}"#, "orders[0].count", number),
            (r#"{"orders": [{"count": "an order, expected soon at line 7"}]}"#, "orders[0].count", number),
            (r#"{"orders": [{}, {"count": 1.5}]}"#, "orders[1].count", number),
            (r#"{"orders": [{"is_gift": "yes"}]}"#, "orders[0].is_gift", "must be true or false"),
            (
                r#"{"orders": [{"encoding": "hex"}]}"#,
                "orders[0].encoding",
                "must be one of auto, text, json, base64, null",
            ),
            (r#"{"orders": [{"encoding": 7}]}"#, "orders[0].encoding", "must be a string, or an object with one field"),
            (
                r#"{"orders": [], "to": {"offset": "1", "time": "2"}}"#,
                "to",
                "must be a string, or an object with one field",
            ),
            (r#"{"orders": [{"colour": "red"}]}"#, "orders[0].colour", fields),
            (r#"{"orders": [{"count": 1, "count": 1}]}"#, "orders[0].count", "stands there twice"),
            (r#"{"orders": [7]}"#, "orders[0]", "must be an object"),
            (r#"{"orders": {}}"#, "orders", "must be a list"),
            (r#"{"orders": []}"#, "to", "is required"),
            (r#"{"orders": [], "to": {"offset": 5}}"#, "to.offset", "must be a string"),
            ("1", "body", "must be an object"),
        ] {
            let problem = problem::<Orders>(body);
            assert_eq!(problem["errors"], json!([{"field": field, "rule": rule}]), "{body}");
            assert_eq!(problem["detail"], format!("{field}: {rule}"));
        }
        assert_eq!(problem::<String>("{}")["errors"], json!([{"field": "body", "rule": "must be a string"}]));
    }

    #[test]
    fn what_is_wrong_in_the_query_is_named_too() {
        let number = "must be a whole number from 0 to 4294967295";
        for (query, field, rule) in [
            ("count=x", "count", number),
            ("count=-1", "count", number),
            ("count=4294967296", "count", number),
            ("partition=", "partition", "must be a whole number from -2147483648 to 2147483647"),
            ("is_gift=1", "is_gift", "must be true or false"),
            ("encoding=hex", "encoding", "must be one of auto, text, json, base64, null"),
            ("colour=red", "colour", "is unknown: there are only count, partition, encoding, is_gift"),
            ("count=1&count=2", "count", "stands there twice"),
        ] {
            let problem = serde_json::to_value(read_query::<Order>(query).unwrap_err()).unwrap();
            assert_eq!((&problem["status"], &problem["type"]), (&400.into(), &"/api/docs#address".into()), "{query}");
            assert_eq!(problem["errors"], json!([{"field": field, "rule": rule}]), "{query}");
            assert_eq!(problem["detail"], format!("{field}: {rule}"));
        }
        assert!(read_query::<Order>("count=7&partition=-1&encoding=base64&is_gift=true").is_ok());
        assert!(read_query::<Order>("").is_ok());
    }
}
