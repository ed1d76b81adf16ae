//! The link between one instance and the brokers: a TCP relay before each node, which can go silent and can be slow. Kafka's
//! clients go where the brokers say that they are, so each node has a listener of its own for this (`scripts/kafka.sh`) that is
//! advertised at the relay's port.

use anyhow::Context as _;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// A node's listener for the relay is its port plus this (`scripts/kafka.sh`), …
const LISTENER: u16 = 200;
/// … and says that it is at its port plus this.
const ADVERTISED: u16 = 300;
/// What is read at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// How many chunks may be on their way.
const ON_THEIR_WAY: usize = 64;

/// How the link is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weather {
    /// Nothing passes and nothing is told, as if a cable were cut. What was sent before arrives when it is mended, if both
    /// sides still wait for it.
    pub is_cut: bool,
    /// How much later everything from the brokers arrives.
    pub latency: Duration,
}

const FAIR: Weather = Weather { is_cut: false, latency: Duration::ZERO };

/// The relays. They end when it is dropped.
pub(super) struct Link {
    weather: watch::Sender<Weather>,
    brokers: String,
    _relays: JoinSet<()>,
}

impl Link {
    /// Relays before the nodes whose plain listeners are `brokers` (`127.0.0.1:PORT`, separated by commas).
    pub async fn start(brokers: &str) -> anyhow::Result<Self> {
        let (weather, _) = watch::channel(FAIR);
        let mut relays = JoinSet::new();
        let mut advertised = Vec::new();
        for broker in brokers.split(',') {
            let port = broker.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
            let port = port.with_context(|| format!("{broker} is not host:port"))?;
            let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port + ADVERTISED));
            let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port + LISTENER));
            let listener = TcpListener::bind(at).await.with_context(|| format!("can't listen on {at}"))?;
            relays.spawn(relay(listener, to, weather.subscribe()));
            advertised.push(at.to_string());
        }
        Ok(Self { weather, brokers: advertised.join(","), _relays: relays })
    }

    /// The brokers' addresses behind the relays.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    pub fn mend(&self) {
        self.set(FAIR);
    }
}

async fn relay(listener: TcpListener, to: SocketAddr, weather: watch::Receiver<Weather>) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(near, to, weather.clone()));
    }
}

/// Until either side closes.
async fn connection(near: TcpStream, to: SocketAddr, mut weather: watch::Receiver<Weather>) {
    if weather.wait_for(|weather| !weather.is_cut).await.is_err() {
        return;
    }
    // A node that is away refuses; so does the relay, by closing.
    let Ok(far) = TcpStream::connect(to).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::select! {
        () = carry(near_read, far_write, weather.clone(), |_| Duration::ZERO) => {}
        () = carry(far_read, near_write, weather, |weather| weather.latency) => {}
    }
}

/// Carries bytes one way, each chunk as late as the weather was when it came.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    weather: watch::Receiver<Weather>,
    latency: impl Fn(Weather) -> Duration,
) {
    let (chunks, mut arrivals) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THEIR_WAY);
    let mut now = weather.clone();
    let read = async move {
        let mut buffer = vec![0; CHUNK];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let due = Instant::now() + latency(*weather.borrow());
            if chunks.send((due, buffer[..count].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let write = async move {
        while let Some((due, chunk)) = arrivals.recv().await {
            sleep_until(due).await;
            if now.wait_for(|weather| !weather.is_cut).await.is_err() || to.write_all(&chunk).await.is_err() {
                break;
            }
        }
    };
    // The reader's end is the writer's, after what is on its way.
    tokio::join!(read, write);
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    /// A node whose relay's listener echoes.
    async fn echo() -> String {
        loop {
            let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port();
            // Ports beside a free one may be taken.
            let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, plain.saturating_add(LISTENER))).await else {
                continue;
            };
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    tokio::spawn(async move {
                        let (mut read, mut write) = stream.split();
                        let _ = tokio::io::copy(&mut read, &mut write).await;
                    });
                }
            });
            return format!("127.0.0.1:{plain}");
        }
    }

    async fn round_trip(stream: &mut TcpStream) -> Duration {
        let began = Instant::now();
        stream.write_all(b"ping").await.unwrap();
        stream.read_exact(&mut [0; 4]).await.unwrap();
        began.elapsed()
    }

    #[tokio::test]
    async fn a_cut_link_is_silent_until_it_is_mended_and_a_slow_one_is_late() {
        let Ok(link) = Link::start(&echo().await).await else { return };
        let mut stream = TcpStream::connect(link.brokers()).await.unwrap();
        round_trip(&mut stream).await;
        link.set(Weather { is_cut: true, ..FAIR });
        assert!(timeout(Duration::from_millis(200), round_trip(&mut stream)).await.is_err());
        link.mend();
        stream.read_exact(&mut [0; 4]).await.unwrap();
        link.set(Weather { latency: Duration::from_millis(150), ..FAIR });
        assert!(round_trip(&mut stream).await >= Duration::from_millis(150));
    }
}
