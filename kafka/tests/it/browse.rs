//! Looking through a topic.

use crate::{
    cluster::{PATIENCE, client, client_of, is_real, message, produce, producer, topic},
    group::delete_before,
    read::transactional,
};
use kafka::{Browse, Came, Reader, Stretch, Wants};
use rdkafka::producer::{BaseRecord, Producer as _};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use wire::{Direction, Outgoing, Record, RecordView};

fn all() -> Wants {
    Arc::new(|_: &RecordView<'_>| Some(true))
}

fn browse(topic: &str, direction: Direction, stretches: &[(i64, i64)], wants: Wants) -> Browse {
    let stretches = stretches.iter().zip(0..).map(|(&(from, to), partition)| Stretch { partition, from, to });
    Browse::new(topic, direction, stretches, wants, false)
}

/// A page, and where one goes on who has it.
async fn page(reader: &Reader, browse: &mut Browse, most: usize) -> Vec<Record> {
    let began = Instant::now();
    let mut page = Vec::new();
    while page.len() < most && !browse.is_done() {
        let (records, came) = reader.browse(browse, most - page.len(), PATIENCE, PATIENCE).await.unwrap();
        assert!(came == Came::Further && began.elapsed() < PATIENCE, "{:?}", browse.progress());
        page.extend(records);
    }
    page
}

fn places(records: &[Record]) -> Vec<(i32, i64)> {
    records.iter().map(|record| (record.partition, record.offset)).collect()
}

#[tokio::test]
async fn pages_over_several_partitions_neither_skip_nor_repeat_either_way() {
    let topic = topic(3).await;
    // One of them has hardly any.
    for number in 0..60 {
        let partition = if number % 20 == 7 { 2 } else { number % 2 };
        let outgoing = Outgoing { partition: Some(partition), ..message(&topic, number.to_string()) };
        producer().send(outgoing).await.unwrap();
    }
    let reader = Reader::browsing(&client()).unwrap();
    let ends: Vec<_> = {
        let admin = kafka::Admin::new(&client()).unwrap();
        let found = admin.topic(&topic, PATIENCE).await.unwrap().unwrap();
        found.partitions.iter().map(|partition| partition.end.unwrap()).collect()
    };
    assert_eq!(ends.iter().sum::<i64>(), 60);

    // Each page is read anew, from the place where the one before ended.
    let mut back = Vec::new();
    let mut stretches: Vec<_> = ends.iter().map(|end| (*end, 0)).collect();
    loop {
        let mut reading = browse(&topic, Direction::Older, &stretches, all());
        let records = page(&reader, &mut reading, 7).await;
        assert!(records.len() == 7 || back.len() + records.len() == 60, "{}", records.len());
        assert!(records.windows(2).all(|two| two[0].timestamp.millis() >= two[1].timestamp.millis()));
        back.extend(records);
        stretches = reading.positions().into_iter().map(|(_, position)| (position, 0)).collect();
        if stretches.iter().all(|(position, _)| *position == 0) {
            break;
        }
    }
    let mut once = places(&back);
    once.sort_unstable();
    once.dedup();
    assert_eq!((back.len(), once.len()), (60, 60));

    let mut reading = browse(&topic, Direction::Newer, &ends.iter().map(|end| (0, *end)).collect::<Vec<_>>(), all());
    let mut forward = Vec::new();
    while !reading.is_done() {
        forward.extend(page(&reader, &mut reading, 11).await);
    }
    back.reverse();
    assert_eq!(places(&forward), places(&back), "the same order the other way round");
    assert_eq!(reading.progress(), (60, 0));
}

#[tokio::test]
async fn what_was_deleted_is_passed_over() {
    let topic = topic(1).await;
    produce(&topic, 1, 0..20).await;
    delete_before(&topic, 12).await;
    let reader = Reader::browsing(&client()).unwrap();
    for (direction, stretch, expected) in
        [(Direction::Newer, (3, 20), 12..20), (Direction::Newer, (3, 9), 0..0), (Direction::Older, (20, 0), 12..20)]
    {
        let mut reading = browse(&topic, direction, &[stretch], all());
        let mut offsets: Vec<_> = page(&reader, &mut reading, 100).await.iter().map(|record| record.offset).collect();
        offsets.sort_unstable();
        assert_eq!(offsets, expected.collect::<Vec<_>>(), "{direction:?} {stretch:?}");
        assert!(reading.is_done());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_markers_and_aborted_records_end_no_page() {
    if !is_real() {
        return; // The embedded broker refuses transactional producers.
    }
    let topic = topic(1).await;
    let producer = transactional();
    for number in 0..30 {
        producer.begin_transaction().unwrap();
        producer.send(BaseRecord::<str, str>::to(&topic).payload("in a transaction")).unwrap();
        if number % 10 == 0 {
            producer.commit_transaction(PATIENCE).unwrap();
        } else {
            producer.flush(PATIENCE).unwrap();
            producer.abort_transaction(PATIENCE).unwrap();
        }
    }
    // 60 offsets: committed are 0, 20 and 40. Markers come a little after the answer to a commit.
    let reader = Reader::browsing(&client()).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (direction, stretch, expected) in
        [(Direction::Older, (60, 0), [40, 20, 0]), (Direction::Newer, (0, 60), [0, 20, 40])]
    {
        let mut reading = browse(&topic, direction, &[stretch], all());
        let offsets: Vec<_> = page(&reader, &mut reading, 3).await.iter().map(|record| record.offset).collect();
        assert_eq!(offsets, expected);
    }

    // What a transaction may still add is newer than the page that was read meanwhile.
    producer.begin_transaction().unwrap();
    producer.send(BaseRecord::<str, str>::to(&topic).payload("not yet decided")).unwrap();
    producer.flush(PATIENCE).unwrap();
    let mut reading = browse(&topic, Direction::Older, &[(61, 0)], all());
    assert_eq!(page(&reader, &mut reading, 1).await[0].offset, 40);
    let start = reading.starts()[0].1;
    assert!((41..=60).contains(&start), "{start}");
    producer.commit_transaction(PATIENCE).unwrap();
    // The marker comes a little after the answer to the commit.
    let began = Instant::now();
    let found = loop {
        let mut newer = browse(&topic, Direction::Newer, &[(start, 61)], all());
        let found = places(&page(&reader, &mut newer, 1).await);
        if !found.is_empty() || began.elapsed() > PATIENCE {
            break found;
        }
    };
    assert_eq!(found, [(0, 60)]);
}

#[tokio::test]
async fn a_search_finds_what_is_rare_and_says_how_far_it_is() {
    let topic = topic(2).await;
    produce(&topic, 2, 0..2_000).await;
    let reader = Reader::browsing(&client()).unwrap();
    let rare: Wants = Arc::new(|record: &RecordView<'_>| {
        let text = record.value.and_then(|value| value.text()).unwrap_or_default();
        if text == "13" { None } else { Some(text == "7" || text == "1990") }
    });
    let mut reading = browse(&topic, Direction::Older, &[(1_000, 0), (1_000, 0)], rare);
    let found = page(&reader, &mut reading, 50).await;
    let values: Vec<_> = found.iter().map(|record| record.value.as_ref().unwrap().text().unwrap()).collect();
    assert_eq!(values, ["1990", "7"]);
    assert_eq!((reading.progress(), reading.looked(), reading.failed()), ((2_000, 0), 2_000, 1));

    // What was found before the time was over is handed out by who can't wait.
    let mut reading = browse(&topic, Direction::Newer, &[(0, 1_000), (0, 1_000)], all());
    let nothing = reader.browse(&mut reading, 5, Duration::ZERO, Duration::ZERO).await.unwrap();
    assert_eq!((nothing.0.len(), reading.progress()), (0, (0, 2_000)));
}

#[tokio::test]
async fn large_records_are_read_few_at_a_time_and_none_is_left_out() {
    let topic = topic(1).await;
    let producer = producer();
    for _ in 0..40 {
        producer.send(message(&topic, "x".repeat(600_000))).await.unwrap();
    }
    let reader = Reader::browsing(&client()).unwrap();
    // In a step of no time at all, as on a slow link, not even one of them comes.
    let steps = [PATIENCE, Duration::ZERO];
    let ways = [(Direction::Older, (40, 0)), (Direction::Newer, (0, 40))];
    for (within, (direction, stretch)) in steps.into_iter().flat_map(|within| ways.map(|way| (within, way))) {
        let stretch = Stretch { partition: 0, from: stretch.0, to: stretch.1 };
        let mut reading = Browse::new(&topic, direction, [stretch], all(), true);
        let mut offsets = BTreeMap::new();
        let began = Instant::now();
        while !reading.is_done() {
            assert!(began.elapsed() < PATIENCE, "{direction:?} {within:?} {:?}", reading.progress());
            let (records, _) = reader.browse(&mut reading, 100, within, PATIENCE).await.unwrap();
            assert!(records.len() <= 8, "{} records of 600 kB", records.len());
            for record in records {
                assert_eq!(record.value.as_ref().unwrap().head.len(), 600_000, "whole");
                *offsets.entry(record.offset).or_insert(0) += 1;
            }
        }
        assert!(offsets.len() == 40 && offsets.values().all(|times| *times == 1), "{direction:?} {offsets:?}");
    }
}

#[tokio::test]
async fn of_many_partitions_with_large_records_no_more_is_kept_than_there_is_room_for() {
    const PARTITIONS: i32 = 24;
    const SIZE: usize = 700_000;
    let topic = topic(PARTITIONS).await;
    let producer = producer();
    for number in 0..PARTITIONS * 2 {
        let outgoing = Outgoing { partition: Some(number % PARTITIONS), ..message(&topic, "x".repeat(SIZE)) };
        producer.send(outgoing).await.unwrap();
    }
    let reader = Reader::browsing(&client()).unwrap();
    for (direction, from, to) in [(Direction::Older, 2, 0), (Direction::Newer, 0, 2)] {
        let stretches = (0..PARTITIONS).map(|partition| Stretch { partition, from, to });
        let mut reading = Browse::new(&topic, direction, stretches, all(), true);
        let (mut found, began) = (Vec::new(), Instant::now());
        while !reading.is_done() {
            assert!(began.elapsed() < PATIENCE * 2, "{direction:?} {:?}", reading.progress());
            for record in reader.browse(&mut reading, 1, PATIENCE, PATIENCE).await.unwrap().0 {
                assert_eq!(record.value.as_ref().unwrap().head.len(), SIZE, "whole");
                found.push((record.timestamp.millis(), record.partition, record.offset));
            }
            // Those of all partitions would be 17 MB.
            assert!(reading.kept_bytes() <= 8 * 1024 * 1024 + SIZE, "{direction:?}: {} bytes", reading.kept_bytes());
        }
        if direction == Direction::Older {
            found.reverse();
        }
        assert!(found.is_sorted(), "{direction:?} {found:?}");
        let places: BTreeSet<_> = found.iter().map(|(_, partition, offset)| (*partition, *offset)).collect();
        let all = (0..PARTITIONS).flat_map(|partition| [(partition, 0), (partition, 1)]);
        assert_eq!((places, found.len() as u64), (all.collect(), reading.looked()), "{direction:?}: each once");
    }
}

#[tokio::test]
async fn what_comes_slowly_is_read_one_record_at_a_time() {
    const STEP: Duration = Duration::from_millis(200);
    let topic = topic(1).await;
    produce(&topic, 1, 0..12).await;
    let reader = Reader::browsing(&client()).unwrap();
    // No two of them come within a step, however it is read.
    let slow: Wants = Arc::new(|_: &RecordView<'_>| {
        std::thread::sleep(STEP * 3 / 5);
        Some(true)
    });
    let mut reading = browse(&topic, Direction::Older, &[(12, 0)], slow);
    let (began, mut found) = (Instant::now(), Vec::new());
    while !reading.is_done() {
        assert!(began.elapsed() < PATIENCE, "{:?}", reading.progress());
        found.extend(reader.browse(&mut reading, 12, STEP, STEP).await.unwrap().0);
    }
    assert_eq!(places(&found), (0..12).rev().map(|offset| (0, offset)).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_a_broker_a_search_keeps_its_time() {
    let reader = Reader::browsing(&client_of("127.0.0.1:9".into())).unwrap();
    let mut reading = browse("t", Direction::Newer, &[(0, 10)], all());
    let began = Instant::now();
    let within = Duration::from_millis(300);
    let (records, came) = reader.browse(&mut reading, 5, within, within).await.unwrap();
    assert!(records.is_empty() && came == Came::Nowhere && began.elapsed() < Duration::from_secs(10));
    assert!(reader.silence(reading.in_vain()).to_string().starts_with("Kafka does not answer"));

    // Silence is what was waited for, and not when nobody did.
    let in_vain = reading.in_vain();
    assert!(in_vain > within / 2 && in_vain < began.elapsed(), "{in_vain:?}");
    tokio::time::sleep(within * 2).await;
    let again = Instant::now();
    reader.browse(&mut reading, 5, within, within).await.unwrap();
    let added = reading.in_vain() - in_vain;
    assert!(added > within / 2 && added <= again.elapsed(), "{added:?}");
}

/// Where searches wait at their records until they are let through.
#[derive(Default)]
struct Gate {
    came: AtomicUsize,
    let_through: AtomicUsize,
}

impl Gate {
    /// Not for ever, or a test that fails would never end.
    fn pass(&self) {
        let (number, began) = (self.came.fetch_add(1, Ordering::Relaxed), Instant::now());
        while number >= self.let_through.load(Ordering::Relaxed) && began.elapsed() < PATIENCE * 2 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until so many have come.
    async fn wait_for(&self, many: usize) {
        let began = Instant::now();
        while self.came.load(Ordering::Relaxed) < many {
            assert!(began.elapsed() < PATIENCE, "{} of {many}", self.came.load(Ordering::Relaxed));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets the first so many through.
    fn open_for(&self, many: usize) {
        self.let_through.store(many, Ordering::Relaxed);
    }
}

/// Finds nothing: passes the gate with each record, and takes its time for it then.
fn nothing(gate: &Arc<Gate>, takes: Duration) -> Wants {
    let gate = Arc::clone(gate);
    Arc::new(move |_: &RecordView<'_>| {
        gate.pass();
        std::thread::sleep(takes);
        Some(false)
    })
}

/// Searches that go on for longer than the test, and more of them than can read at a time.
fn crowd(reader: &Reader, topic: &str, wants: &Wants) -> Vec<tokio::task::JoinHandle<()>> {
    let search = |_| {
        let (reader, mut reading) = (reader.clone(), browse(topic, Direction::Newer, &[(0, 1_000)], wants.clone()));
        tokio::spawn(async move {
            while !reading.is_done() {
                let _ = reader.browse(&mut reading, 50, PATIENCE * 2, PATIENCE * 2).await;
            }
        })
    };
    (0..6).map(search).collect()
}

/// Nobody waits for them any more.
async fn abort(searches: Vec<tokio::task::JoinHandle<()>>) {
    for search in searches {
        search.abort();
        assert!(search.await.unwrap_err().is_cancelled());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_searches_take_turns_with_others_and_end_with_who_asked() {
    /// So many read at a time.
    const TURNS: usize = 4;
    let (long, short) = (topic(1).await, topic(1).await);
    produce(&long, 1, 0..1_000).await;
    produce(&short, 1, 0..3).await;
    let reader = Reader::browsing(&client()).unwrap();
    let read = async |within| {
        let mut reading = browse(&short, Direction::Older, &[(3, 0)], all());
        reader.browse(&mut reading, 3, within, within).await.unwrap()
    };
    // Each of them takes longer than anybody waits here.
    let gate = Arc::<Gate>::default();
    let searches = crowd(&reader, &long, &nothing(&gate, PATIENCE / 300));
    gate.wait_for(TURNS).await;
    gate.open_for(usize::MAX);
    for _ in 0..2 {
        let (records, came) = read(PATIENCE).await;
        assert_eq!((records.len(), came), (3, Came::Further), "six search");
    }
    abort(searches).await;

    // A record's decision can't be cut short; who waits for four of them has had no turn, and Kafka is not to blame.
    let gate = Arc::<Gate>::default();
    let searches = crowd(&reader, &long, &nothing(&gate, Duration::ZERO));
    gate.wait_for(TURNS).await;
    let (records, came) = read(Duration::from_millis(100)).await;
    assert_eq!((records.len(), came), (0, Came::NoTurn));
    // They end after the records at which they are: with a further one they would keep their turns.
    abort(searches).await;
    gate.open_for(TURNS);
    let (records, came) = read(PATIENCE).await;
    assert_eq!((records.len(), came), (3, Came::Further));
}
