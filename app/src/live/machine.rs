//! The connection's life: open, greet, follow, lose, wait, come back. Pure: what happens goes in, what to do comes out, and
//! time and chance are given.

use super::window::Resumed;
use std::time::Duration;
use wire::{
    Behind, Command, Count, Cursor, Event, Filter, From, LONGEST_DELAY, Pace, Resume, Scope, Subscribe, Taken, back_off,
};

/// From opening the socket to the subscription.
const OPEN_WITHIN: Duration = Duration::from_secs(5);
/// Between two pings.
const PING_EVERY: Duration = Duration::from_secs(5);
/// A server that says nothing for so long after a ping is gone.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// The same, when there is a reason to doubt: the tab was asleep, or the network changed.
const DOUBTFUL_AFTER: Duration = Duration::from_secs(2);
/// How many of the newest rows another scope begins with.
const NEWEST: u32 = 100;
/// How many of the newest records a tab that comes back asks for, and among how many the server looks for those that only it can
/// judge: as many as its window holds.
const MOST: u32 = 10_000;
/// A tab that is so late, and grows later, goes on from the newest: what it leaves out is named, and can be loaded.
const TOO_LATE_MS: u64 = 5_000;
/// From how many of the newest records it goes on then.
const MOST_WHEN_LATE: u32 = 1_000;
/// A connection that held so long was a good one: the next attempt comes as soon as the first.
const GOOD_AFTER: Duration = Duration::from_secs(5);

/// How the tab and its server stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// The first attempt.
    Connecting,
    /// What the group's member consumes here arrives.
    Live {
        /// The last round trip, in milliseconds.
        latency_ms: Option<u32>,
    },
    /// It arrives late: more comes than this tab or its network takes in.
    Behind(Behind),
    /// Lost. The rows stay, and the feed will resume behind them.
    Reconnecting {
        /// Until the next attempt; 0 while it is made.
        in_seconds: u32,
    },
    /// Lost, and the browser says that there is no network.
    Offline,
    /// There is no such feed any more. The rows stay, and nothing is tried.
    Ended,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Input {
    /// The page is there: connect, and go on after `cursor`.
    Start {
        /// The feed to follow.
        feed: String,
        /// What the page shows already is everything before.
        cursor: Cursor,
        /// Who rendered it.
        instance: String,
        /// Whose consumption to follow.
        scope: Scope,
    },
    /// Follow this one's consumption instead, from the newest rows on.
    Scope(Scope),
    /// Have the server send only this. The rows that it leaves out are behind the tab when the filter ends: then the stream goes
    /// on from where the first filter began.
    Filter {
        /// What to send; everything, where it is empty.
        filter: Filter,
        /// Begin with what the server holds, for the tab can't judge what it has itself.
        anew: bool,
    },
    /// What came before is not missed any more.
    Forget,
    /// The socket is open.
    Opened,
    /// The server said something.
    Event(Event),
    /// The server said something that cannot be read.
    Malformed,
    /// The socket is closed.
    Closed {
        /// The close code (RFC 6455, section 7.4).
        code: u16,
    },
    /// Time went on.
    Tick,
    /// The browser has a network again.
    Online,
    /// The browser has none.
    Offline,
    /// The tab is not looked at any more.
    Hidden,
    /// The tab is looked at again.
    Visible,
    /// Someone does not want to wait.
    RetryNow,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Open a socket.
    Connect,
    /// Send this on it.
    Send(Command),
    /// Close it, and hear no more of it.
    Close,
    /// Something that the tab has not had yet.
    Take(Event),
    /// The feed goes on after a lost connection. What was missed was told before.
    Resumed(Resumed),
}

#[derive(Debug)]
enum State {
    Idle,
    /// Between two attempts.
    Waiting {
        until: Duration,
    },
    /// From the attempt to the subscription.
    Opening {
        until: Duration,
    },
    Live(Live),
    /// For good.
    Ended,
}

#[derive(Debug)]
struct Live {
    since: Duration,
    heard: Duration,
    next_ping: Duration,
    asked: Option<Asked>,
}

/// A ping that is not answered.
#[derive(Debug)]
struct Asked {
    number: u64,
    at: Duration,
    patience: Duration,
}

/// The connection's state machine.
#[derive(Debug)]
pub(crate) struct Machine {
    state: State,
    feed: String,
    scope: Scope,
    /// Where the next subscribe begins, where it does not go on.
    anew: Option<From>,
    resume: Resume,
    filter: Filter,
    /// Only the server can judge by the filter.
    is_judged_anew: bool,
    /// `anew` and `resume` as they were when the first filter began.
    unfiltered: Option<(Option<From>, Resume)>,
    /// How many subscribes are not answered yet: what comes is still of one before.
    unanswered: u32,
    instance: String,
    online: bool,
    /// Failed attempts in a row.
    attempt: u32,
    pings: u64,
    latency_ms: Option<u32>,
    /// What came on this connection.
    taken: Taken,
    behind: Behind,
    /// When the connection was lost, and who had served it.
    lost: Option<(Duration, String)>,
    /// While the answer to a subscribe comes in: how many records its gaps name.
    missed: Option<u64>,
    /// Since when nobody looks, and whether the server was asked for counters only since.
    hidden: Option<Duration>,
    asleep: bool,
}

/// A tab that nobody looks at for so long asks for counters only.
const ASLEEP_AFTER: Duration = Duration::from_secs(10);

/// The server cannot want this tab again soon: close codes of [`wire::ByeReason`] that a second attempt does not mend.
const HOPELESS: std::ops::Range<u16> = 4400..4500;
/// The one of them that it does: the tab did not read for too long.
const STALLED: u16 = 4408;
/// The one after which there is nothing to try: the feed is not there any more.
const UNKNOWN_FEED: u16 = 4404;

impl Machine {
    /// Not started yet.
    pub(crate) fn new() -> Self {
        Self {
            state: State::Idle,
            feed: String::new(),
            scope: Scope::Instance,
            anew: None,
            resume: Resume::default(),
            filter: Filter::default(),
            is_judged_anew: false,
            unfiltered: None,
            unanswered: 0,
            instance: String::new(),
            online: true,
            attempt: 0,
            pings: 0,
            latency_ms: None,
            taken: Taken::default(),
            behind: Behind::default(),
            lost: None,
            missed: None,
            hidden: None,
            asleep: false,
        }
    }

    /// How the tab and its server stand.
    pub(crate) fn connection(&self, now: Duration) -> Connection {
        match &self.state {
            State::Live(_) if self.behind.records > 0 => Connection::Behind(self.behind),
            State::Live(_) => Connection::Live { latency_ms: self.latency_ms },
            State::Waiting { .. } if !self.online => Connection::Offline,
            State::Waiting { until } => {
                let left = until.saturating_sub(now).as_millis().div_ceil(1000);
                Connection::Reconnecting { in_seconds: u32::try_from(left).unwrap_or(u32::MAX) }
            }
            State::Opening { .. } if self.lost.is_some() || self.attempt > 0 => {
                if self.online {
                    Connection::Reconnecting { in_seconds: 0 }
                } else {
                    Connection::Offline
                }
            }
            State::Ended => Connection::Ended,
            State::Idle | State::Opening { .. } => Connection::Connecting,
        }
    }

    /// When the next [`Input::Tick`] is due.
    pub(crate) fn wake_at(&self, now: Duration) -> Option<Duration> {
        match &self.state {
            State::Idle | State::Ended => None,
            State::Opening { until } => Some(*until),
            State::Waiting { until } => {
                // Once for each second of the count-down, at the moment when its number changes.
                let left = until.saturating_sub(now);
                let whole = Duration::from_secs(left.as_secs());
                Some(if whole == left { now + left.min(Duration::from_secs(1)) } else { now + (left - whole) })
            }
            State::Live(live) => {
                let at = live.asked.as_ref().map_or(live.next_ping, |asked| live.dead_at(asked));
                Some(self.sleeps_at().map_or(at, |asleep| asleep.min(at)))
            }
        }
    }

    /// Takes in what happened. `random` is uniform in `0.0..1.0`.
    pub(crate) fn step(&mut self, now: Duration, random: f64, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Start { feed, cursor, instance, scope } if matches!(self.state, State::Idle) => {
                (self.feed, self.scope) = (feed, scope);
                self.go_on_from((None, Resume::new(&cursor)), &mut out);
                self.instance = instance;
                self.connect(now, &mut out);
            }
            Input::Start { .. } => {}
            Input::Scope(scope) => {
                self.scope = scope;
                self.go_on_from((Some(From::Newest(NEWEST)), Resume::default()), &mut out);
            }
            Input::Filter { filter, anew } => {
                let from = self.unfiltered.take();
                let from = from.unwrap_or_else(|| (self.anew.take(), std::mem::take(&mut self.resume)));
                (self.filter, self.is_judged_anew) = (filter, anew);
                self.go_on_from(from, &mut out);
            }
            Input::Forget => {
                if let Some(unfiltered) = &mut self.unfiltered {
                    *unfiltered = (self.anew.clone(), Resume::new(&self.resume.cursor()));
                }
            }
            Input::Opened => self.opened(&mut out),
            Input::Event(event) => self.event(now, random, event, &mut out),
            Input::Malformed => {
                out.push(Output::Close);
                self.closed(now, random, HOPELESS.start);
            }
            Input::Closed { code } => self.closed(now, random, code),
            Input::Tick => self.tick(now, random, &mut out),
            Input::Online => {
                self.online = true;
                self.hurry(now, &mut out);
            }
            Input::Hidden => self.hidden = Some(now),
            Input::Visible => {
                self.hidden = None;
                // One that is not answered yet was followed by a pause.
                if std::mem::take(&mut self.asleep) && self.has_asked() {
                    self.subscribe(MOST, &mut out);
                }
                self.hurry(now, &mut out);
            }
            Input::RetryNow => self.hurry(now, &mut out),
            Input::Offline => {
                self.online = false;
                // It may be wrong: a server on this very machine needs no network.
                self.doubt(now, &mut out);
            }
        }
        out
    }

    fn connect(&mut self, now: Duration, out: &mut Vec<Output>) {
        self.state = State::Opening { until: now + OPEN_WITHIN };
        (self.taken, self.behind) = (Taken::default(), Behind::default());
        out.push(Output::Connect);
    }

    fn opened(&mut self, out: &mut Vec<Output>) {
        if matches!(self.state, State::Opening { .. }) {
            // Without waiting for the hello: it comes first in any case, and this spares a round trip.
            self.subscribe(MOST, out);
            if self.asleep {
                out.push(Output::Send(Command::Pause));
            }
        }
    }

    /// When the tab falls asleep: none where it is looked at, or sleeps.
    fn sleeps_at(&self) -> Option<Duration> {
        self.hidden.filter(|_| !self.asleep).map(|since| since + ASLEEP_AFTER)
    }

    /// Subscribes anew, from there or from what the filter needs.
    fn go_on_from(&mut self, from: (Option<From>, Resume), out: &mut Vec<Output>) {
        if self.filter.is_empty() {
            (self.anew, self.resume) = from;
        } else {
            (self.anew, self.resume) = match self.is_judged_anew {
                true => (Some(From::Newest(MOST)), Resume::default()),
                false => (from.0.clone(), Resume::new(&from.1.cursor())),
            };
            self.unfiltered = Some(from);
        }
        if self.has_asked() {
            self.subscribe(MOST, out);
        }
    }

    /// Whether a subscribe was sent on this connection.
    fn has_asked(&self) -> bool {
        matches!(self.state, State::Live(_)) || self.unanswered > 0
    }

    fn subscribe(&mut self, most: u32, out: &mut Vec<Output>) {
        self.unanswered += 1;
        out.push(Output::Send(Command::Subscribe(Subscribe {
            feed: self.feed.clone(),
            scope: self.scope,
            filter: self.filter.clone(),
            pace: Pace::Display,
            from: self.anew.clone().unwrap_or_else(|| From::Recent { cursor: self.resume.cursor(), most }),
        })));
    }

    fn event(&mut self, now: Duration, random: f64, event: Event, out: &mut Vec<Output>) {
        if let State::Live(live) = &mut self.state {
            live.heard = now;
        }
        if let Event::Records(_) = event {
            // Whatever becomes of them here: what counts is that they have been read.
            self.taken.count();
            if let Some(command) = self.taken.due() {
                out.push(Output::Send(command));
                self.taken.told();
            }
        }
        let is_of_the_stream = matches!(
            event,
            Event::Records(_)
                | Event::Gap(_)
                | Event::Change(_)
                | Event::Flag(_)
                | Event::Consumed(_)
                | Event::Topics(_)
                | Event::Sieved(_)
        );
        if self.unanswered > 0 && is_of_the_stream {
            return;
        }
        let Some(event) = self.resume.accept(event) else { return };
        match &event {
            Event::Hello(hello) => self.instance.clone_from(&hello.instance),
            Event::Subscribed(_) => self.subscribed(now, out),
            Event::Gap(gap) => {
                let (Count::Exact(count) | Count::UpTo(count)) = gap.count;
                self.missed = self.missed.map(|missed| missed.saturating_add(count));
            }
            Event::Pong(number) => self.pong(now, *number),
            Event::Behind(behind) => {
                let before = std::mem::replace(&mut self.behind, *behind);
                let grows = before.records > 0 && behind.records >= before.records;
                let is_worth_it = behind.millis >= TOO_LATE_MS && behind.records > u64::from(MOST_WHEN_LATE);
                if grows && is_worth_it && self.unanswered == 0 && !self.asleep {
                    self.subscribe(MOST_WHEN_LATE, out);
                }
            }
            // None of these begins to follow; every other event does, and what the subscribe's answer named was before it.
            Event::Topics(_) | Event::Positions(_) | Event::Assignment(_) | Event::Kafka(_) => {}
            Event::Records(_) | Event::Change(_) => {
                // From here on there is a cursor.
                self.anew = None;
                self.caught_up(now, out);
            }
            Event::Stats(_) | Event::Flag(_) | Event::Consumed(_) | Event::Members(_) | Event::Sieved(_) => {
                self.caught_up(now, out);
            }
            Event::Bye(bye) => {
                let code = bye.reason.close_code();
                out.push(Output::Close);
                self.closed(now, random, code);
            }
        }
        out.push(Output::Take(event));
    }

    fn subscribed(&mut self, now: Duration, out: &mut Vec<Output>) {
        // One comes unasked, too, when the server changes its hub.
        self.unanswered = self.unanswered.saturating_sub(1);
        if matches!(self.state, State::Opening { .. }) {
            self.missed = Some(0);
            self.state = State::Live(Live { since: now, heard: now, next_ping: now, asked: None });
            self.ping(now, DEAD_AFTER, out);
        }
    }

    /// The subscribe's answer is in: says so, if this was not the first connection.
    fn caught_up(&mut self, now: Duration, out: &mut Vec<Output>) {
        let Some(missed) = self.missed.take() else { return };
        let Some((at, before)) = self.lost.take() else { return };
        out.push(Output::Resumed(Resumed {
            changed: before != self.instance,
            instance: self.instance.clone(),
            missed,
            after: now.saturating_sub(at),
        }));
    }

    fn ping(&mut self, now: Duration, patience: Duration, out: &mut Vec<Output>) {
        let State::Live(live) = &mut self.state else { return };
        self.pings += 1;
        live.asked = Some(Asked { number: self.pings, at: now, patience });
        live.next_ping = now + PING_EVERY;
        out.push(Output::Send(Command::Ping(self.pings)));
    }

    fn pong(&mut self, now: Duration, number: u64) {
        let State::Live(live) = &mut self.state else { return };
        if let Some(asked) = live.asked.take_if(|asked| asked.number == number) {
            self.latency_ms = u32::try_from(now.saturating_sub(asked.at).as_millis()).ok();
        }
    }

    fn tick(&mut self, now: Duration, random: f64, out: &mut Vec<Output>) {
        if matches!(self.state, State::Live(_)) && self.sleeps_at().is_some_and(|at| at <= now) {
            self.asleep = true;
            out.push(Output::Send(Command::Pause));
        }
        match &self.state {
            State::Waiting { until } if *until <= now => self.connect(now, out),
            State::Opening { until } if *until <= now => self.give_up(now, random, out),
            State::Live(live) => match &live.asked {
                Some(asked) if live.dead_at(asked) <= now => self.give_up(now, random, out),
                None if live.next_ping <= now => self.ping(now, DEAD_AFTER, out),
                _ => {}
            },
            _ => {}
        }
    }

    fn give_up(&mut self, now: Duration, random: f64, out: &mut Vec<Output>) {
        out.push(Output::Close);
        // 1006: "closed abnormally" (RFC 6455, section 7.4.1), what a browser says when the other side is gone.
        self.closed(now, random, 1006);
    }

    fn closed(&mut self, now: Duration, random: f64, code: u16) {
        match &self.state {
            State::Idle | State::Waiting { .. } | State::Ended => return,
            State::Live(live) => {
                self.attempt = if now >= live.since + GOOD_AFTER { 0 } else { self.attempt + 1 };
                // A connection that broke before it caught up was not one: the loss began earlier.
                self.lost.get_or_insert_with(|| (now, self.instance.clone()));
            }
            State::Opening { .. } => self.attempt += 1,
        }
        self.latency_ms = None;
        self.missed = None;
        self.unanswered = 0;
        if code == UNKNOWN_FEED {
            self.state = State::Ended;
            return;
        }
        let delay = if HOPELESS.contains(&code) && code != STALLED {
            LONGEST_DELAY
        } else {
            back_off(self.attempt.saturating_sub(1), random)
        };
        self.state = State::Waiting { until: now + delay };
    }

    /// Something says that an attempt may succeed now, or that the connection should be looked at.
    fn hurry(&mut self, now: Duration, out: &mut Vec<Output>) {
        match self.state {
            State::Waiting { .. } => self.connect(now, out),
            State::Live(_) => self.doubt(now, out),
            State::Idle | State::Opening { .. } | State::Ended => {}
        }
    }

    fn doubt(&mut self, now: Duration, out: &mut Vec<Output>) {
        let is_asked =
            matches!(&self.state, State::Live(Live { asked: Some(asked), .. }) if asked.patience == DOUBTFUL_AFTER);
        if !is_asked {
            self.ping(now, DOUBTFUL_AFTER, out);
        }
    }
}

impl Live {
    /// Anything heard is a sign of life: a pong can stand behind many records in a slow line.
    fn dead_at(&self, asked: &Asked) -> Duration {
        asked.at.max(self.heard) + asked.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Bye, ByeReason, Stats, Subscribed};

    /// Where a tab goes on that has everything before `cursor`.
    fn recent(cursor: Cursor) -> From {
        From::Recent { cursor, most: MOST }
    }

    /// Half of each wait.s range is always taken.
    fn step(machine: &mut Machine, at: u64, input: Input) -> Vec<Output> {
        machine.step(Duration::from_millis(at), 0.5, input)
    }

    fn tick_until_due(machine: &mut Machine, now: &mut u64) -> Vec<Output> {
        let at = machine.wake_at(Duration::from_millis(*now)).expect("it waits for something");
        *now = u64::try_from(at.as_millis()).expect("small");
        step(machine, *now, Input::Tick)
    }

    fn started() -> Machine {
        let mut machine = Machine::new();
        let start = Input::Start {
            feed: "default".into(),
            cursor: Cursor::default(),
            instance: "ottla-1".into(),
            scope: Scope::Instance,
        };
        assert_eq!(step(&mut machine, 0, start), [Output::Connect]);
        machine
    }

    fn live() -> Machine {
        let mut machine = started();
        let out = step(&mut machine, 10, Input::Opened);
        assert!(matches!(out[..], [Output::Send(Command::Subscribe(Subscribe { from: From::Recent { .. }, .. }))]));
        let (feed, group, scope) = ("default".into(), "g".into(), Scope::Instance);
        let subscribed = Subscribed { feed, group, scope, epoch: 1, seq: 0, resumed: true };
        let out = step(&mut machine, 20, Input::Event(Event::Subscribed(subscribed)));
        assert!(matches!(out[..], [Output::Send(Command::Ping(1)), Output::Take(_)]));
        machine
    }

    fn connection(machine: &Machine, at: u64) -> Connection {
        machine.connection(Duration::from_millis(at))
    }

    #[test]
    fn the_answered_ping_tells_the_latency() {
        let mut machine = live();
        assert_eq!(connection(&machine, 20), Connection::Live { latency_ms: None });
        step(&mut machine, 23, Input::Event(Event::Pong(1)));
        assert_eq!(connection(&machine, 23), Connection::Live { latency_ms: Some(3) });
        let mut now = 23;
        assert_eq!(tick_until_due(&mut machine, &mut now), [Output::Send(Command::Ping(2))]);
        assert_eq!(now, 5020);
    }

    #[test]
    fn a_server_that_says_nothing_is_given_up_one_that_is_slow_is_not() {
        let mut machine = live();
        step(&mut machine, 9_000, Input::Event(Event::Stats(Stats::default())));
        assert_eq!(step(&mut machine, 10_020, Input::Tick), []);
        assert_eq!(step(&mut machine, 19_000, Input::Tick), [Output::Close]);
        assert!(matches!(connection(&machine, 19_000), Connection::Reconnecting { .. }));
    }

    #[test]
    fn a_tab_that_nobody_looks_at_asks_for_counters_only_until_somebody_does() {
        let mut machine = live();
        step(&mut machine, 30, Input::Event(Event::Pong(1)));
        step(&mut machine, 1_000, Input::Hidden);
        step(&mut machine, 5_020, Input::Tick);
        step(&mut machine, 5_030, Input::Event(Event::Pong(2)));
        assert_eq!(machine.wake_at(Duration::from_millis(5_030)), Some(Duration::from_millis(10_020)));
        step(&mut machine, 10_020, Input::Tick);
        step(&mut machine, 10_030, Input::Event(Event::Pong(3)));
        assert_eq!(step(&mut machine, 11_000, Input::Tick), [Output::Send(Command::Pause)]);
        assert_eq!(step(&mut machine, 11_001, Input::Tick), []);
        let woken = step(&mut machine, 60_000, Input::Visible);
        assert!(matches!(
            woken[0],
            Output::Send(Command::Subscribe(Subscribe { from: From::Recent { most: MOST, .. }, .. }))
        ));
        assert!(
            !step(&mut machine, 61_000, Input::Visible)
                .iter()
                .any(|out| matches!(out, Output::Send(Command::Subscribe(_))))
        );
    }

    #[test]
    fn a_tab_that_sleeps_comes_back_asleep() {
        let mut machine = live();
        step(&mut machine, 30, Input::Event(Event::Pong(1)));
        step(&mut machine, 1_000, Input::Hidden);
        step(&mut machine, 11_000, Input::Tick);
        step(&mut machine, 12_000, Input::Closed { code: 1006 });
        step(&mut machine, 30_000, Input::Tick);
        let out = step(&mut machine, 30_010, Input::Opened);
        assert!(matches!(out[..], [Output::Send(Command::Subscribe(_)), Output::Send(Command::Pause)]), "{out:?}");
    }

    #[test]
    fn a_tab_that_grows_ever_later_goes_on_from_the_newest() {
        let late = |records, millis| Input::Event(Event::Behind(Behind { records, bytes: 0, millis }));
        let asks = |out: Vec<Output>| {
            out.into_iter().find_map(|out| match out {
                Output::Send(Command::Subscribe(Subscribe { from: From::Recent { most, .. }, .. })) => Some(most),
                _ => None,
            })
        };
        let mut machine = live();
        step(&mut machine, 30, Input::Event(records(5)));
        assert_eq!(asks(step(&mut machine, 1_000, late(9_000, 5_100))), None, "it may only have stuck for a moment");
        assert_eq!(asks(step(&mut machine, 2_000, late(8_000, 6_000))), None, "it catches up");
        assert_eq!(asks(step(&mut machine, 3_000, late(9_000, 4_999))), None, "it is not that late");
        assert_eq!(asks(step(&mut machine, 4_000, late(9_500, 5_200))), Some(MOST_WHEN_LATE));
        assert_eq!(asks(step(&mut machine, 5_000, late(9_900, 6_200))), None, "that is not answered yet");
        answered(&mut machine);
        assert_eq!(asks(step(&mut machine, 6_000, late(900, 7_200))), None, "nothing would be left out");
    }

    #[test]
    fn a_glance_away_changes_nothing() {
        let mut machine = live();
        step(&mut machine, 30, Input::Event(Event::Pong(1)));
        step(&mut machine, 1_000, Input::Hidden);
        let out = step(&mut machine, 4_000, Input::Visible);
        assert!(!out.iter().any(|out| matches!(out, Output::Send(Command::Subscribe(_) | Command::Pause))), "{out:?}");
        assert!(!step(&mut machine, 12_000, Input::Tick).contains(&Output::Send(Command::Pause)));
    }

    #[test]
    fn a_doubtful_connection_is_asked_at_once() {
        for input in [Input::Visible, Input::Online, Input::Offline] {
            let mut machine = live();
            step(&mut machine, 30, Input::Event(Event::Pong(1)));
            assert_eq!(step(&mut machine, 1000, input), [Output::Send(Command::Ping(2))]);
            assert_eq!(step(&mut machine, 3000, Input::Tick), [Output::Close]);
        }
    }

    #[test]
    fn a_socket_that_does_not_open_is_given_up_and_tried_again_ever_later() {
        let mut machine = started();
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert_eq!(tick_until_due(&mut machine, &mut now), [Output::Close]);
            let from = now;
            while tick_until_due(&mut machine, &mut now).is_empty() {}
            waits.push(now - from);
        }
        assert_eq!(waits, [125, 250, 500, 1000, 2000, 4000, 5000, 5000]);
    }

    #[test]
    fn the_wait_ends_at_once_when_there_is_a_reason() {
        for input in [Input::Visible, Input::Online, Input::RetryNow] {
            let mut machine = live();
            step(&mut machine, 100, Input::Closed { code: 1006 });
            assert_eq!(step(&mut machine, 101, input), [Output::Connect]);
            assert_eq!(connection(&machine, 101), Connection::Reconnecting { in_seconds: 0 });
        }
    }

    #[test]
    fn the_count_down_wakes_for_each_second() {
        let mut machine = live();
        step(&mut machine, 100, Input::Closed { code: ByeReason::BadSubscription.close_code() });
        let mut now = 100;
        let mut seen = Vec::new();
        loop {
            seen.push(connection(&machine, now));
            if !tick_until_due(&mut machine, &mut now).is_empty() {
                break;
            }
        }
        let expected: Vec<_> = (1..=10).rev().map(|in_seconds| Connection::Reconnecting { in_seconds }).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_feed_that_ended_is_not_asked_for_again() {
        let bye = Event::Bye(Bye { reason: ByeReason::UnknownFeed, cursor: None });
        for ending in [Input::Event(bye), Input::Closed { code: ByeReason::UnknownFeed.close_code() }] {
            let mut machine = started();
            step(&mut machine, 10, Input::Opened);
            step(&mut machine, 20, ending);
            assert_eq!(connection(&machine, 20), Connection::Ended);
            assert_eq!(machine.wake_at(Duration::from_millis(20)), None);
            let later = [Input::Tick, Input::Visible, Input::Online, Input::Offline, Input::RetryNow];
            let scope = Input::Scope(Scope::Group);
            for input in later.into_iter().chain([scope, Input::Closed { code: 1006 }]) {
                assert_eq!(step(&mut machine, 60_000, input), []);
                assert_eq!(connection(&machine, 60_000), Connection::Ended);
            }
        }
    }

    #[test]
    fn without_a_network_it_says_so_and_tries_nevertheless() {
        let mut machine = live();
        step(&mut machine, 100, Input::Closed { code: 1006 });
        step(&mut machine, 101, Input::Offline);
        assert_eq!(connection(&machine, 101), Connection::Offline);
        let mut now = 101;
        assert_eq!(tick_until_due(&mut machine, &mut now), [Output::Connect]);
    }

    fn filter(text: &str) -> Filter {
        Filter { text: text.into(), ..Filter::default() }
    }

    /// What is subscribed to, and from where.
    fn asked(out: &[Output]) -> (&Filter, &From) {
        match out {
            [Output::Send(Command::Subscribe(Subscribe { filter, from, .. }))] => (filter, from),
            other => panic!("{other:?}"),
        }
    }

    fn records(seq: u64) -> Event {
        Event::Records(wire::Records { epoch: 1, next: seq, records: vec![] })
    }

    fn answered(machine: &mut Machine) {
        let (feed, group, scope) = ("default".into(), "g".into(), Scope::Instance);
        let subscribed = Subscribed { feed, group, scope, epoch: 1, seq: 0, resumed: true };
        step(machine, 30, Input::Event(Event::Subscribed(subscribed)));
    }

    #[test]
    fn filters_begin_where_the_first_one_did_and_so_does_what_comes_after_them() {
        let mut machine = live();
        step(&mut machine, 30, Input::Event(records(5)));
        let five = recent(Cursor { epoch: 1, seq: 5, ..Cursor::default() });
        let out = step(&mut machine, 40, Input::Filter { filter: filter("a"), anew: false });
        assert_eq!(asked(&out), (&filter("a"), &five));
        step(&mut machine, 41, Input::Event(records(7)));
        answered(&mut machine);
        step(&mut machine, 42, Input::Event(records(9)));
        let out = step(&mut machine, 50, Input::Filter { filter: filter("where:true"), anew: true });
        assert_eq!(asked(&out), (&filter("where:true"), &From::Newest(MOST)));
        answered(&mut machine);
        let out = step(&mut machine, 60, Input::Filter { filter: Filter::default(), anew: false });
        assert_eq!(asked(&out), (&Filter::default(), &five));
        answered(&mut machine);
        step(&mut machine, 61, Input::Event(records(11)));
        let out = step(&mut machine, 62, Input::Filter { filter: filter("b"), anew: false });
        assert_eq!(asked(&out).1, &recent(Cursor { epoch: 1, seq: 11, ..Cursor::default() }));
    }

    #[test]
    fn what_is_still_of_another_filter_is_not_taken() {
        let mut machine = live();
        step(&mut machine, 40, Input::Filter { filter: filter("a"), anew: false });
        step(&mut machine, 41, Input::Filter { filter: filter("b"), anew: false });
        let out = step(&mut machine, 42, Input::Event(Event::Sieved(wire::Sieved::default())));
        assert_eq!(out, []);
        answered(&mut machine);
        assert_eq!(
            step(&mut machine, 43, Input::Event(Event::Sieved(wire::Sieved::default()))),
            [],
            "that was a's answer"
        );
        answered(&mut machine);
        let out = step(&mut machine, 44, Input::Event(Event::Sieved(wire::Sieved::default())));
        assert!(matches!(out[..], [Output::Take(Event::Sieved(_))]));
    }

    #[test]
    fn a_filter_of_the_address_is_asked_for_from_the_start() {
        let mut machine = Machine::new();
        assert_eq!(step(&mut machine, 0, Input::Filter { filter: filter("a"), anew: false }), []);
        let cursor = Cursor { epoch: 1, seq: 5, ..Cursor::default() };
        let start =
            Input::Start { feed: "f".into(), cursor: cursor.clone(), instance: "i".into(), scope: Scope::Instance };
        step(&mut machine, 1, start);
        let out = step(&mut machine, 2, Input::Opened);
        assert_eq!(asked(&out), (&filter("a"), &recent(cursor.clone())));
        // Before the answer: the server has to be asked again.
        let out = step(&mut machine, 3, Input::Filter { filter: Filter::default(), anew: false });
        assert_eq!(asked(&out), (&Filter::default(), &recent(cursor)));
    }

    #[test]
    fn what_was_cleared_while_a_filter_held_does_not_come_back_with_its_end() {
        let mut machine = live();
        step(&mut machine, 40, Input::Filter { filter: filter("a"), anew: false });
        answered(&mut machine);
        step(&mut machine, 42, Input::Event(records(9)));
        step(&mut machine, 43, Input::Forget);
        let out = step(&mut machine, 44, Input::Filter { filter: Filter::default(), anew: false });
        assert_eq!(asked(&out).1, &recent(Cursor { epoch: 1, seq: 9, ..Cursor::default() }));
    }

    #[test]
    fn a_goodbye_closes_and_its_cursor_is_where_to_go_on() {
        let mut machine = live();
        let cursor = Cursor { epoch: 1, seq: 9, ..Cursor::default() };
        let bye = Event::Bye(Bye { reason: ByeReason::Stopping, cursor: Some(cursor.clone()) });
        let out = step(&mut machine, 6000, Input::Event(bye));
        assert!(matches!(out[..], [Output::Close, Output::Take(Event::Bye(_))]));
        assert_eq!(step(&mut machine, 6125, Input::Tick), [Output::Connect]);
        let out = step(&mut machine, 6130, Input::Opened);
        let [Output::Send(Command::Subscribe(subscribe))] = &out[..] else { panic!("{out:?}") };
        assert_eq!(subscribe.from, From::Recent { cursor, most: MOST });
    }
}
