//! When new rows are shown: at once while the list is quiet, in batches while it is busy. Pure.

use std::{collections::VecDeque, time::Duration};

/// A list that gets more rows a second is busy.
const BUSY: usize = 20;
/// The least time between two batches of a busy list: ten a second can still be read.
const BATCH: Duration = Duration::from_millis(100);
/// The least time between two changes of the document that nobody would see apart: a frame of a 60 Hz display.
const FRAME: Duration = Duration::from_millis(16);
/// What "a second" is in [`BUSY`].
const SECOND: Duration = Duration::from_secs(1);

/// When to show what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// At once.
    Now,
    /// In the next frame.
    Frame,
    /// In the first frame after so long.
    After(Duration),
}

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

    /// When to show what came.
    pub(crate) fn when(&mut self, now: Duration) -> When {
        let since = self.shown.map(|shown| now.saturating_sub(shown));
        match since {
            Some(since) if self.is_busy(now) && since < BATCH => When::After(BATCH - since),
            Some(since) if since < FRAME => When::Frame,
            _ if self.is_busy(now) => When::Frame,
            _ => When::Now,
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
    fn a_quiet_list_shows_at_once_but_not_twice_in_a_frame() {
        let mut pace = Pace::default();
        for n in 0..5 {
            let now = n * 40 * MS;
            pace.came(now, 1);
            assert_eq!(pace.when(now), When::Now);
            pace.shown(now);
            pace.came(now + 3 * MS, 1);
            assert_eq!(pace.when(now + 3 * MS), When::Frame);
            pace.shown(now + 16 * MS);
        }
    }

    #[test]
    fn a_busy_list_shows_at_most_ten_times_a_second_until_it_is_quiet_again() {
        let mut pace = Pace::default();
        pace.came(Duration::ZERO, 500);
        assert_eq!(pace.when(Duration::ZERO), When::Frame, "nothing was shown yet");
        pace.shown(16 * MS);
        pace.came(20 * MS, 500);
        assert_eq!(pace.when(20 * MS), When::After(96 * MS));
        assert_eq!(pace.when(200 * MS), When::Frame);
        pace.shown(2000 * MS);
        pace.came(2001 * MS, 1);
        assert_eq!(pace.when(2001 * MS), When::Frame);
        assert_eq!(pace.when(2020 * MS), When::Now);
    }
}
