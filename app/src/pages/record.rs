//! `/topics/NAME/PARTITION/OFFSET`: one record, read from the log by whichever instance answers.

use super::{Content, Visit, not_found, page, set_status};
use crate::{
    api,
    markup::{
        detail::detail,
        drawer::{again, files, link_button},
        empty::empty,
        icon::icon,
        row,
    },
    reader::Reader,
    words,
};
use axum::http::StatusCode;
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_params_map;
use maud::{Markup, html};
use wire::{Place, ReadError};

/// The page of the record that the address names.
#[component]
pub fn Record() -> impl IntoView {
    let params = use_params_map().get_untracked();
    let part = |name| params.get(name).unwrap_or_default();
    let place = format!("{}[{}]@{}", part("topic"), part("partition"), part("offset")).parse::<Place>();
    page(async move |visit| match place {
        Ok(place) => content(&visit, place).await,
        Err(_) => {
            set_status(StatusCode::NOT_FOUND);
            not_found::content(&visit.reader)
        }
    })
}

async fn content(visit: &Visit, place: Place) -> Content {
    let reader = &visit.reader;
    let name = place.to_string();
    let link = link_button(reader, &row::path(&place));
    let body = match api::record(place).await {
        Ok(Ok(record)) => found(visit, &record),
        Ok(Err(error)) => missing(reader, &error),
        Err(error) => html! { p { (error) } },
    };
    Content::plain(
        name.clone(),
        html! {
            header { h1.mono { (name) } (link) }
            section.card { (body) }
        },
    )
}

fn found(Visit { reader, read_only, .. }: &Visit, record: &wire::Record) -> Markup {
    html! {
        div.body {
            (files(reader, record, &row::path(&row::place(record))))
            (detail(reader, record))
        }
        footer {
            @if !*read_only { (again(reader, record)) }
            a.btn href="/" { (td_string!(reader.locale, nav.feed)) }
        }
    }
}

fn missing(reader: &Reader, error: &ReadError) -> Markup {
    set_status(match error {
        ReadError::UnknownTopic { .. } | ReadError::UnknownPartition { .. } | ReadError::NotYet { .. } => {
            StatusCode::NOT_FOUND
        }
        ReadError::Deleted { .. } | ReadError::Hole { .. } => StatusCode::GONE,
        ReadError::Kafka { .. } => StatusCode::SERVICE_UNAVAILABLE,
    });
    let locale = reader.locale;
    let (title, why) = words::read_error(locale, error);
    let actions = html! {
        a.btn href="" { (icon("again")) (td_string!(locale, app.try_again)) }
        a.btn href="/" { (td_string!(locale, nav.feed)) }
    };
    empty("search", &title, &html! { (why) }, &actions)
}
