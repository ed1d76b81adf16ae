//! Partitions as small numbers: a (topic, partition) gets an ordinal, in the order of first sight, and keeps it.

use std::{collections::HashMap, sync::Arc};

/// A partition's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub topic: Arc<str>,
    pub partition: i32,
}

/// Gives ordinals. The lookup is on the path of every record; batches come partition by partition, so the last answer is
/// mostly the next one.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    names: Vec<Name>,
    ordinals: HashMap<Arc<str>, HashMap<i32, u32>>,
    last: u32,
}

impl Partitions {
    /// The ordinal of a partition, a new one if it was not seen before.
    pub fn ordinal(&mut self, topic: &str, partition: i32) -> u32 {
        let is_last = |name: &Name| name.partition == partition && *name.topic == *topic;
        if !self.names.get(self.last as usize).is_some_and(is_last) {
            self.last = self.find(topic, partition).unwrap_or_else(|| self.add(topic, partition));
        }
        self.last
    }

    /// The ordinal of a partition that was seen before.
    pub fn find(&self, topic: &str, partition: i32) -> Option<u32> {
        self.ordinals.get(topic)?.get(&partition).copied()
    }

    /// All names; an ordinal is an index.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    fn add(&mut self, topic: &str, partition: i32) -> u32 {
        let ordinal = u32::try_from(self.names.len()).expect("a process never sees four billion partitions");
        let topic = match self.ordinals.get_key_value(topic) {
            Some((topic, _)) => Arc::clone(topic),
            None => Arc::from(topic),
        };
        self.ordinals.entry(Arc::clone(&topic)).or_default().insert(partition, ordinal);
        self.names.push(Name { topic, partition });
        ordinal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_keeps_its_ordinal() {
        let mut partitions = Partitions::default();
        let first: Vec<_> = [("a", 0), ("a", 1), ("b", 0)].map(|(topic, p)| partitions.ordinal(topic, p)).into();
        assert_eq!(first, [0, 1, 2]);
        assert_eq!(partitions.ordinal("a", 1), 1);
        assert_eq!(partitions.find("b", 0), Some(2));
        assert_eq!(partitions.find("b", 1), None);
        assert_eq!(partitions.names()[2], Name { topic: "b".into(), partition: 0 });
    }
}
