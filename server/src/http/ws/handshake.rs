//! How an HTTP request becomes a WebSocket (RFC 6455, section 4.2): what is asked of it, and the connection that is left.

use super::super::problem::Problem;
use axum::{body::Body, extract::FromRequestParts, response::Response};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The bytes of a key (section 4.1).
const KEY: usize = 16;

/// A request to become a WebSocket that can be granted.
#[derive(Debug)]
pub(crate) struct Upgrade {
    accept: HeaderValue,
    /// What the other side offers, in its order.
    protocols: Vec<String>,
    on_upgrade: OnUpgrade,
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let refused = |status, detail: &str| Problem::new(status, "no-websocket", detail);
        let bad = |detail| refused(StatusCode::BAD_REQUEST, detail);
        let headers = &parts.headers;
        if parts.method != Method::GET {
            return Err(refused(StatusCode::METHOD_NOT_ALLOWED, "a WebSocket begins with GET"));
        }
        if !has_token(headers, header::CONNECTION, "upgrade") || !has_token(headers, header::UPGRADE, "websocket") {
            return Err(bad("a WebSocket begins with Connection: Upgrade and Upgrade: websocket"));
        }
        if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(refused(StatusCode::UPGRADE_REQUIRED, "Sec-WebSocket-Version must be 13"));
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or_else(|| bad("Sec-WebSocket-Key is missing"))?;
        if BASE64_STANDARD.decode(key).map_or(0, |key| key.len()) != KEY {
            return Err(bad("Sec-WebSocket-Key must be 16 bytes in base64"));
        }
        let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).expect("base64 is a header's value");
        let protocols = tokens(headers, header::SEC_WEBSOCKET_PROTOCOL).map(str::to_owned).collect();
        let on_upgrade = parts.extensions.remove().ok_or_else(|| bad("this connection can't become a WebSocket"))?;
        Ok(Self { accept, protocols, on_upgrade })
    }
}

impl Upgrade {
    /// The first of `known` that the other side offers.
    pub fn choose<'a>(&self, known: &[&'a str]) -> Option<&'a str> {
        known.iter().copied().find(|known| self.protocols.iter().any(|offered| offered == known))
    }

    /// The answer that grants it, and the connection after that: with what was read of it beyond the request.
    pub fn grant(
        self,
        protocol: &'static str,
    ) -> (Response, impl Future<Output = hyper::Result<(TcpStream, Vec<u8>)>>) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().extend([
            (header::CONNECTION, HeaderValue::from_static("upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_ACCEPT, self.accept),
            (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol)),
        ]);
        let connection = async { self.on_upgrade.await.map(into_stream) };
        (response, connection)
    }
}

/// The connection itself, without what HTTP kept for it.
fn into_stream(upgraded: Upgraded) -> (TcpStream, Vec<u8>) {
    let parts = upgraded.downcast::<TokioIo<TcpStream>>();
    let parts = parts.expect("the server listens to TCP alone");
    (parts.io.into_inner(), parts.read_buf.into())
}

/// The members of a header that is a list, of all its lines.
fn tokens(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, wanted: &str) -> bool {
    tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted))
}
