//! librdkafka's queues and events, for the requests that rdkafka's safe interface lacks. What is asked and what the answers
//! hold is with who asks: `group/commit.rs`, `admin/requests.rs`.

use rdkafka::{
    bindings,
    client::{Client, ClientContext},
    error::RDKafkaErrorCode,
    types::RDKafkaRespErr,
};
use std::time::Duration;

/// A queue of its own for the answers to one request. Must be dropped before its client.
pub(crate) struct Queue(*mut bindings::rd_kafka_queue_t);

impl Queue {
    pub fn new<C: ClientContext>(client: &Client<C>) -> Self {
        // SAFETY: the client lives as long as its borrow.
        Self(unsafe { bindings::rd_kafka_queue_new(client.native_ptr()) })
    }

    pub fn ptr(&self) -> *mut bindings::rd_kafka_queue_t {
        self.0
    }

    /// The next event, if one comes within `wait` (cut to whole milliseconds).
    pub fn poll(&self, wait: Duration) -> Option<Event> {
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue lives as long as `self`.
        let event = unsafe { bindings::rd_kafka_queue_poll(self.0, wait) };
        (!event.is_null()).then(|| Event(event))
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: made by `rd_kafka_queue_new` and dropped once; librdkafka keeps its own reference while a request is out.
        unsafe { bindings::rd_kafka_queue_destroy(self.0) };
    }
}

/// An event of a queue.
pub(crate) struct Event(*mut bindings::rd_kafka_event_t);

impl Event {
    pub fn ptr(&self) -> *mut bindings::rd_kafka_event_t {
        self.0
    }

    pub fn kind(&self) -> bindings::rd_kafka_event_type_t {
        // SAFETY: the event is ours until it is dropped.
        unsafe { bindings::rd_kafka_event_type(self.0) }
    }

    pub fn error(&self) -> Result<(), RDKafkaErrorCode> {
        // SAFETY: as above.
        check(unsafe { bindings::rd_kafka_event_error(self.0) })
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: returned by `rd_kafka_queue_poll`, which leaves it to the caller, and dropped once.
        unsafe { bindings::rd_kafka_event_destroy(self.0) };
    }
}

pub(crate) fn check(answer: RDKafkaRespErr) -> Result<(), RDKafkaErrorCode> {
    match answer {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        error => Err(error.into()),
    }
}
