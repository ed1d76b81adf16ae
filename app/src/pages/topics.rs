//! `/topics`: the topics of the cluster, whatever the feed follows.

use super::set_status;
use crate::{
    api,
    components::{banner, empty},
    tab::use_tab,
    words,
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_meta::Title;
use wire::{ReadError, TopicSummary};

/// The list of topics.
#[component]
pub fn Topics() -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let topics = Resource::new_blocking(|| (), |()| api::topics());
    let content = move || {
        Suspend::new(async move {
            match topics.await {
                Ok(Ok(topics)) => table(topics),
                Ok(Err(error)) => unreadable(&error),
                Err(_) => banner("danger", td_string!(locale, error.no_answer), ""),
            }
        })
    };
    view! {
        <Title text=td_string!(locale, nav.topics)/>
        <main class="main" id="main" tabindex="-1">
            <div class="page">
                <header>
                    <h1>{td_string!(locale, nav.topics)}</h1>
                    <p class="muted">{td_string!(locale, topics.intro)}</p>
                </header>
                <section class="card">
                    <Suspense>{content}</Suspense>
                </section>
            </div>
        </main>
    }
}

fn table(topics: Vec<TopicSummary>) -> AnyView {
    let locale = use_tab().locale;
    if topics.is_empty() {
        return empty("topic", td_string!(locale, topics.none).into(), ().into_any(), ().into_any());
    }
    let lines = topics
        .into_iter()
        .map(|TopicSummary { name, partitions, replication }| {
            let produce = format!("/produce?to={name}");
            view! {
                <tr>
                    <th scope="row" class="mono">{name}</th>
                    <td class="r">{partitions}</td>
                    <td class="r">{replication}</td>
                    <td class="r"><a class="link" href=produce>{td_string!(locale, nav.produce)}</a></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="scroll" tabindex="0">
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">{td_string!(locale, produce.topic)}</th>
                        <th scope="col" class="r">{td_string!(locale, topics.partitions)}</th>
                        <th scope="col" class="r">{td_string!(locale, topics.replicas)}</th>
                        <th></th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn unreadable(error: &ReadError) -> AnyView {
    set_status(503);
    let locale = use_tab().locale;
    let (title, why) = words::read_error(locale, error);
    empty(
        "cluster",
        title,
        view! { <code>{why}</code> }.into_any(),
        view! { <a class="btn" rel="external" href="/topics">{td_string!(locale, app.try_again)}</a> }.into_any(),
    )
}
