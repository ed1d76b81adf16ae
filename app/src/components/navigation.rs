//! The navigation: at the side, a tab bar on phones. Below it, the group and the instance that serves this tab.

use super::{icon, instance, with_snapshot};
use crate::{format::number::grouped, tab::use_tab};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_location;

/// Links to the pages that there are.
#[component]
pub fn Navigation() -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let link = |path: &'static str, symbol: &'static str, name: &'static str| {
        let here = use_location().pathname;
        let is_here = move || {
            let here = here.get();
            (here == path || (path != "/" && here.starts_with(path))).then_some("page")
        };
        view! {
            <li>
                <a href=path aria-current=is_here>
                    {icon(symbol)}
                    {name}
                </a>
            </li>
        }
        .into_any()
    };
    view! {
        <nav class="nav" aria-label=td_string!(locale, nav.main)>
            <a class="brand" href="/">{icon("mark")} "Ottla"</a>
            <ul>
                {link("/", "feed", td_string!(locale, nav.feed))}
                {link("/produce", "send", td_string!(locale, nav.produce))}
                {link("/topics", "topic", td_string!(locale, nav.topics))}
            </ul>
            {with_snapshot(move |snapshot| {
                let serving = tab.live.instance();
                let stats = tab.live.stats();
                view! {
                    <footer>
                        <h2 class="muted">
                            {td_string!(locale, nav.group)}
                            " "
                            <span class="mono">{snapshot.group}</span>
                            <span class="push faint">{td_string!(locale, unit.per_second)}</span>
                        </h2>
                        <ul>
                            <li>
                                {move || instance(&serving.get(), true)}
                                <span class="faint">{td_string!(locale, nav.this_tab)}</span>
                                <span class="num muted push">{move || grouped(stats.get().rate)}</span>
                            </li>
                        </ul>
                    </footer>
                }
                .into_any()
            })}
        </nav>
    }
}
