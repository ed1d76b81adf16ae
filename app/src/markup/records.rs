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
use std::{collections::BTreeMap, fmt, str::FromStr};
use wire::{
    BrowseCursor, BrowseNotice, Direction, Filter, Place, ReadError, Record, RecordPage, Timestamp, Topic, Unread,
    UnreadReason,
};

/// The card's own element, which links into the page lead to.
const CARD: &str = "messages";
/// The element around a search that goes on. A link to it makes it the document's target, which stops the search: see
/// `islands/stream.rs`.
const SEARCH: &str = "search";
/// The elements that pieces are for: how far a search is, the sign of its stream, what has to be said of it, what stands for an empty list,
/// and where to go from here.
const PROGRESS: &str = "search-progress";
/// See [`PROGRESS`].
const SIGN: &str = "search-sign";
/// See [`PROGRESS`]. What is not where it was asked to begin, which is told once.
pub const NOTICE: &str = "records-notice";
/// See [`PROGRESS`]. What is not here, as far as that is known.
pub const NOTES: &str = "records-notes";
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

/// What a search found so far, on how many records it decided, and on how many of them that failed. It stands in addresses, for whoever
/// goes on with the search goes on to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many records were found.
    pub found: usize,
    /// How many were looked at.
    pub looked: u64,
    /// On how many of them the filter's expression failed.
    pub failed: u64,
}

impl Tally {
    /// With what a page adds.
    pub fn with(self, page: &RecordPage) -> Self {
        let Self { found, looked, failed } = self;
        Self {
            found: found.saturating_add(page.records.len()),
            looked: looked.saturating_add(page.looked),
            failed: failed.saturating_add(page.failed),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.found, self.looked, self.failed)
    }
}

impl FromStr for Tally {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let read = || {
            let (found, rest) = text.split_once('.')?;
            let (looked, failed) = rest.split_once('.')?;
            Some(Self { found: found.parse().ok()?, looked: looked.parse().ok()?, failed: failed.parse().ok()? })
        };
        read().ok_or(())
    }
}

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

    /// Whether records are looked for. Then the page is not read anew for one that is opened: it would all be looked through again.
    fn is_search(&self) -> bool {
        !self.query.filter.trim().is_empty()
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

/// The address of the stream of a search that goes on at `cursor`, and what was before. The page's own address is in it, for where it ends
/// the page goes on from there.
pub fn stream(topic: &str, query: &BrowseQuery, cursor: Option<&BrowseCursor>, before: Tally) -> String {
    let address = address(topic, "/live", query);
    let sign = if address.contains('?') { '&' } else { '?' };
    let on = cursor.map(|cursor| format!("&on={cursor}")).unwrap_or_default();
    format!("{address}{sign}so={before}{on}")
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
    /// Kafka refuses, or there is nothing of the kind: it is no use in waiting.
    Refused(&'a BrowseError),
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
                Read::Refused(error) => { (refused(shown.reader, error)) }
                Read::Slow(error) => {
                    (search(shown, None, Tally::default(), &progress_of_trouble(shown.reader, error)))
                    div id=(NOTICE) {}
                    div id=(NOTES) {}
                    (beside(shown, &slots(shown, shown.limit(), &[], starts_back(shown)), html! {}, Neighbours::default()))
                    footer id=(PAGER) {}
                }
                Read::Page(page) if page.partitions.iter().all(|log| log.first >= log.end) && page.unread.is_empty() => {
                    (empty("topic", td_string!(locale, records.empty), &html! { (td_string!(locale, records.empty_means)) }, &html! {
                        a.btn.primary href={ "/produce?to=" (shown.topic.name) } { (icon("send")) (td_string!(locale, feed.send_first)) }
                    }))
                }
                Read::Page(page) => {
                    @let tally = Tally::default().with(page);
                    div id=(NOTICE) { @if let Some(notice) = notice(shown, page) { (notice) } }
                    div id=(NOTES) { (notes(shown, page, tally)) }
                    @if !page.is_complete {
                        (search(shown, page.onward(), tally, &progress(shown.reader, page.scanned, page.of)))
                    }
                    @let rows = if page.is_complete { in_order(shown, page) } else { slots(shown, shown.limit(), &page.records, page.direction) };
                    (beside(shown, &rows, nothing(shown, page, tally), neighbours(shown, page)))
                    footer id=(PAGER) { (pager(shown, page, tally)) }
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
            inputmode=[is_number.then_some("numeric")] aria-describedby="seek-error" aria-invalid=[is_wrong.then_some("true")]
            autofocus[is_wrong];
    }
}

/// What was asked for and is not there.
fn notice(shown: &Shown<'_>, page: &RecordPage) -> Option<Markup> {
    let locale = shown.locale();
    let instead = if page.direction == Direction::Older { td_string!(locale, records.last_ones) } else { "" };
    let (notice, instead) = match page.notice? {
        BrowseNotice::Deleted { first } => (td_string!(locale, records.deleted, first), ""),
        BrowseNotice::NotYet { end } => (td_string!(locale, records.not_yet, end), instead),
        BrowseNotice::TimeBeyondEnd => (td_string!(locale, records.beyond_end).to_owned(), instead),
    };
    Some(banner("info", &notice, instead))
}

/// What could not be read, and what was not decided.
fn notes(shown: &Shown<'_>, page: &RecordPage, tally: Tally) -> Markup {
    let locale = shown.locale();
    html! {
        @if !page.unread.is_empty() { (banner("warn", td_string!(locale, records.unread), &unread(locale, &page.unread))) }
        @if tally.failed > 0 { (banner("warn", &td_string!(locale, records.failed, count = grouped(tally.failed)), "")) }
    }
}

/// The partitions that are left out, by why they are.
fn unread(locale: Locale, unread: &[Unread]) -> String {
    let mut by_reason = BTreeMap::<&UnreadReason, Vec<String>>::new();
    for Unread { partition, reason } in unread {
        by_reason.entry(reason).or_default().push(partition.to_string());
    }
    let each = by_reason.into_iter().map(|(reason, partitions)| {
        let why = match reason {
            UnreadReason::NoLeader => td_string!(locale, records.no_leader),
            UnreadReason::Late => td_string!(locale, records.late),
            UnreadReason::SinceTheBeginning => td_string!(locale, records.since_the_beginning),
            // In Kafka's words.
            UnreadReason::Refused(why) => why.as_str(),
        };
        format!("{} ({why})", partitions.join(", "))
    });
    each.collect::<Vec<_>>().join("; ")
}

/// What stands instead of the rows where it is no use in waiting.
fn refused(reader: &Reader, error: &BrowseError) -> Markup {
    let (title, why) = words::browse_error(reader.locale, error);
    banner("danger", &title, &why)
}

/// A search that goes on: how far it is, and how it is stopped. What is live about it needs the stream; without JavaScript a link goes on.
fn search(shown: &Shown<'_>, cursor: Option<&BrowseCursor>, tally: Tally, progress: &Markup) -> Markup {
    let locale = shown.locale();
    let on = shown.to(|query| query.at = cursor.map(ToString::to_string).unwrap_or_else(|| query.at.clone()));
    let (base, fragment) = on.split_once('#').unwrap_or((&on, ""));
    let sign = if base.contains('?') { '&' } else { '?' };
    html! {
        div id=(SEARCH) .searching {
            div id=(PROGRESS) .bar-line { (progress) }
            span id=(SIGN) { (self::sign(&stream(&shown.topic.name, shown.query, cursor, tally), None)) }
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
fn beside(shown: &Shown<'_>, rows: &Markup, nothing: Markup, neighbours: Neighbours<'_>) -> Markup {
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
            @if let Some((place, read)) = shown.open { (opened(shown, place, read, neighbours)) }
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
                @if shown.is_search() {
                    a href=(row::path(&row::place(record))) target="_blank" rel="noopener" {
                        b { "[" (record.partition) "]" } "@" (record.offset)
                        span.faint aria-hidden="true" { "↗" }
                        span.sr { (td_string!(locale, records.in_new_tab)) }
                    }
                } @else {
                    a href=(shown.opened(record)) {
                        b { "[" (record.partition) "]" } "@" (record.offset)
                    }
                }
            }
            span.key role="cell" { (row::data(locale, record.key.as_ref(), false)) }
            span.val.json role="cell" { (row::data(locale, record.value.as_ref(), true)) }
            span.size.num role="cell" { (bytes(size)) }
        }
    }
}

/// What stands where rows would be.
fn nothing(shown: &Shown<'_>, page: &RecordPage, tally: Tally) -> Markup {
    let locale = shown.locale();
    if tally.found > 0 || !page.is_complete {
        return html! {};
    }
    let title = if shown.is_search() {
        td_string!(locale, records.no_match, of = grouped(tally.looked))
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
fn pager(shown: &Shown<'_>, page: &RecordPage, tally: Tally) -> Markup {
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
    let said = match tally.found {
        1 => td_string!(locale, records.read_one, ms = grouped(page.took_ms.into())),
        count => td_string!(locale, records.read, count = grouped(count as u64), ms = grouped(page.took_ms.into())),
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
                @if shown.is_search() {
                    (td_string!(locale, records.scanned, scanned = grouped(page.scanned), of = grouped(page.of))) " · "
                }
                (td_string!(locale, records.no_commit))
            }
        } @else { p.muted { (td_string!(locale, records.no_commit)) } }
    }
}

/// The records of the page that stand before and after the one that is open.
#[derive(Clone, Copy, Default)]
struct Neighbours<'a> {
    newer: Option<&'a Record>,
    older: Option<&'a Record>,
}

fn neighbours<'a>(shown: &Shown<'_>, page: &'a RecordPage) -> Neighbours<'a> {
    // In a search a page for each of them would look through all of it again.
    let at = page.records.iter().position(|record| shown.is_open(record) && !shown.is_search());
    let Some(at) = at else { return Neighbours::default() };
    let (before, after) = (at.checked_sub(1).and_then(|at| page.records.get(at)), page.records.get(at + 1));
    match page.direction {
        Direction::Older => Neighbours { newer: before, older: after },
        Direction::Newer => Neighbours { newer: after, older: before },
    }
}

/// Leads from the record that is open to the next one, up or down the list.
fn step_to(shown: &Shown<'_>, record: Option<&Record>, is_newer: bool) -> Markup {
    let locale = shown.locale();
    let name = if is_newer { td_string!(locale, detail.newer) } else { td_string!(locale, detail.older) };
    // As in the list: `k` to the row above.
    let (symbol, key) = if is_newer == shown.newest_first() { ("prev", "k") } else { ("down", "j") };
    html! {
        @if let Some(record) = record {
            a.btn.quiet.square href=(shown.opened(record)) aria-label=(name) title=(name) aria-keyshortcuts=(key) { (icon(symbol)) }
        }
    }
}

/// The record that is open.
fn opened(shown: &Shown<'_>, place: &Place, read: &Result<Record, ReadError>, neighbours: Neighbours<'_>) -> Markup {
    let (reader, locale) = (shown.reader, shown.locale());
    let own = row::path(place);
    let close = td_string!(locale, app.close);
    let back = format!("{}#row-{}-{}", address(&shown.topic.name, "", shown.query), place.partition, place.offset);
    html! {
        // Not `aside`: within the page's main part that is no landmark.
        section #open .drawer.open aria-label=(place) {
            header {
                h2 #opened .mono tabindex="-1" { (place) }
                span.push {}
                // In the order in which the rows stand.
                @if shown.newest_first() { (step_to(shown, neighbours.newer, true)) (step_to(shown, neighbours.older, false)) }
                @else { (step_to(shown, neighbours.older, false)) (step_to(shown, neighbours.newer, true)) }
                (link_button(reader, &own))
                a.btn.quiet.square href=(back) aria-label=(close) title=(close) aria-keyshortcuts="Escape" { (icon("x")) }
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

/// What a search tells its page: the records that `page` has, which it found since it told last, and how far it is. `before` is what was
/// before them. The stream goes on at `from`.
pub fn step(shown: &Shown<'_>, page: &RecordPage, before: Tally, from: &str) -> Vec<Piece> {
    // In this order: where to go on comes after what was found up to there.
    let rest = [
        (SIGN.to_owned(), sign(from, Some("live"))),
        (PROGRESS.to_owned(), progress(shown.reader, page.scanned, page.of)),
    ];
    found(shown, page, before).chain(rest).collect()
}

/// The same of a search that came to its end.
pub fn last_step(shown: &Shown<'_>, page: &RecordPage, before: Tally) -> Vec<Piece> {
    let tally = before.with(page);
    let rest = [
        (SIGN.to_owned(), html! {}),
        (PROGRESS.to_owned(), progress(shown.reader, page.scanned, page.of)),
        (NOTHING.to_owned(), nothing(shown, page, tally)),
        (PAGER.to_owned(), pager(shown, page, tally)),
    ];
    found(shown, page, before).chain(rest).collect()
}

/// What both begin with: what was found, and what has to be said of it. A search that goes on knows nothing any more of where it was asked to
/// begin; what stands there of that stays.
fn found(shown: &Shown<'_>, page: &RecordPage, before: Tally) -> impl Iterator<Item = Piece> {
    let rows = (before.found..).zip(&page.records).map(|(index, record)| (slot_id(index), row(shown, record)));
    let notice = notice(shown, page).map(|notice| (NOTICE.to_owned(), notice));
    rows.chain(notice).chain([(NOTES.to_owned(), notes(shown, page, before.with(page)))])
}

/// Why a search does not come any further at the moment.
pub fn troubled_step(shown: &Shown<'_>, error: &BrowseError) -> Vec<Piece> {
    vec![(PROGRESS.to_owned(), progress_of_trouble(shown.reader, error))]
}

/// Why it will not come any further: it is over.
pub fn refused_step(shown: &Shown<'_>, error: &BrowseError) -> Vec<Piece> {
    vec![(SIGN.to_owned(), html! {}), (NOTES.to_owned(), refused(shown.reader, error)), (PROGRESS.to_owned(), html! {})]
}
