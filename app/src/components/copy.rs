//! A button that copies.

use super::icon;
use crate::{browser, tab::use_tab};
use leptos::prelude::*;
use leptos_i18n::td_string;
use std::time::Duration;

/// How long the button says that it copied.
const SHOWN_FOR: Duration = Duration::from_secs(2);

/// Copies what `text` gives. A `symbol` makes it a square button with that icon, named `label`.
pub fn copy_button(label: &'static str, symbol: Option<&'static str>, text: impl Fn() -> String + 'static) -> AnyView {
    let tab = use_tab();
    let copied = RwSignal::new(false);
    let copy = move |_| {
        browser::copy(&text());
        copied.set(true);
        tab.say(td_string!(tab.locale, app.copied));
        set_timeout(move || copied.set(false), SHOWN_FOR);
    };
    let mark = move || if copied.get() { icon("check") } else { icon(symbol.unwrap_or("copy")) };
    match symbol {
        Some(_) => view! {
            <button type="button" class="btn quiet square needs-script" aria-label=label title=label on:click=copy>
                {mark}
            </button>
        }
        .into_any(),
        None => view! {
            <button type="button" class="btn quiet push needs-script" on:click=copy>
                {mark}
                {move || if copied.get() { td_string!(tab.locale, app.copied) } else { label }}
            </button>
        }
        .into_any(),
    }
}
