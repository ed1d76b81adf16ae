//! What a hub and its sessions do, one behaviour a test. The interplay is in `session.rs`.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use feed::{Batch, Hub, HubConfig, Session, Sieve, Writer, hub};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use wire::{
    Change, ChangeKind, Count, Cursor, DataView, Event, Filter, Flags, From, Gap, HeaderView, MAX_EVENT_MESSAGE,
    Position, RecordView, Records, Timestamp, TopicId, codec,
};

fn small() -> (Writer, Arc<Hub>) {
    hub(HubConfig { ring_bytes: 1 })
}

fn record<'a>(topic: &'a str, offset: i64, value: &'a [u8]) -> RecordView<'a> {
    RecordView {
        seq: 0,
        topic,
        partition: 0,
        offset,
        timestamp: Timestamp::None,
        received: 0,
        flags: Flags::FIRST,
        key: None,
        value: Some(DataView::cut(value, value.len())),
        headers: &[],
        headers_left_out: 0,
    }
}

/// Offsets in one flush, each too large to be joined with the next.
fn append(writer: &mut Writer, topic: &str, offsets: impl IntoIterator<Item = i64>) {
    for offset in offsets {
        writer.push(&record(topic, offset, &[b'x'; 9000]));
        writer.flush();
    }
}

fn start(hub: &Arc<Hub>, from: From) -> Session {
    Session::new(hub, Arc::default(), from).0
}

fn events_of(batch: &Batch) -> Vec<Event> {
    codec::decode_events(&batch.postcard().to_vec()).unwrap()
}

fn offsets(events: &[Event]) -> Vec<i64> {
    let records =
        events.iter().filter_map(|event| if let Event::Records(records) = event { Some(records) } else { None });
    records.flat_map(|records| records.records.iter().map(|record| record.offset)).collect()
}

fn gap(first: i64, last: i64, count: Count) -> Gap {
    Gap { topic: "orders".into(), partition: 0, first, last, count, now_with: None }
}

#[test]
fn the_oldest_record_is_the_oldest_that_is_still_here() {
    let (mut writer, hub) = hub(HubConfig { ring_bytes: 25_000 });
    assert_eq!(hub.oldest(), None);
    writer.change(1, ChangeKind::Assigned(Vec::new()));
    writer.flush();
    assert_eq!(hub.oldest(), None, "a change is no record");
    let push = |writer: &mut Writer, received| {
        writer.push(&RecordView { received, ..record("orders", received, &[b'x'; 9000]) });
        writer.flush();
    };
    push(&mut writer, 10);
    push(&mut writer, 20);
    assert_eq!(hub.oldest(), Some(10));
    push(&mut writer, 30);
    assert_eq!(hub.oldest(), Some(20), "the first one was evicted");
}

#[tokio::test]
async fn a_waiting_session_is_woken_by_a_flush_and_not_by_a_push() {
    let (mut writer, hub) = hub(HubConfig::default());
    let mut session = start(&hub, From::Now);
    let soon = Duration::from_millis(20);
    assert!(timeout(soon, session.ready()).await.is_err(), "nothing was appended");
    writer.push(&record("orders", 0, b"a"));
    assert!(timeout(soon, session.ready()).await.is_err(), "nothing was published");
    assert!(session.take(MAX_EVENT_MESSAGE).is_empty());
    let flush = tokio::spawn(async move {
        writer.flush();
        writer
    });
    timeout(Duration::from_secs(5), session.ready()).await.expect("woken");
    let mut writer = flush.await.unwrap();
    assert_eq!(session.take(MAX_EVENT_MESSAGE).record_count(), 1);
    writer.flush();
    assert!(timeout(soon, session.ready()).await.is_err(), "an empty flush wakes nobody");
}

#[test]
fn one_batch_of_two_sessions_is_the_same_bytes() {
    let (mut writer, hub) = hub(HubConfig::default());
    let mut sessions = [start(&hub, From::Now), start(&hub, From::Now)];
    append(&mut writer, "orders", 0..3);
    let [a, b] = sessions.each_mut().map(|session| session.take(MAX_EVENT_MESSAGE).postcard().to_vec());
    assert_eq!(a, b);
    assert_eq!(offsets(&codec::decode_events(&a).unwrap()), [0, 1, 2]);
}

#[test]
fn the_newest_records_and_their_cursor_are_of_one_moment() {
    let (mut writer, hub) = hub(HubConfig::default());
    append(&mut writer, "orders", 0..5);
    let (newest, cursor) = hub.newest(2);
    append(&mut writer, "orders", 5..7);
    assert_eq!(newest.iter().map(|record| record.offset).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(cursor.positions, [Position { topic: "orders".into(), partition: 0, next: 5 }]);
    let mut session = start(&hub, From::Cursor(cursor));
    assert_eq!(offsets(&events_of(&session.take(MAX_EVENT_MESSAGE))), [5, 6]);
    assert_eq!(hub.positions()[0].next, 7);
}

#[test]
fn a_session_that_is_too_slow_is_told_what_it_missed_and_goes_on() {
    let (mut writer, hub) = small();
    let mut session = start(&hub, From::Now);
    append(&mut writer, "orders", 0..10);
    let events = events_of(&session.take(MAX_EVENT_MESSAGE));
    assert_eq!(events[0], Event::Gap(gap(0, 8, Count::Exact(9))));
    assert_eq!(offsets(&events), [9]);
}

#[test]
fn a_tab_that_comes_back_too_late_is_told_what_it_missed() {
    let (mut writer, hub) = small();
    append(&mut writer, "orders", 0..3);
    let cursor = hub.newest(0).1;
    append(&mut writer, "orders", 3..10);
    let (mut session, start) = Session::new(&hub, Arc::default(), From::Cursor(cursor));
    assert!(start.resumed);
    assert_eq!(start.gaps, [gap(3, 8, Count::Exact(6))]);
    assert_eq!(offsets(&events_of(&session.take(MAX_EVENT_MESSAGE))), [9]);
}

#[test]
fn a_cursor_of_another_epoch_goes_by_offsets() {
    let (mut writer, hub) = hub(HubConfig::default());
    append(&mut writer, "orders", 10..13);
    let at = |next| {
        let positions = vec![Position { topic: "orders".into(), partition: 0, next }];
        let cursor = Cursor { epoch: 0, seq: 77, positions, ..Cursor::default() };
        let (mut session, start) = Session::new(&hub, Arc::default(), From::Cursor(cursor));
        (start.gaps, offsets(&events_of(&session.take(MAX_EVENT_MESSAGE))))
    };
    assert_eq!(at(11), (vec![], vec![11, 12]));
    assert_eq!(at(13), (vec![], vec![]));
    assert_eq!(at(10), (vec![], vec![10, 11, 12]));
    assert_eq!(at(7), (vec![gap(7, 9, Count::UpTo(3))], vec![10, 11, 12]));
    assert_eq!(at(-5), (vec![gap(0, 9, Count::UpTo(10))], vec![10, 11, 12]));
    assert_eq!(at(i64::MAX), (vec![], vec![]));
}

#[test]
fn a_partition_that_turns_up_later_gets_its_gap_before_its_records() {
    let (mut writer, hub) = hub(HubConfig::default());
    let positions = vec![Position { topic: "orders".into(), partition: 0, next: 5 }];
    let mut session = start(&hub, From::Cursor(Cursor { positions: positions.clone(), ..Cursor::default() }));
    assert_eq!(session.cursor().positions, positions, "it is not forgotten");
    let mut again = start(&hub, From::Cursor(session.cursor()));
    assert_eq!(again.cursor(), session.cursor(), "nor after a reconnect in this epoch");
    append(&mut writer, "orders", 8..10);
    let events = events_of(&session.take(MAX_EVENT_MESSAGE));
    assert_eq!(events[0], Event::Gap(gap(5, 7, Count::UpTo(3))));
    assert_eq!(offsets(&events), [8, 9]);
    assert_eq!(events_of(&again.take(MAX_EVENT_MESSAGE)), events);
}

#[tokio::test]
async fn a_partition_that_begins_without_a_record_gets_its_gap_too() {
    let (mut writer, hub) = hub(HubConfig::default());
    let at = |next| vec![Position { topic: "orders".into(), partition: 0, next }];
    let from = || From::Cursor(Cursor { positions: at(5), ..Cursor::default() });
    let mut early = start(&hub, from());
    writer.begin(&at(8));
    writer.flush();
    timeout(Duration::from_secs(5), early.ready()).await.expect("woken");
    let told = [Event::Gap(gap(5, 7, Count::UpTo(3))), Event::Positions(at(8))];
    assert_eq!(events_of(&early.take(MAX_EVENT_MESSAGE)), told);
    assert!(timeout(Duration::from_millis(20), early.ready()).await.is_err(), "told once");
    assert_eq!(early.cursor().positions, at(8));
    assert_eq!(hub.newest(0).1.positions, at(8));

    let (mut late, start) = Session::new(&hub, Arc::default(), from());
    assert_eq!((start.gaps, start.positions), (vec![gap(5, 7, Count::UpTo(3))], at(8)));
    append(&mut writer, "orders", 8..10);
    assert_eq!(offsets(&events_of(&late.take(MAX_EVENT_MESSAGE))), [8, 9]);
    assert_eq!(offsets(&events_of(&early.take(MAX_EVENT_MESSAGE))), [8, 9]);
}

#[test]
fn what_another_instance_consumed_meanwhile_is_a_gap_for_who_comes_from_there() {
    let (mut writer, hub) = hub(HubConfig::default());
    let at = |next| vec![Position { topic: "orders".into(), partition: 0, next }];
    writer.begin(&at(0));
    append(&mut writer, "orders", 0..3);
    // It was elsewhere from 3 to 9.
    writer.begin(&at(10));
    let cursor = Cursor { positions: at(6), ..Cursor::default() };
    let (mut session, start) = Session::new(&hub, Arc::default(), From::Cursor(cursor));
    assert_eq!(start.gaps, [gap(6, 9, Count::UpTo(4))]);
    append(&mut writer, "orders", 10..11);
    assert_eq!(offsets(&events_of(&session.take(MAX_EVENT_MESSAGE))), [10]);
}

#[test]
fn what_is_with_another_instance_now_is_a_gap_that_names_it() {
    let (mut writer, hub) = hub(HubConfig::default());
    append(&mut writer, "orders", 0..3);
    let position = |topic: &str, next| Position { topic: topic.into(), partition: 0, next };
    let positions = vec![position("orders", 5), position("bills", 7), position("others", 1)];
    let cursor = Cursor { positions, ..Cursor::default() };
    let (mut session, start) = Session::new(&hub, Arc::default(), From::Cursor(cursor));
    assert_eq!(start.gaps, []);
    let owner = |topic: &str, _| match topic {
        "orders" => Some(("ottla-2".to_owned(), 9)),
        "bills" => Some(("ottla-3".to_owned(), 7)),
        _ => None,
    };
    let now_with = Some("ottla-2".to_owned());
    assert_eq!(session.elsewhere(owner), [Gap { now_with, ..gap(5, 8, Count::UpTo(4)) }]);
    assert_eq!(session.elsewhere(owner), [], "told once");
    let mut positions = session.cursor().positions;
    positions.sort_by(|a, b| a.topic.cmp(&b.topic));
    assert_eq!(positions, [position("bills", 7), position("orders", 9), position("others", 1)]);
}

#[test]
fn what_another_instance_has_beyond_the_records_that_are_here_does_not_stand_for_them() {
    let (mut writer, hub) = hub(HubConfig::default());
    append(&mut writer, "orders", 0..5);
    let positions = vec![Position { topic: "orders".into(), partition: 0, next: 2 }];
    let cursor = Cursor { positions, ..Cursor::default() };
    let (mut session, _) = Session::new(&hub, Arc::default(), From::Cursor(cursor));
    let now_with = Some("ottla-2".to_owned());
    let gaps = session.elsewhere(|_, _| Some(("ottla-2".to_owned(), 9)));
    assert_eq!(gaps, [Gap { now_with, ..gap(5, 8, Count::UpTo(4)) }]);
    assert_eq!(offsets(&events_of(&session.take(MAX_EVENT_MESSAGE))), [2, 3, 4]);
}

#[test]
fn a_tab_that_can_hold_few_records_is_told_what_it_is_not_sent() {
    let (mut writer, hub) = hub(HubConfig::default());
    append(&mut writer, "orders", 0..3);
    let seen = hub.newest(0).1;
    append(&mut writer, "orders", 3..8);
    append(&mut writer, "bills", 0..2);
    let recent = |cursor: &Cursor, most| {
        let (mut session, start) = Session::new(&hub, Arc::default(), From::Recent { cursor: cursor.clone(), most });
        (start.gaps, offsets(&events_of(&session.take(MAX_EVENT_MESSAGE))))
    };
    assert_eq!(recent(&seen, 100), (vec![], vec![3, 4, 5, 6, 7, 0, 1]));
    assert_eq!(recent(&seen, 4), (vec![gap(3, 5, Count::Exact(3))], vec![6, 7, 0, 1]));
    let bills = Gap { topic: "bills".into(), ..gap(0, 0, Count::Exact(1)) };
    assert_eq!(recent(&seen, 1), (vec![gap(3, 7, Count::Exact(5)), bills.clone()], vec![1]));
    let elsewhere =
        Cursor { epoch: 0, positions: vec![Position { topic: "orders".into(), partition: 0, next: 5 }], ..seen };
    assert_eq!(recent(&elsewhere, 1), (vec![gap(5, 7, Count::Exact(3)), bills], vec![1]), "0 to 4 it has");
}

#[test]
fn a_cursor_from_the_future_begins_now() {
    let (mut writer, hub) = hub(HubConfig::default());
    append(&mut writer, "orders", 0..2);
    let cursor = Cursor { epoch: hub.epoch(), seq: 1000, ..Cursor::default() };
    let (session, start) = Session::new(&hub, Arc::default(), From::Cursor(cursor));
    assert!(!start.resumed);
    assert_eq!(session.cursor().seq, hub.newest(0).1.seq);
}

#[test]
fn a_change_stands_at_its_place() {
    let (mut writer, hub) = hub(HubConfig::default());
    let mut session = start(&hub, From::Now);
    writer.push(&record("orders", 0, b"a"));
    writer.change(7, ChangeKind::Lost(vec![]));
    writer.push(&record("orders", 1, b"b"));
    writer.flush();
    let events = events_of(&session.take(MAX_EVENT_MESSAGE));
    let epoch = hub.epoch();
    assert!(matches!(&events[0], Event::Records(Records { next: 2, .. })));
    assert_eq!(events[1], Event::Change(Change { epoch, seq: 2, at: 7, kind: ChangeKind::Lost(vec![]) }));
    assert!(matches!(&events[2], Event::Records(Records { next: 4, .. })));
}

#[test]
fn a_filter_lets_through_what_matches_and_says_now_and_then_where_the_tab_is() {
    let (mut writer, hub) = hub(HubConfig::default());
    let filter = Filter { text: "needle".into(), ..Filter::default() };
    let (mut session, _) = Session::new(&hub, Sieve::of(&filter).unwrap(), From::Now);
    let mut told = Vec::new();
    for offset in 0..10_000 {
        writer.push(&record("orders", offset, if offset == 5000 { b"a Needle" } else { b"hay" }));
        writer.flush();
        if offset % 100 == 99 {
            told.extend(events_of(&session.take(MAX_EVENT_MESSAGE)));
        }
    }
    assert_eq!(offsets(&told), [5000]);
    assert_eq!(session.cursor().seq, hub.newest(0).1.seq);
    let empty = told.iter().filter(|event| matches!(event, Event::Records(records) if records.records.is_empty()));
    assert_eq!(empty.count(), 2, "one per 4096 appends that were left out");
}

#[test]
fn gaps_of_partitions_that_a_filter_leaves_out_are_not_told() {
    let (mut writer, hub) = small();
    let filter = Filter { topic: "orders".into(), ..Filter::default() };
    let (mut session, _) = Session::new(&hub, Sieve::of(&filter).unwrap(), From::Now);
    append(&mut writer, "orders", 0..2);
    append(&mut writer, "payments", 0..3);
    assert_eq!(events_of(&session.take(MAX_EVENT_MESSAGE)), [Event::Gap(gap(0, 1, Count::Exact(2)))]);
}

#[test]
fn a_record_that_nobody_cut_still_fits_a_message() {
    let (mut writer, hub) = hub(HubConfig::default());
    let mut session = start(&hub, From::Now);
    let large = vec![b'x'; 1_000_000];
    let header = HeaderView { name: "h", value: Some(DataView::cut(&large, 1000)) };
    let headers = vec![header; 100];
    writer.push(&RecordView {
        key: Some(DataView::cut(&large, 50_000)),
        headers: &headers,
        ..record("orders", 0, &large)
    });
    writer.flush();
    let message = session.take(0).postcard().to_vec();
    assert!(message.len() <= MAX_EVENT_MESSAGE);
    let Event::Records(records) = &codec::decode_events(&message).unwrap()[0] else { panic!("records") };
    let record = &records.records[0];
    assert_eq!(record.value.as_ref().unwrap().size, 1_000_000);
    assert_eq!(record.headers.len() + record.headers_left_out as usize, 100);
}

#[test]
fn many_gaps_are_told_in_several_messages_and_none_twice() {
    let (mut writer, hub) = small();
    let mut session = start(&hub, From::Now);
    let topics: Vec<_> = (0..500).map(|number| format!("{number}-{}", "t".repeat(200))).collect();
    for offset in 0..2 {
        for topic in &topics {
            writer.push(&record(topic, offset, b"x"));
        }
        writer.flush();
    }
    append(&mut writer, "last", [0]);
    let mut told = 0;
    loop {
        let events = events_of(&session.take(MAX_EVENT_MESSAGE));
        let gaps = events.iter().filter(|event| matches!(event, Event::Gap(_))).count();
        told += gaps;
        if gaps < events.len() {
            assert_eq!(offsets(&events), [0]);
            break;
        }
        // A tab that leaves here is told the others when it comes back.
        let (_, start) = Session::new(&hub, Arc::default(), From::Cursor(session.cursor()));
        assert_eq!(told + start.gaps.len(), topics.len());
    }
    assert_eq!(told, topics.len());
}

fn topic(id: &str) -> Event {
    Event::Topics(vec![TopicId { topic: "orders".into(), id: id.into() }])
}

/// The gaps, the events and the cursor of a tab that comes from elsewhere: with the offsets below `next` of the topic with this id.
fn comes_from_elsewhere(hub: &Arc<Hub>, id: &str, next: i64) -> (Vec<Gap>, Vec<Event>, Cursor) {
    let positions = vec![Position { topic: "orders".into(), partition: 0, next }];
    let topics = vec![TopicId { topic: "orders".into(), id: id.into() }];
    let cursor = Cursor { positions, topics, ..Cursor::default() };
    let (mut session, start) = Session::new(hub, Arc::default(), From::Cursor(cursor));
    let events = events_of(&session.take(MAX_EVENT_MESSAGE));
    (start.gaps, events, session.cursor())
}

#[test]
fn offsets_of_another_topic_of_the_same_name_say_nothing() {
    let (mut writer, hub) = hub(HubConfig::default());
    writer.topic("orders", "new");
    append(&mut writer, "orders", 0..3);
    let of = |id, next| {
        let (gaps, events, cursor) = comes_from_elsewhere(&hub, id, next);
        assert_eq!(cursor.topics, [TopicId { topic: "orders".into(), id: "new".into() }]);
        (gaps, offsets(&events), cursor.positions[0].next)
    };
    assert_eq!(of("new", 2), (vec![], vec![2], 3));
    assert_eq!(of("new", 5), (vec![], vec![], 5));
    assert_eq!(of("old", 5), (vec![], vec![0, 1, 2], 3));
}

#[test]
fn a_topic_made_anew_is_told_at_its_place_and_its_offsets_stand_for_themselves() {
    let (mut writer, hub) = hub(HubConfig::default());
    writer.topic("orders", "old");
    append(&mut writer, "orders", 7..9);
    let before = hub.newest(0).1;
    writer.topic("orders", "new");
    writer.topic("orders", "new");
    append(&mut writer, "orders", 0..2);

    let (gaps, events, cursor) = comes_from_elsewhere(&hub, "old", 8);
    assert_eq!((gaps, offsets(&events)), (vec![], vec![8, 0, 1]));
    assert_eq!(events.iter().filter(|event| **event == topic("new")).count(), 1);
    assert_eq!(cursor.positions, [Position { topic: "orders".into(), partition: 0, next: 2 }]);
    assert_eq!(cursor.topics, hub.newest(0).1.topics);

    let (gaps, events, _) = comes_from_elsewhere(&hub, "new", 1);
    assert_eq!((gaps, offsets(&events)), (vec![], vec![7, 8, 1]));

    let mut session = start(&hub, From::Cursor(before));
    let events = events_of(&session.take(MAX_EVENT_MESSAGE));
    assert_eq!((events[0].clone(), offsets(&events)), (topic("new"), vec![0, 1]));
}

#[test]
fn a_topic_may_be_made_anew_before_its_id_is_known() {
    let (mut writer, hub) = hub(HubConfig::default());
    writer.topic("orders", "old");
    append(&mut writer, "orders", 7..9);
    writer.topic_began_anew("orders");
    append(&mut writer, "orders", 0..1);
    assert_eq!(hub.newest(0).1.topics, []);
    assert_eq!(hub.positions()[0].next, 1);
    writer.topic("orders", "new");
    append(&mut writer, "orders", 1..2);
    let (_, events, _) = comes_from_elsewhere(&hub, "new", 1);
    assert_eq!(offsets(&events), [7, 8, 1]);
}

#[test]
fn what_a_tab_awaits_of_a_topic_that_is_no_more_is_not_awaited() {
    let (mut writer, hub) = hub(HubConfig::default());
    let positions = vec![Position { topic: "orders".into(), partition: 0, next: 5 }];
    let topics = vec![TopicId { topic: "orders".into(), id: "old".into() }];
    let cursor = Cursor { positions, topics, ..Cursor::default() };
    let mut session = start(&hub, From::Cursor(cursor.clone()));
    assert_eq!(
        (session.cursor().positions, session.cursor().topics),
        (cursor.positions, cursor.topics),
        "not forgotten"
    );
    writer.topic("orders", "new");
    append(&mut writer, "orders", 8..9);
    let events = events_of(&session.take(MAX_EVENT_MESSAGE));
    assert_eq!((&events[0], offsets(&events)), (&topic("new"), vec![8]), "no gap from 5 to 7");
}
