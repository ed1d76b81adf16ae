//! An instance: a dot in its hue and its name. Only the own one, which serves this tab, is filled.

use crate::format::hue;
use leptos::prelude::*;

/// The chip of the instance called `name`.
pub fn instance(name: &str, own: bool) -> AnyView {
    let hue = hue::of(name).to_string();
    view! { <span class="inst" class:own=own data-i=hue>{name.to_owned()}</span> }.into_any()
}
