//! A whole instance in the test's process: a free port, a group and a topic of its own, the cluster that
//! `OTTLA_TEST_BROKERS` names or an embedded broker on a temporary folder.

#![allow(dead_code, reason = "each test program uses its own part")]

pub mod raw;
pub mod relays;

use futures::{SinkExt, StreamExt};
use server::{
    config::{Config, FeedConfig},
    run::serve_on,
};
use std::{net::SocketAddr, path::Path, sync::LazyLock, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest},
};
use wire::{Command, Event, codec};

/// Whatever is waited for comes well within this, or never.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// One running instance.
pub struct Instance {
    pub address: SocketAddr,
    /// Its own: instances of one cluster see each other.
    pub name: String,
    pub topic: String,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<anyhow::Result<()>>,
    _dir: tempfile::TempDir,
}

impl Instance {
    /// Starts an instance whose group has all partitions of a new topic.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let instance = Self::begin_with(change).await;
        timeout(PATIENCE, instance.ready()).await.expect("the instance becomes ready");
        instance
    }

    /// Starts an instance that may never become ready.
    pub async fn begin_with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let id = uuid::Uuid::new_v4();
        let topic = format!("server-test-{id}");
        let mut config = Config::default();
        config.server.site_root = site(dir.path());
        config.kafka.brokers = std::env::var("OTTLA_TEST_BROKERS").unwrap_or_default();
        config.kafka.instance = format!("ottla-{}", &id.to_string()[..8]);
        config.embedded.data_dir = dir.path().join("broker");
        config.topics.partitions = 2;
        // A machine that stands still for seconds moves no partition.
        (config.consumer.session_timeout_ms, config.consumer.max_poll_interval_ms) = (30_000, 60_000);
        config.feed = FeedConfig { group: topic.clone(), topics: vec![topic.clone()], ..FeedConfig::default() };
        change(&mut config);
        let name = config.kafka.instance.clone();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve_on(listener, config, async {
            let _ = stopped.await;
        }));
        Self { address, name, topic, stop: Some(stop), served, _dir: dir }
    }

    async fn ready(&self) {
        while !reqwest::get(self.url("/readyz")).await.is_ok_and(|response| response.status() == 200) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Tells it to stop, as SIGTERM does.
    pub fn tell_to_stop(&mut self) {
        let _ = self.stop.take().expect("told once").send(());
    }

    /// Waits for the end of a stop.
    pub async fn stopped(self) {
        timeout(PATIENCE, self.served).await.expect("it stops").unwrap().unwrap();
    }

    pub async fn stop(mut self) {
        self.tell_to_stop();
        self.stopped().await;
    }

    /// Produces `value` as any program would.
    pub async fn send(&self, value: &str) -> wire::Receipt {
        let response = post_json(&self.url(&format!("/api/kafka/send?topic={}", self.topic)), value).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// Opens a WebSocket that speaks JSON.
    pub async fn tab(&self) -> JsonTab {
        JsonTab::connect(self.address).await
    }
}

/// Whether Kafka is a cluster, and not embedded.
pub fn is_real() -> bool {
    std::env::var("OTTLA_TEST_BROKERS").is_ok()
}

/// How many brokers there are, and so replicas where nobody says: three nodes, or the one that is embedded.
pub fn brokers() -> usize {
    if is_real() { 3 } else { 1 }
}

pub async fn get(instance: &Instance, path: &str) -> (u16, String) {
    let response = reqwest::get(instance.url(path)).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// A page for which Kafka answered in time: what takes it longer than a page waits is there for the page after it.
pub async fn in_time(instance: &Instance, path: &str) -> (u16, String) {
    let mut last = (0, String::new());
    for _ in 0..100 {
        last = get(instance, path).await;
        if !last.1.contains("It took longer than this page waits") {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} never comes in time: {last:?}");
}

/// A page until it shows something: a broker may hear late of what another one was told.
pub async fn page_with(instance: &Instance, path: &str, wanted: &[&str]) -> String {
    let mut html = String::new();
    for _ in 0..100 {
        html = get(instance, path).await.1;
        if wanted.iter().all(|wanted| html.contains(wanted)) {
            return html;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{wanted:?} in {html}");
}

/// The next piece of a page's stream: an element's id, and what is to be in it.
pub async fn piece(stream: &mut Sse) -> (String, String) {
    let (data, _) = stream.event("message").await;
    let (id, html) = data.split_once('\n').unwrap();
    (id.into(), html.into())
}

/// The program, without the environment's configuration.
pub fn program() -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_ottla"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OTTLA_")) {
        command.env_remove(name);
    }
    command.kill_on_drop(true);
    command
}

/// Where a process may listen.
pub fn free_address() -> SocketAddr {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap()
}

/// What is posted as a browser posts a form. (The client library's own needs a feature that the program's build has not: everything
/// that shares the library would be built twice.)
pub trait Form {
    /// With these fields.
    fn form<T: serde::Serialize + ?Sized>(self, fields: &T) -> Self;
}

impl Form for reqwest::RequestBuilder {
    fn form<T: serde::Serialize + ?Sized>(self, fields: &T) -> Self {
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }
}

/// The kind of a problem: its type is an address in the API's description, the same from wherever it is seen.
pub fn kind(problem: &serde_json::Value) -> &str {
    problem["type"].as_str().and_then(|kind| kind.strip_prefix("/api/docs#")).unwrap_or_else(|| panic!("{problem}"))
}

/// Posts a JSON string, as `POST /api/kafka/send` wants it.
pub async fn post_json(url: &str, value: &str) -> reqwest::Response {
    // Some tests post hundreds, in as short a time as they can.
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);
    let body = serde_json::to_string(value).unwrap();
    CLIENT.post(url).header("content-type", "application/json").body(body).send().await.unwrap()
}

/// A site with a page's files that nobody loads.
pub fn site(dir: &Path) -> std::path::PathBuf {
    let root = dir.join("site");
    std::fs::create_dir_all(root.join("pkg")).unwrap();
    std::fs::write(root.join("pkg/ottla.0123.js"), "// a script").unwrap();
    std::fs::write(root.join("favicon.svg"), "<svg/>").unwrap();
    std::fs::write(root.join("hash.txt"), "js: 0123\nwasm: 4567\ncss: 89ab\n").unwrap();
    root
}

/// A WebSocket that speaks JSON.
pub struct JsonTab {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl JsonTab {
    pub async fn connect(address: SocketAddr) -> Self {
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", wire::SUBPROTOCOL_JSON.parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Self { socket }
    }

    pub async fn send(&mut self, command: &Command) {
        self.send_text(&serde_json::to_string(command).unwrap()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub async fn send_bytes(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::binary(bytes)).await.unwrap();
    }

    /// The next event.
    pub async fn next(&mut self) -> Event {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("an event comes").unwrap().unwrap() {
                Message::Text(text) => return codec::event_from_json(&text).unwrap(),
                Message::Ping(_) => {}
                other => panic!("not an event: {other:?}"),
            }
        }
    }

    /// The next event that `wanted` takes.
    pub async fn wait_for<T>(&mut self, wanted: impl Fn(Event) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(self.next().await) {
                return found;
            }
        }
    }

    /// Subscribes to the page's feed.
    pub async fn subscribe(&mut self, from: wire::From) -> wire::Subscribed {
        self.subscribe_to("", from).await
    }

    /// Subscribes to what a filter lets through of the page's feed.
    pub async fn subscribe_to(&mut self, filter: &str, from: wire::From) -> wire::Subscribed {
        self.subscribe_as(wire::Scope::Instance, filter, from).await
    }

    /// Subscribes to what a filter lets through of what this instance consumes, or the whole group.
    pub async fn subscribe_as(&mut self, scope: wire::Scope, filter: &str, from: wire::From) -> wire::Subscribed {
        let filter = wire::Filter { text: filter.into(), ..wire::Filter::default() };
        let pace = wire::Pace::Display;
        self.send(&Command::Subscribe(wire::Subscribe { feed: "default".into(), scope, filter, pace, from })).await;
        self.wait_for(|event| if let Event::Subscribed(subscribed) = event { Some(subscribed) } else { None }).await
    }

    /// The next `n` records.
    pub async fn records(&mut self, n: usize) -> Vec<wire::Record> {
        let mut records = Vec::new();
        while records.len() < n {
            records.extend(
                self.wait_for(|event| if let Event::Records(batch) = event { Some(batch.records) } else { None }).await,
            );
        }
        records
    }

    /// The server's close code, after whatever else it says.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("the server closes") {
                Some(Ok(Message::Close(Some(frame)))) => return (frame.code.into(), frame.reason.to_string()),
                Some(Ok(_)) => {}
                Some(Err(Error::ConnectionClosed)) | None => panic!("closed without a reason"),
                Some(Err(error)) => panic!("{error}"),
            }
        }
    }
}

/// A stream of server-sent events, as a program reads it.
pub struct Sse {
    bytes: std::pin::Pin<Box<dyn futures::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    read: Vec<u8>,
}

impl Sse {
    pub async fn open(url: &str, last_id: Option<&str>) -> Self {
        let request = reqwest::Client::new().get(url);
        Self::send(last_id.into_iter().fold(request, |request, id| request.header("last-event-id", id))).await
    }

    pub async fn send(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { bytes: Box::pin(response.bytes_stream()), read: Vec::new() }
    }

    /// Data and id of the next event of this name; nothing when the stream ends before.
    pub async fn next(&mut self, name: &str) -> Option<(String, Option<String>)> {
        loop {
            while let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                // A chunk may end inside a character, an event does not.
                let event = String::from_utf8(self.read.drain(..end + 2).collect()).unwrap();
                let fields = |field: &str| -> Vec<_> {
                    let values = event.lines().filter_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
                    values.map(|text| text.strip_prefix(' ').unwrap_or(text).to_owned()).collect()
                };
                let data = fields("data");
                // Without a name it is called "message", without data it is none (HTML, "dispatch the event").
                let its_name = fields("event").pop().unwrap_or("message".into());
                if its_name == name && !data.is_empty() {
                    return Some((data.join("\n"), fields("id").pop()));
                }
            }
            let more = timeout(PATIENCE, self.bytes.next()).await.expect("an event comes, or the end")?.unwrap();
            self.read.extend_from_slice(&more);
        }
    }

    /// Data and id of the next event of this name.
    pub async fn event(&mut self, name: &str) -> (String, Option<String>) {
        self.next(name).await.expect("the stream goes on")
    }
}
