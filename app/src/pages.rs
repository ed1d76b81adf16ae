//! The pages, one file per address.

mod feed;
mod not_found;
mod produce;
mod record;
mod topics;

pub use feed::Feed;
pub use not_found::NotFound;
pub use produce::Produce;
pub use record::Record;
pub use topics::Topics;

/// Answers the request with another status than 200.
#[cfg(feature = "ssr")]
fn set_status(status: u16) {
    if let (Some(response), Ok(status)) =
        (leptos::prelude::use_context::<leptos_axum::ResponseOptions>(), axum::http::StatusCode::from_u16(status))
    {
        response.set_status(status);
    }
}

/// In the browser there is no answer to set a status of.
#[cfg(not(feature = "ssr"))]
fn set_status(_status: u16) {}
