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
    app_offset: i64,
    committed_offset: i64,
    hi_offset: i64,
    ls_offset: i64,
}

impl Statistics {
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// Whether a connection to any broker stands.
    pub fn is_connected(&self) -> bool {
        self.brokers.values().any(|broker| broker.state == "UP")
    }

    /// Where a partition stands, and how many records wait in it that could be consumed.
    pub fn partition(&self, topic: &str, partition: i32) -> Option<(PartitionOffsets, u64)> {
        let topic = self.topics.get(topic)?;
        let found = topic.partitions.get(&partition)?;
        // Negative numbers are librdkafka's "not known" (RD_KAFKA_OFFSET_INVALID and others).
        let known = |offset: i64| (offset >= 0).then_some(offset);
        let readable = known(found.ls_offset).or(known(found.hi_offset));
        let waiting = match (readable, known(found.app_offset)) {
            (Some(end), Some(next)) => u64::try_from(end - next).unwrap_or(0),
            _ => 0,
        };
        let offsets = PartitionOffsets {
            topic: topic.topic.clone(),
            partition,
            committed: known(found.committed_offset),
            end: known(found.hi_offset),
        };
        Some((offsets, waiting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_that_are_not_known_are_none() {
        let json = br#"{"brokers":{"a:9092/1":{"state":"UP","nodeid":1}},"topics":{"t":{"topic":"t","age":1,"partitions":{
            "0":{"app_offset":7,"committed_offset":5,"hi_offset":9,"ls_offset":9},
            "-1":{"app_offset":-1001,"committed_offset":-1001,"hi_offset":-1001,"ls_offset":-1001}}}}}"#;
        let statistics = Statistics::parse(json).unwrap();
        assert!(statistics.is_connected());
        let (offsets, waiting) = statistics.partition("t", 0).unwrap();
        assert_eq!((offsets.committed, offsets.end, waiting), (Some(5), Some(9), 2));
        let (offsets, waiting) = statistics.partition("t", -1).unwrap();
        assert_eq!((offsets.committed, offsets.end, waiting), (None, None, 0));
    }
}
