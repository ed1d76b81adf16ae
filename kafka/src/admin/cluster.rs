//! The cluster itself: its brokers, and where each partition lives.

use super::{Admin, LOOK_AGAIN, topics::number};
use crate::{Error, error::reason};
use rdkafka::metadata::{Metadata, MetadataPartition, MetadataTopic};
use std::{collections::HashMap, time::Duration};
use wire::{PlacedTopic, TopicPartition};

/// How long the racks and the cluster's id are waited for beside the rest.
const DESCRIBE: Duration = Duration::from_millis(250);

/// A cluster, as it tells of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterPicture {
    /// Its id, where it is told.
    pub id: Option<String>,
    /// The broker that was named as the controller. On KRaft clusters it is some broker (KAFKA-17404):
    /// [`Admin::names_the_controller`] says whether it can be believed.
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
    /// Its `broker.rack`, where it has one and it was told in time.
    pub rack: Option<String>,
}

impl Admin {
    /// The cluster as it is now: two requests side by side, whatever the number of its topics. Of DescribeCluster, which a broker may not
    /// know, nothing more than the racks, the id and the controller is missed.
    ///
    /// # Errors
    /// When Kafka refuses, or does not answer within `deadline`.
    pub async fn cluster(&self, deadline: Duration) -> Result<ClusterPicture, Error> {
        const ACTION: &str = "describing the cluster";
        let admin = self.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let metadata = admin.client.inner().fetch_metadata(None, deadline);
            metadata.map(|metadata| picture(&metadata)).map_err(|error| Error::Failed {
                action: ACTION.into(),
                reason: admin.context.explain(&reason(&error)),
            })
        });
        let described =
            self.ask(ACTION, DESCRIBE.min(deadline), |requests| requests.describe_cluster(requests.until()).answer());
        let (asked, described) = tokio::join!(tokio::time::timeout(deadline + LOOK_AGAIN, asked), described);
        let mut picture = match asked {
            Ok(Ok(picture)) => picture?,
            Ok(Err(error)) => return Err(Error::Failed { action: ACTION.into(), reason: error.to_string() }),
            Err(_) => return Err(Error::TimedOut { action: ACTION.into(), deadline }),
        };
        match described {
            Ok(described) => {
                (picture.id, picture.named_controller) = (described.id, described.controller);
                let mut racks: HashMap<_, _> = described.racks.into_iter().collect();
                for broker in &mut picture.brokers {
                    broker.rack = racks.remove(&broker.id);
                }
            }
            Err(error) => tracing::debug!(%error, "the cluster is shown without racks"),
        }
        Ok(picture)
    }

    /// Whether a cluster names its true controller: where it is ZooKeeper that elects it. That is read in a broker's settings; one
    /// that does not show them leaves it unknown, which is no.
    pub async fn names_the_controller(&self, broker: i32, deadline: Duration) -> bool {
        let settings = self.ask("reading a broker's settings", deadline, move |requests| {
            requests.describe_broker_config(broker, requests.until())?.answer()
        });
        let settings = match settings.await {
            Ok(settings) => settings,
            Err(error) => {
                tracing::debug!(%error, "whether the controller can be known is not known");
                return false;
            }
        };
        let value = |name: &str| {
            let entry = settings.iter().find(|entry| entry.name == name);
            entry.and_then(|entry| entry.value.as_deref()).unwrap_or_default()
        };
        // While a cluster migrates to KRaft, its controller is one of those already.
        !value("zookeeper.connect").is_empty()
            && value("process.roles").is_empty()
            && value("zookeeper.metadata.migration.enable") != "true"
    }
}

fn picture(metadata: &Metadata) -> ClusterPicture {
    let brokers = metadata.brokers().iter();
    let broker = |broker: &rdkafka::metadata::MetadataBroker| Broker {
        id: broker.id(),
        address: format!("{}:{}", broker.host(), broker.port()),
        rack: None,
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
    };
    let mut partitions: Vec<_> = topic.partitions().iter().map(partition).collect();
    partitions.sort_by_key(|partition| partition.partition);
    PlacedTopic { topic: topic.name().to_owned(), of: number(partitions.len()), partitions }
}
