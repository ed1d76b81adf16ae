//! The pages, one file per address. Server only: what goes on in the browser is in `islands`.

mod bulk;
mod cluster;
mod feed;
mod groups;
mod live;
mod not_found;
mod produce;
mod read_only;
mod record;
mod records;
mod reset;
mod topic;
mod topics;

pub use live::LivePage;
pub use records::SearchPage;

use crate::{
    api, islands, markup,
    preferences::Preferences,
    reader::Reader,
    rendered::{self, Rendered},
};
use axum::http::{StatusCode, header, request::Parts};
use leptos::{prelude::*, tachys::html::InertElement};
use leptos_axum::ResponseOptions;
use leptos_i18n::td_string;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    hooks::{use_location, use_query_map},
    path,
};
use maud::{Markup, PreEscaped, html};
use wire::{Record, Snapshot};

/// The whole page, inside `<body>`. Every page is rendered when all that it shows is there: a streamed one would keep its
/// fallbacks without JavaScript.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=titled/>
        <Router>
            <Routes fallback=not_found::NotFound>
                <Route path=path!("/") view=feed::Feed ssr=SsrMode::Async/>
                <Route path=path!("/produce") view=produce::Produce ssr=SsrMode::Async/>
                <Route path=path!("/produce/many") view=bulk::Bulk ssr=SsrMode::Async/>
                <Route path=path!("/topics") view=topics::Topics ssr=SsrMode::Async/>
                <Route path=path!("/topics/:topic") view=topic::Topic ssr=SsrMode::Async/>
                <Route path=path!("/groups") view=groups::Groups ssr=SsrMode::Async/>
                <Route path=path!("/groups/:name/reset") view=reset::Reset ssr=SsrMode::Async/>
                <Route path=path!("/groups/:name") view=groups::Group ssr=SsrMode::Async/>
                <Route path=path!("/cluster") view=cluster::Cluster ssr=SsrMode::Async/>
                <Route path=path!("/topics/:topic/:partition/:offset") view=record::Record ssr=SsrMode::Async/>
            </Routes>
        </Router>
    }
}

/// A page's title as HTML: it is written into the document as it is, and some are names that addresses bring.
fn titled(title: String) -> String {
    html! { (title) " · Ottla" }.into_string()
}

/// What every page is made with.
#[derive(Clone)]
struct Visit {
    reader: Reader,
    preferences: Preferences,
    path: String,
    /// The same with its query: where another language leads back to. An empty link would lead to where a form was posted, where the
    /// page shows what came of one.
    address: String,
    snapshot: Snapshot,
    /// Whether the instance changes nothing in the cluster: then the page has nothing that would.
    read_only: bool,
}

impl Visit {
    /// The topics that a form offers.
    async fn offered_topics(&self) -> Vec<String> {
        match api::engine() {
            Ok(engine) => engine.offered_topics(&self.snapshot.topics).await,
            Err(_) => self.snapshot.topics.clone(),
        }
    }
}

/// A page that `render` makes of a visit, within the frame of every page.
fn page<F>(render: impl FnOnce(Visit) -> F + Send + 'static) -> AnyView
where
    F: Future<Output = Content> + Send + 'static,
{
    let (path, address) = (use_location().pathname.get_untracked(), address());
    let (reader, preferences) = (Reader::current(), Preferences::current());
    let feed = use_query_map().get_untracked().get("feed").unwrap_or_default();
    let read_only = api::engine().is_ok_and(|engine| engine.is_read_only());
    let made = async move {
        // A feed that is not there is told of in the first one's frame.
        let (found, unknown) = match api::snapshot(feed.clone()).await {
            Err(_) if !feed.is_empty() => (api::snapshot(String::new()).await, Some(feed)),
            found => (found, None),
        };
        match found {
            Ok(mut snapshot) => {
                snapshot.scope = preferences.scope.unwrap_or(snapshot.scope);
                let visit = Visit { reader, preferences, path, address, snapshot, read_only };
                let content = match unknown {
                    Some(feed) => not_found::feed(&visit, &feed),
                    None => render(visit.clone()).await,
                };
                framed(&visit, content)
            }
            Err(error) => {
                raw(markup::banner::banner("danger", td_string!(reader.locale, error.no_snapshot), &error.to_string()))
            }
        }
    };
    view! { <Suspense>{Suspend::new(made)}</Suspense> }.into_any()
}

/// What a page puts into the frame.
struct Content {
    title: String,
    main: AnyView,
    /// The feed's rows, where the page shows them.
    records: Vec<Record>,
    loaded: Vec<Record>,
}

impl Content {
    /// A page without rows: `content` in a column.
    fn plain(title: impl Into<String>, content: Markup) -> Self {
        let main = html! { main #main .main tabindex="-1" { div.page { (content) } } };
        Self { title: title.into(), main: raw(main), records: Vec::new(), loaded: Vec::new() }
    }
}

fn framed(visit: &Visit, Content { title, main, records, loaded }: Content) -> AnyView {
    let Visit { reader, preferences, path, address, snapshot, read_only } = visit;
    let locale = reader.locale;
    let place = match path.split('/').nth(1) {
        Some("") | None => td_string!(locale, nav.feed),
        Some("produce") => td_string!(locale, nav.produce),
        Some("topics") => td_string!(locale, nav.topics),
        Some("groups") => td_string!(locale, nav.groups),
        Some("cluster") => td_string!(locale, nav.cluster),
        Some(_) => "",
    };
    let place = match path.as_str() {
        // Below the list: the way back to it.
        path if path.starts_with("/groups/") => html! { a.muted href="/groups" { (place) } },
        path if path.starts_with("/topics/") => html! { a.muted href="/topics" { (place) } },
        _ => html! { (place) },
    };
    let before = html! {
        (markup::frame::navigation(reader, path, snapshot, *read_only))
        (markup::frame::top_bar(reader, preferences, &place, address, snapshot, *read_only))
    };
    let rendered = Rendered { snapshot: Snapshot { records, ..snapshot.clone() }, loaded };
    let after = html! {
        (markup::frame::keys(reader, preferences, *read_only))
        // A data block: no script, and never run.
        script id=(rendered::ID) type="application/octet-stream" { (PreEscaped(rendered.pack())) }
    };
    view! {
        <Title text=title/>
        <a class="skip" href="#main">{td_string!(locale, app.skip)}</a>
        <div class="app">
            {raw(before)}
            {main}
        </div>
        {raw(after)}
        <islands::Frame/>
    }
    .into_any()
}

/// Markup as it is.
fn raw(markup: Markup) -> AnyView {
    InertElement::new(markup.into_string()).into_any()
}

/// Answers the request with another status than 200.
fn set_status(status: StatusCode) {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status);
    }
}

/// The page's own address, with its query.
fn address() -> String {
    let address = use_context::<Parts>().and_then(|parts| Some(parts.uri.path_and_query()?.as_str().to_owned()));
    // Two slashes would begin the name of another server.
    address.filter(|address| !address.starts_with("//")).unwrap_or_else(|| "/".into())
}

/// The name that the server was called by.
fn host() -> String {
    let parts = use_context::<Parts>();
    let host = parts.as_ref().and_then(|parts| parts.headers.get(header::HOST)?.to_str().ok());
    host.unwrap_or("127.0.0.1:3000").to_owned()
}

/// The banners' place, which the frame keeps up to date.
fn banners(visit: &Visit) -> Markup {
    let Visit { reader, snapshot, address, .. } = visit;
    let connection = crate::live::Connection::Connecting;
    html! {
        (markup::banner::without_script(reader, snapshot.at, address))
        div #banners { (markup::banner::banners(reader, connection, &snapshot.kafka, &snapshot.instance, false)) }
    }
}
