//! `/topics/NAME/PARTITION/OFFSET`: one record, read from the log by whichever instance answers. Its form sends the record again and
//! leads back here.

use super::{Content, Visit, not_found, page, set_status};
use crate::{
    api,
    form::{AgainFailure, Posted},
    live::SentState,
    markup::{
        banner::banner,
        detail::detail,
        drawer::{files, link_button},
        empty::empty,
        icon::icon,
        receipt::receipt,
        row,
    },
    reader::Reader,
    words,
};
use axum::http::StatusCode;
use engine::AgainError;
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::{use_params_map, use_query_map};
use maud::{Markup, html};
use wire::{Place, ProduceError, ReadError};

/// The page of the record that the address names. `?topic=…&partition=…&offset=…&acked_in=…` says where a copy of it was stored.
#[component]
pub fn Record() -> impl IntoView {
    let params = use_params_map().get_untracked();
    let part = |name| params.get(name).unwrap_or_default();
    let place = format!("{}[{}]@{}", part("topic"), part("partition"), part("offset")).parse::<Place>();
    let posted = Posted::of(&use_query_map().get_untracked());
    let failure = use_context::<AgainFailure>();
    page(async move |visit| match place {
        Ok(place) => content(&visit, place, posted, failure).await,
        Err(_) => {
            set_status(StatusCode::NOT_FOUND);
            not_found::content(&visit.reader)
        }
    })
}

async fn content(visit: &Visit, place: Place, posted: Option<Posted>, failure: Option<AgainFailure>) -> Content {
    let reader = &visit.reader;
    let to = failure.as_ref().map_or(&place.topic, |failure| &failure.to).clone();
    let name = place.to_string();
    let link = link_button(reader, &row::path(&place));
    let body = match api::record(place).await {
        Ok(Ok(record)) => found(visit, &visit.offered_topics().await, &record, &to),
        Ok(Err(error)) => missing(reader, &error),
        Err(error) => html! { p { (error) } },
    };
    Content::plain(
        name.clone(),
        html! {
            header { h1.mono { (name) } (link) }
            @if let Some(posted) = posted { (sent_again(reader, &posted)) }
            @if let Some(failure) = failure { (not_sent_again(reader, &failure.error)) }
            section.card { (body) }
        },
    )
}

fn found(visit: &Visit, topics: &[String], record: &wire::Record, to: &str) -> Markup {
    let (reader, path) = (&visit.reader, row::path(&row::place(record)));
    let locale = reader.locale;
    html! {
        div.body {
            (files(reader, record, &path))
            (detail(reader, record))
        }
        footer {
            @if !visit.read_only {
                form.wrap method="post" action={ (path) "/again" } {
                    label for="to" { (td_string!(locale, detail.again_to)) }
                    input #to .input.mono name="to" value=(to) list="topics" autocomplete="off" spellcheck="false" required;
                    datalist #topics { @for topic in topics { option value=(topic) {} } }
                    button.btn.primary { (icon("again")) (td_string!(locale, detail.again)) }
                }
                a.btn href={ "/produce?again=" (row::place(record)) } { (td_string!(locale, detail.edit)) }
            }
            a.btn.push href="/" { (td_string!(locale, nav.feed)) }
        }
    }
}

fn sent_again(reader: &Reader, posted: &Posted) -> Markup {
    html! {
        div.banner data-tone="ok" role="status" {
            (icon("check"))
            p.wrap {
                b { (td_string!(reader.locale, detail.sent_again)) }
                (receipt(reader, posted, &SentState::Acked, ""))
            }
        }
    }
}

fn not_sent_again(reader: &Reader, error: &AgainError) -> Markup {
    let locale = reader.locale;
    let (what, why) = match error {
        AgainError::Read(error) => words::read_error(locale, error),
        // Nothing else of it can be against a rule: it was a record before.
        AgainError::Produce(ProduceError::Invalid(errors)) => {
            let errors: Vec<_> = errors.iter().map(|error| words::rule(locale, &error.rule, error.field)).collect();
            (td_string!(locale, detail.not_sent_again).into(), errors.join(" "))
        }
        AgainError::Produce(error) => words::produce_error(locale, error),
    };
    banner("danger", &what, &why)
}

fn missing(reader: &Reader, error: &ReadError) -> Markup {
    set_status(match error {
        ReadError::UnknownTopic { .. } | ReadError::UnknownPartition { .. } | ReadError::NotYet { .. } => {
            StatusCode::NOT_FOUND
        }
        ReadError::Deleted { .. } | ReadError::Hole { .. } => StatusCode::GONE,
        ReadError::Kafka { .. } => StatusCode::SERVICE_UNAVAILABLE,
        ReadError::Refused(_) => StatusCode::BAD_GATEWAY,
    });
    let locale = reader.locale;
    let (title, why) = words::read_error(locale, error);
    let actions = html! {
        a.btn href="" { (icon("again")) (td_string!(locale, app.try_again)) }
        a.btn href="/" { (td_string!(locale, nav.feed)) }
    };
    empty("search", &title, &html! { (why) }, &actions)
}
