//! A commit whose answer can be looked for and waited for. rdkafka's asynchronous commit never tells how it ended
//! (librdkafka answers to a callback of its configuration, which rdkafka does not set), and its synchronous one has no
//! deadline.

use rdkafka::{
    TopicPartitionList, bindings,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::RDKafkaErrorCode,
    types::RDKafkaRespErr,
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
        let client = consumer.client().native_ptr();
        // SAFETY: the client lives as long as the borrow of the consumer.
        let answers = Queue(unsafe { bindings::rd_kafka_queue_new(client) });
        // SAFETY: client, list and queue live through the call; without a callback the answer is an event on the queue.
        let sent = unsafe { bindings::rd_kafka_commit_queue(client, offsets.ptr(), answers.0, None, ptr::null_mut()) };
        check(sent).map(|()| Self { answers })
    }

    /// The answer, if it comes within `wait`.
    pub fn answer(&self, wait: Duration) -> Option<Result<(), RDKafkaErrorCode>> {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now()).as_millis();
            // SAFETY: the queue lives as long as `self`.
            let event =
                unsafe { bindings::rd_kafka_queue_poll(self.answers.0, i32::try_from(left).unwrap_or(i32::MAX)) };
            if event.is_null() {
                return None;
            }
            let event = Event(event);
            // SAFETY: the event is ours until it is dropped.
            if unsafe { bindings::rd_kafka_event_type(event.0) } == bindings::RD_KAFKA_EVENT_OFFSET_COMMIT {
                // SAFETY: as above.
                return Some(check(unsafe { bindings::rd_kafka_event_error(event.0) }));
            }
        }
    }
}

fn check(answer: RDKafkaRespErr) -> Result<(), RDKafkaErrorCode> {
    match answer {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        error => Err(error.into()),
    }
}

struct Queue(*mut bindings::rd_kafka_queue_t);

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: made by `rd_kafka_queue_new` and dropped once; librdkafka keeps its own reference while a commit is out.
        unsafe { bindings::rd_kafka_queue_destroy(self.0) };
    }
}

struct Event(*mut bindings::rd_kafka_event_t);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: returned by `rd_kafka_queue_poll`, which leaves it to the caller, and dropped once.
        unsafe { bindings::rd_kafka_event_destroy(self.0) };
    }
}
