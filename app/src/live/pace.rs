//! When new rows are shown: in the next frame while the list is quiet, in batches while it is busy. Pure.

use std::{collections::VecDeque, time::Duration};

/// A list that gets more rows a second is busy.
const BUSY: usize = 20;
/// The least time between two batches of a busy list: ten a second can still be read.
const BATCH: Duration = Duration::from_millis(100);
/// What "a second" is in [`BUSY`].
const SECOND: Duration = Duration::from_secs(1);

/// Decides when to show. Times are on the tab's own clock.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When rows came within the last second, and how many.
    came: VecDeque<(Duration, usize)>,
    shown: Option<Duration>,
}

impl Pace {
    /// Takes note of `rows` rows.
    pub(crate) fn came(&mut self, now: Duration, rows: usize) {
        self.came.push_back((now, rows));
        self.forget(now);
    }

    /// Takes note that everything was shown.
    pub(crate) fn shown(&mut self, now: Duration) {
        self.shown = Some(now);
    }

    /// How long to wait before the frame in which to show what came. Zero: the next one.
    pub(crate) fn wait(&mut self, now: Duration) -> Duration {
        if self.is_busy(now) {
            self.shown.map_or(Duration::ZERO, |shown| (shown + BATCH).saturating_sub(now))
        } else {
            Duration::ZERO
        }
    }

    /// Whether the rows come too fast to be read one by one.
    pub(crate) fn is_busy(&mut self, now: Duration) -> bool {
        self.forget(now);
        self.came.iter().map(|(_, rows)| rows).sum::<usize>() > BUSY
    }

    fn forget(&mut self, now: Duration) {
        while self.came.front().is_some_and(|(at, _)| *at + SECOND <= now) {
            self.came.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_quiet_list_shows_in_the_next_frame() {
        let mut pace = Pace::default();
        for n in 0..20 {
            pace.came(n * MS, 1);
            assert_eq!(pace.wait(n * MS), Duration::ZERO);
            pace.shown(n * MS);
        }
    }

    #[test]
    fn a_busy_list_shows_at_most_ten_times_a_second_until_it_is_quiet_again() {
        let mut pace = Pace::default();
        pace.came(Duration::ZERO, 500);
        assert_eq!(pace.wait(Duration::ZERO), Duration::ZERO, "nothing was shown yet");
        pace.shown(16 * MS);
        pace.came(20 * MS, 500);
        assert_eq!(pace.wait(20 * MS), 96 * MS);
        assert_eq!(pace.wait(200 * MS), Duration::ZERO);
        pace.shown(2000 * MS);
        pace.came(2001 * MS, 1);
        assert_eq!(pace.wait(2001 * MS), Duration::ZERO);
    }
}
