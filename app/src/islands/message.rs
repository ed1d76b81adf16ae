//! A message in a form: what it holds, what is wrong with it, sending it. Shared by the composer and the produce page. On an
//! error nothing that was typed is lost.

use super::{follow, tab::Tab};
use crate::{
    api::{self, Produce},
    browser,
    form::{self, encoding},
    live::clock,
    words,
};
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FormData, HtmlElement, HtmlFormElement, KeyboardEvent};
use wire::{Field, FieldError, HeaderInput, ProduceError, ProduceInput, Receipt};

/// How sending ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was sent yet.
    None,
    /// On its way.
    Sending,
    /// Stored.
    Sent(Receipt),
    /// Refused, by the check or by Kafka.
    Failed(ProduceError),
    /// The server did not answer, so nobody knows.
    NoAnswer,
}

/// The form of this id.
pub fn form(id: &str) -> Option<HtmlFormElement> {
    browser::by_id(id)
}

/// The message as it stands in a form.
pub fn collect(form: &HtmlFormElement) -> ProduceInput {
    let Ok(data) = FormData::new_with_form(form) else { return ProduceInput::default() };
    let text = |name: &str| data.get(name).as_string().unwrap_or_default();
    let texts =
        |name: &str| data.get_all(name).iter().map(|value| value.as_string().unwrap_or_default()).collect::<Vec<_>>();
    let headers = texts("header_name").into_iter().zip(texts("header_value")).zip(texts("header_encoding"));
    ProduceInput {
        topic: text("topic"),
        partition: text("partition"),
        key_encoding: encoding(&text("key_encoding")),
        key: text("key"),
        value_encoding: encoding(&text("value_encoding")),
        value: text("value"),
        allow_empty: data.has("allow_empty"),
        headers: headers.map(|((name, value), as_)| HeaderInput { name, value, encoding: encoding(&as_) }).collect(),
    }
}

/// What is wrong with a message, by the same code as on the server. The server generates the real key; any text stands for
/// it here.
pub fn mistakes(tab: Tab, input: &ProduceInput) -> Vec<FieldError> {
    input.check(tab.limits, String::new).err().unwrap_or_default()
}

/// Checks a message and sends it. `outcome` tells how it goes, `sent` is called when it is stored.
pub fn send(tab: Tab, form: HtmlFormElement, outcome: RwSignal<Outcome>, sent: fn(&HtmlFormElement)) {
    if outcome.get_untracked() == Outcome::Sending {
        return;
    }
    let input = collect(&form);
    let mistakes = mistakes(tab, &input);
    if !mistakes.is_empty() {
        refuse(tab, &form, outcome, mistakes);
        return;
    }
    show(tab, &form, &[]);
    outcome.set(Outcome::Sending);
    let sent_at = clock();
    spawn_local(async move {
        match api::call(Produce { input }).await {
            Some(Ok(receipt)) => {
                tab.live.sent(receipt.clone(), sent_at);
                outcome.set(Outcome::Sent(receipt));
                sent(&form);
            }
            Some(Err(ProduceError::Invalid(mistakes))) => refuse(tab, &form, outcome, mistakes),
            Some(Err(error)) => outcome.set(Outcome::Failed(error)),
            None => outcome.set(Outcome::NoAnswer),
        }
    });
}

/// Says what is wrong, and leads to the first of it.
fn refuse(tab: Tab, form: &HtmlFormElement, outcome: RwSignal<Outcome>, mistakes: Vec<FieldError>) {
    show(tab, form, &mistakes);
    if let Ok(Some(first)) = form.query_selector("[aria-invalid]")
        && let Ok(first) = first.dyn_into::<HtmlElement>()
    {
        let _ = first.focus();
    }
    outcome.set(Outcome::Failed(ProduceError::Invalid(mistakes)));
}

/// Shows what is wrong at the fields, and that nothing is wrong at all others.
pub fn show(tab: Tab, form: &HtmlFormElement, mistakes: &[FieldError]) {
    for element in browser::all(&format!("#{} [aria-invalid]", form.id())) {
        show_at(&element, None);
    }
    // Where several fields share one line, as in the composer, it tells of the first.
    for mistake in mistakes.iter().rev() {
        if let Some(control) = control(form, mistake.field) {
            show_at(&control, Some(&words::rule(tab.reader.locale, &mistake.rule, mistake.field)));
        }
    }
}

/// Checks one field that was left.
pub fn check(tab: Tab, form: &HtmlFormElement, left: &Element) {
    for mistake in mistakes(tab, &collect(form)) {
        if control(form, mistake.field).as_ref() == Some(left) {
            show_at(left, Some(&words::rule(tab.reader.locale, &mistake.rule, mistake.field)));
            return;
        }
    }
    show_at(left, None);
}

/// Says at a control what is wrong with it, in the line that describes it first.
pub fn show_at(control: &Element, wrong: Option<&str>) {
    let described_by = control.get_attribute("aria-describedby").unwrap_or_default();
    let Some(id) = described_by.split(' ').next().filter(|id| !id.is_empty()) else { return };
    follow::set(control, "aria-invalid", wrong.map(|_| "true"));
    let Some(line) = browser::by_id::<Element>(id) else { return };
    follow::set(&line, "hidden", wrong.is_none().then_some(""));
    if let Ok(Some(text)) = line.query_selector("span") {
        text.set_text_content(wrong);
    }
}

/// The control of a field; in a form without it, the value's.
fn control(form: &HtmlFormElement, field: Field) -> Option<Element> {
    let found = form.query_selector_all(&format!("[name={}]", form::name(field))).ok()?;
    let index = if let Field::Header(index) = field { index } else { 0 };
    let control = found.item(index).and_then(|node| node.dyn_into().ok());
    control.or_else(|| form.query_selector("[name=value]").ok()?)
}

/// Whether a key press sends: Ctrl+Enter, ⌘+Enter on a Mac.
pub fn is_send(event: &Event) -> bool {
    let press = event.dyn_ref::<KeyboardEvent>();
    press.is_some_and(|press| press.key() == "Enter" && (press.ctrl_key() || press.meta_key()))
}
