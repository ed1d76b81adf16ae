//! The records of a topic, looked through page by page: the card *Messages* of its page. Only the server renders it, and it needs no
//! JavaScript; what a search finds later comes as pieces ([`super::live`]), each for an element that is there.

use super::{
    banner::banner,
    detail::detail,
    drawer::{again, files, link_button},
    empty::empty,
    field,
    icon::icon,
    row,
    topics::path,
};
use crate::{
    format::{
        number::{bytes, grouped},
        time,
    },
    i18n::Locale,
    reader::Reader,
    words,
};
use engine::{BrowseError, BrowseFault, BrowseField, BrowseQuery, MOST_RECORDS, RECORDS};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{BrowseCursor, BrowseNotice, Direction, Filter, Place, ReadError, Record, RecordPage, Timestamp, Topic};

/// The card's own element, which links into the page lead to.
const CARD: &str = "messages";
/// The element around a search that goes on. A link to it makes it the document's target, which stops the search: see
/// `islands/stream.rs`.
const SEARCH: &str = "search";
/// The elements that pieces are for: how far a search is, the sign of its stream, what stands for an empty list, and where to go from here.
const PROGRESS: &str = "search-progress";
/// See [`PROGRESS`].
const SIGN: &str = "search-sign";
/// See [`PROGRESS`].
const NOTHING: &str = "no-records";
/// See [`PROGRESS`].
const PAGER: &str = "records-pager";
/// From so many partitions on a number is typed, not chosen.
const MOST_CHOICES: usize = 200;
/// How many records a page can have: the choices.
const LIMITS: [usize; 3] = [RECORDS, 100, MOST_RECORDS];

/// A part of the page that is kept up to date: the id of an element, and what is in it.
pub type Piece = (String, Markup);

/// A page of records, and for whom.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// For whom.
    pub reader: &'a Reader,
    /// The topic.
    pub topic: &'a Topic,
    /// What is asked for, as it was typed.
    pub query: &'a BrowseQuery,
    /// What of it breaks a rule.
    pub faults: &'a [BrowseFault],
    /// The record that is open, by its place, or why there is none.
    pub open: Option<(&'a Place, &'a Result<Record, ReadError>)>,
    /// Whether nothing is changed in the cluster from here.
    pub read_only: bool,
}

impl Shown<'_> {
    fn locale(&self) -> Locale {
        self.reader.locale
    }

    /// The page's address with these changes to what it asks for.
    fn to(&self, change: impl FnOnce(&mut BrowseQuery)) -> String {
        let mut query = self.query.clone();
        change(&mut query);
        format!("{}#{CARD}", address(&self.topic.name, "", &query))
    }

    fn at(&self, cursor: &BrowseCursor) -> String {
        self.to(|query| query.at = cursor.to_string())
    }

    /// The address of the page with this record opened. It leads to the row, beside which the record is shown.
    fn opened(&self, record: &Record) -> String {
        let (partition, offset) = (record.partition, record.offset);
        let base = address(&self.topic.name, "", self.query);
        let sign = if base.contains('?') { '&' } else { '?' };
        format!("{base}{sign}open={partition}-{offset}#{}", row_id(record))
    }

    fn fault(&self, field: BrowseField) -> Option<String> {
        let fault = self.faults.iter().find(|fault| fault.field == field)?;
        Some(words::browse_rule(self.locale(), &self.query.filter, &fault.rule))
    }

    /// Whether the newest record stands at the top: then it does so on every page of this range.
    fn newest_first(&self) -> bool {
        self.query.begins() == "newest"
    }

    /// Whether rows stand the other way round than they are read.
    fn is_turned(&self, direction: Direction) -> bool {
        self.newest_first() != (direction == Direction::Older)
    }

    fn is_open(&self, record: &Record) -> bool {
        self.open.is_some_and(|(place, _)| (place.partition, place.offset) == (record.partition, record.offset))
    }
}

/// The address of a topic's records; `below` is what comes after the topic's own.
pub fn address(topic: &str, below: &str, query: &BrowseQuery) -> String {
    let mut parameters = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in query.parameters() {
        parameters.append_pair(name, value);
    }
    match parameters.finish() {
        parameters if parameters.is_empty() => format!("{}{below}", path(topic)),
        parameters => format!("{}{below}?{parameters}", path(topic)),
    }
}

/// The address of the stream of a search that goes on at `cursor` and found so many before. The page's own address is in it, for what is
/// found leads back to the page.
pub fn stream(topic: &str, query: &BrowseQuery, cursor: Option<&BrowseCursor>, found: usize) -> String {
    let address = address(topic, "/live", query);
    let sign = if address.contains('?') { '&' } else { '?' };
    let on = cursor.map(|cursor| format!("&on={cursor}")).unwrap_or_default();
    format!("{address}{sign}found={found}{on}")
}

/// The address of one partition's records.
pub fn of_partition(topic: &str, partition: i32) -> String {
    let query = BrowseQuery { partition: partition.to_string(), ..BrowseQuery::default() };
    format!("{}#{CARD}", address(topic, "", &query))
}

/// What the card shows.
#[derive(Clone, Copy)]
pub enum Read<'a> {
    /// A page, or its beginning where the time was not enough.
    Page(&'a RecordPage),
    /// Kafka takes its time, or many look through topics.
    Slow(&'a BrowseError),
    /// Nothing: what is asked for can't be.
    Nothing,
}

/// The card.
pub fn card(shown: &Shown<'_>, read: Read<'_>) -> Markup {
    let locale = shown.locale();
    html! {
        section id=(CARD) .card.browse aria-labelledby="messages-title" {
            header {
                h2 #messages-title { (td_string!(locale, topics.messages)) }
                (exports(shown))
            }
            (form(shown))
            @if let Some(fault) = shown.fault(BrowseField::At) { (banner("danger", td_string!(locale, records.lost), &fault)) }
            @match read {
                Read::Nothing => {},
                Read::Slow(error) => {
                    (search(shown, None, 0, &progress_of_trouble(shown.reader, error)))
                    (beside(shown, &slots(shown, shown.limit(), &[], starts_back(shown)), html! {}))
                    footer id=(PAGER) {}
                }
                Read::Page(page) if page.partitions.iter().all(|log| log.first >= log.end) && page.unread.is_empty() => {
                    (empty("topic", td_string!(locale, records.empty), &html! { (td_string!(locale, records.empty_means)) }, &html! {
                        a.btn.primary href={ "/produce?to=" (shown.topic.name) } { (icon("send")) (td_string!(locale, feed.send_first)) }
                    }))
                }
                Read::Page(page) => {
                    (notes(shown, page))
                    @if !page.is_complete {
                        (search(shown, page.onward(), page.records.len(), &progress(shown.reader, page.scanned, page.of)))
                    }
                    @let rows = if page.is_complete { in_order(shown, page) } else { slots(shown, shown.limit(), &page.records, page.direction) };
                    (beside(shown, &rows, nothing(shown, page)))
                    footer id=(PAGER) { (pager(shown, page, page.records.len())) }
                }
            }
        }
    }
}

impl Shown<'_> {
    fn limit(&self) -> usize {
        self.query.limit.trim().parse().ok().filter(|limit| (1..=MOST_RECORDS).contains(limit)).unwrap_or(RECORDS)
    }
}

/// Which way a query reads that was not begun.
fn starts_back(shown: &Shown<'_>) -> Direction {
    match shown.query.at.parse::<BrowseCursor>() {
        Ok(cursor) => cursor.direction,
        Err(_) if shown.newest_first() => Direction::Older,
        Err(_) => Direction::Newer,
    }
}

fn exports(shown: &Shown<'_>) -> Markup {
    let locale = shown.locale();
    let all = BrowseQuery { at: String::new(), limit: String::new(), ..shown.query.clone() };
    html! {
        p.wrap.files.push {
            (icon("save")) span.muted { (td_string!(locale, records.save)) }
            @for (form, name) in [("jsonl", "JSON Lines"), ("csv", "CSV")] {
                // Without `download`: why there is no file is to be seen.
                a.btn.quiet href=(address(&shown.topic.name, &format!("/records/{form}"), &all))
                    title=(td_string!(locale, records.save_hint)) { (name) }
            }
        }
    }
}

fn form(shown: &Shown<'_>) -> Markup {
    let (locale, query) = (shown.locale(), shown.query);
    let begins = query.begins();
    let wrong = |field| shown.fault(field);
    let partitions = &shown.topic.partitions;
    let all = td_string!(locale, feed.all_partitions);
    let is_asked = query.parameters().next().is_some();
    html! {
        form.tools.seek method="get" action={ (path(&shown.topic.name)) "#" (CARD) } role="search" aria-labelledby="messages-title" {
            fieldset.seg {
                legend.sr { (td_string!(locale, records.from)) }
                @for (value, name) in [
                    ("newest", td_string!(locale, records.newest)),
                    ("time", td_string!(locale, records.time)),
                    ("offset", td_string!(locale, records.offset)),
                    ("oldest", td_string!(locale, records.oldest)),
                ] {
                    label { input type="radio" name="from" value=(value) autocomplete="off" checked[begins == value]; (name) }
                }
            }
            span.for-offset {
                (input("offset", td_string!(locale, records.offset_from), "0", &query.offset, wrong(BrowseField::Offset).is_some(), true))
            }
            span.for-time {
                (input("time", td_string!(locale, records.time_from), td_string!(locale, records.time_example), &query.time, wrong(BrowseField::Time).is_some(), false))
            }
            @if partitions.len() > MOST_CHOICES {
                (input("partition", td_string!(locale, feed.partition), all, &query.partition, wrong(BrowseField::Partition).is_some(), true))
            } @else if partitions.len() > 1 || !query.partition.is_empty() {
                select.input.mono name="partition" autocomplete="off" aria-label=(td_string!(locale, feed.partition)) aria-describedby="seek-error" {
                    option value="" { (all) }
                    @for partition in partitions {
                        @let number = partition.partition.to_string();
                        option value=(number) selected[query.partition.trim() == number] { (td_string!(locale, feed.partition)) " " (number) }
                    }
                }
            }
            label.search {
                (icon("search"))
                span.sr { (td_string!(locale, records.filter_name)) }
                input #filter .input type="search" name="filter" autocomplete="off" spellcheck="false" maxlength=(Filter::MAX_TEXT)
                    placeholder=(td_string!(locale, records.filter)) value=(query.filter) aria-keyshortcuts="/" aria-describedby="seek-error"
                    aria-invalid=[wrong(BrowseField::Filter).map(|_| "true")];
            }
            (input("until", td_string!(locale, records.until), td_string!(locale, records.until), &query.until, wrong(BrowseField::Until).is_some(), false))
            select.input name="limit" autocomplete="off" aria-label=(td_string!(locale, records.limit)) {
                @for limit in LIMITS { option value=(if limit == RECORDS { String::new() } else { limit.to_string() }) selected[limit == shown.limit()] { (limit) } }
            }
            button.btn.primary { (td_string!(locale, records.show)) }
            @if is_asked { a.btn.quiet href={ (path(&shown.topic.name)) "#" (CARD) } { (td_string!(locale, records.reset)) } }
            div.field.wrong {
                @let faults: Vec<_> = shown.faults.iter().filter(|fault| fault.field != BrowseField::At).map(|fault| {
                    format!("{}{}", field_name(locale, fault.field), words::browse_rule(locale, &query.filter, &fault.rule))
                }).collect();
                (field::error("seek-error", (!faults.is_empty()).then(|| faults.join(" ")).as_deref()))
            }
        }
    }
}

fn field_name(locale: Locale, field: BrowseField) -> String {
    let name = match field {
        BrowseField::From => td_string!(locale, records.from),
        BrowseField::Offset => td_string!(locale, records.offset),
        BrowseField::Time => td_string!(locale, records.time),
        BrowseField::Until => td_string!(locale, records.until),
        BrowseField::Partition => td_string!(locale, feed.partition),
        BrowseField::Filter => td_string!(locale, records.filter_name),
        BrowseField::Limit => td_string!(locale, records.limit),
        BrowseField::At => return String::new(),
    };
    td_string!(locale, records.of_field, name)
}

fn input(name: &str, label: &str, placeholder: &str, value: &str, is_wrong: bool, is_number: bool) -> Markup {
    html! {
        input.input.mono name=(name) value=(value) placeholder=(placeholder) aria-label=(label) title=(label) autocomplete="off" spellcheck="false"
            inputmode=[is_number.then_some("numeric")] aria-describedby="seek-error" aria-invalid=[is_wrong.then_some("true")];
    }
}

/// What was asked for and is not there, and what could not be read.
fn notes(shown: &Shown<'_>, page: &RecordPage) -> Markup {
    let locale = shown.locale();
    let notice = page.notice.map(|notice| match notice {
        BrowseNotice::Deleted { first } => td_string!(locale, records.deleted, first),
        BrowseNotice::NotYet { end } => td_string!(locale, records.not_yet, end),
        BrowseNotice::TimeBeyondEnd => td_string!(locale, records.beyond_end).to_owned(),
    });
    let unread: Vec<_> = page.unread.iter().map(ToString::to_string).collect();
    html! {
        @if let Some(notice) = notice { (banner("info", &notice, "")) }
        @if !unread.is_empty() { (banner("warn", &td_string!(locale, records.unread, partitions = unread.join(", ")), "")) }
        @if page.failed > 0 { (banner("warn", &td_string!(locale, records.failed, count = grouped(page.failed)), "")) }
    }
}

/// A search that goes on: how far it is, and how it is stopped. What is live about it needs the stream; without JavaScript a link goes on.
fn search(shown: &Shown<'_>, cursor: Option<&BrowseCursor>, found: usize, progress: &Markup) -> Markup {
    let locale = shown.locale();
    let on = shown.to(|query| query.at = cursor.map(ToString::to_string).unwrap_or_else(|| query.at.clone()));
    let (base, fragment) = on.split_once('#').unwrap_or((&on, ""));
    let sign = if base.contains('?') { '&' } else { '?' };
    html! {
        div id=(SEARCH) .searching {
            div id=(PROGRESS) .bar-line { (progress) }
            span id=(SIGN) { (self::sign(&stream(&shown.topic.name, shown.query, cursor, found), None)) }
            a.btn.going.needs-script href={ "#" (SEARCH) } { (icon("x")) (td_string!(locale, topic.cancel)) }
            span.stopped.muted.needs-script { (td_string!(locale, records.stopped)) }
            a.btn.stopped.needs-script href={ "#" (CARD) } { (icon("play")) (td_string!(locale, records.go_on)) }
            a.btn.only-static href={ (base) (sign) "patient=1#" (fragment) } { (icon("play")) (td_string!(locale, records.go_on)) }
        }
    }
}

/// The sign of the stream, by which the browser finds it: see `islands/stream.rs`. Nothing is seen of it.
fn sign(from: &str, state: Option<&str>) -> Markup {
    html! { span #stream data-from=(from) data-state=[state] {} }
}

fn progress(reader: &Reader, scanned: u64, of: u64) -> Markup {
    let locale = reader.locale;
    let share = if of == 0 { 100 } else { u128::from(scanned) * 100 / u128::from(of) };
    html! {
        span.num { (td_string!(locale, records.scanned, scanned = grouped(scanned), of = grouped(of))) }
        svg.meter viewBox="0 0 100 6" preserveAspectRatio="none" role="progressbar" aria-label=(td_string!(locale, records.searching))
            aria-valuemin="0" aria-valuemax="100" aria-valuenow=(share) data-tone="info" { rect width=(share) height="6" {} }
    }
}

fn progress_of_trouble(reader: &Reader, error: &BrowseError) -> Markup {
    let (title, why) = words::browse_error(reader.locale, error);
    html! { span { b { (title) } " " code { (why) } } }
}

/// The rows beside the record that is open.
fn beside(shown: &Shown<'_>, rows: &Markup, nothing: Markup) -> Markup {
    let locale = shown.locale();
    html! {
        div.beside.has-open[shown.open.is_some()] {
            div.feed.one {
                div.rows role="table" aria-label=(td_string!(locale, topics.messages)) {
                    div role="rowgroup" {
                        div.row.head role="row" {
                            span role="columnheader" { (td_string!(locale, records.written)) }
                            span role="columnheader" { (td_string!(locale, records.place)) }
                            span.key role="columnheader" { (td_string!(locale, produce.key)) }
                            span role="columnheader" { (td_string!(locale, row.value)) }
                            span.size role="columnheader" { (td_string!(locale, detail.size)) }
                        }
                    }
                    div role="rowgroup" { (rows) }
                }
                div id=(NOTHING) { (nothing) }
            }
            @if let Some((place, read)) = shown.open { (opened(shown, place, read)) }
        }
    }
}

/// The rows of a page that is all there.
fn in_order(shown: &Shown<'_>, page: &RecordPage) -> Markup {
    let mut rows: Vec<_> = page.records.iter().map(|record| row(shown, record)).collect();
    if shown.is_turned(page.direction) {
        rows.reverse();
    }
    html! { @for row in &rows { (row) } }
}

/// A place for each record that may be found, in the order in which they are shown. The n-th that is found goes into the n-th: whatever
/// comes twice, because a connection broke, is written over itself.
fn slots(shown: &Shown<'_>, limit: usize, found: &[Record], direction: Direction) -> Markup {
    let slot = |index: usize| html! { div.slot role="presentation" id=(slot_id(index)) { @if let Some(record) = found.get(index) { (row(shown, record)) } } };
    let mut slots: Vec<_> = (0..limit).map(slot).collect();
    if shown.is_turned(direction) {
        slots.reverse();
    }
    html! { @for slot in &slots { (slot) } }
}

fn slot_id(index: usize) -> String {
    format!("found-{index}")
}

fn row_id(record: &Record) -> String {
    format!("row-{}-{}", record.partition, record.offset)
}

fn row(shown: &Shown<'_>, record: &Record) -> Markup {
    let (reader, locale) = (shown.reader, shown.locale());
    let size = record.key.as_ref().map_or(0, |key| key.size) + record.value.as_ref().map_or(0, |value| value.size);
    html! {
        div.row role="row" id=(row_id(record)) data-place=(row::place(record)) aria-current=[shown.is_open(record).then_some("true")] {
            span.time role="cell" {
                @match record.timestamp {
                    Timestamp::Created(at) | Timestamp::Appended(at) => {
                        time data-full datetime=(time::rfc3339(at)) { (reader.full_time(at)) }
                    }
                    Timestamp::None => "–",
                }
            }
            span.at role="cell" {
                a href=(shown.opened(record)) {
                    b { "[" (record.partition) "]" } "@" (record.offset)
                }
            }
            span.key role="cell" { (row::data(locale, record.key.as_ref(), false)) }
            span.val.json role="cell" { (row::data(locale, record.value.as_ref(), true)) }
            span.size.num role="cell" { (bytes(size)) }
        }
    }
}

/// What stands where rows would be.
fn nothing(shown: &Shown<'_>, page: &RecordPage) -> Markup {
    let locale = shown.locale();
    if !page.records.is_empty() || !page.is_complete {
        return html! {};
    }
    let is_search = !shown.query.filter.trim().is_empty();
    let title = if is_search {
        td_string!(locale, records.no_match, of = grouped(page.of))
    } else {
        td_string!(locale, records.none_here).to_owned()
    };
    let actions = html! {
        a.btn href=(shown.to(|query| *query = BrowseQuery { partition: query.partition.clone(), ..BrowseQuery::default() })) {
            (td_string!(locale, records.newest))
        }
    };
    empty("search", &title, &html! { (td_string!(locale, records.none_means)) }, &actions)
}

/// Where to go from here, and what it took.
fn pager(shown: &Shown<'_>, page: &RecordPage, count: usize) -> Markup {
    let locale = shown.locale();
    let older = page.older.as_ref().map(|cursor| {
        html! {
            a.btn rel="prev" href=(shown.at(cursor)) { (icon("down")) (td_string!(locale, records.older)) }
        }
    });
    let newer = html! {
        @if page.at_end { a.btn href=(shown.at(&page.newer)) { (icon("again")) (td_string!(locale, records.look_again)) } }
        @else { a.btn rel="next" href=(shown.at(&page.newer)) { (icon("up")) (td_string!(locale, records.newer)) } }
    };
    let said = match count {
        1 => td_string!(locale, records.read_one, ms = grouped(page.took_ms.into())),
        _ => td_string!(locale, records.read, count = grouped(count as u64), ms = grouped(page.took_ms.into())),
    };
    html! {
        @if page.is_complete {
            nav.wrap aria-label=(td_string!(locale, topics.pages)) {
                // In the order in which the rows stand.
                @if shown.newest_first() {
                    @if !page.at_end || !shown.query.at.is_empty() { (newer) }
                    @if let Some(older) = older { (older) }
                } @else {
                    @if let Some(older) = older { (older) }
                    (newer)
                }
            }
            p.muted role="status" {
                (said) " "
                @if !shown.query.filter.trim().is_empty() {
                    (td_string!(locale, records.scanned, scanned = grouped(page.scanned), of = grouped(page.of))) " · "
                }
                (td_string!(locale, records.no_commit))
            }
        } @else { p.muted { (td_string!(locale, records.no_commit)) } }
    }
}

/// The record that is open.
fn opened(shown: &Shown<'_>, place: &Place, read: &Result<Record, ReadError>) -> Markup {
    let (reader, locale) = (shown.reader, shown.locale());
    let own = row::path(place);
    let close = td_string!(locale, app.close);
    let back = format!("{}#row-{}-{}", address(&shown.topic.name, "", shown.query), place.partition, place.offset);
    html! {
        // Not `aside`: within the page's main part that is no landmark.
        section #open .drawer.open aria-label=(place) {
            header {
                h2.mono { "[" (place.partition) "]@" (place.offset) }
                span.push {}
                (link_button(reader, &own))
                a.btn.quiet.square href=(back) aria-label=(close) title=(close) { (icon("x")) }
            }
            div.body {
                @match read {
                    Ok(record) => { (files(reader, record, &own)) (detail(reader, record)) }
                    Err(error) => {
                        @let (title, why) = words::read_error(locale, error);
                        p { b { (title) } } p.muted { (why) }
                    }
                }
            }
            footer {
                @if let (Ok(record), false) = (read, shown.read_only) { (again(reader, record)) }
                a.btn href=(own) { (td_string!(locale, detail.own_page)) }
            }
        }
    }
}

/// What a search tells its page: the records that it found since it told last, the first of them being the n-th, and how far it is.
pub fn step(shown: &Shown<'_>, records: &[Record], n: usize, scanned: u64, of: u64, from: &str) -> Vec<Piece> {
    let rows = (n..).zip(records).map(|(index, record)| (slot_id(index), row(shown, record)));
    let rest = [
        // In this order: where to go on comes after what was found up to there.
        (SIGN.to_owned(), sign(from, Some("live"))),
        (PROGRESS.to_owned(), progress(shown.reader, scanned, of)),
    ];
    rows.chain(rest).collect()
}

/// The same of a search that came to its end. `page` has the records of this step alone; `n` were found before.
pub fn last_step(shown: &Shown<'_>, page: &RecordPage, n: usize) -> Vec<Piece> {
    let rows = (n..).zip(&page.records).map(|(index, record)| (slot_id(index), row(shown, record)));
    // Of all that was found.
    let whole = RecordPage { records: Vec::new(), ..page.clone() };
    let found = n + page.records.len();
    let rest = [
        (SIGN.to_owned(), html! {}),
        (PROGRESS.to_owned(), progress(shown.reader, page.scanned, page.of)),
        (
            NOTHING.to_owned(),
            if found == 0 {
                nothing(shown, &whole)
            } else {
                html! {}
            },
        ),
        (PAGER.to_owned(), pager(shown, &whole, found)),
    ];
    rows.chain(rest).collect()
}

/// Why a search does not come any further at the moment.
pub fn troubled_step(shown: &Shown<'_>, error: &BrowseError) -> Vec<Piece> {
    vec![(PROGRESS.to_owned(), progress_of_trouble(shown.reader, error))]
}
