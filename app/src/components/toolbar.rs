//! The toolbar of the feed: topic, filter, partition, pause, clear, density.

use super::icon;
use crate::{
    browser,
    format::number::grouped,
    preferences::DENSITY_COOKIE,
    tab::{Tab, use_tab},
};
use leptos::{ev::Event, prelude::*};
use leptos_i18n::td_string;

/// The toolbar above the list.
#[component]
pub fn Toolbar(
    /// The topics that the feed follows.
    topics: Vec<String>,
) -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let live = tab.live;
    let filter = live.filter();
    let roomy = tab.roomy;
    let toggle_density = move |_| {
        roomy.update(|roomy| *roomy = !*roomy);
        browser::remember(DENSITY_COOKIE, if roomy.get_untracked() { "roomy" } else { "" });
    };
    view! {
        <div class="tools" role="toolbar" aria-label=td_string!(locale, feed.messages)>
            <span class="topics">
                <span class="faint only-wide">{td_string!(locale, feed.topic)}</span>
                " "
                <span class="mono">{topics.join(", ")}</span>
            </span>
            <label class="search needs-script">
                {icon("search")}
                <span class="sr">{td_string!(locale, feed.filter)}</span>
                <input
                    class="input"
                    type="search"
                    id="filter"
                    autocomplete="off"
                    placeholder=td_string!(locale, feed.filter)
                    aria-keyshortcuts="/"
                    prop:value=move || filter.get()
                    on:input=move |event| filter.set(event_target_value(&event))
                    on:keydown=move |event| if event.key() == "Escape" { browser::focus("rows"); }
                />
                <kbd class="only-wide">"/"</kbd>
            </label>
            <PartitionSelect/>
            <PauseButton/>
            <button
                type="button"
                class="btn quiet square only-wide needs-script"
                aria-label=td_string!(locale, feed.clear)
                title=td_string!(locale, feed.clear)
                on:click=move |_| live.clear()
            >
                {icon("clear")}
            </button>
            <button
                type="button"
                class="btn quiet square only-wide needs-script"
                aria-label=td_string!(locale, feed.density)
                title=td_string!(locale, feed.density)
                aria-pressed=move || roomy.get().to_string()
                on:click=toggle_density
            >
                {icon("rows")}
            </button>
        </div>
    }
}

#[component]
fn PartitionSelect() -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let assignment = tab.live.assignment();
    let chosen = tab.live.partition();
    // Several topics at most share a number; `topic[partition]` is what tells them apart, and how places are written.
    let choices = Memo::new(move |_| {
        let choices = assignment
            .get()
            .owned
            .into_iter()
            .flat_map(|owned| owned.partitions.into_iter().map(move |partition| (owned.topic.clone(), partition)));
        choices.collect::<Vec<_>>()
    });
    let name = |topic: &str, partition: i32| format!("{topic}[{partition}]");
    let choose = move |event: Event| {
        let value = event_target_value(&event);
        let found = choices.with_untracked(|choices| {
            choices.iter().find(|(topic, partition)| name(topic, *partition) == value).cloned()
        });
        chosen.set(found);
    };
    let options = move || {
        choices
            .get()
            .into_iter()
            .map(|(topic, partition)| {
                let name = name(&topic, partition);
                let is_chosen = move || chosen.get() == Some((topic.clone(), partition));
                view! { <option value=name.clone() prop:selected=is_chosen>{name.clone()}</option> }
            })
            .collect_view()
    };
    view! {
        <select
            class="input mono only-wide needs-script"
            autocomplete="off"
            aria-label=td_string!(locale, feed.partition)
            on:change=choose
        >
            <option value="" prop:selected=move || chosen.get().is_none()>{td_string!(locale, feed.all_partitions)}</option>
            {options}
        </select>
    }
}

/// Pauses the view, never the group; says how much waits.
#[component]
fn PauseButton() -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let paused = tab.live.paused();
    let waiting = tab.live.waiting();
    let content = move || {
        match paused.get() {
        true => view! {
            {icon("play")}
            <span>{td_string!(locale, feed.resume)}</span>
            <span class="num">{move || (waiting.get() > 0).then(|| td_string!(locale, feed.waiting, count = grouped(waiting.get())))}</span>
        }
        .into_any(),
        false => view! {
            {icon("pause")}
            <span class="pause-word">{td_string!(locale, feed.pause)}</span>
        }
        .into_any(),
    }
    };
    view! {
        <button
            type="button"
            class="btn needs-script"
            id="pause"
            aria-keyshortcuts="Space"
            aria-pressed=move || paused.get().to_string()
            on:click=move |_| toggle_pause(tab)
        >
            {content}
        </button>
    }
}

/// Pauses or resumes, and says so.
pub fn toggle_pause(tab: Tab) {
    let paused = !tab.live.paused().get_untracked();
    tab.live.paused().set(paused);
    let said = match paused {
        true => td_string!(tab.locale, feed.is_paused),
        false => td_string!(tab.locale, feed.is_resumed),
    };
    tab.say(said);
}
