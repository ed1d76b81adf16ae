//! The groups' pages, and how the server keeps them live.

use crate::common::{
    Form, Instance, PATIENCE, Sse, free_address, in_time, is_real, kind, page_with, piece, program, relays::Relays,
};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, timeout};

#[tokio::test(flavor = "multi_thread")]
async fn a_groups_page_shows_its_members_and_partitions_within_the_usual_policy() {
    let instance = Instance::start().await;
    let path = format!("/groups/{}", instance.topic);
    let html = page_with(&instance, &path, &["class=\"tile", &format!("aria-label=\"{}\"", instance.name)]).await;
    assert_eq!(html.matches("class=\"tile").count(), 2, "{html}");
    assert!(html.contains(&format!("data-from=\"{path}/live\"")));
    page_with(&instance, "/groups", &[&format!(">{}</a>", instance.topic), "this instance"]).await;

    let response = reqwest::get(instance.url(&path)).await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("style-src 'self'") && !html.contains(" style="), "{policy}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_not_there_is_a_404_in_words() {
    let instance = Instance::start().await;
    for (path, name) in [("/groups/no-such-group", "no-such-group"), ("/groups/a%2Fb%20c", "a/b c")] {
        let (status, html) = in_time(&instance, path).await;
        assert!(status == 404 && html.contains(&format!("There is no group {name}")), "{status}: {html}");
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_page_is_sent_what_changed_and_nothing_else() {
    let instance = Instance::start().await;
    page_with(&instance, &format!("/groups/{}", instance.topic), &["class=\"tile"]).await;
    let url = instance.url(&format!("/groups/{}/live", instance.topic));
    let mut stream = Sse::open(&url, None).await;
    let mut shown = std::collections::HashMap::new();
    let mut records = 0;
    let deadline = Instant::now() + PATIENCE;
    // Everything first, then what a record changes.
    loop {
        assert!(Instant::now() < deadline, "{shown:?}");
        let (id, html) = piece(&mut stream).await;
        assert_ne!(shown.get(&id), Some(&html), "the same again");
        let is_lag = id == "group-lag";
        shown.insert(id, html);
        if is_lag && records == 0 {
            records = instance.send("counts").await.offset + 1;
        } else if is_lag && shown["group-lag"].contains(&format!("<td class=\"r mono\">{records}</td>")) {
            break;
        }
    }
    for id in ["group-state", "group-figures", "group-board", "group-history"] {
        assert!(shown.contains_key(id), "{id} in {shown:?}");
    }
    assert!(!shown.contains_key("body"), "the page has it");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_speaks_its_pages_language_and_asks_for_the_right_host() {
    let instance = Instance::start().await;
    let url = instance.url("/live/groups");
    let client = reqwest::Client::new();
    let mut stream = Sse::send(client.get(&url).header("cookie", "lang=zh-Hant")).await;
    loop {
        let (id, html) = piece(&mut stream).await;
        if id == "groups-table" {
            assert!(html.contains("群組") && html.contains(&instance.topic), "{html}");
            break;
        }
    }
    let rebound = client.get(&url).header("host", "evil.example.org").send().await.unwrap();
    assert_eq!(rebound.status(), 421);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_may_have_any_word_for_its_name() {
    let instance = Instance::start_with(|config| config.feed.group = "live".into()).await;
    let (status, html) = in_time(&instance, "/groups/live").await;
    assert!(status == 200 && html.contains("data-from=\"/groups/live/live"), "{status}: {html}");
    let list = page_with(&instance, "/groups", &["href=\"/groups/live\""]).await;
    assert!(list.contains("data-from=\"/live/groups"), "{list}");
    let mut stream = Sse::open(&instance.url("/groups/live/live"), None).await;
    while piece(&mut stream).await.0 != "group-board" {}
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_when_the_instance_stops() {
    let mut instance = Instance::start().await;
    let mut stream = Sse::open(&instance.url(&format!("/groups/{}/live", instance.topic)), None).await;
    piece(&mut stream).await;
    let began = Instant::now();
    instance.tell_to_stop();
    let end = async { while stream.next("message").await.is_some() {} };
    timeout(Duration::from_secs(5), end).await.expect("it ends before the instance does");
    instance.stopped().await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// A group that has committed offsets of the instance's topic and has no members.
async fn a_group_without_members(instance: &Instance) -> String {
    let name = format!("empty {}", uuid::Uuid::new_v4());
    let body = json!({"topic": instance.topic, "to": "earliest", "execute": true});
    let url = instance.url(&format!("{}/reset", address(&name)));
    assert_eq!(reqwest::Client::new().post(url).json(&body).send().await.unwrap().status(), 200);
    name
}

fn address(group: &str) -> String {
    format!("/api/v1/groups/{}", group.replace(' ', "%20"))
}

/// What a DELETE is answered: the status, and the problem's type.
async fn delete(instance: &Instance, path: &str) -> (u16, String) {
    let response = reqwest::Client::new().delete(instance.url(path)).send().await.unwrap();
    let status = response.status().as_u16();
    let kind = if status == 204 { String::new() } else { kind(&response.json().await.unwrap()).into() };
    (status, kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_reset_moved_is_told_at_once() {
    let instance = Instance::start().await;
    let group = address(&a_group_without_members(&instance).await);
    let receipt = instance.send("one").await;
    let committed = async || {
        let response = reqwest::get(instance.url(&group)).await.unwrap();
        let group: serde_json::Value = response.json().await.unwrap();
        let partitions = group["partitions"].as_array().unwrap().clone();
        let it = partitions.into_iter().find(|it| it["partition"] == receipt.partition);
        it.map(|it| it["committed"].clone())
    };
    assert_eq!(committed().await, Some("0".into()));
    let body = json!({"topic": instance.topic, "to": "latest", "execute": true});
    let reset = reqwest::Client::new().post(instance.url(&format!("{group}/reset"))).json(&body);
    assert_eq!(reset.send().await.unwrap().status(), 200);
    assert_eq!(committed().await, Some("1".into()));
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_deletes_a_group_and_its_offsets_by_their_name_again() {
    let instance = Instance::start().await;
    let (name, topic) = (a_group_without_members(&instance).await, &instance.topic);
    let own = address(topic);
    let group = address(&name);
    let name = name.replace(' ', "+");
    for (path, status, kind) in [
        (group.clone(), 422, "invalid"),
        (format!("{group}?confirm=another"), 422, "invalid"),
        (format!("{group}/offsets/{topic}"), 422, "invalid"),
        ("/api/v1/groups/nope?confirm=nope".into(), 404, "unknown-group"),
        (format!("{own}?confirm={topic}"), 409, "group-active"),
        ("/api/v1/groups/nope?nonsense=1".into(), 400, "address"),
    ] {
        // The embedded broker does not say of a group that it deletes whether there was one.
        if kind == "unknown-group" && std::env::var("OTTLA_TEST_BROKERS").is_err() {
            continue;
        }
        assert_eq!(delete(&instance, &path).await, (status, kind.into()), "{path}");
    }
    if std::env::var("OTTLA_TEST_BROKERS").is_ok() {
        // The embedded broker can't delete offsets: kafka/tests/it/groups.rs.
        let own = format!("{own}/offsets/{topic}?confirm={topic}");
        instance.send("to be committed").await;
        page_with(
            &instance,
            &format!("/groups/{topic}"),
            &["id=\"offsets-topic\"", &format!("<option>{topic}</option>")],
        )
        .await;
        assert_eq!(delete(&instance, &own).await, (409, "group-active".into()));
        let offsets = format!("{group}/offsets/{topic}?confirm={name}");
        assert_eq!(delete(&instance, &offsets).await.0, 204);
        // Kafka 3.9 forgets a group without members with its last offset.
        let forgotten = std::env::var("OTTLA_KAFKA_ZOOKEEPER").is_ok();
        let nothing = if forgotten { "unknown-group" } else { "nothing-committed" };
        assert_eq!(delete(&instance, &offsets).await, (404, nothing.into()));
        if forgotten {
            return instance.stop().await;
        }
    }
    assert_eq!(delete(&instance, &format!("{group}?confirm={name}")).await.0, 204);
    assert_eq!(reqwest::get(instance.url(&group)).await.unwrap().status(), 404);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_groups_page_deletes_it_by_its_name_again_and_says_what_kafka_says() {
    let instance = Instance::start().await;
    let name = a_group_without_members(&instance).await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let post = |path: String, fields: Vec<(&'static str, String)>| {
        let request = client.post(instance.url(&path)).header("sec-fetch-site", "same-origin");
        request.form(&fields).send()
    };
    let page = format!("/groups/{}", name.replace(' ', "%20"));
    let shown =
        page_with(&instance, &page, &["id=\"change-delete\"", &format!("<option>{}</option>", instance.topic)]).await;
    assert!(!shown.contains("consumes as this group"), "{shown}");

    let refused = post(format!("{page}/delete"), vec![("confirm", "another".into())]).await.unwrap();
    assert_eq!(refused.status(), 422);
    let html = refused.text().await.unwrap();
    assert!(
        html.contains("id=\"change-delete\" open") && html.contains(&format!("Type the group's name: {name}.")),
        "{html}"
    );
    // Where the form was posted nothing can be read.
    assert!(html.contains(&format!("<a class=\"btn\" href=\"{page}\">")) && !html.contains("href=\"\""), "{html}");
    let done = post(format!("{page}/delete"), vec![("confirm", name.clone())]).await.unwrap();
    assert_eq!(done.status(), 303);
    let (_, list) = in_time(&instance, done.headers()["location"].to_str().unwrap()).await;
    assert!(list.contains(&format!("The group {name} was deleted.")), "{list}");

    // The feed's own group is in use, and what to do about it is said.
    let own = instance.topic.clone();
    let refused = post(format!("/groups/{own}/delete"), vec![("confirm", own.clone())]).await.unwrap();
    assert_eq!(refused.status(), 409);
    let html = refused.text().await.unwrap();
    for said in
        ["The group is in use: end its members first.", "The feed default of this instance consumes as this group."]
    {
        assert!(html.contains(said), "{said}: {html}");
    }

    // A reset without the tick comes back with what was asked for and its plan.
    let fields = [("to", "offset"), ("value", "7"), ("topic", &own), ("partitions", "1"), ("row", "1:0")];
    let fields = fields.map(|(name, value)| (name, value.to_owned())).to_vec();
    let unsure = post(format!("/groups/{own}/reset"), fields).await.unwrap();
    assert_eq!(unsure.status(), 422);
    let html = unsure.text().await.unwrap();
    for shown in
        ["value=\"offset\" autocomplete=\"off\" checked", "name=\"value\" value=\"7\"", "name=\"row\" value=\"1:"]
    {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    instance.stop().await;
}

/// librdkafka 2.12.1 ends the process then (see `Options::new` in `kafka/src/admin/requests.rs`): hence a process of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_comes_when_nobody_waits_for_it_any_more_ends_nothing() {
    if !is_real() {
        return; // The embedded broker is every group's coordinator.
    }
    let instance = Instance::start().await;
    instance.send("committed").await;
    let path = format!("/api/v1/groups/{}", instance.topic);
    let ask = async |url: String| {
        let response = reqwest::get(url).await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<serde_json::Value>().await.unwrap())
    };
    let (_, group) = ask(instance.url(&path)).await;
    let coordinator = group["coordinator"].as_u64().unwrap();

    let mut relays = Relays::start(Some(coordinator), Duration::ZERO).await;
    let (dir, address) = (tempfile::tempdir().unwrap(), free_address());
    let mut behind = program()
        .current_dir(dir.path())
        .args(["--listen", &address.to_string(), "--brokers", &Relays::brokers(), "--instance", "behind"])
        .args(["--topics", &instance.topic, "--group", &format!("{}-behind", instance.topic)])
        .env("OTTLA_SERVER__SITE_ROOT", crate::common::site(dir.path()))
        // It is no part of the deployment, whose instances tell of each other's groups.
        .env("OTTLA_JOURNAL__DEPLOYMENT", &instance.topic)
        // What was freed is overwritten (mallopt(3), M_PERTURB): whoever uses it after all gets no further.
        .env("MALLOC_PERTURB_", "165")
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lives = async {
        while reqwest::get(format!("http://{address}/healthz")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, lives).await.expect("it listens");
    // What a group has committed only its coordinator knows. Several ask: one could be lucky with what it finds in freed memory.
    let url = format!("http://{address}{path}");
    let asked = (0..20).map(|_| ask(url.clone()));
    for (status, problem) in futures::future::join_all(asked).await {
        assert!(status == 504 && kind(&problem) == "kafka-timed-out", "{status} {problem}");
    }

    relays.add(coordinator).await;
    let answered = async {
        while ask(url.clone()).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, answered).await.expect("it finds the coordinator");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(behind.try_wait().unwrap(), None, "it ended");
    drop(relays);
    instance.stop().await;
}
