//! Clocks that go on while the machine sleeps and that nobody sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
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

/// A clock that is ahead by more is not followed back: whoever set it back has others wait for as long.
const TOLERANCE: Millis = 60_000;

/// The time that is stored and scheduled by. It never runs backwards while the process lives. Clones share it.
///
/// It may follow another clock, of which it is only known that it was read between a question and its answer. Of the times
/// that it may be there, this one shows the earliest: so nothing is done too soon that waits for a time which others stored.
#[derive(Debug, Clone)]
pub struct SteadyClock(Arc<Offset>);

/// What is added to [`passed`].
#[derive(Debug)]
struct Offset {
    earliest: AtomicI64,
    latest: AtomicI64,
    /// The time that was shown last.
    shown: AtomicI64,
}

impl SteadyClock {
    /// By the wall clock.
    pub fn start() -> Self {
        let offset = now() - passed();
        Self::between(offset, offset)
    }

    /// One that is yet to follow another.
    pub fn unset() -> Self {
        Self::between(Millis::MIN / 2, Millis::MAX / 2)
    }

    fn between(earliest: Millis, latest: Millis) -> Self {
        let shown = AtomicI64::new(Millis::MIN);
        Self(Arc::new(Offset { earliest: earliest.into(), latest: latest.into(), shown }))
    }

    pub fn now(&self) -> Millis {
        let now = passed().saturating_add(self.0.earliest.load(Ordering::Relaxed));
        self.0.shown.fetch_max(now, Ordering::Relaxed).max(now)
    }

    /// By how much the clock that this one follows may be ahead of it. What is stored for others is later by as much.
    pub fn slack(&self) -> Millis {
        self.0.latest.load(Ordering::Relaxed) - self.0.earliest.load(Ordering::Relaxed)
    }

    /// The clock that this one follows, which was asked then, has just answered that it is `now`. One task does so at a time.
    pub fn follow(&self, Asked(asked): Asked, now: Millis) {
        // All are rounded down.
        self.narrow(now - passed() - 1, now - asked + 1);
    }

    fn narrow(&self, earliest: Millis, latest: Millis) {
        let known = (self.0.earliest.load(Ordering::Relaxed), self.0.latest.load(Ordering::Relaxed));
        let (earliest, latest) = match (known.0.max(earliest), known.1.min(latest)) {
            (earliest, latest) if earliest <= latest => (earliest, latest),
            // It goes faster or slower than this machine's, or was set. This one stands still until it is there.
            _ if latest > known.0 - TOLERANCE => (earliest, latest),
            _ => known,
        };
        self.0.earliest.store(earliest, Ordering::Relaxed);
        self.0.latest.store(latest, Ordering::Relaxed);
    }
}

/// Until when this process may ask the hosts that it holds. Clones share it.
///
/// It is counted from before it was asked for, so that it ends no later than the database counts, and by a clock that goes on
/// while the machine sleeps.
#[derive(Debug, Clone)]
pub struct Lease {
    length: Duration,
    /// When what was granted last was asked for.
    asked: Arc<AtomicI64>,
    /// The database that grants it cannot be asked for now.
    is_away: Arc<AtomicBool>,
    /// Since when that database has been waited for.
    waits: Arc<AtomicI64>,
}

/// The time in which a database is waited for. It ends when this is dropped.
#[derive(Debug)]
pub struct Waiting(Arc<AtomicI64>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(Millis::MAX, Ordering::Release);
    }
}

/// When a lease was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked(Millis);

impl Lease {
    /// One that is yet to be asked for.
    pub fn new(length: Duration) -> Self {
        // Machines were started a while ago, but not so long.
        let (asked, waits) = (Arc::new(AtomicI64::new(Millis::MIN / 2)), Arc::new(AtomicI64::new(Millis::MAX)));
        Self { length, asked, is_away: Arc::default(), waits }
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
        self.asked.store(at, Ordering::Release);
    }

    pub fn is_held(&self) -> bool {
        self.age() < self.length
    }

    /// How long ago the one that is held, or was last, was asked for.
    pub fn age(&self) -> Duration {
        since(&self.asked)
    }

    /// Notes that the database that grants it is waited for. One task does so at a time.
    pub fn wait(&self) -> Waiting {
        self.waits.store(passed(), Ordering::Release);
        Waiting(self.waits.clone())
    }

    /// How long that database has been waited for; no time at all if it is not.
    pub fn waited(&self) -> Duration {
        since(&self.waits)
    }

    /// Notes whether the database that grants it cannot be asked for now.
    pub fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::Release);
    }

    pub fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Acquire)
    }
}

fn since(moment: &AtomicI64) -> Duration {
    let age = passed().saturating_sub(moment.load(Ordering::Acquire));
    Duration::from_millis(u64::try_from(age).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_shows_the_earliest_of_the_times_that_it_may_be_where_it_follows() {
        let clock = SteadyClock::unset();
        let twin = clock.clone();
        let asked = Asked(passed() - 40);
        clock.follow(asked, 5_000_000);
        let shown = twin.now();
        assert!((4_999_999..5_030_000).contains(&shown), "{shown}");
        assert!((40..30_000).contains(&twin.slack()), "the answer took 40 ms: {}", twin.slack());
    }

    #[test]
    fn each_answer_narrows_what_is_known_and_one_that_contradicts_it_counts_alone() {
        let clock = SteadyClock::between(1_000, 1_050);
        let known = || (clock.0.earliest.load(Ordering::Relaxed), clock.0.latest.load(Ordering::Relaxed));
        clock.narrow(990, 1_040);
        assert_eq!(known(), (1_000, 1_040));
        clock.narrow(1_020, 1_090);
        assert_eq!((known(), clock.slack()), ((1_020, 1_040), 20));
        clock.narrow(1_100, 1_200);
        assert_eq!(known(), (1_100, 1_200), "it goes faster there");
        let before = clock.now();
        clock.narrow(900, 950);
        assert_eq!(known(), (900, 950), "it goes slower there");
        assert!(clock.now() >= before, "which nobody here sees");
        clock.narrow(900 - 3_600_000, 950 - 3_600_000);
        assert_eq!(known(), (900, 950), "it was set back by an hour, which nobody is to wait for");
    }

    #[test]
    fn a_lease_is_held_from_when_it_was_asked_for_and_ends() {
        let lease = Lease::new(Duration::from_secs(60));
        let asked = Lease::asked();
        assert!(!lease.is_held(), "it was not granted");
        lease.renew(asked);
        assert!(lease.is_held());
        lease.renew(Asked(passed() - 60_000));
        assert!(!lease.is_held() && lease.age() >= lease.length());
    }

    #[test]
    fn a_database_is_waited_for_from_when_it_was_asked_until_it_answered() {
        let lease = Lease::new(Duration::from_secs(60));
        assert_eq!(lease.waited(), Duration::ZERO);
        let waiting = lease.wait();
        lease.waits.store(passed() - 5_000, Ordering::Release);
        assert!(lease.clone().waited() >= Duration::from_secs(5));
        drop(waiting);
        assert_eq!(lease.waited(), Duration::ZERO);
    }
}
