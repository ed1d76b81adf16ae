//! The produce page: its form, how sending ended, what was sent.

use super::{
    follow,
    message::{self, Outcome},
    tab::{Tab, tab},
};
use crate::{
    browser,
    live::SentState,
    markup::{
        banner::banner,
        produce::{header_line, refused, stored, value_hint},
        receipt::{posted, sent},
    },
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use maud::{Markup, html};
use std::cell::Cell;
use web_sys::{Element, Event, HtmlInputElement, HtmlTextAreaElement};
use wire::{Encoding, HeaderInput, Receipt};

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
    browser::listen(main, "change", move |_| describe(tab));
    browser::listen(main, "input", move |_| describe(tab));
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
        "add-header" => add_header(tab),
        "remove-header" => {
            if let Ok(Some(line)) = control.closest(".header-line") {
                line.remove();
            }
        }
        "clear-form" => {
            if let Some(form) = message::form(FORM) {
                form.reset();
                message::show(tab, &form, &[]);
                outcome.set(Outcome::None);
                describe(tab);
            }
        }
        _ => {}
    }
}

fn add_header(tab: Tab) {
    thread_local! {
        // Far above the lines that come with the page.
        static NEXT: Cell<usize> = const { Cell::new(1_000) };
    }
    let id = NEXT.replace(NEXT.get() + 1);
    if let Some(headers) = browser::by_id::<Element>("headers") {
        let line = header_line(&tab.reader, id, &HeaderInput::default(), None);
        let _ = headers.insert_adjacent_html("beforeend", &line.into_string());
    }
}

/// Says under the value how it is sent and how large it is.
fn describe(tab: Tab) {
    let (Some(form), Some(value)) = (message::form(FORM), browser::by_id::<HtmlTextAreaElement>("value")) else {
        return;
    };
    let encoding = message::collect(&form).value_encoding;
    value.set_disabled(encoding == Encoding::Null);
    if let Some(hint) = browser::by_id::<Element>("value-hint") {
        hint.set_inner_html(&value_hint(&tab.reader, encoding, value.value().len(), tab.limits).into_string());
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
