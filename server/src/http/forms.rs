//! Producing from forms, as browsers post them without JavaScript: one message, a record once more. Done, they lead to the receipt;
//! refused, the page comes again with what was typed. Many messages at once are in `bulk.rs`.

use super::{AppState, outcome, problem::Problem};
use app::{AgainFailure, FormFailure};
use axum::{
    RequestExt,
    body::Bytes,
    extract::{Path, Request, State},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use wire::{Encoding, HeaderInput, Place, ProduceError, ProduceInput, Receipt};

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
        Ok(receipt) => Redirect::to(&receipt_address(form.back.path(), &receipt)).into_response(),
        Err(error) => failed(state, &headers, form, error).await,
    }
}

/// `POST /topics/{topic}/{partition}/{offset}/again`: the record once more, to the topic `to` or its own.
pub(super) async fn again(
    State(state): State<AppState>,
    Path((topic, partition, offset)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(place) = format!("{topic}[{partition}]@{offset}").parse::<Place>() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let to = url::form_urlencoded::parse(&body).find(|(field, _)| field == "to");
    let to = to.map(|(_, to)| to.trim().to_owned()).filter(|to| !to.is_empty()).unwrap_or_else(|| topic.clone());
    let page = format!("/topics/{topic}/{partition}/{offset}");
    match state.engine.produce_again(&place, &to).await {
        Ok(receipt) => Redirect::to(&receipt_address(&page, &receipt)).into_response(),
        Err(error) => {
            let status = Problem::from(error.clone()).status();
            outcome::page(&state, &headers, &page, status, AgainFailure { to, error }).await
        }
    }
}

fn receipt_address(page: &str, receipt: &Receipt) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("topic", &receipt.topic)
        .append_pair("partition", &receipt.partition.to_string())
        .append_pair("offset", &receipt.offset.to_string())
        .append_pair("acked_in", &receipt.acked_in.to_string())
        .finish();
    format!("{page}?{query}")
}

/// The form's page, with what was typed and what is wrong with it.
async fn failed(state: AppState, headers: &HeaderMap, form: Form, error: ProduceError) -> Response {
    let status = Problem::from(error.clone()).status();
    let failure = FormFailure { input: form.input, error };
    outcome::page(&state, headers, form.back.path(), status, failure).await
}

impl Form {
    fn parse(body: &[u8]) -> Self {
        let mut form = Self::default();
        let (mut names, mut values, mut encodings) = (Vec::new(), Vec::new(), Vec::new());
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
                "header_encoding" => encodings.push(encoding(&value)),
                "back" if value == "/" => form.back = Back::Feed,
                _ => {}
            }
        }
        values.resize(names.len(), String::new());
        encodings.resize(names.len(), Encoding::default());
        let headers = names.into_iter().zip(values).zip(encodings);
        form.input.headers = headers.map(|((name, value), encoding)| HeaderInput { name, value, encoding }).collect();
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
            &header_name=a&header_value=1&header_encoding=text&header_name=&header_value=&header_encoding=null\
            &header_name=c&header_value=%E4%B8%AD&back=%2F";
        let header =
            |name: &str, value: &str, encoding| HeaderInput { name: name.into(), value: value.into(), encoding };
        let expected = ProduceInput {
            topic: "orders".into(),
            partition: "2".into(),
            key_encoding: Encoding::Text,
            key: "k&".into(),
            value_encoding: Encoding::Json,
            value: "{\n}".into(),
            allow_empty: true,
            headers: vec![
                header("a", "1", Encoding::Text),
                header("", "", Encoding::Null),
                header("c", "中", Encoding::Auto),
            ],
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
        assert_eq!(receipt_address(Back::Feed.path(), &receipt), "/?topic=a.b&partition=1&offset=7&acked_in=1500");
    }
}
