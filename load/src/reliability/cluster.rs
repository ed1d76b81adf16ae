//! The cluster as the scenarios change it: its nodes through `scripts/kafka.sh`, its topics through an admin client.

use anyhow::{Context as _, bail, ensure};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    error::KafkaResult,
    metadata::Metadata,
    types::RDKafkaErrorCode,
};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{process::Command, time::sleep};

/// How long one question may take.
const ASK: Duration = Duration::from_secs(5);
/// How long the cluster may take until what was asked for is so.
const DONE_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether it is.
const LOOK: Duration = Duration::from_millis(200);
/// Kafka's own topic of the groups' offsets.
const OFFSETS: &str = "__consumer_offsets";

/// A running cluster.
pub(super) struct Cluster {
    pub brokers: String,
    script: PathBuf,
    admin: Arc<AdminClient<DefaultClientContext>>,
}

impl Cluster {
    pub fn new(brokers: &str, script: PathBuf) -> anyhow::Result<Self> {
        let admin = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("client.id", "ottla-load")
            .set("reconnect.backoff.max.ms", "1000")
            .create()
            .context("the admin client can't be made")?;
        Ok(Self { brokers: brokers.into(), script, admin: Arc::new(admin) })
    }

    fn node_count(&self) -> i32 {
        self.brokers.split(',').count().try_into().unwrap_or(i32::MAX)
    }

    pub fn nodes(&self) -> impl Iterator<Item = i32> + use<> {
        1..=self.node_count()
    }

    // Nodes.

    pub async fn crash(&self, node: i32) -> anyhow::Result<()> {
        self.script(&["stop-node", &node.to_string(), "KILL"]).await
    }

    pub async fn stop(&self, node: i32) -> anyhow::Result<()> {
        self.script(&["stop-node", &node.to_string()]).await
    }

    /// Starts a node that does not run, and waits until it answers.
    pub async fn start(&self, node: i32) -> anyhow::Result<()> {
        self.script(&["start-node", &node.to_string()]).await
    }

    /// Starts every node that does not run.
    pub async fn mend(&self) -> anyhow::Result<()> {
        for node in self.nodes() {
            self.start(node).await?;
        }
        self.whole().await
    }

    async fn script(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = Command::new(&self.script).args(arguments).output().await;
        let output = output.with_context(|| format!("{} can't be run", self.script.display()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} {}: {said}", self.script.display(), arguments.join(" "));
        Ok(())
    }

    /// Waits until every replica of every partition is in sync.
    pub async fn whole(&self) -> anyhow::Result<()> {
        self.until("every replica is in sync", |metadata| {
            metadata.brokers().len() == usize::try_from(self.node_count()).unwrap_or(usize::MAX)
                && metadata
                    .topics()
                    .iter()
                    .flat_map(|topic| topic.partitions())
                    .all(|partition| partition.leader() >= 0 && partition.isr().len() == partition.replicas().len())
        })
        .await
    }

    /// The node that leads a partition.
    pub async fn leader(&self, topic: &str, partition: i32) -> anyhow::Result<i32> {
        let metadata = self.metadata(Some(topic)).await?;
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
        let leader = partitions.filter(|it| it.id() == partition).map(|it| it.leader()).next();
        leader.filter(|leader| *leader >= 0).with_context(|| format!("{topic}[{partition}] has no leader"))
    }

    /// The node that coordinates a group: the leader of the offsets' partition that the group's name falls to
    /// (`Utils.abs(group.hashCode()) % partitions` in Kafka's `GroupMetadataManager`).
    pub async fn coordinator(&self, group: &str) -> anyhow::Result<i32> {
        let metadata = self.metadata(Some(OFFSETS)).await?;
        let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        ensure!(partitions > 0, "no group has committed anything yet");
        self.leader(OFFSETS, place_of(group, i32::try_from(partitions)?)).await
    }

    // Topics.

    /// Creates a topic, and waits until every node knows it. `replication` 1 takes records from its one replica.
    pub async fn create(&self, topic: &str, partitions: i32, replication: i32) -> anyhow::Result<()> {
        let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(replication));
        if replication == 1 {
            new = new.set("min.insync.replicas", "1");
        }
        each(self.admin.create_topics(&[new], &options()).await?)?;
        let wanted = usize::try_from(partitions)?;
        self.until("the topic is there", |metadata| partitions_of(metadata, topic) == wanted).await?;
        self.whole().await
    }

    pub async fn delete(&self, topic: &str) -> anyhow::Result<()> {
        each(self.admin.delete_topics(&[topic], &options()).await?)?;
        self.until("the topic is gone", |metadata| partitions_of(metadata, topic) == 0).await
    }

    pub async fn grow(&self, topic: &str, partitions: usize) -> anyhow::Result<()> {
        each(self.admin.create_partitions([&NewPartitions::new(topic, partitions)], &options()).await?)?;
        self.until("the topic has grown", |metadata| partitions_of(metadata, topic) == partitions).await
    }

    /// Deletes what lies before these offsets, as retention would.
    pub async fn delete_records(&self, topic: &str, before: &[(i32, i64)]) -> anyhow::Result<()> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in before {
            list.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
        }
        let deleted = self.admin.delete_records(&list, &options()).await?;
        for element in deleted.elements() {
            element.error()?;
        }
        Ok(())
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Metadata) -> bool) -> anyhow::Result<()> {
        let until = Instant::now() + DONE_WITHIN;
        loop {
            if self.metadata(None).await.is_ok_and(|metadata| is_so(&metadata)) {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("not within {DONE_WITHIN:?}: {what}");
            }
            sleep(LOOK).await;
        }
    }

    async fn metadata(&self, topic: Option<&str>) -> anyhow::Result<Metadata> {
        let (admin, topic) = (Arc::clone(&self.admin), topic.map(str::to_owned));
        let asked = tokio::task::spawn_blocking(move || admin.inner().fetch_metadata(topic.as_deref(), ASK));
        let metadata: KafkaResult<_> = asked.await?;
        Ok(metadata?)
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(ASK)).operation_timeout(Some(ASK))
}

fn each(answers: Vec<Result<String, (String, RDKafkaErrorCode)>>) -> anyhow::Result<()> {
    for answer in answers {
        answer.map_err(|(topic, error)| anyhow::anyhow!("{topic}: {error}"))?;
    }
    Ok(())
}

fn partitions_of(metadata: &Metadata, topic: &str) -> usize {
    let topic = metadata.topics().iter().find(|it| it.name() == topic && it.error().is_none());
    topic.map_or(0, |topic| topic.partitions().len())
}

/// Java's `String.hashCode`, its magnitude (`Utils.abs`: 0 for the smallest integer, which has none), modulo.
fn place_of(group: &str, partitions: i32) -> i32 {
    let hash = group.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    hash.checked_abs().unwrap_or(0) % partitions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_place_is_javas() {
        assert_eq!(place_of("hello", 50), 99_162_322 % 50);
        assert_eq!(place_of("reliability-broker-ad1ae362", 3), 2, "hashCode() is negative");
        assert_eq!(place_of("polygenelubricants", 50), 0, "hashCode() is i32::MIN");
    }
}
