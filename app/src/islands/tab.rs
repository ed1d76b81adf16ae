//! What the islands of one open page share.

use crate::{
    browser,
    live::Live,
    preferences::Preferences,
    reader::Reader,
    rendered::{self, Rendered},
};
use std::{
    cell::{Cell, OnceCell},
    time::Duration,
};
use wire::Limits;

/// One open page.
pub struct Open {
    /// For whom it is written.
    pub reader: Reader,
    /// The feed, which begins with what the server rendered.
    pub live: Live,
    /// What a message may be at most.
    pub limits: Limits,
    /// The feed's name.
    pub feed: String,
    /// The consumer group.
    pub group: String,
    /// The topics that the feed follows.
    pub topics: Vec<String>,
    /// Whether keys without a modifier do something.
    pub single_keys: Cell<bool>,
}

/// The open page. It is there as long as the browser shows it.
pub type Tab = &'static Open;

thread_local! {
    // Islands begin one by one, each under an owner of its own; what they share is not in any of them.
    static TAB: OnceCell<Option<Tab>> = const { OnceCell::new() };
}

/// The open page; nothing where it came without what it was rendered from, as an error page does.
pub fn tab() -> Option<Tab> {
    TAB.with(|tab| *tab.get_or_init(Open::begin))
}

impl Open {
    /// Begins with what the server rendered, and connects when every island is there.
    fn begin() -> Option<Tab> {
        let packed = browser::by_id::<web_sys::HtmlElement>(rendered::ID)?.text_content()?;
        let Rendered { snapshot, loaded } = Rendered::unpack(&packed)?;
        let live = Live::provide();
        live.seed(&snapshot);
        live.add_loaded(loaded);
        let open = Self {
            reader: Reader::current(),
            live,
            limits: snapshot.limits,
            feed: snapshot.feed.clone(),
            group: snapshot.group.clone(),
            topics: snapshot.topics.clone(),
            single_keys: Cell::new(Preferences::current().single_keys),
        };
        browser::after(Duration::ZERO, move || live.start(snapshot));
        Some(Box::leak(Box::new(open)))
    }

    /// The name of the instance that serves this tab.
    pub fn serving(&self) -> String {
        use leptos::prelude::Get;
        self.live.instance().get()
    }
}

/// Tells a screen reader, politely.
pub fn say(text: &str) {
    if let Some(status) = browser::by_id::<web_sys::HtmlElement>("status") {
        status.set_text_content(Some(text));
    }
}
