//! A WebSocket server that says back what it is told, over the frames that carry tabs (server/src/http/ws/frames.rs): what
//! `make autobahn` tests. It listens on a free port of loopback, and says which on its first line.

use server::http::ws::frames::{Fault, Frames, Kind, Received, Unsent};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The testsuite's largest messages have 16 MiB.
const LIMIT: usize = 16 << 20;
/// How long the other side may take to read.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
#[expect(clippy::print_stdout, reason = "whoever starts it wants to know where it listens")]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = serve(stream).await {
                eprintln!("echo: {error}");
            }
        });
    }
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let key = request(&mut stream).await?;
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    let mut frames = Frames::new(stream, Vec::new(), LIMIT);
    loop {
        let sent = match frames.receive().await {
            Ok(Received::Text(text)) => frames.send(Kind::Text, &[text.as_bytes()], PATIENCE).await,
            Ok(Received::Binary(bytes)) => frames.send(Kind::Binary, &[&bytes], PATIENCE).await,
            Ok(Received::Ping(payload)) => frames.send(Kind::Pong, &[&payload], PATIENCE).await,
            Ok(Received::Pong) => Ok(()),
            Ok(Received::Close(code)) => return ended(frames.close(code, "", PATIENCE).await),
            Err(Fault::Broken(code, why)) => return ended(frames.close(Some(code), why, PATIENCE).await),
            Err(Fault::Gone(error)) => return Err(error),
        };
        ended(sent)?;
    }
}

/// The key of a request to become a WebSocket. It is read byte by byte, so that nothing behind it is.
async fn request(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    let key = headers.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
    key.map(|(_, key)| key.to_owned()).ok_or_else(|| io::Error::other("no request to become a WebSocket"))
}

fn ended(sent: Result<(), Unsent>) -> io::Result<()> {
    sent.map_err(io::Error::other)
}
