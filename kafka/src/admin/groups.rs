//! Consumer groups, their members and how far they are: the answers of several requests put together.

use super::{
    Admin, Begun,
    offsets::{Offsets, ends},
    requests::{CONSUMER, Described, DescribedMember, Failure, Listed, Request, Requests, State},
};
use crate::{Error, Partition, PartitionOffset};
use rdkafka::error::RDKafkaErrorCode;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::{Duration, Instant},
};
use wire::{Group, GroupError, GroupPartition, GroupSummary, Member, Owned};

/// How many groups are asked about at a time. librdkafka asks for one group a request.
const GROUPS_AT_ONCE: usize = 256;

impl Admin {
    /// The cluster's consumer groups, sorted by name. The state is Kafka's word for it in lower case; a group of KIP-848 that
    /// is between two assignments, for which librdkafka has no word, is `rebalancing`. The lag is none, and a group that is
    /// not empty has 0 members, where its coordinator does not tell in time; groups of a broker that does not answer at all
    /// are missing.
    ///
    /// # Errors
    /// When Kafka refuses, or no broker answers within `deadline`.
    pub async fn groups(&self, deadline: Duration) -> Result<Vec<GroupSummary>, Error> {
        Ok(self.some_groups(None, deadline).await?.groups)
    }

    /// The groups that read a topic: that have committed offsets of it, or a member that owns some of it. As [`Self::groups`] tells
    /// them; but the lag is that in this topic.
    ///
    /// # Errors
    /// See [`Self::groups`].
    pub async fn readers(&self, topic: &str, deadline: Duration) -> Result<Readers, Error> {
        self.some_groups(Some(topic.to_owned()), deadline).await
    }

    async fn some_groups(&self, of: Option<String>, deadline: Duration) -> Result<Readers, Error> {
        self.ask("listing the groups", deadline, move |requests| {
            requests.learn_brokers(requests.until())?;
            let mut listed = requests.list_groups(requests.part(0.5)).answer()?;
            listed.sort_by(|a, b| a.name.cmp(&b.name));

            let until = requests.part(0.67);
            let (mut asked, mut rows) = (VecDeque::new(), Vec::with_capacity(listed.len()));
            for group in listed {
                if asked.len() == GROUPS_AT_ONCE {
                    rows.extend(asked.pop_front().and_then(Asked::row));
                }
                asked.push_back(Asked::send(requests, group, until)?);
            }
            rows.extend(asked.into_iter().filter_map(Asked::row));
            let mut untold = 0;
            if let Some(topic) = &of {
                rows.retain_mut(|row| {
                    let reads = row.reads(topic);
                    untold += u32::from(reads.is_none());
                    reads == Some(true)
                });
            }

            let committed = rows.iter().flat_map(|row| row.committed.iter().flatten());
            let partitions = committed.map(|at| at.partition.clone()).collect();
            let ends = or_nothing("log end offsets", ends(requests, &partitions, requests.until()));
            Ok(Readers { groups: rows.into_iter().map(|row| row.summary(&ends)).collect(), untold })
        })
        .await
    }

    /// A group as it is now, or none where it does not exist. State and protocol as [`Self::groups`] tells them; `history` is
    /// empty and `ottla` none, for Kafka knows neither. What a broker does not tell is empty: the embedded one tells neither
    /// assignments nor hosts nor the assignor.
    ///
    /// # Errors
    /// When Kafka refuses (one that is no consumer group, too), or the group's coordinator does not answer within
    /// `deadline`. A log end offset that is not known in time is none.
    pub async fn group(&self, name: &str, deadline: Duration) -> Result<Option<Group>, Error> {
        let action = format!("describing the group {name}");
        let name = name.to_owned();
        self.ask(action, deadline, move |requests| {
            let until = requests.part(0.75);
            let described = requests.describe(&name, until)?;
            let committed = requests.committed(&name, until)?;
            let (described, committed) = (described.answer()?, committed.answer());
            let Some(described) = described else { return Ok(None) };
            let committed = committed?;

            let owned = described.members.iter().flat_map(|member| &member.owned);
            let partitions: BTreeSet<_> = owned.chain(committed.iter().map(|at| &at.partition)).cloned().collect();
            let topics: BTreeSet<_> = partitions.iter().map(|partition| partition.topic.as_str()).collect();
            let until = requests.until();
            let counts = requests.describe_topics(&topics, until)?;
            let ends = or_nothing("log end offsets", ends(requests, &partitions, until));
            let counts = or_nothing("topics", counts.answer());
            let counts = counts.into_iter().map(|topic| (topic.name, topic.partitions)).collect();
            Ok(Some(put_together(&name, &described, &committed, &partitions, &ends, &counts)))
        })
        .await
    }

    /// Deletes a group that has no members, with all that it has committed.
    ///
    /// # Errors
    /// Where there is none, it has members, Kafka refuses otherwise, or does not answer within `deadline`.
    pub async fn delete_group(&self, group: &str, deadline: Duration) -> Result<(), GroupError> {
        let name = group.to_owned();
        let deleted = self.call(deadline, move |requests| requests.delete_group(&name, requests.until())?.answer());
        deleted.await.map_err(|failure| self.group_error(group, failure, deadline))
    }

    /// Deletes what a group has committed of a topic: nobody of the group may be subscribed to it. The group stays, even if nothing is
    /// left in it. Returns of how many partitions that was.
    ///
    /// # Errors
    /// Where there is no such group, it has committed nothing of the topic or is subscribed to it, Kafka refuses otherwise, or does not
    /// answer within `deadline`: where it does not tell what the group has committed, [`GroupError::Unread`].
    pub async fn delete_offsets(&self, group: &str, topic: &str, deadline: Duration) -> Result<usize, GroupError> {
        let (name, of, begun) = (group.to_owned(), topic.to_owned(), Begun::default());
        let begins = begun.clone();
        let deleted = self.call(deadline, move |requests| {
            let until = requests.part(0.5);
            let described = requests.describe(&name, until)?;
            let committed = requests.committed(&name, until)?;
            described.answer()?.ok_or_else(|| Failure::new(RDKafkaErrorCode::GroupIdNotFound, ""))?;
            let committed = committed.answer()?;
            let mut partitions = committed.iter().map(|at| &at.partition).filter(|at| at.topic == of).peekable();
            if partitions.peek().is_none() {
                return Ok(Vec::new());
            }
            let begin = || begins.now(requests);
            let deleted = requests.delete_offsets(&name, partitions, begin, requests.until())?.answer()?;
            for failure in deleted.iter().filter_map(|(_, answer)| answer.as_ref().err()) {
                requests.note(failure.code);
            }
            Ok(deleted)
        });
        let error = |failure| begun.group_error(self.group_error(group, failure, deadline));
        let deleted = deleted.await.map_err(error)?;
        let done = deleted.iter().filter(|(_, answer)| answer.is_ok()).count();
        match deleted.into_iter().find_map(|(partition, answer)| Some((partition.partition, answer.err()?))) {
            None if done == 0 => Err(GroupError::NothingCommitted { group: group.into(), topic: topic.into() }),
            None => Ok(done),
            Some((_, failure)) if done == 0 => Err(self.group_error(group, failure, deadline)),
            Some((partition, failure)) => {
                let reason =
                    format!("partition {partition}: {}; the offsets of {done} others are deleted", failure.reason);
                Err(GroupError::Refused { reason })
            }
        }
    }

    /// What a failure means for who asked.
    fn group_error(&self, group: &str, failure: Failure, deadline: Duration) -> GroupError {
        use RDKafkaErrorCode::{GroupIdNotFound, GroupSubscribedToTopic, NonEmptyGroup};
        if failure.is_no_answer() {
            let no_answer = || format!("no answer within {} ms", deadline.as_millis());
            return GroupError::Unanswered { reason: self.trouble().unwrap_or_else(no_answer) };
        }
        let reason = failure.reason.clone();
        match failure.code {
            GroupIdNotFound => GroupError::Unknown { group: group.into() },
            NonEmptyGroup | GroupSubscribedToTopic => GroupError::InUse { reason },
            _ if failure.is_refusal() => GroupError::Refused { reason },
            _ => GroupError::Unanswered { reason: self.context.explain(&reason) },
        }
    }
}

/// What an answer is without that is not needed.
fn or_nothing<T: Default>(what: &str, answer: Result<T, Failure>) -> T {
    answer.unwrap_or_else(|failure| {
        tracing::debug!(what, cause = failure.reason, "a group is shown without");
        T::default()
    })
}

/// The groups that read a topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readers {
    /// Those that are known to, sorted by name.
    pub groups: Vec<GroupSummary>,
    /// Of how many more their coordinators did not tell in time whether they do.
    pub untold: u32,
}

/// What was asked about a group.
struct Asked<'a> {
    listed: Listed,
    /// Not asked where it is known that nobody is in it.
    described: Option<Request<'a, Option<Described>>>,
    committed: Request<'a, Vec<PartitionOffset>>,
}

impl<'a> Asked<'a> {
    fn send(requests: &'a Requests<'a>, listed: Listed, until: Instant) -> Result<Self, Failure> {
        let described = if listed.state == State::Empty { None } else { Some(requests.describe(&listed.name, until)?) };
        let committed = requests.committed(&listed.name, until)?;
        Ok(Self { listed, described, committed })
    }

    /// What is known; nothing where the group is gone by now.
    fn row(self) -> Option<Row> {
        let Listed { name, mut state, mut protocol } = self.listed;
        let (mut members, mut owned) = (0, Some(Vec::new()));
        match self.described.map(Request::answer) {
            None => {}
            Some(Ok(None)) => return None,
            Some(Ok(Some(described))) => {
                (state, protocol) = (described.state, described.protocol);
                members = described.members.len();
                owned = Some(described.members.into_iter().flat_map(|member| member.owned).collect());
            }
            Some(Err(failure)) => {
                tracing::debug!(group = name, cause = failure.reason, "a group was not described");
                owned = None;
            }
        }
        let committed = self.committed.answer();
        if let Err(failure) = &committed {
            tracing::debug!(group = name, cause = failure.reason, "a group's offsets were not read");
        }
        Some(Row { name, state, protocol, members, owned, committed: committed.ok() })
    }
}

/// A group of the list.
struct Row {
    name: String,
    state: State,
    protocol: &'static str,
    members: usize,
    /// None where it was not told; as what is committed.
    owned: Option<Vec<Partition>>,
    committed: Option<Vec<PartitionOffset>>,
}

impl Row {
    /// Whether the group reads this topic, if that is known; only that is kept of what it has committed.
    fn reads(&mut self, topic: &str) -> Option<bool> {
        if let Some(committed) = &mut self.committed {
            committed.retain(|at| at.partition.topic == topic);
        }
        let has_committed = self.committed.as_ref().map(|committed| !committed.is_empty());
        let owns = self.owned.as_ref().map(|owned| owned.iter().any(|partition| partition.topic == topic));
        match (has_committed, owns) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            (None, _) | (_, None) => None,
        }
    }

    fn summary(self, ends: &Offsets) -> GroupSummary {
        GroupSummary {
            state: state(self.state, self.protocol).into(),
            protocol: self.protocol.into(),
            members: u32::try_from(self.members).unwrap_or(u32::MAX),
            lag: self.committed.and_then(|committed| lag(&committed, ends)),
            feed: None,
            name: self.name,
        }
    }
}

/// Log end offsets less committed offsets. Partitions that do not exist any more do not count; none where the end of another
/// is not known.
fn lag(committed: &[PartitionOffset], ends: &Offsets) -> Option<i64> {
    let lags = committed.iter().map(|at| match ends.get(&at.partition)? {
        Ok(end) => Some((end.as_ref()? - at.offset).max(0)),
        Err(failure) => failure.is_unknown_partition().then_some(0),
    });
    lags.sum()
}

fn state(state: State, protocol: &str) -> &'static str {
    match state {
        State::PreparingRebalance => "preparing rebalance",
        State::CompletingRebalance => "completing rebalance",
        State::Stable => "stable",
        State::Empty => "empty",
        State::Dead => "dead",
        // Kafka says "assigning" or "reconciling".
        State::Unknown if protocol == CONSUMER => "rebalancing",
        State::Unknown => "unknown",
    }
}

/// The members, sorted by client id, with what they own by topic (`of` still 0).
fn members_of(described: &Described) -> impl Iterator<Item = Member> {
    let mut members: Vec<_> = described.members.iter().map(member).collect();
    members.sort_by(|a, b| (&a.client_id, &a.member_id).cmp(&(&b.client_id, &b.member_id)));
    members.into_iter()
}

fn member(described: &DescribedMember) -> Member {
    let mut topics: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    for partition in &described.owned {
        topics.entry(&partition.topic).or_default().insert(partition.partition);
    }
    let owned = topics.into_iter().map(|(topic, partitions)| Owned {
        topic: topic.into(),
        partitions: partitions.into_iter().collect(),
        of: 0,
    });
    Member {
        client_id: described.client_id.clone(),
        member_id: described.member_id.clone(),
        static_id: described.static_id.clone(),
        // Kafka writes it as Java prints an address without a name.
        host: described.host.trim_start_matches('/').into(),
        owned: owned.collect(),
        ottla: None,
    }
}

fn put_together(
    name: &str,
    described: &Described,
    committed: &[PartitionOffset],
    partitions: &BTreeSet<Partition>,
    ends: &Offsets,
    counts: &HashMap<String, u32>,
) -> Group {
    let mut members: Vec<_> = members_of(described).collect();
    for owned in members.iter_mut().flat_map(|member| &mut member.owned) {
        owned.of = counts.get(&owned.topic).copied().unwrap_or(0);
    }
    let committed: HashMap<_, _> = committed.iter().map(|at| (&at.partition, at.offset)).collect();
    let owners: HashMap<_, _> = described
        .members
        .iter()
        .flat_map(|member| member.owned.iter().map(move |partition| (partition, &member.client_id)))
        .collect();
    let partitions = partitions.iter().map(|partition| GroupPartition {
        topic: partition.topic.clone(),
        partition: partition.partition,
        committed: committed.get(partition).copied(),
        end: ends.get(partition).and_then(|end| end.as_ref().ok().copied().flatten()),
        owner: owners.get(partition).copied().cloned(),
        rate: None,
        moved: None,
    });
    Group {
        name: name.into(),
        state: state(described.state, described.protocol).into(),
        protocol: described.protocol.into(),
        assignor: described.assignor.clone(),
        coordinator: described.coordinator,
        partitions: partitions.collect(),
        members,
        feed: None,
        history: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::error::RDKafkaErrorCode;
    use rstest::rstest;

    fn at(partition: i32, offset: i64) -> PartitionOffset {
        PartitionOffset { partition: Partition::new("t", partition), offset }
    }

    fn ends(offsets: impl IntoIterator<Item = (i32, Result<Option<i64>, Failure>)>) -> Offsets {
        offsets.into_iter().map(|(partition, end)| (Partition::new("t", partition), end)).collect()
    }

    fn failure(code: RDKafkaErrorCode) -> Failure {
        Failure::new(code, "")
    }

    #[test]
    fn the_lag_is_the_sum_over_what_is_committed() {
        let ends = ends([(0, Ok(Some(10))), (1, Ok(Some(5))), (2, Ok(Some(100)))]);
        assert_eq!(lag(&[at(0, 4), at(1, 5)], &ends), Some(6));
        assert_eq!(lag(&[], &ends), Some(0));
    }

    #[test]
    fn the_lag_is_never_below_0() {
        assert_eq!(lag(&[at(0, 4), at(1, 5)], &ends([(0, Ok(Some(3))), (1, Ok(Some(6)))])), Some(1));
    }

    #[test]
    fn a_deleted_partition_does_not_count_and_an_unknown_end_makes_the_lag_unknown() {
        let gone = Err(failure(RDKafkaErrorCode::UnknownTopicOrPartition));
        assert_eq!(lag(&[at(0, 4), at(1, 5)], &ends([(0, gone), (1, Ok(Some(6)))])), Some(1));
        assert_eq!(lag(&[at(0, 4)], &ends([(0, Err(Failure::no_answer()))])), None);
        assert_eq!(lag(&[at(0, 4)], &ends([])), None);
    }

    #[rstest]
    #[case(State::PreparingRebalance, "classic", "preparing rebalance")]
    #[case(State::Unknown, "consumer", "rebalancing")]
    #[case(State::Unknown, "", "unknown")]
    fn a_state_is_kafkas_word_in_lower_case(#[case] given: State, #[case] protocol: &str, #[case] expected: &str) {
        assert_eq!(state(given, protocol), expected);
    }

    #[test]
    fn a_group_that_was_not_told_of_is_no_group_that_does_not_read() {
        let owned = |topic: &str| Some(vec![Partition::new(topic, 0)]);
        let (here, elsewhere) = (|| Some(vec![at(0, 7)]), || Some(Vec::new()));
        for (committed, owned, reads) in [
            (here(), owned("s"), Some(true)),
            (here(), None, Some(true)),
            (None, owned("t"), Some(true)),
            (elsewhere(), owned("s"), Some(false)),
            (None, owned("s"), None),
            (elsewhere(), None, None),
            (None, None, None),
        ] {
            let said = format!("{committed:?} {owned:?}");
            let (name, state, protocol) = ("g".to_owned(), State::Stable, "classic");
            let mut row = Row { name, state, protocol, members: 1, owned, committed };
            assert_eq!(row.reads("t"), reads, "{said}");
        }
    }

    #[test]
    fn a_group_is_put_together() {
        let member = |name: &str, owned: &[(&str, i32)]| DescribedMember {
            client_id: name.into(),
            member_id: format!("{name}-1"),
            static_id: None,
            host: "/127.0.0.1".into(),
            owned: owned.iter().map(|(topic, partition)| Partition::new(*topic, *partition)).collect(),
        };
        let described = Described {
            state: State::Stable,
            protocol: "classic",
            assignor: "cooperative-sticky".into(),
            coordinator: Some(3),
            members: vec![member("b", &[("t", 2), ("s", 0), ("t", 0)]), member("a", &[])],
        };
        let committed = [at(0, 7), at(1, 8)];
        let partitions = [("s", 0), ("t", 0), ("t", 1), ("t", 2)].map(|(topic, number)| Partition::new(topic, number));
        let ends = ends([(0, Ok(Some(9))), (1, Err(Failure::no_answer())), (2, Ok(Some(0)))]);
        let counts = HashMap::from([("t".to_owned(), 3)]);
        let group = put_together("g", &described, &committed, &partitions.into(), &ends, &counts);

        assert_eq!((group.name.as_str(), group.state.as_str(), group.coordinator), ("g", "stable", Some(3)));
        assert_eq!((group.protocol.as_str(), group.assignor.as_str()), ("classic", "cooperative-sticky"));
        let names: Vec<_> = group.members.iter().map(|member| member.client_id.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let owned =
            |topic: &str, partitions: &[i32], of| Owned { topic: topic.into(), partitions: partitions.into(), of };
        assert_eq!(group.members[1].owned, [owned("s", &[0], 0), owned("t", &[0, 2], 3)]);
        assert_eq!(group.members[1].host, "127.0.0.1");
        let partitions: Vec<_> = group
            .partitions
            .iter()
            .map(|p| (p.topic.as_str(), p.partition, p.committed, p.end, p.owner.as_deref()))
            .collect();
        assert_eq!(
            partitions,
            [
                ("s", 0, None, None, Some("b")),
                ("t", 0, Some(7), Some(9), Some("b")),
                ("t", 1, Some(8), None, None),
                ("t", 2, None, Some(0), Some("b")),
            ]
        );
    }
}
