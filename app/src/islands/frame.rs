//! What works on every page: connection and instance in the head, banners, theme, copying, the keys that mean the same
//! everywhere. It stands last in the document, so that every other island is there when it begins.

use super::{
    follow, stream,
    tab::{Tab, say, tab},
    times,
};
use crate::{
    browser,
    live::Connection,
    markup,
    preferences::{KEYS_COOKIE, LANGUAGE_COOKIE, THEME_COOKIE},
};
use leptos::{prelude::*, task::spawn_local};
use leptos_i18n::td_string;
use maud::html;
use std::{cell::Cell, time::Duration};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlDialogElement, HtmlInputElement, HtmlSelectElement, KeyboardEvent};
use wire::Behind;

const KEYS: &str = "keys";
/// How long a button shows that it copied.
const DONE: Duration = Duration::from_secs(2);

/// The frame's island: nothing to see but the line that speaks to a screen reader, politely and never about latency, rates
/// or count-downs.
#[island]
pub fn Frame() -> impl IntoView {
    follow::once(|| {
        if let Some(tab) = tab() {
            begin(tab);
        }
        // Tests, and the stylesheet's fallback for a page that never comes alive, look at it.
        follow::set(&browser::root(), "data-hydrated", Some(""));
    });
    view! { <p class="sr" role="status" id="status"></p> }
}

fn begin(tab: Tab) {
    times::localise(tab, &browser::root());
    let window = window();
    browser::listen(&window, "click", move |event| act(tab, &event));
    browser::listen(&window, "change", move |event| choose(tab, &event));
    browser::listen(&window, "keydown", move |event| press(tab, &event));
    // Where the keyboard goes on, where the page was loaded for it. (`autofocus` does nothing beside the fragment that shows the row.)
    if let Some(title) = browser::by_id("opened") {
        browser::focus_on(title);
    }
    follow_the_feed(tab);
    announce_the_connection(tab);
    stream::begin(tab);
}

fn follow_the_feed(tab: Tab) {
    let (reader, live) = (&tab.reader, tab.live);
    let connection = live.connection();
    follow::contents("[data-serving]", || markup::instance::instance(&tab.serving(), &tab.serving()));
    follow::content("members", move || {
        markup::members::members(reader, &live.members().get(), &tab.serving(), live.stats().get().rate)
    });
    follow::content("connection", move || markup::connection::connection(reader, connection.get()));
    let state = move || markup::connection::state(connection.get());
    follow::attribute("connection", "data-state", move || Some(state().0.into()));
    follow::attribute("connection", "data-tone", move || Some(state().1.into()));
    follow::attribute("connection", "aria-busy", move || Some((state().1 != "ok").to_string()));

    follow::effect(move || {
        if live.stale_build().get() && browser::is_watched() {
            browser::reload();
        }
    });
    let banners = move |connection| {
        let (kafka, is_stale) = (live.kafka().get(), live.stale_build().get());
        markup::banner::banners(reader, connection, &kafka, &tab.serving(), is_stale).into_string()
    };
    // A banner is written once for each loss: only its figures change by the second, so that the button beside it keeps the
    // focus.
    let without_count = move || match connection.get() {
        Connection::Reconnecting { .. } => Connection::Reconnecting { in_seconds: 0 },
        Connection::Live { .. } => Connection::Live { latency_ms: None },
        Connection::Behind(_) => Connection::Behind(Behind::default()),
        other => other,
    };
    follow::changes(
        move || banners(without_count()),
        move |_| follow::set_content("banners", &untrack(|| banners(connection.get()))),
    );
    follow::content("behind-by", move || html! { (markup::banner::behind(reader, connection.get())) });
    follow::content("countdown", move || html! { (markup::banner::countdown(reader, connection.get())) });
}

fn announce_the_connection(tab: Tab) {
    let locale = tab.reader.locale;
    let was = Cell::new(None);
    follow::effect(move || {
        let trouble = match tab.live.connection().get() {
            Connection::Reconnecting { .. } | Connection::Offline => Some(td_string!(locale, conn.lost)),
            Connection::Ended => Some(td_string!(locale, conn.ended)),
            _ => None,
        };
        if was.replace(trouble) != trouble && !browser::a_field_has_the_focus() {
            match trouble {
                Some(trouble) => say(trouble),
                None => say(&td_string!(locale, conn.served_by, instance = untrack(|| tab.serving()))),
            }
        }
    });
}

fn act(tab: Tab, event: &Event) {
    let Some(control) = browser::control(event, "data-do") else { return };
    match control.get_attribute("data-do").unwrap_or_default().as_str() {
        "copy" => copy(tab, control),
        "keys" => show_keys(),
        "reload" => {
            let _ = location().reload();
        }
        "retry" => tab.live.retry_now(),
        _ => {}
    }
}

/// Copies the text of an element, the address of a path, or what the server has at an address.
fn copy(tab: Tab, control: Element) {
    let attribute = |name| control.get_attribute(name);
    let text = match (attribute("data-copy-from"), attribute("data-copy-path"), attribute("data-copy-url")) {
        (Some(id), ..) => browser::by_id::<Element>(&id).and_then(|element| element.text_content()),
        (_, Some(path), _) => Some(browser::absolute(&path)),
        (_, _, Some(url)) => {
            return spawn_local(async move {
                let answer = browser::ask(&url, None).await;
                put(tab, control, answer.and_then(|text| String::from_utf8(text).ok()));
            });
        }
        _ => return,
    };
    put(tab, control, text);
}

/// Puts the text on the clipboard, and says so where the browser lets it.
fn put(tab: Tab, control: Element, text: Option<String>) {
    let locale = tab.reader.locale;
    let Some(text) = text else { return say(td_string!(locale, error.no_answer)) };
    spawn_local(async move {
        if browser::copy(&text).await {
            say(td_string!(locale, app.copied));
            // A moment's sign at the place that was clicked.
            follow::set(&control, "data-done", Some(""));
            browser::after(DONE, move || follow::set(&control, "data-done", None));
        }
    });
}

fn choose(tab: Tab, event: &Event) {
    if let Some(select) = browser::target::<HtmlSelectElement>(event) {
        match select.name().as_str() {
            THEME_COOKIE => browser::remember(THEME_COOKIE, &select.value()),
            // Another language is another page: the form asks the server for it.
            LANGUAGE_COOKIE => {
                if let Some(form) = select.form() {
                    let _ = form.request_submit();
                }
            }
            _ => {}
        }
    } else if let Some(input) = browser::target::<HtmlInputElement>(event).filter(|input| input.id() == "single-keys") {
        tab.single_keys.set(input.checked());
        browser::remember(KEYS_COOKIE, if input.checked() { "" } else { "off" });
    }
}

fn press(tab: Tab, event: &Event) {
    let Some(key) = shortcut(tab, event) else { return };
    let is_done = match key.as_str() {
        "?" => {
            show_keys();
            true
        }
        "/" => browser::focus("filter"),
        "c" => browser::focus("compose-value"),
        // What a link of the page is for.
        key => browser::click(&format!("a[aria-keyshortcuts='{key}']")),
    };
    if is_done {
        event.prevent_default();
    }
}

fn show_keys() {
    if let Some(dialog) = browser::by_id::<HtmlDialogElement>(KEYS) {
        // Refused only while it is open already.
        let _ = dialog.show_modal();
    }
}

/// The key, where its press is a single-key shortcut: nobody else takes it, and they are not turned off.
fn shortcut(tab: Tab, event: &Event) -> Option<String> {
    free_key(event).filter(|_| tab.single_keys.get())
}

/// The key, where nobody else takes its press: no field has it, no modifier is held, no dialog is open.
pub fn free_key(event: &Event) -> Option<String> {
    let press = event.dyn_ref::<KeyboardEvent>()?;
    let is_modified = press.ctrl_key() || press.alt_key() || press.meta_key();
    let is_taken = is_modified || event.default_prevented() || browser::is_in_a_field(event);
    // One layer at a time: what lies above takes the keys.
    let dialog_is_open = matches!(document().query_selector("[popover]:popover-open, dialog[open]"), Ok(Some(_)));
    (!is_taken && !dialog_is_open).then(|| press.key())
}
