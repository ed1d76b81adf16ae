//! What is measured with tabs, in which order, and on which instance.

use super::{Results, picture::Point};
use crate::topics::Size;

/// How often the runs with and without stalled tabs alternate.
const TURNS: usize = 3;
/// The most tabs that are opened.
const MOST_TABS: u64 = 10_000;
/// Open files of an instance, and of this program, that are no tabs.
const OTHER_FILES: u64 = 500;

/// Runs on one instance: a name, and the flags of `ottla-load tabs`.
pub(super) struct Scene {
    pub name: &'static str,
    pub runs: Vec<(String, String)>,
}

/// What to measure.
pub(super) struct Plan {
    is_quick: bool,
    idle_tabs: u64,
    tabs: Vec<u32>,
    rates: Vec<u32>,
}

impl Plan {
    /// `quick`: a little of everything. As many idle tabs as `file_limit` open files allow.
    pub fn new(is_quick: bool, file_limit: u64) -> Self {
        let of = |quick: &[u32], full: &[u32]| if is_quick { quick.to_vec() } else { full.to_vec() };
        Self {
            is_quick,
            idle_tabs: file_limit.saturating_sub(OTHER_FILES).clamp(1, if is_quick { 100 } else { MOST_TABS }),
            tabs: of(&[1, 10], &[1, 3, 10, 30, 100, 300, 1_000]),
            rates: of(&[100, 1_000], &[100, 300, 1_000, 3_000, 10_000, 30_000, 100_000]),
        }
    }

    pub fn is_quick(&self) -> bool {
        self.is_quick
    }

    pub fn starts(&self) -> usize {
        if self.is_quick { 1 } else { 5 }
    }

    /// Records and rounds.
    pub fn ingest(&self) -> (u64, u32) {
        if self.is_quick { (2_000_000, 1) } else { (6_000_000, 3) }
    }

    pub fn topics(&self) -> Size {
        if self.is_quick {
            Size { topics: 300, partitions: 50, records: 20 }
        } else {
            Size { topics: 5_000, partitions: 500, records: 200 }
        }
    }

    pub fn scenes(&self) -> Vec<Scene> {
        let run = |name: &str, flags: String| (name.to_owned(), flags);
        let fan_out = if self.is_quick { "--tabs 10 --rate 1000" } else { "--tabs 50 --rate 2000" };
        let (many, saturating) = if self.is_quick { (20, 5_000) } else { (1_000, 100_000) };
        let stalled = (0..if self.is_quick { 1 } else { TURNS }).flat_map(|turn| {
            let flags = format!("{fan_out} --size 1000 {}", self.times(6, 2));
            [run(&none_stalled(turn), flags.clone()), run(&some_stalled(turn), format!("{flags} --stalled 10"))]
        });
        let growth = self.tabs.iter().map(|tabs| {
            run(&by_tabs(*tabs), format!("--tabs {tabs} --rate {} {}", Self::GROWTH_RATE, self.times(3, 1)))
        });
        let growth = growth.chain(self.rates.iter().map(|rate| {
            run(&by_rate(*rate), format!("--tabs {} --rate {rate} {}", Self::GROWTH_TABS, self.times(3, 1)))
        }));
        vec![
            // Kafka's virtual machine compiles what it runs often: a broker of half a minute ago is several times slower.
            Scene { name: "warm-up", runs: vec![run("warm-up", format!("{fan_out} {}", self.times(30, 0)))] },
            Scene {
                name: "fan-out",
                runs: vec![
                    run("latency", format!("{fan_out} --pace latency {}", self.times(10, 2))),
                    run("display", format!("{fan_out} --pace display {}", self.times(10, 2))),
                    run("json", format!("{fan_out} --subprotocol json {}", self.times(5, 2))),
                ],
            },
            Scene {
                name: "saturation",
                runs: vec![run("saturation", format!("--tabs 50 --rate {saturating} {}", self.times(6, 2)))],
            },
            Scene { name: "intake", runs: vec![run("intake", format!("--tabs 1 --rate 2000 {}", self.times(8, 2)))] },
            Scene {
                name: "idle",
                runs: vec![run("idle", format!("--idle --tabs {} {}", self.idle_tabs, self.times(12, 0)))],
            },
            Scene { name: "stalled", runs: stalled.collect() },
            Scene {
                name: "storm",
                runs: vec![run("storm", format!("--tabs {many} --rate 100 --storms 3 {}", self.times(12, 1)))],
            },
            Scene {
                name: "burst",
                runs: vec![run(
                    "burst",
                    format!("--tabs {many} --rate 1000 --pace display {} --rest {}", self.times(3, 0), self.rest()),
                )],
            },
            Scene { name: "growth", runs: growth.collect() },
        ]
    }

    /// What is measured in a browser, each on an instance of its own: a name, and the flags of `ottla-load browser`.
    pub fn browsers(&self) -> Vec<(String, String)> {
        let run = |rate, view: &str, warm_up| {
            let flags = format!("--rate {rate}{view} {}", self.browser_times(warm_up));
            (by_view(rate, view), flags)
        };
        if self.is_quick {
            return vec![run(1_000, "", 1)];
        }
        // At 1,000 a second the list is full after ten seconds.
        let mut runs: Vec<_> =
            [(1_000, 12), (10_000, 5), (100_000, 5)].map(|(rate, warm_up)| run(rate, "", warm_up)).into();
        runs.extend([" --view scrolled", " --view paused"].map(|view| run(10_000, view, 5)));
        runs
    }

    fn browser_times(&self, warm_up: u64) -> String {
        format!("--seconds {} --warm-up {warm_up}", if self.is_quick { 1 } else { 10 })
    }

    /// How growth is measured: records a second while the tabs grow, tabs while the rate grows.
    pub const GROWTH_RATE: u32 = 200;
    pub const GROWTH_TABS: u32 = 10;

    fn times(&self, seconds: u64, warm_up: u64) -> String {
        if self.is_quick {
            "--seconds 1 --warm-up 0 --settle 0".into()
        } else {
            format!("--seconds {seconds} --warm-up {warm_up}")
        }
    }

    fn rest(&self) -> u64 {
        if self.is_quick { 1 } else { 10 }
    }

    /// The 99th percentiles with and without stalled tabs, in milliseconds. Not where one is missing.
    pub fn stalled(&self, results: &Results) -> Option<(Vec<f64>, Vec<f64>)> {
        let of = |name: &dyn Fn(usize) -> String| -> Vec<f64> {
            let found = (0..TURNS).filter_map(|turn| Some(results.tabs.get(&name(turn))?.1.latency.as_ref()?.p99));
            found.collect()
        };
        let (none, some) = (of(&none_stalled), of(&some_stalled));
        (!none.is_empty() && none.len() == some.len()).then_some((none, some))
    }

    /// What was measured of growth: while the tabs grow, and while the rate grows.
    pub fn growth(&self, results: &Results) -> [Vec<Point>; 2] {
        let point = |x: u32, name: String| {
            let (_, report) = results.tabs.get(&name)?;
            let (latency, server) = (report.latency.as_ref()?, report.server.as_ref()?);
            let named =
                report.tabs.named_in_gaps as f64 / (report.tabs.named_in_gaps + report.tabs.delivered).max(1) as f64;
            Some(Point { x: f64::from(x), cpu: server.cpu, p50: latency.p50, p99: latency.p99, named })
        };
        [
            self.tabs.iter().filter_map(|tabs| point(*tabs, by_tabs(*tabs))).collect(),
            self.rates.iter().filter_map(|rate| point(*rate, by_rate(*rate))).collect(),
        ]
    }
}

/// What a run in a browser is called, that follows the list at this rate.
pub(super) fn browser_at(rate: u32) -> String {
    by_view(rate, "")
}

fn by_view(rate: u32, view: &str) -> String {
    format!("browser, {rate} records/s{view}")
}

fn none_stalled(turn: usize) -> String {
    format!("none stalled {turn}")
}

fn some_stalled(turn: usize) -> String {
    format!("a tenth stalled {turn}")
}

fn by_tabs(tabs: u32) -> String {
    format!("growth, {tabs} tabs")
}

fn by_rate(rate: u32) -> String {
    format!("growth, {rate} records/s")
}

#[cfg(test)]
mod tests {
    use super::{
        super::{BrowserLine, TabsLine},
        *,
    };
    use clap::Parser;
    use std::collections::HashSet;

    #[test]
    fn every_run_has_flags_that_the_generator_takes_and_a_name_of_its_own() {
        for is_quick in [false, true] {
            let mut names = HashSet::new();
            for (name, flags) in Plan::new(is_quick, 20_000).scenes().into_iter().flat_map(|scene| scene.runs) {
                let place = ["tabs", "--instances", "http://127.0.0.1:1", "--brokers", "127.0.0.1:2", "--topic", "t"];
                let line = TabsLine::try_parse_from(place.into_iter().chain(flags.split(' ')));
                assert!(line.is_ok(), "{flags}: {line:?}");
                assert!(names.insert(name.clone()), "{name} twice");
            }
            for (name, flags) in Plan::new(is_quick, 20_000).browsers() {
                let place = ["browser", "--instance", "http://127.0.0.1:1", "--brokers", "127.0.0.1:2", "--topic", "t"];
                let line = BrowserLine::try_parse_from(place.into_iter().chain(flags.split(' ')));
                assert!(line.is_ok(), "{flags}: {line:?}");
                assert!(names.insert(name.clone()), "{name} twice");
            }
        }
    }

    #[test]
    fn the_whole_takes_about_ten_minutes_and_the_quick_one_under_ninety_seconds() {
        // Besides what its flags say, a run connects, settles and drains, and a scene starts an instance.
        let seconds = |is_quick| -> u64 {
            let scenes = Plan::new(is_quick, 20_000).scenes();
            let runs = scenes.iter().flat_map(|scene| &scene.runs).map(|(_, flags)| {
                let words: Vec<_> = flags.split(' ').collect();
                let of = |flag, else_| {
                    let at = words.iter().position(|word| *word == flag);
                    at.map_or(else_, |at| words[at + 1].parse::<u64>().unwrap())
                };
                of("--seconds", 10) + of("--warm-up", 2) + of("--settle", 2) + of("--rest", 0) + 1
            });
            runs.sum::<u64>() + scenes.len() as u64 * 2
        };
        // The rest is Kafka's start, the ingest and the micro-benchmarks.
        assert!(seconds(false) <= 400, "{}", seconds(false));
        assert!(seconds(true) <= 50, "{}", seconds(true));
    }

    #[test]
    fn the_file_limit_bounds_the_idle_tabs() {
        assert_eq!(Plan::new(false, 1_024).idle_tabs, 524);
        assert_eq!(Plan::new(false, 1_000_000).idle_tabs, 10_000);
        assert_eq!(Plan::new(true, 1_000_000).idle_tabs, 100);
    }
}
