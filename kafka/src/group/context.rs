//! The consumer's callbacks. They only note what happened; the group's thread acts on it between two polls, where it has
//! everything at hand and nothing is borrowed.

use super::{Partition, statistics::Statistics};
use crate::context::log;
use parking_lot::Mutex;
use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    types::RDKafkaRespErr,
};
use std::sync::atomic::{AtomicBool, Ordering};

/// What happened in a poll, in order.
#[derive(Debug)]
pub(super) enum Note {
    /// The group gives partitions.
    Assign(Vec<Partition>),
    /// The group takes partitions back.
    Revoke(Vec<Partition>),
    /// The member was out of the group: others may have the partitions already.
    Lose(Vec<Partition>),
    /// Something is wrong, in librdkafka's words.
    Error(RDKafkaErrorCode, String),
    /// Once a second.
    Statistics(Statistics),
}

#[derive(Default)]
pub(super) struct GroupContext {
    notes: Mutex<Vec<Note>>,
    is_closing: AtomicBool,
}

impl GroupContext {
    pub fn take(&self) -> Vec<Note> {
        std::mem::take(&mut self.notes.lock())
    }

    /// From now on the thread does not act on notes any more: assignments are given back at once, so that the consumer can
    /// close.
    pub fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
    }

    fn note(&self, note: Note) {
        self.notes.lock().push(note);
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = error.rdkafka_error_code() {
            self.note(Note::Error(code, reason.to_owned()));
        }
    }

    fn stats_raw(&self, json: &[u8]) {
        match Statistics::parse(json) {
            Ok(statistics) => self.note(Note::Statistics(statistics)),
            Err(error) => tracing::debug!(%error, "statistics of librdkafka"),
        }
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let is_assign = what == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.is_closing.load(Ordering::Relaxed) {
            let _ = if is_assign { assign(consumer, list) } else { unassign(consumer, list) };
            return;
        }
        let partitions =
            list.elements().into_iter().map(|element| Partition::new(element.topic(), element.partition()));
        let partitions = partitions.collect();
        self.note(match is_assign {
            true => Note::Assign(partitions),
            false if consumer.assignment_lost() => Note::Lose(partitions),
            false => Note::Revoke(partitions),
        });
    }
}

/// Takes partitions on, as the group's protocol wants it said.
pub(super) fn assign<C: ConsumerContext>(consumer: &BaseConsumer<C>, list: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(list),
        _ => consumer.assign(list),
    }
}

/// Gives partitions back, as the group's protocol wants it said.
pub(super) fn unassign<C: ConsumerContext>(consumer: &BaseConsumer<C>, list: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
        _ => consumer.unassign(),
    }
}
