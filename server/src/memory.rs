//! Gives memory back to the system. What a burst took stays with the allocator otherwise: free, between things that live on.

use std::{convert::Infallible, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// How often. Takes some milliseconds, in which a thread that wants memory may have to wait.
const EVERY: Duration = Duration::from_secs(8);

/// Gives back what is free, now and then, for as long as it is polled. Of no use with another C library than glibc: then it only
/// waits.
pub(crate) async fn give_back() -> Infallible {
    let mut time = interval(EVERY);
    time.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        time.tick().await;
        // Not on a thread that serves tabs. It can't fail, unless the runtime stops.
        let _ = tokio::task::spawn_blocking(trim).await;
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    // SAFETY: it takes the allocator's locks itself, and nothing that is in use is touched (malloc_trim(3)).
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}
