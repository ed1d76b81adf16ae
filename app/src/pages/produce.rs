//! `/produce`: the full form. Works without JavaScript: a post that fails comes back with what was typed, one that succeeds
//! leads to an address that carries the receipt.

use super::{Content, Visit, banners, host, page, read_only};
use crate::{
    api,
    form::{FormFailure, Posted},
    islands::{self, Rendering},
    live::SentState,
    markup::{
        form::{form, help, terminal},
        icon::icon,
        instance::instance,
        produce::{refused, stored},
    },
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_query_map;
use maud::{Markup, html};
use wire::{Data, Encoding, FieldError, HeaderInput, Place, ProduceError, ProduceInput, Record};

/// The page. `?again=PLACE` begins with a copy of a record, `?to=TOPIC` with a topic.
#[component]
pub fn Produce() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let posted = Posted::of(&query);
    let failure = use_context::<FormFailure>();
    let again = query.get("again").and_then(|place| place.parse::<Place>().ok());
    let to = query.get("to");
    let host = host();
    page(async move |visit| {
        if visit.read_only {
            return read_only::content(&visit.reader);
        }
        let (input, error) = match (failure, again) {
            (Some(FormFailure { input, error }), _) => (input, Some(error)),
            (None, Some(place)) => (copy_of(place).await.unwrap_or_default(), None),
            (None, None) => {
                let topic = to.or_else(|| visit.snapshot.topics.first().cloned()).unwrap_or_default();
                (ProduceInput { topic, ..Default::default() }, None)
            }
        };
        let topics = visit.offered_topics().await;
        let html = content(&visit, &topics, &input, error.as_ref(), posted.as_ref(), &host);
        provide_context(Rendering(html.into_string()));
        Content {
            title: td_string!(visit.reader.locale, nav.produce).into(),
            main: view! { <islands::Produce/> }.into_any(),
            records: Vec::new(),
            loaded: Vec::new(),
        }
    })
}

async fn copy_of(place: Place) -> Option<ProduceInput> {
    Some(like(api::record(place).await.ok()?.ok()?))
}

/// A message like `record`. What is not text is given in base64.
fn like(record: Record) -> ProduceInput {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let field = |data: Option<Data>| match data {
        None => (Encoding::Null, String::new()),
        Some(data) => match data.text() {
            Some(text) => (Encoding::Text, text.to_owned()),
            None => (Encoding::Base64, BASE64_STANDARD.encode(&data.head)),
        },
    };
    let (key_encoding, key) = field(record.key);
    let (value_encoding, value) = field(record.value);
    let headers = record.headers.into_iter().map(|header| {
        let (encoding, value) = field(header.value);
        HeaderInput { name: header.name, value, encoding }
    });
    ProduceInput {
        topic: record.topic,
        partition: String::new(),
        key_encoding,
        key,
        value_encoding,
        allow_empty: value.is_empty(),
        value,
        headers: headers.collect(),
    }
}

fn content(
    visit: &Visit,
    topics: &[String],
    input: &ProduceInput,
    error: Option<&ProduceError>,
    posted: Option<&Posted>,
    host: &str,
) -> Markup {
    let Visit { reader, snapshot, .. } = visit;
    let locale = reader.locale;
    let errors: &[FieldError] = if let Some(ProduceError::Invalid(errors)) = error { errors } else { &[] };
    let default_topic = snapshot.topics.first().map_or("", String::as_str);
    html! {
        div.page {
            header {
                h1 { (td_string!(locale, produce.title)) }
                p.muted {
                    (td_string!(locale, produce.sent_through)) " "
                    span data-serving { (instance(&snapshot.instance, &snapshot.instance)) }
                }
                a.btn.push href={ "/produce/many?to=" (input.topic) } { (icon("rows")) (td_string!(locale, produce.many)) }
            }
            (banners(visit))
            div #outcome {
                @if let Some(posted) = posted { (stored(reader, posted, &SentState::Acked, "")) }
                @if let Some(error) = error { (refused(locale, error)) }
            }
            div.split {
                (form(reader, topics, snapshot.limits, input, errors))
                div.stack {
                    (help(reader, snapshot.limits))
                    (terminal(reader, host, default_topic))
                    section #sent .card hidden {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Flags, Header, Timestamp};

    #[test]
    fn a_copy_says_null_bytes_and_text_apart() {
        let record = Record {
            seq: 1,
            topic: "orders".into(),
            partition: 2,
            offset: 3,
            timestamp: Timestamp::None,
            received: 0,
            flags: Flags::FIRST,
            key: None,
            value: Some(Data::whole(&b"\x00\xff"[..])),
            headers: vec![Header { name: "h".into(), value: Some(Data::whole(&b"\xff"[..])) }],
            headers_left_out: 0,
        };
        let copy = like(record.clone());
        assert_eq!(
            (copy.key_encoding, copy.value_encoding, copy.value.as_str()),
            (Encoding::Null, Encoding::Base64, "AP8=")
        );
        assert_eq!((copy.headers[0].encoding, copy.headers[0].value.as_str()), (Encoding::Base64, "/w=="));
        let empty = like(Record { value: Some(Data::whole("")), ..record });
        assert!(empty.allow_empty);
    }
}
