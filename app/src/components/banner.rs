//! Banners: each lasts as long as the state that it tells about, and says what happened, what it means for the data, and
//! what can be done.

use super::{icon, instance};
use crate::{browser, live::Connection, tab::use_tab};
use leptos::prelude::*;
use leptos_i18n::td_string;
use wire::{KafkaState, Millis};

/// A banner with a title and a text. `danger` is told to a screen reader at once.
pub fn banner(tone: &'static str, title: impl Into<String>, text: impl Into<String>) -> AnyView {
    let (role, mark) = match tone {
        "danger" => ("alert", "error"),
        "warn" => ("status", "warn"),
        _ => ("status", "info"),
    };
    view! {
        <div class="banner" data-tone=tone role=role>
            {icon(mark)}
            <p>
                <b>{title.into()}</b>
                " "
                {text.into()}
            </p>
        </div>
    }
    .into_any()
}

/// What has to be said above a feed: the connection lost, Kafka down, a newer build.
#[component]
pub fn Banners() -> impl IntoView {
    let tab = use_tab();
    let kafka = tab.live.kafka();
    let instance = tab.live.instance();
    let stale = tab.live.stale_build();
    view! {
        {move || connection_lost(instance)}
        {move || match kafka.get() {
            KafkaState::Down { since, reason } => Some(kafka_down(since, reason)),
            KafkaState::Connecting | KafkaState::Up => None,
        }}
        {move || stale.get().then(stale_build)}
    }
}

/// Waits for the network: the rows stay, and the feed goes on where it stopped.
fn connection_lost(serving: Signal<String>) -> Option<AnyView> {
    let tab = use_tab();
    let locale = tab.locale;
    let live = tab.live;
    // Only whether it is lost is looked at here; the count-down changes on its own, and is not announced.
    let lost =
        Memo::new(move |_| matches!(live.connection().get(), Connection::Reconnecting { .. } | Connection::Offline));
    lost.get().then(|| {
        let countdown = move || match live.connection().get() {
            Connection::Reconnecting { in_seconds } => td_string!(locale, conn.again_in, seconds = in_seconds),
            _ => td_string!(locale, conn.offline_text).to_owned(),
        };
        view! {
            <div class="banner" data-tone="warn">
                {icon("plug")}
                <p>
                    <b>{td_string!(locale, conn.lost)} " " {instance(&serving.get_untracked(), true)}</b>
                    " "
                    <span class="num" role="timer" aria-live="off">{countdown}</span>
                    " "
                    {td_string!(locale, conn.nothing_skipped)}
                </p>
                <button type="button" class="btn" on:click=move |_| live.retry_now()>
                    {td_string!(locale, conn.try_now)}
                </button>
            </div>
        }
        .into_any()
    })
}

fn kafka_down(since: Millis, reason: String) -> AnyView {
    let tab = use_tab();
    let locale = tab.locale;
    view! {
        <div class="banner" data-tone="danger" role="alert">
            {icon("error")}
            <p>
                <b>{td_string!(locale, kafka.down)}</b>
                " "
                {td_string!(locale, kafka.down_since)}
                " "
                <time class="mono" datetime=crate::format::time::rfc3339(since)>{move || tab.time_of_day(since)}</time>
                ". "
                {td_string!(locale, kafka.down_means)}
                " "
                <code>{reason}</code>
            </p>
        </div>
    }
    .into_any()
}

fn stale_build() -> AnyView {
    let locale = use_tab().locale;
    view! {
        <div class="banner" data-tone="info" role="status">
            {icon("info")}
            <p>{td_string!(locale, conn.stale_build)}</p>
            <button type="button" class="btn" on:click=move |_| { let _ = location().reload(); }>
                {icon("again")}
                {td_string!(locale, app.reload)}
            </button>
        </div>
    }
    .into_any()
}

/// What a page without JavaScript, or whose WebAssembly does not load, says about itself. The stylesheets show it only then.
#[component]
pub fn StaticBanner(
    /// When the page was rendered.
    at: Millis,
) -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    view! {
        <div class="banner only-static" data-tone="info">
            {icon("info")}
            <p>
                {td_string!(locale, feed.without_script)}
                " "
                <time class="mono" datetime=crate::format::time::rfc3339(at)>{move || tab.time_of_day(at)}</time>
                " UTC"
            </p>
            <a class="btn" rel="external" href="">
                {icon("again")}
                {td_string!(locale, app.reload)}
            </a>
        </div>
    }
}

/// Tells a screen reader in words what changed, but for what [`banner`] tells itself.
pub fn announce_connection(instance: Signal<String>) {
    let tab = use_tab();
    Effect::new(move |before: Option<Option<bool>>| {
        let now = match tab.live.connection().get() {
            Connection::Live { .. } => Some(true),
            Connection::Reconnecting { .. } | Connection::Offline => Some(false),
            Connection::Connecting => before.flatten(),
        };
        if before.flatten() != now && !browser::a_field_has_the_focus() {
            match now {
                Some(true) => tab.say(td_string!(tab.locale, conn.served_by, instance = instance.get_untracked())),
                Some(false) => tab.say(td_string!(tab.locale, conn.lost)),
                None => {}
            }
        }
        now
    });
}
