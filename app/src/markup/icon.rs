//! Icons: one sprite in the document, one reference per use. Hidden from assistive technology; what they mean is said in
//! words beside them.

use maud::{Markup, html};

/// Every icon, on a 16 × 16 grid: a part of the document around the page.
#[cfg(feature = "ssr")]
pub const SPRITE: &str = include_str!("icon/sprite.svg");

/// The icon of this name.
pub fn icon(name: &str) -> Markup {
    html! { svg.icon aria-hidden="true" { use href={ "#i-" (name) } {} } }
}
