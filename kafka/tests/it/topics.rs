//! Topics from outside: the list, one topic, its settings; making, emptying, enlarging and deleting it; and what a broker refuses.

use crate::cluster::{PATIENCE, client, client_of, has_zookeeper, is_real, produce, topic, unique};
use kafka::{Admin, Partition, PartitionOffset};
use std::time::{Duration, Instant};
use wire::{ConfigEntry, ConfigSource, GroupError, NewTopic, TopicError, TopicField, TopicRow, TopicRule};

fn admin() -> Admin {
    Admin::new(&client()).unwrap()
}

fn new(name: &str, partitions: i32, config: &[(&str, &str)]) -> NewTopic {
    let config = config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    NewTopic { name: name.into(), partitions, replication: 1, config }
}

/// The row of a topic in the list.
async fn row(admin: &Admin, name: &str) -> Option<TopicRow> {
    admin.topic_list(PATIENCE).await.unwrap().topics.into_iter().find(|topic| topic.name == name)
}

/// The row of a topic that was just made: some broker hears of it, and of who leads it, later than the one that made it.
async fn made(admin: &Admin, name: &str, partitions: u32) -> TopicRow {
    let began = Instant::now();
    loop {
        match row(admin, name).await {
            Some(row) if row.partitions >= partitions && row.offline == 0 => return row,
            row => assert!(began.elapsed() < PATIENCE, "{name}: {row:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until a topic has so many partitions, none where it is gone. The embedded broker has them at once; of others some hear of a
/// change later than the one that was asked before.
async fn has_partitions(admin: &Admin, name: &str, expected: usize) {
    let began = Instant::now();
    loop {
        let topic = admin.topic(name, PATIENCE).await.unwrap();
        let found = topic.map_or(0, |topic| topic.partitions.len());
        if found == expected {
            return;
        }
        assert!(is_real() && began.elapsed() < PATIENCE, "{found} instead of {expected}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn setting(admin: &Admin, topic: &str, name: &str) -> ConfigEntry {
    let began = Instant::now();
    let config = loop {
        // Some broker hears of a new topic later than the one that made it.
        match admin.topic_config(topic, PATIENCE).await.unwrap() {
            Some(config) => break config,
            None => assert!(began.elapsed() < PATIENCE, "{topic} is not known"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    config.into_iter().find(|entry| entry.name == name).unwrap_or_else(|| panic!("{name} is told"))
}

/// The field and the words of a refusal.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, TopicError>) -> (Option<TopicField>, String) {
    match result.unwrap_err() {
        TopicError::Refused { reason } => (None, reason),
        TopicError::Invalid(errors) => match &errors[..] {
            [wire::TopicFieldError { field, rule: TopicRule::Refused { reason } }] => (Some(*field), reason.clone()),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn set(name: &str, value: &str) -> [(String, Option<String>); 1] {
    [(name.to_owned(), Some(value.to_owned()))]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_counts_partitions_replicas_and_records() {
    let admin = admin();
    let name = topic(3).await;
    produce(&name, 3, 0..5).await;
    let found = made(&admin, &name, 3).await;
    let expected = TopicRow {
        name: name.clone(),
        partitions: 3,
        replication: 1,
        under_replicated: 0,
        offline: 0,
        records: None,
        written: None,
        rate: None,
    };
    assert_eq!(found, expected);
    let empty = made(&admin, &topic(2).await, 2).await;
    let mut rows = [found, TopicRow { offline: 1, ..empty.clone() }, empty];
    admin.count_records(&mut rows.iter_mut().collect::<Vec<_>>(), PATIENCE).await.unwrap();
    assert_eq!(rows.each_ref().map(|row| row.records), [Some(5), None, Some(0)]);
    if is_real() {
        assert_eq!(admin.topic_list(PATIENCE).await.unwrap().brokers, 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_counted_over_more_partitions_than_one_request_asks_for() {
    let admin = admin();
    let (many, few) = (topic(300).await, topic(2).await);
    produce(&many, 300, 298..302).await;
    produce(&few, 2, 0..3).await;
    let mut rows = [made(&admin, &many, 300).await, made(&admin, &few, 2).await];
    admin.count_records(&mut rows.iter_mut().collect::<Vec<_>>(), PATIENCE).await.unwrap();
    assert_eq!(rows.each_ref().map(|row| (row.records, row.written)), [(Some(4), Some(4)), (Some(3), Some(3))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_tells_its_leaders_replicas_and_offsets() {
    let admin = admin();
    let name = unique("topic");
    let replication = if is_real() { 3 } else { 1 };
    admin.create_topic(&NewTopic { replication, ..new(&name, 2, &[]) }, PATIENCE).await.unwrap();
    produce(&name, 2, 0..3).await;
    let topic = admin.topic(&name, PATIENCE).await.unwrap().unwrap();
    assert_eq!(topic.name, name);
    assert!(topic.id.is_some());
    assert_eq!(topic.records(), Some(3));
    for (number, partition) in topic.partitions.iter().enumerate() {
        assert_eq!(partition.partition, i32::try_from(number).unwrap());
        assert_eq!(partition.replicas.len(), usize::try_from(replication).unwrap());
        assert_eq!(partition.leader, partition.replicas.first().copied(), "the preferred one leads: {partition:?}");
        assert!(!partition.is_under_replicated(), "{partition:?}");
        assert_eq!((partition.first, partition.end), (Some(0), Some(2 - i64::try_from(number).unwrap())));
    }
    assert_eq!(admin.topic(&unique("nobody"), PATIENCE).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_made_with_its_settings_and_what_kafka_refuses_makes_nothing() {
    let admin = admin();
    let name = format!("{}.of.it", unique("topic"));
    admin.create_topic(&new(&name, 2, &[("retention.ms", "3600000")]), PATIENCE).await.unwrap();
    has_partitions(&admin, &name, 2).await;
    let again = refused(admin.create_topic(&new(&name, 2, &[]), PATIENCE).await);
    assert_eq!(again.0, Some(TopicField::Name), "{again:?}");
    let other = unique("never");
    for (wrong, words) in [("retention.ms", "Not a number of type LONG"), ("no.such.setting", "no.such.setting")] {
        let said = refused(admin.create_topic(&new(&other, 1, &[(wrong, "a week")]), PATIENCE).await);
        assert!(said.0 == Some(TopicField::Config) && said.1.contains(words), "{wrong}: {said:?}");
        let said = refused(admin.alter_topic_config(&name, &set(wrong, "a week"), PATIENCE).await);
        assert!(said.0 == Some(TopicField::ConfigValue(0)) && said.1.contains(words), "{wrong}: {said:?}");
    }
    assert_eq!(row(&admin, &other).await, None);
    if !is_real() {
        return;
    }
    let retention = setting(&admin, &name, "retention.ms").await;
    assert_eq!((retention.value.as_deref(), retention.source), (Some("3600000"), ConfigSource::Topic));
    let colliding = refused(admin.create_topic(&new(&name.replace('.', "_"), 1, &[]), PATIENCE).await);
    assert!(
        colliding.0 == Some(TopicField::Name) && colliding.1.contains("collides with existing topic"),
        "{colliding:?}"
    );

    for (wrong, field, words) in [
        (
            NewTopic { replication: 4, ..new(&other, 1, &[]) },
            Some(TopicField::Replication),
            if has_zookeeper() { "larger than available brokers: 3" } else { "3 broker(s) are registered" },
        ),
        (new(&other, 20_000, &[]), None, "partitions"),
    ] {
        if has_zookeeper() && wrong.partitions > 1 {
            continue; // It has no bound, and makes all of them.
        }
        let said = refused(admin.create_topic(&wrong, PATIENCE).await);
        assert!(said.0 == field && said.1.contains(words), "{wrong:?}: {said:?}");
    }
    assert_eq!(row(&admin, &other).await, None);
    let default = NewTopic { replication: -1, ..new(&other, -1, &[]) };
    admin.create_topic(&default, PATIENCE).await.unwrap();
    assert!(made(&admin, &other, 1).await.replication >= 1, "the cluster's own numbers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_topic_is_gone_at_once_and_can_not_be_deleted_again() {
    let admin = admin();
    let name = topic(1).await;
    admin.delete_topic(&name, PATIENCE).await.unwrap();
    has_partitions(&admin, &name, 0).await;
    assert_eq!(admin.delete_topic(&name, PATIENCE).await, Err(TopicError::Unknown { topic: name.clone() }));
    assert_eq!(admin.empty_topic(&name, PATIENCE).await, Err(TopicError::Unknown { topic: name.clone() }));
    if is_real() {
        assert_eq!(admin.topic_config(&name, PATIENCE).await.unwrap(), None);
        assert_eq!(admin.add_partitions(&name, 2, PATIENCE).await, Err(TopicError::Unknown { topic: name.clone() }));
        let altered = admin.alter_topic_config(&name, &set("retention.ms", "1"), PATIENCE).await;
        assert_eq!(altered, Err(TopicError::Unknown { topic: name }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_topic_begins_at_its_end() {
    let admin = admin();
    let name = topic(3).await;
    produce(&name, 3, 0..7).await;
    assert_eq!(admin.empty_topic(&name, PATIENCE).await, Ok(3));
    let topic = admin.topic(&name, PATIENCE).await.unwrap().unwrap();
    assert_eq!(topic.records(), Some(0));
    let ends: Vec<_> = topic.partitions.iter().map(|partition| partition.end.unwrap()).collect();
    assert_eq!(ends, [3, 2, 2], "offsets go on");
    assert_eq!(admin.empty_topic(&name, PATIENCE).await, Ok(3), "what is empty can be emptied");
    if is_real() {
        let compacted = unique("compacted");
        admin.create_topic(&new(&compacted, 2, &[("cleanup.policy", "compact")]), PATIENCE).await.unwrap();
        if has_zookeeper() {
            // A new topic's partitions come to their leaders one after the other.
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        assert_eq!(admin.empty_topic(&compacted, PATIENCE).await, Err(TopicError::Compacted));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_added_and_never_removed() {
    let admin = admin();
    let name = topic(2).await;
    let added = admin.add_partitions(&name, 5, PATIENCE).await;
    if !is_real() {
        let said = refused(added);
        assert!(said.0.is_none() && said.1.contains("the embedded broker adds no partitions"), "{said:?}");
        return;
    }
    assert_eq!(added, Ok(()));
    has_partitions(&admin, &name, 5).await;
    let (field, words) = refused(admin.add_partitions(&name, 3, PATIENCE).await);
    assert!(field == Some(TopicField::Partitions) && words.contains('5'), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_changed_alone_and_goes_back_to_its_default() {
    if !is_real() {
        return;
    }
    let admin = admin();
    let name = unique("topic");
    admin.create_topic(&new(&name, 1, &[("segment.bytes", "1048576")]), PATIENCE).await.unwrap();
    let default = setting(&admin, &name, "retention.ms").await;
    assert_eq!(default.source, ConfigSource::Default);

    admin.alter_topic_config(&name, &set("retention.ms", "60000"), PATIENCE).await.unwrap();
    let changed = settled(&admin, &name, "retention.ms", "60000").await;
    assert_eq!((changed.source, &changed.default), (ConfigSource::Topic, &default.value), "what it hides");
    let other = setting(&admin, &name, "segment.bytes").await;
    assert_eq!(
        (other.value.as_deref(), other.source, other.default.as_deref()),
        (Some("1048576"), ConfigSource::Topic, Some("1073741824")),
        "what is not named stays"
    );

    let (field, words) = refused(admin.alter_topic_config(&name, &set("retention.ms", "long"), PATIENCE).await);
    assert!(field == Some(TopicField::ConfigValue(0)) && words.contains("Not a number of type LONG"), "{words}");
    let (field, words) = refused(admin.alter_topic_config(&name, &set("no.such.setting", "1"), PATIENCE).await);
    assert!(field == Some(TopicField::ConfigValue(0)) && words.contains("no.such.setting"), "{words}");
    let two = [set("retention.ms", "1000"), set("segment.bytes", "few")].concat();
    assert_eq!(refused(admin.alter_topic_config(&name, &two, PATIENCE).await).0, Some(TopicField::Config));
    assert_eq!(setting(&admin, &name, "retention.ms").await.value.as_deref(), Some("60000"), "all or none");

    admin.alter_topic_config(&name, &[("retention.ms".into(), None)], PATIENCE).await.unwrap();
    assert_eq!(settled(&admin, &name, "retention.ms", default.value.as_deref().unwrap()).await, default);
}

/// A setting once the broker that is asked has heard of its value.
async fn settled(admin: &Admin, topic: &str, name: &str, value: &str) -> ConfigEntry {
    let began = Instant::now();
    loop {
        let found = setting(admin, topic, name).await;
        if found.value.as_deref() == Some(value) {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_groups_that_read_a_topic_are_those_that_committed_in_it() {
    let admin = admin();
    let (own, other) = (topic(2).await, topic(1).await);
    produce(&own, 2, 0..6).await;
    produce(&other, 1, 0..4).await;
    let at = |topic: &str, partition, offset| PartitionOffset { partition: Partition::new(topic, partition), offset };
    let (both, stranger) = (unique("both"), unique("stranger"));
    let committed = [at(&own, 0, 1), at(&own, 1, 3), at(&other, 0, 0)];
    admin.alter_offsets(&both, &committed, PATIENCE).await.unwrap();
    admin.alter_offsets(&stranger, &[at(&other, 0, 4)], PATIENCE).await.unwrap();
    let found = admin.readers(&own, PATIENCE).await.unwrap();
    assert_eq!(found.untold, 0);
    let found: Vec<_> = found.groups.iter().map(|group| (group.name.as_str(), group.lag)).collect();
    assert_eq!(found, [(both.as_str(), Some(2))], "the lag is that in this topic");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_about_topics_ends_where_nobody_answers() {
    const DEADLINE: Duration = Duration::from_millis(300);
    // Nobody listens at this address.
    let admin = Admin::new(&client_of("127.0.0.1:9".into())).unwrap();
    let began = Instant::now();
    let mut row = TopicRow {
        name: "t".into(),
        partitions: 1,
        replication: 1,
        under_replicated: 0,
        offline: 0,
        records: None,
        written: None,
        rate: None,
    };
    assert!(admin.topic_list(DEADLINE).await.is_err());
    assert!(admin.count_records(&mut [&mut row], DEADLINE).await.is_err());
    assert!(admin.topic("t", DEADLINE).await.is_err());
    assert!(admin.topic_config("t", DEADLINE).await.is_err());
    assert!(admin.readers("t", DEADLINE).await.is_err());
    // Of these Kafka is asked something first.
    let unread =
        [admin.create_topic(&new("t", 1, &[]), DEADLINE).await, admin.empty_topic("t", DEADLINE).await.map(|_| ())];
    for error in unread {
        assert!(
            matches!(&error, Err(TopicError::Unread { reason }) if reason.contains("127.0.0.1:9")),
            "it says that nothing was changed: {error:?}"
        );
    }
    let offsets = admin.delete_offsets("g", "t", DEADLINE).await;
    assert!(matches!(&offsets, Err(GroupError::Unread { reason }) if reason.contains("127.0.0.1:9")), "{offsets:?}");
    let changes = [
        admin.delete_topic("t", DEADLINE).await,
        admin.add_partitions("t", 2, DEADLINE).await,
        admin.alter_topic_config("t", &set("retention.ms", "1"), DEADLINE).await,
    ];
    for error in changes {
        assert!(
            matches!(&error, Err(TopicError::Unanswered { reason }) if reason.contains("127.0.0.1:9")),
            "it says who does not answer: {error:?}"
        );
    }
    // Without a deadline one of them takes longer than that.
    assert!(began.elapsed() < PATIENCE / 3, "{:?}", began.elapsed());
}
