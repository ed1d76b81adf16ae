//! What an operator sees: metrics, readiness, log lines.

use crate::common::{Instance, PATIENCE, Sse, program};
use serde_json::Value;
use std::{collections::BTreeMap, net::TcpListener, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use wire::From;

/// One scrape: the samples by name and labels, as they are written.
struct Scrape {
    text: String,
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    /// Reads the text format strictly: each sample belongs to the family above it, and each family stands there once.
    async fn take(instance: &Instance) -> Self {
        let request = reqwest::Client::new().get(instance.url("/metrics"));
        let answer = request.header("accept", "application/openmetrics-text; version=1.0.0").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        let text = answer.text().await.unwrap();
        let body = text.strip_suffix("# EOF\n").expect("it is whole");
        let (mut samples, mut families, mut family) = (BTreeMap::new(), BTreeMap::new(), String::new());
        for line in body.lines() {
            if let Some(typed) = line.strip_prefix("# TYPE ") {
                let (name, kind) = typed.split_once(' ').unwrap();
                assert_eq!(families.insert(name.to_owned(), kind.to_owned()), None, "{name} stands there twice");
                name.clone_into(&mut family);
            } else if let Some(help) = line.strip_prefix("# HELP ") {
                assert!(help.split_once(' ').is_some_and(|(_, help)| help.len() > 10), "{line}");
            } else {
                let (sample, value) = line.rsplit_once(' ').unwrap();
                let rest = sample.strip_prefix(&family).unwrap_or_else(|| panic!("{line} is not of {family}"));
                let suffix = rest.split('{').next().unwrap();
                let suffixes: &[&str] = match families[&family].as_str() {
                    "counter" => &["_total"],
                    "gauge" => &[""],
                    "histogram" => &["_sum", "_count", "_bucket"],
                    "info" => &["_info"],
                    other => panic!("{other}"),
                };
                assert!(suffixes.contains(&suffix), "{line}");
                assert_eq!(
                    samples.insert(sample.to_owned(), value.parse().unwrap()),
                    None,
                    "{sample} stands there twice"
                );
            }
        }
        Self { text, samples }
    }

    fn of(&self, sample: &str) -> f64 {
        *self.samples.get(sample).unwrap_or_else(|| panic!("no {sample} in {}", self.text))
    }

    /// A sample of the page's feed.
    fn feed(&self, instance: &Instance, name: &str, more: &str) -> f64 {
        self.of(&format!("{name}{{feed=\"default\",group=\"{}\"{more}}}", instance.topic))
    }

    /// The samples of this name.
    fn all(&self, name: &str) -> impl Iterator<Item = (&str, f64)> {
        let named = self.samples.iter().filter(move |(sample, _)| sample.split('{').next() == Some(name));
        named.map(|(sample, value)| (sample.as_str(), *value))
    }

    /// All of them together.
    fn sum(&self, name: &str) -> f64 {
        self.all(name).map(|(_, value)| value).sum()
    }
}

/// Scrapes until `holds`.
async fn scrape_until(instance: &Instance, what: &str, holds: impl Fn(&Scrape) -> bool) -> Scrape {
    let began = Instant::now();
    loop {
        let scrape = Scrape::take(instance).await;
        if holds(&scrape) {
            return scrape;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}: {}", scrape.text);
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_what_was_produced_consumed_committed_and_sent() {
    let instance = Instance::start().await;
    let before = Scrape::take(&instance).await;
    let feed = |scrape: &Scrape, name: &str| scrape.feed(&instance, name, "");
    assert_eq!(feed(&before, "ottla_records_consumed_total"), 0.0);
    assert_eq!(feed(&before, "ottla_kafka_up"), 1.0);
    assert_eq!(feed(&before, "ottla_group_joined"), 1.0);
    assert_eq!(feed(&before, "ottla_partitions_assigned"), 2.0);
    assert!(before.feed(&instance, "ottla_rebalances_total", ",kind=\"assigned\"") >= 1.0);
    assert_eq!(before.sum("ottla_ring_oldest_record_age_seconds"), 0.0, "there is no record");

    let mut tab = instance.tab().await;
    tab.subscribe(From::Now).await;
    let mut stream = Sse::open(&instance.url("/api/v1/feeds/default/stream"), None).await;
    for value in ["one", "two", "three"] {
        instance.send(value).await;
    }
    let refused = instance.url("/api/kafka/send?topic=a%20b");
    assert_eq!(crate::common::post_json(&refused, "x").await.status(), 422);
    tab.records(3).await;
    stream.event("records").await;

    let is_committed = |scrape: &Scrape| {
        let lag = scrape.samples.iter().filter(|(sample, _)| sample.starts_with("ottla_lag_records{"));
        let lag: Vec<_> = lag.map(|(_, lag)| *lag).collect();
        feed(scrape, "ottla_commit_duration_seconds_count") >= 1.0 && lag == [0.0, 0.0]
    };
    let scrape = scrape_until(&instance, "the commit", is_committed).await;
    assert_eq!(feed(&scrape, "ottla_records_consumed_total"), 3.0);
    assert_eq!(scrape.sum("ottla_records_consumed_again_total"), 0.0);
    assert_eq!(feed(&scrape, "ottla_records_missing_total"), 0.0);
    assert_eq!(scrape.of("ottla_produced_messages_total{outcome=\"acknowledged\"}"), 3.0);
    assert_eq!(scrape.of("ottla_produced_messages_total{outcome=\"invalid\"}"), 1.0);
    assert_eq!(scrape.of("ottla_produced_messages_total{outcome=\"timed_out\"}"), 0.0);
    assert_eq!(scrape.sum("ottla_produce_duration_seconds_count"), 3.0);
    assert_eq!(scrape.sum("ottla_produce_in_flight"), 0.0);
    assert_eq!(scrape.of("ottla_tabs_connected{transport=\"websocket\"}"), 1.0);
    assert_eq!(scrape.of("ottla_tabs_connected{transport=\"sse\"}"), 1.0);
    assert_eq!(scrape.of("ottla_tabs_connected{transport=\"ndjson\"}"), 0.0);
    for transport in ["websocket", "sse"] {
        assert!(scrape.of(&format!("ottla_tabs_sent_bytes_total{{transport=\"{transport}\"}}")) > 500.0);
    }
    assert_eq!(feed(&scrape, "ottla_tabs_behind"), 0.0);
    assert!(feed(&scrape, "ottla_ring_bytes") > 0.0);
    assert_eq!(feed(&scrape, "ottla_ring_limit_bytes"), 67_108_864.0);
    assert!(feed(&scrape, "ottla_ring_oldest_record_age_seconds") < PATIENCE.as_secs_f64());
    assert!(feed(&scrape, "ottla_last_commit_timestamp_seconds") > 1_700_000_000.0);
    // The histogram's last bucket holds all of them.
    let (_, all) = scrape
        .samples
        .iter()
        .find(|(sample, _)| {
            sample.starts_with("ottla_commit_duration_seconds_bucket{") && sample.contains("le=\"+Inf\"")
        })
        .unwrap();
    assert_eq!(*all, feed(&scrape, "ottla_commit_duration_seconds_count"));
    assert!(scrape.of("process_resident_memory_bytes") > 1e6 && scrape.of("process_cpu_seconds_total") > 0.0);
    assert!(scrape.of("process_open_fds") > 5.0);
    let (version, name) = (env!("CARGO_PKG_VERSION"), &instance.name);
    let build = format!("version=\"{version}\",build=\"4567-89ab\",member=\"{name}\"");
    assert_eq!(scrape.of(&format!("ottla_build_info{{{build}}}")), 1.0);

    // What librdkafka says comes once a second.
    let scrape = scrape_until(&instance, "librdkafka's reports", |scrape| {
        let mut trips = scrape.all("ottla_kafka_client_broker_rtt_p99_seconds");
        scrape.feed(&instance, "ottla_kafka_client_brokers_connected", ",client=\"consumer\"") >= 1.0
            && feed(scrape, "ottla_kafka_client_received_bytes_total") > 0.0
            && trips.any(|(sample, trip)| sample.contains("client=\"consumer\"") && trip > 0.0)
            && scrape.of("ottla_kafka_client_brokers_connected{client=\"producer\"}") >= 1.0
            && scrape.of("ottla_kafka_client_sent_bytes_total{client=\"producer\"}") > 0.0
            && scrape.of("ottla_kafka_client_sent_bytes_total{client=\"journal\"}") > 0.0
    });
    let scrape = scrape.await;
    assert_eq!(scrape.of("ottla_kafka_client_queued_messages{client=\"producer\"}"), 0.0);
    assert_eq!(scrape.of("ottla_kafka_client_throttled_seconds_total{client=\"producer\"}"), 0.0);

    let requests = |scrape: &Scrape, route: &str, status: &str| {
        scrape.of(&format!("ottla_http_request_duration_seconds_count{{route=\"{route}\",status=\"{status}\"}}"))
    };
    assert_eq!(requests(&scrape, "/api/kafka/send", "2xx"), 3.0);
    assert_eq!(requests(&scrape, "/api/kafka/send", "4xx"), 1.0);
    assert_eq!(requests(&scrape, "/ws", "1xx"), 1.0);
    // Whatever is asked for that there is no route for is one.
    for nothing in ["/nothing", "/nothing/else"] {
        assert_eq!(crate::common::get(&instance, nothing).await.0, 404);
    }
    let scrape = Scrape::take(&instance).await;
    assert_eq!(requests(&scrape, "other", "4xx"), 2.0);
    assert!(!scrape.text.contains("/nothing"), "{}", scrape.text);

    assert_eq!(scrape.sum("ottla_websocket_closes_total"), 0.0);
    drop((tab, stream));
    scrape_until(&instance, "the tabs to be gone", |scrape| scrape.sum("ottla_tabs_connected") == 0.0).await;
    let mut tab = instance.tab().await;
    tab.send_text("no command").await;
    assert_eq!(tab.closed().await.0, 4400);
    scrape_until(&instance, "both closes", |scrape| {
        scrape.of("ottla_websocket_closes_total{reason=\"gone\"}") == 1.0
            && scrape.of("ottla_websocket_closes_total{reason=\"bad_message\"}") == 1.0
    })
    .await;
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_the_newer_format_gets_the_one_before() {
    let instance = Instance::start().await;
    // It comes a second later than the others.
    scrape_until(&instance, "the lag", |scrape| scrape.all("ottla_lag_records").next().is_some()).await;
    let answer = reqwest::get(instance.url("/metrics")).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text().await.unwrap();
    let types: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    assert!(types.contains(&("ottla_build_info", "gauge")), "{types:?}");
    assert!(types.contains(&("ottla_records_consumed_total", "counter")), "{types:?}");
    assert!(types.iter().all(|(_, kind)| ["counter", "gauge", "histogram"].contains(kind)), "{types:?}");
    assert!(!text.contains("# EOF") && !text.contains("# UNIT"), "{text}");
    // The same samples.
    let newer = Scrape::take(&instance).await;
    let names = |text: &str| -> Vec<String> {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let mut names: Vec<_> = samples.filter_map(|line| line.split(['{', ' ']).next().map(str::to_owned)).collect();
        names.sort();
        names.dedup();
        names
    };
    for name in names(&newer.text) {
        // Samples that come with time may have come meanwhile.
        assert!(names(&text).contains(&name) || name.starts_with("ottla_kafka_client_broker_rtt"), "{name}");
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_counted_and_leaves_no_series_behind() {
    let instance = Instance::start().await;
    for value in ["one", "two"] {
        instance.send(value).await;
    }
    let before = scrape_until(&instance, "the records", |scrape| {
        scrape.feed(&instance, "ottla_records_consumed_total", "") == 2.0
    });
    assert_eq!(before.await.of("ottla_temporary_feeds"), 0.0);
    let replay = instance.url(&format!("/api/v1/groups/{}/replay", instance.topic));
    let body = serde_json::json!({"topic": instance.topic, "to": "earliest"});
    assert_eq!(reqwest::Client::new().post(replay).json(&body).send().await.unwrap().status(), 201);
    let scrape = scrape_until(&instance, "the replay", |scrape| scrape.of("ottla_temporary_feeds") == 1.0).await;
    assert!(!scrape.text.contains("replay-"), "{}", scrape.text);
    instance.stop().await;
}

/// Asks until it says so.
async fn ready_until(instance: &Instance, holds: impl Fn(u16, &Value) -> bool) -> Value {
    let mut last = (0, Value::Null);
    let asked = timeout(PATIENCE, async {
        loop {
            let answer = reqwest::get(instance.url("/readyz")).await.unwrap();
            last = (answer.status().as_u16(), answer.json::<Value>().await.unwrap());
            if holds(last.0, &last.1) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(asked.await.is_ok(), "waited in vain: {last:?}");
    last.1
}

fn codes<'a>(readiness: &'a Value, list: &str) -> Vec<(&'a str, Option<&'a str>)> {
    let list = readiness[list].as_array().unwrap().iter();
    list.map(|reason| (reason["code"].as_str().unwrap(), reason["feed"].as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_without_kafka_lives_and_says_why_it_is_not_ready() {
    // Nobody is there.
    let instance = Instance::begin_with(|config| config.kafka.brokers = "127.0.0.1:9".into()).await;
    let readiness = ready_until(&instance, |status, readiness| {
        status == 503
            && codes(readiness, "reasons") == [("kafka_down", Some("default"))]
            && codes(readiness, "warnings") == [("journal", None)]
    })
    .await;
    assert_eq!(readiness["ready"], false);
    assert!(readiness["reasons"][0]["detail"].as_str().unwrap().starts_with("Kafka does not answer: "), "{readiness}");
    assert_eq!(reqwest::get(instance.url("/healthz")).await.unwrap().status(), 200);
    let scrape = Scrape::take(&instance).await;
    assert_eq!(scrape.feed(&instance, "ottla_kafka_up", ""), 0.0);
    assert_eq!(scrape.of("ottla_journal_up"), 0.0);
    // It says every second that it is there, which nobody takes.
    scrape_until(&instance, "what waits for the journal", |scrape| {
        scrape.of("ottla_journal_waiting") >= 1.0 && scrape.of("ottla_journal_oldest_waiting_seconds") > 1.0
    })
    .await;
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_stops_says_so_to_who_asks_whether_it_is_ready() {
    let mut instance = Instance::start().await;
    scrape_until(&instance, "the journal to be written", |scrape| scrape.of("ottla_journal_waiting") == 0.0).await;
    // Connections that are there are served to their end, new ones are refused: so the question is begun before.
    let mut asking = TcpStream::connect(instance.address).await.unwrap();
    let head = format!("GET /readyz HTTP/1.1\r\nHost: {}\r\n", instance.address);
    asking.write_all(head.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    instance.tell_to_stop();
    let refused = async {
        while TcpStream::connect(instance.address).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, refused).await.expect("it takes no new connections");
    asking.write_all(b"\r\n").await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, asking.read_to_string(&mut answer)).await.expect("it answers and closes").unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 503 "), "{answer}");
    let readiness: Value = serde_json::from_str(body).unwrap();
    assert_eq!(readiness["ready"], false);
    assert_eq!(codes(&readiness, "reasons").first(), Some(&("stopping", None)), "{readiness}");
    instance.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_without_a_journal_is_ready_and_says_what_is_missing() {
    // The embedded broker makes any topic: only a cluster can refuse.
    let Ok(_) = std::env::var("OTTLA_TEST_BROKERS") else { return };
    let maker = Instance::start().await;
    let topic = maker.topic.clone();
    let instance = Instance::start_with(|config| {
        config.kafka.instance = "ottla-without".into();
        (config.feed.topics, config.topics.create) = (vec![topic.clone()], false);
        // More than there are brokers.
        config.topics.replication = 99;
        config.journal.marks_topic = format!("{topic}-marks");
        config.journal.events_topic = format!("{topic}-events");
    })
    .await;
    let readiness = ready_until(&instance, |status, _| status == 200).await;
    assert_eq!((codes(&readiness, "reasons"), codes(&readiness, "warnings")), (vec![], vec![("journal", None)]));
    assert_eq!(Scrape::take(&instance).await.of("ottla_journal_up"), 0.0);
    instance.stop().await;
    maker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_tell_what_the_group_gives_and_takes() {
    // A broker inside an instance would be frozen with it.
    let Ok(brokers) = std::env::var("OTTLA_TEST_BROKERS") else { return };
    let first = Instance::start_with(|config| config.kafka.instance = "ottla-first".into()).await;
    let rebalances =
        |scrape: &Scrape, kind: &str| scrape.feed(&first, "ottla_rebalances_total", &format!(",kind=\"{kind}\""));
    let before = Scrape::take(&first).await;
    assert_eq!((rebalances(&before, "revoked"), rebalances(&before, "lost")), (0.0, 0.0));

    // A process of its own, which can be frozen.
    let dir = tempfile::tempdir().unwrap();
    let second = program()
        .current_dir(dir.path())
        .args(["--listen", "127.0.0.1:0", "--brokers", &brokers, "--instance", "ottla-second"])
        .args(["--topics", &first.topic, "--group", &first.topic])
        .env("OTTLA_SERVER__SITE_ROOT", crate::common::site(dir.path()))
        // It keeps its share for so long when it is frozen: long enough that the third one is seen without any.
        .env("OTTLA_CONSUMER__SESSION_TIMEOUT_MS", "15000")
        .env("OTTLA_CONSUMER__MAX_POLL_INTERVAL_MS", "15000")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let shared = scrape_until(&first, "the second instance's share", |scrape| {
        scrape.feed(&first, "ottla_partitions_assigned", "") == 1.0
    });
    let shared = shared.await;
    assert_eq!(rebalances(&shared, "revoked"), 1.0);
    assert_eq!(rebalances(&shared, "lost"), 0.0);

    // While the frozen one does not answer, the group gives a third one nothing.
    let signal = |name: &str| {
        let pid = second.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
    };
    signal("-STOP");
    let third = Instance::begin_with(|config| {
        config.kafka.instance = "ottla-third".into();
        (config.feed.topics, config.feed.group) = (vec![first.topic.clone()], first.topic.clone());
    })
    .await;
    let waits = ready_until(&third, |status, readiness| {
        status == 503 && codes(readiness, "reasons") == [("not_assigned", Some("default"))]
    });
    let waits = waits.await;
    let detail = waits["reasons"][0]["detail"].as_str().unwrap();
    assert_eq!(detail, format!("the group {} has not assigned partitions yet", first.topic));
    let scrape = Scrape::take(&third).await;
    let of_third = |name: &str| scrape.of(&format!("{name}{{feed=\"default\",group=\"{}\"}}", first.topic));
    assert_eq!((of_third("ottla_kafka_up"), of_third("ottla_group_joined")), (1.0, 0.0));
    ready_until(&third, |status, _| status == 200).await;
    third.stop().await;
    scrape_until(&first, "all partitions again", |scrape| {
        scrape.feed(&first, "ottla_partitions_assigned", "") == 2.0
            && rebalances(scrape, "assigned") > rebalances(&shared, "assigned")
    })
    .await;
    first.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_one_line_of_json_to_the_last_word() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut ottla = program();
    ottla
        .current_dir(dir.path())
        .args(["--listen", &taken.local_addr().unwrap().to_string(), "--log-format", "json"])
        .env("OTTLA_EMBEDDED__DATA_DIR", dir.path())
        .env("OTTLA_SERVER__SITE_ROOT", crate::common::site(dir.path()));
    let ended = timeout(PATIENCE, ottla.output()).await.expect("it ends").unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = lines(&ended.stderr);
    let last = said.last().unwrap();
    assert_eq!((last["level"].as_str(), last["message"].as_str()), (Some("ERROR"), Some("Ottla can't go on")));
    assert!(last["cause"].as_str().unwrap().starts_with("server.listen: can't listen on"), "{last}");

    // One that starts, and is told to stop.
    drop(taken);
    let mut ottla = ottla.stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(ottla.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("Ottla listens") {
        let read = timeout(PATIENCE, stderr.read_line(&mut said)).await.expect("it listens").unwrap();
        assert!(read > 0, "it ended: {said}");
    }
    let pid = ottla.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").arg(&pid).status().unwrap().success());
    timeout(PATIENCE, stderr.read_to_string(&mut said)).await.expect("it stops").unwrap();
    assert!(timeout(PATIENCE, ottla.wait()).await.expect("it stops").unwrap().success());
    let said = lines(said.as_bytes());
    let message = |message: &str| said.iter().find(|line| line["message"] == message);
    let listens = message("Ottla listens").unwrap_or_else(|| panic!("{said:?}"));
    assert!(listens["address"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{listens}");
    assert!(message("stopped").is_some(), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_configuration_is_told_as_its_log_would_be() {
    let dir = tempfile::tempdir().unwrap();
    let ended = async |args: &[&str], environment: &[(&str, &str)], file: &str| {
        std::fs::write(dir.path().join("ottla.toml"), file).unwrap();
        let mut ottla = program();
        ottla.current_dir(dir.path()).args(args).envs(environment.iter().copied());
        let ended = timeout(PATIENCE, ottla.output()).await.expect("it ends").unwrap();
        assert_eq!(ended.status.code(), Some(1));
        ended.stderr
    };
    let json = ("OTTLA_LOG__FORMAT", "json");
    let unknown = "configuration: unknown field: found `colour`";
    for (args, environment, file, why) in [
        (&["--log-format", "json"][..], &[][..], "colour = 1", unknown),
        (&["broker"], &[json], "colour = 1", unknown),
        (&[], &[], "colour = 1\n[log]\nformat = \"json\"", unknown),
        (
            &[],
            &[],
            "[log]\nformat = \"json\"\n[consumer]\nmax_uncommitted = 0",
            "configuration: consumer.max_uncommitted",
        ),
        (&[], &[], "[log]\nformat = \"json\"\nfilter = \"a=b=c\"", "configuration: log.filter"),
        // Nothing can be read of such a file, and of one that is not there.
        (&[], &[json], "[log", "configuration: "),
        (&["--config", "none.toml"], &[json], "", "configuration: no file none.toml"),
    ] {
        let said = lines(&ended(args, environment, file).await);
        let [last] = said.as_slice() else { panic!("{said:?}") };
        assert_eq!((last["level"].as_str(), last["message"].as_str()), (Some("ERROR"), Some("Ottla can't go on")));
        assert!(last["cause"].as_str().unwrap().starts_with(why), "{last}");
    }
    // A person asks for these.
    for (args, file) in [(&[][..], "colour = 1"), (&["check-config"], "colour = 1\n[log]\nformat = \"json\"")] {
        let said = String::from_utf8(ended(args, &[], file).await).unwrap();
        assert!(said.starts_with(&format!("ottla: {unknown}")), "{said}");
    }
}

/// The lines, each of which must be a whole event.
fn lines(log: &[u8]) -> Vec<Value> {
    let lines = std::str::from_utf8(log).unwrap().lines();
    let event = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        // A library's event need not have a message.
        for field in ["timestamp", "level", "target"] {
            assert!(event[field].is_string(), "{field} in {line}");
        }
        event
    };
    lines.map(event).collect()
}
