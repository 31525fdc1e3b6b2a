//! Nodes that are killed, stopped past their leases, cut off from the database and joined by others while its server restarts
//! and their clocks are an hour apart. After each round the log of the web that was crawled and the database are compared: see
//! the methods of [`Round`] that begin with `check`.
//!
//! Not in the quick suite: `.ci/nodes` says how often. Round `n` of a seed is round 0 of the seed that is greater by `n`.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use common::postgres::Schema;
use common::proxy::Proxy;
use common::{Bench, send};
use harvestman::demo::{Hit, Reply, Server, graph_page};

const PAGES: usize = 20;
/// Between two requests to a host, and how much of it is forgiven to a machine that is slow to read a request.
const INTERVAL: Duration = Duration::from_millis(400);
const FORGIVEN: Duration = Duration::from_millis(250);
/// The host that asks for more time than a lease between two requests, and its pages.
const SLOW: usize = 0;
const SLOW_PAGES: usize = 4;
const SLOW_INTERVAL: Duration = Duration::from_secs(3);
/// The host whose third page asks once for more time than a lease, as longer as the slow host's interval.
const BUSY: usize = 1;
const LEASE: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 16;
/// Answers that wait for their commit, at most.
const WAITING: usize = 512;
/// What a node may let out that was stopped right before it sent: in this time, and so many.
const AFTERMATH: Duration = Duration::from_secs(2);
const FAULTS_UNTIL: u64 = 8_000;
const MOST_NODES: usize = 7;
/// The longest that a round may take.
const PATIENCE: Duration = Duration::from_secs(150);

/// How the environment says it, or so.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// What happens to the nodes, or to what they depend on.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Kill,
    /// It is paused for so many milliseconds.
    Stop(u64),
    /// Its connection to the database is cut, and another can be made after so many milliseconds.
    Cut(u64),
    /// Its next commit is made, and the answer is lost with the connection.
    LoseCommit,
    /// Its connection is cut while the server is at its next commit.
    BreakCommit,
    /// The server of the database restarts, at once or after it has ended its sessions.
    Restart(&'static str),
    /// Another comes, with `--join` or as the first ones.
    Join(bool),
}

impl Fault {
    fn draw(random: &mut fastrand::Rng) -> Self {
        match random.u8(..17) {
            0..=2 => Self::Kill,
            3..=6 => Self::Stop(random.u64(100..6_000)),
            7 | 8 => Self::Cut(random.u64(0..4_000)),
            9 | 10 => Self::LoseCommit,
            16 => Self::BreakCommit,
            11 => Self::Restart(if random.bool() { "fast" } else { "immediate" }),
            _ => Self::Join(random.bool()),
        }
    }
}

struct Node {
    name: String,
    child: Child,
    proxy: Proxy,
    is_over: bool,
    /// From when to when it was stopped.
    stops: Vec<(Instant, Instant)>,
    is_stopped: bool,
    closed_until: Option<Instant>,
}

impl Node {
    /// Goes on from what is over by now.
    fn recover(&mut self, now: Instant) {
        if let Some((_, until)) = self.stops.last_mut().filter(|(_, until)| self.is_stopped && *until <= now) {
            *until = now;
            self.is_stopped = false;
            send("CONT", &self.child);
        }
        if self.closed_until.is_some_and(|until| until <= now) {
            self.closed_until = None;
            self.proxy.close(false);
        }
    }

    /// It may have been let out by a node that was stopped, for as long as may have cost it its lease, right before it sent.
    fn was_stopped_before(&self, at: Instant) -> bool {
        let mut stops = self.stops.iter().filter(|(from, until)| *until - *from >= LEASE / 2);
        stops.any(|(from, until)| at >= *from && at <= *until + AFTERMATH)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Round {
    /// Before the schema: what it holds open keeps that from being dropped.
    nodes: Vec<Node>,
    schema: Schema,
    servers: Vec<Server>,
    bench: Bench,
    options: Vec<String>,
    max_pages: Option<usize>,
    max_pages_per_host: Option<usize>,
    killed: usize,
    began: Instant,
}

impl Round {
    async fn begin(random: &mut fastrand::Rng) -> Option<Self> {
        let schema = Schema::new()?;
        schema.create();
        let (mut servers, hosts) = (Vec::new(), Arc::<OnceLock<Vec<String>>>::default());
        for number in 0..random.usize(4..9) {
            servers.push(serve(number, Duration::from_millis(random.u64(0..50)), hosts.clone()).await);
        }
        hosts.set(servers.iter().map(|server| server.url("")).collect()).unwrap();
        let all = servers.len() * PAGES;
        let max_pages = (random.u8(..3) == 0).then(|| random.usize(all / 3..all));
        let max_pages_per_host = (random.u8(..3) == 0).then(|| random.usize(5..PAGES));
        let mut options: Vec<_> =
            ["--rate", "2.5", "--lease", "2s", "--concurrency", "16", "--retries", "1"].map(str::to_owned).into();
        let mut limit = |name: &str, pages: Option<usize>| {
            options.extend(pages.into_iter().flat_map(|pages| [name.to_owned(), pages.to_string()]));
        };
        limit("--max-pages", max_pages);
        limit("--max-pages-per-host", max_pages_per_host);
        let (bench, nodes, killed, began) = (Bench::on_sqlite(), Vec::new(), 0, Instant::now());
        Some(Self { schema, servers, bench, options, max_pages, max_pages_per_host, nodes, killed, began })
    }

    async fn join(&mut self, only: bool) {
        let number = self.nodes.len();
        let name = format!("n{number}");
        let proxy = Proxy::start(&self.schema.url).await;
        let (url, label) = (proxy.url(&self.schema.url), format!("x-node-key: {name}"));
        let seeds: Vec<_> = self.servers.iter().map(|server| server.url("/p/0")).collect();
        let mut args: Vec<&str> = vec!["crawl"];
        args.extend(seeds.iter().chain(&self.options).map(String::as_str));
        args.extend(["-d", &url, "--node", &name, "--header", &label]);
        args.extend(only.then_some("--join"));
        let mut command = self.bench.command(&args);
        if let Ok(library) = std::env::var("FAKETIME_LIBRARY") {
            let shift = ["+0", "+1h", "-1h"][number % 3];
            command.envs([
                ("LD_PRELOAD", library.as_str()),
                ("FAKETIME", shift),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ]);
        }
        let log = std::fs::File::create(self.bench.path(&name)).unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let (is_over, stops, is_stopped, closed_until) = Default::default();
        self.nodes.push(Node { name, child, proxy, is_over, stops, is_stopped, closed_until });
    }

    /// Lets it happen, to the node of those at work that the number chooses.
    async fn suffer(&mut self, fault: Fault, chosen: usize) {
        let now = Instant::now();
        let at_work: Vec<_> = (0..self.nodes.len()).filter(|at| !self.nodes[*at].is_over).collect();
        match fault {
            Fault::Join(only) if at_work.len() < MOST_NODES => return self.join(only).await,
            Fault::Restart(mode) => return restart(mode).await,
            _ => {}
        }
        let Some(at) = at_work.get(chosen % at_work.len().max(1)) else { return };
        let node = &mut self.nodes[*at];
        match fault {
            Fault::Kill => {
                node.child.kill().unwrap();
                node.child.wait().unwrap();
                node.is_over = true;
                self.killed += 1;
            }
            Fault::Stop(time) if !node.is_stopped => {
                send("STOP", &node.child);
                node.stops.push((now, now + Duration::from_millis(time)));
                node.is_stopped = true;
            }
            Fault::Cut(time) => {
                node.proxy.close(true);
                node.proxy.cut();
                node.closed_until = Some(now + Duration::from_millis(time));
            }
            Fault::LoseCommit => node.proxy.lose_commits(1),
            Fault::BreakCommit => node.proxy.break_commits(1),
            Fault::Stop(_) | Fault::Restart(_) | Fault::Join(_) => {}
        }
    }

    /// Takes note of those that have ended, each of them well.
    fn reap(&mut self) {
        for node in self.nodes.iter_mut().filter(|node| !node.is_over) {
            node.recover(Instant::now());
            if let Some(status) = node.child.try_wait().unwrap() {
                node.is_over = true;
                let log = std::fs::read_to_string(self.bench.path(&node.name)).unwrap();
                assert_eq!(status.code(), Some(0), "{}: {log}", node.name);
                assert!(!log.contains("panicked"), "{}: {log}", node.name);
            }
        }
    }

    fn is_at_work(&self) -> bool {
        self.nodes.iter().any(|node| !node.is_over)
    }

    /// Lets the nodes work under faults, and then to their ends.
    async fn play(&mut self, faults: &[(u64, Fault, usize)]) {
        self.began = Instant::now();
        let mut faults = faults.iter().peekable();
        while faults.peek().is_some() || self.is_at_work() {
            while let Some((_, fault, chosen)) =
                faults.next_if(|(at, ..)| self.began.elapsed().as_millis() >= u128::from(*at))
            {
                self.suffer(*fault, *chosen).await;
            }
            self.reap();
            self.assert_patience();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn assert_patience(&self) {
        if self.began.elapsed() > PATIENCE {
            let log = |node: &Node| std::fs::read_to_string(self.bench.path(&node.name)).unwrap();
            let at_work = self.nodes.iter().filter(|node| !node.is_over);
            let logs: Vec<_> = at_work.map(|node| format!("{}: {}", node.name, log(node))).collect();
            panic!("it does not end: {}", logs.join("\n"));
        }
    }

    async fn count(&self, sql: &str) -> usize {
        self.schema.rows(sql).await[0].parse().unwrap()
    }

    /// The accounting is right, what belongs to a page is there, and no page was stored twice in a run.
    async fn check_store(&self) {
        if self.schema.rows("select to_regclass('accounting')").await == [""] {
            return;
        }
        let kept = "select discovered, fetched, failed, skipped, pending from";
        let (run, all) = (format!("{kept} runs order by id desc limit 1"), format!("{kept} accounting"));
        let run = self.schema.rows(&run).await;
        assert!(run.is_empty() || run == self.schema.rows(&all).await, "the counters {run:?}, and what there is");
        let twice = "select run, url from fetches where url not like '%/robots.txt' and status = 200
                     group by 1, 2 having count(*) > 1";
        assert_eq!(self.schema.rows(twice).await, [""; 0], "asked for twice in one run, and both were stored");
        let links = "select url from pages where url not in (select from_url from links)";
        assert_eq!(self.schema.rows(links).await, [""; 0], "pages without their links");
        let wrong = "select at from fetches where abs(extract(epoch from at::timestamptz - clock_timestamp())) > 600";
        assert_eq!(self.schema.rows(wrong).await, [""; 0], "times that are not of the database's clock");
    }

    /// No invocation stored more pages than it was to, and one that a limit ended stored as many.
    async fn check_budgets(&self) {
        let stored = "select count(*) from fetches where url not like '%/robots.txt' and status = 200 and run =";
        for row in self.schema.rows("select run_id, count(*), max(outcome) from invocation group by 1").await {
            let [run, invocations, outcome] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
            let invocations: usize = invocations.parse().unwrap();
            let pages = self.count(&format!("{stored} {run}")).await;
            let most = self.max_pages.unwrap_or(usize::MAX);
            assert!(pages <= most.saturating_mul(invocations), "{pages} pages of {most} in {invocations} invocations");
            if invocations == 1 && outcome == "limit" && self.max_pages_per_host.is_none() {
                assert_eq!(pages, most, "the limit that ended it");
            }
            let most = self.max_pages_per_host.unwrap_or(usize::MAX);
            for server in &self.servers {
                let pages = self.count(&format!("{stored} {run} and url like '{}%'", server.url("/"))).await;
                assert!(pages <= most.saturating_mul(invocations), "{pages} pages of {most} at {}", server.url(""));
            }
        }
    }

    /// Whatever is left, because all died or a limit was reached, is fetched by those who come now.
    async fn finish(&mut self) {
        let left = "select 1 from runs where outcome = 'finished'";
        while self.schema.rows("select to_regclass('runs')").await == [""] || self.schema.rows(left).await.is_empty() {
            self.join(false).await;
            self.play(&[]).await;
            assert!(self.nodes.len() < 60, "it does not finish");
        }
    }

    /// The whole web is stored, as it is.
    async fn check_whole(&self) {
        let mut web = Vec::new();
        let hosts: Vec<_> = self.servers.iter().map(|server| server.url("")).collect();
        for (number, server) in self.servers.iter().enumerate() {
            let page = |page| (server.url(&format!("/p/{page}")), page_of(number, &format!("/p/{page}"), &hosts));
            web.extend(
                (0..pages_of(number))
                    .map(page)
                    .map(|(url, reply)| format!("{url}|{}|{}", reply.body.len(), reply.body.len())),
            );
        }
        web.sort_unstable();
        let stored = "select url, size, length(body) from pages left join bodies using (url)";
        let mut stored = self.schema.rows(stored).await;
        stored.sort_unstable();
        let missing: Vec<_> = web.iter().filter(|page| stored.binary_search(page).is_err()).collect();
        assert!(stored == web, "{} pages are stored of {}, not these: {missing:?}", stored.len(), web.len());
    }

    /// What the hosts were asked for is what is stored of it, but for what was under way or uncommitted when a node was lost.
    async fn check_requests(&self) -> usize {
        let rows = self.schema.rows("select url, count(*) from fetches group by 1").await;
        let stored: BTreeMap<_, usize> = rows
            .iter()
            .map(|row| row.split_once('|').unwrap())
            .map(|(url, count)| (url, count.parse().unwrap()))
            .collect();
        let mut asked = BTreeMap::<_, usize>::new();
        for server in &self.servers {
            server.hits().iter().for_each(|hit| *asked.entry(server.url(&hit.path)).or_default() += 1);
        }
        for (url, count) in &stored {
            assert!(
                asked.get(*url) >= Some(count),
                "{url} was stored {count} times, and asked for {:?} times",
                asked.get(*url)
            );
        }
        asked.values().sum::<usize>() - stored.values().sum::<usize>()
    }

    fn node(&self, hit: &Hit) -> &Node {
        self.nodes.iter().find(|node| Some(node.name.as_str()) == hit.header("x-node-key")).unwrap()
    }

    /// No host was asked within its interval or before the time that it asked for, whichever node asked; but for what a node
    /// let out that was stopped right before it sent. Answers with how often that was so.
    async fn check_pace(&self) -> usize {
        let mut let_out = 0;
        let told = self.count("select count(*) from fetches where status = 503").await > 0;
        for (number, server) in self.servers.iter().enumerate() {
            let mut hits = server.hits();
            hits.sort_by_key(|hit| hit.at);
            // The rules of a host are known once what it answered last is stored, a time that it asks for likewise.
            let has_rules = hits.iter().rposition(|hit| hit.path == "/robots.txt").unwrap_or(usize::MAX);
            let asked_for_time = hits.iter().position(|hit| hit.path == "/p/2" && number == BUSY && told);
            for (at, pair) in hits.windows(2).enumerate() {
                let is_slow = number == SLOW && at > has_rules || asked_for_time == Some(at);
                let (gap, interval) = (pair[1].at - pair[0].at, if is_slow { SLOW_INTERVAL } else { INTERVAL });
                if gap + FORGIVEN >= interval {
                    continue;
                }
                let who = [0, 1].map(|at: usize| format!("{} by {}", pair[at].path, self.node(&pair[at]).name));
                let is_excused = pair.iter().any(|hit| self.node(hit).was_stopped_before(hit.at));
                assert!(is_excused, "{gap:?} between {who:?} at {}", server.url(""));
                let_out += 1;
            }
        }
        let stops: usize = self.nodes.iter().map(|node| node.stops.len()).sum();
        assert!(let_out <= 2 * CONNECTIONS * stops, "more than was under way when nodes were stopped");
        let_out
    }
}

fn pages_of(host: usize) -> usize {
    if host == SLOW { SLOW_PAGES } else { PAGES }
}

/// A page of a host, which leads to those of the same number on two other hosts as well.
fn page_of(host: usize, path: &str, hosts: &[String]) -> Reply {
    let mut reply = graph_page(pages_of(host), 500, path);
    for next in [1, 3].map(|step| (host + step) % hosts.len()) {
        if reply.status == 200 && graph_page(pages_of(next), 0, path).status == 200 {
            reply.body.extend_from_slice(format!("<a href=\"{}{path}\">elsewhere</a>\n", hosts[next]).as_bytes());
        }
    }
    reply
}

async fn serve(number: usize, delay: Duration, hosts: Arc<OnceLock<Vec<String>>>) -> Server {
    let was_busy = AtomicBool::new(number != BUSY);
    let site = move |path: &str| match path {
        "/robots.txt" if number == SLOW => {
            Reply::text(format!("user-agent: *\ncrawl-delay: {}\n", SLOW_INTERVAL.as_secs()))
        }
        "/robots.txt" => Reply::status(404),
        "/p/2" if !was_busy.swap(true, Ordering::Relaxed) => {
            Reply::status(503).with_header("retry-after", &SLOW_INTERVAL.as_secs().to_string())
        }
        path => page_of(number, path, hosts.get().unwrap()).delayed(delay),
    };
    Server::start(site).await.unwrap()
}

async fn restart(mode: &str) {
    let command = format!("{} {mode}", std::env::var("HARVESTMAN_TEST_POSTGRES_RESTART").unwrap());
    let run = move || Command::new("sh").args(["-c", &command]).status().unwrap();
    assert!(tokio::task::spawn_blocking(run).await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; .ci/nodes runs it"]
async fn chaos_among_nodes_loses_nothing_does_nothing_twice_and_ends_by_itself() {
    let rounds = setting("ROUNDS", 3);
    let seed = setting("SEED", fastrand::u64(..1_000_000));
    println!("{rounds} rounds: SEED={seed}");
    for seed in seed..seed + rounds {
        let mut random = fastrand::Rng::with_seed(seed);
        let Some(mut round) = Round::begin(&mut random).await else { return };
        for _ in 0..random.usize(4..=5) {
            round.join(false).await;
        }
        let mut draw = |_| (random.u64(300..FAULTS_UNTIL), Fault::draw(&mut random), random.usize(..1_000));
        let mut faults: Vec<_> = (0..12).map(&mut draw).collect();
        faults.sort_by_key(|(at, ..)| *at);
        println!("SEED={seed}: {:?} {:?}, {faults:?}", round.max_pages, round.max_pages_per_host);
        round.play(&faults).await;
        let took = round.began.elapsed();
        round.check_store().await;
        round.finish().await;
        round.check_store().await;
        round.check_whole().await;
        round.check_budgets().await;
        let again = round.check_requests().await;
        // One that was killed is not lost for anybody if nobody was there to note it before another run.
        let lost = round.count("select count(*) from node where ended_at is null").await.max(round.killed);
        let let_out = round.check_pace().await;
        println!(
            "SEED={seed}: {took:?}, {} nodes, {lost} lost, {again} requests made again, {let_out} let out late",
            round.nodes.len()
        );
        assert!(again <= lost * (CONNECTIONS + WAITING), "more than was in flight or waited for its commit");
    }
}
