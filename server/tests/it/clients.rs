//! Clients that do not read what they asked for, or do not send what they began: each is given up, and a stop waits for none.

use crate::common::{Instance, PATIENCE, get, kind};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

/// Asks for something as `curl` does, with room for little of it, and reads nothing.
async fn ask(instance: &Instance, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(instance.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", instance.address);
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// So many records of 30 kB, more than a connection takes that nobody reads.
async fn fill(instance: &Instance, records: usize) {
    let url = instance.url(&format!("/api/v1/topics/{}/records/bulk", instance.topic));
    for _ in 0..records / 100 {
        let body: Vec<_> = (0..100).map(|_| json!({"value": "x".repeat(30_000)})).collect();
        let sent = reqwest::Client::new().post(&url).json(&body).send().await.unwrap();
        assert_eq!(sent.status(), 201);
    }
}

/// How many tabs are connected by server-sent events, and how many by JSON lines.
async fn tabs(instance: &Instance) -> (u32, u32) {
    let (_, metrics) = get(instance, "/metrics").await;
    let of = |transport: &str| {
        let name = format!("ottla_tabs_connected{{transport=\"{transport}\"");
        let line =
            metrics.lines().find(|line| line.starts_with(&name)).unwrap_or_else(|| panic!("{name} in {metrics}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    (of("sse"), of("ndjson"))
}

async fn wait_for_tabs(instance: &Instance, wanted: (u32, u32)) {
    let began = Instant::now();
    while tabs(instance).await != wanted {
        assert!(began.elapsed() < PATIENCE, "{:?}", tabs(instance).await);
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_nothing_of_a_stream_is_given_up() {
    let instance = Instance::start_with(|config| config.server.stall_limit_seconds = 1).await;
    let _sse = ask(&instance, "/api/v1/feeds/default/stream").await;
    let _lines = ask(&instance, "/api/v1/feeds/default/stream?format=ndjson").await;
    wait_for_tabs(&instance, (1, 1)).await;
    fill(&instance, 400).await;
    wait_for_tabs(&instance, (0, 0)).await;
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_who_reads_nothing() {
    // Who waits for the readers does so until they are given up, which takes half a minute.
    let instance = Instance::start_with(|config| config.server.stop_deadline_seconds = 60).await;
    fill(&instance, 400).await;
    let _file = ask(&instance, &format!("/topics/{}/records/jsonl?from=oldest", instance.topic)).await;
    let _sse = ask(&instance, "/api/v1/feeds/default/stream?newest=400").await;
    let _lines = ask(&instance, "/api/v1/feeds/default/stream?format=ndjson&newest=400").await;
    wait_for_tabs(&instance, (1, 1)).await;
    // Until the connections are full.
    sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    instance.stop().await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
}

/// What the server answers until it ends the connection.
async fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("the connection ends").unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_come_is_not_waited_for() {
    let instance = Instance::start_with(|config| config.server.stall_limit_seconds = 1).await;
    let begin = async |text: String| {
        let mut stream = TcpStream::connect(instance.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        answer(stream).await
    };
    let host = format!("Host: {}\r\nSec-Fetch-Site: same-origin\r\n", instance.address);
    let body = |path: &str, kind: &str| {
        format!("POST {path} HTTP/1.1\r\n{host}Content-Type: {kind}\r\nContent-Length: 100\r\n\r\n\"the beginning")
    };
    let form = "application/x-www-form-urlencoded";
    let (nothing, head, send, bulk, produce, many) = tokio::join!(
        begin(String::new()),
        begin(format!("GET /healthz HTTP/1.1\r\n{host}")),
        begin(body("/api/kafka/send", "application/json")),
        begin(body("/api/v1/topics/t/records/bulk", "application/json")),
        begin(body("/produce", form)),
        begin(body("/produce/many", "multipart/form-data; boundary=x")),
    );
    assert_eq!((nothing, head), (String::new(), String::new()), "there was no request");
    for answer in [send, bulk, produce, many] {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 408 ") && head.contains("\r\nconnection: close"), "{answer}");
        assert_eq!(kind(&serde_json::from_str(body).unwrap()), "body", "{answer}");
    }
    // Whoever goes on sending is not late: each part buys ten seconds.
    let mut slow = TcpStream::connect(instance.address).await.unwrap();
    let head = format!("POST /api/kafka/send?topic={} HTTP/1.1\r\n{host}Connection: close\r\n", instance.topic);
    let value = format!("\"{}\"", "x".repeat(480 * 1024));
    slow.write_all(
        format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", value.len()).as_bytes(),
    )
    .await
    .unwrap();
    for part in value.as_bytes().chunks(value.len() / 3) {
        slow.write_all(part).await.unwrap();
        sleep(Duration::from_millis(700)).await;
    }
    assert!(answer(slow).await.starts_with("HTTP/1.1 200 "));
    instance.stop().await;
}
