//! One host in the frontier: its window of URLs, its clock and its robots.txt put together, and what it offers now.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use crate::canonical::{CanonicalUrl, Host};
use crate::policy::politeness;
use crate::policy::retry::Outages;
use crate::visit::{
    Complete, FailureKind, Hold, HostId, HostRecord, Millis, Refusal, Rest, RobotsAnswer, RobotsCall, SkipReason,
    Target, TrapId, UrlId,
};

use super::clock::HostClock;
use super::limits::Limits;
use super::memory::{Facts, Rare};
use super::pace::Tick;
use super::robots::{Robots, Stance};
use super::wait::{HostWait, Wait};
use super::window::Window;

/// Traps: what only their pages name is not asked for.
pub(super) type Traps = HashSet<TrapId, RandomState>;

#[derive(Debug)]
pub(super) struct HostState {
    host: Host,
    /// Under which this process holds it.
    epoch: i64,
    window: Window,
    /// What is to be checked of it: a window too, since the limits of pages are none of checks.
    checks: Window,
    clock: HostClock,
    robots: Robots,
    in_flight: usize,
    /// Page requests handed out and not yet settled.
    reserved: u64,
    /// Responses stored by this invocation.
    stored: u64,
}

/// What a target is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queue {
    Pages,
    Checks,
}

/// What a host has to offer at a time.
#[derive(Debug)]
pub(super) enum Offer {
    Call,
    Ask(Queue),
    Refuse(Queue, Refusal),
    AskRobots,
    Sitemaps,
    /// Not before this time.
    At(Millis),
    /// Nothing until something is settled, released or added.
    Nothing,
}

impl Offer {
    /// Whether it leads to a request at once.
    pub(super) fn is_request(&self) -> bool {
        matches!(self, Self::Call | Self::Ask(_) | Self::AskRobots)
    }
}

/// What the schedule counts of its hosts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Its window runs low while more of it waits on disk.
    pub(super) low: bool,
    /// Its window is empty while more of it waits on disk.
    pub(super) starved: bool,
    /// Its own budget is used up, and URLs are left.
    pub(super) held_back: bool,
}

impl HostState {
    pub(super) fn new(record: HostRecord, facts: Facts, limits: &Limits, tick: &Tick, now: Millis) -> Self {
        let mut clock = HostClock::new(record.asked_at, record.blocked_until, now);
        clock.recall(facts.rare.parked, Outages::recalled(facts.rare.streak, facts.ever_answered));
        let mut robots = Robots::new(record.robots, limits);
        robots.recall(facts.are_sitemaps_known, facts.rare.robots.map(|state| *state));
        clock.set_pace(limits.rate, robots.crawl_delay(limits), limits.max_wait, tick);
        clock.park(now, limits.max_wait);
        let (window, checks, in_flight, reserved) = Default::default();
        Self {
            host: record.host,
            epoch: record.epoch,
            window,
            checks,
            clock,
            robots,
            in_flight,
            reserved,
            stored: facts.rare.stored.max(record.stored),
        }
    }

    pub(super) fn name(&self) -> &Host {
        &self.host
    }

    /// What is to be remembered when it leaves memory.
    pub(super) fn into_facts(self, limits: &Limits) -> Facts {
        let outages = self.clock.outages();
        Facts {
            ever_answered: outages.ever_answered(),
            are_sitemaps_known: self.robots.are_sitemaps_known(),
            rare: Rare {
                stored: if limits.max_pages_per_host.is_some() { self.stored } else { 0 },
                streak: outages.streak(),
                parked: self.clock.is_parked(),
                robots: self.robots.into_kept().map(Box::new),
            },
        }
    }

    /// Nothing of it is queued, on disk, in flight or waiting for a commit.
    pub(super) fn is_idle(&self) -> bool {
        self.window.is_done() && self.checks.is_done() && self.in_flight == 0 && self.robots.is_quiet()
    }

    pub(super) fn standing(&self, limits: &Limits) -> Standing {
        let (queued, has_more) = (self.window.queued(), self.window.has_more());
        let least = |window: &Window| window.has_more().then(|| window.queued());
        // A parked host is asked for no page, and what was to be checked there is refused.
        let pages = least(&self.window).filter(|_| !self.clock.is_parked());
        let least = pages.into_iter().chain(least(&self.checks)).min();
        Standing {
            low: least.is_some_and(|queued| queued <= limits.window / 4),
            starved: least == Some(0),
            held_back: limits.max_pages_per_host.is_some_and(|max| self.stored >= max) && (has_more || queued > 0),
        }
    }

    /// Whether it may be given to another process: nothing of it is handed out, waiting for a commit, or half known.
    pub(super) fn is_quiet(&self) -> bool {
        self.in_flight == 0
            && self.reserved == 0
            && self.window.handed_out() + self.checks.handed_out() == 0
            && self.is_robots_quiet()
    }

    /// Whether no robots.txt is asked for of it, or waits to be.
    pub(super) fn is_robots_quiet(&self) -> bool {
        self.robots.is_quiet()
    }

    /// Errands handed out and not yet settled that are about it or ask it, but for a request for its robots.txt that another
    /// host is asked with.
    pub(super) fn handed_out(&self) -> usize {
        self.window.handed_out() + self.checks.handed_out() + self.robots.handed_out()
    }

    /// When it may be asked next.
    pub(super) fn free_at(&self) -> Millis {
        self.clock.free_at()
    }

    /// What it waits for, for whoever watches.
    pub(super) fn waits(&self, now: Millis, limits: &Limits) -> HostWait {
        let interval = self.clock.interval();
        let is_slowed = interval != politeness::interval(limits.rate, None);
        let next_due = || [self.window.next_due(), self.checks.next_due()].into_iter().flatten().min();
        let wait = if !self.has_work() {
            (self.in_flight > 0).then_some((Wait::Answers, now))
        } else if self.clock.is_parked() {
            Some((Wait::Later, self.free_at()))
        } else if self.in_flight >= limits.max_connections_per_host {
            Some((Wait::Answers, now))
        } else if let Some((until, was_asked)) = self.clock.rests(now) {
            Some((if was_asked { Wait::Asked } else { Wait::Failed }, until))
        } else if self.free_at() > now {
            Some((if is_slowed { Wait::CrawlDelay } else { Wait::Rate }, self.free_at()))
        } else {
            next_due().filter(|due| *due > now && self.is_all_later()).map(|due| (Wait::Retries, due))
        };
        let queued = self.window.queued() + self.checks.queued();
        let has_more = self.window.has_more();
        HostWait { wait, interval: interval.map_or(0, politeness::millis), queued, has_more }
    }

    /// Whether nothing of it is to be asked for before a time that is set.
    fn is_all_later(&self) -> bool {
        self.window.is_all_later() && self.checks.is_all_later() && self.robots.next_call().is_none()
    }

    /// Whether anything is queued that may be offered some time.
    pub(super) fn has_work(&self) -> bool {
        self.window.queued() > 0 || self.checks.queued() > 0 || self.robots.next_call().is_some()
    }

    /// Targets in memory or handed out: pages, or checks if they are more.
    pub(super) fn held(&self) -> usize {
        self.window.held().max(self.checks.held())
    }

    /// Under which epoch it is held, when it was asked last, and until when it must be left alone. `id` is its own.
    pub(super) fn hold(&self, id: HostId) -> Hold {
        let (asked_at, blocked_until) = self.clock.stored();
        Hold { host: id, epoch: self.epoch, asked_at, blocked_until }
    }

    pub(super) fn push(&mut self, target: Target, now: Millis, limits: &Limits) {
        self.window_of(&target).push(target, now, limits.window);
    }

    fn window_of(&mut self, target: &Target) -> &mut Window {
        if target.check.is_some() { &mut self.checks } else { &mut self.window }
    }

    pub(super) fn refill(&mut self, targets: Vec<Target>, complete: Complete, now: Millis, limits: &Limits) {
        self.window.refill(complete.pages);
        self.checks.refill(complete.checks);
        targets.into_iter().for_each(|target| self.push(target, now, limits));
    }

    /// Looks at what may be done for this host at `now`, changing nothing but what time has changed.
    pub(super) fn offer(&mut self, now: Millis, limits: &Limits, traps: &Traps, budget_left: bool) -> Offer {
        let is_parked = self.clock.is_parked();
        let page = if let Some(due) = self.robots.next_call() {
            // Those of hosts that are only checked are not of the budget.
            if !is_parked && (budget_left || limits.checks) {
                return self.when_free(due, now, limits).unwrap_or(Offer::Call);
            }
            Offer::Nothing
        } else {
            let may_ask = budget_left && !is_parked;
            let may_ask_page = may_ask && self.has_budget(limits);
            self.offer_of(Queue::Pages, now, limits, traps, (may_ask, may_ask_page))
        };
        if self.checks.queued() == 0 {
            return page;
        }
        match page {
            // Pages wait for a later invocation. What others' hosts ask for is not to keep a run from its end.
            Offer::Nothing if is_parked => match self.checks.first(now) {
                Some(_) => Offer::Refuse(Queue::Checks, Refusal::Wait),
                None => self.checks.next_due().map_or(Offer::Nothing, Offer::At),
            },
            Offer::Nothing => self.offer_of(Queue::Checks, now, limits, traps, (true, true)),
            Offer::At(at) => match self.offer_of(Queue::Checks, now, limits, traps, (true, true)) {
                Offer::Nothing => Offer::At(at),
                Offer::At(other) => Offer::At(at.min(other)),
                check => check,
            },
            page => page,
        }
    }

    /// The same of one queue: whether its robots.txt may be asked for, and whether the next target.
    fn offer_of(
        &mut self,
        queue: Queue,
        now: Millis,
        limits: &Limits,
        traps: &Traps,
        (may_ask, may_ask_page): (bool, bool),
    ) -> Offer {
        let wait = self.when_free(now, now, limits);
        let window = match queue {
            Queue::Pages => &mut self.window,
            Queue::Checks => &mut self.checks,
        };
        let Some(target) = window.first(now) else {
            return window.next_due().filter(|_| may_ask_page).map_or(Offer::Nothing, Offer::At);
        };
        // A page that is stored already is no new URL of a trap.
        if !target.known && target.trap.is_some_and(|trap| traps.contains(&trap)) {
            return Offer::Refuse(queue, Refusal::Skip(SkipReason::Trap));
        }
        match self.robots.stance(now, queue == Queue::Pages) {
            Stance::Asked => Offer::Nothing,
            Stance::Refuse(refusal) => Offer::Refuse(queue, refusal),
            Stance::Sitemaps => Offer::Sitemaps,
            Stance::Unknown if !may_ask => Offer::Nothing,
            Stance::Unknown => Offer::AskRobots,
            Stance::Rules(rules) => match wait {
                // Rules may be many and slow to match, so they are asked once for each URL, when its turn has come.
                Some(wait) if may_ask_page => wait,
                _ => match rules.forbid(&target.url) {
                    Some(reason) => Offer::Refuse(queue, Refusal::Skip(reason)),
                    None if may_ask_page => Offer::Ask(queue),
                    None => Offer::Nothing,
                },
            },
        }
    }

    fn has_budget(&self, limits: &Limits) -> bool {
        limits.max_pages_per_host.is_none_or(|max| self.stored + self.reserved < max)
    }

    /// None if a request that is due at `due` may start now.
    fn when_free(&self, due: Millis, now: Millis, limits: &Limits) -> Option<Offer> {
        if self.in_flight >= limits.max_connections_per_host {
            return Some(Offer::Nothing);
        }
        let at = due.max(self.clock.free_at());
        (at > now).then_some(Offer::At(at))
    }

    /// Starts the clock for a request handed out at `now`; or says when the pace allows one.
    pub(super) fn start(&mut self, now: Millis, limits: &Limits) -> Result<(), Millis> {
        self.clock.start(now, limits.max_wait)?;
        self.in_flight += 1;
        Ok(())
    }

    /// Hands out the next target, for a request that was started.
    pub(super) fn take_asked(&mut self, queue: Queue) -> Option<Target> {
        self.reserved += u64::from(queue == Queue::Pages);
        self.take_refused(queue)
    }

    /// Hands out the next target, to be refused.
    pub(super) fn take_refused(&mut self, queue: Queue) -> Option<Target> {
        match queue {
            Queue::Pages => self.window.pop(),
            Queue::Checks => self.checks.pop(),
        }
    }

    /// Hands out the next request for a robots.txt, which was started.
    pub(super) fn take_call(&mut self) -> Option<RobotsCall> {
        self.robots.pop_call()
    }

    pub(super) fn take_sitemaps(&mut self) -> (Host, Vec<CanonicalUrl>) {
        (self.host.clone(), self.robots.take_sitemaps(&self.host))
    }

    /// Queues the request for its robots.txt.
    pub(super) fn ask_robots(&mut self, id: HostId) {
        self.robots.ask(id, &self.host);
    }

    /// A request is over, and its connection free.
    pub(super) fn release(&mut self, rest: Rest, now: Millis, limits: &Limits) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.clock.release(rest, now, limits.max_wait);
    }

    /// Gives the host up, failing what is left of it, if it had too many outages.
    pub(super) fn give_up(&mut self, kind: FailureKind, message: std::sync::Arc<str>, limits: &Limits) {
        let outages = self.clock.outages();
        if outages.are_final(limits.retries) {
            self.clock.stop_waiting();
            self.robots.give_up(kind, message, outages.streak());
        }
    }

    /// A page request ended for good, with so many responses `stored`.
    pub(super) fn settle_page(&mut self, id: UrlId, stored: u64) {
        self.reserved = self.reserved.saturating_sub(1);
        self.stored += stored;
        self.window.let_go(id);
    }

    /// A request is to be made once more.
    pub(super) fn settle_again(&mut self, target: Target, now: Millis) {
        self.reserved = self.reserved.saturating_sub(u64::from(target.check.is_none()));
        self.window_of(&target).requeue(target, now);
    }

    pub(super) fn settle_checked(&mut self, id: UrlId) {
        self.checks.let_go(id);
    }

    pub(super) fn settle_reprieved(&mut self, target: Target, now: Millis) {
        self.window.requeue(target, now);
    }

    pub(super) fn settle_refused(&mut self, id: UrlId) {
        self.window.let_go(id);
    }

    pub(super) fn settle_sitemaps(&mut self) {
        self.robots.settle_sitemaps();
    }

    /// The request for its robots.txt ended, and goes on at the host `to` or not at all. Answers with the host that was
    /// asked.
    pub(super) fn move_robots(&mut self, to: Option<HostId>) -> Option<HostId> {
        self.robots.move_on(to)
    }

    /// A request for a robots.txt, handed out on this host, is settled.
    pub(super) fn settle_call(&mut self) {
        self.robots.count_call_in();
    }

    /// The host is lost: see [`Robots::drop_calls`].
    pub(super) fn drop_calls(&mut self) -> Vec<HostId> {
        self.robots.drop_calls()
    }

    /// See [`Robots::withdraw`].
    pub(super) fn withdraw(&mut self, for_host: HostId) -> bool {
        self.robots.withdraw(for_host)
    }

    pub(super) fn queue_call(&mut self, call: RobotsCall, due_at: Millis) {
        self.robots.queue_call(call, due_at);
    }

    /// Takes in what its robots.txt turned out to be.
    pub(super) fn learn(&mut self, answer: &RobotsAnswer, attempts: u32, now: Millis, limits: &Limits, tick: &Tick) {
        self.robots.learn(answer, attempts, now, limits);
        if self.robots.is_known() {
            self.clock.set_pace(limits.rate, self.robots.crawl_delay(limits), limits.max_wait, tick);
            self.clock.park(now, limits.max_wait);
        }
    }
}

#[cfg(test)]
mod tests;
