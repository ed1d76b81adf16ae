//! What processes use, from the system's table of them.

use anyhow::Context as _;
use std::time::Duration;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// What processes have used up to now, together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Time on a processor, in the program and in the system for it.
    pub cpu: Duration,
    /// Resident memory in bytes.
    pub rss: u64,
}

/// Some processes.
pub(crate) struct Processes {
    system: System,
    pids: Vec<Pid>,
}

impl Processes {
    /// # Errors
    /// On a system whose table of processes is not known how to be read.
    pub fn new(pids: &[u32]) -> anyhow::Result<Self> {
        let system = System::new().context("the table of processes can't be read")?;
        Ok(Self { system, pids: pids.iter().copied().map(Pid::from_u32).collect() })
    }

    /// What they have used together. None where there are none, or one of them is gone.
    pub fn sample(&mut self) -> Option<Sample> {
        let what = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&self.pids), true, what);
        let mut sum = Sample { cpu: Duration::ZERO, rss: 0 };
        for pid in &self.pids {
            let process = self.system.process(*pid)?;
            sum.cpu += Duration::from_millis(process.accumulated_cpu_time());
            sum.rss += process.memory();
        }
        (!self.pids.is_empty()).then_some(sum)
    }
}

/// The system's load average over the last minute: above the number of cores, what is measured waits for others. 0 where it is
/// not known.
pub(crate) fn load_average() -> f64 {
    System::load_average().map_or(0.0, |average| average.one)
}

/// The share of one core that was used between two samples.
pub(super) fn share(samples: &[Option<Sample>; 2], took: Duration) -> Option<f64> {
    Some(used(samples)?.as_secs_f64() / took.as_secs_f64())
}

/// The time used between two samples.
pub(super) fn used([began, ended]: &[Option<Sample>; 2]) -> Option<Duration> {
    Some(ended.as_ref()?.cpu.saturating_sub(began.as_ref()?.cpu))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_process_that_works_is_seen_to() {
        let mut own = Processes::new(&[std::process::id()]).unwrap();
        let before = own.sample().unwrap();
        assert!(before.rss > 100_000, "{before:?}");
        let began = Instant::now();
        let mut number = 1_u64;
        while began.elapsed() < Duration::from_millis(300) {
            number = std::hint::black_box(number.wrapping_mul(31));
        }
        let after = own.sample();
        let used = used(&[Some(before), after]).unwrap();
        // Other tests and other processes may take the processor meanwhile.
        assert!(used >= Duration::from_millis(30), "{used:?} of {number}");
    }

    #[test]
    fn nobody_and_someone_who_is_gone_have_no_figures() {
        assert_eq!(Processes::new(&[]).unwrap().sample(), None);
        // No system gives this one out: Linux ends at 2^22.
        assert_eq!(Processes::new(&[std::process::id(), u32::MAX / 2]).unwrap().sample(), None);
    }
}
