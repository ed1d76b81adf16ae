//! A moment, for people and for machines.

use crate::{format::time, reader::Reader};
use maud::{Markup, html};
use wire::Millis;

/// The attribute of times that are shown with their date and zone; the others show the time of day.
pub const FULL: &str = "data-full";

/// The time of day.
pub fn of_day(reader: &Reader, at: Millis) -> Markup {
    html! { time.mono datetime=(time::rfc3339(at)) { (reader.time_of_day(at)) } }
}

/// Date, time and offset from UTC as logs have them (ISO 8601); behind it, the same in the reader's language.
pub fn full(reader: &Reader, at: Millis) -> Markup {
    html! {
        time.mono data-full datetime=(time::rfc3339(at)) title=[reader.time_in_words(at)] { (reader.full_time(at)) }
    }
}
