//! The drawer: the record of the current row, beside the list.

use super::{Detail, Lines, copy_button, icon, instance, row};
use crate::{api, browser, live::Entry, tab::use_tab};
use leptos::{prelude::*, task::spawn_local};
use leptos_i18n::td_string;
use std::sync::Arc;
use wire::Record;

/// The drawer of a list. Empty and hidden while nothing is open.
#[component]
pub fn Drawer(lines: Lines) -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    view! {
        <aside
            class="drawer"
            class:open=move || lines.open.with(Option::is_some)
            aria-label=td_string!(locale, detail.title)
        >
            {move || lines.open.get().and_then(|entry| content(lines, &entry))}
        </aside>
    }
}

fn content(lines: Lines, entry: &Arc<Entry>) -> Option<AnyView> {
    let tab = use_tab();
    let locale = tab.locale;
    let head = entry.record()?.clone();
    let place = row::place(&head);
    let path = row::path(&place);
    let name = place.to_string();
    // The head until the whole value was asked for.
    let record = RwSignal::new(head);
    let load = Callback::new(move |()| {
        let place = place.clone();
        spawn_local(async move {
            if let Ok(Ok(whole)) = api::record(place).await {
                record.update(|record| {
                    *record = Record { received: record.received, flags: record.flags, seq: record.seq, ..whole };
                });
            }
        });
    });
    let consumed_by = entry.instance.clone().map(|by| {
        view! {
            <p class="receipt">
                {td_string!(locale, receipt.consumed_by)}
                " "
                {instance(&by, tab.live.instance().get_untracked() == *by)}
            </p>
        }
    });
    let step = move |by: isize, symbol: &'static str, name: &'static str, key: &str| {
        view! {
            <button
                type="button"
                class="btn quiet square"
                aria-label=name
                title=format!("{name} ({key})")
                on:click=move |_| lines.step(by)
            >
                {icon(symbol)}
            </button>
        }
        .into_any()
    };
    let address = path.clone();
    let view = view! {
        <header>
            <h2 class="mono">{name.clone()}</h2>
            <span class="push"></span>
            {step(-1, "prev", td_string!(locale, detail.newer), "k")}
            {step(1, "down", td_string!(locale, detail.older), "j")}
            {copy_button(td_string!(locale, detail.copy_link), Some("link"), move || browser::absolute(&address))}
            <button
                type="button"
                class="btn quiet square"
                id="close-detail"
                aria-label=td_string!(locale, app.close)
                title=format!("{} (Esc)", td_string!(locale, app.close))
                on:click=move |_| lines.close()
            >
                {icon("x")}
            </button>
        </header>
        <div class="body">
            {consumed_by}
            {move || view! { <Detail record=record.get() id="value-as" load=Some(load)/> }}
        </div>
        <footer>
            <a class="btn primary" href=format!("/produce?again={name}")>
                {icon("again")}
                {td_string!(locale, detail.again)}
            </a>
            <a class="btn" href=path>{td_string!(locale, detail.own_page)}</a>
        </footer>
    };
    Some(view.into_any())
}
