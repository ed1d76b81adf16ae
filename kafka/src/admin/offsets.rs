//! Offsets: where logs begin and end, where a time is in them, and what groups have committed.

use super::{
    Admin,
    requests::{Alone, At, Failure, Found, Requests},
};
use crate::{Error, Partition, PartitionOffset, group::Claim};
use rdkafka::error::RDKafkaErrorCode;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use wire::Millis;

/// Where the log of a partition begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermarks {
    /// The first offset that was not deleted.
    pub first: i64,
    /// The log end offset: that of the next record. Records of undecided transactions lie before it.
    pub end: i64,
}

impl Admin {
    /// Where the logs of these partitions begin and end; of a partition that cannot be told, why, in the broker's words.
    /// Sorted, each partition once. Two requests for each broker that leads some of them.
    ///
    /// # Errors
    /// When Kafka refuses, or does not answer within `deadline`.
    pub async fn watermarks(
        &self,
        partitions: &[Partition],
        deadline: Duration,
    ) -> Result<Vec<(Partition, Result<Watermarks, String>)>, Error> {
        let partitions: BTreeSet<_> = partitions.iter().cloned().collect();
        self.ask("looking up where logs begin and end", deadline, move |requests| {
            let [first, end] = both(requests, &partitions, At::Earliest)?;
            let marks = partitions.iter().map(|partition| {
                let mark = |found: &Offsets| offset(found, partition).map_err(|failure| failure.reason.clone());
                let marks = mark(&first).and_then(|first| Ok(Watermarks { first, end: mark(&end)? }));
                (partition.clone(), marks)
            });
            Ok(marks.collect())
        })
        .await
    }

    /// The offset of the first record of each partition whose timestamp is `time` or later; the log end offset, where there
    /// is none; of a partition that cannot be told, why, in the broker's words. Sorted, each partition once.
    ///
    /// # Errors
    /// When Kafka refuses, or does not answer within `deadline`.
    pub async fn offsets_for_time(
        &self,
        partitions: &[Partition],
        time: Millis,
        deadline: Duration,
    ) -> Result<Vec<(Partition, Result<i64, String>)>, Error> {
        let partitions: BTreeSet<_> = partitions.iter().cloned().collect();
        self.ask("looking up the offsets for a time", deadline, move |requests| {
            let [at_time, end] = both(requests, &partitions, At::Time(time))?;
            let offsets = partitions.iter().map(|partition| {
                let at = match at_time.get(partition) {
                    Some(Ok(None)) => offset(&end, partition),
                    _ => offset(&at_time, partition),
                };
                (partition.clone(), at.map_err(|failure| failure.reason))
            });
            Ok(offsets.collect())
        })
        .await
    }

    /// The offsets that a group has committed, sorted by partition. None of a group that does not exist.
    ///
    /// # Errors
    /// When Kafka refuses, or does not answer within `deadline`.
    pub async fn committed(&self, group: &str, deadline: Duration) -> Result<Vec<PartitionOffset>, Error> {
        let action = format!("looking up what {group} has committed");
        let group = group.to_owned();
        self.ask(action, deadline, move |requests| requests.committed(&group, requests.until())?.answer()).await
    }

    /// Commits offsets for a group that has no members; one that does not exist comes to be. Of each partition, how that
    /// went, in the broker's words.
    ///
    /// # Errors
    /// [`Error::Refused`] when the group has members, which it names; nothing is committed then. When Kafka refuses
    /// otherwise (a partition twice, an offset below 0), or does not answer within `deadline`: then it may have been done.
    pub async fn alter_offsets(
        &self,
        group: &str,
        offsets: &[PartitionOffset],
        deadline: Duration,
    ) -> Result<Vec<(Partition, Result<(), String>)>, Error> {
        // Without a claim: what the group's last member consumed in silence stays suspect.
        self.alter(group, offsets, String::new(), deadline).await
    }

    /// The same for a group that never had members: what its first one consumes is not suspected of having been consumed.
    ///
    /// # Errors
    /// See [`Admin::alter_offsets`].
    pub async fn begin_group(
        &self,
        group: &str,
        offsets: &[PartitionOffset],
        deadline: Duration,
    ) -> Result<Vec<(Partition, Result<(), String>)>, Error> {
        self.alter(group, offsets, Claim::NOBODY.metadata(0), deadline).await
    }

    async fn alter(
        &self,
        group: &str,
        offsets: &[PartitionOffset],
        metadata: String,
        deadline: Duration,
    ) -> Result<Vec<(Partition, Result<(), String>)>, Error> {
        if offsets.is_empty() {
            return Ok(Vec::new());
        }
        let action = format!("setting the offsets of {group}");
        let (group, offsets) = (group.to_owned(), offsets.to_vec());
        self.ask(action, deadline, move |requests| {
            refuse_active(requests, &group)?;
            let altered = requests.alter(&group, &offsets, &metadata, requests.until())?.answer()?;
            // Someone may have joined since.
            if altered.iter().any(|(_, answer)| answer.as_ref().is_err_and(|failure| is_active(failure.code))) {
                refuse_active(requests, &group)?;
            }
            for failure in altered.iter().filter_map(|(_, answer)| answer.as_ref().err()) {
                requests.note(failure.code);
            }
            let altered = altered.into_iter().map(|(partition, answer)| (partition, answer.map_err(|f| f.reason)));
            Ok(altered.collect())
        })
        .await
    }
}

/// What the coordinator of a group with members answers to who is none of them.
fn is_active(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{IllegalGeneration, NonEmptyGroup, RebalanceInProgress, UnknownMemberId};
    matches!(code, IllegalGeneration | NonEmptyGroup | RebalanceInProgress | UnknownMemberId)
}

fn refuse_active(requests: &Requests<'_>, group: &str) -> Result<(), Failure> {
    let Some(described) = requests.describe(group, requests.until())?.answer()? else { return Ok(()) };
    if described.members.is_empty() {
        return Ok(());
    }
    let names: BTreeSet<_> = described.members.into_iter().map(|member| member.client_id).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    Err(Failure::new(RDKafkaErrorCode::NonEmptyGroup, format!("the group has active members: {names}")))
}

/// Offsets by partition: see [`Found`].
pub(super) type Offsets = BTreeMap<Partition, Result<Option<i64>, Failure>>;

/// These and the log end offsets, side by side.
pub(super) fn both(requests: &Requests<'_>, partitions: &BTreeSet<Partition>, at: At) -> Result<[Offsets; 2], Failure> {
    if partitions.is_empty() {
        return Ok([Offsets::new(), Offsets::new()]);
    }
    both_of(&mut requests.alone(requests.until())?, partitions, at, requests.until())
}

/// The same, with these clients.
pub(super) fn both_of(
    [at_place, at_end]: &mut [Alone<'_>; 2],
    partitions: &BTreeSet<Partition>,
    at: At,
    until: Instant,
) -> Result<[Offsets; 2], Failure> {
    let asked = at_place.list_offsets(partitions, at, until)?;
    let end = at_end.list_offsets(partitions, At::Latest, until)?;
    Ok([by_partition(asked.answer(), partitions)?, by_partition(end.answer(), partitions)?])
}

/// The log end offsets.
pub(super) fn ends(
    requests: &Requests<'_>,
    partitions: &BTreeSet<Partition>,
    until: Instant,
) -> Result<Offsets, Failure> {
    if partitions.is_empty() {
        return Ok(Offsets::new());
    }
    let [mut alone] = requests.alone(until)?;
    let asked = alone.list_offsets(partitions, At::Latest, until)?;
    by_partition(asked.answer(), partitions)
}

/// librdkafka fails as a whole where no partition at all has a leader that it knows.
fn by_partition(answer: Result<Vec<Found>, Failure>, partitions: &BTreeSet<Partition>) -> Result<Offsets, Failure> {
    match answer {
        Ok(found) => Ok(found.into_iter().collect()),
        Err(failure) if failure.code == RDKafkaErrorCode::NoEnt => {
            Ok(partitions.iter().map(|partition| (partition.clone(), Err(failure.clone()))).collect())
        }
        Err(failure) => Err(failure),
    }
}

fn offset(offsets: &Offsets, partition: &Partition) -> Result<i64, Failure> {
    match offsets.get(partition) {
        Some(Ok(Some(offset))) => Ok(*offset),
        Some(Err(failure)) => Err(failure.clone()),
        Some(Ok(None)) | None => Err(Failure::no_answer()),
    }
}
