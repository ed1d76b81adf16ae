//! A commit whose answer can be looked for and waited for. rdkafka's asynchronous commit never tells how it ended
//! (librdkafka answers to a callback of its configuration, which rdkafka does not set), and its synchronous one has no
//! deadline.

use crate::native::{Queue, check};
use rdkafka::{
    TopicPartitionList, bindings,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::RDKafkaErrorCode,
};
use std::{
    ptr,
    time::{Duration, Instant},
};

/// A commit that was sent. Must be dropped before its consumer.
pub(super) struct Commit {
    answers: Queue,
}

impl Commit {
    pub fn send<C: ConsumerContext>(
        consumer: &BaseConsumer<C>,
        offsets: &TopicPartitionList,
    ) -> Result<Self, RDKafkaErrorCode> {
        let answers = Queue::new(consumer.client());
        let (client, queue) = (consumer.client().native_ptr(), answers.ptr());
        // SAFETY: client, list and queue live through the call; without a callback the answer is an event on the queue.
        let sent = unsafe { bindings::rd_kafka_commit_queue(client, offsets.ptr(), queue, None, ptr::null_mut()) };
        check(sent).map(|()| Self { answers })
    }

    /// The answer, if it comes within `wait`.
    pub fn answer(&self, wait: Duration) -> Option<Result<(), RDKafkaErrorCode>> {
        let until = Instant::now() + wait;
        loop {
            let event = self.answers.poll(until.saturating_duration_since(Instant::now()))?;
            if event.kind() == bindings::RD_KAFKA_EVENT_OFFSET_COMMIT {
                return Some(event.error());
            }
        }
    }
}
