//! What only a browser can do: focus, copy, cookies, the local time zone. Called from effects and event handlers only, which
//! never run on the server. No state lives here.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use wire::Millis;

/// The `<html>` element.
pub fn root() -> Element {
    document().document_element().expect("a page has a root element")
}

/// The element of this id.
pub fn by_id<T: JsCast>(id: &str) -> Option<T> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Gives the focus to the element of this id, if there is one.
pub fn focus(id: &str) -> bool {
    let element = by_id::<HtmlElement>(id);
    element.is_some_and(|element| element.focus().is_ok())
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

/// Puts `text` on the clipboard.
pub fn copy(text: &str) {
    // The promise's failure has no consequence that could be acted on here: browsers show their own message.
    let _ = window().navigator().clipboard().write_text(text);
}

/// The page's address, with this path.
pub fn absolute(path: &str) -> String {
    format!("{}{path}", location().origin().unwrap_or_default())
}

/// How many minutes east of UTC this browser's time zone was at this moment.
pub fn zone_offset(at: Millis) -> i32 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of any real date are exact in an f64")]
    let date = js_sys::Date::new(&(at as f64).into());
    let west = date.get_timezone_offset();
    if west.is_finite() { -(west as i32) } else { 0 }
}

/// Whether a key press belongs to a field, where letters are text, or to something that takes Space and Enter itself.
pub fn is_in_a_field(event: &web_sys::KeyboardEvent) -> bool {
    matches_target(event, "input, textarea, select, [contenteditable]")
}

/// Whether the focus is on something that Space or Enter acts on.
pub fn is_on_a_control(event: &web_sys::KeyboardEvent) -> bool {
    matches_target(event, "input, textarea, select, button, a, summary, [contenteditable]")
}

fn matches_target(event: &web_sys::KeyboardEvent, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|element| element.matches(selector).unwrap_or(false))
}

/// Whether a field has the focus.
pub fn a_field_has_the_focus() -> bool {
    document().active_element().is_some_and(|element| element.matches("input, textarea, select").unwrap_or(false))
}

/// Whether some text is selected.
pub fn text_is_selected() -> bool {
    matches!(window().get_selection(), Ok(Some(selection)) if !selection.is_collapsed())
}
