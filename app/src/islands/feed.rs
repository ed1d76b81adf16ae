//! The feed's page: list, drawer, figures, toolbar, composer.

use super::{
    follow,
    frame::free_key,
    list::{self, List},
    message::{self, Outcome},
    produce::state,
    tab::{Tab, say, tab},
};
use crate::{
    api::{self, CheckFilter, GetRecord, LoadGap, NewestFromLog},
    browser,
    format::number::grouped,
    markup::{
        drawer::drawer,
        empty::{LAST, found, no_match, nothing_yet},
        receipt::{failure, posted, receipt, refused},
        row,
        strip::{self, Figures, SPARK_SECONDS, figures},
        toolbar,
    },
    preferences::{DENSITY_COOKIE, SCOPE_COOKIE},
    words,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_i18n::td_string;
use maud::{Markup, html};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    sync::Arc,
    time::Duration,
};
use wasm_bindgen::JsCast;
use web_sys::{
    Element, Event, HtmlFormElement, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement, KeyboardEvent,
    MouseEvent,
};
use wire::{Assignment, Record, Scope, codec};

/// How often a screen reader is told at most that there are new messages.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(10);
/// How long after the last letter the server is asked with a filter, and how long after that a screen reader is told what it
/// found.
const FILTER_SETTLES: Duration = Duration::from_millis(250);
const FILTER_FOUND: Duration = Duration::from_millis(1250);
/// The composer.
const FORM: &str = "compose";
const COMPOSER: &str = "#compose";

/// The page in the browser. A handle; copies are the same page.
#[derive(Clone, Copy)]
struct Page {
    tab: Tab,
    list: List,
    /// How sending from the composer ended.
    outcome: RwSignal<Outcome>,
    /// The open record in full, where the row has only the head of its value and the rest was asked for.
    whole: RwSignal<Option<Arc<Record>>>,
    /// Why the log could not be shown in an empty feed.
    trouble: RwSignal<String>,
}

/// The feed's island.
#[island]
pub fn Feed() -> impl IntoView {
    follow::once(|| {
        if let (Some(tab), Some(main)) = (tab(), browser::by_id::<Element>("main")) {
            begin(tab, &main);
        }
    });
    view! { <main class="main live" id="main" tabindex="-1" inner_html=follow::rendering()></main> }
}

fn begin(tab: Tab, main: &Element) {
    let page = Page {
        tab,
        list: List::new(tab),
        outcome: RwSignal::new(Outcome::None),
        whole: RwSignal::new(None),
        trouble: RwSignal::default(),
    };
    browser::listen(main, "click", move |event| page.act(&event));
    browser::listen(main, "submit", move |event| {
        if is_in(&event, COMPOSER) {
            page.submit(&event);
        } else if is_in(&event, ".filter") {
            // It is followed as it is typed. The form is for a page without JavaScript.
            event.prevent_default();
        }
    });
    browser::listen(main, "input", move |event| page.type_in(&event));
    browser::listen(main, "change", move |event| page.choose(&event));
    browser::listen(&window(), "keydown", move |event| page.press(&event));
    page.list.begin();
    page.follow_the_filter();
    page.follow_the_feed();
    page.follow_the_drawer();
    page.follow_the_composer();
    page.announce();
}

impl Page {
    fn follow_the_feed(self) {
        let tab = self.tab;
        let (reader, live) = (&tab.reader, tab.live);
        // The rates that were shown, and when the last of them was counted.
        let history = RefCell::new((VecDeque::new(), 0));
        follow::content("strip", move || {
            let stats = live.stats().get();
            let members = (live.scope().get() == Scope::Group).then(|| live.members().get());
            // While rows come fast it is enough that the counters write the strip anew, once a second.
            let is_busy = live.busy().get_untracked();
            let now = |count: ReadSignal<u64>| if is_busy { count.get_untracked() } else { count.get() };
            let (rates, at) = &mut *history.borrow_mut();
            if std::mem::replace(at, stats.at) != stats.at {
                rates.push_back(strip::rate(&stats, members.as_deref()));
                while rates.len() > SPARK_SECONDS {
                    rates.pop_front();
                }
            }
            figures(
                reader,
                Figures {
                    group: &tab.group,
                    serving: &tab.serving(),
                    assignment: &live.assignment().get(),
                    stats: &stats,
                    members: members.as_deref(),
                    rates: rates.make_contiguous(),
                    held: now(live.total()),
                    dropped: now(live.dropped()),
                },
            )
        });
        follow::content("pause", move || toolbar::pause(reader, live.paused().get(), live.waiting().get()));
        follow::attribute("pause", "aria-pressed", move || Some(live.paused().get().to_string()));
        follow::content("partitions", move || {
            let shown = match live.scope().get() {
                Scope::Instance => live.assignment().get(),
                Scope::Group => live.members().with(|members| Assignment::of_all(members)),
            };
            toolbar::partitions(reader, &shown, live.partition().get().as_ref())
        });
        follow::content("over", move || self.empty());
        follow::hidden("over", move || live.visible().with(|rows| !rows.is_empty()));
    }

    /// What is said where no rows are.
    fn empty(self) -> Markup {
        let (reader, live) = (&self.tab.reader, self.tab.live);
        if live.visible().with(|rows| !rows.is_empty()) {
            return html! {};
        }
        if !live.filter().get().trim().is_empty() || live.partition().get().is_some() {
            return no_match(reader, live.found().looked.max(live.total().get()));
        }
        let (serving, assignment, trouble) = (self.tab.serving(), live.assignment().get(), self.trouble.get());
        nothing_yet(reader, &self.tab.feed, &self.tab.topics, &serving, &assignment, &trouble)
    }

    fn follow_the_drawer(self) {
        let Self { tab, list, whole, .. } = self;
        follow::content("drawer", move || {
            let Some(entry) = list.open.get() else { return html! {} };
            let Some(record) = entry.record() else { return html! {} };
            let loaded = whole.get().filter(|whole| is_same(whole, record));
            drawer(&tab.reader, loaded.as_deref().unwrap_or(record), entry.instance.as_deref(), &tab.serving())
        });
        follow::attribute("drawer", "class", move || {
            Some(if list.open.with(Option::is_some) { "drawer open" } else { "drawer" }.into())
        });
        // The list is narrower beside the drawer, and its rows may be higher. Where it lies over all of the page the focus is in it.
        follow::effect(move || {
            let is_open = list.open.with(Option::is_some);
            browser::next_frame(move || {
                list.measure();
                if is_open
                    && let Some(drawer) = browser::by_id::<Element>("drawer")
                    && drawer.get_bounding_client_rect().x() <= 0.0
                    && !browser::has_focus(&drawer)
                {
                    browser::focus_on(drawer);
                }
            });
        });
    }

    fn follow_the_composer(self) {
        let Self { tab, outcome, .. } = self;
        let reader = &tab.reader;
        let locale = reader.locale;
        follow::attribute("compose-send", "disabled", move || (outcome.get() == Outcome::Sending).then(String::new));
        follow::content("outcome", move || match outcome.get() {
            Outcome::None => html! {},
            Outcome::Sending => html! { (td_string!(locale, compose.sending)) },
            Outcome::Sent(stored) => receipt(reader, &posted(&stored), &state(tab, &stored), &tab.serving()),
            Outcome::Failed(error) => refused(reader, &error),
            Outcome::NoAnswer => {
                failure(td_string!(locale, produce.no_answer), td_string!(locale, produce.no_answer_hint))
            }
        });
    }

    /// Tells a screen reader how many messages came, seldom and never while someone writes; and what a filter found.
    fn announce(self) {
        let (reader, live) = (&self.tab.reader, self.tab.live);
        let told = live.total().get_untracked();
        browser::after(ANNOUNCE_EVERY, move || {
            let total = live.total().get_untracked();
            if total > told && !browser::a_field_has_the_focus() {
                say(&td_string!(reader.locale, feed.new_messages, count = grouped(total - told)));
            }
            self.announce();
        });
    }

    /// Shows at once what the filter wants of the rows that are here, and, when it is typed, has the server send no others. The
    /// address keeps it.
    fn follow_the_filter(self) {
        let live = self.tab.live;
        // First, so that it begins with nothing, as the server wrote it.
        follow::content("found", move || found(&self.tab.reader, &live.found()));
        // The server wrote what the address asks for.
        if let Some(input) = filter_box() {
            live.filter().set(input.value());
        }
        let is_first = Cell::new(true);
        follow::effect(move || {
            let asked = (live.filter().get(), live.partition().get());
            let settle = move || {
                if (live.filter().get_untracked(), live.partition().get_untracked()) == asked {
                    self.settle_filter();
                }
            };
            if is_first.replace(false) {
                return settle();
            }
            live.ask();
            browser::after(FILTER_SETTLES, settle);
        });
    }

    fn settle_filter(self) {
        let text = self.tab.live.filter().get_untracked();
        if !self.tab.live.ask() {
            return self.ask_the_server(&text);
        }
        // Before the stream is asked for what the server may refuse.
        spawn_local(async move {
            let wrong = api::call(CheckFilter { text: text.clone() }).await.flatten();
            if self.tab.live.filter().get_untracked() == text {
                match filter_box() {
                    Some(input) if wrong.is_some() => message::show_at(&input, wrong.as_deref()),
                    _ => self.ask_the_server(&text),
                }
            }
        });
    }

    fn ask_the_server(self, text: &str) {
        let (live, reader) = (self.tab.live, &self.tab.reader);
        if let Some(input) = filter_box() {
            message::show_at(&input, None);
        }
        live.ask_the_server();
        browser::show_address(&format!("/?feed={}", self.tab.feed), text);
        let asked = text.to_owned();
        browser::after(FILTER_FOUND, move || {
            if live.filter().get_untracked() == asked {
                say(&untrack(|| found(reader, &live.found())).into_string());
            }
        });
    }

    /// The feed's own keys; those of every page are the frame's.
    fn press(self, event: &Event) {
        let list = self.list;
        if message::is_send(event) && is_in(event, COMPOSER) {
            self.submit(event);
            return;
        }
        if key(event) == "Escape" {
            if is_in(event, "#filter") {
                browser::focus("rows");
            } else if list.open.with_untracked(Option::is_some) && free_key(event).is_some() {
                list.close();
            }
            return;
        }
        let Some(key) = free_key(event) else { return };
        let is_on = self.tab.single_keys.get();
        // In the list they are no shortcuts, and always there; what else scrolls, the drawer above all, keeps them.
        let is_meant = match key.as_str() {
            "j" | "k" | "g" => is_on,
            _ => is_in(event, "#rows") || is_on && !is_in(event, "#drawer, [tabindex='0']"),
        };
        match key.as_str() {
            _ if !is_meant => return,
            " " if !browser::is_on_a_control(event) => self.toggle_pause(),
            "j" | "ArrowDown" => list.step(1),
            "k" | "ArrowUp" => list.step(-1),
            "Enter" if !browser::is_on_a_control(event) => match list.current_gap() {
                Some(key) => self.load_gap(&key),
                None => list.open_current(),
            },
            "g" => list.newest(),
            _ => return,
        }
        event.prevent_default();
    }

    /// Pauses the view, never the group, and says so.
    fn toggle_pause(self) {
        let (locale, live) = (self.tab.reader.locale, self.tab.live);
        let is_paused = !live.paused().get_untracked();
        live.paused().set(is_paused);
        say(match is_paused {
            true => td_string!(locale, feed.is_paused),
            false => td_string!(locale, feed.is_resumed),
        });
    }

    fn clear_filter(self) {
        self.tab.live.filter().set(String::new());
        self.tab.live.partition().set(None);
        if let Some(filter) = filter_box() {
            filter.set_value("");
        }
    }

    /// Loads the whole value of the open record.
    fn load(self) {
        let Some(place) = self.list.open.with_untracked(|open| Some(row::place(open.as_ref()?.record()?))) else {
            return;
        };
        let Self { list, whole, .. } = self;
        let locale = self.tab.reader.locale;
        spawn_local(async move {
            let loaded = match api::call(GetRecord { place }).await {
                Some(Ok(loaded)) => loaded,
                failed => {
                    let why = failed.and_then(Result::err).map(|error| words::read_error(locale, &error).1);
                    let why = why.unwrap_or_else(|| td_string!(locale, error.no_answer).into());
                    return follow::set_content("load-trouble", &html! { (why) }.into_string());
                }
            };
            let head = list.open.with_untracked(|open| open.as_ref().and_then(|entry| entry.record().cloned()));
            if let Some(head) = head.filter(|head| is_same(head, &loaded)) {
                // What its consumption added is known of the row only.
                let whole_record = Record { seq: head.seq, received: head.received, flags: head.flags, ..loaded };
                whole.set(Some(Arc::new(whole_record)));
            }
        });
    }

    /// Loads the end of the gap in the row with this key from the log.
    fn load_gap(self, key: &str) {
        let Some((id, gap)) = self.list.gap(key) else { return };
        let (live, locale, key) = (self.tab.live, self.tab.reader.locale, key.to_owned());
        list::say_in_row(&key, true, "");
        spawn_local(async move {
            let filter = live.server_filter();
            let trouble = match api::call(LoadGap { gap, filter: filter.clone() }).await {
                Some(Ok(part)) => match live.fill_gap(id, part, &filter) {
                    true => return,
                    // The filter is another one by now.
                    false => String::new(),
                },
                Some(Err(error)) => words::read_error(locale, &error).1,
                None => td_string!(locale, error.no_answer).into(),
            };
            list::say_in_row(&key, false, &trouble);
            say(&trouble);
        });
    }

    /// Puts the rows that the list holds, from the oldest on, into the form with which they are posted: the server writes the file.
    fn save(self) {
        let mut rows = Vec::new();
        self.tab.live.visible().with_untracked(|entries| {
            entries.iter().rev().filter_map(|entry| entry.row()).for_each(|row| codec::encode_row(&row, &mut rows));
        });
        let Some(field) = browser::by_id::<HtmlInputElement>("save-rows") else { return };
        field.set_value(&browser::base64(&rows));
        // They may be many megabytes, which the browser has read by then.
        browser::after(Duration::from_secs(1), move || field.set_value(""));
    }

    /// Shows the newest records of the log in an empty feed.
    fn show_last(self) {
        let Self { tab, trouble, .. } = self;
        let locale = tab.reader.locale;
        spawn_local(async move {
            match api::call(NewestFromLog { feed: tab.feed.clone(), n: LAST }).await {
                Some(Ok(records)) if records.is_empty() => trouble.set(td_string!(locale, feed.log_is_empty).into()),
                Some(Ok(records)) => tab.live.add_loaded(records),
                Some(Err(error)) => trouble.set(words::read_error(locale, &error).1),
                None => trouble.set(td_string!(locale, error.no_answer).into()),
            }
        });
    }

    fn act(self, event: &Event) {
        let list = self.list;
        let Some(control) = browser::control(event, "data-do") else { return self.click_on_a_row(event) };
        match control.get_attribute("data-do").unwrap_or_default().as_str() {
            "pause" => self.toggle_pause(),
            "clear" => self.tab.live.clear(),
            "density" => change_density(list, &control),
            "newest" => list.newest(),
            "newer" => list.step(-1),
            "older" => list.step(1),
            "close" => list.close(),
            "load" => self.load(),
            "load-gap" => self.load_gap(&list::row_key(&control)),
            "clear-filter" => self.clear_filter(),
            "compose" => {
                browser::focus("compose-value");
            }
            "show-last" => self.show_last(),
            // What the button does itself comes after.
            "save" => return self.save(),
            // The frame's.
            _ => return,
        }
        // Some are links, for pages without JavaScript.
        event.prevent_default();
    }

    /// A plain click opens the row's record in the drawer; the link in it is for other tabs, and for a page without
    /// JavaScript.
    fn click_on_a_row(self, event: &Event) {
        let row = browser::target::<Element>(event);
        let row = row.and_then(|element| element.closest("#lines > [data-place]").ok().flatten());
        let (Some(row), Some(click)) = (row, event.dyn_ref::<MouseEvent>()) else { return };
        let is_plain = click.button() == 0 && !click.ctrl_key() && !click.meta_key() && !click.shift_key();
        if is_plain && !browser::text_is_selected() {
            event.prevent_default();
            self.list.open_key(&list::row_key(&row));
        }
    }

    fn submit(self, event: &Event) {
        let Some(form) = message::form(FORM) else { return };
        event.prevent_default();
        message::send(self.tab, form, self.outcome, empty_the_value);
    }

    fn type_in(self, event: &Event) {
        if let Some(input) = browser::target::<HtmlInputElement>(event).filter(|input| input.id() == "filter") {
            self.tab.live.filter().set(input.value());
        } else if let Some(control) = browser::target::<Element>(event)
            && control.has_attribute("aria-invalid")
        {
            message::show_at(&control, None);
        }
    }

    fn choose(self, event: &Event) {
        if let Some(input) = browser::target::<HtmlInputElement>(event).filter(|input| input.name() == SCOPE_COOKIE) {
            let scope = if input.value() == "group" { Scope::Group } else { Scope::Instance };
            browser::remember(SCOPE_COOKIE, &input.value());
            return self.tab.live.set_scope(scope);
        }
        let select = browser::target::<HtmlSelectElement>(event).filter(|select| select.id() == "partitions");
        let Some(value) = select.map(|select| select.value()) else { return };
        // Written as places are: `orders[2]`.
        let chosen = value.strip_suffix(']').and_then(|value| {
            let (topic, partition) = value.split_once('[')?;
            Some((topic.to_owned(), partition.parse().ok()?))
        });
        self.tab.live.partition().set(chosen);
    }
}

fn filter_box() -> Option<HtmlInputElement> {
    browser::by_id("filter")
}

fn is_same(one: &Record, other: &Record) -> bool {
    (one.offset, one.partition) == (other.offset, other.partition) && one.topic == other.topic
}

fn key(event: &Event) -> String {
    event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key).unwrap_or_default()
}

/// Whether an event happened to what matches a selector, or inside it.
fn is_in(event: &Event, selector: &str) -> bool {
    let element = browser::target::<Element>(event);
    element.is_some_and(|element| matches!(element.closest(selector), Ok(Some(_))))
}

fn change_density(list: List, control: &Element) {
    let is_roomy = control.get_attribute("aria-pressed").as_deref() != Some("true");
    follow::set(control, "aria-pressed", Some(&is_roomy.to_string()));
    browser::remember(DENSITY_COOKIE, if is_roomy { "roomy" } else { "" });
    list.measure();
}

fn empty_the_value(_: &HtmlFormElement) {
    if let Some(value) = browser::by_id::<HtmlTextAreaElement>("compose-value") {
        value.set_value("");
    }
}
