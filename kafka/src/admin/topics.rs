//! The cluster's topics, as people see and change them: the list, one topic, its settings; making, emptying, enlarging and
//! deleting it. What may be asked for is checked in `wire`; what a broker says beyond that is handed on in its own words.

use super::{
    Admin, Begun, LOOK_AGAIN,
    offsets::{Offsets, both, both_of},
    requests::{At, Failure, Requests},
};
use crate::{Error, Partition, error::reason};
use rdkafka::{error::RDKafkaErrorCode, metadata::MetadataTopic};
use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::{Duration, Instant},
};
use wire::{ConfigEntry, ConfigSource, NewTopic, PartitionFailure, Topic, TopicError, TopicField, TopicRow, TopicRule};

/// Of how many partitions records are counted with one request. librdkafka looks for the answer about each of them among all that were
/// asked for with it.
const COUNTED_AT_ONCE: usize = 250;

/// A setting of a broker that tells a topic's, and how many of the topic's units one of its own is.
type Synonym = (&'static str, i64);

/// The settings of topics that brokers have in several units (`org.apache.kafka.server.config.ServerTopicConfigSynonyms`): of those, that
/// first which comes before the others. What is told beside a topic's own setting is the first one's value, and nothing where that is not
/// set, as with all of them by default.
const SYNONYMS: [(&str, &[Synonym]); 4] = [
    ("flush.ms", &[("log.flush.interval.ms", 1), ("log.flush.scheduler.interval.ms", 1)]),
    ("retention.ms", &[("log.retention.ms", 1), ("log.retention.minutes", 60_000), ("log.retention.hours", 3_600_000)]),
    ("segment.jitter.ms", &[("log.roll.jitter.ms", 1), ("log.roll.jitter.hours", 3_600_000)]),
    ("segment.ms", &[("log.roll.ms", 1), ("log.roll.hours", 3_600_000)]),
];

/// The cluster's topics, as its metadata tell of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicList {
    /// The topics, sorted by name, Kafka's own too. Their records are not counted.
    pub topics: Vec<TopicRow>,
    /// How many brokers are up.
    pub brokers: u32,
}

impl Admin {
    /// The cluster's topics. One request, whatever their number.
    ///
    /// # Errors
    /// When Kafka refuses, or does not answer within `deadline`.
    pub async fn topic_list(&self, deadline: Duration) -> Result<TopicList, Error> {
        const ACTION: &str = "listing the topics";
        let admin = self.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let metadata = admin.client.inner().fetch_metadata(None, deadline).map_err(|error| Error::Failed {
                action: ACTION.into(),
                reason: admin.context.explain(&reason(&error)),
            })?;
            let mut topics: Vec<_> =
                metadata.topics().iter().filter(|topic| topic.error().is_none()).map(row).collect();
            topics.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(TopicList { topics, brokers: number(metadata.brokers().len()) })
        });
        match tokio::time::timeout(deadline + LOOK_AGAIN, asked).await {
            Ok(Ok(topics)) => topics,
            Ok(Err(error)) => Err(Error::Failed { action: ACTION.into(), reason: error.to_string() }),
            Err(_) => Err(Error::TimedOut { action: ACTION.into(), deadline }),
        }
    }

    /// Counts the records of these topics, the first ones first: see [`TopicRow::records`]. Those of a topic that has a partition offline
    /// are not asked for, since librdkafka would wait for its leader. What is not known in time stays as it was.
    ///
    /// # Errors
    /// When Kafka refuses, or answers nothing at all within `deadline`.
    pub async fn count_records(&self, topics: &mut [&mut TopicRow], deadline: Duration) -> Result<(), Error> {
        let asked = topics.iter().filter(|topic| topic.offline == 0).flat_map(|topic| {
            let count = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
            (0..count).map(|number| Partition::new(topic.name.as_str(), number))
        });
        let asked: Vec<_> = asked.collect();
        if asked.is_empty() {
            return Ok(());
        }
        let marks = self.ask("counting records", deadline, move |requests| marks(requests, &asked)).await?;
        for topic in topics.iter_mut().filter(|topic| topic.offline == 0) {
            let count = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
            let own = (0..count).map(|number| marks.get(&Partition::new(topic.name.as_str(), number)));
            if let Some(own) = own.collect::<Option<Vec<_>>>() {
                topic.records = Some(own.iter().map(|(first, end)| (end - first).max(0)).sum());
                topic.written = Some(own.iter().map(|(_, end)| end).sum());
            }
        }
        Ok(())
    }

    /// A topic as it is now, or none where it does not exist. Offsets that are not known in time are none; where Kafka said why, that stands
    /// beside them.
    ///
    /// # Errors
    /// When Kafka refuses, or does not answer within `deadline`.
    pub async fn topic(&self, name: &str, deadline: Duration) -> Result<Option<Topic>, Error> {
        let action = format!("describing the topic {name}");
        let name = name.to_owned();
        self.ask(action, deadline, move |requests| {
            let Some(mut topic) = look_twice(requests, &name)? else { return Ok(None) };
            let led = topic.partitions.iter().filter(|partition| partition.leader.is_some());
            let led: BTreeSet<_> = led.map(|partition| Partition::new(name.as_str(), partition.partition)).collect();
            if !led.is_empty() {
                match both(requests, &led, At::Earliest) {
                    Ok([first, end]) => {
                        for partition in &mut topic.partitions {
                            let place = Partition::new(name.as_str(), partition.partition);
                            (partition.first, partition.end, partition.unknown) =
                                bounds(first.get(&place), end.get(&place));
                        }
                    }
                    Err(failure) => {
                        tracing::debug!(topic = name, cause = failure.reason, "a topic is shown without offsets");
                        for partition in &mut topic.partitions {
                            partition.unknown = partition.leader.and_then(|_| said(&failure));
                        }
                    }
                }
            }
            Ok(Some(topic))
        })
        .await
    }

    /// A topic's settings, sorted by name; none where it does not exist. The embedded broker tells none. Defaults that only a broker's own
    /// settings tell are left out where they are not told in time.
    ///
    /// # Errors
    /// When Kafka refuses, or does not answer within `deadline`.
    pub async fn topic_config(&self, name: &str, deadline: Duration) -> Result<Option<Vec<ConfigEntry>>, Error> {
        let action = format!("reading the settings of {name}");
        let name = name.to_owned();
        self.ask(action, deadline, move |requests| match requests.describe_config(&name, requests.until())?.answer() {
            Ok(mut entries) => {
                entries.sort_by(|a, b| a.name.cmp(&b.name));
                fill_in_defaults(requests, &mut entries);
                Ok(Some(entries))
            }
            Err(failure) if failure.is_unknown_partition() => Ok(None),
            Err(failure) => Err(failure),
        })
        .await
    }

    /// Makes a topic: Kafka checks it first without making it. Returns when a broker that is asked knows it.
    ///
    /// # Errors
    /// What Kafka says of the field that it does not take, or of all of it; or no answer within `deadline`: where already the check has
    /// none, [`TopicError::Unread`].
    pub async fn create_topic(&self, topic: &NewTopic, deadline: Duration) -> Result<(), TopicError> {
        let (name, topic, begun) = (topic.name.clone(), topic.clone(), Begun::default());
        let begins = begun.clone();
        let made = self.call(deadline, move |requests| {
            requests.create_topic(&topic, true, requests.part(0.5))?.answer()?;
            begins.now(requests)?;
            requests.create_topic(&topic, false, requests.until())?.answer()?;
            wait_until(requests, &topic.name, |found| found.is_some());
            Ok(())
        });
        let error = |failure| self.topic_error(&name, failure, deadline, field_of_creation);
        made.await.map_err(|failure| begun.topic_error(error(failure)))
    }

    /// Deletes a topic. Returns when a broker that is asked does not know it any more.
    ///
    /// # Errors
    /// Where there is none, Kafka refuses, or does not answer within `deadline`.
    pub async fn delete_topic(&self, name: &str, deadline: Duration) -> Result<(), TopicError> {
        let topic = name.to_owned();
        let deleted = self.call(deadline, move |requests| {
            requests.delete_topic(&topic, requests.until())?.answer()?;
            wait_until(requests, &topic, |found| found.is_none());
            Ok(())
        });
        deleted.await.map_err(|failure| self.topic_error(name, failure, deadline, |_| None))
    }

    /// Deletes every record that a topic has now (DeleteRecords up to the log end offsets). Returns how many partitions were
    /// emptied.
    ///
    /// # Errors
    /// Where there is no such topic, Kafka refuses, or does not answer within `deadline` (where it does not tell the topic's partitions,
    /// [`TopicError::Unread`]); and where some partitions could not be emptied.
    pub async fn empty_topic(&self, name: &str, deadline: Duration) -> Result<u32, TopicError> {
        /// What is said of a partition that nobody can be asked about.
        const OFFLINE: &str = "offline: no broker leads it";
        let (topic, begun) = (name.to_owned(), Begun::default());
        let begins = begun.clone();
        let emptied = self.call(deadline, move |requests| {
            let found = requests.describe_topic(&topic, requests.part(0.5))?.answer()?;
            let found = found.ok_or_else(|| Failure::new(RDKafkaErrorCode::UnknownTopicOrPartition, ""))?;
            let place = |number| Partition::new(topic.as_str(), number);
            let (led, offline): (Vec<_>, Vec<_>) =
                found.partitions.iter().partition(|partition| partition.leader.is_some());
            let mut left: BTreeSet<_> = led.into_iter().map(|partition| place(partition.partition)).collect();
            let mut emptied = Vec::new();
            let [mut alone] = requests.alone(requests.until())?;
            if !left.is_empty() {
                begins.now(requests)?;
            }
            while !left.is_empty() {
                let mut answers = match alone.delete_records(&left, requests.until())?.answer() {
                    // It knows a leader of none of them yet.
                    Err(failure)
                        if failure.code == RDKafkaErrorCode::NoEnt
                            && Instant::now() + LOOK_AGAIN < requests.until() =>
                    {
                        thread::sleep(LOOK_AGAIN);
                        continue;
                    }
                    answer => answer?,
                };
                // A leader that was only just elected does not know it yet, or its predecessor was asked; or the client itself has not
                // heard of a partition yet that was only just added.
                if Instant::now() + LOOK_AGAIN < requests.until() {
                    let is_too_early = |failure: &Failure| {
                        failure.is_no_leader() || failure.code == RDKafkaErrorCode::UnknownPartition
                    };
                    answers.retain(|(_, answer)| !answer.as_ref().is_err_and(is_too_early));
                }
                for (partition, _) in &answers {
                    left.remove(partition);
                }
                emptied.append(&mut answers);
                if !left.is_empty() {
                    thread::sleep(LOOK_AGAIN);
                }
            }
            let failure = || Failure::new(RDKafkaErrorCode::LeaderNotAvailable, OFFLINE);
            emptied.extend(offline.into_iter().map(|partition| (place(partition.partition), Err(failure()))));
            emptied.sort_by(|(a, _), (b, _)| a.cmp(b));
            Ok(emptied)
        });
        let error = |failure| begun.topic_error(self.topic_error(name, failure, deadline, |_| None));
        let emptied = emptied.await.map_err(error)?;
        let done = emptied.iter().filter(|(_, result)| result.is_ok()).count();
        let failed: Vec<_> =
            emptied.into_iter().filter_map(|(partition, result)| Some((partition, result.err()?))).collect();
        match (failed.first(), done) {
            (None, _) => Ok(number(done)),
            (Some(_), 0) if failed.iter().all(|(_, failure)| failure.code == RDKafkaErrorCode::PolicyViolation) => {
                Err(TopicError::Compacted)
            }
            // One word for all of them.
            (Some((_, first)), 0) if failed.iter().all(|(_, failure)| failure.reason == first.reason) => {
                Err(self.topic_error(name, first.clone(), deadline, |_| None))
            }
            _ => {
                let failed = failed.into_iter().map(|(partition, failure)| PartitionFailure {
                    partition: partition.partition,
                    reason: failure.reason,
                });
                Err(TopicError::Partly { done: number(done), failed: failed.collect() })
            }
        }
    }

    /// Has a topic have so many partitions. Returns when a broker that is asked knows them.
    ///
    /// # Errors
    /// Where there is no such topic, Kafka refuses, or does not answer within `deadline`.
    pub async fn add_partitions(&self, name: &str, total: u32, deadline: Duration) -> Result<(), TopicError> {
        let topic = name.to_owned();
        let added = self.call(deadline, move |requests| {
            requests.create_partitions(&topic, total, requests.until())?.answer()?;
            wait_until(requests, &topic, |found| found.is_none_or(|found| found.partitions.len() >= total as usize));
            Ok(())
        });
        let field = |code| (code == RDKafkaErrorCode::InvalidPartitions).then_some(TopicField::Partitions);
        added.await.map_err(|failure| self.topic_error(name, failure, deadline, field))
    }

    /// Changes the settings of a topic that are named, and no other (IncrementalAlterConfigs): to a value, or with none to the
    /// default. All of them or none.
    ///
    /// # Errors
    /// What Kafka says of the setting that it does not take, or of all of them; or no answer within `deadline`.
    pub async fn alter_topic_config(
        &self,
        name: &str,
        changes: &[(String, Option<String>)],
        deadline: Duration,
    ) -> Result<(), TopicError> {
        let field = match changes {
            [_] => TopicField::ConfigValue(0),
            _ => TopicField::Config,
        };
        let (topic, changes) = (name.to_owned(), changes.to_vec());
        let altered =
            self.call(deadline, move |requests| requests.alter_config(&topic, &changes, requests.until())?.answer());
        let field = |code| {
            use RDKafkaErrorCode::{InvalidConfig, InvalidRequest};
            matches!(code, InvalidConfig | InvalidRequest).then_some(field)
        };
        altered.await.map_err(|failure| self.topic_error(name, failure, deadline, field))
    }

    /// What a failure means for who asked. `field` says which field a broker's refusal is about, where it is about one.
    fn topic_error(
        &self,
        topic: &str,
        failure: Failure,
        deadline: Duration,
        field: impl FnOnce(RDKafkaErrorCode) -> Option<TopicField>,
    ) -> TopicError {
        let Failure { code, ref reason } = failure;
        if failure.is_no_answer() {
            let no_answer = || format!("no answer within {} ms", deadline.as_millis());
            return TopicError::Unanswered { reason: self.context.trouble().unwrap_or_else(no_answer) };
        }
        if failure.is_unknown_partition() {
            return TopicError::Unknown { topic: topic.into() };
        }
        if !failure.is_refusal() {
            return TopicError::Unanswered { reason: self.context.explain(reason) };
        }
        match field(code) {
            Some(field) => TopicError::field(field, TopicRule::Refused { reason: reason.clone() }),
            None => TopicError::Refused { reason: reason.clone() },
        }
    }
}

/// The field of a new topic that a broker's refusal is about.
fn field_of_creation(code: RDKafkaErrorCode) -> Option<TopicField> {
    use RDKafkaErrorCode::{
        InvalidConfig, InvalidPartitions, InvalidReplicationFactor, InvalidTopic, TopicAlreadyExists,
    };
    match code {
        TopicAlreadyExists | InvalidTopic => Some(TopicField::Name),
        InvalidPartitions => Some(TopicField::Partitions),
        InvalidReplicationFactor => Some(TopicField::Replication),
        InvalidConfig => Some(TopicField::Config),
        _ => None,
    }
}

fn row(topic: &MetadataTopic) -> TopicRow {
    let partitions = topic.partitions();
    let count = |is: fn(&rdkafka::metadata::MetadataPartition) -> bool| {
        number(partitions.iter().filter(|partition| is(partition)).count())
    };
    TopicRow {
        name: topic.name().to_owned(),
        partitions: number(partitions.len()),
        replication: partitions.first().map_or(0, |partition| number(partition.replicas().len())),
        under_replicated: count(|partition| partition.isr().len() < partition.replicas().len()),
        offline: count(|partition| partition.leader() < 0),
        records: None,
        written: None,
        rate: None,
    }
}

pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A topic that was made a moment ago may not be known to every broker yet: it is looked for once more.
fn look_twice(requests: &Requests<'_>, name: &str) -> Result<Option<Topic>, Failure> {
    let look = || requests.describe_topic(name, requests.part(0.6))?.answer();
    match look()? {
        None => {
            thread::sleep(LOOK_AGAIN.min(requests.until().saturating_duration_since(Instant::now())));
            look()
        }
        found => Ok(found),
    }
}

/// Waits until a topic is as it should be; but what was done is done, whether that is seen in time or not.
fn wait_until(requests: &Requests<'_>, name: &str, is: impl Fn(Option<&Topic>) -> bool) {
    while Instant::now() + LOOK_AGAIN < requests.until() {
        let found = requests.describe_topic(name, requests.until()).and_then(|request| request.answer());
        if found.is_ok_and(|found| is(found.as_ref())) {
            return;
        }
        thread::sleep(LOOK_AGAIN);
    }
}

type Told<'a> = Option<&'a Result<Option<i64>, Failure>>;

/// Where a partition begins and ends, and what Kafka said instead.
fn bounds(first: Told<'_>, end: Told<'_>) -> (Option<i64>, Option<i64>, Option<String>) {
    let offset = |told: Told<'_>| told.and_then(|told| told.as_ref().ok().copied().flatten());
    let why = [first, end].into_iter().flatten().find_map(|told| told.as_ref().err().and_then(said));
    (offset(first), offset(end), why)
}

/// What was said, if it was more than that nothing came in time.
fn said(failure: &Failure) -> Option<String> {
    let is_silence = matches!(failure.code, RDKafkaErrorCode::OperationTimedOut | RDKafkaErrorCode::RequestTimedOut);
    (!is_silence && !failure.reason.is_empty()).then(|| failure.reason.clone())
}

/// Where the logs of these partitions begin and end, as far as that is known in time; those first that stand first.
fn marks(requests: &Requests<'_>, of: &[Partition]) -> Result<BTreeMap<Partition, (i64, i64)>, Failure> {
    let mut clients = requests.alone(requests.until())?;
    let (mut marks, mut failed) = (BTreeMap::new(), None);
    for some in of.chunks(COUNTED_AT_ONCE) {
        // Each of them would be waited for a little, and those who wait would have none.
        if Instant::now() >= requests.until() {
            failed = failed.or_else(|| Some(Failure::no_answer()));
            break;
        }
        let some: BTreeSet<_> = some.iter().cloned().collect();
        match both_of(&mut clients, &some, At::Earliest, requests.until()) {
            Ok([first, end]) => marks.extend(some.into_iter().filter_map(|partition| {
                let both = (known(&first, &partition)?, known(&end, &partition)?);
                Some((partition, both))
            })),
            Err(failure) => failed = Some(failure),
        }
    }
    match failed {
        Some(failure) if marks.is_empty() => Err(failure),
        _ => Ok(marks),
    }
}

/// Looks for the defaults that settings of the topic's own hide and Kafka does not tell beside them; see [`SYNONYMS`].
fn fill_in_defaults(requests: &Requests<'_>, entries: &mut [ConfigEntry]) {
    let mut untold: Vec<_> = entries.iter_mut().filter_map(|entry| Some((synonyms(entry)?, entry))).collect();
    if untold.is_empty() {
        return;
    }
    // Some broker that is up: on KRaft clusters that is named as the controller, and defaults are alike everywhere.
    let Some(broker) = requests.named_controller(requests.part(0.5)) else { return };
    let told = requests.describe_broker_config(broker, requests.part(0.5)).and_then(|request| request.answer());
    match told {
        Ok(settings) => {
            for (synonyms, entry) in &mut untold {
                entry.default = default_of(synonyms, &settings);
            }
        }
        Err(failure) => tracing::debug!(broker, cause = failure.reason, "some defaults are not known"),
    }
}

/// What a broker calls a setting whose default is not told.
fn synonyms(entry: &ConfigEntry) -> Option<&'static [Synonym]> {
    let is_untold = entry.source == ConfigSource::Topic && entry.default.is_none();
    let (_, synonyms) = SYNONYMS.iter().find(|(name, _)| is_untold && *name == entry.name)?;
    Some(synonyms)
}

fn default_of(synonyms: &[Synonym], settings: &[ConfigEntry]) -> Option<String> {
    synonyms.iter().find_map(|(name, unit)| {
        let value = settings.iter().find(|entry| entry.name == *name)?.value.as_deref()?;
        let number: i64 = value.parse().ok()?;
        // Below 0 it is no time.
        Some(if number < 0 { number } else { number.saturating_mul(*unit) }.to_string())
    })
}

fn known(offsets: &Offsets, partition: &Partition) -> Option<i64> {
    offsets.get(partition)?.as_ref().ok().copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientSettings, Properties};
    use rstest::rstest;

    #[test]
    fn a_default_is_told_in_the_topics_unit() {
        let entry = |name: &str, value: Option<&str>, source| ConfigEntry {
            name: name.into(),
            value: value.map(Into::into),
            source,
            default: None,
            read_only: false,
            sensitive: false,
        };
        let own = entry("retention.ms", Some("1000"), ConfigSource::Topic);
        let known = synonyms(&own).unwrap();
        let default = |minutes, hours| {
            let broker =
                [("log.retention.ms", None), ("log.retention.minutes", minutes), ("log.retention.hours", hours)];
            let broker = broker.map(|(name, value)| entry(name, value, ConfigSource::File));
            default_of(known, &broker)
        };
        assert_eq!(default(None, Some("168")).as_deref(), Some("604800000"));
        assert_eq!(default(Some("2"), Some("168")).as_deref(), Some("120000"));
        assert_eq!(default(Some("-1"), Some("168")).as_deref(), Some("-1"));
        assert_eq!(default(None, None), None);
        let inherited = entry("retention.ms", Some("1000"), ConfigSource::File);
        let told = ConfigEntry { default: Some("7".into()), ..own };
        let other = entry("segment.bytes", Some("1000"), ConfigSource::Topic);
        assert!([inherited, told, other].iter().all(|entry| synonyms(entry).is_none()));
    }

    #[rstest]
    #[case(RDKafkaErrorCode::InvalidConfig, "no", TopicError::field(TopicField::Config, TopicRule::Refused { reason: "no".into() }))]
    #[case(RDKafkaErrorCode::PolicyViolation, "not here", TopicError::Refused { reason: "not here".into() })]
    #[case(RDKafkaErrorCode::UnknownTopicOrPartition, "", TopicError::Unknown { topic: "t".into() })]
    #[case(RDKafkaErrorCode::OperationTimedOut, "", TopicError::Unanswered { reason: "no answer within 300 ms".into() })]
    #[case(RDKafkaErrorCode::NotController, "busy", TopicError::Unanswered { reason: "busy (asked 127.0.0.1:9)".into() })]
    fn a_refusal_is_told_at_its_field_and_in_its_words(
        #[case] code: RDKafkaErrorCode,
        #[case] reason: &str,
        #[case] expected: TopicError,
    ) {
        let settings =
            ClientSettings { brokers: "127.0.0.1:9".into(), instance: "test".into(), properties: Properties::new() };
        let admin = Admin::new(&settings).unwrap();
        let failure = Failure::new(code, reason);
        assert_eq!(admin.topic_error("t", failure, Duration::from_millis(300), field_of_creation), expected);
    }

    #[test]
    fn why_a_partition_s_offsets_are_unknown_is_told_in_kafka_s_words() {
        let refused = Err(Failure::new(RDKafkaErrorCode::TopicAuthorizationFailed, "Topic authorization failed"));
        assert_eq!(bounds(Some(&Ok(Some(3))), Some(&Ok(Some(7)))), (Some(3), Some(7), None));
        let why = Some("Topic authorization failed".to_owned());
        assert_eq!(bounds(Some(&refused), Some(&Ok(Some(7)))), (None, Some(7), why.clone()));
        assert_eq!(bounds(Some(&Ok(Some(3))), Some(&refused)), (Some(3), None, why));
        // Silence is told as such, in other words.
        assert_eq!(bounds(Some(&Err(Failure::no_answer())), None), (None, None, None));
    }
}
