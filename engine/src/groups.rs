//! The consumer groups, as pages show them: from what this instance knows of its own feeds.

use crate::{Engine, Feed};
use kafka::Protocol;
use wire::{Group, GroupPartition, GroupSummary, Member, MemberOttla, PartitionStats, ReadError, Stats};

impl Engine {
    /// The groups, sorted by name. Answers within the time that a page has.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub async fn groups(&self) -> Result<Vec<GroupSummary>, ReadError> {
        let mut groups: Vec<_> = self.feeds().map(|feed| summary(feed)).collect();
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

    /// The group of a feed, with this instance as its one member.
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
        let GroupSummary { name, state, protocol, feed, .. } = summary(feed);
        Group { name, state, protocol, members: vec![member], partitions, feed, ..Group::default() }
    }
}

fn summary(feed: &Feed) -> GroupSummary {
    let protocol = match feed.protocol() {
        Protocol::Classic => "classic",
        Protocol::Consumer => "consumer",
    };
    GroupSummary {
        name: feed.group().into(),
        state: if feed.is_member() { "stable" } else { "preparing rebalance" }.into(),
        protocol: protocol.into(),
        members: 1,
        lag: lag(&feed.stats()),
        feed: Some(feed.name().into()),
    }
}

fn counters<'a>(stats: &'a Stats, topic: &str, partition: i32) -> Option<&'a PartitionStats> {
    stats.partitions.iter().find(|counters| counters.topic == topic && counters.partition == partition)
}

/// Over the partitions that have a committed offset; nothing while an end is not known.
fn lag(stats: &Stats) -> Option<i64> {
    let committed = stats.partitions.iter().filter_map(|partition| Some((partition.committed?, partition.end)));
    committed.map(|(committed, end)| Some((end? - committed).max(0))).sum()
}
