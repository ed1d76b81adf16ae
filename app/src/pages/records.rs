//! The records of a topic as its page shows them, and the stream by which a search, or a slow cluster's answer, comes to a page that is
//! there already. What is seen is in `markup/records.rs`.

use crate::{
    markup::records::{self, Piece, Read, Shown},
    preferences::Preferences,
    reader::Reader,
};
use axum::http::HeaderMap;
use engine::{BrowseError, BrowseFault, BrowseQuery, BrowseRequest, Engine, Search};
use leptos_router::params::ParamsMap;
use maud::Markup;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use wire::{BrowseCursor, Place, ReadError, Record, Topic};

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
    is_patient: bool,
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
            Err(error) => Read::Slow(error),
        };
        records::card(&shown, read)
    }
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
    found: usize,
    is_done: bool,
}

impl SearchPage {
    /// Of a stream's request: its address, and the id of the event that the browser had last. Nothing where the address asks for nothing
    /// that could be searched, or the search is over.
    pub fn new(topic: &str, headers: &HeaderMap, query: Option<&str>) -> Option<Self> {
        let parameters: Vec<_> = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect();
        let parameter =
            |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_ref());
        let (mut found, mut on) = (parameter("found").unwrap_or("0"), parameter("on").unwrap_or_default());
        if let Some(last) = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty()) {
            (found, on) = last.split_once('.')?;
        }
        let (found, cursor) = (found.parse().ok()?, on.parse().ok());
        let query = BrowseQuery::of(parameters);
        let request = query.read().ok()?;
        let reader = Reader::of(Preferences::of(headers).locale);
        let topic = Topic { name: topic.into(), id: None, partitions: Vec::new() };
        let is_over = found >= request.limit();
        (!is_over).then_some(Self { reader, topic, query, request, cursor, search: None, found, is_done: false })
    }

    /// Looks further: what changed since, as ids of elements and the HTML that is to be in them. Nothing once it is over.
    pub async fn changes(&mut self, engine: &Engine) -> Option<Vec<(String, String)>> {
        if self.is_done {
            return None;
        }
        let pieces = match self.look(engine).await {
            Ok(pieces) => pieces,
            Err(error) => {
                self.search = None;
                tokio::time::sleep(AGAIN).await;
                records::troubled_step(&self.shown(), &error)
            }
        };
        Some(pieces.into_iter().map(|(id, html)| (id, html.into_string())).collect())
    }

    /// Where it is: the id of what was just told.
    pub fn id(&self) -> String {
        match &self.cursor {
            _ if self.is_done => DONE.into(),
            Some(cursor) => format!("{}.{cursor}", self.found),
            None => format!("{}.", self.found),
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
                match engine.search(&self.topic.name, &request, false).await {
                    Ok(search) => search,
                    // A partition that is not there: the page says so when it is loaded again.
                    Err(BrowseError::Invalid(_)) => {
                        self.is_done = true;
                        return Ok(Vec::new());
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        let left = self.request.limit() - self.found;
        let records = search.next(left, EVERY).await?;
        let before = self.found;
        self.found += records.len();
        self.cursor = Some(search.cursor());
        self.is_done = search.is_done() || self.found >= self.request.limit();
        let pieces = if self.is_done {
            records::last_step(&self.shown(), &search.page(records, true), before)
        } else {
            self.step(&search, &records, before)
        };
        self.search = Some(search);
        Ok(pieces)
    }

    fn step(&self, search: &Search, records: &[Record], before: usize) -> Vec<Piece> {
        let (scanned, of) = search.progress();
        let from = records::stream(&self.topic.name, &self.query, self.cursor.as_ref(), self.found);
        records::step(&self.shown(), records, before, scanned, of, &from)
    }
}
