//! One tab's conversation with the server, whatever carries it: WebSocket messages in either codec, or server-sent events.
//!
//! A [`Tab`] takes [`Command`]s and gives [`Output`]s. It has no queue: what it gives is taken from the feed at that moment,
//! so that a slow carrier makes it fall behind (and be told what it missed), not grow.

use crate::{Engine, Feed};
use ::feed::{Batch, Session};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use wire::{Assignment, Bye, ByeReason, Command, Event, Hello, KafkaState, Pace, Scope, Stats, Subscribe, Subscribed};

/// The least time between two messages of records at [`Pace::Display`]: a frame of a 60 Hz display.
const FRAME: Duration = Duration::from_millis(16);

/// What a tab is to be told.
#[derive(Debug)]
pub enum Output {
    /// Records and what stands between them, still encoded.
    Batch(Batch),
    /// Anything else.
    Event(Event),
    /// The last words; the carrier closes after them.
    Bye(Bye),
}

/// One tab's state.
pub struct Tab {
    engine: Arc<Engine>,
    subscription: Option<Subscription>,
    stopping: watch::Receiver<bool>,
}

struct Subscription {
    feed: Arc<Feed>,
    session: Session,
    pace: Pace,
    paused: bool,
    /// When records were last taken: see [`Pace::Display`].
    last_batch: Option<Instant>,
    assignment: watch::Receiver<Assignment>,
    kafka: watch::Receiver<KafkaState>,
    stats: watch::Receiver<Stats>,
}

impl Tab {
    /// A tab that is not subscribed to anything yet. It counts as connected until it is dropped.
    pub fn new(engine: Arc<Engine>) -> Self {
        let stopping = engine.stopping();
        engine.tab_connected();
        Self { engine, subscription: None, stopping }
    }

    /// The first event.
    pub fn hello(&self) -> Event {
        Event::Hello(Hello {
            instance: self.engine.instance().into(),
            incarnation: self.engine.incarnation(),
            build: self.engine.build().into(),
            feeds: self.engine.feeds().map(|feed| feed.name().into()).collect(),
            now: crate::now(),
        })
    }

    /// Does what the tab asks.
    ///
    /// # Errors
    /// The reason to close with, when the command does not fit.
    pub fn command(&mut self, command: Command) -> Result<Vec<Event>, ByeReason> {
        match command {
            Command::Subscribe(subscribe) => self.subscribe(subscribe),
            Command::Pause => self.pause(true),
            Command::Resume => self.pause(false),
            Command::Ping(number) => Ok(vec![Event::Pong(number)]),
        }
    }

    fn subscribe(&mut self, subscribe: Subscribe) -> Result<Vec<Event>, ByeReason> {
        let Subscribe { feed, scope, filter, pace, from } = subscribe;
        let feed = Arc::clone(self.engine.feed(&feed).ok_or(ByeReason::UnknownFeed)?);
        if scope != Scope::Instance || !filter.is_legal() {
            return Err(ByeReason::BadSubscription);
        }
        let (session, start) = Session::new(feed.hub(), filter, from);
        let (mut assignment, mut kafka, mut stats) = feed.watch();
        let mut events = vec![Event::Subscribed(Subscribed {
            feed: feed.name().into(),
            group: feed.group().into(),
            scope,
            epoch: start.epoch,
            seq: start.seq,
            resumed: start.resumed,
        })];
        events.extend(start.gaps.into_iter().map(Event::Gap));
        events.push(Event::Assignment(assignment.borrow_and_update().clone()));
        events.push(Event::Kafka(kafka.borrow_and_update().clone()));
        events.push(Event::Stats(stats.borrow_and_update().clone()));
        self.subscription =
            Some(Subscription { feed, session, pace, paused: false, last_batch: None, assignment, kafka, stats });
        Ok(events)
    }

    fn pause(&mut self, paused: bool) -> Result<Vec<Event>, ByeReason> {
        let subscription = self.subscription.as_mut().ok_or(ByeReason::WrongState)?;
        subscription.paused = paused;
        Ok(Vec::new())
    }

    /// Where the tab is, once it is subscribed.
    pub fn cursor(&self) -> Option<wire::Cursor> {
        self.subscription.as_ref().map(|subscription| subscription.session.cursor())
    }

    /// The feed that the tab follows.
    pub fn feed(&self) -> Option<&Arc<Feed>> {
        self.subscription.as_ref().map(|subscription| &subscription.feed)
    }

    /// Waits for the next thing to tell. Can be dropped and called again at any time without losing anything.
    pub async fn next(&mut self) -> Output {
        let Some(subscription) = &mut self.subscription else {
            stopped(&mut self.stopping).await;
            return Output::Bye(Bye { reason: ByeReason::Stopping, cursor: None });
        };
        // In this order: last words first; then the rare events, which a busy feed must not hold back.
        tokio::select! {
            biased;
            () = stopped(&mut self.stopping) => {
                Output::Bye(Bye { reason: ByeReason::Stopping, cursor: Some(subscription.session.cursor()) })
            }
            Ok(()) = subscription.assignment.changed() => {
                Output::Event(Event::Assignment(subscription.assignment.borrow_and_update().clone()))
            }
            Ok(()) = subscription.kafka.changed() => {
                Output::Event(Event::Kafka(subscription.kafka.borrow_and_update().clone()))
            }
            Ok(()) = subscription.stats.changed() => {
                Output::Event(Event::Stats(subscription.stats.borrow_and_update().clone()))
            }
            batch = records(&mut subscription.session, &mut subscription.last_batch, subscription.pace), if !subscription.paused => {
                Output::Batch(batch)
            }
        }
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        self.engine.tab_disconnected();
    }
}

/// Whatever lies after the session's cursor, as soon as there is something and the pace allows.
async fn records(session: &mut Session, last_batch: &mut Option<Instant>, pace: Pace) -> Batch {
    loop {
        session.ready().await;
        if let (Pace::Display, Some(last)) = (pace, *last_batch) {
            sleep_until(last + FRAME).await;
        }
        let batch = session.take(wire::MAX_EVENT_MESSAGE);
        if !batch.is_empty() {
            *last_batch = Some(Instant::now());
            return batch;
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // The sender lives in the engine, which the tab holds: an error cannot come before the stop.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
