//! The line through everything: produce over HTTP, consume as a group, push over WebSocket and server-sent events.

use crate::common::{Instance, PATIENCE, Sse, free_address, is_real};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{Instant, timeout};
use wire::{ByeReason, Command, Event, From, Scope};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_before_its_first_record_misses_none() {
    let instance = Instance::start().await;
    let url = instance.url("/api/v1/feeds/default/stream");
    let mut stream = Sse::open(&url, None).await;
    // The last event of those that a subscription begins with.
    let (_, id) = stream.event("members").await;
    drop(stream);
    let missed = instance.send("while nobody was there").await;

    // By the address, as one does who can't set a header.
    let mut stream = Sse::open(&format!("{url}?cursor={}", id.expect("it can be gone on from there")), None).await;
    let (data, _) = stream.event("records").await;
    let Ok(Event::Records(batch)) = wire::codec::event_from_json(&data) else { panic!("{data}") };
    assert_eq!((batch.records[0].partition, batch.records[0].offset), (missed.partition, missed.offset));
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_stream_is_lines_of_json_and_resumes_too() {
    let mut instance = Instance::start().await;
    let url = instance.url("/api/v1/feeds/default/stream");
    let mut stream = Sse::open(&url, None).await;
    let (_, id) = stream.event("members").await;
    instance.send("first").await;
    instance.send("second").await;

    let request = reqwest::Client::new().get(format!("{url}?format=ndjson")).header("last-event-id", id.unwrap());
    // A stream of lines must not wait in a compressor either.
    let mut response = request.header("accept-encoding", "gzip, br").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    assert!(!response.headers().contains_key("content-encoding"));
    let (mut read, mut events, mut values) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut is_told_to_stop = false;
    while let Some(chunk) = timeout(PATIENCE, response.chunk()).await.expect("it goes on, or ends").unwrap() {
        read.extend_from_slice(&chunk);
        while let Some(end) = read.iter().position(|byte| *byte == b'\n') {
            let line: Vec<_> = read.drain(..=end).collect();
            let event = wire::codec::event_from_json(std::str::from_utf8(&line).unwrap()).unwrap();
            events.push(event.name());
            if let Event::Records(batch) = event {
                let value = |record: wire::Record| record.value.unwrap().text().unwrap().to_owned();
                values.extend(batch.records.into_iter().map(value));
            }
        }
        if values.len() == 2 && !is_told_to_stop {
            is_told_to_stop = true;
            instance.tell_to_stop();
        }
    }
    assert_eq!(values, ["first".to_owned(), "second".to_owned()].into());
    assert_eq!((events[0], events[1], *events.last().unwrap()), ("hello", "subscribed", "bye"));
    assert!(read.is_empty(), "the last line is whole");
    instance.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_group_from_now_on_is_nothing_from_before() {
    let broker = free_address();
    let one = Instance::start_with(|config| config.embedded.listen = broker).await;
    let two = Instance::start_with(|config| {
        if !is_real() {
            config.kafka.brokers = broker.to_string();
        }
        config.feed.group.clone_from(&one.topic);
        config.feed.topics = vec![one.topic.clone()];
    })
    .await;
    for number in 0..8 {
        one.send(&number.to_string()).await;
    }
    let mut tab = one.tab().await;
    // As soon as it shares the group with the other, its own share is not the whole.
    while tab.subscribe_as(Scope::Group, "", From::Now).await.scope != Scope::Group {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    one.send("new").await;
    let first = tab.records(1).await.remove(0);
    assert_eq!(first.value.unwrap().text(), Some("new"));
    two.stop().await;
    one.stop().await;
}
