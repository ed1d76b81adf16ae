//! `/topics`: the topics of the cluster, whatever the feed follows.

use super::{Content, Visit, page, set_status};
use crate::{
    api,
    markup::{empty::empty, topics::topics as table},
    words,
};
use axum::http::StatusCode;
use leptos::prelude::*;
use leptos_i18n::td_string;
use maud::{Markup, html};

/// The list of topics.
#[component]
pub fn Topics() -> impl IntoView {
    page(async |visit| {
        let locale = visit.reader.locale;
        let title = td_string!(locale, nav.topics);
        let list = list(&visit).await;
        Content::plain(
            title,
            html! {
                header {
                    h1 { (title) }
                    p.muted { (td_string!(locale, topics.intro)) }
                }
                section.card { (list) }
            },
        )
    })
}

async fn list(visit: &Visit) -> Markup {
    let locale = visit.reader.locale;
    match api::topics().await {
        Ok(Ok(topics)) if topics.is_empty() => empty("topic", td_string!(locale, topics.none), &html! {}, &html! {}),
        Ok(Ok(topics)) => table(&visit.reader, &topics),
        Ok(Err(error)) => {
            set_status(StatusCode::SERVICE_UNAVAILABLE);
            let (title, why) = words::read_error(locale, &error);
            let again = html! { a.btn href="" { (td_string!(locale, app.try_again)) } };
            empty("cluster", &title, &html! { code { (why) } }, &again)
        }
        Err(error) => html! { p { (error) } },
    }
}
