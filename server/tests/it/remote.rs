//! `ottla tail` and `ottla produce` as they are used: processes with pipes and exit codes.

use crate::common::{Instance, PATIENCE, program};
use serde_json::Value;
use std::{
    ffi::OsStr,
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    process::{Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::{TcpListener, TcpSocket, TcpStream},
    process::{Child, ChildStdout},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

/// Runs a command that ends by itself, with this as its input.
async fn run(url: &str, args: &[&str], input: &[u8]) -> Output {
    finished(start(url, args), input).await
}

async fn finished(mut child: Child, input: &[u8]) -> Output {
    let mut stdin = child.stdin.take().unwrap();
    // One that refuses its command line reads nothing.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").unwrap()
}

/// Starts a command.
fn start(url: &str, args: &[&str]) -> Child {
    start_in(url, args, &[])
}

/// The same, with this in its environment.
fn start_in(url: &str, args: &[&str], environment: &[(&str, &OsStr)]) -> Child {
    let mut command = program();
    command
        .envs(environment.iter().copied())
        .args(args)
        .env("OTTLA_URL", url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn reader(child: &mut Child) -> Lines<BufReader<ChildStdout>> {
    BufReader::new(child.stdout.take().unwrap()).lines()
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    timeout(PATIENCE, lines.next_line()).await.expect("a line comes").unwrap().expect("it goes on")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A way to an instance with TLS, as a proxy in front of it has it.
struct Encrypted {
    url: String,
    /// Its certificate as a file, which signs itself.
    certificate: tempfile::NamedTempFile,
    _task: tokio::task::JoinHandle<()>,
}

impl Encrypted {
    async fn to(instance: SocketAddr) -> Self {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let certificate = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(certificate.path(), cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    // Who does not trust it goes away.
                    let Ok(mut near) = acceptor.accept(near).await else { return };
                    let mut far = TcpStream::connect(instance).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self { url, certificate, _task: task }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_behind_tls_is_followed_and_produced_to_when_its_certificate_is_trusted() {
    let instance = Instance::start().await;
    let proxy = Encrypted::to(instance.address).await;
    let topic = instance.topic.as_str();
    let (produce, tail) = (["produce", topic], ["tail", "--from", "newest", "1", "-n", "1"]);
    let trusted = [("SSL_CERT_FILE", proxy.certificate.path().as_os_str())];
    let produced = finished(start_in(&proxy.url, &produce, &trusted), b"hello\n").await;
    assert!(produced.status.success(), "{}", text(&produced.stderr));
    assert_eq!(serde_json::from_slice::<wire::Receipt>(&produced.stdout).unwrap().topic, topic);
    let socket = format!("{}/ws", proxy.url.replace("https", "wss"));
    for url in [&proxy.url, &socket] {
        let tailed = finished(start_in(url, &tail, &trusted), b"").await;
        assert!(tailed.status.success(), "{url}: {}", text(&tailed.stderr));
        assert!(text(&tailed.stdout).ends_with("\thello\n"), "{}", text(&tailed.stdout));
    }

    // By another name than the certificate's, and by somebody who does not trust it.
    let by_address = proxy.url.replace("localhost", "127.0.0.1");
    let stranger = Encrypted::to(instance.address).await;
    let other = [("SSL_CERT_FILE", stranger.certificate.path().as_os_str())];
    for args in [&produce[..], &tail] {
        for (url, environment) in [(&by_address, trusted), (&proxy.url, other)] {
            let ended = finished(start_in(url, args, &environment), b"hello\n").await;
            let said = text(&ended.stderr);
            assert_eq!(ended.status.code(), Some(1), "{args:?}: {said}");
            assert!(said.contains("invalid peer certificate: "), "{args:?}: {said}");
            assert!(ended.stdout.is_empty(), "{args:?}");
        }
    }
    instance.stop().await;
}

/// A way to an instance that can be cut.
struct Way {
    address: SocketAddr,
    cut: tokio::sync::mpsc::Sender<()>,
    _task: tokio::task::JoinHandle<()>,
}

impl Way {
    async fn to(instance: SocketAddr) -> Self {
        Self::from(TcpListener::bind(("127.0.0.1", 0)).await.unwrap(), instance)
    }

    fn from(listener: TcpListener, instance: SocketAddr) -> Self {
        let address = listener.local_addr().unwrap();
        let (cut, mut is_cut) = tokio::sync::mpsc::channel(1);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((mut near, _)) = listener.accept() => {
                        connections.spawn(async move {
                            let mut far = TcpStream::connect(instance).await.unwrap();
                            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                        });
                    }
                    Some(()) = is_cut.recv() => connections.abort_all(),
                }
            }
        });
        Self { address, cut, _task: task }
    }
}

/// Somebody who gives everyone the same answer, and keeps what he was asked: a proxy that lets nobody through, or no Ottla at all.
struct Canned {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
    _task: tokio::task::JoinHandle<()>,
}

impl Canned {
    async fn answers(status: &str, header: &str, body: &str) -> Self {
        let answer = format!(
            "HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut asked, _) = listener.accept().await.unwrap();
                let (answer, kept) = (answer.clone(), Arc::clone(&kept));
                connections.spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = asked.read_u8().await else { return };
                        head.push(byte);
                    }
                    kept.lock().unwrap().push(String::from_utf8(head).unwrap());
                    asked.write_all(answer.as_bytes()).await.unwrap();
                    // Its body is taken too: else the connection is reset, and the answer may be lost with it.
                    let _ = asked.shutdown().await;
                    let _ = tokio::io::copy(&mut asked, &mut tokio::io::sink()).await;
                });
            }
        });
        Self { url, heads, _task: task }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Runs a command whose input goes on for ever, and ends by itself after the first line.
async fn run_into(url: &str, args: &[&str]) -> Output {
    let mut child = start(url, args);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"one\n").await.unwrap();
    let ended = timeout(PATIENCE, child.wait_with_output()).await.expect("it does not wait for more lines").unwrap();
    drop(stdin);
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_refused_of_every_line_ends_it() {
    // It makes no topic, and so is never ready.
    let read_only = Instance::begin_with(|config| config.read_only = true).await;
    let instance = Instance::start().await;
    let problem = |detail: &str| format!("{{\"type\":\"x\",\"status\":400,\"detail\":\"{detail}\"}}");
    let json = "Content-Type: application/problem+json";
    let unauthorized = Canned::answers("401 Unauthorized", "Content-Type: text/plain", "Who are you?\n").await;
    let foreign = Canned::answers("421 Misdirected Request", json, &problem("add the name to server.hosts")).await;
    let forbidden = Canned::answers("403 Forbidden", json, &problem("not you")).await;
    let unknown = Canned::answers("404 Not Found", json, &problem("no such thing")).await;
    for (url, topic, why) in [
        (read_only.url(""), read_only.topic.as_str(), "this instance is read-only"),
        (instance.url(""), "no-such-topic", "topic does not exist"),
        (instance.url(""), "a b", "must be 1 to 249 letters"),
        (unauthorized.url.clone(), "t", "status 401: Who are you?"),
        (foreign.url.clone(), "t", "add the name to server.hosts"),
        (forbidden.url.clone(), "t", "not you"),
        (unknown.url.clone(), "t", "no such thing"),
    ] {
        let ended = run_into(&url, &["produce", topic]).await;
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.starts_with("ottla: line 1 ") && said.contains("nor those after it: "), "{said}");
        assert!(said.contains(why) && said.lines().count() == 1 && ended.stdout.is_empty(), "{said}");
    }
    for (url, why) in
        [(&unauthorized.url, "status 401: Who are you?"), (&foreign.url, "status 421: add the name to server.hosts")]
    {
        let ended = run(url, &["tail"], b"").await;
        assert_eq!(ended.status.code(), Some(1));
        assert!(text(&ended.stderr).contains(why), "{}", text(&ended.stderr));
    }
    instance.stop().await;
    read_only.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_shown_to_the_address_that_was_given_and_to_no_other() {
    let other = Canned::answers("200 OK", "X-Other: 1", "").await;
    let moved = Canned::answers("307 Temporary Redirect", &format!("Location: {}/ws", other.url), "").await;
    for command in [&["tail"][..], &["produce", "t"]] {
        let flag = run(&moved.url, &[command, &["--authorization", "Bearer s3cret"]].concat(), b"x\n").await;
        let environment = [("OTTLA_AUTHORIZATION", OsStr::new("Bearer s3cret"))];
        let variable = finished(start_in(&moved.url, command, &environment), b"x\n").await;
        let nothing = run(&moved.url, command, b"x\n").await;
        for ended in [flag, variable, nothing] {
            let said = text(&ended.stderr);
            assert_eq!(ended.status.code(), Some(1), "{command:?}: {said}");
            assert!(said.contains("status 307") && !said.contains("s3cret"), "{command:?}: {said}");
        }
        let help = finished(start_in(&moved.url, &[command[0], "--help"], &environment), b"").await;
        assert!(text(&help.stdout).contains("OTTLA_AUTHORIZATION"), "{}", text(&help.stdout));
        assert!(!text(&help.stdout).contains("s3cret"), "{}", text(&help.stdout));
    }
    let shown: Vec<_> =
        moved.heads().iter().map(|head| head.to_lowercase().contains("\r\nauthorization: bearer s3cret\r\n")).collect();
    assert_eq!(shown, [true, true, false, true, true, false]);
    assert!(other.heads().is_empty(), "{:?}", other.heads());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_not_there_yet_is_waited_for() {
    let instance = Instance::start().await;
    // Nobody takes connections to it as long as nobody listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let mut child = start(&url, &["produce", &instance.topic]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"one\ntwo\n").await.unwrap();
    drop(stdin);
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let word = timeout(PATIENCE, said.next_line()).await.expect("it says so").unwrap().unwrap();
    assert_eq!(word, format!("ottla: {url}: the instance is not there: coming back"));
    // More than one attempt is made.
    sleep(Duration::from_secs(1)).await;
    let _way = Way::from(socket.listen(16).unwrap(), instance.address);
    let ended = timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").unwrap();
    assert!(ended.status.success());
    assert_eq!(text(&ended.stdout).lines().count(), 2);
    assert_eq!(said.next_line().await.unwrap(), None, "it says so once");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_too_long_is_named_and_the_others_are_produced() {
    let instance = Instance::start().await;
    let mut input = vec![b'x'; 11 * 1024 * 1024 + 1];
    input.extend_from_slice(b"\nshort\n");
    let produced = run(&instance.url(""), &["produce", &instance.topic], &input).await;
    assert_eq!(produced.status.code(), Some(1));
    assert_eq!(text(&produced.stderr), "ottla: line 1: too long: 11 MiB at most\n");
    assert_eq!(text(&produced.stdout).lines().count(), 1);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_produced_line_by_line_is_tailed_line_by_line() {
    let instance = Instance::start().await;
    let (url, topic) = (instance.url("/"), instance.topic.as_str());
    let flags = ["produce", topic, "--key", "k", "--header", "source=a=b", "--partition", "1", "--blank-lines"];
    let produced = run(&url, &flags, "one\r\n訊息\n\nno line feed".as_bytes()).await;
    assert!(produced.status.success(), "{}", text(&produced.stderr));
    let receipts: Vec<wire::Receipt> =
        text(&produced.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let places: Vec<_> = receipts.iter().map(|receipt| (receipt.partition, receipt.offset)).collect();
    assert_eq!(places, [(1, 0), (1, 1), (1, 2), (1, 3)], "in the order of the lines");

    let tailed = run(&url, &["tail", "--from", "newest", "10", "-n", "4", "--format", "json"], b"").await;
    assert!(tailed.status.success(), "{}", text(&tailed.stderr));
    let records: Vec<wire::Record> =
        text(&tailed.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let values: Vec<_> = records.iter().map(|record| record.value.as_ref().unwrap().text().unwrap()).collect();
    assert_eq!(values, ["one", "訊息", "", "no line feed"]);
    assert!(records.iter().all(|record| record.key.as_ref().unwrap().text() == Some("k")));
    assert_eq!(records[0].headers[0].name, "source");
    assert_eq!(records[0].headers[0].value.as_ref().unwrap().text(), Some("a=b"));

    let tailed = run(&url, &["tail", "--from", "newest", "10", "-n", "1", "--filter", "訊"], b"").await;
    let columns: Vec<_> = text(&tailed.stdout).trim_end().split('\t').collect();
    assert_eq!(columns[1..], [&format!("{topic}[1]@1"), "k", "訊息"], "{columns:?}");
    assert!(columns[0].ends_with('Z'));

    let produced = run(&url, &flags[..4], b"\r\n \nfive\r\n").await;
    assert!(produced.status.success(), "{}", text(&produced.stderr));
    assert_eq!(text(&produced.stdout).lines().count(), 1, "blank lines are none unless told");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_refused_is_named_and_the_others_are_produced() {
    let instance = Instance::start().await;
    let url = instance.url("");
    let input = concat!(
        r#"{"key": null, "value": {"json": {"n": 9007199254740993}}}"#,
        "\n\n",
        r#"{"value": 7}"#,
        "\n",
        r#"{"value": "v", "partition": 2}"#,
        "\n",
        r#"{"key": "k", "value": null, "headers": {"a": "1"}}"#,
        "\n",
    );
    let produced = run(&url, &["produce", &instance.topic, "--json"], input.as_bytes()).await;
    assert_eq!(produced.status.code(), Some(1));
    assert_eq!(text(&produced.stdout).lines().count(), 2);
    let said: Vec<_> = text(&produced.stderr).lines().collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("ottla: line 3: value must be a string, null"), "{said:?}");
    assert!(said[1].starts_with("ottla: line 4: partition must be below 2"), "{said:?}");

    let tailed = run(&url, &["tail", "--from", "newest", "2", "-n", "2", "--format", "json"], b"").await;
    let records: Vec<Value> = text(&tailed.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let exact = records.iter().find(|record| record["key"].is_null()).unwrap();
    assert_eq!(exact["value"]["text"], r#"{"n": 9007199254740993}"#);
    let tombstone = records.iter().find(|record| record["value"].is_null()).unwrap();
    assert_eq!(tombstone["headers"][0]["value"]["text"], "1");
    // What tail writes, produce reads.
    let again = run(&url, &["produce", &instance.topic, "--json"], &tailed.stdout).await;
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert_eq!(text(&again.stdout).lines().count(), 2);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_comes_back_after_a_lost_connection_and_misses_nothing() {
    let instance = Instance::start().await;
    let way = Way::to(instance.address).await;
    let mut tail = start(&format!("http://{}", way.address), &["tail"]);
    let mut lines = reader(&mut tail);
    let mut said = BufReader::new(tail.stderr.take().unwrap()).lines();
    // It may not be there yet.
    let first = loop {
        instance.send("here").await;
        if let Ok(first) = timeout(Duration::from_millis(500), lines.next_line()).await {
            break first.unwrap().unwrap();
        }
    };
    assert!(first.ends_with("\there"), "{first}");
    way.cut.send(()).await.unwrap();
    let word = timeout(PATIENCE, said.next_line()).await.expect("it says so").unwrap().unwrap();
    assert!(word.ends_with(": coming back"), "{word}");
    instance.send("missed").await;
    loop {
        let next = line(&mut lines).await;
        if next.ends_with("\tmissed") {
            break;
        }
        assert!(next.ends_with("\there"), "{next}");
    }
    // Ended as any program is. (Ctrl+C's signal is ignored by what a shell without a terminal starts in the background.)
    let pid = tail.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = timeout(PATIENCE, tail.wait()).await.expect("it ends").unwrap();
    assert_eq!(ended.signal(), Some(15), "{ended:?}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_ends_with_whoever_reads_it_even_when_nothing_comes() {
    let instance = Instance::start().await;
    instance.send("one").await;
    let mut tail = start(&instance.url(""), &["tail", "--from", "newest", "1"]);
    let mut lines = reader(&mut tail);
    line(&mut lines).await;
    sleep(Duration::from_millis(100)).await;
    drop(lines);
    let ended = timeout(PATIENCE, tail.wait()).await.expect("it does not wait for a record").unwrap();
    assert_eq!(ended.code(), Some(141));
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_are_named_beside_the_records() {
    // Two of such values fit its memory for tabs, and no third one.
    let instance = Instance::start_with(|config| config.feed.ring_bytes = 50_000).await;
    let way = Way::to(instance.address).await;
    let url = format!("http://{}", way.address);
    let mut tail = start(&url, &["tail", "--format", "json"]);
    let mut lines = reader(&mut tail);
    let mut said = BufReader::new(tail.stderr.take().unwrap()).lines();
    let send = async |value: &str| {
        let produced =
            run(&instance.url(""), &["produce", &instance.topic, "--partition", "0"], value.as_bytes()).await;
        serde_json::from_slice::<wire::Receipt>(&produced.stdout).unwrap().offset
    };
    let offset_of = |line: &str| serde_json::from_str::<wire::Record>(line).unwrap().offset;
    let seen = loop {
        let offset = send("here").await;
        if let Ok(first) = timeout(Duration::from_millis(500), lines.next_line()).await {
            // It may be one that was sent before.
            let mut shown = first.unwrap().unwrap();
            while offset_of(&shown) != offset {
                shown = line(&mut lines).await;
            }
            assert!(shown.contains("here"), "{shown}");
            break offset;
        }
    };
    // Nobody reads while this goes through.
    let pid = tail.id().unwrap().to_string();
    let signal = |name: &str| std::process::Command::new("kill").args([name, &pid]).status().unwrap();
    assert!(signal("-STOP").success());
    way.cut.send(()).await.unwrap();
    for _ in 0..8 {
        send(&"x".repeat(20_000)).await;
    }
    assert!(signal("-CONT").success());
    let gap = timeout(PATIENCE, async {
        loop {
            let line = said.next_line().await.unwrap().unwrap();
            if let Ok(wire::Event::Gap(gap)) = wire::codec::event_from_json(&line) {
                return gap;
            }
        }
    });
    let gap = gap.await.expect("the gap is told");
    let next: wire::Record = serde_json::from_str(&line(&mut lines).await).unwrap();
    assert!(gap.first > seen && next.offset == gap.last + 1, "{gap:?}, then {}", next.offset);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_keeps_still_does_not_hold_a_pipe_for_ever() {
    // It takes connections, and says nothing on them.
    let frozen = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", frozen.local_addr().unwrap());
    let keep_still = tokio::spawn(async move {
        let mut connections = Vec::new();
        loop {
            connections.push(frozen.accept().await.unwrap());
        }
    });
    let ended = run(&url, &["produce", "orders", "--timeout", "1"], b"x\n").await;
    let said = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.starts_with("ottla: line 1 may not have been produced, nor those after it: "), "{said}");
    assert!(said.contains("the instance does not answer"), "{said}");
    assert!(ended.stdout.is_empty());
    keep_still.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_done_is_said_and_is_an_exit_code() {
    let instance = Instance::start().await;
    let url = instance.url("");
    let topic = instance.topic.as_str();
    let nobody = "http://127.0.0.1:9".to_owned();
    let (ftp, none) = ("ftp://127.0.0.1".to_owned(), "127.0.0.1:3000".to_owned());
    for (url, args, code, why) in [
        (&url, &["tail", "--feed", "nope"][..], 1, "no such feed"),
        (&url, &["tail", "--filter", "json:total>1"], 1, "filter.text, at byte 5"),
        (&url, &["tail", "--from", "newest"], 2, "--from must be"),
        (&url, &["tail", "--from", "yesterday"], 2, "Usage: ottla tail"),
        (&url, &["tail", "--from", "oldest"], 2, "what is older is in the log, see `--help`"),
        (&nobody, &["tail"], 1, "refused"),
        (&ftp, &["tail"], 2, "none of http, https, ws and wss"),
        (&none, &["tail"], 2, "--url"),
        (&ftp, &["produce", topic], 2, "neither http nor https"),
        (&none, &["produce", topic], 2, "Usage: ottla produce"),
        (&url, &["tail", "--authorization", "a\nb"], 2, "--authorization must be"),
        (&url, &["produce", topic, "--authorization", ""], 2, "--authorization must be"),
        (&url, &["tail", "--format", "xml"], 2, "--format"),
        (&url, &["produce"], 2, "<TOPIC>"),
        (&url, &["produce", topic, "--header", "x"], 2, "NAME=VALUE"),
        (&url, &["produce", topic, "--partition", "-1"], 2, "--partition"),
        (&url, &["produce", topic, "--partition", "2"], 1, "line 1: partition must be below 2"),
        (&url, &["produce", topic, "--json", "--blank-lines"], 2, "--blank-lines"),
        (&nobody, &["produce", topic, "--timeout", "1"], 1, "line 1 was not produced, nor those after it"),
    ] {
        let ended = run(url, args, b"x\n").await;
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(why), "{args:?}: {said}");
        assert!(ended.stdout.is_empty(), "{args:?}");
    }
    instance.stop().await;
}
