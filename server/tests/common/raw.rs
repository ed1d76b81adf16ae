//! A WebSocket by hand, over TCP: what no client library sends, and a reader as slow as one likes.

use super::PATIENCE;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// The first byte of frames: the last one of a message, and its kind (RFC 6455, section 5.2).
pub const FIN: u8 = 0x80;
pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// Any four bytes will do (RFC 6455, section 5.3).
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// FIN, the reserved bits and the opcode.
    pub first: u8,
    pub payload: Vec<u8>,
}

/// A connection that speaks JSON, and says hello by its library.
pub struct Raw {
    pub stream: TcpStream,
}

impl Raw {
    /// Connects, and asks for an upgrade.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpSocket::new_v4().unwrap(), address).await
    }

    /// Connects with a buffer for 4 KiB of what was sent and not read.
    pub async fn connect_with_little_room(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        Self::over(socket, address).await
    }

    async fn over(socket: TcpSocket, address: SocketAddr) -> Self {
        let mut stream = timeout(PATIENCE, socket.connect(address)).await.expect("it connects").unwrap();
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {}\r\n\r\n",
            wire::SUBPROTOCOL_JSON
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(PATIENCE, stream.read_u8()).await.expect("it answers").unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        Self { stream }
    }

    /// Subscribes to the page's feed, to what `filter` lets through.
    pub async fn subscribe(&mut self, filter: &str) {
        let command = serde_json::json!({"subscribe": {"feed": "default", "filter": {"text": filter}}});
        self.send(FIN | TEXT, command.to_string().as_bytes()).await;
    }

    /// Sends a frame as a client must: masked.
    pub async fn send(&mut self, first: u8, payload: &[u8]) {
        self.send_bytes(&frame(first, payload)).await;
    }

    /// Sends bytes as they are. What the server, which may have closed meanwhile, makes of them is seen by reading.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes)).await.expect("it is taken");
    }

    /// The next frame, or nothing where the connection ends.
    pub async fn frame(&mut self) -> Option<Frame> {
        let reading = async {
            let first = self.stream.read_u8().await.ok()?;
            let length = match self.stream.read_u8().await.ok()? {
                126 => u64::from(self.stream.read_u16().await.ok()?),
                127 => self.stream.read_u64().await.ok()?,
                length => {
                    assert!(length < 126, "a server does not mask");
                    u64::from(length)
                }
            };
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload).await.ok()?;
            Some(Frame { first, payload })
        };
        timeout(PATIENCE, reading).await.expect("a frame comes, or the end")
    }

    /// The next frame of this kind; the others before it are passed over. Nothing where the connection ends before.
    pub async fn frame_of(&mut self, kind: u8) -> Option<Vec<u8>> {
        while let Some(frame) = self.frame().await {
            if frame.first & 0x0f == kind {
                return Some(frame.payload);
            }
        }
        None
    }

    /// The code of the server's close frame, after which nothing comes but the connection's end.
    pub async fn closed(mut self) -> Option<u16> {
        let payload = self.frame_of(CLOSE).await?;
        self.send(FIN | CLOSE, &payload).await;
        assert_eq!(self.frame().await, None, "nothing comes after a close frame");
        payload.first_chunk().map(|code| u16::from_be_bytes(*code))
    }

    /// Whether the server has ended the connection within so long. What it sent until then is read, all of it.
    pub async fn ends_within(&mut self, time: Duration) -> bool {
        let mut buffer = [0; 4096];
        let reading = async { while self.stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {} };
        timeout(time, reading).await.is_ok()
    }

    /// Is gone without a word: the connection is reset.
    pub fn vanish(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

/// A masked frame.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | length as u8),
        length @ 126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}
