//! The pure schedule under random work, driven by a fake clock: no runtime, no waiting.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{HashMap, HashSet};

use harvestman::internals::canonical::{CanonicalUrl, Host};
use harvestman::internals::frontier::schedule::{Limits, Schedule, Step};
use harvestman::internals::visit::{
    Errand, FailureKind, HostId, HostRecord, Millis, Rest, RobotsAnswer, RobotsCall, Settlement, StoredRobots, Target,
    UrlId,
};
use proptest::prelude::*;

/// Some day in 2025, so that times are of the size they really have.
const START: Millis = 1_750_000_000_000;
const HOSTS: HostId = 4;
const MAX_WAIT: Millis = 60_000;

#[derive(Debug, Clone)]
struct Setting {
    connections: usize,
    per_host: usize,
    /// Milliseconds between requests; 0 is no limit.
    interval: Millis,
    global_interval: Millis,
    max_pages: Option<u64>,
    max_pages_per_host: Option<u64>,
    window: usize,
    /// Crawl-delay of each host in milliseconds, and whether it forbids every third URL.
    hosts: Vec<(Millis, bool)>,
}

#[derive(Debug, Clone)]
enum Move {
    /// A link to a host was committed.
    Push(HostId),
    /// Take all that may be done now, at most so many.
    Next(usize),
    /// A request in flight comes to its end: which, and how.
    Release(usize, End),
    /// The record of a released request is committed.
    Settle(usize),
    Pass(Millis),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Stored,
    Failed,
    Again,
    /// 503 with Retry-After, in milliseconds.
    Busy(Millis),
    /// No connection.
    Dead,
}

fn rate(interval: Millis) -> f64 {
    if interval == 0 { 0.0 } else { 1000.0 / interval as f64 }
}

fn limits(setting: &Setting) -> Limits {
    Limits {
        connections: setting.connections,
        max_connections_per_host: setting.per_host,
        rate: rate(setting.interval),
        global_rate: rate(setting.global_interval),
        max_pages: setting.max_pages,
        max_pages_per_host: setting.max_pages_per_host,
        max_wait: MAX_WAIT,
        retries: 3,
        ignore_robots: false,
        sitemaps: true,
        product_token: "bot".into(),
        window: setting.window,
    }
}

fn url(host: HostId, id: UrlId) -> CanonicalUrl {
    let path = if id % 3 == 0 { "no" } else { "yes" };
    CanonicalUrl::parse(&format!("http://h{host}.test/{path}/{id}")).unwrap()
}

fn target(host: HostId, id: UrlId) -> Target {
    Target::new(id, host, url(host, id), 0)
}

fn record(host: HostId) -> HostRecord {
    let name = Host::parse(&format!("http://h{host}.test")).unwrap();
    HostRecord { id: host, host: name, asked_at: 0, blocked_until: 0, robots: None }
}

/// The world around the schedule: the disk, the requests under way, and what was seen of every host.
struct World {
    setting: Setting,
    schedule: Schedule,
    now: Millis,
    /// Pending on disk, by host: what a refill answers with.
    disk: HashMap<HostId, Vec<Target>>,
    flying: Vec<Errand>,
    landed: Vec<(Errand, End)>,
    last_id: UrlId,
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
    fn new(setting: Setting) -> Self {
        let mut schedule = Schedule::new(limits(&setting));
        for host in 0..HOSTS {
            schedule.add_host(record(host), START);
        }
        Self {
            setting,
            schedule,
            now: START,
            disk: HashMap::new(),
            flying: Vec::new(),
            landed: Vec::new(),
            last_id: 0,
            ended: HashSet::new(),
            stored: 0,
            stored_of: HashMap::new(),
            robots_known: HashSet::new(),
            sitemaps_taken: HashSet::new(),
            dead: HashSet::new(),
            asked: HashMap::new(),
            asked_any: 0,
            blocked: HashMap::new(),
            parked: HashSet::new(),
        }
    }

    fn play(&mut self, step: &Move) {
        match *step {
            Move::Push(host) => {
                self.last_id += 1;
                let target = target(host, self.last_id);
                self.disk.entry(host).or_default().push(target.clone());
                assert!(self.schedule.push(target, self.now));
            }
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
            Errand::Refuse { target, .. } => {
                let forbidden = self.setting.hosts[target.host as usize].1 && target.id % 3 == 0;
                assert!(forbidden || self.dead.contains(&target.host), "refused without a reason");
                self.check_held_once(target);
                self.landed.push((errand, End::Failed));
                return;
            }
            Errand::Sitemaps { id, named, .. } => {
                assert!(self.robots_known.contains(id), "sitemaps before robots.txt");
                assert!(!self.sitemaps_taken.contains(id), "a host's sitemaps are taken up once");
                let twice = |errand: &Errand| matches!(errand, Errand::Sitemaps { id: other, .. } if other == id);
                assert!(!self.landed.iter().any(|(errand, _)| twice(errand)));
                assert_eq!(named.len(), 1);
                self.landed.push((errand, End::Failed));
                return;
            }
            Errand::Robots(RobotsCall { host, for_host, .. }) => {
                assert!(!self.robots_known.contains(for_host), "robots.txt is asked for once");
                let twice = self.flying.iter().chain(self.landed.iter().map(|(errand, _)| errand));
                assert!(
                    !twice
                        .clone()
                        .any(|e| matches!(e, Errand::Robots(RobotsCall { for_host: f, .. }) if f == for_host))
                );
                self.check_pace(*host);
            }
            Errand::Page(target) => {
                assert!(self.robots_known.contains(&target.host), "a page before robots.txt");
                assert!(self.sitemaps_taken.contains(&target.host), "a page before the host's sitemaps");
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
        assert!(!self.ended.contains(&target.id), "handed out again after its end");
        let mut under_way = self.flying.iter().chain(self.landed.iter().map(|(errand, _)| errand));
        assert!(!under_way.any(|errand| id(errand) == Some(target.id)), "handed out twice");
    }

    fn check_pace(&mut self, host: HostId) {
        assert!(!self.parked.contains(&host), "a host that asked for more time than there is");
        assert!(self.blocked.get(&host).is_none_or(|until| *until <= self.now), "a host that asked for time");
        let delay = if self.robots_known.contains(&host) { self.setting.hosts[host as usize].0 } else { 0 };
        let interval = self.setting.interval.max(delay);
        let before = self.asked.insert(host, self.now);
        assert!(before.is_none_or(|before| before + interval <= self.now), "faster than the host's pace");
        assert!(self.asked_any + self.setting.global_interval <= self.now, "faster than the global pace");
        self.asked_any = self.now;
    }

    fn check_caps(&self) {
        let landed = self.landed.iter().filter(|(errand, _)| host(errand).is_some()).count();
        assert!(self.flying.len() + landed <= self.setting.connections, "beyond the connections");
        for id in 0..HOSTS {
            let flying = self.flying.iter().filter(|errand| host(errand) == Some(id)).count();
            assert!(flying <= self.setting.per_host, "beyond the connections to one host");
            let pages = self.stored_of.get(&id).copied().unwrap_or(0) + self.pages_out(Some(id));
            assert!(self.setting.max_pages_per_host.is_none_or(|max| pages <= max), "beyond the host's budget");
        }
        let pages = self.stored + self.pages_out(None);
        assert!(self.setting.max_pages.is_none_or(|max| pages <= max), "beyond the budget");
    }

    fn pages_out(&self, of: Option<HostId>) -> u64 {
        let under_way = self.flying.iter().chain(self.landed.iter().map(|(errand, _)| errand));
        let counts = |errand: &&Errand| matches!(errand, Errand::Page(t) if of.is_none_or(|host| t.host == host));
        under_way.filter(counts).count() as u64
    }

    /// Drained is said exactly when nothing is under way and nothing on disk may be asked for by this invocation.
    fn check_drained(&self) {
        assert!(self.flying.is_empty() && self.landed.is_empty(), "drained with work under way");
        if self.setting.max_pages.is_some_and(|max| self.stored >= max) {
            return;
        }
        for (host, pending) in &self.disk {
            let stored = self.stored_of.get(host).copied().unwrap_or(0);
            let spent = self.setting.max_pages_per_host.is_some_and(|max| stored >= max);
            assert!(pending.is_empty() || spent || self.parked.contains(host), "drained with {pending:?} left");
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
                    self.parked.insert(id);
                }
            }
            End::Dead => rest = Rest { answered: Some(false), started_at: Millis::MAX, ..rest },
            End::Stored | End::Failed | End::Again => {}
        }
        self.schedule.release(id, rest, self.now);
        if end == End::Dead {
            let (_, until) = self.schedule.clock(id).unwrap();
            assert!(until > self.now, "a host that gives no connection rests");
            self.block(id, until);
        }
        self.landed.push((errand, end));
    }

    fn block(&mut self, host: HostId, until: Millis) {
        let blocked = self.blocked.entry(host).or_default();
        *blocked = until.max(*blocked);
    }

    fn settle(&mut self, errand: Errand, end: End) {
        let settlement = match errand {
            Errand::Refuse { target, .. } => {
                self.end(&target);
                Settlement::Refused { host: target.host, id: target.id }
            }
            Errand::Sitemaps { id, .. } => {
                self.sitemaps_taken.insert(id);
                Settlement::Sitemaps { host: id }
            }
            Errand::Robots(RobotsCall { for_host, .. }) if end == End::Dead => {
                self.dead.insert(for_host);
                let answer = RobotsAnswer::Dead { kind: FailureKind::Connect, message: "refused".into() };
                Settlement::Robots { host: for_host, answer, attempts: 1 }
            }
            Errand::Robots(RobotsCall { host, for_host, url, hop, attempt })
                if matches!(end, End::Again | End::Busy(_)) =>
            {
                let due_at = self.now + 500;
                Settlement::RobotsAgain { host: for_host, on_host: host, url, hop, attempt: attempt + 1, due_at }
            }
            Errand::Robots(RobotsCall { for_host, .. }) => {
                self.robots_known.insert(for_host);
                self.park_if_slow(for_host);
                Settlement::Robots { host: for_host, answer: self.rules(for_host), attempts: 1 }
            }
            Errand::Page(target) => match end {
                End::Stored => {
                    self.end(&target);
                    self.stored += 1;
                    *self.stored_of.entry(target.host).or_default() += 1;
                    Settlement::Stored { host: target.host, id: target.id }
                }
                End::Failed => {
                    self.end(&target);
                    Settlement::Ended { host: target.host, id: target.id }
                }
                End::Again | End::Busy(_) | End::Dead => {
                    let again = Target { attempts: target.attempts + 1, due_at: Some(self.now + 700), ..target };
                    let pending = self.disk.get_mut(&again.host).unwrap();
                    *pending.iter_mut().find(|t| t.id == again.id).unwrap() = again.clone();
                    Settlement::Again { target: again }
                }
            },
        };
        self.schedule.settle(settlement, self.now);
        for (host, most) in self.schedule.low() {
            let pending = self.disk.get(&host).cloned().unwrap_or_default();
            let complete = pending.len() < most;
            self.schedule.refill(host, pending.into_iter().take(most).collect(), complete, self.now);
        }
    }

    /// Delays are far below what this invocation waits, or far above.
    fn park_if_slow(&mut self, host: HostId) {
        if self.setting.hosts[host as usize].0 > MAX_WAIT * 2 {
            self.parked.insert(host);
        }
    }

    fn end(&mut self, target: &Target) {
        assert!(self.ended.insert(target.id));
        self.disk.get_mut(&target.host).unwrap().retain(|pending| pending.id != target.id);
    }

    fn rules(&self, host: HostId) -> RobotsAnswer {
        let (delay, forbids) = self.setting.hosts[host as usize];
        let disallow = if forbids { "Disallow: /no\n" } else { "" };
        let body = format!("User-agent: *\nCrawl-delay: {}\n{disallow}", delay as f64 / 1000.0);
        RobotsAnswer::Rules { status: 200, body: body.into_bytes() }
    }

    /// Lets everything under way end well until nothing is left, at the pace of the schedule's own answers.
    fn finish(&mut self) {
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
        Errand::Page(target) => Some(target.host),
        Errand::Robots(RobotsCall { host, .. }) => Some(*host),
        Errand::Sitemaps { .. } | Errand::Refuse { .. } => None,
    }
}

fn id(errand: &Errand) -> Option<UrlId> {
    match errand {
        Errand::Page(target) | Errand::Refuse { target, .. } => Some(target.id),
        Errand::Robots(RobotsCall { .. }) | Errand::Sitemaps { .. } => None,
    }
}

fn any_setting() -> impl Strategy<Value = Setting> {
    let interval = || prop_oneof![Just(0), Just(100), Just(500), Just(333)];
    let budget = || prop_oneof![2 => Just(None), 1 => (0_u64..12).prop_map(Some)];
    let delay = prop_oneof![4 => Just(0), 2 => Just(250), 1 => Just(2_000), 1 => Just(MAX_WAIT * 10)];
    let hosts = prop::collection::vec((delay, any::<bool>()), HOSTS as usize);
    let caps = (1_usize..6, 1_usize..4, interval(), prop_oneof![3 => Just(0), 1 => Just(50)]);
    (caps, budget(), budget(), 2_usize..20, hosts).prop_map(
        |((connections, per_host, interval, global_interval), max_pages, max_pages_per_host, window, hosts)| Setting {
            connections,
            per_host,
            interval,
            global_interval,
            max_pages,
            max_pages_per_host,
            window,
            hosts,
        },
    )
}

fn any_end() -> impl Strategy<Value = End> {
    prop_oneof![
        12 => Just(End::Stored),
        3 => Just(End::Failed),
        3 => Just(End::Again),
        2 => (1..5_000_i64).prop_map(End::Busy),
        1 => Just(End::Busy(MAX_WAIT * 3)),
        2 => Just(End::Dead),
    ]
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (0..HOSTS).prop_map(Move::Push),
        5 => (1_usize..5).prop_map(Move::Next),
        4 => (any::<usize>(), any_end()).prop_map(|(which, end)| Move::Release(which, end)),
        4 => any::<usize>().prop_map(Move::Settle),
        3 => prop_oneof![0_i64..20, 50_i64..700, Just(3_000)].prop_map(Move::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    /// Never before a host may be asked, never beyond a cap or a budget, nothing lost or handed out twice, robots.txt
    /// first, and drained exactly when nothing is left.
    #[test]
    fn any_sequence_of_work_keeps_the_invariants(
        setting in any_setting(),
        moves in prop::collection::vec(any_move(), 1..120),
    ) {
        let mut world = World::new(setting);
        for step in &moves {
            world.play(step);
        }
        world.finish();
        world.check_drained();
    }
}

fn plain() -> Setting {
    Setting {
        connections: 4,
        per_host: 2,
        interval: 333,
        global_interval: 0,
        max_pages: None,
        max_pages_per_host: None,
        window: 64,
        hosts: vec![(0, false); HOSTS as usize],
    }
}

fn answered(body: &str) -> StoredRobots {
    let answer = RobotsAnswer::Rules { status: 200, body: body.as_bytes().to_vec() };
    StoredRobots { fetched_at: START - 1_000, answer }
}

/// When a host from an earlier invocation is asked for its one page.
fn first_asked(record: HostRecord) -> Millis {
    let mut schedule = Schedule::new(limits(&plain()));
    let id = record.id;
    schedule.add_host(record, START);
    schedule.push(target(id, 1), START);
    let mut now = START;
    loop {
        match schedule.next(now) {
            Step::Go(Errand::Page(_)) => return now,
            Step::Go(Errand::Sitemaps { id, .. }) => schedule.settle(Settlement::Sitemaps { host: id }, now),
            Step::Wait(until) => now = until,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_host_of_an_earlier_invocation_rests_as_long_as_its_pace_says_and_no_longer() {
    let asked_at = START - 100;
    let by_rate = HostRecord { asked_at, robots: Some(answered("")), ..record(1) };
    assert_eq!(first_asked(by_rate.clone()), asked_at + 333);
    let by_delay = HostRecord { robots: Some(answered("User-agent: *\nCrawl-delay: 20\n")), ..by_rate.clone() };
    assert_eq!(first_asked(by_delay), asked_at + 20_000);
    let by_retry_after = HostRecord { blocked_until: START + 5_000, ..by_rate.clone() };
    assert_eq!(first_asked(by_retry_after), START + 5_000);
    let set_back = HostRecord { asked_at: START + 1_000_000, ..by_rate };
    assert_eq!(first_asked(set_back), START + 333, "a clock that was set back costs one interval");
}

#[test]
fn hosts_are_wanted_from_disk_when_those_in_memory_have_nothing_to_do() {
    let mut schedule = Schedule::new(limits(&plain()));
    schedule.add_host(HostRecord { blocked_until: START + 2 * MAX_WAIT, ..record(1) }, START);
    schedule.push(target(1, 1), START);
    schedule.set_dormant(true);
    assert!(matches!(schedule.next(START), Step::Idle), "the only host is parked, and others wait on disk");
    assert!(schedule.wants_hosts());
    schedule.set_dormant(false);
    assert!(matches!(schedule.next(START), Step::Drained));
}
