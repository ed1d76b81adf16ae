//! WebSocket frames (RFC 6455) on a connection, the server's side. What messages say is decided elsewhere.
//!
//! A message goes from where its parts lie into the socket, and between two messages nothing is kept. A general library copies each
//! message into a buffer of the connection, whose capacity stays: 64 KiB for each tab after a burst, and ten thousand tabs
//! can't afford that. What the header of a frame looks like is tungstenite's.

use std::{
    future::poll_fn,
    io::{self, Cursor, ErrorKind, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::timeout,
};
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{CloseCode, Control, Data, OpCode},
};

/// What is read at once: most commands fit.
const READ_AT_ONCE: usize = 4096;
/// The longest payload of a control frame (section 5.5), in bytes.
pub const MAX_CONTROL: usize = 125;

/// A connection that speaks in frames.
#[derive(Debug)]
pub struct Frames<S> {
    stream: S,
    /// The largest message that is taken, in bytes.
    limit: usize,
    /// What was read and is no whole frame yet. Without memory while it is empty.
    unread: Vec<u8>,
    /// The fragments so far of a message that is not whole yet.
    begun: Option<(Data, Vec<u8>)>,
    /// The rest of a message that the other side did not take in time.
    rest: Vec<u8>,
}

/// What the other side sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// To be answered with a pong of the same payload.
    Ping(Vec<u8>),
    /// The answer to a ping, or a sign of life.
    Pong,
    /// The other side closes; to be answered with the same code, where there is one.
    Close(Option<u16>),
}

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text message.
    Text,
    /// A binary message.
    Binary,
    /// The answer to a ping.
    Pong,
    /// A close frame.
    Close,
}

/// Why nothing more can be received.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// What came is not allowed: close with this code (section 7.4.1).
    #[error("{1} ({0})")]
    Broken(u16, &'static str),
    /// The connection is gone.
    #[error(transparent)]
    Gone(#[from] io::Error),
}

/// Why something was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// The other side did not take it in time. The rest goes before whatever is sent next.
    #[error("the other side does not read")]
    Stalled,
    /// The connection is gone.
    #[error(transparent)]
    Gone(#[from] io::Error),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<S> {
    /// Frames on `stream`, of which `unread` was read already. Messages of more than `limit` bytes are refused.
    pub fn new(stream: S, unread: Vec<u8>, limit: usize) -> Self {
        Self { stream, limit, unread, begun: None, rest: Vec::new() }
    }

    /// The next message or control frame. Can be dropped and called again without losing anything.
    ///
    /// # Errors
    /// When the connection is gone, or when what comes is against the protocol. Nothing can be received after it.
    pub async fn receive(&mut self) -> Result<Received, Fault> {
        loop {
            while let Some((header, payload)) = self.frame()? {
                if let Some(received) = self.take(&header, payload)? {
                    return Ok(received);
                }
            }
            let stream = Pin::new(&mut self.stream);
            if read(stream, &mut self.unread).await? == 0 {
                return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
            }
        }
    }

    /// Sends a message of these parts, in one frame.
    ///
    /// # Errors
    /// When the connection is gone, or does not take it within `patience`.
    pub async fn send(&mut self, kind: Kind, parts: &[&[u8]], patience: Duration) -> Result<(), Unsent> {
        let header = header(kind, parts.iter().map(|part| part.len()).sum());
        let rest = std::mem::take(&mut self.rest);
        let mut slices = Vec::with_capacity(2 + parts.len());
        slices.extend([&rest[..], &header].into_iter().chain(parts.iter().copied()).map(IoSlice::new));
        let mut left = &mut slices[..];
        // Empty ones would look like a connection that takes nothing.
        IoSlice::advance_slices(&mut left, 0);
        match timeout(patience, write(Pin::new(&mut self.stream), &mut left)).await {
            Ok(result) => result.map_err(Unsent::Gone),
            Err(_) => {
                let unsent = left.iter().flat_map(|slice| slice.iter().copied());
                self.rest = unsent.collect();
                Err(Unsent::Stalled)
            }
        }
    }

    /// Closes with `code` (none: the other side gave none) and `why`, at most [`MAX_CONTROL`] bytes together; then reads on until the
    /// other side has closed too. A connection that is dropped with unread bytes in it is reset, and the reason is lost on the
    /// way (RFC 1122, section 4.2.2.13).
    ///
    /// # Errors
    /// When the connection is gone before, or does not take it within `patience`.
    pub async fn close(&mut self, code: Option<u16>, why: &str, patience: Duration) -> Result<(), Unsent> {
        let code = code.map(u16::to_be_bytes);
        let parts: &[&[u8]] = match &code {
            Some(code) => &[code, why.as_bytes()],
            None => &[],
        };
        self.send(Kind::Close, parts, patience).await?;
        self.stream.shutdown().await?;
        loop {
            self.unread.clear();
            if read(Pin::new(&mut self.stream), &mut self.unread).await? == 0 {
                return Ok(());
            }
        }
    }

    /// The next whole frame of what was read, without its mask.
    fn frame(&mut self) -> Result<Option<(FrameHeader, Vec<u8>)>, Fault> {
        let mut at = Cursor::new(&self.unread[..]);
        let header = FrameHeader::parse(&mut at);
        let Some((header, length)) = header.map_err(|_| broken(CloseCode::Protocol, "a reserved opcode"))? else {
            return Ok(None);
        };
        let Some(mask) = header.mask else { return Err(broken(CloseCode::Protocol, "a frame without a mask")) };
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(broken(CloseCode::Protocol, "a reserved bit"));
        }
        let is_control = matches!(header.opcode, OpCode::Control(_));
        if is_control && (!header.is_final || length > MAX_CONTROL as u64) {
            return Err(broken(CloseCode::Protocol, "a control frame in fragments, or too long"));
        }
        let before = self.begun.as_ref().filter(|_| !is_control).map_or(0, |(_, bytes)| bytes.len());
        let length = usize::try_from(length).ok().filter(|length| before.saturating_add(*length) <= self.limit);
        let Some(length) = length else { return Err(broken(CloseCode::Size, "a message too large")) };
        let start = usize::try_from(at.position()).expect("a position in memory");
        let Some(payload) = self.unread.get(start..start + length) else { return Ok(None) };
        let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        self.unread.drain(..start + length);
        if self.unread.is_empty() {
            self.unread = Vec::new();
        }
        Ok(Some((header, payload)))
    }

    /// What a frame brings; nothing yet, where it is a fragment.
    fn take(&mut self, header: &FrameHeader, payload: Vec<u8>) -> Result<Option<Received>, Fault> {
        let (kind, bytes) = match (header.opcode, self.begun.take()) {
            (OpCode::Control(control), begun) => {
                self.begun = begun;
                return self::control(control, payload).map(Some);
            }
            (OpCode::Data(Data::Continue), Some((kind, mut bytes))) => {
                bytes.extend_from_slice(&payload);
                (kind, bytes)
            }
            (OpCode::Data(kind @ (Data::Text | Data::Binary)), None) => (kind, payload),
            (OpCode::Data(_), _) => return Err(broken(CloseCode::Protocol, "a fragment out of place")),
        };
        if !header.is_final {
            self.begun = Some((kind, bytes));
            return Ok(None);
        }
        if kind == Data::Binary {
            return Ok(Some(Received::Binary(bytes)));
        }
        let text = String::from_utf8(bytes).map_err(|_| broken(CloseCode::Invalid, "a text that is not UTF-8"))?;
        Ok(Some(Received::Text(text)))
    }
}

fn control(control: Control, payload: Vec<u8>) -> Result<Received, Fault> {
    match control {
        Control::Ping => Ok(Received::Ping(payload)),
        Control::Pong => Ok(Received::Pong),
        Control::Close => match payload.split_first_chunk() {
            None if payload.is_empty() => Ok(Received::Close(None)),
            Some((code, reason)) if CloseCode::from(u16::from_be_bytes(*code)).is_allowed() => {
                match std::str::from_utf8(reason) {
                    Ok(_) => Ok(Received::Close(Some(u16::from_be_bytes(*code)))),
                    Err(_) => Err(broken(CloseCode::Invalid, "a reason that is not UTF-8")),
                }
            }
            _ => Err(broken(CloseCode::Protocol, "no code to close with")),
        },
        Control::Reserved(_) => Err(broken(CloseCode::Protocol, "a reserved opcode")),
    }
}

fn broken(code: CloseCode, why: &'static str) -> Fault {
    Fault::Broken(code.into(), why)
}

/// The head of a frame that is a message by itself, of `length` bytes.
fn header(kind: Kind, length: usize) -> Vec<u8> {
    let opcode = match kind {
        Kind::Text => OpCode::Data(Data::Text),
        Kind::Binary => OpCode::Data(Data::Binary),
        Kind::Pong => OpCode::Control(Control::Pong),
        Kind::Close => OpCode::Control(Control::Close),
    };
    let mut bytes = Vec::with_capacity(10);
    let header = FrameHeader { opcode, is_final: true, mask: None, ..FrameHeader::default() };
    header.format(length as u64, &mut bytes).expect("a Vec takes any bytes");
    bytes
}

/// Reads what is there, by way of the stack: an idle connection has no buffer. Returns how much.
async fn read(mut stream: Pin<&mut (impl AsyncRead + ?Sized)>, to: &mut Vec<u8>) -> io::Result<usize> {
    poll_fn(|context| {
        let mut space = [MaybeUninit::uninit(); READ_AT_ONCE];
        let mut read = ReadBuf::uninit(&mut space);
        let polled = stream.as_mut().poll_read(context, &mut read);
        polled.map_ok(|()| {
            to.extend_from_slice(read.filled());
            read.filled().len()
        })
    })
    .await
}

/// Writes what is `left`, and moves on over it.
async fn write(mut stream: Pin<&mut (impl AsyncWrite + ?Sized)>, left: &mut &mut [IoSlice<'_>]) -> io::Result<()> {
    while !left.is_empty() {
        let written = poll_fn(|context| stream.as_mut().poll_write_vectored(context, left)).await?;
        if written == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(left, written);
    }
    poll_fn(|context| stream.as_mut().poll_flush(context)).await
}
