//! Producing a record for programs: `POST /api/v1/topics/{topic}/records`. The message in full, where `rest.rs` takes a text alone.

use super::problem::Problem;
use axum::{
    Json,
    body::Bytes,
    extract::{
        Path, State,
        rejection::{BytesRejection, PathRejection},
    },
    response::IntoResponse,
};
use engine::Engine;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use wire::{Encoding, HeaderInput, ProduceInput};

/// A message, as [`ProduceInput`] has it. The topic is in the address, and the partition may be a number.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Body {
    topic: Option<String>,
    partition: Value,
    key_encoding: Encoding,
    key: String,
    value_encoding: Encoding,
    value: String,
    allow_empty: bool,
    headers: Vec<HeaderInput>,
}

impl Body {
    fn into_input(self, topic: String) -> Result<ProduceInput, Problem> {
        if let Some(other) = self.topic.filter(|other| !other.is_empty() && *other != topic) {
            let detail = format!("topic: the address names {topic:?}, the body {other:?}");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "two-topics", detail));
        }
        let partition = match self.partition {
            Value::Null => String::new(),
            Value::String(text) => text,
            // What is no partition's number is told with the other fields.
            other => other.to_string(),
        };
        Ok(ProduceInput {
            topic,
            partition,
            key_encoding: self.key_encoding,
            key: self.key,
            value_encoding: self.value_encoding,
            value: self.value,
            allow_empty: self.allow_empty,
            headers: self.headers,
        })
    }
}

/// `POST /api/v1/topics/{topic}/records`: 201 with the receipt, and the record's page in `Location`.
pub(super) async fn produce(
    State(engine): State<Arc<Engine>>,
    topic: Result<Path<String>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Path(topic) = topic.map_err(|error| Problem::new(error.status(), "address", error.body_text()))?;
    let body = body.map_err(|error| Problem::new(error.status(), "body", error.body_text()))?;
    let body: Body = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "not-a-record", format!("the body: {error}")))?;
    let receipt = engine.produce(&body.into_input(topic)?).await?;
    // A topic's name needs no escape in an address.
    let page = format!("/topics/{}/{}/{}", receipt.topic, receipt.partition, receipt.offset);
    Ok((StatusCode::CREATED, [(header::LOCATION, page)], Json(receipt)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_the_produce_input_and_may_name_the_partition_as_a_number() {
        let whole = ProduceInput {
            topic: "orders".into(),
            partition: "2".into(),
            key_encoding: Encoding::Text,
            key: "k".into(),
            value_encoding: Encoding::Json,
            value: "{}".into(),
            allow_empty: true,
            headers: vec![HeaderInput { name: "n".into(), value: "v".into() }],
        };
        let text = serde_json::to_string(&whole).unwrap();
        let read = |text: &str| serde_json::from_str::<Body>(text).unwrap().into_input("orders".into());
        assert_eq!(read(&text).ok(), Some(whole.clone()));
        assert_eq!(read(&text.replace("\"2\"", "2")).ok(), Some(whole));
        assert_eq!(read(r#"{"value":"x"}"#).map(|input| input.partition).ok(), Some(String::new()));
        assert!(read(r#"{"topic":"bills"}"#).is_err());
        assert!(serde_json::from_str::<Body>(r#"{"vlaue":"x"}"#).is_err());
    }
}
