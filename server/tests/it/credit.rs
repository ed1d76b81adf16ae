//! A tab that says what it has taken in is sent so much ahead and no more, is told how far it is behind, and is given up when it
//! takes in nothing.

use crate::common::{Instance, JsonTab, PATIENCE};
use tokio::time::{Instant, timeout_at};
use wire::{Behind, Bye, ByeReason, Command, Event, From, Pace, Subscribe};

/// What a tab is sent until `holds` of so many events with records and of how far behind it is said to be: the records' offsets by
/// event, and what it was told last.
async fn sent_until(tab: &mut JsonTab, holds: impl Fn(usize, &Behind) -> bool) -> (Vec<Vec<(i32, i64)>>, Behind) {
    let (mut records, mut behind) = (Vec::new(), None);
    let until = Instant::now() + PATIENCE;
    loop {
        match timeout_at(until, tab.next()).await {
            Ok(Event::Records(batch)) => {
                records.push(batch.records.iter().map(|record| (record.partition, record.offset)).collect());
            }
            Ok(Event::Behind(told)) => behind = Some(told),
            Ok(Event::Gap(gap)) => panic!("{gap:?}"),
            Ok(_) => {}
            Err(_) => panic!("waited in vain after {} events: {behind:?}", records.len()),
        }
        if let Some(told) = behind.take_if(|told| holds(records.len(), told)) {
            return (records, told);
        }
    }
}

/// What `/metrics` says of the page's feed.
async fn metric(instance: &Instance, name: &str) -> f64 {
    let text = reqwest::get(instance.url("/metrics")).await.unwrap().text().await.unwrap();
    let sample = text.lines().find(|line| line.starts_with(&format!("{name}{{feed=\"default\"")));
    sample.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_is_sent_so_much_ahead_and_told_how_far_it_is_behind() {
    const STALL: u64 = 25;
    let instance = Instance::start_with(|config| config.server.stall_limit_seconds = STALL).await;
    let mut tab = instance.tab().await;
    let subscribe: Subscribe = serde_json::from_str(r#"{"feed":"default","pace":"latency"}"#).unwrap();
    assert_eq!((subscribe.pace, &subscribe.from), (Pace::Latency, &From::Now));
    tab.send(&Command::Subscribe(subscribe)).await;
    tab.wait_for(|event| matches!(event, Event::Subscribed(_)).then_some(())).await;

    instance.send("the first").await;
    tab.records(1).await;
    tab.send(&Command::Taken(1)).await;
    let mut produced = Vec::new();
    for number in 0..150 {
        let receipt = instance.send(&number.to_string()).await;
        produced.push((receipt.partition, receipt.offset));
    }

    // What was sent and not taken in is still before the tab.
    let all_wait = |events: usize, told: &Behind| {
        events as u64 >= wire::UNTAKEN_RECORDS && told.records as usize == produced.len() && told.millis >= 1000
    };
    let (ahead, told) = sent_until(&mut tab, all_wait).await;
    assert_eq!(ahead.len() as u64, wire::UNTAKEN_RECORDS, "so many, and no more");
    assert!(told.bytes > told.records, "{told:?}");
    assert_eq!(metric(&instance, "ottla_tabs_behind").await, 1.0);
    assert!(metric(&instance, "ottla_tabs_oldest_waiting_seconds").await >= 1.0);

    tab.send(&Command::Taken(1 + wire::UNTAKEN_RECORDS)).await;
    // It is told when that is over.
    let (rest, _) = sent_until(&mut tab, |_, told| *told == Behind::default()).await;
    assert_eq!(metric(&instance, "ottla_tabs_behind").await, 0.0);
    assert_eq!(metric(&instance, "ottla_tabs_oldest_waiting_seconds").await, 0.0);
    let mut all: Vec<_> = ahead.into_iter().chain(rest).flatten().collect();
    all.sort_unstable();
    produced.sort_unstable();
    assert_eq!(all, produced, "everything, once");

    for number in 0..150 {
        instance.send(&number.to_string()).await;
    }
    let cursor = tab.wait_for(|event| match event {
        Event::Bye(Bye { reason: ByeReason::Stalled, cursor }) => Some(cursor),
        _ => None,
    });
    assert!(cursor.await.is_some(), "it is told where to go on");
    assert_eq!(tab.closed().await.0, ByeReason::Stalled.close_code());
    assert_eq!(metric(&instance, "ottla_tabs_behind").await, 0.0, "who is gone is not behind");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_in_more_than_was_sent() {
    let instance = Instance::start().await;
    let mut tab = instance.tab().await;
    tab.subscribe(From::Now).await;
    tab.send(&Command::Taken(1)).await;
    let (code, reason) = tab.closed().await;
    assert_eq!((code, reason.as_str()), (4400, "taken: 1 events with records, and only 0 were sent"));
    instance.stop().await;
}
