//! The records of a topic as its page shows them, and the stream by which a search, or a slow cluster's answer, comes to a page that is
//! there already. What is seen is in `markup/records.rs`.

use crate::{
    markup::records::{self, Piece, Read, Shown, Tally},
    preferences::Preferences,
    reader::Reader,
};
use axum::http::HeaderMap;
use engine::{BrowseError, BrowseFault, BrowseQuery, BrowseRequest, Engine, Search};
use leptos_router::params::ParamsMap;
use maud::Markup;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::time::timeout;
use wire::{BrowseCursor, Place, ReadError, RecordPage, Topic};

/// How long a page reads while it is rendered, with what else it asks for; but so long at least. And one that was told to be patient, for
/// it has no JavaScript.
const RENDERS: Duration = Duration::from_millis(300);
const AT_LEAST: Duration = Duration::from_millis(120);
const PATIENT: Duration = Duration::from_secs(5);
/// How often a search says how far it is.
const EVERY: Duration = Duration::from_millis(500);
/// How soon it tries again what failed.
const AGAIN: Duration = Duration::from_secs(1);
/// The id of the last event of a stream.
const DONE: &str = "done";

/// What a page's address asks for.
pub struct Browsing {
    query: BrowseQuery,
    /// The record that is open, by partition and offset.
    open: Option<(i32, i64)>,
    /// Whether who asks knows that it takes its time.
    pub(super) is_patient: bool,
}

impl Browsing {
    /// Of the page's address.
    pub fn of(parameters: &ParamsMap) -> Self {
        let open = parameters.get("open").and_then(|open| {
            let (partition, offset) = open.split_once('-')?;
            Some((partition.parse().ok()?, offset.parse().ok()?))
        });
        let query = BrowseQuery::of(parameters.clone());
        Self { query, open, is_patient: parameters.get("patient").is_some() }
    }

    /// The card. `began` is when the page began to ask.
    pub async fn card(&self, reader: &Reader, engine: &Engine, topic: &Topic, began: Instant) -> Markup {
        let request = self.query.read();
        let within = if self.is_patient { PATIENT } else { RENDERS.saturating_sub(began.elapsed()).max(AT_LEAST) };
        let read = async {
            match request {
                Ok(request) => engine.browse_of(topic, &request, within).await,
                Err(faults) => Err(faults.into()),
            }
        };
        let open = self.open.map(|(partition, offset)| Place { topic: topic.name.clone(), partition, offset });
        let opened = async {
            let place = open.as_ref()?;
            let slow = || Err(ReadError::Kafka { reason: String::new() });
            Some(timeout(within, engine.record(place)).await.unwrap_or_else(|_| slow()))
        };
        let (read, opened) = tokio::join!(read, opened);
        let faults: &[BrowseFault] = match &read {
            Err(BrowseError::Invalid(faults)) => faults,
            _ => &[],
        };
        let open = open.as_ref().zip(opened.as_ref());
        let shown = Shown { reader, topic, query: &self.query, faults, open, read_only: engine.is_read_only() };
        let read = match &read {
            Ok(page) => Read::Page(page),
            Err(BrowseError::Invalid(_)) => Read::Nothing,
            Err(error) if is_final(error) => Read::Refused(error),
            Err(error) => Read::Slow(error),
        };
        records::card(&shown, read)
    }
}

/// Whether it is no use in trying again: Kafka said what it says, or there is nothing of the kind.
fn is_final(error: &BrowseError) -> bool {
    !matches!(error, BrowseError::Busy | BrowseError::Read(ReadError::Kafka { .. }))
}

/// A search that a page follows: what it finds, and how far it is.
pub struct SearchPage {
    reader: Reader,
    topic: Topic,
    query: BrowseQuery,
    request: BrowseRequest,
    /// Where it goes on, if it has to begin again.
    cursor: Option<BrowseCursor>,
    search: Option<Search>,
    /// What was told, and of that what was told before `search` began.
    told: Tally,
    before: Tally,
    /// What has to be said of it, as it stands on the page: ids of elements, and what is in them.
    notes: BTreeMap<String, String>,
    is_done: bool,
}

impl SearchPage {
    /// Of a stream's request: its address, and the id of the event that the browser had last. Nothing where the address asks for nothing
    /// that could be searched, or the search is over.
    pub fn new(topic: &str, headers: &HeaderMap, query: Option<&str>) -> Option<Self> {
        let parameters: Vec<_> = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect();
        let parameter =
            |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_ref());
        let (mut so, mut on) = (parameter("so").unwrap_or("0.0.0"), parameter("on").unwrap_or_default());
        if let Some(last) = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty()) {
            (so, on) = last.rsplit_once('.')?;
        }
        let (told, cursor) = (so.parse::<Tally>().ok()?, on.parse().ok());
        let query = BrowseQuery::of(parameters);
        let request = query.read().ok()?;
        let reader = Reader::of(Preferences::of(headers).locale);
        let topic = Topic { name: topic.into(), id: None, partitions: Vec::new() };
        let is_over = told.found >= request.limit();
        let (search, before, notes, is_done) = (None, told, BTreeMap::new(), false);
        (!is_over).then_some(Self { reader, topic, query, request, cursor, search, told, before, notes, is_done })
    }

    /// Looks further: what changed since, as ids of elements and the HTML that is to be in them. Nothing once it is over.
    pub async fn changes(&mut self, engine: &Engine) -> Option<Vec<(String, String)>> {
        if self.is_done {
            return None;
        }
        let pieces = match self.look(engine).await {
            Ok(pieces) => pieces,
            Err(error) if is_final(&error) => {
                self.is_done = true;
                records::refused_step(&self.shown(), &error)
            }
            Err(error) => {
                self.search = None;
                tokio::time::sleep(AGAIN).await;
                records::troubled_step(&self.shown(), &error)
            }
        };
        let pieces = pieces.into_iter().map(|(id, html)| (id, html.into_string()));
        // What is written there is read out: not again what stands there.
        let is_news = |(id, html): &(String, String)| {
            ![records::NOTICE, records::NOTES].contains(&id.as_str())
                || self.notes.insert(id.clone(), html.clone()).as_ref() != Some(html)
        };
        Some(pieces.filter(is_news).collect())
    }

    /// Where it is: the id of what was just told.
    pub fn id(&self) -> String {
        match &self.cursor {
            _ if self.is_done => DONE.into(),
            Some(cursor) => format!("{}.{cursor}", self.told),
            None => format!("{}.", self.told),
        }
    }

    fn shown(&self) -> Shown<'_> {
        Shown { reader: &self.reader, topic: &self.topic, query: &self.query, faults: &[], open: None, read_only: true }
    }

    async fn look(&mut self, engine: &Engine) -> Result<Vec<Piece>, BrowseError> {
        let mut search = match self.search.take() {
            Some(search) => search,
            None => {
                let request = self.request.clone();
                let request = match &self.cursor {
                    Some(cursor) => request.from(cursor.clone()),
                    None => request,
                };
                self.before = self.told;
                engine.search(&self.topic.name, &request, false).await?
            }
        };
        let left = self.request.limit() - self.told.found;
        let records = search.next(left, EVERY).await?;
        self.cursor = Some(search.cursor());
        self.is_done = search.is_done() || self.told.found + records.len() >= self.request.limit();
        let page = search.page(records, self.is_done);
        self.search = Some(search);
        Ok(self.tell(&page))
    }

    /// What of a page was not told. It counts what was looked at since the search began, and has what was found since the last step.
    fn tell(&mut self, page: &RecordPage) -> Vec<Piece> {
        let before = Tally { found: self.told.found, ..self.before };
        self.told = before.with(page);
        if self.is_done {
            records::last_step(&self.shown(), page, before)
        } else {
            let from = records::stream(&self.topic.name, &self.query, self.cursor.as_ref(), self.told);
            records::step(&self.shown(), page, before, &from)
        }
    }
}
