//! The numbered records of a run: what stands in their values, and how it is read back.

use super::history::Log;
use serde::{Deserialize, Serialize};

/// How many keys a partition has. All records of a key go to its partition, as with Kafka's own partitioner.
pub(crate) const KEYS: u64 = 50;

/// A numbered record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbered {
    pub log: Log,
    /// Counts the records of the log.
    pub number: u64,
}

/// What stands in the value.
#[derive(Serialize, Deserialize)]
struct Value<'a> {
    run: &'a str,
    life: u32,
    partition: i32,
    number: u64,
    key: u32,
    key_number: u64,
}

impl Numbered {
    /// The number of its key inside the partition.
    pub fn key(self) -> u32 {
        (self.number % KEYS) as u32
    }

    /// Its number among the records of its key.
    pub fn key_number(self) -> u64 {
        self.number / KEYS
    }

    /// Kafka's key.
    pub fn kafka_key(self) -> String {
        format!("p{}-k{}", self.log.partition, self.key())
    }

    /// Kafka's value.
    pub fn value(self, run: &str) -> String {
        let Log { life, partition } = self.log;
        let (number, key, key_number) = (self.number, self.key(), self.key_number());
        // By hand: a serialiser would have to be told that this cannot fail.
        format!(
            r#"{{"run":"{run}","life":{life},"partition":{partition},"number":{number},"key":{key},"key_number":{key_number}}}"#
        )
    }

    /// What a value says, with its key's number and its number inside the key. None for a record of another run.
    pub fn parse(run: &str, value: &[u8]) -> Option<(Self, u32, u64)> {
        let value: Value<'_> = serde_json::from_slice(value).ok().filter(|value: &Value<'_>| value.run == run)?;
        let log = Log { life: value.life, partition: value.partition };
        Some((Self { log, number: value.number }, value.key, value.key_number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_back_and_another_runs_is_not() {
        let record = Numbered { log: Log { life: 1, partition: 3 }, number: 127 };
        let value = record.value("4f2a");
        assert_eq!(Numbered::parse("4f2a", value.as_bytes()), Some((record, 27, 2)));
        assert_eq!(Numbered::parse("other", value.as_bytes()), None);
        assert_eq!(Numbered::parse("4f2a", b"\xffno JSON"), None);
    }
}
