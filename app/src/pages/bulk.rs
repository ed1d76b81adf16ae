//! `/produce/many`: many messages at once. A plain form that works without JavaScript; `server` takes it and renders this page again
//! with what became of each message.

use super::{Content, page, read_only};
use crate::{
    bulk::{BulkForm, BulkOutcome},
    markup::bulk,
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_query_map;

/// The page. `?to=TOPIC` begins with a topic.
#[component]
pub fn Bulk() -> impl IntoView {
    let outcome = use_context::<BulkOutcome>();
    let to = use_query_map().get_untracked().get("to");
    page(async move |visit| {
        if visit.read_only {
            return read_only::content(&visit.reader);
        }
        let empty = BulkForm {
            topic: to.or_else(|| visit.snapshot.topics.first().cloned()).unwrap_or_default(),
            ..BulkForm::default()
        };
        let topics = visit.offered_topics().await;
        let shown = bulk::Shown {
            reader: &visit.reader,
            topics: &topics,
            form: outcome.as_ref().map_or(&empty, BulkOutcome::form),
            outcome: outcome.as_ref(),
        };
        Content::plain(td_string!(visit.reader.locale, bulk.title), bulk::body(&shown))
    })
}
