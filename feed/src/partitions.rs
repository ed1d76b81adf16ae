//! Partitions as small numbers: a partition of a log gets an ordinal, in the order of first sight, and keeps it. A topic that is
//! deleted and made anew is another log of the same name: its partitions get ordinals of their own.

use std::{collections::HashMap, sync::Arc};

/// A partition's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub topic: Arc<str>,
    pub partition: i32,
    /// Which of the logs of the topic's name: they are counted from 0.
    pub log: usize,
}

/// Gives ordinals. The lookup is on the path of every record; batches come partition by partition, so the last answer is
/// mostly the next one.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    names: Vec<Name>,
    /// By topic, log and partition. Of every topic's logs the last one is the present one.
    ordinals: HashMap<Arc<str>, Vec<HashMap<i32, u32>>>,
    last: Option<u32>,
}

impl Partitions {
    /// The ordinal of a partition of the topic's present log, a new one if it was not seen before.
    pub fn ordinal(&mut self, topic: &str, partition: i32) -> u32 {
        let is_it = |name: &Name| name.partition == partition && *name.topic == *topic;
        if let Some(last) = self.last.filter(|last| is_it(&self.names[*last as usize])) {
            return last;
        }
        let present = self.ordinals.get(topic).and_then(|logs| logs.last());
        let found = present.and_then(|ordinals| ordinals.get(&partition)).copied();
        let ordinal = found.unwrap_or_else(|| self.add(topic, partition));
        self.last = Some(ordinal);
        ordinal
    }

    /// The ordinal of a partition that was seen before.
    pub fn find(&self, topic: &str, partition: i32, log: usize) -> Option<u32> {
        self.ordinals.get(topic)?.get(log)?.get(&partition).copied()
    }

    /// From now on the topic's name means another log.
    pub fn begin_anew(&mut self, topic: &str) {
        self.logs(topic).1.push(HashMap::new());
        self.last = None;
    }

    /// The next name of another [`Partitions`], in the order of its ordinals.
    pub fn take_over(&mut self, name: &Name) {
        while self.logs(&name.topic).1.len() <= name.log {
            self.begin_anew(&name.topic);
        }
        self.add(&name.topic, name.partition);
    }

    /// All names; an ordinal is an index.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    fn add(&mut self, topic: &str, partition: i32) -> u32 {
        let ordinal = u32::try_from(self.names.len()).expect("a process never sees four billion partitions");
        let (topic, logs) = self.logs(topic);
        let log = logs.len() - 1;
        logs[log].insert(partition, ordinal);
        self.names.push(Name { topic, partition, log });
        ordinal
    }

    fn logs(&mut self, topic: &str) -> (Arc<str>, &mut Vec<HashMap<i32, u32>>) {
        let topic = match self.ordinals.get_key_value(topic) {
            Some((topic, _)) => Arc::clone(topic),
            None => Arc::from(topic),
        };
        let logs = self.ordinals.entry(Arc::clone(&topic)).or_insert_with(|| vec![HashMap::new()]);
        (topic, logs)
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
        assert_eq!(partitions.find("b", 0, 0), Some(2));
        assert_eq!(partitions.find("b", 1, 0), None);
        assert_eq!(partitions.names()[2], Name { topic: "b".into(), partition: 0, log: 0 });
    }

    #[test]
    fn another_log_of_the_same_name_has_ordinals_of_its_own() {
        let mut partitions = Partitions::default();
        assert_eq!(partitions.ordinal("a", 0), 0);
        partitions.begin_anew("a");
        assert_eq!(partitions.ordinal("a", 0), 1);
        assert_eq!((partitions.find("a", 0, 0), partitions.find("a", 0, 1)), (Some(0), Some(1)));
        partitions.begin_anew("b");
        assert_eq!(partitions.ordinal("b", 0), 2);
        assert_eq!(partitions.names()[2].log, 1);
    }
}
