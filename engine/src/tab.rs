//! One tab's conversation with the server, whatever carries it: WebSocket messages in either codec, or server-sent events.
//!
//! A [`Tab`] takes [`Command`]s and gives [`Output`]s. It has no queue: what it gives is taken from the feed at that moment,
//! so that a slow carrier makes it fall behind (and be told what it missed), not grow.

use crate::{Announcement, Engine, Feed, state::Standing, whole::Use};
use ::feed::{Batch, POSITIONS_AT_ONCE, Session, SessionStart, Sieve};
use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use wire::{
    Behind, Bye, ByeReason, Command, Count, Cursor, Event, From, Hello, Pace, Scope, Sieved, Subscribe, Subscribed,
};

/// How often a message of records is sent at most at [`Pace::Display`]: once in a frame of a 60 Hz display.
const FRAME: Duration = Duration::from_millis(16);
/// When the first of these frames began. All tabs have the same ones: an instance that wakes up once for all of them takes a
/// fifth less processor time at 50 busy tabs than one that wakes up for each.
static FIRST_FRAME: LazyLock<Instant> = LazyLock::new(Instant::now);
/// How long this instance must own everything before a tab on the whole group is served from its own share again: until then
/// what was read ahead is consumed too.
const SETTLED: Duration = Duration::from_secs(20);

/// What a tab is to be told.
#[derive(Debug)]
pub enum Output {
    /// Records and what stands between them, still encoded.
    Batch(Batch),
    /// What every tab of the feed is told.
    Announcement(Arc<Announcement>),
    /// Anything else.
    Event(Event),
    /// The last words; the carrier closes after them.
    Bye(Bye),
}

/// Why a command is not taken: the connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason to close with.
    pub reason: ByeReason,
    /// What is wrong, for a person.
    pub why: Cow<'static, str>,
}

impl std::convert::From<ByeReason> for Refusal {
    fn from(reason: ByeReason) -> Self {
        Self { reason, why: reason.text().into() }
    }
}

/// Whether a filter's text can be read: what a subscribe with it would be answered.
///
/// # Errors
/// Where and why it can't.
pub fn check_filter(text: &str) -> Result<(), wire::QueryError> {
    Sieve::of(&wire::Filter { text: text.into(), ..wire::Filter::default() }).map(drop)
}

/// How often at most it is looked at whether a tab keeps up: once for each change of the counters, which come once a second.
const LOOKS_EVERY: Duration = Duration::from_millis(900);
/// After so many seconds without being late a tab is no longer behind.
const KEPT_UP: u8 = 3;
/// How often at most a tab is told what its filter left out.
const SIEVED_EVERY: Duration = Duration::from_millis(900);
/// How many topics' ids are told in one event: it fits a message whatever their names are.
const TOPICS_AT_ONCE: usize = 100;

/// One tab's state.
pub struct Tab {
    engine: Arc<Engine>,
    subscription: Option<Subscription>,
    stopping: watch::Receiver<bool>,
    credit: Credit,
}

/// How far a tab is that says what it has taken in: see [`Command::Taken`].
struct Credit {
    /// How many events with records it was sent.
    sent: u64,
    /// How many of them it has taken in. None: it does not say.
    taken: Option<u64>,
    /// Where in the stream each of those began that were sent and not taken in. Empty where the stream changed since.
    ahead: VecDeque<u64>,
    /// Since when it is sent nothing, and how long that may last.
    spent: Option<Instant>,
    patience: Duration,
}

struct Subscription {
    feed: Arc<Feed>,
    /// What the tab asked for.
    scope: Scope,
    session: Session,
    /// Holds the whole group's reading while the tab is served from it. None: it is served this instance's share.
    whole: Option<Use>,
    /// Since when this instance owns everything, while it does.
    owns_all: Option<Instant>,
    /// What comes before anything else.
    first: VecDeque<Event>,
    pace: Pace,
    paused: bool,
    /// When records were last taken: see [`Pace::Display`].
    last_batch: Option<Instant>,
    standing: watch::Receiver<Standing>,
    /// What the tab knows of it.
    told: [Arc<Announcement>; 4],
    /// How far the feed was when the tab was last looked after: what is older is late.
    head: u64,
    behind: Behind,
    /// See [`crate::meter::LateTabs`].
    late: Option<u64>,
    /// So many times in a row it had kept up, and when that was last looked at.
    kept_up: u8,
    looked: Instant,
    /// What the tab knows of what its filter left out, and when it was told; and what sessions before this one did.
    sieved: Sieved,
    sieved_told: Option<Instant>,
    sieved_before: Sieved,
}

impl Tab {
    /// A tab that is not subscribed to anything yet. It counts as connected until it is dropped.
    /// One that says what it takes in is given up when it takes in nothing for `patience`.
    pub fn new(engine: Arc<Engine>, patience: Duration) -> Self {
        let stopping = engine.stopping();
        engine.tab_connected();
        let credit = Credit { sent: 0, taken: None, ahead: VecDeque::new(), spent: None, patience };
        Self { engine, subscription: None, stopping, credit }
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
    pub async fn command(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Subscribe(subscribe) => self.subscribe(subscribe).await,
            Command::Pause => self.pause(true),
            Command::Resume => self.pause(false),
            Command::Ping(number) => Ok(vec![Event::Pong(number)]),
            Command::Taken(records) => self.credit.take(records),
        }
    }

    async fn subscribe(&mut self, subscribe: Subscribe) -> Result<Vec<Event>, Refusal> {
        let Subscribe { feed, scope, filter, pace, from } = subscribe;
        let feed = self.engine.feed(&feed).ok_or(ByeReason::UnknownFeed)?;
        if !filter.is_legal() {
            return Err(ByeReason::BadSubscription.into());
        }
        let sieve = Sieve::of(&filter).map_err(|error| Refusal {
            reason: ByeReason::BadSubscription,
            why: format!("filter.text, {error}").into(),
        })?;
        let _held = from_now_on(&feed, scope, &from).await;
        let (whole, session, start) = open(&feed, scope, sieve, from);
        let mut standing = feed.watch();
        let mut events = begin(&feed, whole.is_some(), &start);
        (self.credit.ahead, self.credit.spent) = (VecDeque::new(), None);
        // What it was told stands until it is told otherwise.
        let before = self.subscription.as_ref().map(|before| (before.behind, before.kept_up));
        let (behind, kept_up) = before.unwrap_or_default();
        let told = {
            let now = standing.borrow_and_update();
            events.push(Event::Assignment(now.assignment.value.clone()));
            events.push(Event::Kafka(now.kafka.value.clone()));
            events.push(Event::Stats(now.stats.value.clone()));
            events.push(Event::Members(now.members.value.clone()));
            now.announcements().map(Arc::clone)
        };
        self.subscription = Some(Subscription {
            owns_all: feed.owns_all().then(Instant::now),
            feed,
            scope,
            session,
            whole,
            first: VecDeque::new(),
            pace,
            paused: false,
            last_batch: None,
            standing,
            told,
            head: 0,
            behind,
            late: None,
            kept_up,
            looked: Instant::now(),
            sieved: Sieved::default(),
            sieved_told: None,
            sieved_before: Sieved::default(),
        });
        Ok(events)
    }

    fn pause(&mut self, paused: bool) -> Result<Vec<Event>, Refusal> {
        let subscription = self.subscription.as_mut().ok_or(ByeReason::WrongState)?;
        subscription.paused = paused;
        self.credit.spent = None;
        Ok(Vec::new())
    }

    /// Where the tab is, once it is subscribed.
    pub fn cursor(&self) -> Option<Cursor> {
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
        loop {
            if let Some(output) = subscription.news(&mut self.credit) {
                return output;
            }
            let paused = subscription.paused;
            let Subscription { session, standing, last_batch, pace, .. } = &mut *subscription;
            tokio::select! {
                biased;
                () = stopped(&mut self.stopping) => {
                    return Output::Bye(Bye { reason: ByeReason::Stopping, cursor: Some(session.cursor()) });
                }
                Ok(()) = standing.changed() => standing.mark_changed(),
                batch = records(session, &mut self.credit, last_batch, *pace), if !paused => {
                    let Some((from, batch)) = batch else {
                        return Output::Bye(Bye { reason: ByeReason::Stalled, cursor: Some(session.cursor()) });
                    };
                    self.credit.send(from, batch.records_events());
                    subscription.feed.count_gap(batch.gap_count());
                    return Output::Batch(batch);
                }
            }
        }
    }
}

impl Credit {
    fn take(&mut self, records: u64) -> Result<Vec<Event>, Refusal> {
        if records > self.sent {
            let why = format!("taken: {records} events with records, and only {} were sent", self.sent);
            return Err(Refusal { reason: ByeReason::BadMessage, why: why.into() });
        }
        let before = self.taken.unwrap_or(0);
        if records < before {
            let why = format!("taken: {records} events with records, after {before}");
            return Err(Refusal { reason: ByeReason::BadMessage, why: why.into() });
        }
        if records > before || !self.is_spent() {
            // One that goes on, however slowly, is waited for.
            self.spent = None;
        }
        self.taken = Some(records);
        let left = usize::try_from(self.sent - records).unwrap_or(usize::MAX);
        self.ahead.drain(..self.ahead.len().saturating_sub(left));
        if self.ahead.is_empty() {
            self.ahead = VecDeque::new();
        }
        Ok(Vec::new())
    }

    /// So many events with records are sent, of what lies after `from`.
    fn send(&mut self, from: u64, events: u64) {
        self.sent += events;
        if self.taken.is_some() {
            self.ahead.extend((0..events).map(|_| from));
        }
    }

    /// Where in the stream the tab is, as far as it said: none where it may have taken in everything.
    fn place(&self) -> Option<u64> {
        self.ahead.front().copied().filter(|_| self.ahead.len() as u64 > wire::TAKEN_AT_ONCE)
    }

    fn is_spent(&self) -> bool {
        self.taken.is_some_and(|taken| self.sent - taken >= wire::UNTAKEN_RECORDS)
    }
}

impl Subscription {
    /// What the tab is told before records, if there is anything.
    fn news(&mut self, credit: &mut Credit) -> Option<Output> {
        // The last one brings what follows from all of them.
        if let Some(announcement) = self.announcement(credit) {
            return Some(Output::Announcement(announcement));
        }
        if let Some(event) = self.first.pop_front() {
            return Some(Output::Event(event));
        }
        // An empty queue keeps its memory, half a kilobyte.
        self.first = VecDeque::new();
        self.sieved().map(Output::Event)
    }

    /// What is new of how things stand.
    fn announcement(&mut self, credit: &mut Credit) -> Option<Arc<Announcement>> {
        // The sender lives in the feed, which this subscription holds.
        if !self.standing.has_changed().unwrap_or(false) {
            return None;
        }
        let new = {
            let now = self.standing.borrow_and_update();
            let mut all = now.announcements().into_iter().zip(&mut self.told);
            all.find(|(now, told)| !Arc::ptr_eq(now, told)).map(|(now, told)| {
                *told = Arc::clone(now);
                Arc::clone(now)
            })
        };
        if new.is_some() {
            // There may be more.
            self.standing.mark_changed();
            return new;
        }
        // Once a second at least, for then the counters change.
        if self.reconsider() {
            credit.ahead = VecDeque::new();
        }
        if self.looked.elapsed() >= LOOKS_EVERY {
            self.looked = Instant::now();
            self.look_after(credit.place());
        }
        None
    }

    /// Sees whether the tab, at `place`, keeps up: whether it has what was there the last time.
    fn look_after(&mut self, place: Option<u64>) {
        let place = place.unwrap_or(self.session.seq());
        let is_late = !self.paused && place < self.head;
        self.head = self.session.head();
        self.kept_up = if is_late { 0 } else { self.kept_up.saturating_add(1) };
        let behind = match self.kept_up {
            0 => self.session.behind(place, crate::now()),
            // One that is late again in a moment: what it was told stands.
            1..KEPT_UP => self.behind,
            _ => Behind::default(),
        };
        if behind != self.behind {
            self.feed.state.late.note(&mut self.late, behind, crate::now());
            self.behind = behind;
            self.first.push_back(Event::Behind(behind));
        }
    }

    /// What the filter left out, where that is news and the last time was long enough ago. Asked for whenever something else
    /// was told, which is once a second at least.
    fn sieved(&mut self) -> Option<Event> {
        if self.session.sieve().is_empty() || self.sieved_told.is_some_and(|told| told.elapsed() < SIEVED_EVERY) {
            return None;
        }
        let now = self.sieved_before.with(&self.session.sieved());
        if now == self.sieved {
            return None;
        }
        self.sieved = now;
        self.sieved_told = Some(Instant::now());
        Some(Event::Sieved(now))
    }

    /// Serves the tab from where its scope is to be had now: while this instance owns everything its own share is the whole
    /// group's. Called whenever the assignment changes, and once a second. Whether it is another stream now.
    fn reconsider(&mut self) -> bool {
        if self.scope == Scope::Instance {
            return false;
        }
        let owns_all = self.feed.owns_all();
        self.owns_all = if owns_all { self.owns_all.or(Some(Instant::now())) } else { None };
        let is_settled = self.owns_all.is_some_and(|since| since.elapsed() >= SETTLED);
        let must_move = if self.whole.is_some() { is_settled } else { !owns_all };
        if must_move {
            let cursor = self.session.cursor();
            // No hub has this epoch: another hub's seqs say nothing here, the offsets do.
            let from = From::Cursor(Cursor { epoch: 0, ..cursor });
            self.sieved_before = self.sieved_before.with(&self.session.sieved());
            let (whole, session, start) = open(&self.feed, self.scope, Arc::clone(self.session.sieve()), from);
            self.first.extend(begin(&self.feed, whole.is_some(), &start));
            (self.whole, self.session, self.head) = (whole, session, 0);
        }
        must_move
    }
}

/// Opens the whole group for who has seen nothing of it, until what was read to begin with is there: that is not what comes from now on.
async fn from_now_on(feed: &Feed, scope: Scope, from: &From) -> Option<Use> {
    let is_new = matches!(from, From::Now | From::Newest(_)) && scope == Scope::Group && !feed.owns_all();
    let (_, mut whole) = is_new.then(|| feed.whole().ok()).flatten()?;
    whole.caught_up().await;
    Some(whole)
}

/// A session on this instance's share, or on the whole group.
fn open(feed: &Feed, scope: Scope, sieve: Arc<Sieve>, from: From) -> (Option<Use>, Session, SessionStart) {
    if scope == Scope::Group && !feed.owns_all() {
        match feed.whole() {
            Ok((hub, whole)) => {
                let (session, start) = Session::new(&hub, sieve, from);
                return (Some(whole), session, start);
            }
            Err(error) => tracing::error!(feed = feed.name(), %error, "the whole group can't be read"),
        }
    }
    let (mut session, mut start) = Session::new(feed.hub(), sieve, from);
    if !start.resumed {
        let owner =
            |topic: &str, partition| feed.journal.peers(|peers| peers.elsewhere(feed.group(), topic, partition));
        start.gaps.extend(session.elsewhere(owner));
    }
    (None, session, start)
}

/// The events that a session begins with: on the whole group, or on this instance's share.
fn begin(feed: &Feed, is_whole: bool, start: &SessionStart) -> Vec<Event> {
    let scope = if is_whole { Scope::Group } else { Scope::Instance };
    let mut events = vec![Event::Subscribed(Subscribed {
        feed: feed.name().into(),
        group: feed.group().into(),
        scope,
        epoch: start.epoch,
        seq: start.seq,
        resumed: start.resumed,
    })];
    events.extend(start.topics.chunks(TOPICS_AT_ONCE).map(|topics| Event::Topics(topics.to_vec())));
    events.extend(start.positions.chunks(POSITIONS_AT_ONCE).map(|positions| Event::Positions(positions.to_vec())));
    for gap in &start.gaps {
        let (Count::Exact(records) | Count::UpTo(records)) = gap.count;
        feed.count_gap(records);
        events.push(Event::Gap(gap.clone()));
    }
    events
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.feed.state.late.forget(&mut self.late);
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        self.engine.tab_disconnected();
    }
}

/// Whatever lies after the session's cursor, and where it begins, as soon as there is something and the pace allows. None when the tab takes in nothing
/// any more.
async fn records(
    session: &mut Session,
    credit: &mut Credit,
    last_batch: &mut Option<Instant>,
    pace: Pace,
) -> Option<(u64, Batch)> {
    loop {
        // First this, then what is there: while the feed is busy the tab is woken up once a message.
        if let (Pace::Display, Some(last)) = (pace, *last_batch) {
            sleep_until(frame_after(last)).await;
        }
        session.ready().await;
        if credit.is_spent() {
            let since = *credit.spent.get_or_insert_with(Instant::now);
            sleep_until(since + credit.patience).await;
            return None;
        }
        let from = session.seq();
        let batch = session.take(wire::MAX_EVENT_MESSAGE);
        if !batch.is_empty() {
            *last_batch = Some(Instant::now());
            return Some((from, batch));
        }
        // A filter that left out all of it may have much to go through: the others' turn.
        tokio::task::yield_now().await;
    }
}

/// When the frame after the one of `last` begins.
fn frame_after(last: Instant) -> Instant {
    let since = last.saturating_duration_since(*FIRST_FRAME).as_micros();
    let frames = u32::try_from(since / FRAME.as_micros()).unwrap_or(u32::MAX - 1);
    *FIRST_FRAME + FRAME * (frames + 1)
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // The sender lives in the engine, which the tab holds: an error cannot come before the stop.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tabs_have_the_same_frames() {
        let begin = *FIRST_FRAME + FRAME * 10;
        let milliseconds = |of: u64| Duration::from_millis(of);
        assert_eq!(frame_after(begin), begin + FRAME, "what was sent as a frame began is all that it is sent");
        assert_eq!(frame_after(begin + milliseconds(15)), begin + FRAME);
        assert_eq!(frame_after(begin + milliseconds(16)), begin + FRAME * 2);
    }
}
