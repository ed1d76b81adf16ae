//! Which log a topic's name means. A topic that is deleted and made anew keeps its name and gets another id (KIP-516); an offset
//! in the one says nothing about the other.

use std::collections::BTreeMap;
use wire::TopicId;

/// The logs that each topic's name meant in this epoch, as far as that is known.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    logs: BTreeMap<String, Vec<Log>>,
}

#[derive(Debug)]
struct Log {
    /// The first seq from which the name means it.
    since: u64,
    id: Option<String>,
}

/// What an id tells of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identified {
    /// What was known.
    Known,
    /// The present log's id.
    Present,
    /// Another log's: the present one is a former one now.
    Anew,
}

impl Topics {
    /// From `seq` on the topic's name has this id.
    pub fn identify(&mut self, topic: &str, id: &str, seq: u64) -> Identified {
        let (logs, id) = (self.logs_of(topic), Some(id.to_owned()));
        match logs.last_mut() {
            Some(present) if present.id == id => Identified::Known,
            Some(present) if present.id.is_none() => {
                present.id = id;
                Identified::Present
            }
            _ => {
                logs.push(Log { since: seq, id });
                Identified::Anew
            }
        }
    }

    /// From `seq` on the topic's name means another log, whose id is not known yet. False where the id of the present one was
    /// never known: then nobody could tell the two apart.
    pub fn begin_anew(&mut self, topic: &str, seq: u64) -> bool {
        let logs = self.logs_of(topic);
        let is_known = logs.last().is_some_and(|present| present.id.is_some());
        if is_known {
            logs.push(Log { since: seq, id: None });
        }
        is_known
    }

    /// Which of the name's logs, counted from 0, somebody speaks of who knows it by this id, or by none. None: one that was never
    /// here.
    pub fn log(&self, topic: &str, id: Option<&str>) -> Option<usize> {
        let Some(logs) = self.logs.get(topic) else { return Some(0) };
        let present = logs.len() - 1;
        let Some(id) = id else { return Some(present) };
        let found = logs.iter().rposition(|log| log.id.as_deref() == Some(id));
        // One whose id is not known may be the one.
        found.or_else(|| logs[present].id.is_none().then_some(present))
    }

    /// Which of the name's logs was the present one at `seq`.
    pub fn log_at(&self, topic: &str, seq: u64) -> usize {
        self.logs.get(topic).map_or(0, |logs| logs.partition_point(|log| log.since <= seq).saturating_sub(1))
    }

    /// The ids that held at `seq`.
    pub fn at(&self, seq: u64) -> Vec<TopicId> {
        let known = self.logs.iter().filter_map(|(topic, logs)| {
            let id = logs[self.log_at(topic, seq)].id.clone()?;
            Some(TopicId { topic: topic.clone(), id })
        });
        known.collect()
    }

    /// At least one: the present one is the last.
    fn logs_of(&mut self, topic: &str) -> &mut Vec<Log> {
        self.logs.entry(topic.to_owned()).or_insert_with(|| vec![Log { since: 0, id: None }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(topics: &Topics, seq: u64) -> Vec<String> {
        topics.at(seq).into_iter().map(|topic| topic.id).collect()
    }

    #[test]
    fn an_unknown_log_is_what_everyone_speaks_of() {
        let mut topics = Topics::default();
        assert_eq!((topics.log("a", None), topics.log("a", Some("x"))), (Some(0), Some(0)));
        assert_eq!(topics.identify("a", "x", 5), Identified::Present);
        assert_eq!(topics.identify("a", "x", 9), Identified::Known);
        assert_eq!((topics.log("a", Some("x")), topics.log("a", Some("y"))), (Some(0), None));
        assert_eq!(ids(&topics, 1), ["x"], "it was the same before its id was known");
    }

    #[test]
    fn another_id_is_another_log() {
        let mut topics = Topics::default();
        topics.identify("a", "x", 1);
        assert_eq!(topics.identify("a", "y", 7), Identified::Anew);
        assert_eq!(
            (topics.log("a", Some("x")), topics.log("a", Some("y")), topics.log("a", None)),
            (Some(0), Some(1), Some(1))
        );
        assert_eq!((ids(&topics, 6), ids(&topics, 7)), (vec!["x".to_owned()], vec!["y".to_owned()]));
        assert_eq!((topics.log_at("a", 6), topics.log_at("a", 7)), (0, 1));
    }

    #[test]
    fn a_log_may_begin_anew_before_its_id_is_known() {
        let mut topics = Topics::default();
        topics.identify("a", "x", 1);
        assert!(topics.begin_anew("a", 4));
        assert!(!topics.begin_anew("a", 5), "the next of its partitions");
        assert_eq!(ids(&topics, 4), [""; 0]);
        assert_eq!(topics.identify("a", "y", 9), Identified::Present);
        assert_eq!((ids(&topics, 3), ids(&topics, 4)), (vec!["x".to_owned()], vec!["y".to_owned()]));
    }
}
