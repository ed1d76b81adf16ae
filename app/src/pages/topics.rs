//! `/topics`: the topics of the cluster, whatever the feed follows; and with `?create=1` the form of a new one, with `&like=NAME`
//! filled in as that topic is.

use super::{Content, Visit, page, read_only, set_status};
use crate::{
    api,
    markup::{
        banner::banner,
        empty::empty,
        icon::icon,
        topic::trouble,
        topics::{create, list, search},
    },
    topics::{TopicForm, TopicOutcome},
    words,
};
use axum::http::StatusCode;
use engine::Patience;
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::{hooks::use_query_map, params::ParamsMap};
use maud::{Markup, html};
use wire::{ReadError, TopicError, TopicQuery, TopicSort, check_topic_name};

/// The list of topics, or the form.
#[component]
pub fn Topics() -> impl IntoView {
    let parameters = use_query_map().get_untracked();
    let outcome = use_context::<TopicOutcome>();
    page(async move |visit| match parameters.get("create") {
        Some(_) if visit.read_only => read_only::content(&visit.reader),
        Some(_) => new(&visit, outcome.as_ref(), parameters.get("like").filter(|name| !name.is_empty())).await,
        None => all(&visit, &parameters).await,
    })
}

async fn all(visit: &Visit, parameters: &ParamsMap) -> Content {
    let locale = visit.reader.locale;
    let title = td_string!(locale, nav.topics);
    let query = query(parameters);
    let deleted = parameters.get("deleted").filter(|name| check_topic_name(name).is_ok());
    let body = body(visit, &query).await;
    Content::plain(
        title,
        html! {
            header {
                h1 { (title) }
                p.muted { (td_string!(locale, topics.intro)) }
                @if !visit.read_only {
                    div.wrap.push {
                        a.btn.primary href="/topics?create=1" { (icon("plus")) (td_string!(locale, topics.create)) }
                    }
                }
            }
            @if let Some(name) = deleted { (banner("ok", "", &td_string!(locale, topics.deleted, name))) }
            section.card { (body) }
        },
    )
}

fn query(parameters: &ParamsMap) -> TopicQuery {
    let sort = parameters.get("sort").unwrap_or_default();
    TopicQuery {
        q: parameters.get("q").unwrap_or_default(),
        sort: TopicSort::ALL.into_iter().find(|known| known.name() == sort).unwrap_or_default(),
        descending: parameters.get("desc").is_some(),
        internal: parameters.get("internal").is_some(),
        page: parameters.get("page").and_then(|page| page.parse().ok()).unwrap_or(1),
    }
}

async fn body(visit: &Visit, query: &TopicQuery) -> Markup {
    let (reader, locale) = (&visit.reader, visit.reader.locale);
    let engine = match api::engine() {
        Ok(engine) => engine,
        Err(error) => return html! { p { (error) } },
    };
    match engine.topic_page(query, Patience::Page).await {
        Ok(page) => list(reader, query, &page, visit.read_only),
        Err(error) => {
            set_status(StatusCode::SERVICE_UNAVAILABLE);
            let (title, why) = words::read_error(locale, &error);
            let again = html! { a.btn href="" { (icon("again")) (td_string!(locale, app.try_again)) } };
            html! {
                (search(reader, query, None))
                (empty("cluster", &title, &html! { code { (why) } }, &again))
            }
        }
    }
}

async fn new(visit: &Visit, outcome: Option<&TopicOutcome>, like: Option<String>) -> Content {
    let (reader, locale) = (&visit.reader, visit.reader.locale);
    let title = td_string!(locale, topic.create_title);
    let (mut blank, mut said) = (TopicForm::default(), None);
    let (form, error) = match (outcome, like) {
        (Some(TopicOutcome::NotCreated { form, error }), _) => (form, Some(error)),
        (Some(TopicOutcome::OneMore(form)), _) => (form, None),
        (_, None) => (&blank, None),
        (_, Some(name)) => {
            said = Some(match filled_in_like(&name).await {
                Ok(form) => {
                    blank = form;
                    banner("info", "", &td_string!(locale, topic.filled_in, name = name))
                }
                Err(error) => {
                    let (title, why) = words::read_error(locale, &error);
                    banner("warn", &title, &format!("{why} {}", td_string!(locale, topic.not_filled_in, name = name)))
                }
            });
            (&blank, None)
        }
    };
    let errors = match error {
        Some(TopicError::Invalid(errors)) => errors.as_slice(),
        _ => &[],
    };
    Content::plain(
        title,
        html! {
            header {
                h1 { (title) }
                div.wrap.push { a.btn href="/topics" { (td_string!(locale, topic.all)) } }
            }
            @if let Some(error) = error { (trouble(reader, error)) }
            @if let Some(said) = said { (said) }
            (create(reader, form, errors))
        },
    )
}

/// The form of a topic like another one: of all that it is, or of nothing.
async fn filled_in_like(name: &str) -> Result<TopicForm, ReadError> {
    let engine = api::engine().map_err(|error| ReadError::Refused(error.to_string()))?;
    let (topic, config) = tokio::join!(engine.topic(name, Patience::Page), engine.topic_config(name, Patience::Page));
    let topic = topic?.ok_or_else(|| ReadError::UnknownTopic { topic: name.into() })?;
    Ok(TopicForm::like(&topic, &config?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_query_and_nonsense_in_it_is_passed_over() {
        let read = |pairs: &[(&'static str, &str)]| {
            let mut map = ParamsMap::new();
            for (name, value) in pairs {
                map.insert(*name, (*value).to_owned());
            }
            query(&map)
        };
        let asked = read(&[("q", "a&b"), ("sort", "records"), ("desc", "1"), ("internal", "1"), ("page", "3")]);
        let expected =
            TopicQuery { q: "a&b".into(), sort: TopicSort::Records, descending: true, internal: true, page: 3 };
        assert_eq!(asked, expected);
        assert_eq!(read(&[("sort", "nonsense"), ("page", "-1")]), TopicQuery::default());
    }
}
