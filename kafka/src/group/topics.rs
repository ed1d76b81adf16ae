//! How many partitions the group's topics have. Asked on a thread of its own, for the answer may wait behind a parked
//! fetch on the same connection, and the poll must not wait for it.

use super::context::GroupContext;
use rdkafka::{
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    metadata::Metadata,
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How often the topics are looked at.
const EVERY: Duration = Duration::from_secs(10);
/// When they are looked at again after no answer.
const AGAIN: Duration = Duration::from_secs(2);
/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(2);

type Counts = Vec<(String, u32)>;

/// The questions, one at a time.
#[derive(Default)]
pub(super) struct TopicLookup {
    running: Option<(JoinHandle<()>, mpsc::Receiver<KafkaResult<Counts>>)>,
    next: Option<Instant>,
    known: HashMap<String, u32>,
}

impl TopicLookup {
    /// Have the topics looked at now.
    pub fn hurry(&mut self) {
        self.next = None;
    }

    /// Asks if it is time, and returns what is new.
    pub fn step(
        &mut self,
        consumer: &Arc<BaseConsumer<GroupContext>>,
        topics: impl FnOnce() -> BTreeSet<String>,
    ) -> Counts {
        let answer = self.running.as_ref().and_then(|(_, answer)| match answer.try_recv() {
            Ok(answer) => Some(answer),
            Err(mpsc::TryRecvError::Empty) => None,
            Err(mpsc::TryRecvError::Disconnected) => Some(Err(KafkaError::Canceled)),
        });
        let Some(answer) = answer else {
            if self.running.is_none() && self.next.is_none_or(|next| next <= Instant::now()) {
                self.next = Some(Instant::now() + EVERY);
                self.ask(consumer, topics());
            }
            return Vec::new();
        };
        self.wait();
        match answer {
            Ok(counts) => {
                let known = &mut self.known;
                counts
                    .into_iter()
                    .filter(|(topic, count)| known.insert(topic.clone(), *count) != Some(*count))
                    .collect()
            }
            Err(_) => {
                self.next = Some(Instant::now() + AGAIN);
                Vec::new()
            }
        }
    }

    /// Waits for the question that is out, at most its deadline.
    pub fn wait(&mut self) {
        if let Some((thread, _)) = self.running.take() {
            // A panic in it costs one answer.
            let _ = thread.join();
        }
    }

    fn ask(&mut self, consumer: &Arc<BaseConsumer<GroupContext>>, topics: BTreeSet<String>) {
        let consumer = Arc::clone(consumer);
        let (sender, answer) = mpsc::channel();
        let thread = thread::Builder::new().name("kafka-topics".into()).spawn(move || {
            let counts = topics.into_iter().map(|topic| {
                let metadata = consumer.fetch_metadata(Some(&topic), DEADLINE)?;
                let count = partition_count(&metadata, &topic)?;
                Ok((topic, count.unwrap_or(0)))
            });
            let counts = counts.collect();
            // Before the answer: whoever closes the consumer must be the last to have it.
            drop(consumer);
            let _ = sender.send(counts);
        });
        match thread {
            Ok(thread) => self.running = Some((thread, answer)),
            Err(error) => tracing::warn!(%error, "no thread to look up topics with"),
        }
    }
}

/// How many partitions `topic` has; none when it does not exist.
pub(crate) fn partition_count(metadata: &Metadata, topic: &str) -> KafkaResult<Option<u32>> {
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { return Ok(None) };
    match found.error().map(RDKafkaErrorCode::from) {
        None => Ok(Some(u32::try_from(found.partitions().len()).unwrap_or(u32::MAX)).filter(|count| *count > 0)),
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::InvalidTopic) => Ok(None),
        Some(error) => Err(KafkaError::MetadataFetch(error)),
    }
}
