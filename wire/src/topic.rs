//! A place in a log, written the one way that Ottla writes it: `orders[2]@1043`. And Kafka's rule for topic names.

use crate::produce::Rule;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A record's place: topic, partition, offset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The topic's name.
    pub topic: String,
    /// The partition's number, from 0.
    pub partition: i32,
    /// The offset inside the partition, from 0.
    #[serde(with = "crate::number::text")]
    pub offset: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]@{}", self.topic, self.partition, self.offset)
    }
}

impl FromStr for Place {
    type Err = Rule;

    /// Reads `topic[partition]@offset`.
    fn from_str(text: &str) -> Result<Self, Rule> {
        let parse = || {
            let (topic, rest) = text.split_once('[')?;
            let (partition, offset) = rest.split_once("]@")?;
            let place = Place { topic: topic.into(), partition: partition.parse().ok()?, offset: offset.parse().ok()? };
            (place.partition >= 0 && place.offset >= 0).then_some(place)
        };
        let place = parse().ok_or(Rule::Place)?;
        check_topic_name(&place.topic)?;
        Ok(place)
    }
}

/// The longest topic name that Kafka takes, in characters: file names end in `-partition.index` within 255.
/// (Kafka's `org.apache.kafka.common.internals.Topic.MAX_NAME_LENGTH`.)
const MAX_NAME: usize = 249;

/// Kafka's rule for topic names (`org.apache.kafka.common.internals.Topic.validate`): 1 to 249 of `[a-zA-Z0-9._-]`, and
/// neither `.` nor `..`.
pub fn check_topic_name(name: &str) -> Result<(), Rule> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match name {
        "" => Err(Rule::Required),
        "." | ".." => Err(Rule::TopicName),
        _ if name.len() > MAX_NAME || !name.chars().all(legal) => Err(Rule::TopicName),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_as_written() {
        let place = Place { topic: "orders.v2".into(), partition: 2, offset: i64::MAX };
        assert_eq!(place.to_string().parse(), Ok(place));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "orders", "orders[2]", "orders[2]1043", "orders[-1]@3", "orders[1]@-3", "orders[x]@3"] {
            assert_eq!(text.parse::<Place>(), Err(Rule::Place), "{text}");
        }
        assert_eq!("a b[1]@3".parse::<Place>(), Err(Rule::TopicName));
    }

    #[test]
    fn topic_names_follow_kafkas_rule() {
        for good in ["a", "test-topic", "A.b_c-9", &"x".repeat(249)] {
            assert_eq!(check_topic_name(good), Ok(()), "{good}");
        }
        for bad in [".", "..", "a b", "ü", "a/b", "話題", &"x".repeat(250)] {
            assert_eq!(check_topic_name(bad), Err(Rule::TopicName), "{bad}");
        }
        assert_eq!(check_topic_name(""), Err(Rule::Required));
    }
}
