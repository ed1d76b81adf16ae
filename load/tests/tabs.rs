//! `ottla-load tabs` as it is: the program, against a real instance over the cluster that `OTTLA_TEST_BROKERS` names or an
//! embedded broker.
#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use kafka::embedded::{Embedded, Settings};
use serde_json::Value;
use server::{
    config::{Config, FeedConfig},
    run::serve_on,
};
use std::time::Duration;
use tokio::{
    net::TcpListener,
    process::Command,
    sync::oneshot,
    time::{sleep, timeout},
};

/// Whatever is waited for comes well within this, or never.
const PATIENCE: Duration = Duration::from_secs(60);
/// A topic without partitions that this instance owns would make a run wait for ever.
const PARTITIONS: i32 = 2;

/// Runs the generator with `flags` against an instance of its own, and gives its result and whether it was content.
async fn measured(flags: &str) -> (Value, bool) {
    let dir = tempfile::tempdir().unwrap();
    let embedded = match std::env::var("OTTLA_TEST_BROKERS") {
        Ok(_) => None,
        Err(_) => {
            let listen = "127.0.0.1:0".parse().unwrap();
            Some(Embedded::start(Settings { listen, data_dir: dir.path().join("broker") }).await.unwrap())
        }
    };
    let brokers =
        embedded.as_ref().map_or_else(|| std::env::var("OTTLA_TEST_BROKERS").unwrap(), |it| it.addr().to_string());
    let topic = format!("load-test-{:08x}", rand::random::<u32>());
    let mut config = Config::default();
    config.server.site_root = dir.path().join("site");
    std::fs::create_dir_all(config.server.site_root.join("pkg")).unwrap();
    std::fs::write(config.server.site_root.join("hash.txt"), "js: 0123\nwasm: 4567\ncss: 89ab\n").unwrap();
    config.kafka.brokers = brokers.clone();
    config.kafka.instance = topic.clone();
    config.topics.partitions = PARTITIONS;
    config.feed = FeedConfig { group: topic.clone(), topics: vec![topic.clone()], ..FeedConfig::default() };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(serve_on(listener, config, async {
        let _ = stopped.await;
    }));
    let ready = async {
        while !reqwest::get(format!("{url}/readyz")).await.is_ok_and(|response| response.status() == 200) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, ready).await.expect("the instance becomes ready");

    let pid = std::process::id().to_string();
    let run = Command::new(env!("CARGO_BIN_EXE_ottla-load"))
        .args(["tabs", "--instances", &url, "--pids", &pid, "--brokers", &brokers, "--topic", &topic])
        .args(["--seconds", "2", "--warm-up", "0", "--settle", "0"])
        .args(flags.split(' '))
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, run).await.expect("it ends").unwrap();
    let _ = stop.send(());
    timeout(PATIENCE, served).await.expect("the instance stops").unwrap().unwrap();
    if let Some(embedded) = embedded {
        embedded.stop().await;
    }
    let said = String::from_utf8(output.stdout).unwrap();
    let why = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().count(), 1, "one line: {said:?}; {why}");
    (serde_json::from_str(&said).unwrap(), output.status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_tab_is_told_of_every_record_through_a_storm() {
    let (report, is_content) =
        measured("--tabs 10 --rate 200 --storms 1 --slow 20 --slow-bytes 20000 --stalled 10").await;
    assert!(is_content && report["is_complete"] == true, "{report}");
    let produced = report["produced"].as_u64().unwrap();
    // It takes as long as the tabs take to come back.
    let most = 200.0 * (report["seconds"].as_f64().unwrap() + 1.5);
    assert!(produced >= 300 && produced as f64 <= most, "{report}");
    let told = |key: &str| report["tabs"][key].as_u64().unwrap();
    assert_eq!((told("all"), told("stalled"), told("slow")), (10, 1, 2));
    // One never reads.
    assert_eq!(told("delivered") + told("named_in_gaps"), 9 * produced, "{report}");
    assert_eq!(report["storms_ms"].as_array().unwrap().len(), 1);
    let latency = &report["latency"];
    assert!(latency["samples"].as_u64().unwrap() > 0);
    let (p50, max) = (latency["p50"].as_f64().unwrap(), latency["max"].as_f64().unwrap());
    assert!(p50 > 0.0 && p50 <= max && max < 30_000.0, "{report}");
    assert!(report["server"]["deliveries_per_cpu_second"].as_f64().unwrap() > 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_json_it_is_the_same() {
    let (report, is_content) = measured("--tabs 3 --rate 100 --subprotocol json --pace display").await;
    assert!(is_content && report["is_complete"] == true, "{report}");
    let produced = report["produced"].as_u64().unwrap();
    assert!(produced > 0);
    assert_eq!(report["tabs"]["delivered"].as_u64().unwrap(), 3 * produced, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_tabs_need_no_records() {
    let (report, is_content) = measured("--tabs 20 --idle").await;
    assert!(is_content, "{report}");
    assert_eq!((report["produced"].as_u64(), report["rate"].as_u64()), (Some(0), Some(0)));
    assert!(report["latency"].is_null());
}
