//! TCP relays before the nodes of a real cluster, which can be slow, be missing, or end. Some listeners of `scripts/kafka.sh` tell clients
//! the relays' ports, so that nothing goes around them.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Mutex, MutexGuard, mpsc},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

/// By how much the port of such a listener is higher than the node's own, and the one that it tells.
const LISTENER: u16 = 200;
const ADVERTISED: u16 = 300;

/// The ports are the cluster's: one test at a time has them.
static PORTS: Mutex<()> = Mutex::const_new(());

/// The relays. They end when it is dropped.
pub struct Relays {
    links: JoinSet<()>,
    delay: Duration,
    _ports: MutexGuard<'static, ()>,
}

impl Relays {
    /// Where an instance begins that is to be behind the relays: there Kafka tells it their ports.
    pub fn brokers() -> String {
        nodes(LISTENER).join(",")
    }

    /// Before every node but one, each way taking so long.
    pub async fn start(without: Option<u64>, delay: Duration) -> Self {
        let ports = PORTS.lock().await;
        let mut relays = Self { links: JoinSet::new(), delay, _ports: ports };
        for node in 1..=nodes(0).len() as u64 {
            if without != Some(node) {
                relays.add(node).await;
            }
        }
        relays
    }

    /// Before this node too.
    pub async fn add(&mut self, node: u64) {
        let of = |nodes: Vec<String>| nodes[usize::try_from(node).unwrap() - 1].clone();
        let (listener, to, delay) = (bind(&of(nodes(ADVERTISED))).await, of(nodes(LISTENER)), self.delay);
        self.links.spawn(async move {
            let mut links = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let broker = TcpStream::connect(&to).await.unwrap();
                let ((from_client, to_client), (from_broker, to_broker)) = (client.into_split(), broker.into_split());
                links.spawn(carry(from_client, to_broker, delay));
                links.spawn(carry(from_broker, to_client, delay));
            }
        });
    }
}

/// The relays before these end a moment after they were told to.
async fn bind(at: &str) -> TcpListener {
    for _ in 0..100 {
        if let Ok(listener) = TcpListener::bind(at).await {
            return listener;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("{at} is in use");
}

/// Every byte comes late by as much, however many are on their way.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (under_way, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(64);
    let read = async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            if under_way.send((Instant::now() + delay, buffer[..count].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = arriving.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
    };
    tokio::join!(read, write);
}

fn nodes(by: u16) -> Vec<String> {
    let brokers = std::env::var("OTTLA_TEST_BROKERS").unwrap();
    let shifted = brokers.split(',').map(|node| {
        let (host, port) = node.rsplit_once(':').unwrap();
        format!("{host}:{}", port.parse::<u16>().unwrap() + by)
    });
    shifted.collect()
}
