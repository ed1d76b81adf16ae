//! Many messages at once: the form, and what became of each message. Only the server renders it, and it needs no JavaScript.

use super::{
    banner::banner,
    field,
    form::{partition, topic},
    icon::icon,
    row::path,
};
use crate::{
    bulk::{BulkCount, BulkError, BulkForm, BulkLine, BulkOutcome, MOST_BYTES, MOST_LINES},
    format::number::{bytes, grouped, millis},
    i18n::Locale,
    reader::Reader,
    words,
};
use engine::Fate;
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{Field, Place, ProduceError, lines::LineFormat};

/// What the page shows.
pub struct Shown<'a> {
    /// For whom.
    pub reader: &'a Reader,
    /// The topics that are offered.
    pub topics: &'a [String],
    /// What is in the form.
    pub form: &'a BulkForm,
    /// What came of a form that was posted.
    pub outcome: Option<&'a BulkOutcome>,
}

/// The whole page.
pub fn body(shown: &Shown<'_>) -> Markup {
    let locale = shown.reader.locale;
    html! {
        header {
            h1 { (td_string!(locale, bulk.title)) }
            p.muted { (td_string!(locale, bulk.intro, most = grouped(MOST_LINES as u64), size = bytes(MOST_BYTES as u64))) }
            a.btn.push href="/produce" { (icon("send")) (td_string!(locale, bulk.one)) }
        }
        @if let Some(BulkOutcome::Done { lines, .. }) = shown.outcome { (results(locale, lines)) }
        div.split {
            (form(shown))
            (help(locale))
        }
    }
}

/// How it went: in one sentence, and line by line with the failures first.
fn results(locale: Locale, lines: &[BulkLine]) -> Markup {
    let BulkCount { stored, unknown, failed, held } = BulkCount::of(lines);
    let count = |count: usize| grouped(count as u64);
    let (tone, mark, what) = match (stored, unknown, failed + held) {
        (stored, 0, 0) => ("ok", "check", td_string!(locale, bulk.all_stored, count = count(stored))),
        (0, 0, _) if held > 0 => {
            ("danger", "error", td_string!(locale, bulk.none_sent, failed = count(failed), of = count(lines.len())))
        }
        (0, 0, failed) => ("danger", "error", td_string!(locale, bulk.none_stored, count = count(failed))),
        (_, 0, failed) => {
            ("warn", "warn", td_string!(locale, bulk.some_stored, stored = count(stored), failed = count(failed)))
        }
        (stored, unknown, failed) => {
            let (stored, unknown, failed) = (count(stored), count(unknown), count(failed));
            ("warn", "warn", td_string!(locale, bulk.some_unknown, stored, unknown, failed))
        }
    };
    let mut sorted: Vec<_> = lines.iter().collect();
    sorted.sort_by_key(|line| match line.fate {
        Fate::Unreadable(_) | Fate::Failed(ProduceError::Invalid(_) | ProduceError::Refused { .. }) => 0,
        Fate::Failed(ProduceError::TimedOut { .. }) => 1,
        Fate::Stored(_) | Fate::Held => 2,
    });
    let role = if failed + unknown > 0 { "alert" } else { "status" };
    html! {
        div.banner data-tone=(tone) role=(role) { (icon(mark)) p { b { (what) } } }
        section #results .card {
            header { h2 { (td_string!(locale, bulk.results)) } }
            div.scroll.bounded tabindex="0" role="region" aria-label=(td_string!(locale, bulk.results)) {
                table.table.results {
                    thead {
                        tr {
                            th.r scope="col" { (td_string!(locale, bulk.line)) }
                            th scope="col" { (td_string!(locale, produce.message)) }
                            th scope="col" { (td_string!(locale, bulk.result)) }
                        }
                    }
                    tbody {
                        @for line in sorted {
                            tr {
                                th.r.mono scope="row" { (line.number) }
                                td.mono.said { (line.head) }
                                td { (fate(locale, &line.fate)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn fate(locale: Locale, fate: &Fate) -> Markup {
    let told = |tone: &str, mark: &str, text: &str| html! { span.receipt { span.ink data-tone=(tone) { (icon(mark)) } span.ink data-tone=(tone) { (text) } } };
    let wrong = |text: &str| told("danger", "error", text);
    match fate {
        Fate::Stored(receipt) => {
            let place = Place { topic: receipt.topic.clone(), partition: receipt.partition, offset: receipt.offset };
            html! {
                span.receipt {
                    span.ink data-tone="ok" { (icon("check")) }
                    a.mono href=(path(&place)) { (place) }
                    span { "· " (td_string!(locale, receipt.acked, ms = millis(receipt.acked_in))) }
                }
            }
        }
        Fate::Held => html! { span.muted { (td_string!(locale, bulk.held)) } },
        Fate::Unreadable(error) => wrong(&words::line_error(locale, error)),
        Fate::Failed(ProduceError::Invalid(errors)) => {
            let errors: Vec<_> = errors
                .iter()
                .map(|error| format!("{}: {}", error.field, words::rule(locale, &error.rule, error.field)))
                .collect();
            wrong(&errors.join(" "))
        }
        Fate::Failed(error) => {
            let (what, why) = words::produce_error(locale, error);
            let (tone, mark) = match error {
                ProduceError::TimedOut { .. } => ("warn", "warn"),
                _ => ("danger", "error"),
            };
            told(tone, mark, &format!("{what} {why}"))
        }
    }
}

fn form(shown: &Shown<'_>) -> Markup {
    let (locale, form) = (shown.reader.locale, shown.form);
    let shared =
        |field| shown.outcome.and_then(|outcome| outcome.shared(field)).map(|rule| words::rule(locale, rule, field));
    let refused = match shown.outcome {
        Some(BulkOutcome::Refused { error, .. }) => Some(refused(locale, error)),
        _ => None,
    };
    let formats = [
        (None, td_string!(locale, bulk.by_name)),
        (Some(LineFormat::Text), td_string!(locale, bulk.lines)),
        (Some(LineFormat::Json), td_string!(locale, bulk.json_lines)),
        (Some(LineFormat::Csv), "CSV"),
    ];
    let may_be_stored = shown.outcome.is_some_and(|outcome| outcome.unknown() > 0 && !form.text.is_empty());
    let keys =
        [(false, "generated", td_string!(locale, produce.generated)), (true, "none", td_string!(locale, produce.none))];
    html! {
        form #bulk .card method="post" action="/produce/many" enctype="multipart/form-data" aria-label=(td_string!(locale, bulk.title)) {
            header { h2 { (td_string!(locale, bulk.messages)) } }
            div.body {
                div.pair {
                    (topic(shown.reader, shown.topics, &form.topic, shared(Field::Topic)))
                    (partition(shown.reader, &form.partition, shared(Field::Partition)))
                }
                fieldset.field {
                    legend.label { (td_string!(locale, bulk.without_key)) }
                    div.seg {
                        @for (keyless, value, label) in keys {
                            label { input type="radio" name="key" value=(value) autocomplete="off" checked[keyless == form.keyless]; (label) }
                        }
                    }
                }
                fieldset.field {
                    legend.label { (td_string!(locale, bulk.as_)) }
                    div.seg {
                        @for (format, label) in formats {
                            @let name = format.map_or("name", LineFormat::name);
                            label { input type="radio" name="format" value=(name) autocomplete="off" checked[format == form.format]; (label) }
                        }
                    }
                    p.hint { (td_string!(locale, bulk.by_name_hint)) }
                }
                div.field {
                    label for="text" { (td_string!(locale, bulk.text)) }
                    textarea #text .input.mono name="text" rows="10" autocomplete="off" spellcheck="false" wrap="off"
                        aria-describedby="text-error" aria-invalid=[refused.as_ref().map(|_| "true")] {
                        // HTML drops the first newline of a text area: this one.
                        "\n" (form.text)
                    }
                    (field::error("text-error", refused.as_deref()))
                    @if may_be_stored { (banner("warn", "", td_string!(locale, bulk.may_be_stored))) }
                }
                div.field {
                    label for="file" { (td_string!(locale, bulk.file)) }
                    input #file .input type="file" name="file" accept=".txt,.log,.jsonl,.ndjson,.json,.csv,text/*";
                }
                label.check {
                    input type="checkbox" name="others_go" autocomplete="off" checked[form.others_go];
                    span { (td_string!(locale, bulk.others_go)) }
                }
            }
            footer { button.btn.primary { (icon("send")) (td_string!(locale, bulk.send)) } }
        }
    }
}

fn refused(locale: Locale, error: &BulkError) -> String {
    match error {
        BulkError::Nothing => td_string!(locale, bulk.nothing).into(),
        BulkError::Both => td_string!(locale, bulk.both).into(),
        BulkError::TooMany => td_string!(locale, bulk.too_many, most = grouped(MOST_LINES as u64)),
        BulkError::TooLarge => td_string!(locale, bulk.too_large, most = bytes(MOST_BYTES as u64)),
        BulkError::Ending(name) => td_string!(locale, bulk.ending, name = name.as_str()),
        BulkError::NoArray(reason) => td_string!(locale, bulk.no_array, reason = reason.as_str()),
        BulkError::Late => td_string!(locale, bulk.late).into(),
        BulkError::Broken(why) => why.clone(),
    }
}

fn help(locale: Locale) -> Markup {
    let examples = [
        (
            td_string!(locale, bulk.lines),
            td_string!(locale, bulk.lines_hint),
            "{\"orderId\":\"o-1\"}\n{\"orderId\":\"o-2\"}",
        ),
        (
            td_string!(locale, bulk.json_lines),
            td_string!(locale, bulk.json_hint),
            "{\"key\":\"a\",\"value\":\"text\"}\n{\"key\":null,\"value\":{\"json\":{\"n\":1}},\"headers\":{\"trace\":\"t-1\"}}",
        ),
        ("CSV", td_string!(locale, bulk.csv_hint), "key,value,header:trace\na,text,t-1\nb,\"with, comma\","),
    ];
    html! {
        section.card {
            header { h2 { (td_string!(locale, help.title)) } }
            div.body {
                p.muted { (td_string!(locale, bulk.order)) }
                @for (name, hint, example) in examples {
                    b { (name) }
                    p.muted { (hint) }
                    pre.code tabindex="0" { (example) }
                }
                p.muted { (td_string!(locale, bulk.files_hint)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::live::text;

    fn done(fates: Vec<Fate>) -> BulkOutcome {
        let lines = (1..).zip(fates).map(|(number, fate)| BulkLine { number, head: "x".into(), fate });
        BulkOutcome::Done { form: BulkForm { text: "x\n".into(), ..BulkForm::default() }, lines: lines.collect() }
    }

    fn shown(outcome: &BulkOutcome) -> String {
        let reader = Reader::of(Locale::en);
        text(&body(&Shown { reader: &reader, topics: &[], form: outcome.form(), outcome: Some(outcome) }))
    }

    #[test]
    fn what_may_be_stored_is_neither_called_stored_nor_not_and_sending_it_again_is_warned_of() {
        let late = || Fate::Failed(ProduceError::TimedOut { seconds: 10, reason: "no leader".into() });
        let refused = || Fate::Failed(ProduceError::Refused { reason: "too large".into() });
        let said = shown(&done(vec![late(), late(), refused()]));
        for words in [
            "Stored: 0. Not acknowledged in time, may be stored: 2. Not stored: 1.",
            "would be there twice",
            "3 x Not sent. too large 1 x Not acknowledged.",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(!said.contains("No message is stored"), "{said}");
        let said = shown(&done(vec![refused()]));
        assert!(said.contains("No message is stored, of 1.") && !said.contains("twice"), "{said}");
    }
}
