//! What happened in a run: what was produced, what each tab was told, what the marks say, what was committed. Pure data; who
//! gathers it is beside this file, what follows from it is in `verdict.rs`.

use super::numbered::Numbered;
use std::collections::{HashMap, HashSet};
use wire::{Flags, Millis};

/// A partition in one life of the topic: a topic that was deleted and made anew begins another, with offsets from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Log {
    /// Which life, from 0.
    pub life: u32,
    /// The partition's number.
    pub partition: i32,
}

/// What became of a produced record that the broker took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is in the log, and the group must consume it.
    Acknowledged,
    /// Its transaction was aborted: a `read_committed` consumer must never see it.
    Aborted,
}

/// A produced record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub log: Log,
    pub offset: i64,
    /// Counts the records of a log, from 0. Those that were not acknowledged leave holes.
    pub number: u64,
    pub fate: Fate,
}

/// A record that a tab was shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub log: Log,
    pub offset: i64,
    pub number: u64,
    /// The key's number inside the partition, and the record's number inside the key.
    pub key: u32,
    pub key_number: u64,
    pub flags: Flags,
    pub received: Millis,
}

/// A range of offsets, both ends included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub log: Log,
    pub first: i64,
    pub last: i64,
}

/// One thing that a tab was told, in the order of telling.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    Record(Shown),
    /// Consumed, and not sent to this tab.
    Gap(Range),
    /// Not consumed: deleted before.
    Missing(Range),
    /// What became known of records after they were sent.
    Flag(Range, Flags),
    Assigned {
        at: Millis,
        logs: Vec<Log>,
    },
    /// Revoked or lost.
    Taken {
        at: Millis,
        logs: Vec<Log>,
        is_lost: bool,
    },
}

/// One run of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Incarnation {
    pub instance: String,
    pub number: u64,
}

/// What one incarnation told its tab.
#[derive(Debug)]
pub(crate) struct Stream {
    pub by: Incarnation,
    pub told: Vec<Told>,
}

/// A consumption mark.
#[derive(Debug, Clone)]
pub(crate) struct Marked {
    pub by: Incarnation,
    pub log: Log,
    pub first: i64,
    /// The offset after the last one.
    pub next: i64,
    pub at: Millis,
}

/// A committed offset, when it was first seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Committed {
    pub log: Log,
    pub offset: i64,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub sent: Vec<Sent>,
    /// Deliveries that failed: in the log or not, nobody knows.
    pub failed: u64,
    pub streams: Vec<Stream>,
    pub marks: Vec<Marked>,
    pub committed: Vec<Committed>,
    /// What is read of events that name no life.
    pub life: u32,
    /// When each life but the first began.
    lives: Vec<Millis>,
    /// The next number of each log, over all producers.
    numbers: HashMap<Log, u64>,
    /// Acknowledged and not seen yet, to know when to stop waiting.
    pending: HashMap<Log, HashSet<i64>>,
    /// Seen before the acknowledgement came.
    early: HashMap<Log, HashSet<i64>>,
}

impl History {
    /// The partition `partition` in the topic's present life.
    pub fn log(&self, partition: i32) -> Log {
        Log { life: self.life, partition }
    }

    /// The partition in the life that the topic was in at that time.
    pub fn log_at(&self, partition: i32, at: Millis) -> Log {
        let life = self.lives.iter().filter(|began| **began <= at).count();
        Log { life: u32::try_from(life).unwrap_or(u32::MAX), partition }
    }

    /// The topic was deleted and made anew.
    pub fn begin_life(&mut self, at: Millis) {
        self.life += 1;
        self.lives.push(at);
    }

    /// The next record of a partition.
    pub fn next(&mut self, partition: i32) -> Numbered {
        let log = self.log(partition);
        let next = self.numbers.entry(log).or_insert(0);
        let number = *next;
        *next += 1;
        Numbered { log, number }
    }

    /// A record was taken by the broker.
    pub fn sent(&mut self, sent: Sent) {
        self.sent.push(sent);
        let was_early = self.early.get_mut(&sent.log).is_some_and(|offsets| offsets.remove(&sent.offset));
        if sent.fate == Fate::Acknowledged && !was_early {
            self.pending.entry(sent.log).or_default().insert(sent.offset);
        }
    }

    /// An incarnation's tab is open. Its number among the streams.
    pub fn begin_stream(&mut self, by: Incarnation) -> usize {
        if let Some(known) = self.streams.iter().position(|stream| stream.by == by) {
            return known;
        }
        self.streams.push(Stream { by, told: Vec::new() });
        self.streams.len() - 1
    }

    /// A tab was told something.
    pub fn told(&mut self, stream: usize, told: Told) {
        match &told {
            Told::Record(shown) => {
                let was_pending = self.pending.get_mut(&shown.log).is_some_and(|set| set.remove(&shown.offset));
                if !was_pending {
                    self.early.entry(shown.log).or_default().insert(shown.offset);
                }
            }
            Told::Gap(range) | Told::Missing(range) => self.accounted_for(*range),
            Told::Flag(..) | Told::Assigned { .. } | Told::Taken { .. } => {}
        }
        self.streams[stream].told.push(told);
    }

    /// A mark was read.
    pub fn marked(&mut self, mark: Marked) {
        self.accounted_for(Range { log: mark.log, first: mark.first, last: mark.next - 1 });
        self.marks.push(mark);
    }

    fn accounted_for(&mut self, Range { log, first, last }: Range) {
        if let Some(pending) = self.pending.get_mut(&log) {
            pending.retain(|offset| !(first..=last).contains(offset));
        }
    }

    /// How many acknowledged records nobody has spoken of yet.
    pub fn outstanding(&self) -> usize {
        self.pending.values().map(HashSet::len).sum()
    }

    /// When a partition went on after it was given to someone, of the assignments at or after `since`: when it was assigned,
    /// and when the first record was consumed of it.
    pub fn resumed_since(&self, since: Millis) -> Vec<Resumed> {
        let mut resumed = Vec::new();
        for stream in &self.streams {
            let mut waiting = HashMap::new();
            for told in &stream.told {
                match told {
                    Told::Assigned { at, logs } if *at >= since => {
                        waiting.extend(logs.iter().map(|log| (*log, *at)));
                    }
                    Told::Taken { logs, .. } => waiting.retain(|log, _| !logs.contains(log)),
                    Told::Record(shown) => {
                        if let Some(assigned) = waiting.remove(&shown.log) {
                            resumed.push(Resumed { log: shown.log, assigned, first: shown.received });
                        }
                    }
                    _ => {}
                }
            }
        }
        resumed
    }

    /// How many records this incarnation showed, of those that were received at or after `since`.
    pub fn shown_since(&self, instance: &str, since: Millis) -> usize {
        let streams = self.streams.iter().filter(|stream| stream.by.instance == instance);
        let told = streams.flat_map(|stream| &stream.told);
        told.filter(|told| matches!(told, Told::Record(shown) if shown.received >= since)).count()
    }

    /// How many offsets are declared missing.
    pub fn missing(&self) -> i64 {
        let told = self.streams.iter().flat_map(|stream| &stream.told);
        told.map(|told| if let Told::Missing(range) = told { range.last - range.first + 1 } else { 0 }).sum()
    }

    /// How often this instance was out of the group for too long, at or after `since`.
    pub fn losses_since(&self, instance: &str, since: Millis) -> usize {
        let streams = self.streams.iter().filter(|stream| stream.by.instance == instance);
        let is_loss = |told: &&Told| matches!(told, Told::Taken { at, is_lost: true, .. } if *at >= since);
        streams.flat_map(|stream| &stream.told).filter(is_loss).count()
    }

    /// How often this instance was given partitions, or had them taken, at or after `since`.
    pub fn moves_since(&self, instance: &str, since: Millis) -> usize {
        let streams = self.streams.iter().filter(|stream| stream.by.instance == instance);
        let moved = |told: &&Told| match told {
            Told::Assigned { at, .. } | Told::Taken { at, .. } => *at >= since,
            _ => false,
        };
        streams.flat_map(|stream| &stream.told).filter(moved).count()
    }

    /// What an instance was last given, and when each partition of it was taken again: what it owns, as its tabs know it.
    pub fn owned(&self, instance: &str) -> HashSet<Log> {
        let mut owned = HashSet::new();
        let Some(stream) = self.streams.iter().rfind(|stream| stream.by.instance == instance) else { return owned };
        for told in &stream.told {
            match told {
                Told::Assigned { logs, .. } => owned.extend(logs),
                Told::Taken { logs, .. } => owned.retain(|log| !logs.contains(log)),
                _ => {}
            }
        }
        owned
    }

    /// The longest that a partition was silent from `since` on, up to the last record of it that anyone received, in
    /// milliseconds.
    pub fn longest_silence(&self, partition: i32, since: Millis) -> Millis {
        let told = self.streams.iter().flat_map(|stream| &stream.told);
        let mut times: Vec<_> = told
            .filter_map(|told| match told {
                Told::Record(shown) if shown.log.partition == partition && shown.received >= since => {
                    Some(shown.received)
                }
                _ => None,
            })
            .chain([since])
            .collect();
        times.sort_unstable();
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }
}

/// A partition that went on with a new owner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resumed {
    pub log: Log,
    pub assigned: Millis,
    pub first: Millis,
}
