//! At most one request an interval: governor's limiter, driven by the schedule's own time.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::policy::politeness;
use crate::visit::Millis;

/// The time that the schedule was told last, for the limiters to read. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Tick(Arc<AtomicU64>);

impl Tick {
    pub(super) fn set(&self, now: Millis) {
        let nanos = u64::try_from(now).unwrap_or(0).saturating_mul(1_000_000);
        self.0.store(nanos, Ordering::Relaxed);
    }
}

impl Clock for Tick {
    type Instant = Nanos;
    fn now(&self) -> Nanos {
        self.0.load(Ordering::Relaxed).into()
    }
}

/// A pace without bursts.
#[derive(Debug)]
pub(super) struct Pace(RateLimiter<NotKeyed, InMemoryState, Tick, NoOpMiddleware<Nanos>>);

impl Pace {
    /// None for an interval of zero, which is no limit.
    pub(super) fn new(interval: Duration, tick: &Tick) -> Option<Self> {
        let quota = Quota::with_period(interval)?.allow_burst(NonZeroU32::MIN);
        Some(Self(RateLimiter::direct_with_clock(quota, tick.clone())))
    }

    /// Takes the right to one request now, or says from when on there is one.
    pub(super) fn check(&self) -> Result<(), Millis> {
        self.0.check().map_err(|not_until| {
            let nanos = not_until.earliest_possible().duration_since(Nanos::from(0)).as_u64();
            Millis::try_from(nanos.div_ceil(1_000_000)).unwrap_or(Millis::MAX)
        })
    }
}

/// The pace of all requests together, or a share of it that changes.
#[derive(Debug)]
pub(super) struct GlobalPace {
    pace: Option<Pace>,
    /// Before this time it allows none.
    until: Millis,
    /// When it allowed the last one; before the first, when it was there first.
    asked_at: Option<Millis>,
}

impl GlobalPace {
    /// None is no limit. Of one that is shared out, nothing is there before [`set`](Self::set) says so.
    pub(super) fn new(interval: Option<Duration>, is_shared: bool, tick: &Tick) -> Self {
        let pace = interval.and_then(|interval| Pace::new(interval, tick));
        let until = if is_shared && pace.is_some() { Millis::MAX } else { 0 };
        Self { pace, until, asked_at: None }
    }

    /// Takes the right to one request now, or says from when on there may be one.
    pub(super) fn check(&mut self, now: Millis) -> Result<(), Millis> {
        let Some(pace) = &self.pace else { return Ok(()) };
        if now < self.until {
            return Err(self.until);
        }
        pace.check().inspect_err(|at| self.until = *at)?;
        self.asked_at = Some(now);
        Ok(())
    }

    pub(super) fn until(&self) -> Millis {
        self.until
    }

    /// The share is one request in such an interval, or none.
    pub(super) fn set(&mut self, interval: Option<Duration>, now: Millis, tick: &Tick) {
        let Some(interval) = interval else { return self.stop() };
        self.pace = Pace::new(interval, tick);
        // Counted from the last request, or a share that changes all the time would never allow one.
        self.until = self.asked_at.get_or_insert(now).saturating_add(politeness::millis(interval));
    }

    /// The share is lost.
    pub(super) fn stop(&mut self) {
        if self.pace.is_some() {
            self.until = Millis::MAX;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_an_interval_and_the_time_of_the_next() {
        let tick = Tick::default();
        tick.set(1_000);
        let pace = Pace::new(Duration::from_micros(250_500), &tick).unwrap();
        assert_eq!(pace.check(), Ok(()));
        assert_eq!(pace.check(), Err(1_251), "rounded up, so that the pace agrees when the time has come");
        tick.set(1_251);
        assert_eq!(pace.check(), Ok(()));
        assert!(Pace::new(Duration::ZERO, &tick).is_none());
    }

    #[test]
    fn a_share_that_changes_all_the_time_allows_requests_and_no_more_than_it_says() {
        let tick = Tick::default();
        let mut pace = GlobalPace::new(Some(Duration::from_secs(1)), true, &tick);
        assert_eq!(pace.check(1_000), Err(Millis::MAX), "nothing is shared out yet");
        let mut asked = Vec::new();
        for now in (2_000..12_000).step_by(100) {
            tick.set(now);
            let interval = if now % 200 == 0 { 1_000 } else { 1_050 };
            pace.set(Some(Duration::from_millis(interval)), now, &tick);
            if pace.check(now).is_ok() {
                asked.push(now);
            }
        }
        assert!(asked.len() >= 8, "{asked:?}");
        assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= 1_000), "{asked:?}");
        pace.set(None, 12_000, &tick);
        assert_eq!(pace.check(50_000), Err(Millis::MAX));
    }
}
