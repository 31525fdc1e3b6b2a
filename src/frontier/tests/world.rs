//! The world around a schedule: the disk, the requests under way, a fake clock, and what was seen of every host.

use std::collections::{HashMap, HashSet};

use super::setting::{HOSTS, MAX_WAIT, START, Setting, limits, record, target, to_check};
use crate::frontier::schedule::{Schedule, Step};
use crate::visit::{
    Complete, Errand, FailureKind, HostId, HostRecord, Millis, Refusal, Rest, RobotsAnswer, RobotsCall, Settlement,
    StoredRobots, Target, UrlId,
};

#[derive(Debug, Clone)]
pub(super) enum Move {
    /// A link to a host was committed.
    Push(HostId),
    /// Something to check on a host was committed.
    Check(HostId),
    /// Take all that may be done now, at most so many.
    Next(usize),
    /// A request in flight comes to its end: which, and how.
    Release(usize, End),
    /// The record of a released request is committed.
    Settle(usize),
    Pass(Millis),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum End {
    Stored,
    Failed,
    Again,
    /// 503 with Retry-After, in milliseconds.
    Busy(Millis),
    /// No connection.
    Dead,
    /// This machine could not make the request.
    Short,
}

/// The world around the schedule.
pub(super) struct World {
    setting: Setting,
    pub(super) schedule: Schedule,
    now: Millis,
    disk: Disk,
    flying: Vec<Errand>,
    landed: Vec<(Errand, End)>,
    last_id: UrlId,
    seen: Seen,
}

/// What is durable.
#[derive(Default)]
struct Disk {
    /// Pending URLs by host: what a refill answers with.
    pending: HashMap<HostId, Vec<Target>>,
    /// The same of checks.
    checks: HashMap<HostId, Vec<Target>>,
    clocks: HashMap<HostId, (Millis, Millis)>,
    robots: HashMap<HostId, StoredRobots>,
}

impl Disk {
    /// Where a target waits.
    fn waiting(&mut self, target: &Target) -> &mut Vec<Target> {
        let waiting = if target.check.is_some() { &mut self.checks } else { &mut self.pending };
        waiting.entry(target.host).or_default()
    }

    fn host(&self, id: HostId) -> HostRecord {
        let (asked_at, blocked_until) = self.clocks.get(&id).copied().unwrap_or_default();
        HostRecord { asked_at, blocked_until, robots: self.robots.get(&id).cloned(), ..record(id) }
    }
}

#[derive(Default)]
struct Seen {
    ended: HashSet<UrlId>,
    stored: u64,
    stored_of: HashMap<HostId, u64>,
    robots_known: HashSet<HostId>,
    sitemaps_taken: HashSet<HostId>,
    dead: HashSet<HostId>,
    asked: HashMap<HostId, Millis>,
    asked_any: Millis,
    blocked: HashMap<HostId, Millis>,
    parked: HashSet<HostId>,
}

impl World {
    pub(super) fn new(setting: Setting) -> Self {
        let schedule = Schedule::new(limits(&setting));
        let (disk, flying, landed, seen) = Default::default();
        Self { setting, schedule, now: START, disk, flying, landed, last_id: 0, seen }
    }

    pub(super) fn play(&mut self, step: &Move) {
        match *step {
            Move::Push(host) => {
                self.last_id += 1;
                let target = target(host, self.last_id);
                self.disk.pending.entry(host).or_default().push(target.clone());
                self.schedule.push(target, self.now);
                self.refill();
            }
            Move::Check(host) if self.setting.checks => {
                self.last_id += 1;
                let target = to_check(host, self.last_id);
                self.disk.waiting(&target).push(target.clone());
                self.schedule.push(target, self.now);
                self.refill();
            }
            Move::Check(_) => {}
            Move::Next(most) => {
                for _ in 0..most {
                    if !self.take() {
                        break;
                    }
                }
            }
            Move::Release(which, end) if !self.flying.is_empty() => {
                let errand = self.flying.swap_remove(which % self.flying.len());
                self.release(errand, end);
            }
            Move::Settle(which) if !self.landed.is_empty() => {
                let (errand, end) = self.landed.swap_remove(which % self.landed.len());
                self.settle(errand, end);
            }
            Move::Release(..) | Move::Settle(_) => {}
            Move::Pass(time) => self.now += time,
        }
        self.schedule.assert_counted();
    }

    /// Asks once; whether there was an errand.
    fn take(&mut self) -> bool {
        match self.schedule.next(self.now) {
            Step::Go(errand) => self.check_errand(errand),
            Step::Wait(until) => {
                assert!(until > self.now, "a wait until {until} at {}", self.now);
                assert!(self.schedule.next_moment().is_some_and(|at| at > self.now), "the time-keeper would spin");
                return false;
            }
            Step::Idle => {
                assert!(!self.flying.is_empty() || !self.landed.is_empty(), "idle with nothing under way");
                return false;
            }
            Step::Drained => {
                self.check_drained();
                return false;
            }
        }
        true
    }

    fn check_errand(&mut self, errand: Errand) {
        match &errand {
            Errand::Refuse { target, verdict: Refusal::Wait } => {
                assert!(target.check.is_some() && self.seen.parked.contains(&target.host), "refused without a reason");
                self.check_held_once(target);
                self.landed.push((errand, End::Failed));
                return;
            }
            Errand::Refuse { target, .. } => {
                let forbidden = self.setting.hosts[target.host as usize].1 && target.id % 3 == 0;
                assert!(forbidden || self.seen.dead.contains(&target.host), "refused without a reason");
                self.check_held_once(target);
                self.landed.push((errand, End::Failed));
                return;
            }
            Errand::Sitemaps { id, named, .. } => {
                assert!(self.seen.robots_known.contains(id), "sitemaps before robots.txt");
                assert!(!self.seen.sitemaps_taken.contains(id), "a host's sitemaps are taken up once");
                let twice = |errand: &Errand| matches!(errand, Errand::Sitemaps { id: other, .. } if other == id);
                assert!(!self.landed.iter().any(|(errand, _)| twice(errand)));
                assert_eq!(named.len(), 1);
                self.landed.push((errand, End::Failed));
                return;
            }
            Errand::Robots(RobotsCall { host, for_host, .. }) => {
                assert!(!self.seen.robots_known.contains(for_host), "robots.txt is asked for once");
                let twice = self.flying.iter().chain(self.landed.iter().map(|(errand, _)| errand));
                let is_same = |errand: &Errand| matches!(errand, Errand::Robots(call) if call.for_host == *for_host);
                assert!(!twice.clone().any(is_same));
                self.check_pace(*host);
            }
            Errand::Page(target) | Errand::Check(target, _) => {
                assert!(self.seen.robots_known.contains(&target.host), "a page before robots.txt");
                let is_early = target.check.is_none() && !self.seen.sitemaps_taken.contains(&target.host);
                assert!(!is_early, "a page before the host's sitemaps");
                let forbids = self.setting.hosts[target.host as usize].1;
                assert!(!(forbids && target.id % 3 == 0), "a page that robots.txt forbids");
                assert!(target.due_at.is_none_or(|due| due <= self.now), "a retry before it is due");
                self.check_held_once(target);
                self.check_pace(target.host);
            }
        }
        self.flying.push(errand);
        self.check_caps();
    }

    fn check_held_once(&self, target: &Target) {
        assert!(!self.seen.ended.contains(&target.id), "handed out again after its end");
        let mut under_way = self.flying.iter().chain(self.landed.iter().map(|(errand, _)| errand));
        assert!(!under_way.any(|errand| id(errand) == Some(target.id)), "handed out twice");
    }

    fn check_pace(&mut self, host: HostId) {
        assert!(!self.seen.parked.contains(&host), "a host that asked for more time than there is");
        assert!(self.seen.blocked.get(&host).is_none_or(|until| *until <= self.now), "a host that asked for time");
        let delay = if self.seen.robots_known.contains(&host) { self.setting.hosts[host as usize].0 } else { 0 };
        let interval = self.setting.interval.max(delay);
        let before = self.seen.asked.insert(host, self.now);
        assert!(before.is_none_or(|before| before + interval <= self.now), "faster than the host's pace");
        assert!(self.seen.asked_any + self.setting.global_interval <= self.now, "faster than the global pace");
        self.seen.asked_any = self.now;
    }

    fn check_caps(&self) {
        let landed = self.landed.iter().filter(|(errand, _)| host(errand).is_some()).count();
        assert!(self.flying.len() <= self.setting.connections, "beyond the connections");
        assert!(self.flying.len() + landed <= self.setting.uncommitted, "beyond what may wait for its commit");
        for id in 0..HOSTS {
            let flying = self.flying.iter().filter(|errand| host(errand) == Some(id)).count();
            assert!(flying <= self.setting.per_host, "beyond the connections to one host");
            let pages = self.seen.stored_of.get(&id).copied().unwrap_or(0) + self.pages_out(Some(id));
            assert!(self.setting.max_pages_per_host.is_none_or(|max| pages <= max), "beyond the host's budget");
        }
        let pages = self.seen.stored + self.pages_out(None);
        assert!(self.setting.max_pages.is_none_or(|max| pages <= max), "beyond the budget");
    }

    fn pages_out(&self, of: Option<HostId>) -> u64 {
        let under_way = self.flying.iter().chain(self.landed.iter().map(|(errand, _)| errand));
        let counts = |errand: &&Errand| matches!(errand, Errand::Page(t) if of.is_none_or(|host| t.host == host));
        under_way.filter(counts).count() as u64
    }

    /// Drained is said exactly when nothing is under way and nothing on disk may be asked for by this invocation.
    pub(super) fn check_drained(&self) {
        assert!(self.flying.is_empty() && self.landed.is_empty(), "drained with work under way");
        assert!(self.disk.checks.values().all(Vec::is_empty), "drained with checks left");
        if self.setting.max_pages.is_some_and(|max| self.seen.stored >= max) {
            return;
        }
        for (host, pending) in &self.disk.pending {
            let stored = self.seen.stored_of.get(host).copied().unwrap_or(0);
            let spent = self.setting.max_pages_per_host.is_some_and(|max| stored >= max);
            assert!(pending.is_empty() || spent || self.seen.parked.contains(host), "drained with {pending:?} left");
        }
    }

    fn release(&mut self, errand: Errand, end: End) {
        let id = host(&errand).unwrap();
        let mut rest = Rest { answered: Some(true), ..Rest::default() };
        match end {
            End::Busy(time) => {
                rest.asked_until = Some(self.now + time);
                self.block(id, self.now + time);
                if time > MAX_WAIT {
                    self.seen.parked.insert(id);
                }
            }
            End::Dead => rest = Rest { answered: Some(false), started_at: Millis::MAX, ..rest },
            End::Short => rest = Rest { unmade: true, ..Rest::default() },
            End::Stored | End::Failed | End::Again => {}
        }
        self.schedule.release(id, rest, self.now);
        if end == End::Dead {
            let until = self.schedule.hold(id).unwrap().blocked_until;
            assert!(until > self.now, "a host that gives no connection rests");
            self.block(id, until);
        }
        self.landed.push((errand, end));
    }

    fn block(&mut self, host: HostId, until: Millis) {
        let blocked = self.seen.blocked.entry(host).or_default();
        *blocked = until.max(*blocked);
    }

    /// Commits: first to disk, then to the schedule.
    fn settle(&mut self, errand: Errand, end: End) {
        if let Some(host) = host(&errand) {
            let hold = self.schedule.hold(host);
            self.disk.clocks.extend(hold.map(|hold| (host, (hold.asked_at, hold.blocked_until))));
        }
        let settlement = match errand {
            Errand::Refuse { target, .. } => {
                self.end(&target);
                if target.check.is_some() {
                    return self.count(Settlement::Checked { host: target.host, id: target.id, asked: false });
                }
                Settlement::Refused { host: target.host, id: target.id }
            }
            Errand::Sitemaps { id, .. } => {
                self.seen.sitemaps_taken.insert(id);
                Settlement::Sitemaps { host: id }
            }
            Errand::Robots(RobotsCall { for_host, .. }) if end == End::Dead => {
                self.seen.dead.insert(for_host);
                let answer = RobotsAnswer::Dead { kind: FailureKind::Connect, message: "refused".into() };
                Settlement::Robots { host: for_host, answer, attempts: 1 }
            }
            Errand::Robots(call) if end == End::Short => Settlement::PostponedRobots { call },
            Errand::Robots(RobotsCall { host, for_host, url, hop, attempt })
                if matches!(end, End::Again | End::Busy(_)) =>
            {
                let due_at = self.now + 500;
                Settlement::RobotsAgain { host: for_host, on_host: host, url, hop, attempt: attempt + 1, due_at }
            }
            Errand::Robots(RobotsCall { for_host, .. }) => {
                self.seen.robots_known.insert(for_host);
                self.park_if_slow(for_host);
                let answer = self.rules(for_host);
                self.disk.robots.insert(for_host, StoredRobots { fetched_at: self.now, answer: answer.clone() });
                Settlement::Robots { host: for_host, answer, attempts: 1 }
            }
            Errand::Page(target) | Errand::Check(target, _) => match end {
                End::Stored | End::Failed if target.check.is_some() => {
                    self.end(&target);
                    Settlement::Checked { host: target.host, id: target.id, asked: true }
                }
                End::Stored => {
                    self.end(&target);
                    self.seen.stored += 1;
                    *self.seen.stored_of.entry(target.host).or_default() += 1;
                    Settlement::Stored { host: target.host, id: target.id }
                }
                End::Failed => {
                    self.end(&target);
                    Settlement::Ended { host: target.host, id: target.id }
                }
                End::Short => Settlement::Postponed { target },
                End::Again | End::Busy(_) | End::Dead => {
                    let again = Target { attempts: target.attempts + 1, due_at: Some(self.now + 700), ..target };
                    let pending = self.disk.waiting(&again);
                    *pending.iter_mut().find(|t| t.id == again.id).unwrap() = again.clone();
                    Settlement::Again { target: again }
                }
            },
        };
        self.count(settlement);
    }

    fn count(&mut self, settlement: Settlement) {
        self.schedule.settle(settlement, self.now);
        self.refill();
    }

    fn refill(&mut self) {
        for (host, most) in self.schedule.low() {
            let pending = self.disk.pending.get(&host).cloned().unwrap_or_default();
            let checks = self.disk.checks.get(&host).cloned().unwrap_or_default();
            let complete = Complete { pages: pending.len() < most, checks: checks.len() < most };
            let targets = pending.into_iter().take(most).chain(checks.into_iter().take(most)).collect();
            self.schedule.refill(self.disk.host(host), targets, complete, self.now);
        }
    }

    /// Delays are far below what this invocation waits, or far above.
    fn park_if_slow(&mut self, host: HostId) {
        if self.setting.hosts[host as usize].0 > MAX_WAIT * 2 {
            self.seen.parked.insert(host);
        }
    }

    fn end(&mut self, target: &Target) {
        assert!(self.seen.ended.insert(target.id));
        self.disk.waiting(target).retain(|pending| pending.id != target.id);
    }

    fn rules(&self, host: HostId) -> RobotsAnswer {
        let (delay, forbids) = self.setting.hosts[host as usize];
        let disallow = if forbids { "Disallow: /no\n" } else { "" };
        let body = format!("User-agent: *\nCrawl-delay: {}\n{disallow}", delay as f64 / 1000.0);
        RobotsAnswer::Rules { status: 200, body: body.into_bytes() }
    }

    /// Who has nothing left on disk has left memory, but for hosts that are still to be asked for their robots.txt and ask for
    /// more time than there is: what was to be checked there is not waited for.
    pub(super) fn check_left(&self) {
        let has_pages = |id: &HostId| self.disk.pending.get(id).is_some_and(|pending| !pending.is_empty());
        let left = (0..HOSTS).filter(has_pages).count();
        let unasked = |id: &HostId| self.seen.parked.contains(id) && !self.seen.robots_known.contains(id);
        let unasked = (0..HOSTS).filter(|id| !has_pages(id) && unasked(id)).count();
        assert!((left..=left + unasked).contains(&self.schedule.hosts()));
    }

    /// Lets everything under way end well until nothing is left, at the pace of the schedule's own answers.
    pub(super) fn finish(&mut self) {
        for _ in 0..10_000 {
            while self.take() {}
            if let Some(errand) = self.flying.pop() {
                self.release(errand, End::Stored);
            } else if let Some((errand, end)) = self.landed.pop() {
                self.settle(errand, end);
            } else {
                match self.schedule.next(self.now) {
                    Step::Drained => return,
                    Step::Wait(until) => {
                        assert!(until <= self.now + 2 * MAX_WAIT, "waits {} ms", until - self.now);
                        self.now = until;
                    }
                    other => panic!("{other:?} with nothing under way"),
                }
            }
        }
        panic!("never drained");
    }
}

/// The host that is asked; none for a refusal.
fn host(errand: &Errand) -> Option<HostId> {
    match errand {
        Errand::Page(target) | Errand::Check(target, _) => Some(target.host),
        Errand::Robots(RobotsCall { host, .. }) => Some(*host),
        Errand::Sitemaps { .. } | Errand::Refuse { .. } => None,
    }
}

fn id(errand: &Errand) -> Option<UrlId> {
    match errand {
        Errand::Page(target) | Errand::Check(target, _) | Errand::Refuse { target, .. } => Some(target.id),
        Errand::Robots(RobotsCall { .. }) | Errand::Sitemaps { .. } => None,
    }
}
