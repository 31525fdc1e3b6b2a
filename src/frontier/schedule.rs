//! The pure core of the frontier: takes `now`, answers what to do. No runtime, no waiting, no I/O.
//!
//! Invariants, held by the property test in `frontier/tests`:
//! 1. A host is *ready* (armed by the time it may be asked, or held up for want of a connection or of budget), *busy* (at
//!    its connection cap), *parked* (asks for more time than this invocation waits) or *idle* (nothing queued). An idle
//!    host with nothing in flight, uncommitted or on disk is not in memory.
//! 2. `next` never hands out a URL before its host may be asked, nor one that robots.txt forbids, nor after `close`,
//!    nor beyond the budget.
//! 3. `outstanding` rises in `next` and falls only in `settle`, after the fresh targets are in.
//! 4. At most `connections` requests are in flight, and at most `uncommitted` are in flight or wait for their commit. So a
//!    crash costs no more requests than that. What costs no request waits for none.
//! 5. What is pending on disk is in a window, or its host's window is to be refilled, or its host is to be brought in.

pub mod company;
pub mod holdup;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::canonical::Host;
use crate::policy::politeness;
use crate::visit::{
    Complete, Errand, FailureKind, Hold, HostId, HostRecord, Millis, Rest, RobotsCall, Settlement, Target, TrapId,
};

use super::armed::Armed;
use super::budget::Budget;
use super::connections::Connections;
use super::host::{HostState, Offer, Queue, Traps};
use super::hosts::Hosts;
use super::limits::Limits;
use super::lost::LostHosts;
use super::pace::{GlobalPace, Tick};

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
    global: GlobalPace,
    hosts: Hosts,
    traps: Traps,
    armed: Armed,
    budget: Budget,
    /// Errands handed out and not yet settled.
    outstanding: usize,
    connections: Connections,
    closed: bool,
    /// Hosts with pending URLs on disk were not brought in yet.
    dormant: bool,
    /// Hosts that left memory and have pending URLs on disk again.
    returning: BTreeSet<HostId>,
    /// Hosts that left memory and were not told of yet, as they were held.
    left: Vec<(Host, Hold)>,
    /// Hosts that are for others once nothing of them is under way any more.
    leaving: BTreeSet<HostId>,
    /// Hosts that were lost while errands of theirs were handed out.
    lost: LostHosts,
}

impl Schedule {
    pub fn new(limits: Limits) -> Self {
        let tick = Tick::default();
        let budget = match limits.max_pages {
            Some(_) if limits.shared => Budget::share(),
            max => Budget::new(max),
        };
        Self {
            budget,
            connections: Connections::new(limits.connections, limits.uncommitted),
            global: GlobalPace::new(politeness::interval(limits.global_rate, None), limits.shared, &tick),
            limits,
            tick,
            hosts: Hosts::default(),
            traps: Traps::default(),
            armed: Armed::default(),
            outstanding: 0,
            closed: false,
            dormant: false,
            returning: BTreeSet::new(),
            left: Vec::new(),
            leaving: BTreeSet::new(),
            lost: LostHosts::default(),
        }
    }

    /// Hands out what may be done at `now`.
    pub fn next(&mut self, now: Millis) -> Step {
        self.tick.set(now);
        let (is_free, budget_left) = (self.is_free(), self.budget.is_left());
        while !self.closed {
            let Some((at, id)) = self.armed.first(is_free, budget_left) else {
                let is_drained = self.outstanding == 0 && !self.waits_for_disk() && !self.limits.shared;
                return if is_drained { Step::Drained } else { Step::Idle };
            };
            if at > now {
                if self.outstanding == 0 && self.is_over() {
                    // Whatever the host is due for, this invocation will not ask for it.
                    return Step::Drained;
                }
                return Step::Wait(at);
            }
            let (limits, traps) = (&self.limits, &self.traps);
            let leaves = self.leaving.contains(&id);
            let look = |host: &mut HostState| match leaves && host.is_robots_quiet() {
                true => (Offer::Nothing, false),
                false => (host.offer(now, limits, traps, budget_left), host.has_work()),
            };
            match self.hosts.change(id, limits, look) {
                None => self.armed.disarm(id),
                Some((offer, _)) if offer.is_request() && !is_free => self.armed.hold_up(id),
                Some((Offer::Nothing, true)) if !budget_left => self.armed.leave_unpaid(id),
                Some((Offer::Nothing, _)) => self.armed.disarm(id),
                Some((Offer::At(at), _)) => self.armed.rearm(id, at),
                Some((offer, _)) => match self.take(id, offer, now) {
                    Ok(Some(errand)) => return Step::Go(errand),
                    Ok(None) => {}
                    Err(until) => return Step::Wait(until),
                },
            }
        }
        Step::Drained
    }

    /// Turns an offer into an errand; None if the host has none now. `Err` is the global pace.
    fn take(&mut self, id: HostId, offer: Offer, now: Millis) -> Result<Option<Errand>, Millis> {
        let limits = &self.limits;
        let errand = match offer {
            Offer::Nothing | Offer::At(_) => None,
            Offer::AskRobots => {
                self.hosts.change(id, limits, |host| host.ask_robots(id));
                return Ok(None);
            }
            Offer::Refuse(queue, verdict) => {
                let target = self.hosts.change(id, limits, |host| host.take_refused(queue)).flatten();
                target.map(|target| Errand::Refuse { target, verdict })
            }
            Offer::Sitemaps => {
                let taken = self.hosts.change(id, limits, HostState::take_sitemaps);
                taken.map(|(host, named)| Errand::Sitemaps { id, host, named })
            }
            Offer::Call | Offer::Ask(_) => {
                if now < self.connections.paused_until() {
                    return Err(self.connections.paused_until());
                }
                self.global.check(now)?;
                if let Some(Err(at)) = self.hosts.change(id, limits, |host| host.start(now, limits)) {
                    self.armed.rearm(id, at);
                    return Ok(None);
                }
                self.connections.take();
                let Offer::Ask(queue) = offer else {
                    let call = self.hosts.change(id, limits, HostState::take_call).flatten();
                    self.outstanding += 1;
                    return Ok(call.map(Errand::Robots));
                };
                if queue == Queue::Pages {
                    self.budget.reserve();
                }
                let target = self.hosts.change(id, limits, |host| host.take_asked(queue)).flatten();
                target.map(|target| match target.check {
                    Some(check) => Errand::Check(target, check),
                    None => Errand::Page(target),
                })
            }
        };
        self.outstanding += 1;
        Ok(errand)
    }

    /// Brings a host in. One that is in memory already stays as it is.
    pub fn add_host(&mut self, record: HostRecord, now: Millis) {
        self.tick.set(now);
        self.returning.remove(&record.id);
        if !self.lost.keeps_out(record.id) {
            self.hosts.add(record, &self.limits, &self.tick, now);
        }
    }

    /// Takes in which accounts are traps from now on (`true`), or are no more.
    pub fn turn_traps(&mut self, turned: &[(TrapId, bool)]) {
        for (trap, is_held) in turned {
            if *is_held {
                self.traps.insert(*trap);
            } else {
                self.traps.remove(trap);
            }
        }
    }

    /// Queues a committed target. Returns whether its host is in memory; if not, the target waits on disk.
    pub fn push(&mut self, target: Target, now: Millis) -> bool {
        let (id, limits) = (target.host, &self.limits);
        let is_here = self.hosts.change(id, limits, |host| host.push(target, now, limits)).is_some();
        if is_here {
            self.armed.arm(id, now);
        } else {
            self.returning.insert(id);
        }
        is_here
    }

    /// Takes in what a commit brought, then counts its errands out. Of the `hosts` those are brought in that have
    /// something to do.
    pub fn settle_all(
        &mut self,
        hosts: Vec<HostRecord>,
        targets: Vec<Target>,
        settlements: Vec<Settlement>,
        now: Millis,
    ) {
        let mut hosts: HashMap<_, _> = hosts.into_iter().map(|host| (host.id, host)).collect();
        let is_held = |target: &Target| {
            let is_its = |settled: &Settlement| matches!(settled, Settlement::Stored { id, .. } if *id == target.id);
            target.hops > 0 && settlements.iter().any(is_its)
        };
        // Redirects may lead back to what is only now counted out.
        let (again, targets): (Vec<_>, Vec<_>) = targets.into_iter().partition(is_held);
        for target in targets {
            if let Some(host) = hosts.remove(&target.host) {
                self.add_host(host, now);
            }
            self.push(target, now);
        }
        for settlement in settlements {
            if let Settlement::RobotsAgain { host, on_host, .. } = settlement
                && on_host != host
            {
                if let Some(record) = hosts.remove(&on_host) {
                    self.add_host(record, now);
                }
                // The commit may have taken this host from disk: other URLs of it may be pending there.
                self.returning.insert(on_host);
            }
            self.settle(settlement, now);
        }
        for target in again {
            self.push(target, now);
        }
    }

    /// Counts an errand out, after the targets it brought were pushed.
    pub fn settle(&mut self, settlement: Settlement, now: Millis) {
        self.tick.set(now);
        self.outstanding = self.outstanding.saturating_sub(1);
        match settlement {
            Settlement::Refused { .. }
            | Settlement::Reprieved { .. }
            | Settlement::Sitemaps { .. }
            | Settlement::Checked { asked: false, .. } => {}
            _ => self.connections.settle(),
        }
        self.settle_lost(&settlement);
        match settlement {
            Settlement::Stored { host, id } => {
                self.budget.settle(1);
                self.change(host, now, |state, _, _| state.settle_page(id, 1));
            }
            Settlement::Ended { host, id } => {
                self.budget.settle(0);
                self.change(host, now, |state, _, _| state.settle_page(id, 0));
            }
            Settlement::Checked { host, id, .. } => self.change(host, now, |state, _, _| state.settle_checked(id)),
            Settlement::Again { target } | Settlement::Postponed { target } => {
                if target.check.is_none() {
                    self.budget.settle(0);
                }
                self.change(target.host, now, |state, _, _| state.settle_again(target, now));
            }
            Settlement::Reprieved { target } => {
                self.change(target.host, now, |state, _, _| state.settle_reprieved(target, now));
            }
            Settlement::Refused { host, id } => self.change(host, now, |state, _, _| state.settle_refused(id)),
            Settlement::Sitemaps { host } => self.change(host, now, |state, _, _| state.settle_sitemaps()),
            Settlement::Robots { host, answer, attempts } => {
                self.move_robots(host, None, now);
                self.change(host, now, |state, limits, tick| state.learn(&answer, attempts, now, limits, tick));
            }
            Settlement::RobotsAgain { host, on_host, url, hop, attempt, due_at } => {
                self.queue_call(RobotsCall { host: on_host, for_host: host, url, hop, attempt }, due_at, now);
            }
            Settlement::PostponedRobots { call } => self.queue_call(call, now, now),
            Settlement::RefusedRobots { on_host, .. } => self.change(on_host, now, |state, _, _| state.settle_call()),
            Settlement::Abandoned => {}
        }
    }

    /// The request for a robots.txt goes on with this call.
    fn queue_call(&mut self, call: RobotsCall, due_at: Millis, now: Millis) {
        let (host, for_host) = (call.host, call.for_host);
        // Of one that was lost, and is yet to come back, it is asked for anew.
        let is_here = self.hosts.get(host).is_some();
        if is_here {
            self.change(host, now, |state, _, _| state.queue_call(call, due_at));
        }
        self.move_robots(for_host, is_here.then_some(host), now);
        if !is_here {
            self.change(for_host, now, |_, _, _| {});
        }
    }

    /// The request for the robots.txt of `id` ended, and goes on at the host `to` or not at all.
    fn move_robots(&mut self, id: HostId, to: Option<HostId>, now: Millis) {
        let asked = self.hosts.change(id, &self.limits, |state| state.move_robots(to)).flatten();
        if let Some(asked) = asked {
            self.settle_lost_of(asked);
            self.change(asked, now, |state, _, _| state.settle_call());
        }
    }

    /// Changes a host and has it looked at; one with nothing left leaves memory.
    fn change(&mut self, id: HostId, now: Millis, change: impl FnOnce(&mut HostState, &Limits, &Tick)) {
        let (limits, tick) = (&self.limits, &self.tick);
        if self.hosts.change(id, limits, |host| change(host, limits, tick)).is_none() {
            return;
        }
        if let Some(host) = self.hosts.forget_if_idle(id, limits) {
            self.left.push(host);
            self.leaving.remove(&id);
            self.armed.disarm(id);
        } else {
            self.armed.arm(id, now);
        }
    }

    /// A request is over and its connection free; the host may rest.
    pub fn release(&mut self, id: HostId, rest: Rest, now: Millis) {
        if rest.unmade {
            self.connections.fall_short(now);
        } else {
            self.connections.give_back();
        }
        self.change(id, now, |host, limits, _| host.release(rest, now, limits));
    }

    /// A page request failed like this. What is left of the host fails with it, if it had too many outages.
    pub fn give_up(&mut self, id: HostId, kind: FailureKind, message: Arc<str>, now: Millis) {
        self.change(id, now, |host, limits, _| host.give_up(kind, message, limits));
    }

    /// When the earliest host is due; None if none is armed.
    pub fn next_moment(&self) -> Option<Millis> {
        let (at, _) = self.armed.first(self.is_free(), self.budget.is_left())?;
        Some(at.max(self.global.until()).max(self.connections.paused_until()))
    }

    /// Whether a request may be made.
    fn is_free(&self) -> bool {
        self.connections.are_free()
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// No errand after this.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Whether hosts with pending URLs on disk were not brought in yet.
    pub fn set_dormant(&mut self, dormant: bool) {
        self.dormant = dormant;
    }

    /// Whether more hosts should be brought in from disk: there are some, and few of those in memory have anything to do.
    pub fn wants_hosts(&self) -> bool {
        let busy = if self.budget.is_left() { self.armed.len() } else { self.armed.len_paid() };
        self.dormant && !self.is_over() && busy < self.limits.connections * 4
    }

    /// Whether what is on disk may bring more errands.
    fn waits_for_disk(&self) -> bool {
        let waits = self.dormant || !self.returning.is_empty() || self.hosts.is_any_starved();
        waits && !self.is_over()
    }

    /// Whether nothing more is asked for, whatever there is.
    fn is_over(&self) -> bool {
        self.budget.is_spent() && !self.limits.checks
    }

    /// Whether a limit, rather than the end of the queue, holds URLs back.
    pub fn is_limited(&self) -> bool {
        self.budget.is_spent() || self.budget.lacks(1) || self.hosts.is_any_held_back()
    }

    /// Targets of one host held in memory.
    pub fn window(&self) -> usize {
        self.limits.window
    }

    /// Hosts of which more should be read from disk, because their window runs low or because they left memory, and how
    /// many of their pending URLs: as many as are held already and a window more.
    pub fn low(&self) -> Vec<(HostId, usize)> {
        let cap = self.limits.window;
        let low = self.hosts.low().map(|(id, held)| (id, held + cap));
        low.chain(self.returning.iter().map(|id| (*id, cap))).collect()
    }

    /// Takes in a refill: `targets` is what the store has pending for a host; `complete` says of what that is all.
    pub fn refill(&mut self, host: HostRecord, targets: Vec<Target>, complete: Complete, now: Millis) {
        let id = host.id;
        self.add_host(host, now);
        self.change(id, now, |host, limits, _| host.refill(targets, complete, now, limits));
    }

    /// Under which epoch a host is held, when it was asked last, and until when it must be left alone: to be stored, so
    /// that a restart does not burst. None if it is not in memory.
    pub fn hold(&self, id: HostId) -> Option<Hold> {
        self.hosts.get(id).map(|host| host.hold(id))
    }

    /// The holds on all hosts in memory.
    pub fn holds(&self) -> Vec<Hold> {
        self.hosts.all().map(|(id, host)| host.hold(id)).collect()
    }

    /// The hosts of which nothing more is asked for now, each told once, as they were held.
    pub fn take_left(&mut self) -> Vec<(Host, Hold)> {
        std::mem::take(&mut self.left)
    }
}

#[cfg(test)]
impl Schedule {
    /// Hosts in memory.
    pub(super) fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// Compares what is counted with a walk over all hosts.
    pub(super) fn assert_counted(&self) {
        self.hosts.assert_counted(&self.limits);
    }
}
