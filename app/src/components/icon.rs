//! Icons: one sprite in the document, one reference per use. Hidden from assistive technology; what they mean is said in
//! words beside them.

use leptos::prelude::*;

/// The icon of this name; see [`Sprite`] for those that there are.
pub fn icon(name: &'static str) -> AnyView {
    view! {
        <svg class="icon" aria-hidden="true">
            <use_ href=format!("#i-{name}")/>
        </svg>
    }
    .into_any()
}

/// Every icon, on a 16 × 16 grid. Part of the document around the page, not of the WebAssembly.
#[cfg(feature = "ssr")]
#[component]
pub fn Sprite() -> impl IntoView {
    view! { <svg hidden inner_html=include_str!("icon/sprite.svg")></svg> }
}
