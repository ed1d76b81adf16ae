//! The browser's half of the feed: what came over the socket, as signals for the page.
//!
//! The parts are pure and know neither the browser nor Leptos: `machine` is the connection's life, `window` the rows, `query`
//! what is asked for, `pace` when rows are shown, `receipts` what this tab sent. `socket` is the browser's WebSocket. This
//! file puts them together; how a row looks is not here.

mod machine;
mod pace;
mod query;
mod receipts;
mod socket;
mod window;

pub use machine::Connection;
pub use receipts::{Sent, SentState};
pub use window::{Entry, EntryKind, Resumed};

use crate::browser;
use leptos::{
    leptos_dom::helpers::{TimeoutHandle, set_timeout_with_handle},
    prelude::*,
    reactive::send_wrapper_ext::SendOption,
};
use machine::{Input, Machine, Output};
use pace::{Pace, When};
use query::Asked;
use receipts::Receipts;
use socket::Socket;
use std::{cell::Cell, sync::Arc, time::Duration};
use window::{Arrival, Window};
use wire::{
    Assignment, Consumed, Event, Fellow, Filter, GapPart, KafkaState, Receipt, Record, Records, Scope, Sieved,
    Snapshot, Stats,
};

/// The feed in this tab. A handle; copies are the same feed.
#[derive(Clone, Copy)]
pub struct Live {
    connection: RwSignal<Connection>,
    kafka: RwSignal<KafkaState>,
    assignment: RwSignal<Assignment>,
    stats: RwSignal<Stats>,
    members: RwSignal<Vec<Fellow>>,
    scope: RwSignal<Scope>,
    instance: RwSignal<String>,
    stale_build: RwSignal<bool>,
    visible: RwSignal<Vec<Arc<Entry>>>,
    busy: RwSignal<bool>,
    waiting: RwSignal<u64>,
    total: RwSignal<u64>,
    dropped: RwSignal<u64>,
    receipts: RwSignal<Vec<Sent>>,
    paused: RwSignal<bool>,
    held: RwSignal<bool>,
    filter: RwSignal<String>,
    partition: RwSignal<Option<(String, i32)>>,
    looked: RwSignal<u64>,
    matched: RwSignal<u64>,
    failed: RwSignal<u64>,
    rows: StoredValue<Rows>,
    line: StoredValue<SendOption<Line>>,
}

/// The rows and what belongs to them. Filled on the server too.
#[derive(Default)]
struct Rows {
    window: Window,
    receipts: Receipts,
    pace: Pace,
    /// The instance that serves this tab, shared by the rows it consumed.
    instance: Arc<str>,
    /// The build that rendered the page.
    build: String,
    /// What the server is asked with.
    filter: Filter,
    /// What was found before this connection, and since.
    found: (Sieved, Sieved),
    /// Whether the records are the whole group's, whoever consumes them.
    is_whole: bool,
    is_seeded: bool,
    /// Whether a publishing is on its way.
    is_due: bool,
}

/// The connection: only in a browser, and only after [`Live::start`].
struct Line {
    machine: Machine,
    socket: Option<Socket>,
    /// The timer that is set, and when it fires.
    timer: Option<(TimeoutHandle, Duration)>,
}

/// The tab's own clock: the time since the page was opened. It never goes back, whatever the computer's clock does.
pub fn clock() -> Duration {
    let milliseconds = window().performance().map_or(0.0, |performance| performance.now());
    // To the microsecond, which is more than browsers tell.
    Duration::from_micros((milliseconds * 1000.0) as u64)
}

impl Live {
    /// An empty feed that is not connected, provided to everything below as a context.
    pub fn provide() -> Self {
        let live = Self {
            connection: RwSignal::new(Connection::Connecting),
            kafka: RwSignal::new(KafkaState::Connecting),
            assignment: RwSignal::default(),
            stats: RwSignal::default(),
            members: RwSignal::default(),
            scope: RwSignal::new(Scope::Instance),
            instance: RwSignal::default(),
            stale_build: RwSignal::new(false),
            visible: RwSignal::default(),
            busy: RwSignal::new(false),
            waiting: RwSignal::new(0),
            total: RwSignal::new(0),
            dropped: RwSignal::new(0),
            receipts: RwSignal::default(),
            paused: RwSignal::new(false),
            held: RwSignal::new(false),
            filter: RwSignal::default(),
            partition: RwSignal::default(),
            looked: RwSignal::new(0),
            matched: RwSignal::new(0),
            failed: RwSignal::new(0),
            rows: StoredValue::new(Rows::default()),
            line: StoredValue::new(SendOption::new_local(None)),
        };
        provide_context(live);
        let was_held = Cell::new(false);
        let follow_the_hold: Box<dyn Fn()> = Box::new(move || {
            let is_held = live.paused.get() || live.held.get();
            if was_held.replace(is_held) != is_held {
                untrack(|| live.publish());
            }
        });
        Effect::new(follow_the_hold);
        live
    }

    /// Shows what the server rendered. The first call counts; callable while the page is rendered, on both sides.
    pub fn seed(&self, snapshot: &Snapshot) {
        let is_first = self.rows.try_update_value(|rows| {
            if std::mem::replace(&mut rows.is_seeded, true) {
                return false;
            }
            rows.instance = snapshot.instance.as_str().into();
            rows.build.clone_from(&snapshot.build);
            let arrival = Arrival { instance: Some(&Arc::clone(&rows.instance)), at: Duration::ZERO };
            for record in &snapshot.records {
                rows.window.push_record(record.clone(), false, &arrival);
            }
            rows.window.publish();
            true
        });
        if is_first == Some(true) {
            self.instance.set(snapshot.instance.clone());
            self.kafka.set(snapshot.kafka.clone());
            self.assignment.set(snapshot.assignment.clone());
            self.stats.set(snapshot.stats.clone());
            self.members.set(snapshot.members.clone());
            self.scope.set(snapshot.scope);
            self.show();
        }
    }

    /// Connects, and goes on after the snapshot. In a browser only, after hydration; the first call counts.
    pub fn start(&self, snapshot: Snapshot) {
        self.seed(&snapshot);
        let is_first = self.line.try_update_value(|line| {
            let is_first = line.is_none();
            line.update(|line| {
                line.get_or_insert_with(|| Line { machine: Machine::new(), socket: None, timer: None });
            });
            is_first
        });
        if is_first != Some(true) {
            return;
        }
        let Snapshot { feed, cursor, instance, scope, .. } = snapshot;
        self.listen();
        // One that the address asks for was there before the connection.
        let filter = self
            .rows
            .try_with_value(|Rows { filter, window, .. }| (filter.clone(), window.asked().is_for_the_server()));
        if let Some((filter, anew)) = filter {
            self.input(Input::Filter { filter, anew });
        }
        self.input(Input::Start { feed, cursor, instance, scope });
    }

    /// How the tab and its server stand.
    pub fn connection(&self) -> ReadSignal<Connection> {
        self.connection.read_only()
    }

    /// Connects now instead of after the count-down.
    pub fn retry_now(&self) {
        self.input(Input::RetryNow);
    }

    /// Whether Kafka answers the server.
    pub fn kafka(&self) -> ReadSignal<KafkaState> {
        self.kafka.read_only()
    }

    /// What the instance that serves this tab owns.
    pub fn assignment(&self) -> ReadSignal<Assignment> {
        self.assignment.read_only()
    }

    /// That instance's counters.
    pub fn stats(&self) -> ReadSignal<Stats> {
        self.stats.read_only()
    }

    /// The instances that consume the group.
    pub fn members(&self) -> ReadSignal<Vec<Fellow>> {
        self.members.read_only()
    }

    /// Whose consumption this tab asked for.
    pub fn scope(&self) -> ReadSignal<Scope> {
        self.scope.read_only()
    }

    /// Shows another one's consumption, from the newest rows on.
    pub fn set_scope(&self, scope: Scope) {
        if self.scope.get_untracked() != scope {
            self.scope.set(scope);
            self.clear();
            self.input(Input::Scope(scope));
        }
    }

    /// The instance that serves this tab. Changes when another one answers.
    pub fn instance(&self) -> ReadSignal<String> {
        self.instance.read_only()
    }

    /// Whether the server has another build than the one that rendered this page.
    pub fn stale_build(&self) -> ReadSignal<bool> {
        self.stale_build.read_only()
    }

    /// What the list shows: the newest first, filtered, bounded.
    pub fn visible(&self) -> ReadSignal<Vec<Arc<Entry>>> {
        self.visible.read_only()
    }

    /// Whether rows come too fast to be read one by one, so that they enter in batches and without tint.
    pub fn busy(&self) -> ReadSignal<bool> {
        self.busy.read_only()
    }

    /// How many records came while the list was held or paused, of those that the filter wants.
    pub fn waiting(&self) -> ReadSignal<u64> {
        self.waiting.read_only()
    }

    /// How many records the list holds, whatever the filter wants of them.
    pub fn total(&self) -> ReadSignal<u64> {
        self.total.read_only()
    }

    /// How many records were shown and then dropped at the far end, since the start or the last [`Live::clear`].
    pub fn dropped(&self) -> ReadSignal<u64> {
        self.dropped.read_only()
    }

    /// Shows what the filter box and the chosen partition ask for, of what this tab holds. What can't be read changes nothing.
    /// Returns whether the server has to look at it: whether it can be read, or what is wrong with it.
    pub fn ask(&self) -> bool {
        let asked = Asked::new(&self.filter.get_untracked(), self.partition.get_untracked());
        let Ok(asked) = asked else { return true };
        let is_for_the_server = asked.is_for_the_server();
        self.rows.update_value(|rows| rows.window.ask(asked));
        self.show();
        is_for_the_server
    }

    /// Has the server send only what is asked for. What the tab does not get so is not forgotten: when nothing is asked for any
    /// more, the feed goes on from where it was when the first filter began.
    pub fn ask_the_server(&self) {
        let input = self.rows.try_update_value(|Rows { window, filter, found, .. }| {
            let asked = window.asked();
            if *filter == *asked.filter() {
                return None;
            }
            filter.clone_from(asked.filter());
            let anew = asked.is_for_the_server();
            window.filter_from_here(!filter.is_empty());
            let (looked, matched) = window.found();
            *found = (Sieved { looked, matched, failed: 0 }, Sieved::default());
            Some(Input::Filter { filter: filter.clone(), anew })
        });
        if let Some(input) = input.flatten() {
            self.input(input);
            self.show_found();
            self.show();
        }
    }

    /// What the filter found, of what this tab held and of what the server looked at since. Nothing without one. Signals of
    /// numbers, for one of a type of its own takes a kilobyte of the page's WebAssembly.
    pub fn found(&self) -> Sieved {
        Sieved { looked: self.looked.get(), matched: self.matched.get(), failed: self.failed.get() }
    }

    fn show_found(self) {
        let found = self.rows.try_with_value(|Rows { filter, found: (before, since), .. }| match filter.is_empty() {
            true => Sieved::default(),
            false => before.with(since),
        });
        let Sieved { looked, matched, failed } = found.unwrap_or_default();
        set_if_new(self.looked, looked);
        set_if_new(self.matched, matched);
        set_if_new(self.failed, failed);
    }

    /// Whether the reader paused the list.
    pub fn paused(&self) -> RwSignal<bool> {
        self.paused
    }

    /// The filter box: see `query` for what can be said.
    pub fn filter(&self) -> RwSignal<String> {
        self.filter
    }

    /// The one partition that is wanted, if one was chosen.
    pub fn partition(&self) -> RwSignal<Option<(String, i32)>> {
        self.partition
    }

    /// Holds the list, or lets it follow again: for the pointer that rests on it, the focus on a row, the open drawer, the
    /// position that is not at the top.
    pub fn hold(&self, held: bool) {
        if self.held.get_untracked() != held {
            self.held.set(held);
        }
    }

    /// Empties the list.
    pub fn clear(&self) {
        self.rows.update_value(|rows| rows.window.clear());
        self.input(Input::Forget);
        self.show();
    }

    /// Shows records that were read from the log at the list's far end, the oldest first, labelled so; what the list has already is
    /// left out.
    pub fn add_loaded(&self, records: Vec<Record>) {
        self.rows.update_value(|rows| rows.window.add_loaded(records));
        self.show();
    }

    /// What the server is asked with.
    pub fn server_filter(&self) -> Filter {
        self.rows.try_with_value(|rows| rows.filter.clone()).unwrap_or_default()
    }

    /// Puts what was read from the log with this filter in the place of the gap with this id. Nothing, where the filter is another one by
    /// now; whether it still is.
    pub fn fill_gap(&self, id: u64, part: GapPart, filter: &Filter) -> bool {
        let is_asked = self.server_filter() == *filter;
        if is_asked {
            self.rows.update_value(|rows| rows.window.fill_gap(id, part));
            self.show();
        }
        is_asked
    }

    /// This tab's message, sent at this time by [`clock`], was acknowledged.
    pub fn sent(&self, receipt: Receipt, sent_at: Duration) {
        let assignment = self.assignment.get_untracked();
        self.rows.update_value(|rows| {
            let (topic, partition, offset) = (receipt.topic.clone(), receipt.partition, receipt.offset);
            rows.receipts.add(receipt, sent_at, &assignment);
            // The row is often here before the receipt.
            if let Some((instance, arrived)) = rows.window.mark_mine(&topic, partition, offset) {
                rows.receipts.consumed(&topic, partition, offset, &instance, arrived);
            }
        });
        self.show_receipts();
        self.show();
    }

    /// The last messages that this tab sent, the newest first.
    pub fn receipts(&self) -> ReadSignal<Vec<Sent>> {
        self.receipts.read_only()
    }

    fn listen(self) {
        let window = window();
        browser::listen(&window, "online", move |_| self.input(Input::Online));
        browser::listen(&window, "offline", move |_| self.input(Input::Offline));
        browser::listen(&window, "visibilitychange", move |_| {
            if document().hidden() {
                self.input(Input::Hidden);
            } else {
                self.input(Input::Visible);
                self.publish();
            }
        });
    }

    fn input(self, input: Input) {
        let now = clock();
        let outputs = self.with_line(|line| line.machine.step(now, js_sys::Math::random(), input)).unwrap_or_default();
        for output in outputs {
            match output {
                Output::Connect => self.connect(),
                Output::Send(command) => {
                    self.with_line(|line| line.socket.as_ref().map(|socket| socket.send(&command)));
                }
                Output::Close => {
                    self.with_line(|line| line.socket = None);
                }
                Output::Take(event) => self.take(event),
                Output::Resumed(resumed) => self.note(EntryKind::Resumed(resumed)),
            }
        }
        self.wake(now);
    }

    fn connect(self) {
        // Where the browser refuses to open one, the machine's own time-out takes it from here, as for a server that does not answer.
        let socket = Socket::open(move |input| self.input(input));
        self.with_line(|line| line.socket = socket);
    }

    /// Shows how the connection stands, and sets the timer for what the machine waits for.
    fn wake(self, now: Duration) {
        let connection = self.with_line(|line| {
            let at = line.machine.wake_at(now);
            // One that fires too early does no harm, and this runs for every message: set a new one only when it must be.
            let is_set = line.timer.is_some_and(|(_, set)| at.is_some_and(|at| set <= at));
            if !is_set {
                if let Some((timer, _)) = line.timer.take() {
                    timer.clear();
                }
                line.timer = at.and_then(|at| Some((self.set_timer(at.saturating_sub(now))?, at)));
            }
            line.machine.connection(now)
        });
        if let Some(connection) = connection {
            set_if_new(self.connection, connection);
        }
    }

    fn set_timer(self, after: Duration) -> Option<TimeoutHandle> {
        let tick: Box<dyn FnOnce()> = Box::new(move || {
            self.with_line(|line| line.timer = None);
            self.input(Input::Tick);
        });
        // Browsers cut to whole milliseconds: one more, or the tick comes before it is due.
        set_timeout_with_handle(tick, after + Duration::from_millis(1)).ok()
    }

    fn with_line<T>(self, act: impl FnOnce(&mut Line) -> T) -> Option<T> {
        let act = |line: &mut SendOption<Line>| {
            let mut result = None;
            line.update(|line| result = line.as_mut().map(act));
            result
        };
        self.line.try_update_value(act).flatten()
    }

    fn take(self, event: Event) {
        match event {
            Event::Hello(hello) => {
                let is_stale = self.rows.try_update_value(|rows| {
                    // The server counts anew on each connection.
                    let (before, since) = &mut rows.found;
                    *before = before.with(&std::mem::take(since));
                    if *rows.instance != *hello.instance {
                        rows.instance = hello.instance.as_str().into();
                    }
                    rows.build != hello.build
                });
                set_if_new(self.stale_build, is_stale.unwrap_or(false));
                set_if_new(self.instance, hello.instance);
            }
            Event::Records(records) => self.take_records(records),
            Event::Gap(gap) => self.note(EntryKind::Gap(gap)),
            Event::Change(change) => self.note(EntryKind::Change(change)),
            Event::Flag(flag) => {
                self.rows.update_value(|rows| rows.window.flag(&flag));
                self.plan();
            }
            Event::Assignment(assignment) => {
                let is_news = self.rows.try_update_value(|rows| rows.receipts.assess(&assignment));
                set_if_new(self.assignment, assignment);
                if is_news == Some(true) {
                    self.show_receipts();
                }
            }
            Event::Stats(stats) => {
                let now = clock();
                let is_busy = self.rows.try_update_value(|rows| rows.pace.is_busy(now));
                set_if_new(self.busy, is_busy.unwrap_or(false));
                self.take_committed(&stats);
                set_if_new(self.stats, stats);
            }
            Event::Kafka(kafka) => set_if_new(self.kafka, kafka),
            Event::Members(members) => set_if_new(self.members, members),
            Event::Subscribed(subscribed) => {
                self.rows.update_value(|rows| rows.is_whole = subscribed.scope == Scope::Group);
            }
            Event::Consumed(consumed) => {
                let now = clock();
                let is_news = self.rows.try_update_value(|rows| {
                    rows.window.consumed(&consumed);
                    rows.receipts.consumed_range(&consumed, now)
                });
                if is_news == Some(true) {
                    self.show_receipts();
                }
                self.plan();
            }
            Event::Sieved(sieved) => {
                self.rows.update_value(|rows| rows.found.1 = sieved);
                self.show_found();
            }
            // The machine has dealt with them.
            Event::Topics(_) | Event::Positions(_) | Event::Pong(_) | Event::Behind(_) | Event::Bye(_) => {}
        }
    }

    /// What this tab sent and its filter leaves out has no row that could say that it was consumed. Committed it was; when,
    /// is not known.
    fn take_committed(self, stats: &Stats) {
        let is_news = self.rows.try_update_value(|Rows { filter, receipts, instance, .. }| {
            let mut is_news = false;
            for of in stats.partitions.iter().filter(|_| !filter.is_empty()) {
                let (topic, partition, last) = (of.topic.clone(), of.partition, of.committed.unwrap_or(0) - 1);
                let range = Consumed { topic, partition, first: 0, last, instance: String::from(&**instance), at: 0 };
                is_news |= receipts.consumed_range(&range, Duration::ZERO);
            }
            is_news
        });
        if is_news == Some(true) {
            self.show_receipts();
        }
    }

    fn take_records(self, Records { records, .. }: Records) {
        let now = clock();
        let is_news = self.rows.try_update_value(|rows| {
            let instance = Arc::clone(&rows.instance);
            // In the whole group's records who consumed them comes after them.
            let arrival = Arrival { instance: (!rows.is_whole).then_some(&instance), at: now };
            rows.pace.came(now, records.len());
            let mut is_news = false;
            for record in records {
                let mine = rows.receipts.has(&record.topic, record.partition, record.offset);
                is_news |= mine
                    && !rows.is_whole
                    && rows.receipts.consumed(&record.topic, record.partition, record.offset, &instance, now);
                rows.window.push_record(record, mine, &arrival);
            }
            is_news
        });
        if is_news == Some(true) {
            self.show_receipts();
        }
        self.plan();
    }

    fn note(self, note: EntryKind) {
        self.rows.update_value(|rows| {
            let arrival = Arrival { instance: Some(&Arc::clone(&rows.instance)), at: clock() };
            rows.window.push_note(note, &arrival);
        });
        self.plan();
    }

    /// Publishes when the pace allows: at once what comes to a quiet list, so that the very next frame has it (waiting for the
    /// frame's own callback would do the work inside it, and often miss it); the rest in a frame. A hidden tab has no frames: it
    /// waits until it is looked at.
    fn plan(self) {
        let now = clock();
        let when = self.rows.try_update_value(|rows| {
            let is_planned = std::mem::replace(&mut rows.is_due, true);
            (!is_planned).then(|| rows.pace.when(now))
        });
        match when.flatten() {
            None => {}
            Some(When::Now) if !document().hidden() => self.publish(),
            Some(When::Now | When::Frame) => browser::next_frame(move || self.publish()),
            Some(When::After(wait)) => browser::after(wait, move || browser::next_frame(move || self.publish())),
        }
    }

    fn publish(self) {
        let is_held = self.paused.get_untracked() || self.held.get_untracked();
        let now = clock();
        let is_busy = self.rows.try_update_value(|rows| {
            rows.is_due = false;
            if !is_held {
                rows.window.publish();
            }
            rows.pace.shown(now);
            rows.pace.is_busy(now)
        });
        set_if_new(self.busy, is_busy.unwrap_or(false));
        self.show();
    }

    /// Brings the signals up to what the window holds.
    fn show(self) {
        let is_held = self.paused.get_untracked() || self.held.get_untracked();
        let Some((visible, waiting, total, trimmed)) = self.rows.try_with_value(|Rows { window, .. }| {
            (window.visible(), if is_held { window.waiting() } else { 0 }, window.total(), window.trimmed())
        }) else {
            return;
        };
        let is_same = |shown: &Vec<Arc<Entry>>| {
            shown.len() == visible.len() && shown.iter().zip(&visible).all(|(shown, row)| Arc::ptr_eq(shown, row))
        };
        // A held list stays untouched, and costs nothing, however many rows come.
        if !self.visible.with_untracked(is_same) {
            self.visible.set(visible);
        }
        set_if_new(self.waiting, waiting);
        set_if_new(self.total, total);
        set_if_new(self.dropped, trimmed);
    }

    fn show_receipts(self) {
        if let Some(list) = self.rows.try_with_value(|rows| rows.receipts.list()) {
            self.receipts.set(list);
        }
    }
}

fn set_if_new<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

#[cfg(test)]
mod tests;
