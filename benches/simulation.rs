//! What many nodes on one PostgreSQL server would do, from the times that a few take: nodes with the crawler's own schedule
//! ask hosts that answer after a while, and wait for a database that is a number of processors, and of locks that one
//! transaction has at a time. Where what the nodes store each second grows no more with their number, the database is full.
//!
//! `cargo bench --bench simulation` prints a table for a thousand million URLs, `-- 70` the row of so many nodes. The times of
//! the database are those that `cargo bench --bench tables` measured, for a commit also with what a cache that is too small
//! adds: see [`Costs`].

#![allow(clippy::unwrap_used, reason = "a bench may panic")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use harvestman::internals::canonical::CanonicalUrl;
use harvestman::internals::config::Config;
use harvestman::internals::frontier::limits::Limits;
use harvestman::internals::frontier::schedule::{Schedule, Step};
use harvestman::internals::visit::{Complete, Errand, HostRecord, Rest, Settlement, Target};

const NODES: [usize; 6] = [1, 5, 10, 20, 40, 100];
const URLS: f64 = 1e9;
/// What is watched, in microseconds, after as long a time in which all comes into motion.
const SPAN: u64 = 10_000_000;
/// A host answers after so many milliseconds, on average, and has so many pages.
const LATENCY: f64 = 400.0;
const PAGES: i64 = 50;
/// Answers that one commit stores at most.
const BATCH: usize = 512;
/// Between two reports of a node, in microseconds.
const BEAT: u64 = 500_000;
/// Random reads at once that the disk serves in the time of one.
const DISK_DEPTH: usize = 32;
/// Lookups of rows by the hash of a URL, for each page: its links, its own row and those that are written.
const LOOKUPS: f64 = 26.0;
const BYTES_PER_URL: f64 = 300.0;

/// Times in milliseconds of one processor.
#[derive(Debug, Clone, Copy)]
struct Costs {
    cores: usize,
    /// A commit of no page, and each page of it.
    commit: (f64, f64),
    /// Of a commit, when it has the run's row, which no other has then: until what it wrote is on disk.
    flush: f64,
    take: f64,
    /// What is pending of one host.
    window: f64,
    /// A report, in which it has the invocation's row.
    report: f64,
    /// A random read from disk, and what of the rows of URLs is in memory.
    read: f64,
    cached: f64,
}

/// Of a million URLs all in memory, and a commit as it grew with each ten times as many. The flush and the random read are
/// assumed.
const MEASURED: Costs =
    Costs { cores: 8, commit: (4.0, 1.2), flush: 2.0, take: 4.0, window: 0.65, report: 1.7, read: 0.1, cached: 1.0 };

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if !args.iter().any(|arg| arg == "--bench") {
        return;
    }
    let mut counts: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    if counts.is_empty() {
        counts.extend(NODES);
    }
    let memory = |bytes: f64| Costs { cached: (bytes / (URLS * BYTES_PER_URL)).min(1.0), ..MEASURED };
    let servers = [
        ("2 cores, all in memory", Costs { cores: 2, ..MEASURED }),
        ("8 cores, all in memory", MEASURED),
        ("8 cores, 64 GB of cache", memory(64e9)),
        ("32 cores, 64 GB of cache", Costs { cores: 32, ..memory(64e9) }),
        ("32 cores, 64 GB of cache, a flush of 7 ms", Costs { cores: 32, flush: 7.0, ..memory(64e9) }),
        ("32 cores, 64 GB of cache, bodies elsewhere", Costs { cores: 32, commit: (4.0, 0.8), ..memory(64e9) }),
    ];
    println!(
        "\n{MEASURED:?}; hosts of {PAGES} pages that answer after {LATENCY} ms; pages a second, and how busy the database is:\n"
    );
    println!("| nodes | {} |\n|--:|{}", servers.map(|(name, _)| name).join(" | "), "--:|".repeat(servers.len()));
    for nodes in counts {
        let cells = servers.map(|(_, costs)| Simulation::new(nodes, costs).run());
        println!("| {nodes} | {} |", cells.join(" | "));
    }
}

/// What happens to a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A host has answered.
    Answered { host: i64, id: i64, started: i64 },
    /// The schedule said that something is due.
    Due,
    /// The database has done what the node waited for.
    Done,
}

/// What a node has the database do.
#[derive(Debug)]
enum Work {
    Commit(Vec<Settlement>),
    Report,
    Take(usize),
}

struct Node {
    schedule: Schedule,
    /// Hosts that it has.
    hosts: usize,
    answered: Vec<Settlement>,
    work: Option<Work>,
    /// When it is to report.
    beat: u64,
    /// When it is to look at its schedule.
    due: u64,
}

/// Times are in microseconds.
struct Simulation {
    costs: Costs,
    connections: usize,
    now: u64,
    events: BinaryHeap<Reverse<(u64, usize, Event)>>,
    nodes: Vec<Node>,
    /// When each processor of the database is free, each place in the queue of its disk, and the rows of run and invocation.
    cores: BinaryHeap<Reverse<u64>>,
    disk: BinaryHeap<Reverse<u64>>,
    run: u64,
    invocation: u64,
    busy: u64,
    pages: usize,
    next_host: i64,
    random: fastrand::Rng,
}

fn micros(millis: f64) -> u64 {
    (millis * 1e3) as u64
}

/// The first of several that is free is taken for a while. Answers with when that begins.
fn occupy(servers: &mut BinaryHeap<Reverse<u64>>, from: u64, time: u64) -> u64 {
    let Reverse(free) = servers.pop().unwrap_or_default();
    servers.push(Reverse(free.max(from) + time));
    free.max(from)
}

impl Simulation {
    fn new(nodes: usize, costs: Costs) -> Self {
        let limits = Limits { shared: true, ..Limits::new(&Config { ignore_robots: true, ..Config::default() }) };
        let node = |at: usize| Node {
            schedule: Schedule::new(limits.clone()),
            hosts: 0,
            answered: Vec::new(),
            work: None,
            // They do not report all at once.
            beat: at as u64 * BEAT / nodes as u64,
            due: u64::MAX,
        };
        let nodes: Vec<_> = (0..nodes).map(node).collect();
        Self {
            costs,
            connections: limits.connections,
            now: 0,
            events: nodes.iter().enumerate().map(|(at, node)| Reverse((node.beat, at, Event::Due))).collect(),
            nodes,
            cores: std::iter::repeat_n(Reverse(0), costs.cores).collect(),
            disk: std::iter::repeat_n(Reverse(0), DISK_DEPTH).collect(),
            run: 0,
            invocation: 0,
            busy: 0,
            pages: 0,
            next_host: 1,
            random: fastrand::Rng::with_seed(1),
        }
    }

    fn run(mut self) -> String {
        let mut before = None;
        while let Some(Reverse((at, node, event))) = self.events.pop() {
            if at >= SPAN && before.is_none() {
                before = Some((self.pages, self.busy));
            }
            if at >= 2 * SPAN {
                break;
            }
            self.now = at;
            self.happen(node, event);
            self.hand_out(node);
            self.work(node);
        }
        let (pages, busy) = before.unwrap_or_default();
        let share = (self.busy - busy) as f64 / (SPAN as f64 * self.costs.cores as f64);
        let pace = (self.pages - pages) as f64 / (SPAN as f64 / 1e6);
        format!("{pace:.0}, {:.0} %", share * 100.0)
    }

    fn millis(&self) -> i64 {
        (self.now / 1_000) as i64
    }

    fn happen(&mut self, at: usize, event: Event) {
        let now = self.millis();
        let node = &mut self.nodes[at];
        match event {
            Event::Answered { host, id, started } => {
                let rest = Rest { answered: Some(true), started_at: started, ..Rest::default() };
                node.schedule.release(host, rest, now);
                node.answered.push(Settlement::Stored { host, id });
            }
            Event::Due => node.due = u64::MAX,
            Event::Done => match node.work.take() {
                Some(Work::Commit(stored)) => {
                    self.pages += stored.len();
                    stored.into_iter().for_each(|settlement| node.schedule.settle(settlement, now));
                    node.hosts -= node.schedule.take_left().len();
                }
                Some(Work::Take(hosts)) => {
                    for host in self.next_host..self.next_host + hosts as i64 {
                        let (record, targets) = host_and_targets(host);
                        let complete = Complete { pages: true, checks: true };
                        node.schedule.refill(record, targets, complete, now);
                    }
                    node.hosts += hosts;
                    self.next_host += hosts as i64;
                }
                Some(Work::Report) | None => {}
            },
        }
    }

    /// Lets the node ask for what its schedule gives.
    fn hand_out(&mut self, at: usize) {
        let (now, node) = (self.millis(), &mut self.nodes[at]);
        loop {
            match node.schedule.next(now) {
                Step::Go(Errand::Page(target)) => {
                    let wait = micros(-LATENCY * (1.0 - self.random.f64()).ln());
                    let event = Event::Answered { host: target.host, id: target.id, started: now };
                    self.events.push(Reverse((self.now + wait, at, event)));
                }
                Step::Wait(until) => {
                    let until = (until as u64 * 1_000).max(self.now + 1);
                    if until < node.due {
                        node.due = until;
                        self.events.push(Reverse((until, at, Event::Due)));
                    }
                    return;
                }
                _ => return,
            }
        }
    }

    /// Has the database do what the node needs first, if it does not wait for it already.
    fn work(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        if node.work.is_some() {
            return;
        }
        let room = (4 * self.connections).saturating_sub(node.hosts);
        let work = if self.now >= node.beat && room > 0 {
            Work::Take(room)
        } else if self.now >= node.beat {
            node.beat = self.now + BEAT;
            self.events.push(Reverse((node.beat, at, Event::Due)));
            Work::Report
        } else if !node.answered.is_empty() {
            let count = node.answered.len().min(BATCH);
            Work::Commit(node.answered.drain(..count).collect())
        } else {
            return;
        };
        node.work = Some(work);
        let done = self.spend(at);
        self.events.push(Reverse((done, at, Event::Done)));
    }

    /// When the database has done it.
    fn spend(&mut self, at: usize) -> u64 {
        let Costs { commit, flush, take, window, report, read, cached, .. } = self.costs;
        let (time, pages) = match &self.nodes[at].work {
            Some(Work::Commit(stored)) => (commit.0 + commit.1 * stored.len() as f64, stored.len() as f64),
            Some(Work::Take(hosts)) => (take + window * *hosts as f64, 0.0),
            Some(Work::Report) | None => (report, 0.0),
        };
        let (time, reads) = (micros(time), micros(pages * LOOKUPS * (1.0 - cached) * read));
        self.busy += time;
        let computed = occupy(&mut self.cores, self.now, time) + time;
        let gathered = occupy(&mut self.disk, computed, reads) + reads;
        let (row, held) = match &self.nodes[at].work {
            Some(Work::Commit(_)) => (&mut self.run, micros(flush)),
            Some(Work::Report) => (&mut self.invocation, time),
            Some(Work::Take(_)) | None => return gathered,
        };
        *row = (*row).max(gathered) + held;
        *row
    }
}

/// A host, and all that is pending of it: fewer than a node holds in memory.
fn host_and_targets(host: i64) -> (HostRecord, Vec<Target>) {
    let front = CanonicalUrl::parse(&format!("http://host-{host}.example/")).unwrap();
    let target = |number| Target::new(host * PAGES + number, host, front.clone(), 1);
    let record =
        HostRecord { id: host, host: front.host(), asked_at: 0, blocked_until: 0, robots: None, epoch: 1, stored: 0 };
    (record, (0..PAGES).map(target).collect())
}
