//! Times in the reader's zone.

use super::tab::Tab;
use crate::{browser, markup};
use web_sys::Element;

/// The server wrote UTC.
pub fn localise(tab: Tab, within: &Element) {
    for element in browser::all_in(within, "time[datetime]") {
        let Some(at) = element.get_attribute("datetime").and_then(|text| browser::millis(&text)) else { continue };
        let is_full = element.has_attribute(markup::time::FULL);
        let text = if is_full { tab.reader.full_time(at) } else { tab.reader.time_of_day(at) };
        if let Some(words) = tab.reader.time_in_words(at).filter(|_| is_full) {
            _ = element.set_attribute("title", &words);
        }
        element.set_text_content(Some(&text));
    }
}
