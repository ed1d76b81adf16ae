//! Rendering with the feed's snapshot.

use super::banner;
use crate::tab::use_tab;
use leptos::prelude::*;
use leptos_i18n::td_string;
use std::sync::Arc;
use wire::Snapshot;

/// What `view` makes of the feed's snapshot, which [`crate::live::Live`] has taken in by then. Type-erased on purpose: one waiting place in the WebAssembly instead of one
/// per use.
pub fn with_snapshot(view: impl Fn(Snapshot) -> AnyView + Send + Sync + 'static) -> AnyView {
    let tab = use_tab();
    let view: Arc<dyn Fn(Snapshot) -> AnyView + Send + Sync> = Arc::new(view);
    let content = move || {
        let view = Arc::clone(&view);
        Suspend::new(async move {
            match tab.snapshot.await {
                Ok(snapshot) => {
                    tab.live.seed(&snapshot);
                    view(snapshot)
                }
                Err(error) => banner("danger", td_string!(tab.locale, error.no_snapshot), error.to_string()),
            }
        })
    };
    view! { <Suspense>{content}</Suspense> }.into_any()
}
