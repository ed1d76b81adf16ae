//! The page's head: where one is, who serves, how the connection is, theme and language.

use super::{banner::announce_connection, connection::ConnectionChip, icon, instance, with_snapshot};
use crate::{
    browser,
    preferences::{LANGUAGES, THEME_COOKIE, Theme},
    tab::use_tab,
};
use leptos::{ev::Event, prelude::*};
use leptos_i18n::{Locale as _, td_string};
use leptos_router::hooks::use_location;
use wasm_bindgen::JsCast;

/// The head of every page.
#[component]
pub fn TopBar() -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let here = use_location().pathname;
    let title = move || match here.get().split('/').nth(1) {
        Some("") | None => td_string!(locale, nav.feed),
        Some("produce") => td_string!(locale, nav.produce),
        Some("topics") => td_string!(locale, nav.topics),
        Some(_) => "",
    };
    view! {
        <header class="bar">
            <a class="brand only-small" href="/" aria-label="Ottla">{icon("mark")}</a>
            <strong>{title}</strong>
            <span class="push"></span>
            {with_snapshot(move |snapshot| {
                let serving = tab.live.instance();
                announce_connection(serving);
                let embedded = snapshot.embedded.then(|| view! {
                    <span class="badge only-wide" title=td_string!(locale, kafka.embedded_hint)>
                        {td_string!(locale, kafka.embedded)}
                    </span>
                });
                view! {
                    {embedded}
                    {move || instance(&serving.get(), true)}
                }
                .into_any()
            })}
            <ConnectionChip/>
            <Choices/>
            <button
                type="button"
                class="btn quiet square only-wide needs-script"
                aria-label=td_string!(locale, keys.title)
                title=format!("{} (?)", td_string!(locale, keys.title))
                on:click=|_| { super::keys::show(); }
            >
                {icon("help")}
            </button>
        </header>
    }
}

/// Language and theme: a plain form that the server answers with cookies. With JavaScript the theme changes in place.
#[component]
fn Choices() -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let here = use_location().pathname;
    let submit = |event: Event| {
        let form = event_target::<web_sys::HtmlSelectElement>(&event).form();
        if let Some(form) = form.and_then(|form| form.dyn_into::<web_sys::HtmlFormElement>().ok()) {
            let _ = form.request_submit();
        }
    };
    let themes = [
        (Theme::System, td_string!(locale, theme.system)),
        (Theme::Light, td_string!(locale, theme.light)),
        (Theme::Dark, td_string!(locale, theme.dark)),
    ];
    view! {
        <form class="wrap choices" action="/preferences" method="get">
            <input type="hidden" name="back" value=move || here.get()/>
            <label class="pick">
                {icon("globe")}
                <span class="sr">{td_string!(locale, app.language)}</span>
                <select name="lang" autocomplete="off" on:change=submit>
                    {LANGUAGES
                        .map(|(other, name)| {
                            let tag = other.as_str();
                            view! { <option value=tag lang=tag selected=other == locale>{name}</option> }
                        })
                        .into_iter()
                        .collect_view()}
                </select>
            </label>
            <label class="pick">
                {icon("theme")}
                <span class="sr">{td_string!(locale, theme.name)}</span>
                <select
                    name="theme"
                    autocomplete="off"
                    on:change=|event| browser::remember(THEME_COOKIE, &event_target_value(&event))
                >
                    {themes
                        .map(|(theme, name)| {
                            view! { <option value=theme.name() selected=theme == tab.theme>{name}</option> }
                        })
                        .into_iter()
                        .collect_view()}
                </select>
            </label>
            <button class="btn only-static">{td_string!(locale, app.apply)}</button>
        </form>
    }
}
