//! No other site can drive this server.
//!
//! - `Host` must be a loopback name, the listen address or a configured name: what DNS rebinding would change.
//!   What watches the process asks by an address of its own choosing, a pod's for one: `/healthz`, `/readyz` and `/metrics` are
//!   answered by any IP address too. A rebound name is a name.
//! - Every unsafe method (server functions, forms, REST) and every WebSocket upgrade needs an `Origin` that is this server's
//!   own or configured, or `Sec-Fetch-Site: same-origin`. Programs send neither header: a request without both passes when
//!   it says `application/json` (or that it is JSON lines, CSV or bytes) or is no POST, which a foreign page can't send without a preflight that nobody answers (Fetch
//!   Standard, "CORS-safelisted request-header" and "CORS-safelisted method"); a WebSocket upgrade without both passes too, since every browser sends `Origin`
//!   with it (RFC 6455, section 4.1). Another request without both is refused all the same, but from the HTTP API its program hears what to
//!   send (415).

use super::problem::Problem;
use crate::config::ServerConfig;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// Where the process is watched.
pub(super) const HEALTHZ: &str = "/healthz";
pub(super) const READYZ: &str = "/readyz";
pub(super) const METRICS: &str = "/metrics";

/// Whom to answer.
#[derive(Debug)]
pub(super) struct Guard {
    listen: SocketAddr,
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Guard {
    pub(super) fn new(config: &ServerConfig, listen: SocketAddr) -> Self {
        Self { listen, hosts: config.hosts.clone(), origins: config.origins.clone() }
    }

    /// Whether this server may be called `authority` (a name or an address, with or without a port).
    fn knows_host(&self, authority: &str) -> bool {
        let host = host_of(authority);
        if self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) || host.eq_ignore_ascii_case("localhost") {
            return true;
        }
        address_of(authority).is_some_and(|address| address.is_loopback() || address == self.listen.ip())
    }

    fn is_own_origin(&self, headers: &HeaderMap, origin: &str) -> bool {
        if self.origins.iter().any(|known| known == origin) {
            return true;
        }
        // Its own origin is the one whose authority is what the client calls this server. The scheme is the proxy's affair.
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some() && authority == header_text(headers, header::HOST)
    }

    fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let authority = uri.authority().map(|authority| authority.as_str());
        let authority = authority.or_else(|| header_text(headers, header::HOST)).unwrap_or_default();
        let is_watched = [HEALTHZ, READYZ, METRICS].contains(&uri.path()) && address_of(authority).is_some();
        if !is_watched && !self.knows_host(authority) {
            let detail = format!("this server is not called {authority:?}: add the name to server.hosts");
            return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "foreign-host", detail));
        }
        let is_upgrade = headers.contains_key(header::SEC_WEBSOCKET_KEY);
        if is_safe(method) && !is_upgrade {
            return Ok(());
        }
        let is_own = match (header_text(headers, header::ORIGIN), header_text(headers, "sec-fetch-site")) {
            (Some(origin), _) => self.is_own_origin(headers, origin),
            (None, Some(site)) => site == "same-origin",
            (None, None) if is_upgrade || says_what_no_form_sends(headers) || *method != Method::POST => true,
            (None, None) if uri.path().starts_with("/api/") => return Err(no_content_type_of_programs(headers)),
            (None, None) => false,
        };
        if is_own {
            return Ok(());
        }
        let detail = "only this server's own pages may do this: add other sites to server.origins; programs send application/json";
        Err(Problem::new(StatusCode::FORBIDDEN, "foreign-origin", detail))
    }
}

/// Whether a request of this method changes nothing (RFC 9110, section 9.2.1).
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// The middleware.
pub(super) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.check(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            tracing::debug!(method = %request.method(), path = request.uri().path(), ?problem, "a foreign request was refused");
            problem.into_response()
        }
    }
}

/// `name`, `name:port`, `1.2.3.4:port` or `[::1]:port` without the port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port))
            if !host.is_empty()
                && port.bytes().all(|b| b.is_ascii_digit())
                && !(authority.starts_with('[') && !host.ends_with(']')) =>
        {
            host
        }
        _ => authority,
    }
}

/// The address that `authority` is, where it is no name.
fn address_of(authority: &str) -> Option<IpAddr> {
    host_of(authority).trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn header_text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    // A header that is no text is as good as a foreign one: never absent.
    headers.get(name).map(|value| value.to_str().unwrap_or("(not text)"))
}

/// Whether the content type is one of programs' own, none of the three that a page may send anywhere.
fn says_what_no_form_sends(headers: &HeaderMap) -> bool {
    const PROGRAMS: [&str; 5] =
        ["application/json", "application/x-ndjson", "application/jsonl", "text/csv", "application/octet-stream"];
    let content_type = header_text(headers, header::CONTENT_TYPE).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    PROGRAMS.iter().any(|known| known.eq_ignore_ascii_case(kind))
}

/// What a program is told that sends something else, as curl does unless told otherwise.
fn no_content_type_of_programs(headers: &HeaderMap) -> Problem {
    let sent =
        header_text(headers, header::CONTENT_TYPE).map(|kind| format!("{kind:?} is not taken: ")).unwrap_or_default();
    let detail = format!(
        "{sent}send content-type: application/json, or what else the address takes as the API's description says"
    );
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn guard() -> Guard {
        Guard {
            listen: SocketAddr::from(([10, 1, 2, 3], 3000)),
            hosts: vec!["ottla.example.org".into()],
            origins: vec!["https://console.example.org".into()],
        }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[rstest]
    #[case("localhost:3000", true)]
    #[case("127.0.0.1:3000", true)]
    #[case("[::1]:3000", true)]
    #[case("10.1.2.3:3000", true)]
    #[case("OTTLA.example.org", true)]
    #[case("ottla.example.org:8443", true)]
    #[case("evil.example.org", false)]
    #[case("10.1.2.4:3000", false)]
    #[case("localhost.evil.example.org", false)]
    #[case("", false)]
    fn only_known_hosts_are_answered(#[case] host: &'static str, #[case] known: bool) {
        let result = guard().check(&Method::GET, &Uri::from_static("/"), &headers(&[("host", host)]));
        assert_eq!(result.is_ok(), known, "{host}");
    }

    #[rstest]
    #[case("10.1.2.4:3000", "/metrics", true)]
    #[case("[fd00::4]:3000", "/readyz", true)]
    #[case("10.1.2.4", "/healthz", true)]
    #[case("evil.example.org", "/metrics", false)]
    #[case("10.1.2.4:3000", "/topics", false)]
    #[case("10.1.2.4:3000", "/metrics/", false)]
    fn who_watches_may_ask_by_any_address_and_by_no_foreign_name(
        #[case] host: &'static str,
        #[case] path: &'static str,
        #[case] passes: bool,
    ) {
        let result = guard().check(&Method::GET, &Uri::from_static(path), &headers(&[("host", host)]));
        assert_eq!(result.is_ok(), passes, "{host} {path}");
    }

    #[rstest]
    #[case(Method::DELETE, &[], true)]
    #[case(Method::PATCH, &[("origin", "https://evil.example.org")], false)]
    #[case(Method::DELETE, &[("sec-fetch-site", "cross-site")], false)]
    #[case(Method::POST, &[], false)]
    #[case(Method::TRACE, &[], true)]
    fn what_no_foreign_page_can_send_may_come_without_both_headers(
        #[case] method: Method,
        #[case] extra: &[(&'static str, &'static str)],
        #[case] passes: bool,
    ) {
        let mut all = headers(extra);
        all.insert("host", "localhost:3000".parse().unwrap());
        assert_eq!(guard().check(&method, &Uri::from_static("/"), &all).is_ok(), passes, "{method} {extra:?}");
    }

    #[rstest]
    #[case::own(&[("origin", "http://localhost:3000")], true)]
    #[case::configured(&[("origin", "https://console.example.org")], true)]
    #[case::foreign(&[("origin", "https://evil.example.org")], false)]
    #[case::opaque(&[("origin", "null")], false)]
    #[case::another_port(&[("origin", "http://localhost:4000")], false)]
    #[case::foreign_says_json(&[("origin", "https://evil.example.org"), ("content-type", "application/json")], false)]
    #[case::browser_same_origin(&[("sec-fetch-site", "same-origin")], true)]
    #[case::browser_cross_site(&[("sec-fetch-site", "cross-site")], false)]
    #[case::program_with_json(&[("content-type", "application/json; charset=utf-8")], true)]
    #[case::program_with_lines(&[("content-type", "application/x-ndjson")], true)]
    #[case::program_with_a_table(&[("content-type", "text/csv; header=present")], true)]
    #[case::program_with_text(&[("content-type", "text/plain")], false)]
    #[case::program_with_form(&[("content-type", "application/x-www-form-urlencoded")], false)]
    #[case::nothing(&[], false)]
    fn unsafe_methods_need_the_own_origin(#[case] extra: &[(&'static str, &'static str)], #[case] passes: bool) {
        let mut all = headers(extra);
        all.insert("host", "localhost:3000".parse().unwrap());
        assert_eq!(guard().check(&Method::POST, &Uri::from_static("/"), &all).is_ok(), passes, "{extra:?}");
    }

    #[rstest]
    #[case::curl("/api/kafka/send", &[("content-type", "application/x-www-form-urlencoded")], 415)]
    #[case::nothing("/api/v1/topics/t/0/0/again", &[], 415)]
    #[case::text("/api/v1/topics", &[("content-type", "text/plain")], 415)]
    #[case::foreign("/api/v1/topics", &[("content-type", "text/plain"), ("origin", "https://evil.example.org")], 403)]
    #[case::opaque("/api/v1/topics", &[("origin", "null")], 403)]
    #[case::cross_site("/api/v1/topics", &[("content-type", "text/plain"), ("sec-fetch-site", "cross-site")], 403)]
    #[case::no_api("/produce", &[("content-type", "application/x-www-form-urlencoded")], 403)]
    #[case::server_function("/fn/produce", &[], 403)]
    fn a_program_that_does_not_say_json_is_told_so_and_a_page_that_it_may_not(
        #[case] path: &'static str,
        #[case] extra: &[(&'static str, &'static str)],
        #[case] status: u16,
    ) {
        let mut all = headers(extra);
        all.insert("host", "localhost:3000".parse().unwrap());
        let refused = guard().check(&Method::POST, &Uri::from_static(path), &all).unwrap_err();
        assert_eq!(refused.status(), status, "{refused:?}");
    }

    #[rstest]
    #[case::own(&[("origin", "http://localhost:3000")], true)]
    #[case::foreign(&[("origin", "https://evil.example.org")], false)]
    #[case::program(&[], true)]
    fn upgrades_need_the_own_origin(#[case] extra: &[(&'static str, &'static str)], #[case] passes: bool) {
        let mut all = headers(extra);
        all.insert("host", "localhost:3000".parse().unwrap());
        all.insert("sec-websocket-key", "x".parse().unwrap());
        assert_eq!(guard().check(&Method::GET, &Uri::from_static("/ws"), &all).is_ok(), passes, "{extra:?}");
    }
}
