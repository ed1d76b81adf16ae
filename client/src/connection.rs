//! One connection: events and commands instead of frames.

use crate::{
    Authorization,
    answer::{Said, words},
};
use futures::{SinkExt, StreamExt};
use rustls_platform_verifier::ConfigVerifierExt;
use std::{io, sync::Arc};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{self, ClientConfig, pki_types::ServerName},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Bytes, Message,
        client::IntoClientRequest,
        http::{HeaderValue, Response, header},
        protocol::WebSocketConfig,
    },
};
use tokio_util::either::Either;
use url::{Host, Url};
use wire::{ByeReason, Command, Event, Taken, codec};

/// What a client reads at once, in bytes. A load test has thousands of them.
const READ_BUFFER: usize = 16 * 1024;
/// A close without a code, and one without a close frame (RFC 6455, section 7.4.1).
const NO_CODE: u16 = 1005;
const ABNORMAL: u16 = 1006;

/// Which form the messages have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Subprotocol {
    /// The page's: small and quick to read.
    #[default]
    Postcard,
    /// Everyone's: one JSON event a message.
    Json,
}

impl Subprotocol {
    fn name(self) -> &'static str {
        match self {
            Self::Postcard => wire::SUBPROTOCOL_POSTCARD,
            Self::Json => wire::SUBPROTOCOL_JSON,
        }
    }
}

/// Why a connection is over, or did not begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not an address that can be connected to.
    #[error("{0:?} is no address of an Ottla: {1}")]
    Address(String, String),
    /// The server answered, but not with a WebSocket; or a proxy before it did.
    #[error("the server refuses the connection with {}", Said(*status, words))]
    Refused {
        /// The answer's status.
        status: u16,
        /// What was said with it, as far as it came; may be empty.
        words: String,
    },
    /// The server closed.
    #[error("the server closed with code {code}: {reason}")]
    Closed {
        /// The close code (RFC 6455, section 7.4; [`ByeReason::close_code`]).
        code: u16,
        /// The reason's text.
        reason: String,
    },
    /// The server said something that is no event.
    #[error("the server does not speak this protocol: {0}")]
    Protocol(#[from] codec::DecodeError),
    /// There is no trust: a certificate that does not do, or no way to check one.
    #[error("no connection with TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    // Boxed: it is large, and every result would be as large.
    Socket(#[source] Box<tungstenite::Error>),
}

impl Error {
    /// Whether another attempt could succeed without anyone changing anything.
    pub fn is_passing(&self) -> bool {
        let lasting =
            [ByeReason::BadMessage, ByeReason::UnknownFeed, ByeReason::WrongState, ByeReason::BadSubscription];
        // Broken, no UTF-8, too large (RFC 6455, section 7.4.1).
        const BROKEN: [u16; 3] = [1002, 1007, 1009];
        match self {
            Self::Address(..) | Self::Protocol(_) | Self::Tls(_) => false,
            Self::Refused { status, .. } => !(400..500).contains(status),
            Self::Closed { code, .. } => {
                !BROKEN.contains(code) && lasting.iter().all(|reason| reason.close_code() != *code)
            }
            Self::Socket(_) => true,
        }
    }
}

impl Error {
    /// The library gives as much of the body as came with the head.
    fn refused(response: &Response<Option<Vec<u8>>>) -> Self {
        let mut body = response.body().as_deref().unwrap_or_default();
        if response.headers().contains_key(header::TRANSFER_ENCODING) {
            // The first chunk, after the line with its size (RFC 9112, section 7.1).
            let size = body.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            body = &body[size..];
        }
        Self::Refused { status: response.status().as_u16(), words: words(body).unwrap_or_default() }
    }
}

impl From<tungstenite::Error> for Error {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Http(response) => Self::refused(&response),
            tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => {
                Self::Closed { code: ABNORMAL, reason: "the connection is closed".into() }
            }
            other => Self::Socket(Box::new(other)),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        // So the TLS library wraps its own.
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => Self::Tls(error.clone()),
            None => Self::Socket(Box::new(error.into())),
        }
    }
}

/// What is below a WebSocket.
type Line = Either<TcpStream, TlsStream<TcpStream>>;

/// An open connection.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<Line>,
    subprotocol: Subprotocol,
    taken: Taken,
}

/// Connects to the instance at `url`: `http://host:port` as for a browser, or the WebSocket's own `ws://host:port/ws`; `https` and `wss`
/// with TLS, trusting whom the system trusts.
///
/// # Errors
/// When the address is none, nobody answers there, or the server refuses.
pub async fn connect(url: &str, subprotocol: Subprotocol) -> Result<Client, Error> {
    connect_as(url, subprotocol, None).await
}

/// The same, as somebody.
///
/// # Errors
/// Those of [`connect`].
pub async fn connect_as(
    url: &str,
    subprotocol: Subprotocol,
    authorization: Option<&Authorization>,
) -> Result<Client, Error> {
    let url = websocket_url(url)?;
    let mut request = url.as_str().into_client_request()?;
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol.name()));
    if let Some(authorization) = authorization {
        request.headers_mut().insert(header::AUTHORIZATION, authorization.value());
    }
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(0);
    let (socket, _response) = client_async_with_config(request, line_to(&url).await?, Some(config)).await?;
    Ok(Client { socket, subprotocol, taken: Taken::default() })
}

/// Whether [`connect`] could be told this address.
///
/// # Errors
/// [`Error::Address`] alone: why not.
pub fn check_address(url: &str) -> Result<(), Error> {
    websocket_url(url).map(drop)
}

async fn line_to(url: &Url) -> Result<Line, Error> {
    let refused = |why: &str| Error::Address(url.to_string(), why.into());
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err(refused("it names no host")),
    };
    let port = url.port_or_known_default().ok_or_else(|| refused("it names no port"))?;
    let line = TcpStream::connect((host.as_str(), port)).await?;
    line.set_nodelay(true)?;
    if url.scheme() == "ws" {
        return Ok(Either::Left(line));
    }
    let name = ServerName::try_from(host).map_err(|error| refused(&error.to_string()))?;
    let connector = TlsConnector::from(Arc::new(ClientConfig::with_platform_verifier()?));
    Ok(Either::Right(connector.connect(name, line).await?))
}

fn websocket_url(text: &str) -> Result<Url, Error> {
    let refused = |why: &dyn std::fmt::Display| Error::Address(text.into(), why.to_string());
    let mut url = Url::parse(text).map_err(|error| refused(&error))?;
    match url.scheme() {
        "http" => url.set_scheme("ws").map_err(|()| refused(&"it cannot be a WebSocket's"))?,
        "https" => url.set_scheme("wss").map_err(|()| refused(&"it cannot be a WebSocket's"))?,
        "ws" | "wss" => {}
        other => return Err(refused(&format_args!("{other} is none of http, https, ws and wss"))),
    }
    if url.path() == "/" {
        url.set_path("/ws");
    }
    Ok(url)
}

impl Client {
    /// Sends a command.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn send(&mut self, command: &Command) -> Result<(), Error> {
        let message = match self.subprotocol {
            Subprotocol::Postcard => Message::binary(codec::encode_command(command)),
            Subprotocol::Json => Message::text(codec::command_to_json(command)),
        };
        Ok(self.socket.send(message).await?)
    }

    /// Waits for the next message, and returns its events; says what was taken in. May be dropped and called again without losing
    /// anything.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn next(&mut self) -> Result<Vec<Event>, Error> {
        // Of what came before: nothing that was read may be lost when this is dropped meanwhile.
        if let Some(command) = self.taken.due() {
            self.send(&command).await?;
            self.taken.told();
        }
        let events = match self.message().await? {
            Message::Text(text) => vec![codec::event_from_json(&text)?],
            message => codec::decode_events(&message.into_data())?,
        };
        let records = events.iter().filter(|event| matches!(event, Event::Records(_)));
        records.for_each(|_| self.taken.count());
        Ok(events)
    }

    /// The same, and leaves the message as it came: for those who look at a part of it only. They count what they take in, too.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn next_encoded(&mut self) -> Result<Bytes, Error> {
        Ok(self.message().await?.into_data())
    }

    /// The next message of data.
    async fn message(&mut self) -> Result<Message, Error> {
        loop {
            match self.socket.next().await.unwrap_or(Err(tungstenite::Error::ConnectionClosed))? {
                message @ (Message::Binary(_) | Message::Text(_)) => return Ok(message),
                Message::Close(frame) => {
                    let (code, reason) = frame.map_or((NO_CODE, String::new()), |frame| {
                        (frame.code.into(), frame.reason.as_str().to_owned())
                    });
                    return Err(Error::Closed { code, reason });
                }
                // The library answers pings by itself.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Says goodbye. What the server still sends is not read.
    pub async fn close(mut self) {
        // An error means that it is closed already.
        let _ = self.socket.close(None).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_address_and_the_sockets_are_both_taken() {
        for (given, expected) in [
            ("http://127.0.0.1:3000", "ws://127.0.0.1:3000/ws"),
            ("http://localhost:3000/", "ws://localhost:3000/ws"),
            ("ws://127.0.0.1:3000/ws", "ws://127.0.0.1:3000/ws"),
            ("ws://[::1]:3000/behind/a/proxy/ws", "ws://[::1]:3000/behind/a/proxy/ws"),
            ("https://ottla.example.org", "wss://ottla.example.org/ws"),
            ("wss://ottla.example.org/ws", "wss://ottla.example.org/ws"),
        ] {
            assert_eq!(websocket_url(given).map(String::from).ok().as_deref(), Some(expected));
        }
        for bad in ["127.0.0.1:3000", "ftp://host/", "", "file:///ws"] {
            assert!(matches!(websocket_url(bad), Err(Error::Address(..))), "{bad}");
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let closed = |reason: ByeReason| Error::Closed { code: reason.close_code(), reason: reason.text().into() };
        assert!(closed(ByeReason::Stopping).is_passing() && closed(ByeReason::Stalled).is_passing());
        assert!(!closed(ByeReason::UnknownFeed).is_passing() && !closed(ByeReason::BadSubscription).is_passing());
        let refused = |status| Error::Refused { status, words: String::new() };
        assert!(!refused(403).is_passing() && refused(503).is_passing());
    }

    #[test]
    fn a_refusal_says_what_the_answer_said() {
        let refused = |body: &str, name: &str| {
            let answer = Response::builder().status(421).header(name, "chunked").body(Some(body.into()));
            Error::refused(&answer.expect("a response")).to_string()
        };
        let begins = "the server refuses the connection with status 421";
        let problem = "{\"detail\":\"add the name to server.hosts\"}";
        assert_eq!(refused(problem, "x"), format!("{begins}: add the name to server.hosts"));
        let chunks = format!("2b\r\n{problem}\r\n0\r\n\r\n");
        assert_eq!(refused(&chunks, "transfer-encoding"), format!("{begins}: add the name to server.hosts"));
        assert_eq!(refused("", "x"), begins);
    }
}
