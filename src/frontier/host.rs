//! One host in the frontier: its queue window, its clock, what robots.txt says, and what it offers now.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::canonical::{CanonicalUrl, Host};
use crate::policy::politeness;
use crate::policy::robots::{MAX_ROBOTS_AGE, Rules};
use crate::visit::{FailureKind, HostId, HostRecord, Millis, Refusal, RobotsAnswer, SkipReason, Target, UrlId};

use super::schedule::Limits;

/// The schedule's own time, told to governor, so that a fake clock drives both.
#[derive(Debug, Clone, Default)]
pub(super) struct Tick(Arc<std::sync::atomic::AtomicU64>);

impl Tick {
    pub(super) fn set(&self, now: Millis) {
        let nanos = u64::try_from(now).unwrap_or(0).saturating_mul(1_000_000);
        self.0.store(nanos, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Clock for Tick {
    type Instant = Nanos;
    fn now(&self) -> Nanos {
        self.0.load(std::sync::atomic::Ordering::Relaxed).into()
    }
}

/// A pace: at most one request an interval, no bursts.
#[derive(Debug)]
pub(super) struct Pace(RateLimiter<NotKeyed, InMemoryState, Tick, NoOpMiddleware<Nanos>>);

impl Pace {
    pub(super) fn new(interval: Duration, tick: &Tick) -> Option<Self> {
        let quota = Quota::with_period(interval)?.allow_burst(NonZeroU32::MIN);
        Some(Self(RateLimiter::direct_with_clock(quota, tick.clone())))
    }

    /// Takes one cell, or says when there will be one.
    pub(super) fn check(&self) -> Result<(), Millis> {
        self.0.check().map_err(|not_until| {
            let nanos = not_until.earliest_possible().duration_since(Nanos::from(0)).as_u64();
            Millis::try_from(nanos.div_ceil(1_000_000)).unwrap_or(Millis::MAX)
        })
    }
}

/// A robots.txt request that waits for its turn on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RobotsCall {
    pub(super) for_host: HostId,
    pub(super) url: CanonicalUrl,
    pub(super) hop: u32,
    pub(super) attempt: u32,
    pub(super) due_at: Millis,
}

/// What is known of the host's robots.txt.
#[derive(Debug)]
pub(super) enum RobotsState {
    Unknown,
    /// A request for it is queued or in flight; nothing else may be asked until it is settled.
    Asked,
    Known {
        rules: Rules,
        until: Millis,
    },
    /// No connection to be had: its URLs fail like this.
    Dead {
        kind: FailureKind,
        message: Arc<str>,
        attempts: u32,
    },
    Private,
}

/// What is known of the host's sitemaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SitemapsState {
    /// robots.txt names them, or leaves it to custom, and nobody has looked.
    Due,
    /// No page until it is settled: one may turn out to be a sitemap.
    Asked,
    /// Taken up, or not wanted.
    Known,
}

/// A queued target: what is new first, then the shortest path, then the order of discovery.
#[derive(Debug, PartialEq, Eq)]
struct Queued(Target);

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |queued: &Self| (queued.0.known, queued.0.depth, queued.0.id);
        rank(self).cmp(&rank(other))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(Debug)]
pub(super) struct HostState {
    pub(super) host: Host,
    pub(super) robots: RobotsState,
    pub(super) calls: VecDeque<RobotsCall>,
    window: BinaryHeap<Reverse<Queued>>,
    later: BinaryHeap<Reverse<(Millis, Queued)>>,
    /// Ids in memory or handed out: a refill must not bring them again.
    pub(super) held: HashSet<UrlId>,
    /// Queued targets that turned out to be sitemaps, and their level.
    listed: HashMap<UrlId, u32>,
    pub(super) sitemaps: SitemapsState,
    /// More of this host is pending on disk than the window holds.
    pub(super) overflow: bool,
    pub(super) in_flight: usize,
    /// Page requests handed out and not yet settled.
    pub(super) reserved: u64,
    /// Responses stored by this invocation.
    pub(super) stored: u64,
    interval: Option<Duration>,
    pace: Option<Pace>,
    /// When the last request started: what the pace is counted from.
    pub(super) asked_at: Millis,
    /// When the last request was handed out, which is not yet when the server saw it.
    started_at: Millis,
    pub(super) blocked_until: Millis,
    /// Its Crawl-delay is longer than this invocation waits.
    long_delay: bool,
    /// Asks for more time than this invocation waits.
    pub(super) parked: bool,
    pub(super) streak: u32,
    pub(super) ever_answered: bool,
    /// When it answered last in this invocation.
    pub(super) answered_at: Millis,
    /// When the host is armed in the heap, and the number that tells a stale entry.
    pub(super) armed: Option<Millis>,
    pub(super) stamp: u64,
}

/// What a host has to offer at a time.
#[derive(Debug)]
pub(super) enum Offer {
    Call,
    Page,
    Refuse(Refusal),
    AskRobots,
    Sitemaps,
    /// Not before this time.
    At(Millis),
    /// Nothing until something is settled, released or added.
    Nothing,
}

impl HostState {
    pub(super) fn new(record: HostRecord, limits: &Limits, tick: &Tick, now: Millis) -> Self {
        let mut host = Self {
            host: record.host,
            robots: RobotsState::Unknown,
            calls: VecDeque::new(),
            window: BinaryHeap::new(),
            later: BinaryHeap::new(),
            held: HashSet::new(),
            listed: HashMap::new(),
            sitemaps: SitemapsState::Known,
            overflow: false,
            in_flight: 0,
            reserved: 0,
            stored: 0,
            interval: None,
            pace: None,
            // A clock that was set back must not hold the host up.
            asked_at: record.asked_at.min(now),
            started_at: record.asked_at.min(now),
            blocked_until: record.blocked_until,
            long_delay: false,
            parked: false,
            streak: 0,
            ever_answered: false,
            answered_at: Millis::MIN,
            armed: None,
            stamp: 0,
        };
        host.set_interval(politeness::interval(limits.rate, None), tick);
        match record.robots {
            _ if limits.ignore_robots && !limits.sitemaps => host.know(Rules::allow_all(), Millis::MAX, limits, tick),
            Some(stored) if is_reusable(&stored.answer) => {
                let until = stored.fetched_at.saturating_add(politeness::millis(MAX_ROBOTS_AGE));
                host.know(Rules::from_answer(&stored.answer, &limits.product_token), until, limits, tick);
            }
            _ => {}
        }
        host.park(now, limits);
        host
    }

    fn set_interval(&mut self, interval: Option<Duration>, tick: &Tick) {
        if self.interval != interval {
            self.interval = interval;
            self.pace = interval.and_then(|interval| Pace::new(interval, tick));
        }
    }

    pub(super) fn know(&mut self, rules: Rules, until: Millis, limits: &Limits, tick: &Tick) {
        let rules = if limits.ignore_robots { rules.lifted() } else { rules };
        let delay = if limits.ignore_robots { None } else { rules.crawl_delay() };
        self.set_interval(politeness::interval(limits.rate, delay), tick);
        self.long_delay = delay.is_some_and(|delay| politeness::millis(delay) > limits.max_wait);
        if limits.sitemaps && rules.sitemaps().is_some() {
            self.sitemaps = SitemapsState::Due;
        }
        self.robots = RobotsState::Known { rules, until };
    }

    /// Takes in what robots.txt turned out to be.
    pub(super) fn learn(&mut self, answer: &RobotsAnswer, attempts: u32, now: Millis, limits: &Limits, tick: &Tick) {
        match answer {
            RobotsAnswer::Dead { kind, message } => {
                self.robots = RobotsState::Dead { kind: *kind, message: message.clone(), attempts };
            }
            RobotsAnswer::Private => self.robots = RobotsState::Private,
            answer => {
                let until = now.saturating_add(politeness::millis(MAX_ROBOTS_AGE));
                self.know(Rules::from_answer(answer, &limits.product_token), until, limits, tick);
                self.park(now, limits);
            }
        }
    }

    /// Gives the host up for this invocation if it asks for more time than that waits.
    pub(super) fn park(&mut self, now: Millis, limits: &Limits) {
        let asked_until = if self.long_delay { self.blocked_until.max(self.next_at()) } else { self.blocked_until };
        self.parked |= asked_until > now.saturating_add(limits.max_wait);
    }

    /// The earliest time of the next request by the host's pace.
    fn next_at(&self) -> Millis {
        // Rounded up, so that the pace agrees when the time has come.
        let interval =
            self.interval.map_or(0, |it| politeness::millis(it.saturating_add(Duration::from_nanos(999_999))));
        self.asked_at.saturating_add(interval)
    }

    /// Queues a target, unless it is held already or the window is full; then it stays on disk.
    pub(super) fn push(&mut self, target: Target, now: Millis, cap: usize) {
        if self.held.contains(&target.id) {
            if let Some(level) = target.sitemap {
                self.listed.insert(target.id, level);
            }
            return;
        }
        if self.queued() >= cap {
            self.overflow = true;
            return;
        }
        self.held.insert(target.id);
        self.requeue(target, now);
    }

    pub(super) fn requeue(&mut self, target: Target, now: Millis) {
        match target.due_at {
            Some(due) if due > now => self.later.push(Reverse((due, Queued(target)))),
            _ => self.window.push(Reverse(Queued(target))),
        }
    }

    pub(super) fn queued(&self) -> usize {
        self.window.len() + self.later.len()
    }

    /// Looks at what may be done for this host at `now`, changing nothing but what time has changed.
    pub(super) fn offer(&mut self, now: Millis, limits: &Limits, budget_left: bool) -> Offer {
        while self.later.peek().is_some_and(|Reverse((due, _))| *due <= now) {
            if let Some(Reverse((_, queued))) = self.later.pop() {
                self.window.push(Reverse(queued));
            }
        }
        if let Some(call) = self.calls.front() {
            if self.parked || !budget_left {
                return Offer::Nothing;
            }
            return self.when_free(now.max(call.due_at), now, limits).unwrap_or(Offer::Call);
        }
        let Some(Reverse(Queued(target))) = self.window.peek() else {
            let next = self.later.peek().filter(|_| !self.parked && budget_left && self.has_budget(limits));
            return next.map_or(Offer::Nothing, |Reverse((due, _))| Offer::At(*due));
        };
        match &self.robots {
            RobotsState::Asked => return Offer::Nothing,
            RobotsState::Dead { kind, message, attempts } => {
                return Offer::Refuse(Refusal::Fail { kind: *kind, message: message.clone(), attempts: *attempts });
            }
            RobotsState::Private => return Offer::Refuse(Refusal::Skip(SkipReason::PrivateAddress)),
            RobotsState::Known { until, .. } if *until > now && self.sitemaps != SitemapsState::Known => {
                return if self.sitemaps == SitemapsState::Due { Offer::Sitemaps } else { Offer::Nothing };
            }
            RobotsState::Known { rules, until } if *until > now => {
                // Rules may be many and slow to match, so they are asked once for each URL, when its turn has come.
                if !self.parked
                    && budget_left
                    && self.has_budget(limits)
                    && let Some(wait) = self.when_free(now, now, limits)
                {
                    return wait;
                }
                if let Some(reason) = rules.forbid(&target.url) {
                    return Offer::Refuse(Refusal::Skip(reason));
                }
            }
            RobotsState::Known { .. } | RobotsState::Unknown => {
                return if self.parked || !budget_left { Offer::Nothing } else { Offer::AskRobots };
            }
        }
        if self.parked || !budget_left || !self.has_budget(limits) {
            return Offer::Nothing;
        }
        self.when_free(now, now, limits).unwrap_or(Offer::Page)
    }

    fn has_budget(&self, limits: &Limits) -> bool {
        limits.max_pages_per_host.is_none_or(|max| self.stored + self.reserved < max)
    }

    /// None if a request may start now.
    fn when_free(&self, due: Millis, now: Millis, limits: &Limits) -> Option<Offer> {
        if self.in_flight >= limits.max_connections_per_host {
            return Some(Offer::Nothing);
        }
        let at = due.max(self.next_at()).max(self.blocked_until);
        (at > now).then_some(Offer::At(at))
    }

    /// Starts the clock for a request handed out at `now`; or says when the pace allows one.
    pub(super) fn start(&mut self, now: Millis, limits: &Limits) -> Result<(), Millis> {
        if let Some(pace) = &self.pace {
            pace.check()?;
        }
        (self.asked_at, self.started_at) = (now, now);
        self.park(now, limits);
        self.in_flight += 1;
        Ok(())
    }

    /// The server sees a request some time between its start and its answer, and counts its gaps from there: a request
    /// that was held up on its way must not have the next one on its heels. The correction is bounded, so that slow
    /// answers cost little of the pace.
    pub(super) fn answered(&mut self, now: Millis) {
        let Some(interval) = self.interval.map(politeness::millis) else { return };
        let seen = now.min(self.started_at.saturating_add(interval / 2));
        self.asked_at = self.asked_at.max(seen.saturating_sub(interval / 10) + 1);
    }

    pub(super) fn pop(&mut self) -> Option<Target> {
        let Reverse(Queued(mut target)) = self.window.pop()?;
        target.sitemap = target.sitemap.or(self.listed.remove(&target.id));
        Some(target)
    }

    /// The sitemaps that robots.txt names, or the one it may have without naming it. To be asked once for each answer.
    pub(super) fn take_sitemaps(&mut self) -> Vec<CanonicalUrl> {
        self.sitemaps = SitemapsState::Asked;
        let RobotsState::Known { rules, .. } = &self.robots else { return Vec::new() };
        let named = rules.sitemaps().unwrap_or_default();
        if named.is_empty() { self.host.sitemap_url().into_iter().collect() } else { named }
    }
}

/// A stored answer holds for its day if it was one: what was unreachable is asked again by the next invocation.
fn is_reusable(answer: &RobotsAnswer) -> bool {
    matches!(answer, RobotsAnswer::Rules { .. } | RobotsAnswer::Unavailable { .. })
}
