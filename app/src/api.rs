//! What the page asks the server for. Each answer is a typed `Result` inside `Ok`: the outer error is only ever the
//! transport's. Addresses are fixed, so that a page of an older build still finds them.

mod log;
mod produce;
mod record;
mod snapshot;
mod topics;

pub use log::newest_from_log;
pub use produce::{FormFailure, form_failure, produce};
pub use record::record;
pub use snapshot::snapshot;
pub use topics::topics;

/// The one handle to everything behind the page. Absent only while the server collects the routes from a trial rendering.
#[cfg(feature = "ssr")]
fn engine() -> Result<std::sync::Arc<engine::Engine>, leptos::prelude::ServerFnError> {
    leptos::prelude::use_context().ok_or_else(|| leptos::prelude::ServerFnError::new("no engine in this context"))
}
