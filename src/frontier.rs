//! The frontier: the only place that waits. It hands out what may be fetched now, and holds a window of the crawl.

mod armed;
mod budget;
mod clock;
mod connections;
mod host;
mod hosts;
pub mod limits;
mod lost;
mod memory;
mod pace;
mod robots;
pub mod schedule;
#[cfg(test)]
mod tests;
pub mod wait;
mod window;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::canonical::Host;
use crate::visit::{
    Complete, Errand, FailureKind, Hold, HostId, HostRecord, Lease, Millis, Rest, Settlement, Standing, SteadyClock,
    Target, TrapId,
};
use limits::Limits;
use schedule::{Schedule, Step};
use wait::Holdup;

/// A shared [`Schedule`] with wake-ups around it.
#[derive(Debug)]
pub struct Frontier {
    // A std mutex: held for microseconds, and never across an await.
    schedule: Mutex<Schedule>,
    clock: SteadyClock,
    /// Without it nothing is handed out, if there is one.
    lease: Option<Lease>,
    /// Wakes one worker.
    work: Notify,
    /// Wakes the time-keeper: the next moment may have changed.
    alarm: Notify,
    /// Wakes whoever brings hosts in from disk.
    hunger: Notify,
}

impl Frontier {
    pub fn new(limits: Limits, clock: SteadyClock) -> Self {
        Self {
            schedule: Mutex::new(Schedule::new(limits)),
            clock,
            lease: None,
            work: Notify::new(),
            alarm: Notify::new(),
            hunger: Notify::new(),
        }
    }

    /// Hands nothing out unless this lease is held. What is left, and how much of what is limited is this process's, others
    /// say too.
    pub fn under(self, lease: Option<Lease>) -> Self {
        Self { lease, ..self }
    }

    /// Whether hosts may be asked: this process has no lease that has ended.
    pub fn may_ask(&self) -> bool {
        self.lease.as_ref().is_none_or(Lease::is_held)
    }

    /// The next errand; None when nothing is left or the frontier was closed. Nothing is held while it waits.
    pub async fn next(&self) -> Option<Errand> {
        loop {
            let woken = self.work.notified();
            tokio::pin!(woken);
            // Before the look at the queue, or a wake-up between the two is lost.
            woken.as_mut().enable();
            match self.step() {
                Step::Go(errand) => {
                    self.work.notify_one();
                    return Some(errand);
                }
                Step::Drained => {
                    self.work.notify_waiters();
                    self.alarm.notify_waiters();
                    return None;
                }
                Step::Wait(_) => self.alarm.notify_one(),
                Step::Idle => {}
            }
            woken.await;
        }
    }

    fn step(&self) -> Step {
        let (mut schedule, now) = (self.lock(), self.clock.now());
        if !schedule.is_closed() && !self.may_ask() {
            return Step::Idle;
        }
        let step = schedule.next(now);
        if matches!(step, Step::Idle)
            && (schedule.wants_hosts() || self.lease.is_some() && schedule.standing(now).rests)
        {
            self.hunger.notify_one();
        }
        step
    }

    /// Completes when the hosts in memory have nothing to do and others may wait on disk.
    pub async fn hungry(&self) {
        self.hunger.notified().await;
    }

    /// Wakes a worker whenever a host has rested; to be polled beside the workers.
    pub async fn keep_time(&self) {
        loop {
            let changed = self.alarm.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = self.clock.now();
            let next = self.lock().next_moment();
            match next {
                Some(at) if at <= now => {
                    self.work.notify_one();
                    // The worker that takes the errand, or finds that it must wait, calls again.
                    changed.await;
                }
                Some(at) => {
                    let pause = Duration::from_millis(u64::try_from(at - now).unwrap_or(0));
                    // Either way the next round looks again.
                    let _ = tokio::time::timeout(pause, changed).await;
                }
                None => changed.await,
            }
        }
    }

    /// A request is over: its host may rest.
    pub fn release(&self, host: HostId, rest: Rest) {
        self.change(|schedule, now| schedule.release(host, rest, now));
    }

    /// A page request failed like this. What is left of its host fails with it, if that had too many outages.
    pub fn give_up(&self, host: HostId, kind: FailureKind, message: Arc<str>) {
        self.change(|schedule, now| schedule.give_up(host, kind, message, now));
    }

    /// Takes in which accounts are traps from now on (`true`), or are no more.
    pub fn turn_traps(&self, turned: &[(TrapId, bool)]) {
        if !turned.is_empty() {
            self.change(|schedule, _| schedule.turn_traps(turned));
        }
    }

    /// Takes in what a commit brought, then counts its errands out, under one lock.
    pub fn settle(&self, hosts: Vec<HostRecord>, targets: Vec<Target>, settlements: Vec<Settlement>) {
        self.change(|schedule, now| schedule.settle_all(hosts, targets, settlements, now));
    }

    /// Hosts of which more should be read from disk, and how many of their pending URLs.
    pub fn low_windows(&self) -> Vec<(HostId, usize)> {
        self.lock().low()
    }

    /// Takes in `targets`, which the store has pending for a host; `complete` says of what they are all.
    pub fn refill(&self, host: HostRecord, targets: Vec<Target>, complete: Complete) {
        self.change(|schedule, now| schedule.refill(host, targets, complete, now));
    }

    /// Whether more hosts should be brought in from disk: others wait, and few of those in memory have anything to do.
    pub fn wants_hosts(&self) -> bool {
        self.lock().wants_hosts()
    }

    /// Whether hosts with pending URLs on disk were not brought in yet.
    pub fn set_dormant(&self, dormant: bool) {
        self.change(|schedule, _| schedule.set_dormant(dormant));
    }

    /// A host is not this process's any more: nothing of it is handed out.
    pub fn lose(&self, host: HostId) {
        self.change(|schedule, now| schedule.lose(host, now));
    }

    /// The hosts of which nothing more is asked for now, each told once, as they were held.
    pub fn take_left(&self) -> Vec<(Host, Hold)> {
        let left = self.lock().take_left();
        left.into_iter().map(|(host, hold)| (host, self.for_others(hold))).collect()
    }

    /// The holds on all hosts in memory.
    pub fn holds(&self) -> Vec<Hold> {
        let holds = self.lock().holds();
        holds.into_iter().map(|hold| self.for_others(hold)).collect()
    }

    /// Targets of one host held in memory.
    pub fn window(&self) -> usize {
        self.lock().window()
    }

    /// Under which epoch a host is held, and its clock; None if it is not in memory.
    pub fn hold(&self, host: HostId) -> Option<Hold> {
        let hold = self.lock().hold(host);
        hold.map(|hold| self.for_others(hold))
    }

    /// Their clocks may be ahead of this process's: its times are as late there as they may be.
    fn for_others(&self, hold: Hold) -> Hold {
        let slack = self.clock.slack();
        let later = |at: Millis| if at > 0 { at.saturating_add(slack) } else { at };
        Hold { asked_at: later(hold.asked_at), blocked_until: later(hold.blocked_until), ..hold }
    }

    /// How this process stands among others.
    pub fn standing(&self) -> Standing {
        self.lock().standing(self.clock.now())
    }

    /// What holds the pace now.
    pub fn holdup(&self) -> Holdup {
        self.lock().holdup(self.clock.now())
    }

    /// What is handed out and not yet settled.
    pub fn outstanding(&self) -> usize {
        self.lock().outstanding()
    }

    /// The share of the limited pages, those stored included.
    pub fn set_share(&self, pages: u64) {
        self.change(|schedule, _| schedule.set_share(pages));
    }

    /// The share of the pace of all requests together.
    pub fn set_pace(&self, rate: f64) {
        self.change(|schedule, now| schedule.set_pace(rate, now));
    }

    /// Lets so many hosts go, or as many as it can by now, and answers with how they were held.
    pub fn spare(&self, count: usize) -> Vec<Hold> {
        let spared = self.lock().spare(count, self.clock.now());
        self.wake();
        spared.into_iter().map(|hold| self.for_others(hold)).collect()
    }

    /// Everything is lost: the hosts, and the share of what is limited. Answers with how many hosts there were.
    pub fn lose_all(&self) -> usize {
        self.lock().lose_all(self.clock.now())
    }

    /// These are the traps, and no others.
    pub fn set_traps(&self, held: &[TrapId]) {
        self.change(|schedule, _| schedule.set_traps(held));
    }

    /// Lets all look again: the lease was renewed.
    pub fn resume(&self) {
        self.work.notify_waiters();
        self.wake();
    }

    /// Whether a limit, rather than the end of the queue, holds URLs back.
    pub fn is_limited(&self) -> bool {
        self.lock().is_limited()
    }

    /// No errand after this; workers end when they have finished what they hold.
    pub fn close(&self) {
        self.lock().close();
        self.work.notify_waiters();
        self.wake();
    }

    /// Changes the schedule, then lets a worker and the time-keeper look again.
    fn change(&self, change: impl FnOnce(&mut Schedule, Millis)) {
        change(&mut self.lock(), self.clock.now());
        self.wake();
    }

    fn wake(&self) {
        self.work.notify_one();
        self.alarm.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
