//! `/groups` and `/groups/NAME`: the consumer groups of the cluster, kept live ([`super::live`]).

use super::{
    Content, Visit,
    live::{Absent, Found, Subject, Viewer},
    page, set_status,
};
use crate::{
    api,
    markup::{empty::empty, groups, icon::icon, live},
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_params_map;
use maud::{Markup, html};

/// The list of groups.
#[component]
pub fn Groups() -> impl IntoView {
    page(async |visit| {
        let locale = visit.reader.locale;
        let heading = |_: Option<&Found>| {
            html! {
                h1 { (td_string!(locale, nav.groups)) }
                p.muted { (td_string!(locale, groups.intro)) }
            }
        };
        content(&visit, td_string!(locale, nav.groups).into(), Subject::Groups, heading).await
    })
}

/// A group's page.
#[component]
pub fn Group() -> impl IntoView {
    let name = use_params_map().get_untracked().get("name").unwrap_or_default();
    page(async |visit| {
        let title = name.clone();
        let heading = |found: Option<&Found>| {
            let state = found.map(|found| found.heading(viewer(&visit)));
            html! {
                h1.mono { (title) }
                div #group-state .wrap { @if let Some(state) = state { (state) } }
                @if found.is_some() {
                    a.btn href={ (groups::path(&title)) "/reset" } { (td_string!(visit.reader.locale, reset.title_short)) }
                }
            }
        };
        content(&visit, title.clone(), Subject::Group(name), heading).await
    })
}

fn viewer(visit: &Visit) -> Viewer<'_> {
    Viewer { reader: &visit.reader, serving: &visit.snapshot.instance, now: visit.snapshot.at }
}

/// A page about something that is kept live.
pub(super) async fn content(
    visit: &Visit,
    title: String,
    subject: Subject,
    heading: impl Fn(Option<&Found>) -> Markup,
) -> Content {
    let reader = &visit.reader;
    let found = match api::engine() {
        Ok(engine) => subject.look(reader, &engine).await,
        Err(error) => Err(Absent::because(reader, error.to_string())),
    };
    let address = subject.stream(found.is_ok());
    let (heading, body) = match &found {
        Ok(found) => (heading(Some(found)), found.body(viewer(visit))),
        Err(absent) => {
            set_status(absent.status);
            (heading(None), instead(visit, absent))
        }
    };
    Content::plain(
        title,
        html! {
            header { (heading) (live::sign(reader, &address)) }
            (live::without_script(reader, visit.snapshot.at))
            div id=(super::live::NOTE) {}
            div.stack id=(super::live::BODY) { (body) }
        },
    )
}

/// What a page shows that has nothing to show.
fn instead(visit: &Visit, absent: &Absent) -> Markup {
    let locale = visit.reader.locale;
    let actions = html! {
        a.btn href="" { (icon("again")) (td_string!(locale, app.try_again)) }
        @if visit.path.starts_with("/groups/") { a.btn href="/groups" { (td_string!(locale, groups.all)) } }
    };
    html! { section.card { (empty(absent.symbol, &absent.title, &absent.text, &actions)) } }
}
