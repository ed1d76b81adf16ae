//! The composer under the list: one line at rest, more when it is used. The produce page has every field.

use super::{
    field,
    icon::icon,
    receipt::{receipt, refused},
};
use crate::{
    form::{FormFailure, Posted},
    live::SentState,
    reader::Reader,
    words,
};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::ProduceError;

/// The composer, with what comes back from a form that was posted without JavaScript.
pub fn composer(reader: &Reader, topics: &[String], failure: Option<&FormFailure>, posted: Option<&Posted>) -> Markup {
    let locale = reader.locale;
    let input = failure.map(|failure| failure.input.clone()).unwrap_or_default();
    let wrong = failure.and_then(|failure| match &failure.error {
        ProduceError::Invalid(errors) => errors.first().map(|error| words::rule(locale, &error.rule, error.field)),
        _ => None,
    });
    html! {
        section.composer aria-label=(td_string!(locale, compose.title)) {
            form #compose method="post" action="/produce" {
                input type="hidden" name="back" value="/";
                select #compose-topic .input.opt name="topic" autocomplete="off" aria-describedby="compose-error"
                    aria-label=(td_string!(locale, produce.topic)) {
                    @for topic in topics { option selected[*topic == input.topic] { (topic) } }
                }
                input #compose-key .input.opt name="key" autocomplete="off" aria-describedby="compose-error" value=(input.key)
                    aria-label=(td_string!(locale, produce.key)) placeholder=(td_string!(locale, compose.key));
                textarea #compose-value .input name="value" rows="1" spellcheck="false" autocomplete="off"
                    aria-describedby="compose-error" aria-invalid=[wrong.as_ref().map(|_| "true")]
                    aria-label=(td_string!(locale, produce.value)) placeholder=(td_string!(locale, compose.value)) {
                    // HTML drops the first newline of a text area: this one.
                    "\n" (input.value)
                }
                button #compose-send .btn.primary aria-keyshortcuts="Control+Enter" {
                    (icon("send")) (td_string!(locale, compose.send)) kbd.only-wide { "Ctrl ↵" }
                }
            }
            div.field { (field::error("compose-error", wrong.as_deref())) }
            output #outcome .receipt {
                @if let Some(posted) = posted { (receipt(reader, posted, &SentState::Acked, "")) }
                @if let Some(failure) = failure { (refused(reader, &failure.error)) }
            }
        }
    }
}
