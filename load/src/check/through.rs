//! Tabs behind a reverse proxy: they follow the whole group at one address, whichever instance it sends them to, and come back as the
//! page does (`client::Follow`). Whether each was told of every record, of each once.

use crate::tabs::tally::{Tally, Told};
use anyhow::ensure;
use client::{Error, Follow, Subprotocol};
use parking_lot::Mutex;
use serde::Serialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};
use wire::{Event, Filter, From, Pace, Scope, Subscribe};

/// How long all tabs together may take to connect.
const CONNECTED_WITHIN: Duration = Duration::from_secs(30);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(50);

/// What tabs follow, and where.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The proxy's address.
    pub url: String,
    pub feed: String,
    pub topic: String,
}

/// The tabs. They end when this is dropped.
pub(crate) struct Visitors {
    visitors: Vec<Arc<Mutex<Visitor>>>,
    tabs: JoinSet<Error>,
}

#[derive(Debug)]
struct Visitor {
    tally: Tally,
    is_subscribed: bool,
    connections: u64,
}

/// What all of them were told, together.
#[derive(Debug, Serialize)]
pub(crate) struct Rows {
    pub tabs: usize,
    pub delivered: u64,
    /// Not sent, and named in a gap.
    pub named_in_gaps: u64,
    pub missing: u64,
    pub repeated: u64,
    /// Connections that were lost and made again.
    pub reconnects: u64,
    /// Whether each tab was told of every record, of each once.
    pub is_complete: bool,
}

impl Visitors {
    /// Opens so many tabs, and waits until all are subscribed. What lies before `ends`, by partition, does not count.
    ///
    /// # Errors
    /// When they are not within half a minute, or a tab is refused.
    pub async fn open(place: &Place, count: u32, ends: Vec<i64>) -> anyhow::Result<Self> {
        let ends: Arc<[i64]> = ends.into();
        let mut opened = Self { visitors: Vec::new(), tabs: JoinSet::new() };
        for _ in 0..count {
            let (tally, is_subscribed, connections) = (Tally::new(Arc::clone(&ends)), false, 0);
            let visitor = Arc::new(Mutex::new(Visitor { tally, is_subscribed, connections }));
            opened.tabs.spawn(follow(place.clone(), Arc::clone(&visitor)));
            opened.visitors.push(visitor);
        }
        let began = Instant::now();
        while !opened.visitors.iter().all(|visitor| visitor.lock().is_subscribed) {
            opened.no_tab_ended()?;
            ensure!(began.elapsed() < CONNECTED_WITHIN, "not all tabs were served within {CONNECTED_WITHIN:?}");
            sleep(LOOK).await;
        }
        Ok(opened)
    }

    /// Waits until each was told of everything before `ends`, at most `patience` after the last news. What they were told.
    pub async fn told(mut self, ends: &[i64], patience: Duration) -> anyhow::Result<Rows> {
        let (mut least, mut news) = (u64::MAX, Instant::now());
        loop {
            self.no_tab_ended()?;
            let left: u64 = self.visitors.iter().map(|visitor| visitor.lock().tally.outstanding(ends)).sum();
            if left == 0 || news.elapsed() > patience {
                break;
            }
            if left < least {
                (least, news) = (left, Instant::now());
            }
            sleep(LOOK).await;
        }
        self.tabs.shutdown().await;
        let mut rows = Rows {
            tabs: self.visitors.len(),
            delivered: 0,
            named_in_gaps: 0,
            missing: 0,
            repeated: 0,
            reconnects: 0,
            is_complete: true,
        };
        for visitor in &self.visitors {
            let visitor = visitor.lock();
            let told @ Told { delivered, named, missing, repeated, miscounted: _ } = visitor.tally.told(ends);
            rows.delivered += delivered;
            rows.named_in_gaps += named;
            rows.missing += missing;
            rows.repeated += repeated;
            rows.reconnects += visitor.connections.saturating_sub(1);
            rows.is_complete &= told.is_complete(visitor.tally.due(ends));
        }
        Ok(rows)
    }

    /// A tab goes on until it is dropped, but for what another attempt would not mend.
    fn no_tab_ended(&mut self) -> anyhow::Result<()> {
        match self.tabs.try_join_next() {
            Some(ended) => Err(anyhow::Error::new(ended?).context("a tab could not go on")),
            None => Ok(()),
        }
    }
}

async fn follow(place: Place, visitor: Arc<Mutex<Visitor>>) -> Error {
    let subscribe = Subscribe {
        feed: place.feed,
        scope: Scope::Group,
        filter: Filter::default(),
        pace: Pace::Display,
        from: From::Now,
    };
    let mut feed = Follow::new(place.url, Subprotocol::Postcard, subscribe);
    loop {
        let events = match feed.next().await {
            Ok(events) => events,
            Err(error) => return error,
        };
        let mut visitor = visitor.lock();
        visitor.connections = feed.connections();
        for event in events {
            match event {
                Event::Subscribed(_) => visitor.is_subscribed = true,
                Event::Records(records) => {
                    for record in records.records.iter().filter(|record| record.topic == place.topic) {
                        visitor.tally.record(record.partition, record.offset);
                    }
                }
                Event::Gap(gap) if gap.topic == place.topic => visitor.tally.gap(&gap),
                _ => {}
            }
        }
    }
}
