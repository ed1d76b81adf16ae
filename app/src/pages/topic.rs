//! `/topics/NAME`: one topic. Its forms post to the addresses below it, and lead back here.

use super::{Content, page, records::Browsing, set_status};
use crate::{
    api,
    markup::{empty::empty, icon::icon, topic},
    topics::TopicOutcome,
    words,
};
use axum::http::StatusCode;
use engine::Patience;
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::{use_params_map, use_query_map};
use maud::{Markup, html};
use std::time::Instant;
use wire::ReadError;

/// The page.
#[component]
pub fn Topic() -> impl IntoView {
    let name = use_params_map().get_untracked().get("topic").unwrap_or_default();
    let query = use_query_map().get_untracked();
    let edited = query.get("edit");
    let at = query.get("partitions").and_then(|page| page.parse().ok()).unwrap_or(1);
    let done = query.get("done").unwrap_or_default();
    let browsing = Browsing::of(&query);
    let outcome = use_context::<TopicOutcome>();
    page(async move |visit| {
        let (reader, locale) = (&visit.reader, visit.reader.locale);
        let instead = |status, symbol, error: &ReadError| {
            set_status(status);
            let (title, why) = words::read_error(locale, error);
            let actions = html! {
                a.btn href="" { (icon("again")) (td_string!(locale, app.try_again)) }
                a.btn href="/topics" { (td_string!(locale, topic.all)) }
            };
            let card = html! { section.card { (empty(symbol, &title, &html! { (why) }, &actions)) } };
            Content::plain(name.clone(), html! { header { h1.mono { (name) } } (card) })
        };
        let engine = match api::engine() {
            Ok(engine) => engine,
            Err(error) => return Content::plain(name.clone(), html! { p { (error) } }),
        };
        let began = Instant::now();
        // What was refused, and what was typed, must not be lost to a Kafka that is slow.
        let patience = if outcome.is_some() || browsing.is_patient { Patience::Program } else { Patience::Page };
        let parts = match engine.topic_parts(&name, patience).await {
            Ok(Some(parts)) => parts,
            Ok(None) => {
                return instead(StatusCode::NOT_FOUND, "topic", &ReadError::UnknownTopic { topic: name.clone() });
            }
            Err(error) => return instead(StatusCode::SERVICE_UNAVAILABLE, "cluster", &error),
        };
        let failed = match &outcome {
            Some(TopicOutcome::NotChanged { action, form, error }) => Some((*action, form, error)),
            _ => None,
        };
        let records = browsing.card(reader, &engine, &parts.topic, began).await;
        let feed = parts.readers.iter().flat_map(|readers| &readers.groups).find_map(|group| group.feed.as_deref());
        let shown = topic::Shown {
            reader,
            parts: &parts,
            page: at,
            edited: edited.as_deref(),
            failed,
            read_only: visit.read_only,
        };
        let said: Option<Markup> = match failed {
            Some((_, _, error)) => Some(topic::trouble(reader, error)),
            None => topic::done(reader, &done),
        };
        Content::plain(
            name.clone(),
            html! {
                header {
                    h1.mono { (name) }
                    (topic::heading(reader, &parts.topic))
                    div.wrap.push {
                        @if let Some(feed) = feed {
                            a.btn href={ "/?feed=" (feed) } { (icon("feed")) (td_string!(locale, topic.follow)) }
                        }
                        @if !visit.read_only {
                            a.btn href={ "/topics?create=1&like=" (name) } { (icon("copy")) (td_string!(locale, topic.create_like)) }
                            a.btn.primary href={ "/produce?to=" (name) } { (icon("send")) (td_string!(locale, nav.produce)) }
                        }
                    }
                }
                @if let Some(said) = said { (said) }
                div.stack { (topic::body(&shown, &records)) }
            },
        )
    })
}
