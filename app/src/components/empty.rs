//! What is shown where rows would be: an empty feed and a filter without a match are different things.

use super::{icon, instance};
use crate::format::number::grouped;
use crate::{api, browser, tab::use_tab, words};
use leptos::{prelude::*, task::spawn_local};
use leptos_i18n::td_string;
use wire::Assignment;

/// How many records of the log an empty feed offers.
pub const LAST: usize = 100;

/// An empty place: what is (not) there, what that means, what can be done.
pub fn empty(symbol: &'static str, title: String, text: AnyView, actions: AnyView) -> AnyView {
    view! {
        <div class="empty">
            {icon(symbol)}
            <h2>{title}</h2>
            <p>{text}</p>
            <div class="wrap">{actions}</div>
        </div>
    }
    .into_any()
}

/// Why the list has no rows.
#[component]
pub fn Empty(topics: Vec<String>) -> impl IntoView {
    let tab = use_tab();
    let live = tab.live;
    let topics = topics.join(", ");
    move || {
        let is_filtered = !live.filter().get().trim().is_empty() || live.partition().get().is_some();
        match is_filtered {
            true => no_match(),
            false => nothing_yet(&topics, &live.instance().get(), &live.assignment().get()),
        }
    }
}

fn no_match() -> AnyView {
    let tab = use_tab();
    let locale = tab.locale;
    let live = tab.live;
    let clear = move |_| {
        live.filter().set(String::new());
        live.partition().set(None);
    };
    let total = grouped(live.total().get());
    empty(
        "filter",
        td_string!(locale, feed.no_match, total),
        view! { {td_string!(locale, feed.no_match_text)} }.into_any(),
        view! { <button type="button" class="btn" on:click=clear>{td_string!(locale, feed.clear_filter)}</button> }
            .into_any(),
    )
}

fn nothing_yet(topics: &str, serving: &str, assignment: &Assignment) -> AnyView {
    let tab = use_tab();
    let locale = tab.locale;
    let listens = match assignment.owned.is_empty() {
        true => td_string!(locale, feed.owns_nothing_yet).to_owned(),
        false => td_string!(locale, feed.listens, partitions = words::owned(locale, &assignment.owned)),
    };
    let failed = RwSignal::new(None::<String>);
    // Without JavaScript the link asks the server for the same.
    let load = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        spawn_local(async move {
            match api::newest_from_log(String::new(), LAST).await {
                Ok(Ok(records)) if records.is_empty() => failed.set(Some(td_string!(locale, feed.log_is_empty).into())),
                Ok(Ok(records)) => tab.live.add_loaded(records),
                Ok(Err(error)) => failed.set(Some(words::read_error(locale, &error).1)),
                Err(_) => failed.set(Some(td_string!(locale, error.no_answer).into())),
            }
        });
    };
    let text = view! {
        {instance(serving, true)}
        " "
        {listens}
        " "
        {td_string!(locale, feed.appears_by_itself)}
        <span class="error" role="alert">{move || failed.get()}</span>
    };
    let actions = view! {
        <a class="btn primary" href="/produce" on:click=move |event| {
            event.prevent_default();
            browser::focus("compose-value");
        }>
            {icon("send")}
            {td_string!(locale, feed.send_first)}
        </a>
        <a class="btn" href=format!("/?last={LAST}") on:click=load>
            {icon("down")}
            {td_string!(locale, feed.show_last, count = LAST)}
        </a>
    };
    empty("feed", td_string!(locale, feed.nothing_yet, topics), text.into_any(), actions.into_any())
}
