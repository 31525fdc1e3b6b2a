//! The pure core of the frontier: takes `now`, answers what to do. No runtime, no waiting, no I/O.
//!
//! Invariants, held by the property test below:
//! 1. A host is *ready* (armed in the heap by the time it may be asked), *busy* (at its connection cap), *parked*
//!    (asks for more time than this invocation waits) or *idle* (nothing queued).
//! 2. `next` never hands out a URL before its host may be asked, nor one that robots.txt forbids, nor after `close`,
//!    nor beyond the budget.
//! 3. `outstanding` rises in `next` and falls only in `settle`, after the fresh targets are in.
//! 4. At most `connections` requests are outstanding: handed out and not yet committed. So a crash costs no more
//!    requests than that.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::config::Config;
use crate::policy::politeness;
use crate::visit::{self, Errand, HostId, HostRecord, Millis, Rest, Settlement, Target};

use super::host::{HostState, Offer, Pace, RobotsCall, RobotsState, SitemapsState, Tick};

/// What the schedule keeps to: values, drawn from the settings once.
#[derive(Debug, Clone)]
pub struct Limits {
    pub connections: usize,
    pub max_connections_per_host: usize,
    pub rate: f64,
    pub global_rate: f64,
    pub max_pages: Option<u64>,
    pub max_pages_per_host: Option<u64>,
    /// Milliseconds.
    pub max_wait: Millis,
    pub retries: u32,
    pub ignore_robots: bool,
    /// Look for sitemaps, in robots.txt too if its rules are ignored.
    pub sitemaps: bool,
    pub product_token: String,
    /// Targets held in memory for one host; the rest of its queue stays on disk.
    pub window: usize,
}

impl Limits {
    pub fn new(config: &Config) -> Self {
        Self {
            connections: config.connections(),
            max_connections_per_host: config.max_connections_per_host,
            rate: config.rate,
            global_rate: config.global_rate,
            max_pages: config.max_pages,
            max_pages_per_host: config.max_pages_per_host,
            max_wait: politeness::millis(config.max_wait),
            retries: config.retries,
            ignore_robots: config.ignore_robots,
            sitemaps: config.sitemaps,
            product_token: config.product_token().to_owned(),
            window: config.connections().saturating_mul(4).clamp(64, 2048),
        }
    }
}

/// What to do now.
#[derive(Debug)]
pub enum Step {
    Go(Errand),
    /// Nothing before this time, unless something is settled, released or added.
    Wait(Millis),
    /// Nothing until something is settled, released or added.
    Idle,
    /// Nothing is left, or the frontier is closed.
    Drained,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Schedule {
    limits: Limits,
    tick: Tick,
    global: Option<Pace>,
    /// No request before this time, by the global pace.
    global_until: Millis,
    hosts: HashMap<HostId, HostState>,
    ready: BinaryHeap<Reverse<(Millis, HostId, u64)>>,
    outstanding: usize,
    requests_out: usize,
    reserved: u64,
    stored: u64,
    closed: bool,
    /// Hosts with pending URLs that are not in memory.
    dormant: bool,
}

impl Schedule {
    pub fn new(limits: Limits) -> Self {
        let tick = Tick::default();
        let global = politeness::interval(limits.global_rate, None).and_then(|interval| Pace::new(interval, &tick));
        Self {
            limits,
            tick,
            global,
            global_until: 0,
            hosts: HashMap::new(),
            ready: BinaryHeap::new(),
            outstanding: 0,
            requests_out: 0,
            reserved: 0,
            stored: 0,
            closed: false,
            dormant: false,
        }
    }

    /// Hands out what may be done at `now`.
    pub fn next(&mut self, now: Millis) -> Step {
        self.tick.set(now);
        let budget_left = self.budget_left();
        while !self.closed {
            let Some(&Reverse((at, id, stamp))) = self.ready.peek() else {
                return if self.outstanding == 0 && !self.wants_refill() { Step::Drained } else { Step::Idle };
            };
            let Some(host) = self.hosts.get_mut(&id).filter(|host| host.stamp == stamp && host.armed.is_some()) else {
                self.ready.pop();
                continue;
            };
            if at > now {
                if self.outstanding == 0 && self.is_spent() {
                    // Whatever the host is due for, this invocation will not ask for it.
                    return Step::Drained;
                }
                return Step::Wait(at);
            }
            let offer = host.offer(now, &self.limits, budget_left);
            if matches!(offer, Offer::Call | Offer::Page | Offer::AskRobots)
                && self.requests_out >= self.limits.connections
            {
                return Step::Idle;
            }
            match self.take(id, offer, now) {
                Ok(Some(errand)) => return Step::Go(errand),
                Ok(None) => {}
                Err(until) => return Step::Wait(until),
            }
        }
        Step::Drained
    }

    /// Turns an offer into an errand; None if the host has none now. `Err` is the global pace.
    fn take(&mut self, id: HostId, offer: Offer, now: Millis) -> Result<Option<Errand>, Millis> {
        let Some(host) = self.hosts.get_mut(&id) else { return Ok(None) };
        match offer {
            Offer::Nothing => {
                host.armed = None;
                self.ready.pop();
                return Ok(None);
            }
            Offer::At(at) => {
                self.ready.pop();
                host.armed = None;
                self.arm(id, at);
                return Ok(None);
            }
            Offer::AskRobots => {
                host.robots = RobotsState::Asked;
                match host.host.robots_url() {
                    Ok(url) => host.calls.push_back(RobotsCall { for_host: id, url, hop: 0, attempt: 0, due_at: 0 }),
                    Err(_) => host.robots = RobotsState::Private,
                }
                return Ok(None);
            }
            Offer::Refuse(verdict) => {
                self.outstanding += 1;
                return Ok(host.pop().map(|target| Errand::Refuse { target, verdict }));
            }
            Offer::Sitemaps => {
                self.outstanding += 1;
                return Ok(Some(Errand::Sitemaps { id, host: host.host.clone(), named: host.take_sitemaps() }));
            }
            Offer::Call | Offer::Page => {}
        }
        if let Some(global) = &self.global {
            global.check().inspect_err(|until| self.global_until = *until)?;
        }
        if let Err(at) = host.start(now, &self.limits) {
            host.armed = None;
            self.ready.pop();
            self.arm(id, at);
            return Ok(None);
        }
        let errand = if let Some(call) = host.calls.pop_front() {
            let RobotsCall { for_host, url, hop, attempt, .. } = call;
            Some(Errand::Robots(visit::RobotsCall { host: id, for_host, url, hop, attempt }))
        } else {
            host.reserved += 1;
            self.reserved += 1;
            host.pop().map(Errand::Page)
        };
        self.outstanding += 1;
        self.requests_out += 1;
        Ok(errand)
    }

    fn arm(&mut self, id: HostId, at: Millis) {
        let Some(host) = self.hosts.get_mut(&id) else { return };
        if host.armed.is_some_and(|armed| armed <= at) {
            return;
        }
        host.armed = Some(at);
        host.stamp += 1;
        self.ready.push(Reverse((at, id, host.stamp)));
    }

    /// Makes a host known. One that is known already stays as it is.
    pub fn add_host(&mut self, record: HostRecord, now: Millis) {
        self.tick.set(now);
        let id = record.id;
        if !self.hosts.contains_key(&id) {
            self.hosts.insert(id, HostState::new(record, &self.limits, &self.tick, now));
        }
    }

    /// Queues a committed target. Returns whether its host is known.
    pub fn push(&mut self, target: Target, now: Millis) -> bool {
        let id = target.host;
        let Some(host) = self.hosts.get_mut(&id) else { return false };
        host.push(target, now, self.limits.window);
        self.arm(id, now);
        true
    }

    /// A request is over and its connection free; the host may rest.
    pub fn release(&mut self, id: HostId, rest: Rest, now: Millis) {
        let limits = &self.limits;
        let Some(host) = self.hosts.get_mut(&id) else { return };
        host.in_flight = host.in_flight.saturating_sub(1);
        host.answered(now);
        match rest.answered {
            Some(true) => {
                host.streak = 0;
                host.ever_answered = true;
                host.answered_at = now;
            }
            // Requests that were in flight together meet one and the same outage; and where another has been answered
            // since, there is none.
            Some(false) if now >= host.blocked_until && rest.started_at > host.answered_at => {
                host.streak += 1;
                let pause = politeness::backoff(host.streak, 0.5);
                host.blocked_until = host.blocked_until.max(now.saturating_add(politeness::millis(pause)));
            }
            Some(false) | None => {}
        }
        if let Some(until) = rest.asked_until {
            host.blocked_until = host.blocked_until.max(until);
            host.park(now, limits);
        }
        self.arm(id, now);
    }

    /// Counts an errand out, after the targets it brought were pushed.
    pub fn settle(&mut self, settlement: Settlement, now: Millis) {
        self.tick.set(now);
        self.outstanding = self.outstanding.saturating_sub(1);
        if !matches!(settlement, Settlement::Refused { .. } | Settlement::Sitemaps { .. }) {
            self.requests_out = self.requests_out.saturating_sub(1);
        }
        match settlement {
            Settlement::Stored { host, id } => {
                self.unreserve(host, 1, now, |state| {
                    state.held.remove(&id);
                });
            }
            Settlement::Ended { host, id } => self.unreserve(host, 0, now, |state| {
                state.held.remove(&id);
            }),
            Settlement::Refused { host, id } => {
                if let Some(state) = self.hosts.get_mut(&host) {
                    state.held.remove(&id);
                }
                self.arm(host, now);
            }
            Settlement::Again { target } => {
                self.unreserve(target.host, 0, now, |state| state.requeue(target.clone(), now))
            }
            Settlement::Robots { host, answer, attempts } => {
                if let Some(state) = self.hosts.get_mut(&host) {
                    state.learn(&answer, attempts, now, &self.limits, &self.tick);
                }
                self.arm(host, now);
            }
            Settlement::RobotsAgain { host, on_host, url, hop, attempt, due_at } => {
                if let Some(state) = self.hosts.get_mut(&on_host) {
                    state.calls.push_back(RobotsCall { for_host: host, url, hop, attempt, due_at });
                }
                self.arm(on_host, now);
            }
            Settlement::Sitemaps { host } => {
                if let Some(state) = self.hosts.get_mut(&host) {
                    state.sitemaps = SitemapsState::Known;
                }
                self.arm(host, now);
            }
            Settlement::Abandoned => {}
        }
    }

    fn unreserve(&mut self, id: HostId, stored: u64, now: Millis, change: impl FnOnce(&mut HostState)) {
        let was_left = self.budget_left();
        self.reserved = self.reserved.saturating_sub(1);
        self.stored += stored;
        if let Some(host) = self.hosts.get_mut(&id) {
            host.reserved = host.reserved.saturating_sub(1);
            host.stored += stored;
            change(host);
        }
        self.arm(id, now);
        if !was_left && self.budget_left() {
            // A freed part of the budget may be another host's.
            let waits = |host: &HostState| host.queued() > 0 || !host.calls.is_empty();
            let waiting: Vec<_> = self.hosts.iter().filter(|(_, host)| waits(host)).map(|(id, _)| *id).collect();
            waiting.into_iter().for_each(|id| self.arm(id, now));
        }
    }

    /// A host that can be connected to no more: what is left of it fails.
    pub fn give_up(&mut self, id: HostId, kind: crate::visit::FailureKind, message: std::sync::Arc<str>) {
        let retries = self.limits.retries;
        if let Some(host) = self.hosts.get_mut(&id) {
            // One that has answered may come back: it is given twice the tries of one that never did.
            let tries = retries.saturating_add(1);
            let enough = if host.ever_answered { tries.saturating_mul(2) } else { tries };
            if host.streak >= enough {
                host.blocked_until = 0;
                host.robots = RobotsState::Dead { kind, message, attempts: host.streak };
            }
        }
    }

    /// When the earliest host is due; None if none is armed.
    pub fn next_moment(&self) -> Option<Millis> {
        self.ready.peek().map(|Reverse((at, _, _))| (*at).max(self.global_until))
    }

    /// No errand after this.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Whether pending URLs of hosts that are not in memory wait on disk.
    pub fn set_dormant(&mut self, dormant: bool) {
        self.dormant = dormant;
    }

    fn wants_refill(&self) -> bool {
        let is_empty = |host: &HostState| host.overflow && !host.parked && host.queued() == 0;
        !self.is_spent() && (self.dormant || self.hosts.values().any(is_empty))
    }

    fn budget_left(&self) -> bool {
        self.limits.max_pages.is_none_or(|max| self.stored + self.reserved < max)
    }

    /// The page budget of this invocation is used up.
    pub fn is_spent(&self) -> bool {
        self.limits.max_pages.is_some_and(|max| self.stored >= max)
    }

    /// Whether hosts should be brought in from disk: there are some, and few of those in memory have anything to do.
    pub fn wants_hosts(&self) -> bool {
        let armed = || self.hosts.values().filter(|host| host.armed.is_some()).count();
        self.dormant && !self.is_spent() && armed() < self.limits.connections * 4
    }

    /// Targets of one host held in memory.
    pub fn window(&self) -> usize {
        self.limits.window
    }

    /// Whether a limit, rather than the end of the queue, holds URLs back.
    pub fn is_limited(&self) -> bool {
        let per_host = self.limits.max_pages_per_host;
        let holds_back =
            |host: &HostState| per_host.is_some_and(|max| host.stored >= max) && (host.overflow || host.queued() > 0);
        self.is_spent() || self.hosts.values().any(holds_back)
    }

    /// Hosts whose window runs low while more waits on disk: the host and how many of its URLs are in memory or out.
    pub fn low(&self) -> Vec<(HostId, usize)> {
        let cap = self.limits.window;
        let is_low = |host: &HostState| host.overflow && !host.parked && host.queued() <= cap / 4;
        self.hosts.iter().filter(|(_, host)| is_low(host)).map(|(id, host)| (*id, host.held.len() + cap)).collect()
    }

    /// Takes in a refill: `targets` is what the store has pending for `id`, `complete` if that is all of it.
    pub fn refill(&mut self, id: HostId, targets: Vec<Target>, complete: bool, now: Millis) {
        if let Some(host) = self.hosts.get_mut(&id) {
            host.overflow = !complete;
        }
        for target in targets {
            self.push(target, now);
        }
    }

    /// When a host was asked last, and until when it must be left alone: to be stored, so that a restart does not burst.
    pub fn clock(&self, id: HostId) -> Option<(Millis, Millis)> {
        self.hosts.get(&id).map(|host| (host.asked_at, host.blocked_until))
    }
}
