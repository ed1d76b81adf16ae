//! The produce page: its form, how sending ended, what was sent.

use super::{
    follow,
    message::{self, Outcome},
    tab::{Tab, tab},
};
use crate::{
    browser, form,
    format::number::bytes,
    live::SentState,
    markup::{
        banner::banner,
        produce::{refused, stored},
        receipt::{posted, sent},
    },
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use maud::{Markup, html};
use std::cell::Cell;
use web_sys::{Element, Event, HtmlInputElement, HtmlTextAreaElement};
use wire::{Encoding, Receipt};

const FORM: &str = "produce";

/// The produce page's island.
#[island]
pub fn Produce() -> impl IntoView {
    follow::once(|| {
        if let (Some(tab), Some(main)) = (tab(), browser::by_id::<Element>("main")) {
            begin(tab, &main);
        }
    });
    view! { <main class="main" id="main" tabindex="-1" inner_html=follow::rendering()></main> }
}

fn begin(tab: Tab, main: &Element) {
    let live = tab.live;
    let outcome = RwSignal::new(Outcome::None);
    browser::listen(main, "submit", move |event| submit(tab, outcome, &event));
    browser::listen(main, "click", move |event| act(tab, outcome, &event));
    browser::listen(main, "change", move |_| describe());
    browser::listen(main, "input", move |_| describe());
    browser::listen(main, "mousedown", |event| {
        // The field keeps the focus: its check would move this button away from under the press.
        if browser::control(&event, "data-keeps-focus").is_some() {
            event.prevent_default();
        }
    });
    browser::listen(main, "focusout", move |event| leave(tab, &event));
    browser::listen(main, "keydown", move |event| {
        if message::is_send(&event) {
            submit(tab, outcome, &event);
        }
    });
    follow::content("outcome", move || outcome_now(tab, outcome.get()));
    follow::attribute("send", "disabled", move || (outcome.get() == Outcome::Sending).then(String::new));
    follow::content("sent", move || sent(&tab.reader, &live.receipts().get(), &tab.serving()));
    follow::hidden("sent", move || live.receipts().get().is_empty());
}

fn outcome_now(tab: Tab, outcome: Outcome) -> Markup {
    let reader = &tab.reader;
    let locale = reader.locale;
    match outcome {
        Outcome::None => html! {},
        Outcome::Sending => html! { p.muted role="status" { (td_string!(locale, compose.sending)) } },
        Outcome::Sent(receipt) => stored(reader, &posted(&receipt), &state(tab, &receipt), &tab.serving()),
        Outcome::Failed(error) => refused(locale, &error),
        Outcome::NoAnswer => {
            banner("danger", td_string!(locale, produce.no_answer), td_string!(locale, produce.no_answer_hint))
        }
    }
}

/// What became of a message that this tab sent.
pub fn state(tab: Tab, receipt: &Receipt) -> SentState {
    let sent = tab.live.receipts().get().into_iter().find(|sent| sent.receipt == *receipt);
    sent.map_or(SentState::Acked, |sent| sent.state)
}

fn submit(tab: Tab, outcome: RwSignal<Outcome>, event: &Event) {
    let Some(form) = message::form(FORM) else { return };
    event.prevent_default();
    message::send(tab, form, outcome, |_| ());
}

fn act(tab: Tab, outcome: RwSignal<Outcome>, event: &Event) {
    let Some(control) = browser::control(event, "data-do") else { return };
    match control.get_attribute("data-do").unwrap_or_default().as_str() {
        "add-header" => add_header(),
        "remove-header" => {
            if let Ok(Some(line)) = control.closest(".header-line") {
                line.remove();
                // Else the focus would go with it.
                browser::focus_in(&browser::root(), "[data-do='add-header']");
            }
        }
        "clear-form" => {
            if let Some(form) = message::form(FORM) {
                form.reset();
                message::show(tab, &form, &[]);
                outcome.set(Outcome::None);
                describe();
            }
        }
        _ => {}
    }
}

fn add_header() {
    thread_local! {
        // Far above the lines that come with the page.
        static NEXT: Cell<usize> = const { Cell::new(1_000) };
    }
    let id = NEXT.replace(NEXT.get() + 1);
    if let (Some(headers), Some(line)) =
        (browser::by_id::<Element>("headers"), browser::by_id::<Element>("header-line"))
    {
        let line = line.inner_html().replace(form::NEW_LINE, &id.to_string());
        let _ = headers.insert_adjacent_html("beforeend", &line);
    }
}

/// Says under the value how large it is. How it is sent, the style shows.
fn describe() {
    let (Some(form), Some(value)) = (message::form(FORM), browser::by_id::<HtmlTextAreaElement>("value")) else {
        return;
    };
    value.set_disabled(message::collect(&form).value_encoding == Encoding::Null);
    if let Some(size) = browser::by_id::<Element>("value-size") {
        size.set_text_content(Some(&bytes(value.value().len() as u64)));
    }
}

fn leave(tab: Tab, event: &Event) {
    if let (Some(form), Some(left)) = (message::form(FORM), browser::target::<Element>(event))
        && left.has_attribute("aria-describedby")
        && browser::target::<HtmlInputElement>(event).is_none_or(|input| input.type_() != "radio")
    {
        message::check(tab, &form, &left);
    }
}
