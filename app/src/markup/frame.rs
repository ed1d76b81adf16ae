//! The frame of every page: navigation, head, list of keys.

use super::{connection::connection, icon::icon, instance::instance, members::members};
use crate::{
    live::Connection,
    preferences::{LANGUAGES, Preferences, Theme},
    reader::Reader,
};
use leptos_i18n::{Locale as _, td_string};
use maud::{Markup, html};
use wire::Snapshot;

/// The navigation: at the side, a tab bar on phones. Below it, the group and the instance that serves this tab.
pub fn navigation(reader: &Reader, path: &str, snapshot: &Snapshot, read_only: bool) -> Markup {
    let locale = reader.locale;
    let links = [
        ("/", "feed", td_string!(locale, nav.feed)),
        ("/produce", "send", td_string!(locale, nav.produce)),
        ("/topics", "topic", td_string!(locale, nav.topics)),
        ("/groups", "group", td_string!(locale, nav.groups)),
        ("/cluster", "cluster", td_string!(locale, nav.cluster)),
        ("/api/docs", "api", td_string!(locale, nav.api)),
    ];
    let links = links.into_iter().filter(|(link, ..)| !(read_only && *link == "/produce"));
    let is_here = |link: &str| path == link || (link != "/" && path.starts_with(link));
    html! {
        nav.nav aria-label=(td_string!(locale, nav.main)) {
            a.brand href="/" { (icon("mark")) "Ottla" }
            ul {
                @for (link, symbol, name) in links {
                    li { a href=(link) aria-current=[is_here(link).then_some("page")] { (icon(symbol)) (name) } }
                }
            }
            footer {
                h2.muted {
                    (td_string!(locale, nav.group)) " " span.mono { (snapshot.group) }
                    span.push.faint { (td_string!(locale, unit.per_second)) }
                }
                ul #members { (members(reader, &snapshot.members, &snapshot.instance, snapshot.stats.rate)) }
            }
        }
    }
}

/// The page's head: where one is, who serves, how the connection is, theme and language. `address` is the page's, with its query.
pub fn top_bar(
    reader: &Reader,
    preferences: &Preferences,
    title: &Markup,
    address: &str,
    snapshot: &Snapshot,
    read_only: bool,
) -> Markup {
    let locale = reader.locale;
    let keys = td_string!(locale, keys.title);
    html! {
        header.bar {
            a.brand.only-small href="/" aria-label="Ottla" { (icon("mark")) }
            strong { (title) }
            span.push {}
            @if read_only {
                span.badge title=(td_string!(locale, read_only.means)) { (icon("lock")) (td_string!(locale, read_only.badge)) }
            }
            @if snapshot.embedded {
                span.badge.only-wide title=(td_string!(locale, kafka.embedded_hint)) { (td_string!(locale, kafka.embedded)) }
            }
            span data-serving { (instance(&snapshot.instance, &snapshot.instance)) }
            span #connection .conn.needs-script data-state="connecting" data-tone="info" aria-busy="true" {
                (connection(reader, Connection::Connecting))
            }
            (choices(reader, preferences, address))
            button.btn.quiet.square.needs-script type="button" aria-label=(keys) title={ (keys) " (?)" } data-do="keys" {
                (icon("help"))
            }
        }
    }
}

/// Language and theme: a plain form that the server answers with cookies, and with the page's address again. With JavaScript the
/// theme changes in place.
fn choices(reader: &Reader, preferences: &Preferences, address: &str) -> Markup {
    let locale = reader.locale;
    let themes = [
        (Theme::System, td_string!(locale, theme.system)),
        (Theme::Light, td_string!(locale, theme.light)),
        (Theme::Dark, td_string!(locale, theme.dark)),
    ];
    html! {
        form.wrap.choices action="/preferences" method="get" {
            input #back type="hidden" name="back" value=(address) autocomplete="off";
            label.pick {
                (icon("globe"))
                span.sr { (td_string!(locale, app.language)) }
                select name="lang" autocomplete="off" {
                    @for (other, name) in LANGUAGES {
                        option value=(other.as_str()) lang=(other.as_str()) selected[other == locale] { (name) }
                    }
                }
            }
            label.pick {
                (icon("theme"))
                span.sr { (td_string!(locale, theme.name)) }
                select name="theme" autocomplete="off" {
                    @for (theme, name) in themes {
                        option value=(theme.name()) selected[theme == preferences.theme] { (name) }
                    }
                }
            }
            button.btn.only-static { (td_string!(locale, app.apply)) }
        }
    }
}

/// The list of keys.
pub fn keys(reader: &Reader, preferences: &Preferences, read_only: bool) -> Markup {
    let locale = reader.locale;
    let keys = [
        ("/", td_string!(locale, keys.filter)),
        ("Space", td_string!(locale, keys.pause)),
        ("j k", td_string!(locale, keys.step)),
        ("Enter", td_string!(locale, keys.open)),
        ("Esc", td_string!(locale, keys.close)),
        ("c", td_string!(locale, keys.compose)),
        ("Ctrl ↵", td_string!(locale, keys.send)),
        ("g", td_string!(locale, keys.newest)),
        ("?", td_string!(locale, keys.this_list)),
    ];
    let keys = keys.into_iter().filter(|(key, _)| !(read_only && matches!(*key, "c" | "Ctrl ↵")));
    html! {
        dialog #keys .dialog aria-labelledby="keys-title" {
            form.card method="dialog" {
                header {
                    h2 #keys-title { (td_string!(locale, keys.title)) }
                    button.btn.quiet.square.push aria-label=(td_string!(locale, app.close)) { (icon("x")) }
                }
                div.body {
                    dl.kv { @for (key, meaning) in keys { dt { kbd { (key) } } dd { (meaning) } } }
                    label.check {
                        input #single-keys type="checkbox" autocomplete="off" checked[preferences.single_keys];
                        span { (td_string!(locale, keys.single)) }
                    }
                }
            }
        }
    }
}
