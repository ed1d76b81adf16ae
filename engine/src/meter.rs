//! What is counted for whoever watches the instance from outside, beside the audit: how long things take, how they end, what
//! waits. Nothing here is touched for each record that is consumed.

use kafka::ClientReport;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::{Duration, Instant},
};
use wire::{Behind, Millis, ProduceError, Receipt};

/// The upper bounds of a histogram's buckets but for the last one, which has none, in seconds.
pub const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// How long something took, many times. Written without a lock.
#[derive(Debug, Default)]
pub struct Durations {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// [`Durations`] as they were at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Histogram {
    /// How many took as long as the bound of the same index in [`BOUNDS`] at most, and longer than the one before. The last ones
    /// took longer than any.
    pub buckets: [u64; BOUNDS.len() + 1],
    /// What they took together, in seconds.
    pub sum: f64,
}

impl Durations {
    /// It took so long once more.
    pub fn note(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        self.buckets[BOUNDS.partition_point(|bound| *bound < seconds)].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// All of them so far.
    pub fn read(&self) -> Histogram {
        let sum = self.micros.load(Ordering::Relaxed) as f64 / 1e6;
        Histogram { buckets: self.buckets.each_ref().map(|bucket| bucket.load(Ordering::Relaxed)), sum }
    }
}

impl Histogram {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

/// What became of the messages that people and programs gave this instance.
#[derive(Debug, Default)]
pub(crate) struct Produce {
    acknowledged: AtomicU64,
    invalid: AtomicU64,
    refused: AtomicU64,
    timed_out: AtomicU64,
    took: Durations,
    /// When those began to wait that wait for Kafka, by a number of each.
    waiting: Mutex<BTreeMap<u64, Instant>>,
    next: AtomicU64,
}

/// What became of them as it was at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Produced {
    /// Acknowledged by Kafka.
    pub acknowledged: u64,
    /// Against a rule: they did not go to Kafka, or it does not know their topic or partition.
    pub invalid: u64,
    /// Not taken by Kafka.
    pub refused: u64,
    /// Without an answer in time.
    pub timed_out: u64,
    /// How long the acknowledged ones took.
    pub took: Histogram,
    /// How many wait for Kafka now.
    pub in_flight: usize,
    /// How long the oldest of them has waited.
    pub oldest: Option<Duration>,
}

/// A message that waits for Kafka, until this is dropped.
pub(crate) struct Waiting<'a> {
    of: &'a Produce,
    number: u64,
}

impl Produce {
    pub fn begin(&self) -> Waiting<'_> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.waiting.lock().insert(number, Instant::now());
        Waiting { of: self, number }
    }

    pub fn ended(&self, result: &Result<Receipt, ProduceError>) {
        let counter = match result {
            Ok(receipt) => {
                self.took.note(Duration::from_micros(receipt.acked_in));
                &self.acknowledged
            }
            Err(ProduceError::Invalid(_)) => &self.invalid,
            Err(ProduceError::Refused { .. }) => &self.refused,
            Err(ProduceError::TimedOut { .. }) => &self.timed_out,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub fn read(&self) -> Produced {
        let (in_flight, oldest) = {
            let waiting = self.waiting.lock();
            (waiting.len(), waiting.values().min().map(Instant::elapsed))
        };
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Produced {
            acknowledged: count(&self.acknowledged),
            invalid: count(&self.invalid),
            refused: count(&self.refused),
            timed_out: count(&self.timed_out),
            took: self.took.read(),
            in_flight,
            oldest,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.of.waiting.lock().remove(&self.number);
    }
}

/// What is counted of a feed's group, by its thread.
#[derive(Debug, Default)]
pub(crate) struct GroupMeter {
    pub assigned: AtomicU64,
    pub revoked: AtomicU64,
    pub lost: AtomicU64,
    pub commits: Durations,
    pub failed_commits: AtomicU64,
    /// When the last one was acknowledged; 0 before the first.
    pub committed_at: AtomicI64,
    pub client: Mutex<ClientReport>,
}

impl GroupMeter {
    pub fn committed(&self, took: Duration, is_acknowledged: bool, now: Millis) {
        if is_acknowledged {
            self.commits.note(took);
            self.committed_at.store(now, Ordering::Relaxed);
        } else {
            self.failed_commits.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The tabs that do not keep up. One that does is not in it and costs nothing.
#[derive(Debug, Default)]
pub(crate) struct LateTabs {
    /// When the oldest record that waits for each was polled, by a number of each.
    since: Mutex<BTreeMap<u64, Millis>>,
    next: AtomicU64,
}

impl LateTabs {
    /// A tab is this far behind now. `number` is what the tab keeps of it between two calls.
    pub fn note(&self, number: &mut Option<u64>, behind: Behind, now: Millis) {
        if behind == Behind::default() {
            self.forget(number);
            return;
        }
        let number = *number.get_or_insert_with(|| self.next.fetch_add(1, Ordering::Relaxed));
        let waits = Millis::try_from(behind.millis).unwrap_or(Millis::MAX);
        self.since.lock().insert(number, now.saturating_sub(waits));
    }

    /// The tab is gone, or keeps up.
    pub fn forget(&self, number: &mut Option<u64>) {
        if let Some(number) = number.take() {
            self.since.lock().remove(&number);
        }
    }

    /// How many there are, and since when the oldest record waits.
    pub fn read(&self) -> (usize, Option<Millis>) {
        let since = self.since.lock();
        (since.len(), since.values().min().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_the_first_bucket_that_is_not_below_it() {
        let durations = Durations::default();
        for millis in [0, 1, 2, 300, 60_000] {
            durations.note(Duration::from_millis(millis));
        }
        let read = durations.read();
        assert_eq!(read.buckets, [2, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
        assert_eq!(read.count(), 5);
        assert!((read.sum - 60.303).abs() < 1e-9, "{}", read.sum);
    }

    #[test]
    fn what_waits_is_told_with_the_age_of_the_oldest_until_it_ends() {
        let produce = Produce::default();
        assert_eq!((produce.read().in_flight, produce.read().oldest), (0, None));
        let first = produce.begin();
        std::thread::sleep(Duration::from_millis(20));
        let second = produce.begin();
        let read = produce.read();
        assert!(read.in_flight == 2 && read.oldest >= Some(Duration::from_millis(20)), "{read:?}");
        drop(first);
        let read = produce.read();
        assert!(read.in_flight == 1 && read.oldest < Some(Duration::from_millis(20)), "{read:?}");
        drop(second);
        assert_eq!(produce.read().in_flight, 0);
    }

    #[test]
    fn a_tab_is_late_from_when_it_is_behind_until_it_is_not() {
        let late = LateTabs::default();
        let behind = |millis| Behind { records: 1, bytes: 1, millis };
        let (mut one, mut other) = (None, None);
        late.note(&mut one, behind(3_000), 10_000);
        late.note(&mut other, behind(500), 10_000);
        assert_eq!(late.read(), (2, Some(7_000)));
        late.note(&mut one, behind(4_500), 12_000);
        assert_eq!(late.read(), (2, Some(7_500)));
        late.note(&mut one, Behind::default(), 12_000);
        late.note(&mut one, Behind::default(), 13_000);
        assert_eq!((one, late.read()), (None, (1, Some(9_500))));
        late.forget(&mut other);
        assert_eq!(late.read(), (0, None));
    }
}
