//! The HTTP API: what it answers, what it refuses, and that its description is of what there is.

use crate::common::{Form, Instance, is_real, kind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn get(instance: &Instance, path: &str) -> (u16, Value) {
    let response = reqwest::get(instance.url(path)).await.unwrap();
    answer(response).await
}

/// What is there once `wanted` says so: each broker hears of a change in its own time.
async fn get_when(instance: &Instance, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..100 {
        let (_, found) = get(instance, path).await;
        if wanted(&found) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{path}: {}", get(instance, path).await.1);
}

async fn post(instance: &Instance, path: &str, body: &Value) -> (u16, Value) {
    answer(reqwest::Client::new().post(instance.url(path)).json(body).send().await.unwrap()).await
}

async fn answer(response: reqwest::Response) -> (u16, Value) {
    let (status, kind) = (response.status(), response.headers()["content-type"].to_str().unwrap().to_owned());
    let expected = if status.is_success() { "application/json" } else { "application/problem+json" };
    assert_eq!(kind, expected, "{status}");
    (status.as_u16(), response.json().await.unwrap())
}

/// All that programs may ask for.
const OPERATIONS: [&str; 25] = [
    "POST /api/kafka/send",
    "POST /api/inventory",
    "GET /api/v1/cluster",
    "GET /api/v1/feeds",
    "GET /api/v1/feeds/{feed}",
    "GET /api/v1/feeds/{feed}/stream",
    "GET /api/v1/groups",
    "GET /api/v1/groups/{group}",
    "DELETE /api/v1/groups/{group}",
    "DELETE /api/v1/groups/{group}/offsets/{topic}",
    "POST /api/v1/groups/{group}/reset",
    "POST /api/v1/groups/{group}/replay",
    "GET /api/v1/topics",
    "POST /api/v1/topics",
    "GET /api/v1/topics/{topic}",
    "DELETE /api/v1/topics/{topic}",
    "GET /api/v1/topics/{topic}/config",
    "PATCH /api/v1/topics/{topic}/config",
    "POST /api/v1/topics/{topic}/partitions",
    "GET /api/v1/topics/{topic}/records",
    "POST /api/v1/topics/{topic}/records",
    "DELETE /api/v1/topics/{topic}/records",
    "POST /api/v1/topics/{topic}/records/bulk",
    "GET /api/v1/topics/{topic}/{partition}/{offset}",
    "POST /api/v1/topics/{topic}/{partition}/{offset}/again",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_described_and_the_page_of_the_description_is_in_the_binary() {
    let instance = Instance::start().await;
    let (status, description) = get(&instance, "/api/openapi.json").await;
    assert_eq!((status, &description["openapi"]), (200, &json!("3.1.0")));
    let operations = description["paths"].as_object().unwrap().iter().flat_map(|(path, operations)| {
        operations.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let operations: BTreeSet<_> = operations.collect();
    let expected: BTreeSet<_> = OPERATIONS.into_iter().map(str::to_owned).collect();
    assert_eq!(operations, expected);
    // 64-bit numbers are strings, as everywhere in JSON.
    assert_eq!(description["components"]["schemas"]["Receipt"]["properties"]["offset"]["type"], "string");
    let docs = reqwest::get(instance.url("/api/docs/")).await.unwrap();
    assert_eq!(docs.status(), 200);
    assert!(docs.text().await.unwrap().contains("swagger-ui"));
    let (status, problem) = get(&instance, "/api/v1/nothing").await;
    assert_eq!((status, kind(&problem)), (404, "not-found"));
    for path in ["/api", "/api/"] {
        let (status, problem) = get(&instance, path).await;
        assert_eq!((status, kind(&problem)), (404, "not-found"), "{path}");
    }
    let kinds = description["info"]["description"].as_str().unwrap();
    assert!(kinds.contains("\n- `invalid`: Fields broke a rule"), "there is what a problem's type leads to: {kinds}");
    for (path, method, status) in [
        ("/api/v1/topics", "post", "409"),
        ("/api/kafka/send", "post", "415"),
        ("/api/v1/topics/{topic}", "delete", "403"),
    ] {
        let answers = &description["paths"][path][method]["responses"];
        assert!(answers[status].is_object(), "{method} {path} {status}: {answers}");
    }
    let stream = &description["paths"]["/api/v1/feeds/{feed}/stream"]["get"]["responses"]["200"]["content"];
    assert!(stream["application/x-ndjson"].is_object() && stream["text/event-stream"].is_object(), "{stream}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_update_goes_to_its_topic_with_the_product_as_the_key() {
    let instance = Instance::start_with(|config| {
        config.feed.topics = vec!["inventory-update".into()];
        config.feed.group = format!("inventory-{}", uuid::Uuid::new_v4());
    })
    .await;
    let update = json!({"productId": "P-1", "productName": "Laptop", "quantity": 3});
    let (status, receipt) = post(&instance, "/api/inventory", &update).await;
    assert_eq!(
        (status, &receipt["topic"], &receipt["key"]),
        (200, &json!("inventory-update"), &json!({"text": "P-1"}))
    );
    let place =
        format!("/api/v1/topics/inventory-update/{}/{}", receipt["partition"], receipt["offset"].as_str().unwrap());
    let (status, record) = get(&instance, &place).await;
    assert_eq!(status, 200);
    assert_eq!(serde_json::from_str::<Value>(record["value"]["text"].as_str().unwrap()).unwrap(), update);

    for (wrong, field) in [
        (json!({"productId": "", "productName": "x", "quantity": 1}), "productId"),
        (json!({"productId": "x", "productName": "x", "quantity": -1}), "quantity"),
        (json!({"productId": "x", "productName": "x", "quantity": 1, "colour": "red"}), "colour"),
        (json!(["x"]), "body"),
    ] {
        let (status, problem) = post(&instance, "/api/inventory", &wrong).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{problem}");
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inventorys_topic_is_created_where_that_is_allowed_and_else_no_field_is_wrong() {
    if is_real() {
        return; // Others have created it there.
    }
    let update = json!({"productId": "P-1", "productName": "Laptop", "quantity": 3});
    let instance = Instance::begin_with(|config| config.topics.create = false).await;
    let (status, problem) = post(&instance, "/api/inventory", &update).await;
    assert_eq!((status, kind(&problem), &problem["errors"]), (409, "unknown-topic", &Value::Null), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("[[feeds]]"), "{problem}");
    instance.stop().await;

    let instance = Instance::start().await;
    let (status, receipt) = post(&instance, "/api/inventory", &update).await;
    assert_eq!((status, &receipt["topic"]), (200, &json!("inventory-update")), "{receipt}");
    let (_, topic) = get(&instance, "/api/v1/topics/inventory-update").await;
    assert_eq!(topic["partitions"].as_array().unwrap().len(), 2, "as `topics.partitions` says: {topic}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_an_address_has_not_is_a_problem_that_names_those_it_has() {
    let instance = Instance::start().await;
    for (path, allowed) in
        [("/api/v1/topics", "GET,HEAD,POST"), ("/api/kafka/send", "POST"), ("/api/v1/cluster", "GET,HEAD")]
    {
        let response = reqwest::Client::new().put(instance.url(path)).send().await.unwrap();
        assert_eq!(response.headers()["allow"], allowed, "{path}");
        let (status, problem) = answer(response).await;
        assert_eq!((status, kind(&problem)), (405, "method-not-allowed"), "{path}");
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_looked_at_moved_and_read_again_beside_it() {
    let instance = Instance::start().await;
    for value in ["one", "two", "three"] {
        instance.send(value).await;
    }
    let group = format!("/api/v1/groups/{}", instance.topic);
    for _ in 0..100 {
        let (_, feed) = get(&instance, "/api/v1/feeds/default").await;
        if feed["stats"]["consumed"] == "3" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let (status, found) = get(&instance, &group).await;
    assert_eq!((status, found["members"].as_array().unwrap().len()), (200, 1));
    let (_, groups) = get(&instance, "/api/v1/groups").await;
    assert!(groups.as_array().unwrap().iter().any(|group| group["name"] == *instance.topic));

    let to_the_start = json!({"topic": instance.topic, "to": "earliest"});
    let (status, plan) = post(&instance, &format!("{group}/reset"), &to_the_start).await;
    assert_eq!((status, &plan["how"], &plan["results"]), (200, &json!("owners"), &Value::Null));
    assert_eq!(get(&instance, "/api/v1/feeds/default").await.1["stats"]["replayed"], "0", "that was a dry run");
    let execute = json!({"topic": instance.topic, "to": "earliest", "execute": true});
    let (status, done) = post(&instance, &format!("{group}/reset"), &execute).await;
    assert_eq!(status, 200);
    assert!(done["results"].as_array().unwrap().iter().all(|result| result["to"] == "0"), "{done}");

    let (status, replay) = post(&instance, &format!("{group}/replay"), &to_the_start).await;
    assert_eq!(status, 201, "{replay}");
    let feed = replay["feed"].as_str().unwrap();
    assert_eq!(get(&instance, &format!("/api/v1/feeds/{feed}")).await.0, 200);

    let wrong = json!({"topic": instance.topic, "partitions": [7], "to": "earliest"});
    let (status, problem) = post(&instance, &format!("{group}/reset"), &wrong).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("partitions")));
    for (topic, partitions, field) in
        [("no-such-topic", json!([0]), "topic"), (instance.topic.as_str(), json!([1, 0, 1]), "partitions[2]")]
    {
        for path in ["reset", "replay"] {
            let wrong = json!({"topic": topic, "partitions": partitions, "to": "earliest"});
            let (status, problem) = post(&instance, &format!("{group}/{path}"), &wrong).await;
            assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{path}: {problem}");
        }
    }
    let wrong = json!({"topic": instance.topic, "to": {"offset": "five"}});
    let (status, problem) = post(&instance, &format!("{group}/reset"), &wrong).await;
    assert_eq!(status, 422);
    assert!(problem["errors"][0]["field"].as_str().unwrap().starts_with("to"), "{problem}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_problem() {
    let instance = Instance::start().await;
    let topic = &instance.topic;
    for (path, status, kind) in [
        ("/api/v1/feeds/nope".to_owned(), 404, "unknown-feed"),
        ("/api/v1/feeds/nope/stream".to_owned(), 404, "unknown-feed"),
        ("/api/v1/groups/nope".to_owned(), 404, "unknown-group"),
        ("/api/v1/topics/nope/0/0".to_owned(), 404, "unknown-place"),
        ("/api/v1/topics/nope".to_owned(), 404, "unknown-topic"),
        ("/api/v1/topics/nope/config".to_owned(), 404, "unknown-topic"),
        ("/api/v1/topics/%28/config".to_owned(), 404, "unknown-topic"),
        (format!("/api/v1/topics/{topic}/2/0"), 404, "unknown-place"),
        (format!("/api/v1/topics/{topic}/0/5"), 404, "not-yet"),
        (format!("/api/v1/topics/{topic}/x/5"), 400, "address"),
        ("/api/v1/feeds/default/stream?newest=x".to_owned(), 400, "address"),
    ] {
        let (found, problem) = get(&instance, &path).await;
        assert_eq!((found, crate::common::kind(&problem)), (status, kind), "{path}: {problem}");
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_with_what_was_asked_names_the_field_and_the_rule() {
    let instance = Instance::start().await;
    let stream = "/api/v1/feeds/default/stream";
    let own_topics = format!("must be one of the feed's topics: {}", instance.topic);
    let no_number = "must be a whole number from 0 to 4294967295";
    for (path, status, kind, field, rule) in [
        ("/api/v1/topics?page=x", 400, "address", "page", no_number),
        ("/api/v1/topics?colour=red", 400, "address", "colour", "is unknown: there are only q, sort,"),
        ("/api/v1/topics?page=1&page=2", 400, "address", "page", "stands there twice"),
        ("/api/v1/topics/t/0/x", 400, "address", "offset", "must be a whole number from -9223372036854775808"),
        ("/api/v1/topics/t/x/0", 400, "address", "partition", "must be a whole number from -2147483648"),
        ("/api/v1/topics/%ff", 400, "address", "topic", "must be UTF-8"),
        (&format!("{stream}?newest=x"), 400, "address", "newest", no_number),
        (&format!("{stream}?format=xml"), 400, "address", "format", "must be one of sse, ndjson"),
        (&format!("{stream}?cursor=x"), 400, "bad-cursor", "cursor", "must be the id of an event"),
        (&format!("{stream}?topic=a%20b"), 422, "bad-subscription", "topic", "must be 1 to 249 letters"),
        (&format!("{stream}?text=json:total%3E1"), 422, "bad-subscription", "text", "at byte 5"),
        (&format!("{stream}?topic=nope"), 422, "bad-subscription", "topic", &own_topics),
        (&format!("{stream}?format=ndjson&topic=nope"), 422, "bad-subscription", "topic", &own_topics),
        (&format!("{stream}?partition=2"), 422, "bad-subscription", "partition", "must be below 2"),
        (
            &format!("{stream}?topic={}&partition=-1", instance.topic),
            422,
            "bad-subscription",
            "partition",
            "must be a whole",
        ),
    ] {
        let (found, problem) = get(&instance, path).await;
        assert_eq!((found, crate::common::kind(&problem)), (status, kind), "{path}: {problem}");
        assert_eq!(problem["errors"].as_array().map(Vec::len), Some(1), "{path}: {problem}");
        let error = &problem["errors"][0];
        assert_eq!(error["field"], field, "{path}: {problem}");
        assert!(error["rule"].as_str().unwrap().starts_with(rule), "{path}: {problem}");
    }
    let client = reqwest::Client::new();
    let back = client.get(instance.url(stream)).header("last-event-id", "x").send().await.unwrap();
    assert_eq!(answer(back).await.1["errors"][0]["field"], "Last-Event-ID");
    let (status, problem) = post(&instance, "/api/inventory", &json!({"productName": "x", "quantity": 1})).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("productId")), "{problem}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_exists_is_a_conflict_and_kafkas_own_are_not_produced_to() {
    let instance = Instance::start().await;
    let (status, problem) = post(&instance, "/api/v1/topics", &json!({"name": instance.topic})).await;
    assert_eq!((status, kind(&problem)), (409, "topic-exists"), "{problem}");
    assert_eq!(problem["errors"], json!([{"field": "name", "rule": "exists already"}]));

    let one = json!([{"value": "x"}]);
    let record = instance.send("x").await;
    let again = format!("/api/v1/topics/{}/{}/{}/again", record.topic, record.partition, record.offset);
    for (path, body, field) in [
        ("/api/kafka/send?topic=__consumer_offsets", &json!("x"), "topic"),
        ("/api/v1/topics/__consumer_offsets/records", &json!({"value": "x"}), "topic"),
        ("/api/v1/topics/__consumer_offsets/records/bulk?partial=true", &one, "topic"),
        (&format!("{again}?to=__consumer_offsets"), &Value::Null, "to"),
    ] {
        let (status, problem) = post(&instance, path, body).await;
        let rule = "is one of Kafka's own topics, which nobody produces to";
        assert_eq!((status, &problem["errors"]), (422, &json!([{"field": field, "rule": rule}])), "{path}");
    }
    // The form says so too.
    let form = reqwest::Client::new().post(instance.url("/produce")).header("sec-fetch-site", "same-origin");
    let page = form.form(&[("topic", "__consumer_offsets"), ("value", "x")]).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("__consumer_offsets is one of Kafka") && !page.contains("does not exist"), "{page}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_answer_has_refused_nothing() {
    // Nobody listens at this address.
    let instance = Instance::begin_with(|config| config.kafka.brokers = "127.0.0.1:9".into()).await;
    let client = reqwest::Client::new();
    let api = |path: &str, body: Value| client.post(instance.url(path)).json(&body).send();
    let form = |path: &str, fields: &[(&str, &str)]| {
        client.post(instance.url(path)).header("sec-fetch-site", "same-origin").form(fields).send()
    };
    let more = json!({"partitions": 4, "confirm": "t"});
    let to_the_start = json!({"topic": "t", "to": "earliest", "execute": true});
    let row = [("topic", "t"), ("row", "0:0"), ("sure", "on")];
    let (create, enlarge, again, reset, replay) = tokio::join!(
        api("/api/v1/topics", json!({"name": "t"})),
        api("/api/v1/topics/t/partitions", more),
        api("/api/v1/topics/t/0/0/again", Value::Null),
        api("/api/v1/groups/g/reset", to_the_start.clone()),
        api("/api/v1/groups/g/replay", to_the_start),
    );
    let (create_form, enlarge_form, again_form, reset_form, replay_form) = tokio::join!(
        form("/topics", &[("name", "t"), ("partitions", "1")]),
        form("/topics/t/partitions", &[("confirm", "t"), ("partitions", "4")]),
        form("/topics/t/0/0/again", &[("to", "t")]),
        form("/groups/g/reset", &row),
        form("/groups/g/replay", &row),
    );
    let nothing = ". Nothing was changed";
    for (response, said) in [(create, nothing), (enlarge, nothing), (again, ""), (reset, nothing), (replay, nothing)] {
        let (status, problem) = answer(response.unwrap()).await;
        assert_eq!((status, kind(&problem)), (504, "kafka-timed-out"), "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with("Kafka does not answer: ") && detail.ends_with(said), "{detail}");
    }
    for (response, said) in [
        (create_form, "Nothing was changed. "),
        // What could be changed is not known either, so that there is no form to come back to.
        (enlarge_form, "Kafka does not answer"),
        (again_form, "Kafka does not answer"),
        (reset_form, "Nothing was changed. "),
        (replay_form, "Nothing was changed. "),
    ] {
        let response = response.unwrap();
        assert_eq!(response.status(), 504, "{}", response.url());
        let html = response.text().await.unwrap();
        assert!(html.contains(said), "{html}");
    }
    for path in ["/api/v1/topics", "/api/v1/topics/t", "/api/v1/topics/t/config", "/api/v1/groups"] {
        assert_eq!(get(&instance, path).await.0, 504, "{path}");
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_made_configured_enlarged_and_deleted() {
    if std::env::var("OTTLA_TEST_BROKERS").is_err() {
        // The embedded broker has not all of it; its own words are tried in tests/topics.rs.
        return;
    }
    let instance = Instance::start().await;
    let name = format!("api-{}", uuid::Uuid::new_v4());
    let place = format!("/api/v1/topics/{name}");
    let wanted = json!({"name": name, "partitions": 2, "config": [{"name": "retention.ms", "value": "60000"}]});
    assert_eq!(post(&instance, "/api/v1/topics", &wanted).await, (201, json!({"name": name})));
    let (status, problem) = post(&instance, "/api/v1/topics", &wanted).await;
    assert_eq!((status, kind(&problem), &problem["errors"][0]["field"]), (409, "topic-exists", &json!("name")));
    let found = get_when(&instance, &format!("/api/v1/topics?q={name}"), |found| found["found"] == 1).await;
    assert_eq!(found["topics"][0]["partitions"], 2, "{found}");

    let client = reqwest::Client::new();
    let change = json!([{"name": "retention.ms", "value": "120000"}]);
    let changed = client.patch(instance.url(&format!("{place}/config"))).json(&change).send().await.unwrap();
    assert_eq!(changed.status(), 204);
    let changed = |config: &Value| {
        let retention = config.as_array().unwrap().iter().find(|entry| entry["name"] == "retention.ms").unwrap();
        retention["value"] == "120000" && retention["source"] == "topic"
    };
    get_when(&instance, &format!("{place}/config"), changed).await;

    let more = json!({"partitions": 4, "confirm": name});
    let added = client.post(instance.url(&format!("{place}/partitions"))).json(&more).send().await.unwrap();
    assert_eq!(added.status(), 204);
    get_when(&instance, &place, |topic| topic["partitions"].as_array().unwrap().len() == 4).await;

    let delete = |path: String| client.delete(instance.url(&path)).header("content-type", "application/json").send();
    let (status, problem) = answer(delete(place.clone()).await.unwrap()).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("confirm")), "{problem}");
    let emptied = delete(format!("{place}/records?confirm={name}")).await.unwrap();
    assert_eq!(emptied.status(), 204, "{}", emptied.text().await.unwrap());
    assert_eq!(delete(format!("{place}?confirm={name}")).await.unwrap().status(), 204);
    // Each broker hears of it in its own time.
    for left in (0..100).rev() {
        if reqwest::get(instance.url(&place)).await.unwrap().status() == 404 {
            break;
        }
        assert!(left > 0, "the topic is still there");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    instance.stop().await;
}
