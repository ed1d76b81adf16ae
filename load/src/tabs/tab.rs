//! One tab: connects, takes in what comes as its role says, and comes back with its cursor.

use super::{
    decode::{self, Record, Records, Seen},
    source::{Clock, sent_at},
    tally::Tally,
};
use client::{Client, Error, Subprotocol, connect};
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use wire::{ByeReason, Command, Cursor, Event, From, Position, Subscribe, Taken, back_off, codec};

/// How long an attempt to connect may take. Long enough for the system to try a second and a third time, when a thousand come
/// at once.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);
/// The longest latency that is told apart from longer ones, in microseconds.
const LONGEST: u64 = 120_000_000;
/// How exact latencies are: three digits.
const DIGITS: u8 = 3;

/// What a tab does with what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Reads at once.
    Reader,
    /// Reads so many bytes a second.
    Slow(u32),
    /// Never reads.
    Stalled,
}

/// What all tabs are told to do.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Orders {
    /// How often to drop the connection and come back.
    pub storm: u32,
    /// Whether slow tabs read what is left as fast as they can.
    pub hurry: bool,
}

/// What the tabs of a measurement share.
pub(crate) struct Run {
    topic: String,
    subscribe: Subscribe,
    subprotocol: Subprotocol,
    pub clock: Clock,
    /// Which records count for the latencies, by the time of their sending.
    pub window: Window,
    /// From the sending to the decoding in a tab that reads, in microseconds.
    pub latencies: Mutex<Histogram<u64>>,
    /// Records that were delivered.
    pub delivered: AtomicU64,
    /// Tabs that are subscribed, since this was last set to 0.
    pub subscribed: AtomicUsize,
    pub connections: AtomicU64,
    /// Connections that the server closed because the tab did not read.
    pub closed_stalled: AtomicU64,
    /// Why a connection ended last, or did not begin.
    pub trouble: Mutex<String>,
}

impl Run {
    pub fn new(topic: String, subscribe: Subscribe, subprotocol: Subprotocol) -> anyhow::Result<Self> {
        Ok(Self {
            topic,
            subscribe,
            subprotocol,
            clock: Clock::start(),
            window: Window::default(),
            latencies: Mutex::new(Histogram::new_with_bounds(1, LONGEST, DIGITS)?),
            delivered: AtomicU64::default(),
            subscribed: AtomicUsize::default(),
            connections: AtomicU64::default(),
            closed_stalled: AtomicU64::default(),
            trouble: Mutex::default(),
        })
    }
}

/// A time that begins and ends while records are on their way.
pub(crate) struct Window {
    from: AtomicU64,
    until: AtomicU64,
}

impl Default for Window {
    fn default() -> Self {
        Self { from: AtomicU64::new(u64::MAX), until: AtomicU64::new(u64::MAX) }
    }
}

impl Window {
    pub fn open(&self, now: u64) {
        self.from.store(now, Ordering::Relaxed);
    }

    pub fn close(&self, now: u64) {
        self.until.store(now, Ordering::Relaxed);
    }

    fn holds(&self, at: u64) -> bool {
        (self.from.load(Ordering::Relaxed)..self.until.load(Ordering::Relaxed)).contains(&at)
    }
}

pub(crate) struct Tab {
    run: Arc<Run>,
    url: String,
    role: Role,
    tally: Arc<Mutex<Tally>>,
    orders: watch::Receiver<Orders>,
    /// The storm that it has been through.
    storm: u32,
    /// Epoch and seq of what comes next, once it is subscribed.
    place: Option<(u64, u64)>,
    taken: Taken,
}

impl Tab {
    pub fn new(
        run: Arc<Run>,
        url: String,
        role: Role,
        tally: Arc<Mutex<Tally>>,
        orders: watch::Receiver<Orders>,
    ) -> Self {
        Self { run, url, role, tally, orders, storm: 0, place: None, taken: Taken::default() }
    }

    /// Follows the feed until it is dropped, or until what another attempt would not mend. `permits` say how many tabs may
    /// connect for the first time at once.
    pub async fn follow(mut self, permits: Arc<Semaphore>) -> Error {
        // A semaphore that is closed gives none, and this one is not.
        let mut permit = permits.acquire_owned().await.ok();
        let mut attempt = 0;
        loop {
            let ended = match self.open().await {
                Ok(client) => {
                    permit = None;
                    attempt = 0;
                    self.read(client).await
                }
                Err(error) => Err(error),
            };
            match ended {
                Ok(()) => {}
                Err(error) if error.is_passing() => {
                    *self.run.trouble.lock() = error.to_string();
                    if matches!(&error, Error::Closed { code, .. } if *code == ByeReason::Stalled.close_code()) {
                        self.run.closed_stalled.fetch_add(1, Ordering::Relaxed);
                    }
                    sleep(back_off(attempt, rand::random())).await;
                    attempt += 1;
                }
                Err(error) => {
                    drop(permit);
                    return error;
                }
            }
        }
    }

    async fn open(&mut self) -> Result<Client, Error> {
        self.storm = self.orders.borrow_and_update().storm;
        let subscribe = self.subscribe();
        let attempt = async {
            let mut client = connect(&self.url, self.run.subprotocol).await?;
            client.send(&Command::Subscribe(subscribe)).await?;
            Ok(client)
        };
        let late = |_| Err(Error::Closed { code: 1006, reason: "the server does not answer".into() });
        let client = timeout(CONNECT_WITHIN, attempt).await.unwrap_or_else(late)?;
        self.run.connections.fetch_add(1, Ordering::Relaxed);
        self.taken = Taken::default();
        Ok(client)
    }

    fn subscribe(&self) -> Subscribe {
        let from = match self.place {
            None => From::Now,
            Some((epoch, seq)) => {
                let tally = self.tally.lock();
                let positions = (0..).zip(tally.next()).map(|(partition, next)| Position {
                    topic: self.run.topic.clone(),
                    partition,
                    next: *next,
                });
                From::Cursor(Cursor { epoch, seq, positions: positions.collect(), topics: Vec::new() })
            }
        };
        Subscribe { from, ..self.run.subscribe.clone() }
    }

    /// Until the connection ends, or is to be dropped.
    async fn read(&mut self, mut client: Client) -> Result<(), Error> {
        if self.role == Role::Stalled {
            self.run.subscribed.fetch_add(1, Ordering::Relaxed);
            self.next_storm().await;
            return Ok(());
        }
        loop {
            let message = tokio::select! {
                biased;
                () = next_storm(&mut self.orders, self.storm) => return Ok(()),
                message = client.next_encoded() => message?,
            };
            self.take(&message)?;
            if let Some(command) = self.taken.due() {
                client.send(&command).await?;
                self.taken.told();
            }
            if let Role::Slow(bytes) = self.role {
                let pause = Duration::from_secs_f64(message.len() as f64 / f64::from(bytes));
                let storm = self.storm;
                let _ = timeout(pause, self.orders.wait_for(|orders| orders.hurry || orders.storm != storm)).await;
            }
        }
    }

    async fn next_storm(&mut self) {
        next_storm(&mut self.orders, self.storm).await;
    }

    fn take(&mut self, message: &[u8]) -> Result<(), Error> {
        match self.run.subprotocol {
            Subprotocol::Postcard => {
                let mut rest = message;
                while !rest.is_empty() {
                    let (seen, after) = decode::first(rest)?;
                    match seen {
                        Seen::Records(records) => self.take_seen(&records),
                        Seen::Other(event) => self.hear(*event),
                    }
                    rest = after;
                }
            }
            Subprotocol::Json => self.hear(codec::event_from_json(&String::from_utf8_lossy(message))?),
        }
        Ok(())
    }

    fn take_seen(&mut self, seen: &Records<'_>) {
        let Records { epoch, next, records } = seen;
        let run = Arc::clone(&self.run);
        let of = |record: &Record<'_>| (record.partition, record.offset, sent(record.value.as_ref().map(|it| it.head)));
        let ours = records.iter().filter(|record| record.topic == run.topic).map(of);
        self.take_records(*epoch, *next, ours);
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Records(records) => {
                let run = Arc::clone(&self.run);
                let of = |record: &wire::Record| {
                    (record.partition, record.offset, sent(record.value.as_ref().map(|it| &it.head[..])))
                };
                let ours = records.records.iter().filter(|record| record.topic == run.topic).map(of);
                self.take_records(records.epoch, records.next, ours);
            }
            Event::Gap(gap) if gap.topic == self.run.topic => self.tally.lock().gap(&gap),
            Event::Change(change) => self.place = Some((change.epoch, change.seq + 1)),
            Event::Subscribed(subscribed) => {
                self.place.get_or_insert((subscribed.epoch, subscribed.seq));
                self.run.subscribed.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    fn take_records(&mut self, epoch: u64, next: u64, records: impl Iterator<Item = (i32, i64, Option<u64>)>) {
        self.place = Some((epoch, next));
        self.taken.count();
        let now = self.run.clock.now();
        let mut tally = self.tally.lock();
        // A slow tab is late because it wants to be.
        let mut latencies = (self.role == Role::Reader).then(|| self.run.latencies.lock());
        let mut delivered = 0;
        for (partition, offset, sent) in records {
            if !tally.record(partition, offset) {
                continue;
            }
            delivered += 1;
            if let (Some(latencies), Some(sent)) = (&mut latencies, sent)
                && self.run.window.holds(sent)
            {
                latencies.saturating_record((now.saturating_sub(sent) / 1_000).max(1));
            }
        }
        self.run.delivered.fetch_add(delivered, Ordering::Relaxed);
    }
}

async fn next_storm(orders: &mut watch::Receiver<Orders>, storm: u32) {
    // Whoever gives the orders outlives the tabs.
    let _ = orders.wait_for(|orders| orders.storm != storm).await;
}

fn sent(value: Option<&[u8]>) -> Option<u64> {
    value.and_then(sent_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_sent_inside_the_window_counts() {
        let window = Window::default();
        assert!(!window.holds(5));
        window.open(10);
        assert!(!window.holds(9) && window.holds(10) && window.holds(99));
        window.close(50);
        assert!(window.holds(49) && !window.holds(50));
    }
}
