//! Reads without a group: one record at a place, the newest of some topics, and what stands in a range of offsets. It joins no group
//! and commits nothing. Looking through a topic page by page is in `reader/browse.rs`.

mod browse;

pub use browse::{Browse, Came, Stretch, Wants};

use crate::{
    ClientSettings, Error, GroupSettings,
    context::Context,
    error::{is_refusal, reason},
    group::partition_count,
    message::{Extent, lend},
};
use parking_lot::Mutex;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, VecDeque},
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use wire::{Flags, GapPart, Place, ReadError, Record, RecordView, Sieved};

/// How many reads go on at a time: each has a consumer of its own.
const READS_AT_ONCE: usize = 4;
/// How much of a gap is read at a time, in bytes of keys, values and headers, and in records that are wanted.
const PART_BYTES: usize = 2 * 1024 * 1024;
const PART_RECORDS: usize = 1_000;
/// The longest single wait for a message, so that the deadline is kept.
const POLL: Duration = Duration::from_millis(100);

/// Reads records straight from the log. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    inner: Arc<Inner>,
}

struct Inner {
    config: ClientConfig,
    context: Context,
    /// Consumers that wait for the next read: connecting takes longer than reading.
    idle: Mutex<Vec<BaseConsumer<Context>>>,
    /// How many of them wait at most.
    most_idle: usize,
    reads: Arc<Semaphore>,
}

impl Reader {
    /// Makes a reader. Needs no broker.
    ///
    /// # Errors
    /// When a property cannot be set.
    pub fn new(client: &ClientSettings) -> Result<Self, Error> {
        Self::with(client.reader()?, 1)
    }

    fn with(config: ClientConfig, most_idle: usize) -> Result<Self, Error> {
        config.create_native_config().map_err(Error::client)?;
        let reads = Arc::new(Semaphore::new(READS_AT_ONCE));
        let context = Context::of(&config);
        let inner = Inner { config, context, idle: Mutex::default(), most_idle, reads };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Makes a reader that is given what a group is given: with the same `isolation.level`. Needs no broker.
    ///
    /// # Errors
    /// When a property cannot be set.
    pub fn like(client: &ClientSettings, group: &GroupSettings) -> Result<Self, Error> {
        Self::with(client.reader_like(group)?, 1)
    }

    /// The record at `place`, whole.
    ///
    /// # Errors
    /// Why there is none: see [`ReadError`]; [`ReadError::Kafka`] after `deadline`.
    pub async fn record(&self, place: &Place, deadline: Duration) -> Result<Record, ReadError> {
        let place = place.clone();
        self.read(deadline, move |read| read.record(&place)).await
    }

    /// The newest `n` records of `topics`, the oldest of them first, cut to what fits a message to a tab. Fewer where the
    /// log has fewer, or where compaction and transaction markers left holes at its end. Topics that do not exist are
    /// passed over.
    ///
    /// # Errors
    /// [`ReadError::Kafka`] after `deadline`.
    pub async fn newest(&self, topics: &[String], n: usize, deadline: Duration) -> Result<Vec<Record>, ReadError> {
        let topics: BTreeSet<_> = topics.iter().cloned().collect();
        self.read(deadline, move |read| read.newest(&topics, n)).await
    }

    /// The last of the records at these `offsets`, as a tab is sent them: those of them that `wants` says yes to (it says nothing where
    /// it fails) and that stand at the last `most` offsets, or fewer
    /// where they are more than [`PART_RECORDS`] or [`PART_BYTES`].
    ///
    /// # Errors
    /// See [`ReadError`]; [`ReadError::Kafka`] after `deadline`.
    pub async fn gap_part(
        &self,
        topic: &str,
        partition: i32,
        offsets: Range<i64>,
        most: u32,
        wants: impl Fn(&RecordView<'_>) -> Option<bool> + Send + 'static,
        deadline: Duration,
    ) -> Result<GapPart, ReadError> {
        let place = Place { topic: topic.into(), partition, offset: offsets.start };
        self.read(deadline, move |read| read.gap_part(&place, offsets.end, most, &wants)).await
    }

    /// Which records stand at these `offsets`, and up to before which of them that could be seen within `deadline`.
    ///
    /// # Errors
    /// [`ReadError::Deleted`] where the log does not begin before them any more, [`ReadError::Kafka`] where nothing could be seen
    /// before the deadline.
    pub async fn records_in(
        &self,
        topic: &str,
        partition: i32,
        offsets: Range<i64>,
        deadline: Duration,
    ) -> Result<(i64, Option<Found>), ReadError> {
        let place = Place { topic: topic.into(), partition, offset: offsets.start };
        self.read(deadline, move |read| read.records_in(&place, offsets.end)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        deadline: Duration,
        read: impl FnOnce(&Read<'_>) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let until = Instant::now() + deadline;
        let inner = Arc::clone(&self.inner);
        let too_late = || ReadError::Kafka { reason: self.inner.context.explain(&no_answer(deadline)) };
        let work = async {
            let _turn = self.inner.reads.acquire().await.expect("the semaphore is never closed");
            let work = tokio::task::spawn_blocking(move || {
                let consumer = inner.take()?;
                let result = read(&Read { consumer: &consumer, context: &inner.context, until, deadline });
                inner.put_back_after(&result, consumer);
                result
            });
            work.await.unwrap_or_else(|error| Err(ReadError::Kafka { reason: error.to_string() }))
        };
        // The blocking work keeps the deadline too, but a thread for it may come late.
        tokio::time::timeout(deadline + POLL, work).await.unwrap_or_else(|_| Err(too_late()))
    }
}

/// What a poll says that waiting does not change, in the broker's words: it hands out nothing of the topic to this user, or the client has
/// given up. The first is no fatal error to librdkafka, which asks again and again; everything else may pass before the deadline.
fn refusal(error: &KafkaError) -> Option<ReadError> {
    use RDKafkaErrorCode::{ClusterAuthorizationFailed, TopicAuthorizationFailed};
    match error {
        KafkaError::MessageConsumptionFatal(code)
        | KafkaError::MessageConsumption(code @ (TopicAuthorizationFailed | ClusterAuthorizationFailed)) => {
            Some(ReadError::Refused(code.to_string()))
        }
        _ => None,
    }
}

fn no_answer(deadline: Duration) -> String {
    format!("no answer within {} ms", deadline.as_millis())
}

impl Inner {
    fn take(&self) -> Result<BaseConsumer<Context>, ReadError> {
        match self.idle.lock().pop() {
            Some(consumer) => Ok(consumer),
            None => self
                .config
                .create_with_context(self.context.clone())
                .map_err(|error| ReadError::Refused(Error::client(error).to_string())),
        }
    }

    /// A consumer that was refused waits a second before it asks again (librdkafka's back-off), so the next read has another one.
    fn put_back_after<T>(&self, result: &Result<T, ReadError>, consumer: BaseConsumer<Context>) {
        if !matches!(result, Err(ReadError::Refused(_))) {
            self.put_back(consumer);
        }
    }

    fn put_back(&self, consumer: BaseConsumer<Context>) {
        if consumer.unassign().is_ok() {
            let mut idle = self.idle.lock();
            if idle.len() < self.most_idle {
                idle.push(consumer);
            } else {
                // Closing a consumer blocks.
                drop(idle);
                drop(consumer);
            }
        }
    }
}

/// The records that stand in a range of offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The first one's offset.
    pub first: i64,
    /// The last one's.
    pub last: i64,
    /// How many there are.
    pub records: u64,
}

/// One read.
struct Read<'a> {
    consumer: &'a BaseConsumer<Context>,
    context: &'a Context,
    until: Instant,
    deadline: Duration,
}

/// What a poll gave.
enum Polled<T> {
    Record(T),
    /// The partition's end is reached.
    End(i32),
    /// A position does not exist any more.
    Moved,
}

impl Read<'_> {
    fn expect_partition(&self, place: &Place) -> Result<(), ReadError> {
        let of = self.partition_count(&place.topic)?;
        if u32::try_from(place.partition).is_ok_and(|number| number < of) {
            return Ok(());
        }
        Err(ReadError::UnknownPartition { topic: place.topic.clone(), of })
    }

    fn record(&self, place: &Place) -> Result<Record, ReadError> {
        self.expect_partition(place)?;
        loop {
            let (first, end) = self.watermarks(&place.topic, place.partition)?;
            if place.offset < first {
                return Err(ReadError::Deleted { place: place.clone(), first });
            }
            if place.offset >= end {
                return Err(ReadError::NotYet { place: place.clone(), end });
            }
            self.assign(&place.topic, [(place.partition, place.offset)])?;
            let polled = self.poll_of(place, |message| {
                (message.offset() == place.offset)
                    .then(|| lend(message, crate::now(), Flags::LOADED, Extent::Whole, |record| record.to_owned()))
            })?;
            match polled {
                Polled::Record(Some(record)) => return Ok(record),
                Polled::Record(None) | Polled::End(_) => return Err(ReadError::Hole { place: place.clone() }),
                // Deleted between the look at the log's ends and the read: look again.
                Polled::Moved => {}
            }
        }
    }

    fn gap_part(
        &self,
        place: &Place,
        end: i64,
        most: u32,
        wants: &dyn Fn(&RecordView<'_>) -> Option<bool>,
    ) -> Result<GapPart, ReadError> {
        self.expect_partition(place)?;
        let (log_start, log_end) = self.watermarks(&place.topic, place.partition)?;
        let end = end.min(log_end);
        let mut from = place.offset.max(end.saturating_sub(i64::from(most))).min(end);
        let begin = from.max(log_start);
        // Each record with what was looked at up to it.
        let (mut records, mut bytes) = (VecDeque::<(Record, Sieved)>::new(), 0);
        let (mut sieved, mut let_go) = (Sieved::default(), Sieved::default());
        if begin < end {
            self.assign(&place.topic, [(place.partition, begin)])?;
        }
        let mut next = begin;
        while next < end {
            let polled = self.poll_of(place, |message| {
                let is_wanted =
                    |record: &RecordView<'_>| wants(record).map(|is_wanted| is_wanted.then(|| record.to_owned()));
                (message.offset(), lend(message, crate::now(), Flags::LOADED, Extent::Heads, is_wanted))
            })?;
            match polled {
                Polled::Record((offset, judged)) if offset < end => {
                    next = offset + 1;
                    sieved.looked += 1;
                    sieved.failed += u64::from(judged.is_none());
                    if let Some(record) = judged.flatten() {
                        sieved.matched += 1;
                        bytes += record.bytes();
                        records.push_back((record, sieved));
                    }
                    while (bytes > PART_BYTES || records.len() > PART_RECORDS)
                        && records.len() > 1
                        && let Some((first, up_to_it)) = records.pop_front()
                    {
                        bytes -= first.bytes();
                        from = first.offset + 1;
                        let_go = up_to_it;
                    }
                }
                Polled::Record(_) | Polled::End(_) => break,
                // Deleted between the look at the log's ends and the read: look again.
                Polled::Moved => return self.gap_part(place, end, most, wants),
            }
        }
        let records = records.into_iter().map(|(record, _)| record).collect();
        Ok(GapPart { from, sieved: sieved.since(&let_go), records, log_start })
    }

    fn records_in(&self, place: &Place, end: i64) -> Result<(i64, Option<Found>), ReadError> {
        let (mut to, mut found) = (place.offset, None::<Found>);
        self.assign(&place.topic, [(place.partition, place.offset)])?;
        while to < end {
            match self.poll_of(place, |message| message.offset()) {
                Ok(Polled::Record(offset)) if offset < end => {
                    let found = found.get_or_insert(Found { first: offset, last: offset, records: 0 });
                    (found.last, found.records) = (offset, found.records + 1);
                    to = offset + 1;
                }
                Ok(Polled::Record(_) | Polled::End(_)) => to = end,
                Ok(Polled::Moved) => {
                    let first = self.watermarks(&place.topic, place.partition)?.0;
                    return Err(ReadError::Deleted { place: place.clone(), first });
                }
                // What was seen before the deadline is something.
                Err(_) if to > place.offset => break,
                Err(error) => return Err(error),
            }
        }
        Ok((to, found))
    }

    fn newest(&self, topics: &BTreeSet<String>, n: usize) -> Result<Vec<Record>, ReadError> {
        let mut newest = Vec::new();
        for topic in topics {
            match self.newest_of(topic, n) {
                Ok(records) => newest.extend(records),
                Err(ReadError::UnknownTopic { .. }) => {}
                Err(error) => return Err(error),
            }
            newest.sort_by_cached_key(|record: &Record| {
                Reverse((record.timestamp.millis(), record.topic.clone(), record.partition, record.offset))
            });
            newest.truncate(n);
        }
        newest.reverse();
        Ok(newest)
    }

    /// The newest `n` of each partition. One topic at a time, since librdkafka tells of an end by the partition's number.
    fn newest_of(&self, topic: &str, n: usize) -> Result<Vec<Record>, ReadError> {
        let mut ends = HashMap::new();
        let mut positions = Vec::new();
        for partition in 0..i32::try_from(self.partition_count(topic)?).unwrap_or(i32::MAX) {
            let (first, end) = self.watermarks(topic, partition)?;
            if first < end && n > 0 {
                ends.insert(partition, end);
                positions.push((partition, first.max(end.saturating_sub(i64::try_from(n).unwrap_or(i64::MAX)))));
            }
        }
        self.assign(topic, positions)?;

        let mut records = Vec::new();
        while !ends.is_empty() {
            let polled = self.poll(|message| {
                (message.topic() == topic)
                    .then(|| lend(message, crate::now(), Flags::LOADED, Extent::Heads, |record| record.to_owned()))
            })?;
            match polled {
                Polled::Record(record) => {
                    let Some(&end) = ends.get(&record.partition) else { continue };
                    if record.offset + 1 >= end {
                        ends.remove(&record.partition);
                    }
                    if record.offset < end {
                        records.push(record);
                    }
                }
                Polled::End(partition) => {
                    ends.remove(&partition);
                }
                Polled::Moved => {
                    return Err(ReadError::Kafka { reason: format!("the log of {topic} was cut while it was read") });
                }
            }
        }
        Ok(records)
    }

    /// The next message of the place's partition, or its end.
    fn poll_of<T>(&self, place: &Place, take: impl Fn(&BorrowedMessage<'_>) -> T) -> Result<Polled<T>, ReadError> {
        self.poll(|message| {
            let is_of = message.topic() == place.topic && message.partition() == place.partition;
            is_of.then(|| take(message))
        })
    }

    /// The next message that `take` wants, or the end of a partition.
    fn poll<T>(&self, mut take: impl FnMut(&BorrowedMessage<'_>) -> Option<T>) -> Result<Polled<T>, ReadError> {
        loop {
            let left = self.left()?;
            match self.consumer.poll(left.min(POLL)) {
                None => {}
                Some(Ok(message)) => {
                    if let Some(taken) = take(&message) {
                        return Ok(Polled::Record(taken));
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => return Ok(Polled::End(partition)),
                Some(Err(error)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) => {
                    return Ok(Polled::Moved);
                }
                // A connection's trouble may pass before the deadline, which says what it was.
                Some(Err(error)) => {
                    if let Some(refusal) = refusal(&error) {
                        return Err(refusal);
                    }
                }
            }
        }
    }

    fn assign(&self, topic: &str, positions: impl IntoIterator<Item = (i32, i64)>) -> Result<(), ReadError> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in positions {
            list.add_partition_offset(topic, partition, Offset::Offset(offset)).map_err(|error| self.failed(&error))?;
        }
        self.consumer.assign(&list).map_err(|error| self.failed(&error))
    }

    fn partition_count(&self, topic: &str) -> Result<u32, ReadError> {
        let metadata = self.consumer.fetch_metadata(Some(topic), self.left()?).map_err(|error| self.failed(&error))?;
        match partition_count(&metadata, topic) {
            Ok(Some(count)) => Ok(count),
            Ok(None) => Err(ReadError::UnknownTopic { topic: topic.into() }),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// The first offset and the end, up to where transactions are decided.
    fn watermarks(&self, topic: &str, partition: i32) -> Result<(i64, i64), ReadError> {
        self.consumer.fetch_watermarks(topic, partition, self.left()?).map_err(|error| self.failed(&error))
    }

    fn left(&self) -> Result<Duration, ReadError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ReadError::Kafka { reason: self.context.explain(&no_answer(self.deadline)) });
        }
        // rdkafka cuts time-outs to whole milliseconds, and a time-out of 0 would not wait at all.
        Ok(left.max(Duration::from_millis(1)))
    }

    fn failed(&self, error: &KafkaError) -> ReadError {
        match error.rdkafka_error_code() {
            Some(code) if is_refusal(code) => ReadError::Refused(reason(error)),
            _ => ReadError::Kafka { reason: self.context.explain(&reason(error)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_and_what_may_pass_is_waited_for() {
        let code = RDKafkaErrorCode::TopicAuthorizationFailed;
        let refused = ReadError::Refused(code.to_string());
        assert!(code.to_string().contains("uthorization"), "in the broker's words: {code}");
        // As librdkafka tells of a Fetch without Read: not fatal.
        assert_eq!(refusal(&KafkaError::MessageConsumption(code)), Some(refused));
        assert!(refusal(&KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::Fenced)).is_some());
        for passes in [
            RDKafkaErrorCode::BrokerTransportFailure,
            RDKafkaErrorCode::AllBrokersDown,
            RDKafkaErrorCode::UnknownTopicOrPartition,
            RDKafkaErrorCode::NotLeaderForPartition,
        ] {
            assert_eq!(refusal(&KafkaError::MessageConsumption(passes)), None, "{passes}");
        }
    }
}
