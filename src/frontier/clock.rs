//! When a host may be asked next: its pace, what it asked for, and its back-off.

use std::time::Duration;

use crate::policy::politeness;
use crate::policy::retry::Outages;
use crate::visit::{Millis, Rest};

use super::pace::{Pace, Tick};

/// The clock of one host.
///
/// Invariant: no request starts before `next_at` (the last one and the interval), nor before `blocked_until`; a parked
/// host is asked no more by this invocation.
#[derive(Debug)]
pub(super) struct HostClock {
    interval: Option<Duration>,
    pace: Option<Pace>,
    /// When the last request started: what the pace is counted from.
    asked_at: Millis,
    /// When the last request was handed out, which is not yet when the server saw it.
    started_at: Millis,
    blocked_until: Millis,
    /// Its Crawl-delay is longer than this invocation waits.
    long_delay: bool,
    /// It asks for more time than this invocation waits.
    parked: bool,
    outages: Outages,
}

impl HostClock {
    /// A host that was asked last at `asked_at` and must be left alone until `blocked_until`. It has no pace yet.
    pub(super) fn new(asked_at: Millis, blocked_until: Millis, now: Millis) -> Self {
        // What is stored may lie ahead: it is as late as it may have been by the clock that was followed then, and that may have
        // been set back since. No request was made after this moment, whoever made the last one, so that a whole interval from
        // now on is never too short.
        let asked_at = asked_at.min(now);
        Self {
            interval: None,
            pace: None,
            asked_at,
            started_at: asked_at,
            blocked_until,
            long_delay: false,
            parked: false,
            outages: Outages::default(),
        }
    }

    /// Takes back what was known of the host before it was forgotten.
    pub(super) fn recall(&mut self, parked: bool, outages: Outages) {
        (self.parked, self.outages) = (parked, outages);
    }

    /// From now on the pace is this rate, or the Crawl-delay if that is longer.
    pub(super) fn set_pace(&mut self, rate: f64, crawl_delay: Option<Duration>, max_wait: Millis, tick: &Tick) {
        let interval = politeness::interval(rate, crawl_delay);
        if self.interval != interval {
            self.interval = interval;
            self.pace = interval.and_then(|interval| Pace::new(interval, tick));
        }
        self.long_delay = crawl_delay.is_some_and(|delay| politeness::millis(delay) > max_wait);
    }

    /// Gives the host up for this invocation if it asks for more time than that waits.
    pub(super) fn park(&mut self, now: Millis, max_wait: Millis) {
        let asked_until = if self.long_delay { self.blocked_until.max(self.next_at()) } else { self.blocked_until };
        self.parked |= asked_until > now.saturating_add(max_wait);
    }

    pub(super) fn is_parked(&self) -> bool {
        self.parked
    }

    pub(super) fn outages(&self) -> Outages {
        self.outages
    }

    /// Until when it rests, and whether it asked for that; if it does.
    pub(super) fn rests(&self, now: Millis) -> Option<(Millis, bool)> {
        let rests = self.blocked_until > now && self.blocked_until >= self.next_at();
        rests.then_some((self.blocked_until, self.outages.streak() == 0))
    }

    /// The time between two requests, if there is to be any.
    pub(super) fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// The earliest time of the next request, by pace and rest.
    pub(super) fn free_at(&self) -> Millis {
        self.next_at().max(self.blocked_until)
    }

    /// The earliest time of the next request by the host's pace.
    fn next_at(&self) -> Millis {
        // Rounded up, so that the pace agrees when the time has come.
        let interval =
            self.interval.map_or(0, |it| politeness::millis(it.saturating_add(Duration::from_nanos(999_999))));
        self.asked_at.saturating_add(interval)
    }

    /// Counts a request handed out at `now`; or says when the pace allows one.
    pub(super) fn start(&mut self, now: Millis, max_wait: Millis) -> Result<(), Millis> {
        if let Some(pace) = &self.pace {
            pace.check()?;
        }
        (self.asked_at, self.started_at) = (now, now);
        self.park(now, max_wait);
        Ok(())
    }

    /// A request is over: the host rests as it asked for, or because it did not answer.
    pub(super) fn release(&mut self, rest: Rest, now: Millis, max_wait: Millis) {
        self.correct(rest.started_at, now);
        match rest.answered {
            Some(true) => self.outages.answered(now),
            Some(false) => {
                if let Some(until) = self.outages.failed(rest.started_at, self.blocked_until, now) {
                    self.blocked_until = self.blocked_until.max(until);
                }
            }
            None => {}
        }
        if let Some(until) = rest.asked_until {
            self.blocked_until = self.blocked_until.max(until);
            self.park(now, max_wait);
        }
    }

    /// The server sees a request some time between its start and its answer, and counts its gaps from there: a request
    /// that was held up on its way must not have the next one on its heels. The correction is bounded, so that slow
    /// answers cost little of the pace. On a machine that is busy, a request starts some time after it was handed out.
    fn correct(&mut self, started_at: Millis, now: Millis) {
        let Some(interval) = self.interval.map(politeness::millis) else { return };
        let seen = now.min(self.started_at.max(started_at).saturating_add(interval / 2));
        self.asked_at = self.asked_at.max(seen.saturating_sub(interval / 10) + 1);
    }

    /// A host that is given up need not be waited for.
    pub(super) fn stop_waiting(&mut self) {
        self.blocked_until = 0;
    }

    /// When the host was asked last, and until when it must be left alone: what is stored.
    pub(super) fn stored(&self) -> (Millis, Millis) {
        (self.asked_at, self.blocked_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_WAIT: Millis = 60_000;
    const NOW: Millis = 1_000_000;

    fn clock(rate: f64, delay: Option<Duration>) -> (HostClock, Tick) {
        let tick = Tick::default();
        tick.set(NOW);
        let mut clock = HostClock::new(0, 0, NOW);
        clock.set_pace(rate, delay, MAX_WAIT, &tick);
        (clock, tick)
    }

    fn unanswered(started_at: Millis) -> Rest {
        Rest { answered: Some(false), started_at, ..Rest::default() }
    }

    #[test]
    fn the_next_request_waits_for_the_interval() {
        let (mut clock, tick) = clock(2.0, None);
        assert!(clock.free_at() <= NOW);
        assert_eq!(clock.start(NOW, MAX_WAIT), Ok(()));
        assert_eq!(clock.free_at(), NOW + 500);
        tick.set(NOW + 499);
        assert_eq!(clock.start(NOW + 499, MAX_WAIT), Err(NOW + 500));
    }

    #[test]
    fn a_slow_answer_moves_the_next_request_by_less_than_half_an_interval() {
        let (mut clock, _) = clock(2.0, None);
        assert_eq!(clock.start(NOW, MAX_WAIT), Ok(()));
        clock.release(Rest { answered: Some(true), ..Rest::default() }, NOW + 30_000, MAX_WAIT);
        assert_eq!(clock.free_at(), NOW + 500 + 250 - 50 + 1);
    }

    #[test]
    fn a_request_that_was_sent_later_than_it_was_handed_out_is_seen_the_later() {
        let (mut clock, _) = clock(2.0, None);
        assert_eq!(clock.start(NOW, MAX_WAIT), Ok(()));
        let rest = Rest { answered: Some(true), started_at: NOW + 60, ..Rest::default() };
        clock.release(rest, NOW + 300, MAX_WAIT);
        assert_eq!(clock.free_at(), NOW + 500 + 300 - 50 + 1);
    }

    #[test]
    fn a_host_rests_as_it_asked_for_and_is_parked_if_that_is_too_long() {
        let (mut clock, _) = clock(0.0, None);
        clock.release(Rest { asked_until: Some(NOW + 9_000), ..Rest::default() }, NOW, MAX_WAIT);
        assert_eq!((clock.free_at(), clock.is_parked()), (NOW + 9_000, false));
        clock.release(Rest { asked_until: Some(NOW + MAX_WAIT + 1), ..Rest::default() }, NOW, MAX_WAIT);
        assert!(clock.is_parked());
    }

    #[test]
    fn a_host_that_does_not_answer_rests_twice_as_long_each_time() {
        let (mut clock, _) = clock(0.0, None);
        clock.release(unanswered(NOW), NOW, MAX_WAIT);
        assert_eq!(clock.free_at(), NOW + 750);
        clock.release(unanswered(NOW), NOW + 10, MAX_WAIT);
        assert_eq!(clock.free_at(), NOW + 750, "it was in flight in the same outage");
        clock.release(unanswered(NOW + 800), NOW + 800, MAX_WAIT);
        assert_eq!(clock.free_at(), NOW + 800 + 1_500);
        clock.stop_waiting();
        assert!(clock.free_at() <= NOW);
    }

    #[test]
    fn a_crawl_delay_beyond_all_waiting_parks_the_host_after_its_request() {
        let (mut clock, _) = clock(0.0, Some(Duration::from_secs(600)));
        clock.park(NOW, MAX_WAIT);
        assert!(!clock.is_parked(), "it was never asked: its first request may start");
        assert_eq!(clock.start(NOW, MAX_WAIT), Ok(()));
        assert!(clock.is_parked());
    }
}
