//! What bad input gets: a reason that names the field and the rule, and a server that goes on.

use crate::common::{Instance, get, post_json};
use serde_json::{Value, json};
use wire::{Command, Event, From};

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_break_a_rule_are_refused_by_field() {
    let instance = Instance::start().await;
    for (query, body, status, field) in [
        ("topic=a%20b", "\"x\"", 422, Some("topic")),
        ("topic=no-such-topic", "\"x\"", 422, Some("topic")),
        (&format!("topic={}&partition=-1", instance.topic), "\"x\"", 422, Some("partition")),
        (&format!("topic={}&partition=2", instance.topic), "\"x\"", 422, Some("partition")),
        ("", "{\"not\":\"a string\"}", 422, Some("body")),
        ("", "\"unterminated", 400, None),
        ("", &format!("\"{}\"", "x".repeat(1_000_001)), 422, Some("value")),
        ("", &format!("\"{}\"", "x".repeat(1024 * 1024)), 413, None),
        ("nonsense=1", "\"x\"", 400, None),
    ] {
        let response = reqwest::Client::new()
            .post(instance.url(&format!("/api/kafka/send?{query}")))
            .header("content-type", "application/json")
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        let shown = body.get(..40).unwrap_or(body);
        assert_eq!(response.status(), status, "{query} {shown}");
        if let Some(field) = field {
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            let problem: Value = response.json().await.unwrap();
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
            assert!(!problem["errors"][0]["rule"].as_str().unwrap().is_empty());
        }
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_in_full_is_taken_or_refused_by_field() {
    let instance = Instance::start().await;
    let post = |topic: &str, body: Value| {
        let url = instance.url(&format!("/api/v1/topics/{topic}/records"));
        reqwest::Client::new().post(url).json(&body).send()
    };
    let body = json!({"key_encoding": "base64", "key": "/wA=", "value_encoding": "json", "value": "{\"n\": 9007199254740993}",
        "partition": 1, "headers": [{"name": "trace", "value": "a"}]});
    let answer = post(&instance.topic, body).await.unwrap();
    assert_eq!(answer.status(), 201);
    let page = answer.headers()["location"].to_str().unwrap().to_owned();
    let receipt: wire::Receipt = answer.json().await.unwrap();
    assert_eq!(page, format!("/topics/{}/1/{}", instance.topic, receipt.offset));
    let record = reqwest::get(instance.url(&format!("{page}/json"))).await.unwrap().text().await.unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["key"]["base64"], "/wA=");
    assert_eq!(record["value"]["text"], "{\"n\": 9007199254740993}");
    assert_eq!(record["headers"][0]["value"]["text"], "a");

    for (topic, body, status, field) in [
        ("no-such-topic", json!({"value": "x"}), 422, Some("topic")),
        ("a%20b", json!({"value": "x"}), 422, Some("topic")),
        (&instance.topic, json!({"value": ""}), 422, Some("value")),
        (&instance.topic, json!({"value": "x", "partition": 2}), 422, Some("partition")),
        (&instance.topic, json!({"value": "x", "partition": 1.5}), 422, Some("partition")),
        (&instance.topic, json!({"value": "{", "value_encoding": "json"}), 422, Some("value")),
        (&instance.topic, json!({"value": "x", "headers": [{"name": "", "value": "x"}]}), 422, Some("headers[0]")),
        (&instance.topic, json!({"vlaue": "x"}), 422, Some("vlaue")),
        (&instance.topic, json!({"value": "x", "value_encoding": "null"}), 422, Some("value")),
        (&instance.topic, json!({"value": "x", "topic": "other"}), 422, Some("topic")),
        (&instance.topic, json!("x"), 422, Some("body")),
        (&instance.topic, json!({"value": "x".repeat(1024 * 1024)}), 413, None),
    ] {
        let answer = post(topic, body).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (status, &"application/problem+json".parse().unwrap())
        );
        let problem: Value = answer.json().await.unwrap();
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        if let Some(field) = field {
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_can_not_be_had_is_a_problem_with_its_reason() {
    let instance = Instance::start().await;
    for (query, status, why) in [
        ("default/stream?format=xml", 400, "format"),
        ("default/stream?newest=-1", 400, "newest"),
        ("default/stream?nonsense=1", 400, "nonsense"),
        ("default/stream?cursor=nonsense", 400, "cursor: must be the id of an event"),
        ("nope/stream?format=ndjson", 404, "no such feed"),
    ] {
        let answer = reqwest::get(instance.url(&format!("/api/v1/feeds/{query}"))).await.unwrap();
        assert_eq!(answer.status(), status, "{query}");
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_that_sends_nonsense_is_closed_with_a_reason_and_others_go_on() {
    let instance = Instance::start().await;
    let mut bystander = instance.tab().await;
    bystander.subscribe(From::Now).await;

    let mut garbage = instance.tab().await;
    garbage.send_text("{\"dance\":1}").await;
    assert_eq!(garbage.closed().await.0, 4400);

    let mut wrong_kind = instance.tab().await;
    wrong_kind.send_bytes(vec![1, 2, 3]).await;
    assert_eq!(wrong_kind.closed().await.0, 4400);

    let mut too_large = instance.tab().await;
    too_large.send_text(&"x".repeat(wire::MAX_COMMAND_MESSAGE + 1)).await;
    assert_eq!(too_large.closed().await.0, 1009);

    let mut too_early = instance.tab().await;
    too_early.send(&Command::Pause).await;
    let (code, reason) = too_early.closed().await;
    assert_eq!((code, reason.as_str()), (4409, "this command needs a subscription first"));

    let mut unknown = instance.tab().await;
    unknown.send_text(r#"{"subscribe":{"feed":"nope"}}"#).await;
    assert_eq!(unknown.closed().await.0, 4404);

    instance.send("still here").await;
    assert_eq!(bystander.records(1).await.len(), 1);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_can_not_be_read_is_refused_with_the_place_and_the_reason() {
    let instance = Instance::start().await;
    for (filter, why) in [
        ("json:total>1", "filter.text, at byte 5: a JSON path begins with $"),
        ("paid json:$.a>x", r#"filter.text, at byte 14: compare with a number, "text", true, false or null"#),
        ("where:valeu == 1", "filter.text, at byte 6: unknown: valeu ("),
        (&"x".repeat(wire::Filter::MAX_TEXT + 1), "filter.text, at byte 1024: too long"),
    ] {
        let mut tab = instance.tab().await;
        let command = serde_json::json!({"subscribe": {"feed": "default", "filter": {"text": filter}}});
        tab.send_text(&command.to_string()).await;
        let (code, reason) = tab.closed().await;
        assert_eq!(code, 4422);
        assert!(reason.starts_with(why), "{reason}");

        let mut url = reqwest::Url::parse(&instance.url("/api/v1/feeds/default/stream")).unwrap();
        url.query_pairs_mut().append_pair("text", filter);
        let response = reqwest::get(url).await.unwrap();
        assert_eq!(response.status(), 422);
        let problem: Value = response.json().await.unwrap();
        let (field, rule) = why.split_once(", ").unwrap();
        assert_eq!((field, &problem["errors"][0]["field"]), ("filter.text", &"text".into()), "{problem}");
        assert!(problem["errors"][0]["rule"].as_str().unwrap().starts_with(rule), "{problem}");
    }
    let mut tab = instance.tab().await;
    tab.send_text(r#"{"subscribe":{"feed":"default","filter":{"topic":"no topic"}}}"#).await;
    assert_eq!(tab.closed().await.0, 4422);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_for_what_the_feed_has_not_is_refused_and_one_for_what_it_has_is_served() {
    let instance = Instance::start().await;
    let topic = instance.topic.as_str();
    let subscribe = async |filter: Value| {
        let mut tab = instance.tab().await;
        let command = json!({"subscribe": {"feed": "default", "filter": filter, "from": {"newest": 1}}});
        tab.send_text(&command.to_string()).await;
        tab
    };
    for (filter, why) in [
        (json!({"topic": "nope"}), "filter.topic must be one of the feed's topics: server-test-"),
        (json!({"partitions": [0, 2]}), "filter.partitions must be below 2"),
        (json!({"topic": topic, "partitions": [-1]}), "filter.partitions must be a whole number from 0"),
    ] {
        let (code, reason) = subscribe(filter).await.closed().await;
        assert_eq!(code, 4422);
        assert!(reason.starts_with(why), "{reason}");
    }
    let record = instance.send("x").await;
    let mut tab = subscribe(json!({"topic": topic, "partitions": [record.partition]})).await;
    assert_eq!(tab.records(1).await.len(), 1);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_without_a_subprotocol_is_told_which_there_are() {
    let instance = Instance::start().await;
    let error = tokio_tungstenite::connect_async(format!("ws://{}/ws", instance.address)).await.unwrap_err();
    let tokio_tungstenite::tungstenite::Error::Http(response) = error else { panic!("{error}") };
    assert_eq!(response.status(), 400);
    assert!(String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).contains(wire::SUBPROTOCOL_JSON));
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_can_not_drive_this_server() {
    let instance = Instance::start().await;
    let send = instance.url("/api/kafka/send");
    let client = reqwest::Client::new();
    let post = |content_type: &str| client.post(&send).header("content-type", content_type.to_owned()).body("\"x\"");

    let foreign = post("application/json").header("origin", "https://evil.example.org").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let foreign = post(kind).header("origin", "https://evil.example.org").send().await.unwrap();
        assert_eq!(foreign.status(), 403, "{kind}");
        // Without an origin it is no page's, and hears what to send.
        let simple = post(kind).send().await.unwrap();
        assert_eq!(simple.status(), 415, "{kind}");
        let problem: Value = simple.json().await.unwrap();
        assert_eq!(crate::common::kind(&problem), "content-type");
        assert!(problem["detail"].as_str().unwrap().contains("send content-type: application/json"), "{problem}");
    }
    let (_, newest) = get(&instance, &format!("/api/v1/topics/{}/records", instance.topic)).await;
    assert!(newest.contains("\"records\":[]"), "nothing of it was done: {newest}");
    let rebound = client.get(instance.url("/healthz")).header("host", "evil.example.org").send().await.unwrap();
    assert_eq!(rebound.status(), 421);
    for refused in [&foreign, &rebound] {
        assert_eq!(refused.headers()["x-content-type-options"], "nosniff", "{refused:?}");
        assert_eq!(refused.headers()["cache-control"], "no-store", "{refused:?}");
    }
    let form = client
        .post(instance.url("/produce"))
        .header("sec-fetch-site", "cross-site")
        .body("topic=a")
        .send()
        .await
        .unwrap();
    assert_eq!(form.status(), 403);
    assert_eq!(post_json(&send, "x").await.status(), 200);

    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let mut request = format!("ws://{}/ws", instance.address).into_client_request().unwrap();
    request.headers_mut().insert("origin", "https://evil.example.org".parse().unwrap());
    request.headers_mut().insert("sec-websocket-protocol", wire::SUBPROTOCOL_JSON.parse().unwrap());
    let error = tokio_tungstenite::connect_async(request).await.unwrap_err();
    assert!(matches!(error, tokio_tungstenite::tungstenite::Error::Http(response) if response.status() == 403));
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hello_names_the_instance_and_the_build() {
    let instance = Instance::start().await;
    let Event::Hello(hello) = instance.tab().await.next().await else { panic!("hello comes first") };
    assert_eq!((hello.instance.as_str(), hello.build.as_str()), (instance.name.as_str(), "4567-89ab"));
    assert_eq!(hello.feeds, ["default"]);
    instance.stop().await;
}
