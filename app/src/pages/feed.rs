//! `/`: the live feed, with the composer under it.

use crate::{
    api::{self, FormFailure, form_failure},
    browser,
    components::{
        Banners, Composer, Drawer, Empty, Lines, List, StaticBanner, Strip, Toolbar, banner, is_shortcut, toggle_pause,
        with_snapshot,
    },
    format::number::grouped,
    live::Entry,
    tab::{Tab, use_tab},
    words,
};
use leptos::{ev, prelude::*};
use leptos_i18n::td_string;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use std::{sync::Arc, time::Duration};
use wire::{ReadError, Record, Snapshot};

/// How often a screen reader is told at most that there are new messages.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(10);
/// How long after the last letter a filter's result is told.
const FILTER_SETTLES: Duration = Duration::from_millis(800);

type FromLog = Result<Result<Vec<Record>, ReadError>, ServerFnError>;

/// The page.
#[component]
pub fn Feed() -> impl IntoView {
    let locale = use_tab().locale;
    let failure = form_failure();
    let from_log = from_log();
    view! {
        <Title text=td_string!(locale, nav.feed)/>
        {with_snapshot(move |snapshot| {
            let content = move || {
                let snapshot = snapshot.clone();
                Suspend::new(async move {
                    let failure = failure.await;
                    let from_log = from_log.await;
                    content(snapshot, failure, from_log)
                })
            };
            view! { <Suspense>{content}</Suspense> }.into_any()
        })}
    }
}

/// The newest records from the log, where the address asks for them (`/?last=100`): what an empty feed offers without
/// JavaScript.
fn from_log() -> Resource<Option<FromLog>> {
    let query = use_query_map();
    let asked = move || query.with(|query| query.get("last").and_then(|count| count.parse::<usize>().ok()));
    Resource::new_blocking(asked, |asked| async move {
        match asked {
            Some(count) => Some(api::newest_from_log(String::new(), count).await),
            None => None,
        }
    })
}

fn content(snapshot: Snapshot, failure: Option<FormFailure>, from_log: Option<FromLog>) -> AnyView {
    let tab = use_tab();
    let locale = tab.locale;
    let live = tab.live;
    let (loaded, log_error) = match from_log {
        Some(Ok(Ok(records))) => (records, None),
        Some(Ok(Err(error))) => (Vec::new(), Some(words::read_error(locale, &error))),
        Some(Err(_)) => (Vec::new(), Some((td_string!(locale, error.no_answer).into(), String::new()))),
        None => (Vec::new(), None),
    };
    if !loaded.is_empty() {
        live.add_loaded(loaded);
    }
    let entries = live.visible();
    let lines = Lines::new(entries);
    let topics = snapshot.topics.clone();
    let listened_to = topics.clone();
    let is_empty = Memo::new(move |_| entries.with(Vec::is_empty));
    listen_to_keys(lines, tab);
    announce(entries, tab);
    on_cleanup(move || live.hold(false));
    view! {
        <main class="main live" id="main" tabindex="-1">
            <h1 class="sr">{td_string!(locale, nav.feed)}</h1>
            <div>
                <Toolbar topics=topics.clone()/>
                <StaticBanner at=snapshot.at/>
                <Banners/>
                {log_error.map(|(what, why)| banner("danger", what, why))}
                <Strip group=snapshot.group/>
            </div>
            <div class="content">
                <List lines one_topic={topics.len() == 1}/>
                {move || is_empty.get().then(|| view! {
                    <div class="over"><Empty topics=listened_to.clone()/></div>
                })}
            </div>
            <Drawer lines/>
            <Composer topics limits=snapshot.limits failure/>
        </main>
    }
    .into_any()
}

/// The feed's own keys; those of every page are in [`crate::components::Keys`].
fn listen_to_keys(lines: Lines, tab: Tab) {
    let on_key = window_event_listener(ev::keydown, move |event| {
        if event.key() == "Escape" && lines.open.with_untracked(Option::is_some) && is_shortcut(&event) {
            lines.close();
            event.prevent_default();
            return;
        }
        if !tab.single_keys.get_untracked() || !is_shortcut(&event) {
            return;
        }
        match event.key().as_str() {
            " " if !browser::is_on_a_control(&event) => toggle_pause(tab),
            "j" | "ArrowDown" => lines.step(1),
            "k" | "ArrowUp" => lines.step(-1),
            "Enter" if !browser::is_on_a_control(&event) => lines.open_current(),
            "g" => lines.newest(tab),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || on_key.remove());
}

/// Tells a screen reader how many messages came, seldom and never while someone writes; and what a filter found.
fn announce(entries: Signal<Vec<Arc<Entry>>>, tab: Tab) {
    let locale = tab.locale;
    let live = tab.live;
    let told = StoredValue::new(None::<u64>);
    Effect::new(move || {
        let every = set_interval_with_handle(
            move || {
                let total = live.total().get_untracked();
                let before = told.get_value().unwrap_or(total);
                told.set_value(Some(total));
                if total > before && !browser::a_field_has_the_focus() {
                    tab.say(td_string!(locale, feed.new_messages, count = grouped(total - before)));
                }
            },
            ANNOUNCE_EVERY,
        );
        on_cleanup(move || {
            if let Ok(every) = every {
                every.clear();
            }
        });
    });
    Effect::new(move |before: Option<String>| {
        let filter = live.filter().get();
        if before.is_some_and(|before| before != filter) {
            let settled = set_timeout_with_handle(
                move || {
                    let found = grouped(entries.with_untracked(Vec::len) as u64);
                    tab.say(td_string!(locale, feed.found, count = found));
                },
                FILTER_SETTLES,
            );
            on_cleanup(move || {
                if let Ok(settled) = settled {
                    settled.clear();
                }
            });
        }
        filter
    });
}
