//! A read-only instance: what changes the cluster is refused wherever it is asked for, and offered nowhere.

use crate::common::{Form, Instance, kind};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use server::config::Config;
use std::collections::BTreeSet;

/// What of the API is no GET and changes nothing nevertheless: nothing, so far.
const READS: [(&str, &str); 0] = [];
/// The file of the rows that a page holds.
const ROWS: &str = "/rows/";

fn read_only(config: &mut Config) {
    config.read_only = true;
}

/// Two instances over the same data, one after the other: the second one is read-only and has a group of its own.
async fn after(writable: impl AsyncFnOnce(&Instance)) -> (Instance, String, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let keep = |config: &mut Config| config.embedded.data_dir = data.path().into();
    let one = Instance::start_with(keep).await;
    writable(&one).await;
    let topic = one.topic.clone();
    one.stop().await;
    let two = Instance::start_with(|config| {
        keep(config);
        read_only(config);
        config.feed.topics = vec![topic.clone()];
    })
    .await;
    (two, topic, data)
}

/// The pages that have something on them that changes something, while that may be.
fn pages(topic: &str, group: &str) -> Vec<String> {
    let reset = format!("/groups/{group}/reset");
    vec![
        "/".into(),
        "/produce".into(),
        "/produce/many".into(),
        "/topics".into(),
        "/topics?create=1".into(),
        format!("/topics/{topic}"),
        format!("/topics/{topic}?edit=retention.ms"),
        format!("/topics/{topic}?edit="),
        format!("/topics/{topic}?open=0-0"),
        format!("/topics/{topic}/0/0"),
        "/groups".into(),
        format!("/groups/{group}"),
        format!("{reset}?to=earliest&topic={topic}&preview=1"),
    ]
}

async fn html(instance: &Instance, path: &str) -> String {
    reqwest::get(instance.url(path)).await.unwrap().text().await.unwrap()
}

/// Where the forms of a page post to, and their buttons.
fn posts(html: &str) -> BTreeSet<String> {
    let forms = html.split("<form").skip(1).map(|form| form.split_once("</form>").unwrap().0);
    let attributes =
        forms.filter(|form| form.contains("method=\"post\"")).flat_map(|form| form.split("action=\"").skip(1));
    let addresses = attributes.map(|rest| rest.split_once('"').unwrap().0.to_owned());
    addresses.filter(|address| !address.starts_with(ROWS)).collect()
}

async fn post(instance: &Instance, path: &str, cookie: &str) -> Response {
    let request = reqwest::Client::new().post(instance.url(path)).header("sec-fetch-site", "same-origin");
    request.header("cookie", cookie).form(&[("confirm", "x")]).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_that_changes_something_is_forbidden() {
    // Its topic is not there, and never will be: what is forbidden hangs on nothing.
    let instance = Instance::begin_with(read_only).await;
    let description: Value = reqwest::get(instance.url("/api/openapi.json")).await.unwrap().json().await.unwrap();
    let mut refused = Vec::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        let address: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "0" } else { part }).collect();
        for method in operations.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            if method == Method::GET || READS.contains(&(method.as_str(), path)) {
                continue;
            }
            let request = reqwest::Client::new().request(method.clone(), instance.url(&address.join("/")));
            let answer = request.json(&serde_json::json!({})).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path}");
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(kind(&problem), "read-only", "{method} {path}");
            refused.push(format!("{method} {path}"));
        }
    }
    for known in ["POST /api/kafka/send", "DELETE /api/v1/topics/{topic}", "PATCH /api/v1/topics/{topic}/config"] {
        assert!(refused.iter().any(|refused| refused == known), "{known} in {refused:?}");
    }
    let fn_of = |name: &str| post_bytes(&instance, format!("/fn/{name}"));
    let sent = fn_of("produce").await;
    assert_eq!(sent.status(), StatusCode::FORBIDDEN);
    assert_eq!(kind(&sent.json().await.unwrap()), "read-only");
    // An empty text in postcard: of the page's own feed.
    assert_eq!(fn_of("snapshot").await.status(), StatusCode::OK);
    instance.stop().await;
}

async fn post_bytes(instance: &Instance, path: String) -> Response {
    let request = reqwest::Client::new().post(instance.url(&path)).header("sec-fetch-site", "same-origin");
    request.header("content-type", "application/postcard").body(vec![0]).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_offers_what_is_forbidden_and_whoever_posts_it_is_told_so_in_their_language() {
    let mut forms = BTreeSet::new();
    let (instance, topic, _data) = after(async |writable| {
        writable.send("to be seen").await;
        for page in pages(&writable.topic, &writable.topic) {
            // A group is in the list a moment after its first commit.
            forms.extend(posts(&html(writable, &page).await));
        }
    })
    .await;
    let name = |path: &str| path.replace(&topic, "NAME");
    let found: Vec<_> = forms.iter().map(|form| name(form)).collect();
    for known in [
        "/produce",
        "/topics",
        "/topics/NAME/config",
        "/topics/NAME/delete",
        "/groups/NAME/replay",
        "/groups/NAME/offsets",
    ] {
        assert!(found.iter().any(|found| found == known), "{known} in {found:?}");
    }
    for form in forms {
        let answer = post(&instance, &form, "lang=zh-Hant; theme=dark").await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{form}");
        let html = answer.text().await.unwrap();
        for shown in ["lang=\"zh-Hant\"", "data-theme=\"dark\"", "此處無法變更任何內容"] {
            assert!(html.contains(shown), "{form}: {shown} in {html}");
        }
    }
    let reset = format!("href=\"/groups/{}/reset", instance.topic);
    let edit = format!("href=\"/topics/{topic}?edit=");
    for page in pages(&topic, &instance.topic) {
        let html = html(&instance, &page).await;
        assert_eq!(posts(&html), BTreeSet::new(), "{page}");
        assert!(html.contains("data-read-only") && html.contains("Read-only"), "{page}: {html}");
        // What the feed offers while it is empty, the browser writes as well: the stylesheet hides both.
        let offered = ["href=\"/produce", "href=\"/topics?create", &*edit, &*reset, "section class=\"composer"];
        for offered in offered.iter().filter(|offered| page != "/" || !offered.contains("/produce")) {
            assert!(!html.contains(offered), "{page}: {offered}");
        }
    }
    assert!(html(&instance, &format!("/topics/{topic}/0/0")).await.contains(&topic), "reading goes on");
    let rows = post(&instance, "/rows/default/csv", "").await;
    assert_eq!(rows.status(), StatusCode::BAD_REQUEST, "it is looked at, and holds no rows");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_makes_no_topic_of_its_own_accord_and_says_which_it_lacks() {
    let unique = |name: &str| format!("{name}-{}", uuid::Uuid::new_v4());
    let (marks, events) = (unique("marks"), unique("events"));
    let instance = Instance::begin_with(|config| {
        read_only(config);
        (config.journal.marks_topic, config.journal.events_topic) = (marks.clone(), events.clone());
    })
    .await;
    let missing = format!("creating the topic {marks}: this instance is read-only");
    let mut page = String::new();
    for _ in 0..100 {
        page = html(&instance, "/").await;
        if page.contains(&missing) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(page.contains(&missing), "{page}");
    // The feed's topic would be made before the group is joined, which waits for the journal.
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    for name in [&marks, &events, &instance.topic] {
        let url = instance.url(&format!("/api/v1/topics?q={name}"));
        let topics: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        assert_eq!(topics["topics"], serde_json::json!([]), "{name}");
    }
    instance.stop().await;
}
