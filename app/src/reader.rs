//! For whom the page is written: in which language, and in which time zone.

use crate::{format::time, i18n::Locale, preferences::Preferences};
use leptos_i18n::Locale as _;
use wire::Millis;

/// A reader of the page.
#[derive(Clone, Copy)]
pub struct Reader {
    /// The language. Fixed: another one is another page.
    pub locale: Locale,
    /// How many minutes east of UTC the reader's clock is at a moment. The server writes UTC, for it does not know.
    zone: fn(Millis) -> i32,
}

impl Reader {
    /// Of the page that is rendered, or that this browser shows.
    pub fn current() -> Self {
        Self {
            locale: Preferences::current().locale,
            zone: if cfg!(feature = "ssr") { |_| 0 } else { crate::browser::zone_offset },
        }
    }

    /// A reader in UTC.
    #[cfg(any(feature = "ssr", test))]
    pub fn of(locale: Locale) -> Self {
        Self { locale, zone: |_| 0 }
    }

    /// `14:32:07.418`
    pub fn time_of_day(&self, at: Millis) -> String {
        time::of_day(at, (self.zone)(at))
    }

    /// `2026-11-20 14:32:07.402 +08:00`
    pub fn full_time(&self, at: Millis) -> String {
        time::full(at, (self.zone)(at))
    }

    /// The same as the reader's language writes it, with the day of the week. Only a browser knows how.
    pub fn time_in_words(&self, at: Millis) -> Option<String> {
        (!cfg!(feature = "ssr")).then(|| crate::browser::in_words(at, self.locale.as_str()))
    }
}
