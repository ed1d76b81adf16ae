//! The little that Ottla wants of librdkafka's statistics (its STATISTICS.md has all of them).

use super::{BrokerReport, ClientReport, PartitionOffsets};
use serde::Deserialize;
use std::{collections::HashMap, time::Duration};

/// One report of librdkafka.
#[derive(Debug, Deserialize)]
pub(crate) struct Statistics {
    brokers: HashMap<String, Broker>,
    topics: HashMap<String, Topic>,
    #[serde(default)]
    rxmsg_bytes: u64,
    #[serde(default)]
    txmsg_bytes: u64,
    /// What waits to be sent, and was not acknowledged.
    #[serde(default)]
    msg_cnt: u64,
    #[serde(default)]
    msg_size: u64,
}

#[derive(Debug, Deserialize)]
struct Broker {
    state: String,
    /// -1 of those that were configured and of which no more is known.
    nodeid: i32,
    #[serde(default)]
    source: String,
    #[serde(default)]
    txerrs: u64,
    #[serde(default)]
    rxerrs: u64,
    #[serde(default)]
    txretries: u64,
    #[serde(default)]
    req_timeouts: u64,
    #[serde(default)]
    disconnects: u64,
    /// In microseconds.
    #[serde(default)]
    rtt: Window,
    /// In milliseconds, of those answers alone that made the client wait.
    #[serde(default)]
    throttle: Window,
}

/// What was measured since the last report.
#[derive(Debug, Default, Deserialize)]
struct Window {
    #[serde(default)]
    p99: u64,
    #[serde(default)]
    sum: u64,
    /// How many times.
    #[serde(default)]
    cnt: u64,
}

#[derive(Debug, Deserialize)]
struct Topic {
    topic: String,
    partitions: HashMap<i32, Partition>,
}

#[derive(Debug, Deserialize)]
struct Partition {
    fetch_state: String,
    next_offset: i64,
    app_offset: i64,
    committed_offset: i64,
    hi_offset: i64,
    ls_offset: i64,
    #[serde(default)]
    fetchq_cnt: u64,
    #[serde(default)]
    fetchq_size: u64,
}

/// What is told of one partition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Where it stands.
    pub offsets: PartitionOffsets,
    /// How many records wait that could be consumed.
    pub waiting: u64,
    /// Whether librdkafka does not fetch from it.
    pub is_stopped: bool,
    /// Whether librdkafka fetches from an offset that the log does not reach.
    pub is_beyond: bool,
}

impl Statistics {
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// Whether a connection to any broker stands.
    pub fn is_connected(&self) -> bool {
        self.brokers.values().any(|broker| broker.state == "UP")
    }

    /// What the client says of itself.
    pub fn client(&self) -> ClientReport {
        let sum = |count: fn(&Broker) -> u64| self.brokers.values().map(count).sum();
        // Brokers by themselves: the group's coordinator is one more entry for one of them.
        let learned = self.brokers.values().filter(|broker| broker.source == "learned");
        let mut brokers: Vec<_> = learned
            .map(|broker| BrokerReport {
                id: broker.nodeid,
                is_connected: broker.state == "UP",
                round_trip: (broker.rtt.cnt > 0).then(|| Duration::from_micros(broker.rtt.p99)),
            })
            .collect();
        brokers.sort_by_key(|broker| broker.id);
        // Every partition's queue is forwarded to the consumer's, and says how long that one is (`rd_kafka_q_len`).
        let partitions = || self.topics.values().flat_map(|topic| topic.partitions.values());
        ClientReport {
            brokers,
            prefetched_records: partitions().map(|partition| partition.fetchq_cnt).max().unwrap_or(0),
            prefetched_bytes: partitions().map(|partition| partition.fetchq_size).max().unwrap_or(0),
            received_bytes: self.rxmsg_bytes,
            queued_messages: self.msg_cnt,
            queued_bytes: self.msg_size,
            sent_bytes: self.txmsg_bytes,
            transmit_errors: sum(|broker| broker.txerrs),
            receive_errors: sum(|broker| broker.rxerrs),
            retries: sum(|broker| broker.txretries),
            timeouts: sum(|broker| broker.req_timeouts),
            connections_lost: sum(|broker| broker.disconnects),
            throttled: Duration::from_millis(sum(|broker| broker.throttle.sum)),
        }
    }

    /// What is told of a partition, if anything.
    pub fn partition(&self, topic: &str, partition: i32) -> Option<Report> {
        let topic = self.topics.get(topic)?;
        let found = topic.partitions.get(&partition)?;
        // Negative numbers are librdkafka's "not known" (RD_KAFKA_OFFSET_INVALID and others).
        let known = |offset: i64| (offset >= 0).then_some(offset);
        let end = known(found.hi_offset);
        let waiting = match (known(found.ls_offset).or(end), known(found.app_offset)) {
            (Some(readable), Some(next)) => u64::try_from(readable - next).unwrap_or(0),
            _ => 0,
        };
        Some(Report {
            offsets: PartitionOffsets {
                topic: topic.topic.clone(),
                partition,
                committed: known(found.committed_offset),
                end,
            },
            waiting,
            is_stopped: found.fetch_state == "none",
            is_beyond: matches!((known(found.next_offset), end), (Some(next), Some(end)) if next > end),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_that_are_not_known_are_none() {
        let json = br#"{"brokers":{"a:9092/1":{"state":"UP","nodeid":1}},"topics":{"t":{"topic":"t","age":1,"partitions":{
            "0":{"fetch_state":"active","next_offset":9,"app_offset":7,"committed_offset":5,"hi_offset":9,"ls_offset":9},
            "1":{"fetch_state":"none","next_offset":-1001,"app_offset":-1001,"committed_offset":-1001,"hi_offset":-1001,
                 "ls_offset":-1001}}}}}"#;
        let statistics = Statistics::parse(json).unwrap();
        assert!(statistics.is_connected());
        let report = statistics.partition("t", 0).unwrap();
        assert_eq!((report.offsets.committed, report.offsets.end, report.waiting), (Some(5), Some(9), 2));
        assert!(!report.is_stopped && !report.is_beyond);
        let report = statistics.partition("t", 1).unwrap();
        assert_eq!((report.offsets.committed, report.offsets.end, report.waiting), (None, None, 0));
        assert!(report.is_stopped && !report.is_beyond);
    }

    #[test]
    fn the_client_is_told_of_over_all_brokers_and_a_coordinator_is_no_further_one() {
        let json = br#"{"rxmsg_bytes":700,"topics":{"t":{"topic":"t","partitions":{
            "0":{"fetch_state":"active","next_offset":9,"app_offset":7,"committed_offset":5,"hi_offset":9,"ls_offset":9,
                 "fetchq_cnt":4,"fetchq_size":400},
            "1":{"fetch_state":"active","next_offset":9,"app_offset":7,"committed_offset":5,"hi_offset":9,"ls_offset":9,
                 "fetchq_cnt":4,"fetchq_size":400}}}},
            "brokers":{
            "b:9092/2":{"state":"DOWN","nodeid":2,"source":"learned","txerrs":1,"req_timeouts":2,"disconnects":3,
                        "rtt":{"p99":0,"cnt":0}},
            "a:9092/1":{"state":"UP","nodeid":1,"source":"learned","rxerrs":1,"txretries":5,"rtt":{"p99":2500,"cnt":9},
                        "throttle":{"sum":300,"p99":200,"cnt":2}},
            "a:9092/bootstrap":{"state":"UP","nodeid":-1,"source":"configured","txerrs":1},
            "GroupCoordinator":{"state":"UP","nodeid":1,"source":"logical","disconnects":1}}}"#;
        let report = Statistics::parse(json).unwrap().client();
        let connected: Vec<_> = report.brokers.iter().map(|broker| (broker.id, broker.is_connected)).collect();
        assert_eq!(connected, [(1, true), (2, false)]);
        assert_eq!(report.brokers[0].round_trip, Some(Duration::from_micros(2_500)));
        assert_eq!(report.brokers[1].round_trip, None);
        assert_eq!((report.prefetched_records, report.prefetched_bytes, report.received_bytes), (4, 400, 700));
        let errors = [report.transmit_errors, report.receive_errors, report.retries, report.timeouts];
        assert_eq!((errors, report.connections_lost), ([2, 1, 5, 2], 4));
        assert_eq!(report.throttled, Duration::from_millis(300));
    }

    #[test]
    fn a_producers_queue_is_told_of() {
        let json = br#"{"msg_cnt":3,"msg_size":300,"txmsg_bytes":9000,"brokers":{},"topics":{"t":{"topic":"t","partitions":{
            "-1":{"fetch_state":"none","next_offset":0,"app_offset":0,"committed_offset":0,"hi_offset":0,"ls_offset":0}}}}}"#;
        let report = Statistics::parse(json).unwrap().client();
        assert_eq!((report.queued_messages, report.queued_bytes, report.sent_bytes), (3, 300, 9_000));
    }
}
