//! Read-only instances: what would change the cluster is refused here, and nowhere else. Whatever is no safe method changes something,
//! unless it stands in the short list of what only reads: so a route that is new is refused until somebody says that it may pass.

use super::{AppState, guard::is_safe, outcome, problem::Problem};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::StatusCode;

/// Whether a request that is no safe one only reads: the page's questions, and the file of the rows that it holds.
fn only_reads(path: &str) -> bool {
    app::READING.contains(&path) || path.starts_with("/rows/")
}

/// The middleware. Programs and the page's own calls are answered by a problem, forms by a page in their reader's language.
pub(super) async fn refuse(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if !state.engine.is_read_only() || is_safe(request.method()) || only_reads(path) {
        return next.run(request).await;
    }
    tracing::debug!(method = %request.method(), path, "refused: this instance is read-only");
    if path.starts_with("/api/") || path.starts_with("/fn/") {
        let detail = "this instance is read-only (read_only): it changes nothing in the cluster";
        return Problem::new(StatusCode::FORBIDDEN, "read-only", detail).into_response();
    }
    // What such an instance shows there says why.
    outcome::page(&state, request.headers(), "/produce", StatusCode::FORBIDDEN, ()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_to_read_changes_something() {
        for path in ["/fn/filter", "/fn/gap", "/fn/newest_from_log", "/fn/record", "/fn/snapshot", "/rows/default/csv"]
        {
            assert!(only_reads(path), "{path}");
        }
        for path in ["/fn/produce", "/fn/produce/", "/produce", "/api/kafka/send", "/rows", "/topics/rows/delete", "/"]
        {
            assert!(!only_reads(path), "{path}");
        }
    }
}
