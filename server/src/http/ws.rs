//! A tab's WebSocket: carries [`engine::Tab`]'s conversation in either subprotocol. `docs/PROTOCOL.md` describes it.

pub mod frames;
mod handshake;

use super::{
    HttpLimits,
    traffic::{Close, Connected, Traffic, Transport},
    wanted::{self, NotThere},
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use engine::{Batch, Engine, Output, Refusal, Tab};
use frames::{Fault, Frames, Kind, MAX_CONTROL, Received, Unsent};
use handshake::Upgrade;
use http::StatusCode;
use std::{borrow::Cow, sync::Arc, time::Duration};
use tokio::net::TcpStream;
use wire::{Bye, ByeReason, Command, Event, Subscribe, codec};

/// How long the other side may take to answer a close frame.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// The longest text of a close frame's reason (RFC 6455, section 5.5), in bytes: the code takes two.
const MAX_REASON: usize = MAX_CONTROL - 2;

/// How messages look on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Postcard,
    Json,
}

/// `GET /ws`
pub(super) async fn upgrade(
    State(engine): State<Arc<Engine>>,
    State(limits): State<HttpLimits>,
    State(traffic): State<Arc<Traffic>>,
    upgrade: Upgrade,
) -> Response {
    let Some(protocol) = upgrade.choose(&[wire::SUBPROTOCOL_POSTCARD, wire::SUBPROTOCOL_JSON]) else {
        let detail = format!(
            "ask for a subprotocol: Sec-WebSocket-Protocol: {} (or {})",
            wire::SUBPROTOCOL_JSON,
            wire::SUBPROTOCOL_POSTCARD
        );
        return super::problem::Problem::new(StatusCode::BAD_REQUEST, "no-subprotocol", detail).into_response();
    };
    let codec = if protocol == wire::SUBPROTOCOL_JSON { Codec::Json } else { Codec::Postcard };
    let (response, connection) = upgrade.grant(protocol);
    tokio::spawn(async move {
        match connection.await {
            Ok((stream, unread)) => {
                let frames = Frames::new(stream, unread, wire::MAX_COMMAND_MESSAGE);
                let tab = Box::new(Tab::new(Arc::clone(&engine), limits.stall));
                let connected = traffic.connect(Transport::WebSocket);
                let end = Connection { engine, frames, codec, stall: limits.stall, connected }.run(tab).await;
                traffic.closed(end);
            }
            Err(error) => tracing::debug!(%error, "a WebSocket upgrade failed"),
        }
    });
    response
}

struct Connection {
    engine: Arc<Engine>,
    frames: Frames<TcpStream>,
    codec: Codec,
    stall: Duration,
    connected: Connected,
}

/// Why a connection is over.
enum End {
    /// The server has last words.
    Bye(Bye),
    /// What the other side asks for is not taken.
    Refused(Refusal),
    /// What the other side sent is against the protocol of WebSockets: the code to close with, and why.
    Broken(u16, &'static str),
    /// The other side closes, with this code.
    Closed(Option<u16>),
    /// The other side is gone.
    Gone,
}

impl End {
    fn close(&self) -> Close {
        match self {
            Self::Bye(bye) => bye.reason.into(),
            Self::Refused(refusal) => refusal.reason.into(),
            Self::Broken(..) => Close::Broken,
            Self::Closed(_) => Close::Left,
            Self::Gone => Close::Gone,
        }
    }
}

impl From<Unsent> for End {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::Stalled => Self::Bye(Bye { reason: ByeReason::Stalled, cursor: None }),
            Unsent::Gone(error) => {
                tracing::debug!(%error, "a tab is gone");
                Self::Gone
            }
        }
    }
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        tracing::debug!(error = %fault, "a tab's connection failed");
        match fault {
            Fault::Broken(code, why) => Self::Broken(code, why),
            Fault::Gone(_) => Self::Gone,
        }
    }
}

fn not_there(error: NotThere) -> End {
    let field = match error {
        NotThere::Topic(_) => "topic",
        NotThere::Partition(_) => "partitions",
    };
    End::Refused(Refusal { reason: ByeReason::BadSubscription, why: format!("filter.{field} {error}").into() })
}

impl Connection {
    /// All but waiting is on the heap: every tab's task is as large as its largest state, and most of them only wait.
    async fn run(mut self, mut tab: Box<Tab>) -> Close {
        let end = Box::pin(self.greet(&tab)).await;
        let end = match end {
            Ok(()) => self.converse(&mut tab).await,
            Err(end) => end,
        };
        // Before the last words: the tab is not connected any more.
        drop(tab);
        let close = end.close();
        let _ = Box::pin(tokio::time::timeout(CLOSE_DEADLINE, self.end(end))).await;
        close
    }

    async fn greet(&mut self, tab: &Tab) -> Result<(), End> {
        self.send_event(&tab.hello()).await
    }

    async fn converse(&mut self, tab: &mut Tab) -> End {
        loop {
            let result = tokio::select! {
                received = self.frames.receive() => Box::pin(self.answer(tab, received)).await,
                output = tab.next() => Box::pin(self.tell(output)).await,
            };
            if let Err(end) = result {
                return end;
            }
        }
    }

    async fn tell(&mut self, output: Output) -> Result<(), End> {
        match output {
            Output::Batch(batch) => self.send_batch(&batch).await,
            Output::Announcement(told) => match self.codec {
                Codec::Postcard => self.send(Kind::Binary, &[told.postcard()]).await,
                Codec::Json => self.send(Kind::Text, &[told.json().as_bytes()]).await,
            },
            Output::Event(event) => self.send_event(&event).await,
            Output::Bye(bye) => Err(End::Bye(bye)),
        }
    }

    async fn answer(&mut self, tab: &mut Tab, received: Result<Received, Fault>) -> Result<(), End> {
        let command = match (received?, self.codec) {
            (Received::Binary(bytes), Codec::Postcard) => codec::decode_command(&bytes),
            (Received::Text(text), Codec::Json) => codec::command_from_json(&text),
            (Received::Ping(payload), _) => return self.send(Kind::Pong, &[&payload]).await,
            (Received::Pong, _) => return Ok(()),
            (Received::Close(code), _) => return Err(End::Closed(code)),
            (Received::Binary(_) | Received::Text(_), _) => {
                return Err(End::Bye(Bye { reason: ByeReason::BadMessage, cursor: None }));
            }
        };
        let command = command.map_err(|error| {
            tracing::debug!(%error, "a tab sent what is no command");
            End::Bye(Bye { reason: ByeReason::BadMessage, cursor: None })
        })?;
        if let Command::Subscribe(Subscribe { feed, filter, .. }) = &command {
            wanted::check(&self.engine, feed, filter).await.map_err(not_there)?;
        }
        for event in tab.command(command).await.map_err(End::Refused)? {
            self.send_event(&event).await?;
        }
        Ok(())
    }

    async fn send_batch(&mut self, batch: &Batch) -> Result<(), End> {
        match self.codec {
            Codec::Postcard => self.send(Kind::Binary, &batch.postcard().parts()).await,
            Codec::Json => {
                for (_, message) in batch.json() {
                    self.send(Kind::Text, &message.parts()).await?;
                }
                Ok(())
            }
        }
    }

    async fn send_event(&mut self, event: &Event) -> Result<(), End> {
        match self.codec {
            Codec::Postcard => {
                let mut bytes = Vec::new();
                codec::encode_event(event, &mut bytes);
                self.send(Kind::Binary, &[&bytes]).await
            }
            Codec::Json => self.send(Kind::Text, &[codec::event_to_json(event).as_bytes()]).await,
        }
    }

    async fn send(&mut self, kind: Kind, parts: &[&[u8]]) -> Result<(), End> {
        self.frames.send(kind, parts, self.stall).await?;
        self.connected.sent(parts.iter().map(|part| part.len()).sum());
        Ok(())
    }

    /// The last words, and the close frame.
    async fn end(mut self, end: End) {
        let (bye, code, why) = match end {
            End::Bye(bye) => {
                let (code, why) = (bye.reason.close_code(), bye.reason.text());
                (Some(bye), Some(code), why.into())
            }
            End::Refused(Refusal { reason, why }) => {
                (Some(Bye { reason, cursor: None }), Some(reason.close_code()), why)
            }
            End::Broken(code, why) => {
                (Some(Bye { reason: ByeReason::BadMessage, cursor: None }), Some(code), why.into())
            }
            End::Closed(code) => (None, code, Cow::default()),
            End::Gone => return,
        };
        if let Some(bye) = bye {
            // It comes once more with the close frame.
            let _ = self.send_event(&Event::Bye(bye)).await;
        }
        let why = &why[..why.floor_char_boundary(MAX_REASON)];
        if let Err(error) = self.frames.close(code, why, CLOSE_DEADLINE).await {
            tracing::debug!(%error, "a tab did not hear why it was closed");
        }
    }
}
