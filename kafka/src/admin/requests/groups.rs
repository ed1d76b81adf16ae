//! The requests that destroy something of a group: DeleteGroups, DeleteConsumerGroupOffsets. rdkafka's safe client has the first, without
//! the broker's own words when it refuses.

use super::{
    Altered, Failure, Kind, Request, Requests, Target, bindings, c_string, check, elements, failure, group_result,
    left, list, partition,
};
use crate::{EMBEDDED_CLUSTER, Partition, native::Event};
use rdkafka::{Offset, consumer::Consumer, error::RDKafkaErrorCode};
use std::time::Instant;

impl Requests<'_> {
    /// Deletes a group with all that it has committed.
    pub fn delete_group(&self, group: &str, until: Instant) -> Result<Request<'_, ()>, Failure> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DELETEGROUPS,
            target: Target::CoordinatorChanges,
            event: bindings::RD_KAFKA_EVENT_DELETEGROUPS_RESULT,
        };
        let group = c_string(group)?;
        Ok(self.send(KIND, until, read_deleted, |client, options, answers| {
            // SAFETY: see `send`; librdkafka copies the name, and what is asked, which is ours to destroy.
            unsafe {
                let mut asked = bindings::rd_kafka_DeleteGroup_new(group.as_ptr());
                bindings::rd_kafka_DeleteGroups(client, &mut asked, 1, options, answers);
                bindings::rd_kafka_DeleteGroup_destroy(asked);
            }
        }))
    }

    /// Deletes what a group has committed of these partitions, and tells of each how that went. `begin` is called before anything is sent
    /// that deletes, and may forbid it.
    ///
    /// A broker that has no OffsetDelete (KIP-496, Kafka 2.4) must not be asked: librdkafka 2.12.1 then destroys the request's queue of
    /// answers twice and aborts the process (`rd_kafka_OffsetDeleteRequest` and `rd_kafka_coord_req_fsm` both do it). The embedded broker
    /// has none, and is known by its cluster's id.
    pub fn delete_offsets<'p>(
        &self,
        group: &str,
        partitions: impl Iterator<Item = &'p Partition>,
        begin: impl FnOnce() -> Result<(), Failure>,
        until: Instant,
    ) -> Result<Request<'_, Altered>, Failure> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS,
            target: Target::CoordinatorChanges,
            event: bindings::RD_KAFKA_EVENT_DELETECONSUMERGROUPOFFSETS_RESULT,
        };
        match self.client.client().fetch_cluster_id(left(until)).as_deref() {
            None => return Err(Failure::no_answer()),
            Some(EMBEDDED_CLUSTER) => {
                let reason = "the embedded broker can't delete the offsets of one topic (KIP-496)";
                return Err(Failure::new(RDKafkaErrorCode::UnsupportedFeature, reason));
            }
            Some(_) => {}
        }
        let group = c_string(group)?;
        let list = list(partitions.map(|partition| (partition, Offset::Invalid)))?;
        begin()?;
        Ok(self.send(KIND, until, read_offsets, |client, options, answers| {
            // SAFETY: see `send`; librdkafka copies the list and what is asked, which is ours to destroy.
            unsafe {
                let mut asked = bindings::rd_kafka_DeleteConsumerGroupOffsets_new(group.as_ptr(), list.ptr());
                bindings::rd_kafka_DeleteConsumerGroupOffsets(client, &mut asked, 1, options, answers);
                bindings::rd_kafka_DeleteConsumerGroupOffsets_destroy(asked);
            }
        }))
    }
}

fn read_deleted(event: &Event) -> Result<(), Failure> {
    // SAFETY: the event is of this kind (see `Read`), and what it holds lives as long as it does.
    unsafe {
        let result = bindings::rd_kafka_event_DeleteGroups_result(event.ptr());
        let mut groups = elements(|count| bindings::rd_kafka_DeleteGroups_result_groups(result, count));
        let refused = groups.next().and_then(|group| failure(bindings::rd_kafka_group_result_error(group)));
        refused.map_or(Ok(()), Err)
    }
}

fn read_offsets(event: &Event) -> Result<Altered, Failure> {
    // SAFETY: as in `read_deleted`.
    unsafe {
        let result = bindings::rd_kafka_event_DeleteConsumerGroupOffsets_result(event.ptr());
        let entries = group_result(|count| bindings::rd_kafka_DeleteConsumerGroupOffsets_result_groups(result, count))?;
        Ok(entries.iter().map(|entry| (partition(entry), check(entry.err).map_err(Failure::code))).collect())
    }
}
