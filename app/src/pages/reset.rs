//! `/groups/NAME/reset`: where a group goes on. The form asks by GET for a dry run, and by POST for the reset itself; it works
//! without JavaScript.

use super::{Content, page, read_only, set_status};
use crate::{
    api,
    markup::{groups, reset},
    reset::{ResetForm, ResetOutcome},
};
use axum::http::StatusCode;
use engine::Patience;
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::{use_params_map, use_query_map};
use maud::html;
use std::collections::BTreeSet;

/// The page.
#[component]
pub fn Reset() -> impl IntoView {
    let group = use_params_map().get_untracked().get("name").unwrap_or_default();
    let query = use_query_map().get_untracked();
    let get = |name| query.get(name).unwrap_or_default();
    let mut form = ResetForm { to: get("to"), value: get("value"), topic: get("topic"), partitions: get("partitions") };
    let wants_plan = query.get("preview").is_some();
    let outcome = use_context::<ResetOutcome>();
    page(async move |visit| {
        let (reader, locale) = (&visit.reader, visit.reader.locale);
        if visit.read_only {
            return read_only::content(reader);
        }
        let engine = api::engine().ok();
        let known = match &engine {
            Some(engine) => engine.group(&group, Patience::Page).await.ok().flatten(),
            None => None,
        };
        let topics = known.iter().flat_map(|group| &group.partitions).map(|partition| partition.topic.clone());
        let mut topics: Vec<_> = topics.collect::<BTreeSet<_>>().into_iter().collect();
        if topics.is_empty() {
            topics.clone_from(&visit.snapshot.topics);
        }
        if form.topic.is_empty() {
            form.topic = topics.first().cloned().unwrap_or_default();
        }
        if form.to.is_empty() {
            form.to = "earliest".into();
        }
        let input = form.read(&group);
        let mistake = input.as_ref().err().copied().filter(|_| wants_plan);
        if mistake.is_some() {
            set_status(StatusCode::UNPROCESSABLE_ENTITY);
        }
        let plan = match (&engine, input) {
            (Some(engine), Ok(input)) if wants_plan => Some(engine.plan_reset(&input).await),
            _ => None,
        };
        let back = groups::path(&group);
        let is_unsure = outcome == Some(ResetOutcome::Unsure);
        Content::plain(
            format!("{} {group}", td_string!(locale, reset.title)),
            html! {
                header {
                    h1 { (td_string!(locale, reset.title)) " " span.mono { (group) } }
                    div.wrap.push {
                        a.btn href=(back) { (td_string!(locale, reset.back)) }
                    }
                }
                p.muted { (td_string!(locale, reset.intro)) }
                div.stack {
                    @match &outcome {
                        Some(ResetOutcome::Done(results)) => (reset::results(reader, results)),
                        Some(ResetOutcome::Failed(error)) => (reset::trouble(reader, error)),
                        Some(ResetOutcome::Unsure) => p.ink data-tone="danger" role="alert" { (td_string!(locale, reset.tick_first)) },
                        None => {}
                    }
                    (reset::form(reader, &topics, &form, mistake))
                    @match &plan {
                        Some(Ok(plan)) => (reset::plan(reader, &back, &form, plan, is_unsure)),
                        Some(Err(error)) => (reset::trouble(reader, error)),
                        None => {}
                    }
                }
            },
        )
    })
}
