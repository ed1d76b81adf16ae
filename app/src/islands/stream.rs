//! Pages that the server keeps live: what it renders anew comes over server-sent events, each the id of an element, a line
//! break, and what is to be in it. What is in use is left alone until it is not: text that is selected, a field that has the
//! focus. A link that has it has it again in what comes.

use super::{follow, tab::Tab, times};
use crate::browser;
use leptos::prelude::document;
use std::time::Duration;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event, EventSource, MessageEvent};

/// Content that waits until its element is not in use any more.
const NEXT: &str = "data-next";
/// How soon content that waits is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// How often the stream is looked after.
const KEEP: Duration = Duration::from_secs(1);

/// Follows the page's stream, where it has one.
pub fn begin(tab: Tab) {
    if sign().is_some() {
        keep(tab, None);
    }
}

/// The stream's sign. A piece may put another one in its place: where the stream goes on is written in it.
fn sign() -> Option<Element> {
    browser::by_id("stream")
}

/// Opens the stream where there is none: the browser comes back by itself when a connection broke, but not after a refusal,
/// which a proxy may answer while the instance starts. And closes it while nobody sees the page, for a browser has six
/// connections to a server, for all its tabs; and while the search that the sign stands in is the document's target: a link to
/// it is how it is cancelled.
fn keep(tab: Tab, stream: Option<Stream>) {
    let stream = stream.filter(|stream| stream.source.ready_state() != EventSource::CLOSED);
    let sign = sign();
    let is_stopped =
        sign.as_ref().is_some_and(|sign| sign.closest("#search:target").is_ok_and(|target| target.is_some()));
    let stream = match (is_stopped || document().hidden(), stream) {
        (true, Some(stream)) => {
            stream.source.close();
            None
        }
        (false, None) => sign.and_then(|sign| connect(tab, &sign)),
        (_, stream) => stream,
    };
    browser::after(KEEP, move || keep(tab, stream));
}

/// A connection, and what it calls: that goes when it is closed.
struct Stream {
    source: EventSource,
    _heard: Closure<dyn Fn(Event)>,
}

fn connect(tab: Tab, from: &Element) -> Option<Stream> {
    let source = EventSource::new(&from.get_attribute("data-from")?).ok()?;
    let heard: Box<dyn Fn(Event)> = Box::new(move |event| match event.dyn_ref::<MessageEvent>() {
        Some(message) => take(tab, &message.data().as_string().unwrap_or_default()),
        None => {
            if let Some(sign) = sign() {
                follow::set(&sign, "data-state", Some(if event.type_() == "open" { "live" } else { "lost" }));
            }
        }
    });
    let heard = Closure::wrap(heard);
    for set in [EventSource::set_onopen, EventSource::set_onerror, EventSource::set_onmessage] {
        set(&source, Some(heard.as_ref().unchecked_ref()));
    }
    Some(Stream { source, _heard: heard })
}

fn take(tab: Tab, message: &str) {
    if let Some((id, html)) = message.split_once('\n')
        && let Some(element) = browser::by_id::<Element>(id)
    {
        let is_waiting = element.has_attribute(NEXT);
        follow::set(&element, NEXT, Some(html));
        if !is_waiting {
            show(tab, element);
        }
    }
}

fn show(tab: Tab, element: Element) {
    if is_in_use(&element) {
        browser::after(AGAIN, move || show(tab, element));
    } else if let Some(html) = element.get_attribute(NEXT) {
        follow::set(&element, NEXT, None);
        follow::rewrite(&element, &html);
        times::localise(tab, &element);
    }
}

/// Whether text in it is selected, or something has the focus that is not found again in what comes: a field with what is typed in
/// it, something without a name.
fn is_in_use(element: &Element) -> bool {
    let is_lost = |focused: Element| browser::a_field_has_the_focus() || follow::mark(&focused).is_none();
    browser::selection_touches(element) || follow::focused_in(element).is_some_and(is_lost)
}
