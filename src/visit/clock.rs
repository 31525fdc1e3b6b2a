//! Clocks that go on while the machine sleeps and that nobody sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::errand::{Millis, now};

/// Goes on while the machine sleeps: on Linux by this name, on macOS as the monotonic one.
#[cfg(any(target_os = "linux", target_os = "android"))]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const CLOCK: ClockId = ClockId::Monotonic;

/// Milliseconds since a moment before this process began.
fn passed() -> Millis {
    let time = clock_gettime(CLOCK);
    time.tv_sec.saturating_mul(1_000).saturating_add(time.tv_nsec / 1_000_000)
}

/// The time that is stored and scheduled by. It never runs backwards while the process lives. Clones share it.
#[derive(Debug, Clone)]
pub struct SteadyClock(Arc<AtomicI64>);

impl SteadyClock {
    /// By the wall clock.
    pub fn start() -> Self {
        Self::at(now())
    }

    /// It is `now`.
    pub fn at(now: Millis) -> Self {
        Self(Arc::new(AtomicI64::new(now - passed())))
    }

    pub fn now(&self) -> Millis {
        passed() + self.0.load(Ordering::Relaxed)
    }

    /// It is `now` at least, by the clock that this one follows.
    pub fn follow(&self, now: Millis) {
        self.0.fetch_max(now - passed(), Ordering::Relaxed);
    }
}

/// Until when this process may ask the hosts that it holds. Clones share it.
///
/// It is counted from before it was asked for, so that it ends no later than the database counts, and by a clock that goes on
/// while the machine sleeps.
#[derive(Debug, Clone)]
pub struct Lease {
    length: Duration,
    until: Arc<AtomicI64>,
}

/// When a lease was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked(Millis);

impl Lease {
    /// One that is yet to be asked for.
    pub fn new(length: Duration) -> Self {
        Self { length, until: Arc::new(AtomicI64::new(0)) }
    }

    pub fn length(&self) -> Duration {
        self.length
    }

    /// To be taken before it is asked for.
    pub fn asked() -> Asked {
        Asked(passed())
    }

    /// What was asked for then is granted.
    pub fn renew(&self, Asked(at): Asked) {
        let length = Millis::try_from(self.length.as_millis()).unwrap_or(Millis::MAX);
        self.until.store(at.saturating_add(length), Ordering::Release);
    }

    pub fn is_held(&self) -> bool {
        passed() < self.until.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_follows_another_and_never_runs_backwards() {
        let clock = SteadyClock::at(5_000_000);
        let twin = clock.clone();
        clock.follow(4_000_000);
        assert!((5_000_000..5_060_000).contains(&clock.now()));
        clock.follow(9_000_000);
        assert!((9_000_000..9_060_000).contains(&twin.now()));
    }

    #[test]
    fn a_lease_is_held_from_when_it_was_asked_for_and_ends() {
        let lease = Lease::new(Duration::from_secs(60));
        let asked = Lease::asked();
        assert!(!lease.is_held(), "it was not granted");
        lease.renew(asked);
        assert!(lease.is_held());
        lease.renew(Asked(passed() - 60_000));
        assert!(!lease.is_held());
    }
}
