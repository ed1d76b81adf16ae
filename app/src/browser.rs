//! What only a browser can do: focus, copy, cookies, the local time zone. Called from islands only, whose effects never run
//! on the server. No state lives here.

use leptos::prelude::{document, location, window};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, Event, EventTarget, FocusOptions, HtmlElement, HtmlInputElement, RequestInit, Response};
use wire::Millis;

/// The `<html>` element.
pub fn root() -> Element {
    document().document_element().expect("a page has a root element")
}

/// The element of this id.
pub fn by_id<T: JsCast>(id: &str) -> Option<T> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// The elements that match a selector.
pub fn all(selector: &str) -> Vec<Element> {
    all_in(&root(), selector)
}

/// The elements inside another that match a selector.
pub fn all_in(within: &Element, selector: &str) -> Vec<Element> {
    let list = within.query_selector_all(selector).ok();
    let items = list.into_iter().flat_map(|list| (0..list.length()).filter_map(move |index| list.item(index)));
    items.filter_map(|node| node.dyn_into().ok()).collect()
}

/// What an event happened to, if it is a `T`.
pub fn target<T: JsCast>(event: &Event) -> Option<T> {
    event.target()?.dyn_into().ok()
}

/// What an event happened to, or what is around it, that has this attribute.
pub fn control(event: &Event, attribute: &str) -> Option<Element> {
    target::<Element>(event)?.closest(&format!("[{attribute}]")).ok()?
}

/// Gives the focus to the element of this id, if there is one.
pub fn focus(id: &str) -> bool {
    by_id::<HtmlElement>(id).is_some_and(|element| element.focus().is_ok())
}

/// Follows the link that matches a selector, if there is one.
pub fn click(selector: &str) -> bool {
    let link = document().query_selector(selector).ok().flatten().and_then(|link| link.dyn_into::<HtmlElement>().ok());
    link.inspect(HtmlElement::click).is_some()
}

/// Gives the focus to the first thing inside another that matches a selector, without scrolling to it; whether there is one.
pub fn focus_in(within: &Element, selector: &str) -> bool {
    let found = within.query_selector(selector).ok().flatten();
    found.is_some_and(focus_on)
}

/// Gives the focus to an element, without scrolling to it.
pub fn focus_on(element: Element) -> bool {
    let still = FocusOptions::new();
    still.set_prevent_scroll(true);
    element.dyn_into::<HtmlElement>().is_ok_and(|element| element.focus_with_options(&still).is_ok())
}

/// Whether an element or something in it has the focus.
pub fn has_focus(element: &Element) -> bool {
    element.matches(":focus-within").unwrap_or(false)
}

/// Sets `<html data-…>`, or takes it away where `value` is empty, and keeps the choice for a year. The server reads the
/// cookie when it renders the next page.
pub fn remember(name: &str, value: &str) {
    const YEAR: u32 = 365 * 24 * 60 * 60;
    let attribute = format!("data-{name}");
    let _ = match value {
        "" => root().remove_attribute(&attribute),
        _ => root().set_attribute(&attribute, value),
    };
    let age = if value.is_empty() { 0 } else { YEAR };
    if let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() {
        let _ = document.set_cookie(&format!("{name}={value}; Path=/; Max-Age={age}; SameSite=Lax"));
    }
}

/// Puts `text` on the clipboard; whether the browser lets it.
pub async fn copy(text: &str) -> bool {
    JsFuture::from(window().navigator().clipboard().write_text(text)).await.is_ok()
}

/// The page's address, with this path.
pub fn absolute(path: &str) -> String {
    format!("{}{path}", location().origin().unwrap_or_default())
}

/// Shows another address for this page, with the filter in it if there is one: nothing is loaded, and going back leads out. Another
/// language leads back to it, too.
pub fn show_address(path: &str, filter: &str) {
    let Some(back) = by_id::<HtmlInputElement>("back") else { return };
    // Without a filter, now as before, the address stays as it was written.
    if filter.is_empty() && !back.value().contains("filter=") {
        return;
    }
    let mut address = path.to_owned();
    if !filter.is_empty() {
        address.push_str("&filter=");
        address.push_str(&String::from(js_sys::encode_uri_component(filter)));
    }
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
    }
    back.set_value(&address);
}

/// How many minutes east of UTC this browser's time zone was at this moment.
pub fn zone_offset(at: Millis) -> i32 {
    let west = js_sys::Date::new(&(at as f64).into()).get_timezone_offset();
    if west.is_finite() { -(west as i32) } else { 0 }
}

/// A moment as people of this language write it, with the day of the week (`Intl`, ECMA-402): those of the reader's country, where the
/// browser speaks the language too.
pub fn in_words(at: Millis, language: &str) -> String {
    let parts = js_sys::JSON::parse(r#"{"dateStyle":"full","timeStyle":"long","hourCycle":"h23"}"#).unwrap_or_default();
    let own = window().navigator().language().filter(|own| own.starts_with(language));
    js_sys::Date::new(&(at as f64).into()).to_locale_string(own.as_deref().unwrap_or(language), &parts).into()
}

/// The moment that a `datetime` names.
pub fn millis(datetime: &str) -> Option<Millis> {
    let at = js_sys::Date::parse(datetime);
    at.is_finite().then_some(at as Millis)
}

/// Listens as long as the page lives. Boxed, so that it is compiled once.
pub fn listen(target: &EventTarget, event: &str, act: impl Fn(Event) + 'static) {
    fn boxed(target: &EventTarget, event: &str, act: Box<dyn Fn(Event)>) {
        let act = Closure::wrap(act);
        // Refused by no target.
        let _ = target.add_event_listener_with_callback(event, act.as_ref().unchecked_ref());
        act.forget();
    }
    boxed(target, event, Box::new(act));
}

/// Does something later.
pub fn after(delay: Duration, act: impl FnOnce() + 'static) {
    let act: Box<dyn FnOnce()> = Box::new(act);
    leptos::prelude::set_timeout(act, delay);
}

/// Does something in the next frame, when what was written is laid out.
pub fn next_frame(act: impl FnOnce() + 'static) {
    let act: Box<dyn FnOnce()> = Box::new(act);
    leptos::prelude::request_animation_frame(act);
}

/// Asks an address of this server, by POST where there is a body; the answer's bytes, if it is a good one.
pub async fn ask(path: &str, body: Option<&[u8]>) -> Option<Vec<u8>> {
    let init = RequestInit::new();
    if let Some(body) = body {
        init.set_method("POST");
        init.set_body(&js_sys::Uint8Array::from(body));
    }
    let response: Response =
        JsFuture::from(window().fetch_with_str_and_init(path, &init)).await.ok()?.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    let answer = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
    Some(js_sys::Uint8Array::new(&answer).to_vec())
}

/// Bytes in base64.
pub fn base64(bytes: &[u8]) -> String {
    // The browser's encoder takes a text whose characters are the bytes, and then never fails.
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    window().btoa(&text).unwrap_or_default()
}

/// Whether a key press belongs to a field, where letters are text.
pub fn is_in_a_field(event: &Event) -> bool {
    matches_target(event, "input, textarea, select, [contenteditable]")
}

/// Whether an event happened to something that Space or Enter acts on.
pub fn is_on_a_control(event: &Event) -> bool {
    matches_target(event, "input, textarea, select, button, a, summary, [contenteditable]")
}

fn matches_target(event: &Event, selector: &str) -> bool {
    target::<Element>(event).is_some_and(|element| element.matches(selector).unwrap_or(false))
}

/// Whether a field has the focus.
pub fn a_field_has_the_focus() -> bool {
    document().active_element().is_some_and(|element| element.matches("input, textarea, select").unwrap_or(false))
}

/// Whether selected text is, if only in part, inside an element.
pub fn selection_touches(element: &Element) -> bool {
    let selection = window().get_selection().ok().flatten().filter(|selection| !selection.is_collapsed());
    selection.is_some_and(|s| s.contains_node_with_allow_partial_containment(element, true).unwrap_or(false))
}

/// Whether some text is selected.
pub fn text_is_selected() -> bool {
    matches!(window().get_selection(), Ok(Some(selection)) if !selection.is_collapsed())
}

/// Whether someone works on the page and wants to see what becomes of it.
pub fn is_watched() -> bool {
    document().document_element().is_some_and(|html| html.has_attribute("data-watch"))
}

/// Loads the page again.
pub fn reload() {
    let _ = window().location().reload();
}
