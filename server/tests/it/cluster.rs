//! The cluster's page, its API, and how the server keeps it live.

use crate::common::{Instance, Sse, brokers, get, in_time, page_with, piece};
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;
use wire::{Cluster, ClusterBroker};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_draws_each_partition_and_leads_to_its_topic() {
    let instance = Instance::start().await;
    let topic = &instance.topic;
    let link = format!("href=\"/topics/{topic}\"");
    let html = page_with(&instance, &format!("/cluster?q={}", topic.to_uppercase()), &[&link]).await;
    assert_eq!(html.matches("<h3>").count(), 1, "nothing but what was searched for: {html}");
    // Two partitions, each with a replica on each broker, one of which leads.
    assert_eq!(html.matches("<td class=\"cell lead\"").count(), 2, "{html}");
    assert_eq!(html.matches("<td class=\"cell").count(), 2 * brokers(), "{html}");
    assert!(html.contains(&format!("data-from=\"/cluster/live?q={}\"", topic.to_uppercase())));
    assert!(html.contains("href=\"/cluster\" aria-current=\"page\""), "the navigation knows where one is");
    assert!(html.contains("href=\"/api/docs\""));
    assert!(html.contains(&instance.name) && html.contains("this tab"), "the instance tells of itself: {html}");
    assert!(html.contains("not known"), "no controller is made up: {html}");
    assert!(!html.contains(" style="));

    let (status, html) = in_time(&instance, "/cluster?q=no+such+topic+%3Cb%3E&page=7").await;
    assert!(status == 200 && html.contains("no such topic &lt;b&gt;"), "{html}");
    let (status, html) = in_time(&instance, "/cluster?page=nonsense").await;
    assert!(status == 200 && html.contains("cluster-picture"), "{html}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_tells_the_same() {
    let instance = Instance::start().await;
    let mut cluster = Cluster::default();
    for _ in 0..100 {
        let response = reqwest::get(instance.url(&format!("/api/v1/cluster?q={}", instance.topic))).await.unwrap();
        assert_eq!(response.status(), 200);
        cluster = response.json().await.unwrap();
        if cluster.found == 1 && cluster.topics[0].partitions.len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((cluster.found, cluster.page, cluster.pages), (1, 1, 1), "{cluster:?}");
    assert_eq!((cluster.topics[0].topic.as_str(), cluster.topics[0].of), (instance.topic.as_str(), 2));
    assert_eq!(cluster.brokers.len(), brokers());
    let sum = |of: fn(&ClusterBroker) -> u32| cluster.brokers.iter().map(of).sum::<u32>();
    assert_eq!(sum(|broker| broker.replicas), cluster.totals.replicas);
    assert_eq!(sum(|broker| broker.leaders), cluster.totals.partitions - cluster.totals.offline);
    assert!(cluster.brokers.iter().all(|broker| broker.is_up && broker.is_controller.is_none()), "{cluster:?}");
    assert_eq!(cluster.instances.iter().filter(|told| told.is_self && told.instance == instance.name).count(), 1);
    let refused = reqwest::get(instance.url("/api/v1/cluster?no=1")).await.unwrap();
    assert_eq!(refused.status(), 400);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_sent_and_nothing_else() {
    let instance = Instance::start().await;
    page_with(&instance, &format!("/cluster?q={}", instance.topic), &["<h3>"]).await;
    let url = instance.url(&format!("/cluster/live?q={}", instance.topic));
    let mut stream = Sse::open(&url, None).await;
    let mut shown = HashMap::new();
    let deadline = Instant::now() + crate::common::PATIENCE;
    while shown.len() < 9 {
        assert!(Instant::now() < deadline, "{shown:?}");
        let (id, html) = piece(&mut stream).await;
        assert_ne!(shown.get(&id), Some(&html), "the same again");
        shown.insert(id, html);
    }
    assert!(!shown.contains_key("body"), "the page has it");
    assert_eq!(shown["cluster-picture"].matches("<h3>").count(), 1);
    // A topic whose name the search finds appears by itself.
    let new = format!("{{\"name\":\"{}-more\",\"partitions\":1}}", instance.topic);
    let client = reqwest::Client::new();
    let made = client.post(instance.url("/api/v1/topics")).header("content-type", "application/json").body(new);
    assert_eq!(made.send().await.unwrap().status(), 201);
    loop {
        assert!(Instant::now() < deadline, "{shown:?}");
        let (id, html) = piece(&mut stream).await;
        if id == "cluster-picture" && html.matches("<h3>").count() == 2 {
            break;
        }
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_answer_is_said_not_to() {
    // Nobody listens at this address.
    let instance = Instance::begin_with(|config| config.kafka.brokers = "127.0.0.1:9".into()).await;
    // Its start is no part of what a page takes.
    get(&instance, "/healthz").await;
    let began = Instant::now();
    let (status, html) = get(&instance, "/cluster").await;
    // A program would wait for 5 s.
    assert!(began.elapsed() < Duration::from_millis(4_500), "{:?}", began.elapsed());
    assert_eq!(status, 503);
    assert!(html.contains("data-from=\"/cluster/live?whole\""), "it comes by itself when Kafka does");
    page_with(&instance, "/cluster", &["Kafka does not answer", "127.0.0.1:9"]).await;
    let response = reqwest::get(instance.url("/api/v1/cluster")).await.unwrap();
    assert_eq!(response.status(), 504);
    instance.stop().await;
}
