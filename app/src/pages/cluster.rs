//! `/cluster`: the cluster's brokers and where each partition lives, kept live ([`super::live`]).

use super::{
    groups::content,
    live::{Found, Subject},
    page,
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_query_map;
use maud::html;
use wire::ClusterQuery;

/// The cluster's page.
#[component]
pub fn Cluster() -> impl IntoView {
    let parameters = use_query_map().get_untracked();
    let query = ClusterQuery::of(|name| parameters.get(name));
    page(async |visit| {
        let locale = visit.reader.locale;
        let title = td_string!(locale, nav.cluster);
        let heading = |found: Option<&Found>| {
            let id = match found {
                Some(Found::Cluster(_, cluster)) => cluster.id.as_deref(),
                _ => None,
            };
            html! {
                h1 { (title) }
                @if let Some(id) = id { span.mono.muted title=(td_string!(locale, cluster.id)) { (id) } }
                p.muted { (td_string!(locale, cluster.intro)) }
            }
        };
        content(&visit, title.into(), Subject::Cluster(query), heading, None, |_| html! {}).await
    })
}
