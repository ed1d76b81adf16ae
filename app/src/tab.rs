//! What every part of one open page shares: the language, the feed, the clock, and what was said to a screen reader.

use crate::{
    api, browser, format,
    i18n::Locale,
    live::Live,
    preferences::{Preferences, Theme},
};
use leptos::prelude::*;
use std::time::Duration;
use wire::{Millis, Snapshot};

/// One open page. A handle; copies are the same page.
#[derive(Clone, Copy)]
pub struct Tab {
    /// The language. Fixed: another one is another page.
    pub locale: Locale,
    /// The theme that the page was rendered with.
    pub theme: Theme,
    /// Whether rows are taller.
    pub roomy: RwSignal<bool>,
    /// Whether keys without a modifier do something.
    pub single_keys: RwSignal<bool>,
    /// The feed as the server rendered it.
    pub snapshot: Resource<Result<Snapshot, ServerFnError>>,
    /// The feed as it goes on.
    pub live: Live,
    /// Whether the page runs in a browser. False until it is hydrated, so that its first state is what the server rendered.
    pub hydrated: RwSignal<bool>,
    said: RwSignal<String>,
}

impl Tab {
    /// Makes it, and gives it to everything below.
    pub fn provide() -> Self {
        let Preferences { theme, locale, roomy, single_keys } = Preferences::current();
        let tab = Self {
            locale,
            theme,
            roomy: RwSignal::new(roomy),
            single_keys: RwSignal::new(single_keys),
            snapshot: Resource::new_blocking(|| (), |()| api::snapshot(String::new())),
            live: Live::provide(),
            hydrated: RwSignal::new(false),
            said: RwSignal::default(),
        };
        provide_context(tab);
        tab
    }

    /// Connects to the feed once the page is hydrated.
    pub fn go_live(self) {
        Effect::new(move || {
            let Some(snapshot) = self.snapshot.get() else { return };
            // Parts of the page are hydrated in tasks of their own, which must find what the server rendered: after them.
            let begin = move || {
                if let Ok(snapshot) = snapshot {
                    self.live.start(snapshot);
                }
                self.hydrated.set(true);
                // Tests, and the stylesheet's fallback for a page that never hydrates, look at it.
                let _ = browser::root().set_attribute("data-hydrated", "");
            };
            set_timeout(begin, Duration::ZERO);
        });
    }

    /// The time of day: in UTC as rendered, in the reader's zone once that is known.
    pub fn time_of_day(self, at: Millis) -> String {
        format::time::of_day(at, self.zone_offset(at))
    }

    /// Date and time, with the offset from UTC.
    pub fn full_time(self, at: Millis) -> String {
        format::time::full(at, self.zone_offset(at))
    }

    fn zone_offset(self, at: Millis) -> i32 {
        if self.hydrated.get() { browser::zone_offset(at) } else { 0 }
    }

    /// Tells a screen reader, politely.
    pub fn say(self, text: impl Into<String>) {
        self.said.set(text.into());
    }

    /// What was told last.
    pub fn said(self) -> ReadSignal<String> {
        self.said.read_only()
    }
}

/// The page that this part belongs to.
pub fn use_tab() -> Tab {
    expect_context()
}
