//! The little that Ottla wants of librdkafka's statistics (its STATISTICS.md has all of them).

use super::PartitionOffsets;
use serde::Deserialize;
use std::collections::HashMap;

/// One report of librdkafka.
#[derive(Debug, Deserialize)]
pub(super) struct Statistics {
    brokers: HashMap<String, Broker>,
    topics: HashMap<String, Topic>,
}

#[derive(Debug, Deserialize)]
struct Broker {
    state: String,
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
}

/// What is told of one partition.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
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
}
