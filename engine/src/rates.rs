//! How fast topics grow: from the log end offsets that pages ask for anyway, so that nothing more is asked of Kafka. What nobody looks
//! at has no rate.

use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use wire::TopicRate;

/// Two looks closer than this say nothing.
const LEAST: Duration = Duration::from_secs(1);
/// A rate is over this long at least, where looks are that close; over twice as long at most.
const OVER: Duration = Duration::from_secs(30);
/// A look older than this says nothing of now.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// What was seen of topics.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    seen: Mutex<HashMap<String, Seen>>,
}

/// Two looks at a topic: when, and the sum of its log end offsets.
#[derive(Debug, Clone, Copy)]
struct Seen {
    base: (Instant, i64),
    last: (Instant, i64),
}

/// A look at some topics.
pub(crate) struct Look<'a> {
    all: MutexGuard<'a, HashMap<String, Seen>>,
    now: Instant,
}

impl Rates {
    /// Begins a look, of which everything is as of `now`.
    pub fn look(&self, now: Instant) -> Look<'_> {
        let mut all = self.seen.lock();
        all.retain(|_, seen| now.duration_since(seen.last.0) < FORGOTTEN_AFTER);
        Look { all, now }
    }

    /// When a topic was last looked at.
    pub fn last(&self, topic: &str) -> Option<Instant> {
        self.seen.lock().get(topic).map(|seen| seen.last.0)
    }
}

impl Look<'_> {
    /// Takes note of a topic, and tells how fast it grew since an earlier look.
    pub fn note(&mut self, topic: &str, written: i64) -> Option<TopicRate> {
        let now = self.now;
        let first = Seen { base: (now, written), last: (now, written) };
        let seen = self.all.entry(topic.to_owned()).or_insert(first);
        if written < seen.last.1 {
            // Another topic of the same name.
            *seen = first;
        }
        if seen.last.0.duration_since(seen.base.0) >= OVER {
            seen.base = seen.last;
        }
        seen.last = (now, written);
        let (at, before) = seen.base;
        let over = now.duration_since(at);
        let rate = TopicRate { records: written.abs_diff(before), millis: u64::try_from(over.as_millis()).ok()? };
        (over >= LEAST).then_some(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_what_came_between_two_looks() {
        let (rates, began) = (Rates::default(), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        let rate = |records, seconds: u64| Some(TopicRate { records, millis: seconds * 1_000 });
        assert_eq!(rates.look(at(0)).note("t", 100), None);
        assert_eq!(rates.look(at(0)).note("t", 100), None, "no time went by");
        assert_eq!(rates.look(at(5)).note("t", 150), rate(50, 5));
        assert_eq!(rates.look(at(30)).note("t", 400), rate(300, 30));
        // Half a minute is over: the look before is what is compared with.
        assert_eq!(rates.look(at(40)).note("t", 500), rate(100, 10));
        assert_eq!(rates.look(at(40)).note("u", 7), None);
    }

    #[test]
    fn what_was_seen_long_ago_or_of_another_topic_says_nothing() {
        let (rates, began) = (Rates::default(), Instant::now());
        rates.look(began).note("t", 100);
        assert_eq!(rates.look(began + FORGOTTEN_AFTER).note("t", 900), None);
        assert_eq!(rates.look(began + FORGOTTEN_AFTER + OVER).note("t", 3), None, "it was made anew");
    }
}
