//! What an administrator's client is made of, and the topics that Ottla itself needs. The cluster's topics as people see and change
//! them are in `admin/topics.rs`, the cluster itself in `admin/cluster.rs`, its consumer groups in `admin/groups.rs`, offsets in `admin/offsets.rs`; how librdkafka is asked
//! what rdkafka's safe client lacks, in `admin/requests.rs`.

mod cluster;
mod groups;
mod offsets;
mod requests;
mod topics;

use crate::{ClientSettings, Error, Partition, context::Context, error::reason, group::partition_count};
pub use cluster::{Broker, BrokerTraits, ClusterPicture};
pub use groups::Readers;
pub use offsets::Watermarks;
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
};
use requests::{Failure, Requester, Requests};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
pub use topics::TopicList;
use wire::{GroupError, TopicError, TopicRow, TopicSummary};

/// How often a topic that was just created is looked for in the metadata.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long one look may take.
const LOOK: Duration = Duration::from_secs(1);

/// A topic to be created where it is missing.
#[derive(Debug, Clone, Copy)]
pub struct TopicSpec<'a> {
    /// Its name.
    pub name: &'a str,
    /// The number of partitions.
    pub partitions: i32,
    /// The number of replicas; -1 is the cluster's default (KIP-464).
    pub replication: i32,
    /// Its settings, besides the cluster's.
    pub settings: &'a [(&'a str, &'a str)],
}

/// Asks and changes the cluster. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    client: Arc<AdminClient<Context>>,
    requester: Arc<Requester>,
    context: Context,
}

impl Admin {
    /// Makes the client. Needs no broker.
    ///
    /// # Errors
    /// When a property cannot be set.
    pub fn new(client: &ClientSettings) -> Result<Self, Error> {
        let config = client.admin()?;
        let context = Context::of(&config);
        let requester = Requester::new(client.requester()?, context.clone());
        let client = config.create_with_context(context.clone()).map_err(Error::client)?;
        Ok(Self { client: Arc::new(client), requester: Arc::new(requester), context })
    }

    /// What was wrong with the connection to Kafka lately, if something was.
    pub fn trouble(&self) -> Option<String> {
        self.context.trouble()
    }

    /// The topics, sorted by name, without Kafka's internal ones.
    ///
    /// # Errors
    /// When Kafka refuses, or does not answer within `deadline`.
    pub async fn topics(&self, deadline: Duration) -> Result<Vec<TopicSummary>, Error> {
        let list = self.topic_list(deadline).await?;
        let topics = list.topics.into_iter().filter(|topic| !topic.is_internal());
        let summary = |TopicRow { name, partitions, replication, .. }| TopicSummary { name, partitions, replication };
        Ok(topics.map(summary).collect())
    }

    /// Creates those of `topics` that do not exist, and waits until the metadata name them. One that exists is left as it
    /// is.
    ///
    /// # Errors
    /// [`Error::Refused`] for the first that Kafka refuses, in its words; or no answer within `deadline`.
    pub async fn ensure_topics(&self, topics: &[TopicSpec<'_>], deadline: Duration) -> Result<(), Error> {
        if topics.is_empty() {
            return Ok(());
        }
        let until = Instant::now() + deadline;
        // Asked first: creating what exists is an error in the broker's log.
        let known = self.topics(deadline).await?;
        let wanted: Vec<_> = topics
            .iter()
            .filter(|spec| !known.iter().any(|topic| topic.name == spec.name))
            .map(|spec| {
                let topic = NewTopic::new(spec.name, spec.partitions, TopicReplication::Fixed(spec.replication));
                spec.settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
            })
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let options = AdminOptions::new().request_timeout(Some(deadline)).operation_timeout(Some(deadline));
        let failed =
            |reason: String| Error::Failed { action: "creating topics".into(), reason: self.context.explain(&reason) };
        let asked = tokio::time::timeout(deadline, self.client.create_topics(&wanted, &options)).await;
        let answers = asked
            .map_err(|_| failed(format!("no answer within {} ms", deadline.as_millis())))?
            .map_err(|error| failed(reason(&error)))?;
        for answer in answers {
            match answer {
                Ok(name) => tracing::info!(topic = name, "topic created"),
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, error)) => {
                    let (action, reason) = (format!("creating the topic {name}"), error.to_string());
                    return Err(match error {
                        // The cluster is busy with itself: it may go better later.
                        RDKafkaErrorCode::RequestTimedOut | RDKafkaErrorCode::NotController => {
                            Error::Failed { action, reason }
                        }
                        _ => Error::Refused { action, reason },
                    });
                }
            }
        }
        for TopicSpec { name, .. } in topics {
            self.wait_for(name, until, deadline).await?;
        }
        Ok(())
    }

    /// How many partitions a topic has, none where it does not exist. Blocks.
    pub(crate) fn partition_count(&self, topic: &str, deadline: Duration) -> KafkaResult<Option<u32>> {
        let metadata = self.client.inner().fetch_metadata(Some(topic), deadline)?;
        partition_count(&metadata, topic)
    }

    /// The log's first offset and its end. Blocks; but not behind a consumer's fetch, which a broker answers before it answers
    /// anything else on the same connection.
    pub(crate) fn watermarks_of(&self, partition: &Partition, deadline: Duration) -> KafkaResult<(i64, i64)> {
        let client = self.client.inner();
        let look = || client.fetch_watermarks(&partition.topic, partition.partition, deadline);
        match look() {
            // What this client remembers of the topic is older than the partition.
            Err(error) if is_unknown(&error) => {
                client.fetch_metadata(Some(&partition.topic), deadline)?;
                look()
            }
            found => found,
        }
    }

    /// The ids of those of `topics` that exist and have one (KIP-516), by name, as Kafka prints them: base64url without
    /// padding. The embedded broker's topics have ids too.
    ///
    /// # Errors
    /// When Kafka refuses, or does not answer within `deadline`.
    pub async fn topic_ids(&self, topics: &[&str], deadline: Duration) -> Result<HashMap<String, String>, Error> {
        let topics: BTreeSet<_> = topics.iter().map(|&topic| topic.to_owned()).collect();
        if topics.is_empty() {
            return Ok(HashMap::new());
        }
        let names = move |requests: &Requests<'_>| ids(requests, &topics.iter().map(String::as_str).collect());
        self.ask("looking up topic ids", deadline, names).await
    }

    /// The same, for a thread that may block; nothing where they could not be had.
    pub(crate) fn topic_ids_of(&self, topics: &BTreeSet<&str>, deadline: Duration) -> HashMap<String, String> {
        let found = self.requester.call(Instant::now() + deadline, |requests| ids(requests, topics));
        found.unwrap_or_default()
    }

    /// Makes one call of several requests, on a thread that may block.
    async fn ask<T: Send + 'static>(
        &self,
        action: impl Into<String>,
        deadline: Duration,
        call: impl FnMut(&Requests<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let failure = match self.call(deadline, call).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let action = action.into();
        Err(match failure {
            failure if failure.is_no_answer() => self.no_answer(action, deadline),
            failure if failure.is_refusal() => Error::Refused { action, reason: failure.reason },
            failure => Error::Failed { action, reason: self.context.explain(&failure.reason) },
        })
    }

    /// That nothing was answered, and what is known of the reason.
    fn no_answer(&self, action: String, deadline: Duration) -> Error {
        match self.context.trouble() {
            Some(reason) => Error::Failed { action, reason },
            None => Error::TimedOut { action, deadline },
        }
    }

    /// The same, with the failure as it is.
    async fn call<T: Send + 'static>(
        &self,
        deadline: Duration,
        call: impl FnMut(&Requests<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let until = Instant::now() + deadline;
        let requester = Arc::clone(&self.requester);
        let asked = tokio::task::spawn_blocking(move || requester.call(until, call));
        // The call keeps the deadline too, but a thread for it may come late.
        match tokio::time::timeout(deadline + LOOK_AGAIN, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(Failure::new(RDKafkaErrorCode::Fail, error.to_string())),
            Err(_) => Err(Failure::no_answer()),
        }
    }

    async fn wait_for(&self, topic: &str, until: Instant, deadline: Duration) -> Result<(), Error> {
        while Instant::now() < until {
            let (admin, name) = (self.clone(), topic.to_owned());
            let look = tokio::task::spawn_blocking(move || {
                let metadata = admin.client.inner().fetch_metadata(Some(&name), LOOK)?;
                partition_count(&metadata, &name)
            });
            if let Ok(Ok(Some(_))) = look.await {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Err(Error::TimedOut { action: format!("waiting for the topic {topic}"), deadline })
    }
}

/// Whether a call that looks before it changes something has come to the change. Before that, no answer means that nothing was changed.
#[derive(Clone, Default)]
struct Begun(Arc<AtomicBool>);

impl Begun {
    /// What follows changes something. Not once the time is over: whoever waited is told that nothing was changed.
    fn now(&self, requests: &Requests<'_>) -> Result<(), Failure> {
        if Instant::now() >= requests.until() {
            return Err(Failure::no_answer());
        }
        self.0.store(true, Ordering::Release);
        Ok(())
    }

    fn has(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn topic_error(&self, error: TopicError) -> TopicError {
        match error {
            TopicError::Unanswered { reason } if !self.has() => TopicError::Unread { reason },
            error => error,
        }
    }

    fn group_error(&self, error: GroupError) -> GroupError {
        match error {
            GroupError::Unanswered { reason } if !self.has() => GroupError::Unread { reason },
            error => error,
        }
    }
}

fn is_unknown(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    code.is_some_and(|code| {
        use RDKafkaErrorCode::{UnknownPartition, UnknownTopic, UnknownTopicOrPartition};
        matches!(code, UnknownPartition | UnknownTopic | UnknownTopicOrPartition)
    })
}

/// The ids of those of `topics` that exist.
fn ids(requests: &Requests<'_>, topics: &BTreeSet<&str>) -> Result<HashMap<String, String>, Failure> {
    let described = requests.describe_topics(topics, requests.until())?.answer()?;
    Ok(described.into_iter().filter_map(|topic| Some((topic.name, topic.id?))).collect())
}
