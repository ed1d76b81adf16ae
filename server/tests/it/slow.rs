//! A Kafka that is far away: programs wait for it, and who posted a form; of other pages the next one has what came too late for the one
//! before. Over a real cluster alone.

use crate::common::{Form, Instance, get, is_real, page_with, relays::Relays};
use std::time::Duration;

/// Each way. An answer that needs two requests takes longer than a page has.
const FAR: Duration = Duration::from_millis(120);

#[tokio::test(flavor = "multi_thread")]
async fn a_far_kafka_is_waited_for_by_programs_and_by_the_next_page() {
    if !is_real() {
        return;
    }
    let _relays = Relays::start(None, FAR).await;
    let instance = Instance::start_with(|config| config.kafka.brokers = Relays::brokers()).await;
    let topic = instance.topic.clone();
    instance.send("far away").await;
    // A group that no instance tells of.
    let stranger = format!("{topic}-stranger");
    let reset = serde_json::json!({"topic": topic, "to": "earliest", "execute": true});
    let url = instance.url(&format!("/api/v1/groups/{stranger}/reset"));
    assert_eq!(reqwest::Client::new().post(url).json(&reset).send().await.unwrap().status(), 200);

    for path in [
        format!("/api/v1/topics/{topic}"),
        format!("/api/v1/topics/{topic}/config"),
        format!("/api/v1/topics/{topic}/records"),
        "/api/v1/topics".to_owned(),
        "/api/v1/cluster".to_owned(),
        "/api/v1/groups".to_owned(),
        format!("/api/v1/groups/{stranger}"),
    ] {
        let (status, answer) = get(&instance, &path).await;
        assert_eq!(status, 200, "at once, {path}: {answer}");
    }
    // The page that says what became of a form has it at the first look, whatever Kafka takes; nothing is known by an earlier one.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let form = [("setting", "retention.ms"), ("value", "a week")];
    let post = reqwest::Client::new().post(instance.url(&format!("/topics/{topic}/config")));
    let refused = post.header("sec-fetch-site", "same-origin").form(&form).send().await.unwrap();
    let html = refused.text().await.unwrap();
    assert!(html.contains("Not a number of type LONG") && html.contains("value=\"a week\""), "{html}");

    page_with(&instance, &format!("/topics/{topic}"), &["retention.ms", &format!("href=\"/groups/{stranger}\"")]).await;
    page_with(&instance, &format!("/groups/{stranger}"), &["id=\"change-delete\""]).await;
    page_with(&instance, "/groups", &[&stranger]).await;
    page_with(&instance, "/cluster", &[&topic]).await;
    instance.stop().await;
}
