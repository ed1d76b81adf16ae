//! The cluster itself: its brokers, and where each partition lives.

use super::{Admin, LOOK_AGAIN, topics::number};
use crate::{Error, error::reason};
use rdkafka::metadata::{Metadata, MetadataPartition, MetadataTopic};
use std::time::Duration;
use wire::{PlacedTopic, TopicPartition};

/// How long the cluster's id is waited for beside the rest.
const HEARD: Duration = Duration::from_millis(250);

/// A cluster, as it tells of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterPicture {
    /// Its id, where it is told.
    pub id: Option<String>,
    /// The broker that was named as the controller. On KRaft clusters it is some broker (KAFKA-17404):
    /// [`Admin::broker_traits`] says whether it can be believed.
    pub named_controller: Option<i32>,
    /// The brokers that are up, sorted by id.
    pub brokers: Vec<Broker>,
    /// All topics, Kafka's own too, in the picture's order. Offsets are not asked for.
    pub topics: Vec<PlacedTopic>,
}

/// A broker that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Its id.
    pub id: i32,
    /// `host:port`, as clients are told.
    pub address: String,
}

impl Admin {
    /// The cluster as it is now: one request, whatever the number of its topics. Its id and its controller are what the client has heard.
    ///
    /// # Errors
    /// When Kafka refuses, or does not answer within `deadline`.
    pub async fn cluster(&self, deadline: Duration) -> Result<ClusterPicture, Error> {
        const ACTION: &str = "describing the cluster";
        let admin = self.clone();
        let asked = tokio::task::spawn_blocking(move || {
            admin.client.inner().fetch_metadata(None, deadline).map(|metadata| picture(&metadata))
        });
        let heard = self.ask(ACTION, HEARD.min(deadline), |requests| {
            Ok((requests.cluster_id(requests.until()), requests.named_controller(requests.until())))
        });
        let (asked, heard) = tokio::join!(tokio::time::timeout(deadline + LOOK_AGAIN, asked), heard);
        let mut picture = match asked {
            Ok(Ok(Ok(picture))) => picture,
            Ok(Ok(Err(error))) => {
                return Err(Error::Failed { action: ACTION.into(), reason: self.context.explain(&reason(&error)) });
            }
            Ok(Err(error)) => return Err(Error::Failed { action: ACTION.into(), reason: error.to_string() }),
            Err(_) => return Err(self.no_answer(ACTION.into(), deadline)),
        };
        match heard {
            Ok((id, controller)) => (picture.id, picture.named_controller) = (id, controller),
            Err(error) => tracing::debug!(%error, "the cluster is shown without its id"),
        }
        Ok(picture)
    }

    /// What a broker's settings tell of it; nothing where it does not show them in time.
    pub async fn broker_traits(&self, broker: i32, deadline: Duration) -> Option<BrokerTraits> {
        let settings = self.ask("reading a broker's settings", deadline, move |requests| {
            requests.describe_broker_config(broker, requests.until())?.answer()
        });
        let settings = match settings.await {
            Ok(settings) => settings,
            Err(error) => {
                tracing::debug!(%error, broker, "the broker's rack and the controller are not known");
                return None;
            }
        };
        let value = |name: &str| {
            let entry = settings.iter().find(|entry| entry.name == name);
            entry.and_then(|entry| entry.value.as_deref()).unwrap_or_default()
        };
        Some(BrokerTraits {
            rack: Some(value("broker.rack").to_owned()).filter(|rack| !rack.is_empty()),
            // While a cluster migrates to KRaft, its controller is one of those already.
            knows_the_controller: !value("zookeeper.connect").is_empty()
                && value("process.roles").is_empty()
                && value("zookeeper.metadata.migration.enable") != "true",
        })
    }
}

/// What a broker's settings tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrokerTraits {
    /// Its `broker.rack`, where it has one.
    pub rack: Option<String>,
    /// Whether it names the true controller: where it is ZooKeeper that elects it.
    pub knows_the_controller: bool,
}

fn picture(metadata: &Metadata) -> ClusterPicture {
    let brokers = metadata.brokers().iter();
    let broker = |broker: &rdkafka::metadata::MetadataBroker| Broker {
        id: broker.id(),
        address: format!("{}:{}", broker.host(), broker.port()),
    };
    let mut brokers: Vec<_> = brokers.map(broker).collect();
    brokers.sort_by_key(|broker| broker.id);
    let topics = metadata.topics().iter().filter(|topic| topic.error().is_none());
    let mut topics: Vec<_> = topics.map(placed).collect();
    topics.sort_by(PlacedTopic::cmp_in_picture);
    ClusterPicture { brokers, topics, ..ClusterPicture::default() }
}

fn placed(topic: &MetadataTopic) -> PlacedTopic {
    let partition = |partition: &MetadataPartition| TopicPartition {
        partition: partition.id(),
        leader: (partition.leader() >= 0).then(|| partition.leader()),
        replicas: partition.replicas().to_vec(),
        in_sync: partition.isr().to_vec(),
        first: None,
        end: None,
        unknown: None,
    };
    let mut partitions: Vec<_> = topic.partitions().iter().map(partition).collect();
    partitions.sort_by_key(|partition| partition.partition);
    PlacedTopic { topic: topic.name().to_owned(), of: number(partitions.len()), partitions }
}
