//! Theme and language without JavaScript: a form that is remembered in cookies.

use axum::{
    extract::Query,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use http::{HeaderName, header};
use serde::Deserialize;

/// A year, in seconds.
const REMEMBERED: u32 = 31_536_000;

/// What can be chosen.
#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    theme: Option<String>,
    lang: Option<String>,
    back: Option<String>,
}

/// `GET /preferences?theme=dark&lang=zh-Hant&back=/produce`
pub(super) async fn remember(Query(chosen): Query<Chosen>) -> Response {
    let theme = chosen.theme.map(|name| cookie(app::THEME_COOKIE, app::Theme::named(&name).name()));
    let language = chosen.lang.and_then(|name| app::language(&name)).map(|name| cookie(app::LANGUAGE_COOKIE, name));
    let cookies: Vec<_> = theme.into_iter().chain(language).collect();
    (AppendHeaders(cookies), Redirect::to(own_path(chosen.back.as_deref()))).into_response()
}

/// The cookie, or its end where there is nothing to remember.
fn cookie(name: &str, value: &str) -> (HeaderName, String) {
    let age = if value.is_empty() { 0 } else { REMEMBERED };
    (header::SET_COOKIE, format!("{name}={value}; Path=/; Max-Age={age}; SameSite=Lax"))
}

/// A path on this server with its query, and nothing that a browser would take for another site (`//evil.example.org`), or that
/// no header takes.
fn own_path(back: Option<&str>) -> &str {
    let is_plain = |path: &str| path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_own = |path: &&str| path.starts_with('/') && !path.starts_with("//") && is_plain(path);
    back.filter(is_own).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Some("/produce?x=1"), "/produce?x=1")]
    #[case(Some("/?feed=bills&filter=json%3A%24.a%5C%22b"), "/?feed=bills&filter=json%3A%24.a%5C%22b")]
    #[case(Some("/?filter=//evil.example.org"), "/?filter=//evil.example.org")]
    #[case(Some("//evil.example.org"), "/")]
    #[case(Some("//evil.example.org/?feed=x"), "/")]
    #[case(Some("/\t/evil.example.org"), "/")]
    #[case(Some("?feed=x"), "/")]
    #[case(Some("/?filter=\r\nset-cookie:x"), "/")]
    #[case(Some("/?filter=\u{52d5}"), "/")]
    #[case(Some("/\\evil.example.org"), "/")]
    #[case(Some("https://evil.example.org"), "/")]
    #[case(None, "/")]
    fn a_form_leads_back_to_this_server_only(#[case] back: Option<&str>, #[case] path: &str) {
        assert_eq!(own_path(back), path);
    }
}
