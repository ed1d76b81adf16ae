//! `/topics/NAME/PARTITION/OFFSET`: one record, read from the log by whichever instance answers.

use super::{NotFound, set_status};
use crate::{
    api, browser,
    components::{Detail, banner, copy_button, empty, icon},
    tab::use_tab,
    words,
};
use leptos::{either::Either, prelude::*};
use leptos_i18n::td_string;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use wire::{Place, ReadError};

/// The page of the record that the address names.
#[component]
pub fn Record() -> impl IntoView {
    let params = use_params_map();
    move || match params.with(|params| Some((params.get("topic")?, params.get("partition")?, params.get("offset")?))) {
        Some((topic, partition, offset)) => match format!("{topic}[{partition}]@{offset}").parse() {
            Ok(place) => Either::Left(page(place)),
            Err(_) => Either::Right(NotFound()),
        },
        None => Either::Right(NotFound()),
    }
}

fn page(place: Place) -> impl IntoView {
    let tab = use_tab();
    let name = place.to_string();
    let asked = place.clone();
    let record = Resource::new_blocking(move || asked.clone(), api::record);
    let link = crate::components::path(&place);
    let content = move || {
        let name = place.to_string();
        Suspend::new(async move {
            match record.await {
                Ok(Ok(record)) => found(record, name),
                Ok(Err(error)) => missing(&error),
                Err(_) => banner("danger", td_string!(tab.locale, error.no_answer), ""),
            }
        })
    };
    view! {
        <Title text=name.clone()/>
        <main class="main" id="main" tabindex="-1">
            <div class="page">
                <header>
                    <h1 class="mono">{name}</h1>
                    {copy_button(td_string!(tab.locale, detail.copy_link), Some("link"), move || browser::absolute(&link))}
                </header>
                <Suspense>{content}</Suspense>
            </div>
        </main>
    }
}

fn found(record: wire::Record, name: String) -> AnyView {
    let locale = use_tab().locale;
    view! {
        <section class="card">
            <div class="body"><Detail record id="value-as"/></div>
            <footer>
                <a class="btn primary" href=format!("/produce?again={name}")>
                    {icon("again")}
                    {td_string!(locale, detail.again)}
                </a>
                <a class="btn" href="/">{td_string!(locale, nav.feed)}</a>
            </footer>
        </section>
    }
    .into_any()
}

fn missing(error: &ReadError) -> AnyView {
    set_status(match error {
        ReadError::UnknownTopic { .. } | ReadError::UnknownPartition { .. } | ReadError::NotYet { .. } => 404,
        ReadError::Deleted { .. } | ReadError::Hole { .. } => 410,
        ReadError::Kafka { .. } => 503,
    });
    let locale = use_tab().locale;
    let (title, why) = words::read_error(locale, error);
    let actions = view! {
        <a class="btn" rel="external" href="">{icon("again")} {td_string!(locale, app.try_again)}</a>
        <a class="btn" href="/">{td_string!(locale, nav.feed)}</a>
    };
    view! { <section class="card">{empty("search", title, view! { {why} }.into_any(), actions.into_any())}</section> }
        .into_any()
}
