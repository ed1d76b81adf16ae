//! A topic's page: its figures, its partitions, who reads it, its settings, and what can be done to it. Only the server renders it, and
//! it needs no JavaScript.

use super::{
    banner::banner,
    field, groups,
    icon::icon,
    records::of_partition,
    topics::{Text, path, rate, state as trouble_of, text},
};
use crate::{
    format::number::{bytes, grouped},
    i18n::Locale,
    reader::Reader,
    topics::{ChangeForm, TopicAction},
    words::{self, span},
};
use engine::TopicParts;
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{
    ConfigEntry, ConfigSource, ReadError, Topic, TopicError, TopicField, TopicFieldError, TopicPartition, is_internal,
};

/// How many partitions are shown at a time.
pub const PARTITIONS_AT_ONCE: usize = 500;

/// What is known of a topic, and what is being done to it.
pub struct Shown<'a> {
    /// For whom.
    pub reader: &'a Reader,
    /// What was found.
    pub parts: &'a TopicParts,
    /// Which page of its partitions, from 1 on.
    pub page: usize,
    /// The setting that is being edited; empty: one that is still to be named.
    pub edited: Option<&'a str>,
    /// What was posted in vain.
    pub failed: Option<(TopicAction, &'a ChangeForm, &'a TopicError)>,
    /// Whether nothing can be done to it here.
    pub read_only: bool,
}

impl Shown<'_> {
    /// What was typed for an action that failed, and why it did.
    fn failed(&self, action: TopicAction) -> Option<(&ChangeForm, &TopicError)> {
        self.failed.filter(|(failed, ..)| *failed == action).map(|(_, form, error)| (form, error))
    }

    fn setting(&self, name: &str) -> Option<&str> {
        self.parts.config.as_ref().ok()?.iter().find(|entry| entry.name == name)?.value.as_deref()
    }
}

/// What is wrong with it, beside its name.
pub fn heading(reader: &Reader, topic: &Topic) -> Markup {
    let (offline, under) = troubles(topic);
    html! { @if offline + under > 0 { (trouble_of(reader, offline, under)) } }
}

fn troubles(topic: &Topic) -> (u32, u32) {
    let count =
        |is: fn(&TopicPartition) -> bool| topic.partitions.iter().filter(|partition| is(partition)).count() as u32;
    (count(|partition| partition.leader.is_none()), count(TopicPartition::is_under_replicated))
}

/// Everything below the page's heading; `records` is the card of the topic's records.
pub fn body(shown: &Shown<'_>, records: &Markup) -> Markup {
    html! {
        section.card { (figures(shown)) }
        (records)
        (partitions(shown))
        (readers(shown))
        (config(shown))
        @if !shown.read_only { (changes(shown)) }
    }
}

fn figures(shown: &Shown<'_>) -> Markup {
    let (locale, topic) = (shown.reader.locale, &shown.parts.topic);
    let replicas = topic.partitions.first().map_or(0, |partition| partition.replicas.len());
    let uncounted = topic.written().is_none().then(|| td_string!(locale, topic.uncounted).into());
    html! {
        dl.strip tabindex="0" aria-label=(td_string!(locale, groups.numbers)) {
            div { dt { (td_string!(locale, topics.partitions)) } dd { (grouped(topic.partitions.len() as u64)) } }
            div {
                dt { (td_string!(locale, topics.replicas)) }
                dd {
                    (replicas)
                    @if let Some(least) = shown.setting("min.insync.replicas") {
                        " " small { (td_string!(locale, topic.min_in_sync, count = least)) }
                    }
                }
            }
            div {
                dt title=(td_string!(locale, topics.messages_hint)) { (td_string!(locale, topics.messages)) }
                dd { (count(locale, topic.records())) }
            }
            div { dt { (td_string!(locale, topics.rate)) } dd { (rate(shown.reader, shown.parts.rate, uncounted)) } }
            @if let Some(kept) = shown.setting("retention.ms") {
                div { dt { (td_string!(locale, topic.kept_for)) } dd { (meaning(locale, "retention.ms", kept).unwrap_or_default()) } }
            }
            @if let Some(id) = &topic.id { div { dt { (td_string!(locale, topic.id)) } dd.mono { (id) } } }
        }
    }
}

fn count(locale: Locale, count: Option<i64>) -> Markup {
    html! {
        @match count {
            Some(count) => (grouped(count.unsigned_abs())),
            None => span.faint { (td_string!(locale, groups.not_known)) },
        }
    }
}

fn partitions(shown: &Shown<'_>) -> Markup {
    let (locale, topic) = (shown.reader.locale, &shown.parts.topic);
    // What is in trouble comes first, then by number.
    let mut all: Vec<_> = topic.partitions.iter().collect();
    all.sort_by_key(|partition| (partition.leader.is_some(), !partition.is_under_replicated(), partition.partition));
    let pages = all.len().div_ceil(PARTITIONS_AT_ONCE).max(1);
    let page = shown.page.clamp(1, pages);
    let first = (page - 1) * PARTITIONS_AT_ONCE;
    let rows: Vec<_> = all.iter().skip(first).take(PARTITIONS_AT_ONCE).collect();
    let to = |page: usize| format!("{}?partitions={page}#partitions", path(&topic.name));
    html! {
        section #partitions .card {
            header { h2 { (td_string!(locale, topics.partitions)) } }
            div.scroll tabindex="0" role="region" aria-label=(td_string!(locale, topics.partitions)) {
                table.table {
                    thead {
                        tr {
                            th scope="col" { (td_string!(locale, groups.partition)) }
                            th scope="col" { (td_string!(locale, topic.leader)) }
                            th scope="col" { (td_string!(locale, topics.replicas)) }
                            th scope="col" { (td_string!(locale, topic.in_sync)) }
                            th.r scope="col" { (td_string!(locale, topic.first)) }
                            th.r scope="col" { (td_string!(locale, topic.last)) }
                            th.r scope="col" { (td_string!(locale, topics.messages)) }
                        }
                    }
                    tbody { @for partition in &rows { (partition_row(shown.reader, &topic.name, partition)) } }
                }
            }
            @if pages > 1 {
                footer {
                    nav.wrap aria-label=(td_string!(locale, topics.pages)) {
                        @if page > 1 { a.btn rel="prev" href=(to(page - 1)) { (td_string!(locale, topics.previous)) } }
                        span.muted.num {
                            (td_string!(locale, topic.cut, first = first + 1, last = first + rows.len(), count = grouped(all.len() as u64)))
                        }
                        @if page < pages { a.btn rel="next" href=(to(page + 1)) { (td_string!(locale, topics.next)) } }
                    }
                }
            }
        }
    }
}

fn partition_row(reader: &Reader, topic: &str, partition: &TopicPartition) -> Markup {
    let locale = reader.locale;
    let out_of_sync = |replica: &i32| !partition.in_sync.contains(replica);
    // The last record's, where there is one.
    let last = partition.end.zip(partition.first).map(|(end, first)| (end > first).then_some(end - 1));
    html! {
        tr {
            th.mono scope="row" {
                a.link href=(of_partition(topic, partition.partition)) title=(td_string!(locale, records.browse, partition = partition.partition)) {
                    (partition.partition)
                }
            }
            td {
                @match partition.leader {
                    Some(id) => (td_string!(locale, groups.broker, id)),
                    None => span.badge data-tone="danger" { (icon("error")) (td_string!(locale, topic.no_leader)) },
                }
            }
            td {
                @for replica in &partition.replicas {
                    @if out_of_sync(replica) {
                        span.part data-tone="warn" title=(td_string!(locale, topic.not_in_sync)) { (replica) } " "
                    } @else { span.part { (replica) } " " }
                }
            }
            td.num {
                (td_string!(locale, groups.of_partitions, count = partition.in_sync.len(), of = partition.replicas.len()))
                @for replica in partition.replicas.iter().filter(|replica| out_of_sync(replica)) {
                    " " span.badge data-tone="warn" { (td_string!(locale, topic.broker_behind, id = *replica)) }
                }
            }
            td.r.mono { @match partition.first { Some(first) => (first), None => span.faint { "–" } } }
            td.r.mono { @match last.flatten() { Some(last) => (last), None => span.faint { "–" } } }
            td.r.mono { (count(locale, partition.records())) }
        }
    }
}

fn readers(shown: &Shown<'_>) -> Markup {
    let locale = shown.reader.locale;
    html! {
        section #groups .card {
            header { h2 { (td_string!(locale, nav.groups)) } p.muted { (td_string!(locale, topic.groups_mean)) } }
            @match &shown.parts.readers {
                Ok(readers) => {
                    @if !readers.groups.is_empty() {
                        div.scroll tabindex="0" role="region" aria-label=(td_string!(locale, nav.groups)) {
                            (groups::table(shown.reader, &readers.groups))
                        }
                    } @else if readers.untold == 0 { p.body.muted { (td_string!(locale, topic.no_groups)) } }
                    @if readers.untold > 0 { (banner("warn", &td_string!(locale, topic.untold_groups, count = readers.untold), "")) }
                }
                Err(error) => p.body.muted { (unknown(locale, error)) },
            }
        }
    }
}

fn unknown(locale: Locale, error: &ReadError) -> Markup {
    let (title, why) = words::read_error(locale, error);
    html! { b { (title) } " " code { (why) } }
}

fn config(shown: &Shown<'_>) -> Markup {
    let (locale, name) = (shown.reader.locale, &shown.parts.topic.name);
    let known = shown.parts.config.as_deref().unwrap_or_default();
    let failed = shown.failed(TopicAction::Config);
    // The setting that the form is about, where it is one that the broker tells.
    let edited = failed.map(|(form, _)| form.setting.as_str()).or(shown.edited).filter(|_| !shown.read_only);
    let is_known = edited.is_some_and(|edited| known.iter().any(|entry| entry.name == edited));
    html! {
        section #config .card.config {
            header {
                h2 { (td_string!(locale, topic.config)) }
                label.check.push {
                    input #only-changed type="checkbox" autocomplete="off";
                    span { (td_string!(locale, topic.only_changed)) }
                }
            }
            @match &shown.parts.config {
                Err(error) => p.body.muted { (unknown(locale, error)) },
                Ok(entries) if entries.is_empty() => p.body.muted { (td_string!(locale, topic.no_config)) },
                Ok(entries) => div.scroll tabindex="0" role="region" aria-label=(td_string!(locale, topic.config)) {
                    table.table {
                        thead {
                            tr {
                                th scope="col" { (td_string!(locale, topic.setting)) }
                                th scope="col" { (td_string!(locale, topic.value)) }
                                th scope="col" { (td_string!(locale, topic.source)) }
                                td {}
                            }
                        }
                        tbody {
                            @for entry in entries {
                                @if edited == Some(entry.name.as_str()) { (edit_row(shown, entry, failed)) }
                                @else { (setting_row(shown, entry)) }
                            }
                        }
                    }
                },
            }
            @if !shown.read_only {
                footer {
                    @if edited.is_some() && !is_known {
                        (other_setting(shown, edited.unwrap_or_default(), failed))
                    } @else {
                        a.btn href={ (path(name)) "?edit=#config-name" } { (icon("plus")) (td_string!(locale, topic.other_setting)) }
                    }
                }
            }
        }
    }
}

fn setting_row(shown: &Shown<'_>, entry: &ConfigEntry) -> Markup {
    let locale = shown.reader.locale;
    let is_set = entry.source == ConfigSource::Topic;
    html! {
        tr.default[!is_set] {
            th.mono scope="row" { (entry.name) }
            td.said {
                @match &entry.value {
                    _ if entry.sensitive => span.faint { (td_string!(locale, topic.secret)) },
                    None => span.faint { "–" },
                    Some(value) if value.is_empty() => span.badge { (td_string!(locale, row.empty)) },
                    Some(value) => {
                        span.mono { (value) }
                        @if let Some(meaning) = meaning(locale, &entry.name, value) { " " span.muted { (meaning) } }
                    }
                }
                @if let Some(default) = &entry.default { " " (hidden(locale, &entry.name, default)) }
            }
            td { (source(locale, entry.source)) }
            td.r {
                @if !entry.read_only && !shown.read_only {
                    a.link href={ (path(&shown.parts.topic.name)) "?edit=" (entry.name) "#config-value" }
                        aria-label={ (td_string!(locale, topic.edit)) " " (entry.name) } { (td_string!(locale, topic.edit)) }
                }
            }
        }
    }
}

/// The default that a setting of the topic's own hides.
fn hidden(locale: Locale, name: &str, default: &str) -> Markup {
    html! {
        span.muted {
            (td_string!(locale, topic.default)) " "
            @if default.is_empty() { (td_string!(locale, row.empty)) } @else { span.mono { (default) } }
            @if let Some(meaning) = meaning(locale, name, default) { " (" (meaning) ")" }
        }
    }
}

fn source(locale: Locale, source: ConfigSource) -> Markup {
    let word = match source {
        ConfigSource::Topic => {
            return html! { span.badge data-tone="info" { (td_string!(locale, topic.set_on_topic)) } };
        }
        ConfigSource::Broker => td_string!(locale, topic.set_on_broker),
        ConfigSource::Cluster => td_string!(locale, topic.set_on_cluster),
        ConfigSource::File => td_string!(locale, topic.set_in_file),
        ConfigSource::Default => td_string!(locale, topic.default),
        ConfigSource::Unknown => "–",
    };
    html! { span.muted { (word) } }
}

/// What a value means, where its setting's name says in which unit it is.
fn meaning(locale: Locale, name: &str, value: &str) -> Option<String> {
    const GIB: i64 = 1 << 30;
    let number: i64 = value.parse().ok()?;
    // Kafka's "without a limit".
    let is_limit = matches!(name, "retention.ms" | "retention.bytes");
    match name.rsplit_once('.')?.1 {
        "ms" | "bytes" if number == i64::MAX || (is_limit && number < 0) => {
            Some(td_string!(locale, topic.no_limit).into())
        }
        "ms" if number >= 0 => Some(span(locale, number)),
        "bytes" if number >= GIB && number % GIB == 0 => {
            Some(format!("{} GiB", grouped((number / GIB).unsigned_abs())))
        }
        "bytes" if number >= 0 => Some(bytes(number.unsigned_abs())),
        _ => None,
    }
}

/// A setting that is being edited.
fn edit_row(shown: &Shown<'_>, entry: &ConfigEntry, failed: Option<(&ChangeForm, &TopicError)>) -> Markup {
    let (locale, name) = (shown.reader.locale, &shown.parts.topic.name);
    let value = failed.map_or(entry.value.as_deref().unwrap_or_default(), |(form, _)| form.value.as_str());
    let wrong = failed.and_then(|(_, error)| wrong_setting(locale, error));
    html! {
        tr {
            // One cell, which stays in view where the table is wider than the window.
            td.edited colspan="4" {
                form.field method="post" action={ (path(name)) "/config" } {
                    input type="hidden" name="setting" value=(entry.name);
                    label.mono for="config-value" { (entry.name) }
                    div.wrap {
                        input #config-value .input.mono name="value" value=(value) autocomplete="off" spellcheck="false"
                            aria-describedby="config-value-error" aria-invalid=[wrong.as_ref().map(|_| "true")] autofocus;
                        button.btn.primary { (td_string!(locale, topic.set)) }
                        @if entry.source == ConfigSource::Topic {
                            button.btn name="default" value="1" { (td_string!(locale, topic.use_default)) }
                        }
                        a.btn.quiet href={ (path(name)) "#config" } { (td_string!(locale, topic.cancel)) }
                    }
                    (field::error("config-value-error", wrong.as_deref()))
                    @if let Some(default) = &entry.default { p.hint { (hidden(locale, &entry.name, default)) } }
                }
            }
        }
    }
}

/// A setting that the broker does not tell.
fn other_setting(shown: &Shown<'_>, setting: &str, failed: Option<(&ChangeForm, &TopicError)>) -> Markup {
    let (locale, name) = (shown.reader.locale, &shown.parts.topic.name);
    let value = failed.map_or("", |(form, _)| form.value.as_str());
    let wrong = failed.and_then(|(_, error)| wrong_setting(locale, error));
    let (name_of, value_of) = (td_string!(locale, topic.setting), td_string!(locale, topic.value));
    let invalid = wrong.as_ref().map(|_| "true");
    html! {
        form.field method="post" action={ (path(name)) "/config" } {
            div.wrap {
                input #config-name .input.mono name="setting" value=(setting) placeholder=(name_of) aria-label=(name_of) autocomplete="off"
                    spellcheck="false" aria-describedby="config-value-error" aria-invalid=[invalid] autofocus[invalid.is_some()];
                input.input.mono name="value" value=(value) placeholder=(value_of) aria-label=(value_of) autocomplete="off"
                    spellcheck="false" aria-describedby="config-value-error" aria-invalid=[invalid];
                button.btn.primary { (td_string!(locale, topic.set)) }
                button.btn name="default" value="1" { (td_string!(locale, topic.use_default)) }
                a.btn.quiet href={ (path(name)) "#config" } { (td_string!(locale, topic.cancel)) }
            }
            (field::error("config-value-error", wrong.as_deref()))
        }
    }
}

/// What is wrong with a setting: one line for name and value. What is wrong with the whole stands above the page.
fn wrong_setting(locale: Locale, error: &TopicError) -> Option<String> {
    let TopicError::Invalid(errors) = error else { return None };
    let all: Vec<_> = errors.iter().map(|error| words::topic_rule(locale, &error.rule)).collect();
    Some(all.join(" "))
}

/// What can be done to it, each behind its name typed again.
fn changes(shown: &Shown<'_>) -> Markup {
    let locale = shown.reader.locale;
    let count = shown.parts.topic.partitions.len();
    html! {
        section #change .card {
            header { h2 { (td_string!(locale, topic.change)) } }
            @if is_internal(&shown.parts.topic.name) {
                p.body.muted { (td_string!(locale, topic.internal)) }
            } @else {
                (change(shown, TopicAction::Partitions, "plus", td_string!(locale, topic.add), td_string!(locale, topic.add_means), |form, errors| {
                    text(Text {
                        id: "total",
                        name: "partitions",
                        value: form.map_or("", |form| &form.partitions),
                        label: td_string!(locale, topic.total),
                        note: "",
                        hint: &td_string!(locale, topic.total_hint, count),
                        wrong: words::topic_wrong(locale, errors, TopicField::Partitions),
                        is_number: true,
                    })
                }))
                (change(shown, TopicAction::Empty, "clear", td_string!(locale, topic.empty), td_string!(locale, topic.empty_means), |_, _| html! {}))
                (change(shown, TopicAction::Delete, "x", td_string!(locale, topic.delete), td_string!(locale, topic.delete_means), |_, _| html! {}))
            }
        }
    }
}

fn change(
    shown: &Shown<'_>,
    action: TopicAction,
    symbol: &str,
    title: &str,
    means: &str,
    fields: impl FnOnce(Option<&ChangeForm>, &[TopicFieldError]) -> Markup,
) -> Markup {
    let (locale, name) = (shown.reader.locale, &shown.parts.topic.name);
    let failed = shown.failed(action);
    let errors: &[_] = match failed {
        Some((_, TopicError::Invalid(errors))) => errors,
        _ => &[],
    };
    let id = format!("confirm-{}", action.name());
    let wrong = words::topic_wrong(locale, errors, TopicField::Confirm)
        .or_else(|| words::topic_wrong(locale, errors, TopicField::Name));
    let is_final = action != TopicAction::Partitions;
    html! {
        details.change id={ "change-" (action.name()) } open[failed.is_some()] {
            summary { (icon(symbol)) (title) }
            form.stack method="post" action={ (path(name)) "/" (action.name()) } {
                p.muted { (means) }
                div.pair {
                    (fields(failed.map(|(form, _)| form), errors))
                    div.field {
                        label for=(id) { (td_string!(locale, topic.confirm)) }
                        // What was typed to confirm is typed anew.
                        input.input.mono id=(id) name="confirm" autocomplete="off" autocapitalize="none" spellcheck="false" required
                            aria-describedby={ (id) "-error " (id) "-hint" } aria-invalid=[wrong.as_ref().map(|_| "true")]
                            autofocus[wrong.is_some()];
                        (field::error(&format!("{id}-error"), wrong.as_deref()))
                        p.hint id={ (id) "-hint" } { span.mono { (name) } }
                    }
                }
                div { button.btn.danger[is_final].primary[!is_final] { (title) } }
            }
        }
    }
}

/// That something was done.
pub fn done(reader: &Reader, what: &str) -> Option<Markup> {
    let locale = reader.locale;
    let said = match what {
        "created" => td_string!(locale, topic.created),
        "config" => td_string!(locale, topic.config_changed),
        "partitions" => td_string!(locale, topic.added),
        "empty" => td_string!(locale, topic.emptied),
        _ => return None,
    };
    Some(banner("ok", "", said))
}

/// Why nothing was done, above the page; also where it is said at a field again.
pub fn trouble(reader: &Reader, error: &TopicError) -> Markup {
    let (title, why) = words::topic_error(reader.locale, error);
    banner("danger", &title, &why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::live::text as words_of;
    use engine::Readers;
    use wire::TopicRule;

    fn partition(partition: i32, leader: Option<i32>, in_sync: &[i32]) -> TopicPartition {
        TopicPartition {
            partition,
            leader,
            replicas: vec![1, 2],
            in_sync: in_sync.into(),
            first: Some(3),
            end: Some(10),
            unknown: None,
        }
    }

    fn topic(partitions: Vec<TopicPartition>) -> Topic {
        Topic { name: "orders".into(), id: None, partitions }
    }

    fn entry(name: &str, value: &str, source: ConfigSource) -> ConfigEntry {
        let value = Some(value.into());
        ConfigEntry { name: name.into(), value, source, default: None, read_only: false, sensitive: false }
    }

    fn parts(topic: Topic, config: Vec<ConfigEntry>) -> TopicParts {
        TopicParts { topic, rate: None, config: Ok(config), readers: Ok(Readers::default()) }
    }

    fn shown<'a>(reader: &'a Reader, parts: &'a TopicParts) -> Shown<'a> {
        Shown { reader, parts, page: 1, edited: None, failed: None, read_only: false }
    }

    #[test]
    fn groups_that_were_not_told_of_are_not_passed_over_in_silence() {
        let reader = Reader::of(Locale::en);
        let mut parts = parts(topic(Vec::new()), Vec::new());
        let text = |parts: &TopicParts| words_of(&readers(&shown(&reader, parts)));
        assert!(text(&parts).contains("No group"), "{}", text(&parts));
        parts.readers = Ok(Readers { untold: 2, ..Readers::default() });
        assert!(!text(&parts).contains("No group") && text(&parts).contains("Of 2 groups"), "{}", text(&parts));
    }

    #[test]
    fn partitions_in_trouble_come_first_and_the_last_offset_is_a_records() {
        let reader = Reader::of(Locale::en);
        let mut empty = partition(3, Some(1), &[1, 2]);
        empty.end = empty.first;
        let topic =
            topic(vec![partition(0, Some(1), &[1, 2]), partition(1, Some(1), &[1]), partition(2, None, &[2]), empty]);
        let text = words_of(&partitions(&shown(&reader, &parts(topic, Vec::new()))));
        let rows = [
            "2 offline 1 2 1 of 2 broker 1 not in sync 3 9 7",
            "1 broker 1 1 2 1 of 2 broker 2 not in sync 3 9 7",
            "0 broker 1 1 2 2 of 2 3 9 7",
            "3 broker 1 1 2 2 of 2 3 – 0",
        ];
        assert!(text.ends_with(&rows.join(" ")), "{text}");
    }

    #[test]
    fn many_partitions_come_in_pages() {
        let reader = Reader::of(Locale::en);
        let topic = topic((0..1_200).map(|number| partition(number, Some(1), &[1, 2])).collect());
        let parts = parts(topic, Vec::new());
        let shown = Shown { page: 3, ..shown(&reader, &parts) };
        let html = partitions(&shown);
        assert_eq!(html.0.matches("<tr>").count(), 1 + 200);
        assert!(
            words_of(&html).contains("1001 to 1200 of 1,200") && html.0.contains("?partitions=2#partitions"),
            "{}",
            html.0
        );
    }

    #[test]
    fn settings_say_where_they_come_from_and_what_they_mean() {
        let reader = Reader::of(Locale::en);
        let config = vec![
            entry("retention.ms", "604800000", ConfigSource::Default),
            ConfigEntry {
                default: Some("536870912".into()),
                ..entry("segment.bytes", "1073741824", ConfigSource::Topic)
            },
            ConfigEntry { sensitive: true, value: None, ..entry("secret", "", ConfigSource::File) },
        ];
        let html = super::config(&shown(&reader, &parts(topic(Vec::new()), config)));
        let text = words_of(&html);
        for said in [
            "retention.ms 604800000 7 d 0 h default",
            "segment.bytes 1073741824 1 GiB default 536870912 (512 MiB) set on topic",
            "secret kept secret",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(html.0.contains("<tr class=\"default\">"), "what is a default can be hidden: {}", html.0);
        assert_eq!(meaning(Locale::en, "retention.ms", "-1").as_deref(), Some("no limit"));
        assert_eq!(meaning(Locale::en, "flush.ms", "9223372036854775807").as_deref(), Some("no limit"));
        assert_eq!(meaning(Locale::en, "cleanup.policy", "delete"), None);
    }

    #[test]
    fn a_setting_that_kafka_refuses_is_edited_again_with_its_words() {
        let reader = Reader::of(Locale::en);
        let parts = parts(topic(Vec::new()), vec![entry("retention.ms", "1", ConfigSource::Topic)]);
        let reason = "Invalid value x for configuration retention.ms: Not a number of type LONG".to_owned();
        let error = TopicError::field(TopicField::ConfigValue(0), TopicRule::Refused { reason: reason.clone() });
        let form = |setting: &str| ChangeForm { setting: setting.into(), value: "x".into(), ..ChangeForm::default() };
        for setting in ["retention.ms", "no.such.setting"] {
            let form = form(setting);
            let failed = Some((TopicAction::Config, &form, &error));
            let html = config(&Shown { failed, ..shown(&reader, &parts) });
            assert!(html.0.contains("value=\"x\"") && words_of(&html).contains(&reason), "{setting}: {}", html.0);
        }
    }

    #[test]
    fn what_destroys_wants_the_name_again_and_kafkas_own_topics_are_left_alone() {
        let reader = Reader::of(Locale::en);
        let own = parts(topic(Vec::new()), Vec::new());
        let form = ChangeForm { confirm: "order".into(), ..ChangeForm::default() };
        let error = TopicError::field(TopicField::Confirm, TopicRule::Confirm { name: "orders".into() });
        let failed = Some((TopicAction::Delete, &form, &error));
        let html = changes(&Shown { failed, ..shown(&reader, &own) }).into_string();
        for shown in
            ["action=\"/topics/orders/delete\"", "id=\"change-delete\" open", "id=\"confirm-delete-error\"><svg"]
        {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(html.contains("id=\"confirm-empty-error\" hidden"), "{html}");
        let internal = parts(Topic { name: "__consumer_offsets".into(), ..own.topic }, Vec::new());
        let html = changes(&shown(&reader, &internal)).into_string();
        assert!(!html.contains("<form"), "{html}");
    }
}
