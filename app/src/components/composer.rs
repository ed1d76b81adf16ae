//! The composer under the list: one line at rest, more when it is used. The produce page has every field.

use super::{Posted, error_line, icon, receipt};
use crate::{
    api::FormFailure,
    draft::{Draft, Outcome},
    format::html,
    tab::use_tab,
    words,
};
use leptos::{ev, prelude::*};
use leptos_i18n::td_string;
use wire::{Field, Limits, Place, ProduceInput};

/// The composer. `failure` is what comes back from a form that was posted without JavaScript.
#[component]
pub fn Composer(topics: Vec<String>, limits: Limits, failure: Option<FormFailure>) -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let draft = match failure {
        Some(FormFailure { input, error }) => Draft::new(&input, Some(error), limits),
        None => {
            let topic = topics.first().cloned().unwrap_or_default();
            Draft::new(&ProduceInput { topic, ..Default::default() }, None, limits)
        }
    };
    let error = move || {
        let errors = draft.errors.get();
        let first = errors.first()?;
        Some(words::rule(locale, &first.rule, first.field))
    };
    let send = move || draft.send(tab, field_id, move || draft.value.set(String::new()));
    let on_keydown = move |event: ev::KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            send();
        }
    };
    let chosen = draft.topic.get_untracked();
    let options = topics
        .into_iter()
        .map(|topic| view! { <option value=topic.clone() selected=topic == chosen>{topic.clone()}</option> })
        .collect_view();
    view! {
        <section class="composer" aria-label=td_string!(locale, compose.title)>
            <form
                method="post"
                action="/produce"
                on:submit=move |event| {
                    event.prevent_default();
                    send();
                }
                on:keydown=on_keydown
            >
                <input type="hidden" name="back" value="/"/>
                <select
                    class="input opt"
                    name="topic"
                    autocomplete="off"
                    id="compose-topic"
                    aria-label=td_string!(locale, produce.topic)
                    on:change=move |event| draft.topic.set(event_target_value(&event))
                >
                    {options}
                </select>
                <input
                    class="input opt"
                    name="key"
                    id="compose-key"
                    autocomplete="off"
                    aria-label=td_string!(locale, produce.key)
                    placeholder=td_string!(locale, compose.key)
                    value=draft.key.get_untracked()
                    prop:value=move || draft.key.get()
                    on:input=move |event| draft.key.set(event_target_value(&event))
                />
                <textarea
                    class="input"
                    name="value"
                    id="compose-value"
                    rows="1"
                    spellcheck="false"
                    autocomplete="off"
                    aria-label=td_string!(locale, produce.value)
                    aria-describedby="compose-error"
                    aria-invalid=move || error().map(|_| "true")
                    placeholder=td_string!(locale, compose.value)
                    prop:value=move || draft.value.get()
                    on:input=move |event| {
                        draft.value.set(event_target_value(&event));
                        draft.errors.update(Vec::clear);
                    }
                    inner_html=html::textarea(&draft.value.get_untracked())
                ></textarea>
                <button
                    class="btn primary"
                    id="compose-send"
                    aria-keyshortcuts="Control+Enter"
                    disabled=move || draft.outcome.get() == Outcome::Sending
                >
                    {icon("send")}
                    {td_string!(locale, compose.send)}
                    <kbd class="only-wide">"Ctrl ↵"</kbd>
                </button>
            </form>
            <div class="field">{error_line("compose", error)}</div>
            <output class="receipt">{outcome(draft, Posted::from_query())}</output>
        </section>
    }
}

fn field_id(field: Field) -> String {
    match field {
        Field::Topic => "compose-topic",
        Field::Key => "compose-key",
        Field::Value | Field::Partition | Field::Header(_) => "compose-value",
    }
    .into()
}

/// How sending ended; before anything was sent, what the address tells of a form that was posted.
fn outcome(draft: Draft, posted: Option<Posted>) -> AnyView {
    let locale = use_tab().locale;
    (move || match draft.outcome.get() {
        Outcome::None => posted.clone().map(|posted| receipt(posted.place, posted.acked_in)).into_any(),
        Outcome::Sending => td_string!(locale, compose.sending).into_any(),
        Outcome::Sent(stored) => {
            let place = Place { topic: stored.topic, partition: stored.partition, offset: stored.offset };
            receipt(place, stored.acked_in)
        }
        // Said at the field.
        Outcome::Failed(wire::ProduceError::Invalid(_)) => ().into_any(),
        Outcome::Failed(error) => {
            let (what, why) = words::produce_error(locale, &error);
            failed(what, why)
        }
        Outcome::NoAnswer => {
            failed(td_string!(locale, produce.no_answer).into(), td_string!(locale, produce.no_answer_hint).into())
        }
    })
    .into_any()
}

fn failed(what: String, why: String) -> AnyView {
    view! {
        <span class="ink wrap" data-tone="danger" role="alert">
            {icon("error")}
            <b>{what}</b>
            {why}
        </span>
    }
    .into_any()
}
