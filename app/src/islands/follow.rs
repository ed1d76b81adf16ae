//! Pieces of a page that follow signals.

use crate::browser;
use leptos::prelude::*;
use maud::Markup;
use std::cell::{Cell, RefCell};
use web_sys::Element;

/// What an island shows when the page is rendered: put into the context by the page, in whose data it lies. In the browser
/// it is in the document already.
#[cfg(feature = "ssr")]
#[derive(Clone)]
pub struct Rendering(pub String);

/// What the server renders into an island.
pub fn rendering() -> Option<String> {
    #[cfg(feature = "ssr")]
    return use_context::<Rendering>().map(|Rendering(html)| html);
    #[cfg(not(feature = "ssr"))]
    None
}

/// Does something once the island is there, in the browser only.
pub fn once(act: impl FnOnce() + 'static) {
    let act: Cell<Option<Box<dyn FnOnce()>>> = Cell::new(Some(Box::new(act)));
    effect(move || {
        if let Some(act) = act.take() {
            untrack(act);
        }
    });
}

/// Does something now, and whenever a signal changes that it read. Boxed, so that it is compiled once.
pub fn effect(act: impl Fn() + 'static) {
    let act: Box<dyn Fn()> = Box::new(act);
    Effect::new(act);
}

/// Calls `write` with what `text` gives whenever that changes, but not with what it gives first: that is what the server
/// rendered.
pub fn changes(text: impl Fn() -> String + 'static, write: impl Fn(&str) + 'static) {
    fn boxed(text: Box<dyn Fn() -> String>, write: Box<dyn Fn(&str)>) {
        let written = RefCell::new(None);
        effect(move || {
            let text = text();
            let before = written.replace(Some(text.clone()));
            if before.is_some_and(|before| before != text) {
                write(&text);
            }
        });
    }
    boxed(Box::new(text), Box::new(write));
}

/// Keeps the content of the element with this id up to date.
pub fn content(id: &'static str, html: impl Fn() -> Markup + 'static) {
    changes(move || html().into_string(), move |html| set_content(id, html));
}

/// Keeps the content of every element that matches a selector up to date.
pub fn contents(selector: &'static str, html: impl Fn() -> Markup + 'static) {
    let write = move |html: &str| browser::all(selector).iter().for_each(|element| element.set_inner_html(html));
    changes(move || html().into_string(), write);
}

/// Writes the content of the element with this id.
pub fn set_content(id: &str, html: &str) {
    if let Some(element) = browser::by_id::<Element>(id) {
        rewrite(&element, html);
    }
}

/// Writes the content of an element. What had the focus in it has it again, or what is around it, if it is not there any more: else
/// the keyboard would begin anew at the top of the page.
pub fn rewrite(element: &Element, html: &str) {
    let focused = focused_in(element);
    element.set_inner_html(html);
    if let Some(focused) = focused
        && !mark(&focused).is_some_and(|mark| browser::focus_in(element, &mark))
        && let Ok(Some(around)) = element.closest("[tabindex]")
    {
        browser::focus_on(around);
    }
}

/// What has the focus inside an element.
pub fn focused_in(element: &Element) -> Option<Element> {
    element.query_selector(":focus").ok().flatten()
}

/// A selector by which something is found again when what is around it was written anew: by its id, what it does, or where it leads.
pub fn mark(element: &Element) -> Option<String> {
    ["id", "data-do", "href"].iter().find_map(|name| Some(format!("[{name}='{}']", element.get_attribute(name)?)))
}

/// Hides the element with this id, or shows it.
pub fn hidden(id: &'static str, is_hidden: impl Fn() -> bool + 'static) {
    attribute(id, "hidden", move || is_hidden().then(String::new));
}

/// Keeps an attribute up to date; nothing takes it away.
pub fn attribute(id: &'static str, name: &'static str, value: impl Fn() -> Option<String> + 'static) {
    effect(move || {
        let value = value();
        if let Some(element) = browser::by_id::<Element>(id) {
            set(&element, name, value.as_deref());
        }
    });
}

/// Sets an attribute, or takes it away.
pub fn set(element: &Element, name: &str, value: Option<&str>) {
    // Both fail for illegal names only.
    let _ = match value {
        Some(value) => element.set_attribute(name, value),
        None => element.remove_attribute(name),
    };
}
