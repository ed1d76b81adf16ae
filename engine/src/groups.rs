//! The consumer groups, as pages show them: those of this instance's own feeds, from memory.

use crate::{Engine, Feed};
use kafka::Protocol;
use wire::{Group, GroupPartition, GroupSummary, Member, MemberOttla, PartitionStats, ReadError, Stats};

impl Engine {
    /// The groups, sorted by name. Answers within the time that a page has.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub async fn groups(&self) -> Result<Vec<GroupSummary>, ReadError> {
        let mut groups: Vec<_> = self.feeds().map(|feed| self.summary(feed)).collect();
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(groups)
    }

    /// One group; nothing where there is none of this name. Answers within the time that a page has.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub async fn group(&self, name: &str) -> Result<Option<Group>, ReadError> {
        Ok(self.feeds().find(|feed| feed.group() == name).map(|feed| self.own(feed)))
    }

    /// The group of a feed: this instance as its member, and what the others tell of themselves.
    fn own(&self, feed: &Feed) -> Group {
        let (assignment, stats) = (feed.assignment(), feed.stats());
        let mut partitions = Vec::new();
        for owned in &assignment.owned {
            for &partition in &owned.partitions {
                let counters = counters(&stats, &owned.topic, partition);
                partitions.push(GroupPartition {
                    topic: owned.topic.clone(),
                    partition,
                    committed: counters.and_then(|counters| counters.committed),
                    end: counters.and_then(|counters| counters.end),
                    owner: Some(self.instance().into()),
                    rate: None,
                    moved: None,
                });
            }
        }
        let about = MemberOttla { started: self.started(), heard: crate::now(), rate: stats.rate, is_self: true };
        let member = Member {
            client_id: self.instance().into(),
            owned: assignment.owned,
            ottla: Some(about),
            ..Member::default()
        };
        let protocol = match feed.protocol() {
            Protocol::Classic => "classic",
            Protocol::Consumer => "consumer",
        };
        let mut group = Group {
            name: feed.group().into(),
            state: if feed.is_member() { "stable" } else { "preparing rebalance" }.into(),
            protocol: protocol.into(),
            members: vec![member],
            partitions,
            feed: Some(feed.name().into()),
            ..Group::default()
        };
        self.journal().peers(|peers| peers.complete(&mut group));
        group
    }

    fn summary(&self, feed: &Feed) -> GroupSummary {
        let Group { name, state, protocol, members, partitions, feed, .. } = self.own(feed);
        let committed = partitions.iter().filter(|partition| partition.committed.is_some());
        let lag = committed.map(GroupPartition::lag).sum();
        GroupSummary { name, state, protocol, members: members.len() as u32, lag, feed }
    }
}

fn counters<'a>(stats: &'a Stats, topic: &str, partition: i32) -> Option<&'a PartitionStats> {
    stats.partitions.iter().find(|counters| counters.topic == topic && counters.partition == partition)
}
