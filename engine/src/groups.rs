//! The consumer groups, as pages show them: what the cluster says, and what the instances of Ottla tell of their own.

use crate::{
    Engine, Feed, Patience,
    shared::{AGE, Looks},
};
use kafka::{Admin, Protocol, Readers};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use wire::{Group, GroupError, GroupPartition, GroupSummary, Member, MemberOttla, PartitionStats, ReadError, Stats};

/// How many groups are remembered so.
const REMEMBERED: usize = 64;
/// How long a change may take, and what has to be looked up for it.
const CHANGE_DEADLINE: Duration = Duration::from_secs(10);

/// What was found lately.
#[derive(Default)]
pub(crate) struct Found {
    all: Option<(Instant, Vec<GroupSummary>)>,
    groups: HashMap<String, (Instant, Group)>,
}

/// Looks at groups.
#[derive(Default)]
pub(crate) struct GroupLooks {
    all: Looks<Vec<GroupSummary>>,
    one: Looks<Option<Group>>,
}

impl Engine {
    /// The cluster's groups, sorted by name.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub async fn groups(&self, patience: Patience) -> Result<Vec<GroupSummary>, ReadError> {
        if let Some((at, groups)) = &self.found.lock().all
            && at.elapsed() < AGE
        {
            return Ok(groups.clone());
        }
        let look = |admin: Admin, _, within| async move { admin.groups(within).await };
        let mut groups = self.group_looks.all.look(&self.admin, "", patience, look).await?;
        for feed in self.feeds() {
            // What its members say is newer than what the coordinator says, and has the lag without asking.
            let own = self.summary(&feed);
            match groups.iter_mut().find(|group| group.name == own.name) {
                Some(group) => (group.feed, group.lag) = (own.feed, own.lag.or(group.lag)),
                None => groups.push(own),
            }
        }
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        self.found.lock().all = Some((Instant::now(), groups.clone()));
        Ok(groups)
    }

    /// The groups that read a topic, sorted by name, with their lag in it.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub async fn readers(&self, topic: &str, patience: Patience) -> Result<Readers, ReadError> {
        let look = |admin: Admin, topic: String, within| async move { admin.readers(&topic, within).await };
        let mut readers = self.topic_looks.readers.look(&self.admin, topic, patience, look).await?;
        let groups = &mut readers.groups;
        for feed in self.feeds().filter(|feed| feed.topics().iter().any(|own| own == topic)) {
            match groups.iter_mut().find(|group| group.name == feed.group()) {
                Some(group) => group.feed = Some(feed.name().into()),
                // It has not committed anything yet; its lag elsewhere is not the topic's.
                None => groups.push(GroupSummary { lag: None, ..self.summary(&feed) }),
            }
        }
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(readers)
    }

    /// One group; nothing where there is none of this name.
    ///
    /// # Errors
    /// When Kafka does not answer, and no instance of Ottla knows the group.
    pub async fn group(&self, name: &str, patience: Patience) -> Result<Option<Group>, ReadError> {
        if let Some((at, group)) = self.found.lock().groups.get(name)
            && at.elapsed() < AGE
        {
            return Ok(Some(group.clone()));
        }
        let own = self.feeds().find(|feed| feed.group() == name).map(|feed| self.own(&feed));
        let look = |admin: Admin, name: String, within| async move { admin.group(&name, within).await };
        let mut group = match (self.group_looks.one.look(&self.admin, name, patience, look).await, own) {
            (Ok(Some(group)), own) => with_own(group, own),
            (Ok(None) | Err(_), Some(own)) => own,
            (Ok(None), None) => return Ok(None),
            (Err(error), None) => return Err(error),
        };
        self.journal.peers(|peers| peers.complete(&mut group));
        let mut found = self.found.lock();
        found.groups.retain(|_, (at, _)| at.elapsed() < AGE);
        if found.groups.len() < REMEMBERED {
            found.groups.insert(name.to_owned(), (Instant::now(), group.clone()));
        }
        Ok(Some(group))
    }

    /// Deletes a group that has no members, with all that it has committed. `confirm` is its name again.
    ///
    /// # Errors
    /// See [`GroupError`].
    pub async fn delete_group(&self, name: &str, confirm: &str) -> Result<(), GroupError> {
        confirmed(name, confirm)?;
        self.admin.delete_group(name, CHANGE_DEADLINE).await?;
        tracing::info!(group = name, "group deleted");
        self.forget_group(name);
        Ok(())
    }

    /// Deletes what a group has committed of a topic. `confirm` is the group's name again.
    ///
    /// # Errors
    /// See [`GroupError`].
    pub async fn delete_offsets(&self, name: &str, topic: &str, confirm: &str) -> Result<(), GroupError> {
        confirmed(name, confirm)?;
        let partitions = self.admin.delete_offsets(name, topic, CHANGE_DEADLINE).await?;
        tracing::info!(group = name, topic, partitions, "offsets of a group deleted");
        self.forget_group(name);
        Ok(())
    }

    /// What was found of it is not true any more.
    pub(crate) fn forget_group(&self, name: &str) {
        let mut found = self.found.lock();
        found.all = None;
        found.groups.remove(name);
        self.group_looks.all.forget("");
        self.group_looks.one.forget(name);
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
        let stats = Stats { partitions: Vec::new(), ..stats };
        let about = MemberOttla { started: self.started, heard: crate::now(), stats, is_self: true };
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
        self.journal.peers(|peers| peers.complete(&mut group));
        group
    }

    fn summary(&self, feed: &Feed) -> GroupSummary {
        let Group { name, state, protocol, members, partitions, feed, .. } = self.own(feed);
        let committed = partitions.iter().filter(|partition| partition.committed.is_some());
        let lag = committed.map(GroupPartition::lag).sum();
        GroupSummary { name, state, protocol, members: members.len() as u32, lag, feed }
    }
}

/// Whether the group's name was typed again. Spaces around it are passed over, unless they are its own.
fn confirmed(name: &str, typed: &str) -> Result<(), GroupError> {
    if typed == name || typed.trim() == name { Ok(()) } else { Err(GroupError::Confirm { group: name.into() }) }
}

/// What the coordinator says, with what this instance knows better where it is a member.
fn with_own(mut group: Group, own: Option<Group>) -> Group {
    let Some(own) = own else { return group };
    group.feed = own.feed;
    if group.protocol.is_empty() {
        group.protocol = own.protocol;
    }
    for member in own.members {
        if !group.members.iter().any(|known| known.client_id == member.client_id) {
            group.members.push(member);
        }
    }
    for partition in own.partitions {
        let place = (partition.topic.as_str(), partition.partition);
        let at = group.partitions.binary_search_by(|known| (known.topic.as_str(), known.partition).cmp(&place));
        match at {
            Ok(at) => {
                let known = &mut group.partitions[at];
                (known.committed, known.end) = (partition.committed.or(known.committed), partition.end.or(known.end));
            }
            Err(at) => group.partitions.insert(at, partition),
        }
    }
    group
}

fn counters<'a>(stats: &'a Stats, topic: &str, partition: i32) -> Option<&'a PartitionStats> {
    stats.partitions.iter().find(|counters| counters.topic == topic && counters.partition == partition)
}
