//! The list of topics, and the form of a new one.

use super::{empty::empty, field, icon::icon};
use crate::{format::number::grouped, reader::Reader, topics::TopicForm, words};
use engine::MOST_COUNTED;
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{TopicField, TopicFieldError, TopicPage, TopicQuery, TopicRate, TopicRow, TopicSort};

/// Lines for settings that the form offers at least; and always an empty one.
const SETTING_LINES: usize = 4;

/// The address of a topic's page. A legal name needs no escape.
pub fn path(name: &str) -> String {
    format!("/topics/{name}")
}

/// The address of a list.
pub fn address(query: &TopicQuery) -> String {
    let mut to = url::form_urlencoded::Serializer::new(String::new());
    if !query.q.is_empty() {
        to.append_pair("q", &query.q);
    }
    if query.sort != TopicSort::default() {
        to.append_pair("sort", query.sort.name());
    }
    for (name, _) in [("desc", query.descending), ("internal", query.internal)].into_iter().filter(|(_, is)| *is) {
        to.append_pair(name, "1");
    }
    if query.page > 1 {
        to.append_pair("page", &query.page.to_string());
    }
    match to.finish() {
        parameters if parameters.is_empty() => "/topics".into(),
        parameters => format!("/topics?{parameters}"),
    }
}

/// A page of the list, with search, order and the way to other pages; and to producing, where it is not `read_only`.
pub fn list(reader: &Reader, query: &TopicQuery, page: &TopicPage, read_only: bool) -> Markup {
    let locale = reader.locale;
    html! {
        (search(reader, query, Some(page)))
        @if page.topics.is_empty() && page.all == 0 {
            (empty("topic", td_string!(locale, topics.none), &html! {}, &html! {}))
        } @else if page.topics.is_empty() {
            (empty("search", &td_string!(locale, topics.no_match, q = query.q.trim()), &html! {}, &html! {
                a.btn href="/topics" { (td_string!(locale, topic.all)) }
            }))
        } @else {
            (table(reader, query, page, read_only))
            @if page.pages > 1 { (pages(reader, query, page)) }
        }
    }
}

/// The search. It is there too when Kafka does not answer.
pub fn search(reader: &Reader, query: &TopicQuery, page: Option<&TopicPage>) -> Markup {
    let locale = reader.locale;
    html! {
        form.tools method="get" action="/topics" role="search" {
            @if query.sort != TopicSort::default() { input type="hidden" name="sort" value=(query.sort.name()); }
            @if query.descending { input type="hidden" name="desc" value="1"; }
            label.search {
                (icon("search"))
                span.sr { (td_string!(locale, topics.search)) }
                input #filter .input type="search" name="q" value=(query.q) placeholder=(td_string!(locale, topics.search)) autocomplete="off";
            }
            label.check {
                input type="checkbox" name="internal" value="1" autocomplete="off" checked[query.internal];
                span { (td_string!(locale, topics.internal)) }
            }
            button.btn { (td_string!(locale, topics.find)) }
            @if let Some(page) = page {
                span.muted.num role="status" {
                    (td_string!(locale, topics.found, found = grouped(page.found.into()), all = grouped(page.all.into())))
                }
                @if page.troubled > 0 {
                    span.badge data-tone="warn" {
                        (icon("warn")) (td_string!(locale, topics.troubled, count = grouped(page.troubled.into())))
                    }
                }
            }
        }
    }
}

fn table(reader: &Reader, query: &TopicQuery, page: &TopicPage, read_only: bool) -> Markup {
    let locale = reader.locale;
    let head = |sort, name: &str, is_number: bool| column(query, page, sort, name, is_number);
    let records =
        html! { span title=(td_string!(locale, topics.messages_hint)) { (td_string!(locale, topics.messages)) } };
    html! {
        div.scroll tabindex="0" role="region" aria-label=(td_string!(locale, nav.topics)) {
            table.table {
                thead {
                    tr {
                        (head(TopicSort::Name, td_string!(locale, produce.topic), false))
                        (head(TopicSort::Partitions, td_string!(locale, topics.partitions), true))
                        (head(TopicSort::Replication, td_string!(locale, topics.replicas), true))
                        @if page.can_sort_by_records { (head(TopicSort::Records, td_string!(locale, topics.messages), true)) }
                        @else { th.r scope="col" { (records) } }
                        th.r scope="col" { (td_string!(locale, topics.rate)) }
                        (head(TopicSort::Trouble, td_string!(locale, topics.state), false))
                        @if !read_only { td {} }
                    }
                }
                tbody { @for topic in &page.topics { (row(reader, topic, read_only)) } }
            }
        }
    }
}

/// A column's head: a link that sorts by it, or the other way round.
fn column(query: &TopicQuery, page: &TopicPage, sort: TopicSort, name: &str, is_number: bool) -> Markup {
    let is_current = page.sort == sort;
    // Numbers are looked at from the largest on.
    let first_down = !matches!(sort, TopicSort::Name | TopicSort::Trouble);
    let descending = if is_current { !query.descending } else { first_down };
    let to = address(&TopicQuery { sort, descending, page: 1, ..query.clone() });
    let order = is_current.then_some(if query.descending { "descending" } else { "ascending" });
    html! {
        th.r[is_number] scope="col" aria-sort=[order] {
            a.sort href=(to) { (name) @if is_current { (icon(if query.descending { "down" } else { "prev" })) } }
        }
    }
}

fn row(reader: &Reader, topic: &TopicRow, read_only: bool) -> Markup {
    let locale = reader.locale;
    html! {
        tr {
            th scope="row" { a.mono href=(path(&topic.name)) { (topic.name) } }
            td.r { (grouped(topic.partitions.into())) }
            td.r { (topic.replication) }
            td.r {
                @match topic.records {
                    Some(records) => (grouped(records.unsigned_abs())),
                    None => span.faint title=(uncounted(reader, topic)) { (td_string!(locale, groups.not_known)) },
                }
            }
            td.r { (rate(reader, topic.rate, topic.written.is_none().then(|| uncounted(reader, topic)))) }
            td { (state(reader, topic.offline, topic.under_replicated)) }
            @if !read_only { td.r { a.link href={ "/produce?to=" (topic.name) } { (td_string!(locale, nav.produce)) } } }
        }
    }
}

/// Why a topic's records are not counted.
fn uncounted(reader: &Reader, topic: &TopicRow) -> String {
    let locale = reader.locale;
    match topic {
        topic if topic.offline > 0 => td_string!(locale, topics.uncounted_offline).into(),
        topic if topic.partitions as usize > MOST_COUNTED => {
            td_string!(locale, topics.uncounted_large, most = grouped(MOST_COUNTED as u64))
        }
        _ => td_string!(locale, topics.uncounted).into(),
    }
}

/// How fast records came in, and over how long that is said. Where that is not known: because of `uncounted`, or because this is the
/// first look.
pub fn rate(reader: &Reader, rate: Option<TopicRate>, uncounted: Option<String>) -> Markup {
    let locale = reader.locale;
    html! {
        @match rate {
            Some(rate) => span title=(td_string!(locale, topics.rate_over, time = words::span(locale, rate.millis as i64))) {
                (per_second(rate.per_second())) " " small { (td_string!(locale, unit.per_second)) }
            },
            None => span.faint title=(uncounted.as_deref().unwrap_or(td_string!(locale, topics.rate_unknown))) { "–" },
        }
    }
}

/// Whole records, and of few the tenths.
fn per_second(rate: f64) -> String {
    match rate {
        rate if rate <= 0.0 || rate >= 10.0 => grouped(rate.round() as u64),
        rate if rate < 0.1 => "< 0.1".into(),
        rate => format!("{rate:.1}"),
    }
}

/// What is wrong with partitions, if something is.
pub fn state(reader: &Reader, offline: u32, under_replicated: u32) -> Markup {
    let locale = reader.locale;
    html! {
        @if offline > 0 {
            span.badge data-tone="danger" { (icon("error")) (td_string!(locale, topics.offline, count = grouped(offline.into()))) }
            " "
        }
        @if under_replicated > 0 {
            span.badge data-tone="warn" {
                (icon("warn")) (td_string!(locale, topics.under, count = grouped(under_replicated.into())))
            }
        }
        @if offline + under_replicated == 0 { span.muted { (td_string!(locale, topics.in_sync)) } }
    }
}

fn pages(reader: &Reader, query: &TopicQuery, page: &TopicPage) -> Markup {
    let locale = reader.locale;
    let to = |number| address(&TopicQuery { page: number, ..query.clone() });
    html! {
        footer {
            nav.wrap aria-label=(td_string!(locale, topics.pages)) {
                @if page.page > 1 { a.btn rel="prev" href=(to(page.page - 1)) { (td_string!(locale, topics.previous)) } }
                span.muted.num { (td_string!(locale, topics.page_of, page = page.page, pages = page.pages)) }
                @if page.page < page.pages { a.btn rel="next" href=(to(page.page + 1)) { (td_string!(locale, topics.next)) } }
            }
        }
    }
}

/// The form of a new topic.
pub fn create(reader: &Reader, form: &TopicForm, errors: &[TopicFieldError]) -> Markup {
    let locale = reader.locale;
    let wrong = |field| words::topic_wrong(locale, errors, field);
    let optional = td_string!(locale, produce.optional);
    // An empty one more each time that the form comes back.
    let blank = SETTING_LINES.saturating_sub(form.config.len()).max(1);
    let lines = form.config.iter().cloned().chain(std::iter::repeat_n((String::new(), String::new()), blank));
    html! {
        form.card method="post" action="/topics" aria-label=(td_string!(locale, topics.create)) novalidate {
            div.body {
                (text(Text {
                    id: "name",
                        name: "name", value: &form.name, label: td_string!(locale, topic.name), note: td_string!(locale, produce.required),
                    hint: td_string!(locale, topic.name_hint), wrong: wrong(TopicField::Name), is_number: false,
                }))
                div.pair {
                    (text(Text {
                        id: "partitions",
                        name: "partitions", value: &form.partitions, label: td_string!(locale, topics.partitions), note: optional,
                        hint: td_string!(locale, topic.partitions_hint), wrong: wrong(TopicField::Partitions), is_number: true,
                    }))
                    (text(Text {
                        id: "replication",
                        name: "replication", value: &form.replication, label: td_string!(locale, topics.replicas), note: optional,
                        hint: td_string!(locale, topic.replicas_hint), wrong: wrong(TopicField::Replication), is_number: true,
                    }))
                }
                fieldset.field {
                    legend.label { (td_string!(locale, topic.settings)) " " small { (optional) } }
                    p.hint { (td_string!(locale, topic.settings_hint)) }
                    datalist #settings { @for name in wire::TOPIC_SETTINGS { option value=(name) {} } }
                    @for (index, (name, value)) in lines.enumerate() {
                        @let at = index as u32;
                        (setting_line(reader, index, &name, &value, wrong(TopicField::ConfigName(at)).or(wrong(TopicField::ConfigValue(at)))))
                    }
                    (field::error("config-error", wrong(TopicField::Config).as_deref()))
                }
            }
            footer {
                button.btn.primary { (icon("plus")) (td_string!(locale, topics.create)) }
                // After the other one, which Enter in a field presses.
                button.btn name="more" value="1" { (td_string!(locale, topic.one_more)) }
                a.btn.quiet href="/topics" { (td_string!(locale, topic.cancel)) }
            }
        }
    }
}

fn setting_line(reader: &Reader, index: usize, name: &str, value: &str, wrong: Option<String>) -> Markup {
    let locale = reader.locale;
    let (setting, value_of) = (td_string!(locale, topic.setting), td_string!(locale, topic.value));
    let error = format!("config-{index}-error");
    let invalid = wrong.as_ref().map(|_| "true");
    html! {
        div.header-line {
            input.input.mono name="config_name" value=(name) placeholder=(setting) aria-label={ (setting) " " (index + 1) }
                list="settings" autocomplete="off" spellcheck="false" aria-describedby=(error) aria-invalid=[invalid]
                autofocus[invalid.is_some()];
            input.input.mono name="config_value" value=(value) placeholder=(value_of) aria-label={ (value_of) " " (index + 1) }
                autocomplete="off" spellcheck="false" aria-describedby=(error) aria-invalid=[invalid];
            span {}
            (field::error(&error, wrong.as_deref()))
        }
    }
}

/// A field of one line of text.
pub struct Text<'a> {
    /// The control's id.
    pub id: &'a str,
    /// Its name in the form.
    pub name: &'a str,
    /// What was typed.
    pub value: &'a str,
    /// What it is.
    pub label: &'a str,
    /// Whether it is needed.
    pub note: &'a str,
    /// What may be typed.
    pub hint: &'a str,
    /// What is wrong with it.
    pub wrong: Option<String>,
    /// Whether a number is wanted.
    pub is_number: bool,
}

/// The field.
pub fn text(Text { id, name, value, label, note, hint, wrong, is_number }: Text<'_>) -> Markup {
    // A form that is opened to be filled in begins with its name.
    let begins = id == "name" && value.is_empty();
    html! {
        div.field {
            label for=(id) { (label) @if !note.is_empty() { " " small { (note) } } }
            input.input.mono id=(id) name=(name) value=(value) autocomplete="off" spellcheck="false"
                inputmode=[is_number.then_some("numeric")] aria-describedby={ (id) "-error " (id) "-hint" }
                aria-invalid=[wrong.as_ref().map(|_| "true")] autofocus[wrong.is_some() || begins];
            (field::error(&format!("{id}-error"), wrong.as_deref()))
            p.hint id={ (id) "-hint" } { (hint) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{i18n::Locale, markup::live::text as words_of};
    use wire::TopicRule;

    fn page(topics: Vec<TopicRow>) -> TopicPage {
        TopicPage {
            found: topics.len() as u32,
            all: 7,
            troubled: 1,
            page: 2,
            pages: 3,
            sort: TopicSort::Name,
            can_sort_by_records: true,
            topics,
        }
    }

    fn topic(name: &str) -> TopicRow {
        TopicRow {
            name: name.into(),
            partitions: 6,
            replication: 3,
            under_replicated: 2,
            offline: 0,
            records: Some(1_204),
            written: None,
            rate: None,
        }
    }

    #[test]
    fn a_rate_has_tenths_where_it_is_small() {
        assert_eq!([0.0, 0.04, 3.06, 9.99, 1_204.4].map(per_second), ["0", "< 0.1", "3.1", "10.0", "1,204"]);
    }

    #[test]
    fn a_list_says_what_is_wrong_and_leads_to_other_orders_and_pages() {
        let query = TopicQuery { q: "a&b".into(), sort: TopicSort::Name, page: 2, ..TopicQuery::default() };
        let html = list(&Reader::of(Locale::en), &query, &page(vec![topic("orders")]), false);
        let text = words_of(&html);
        for said in ["1 of 7 topics", "orders 6 3 1,204 – 2 under-replicated", "Page 2 of 3"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        for link in [
            "\"/topics?q=a%26b&amp;sort=name&amp;desc=1\"",
            "\"/topics?q=a%26b&amp;sort=partitions&amp;desc=1\"",
            "\"/topics?q=a%26b&amp;sort=name&amp;page=3\"",
            "\"/topics?q=a%26b&amp;sort=name\"",
            "aria-sort=\"ascending\"",
        ] {
            assert!(html.0.contains(link), "{link}: {}", html.0);
        }
    }

    #[test]
    fn what_is_not_counted_says_why() {
        let uncounted = TopicRow { records: None, ..topic("orders") };
        let known = TopicRow { written: Some(7), ..topic("orders") };
        for (topic, why) in [
            (uncounted.clone(), "Kafka did not tell in time"),
            (TopicRow { offline: 1, ..uncounted.clone() }, "Not counted: a partition has no leader"),
            (TopicRow { partitions: 10_001, ..uncounted }, "Not counted: more than 10,000 partitions"),
        ] {
            let html = row(&Reader::of(Locale::en), &topic, false).into_string();
            assert_eq!(html.matches(&format!("title=\"{why}")).count(), 2, "of its records and its rate: {html}");
        }
        let html = row(&Reader::of(Locale::en), &known, false).into_string();
        assert!(html.contains("title=\"Known at the next look\""), "{html}");
    }

    #[test]
    fn a_form_that_comes_back_has_an_empty_line_more() {
        let lines = |filled: usize| {
            let form = TopicForm { config: vec![("a".into(), "1".into()); filled], ..TopicForm::default() };
            create(&Reader::of(Locale::en), &form, &[]).into_string().matches("name=\"config_name\"").count()
        };
        assert_eq!([0, 3, 4, 9].map(lines), [4, 4, 5, 10]);
    }

    #[test]
    fn a_search_without_a_match_is_another_thing_than_an_empty_cluster() {
        let query = TopicQuery { q: "<x>".into(), ..TopicQuery::default() };
        let html = list(&Reader::of(Locale::en), &query, &page(Vec::new()), false);
        assert!(html.0.contains("&lt;x&gt;") && html.0.contains("href=\"/topics\""), "{}", html.0);
        let none = list(&Reader::of(Locale::en), &query, &TopicPage { all: 0, ..page(Vec::new()) }, false);
        assert!(words_of(&none).contains("There are no topics yet"));
    }

    #[test]
    fn what_was_typed_comes_back_with_what_is_wrong_at_its_field() {
        let form = TopicForm { name: "a b".into(), config: vec![("x".into(), "\"1".into())], ..TopicForm::default() };
        let errors = [
            TopicFieldError { field: TopicField::Name, rule: TopicRule::Name },
            TopicFieldError { field: TopicField::ConfigName(0), rule: TopicRule::Twice },
        ];
        let html = create(&Reader::of(Locale::en), &form, &errors).into_string();
        for shown in ["value=\"a b\"", "id=\"name-error\"><svg", "value=\"&quot;1\"", "id=\"config-0-error\"><svg"] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(html.contains("id=\"partitions-error\" hidden"), "{html}");
    }
}
