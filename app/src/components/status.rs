//! The one place that speaks to a screen reader by itself: politely, and never about latency, rates or count-downs.

use crate::tab::use_tab;
use leptos::prelude::*;

/// The hidden status line of the page.
#[component]
pub fn StatusLine() -> impl IntoView {
    let said = use_tab().said();
    view! { <p class="sr" role="status">{move || said.get()}</p> }
}
