//! The frontier: the only place that waits. It hands out what may be fetched now, and holds a window of the crawl.

mod host;
pub mod schedule;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::visit::{self, Errand, HostId, HostRecord, Millis, Rest, Settlement, Target};
use schedule::{Limits, Schedule, Step};

/// Wall time that never runs backwards while the process lives.
#[derive(Debug, Clone, Copy)]
pub struct SteadyClock {
    started: Instant,
    at_start: Millis,
}

impl SteadyClock {
    pub fn start() -> Self {
        Self { started: Instant::now(), at_start: visit::now() }
    }

    pub fn now(&self) -> Millis {
        self.at_start + Millis::try_from(self.started.elapsed().as_millis()).unwrap_or(Millis::MAX / 4)
    }
}

/// A shared [`Schedule`] with wake-ups around it.
#[derive(Debug)]
pub struct Frontier {
    // A std mutex: held for microseconds, and never across an await.
    schedule: Mutex<Schedule>,
    clock: SteadyClock,
    /// Wakes one worker.
    work: Notify,
    /// Wakes the time-keeper: the next moment may have changed.
    alarm: Notify,
    /// Wakes whoever brings hosts in from disk.
    hunger: Notify,
    connections: Arc<Semaphore>,
}

impl Frontier {
    pub fn new(limits: Limits, clock: SteadyClock) -> Self {
        let connections = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
        Self {
            schedule: Mutex::new(Schedule::new(limits)),
            clock,
            work: Notify::new(),
            alarm: Notify::new(),
            hunger: Notify::new(),
            connections,
        }
    }

    /// The next errand, with the permit for its connection; None when nothing is left or the frontier was closed.
    ///
    /// The permit is taken before the schedule is asked, so that a request starts when its host's clock says it does,
    /// and given back before any waiting.
    pub async fn next(&self) -> Option<(Errand, Option<OwnedSemaphorePermit>)> {
        loop {
            let woken = self.work.notified();
            tokio::pin!(woken);
            // Before the look at the queue, or a wake-up between the two is lost.
            woken.as_mut().enable();
            let permit = self.connections.clone().acquire_owned().await.ok();
            match self.step() {
                Step::Go(errand) => {
                    self.work.notify_one();
                    let permit = permit.filter(|_| matches!(errand, Errand::Page(_) | Errand::Robots(_)));
                    return Some((errand, permit));
                }
                Step::Drained => {
                    self.work.notify_waiters();
                    self.alarm.notify_waiters();
                    return None;
                }
                Step::Wait(_) => self.alarm.notify_one(),
                Step::Idle => {}
            }
            drop(permit);
            woken.await;
        }
    }

    fn step(&self) -> Step {
        let mut schedule = self.lock();
        let step = schedule.next(self.clock.now());
        if matches!(step, Step::Idle) && schedule.wants_hosts() {
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

    /// Gives back what a request held.
    pub fn release(&self, host: HostId, rest: Rest) {
        self.lock().release(host, rest, self.clock.now());
        self.wake();
    }

    /// Takes in what a commit brought, then counts its errands out, under one lock.
    pub fn settle(&self, hosts: Vec<HostRecord>, targets: Vec<Target>, settlements: Vec<Settlement>) {
        let now = self.clock.now();
        let mut schedule = self.lock();
        hosts.into_iter().for_each(|host| schedule.add_host(host, now));
        for target in targets {
            if !schedule.push(target, now) {
                schedule.set_dormant(true);
            }
        }
        settlements.into_iter().for_each(|settlement| schedule.settle(settlement, now));
        drop(schedule);
        self.wake();
    }

    /// Looks at or changes the schedule, then lets the workers look again.
    pub fn with<T>(&self, change: impl FnOnce(&mut Schedule, Millis) -> T) -> T {
        let result = change(&mut self.lock(), self.clock.now());
        self.wake();
        result
    }

    /// No errand after this; workers end when they have finished what they hold.
    pub fn close(&self) {
        self.lock().close();
        self.work.notify_waiters();
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
