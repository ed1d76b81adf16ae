//! An instance: a dot in its hue and its name. Only the own one, which serves this tab, is filled.

use crate::format::hue;
use maud::{Markup, html};

/// The chip of the instance called `name`; `own` is the name of the one that serves this tab.
pub fn instance(name: &str, own: &str) -> Markup {
    html! { span.inst.own[name == own] data-i=(hue::of(name)) { (name) } }
}
