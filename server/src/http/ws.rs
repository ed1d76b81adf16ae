//! A tab's WebSocket: carries [`engine::Tab`]'s conversation in either subprotocol. `docs/PROTOCOL.md` describes it.

use super::HttpLimits;
use axum::{
    body::Bytes,
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    response::{IntoResponse, Response},
};
use engine::{Engine, Output, Refusal, Tab};
use http::StatusCode;
use std::{borrow::Cow, sync::Arc, time::Duration};
use wire::{Bye, ByeReason, Command, Event, codec};

/// axum's default of 128 KiB for each connection is what 10,000 tabs can't afford; commands are small.
const READ_BUFFER: usize = 1024;
/// Everything is flushed at once, so nothing gathers in the write buffer but what the kernel did not take.
const WRITE_BUFFER: usize = 0;
/// Must hold the largest message, or it fails with `WriteBufferFull`; the frame's head is at most 14 bytes.
const MAX_WRITE_BUFFER: usize = 2 * wire::MAX_EVENT_MESSAGE;
/// How long the other side may take to answer a close frame.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

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
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(wire::MAX_COMMAND_MESSAGE)
        .max_frame_size(wire::MAX_COMMAND_MESSAGE)
        .protocols([wire::SUBPROTOCOL_POSTCARD, wire::SUBPROTOCOL_JSON]);
    let codec = match upgrade.selected_protocol().map(|protocol| protocol.to_str()) {
        Some(Ok(wire::SUBPROTOCOL_POSTCARD)) => Codec::Postcard,
        Some(Ok(wire::SUBPROTOCOL_JSON)) => Codec::Json,
        _ => {
            let detail = format!(
                "ask for a subprotocol: Sec-WebSocket-Protocol: {} (or {})",
                wire::SUBPROTOCOL_JSON,
                wire::SUBPROTOCOL_POSTCARD
            );
            return super::problem::Problem::new(StatusCode::BAD_REQUEST, "no-subprotocol", detail).into_response();
        }
    };
    upgrade.on_failed_upgrade(|error| tracing::debug!(%error, "a WebSocket upgrade failed")).on_upgrade(
        move |socket| async move {
            let connection = Connection { socket, codec, stall: limits.stall };
            connection.run(Tab::new(engine)).await;
        },
    )
}

struct Connection {
    socket: WebSocket,
    codec: Codec,
    stall: Duration,
}

/// The longest text of a close frame's reason (RFC 6455, section 5.5), in bytes.
const MAX_REASON: usize = 123;

/// Why a connection is over.
enum End {
    /// The server has last words.
    Bye(Bye),
    /// What the other side asks for is not taken.
    Refused(Refusal),
    /// The other side closed, or is gone.
    Gone,
}

impl Connection {
    async fn run(mut self, mut tab: Tab) {
        let hello = tab.hello();
        let end = match self.send_events(&[hello]).await {
            Ok(()) => self.converse(&mut tab).await,
            Err(end) => end,
        };
        match end {
            End::Bye(bye) => {
                let text = bye.reason.text().into();
                self.close(bye, text).await;
            }
            End::Refused(Refusal { reason, why }) => self.close(Bye { reason, cursor: None }, why).await,
            End::Gone => {}
        }
    }

    async fn converse(&mut self, tab: &mut Tab) -> End {
        loop {
            let result = tokio::select! {
                message = self.socket.recv() => match self.command(message) {
                    Ok(Some(command)) => match tab.command(command) {
                        Ok(events) => self.send_events(&events).await,
                        Err(refusal) => Err(End::Refused(refusal)),
                    },
                    Ok(None) => Ok(()),
                    Err(end) => Err(end),
                },
                output = tab.next() => match output {
                    Output::Batch(batch) => self.send_batch(batch).await,
                    Output::Event(event) => self.send_events(&[event]).await,
                    Output::Bye(bye) => Err(End::Bye(bye)),
                },
            };
            if let Err(end) = result {
                return end;
            }
        }
    }

    /// The command in `message`; none in a ping or pong, which the library answers.
    fn command(&self, message: Option<Result<Message, axum::Error>>) -> Result<Option<Command>, End> {
        let decoded = match (message, self.codec) {
            (Some(Ok(Message::Binary(bytes))), Codec::Postcard) => codec::decode_command(&bytes),
            (Some(Ok(Message::Text(text))), Codec::Json) => codec::command_from_json(&text),
            (Some(Ok(Message::Ping(_) | Message::Pong(_))), _) => return Ok(None),
            (Some(Ok(Message::Close(_))) | None, _) => return Err(End::Gone),
            (Some(Ok(_)), _) => return Err(End::Bye(Bye { reason: ByeReason::BadMessage, cursor: None })),
            (Some(Err(error)), _) => {
                // Too large a frame, or a broken one, gets a reason; a connection that is gone gets none.
                tracing::debug!(%error, "a tab's connection failed");
                return Err(End::Bye(Bye { reason: ByeReason::BadMessage, cursor: None }));
            }
        };
        decoded.map(Some).map_err(|error| {
            tracing::debug!(%error, "a tab sent what is no command");
            End::Bye(Bye { reason: ByeReason::BadMessage, cursor: None })
        })
    }

    async fn send_batch(&mut self, batch: engine::Batch) -> Result<(), End> {
        match self.codec {
            Codec::Postcard => {
                let mut bytes = Vec::new();
                batch.encode_postcard(&mut bytes);
                self.send(Message::Binary(bytes.into())).await
            }
            Codec::Json => self.send_events(&batch.into_events()).await,
        }
    }

    async fn send_events(&mut self, events: &[Event]) -> Result<(), End> {
        for event in events {
            let message = match self.codec {
                Codec::Postcard => {
                    let mut bytes = Vec::new();
                    codec::encode_event(event, &mut bytes);
                    Message::Binary(Bytes::from(bytes))
                }
                Codec::Json => Message::Text(codec::event_to_json(event).into()),
            };
            self.send(message).await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(self.stall, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a tab is gone");
                Err(End::Gone)
            }
            Err(_) => Err(End::Bye(Bye { reason: ByeReason::Stalled, cursor: None })),
        }
    }

    /// Says why, closes, and gives the other side a moment to answer: a connection that is dropped with unread bytes in it
    /// is reset, and the reason is lost on the way (RFC 1122, section 4.2.2.13).
    async fn close(mut self, bye: Bye, mut why: Cow<'static, str>) {
        let code = bye.reason.close_code();
        if why.len() > MAX_REASON {
            why = why[..why.floor_char_boundary(MAX_REASON)].to_owned().into();
        }
        let _ = tokio::time::timeout(CLOSE_DEADLINE, async {
            let _ = self.send_events(&[Event::Bye(bye)]).await;
            let frame = CloseFrame { code, reason: (*why).into() };
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        })
        .await;
    }
}
