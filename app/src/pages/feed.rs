//! `/`: the live feed, with the composer under it.

use super::{Content, Visit, banners, page};
use crate::{
    api,
    form::{FormFailure, Posted},
    islands::{self, Rendering},
    live::Live,
    markup::{
        banner::banner,
        composer::composer,
        empty::{no_match, nothing_yet},
        list::list,
        strip::{Figures, figures},
        toolbar::toolbar,
    },
    words,
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_query_map;
use maud::{Markup, html};
use wire::{Assignment, ReadError, Record, Scope, Snapshot};

/// The page. `/?feed=NAME` is that of another feed than the first, `/?filter=TEXT` begins with a filter; `/?last=100` shows the
/// newest records from the log besides: what an empty feed offers without JavaScript.
#[component]
pub fn Feed() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let posted = Posted::of(&query);
    let failure = use_context::<FormFailure>();
    let last = query.get("last").and_then(|count| count.parse().ok());
    let filter = query.get("filter").unwrap_or_default();
    page(async move |visit| {
        let (loaded, trouble) = match last {
            Some(count) => match from_log(&visit.snapshot.feed, count).await {
                Ok(records) => (records, None),
                Err(error) => (Vec::new(), Some(words::read_error(visit.reader.locale, &error))),
            },
            None => (Vec::new(), None),
        };
        let live = Live::provide();
        live.seed(&visit.snapshot);
        live.add_loaded(loaded.clone());
        live.filter().set(filter);
        // With one that can't be read the rows are all there.
        live.ask();
        let trouble = trouble.map(|(what, why)| banner("danger", &what, &why));
        let html = content(&visit, live, trouble, failure.as_ref(), posted.as_ref());
        provide_context(Rendering(html.into_string()));
        Content {
            title: td_string!(visit.reader.locale, nav.feed).into(),
            main: view! { <islands::Feed/> }.into_any(),
            records: visit.snapshot.records,
            loaded,
        }
    })
}

async fn from_log(feed: &str, count: usize) -> Result<Vec<Record>, ReadError> {
    let unreachable = |error: ServerFnError| ReadError::Kafka { reason: error.to_string() };
    api::newest_from_log(feed.to_owned(), count).await.map_err(unreachable)?
}

fn content(
    visit: &Visit,
    live: Live,
    trouble: Option<Markup>,
    failure: Option<&FormFailure>,
    posted: Option<&Posted>,
) -> Markup {
    let Visit { reader, preferences, snapshot, read_only, .. } = visit;
    let Snapshot { group, topics, instance, assignment, stats, scope, members, journal, .. } = snapshot;
    let members = (*scope == Scope::Group).then_some(members.as_slice());
    let locale = reader.locale;
    let entries = live.visible().get_untracked();
    let (held, dropped) = (live.total().get_untracked(), 0);
    let filter = live.filter().get_untracked();
    let wrong = engine::check_filter(&filter).err().map(|error| words::query_error(locale, &filter, &error));
    let shown = members.map_or_else(|| assignment.clone(), Assignment::of_all);
    html! {
        h1.sr { (td_string!(locale, nav.feed)) }
        div {
            (toolbar(reader, snapshot, &filter, wrong.as_deref(), &shown, preferences.roomy))
            (banners(visit))
            @if let Some(reason) = journal { (banner("warn", td_string!(locale, journal.down), &td_string!(locale, journal.means, reason = reason.as_str()))) }
            @if let Some(trouble) = trouble { (trouble) }
            dl #strip .strip tabindex="0" aria-label=(td_string!(locale, strip.group_named, group = group.as_str())) {
                (figures(reader, Figures { group, serving: instance, assignment, stats, members, rates: &[], held, dropped }))
            }
        }
        div.content {
            (list(reader, &entries, instance, topics.len() == 1))
            div #over .over hidden[!entries.is_empty()] {
                @if entries.is_empty() && !filter.is_empty() { (no_match(reader, held)) }
                @else if entries.is_empty() { (nothing_yet(reader, &snapshot.feed, topics, instance, assignment, "")) }
            }
        }
        aside #drawer .drawer tabindex="-1" aria-label=(td_string!(locale, detail.title)) {}
        @if !*read_only { (composer(reader, topics, failure, posted)) }
    }
}
