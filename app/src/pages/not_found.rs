//! An address that leads nowhere.

use super::set_status;
use crate::{components::empty, tab::use_tab};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_meta::Title;

/// The page for every other address, with status 404.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status(404);
    let locale = use_tab().locale;
    let title = td_string!(locale, error.not_found);
    view! {
        <Title text=title/>
        <main class="main" id="main" tabindex="-1">
            <div class="page">
                <h1 class="sr">{title}</h1>
                <section class="card">
                    {empty(
                        "search",
                        title.into(),
                        view! { {td_string!(locale, error.not_found_text)} }.into_any(),
                        view! { <a class="btn primary" href="/">{td_string!(locale, nav.feed)}</a> }.into_any(),
                    )}
                </section>
            </div>
        </main>
    }
}
