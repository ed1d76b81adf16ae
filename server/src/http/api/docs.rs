//! The style of Swagger UI's own document, in the reader's theme. Everything else of it is as it comes, from the binary.
//!
//! Swagger UI 5 has a dark mode, for a class on the document's root that only the bar sets which Ottla does not show, and no rule for what
//! the system says. So its colours are turned round here, and those of the blocks that are dark already turned back.

use app::{Preferences, Theme};
use axum::response::IntoResponse;
use http::{HeaderMap, header};

/// What Swagger UI's `index.css` says.
const ANY: &str = "\
html { box-sizing: border-box; overflow-y: scroll; }
*, ::before, ::after { box-sizing: inherit; }
body { margin: 0; background: #fafafa; }
";
const DARK: &str = "\
html { color-scheme: dark; }
body { background: #16191d; }
.swagger-ui { filter: invert(88%) hue-rotate(180deg); }
.swagger-ui :is(.microlight, .highlight-code, .opblock-body pre.microlight) { filter: invert(100%) hue-rotate(180deg); }
";

/// `GET /api/docs/index.css`
pub(super) async fn style(headers: HeaderMap) -> impl IntoResponse {
    let css = match Preferences::of(&headers).theme {
        Theme::Light => ANY.to_owned(),
        Theme::Dark => format!("{ANY}{DARK}"),
        Theme::System => format!("{ANY}@media (prefers-color-scheme: dark) {{\n{DARK}}}\n"),
    };
    // Another theme may be chosen at any time.
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], css)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    async fn css(cookie: &'static str) -> String {
        let headers = [(header::COOKIE, http::HeaderValue::from_static(cookie))].into_iter().collect();
        let body = style(headers).await.into_response().into_body();
        String::from_utf8(to_bytes(body, 10_000).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_api_is_described_in_the_readers_theme() {
        assert!(css("theme=dark").await.ends_with(DARK));
        assert_eq!(css("theme=light").await, ANY);
        assert!(css("").await.contains("(prefers-color-scheme: dark)"));
    }
}
