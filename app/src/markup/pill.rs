//! "132 new": what came while the list held.

use super::icon::icon;
use crate::{format::number::grouped, reader::Reader};
use leptos_i18n::td_string;
use maud::{Markup, html};

/// What the pill says.
pub fn pill(reader: &Reader, count: u64) -> Markup {
    html! { (icon("up")) span { (td_string!(reader.locale, feed.new_rows, count = grouped(count))) } }
}
