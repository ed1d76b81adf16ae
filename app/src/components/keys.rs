//! The keyboard: the list of keys, and those that work on every page. The feed's own are with the feed.

use super::icon;
use crate::{browser, preferences::KEYS_COOKIE, tab::use_tab};
use leptos::{ev, prelude::*};
use leptos_i18n::td_string;

const DIALOG: &str = "keys";

/// Shows the list of keys.
pub fn show() -> bool {
    let dialog = browser::by_id::<web_sys::HtmlDialogElement>(DIALOG);
    // Refused only while it is open already.
    dialog.is_some_and(|dialog| dialog.show_modal().is_ok())
}

/// Whether a key press is a single-key shortcut: no field has it, no modifier is held, and they are not turned off.
pub fn is_shortcut(event: &ev::KeyboardEvent) -> bool {
    let is_modified = event.ctrl_key() || event.alt_key() || event.meta_key();
    let dialog_is_open = browser::by_id::<web_sys::HtmlDialogElement>(DIALOG).is_some_and(|dialog| dialog.open());
    !is_modified && !event.default_prevented() && !dialog_is_open && !browser::is_in_a_field(event)
}

/// The dialog, and the keys that work everywhere.
#[component]
pub fn Keys() -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let on_key = window_event_listener(ev::keydown, move |event| {
        if !tab.single_keys.get_untracked() || !is_shortcut(&event) {
            return;
        }
        let is_done = match event.key().as_str() {
            "?" => show(),
            "/" => browser::focus("filter"),
            "c" => browser::focus("compose-value"),
            _ => false,
        };
        if is_done {
            event.prevent_default();
        }
    });
    on_cleanup(move || on_key.remove());
    let list = [
        ("/", td_string!(locale, keys.filter)),
        ("Space", td_string!(locale, keys.pause)),
        ("j k", td_string!(locale, keys.step)),
        ("Enter", td_string!(locale, keys.open)),
        ("Esc", td_string!(locale, keys.close)),
        ("c", td_string!(locale, keys.compose)),
        ("Ctrl ↵", td_string!(locale, keys.send)),
        ("g", td_string!(locale, keys.newest)),
        ("?", td_string!(locale, keys.this_list)),
    ];
    let choose = move |event: ev::Event| {
        let on = event_target_checked(&event);
        tab.single_keys.set(on);
        browser::remember(KEYS_COOKIE, if on { "" } else { "off" });
    };
    view! {
        <dialog class="dialog" id=DIALOG aria-labelledby="keys-title">
            <form method="dialog" class="card">
                <header>
                    <h2 id="keys-title">{td_string!(locale, keys.title)}</h2>
                    <button class="btn quiet square push" aria-label=td_string!(locale, app.close)>{icon("x")}</button>
                </header>
                <div class="body">
                    <dl class="kv">
                        {list
                            .into_iter()
                            .map(|(key, meaning)| view! { <dt><kbd>{key}</kbd></dt><dd>{meaning}</dd> })
                            .collect_view()}
                    </dl>
                    <label class="check">
                        <input type="checkbox" autocomplete="off" prop:checked=tab.single_keys on:change=choose/>
                        <span>{td_string!(locale, keys.single)}</span>
                    </label>
                </div>
            </form>
        </dialog>
    }
}
