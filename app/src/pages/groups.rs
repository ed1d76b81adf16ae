//! `/groups` and `/groups/NAME`: the consumer groups of the cluster, kept live ([`super::live`]).

use super::{
    Content, Visit,
    live::{Absent, Found, Subject, Viewer},
    page, set_status,
};
use crate::{
    api,
    groups::{GroupAction, GroupOutcome},
    markup::{banner::banner, empty::empty, group, groups, icon::icon, live},
};
use engine::Patience;
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::{use_params_map, use_query_map};
use maud::{Markup, html};

/// The list of groups.
#[component]
pub fn Groups() -> impl IntoView {
    let deleted = use_query_map().get_untracked().get("deleted");
    page(async move |visit| {
        let locale = visit.reader.locale;
        let said = deleted.map(|name| banner("ok", "", &td_string!(locale, groups.deleted, name)));
        let heading = |_: Option<&Found>| {
            html! {
                h1 { (td_string!(locale, nav.groups)) }
                p.muted { (td_string!(locale, groups.intro)) }
            }
        };
        content(&visit, td_string!(locale, nav.groups).into(), Subject::Groups, heading, said, |_| html! {}).await
    })
}

/// A group's page.
#[component]
pub fn Group() -> impl IntoView {
    let name = use_params_map().get_untracked().get("name").unwrap_or_default();
    let is_done = use_query_map().get_untracked().get("done").as_deref() == Some(GroupAction::Offsets.name());
    let outcome = use_context::<GroupOutcome>();
    page(async move |visit| {
        let (title, locale) = (name.clone(), visit.reader.locale);
        let heading = |found: Option<&Found>| {
            let state = found.map(|found| found.heading(viewer(&visit)));
            html! {
                h1.mono { (title) }
                div #group-state .wrap { @if let Some(state) = state { (state) } }
                @if found.is_some() && !visit.read_only {
                    a.btn href={ (groups::path(&title)) "/reset" } { (td_string!(locale, reset.title_short)) }
                }
            }
        };
        let said = match &outcome {
            Some(failed) => Some(group::trouble(&visit.reader, &failed.error)),
            None => is_done.then(|| banner("ok", "", td_string!(locale, groups.offsets_deleted))),
        };
        let changes = |found: &Found| match found {
            Found::Group(found) if !visit.read_only => group::changes(&visit.reader, found, outcome.as_ref()),
            _ => html! {},
        };
        content(&visit, title.clone(), Subject::Group(name), heading, said, changes).await
    })
}

fn viewer(visit: &Visit) -> Viewer<'_> {
    Viewer { reader: &visit.reader, serving: &visit.snapshot.instance, now: visit.snapshot.at }
}

/// A page about something that is kept live. `said` is what came of a form, `changes` what can be done to what was found.
pub(super) async fn content(
    visit: &Visit,
    title: String,
    subject: Subject,
    heading: impl Fn(Option<&Found>) -> Markup,
    said: Option<Markup>,
    changes: impl Fn(&Found) -> Markup,
) -> Content {
    let reader = &visit.reader;
    // What was refused must not be lost to a Kafka that is slow.
    let patience = if said.is_some() { Patience::Program } else { Patience::Page };
    let found = match api::engine() {
        Ok(engine) => subject.look(reader, &engine, patience).await,
        Err(error) => Err(Absent::because(reader, error.to_string())),
    };
    let address = subject.stream(found.is_ok());
    let (heading, body, changes) = match &found {
        Ok(found) => (heading(Some(found)), found.body(viewer(visit)), changes(found)),
        Err(absent) => {
            set_status(absent.status);
            (heading(None), instead(visit, absent), html! {})
        }
    };
    Content::plain(
        title,
        html! {
            header { (heading) (live::sign(reader, &address)) }
            (live::without_script(reader, visit.snapshot.at, &visit.address))
            @if let Some(said) = said { (said) }
            div id=(super::live::NOTE) {}
            div.stack id=(super::live::BODY) { (body) }
            (changes)
        },
    )
}

/// What a page shows that has nothing to show.
fn instead(visit: &Visit, absent: &Absent) -> Markup {
    let locale = visit.reader.locale;
    let actions = html! {
        a.btn href=(visit.address) { (icon("again")) (td_string!(locale, app.try_again)) }
        @if visit.path.starts_with("/groups/") { a.btn href="/groups" { (td_string!(locale, groups.all)) } }
    };
    html! { section.card { (empty(absent.symbol, &absent.title, &absent.text, &actions)) } }
}
