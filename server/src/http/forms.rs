//! The produce form without JavaScript: post, then redirect to the receipt, or the page again with what was typed.

use super::{AppState, outcome};
use app::FormFailure;
use axum::{
    RequestExt,
    body::Bytes,
    extract::{Request, State},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use wire::{Encoding, HeaderInput, ProduceError, ProduceInput, Receipt};

/// The form's fields as a browser sends them (`application/x-www-form-urlencoded`).
#[derive(Debug, Default, PartialEq, Eq)]
struct Form {
    input: ProduceInput,
    /// The page that the form is on.
    back: Back,
}

/// The pages that have the form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Back {
    Feed,
    #[default]
    Produce,
}

impl Back {
    fn path(self) -> &'static str {
        match self {
            Self::Feed => "/",
            Self::Produce => "/produce",
        }
    }
}

/// `POST /produce`
pub(super) async fn produce(State(state): State<AppState>, request: Request) -> Response {
    let headers = request.headers().clone();
    let form = match request.extract::<Bytes, _>().await {
        Ok(bytes) => Form::parse(&bytes),
        Err(rejection) => return rejection.into_response(),
    };
    match state.engine.produce(&form.input).await {
        Ok(receipt) => Redirect::to(&receipt_address(form.back, &receipt)).into_response(),
        Err(error) => failed(state, &headers, form, error).await,
    }
}

fn receipt_address(back: Back, receipt: &Receipt) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("topic", &receipt.topic)
        .append_pair("partition", &receipt.partition.to_string())
        .append_pair("offset", &receipt.offset.to_string())
        .append_pair("acked_in", &receipt.acked_in.to_string())
        .finish();
    format!("{}?{query}", back.path())
}

/// The form's page, with what was typed and what is wrong with it.
async fn failed(state: AppState, headers: &HeaderMap, form: Form, error: ProduceError) -> Response {
    let status = match error {
        ProduceError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ProduceError::Refused { .. } => StatusCode::BAD_GATEWAY,
        ProduceError::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
    };
    let failure = FormFailure { input: form.input, error };
    outcome::page(&state, headers, form.back.path(), status, failure).await
}

impl Form {
    fn parse(body: &[u8]) -> Self {
        let mut form = Self::default();
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (field, value) in url::form_urlencoded::parse(body) {
            // Browsers send line breaks in forms as CR LF (HTML, "constructing the entry list"); people type LF.
            let value = value.replace("\r\n", "\n");
            match field.as_ref() {
                "topic" => form.input.topic = value,
                "partition" => form.input.partition = value,
                "key_encoding" => form.input.key_encoding = encoding(&value),
                "key" => form.input.key = value,
                "value_encoding" => form.input.value_encoding = encoding(&value),
                "value" => form.input.value = value,
                "allow_empty" => form.input.allow_empty = true,
                "header_name" => names.push(value),
                "header_value" => values.push(value),
                "back" if value == "/" => form.back = Back::Feed,
                _ => {}
            }
        }
        values.resize(names.len(), String::new());
        form.input.headers = names.into_iter().zip(values).map(|(name, value)| HeaderInput { name, value }).collect();
        form
    }
}

fn encoding(name: &str) -> Encoding {
    let all = [Encoding::Text, Encoding::Json, Encoding::Base64, Encoding::Null];
    all.into_iter().find(|encoding| encoding.name() == name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_as_it_was_typed() {
        let body = b"topic=orders&partition=2&key_encoding=text&key=k%26&value_encoding=json&value=%7B%0D%0A%7D&allow_empty=on\
            &header_name=a&header_value=1&header_name=&header_value=&header_name=c&header_value=%E4%B8%AD&back=%2F";
        let header = |name: &str, value: &str| HeaderInput { name: name.into(), value: value.into() };
        let expected = ProduceInput {
            topic: "orders".into(),
            partition: "2".into(),
            key_encoding: Encoding::Text,
            key: "k&".into(),
            value_encoding: Encoding::Json,
            value: "{\n}".into(),
            allow_empty: true,
            headers: vec![header("a", "1"), header("", ""), header("c", "中")],
        };
        assert_eq!(Form::parse(body), Form { input: expected, back: Back::Feed });
    }

    #[test]
    fn only_the_two_pages_can_be_gone_back_to() {
        assert_eq!(Form::parse(b"back=https://evil.example.org").back, Back::Produce);
    }

    #[test]
    fn a_receipt_is_an_address_that_carries_topic_partition_and_offset() {
        let receipt =
            Receipt { topic: "a.b".into(), partition: 1, offset: 7, timestamp: None, acked_in: 1500, key: None };
        assert_eq!(receipt_address(Back::Feed, &receipt), "/?topic=a.b&partition=1&offset=7&acked_in=1500");
    }
}
