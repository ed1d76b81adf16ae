//! Many messages at once, from the page's form and from programs; and a record once more.

use crate::common::Instance;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const BOUNDARY: &str = "----ottla";

/// The body of a form (RFC 7578): a field, its file's name if it is one, what is in it.
fn form(fields: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in fields {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.extend(format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes());
        body.extend_from_slice(content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    body
}

async fn send(instance: &Instance, fields: &[(&str, Option<&str>, &[u8])]) -> (u16, String) {
    let request = reqwest::Client::new()
        .post(instance.url("/produce/many"))
        .header("origin", instance.url(""))
        .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
    let response = request.body(form(fields)).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn bulk(instance: &Instance, query: &str, kind: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
    let url = instance.url(&format!("/api/v1/topics/{}/records/bulk{query}", instance.topic));
    let response = reqwest::Client::new().post(url).header("content-type", kind).body(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn record(instance: &Instance, place: &Value) -> Value {
    let place = format!(
        "/api/v1/topics/{}/{}/{}",
        place["topic"].as_str().unwrap(),
        place["partition"],
        place["offset"].as_str().unwrap()
    );
    let response = reqwest::get(instance.url(&place)).await.unwrap();
    assert_eq!(response.status(), 200, "{place}");
    response.json().await.unwrap()
}

/// How many records the topic has.
async fn count(instance: &Instance) -> i64 {
    let topic = reqwest::get(instance.url(&format!("/api/v1/topics/{}", instance.topic))).await.unwrap();
    let topic: Value = topic.json().await.unwrap();
    let end = |partition: &Value| partition["end"].as_str().unwrap().parse::<i64>().unwrap();
    topic["partitions"].as_array().unwrap().iter().map(end).sum()
}

/// What stands in the page's text area.
fn text_area(page: &str) -> String {
    let (_, rest) = page.split_once("id=\"text\"").unwrap();
    let (text, _) = rest.split_once('>').unwrap().1.split_once("</textarea>").unwrap();
    text.trim_start_matches('\n').replace("&quot;", "\"").replace("&amp;", "&")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_a_form_has_its_result_and_what_was_not_stored_stays() {
    let instance = Instance::start().await;
    let topic = instance.topic.clone();
    let topic = topic.as_bytes();
    let (status, page) = send(
        &instance,
        &[("topic", None, topic), ("format", None, b"lines"), ("text", None, b"one\r\ntwo & 2\r\n\r\n")],
    )
    .await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("All messages are stored: 2."));
    assert_eq!((text_area(&page).as_str(), count(&instance).await), ("", 2));

    // One is wrong: none is sent, and the line says why.
    let lines = b"{\"value\":\"three\"}\r\n{\"valeu\":\"four\"}\r\n{\"value\":\"five\",\"partition\":9}";
    let all = [("topic", None, topic), ("format", None, b"jsonl".as_slice()), ("text", None, lines.as_slice())];
    let (status, page) = send(&instance, &all).await;
    assert_eq!(status, 422);
    assert!(page.contains("Nothing was sent. Wrong messages: 2 of 3."), "{page}");
    assert!(page.contains("A value is required") && page.contains("not sent, because others are wrong"));
    assert!(page.contains("partition: "), "the topic has two");
    assert_eq!(text_area(&page).lines().count(), 3);
    assert_eq!(count(&instance).await, 2);

    // The others go, and what is wrong is left to be mended.
    let (status, page) = send(&instance, &[&all[..], &[("others_go", None, b"on")]].concat()).await;
    assert_eq!(status, 422);
    assert!(page.contains("Stored: 1. Not stored: 2,"), "{page}");
    assert_eq!(text_area(&page), "{\"valeu\":\"four\"}\n{\"value\":\"five\",\"partition\":9}");
    assert_eq!(count(&instance).await, 3);

    // A file; not beside a text.
    let file = ("file", Some("a.csv"), b"key,value\na,six\n".as_slice());
    let (status, page) =
        send(&instance, &[("topic", None, topic), ("format", None, b"csv"), ("text", None, b""), file]).await;
    assert_eq!((status, count(&instance).await), (200, 4), "{page}");
    let both = [("topic", None, topic), ("format", None, b"csv"), ("text", None, b"value\nb"), file];
    let (status, page) = send(&instance, &both).await;
    assert_eq!((status, text_area(&page).as_str()), (422, "value\nb"));
    assert!(page.contains("Give a text or a file, not both."));
    let (status, page) = send(&instance, &[("topic", None, topic), ("text", None, b" \r\n")]).await;
    assert!(status == 422 && page.contains("There is no message in it."));
    let (status, page) = send(&instance, &[("topic", None, b"no-such-topic"), ("text", None, b"x")]).await;
    assert_eq!(status, 422);
    assert!(page.contains("id=\"topic-error\"><svg"), "at its field: {page}");
    assert_eq!(count(&instance).await, 4);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_as_its_name_says_and_not_sent_where_it_says_nothing() {
    let instance = Instance::start().await;
    let topic = instance.topic.clone();
    let send = async |file: &str, content: &str, format: &str| {
        let fields: [(&str, Option<&str>, &[u8]); 5] = [
            ("topic", None, topic.as_bytes()),
            ("format", None, format.as_bytes()),
            ("others_go", None, b"on"),
            ("text", None, b""),
            ("file", Some(file), content.as_bytes()),
        ];
        send(&instance, &fields).await
    };
    let chosen = |page: &str, format: &str| page.contains(&format!("value=\"{format}\" autocomplete=\"off\" checked"));
    let (status, page) = send("Orders.CSV", "key,value\na,six\n", "name").await;
    assert_eq!((status, count(&instance).await), (200, 1), "its first row is no message: {page}");
    assert!(chosen(&page, "name"));
    // Nothing of what no name tells of is sent.
    let (status, page) = send("orders.dat", "key,value\na,six\n", "name").await;
    assert_eq!((status, count(&instance).await), (422, 1), "{page}");
    assert!(page.contains("The name of the file, orders.dat, does not tell how to read it"), "{page}");
    let (status, _) = send("orders.dat", "one\ntwo\n", "lines").await;
    assert_eq!((status, count(&instance).await), (200, 3), "what is chosen holds");
    // What is left of a file is in the form, and read there as the file was.
    let (status, page) = send("orders.csv", "value,partition\na,0\nb,9\n", "name").await;
    assert_eq!((status, count(&instance).await, text_area(&page).as_str()), (422, 4, "value,partition\nb,9\n"));
    assert!(chosen(&page, "csv") && !chosen(&page, "name"), "{page}");
    // An array, over several lines.
    let array = "[\n  {\"value\":\n 1},\n  {\"value\": \"x\"}\n]";
    let (status, page) = send("orders.json", array, "name").await;
    assert_eq!((status, count(&instance).await, text_area(&page).as_str()), (422, 5, "{\"value\":  1}\n"));
    assert!(chosen(&page, "jsonl"), "{page}");
    let (status, page) = send("orders.json", "[{\"value\": \"x\"}", "name").await;
    assert!(status == 422 && page.contains("Not a JSON array: EOF"), "{page}");
    assert_eq!(count(&instance).await, 5);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_send_an_array_json_lines_a_table_and_plain_lines_in_their_order() {
    let instance = Instance::start().await;
    let array = json!([
        {"key": "a", "value": "1", "headers": {"trace": {"base64": "AP8="}}},
        {"key": null, "value": {"json": {"n": 9_007_199_254_740_993_i64}}, "partition": 1},
    ]);
    let (status, answer) = bulk(&instance, "", "application/json", array.to_string()).await;
    assert_eq!((status, &answer["stored"], &answer["failed"]), (201, &json!(2), &json!(0)), "{answer}");
    let first = record(&instance, &answer["results"][0]["receipt"]).await;
    assert_eq!(first["headers"][0]["value"], json!({"base64": "AP8="}));
    let second = record(&instance, &answer["results"][1]["receipt"]).await;
    assert_eq!((&second["key"], &second["partition"]), (&Value::Null, &json!(1)));
    assert_eq!(second["value"]["text"], "{\"n\":9007199254740993}");

    let lines: String = (0..500).map(|n| format!("line {n}\n")).collect();
    let (status, answer) =
        bulk(&instance, "?format=lines&key=none&partition=0", "application/octet-stream", lines).await;
    assert_eq!(status, 201);
    let offsets: Vec<i64> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["receipt"]["offset"].as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!(offsets.len(), 500);
    assert!(offsets.is_sorted_by(|a, b| a + 1 == *b), "in the order of the lines: {offsets:?}");

    let (status, answer) = bulk(&instance, "", "text/csv", "value\nx\ny\n").await;
    assert_eq!((status, &answer["results"][1]["line"]), (201, &json!(3)));
    let before = count(&instance).await;
    let mixed = "{\"value\":\"x\"}\n{\"value\":7}\n";
    let (status, problem) = bulk(&instance, "", "application/x-ndjson", mixed).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("line 2")), "{problem}");
    assert_eq!(count(&instance).await, before, "nothing half-done");
    let (status, answer) = bulk(&instance, "?partial=true", "application/x-ndjson", mixed).await;
    assert_eq!((status, &answer["results"][1]["error"]["status"]), (207, &json!(422)), "{answer}");
    assert_eq!(count(&instance).await, before + 1);

    for (query, kind, body, status) in [
        ("", "application/json", "{}".to_owned(), 422),
        ("", "application/json", "[{".to_owned(), 400),
        ("", "application/json", "[]".to_owned(), 422),
        ("", "application/octet-stream", "x".to_owned(), 415),
        ("?format=xml", "application/json", "[]".to_owned(), 400),
        ("?partial=true", "text/csv", "{}".to_owned(), 422),
        ("", "text/plain", "x".to_owned(), 415),
        ("", "application/x-ndjson", "{\"value\":\"\"}\n".repeat(10_001), 413),
        ("?format=lines", "application/octet-stream", "x".repeat(10 * 1024 * 1024 + 1), 413),
    ] {
        let (answered, problem) = bulk(&instance, query, kind, body).await;
        assert_eq!(answered, status, "{kind} {problem}");
    }
    assert_eq!(count(&instance).await, before + 1);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_topic_exists_is_asked_once_however_many_messages_name_it() {
    let instance = Instance::start().await;
    let url = instance.url("/api/v1/topics/no-such-topic/records/bulk?format=lines");
    let began = Instant::now();
    let request = reqwest::Client::new().post(url).header("content-type", "application/octet-stream");
    let response = request.body("x\n".repeat(2_000)).send().await.unwrap();
    assert_eq!(response.status(), 422);
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2_000, "each is told");
    // A name that no topic can have is wrong once, whatever is asked for besides.
    let url = instance.url("/api/v1/topics/no%20topic/records/bulk?format=lines&partial=true");
    let request = reqwest::Client::new().post(url).header("content-type", "application/octet-stream");
    let response = request.body("x\ny\n").send().await.unwrap();
    assert_eq!(response.status(), 422);
    let problem: Value = response.json().await.unwrap();
    assert_eq!((problem["errors"].as_array().unwrap().len(), &problem["errors"][0]["field"]), (1, &json!("topic")));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_kafka_is_away_many_messages_take_no_longer_than_one() {
    let instance = Instance::begin_with(|config| {
        // Nobody listens at this address.
        config.kafka.brokers = "127.0.0.1:9".into();
        config.producer.delivery_timeout_ms = 1_000;
    })
    .await;
    let began = Instant::now();
    let (status, problem) = bulk(&instance, "?format=lines", "application/octet-stream", "x\n".repeat(1_000)).await;
    assert_eq!(status, 504, "{problem}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    // Nobody knows, and so the form says.
    let (status, page) = send(&instance, &[("topic", None, b"orders"), ("text", None, b"one\ntwo")]).await;
    assert_eq!((status, text_area(&page).as_str()), (504, "one\ntwo"), "{page}");
    assert!(page.contains("Stored: 0. Not acknowledged in time, may be stored: 2. Not stored: 0."), "{page}");
    assert!(page.contains("would be there twice if they are sent again"), "{page}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_sent_again_byte_for_byte() {
    let instance = Instance::start().await;
    let strange = json!([{
        "key": {"base64": "/wA="},
        "value": null,
        "headers": [{"name": "a", "value": null}, {"name": "a", "value": {"base64": "AP8="}}, {"name": "", "value": "x"}],
    }]);
    let (status, _) = bulk(&instance, "", "application/json", strange.to_string()).await;
    assert_eq!(status, 422, "a header needs a name");
    let strange = strange.to_string().replace(",{\"name\":\"\",\"value\":\"x\"}", "");
    let (status, answer) = bulk(&instance, "", "application/json", strange).await;
    assert_eq!(status, 201, "{answer}");
    let place = &answer["results"][0]["receipt"];
    let original = record(&instance, place).await;
    let page = format!("/topics/{}/{}/{}", instance.topic, place["partition"], place["offset"].as_str().unwrap());

    let again = reqwest::Client::new().post(instance.url(&format!("/api/v1{page}/again")));
    let again = again.header("content-type", "application/json").send().await.unwrap();
    assert_eq!(again.status(), 201);
    let copy = record(&instance, &again.json().await.unwrap()).await;
    for part in ["key", "value", "headers", "partition"] {
        assert_eq!(copy[part], original[part], "{part}");
    }
    assert_eq!(original["headers"], json!([{"name": "a", "value": null}, {"name": "a", "value": {"base64": "AP8="}}]));

    // From the record's page, which says where it was stored.
    let post = async |to: &str| {
        let form = reqwest::Client::new().post(instance.url(&format!("{page}/again")));
        let form = form.header("origin", instance.url("")).header("content-type", "application/x-www-form-urlencoded");
        let response = form.body(format!("to={to}")).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let (status, html) = post(&instance.topic).await;
    assert!(status == 200 && html.contains("Sent again.") && html.contains("data-receipt"), "{status} {html}");
    let (status, html) = post("no-such-topic").await;
    assert!(status == 422 && html.contains("Not sent again.") && html.contains("value=\"no-such-topic\""), "{status}");
    let nowhere = format!("/api/v1/topics/{}/0/99999/again", instance.topic);
    let nowhere = reqwest::Client::new().post(instance.url(&nowhere)).header("content-type", "application/json");
    assert_eq!(nowhere.send().await.unwrap().status(), 404);
    // And its form says what it is.
    let form = reqwest::get(instance.url(&format!(
        "/produce?again={}[{}]@{}",
        instance.topic,
        place["partition"],
        place["offset"].as_str().unwrap()
    )));
    let form = form.await.unwrap().text().await.unwrap();
    assert!(form.contains("value=\"AP8=\"") && form.contains("<option selected>null</option>"), "{form}");
    instance.stop().await;
}
