//! The line through everything: produce over HTTP, consume as a group, push over WebSocket and server-sent events.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod common;

use common::{Instance, Sse};
use std::collections::BTreeSet;
use tokio::time::Instant;
use wire::{ByeReason, Command, Event, From};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_produced_arrives_in_every_tab() {
    let instance = Instance::start().await;
    let (mut a, mut b) = (instance.tab().await, instance.tab().await);
    a.subscribe(From::Now).await;
    b.subscribe(From::Now).await;
    let receipt = instance.send("訊息").await;
    for tab in [&mut a, &mut b] {
        let record = tab.records(1).await.remove(0);
        assert_eq!(
            (&record.topic, record.partition, record.offset),
            (&receipt.topic, receipt.partition, receipt.offset)
        );
        assert_eq!(record.value.unwrap().text(), Some("訊息"));
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filtered_tab_gets_what_matches_and_is_told_what_it_was_spared() {
    let instance = Instance::start().await;
    let (mut all, mut large, mut judged) = (instance.tab().await, instance.tab().await, instance.tab().await);
    all.subscribe(From::Now).await;
    large.subscribe_to("json:$.total>=9007199254740993 -header:x", From::Now).await;
    judged.subscribe_to("where:value.total > 9007199254740992", From::Now).await;
    for value in [r#"{"total":9007199254740992}"#, r#"{"total":9007199254740993}"#, r#"{"other":1}"#, "no JSON"] {
        instance.send(value).await;
    }
    assert_eq!(all.records(4).await.len(), 4);
    for (tab, failed) in [(&mut large, 0), (&mut judged, 2)] {
        let (mut values, mut told) = (Vec::new(), wire::Sieved::default());
        while told.looked < 4 {
            match tab.next().await {
                Event::Records(batch) => values.extend(batch.records.into_iter().filter_map(|record| record.value)),
                Event::Sieved(sieved) => told = sieved,
                _ => {}
            }
        }
        let values: Vec<_> = values.iter().map(|value| value.text().unwrap()).collect();
        assert_eq!(values, [r#"{"total":9007199254740993}"#]);
        assert_eq!(told, wire::Sieved { looked: 4, matched: 1, failed });
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_that_comes_back_gets_exactly_what_it_missed() {
    let instance = Instance::start().await;
    let mut tab = instance.tab().await;
    let subscribed = tab.subscribe(From::Now).await;
    instance.send("seen").await;
    let seen = tab.records(1).await.remove(0);
    drop(tab);

    let missed: BTreeSet<_> = [instance.send("missed 1").await, instance.send("missed 2").await]
        .map(|receipt| (receipt.partition, receipt.offset))
        .into();
    let cursor = wire::Cursor { epoch: subscribed.epoch, seq: seen.seq + 1, ..wire::Cursor::default() };
    let mut tab = instance.tab().await;
    let resumed = tab.subscribe(From::Cursor(cursor)).await;
    assert!(resumed.resumed);
    let again: BTreeSet<_> = tab.records(2).await.iter().map(|record| (record.partition, record.offset)).collect();
    assert_eq!(again, missed);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_tab_gets_its_records_when_it_resumes() {
    let instance = Instance::start().await;
    let mut tab = instance.tab().await;
    tab.subscribe(From::Now).await;
    tab.send(&Command::Pause).await;
    tab.send(&Command::Ping(7)).await;
    tab.wait_for(|event| (event == Event::Pong(7)).then_some(())).await;
    instance.send("while paused").await;
    // The counters go on, and tell that the record was consumed; no records came before.
    let consumed = |event| match event {
        Event::Records(_) => panic!("a record came while paused"),
        Event::Stats(stats) => (stats.consumed == 1).then_some(()),
        _ => None,
    };
    tab.wait_for(consumed).await;
    tab.send(&Command::Resume).await;
    assert_eq!(tab.records(1).await.len(), 1);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_tells_each_tab_where_to_go_on_and_is_done_in_time() {
    let mut instance = Instance::start().await;
    let mut tab = instance.tab().await;
    tab.subscribe(From::Now).await;
    instance.send("before the stop").await;
    let record = tab.records(1).await.remove(0);
    let began = Instant::now();
    instance.tell_to_stop();
    let bye = tab.wait_for(|event| if let Event::Bye(bye) = event { Some(bye) } else { None }).await;
    assert_eq!(bye.reason, ByeReason::Stopping);
    assert_eq!(bye.cursor.unwrap().seq, record.seq + 1);
    assert_eq!(tab.closed().await.0, 1001);
    instance.stopped().await;
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_server_sent_events_resumes_by_its_last_id() {
    let instance = Instance::start().await;
    let url = instance.url("/api/v1/feeds/default/stream");
    let mut stream = Sse::open(&url, None).await;
    stream.event("subscribed").await;
    instance.send("first").await;
    let (_, id) = stream.event("records").await;
    drop(stream);
    let receipt = instance.send("second").await;

    let mut stream = Sse::open(&url, id.as_deref()).await;
    let (data, _) = stream.event("records").await;
    let Ok(Event::Records(batch)) = wire::codec::event_from_json(&data) else { panic!("{data}") };
    let places: Vec<_> = batch.records.iter().map(|record| (record.partition, record.offset)).collect();
    assert_eq!(places, [(receipt.partition, receipt.offset)]);
    instance.stop().await;
}
