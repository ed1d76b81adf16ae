//! The full form of a message as the server renders it, and the help beside it.

use super::{field, icon::icon};
use crate::{form, format::number::bytes, i18n::Locale, reader::Reader, words};
use leptos_i18n::td_string;
use maud::{Markup, html};
use std::fmt::Display;
use wire::{Encoding, Field, FieldError, HeaderInput, Limits, ProduceInput};

/// Empty lines for headers that a form without JavaScript offers.
const HEADER_LINES: usize = 3;

/// The form, with what was typed and what is wrong with it.
pub fn form(reader: &Reader, topics: &[String], limits: Limits, input: &ProduceInput, errors: &[FieldError]) -> Markup {
    let locale = reader.locale;
    let wrong = |field| wrong_with(locale, errors, field);
    let blank = HEADER_LINES.saturating_sub(input.headers.len());
    let headers = input.headers.iter().cloned().chain(std::iter::repeat_n(HeaderInput::default(), blank));
    html! {
        form #produce .card method="post" action="/produce" aria-label=(td_string!(locale, nav.produce)) novalidate {
            input type="hidden" name="back" value="/produce";
            header { h2 { (td_string!(locale, produce.message)) } }
            div.body {
                div.pair {
                    (topic(reader, topics, &input.topic, wrong(Field::Topic)))
                    (key(reader, input, wrong(Field::Key)))
                    (partition(reader, &input.partition, wrong(Field::Partition)))
                }
                (value(reader, limits, input, wrong(Field::Value)))
                fieldset.field {
                    legend.label { (td_string!(locale, produce.headers)) " " small { (td_string!(locale, produce.optional)) } }
                    div #headers .stack.tight {
                        @for (index, header) in headers.enumerate() {
                            (header_line(reader, index, &header, wrong(Field::Header(index as u32)).as_deref()))
                        }
                    }
                    // What the browser adds.
                    template #header-line { (header_line(reader, form::NEW_LINE, &HeaderInput::default(), None)) }
                    div {
                        button.btn.needs-script type="button" data-do="add-header" {
                            (icon("plus")) (td_string!(locale, produce.add_header))
                        }
                    }
                }
            }
            footer {
                button #send .btn.primary data-keeps-focus {
                    (icon("send")) (td_string!(locale, compose.send)) kbd.only-wide { "Ctrl ↵" }
                }
                button.btn.quiet.push.needs-script type="button" data-do="clear-form" { (td_string!(locale, produce.clear)) }
            }
        }
    }
}

/// A header's line. `id` tells its error's line from others.
fn header_line(reader: &Reader, id: impl Display, header: &HeaderInput, wrong: Option<&str>) -> Markup {
    let locale = reader.locale;
    let (name, value) = (td_string!(locale, produce.header_name), td_string!(locale, produce.header_value));
    let remove = td_string!(locale, produce.remove_header, name = header.name.as_str());
    html! {
        div.header-line {
            input.input.mono name="header_name" autocomplete="off" aria-label=(name) placeholder=(name) value=(header.name)
                aria-describedby={ "header-error-" (id) } aria-invalid=[wrong.map(|_| "true")];
            input.input.mono name="header_value" autocomplete="off" aria-label=(value) placeholder=(value) value=(header.value);
            select.input name="header_encoding" autocomplete="off" aria-label=(td_string!(locale, produce.value_as)) {
                @for encoding in [Encoding::Text, Encoding::Base64, Encoding::Null] {
                    option selected[encoding == header.encoding] { (encoding.name()) }
                }
            }
            button.btn.quiet.square.needs-script type="button" aria-label=(remove) data-do="remove-header" { (icon("x")) }
            (field::error(&format!("header-error-{id}"), wrong))
        }
    }
}

/// A line of text, described by its error first.
fn text_input(name: &str, text: &str, placeholder: &str, list: Option<&str>, is_wrong: bool) -> Markup {
    html! {
        input.input.mono id=(name) name=(name) value=(text) placeholder=(placeholder) list=[list] autocomplete="off"
            spellcheck="false" aria-describedby={ (name) "-error " (name) "-hint" } aria-invalid=[is_wrong.then_some("true")];
    }
}

/// A choice of encodings: a plain group of radio buttons.
fn encodings(name: &str, legend: &str, chosen: Encoding, choices: &[(Encoding, &str)]) -> Markup {
    html! {
        fieldset.seg {
            legend.sr { (legend) }
            @for (choice, label) in choices {
                label {
                    input type="radio" name=(name) value=(choice.name()) autocomplete="off" checked[*choice == chosen];
                    (label)
                }
            }
        }
    }
}

/// The field of the topic, which offers some.
pub fn topic(reader: &Reader, topics: &[String], topic: &str, wrong: Option<String>) -> Markup {
    let locale = reader.locale;
    let control = html! {
        (text_input(form::name(Field::Topic), topic, "", Some("topics"), wrong.is_some()))
        datalist #topics { @for topic in topics { option value=(topic) {} } }
    };
    let (label, note) = (td_string!(locale, produce.topic), td_string!(locale, produce.required));
    field("topic", label, note, "", wrong.as_deref(), control)
}

fn key(reader: &Reader, input: &ProduceInput, wrong: Option<String>) -> Markup {
    let locale = reader.locale;
    let choices = [
        (Encoding::Auto, td_string!(locale, produce.generated)),
        (Encoding::Text, td_string!(locale, produce.text)),
        (Encoding::Base64, "base64"),
        (Encoding::Null, td_string!(locale, produce.none)),
    ];
    let control = html! {
        (text_input(form::name(Field::Key), &input.key, td_string!(locale, produce.key_placeholder), None, wrong.is_some()))
        (encodings("key_encoding", td_string!(locale, produce.key_as), input.key_encoding, &choices))
    };
    let (label, note) = (td_string!(locale, produce.key), td_string!(locale, produce.optional));
    field("key", label, note, td_string!(locale, produce.key_hint), wrong.as_deref(), control)
}

/// The field of the partition.
pub fn partition(reader: &Reader, partition: &str, wrong: Option<String>) -> Markup {
    let locale = reader.locale;
    let placeholder = td_string!(locale, produce.automatic);
    let control = text_input(form::name(Field::Partition), partition, placeholder, None, wrong.is_some());
    let (label, note) = (td_string!(locale, produce.partition), td_string!(locale, produce.optional));
    field("partition", label, note, td_string!(locale, produce.partition_hint), wrong.as_deref(), control)
}

fn value(reader: &Reader, limits: Limits, input: &ProduceInput, wrong: Option<String>) -> Markup {
    let locale = reader.locale;
    let choices = [
        (Encoding::Text, td_string!(locale, produce.text)),
        (Encoding::Json, "JSON"),
        (Encoding::Base64, "base64"),
        (Encoding::Null, td_string!(locale, produce.tombstone)),
    ];
    let chosen = if input.value_encoding == Encoding::Auto { Encoding::Text } else { input.value_encoding };
    html! {
        div.field {
            div.wrap {
                label for="value" {
                    b { (td_string!(locale, produce.value)) } " " small { (td_string!(locale, produce.required)) }
                }
                span.push {}
                (encodings("value_encoding", td_string!(locale, produce.value_as), chosen, &choices))
            }
            textarea #value .input.mono name=(form::name(Field::Value)) rows="9" autocomplete="off" spellcheck="false"
                aria-describedby="value-error value-hint" aria-invalid=[wrong.as_ref().map(|_| "true")] {
                // HTML drops the first newline of a text area: this one.
                "\n" (input.value)
            }
            (field::error("value-error", wrong.as_deref()))
            p #value-hint .hint.wrap { (value_hint(locale, input.value.len(), limits)) }
            label.check {
                input #allow_empty type="checkbox" name="allow_empty" autocomplete="off" checked[input.allow_empty];
                span { (td_string!(locale, produce.allow_empty)) }
            }
        }
    }
}

/// What is said under the value: how it is sent, of which the style shows what was chosen, and how large it is, which the browser keeps.
fn value_hint(locale: Locale, size: usize, limits: Limits) -> Markup {
    const SIZE: &str = "{size}";
    let text = td_string!(locale, produce.size_of, size = SIZE, limit = bytes(limits.message_bytes));
    let (before, after) = text.split_once(SIZE).unwrap_or((&text, ""));
    let hints = [
        (Encoding::Text, td_string!(locale, produce.text_hint)),
        (Encoding::Json, td_string!(locale, produce.json_hint)),
        (Encoding::Base64, td_string!(locale, produce.base64_hint)),
        (Encoding::Null, td_string!(locale, produce.null_hint)),
    ];
    html! {
        @for (encoding, hint) in hints { span data-as=(encoding.name()) { (hint) } }
        span.push.num { (before) span #value-size { (bytes(size as u64)) } (after) }
    }
}

/// How producing works.
pub fn help(reader: &Reader, limits: Limits) -> Markup {
    let locale = reader.locale;
    html! {
        section.card {
            header { h2 { (td_string!(locale, help.title)) } }
            div.body {
                p.muted { (td_string!(locale, help.order)) }
                dl.kv {
                    dt { (td_string!(locale, help.limit)) }
                    dd { (td_string!(locale, help.limit_text, limit = bytes(limits.message_bytes))) }
                    dt { (td_string!(locale, produce.tombstone)) }
                    dd { (td_string!(locale, help.tombstone_text)) }
                    dt { (td_string!(locale, help.receipt)) }
                    dd { code { "topic[partition]@offset" } (td_string!(locale, help.receipt_text)) }
                }
            }
        }
    }
}

/// How to send from a terminal. `host` is what this server was called by.
pub fn terminal(reader: &Reader, host: &str, topic: &str) -> Markup {
    let locale = reader.locale;
    html! {
        section.card {
            header {
                h2 { (td_string!(locale, help.terminal)) }
                button.btn.quiet.push.needs-script type="button" data-do="copy" data-copy-from="curl" {
                    (icon("copy")) (td_string!(locale, app.copy))
                }
            }
            div.body {
                pre #curl .code tabindex="0" {
                    "curl http://" (host) "/api/kafka/send \\\n  -H 'content-type: application/json' \\\n  -d '\"hello\"'"
                }
                p.hint.muted { (td_string!(locale, help.terminal_text, topic)) }
            }
        }
    }
}

/// A field around its control, which has the id `id`.
fn field(id: &str, label: &str, note: &str, hint: &str, wrong: Option<&str>, control: Markup) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) " " small { (note) } }
            (control)
            (field::error(&format!("{id}-error"), wrong))
            @if !hint.is_empty() { p.hint id={ (id) "-hint" } { (hint) } }
        }
    }
}

/// What is wrong with this field, if something is.
fn wrong_with(locale: Locale, errors: &[FieldError], field: Field) -> Option<String> {
    errors.iter().find(|error| error.field == field).map(|error| words::rule(locale, &error.rule, field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Rule;

    #[test]
    fn what_was_typed_comes_back_with_what_is_wrong_at_its_field() {
        let input = ProduceInput { topic: "a b".into(), value: "\n</textarea>".into(), ..Default::default() };
        let errors = [FieldError { field: Field::Topic, rule: Rule::TopicName }];
        let html = form(&Reader::of(Locale::en), &[], Limits::default(), &input, &errors).into_string();
        assert!(html.contains("value=\"a b\""));
        assert!(html.contains("id=\"topic-error\"><svg"), "the error is shown");
        assert!(html.contains("id=\"value-error\" hidden"), "no other is");
        // One newline is HTML's, the other was typed.
        assert!(html.contains(">\n\n&lt;/textarea&gt;</textarea>"));
    }
}
