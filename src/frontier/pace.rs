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
}
