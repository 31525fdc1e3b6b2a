//! Several processes in one crawl on PostgreSQL, as the hosts see them: see tests/common/postgres.rs for where.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::{BTreeSet, HashMap};
use std::io::{Read as _, Write as _};
use std::process::{Child, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use common::pool::Pool;
use common::postgres::Schema;
use common::{Bench, page, send, stderr, stdout, summary, until};
use harvestman::demo::{Hit, Reply, Server, graph_page};
use sqlx::Connection as _;

const SECOND: Duration = Duration::from_secs(1);
/// The lease of nodes in tests in which one is silent. In others it is as long as it is for users, so that a machine that is busy
/// takes no hosts from nodes that live.
const LEASE: Duration = Duration::from_secs(3);

/// A schema that exists.
async fn schema() -> Option<Schema> {
    let schema = Schema::new()?;
    schema.execute("select 1".to_owned()).await;
    Some(schema)
}

/// So many hosts with so many pages each.
async fn hosts(count: usize, pages: usize) -> Vec<Server> {
    let mut servers = Vec::new();
    for _ in 0..count {
        servers.push(Server::start(move |path| graph_page(pages, 500, path)).await.unwrap());
    }
    servers
}

/// So many hosts whose pages lead on to another until the test has seen what it is to see, and what is set then.
async fn growing(count: usize) -> (Vec<Server>, Arc<AtomicBool>) {
    let is_over = Arc::<AtomicBool>::default();
    let mut servers = Vec::new();
    for _ in 0..count {
        let over = is_over.clone();
        let site = move |path: &str| match path.strip_prefix("/p/").and_then(|number| number.parse::<u32>().ok()) {
            Some(number) if !over.load(Ordering::SeqCst) => page([format!("/p/{}", number + 1)]),
            Some(_) => Reply::html("x"),
            None => Reply::status(404),
        };
        servers.push(Server::start(site).await.unwrap());
    }
    (servers, is_over)
}

/// How many pages there were.
fn pages_of(servers: &[Server]) -> usize {
    let paths = |server: &Server| server.hits().into_iter().map(|hit| hit.path).collect::<BTreeSet<_>>().len() - 1;
    servers.iter().map(paths).sum()
}

/// The same command for each node.
struct Crawl<'a> {
    bench: Bench,
    /// The URL of the database, if it is another than that of the schema.
    by: Option<&'a str>,
    args: Vec<String>,
    schema: &'a Schema,
}

impl<'a> Crawl<'a> {
    fn new(schema: &'a Schema, servers: &[Server], options: &[&str]) -> Self {
        let seeds = servers.iter().map(|server| server.url("/p/0"));
        let mut args: Vec<_> = ["crawl".to_owned()].into_iter().chain(seeds).collect();
        args.push("--json".to_owned());
        args.extend(options.iter().map(|&option| option.to_owned()));
        Self { bench: Bench::new(), by: None, args, schema }
    }

    /// A node that says in each request which one it is, in a header that nodes may differ in.
    fn start(&self, node: &str, more: &[&str]) -> Child {
        let label = format!("x-node-key: {node}");
        let database = self.by.unwrap_or(&self.schema.url);
        let args = self.args.iter().map(String::as_str).chain(["-d", database, "--node", node, "--header", &label]);
        let args: Vec<_> = args.chain(more.iter().copied()).collect();
        let mut command = self.bench.command(&args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    async fn run(&self, node: &str, more: &[&str]) -> Output {
        end(self.start(node, more)).await
    }

    /// Nodes that begin at once, however long each takes to get there.
    async fn together<const N: usize>(&self, nodes: [&str; N]) -> [Child; N] {
        let mut gate = self.schema.connect().await;
        // What those who begin wait for, too.
        let close = "begin; select pg_advisory_xact_lock(hashtext('harvestman'), hashtext(current_schema()::text))";
        sqlx::raw_sql(close).execute(&mut gate).await.unwrap();
        let started = nodes.map(|node| self.start(node, &[]));
        let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted
             and objid::bigint = hashtext(current_schema()::text)::bigint & 4294967295";
        while self.schema.rows(waiting).await != [N.to_string()] {
            tokio::time::sleep(SECOND / 20).await;
        }
        gate.close().await.unwrap();
        started
    }

    async fn all<const N: usize>(&self, nodes: [&str; N]) -> Vec<Output> {
        let mut ended = Vec::new();
        for child in self.together(nodes).await {
            ended.push(end(child).await);
        }
        ended
    }

    /// All is fetched, once, and in one run.
    async fn assert_whole(&self, pages: usize) {
        let count = pages.to_string();
        let rows = self.schema.rows("select discovered, fetched, pending from accounting").await;
        assert_eq!(rows, [format!("{count}|{count}|0")]);
        let rows = self.schema.rows("select discovered, fetched, pending, outcome from runs").await;
        assert_eq!(rows, [format!("{count}|{count}|0|finished")]);
        let twice = "select url from fetches where url not like '%/robots.txt' group by url having count(*) > 1";
        assert_eq!(self.schema.rows(twice).await, [""; 0]);
    }
}

async fn end(child: Child) -> Output {
    tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap()
}

/// How much later than it was to a task of this test went on so far, at the longest: the nodes are held up likewise.
struct Stalls(Arc<AtomicU64>);

impl Stalls {
    fn watch() -> Self {
        let longest = Arc::<AtomicU64>::default();
        let noted = longest.clone();
        tokio::spawn(async move {
            loop {
                let began = Instant::now();
                tokio::time::sleep(SECOND / 20).await;
                let late = began.elapsed().saturating_sub(SECOND / 20);
                noted.fetch_max(late.as_millis().try_into().unwrap(), Ordering::Relaxed);
            }
        });
        Self(longest)
    }

    /// What is forgiven to a machine that is so slow.
    fn forgiven(&self) -> Duration {
        4 * Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

fn sorted(server: &Server) -> Vec<Hit> {
    let mut hits = server.hits();
    hits.sort_by_key(|hit| hit.at);
    hits
}

/// No two requests came closer than the interval, whichever node made them. Whoever makes a request does not know when the server
/// sees it: a tenth of the interval is forgiven, and more to a request that was sent more than half an interval before the
/// server saw it, as these come on a machine that is busy; nothing is assumed of them (`frontier::clock`).
async fn assert_pace(schema: &Schema, servers: &[Server], interval: Duration) {
    let (now, epoch) = (Instant::now(), UNIX_EPOCH.elapsed().unwrap());
    let rows =
        schema.rows("select coalesce(u.url, q.url), q.at from request q left join url u on u.id = q.url_id").await;
    let sent: HashMap<_, _> = rows.iter().filter_map(|row| row.rsplit_once('|')).collect();
    let was_held_up = |server: &Server, hit: &Hit| {
        let seen = epoch - (now - hit.at);
        let sent = sent.get(&*server.url(&hit.path)).map(|at| Duration::from_millis(at.parse().unwrap()));
        sent.is_some_and(|sent| seen.saturating_sub(sent) > interval / 2)
    };
    for server in servers {
        for pair in sorted(server).windows(2) {
            let (gap, nodes) =
                (pair[1].at - pair[0].at, [0, 1].map(|at: usize| pair[at].header("x-node-key").map(str::to_owned)));
            assert!(
                gap >= interval.mul_f64(0.9) || was_held_up(server, &pair[0]),
                "{gap:?} between {:?}, {nodes:?}",
                (&pair[0].path, &pair[1].path)
            );
        }
    }
}

fn nodes_of(servers: &[Server]) -> BTreeSet<String> {
    servers.iter().flat_map(Server::hits).filter_map(|hit| hit.header("x-node-key").map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn four_nodes_share_the_hosts_out_and_none_is_asked_more_often_for_it() {
    let Some(schema) = schema().await else { return };
    let (servers, is_over) = growing(12).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "5", "--allow-trap", "all"]);
    let nodes = crawl.together(["a", "b", "c", "d"]).await;
    until("all four to ask", || nodes_of(&servers).len() == 4).await;
    is_over.store(true, Ordering::SeqCst);
    let mut told = Vec::new();
    for node in nodes {
        let output = end(node).await;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        told.push(summary(&output));
    }
    let pages = pages_of(&servers);
    crawl.assert_whole(pages).await;
    for told in told {
        assert_eq!((&told["fetched"], &told["requests"]), (&pages.into(), &(pages + 12).into()), "of the whole run");
    }
    assert_pace(&schema, &servers, SECOND / 5).await;
    let asked: usize = servers.iter().map(Server::hit_count).sum();
    assert_eq!(asked, pages + 12, "each page and the robots.txt, once");
    let nodes = schema.rows("select node, state, hosts from nodes order by node").await;
    assert_eq!(nodes, ["a|ended|0", "b|ended|0", "c|ended|0", "d|ended|0"]);
    assert_eq!(schema.rows("select sum(fetched) from nodes").await, [pages.to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_gets_its_part_of_few_hosts_though_these_are_never_quiet() {
    let Some(schema) = schema().await else { return };
    let (servers, is_over) = growing(2).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "0", "--lease", "3s", "--allow-trap", "all"]);
    let first = crawl.start("first", &[]);
    until("both hosts to be asked", || servers.iter().all(|server| server.hit_count() > 9)).await;
    let newcomer = crawl.start("newcomer", &[]);
    until("the newcomer to ask", || nodes_of(&servers).len() == 2).await;
    is_over.store(true, Ordering::SeqCst);
    for node in [first, newcomer] {
        let output = end(node).await;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    crawl.assert_whole(pages_of(&servers)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_of_a_killed_node_go_on_after_its_lease_and_nothing_is_lost() {
    let Some(schema) = schema().await else { return };
    let ((servers, is_over), stalls) = (growing(8).await, Stalls::watch());
    let crawl = Crawl::new(&schema, &servers, &["--rate", "5", "--lease", "3s", "--allow-trap", "all"]);
    let [mut killed, other] = crawl.together(["killed", "other"]).await;
    let asked = |node: &str| {
        servers.iter().filter(|it| it.hits().iter().any(|hit| hit.header("x-node-key") == Some(node))).count()
    };
    until("both nodes to have hosts", || asked("killed") >= 1 && asked("other") >= 1).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let died = Instant::now();
    is_over.store(true, Ordering::SeqCst);
    let output = end(other).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    crawl.assert_whole(pages_of(&servers)).await;
    assert_pace(&schema, &servers, SECOND / 5).await;
    let forgiven = stalls.forgiven();
    for server in &servers {
        let hits = sorted(server);
        let Some(last) = hits.iter().rev().find(|hit| hit.header("x-node-key") == Some("killed")) else { continue };
        if let Some(next) = hits.iter().find(|hit| hit.at > last.at && hit.at > died) {
            let stood = next.at - died;
            let allowed = LEASE + SECOND / 5 + 2 * SECOND + forgiven;
            assert!(stood <= allowed, "it stood still for {stood:?} of {allowed:?}");
        }
    }
    let fetches: usize = schema.rows("select count(*) from fetches").await[0].parse().unwrap();
    let hits: usize = servers.iter().map(Server::hit_count).sum();
    // Two connections to each host, and what all of them answered while a commit was under way.
    let most = 16 + 40 * usize::try_from(forgiven.as_secs()).unwrap();
    assert!(hits - fetches <= most, "{hits} requests, {fetches} of them stored");
    assert_eq!(schema.rows("select state from nodes where node = 'killed'").await, ["lost"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_stopped_past_its_lease_stores_nothing_of_what_it_lost_and_ends_well() {
    let Some(schema) = schema().await else { return };
    let (servers, is_over) = growing(8).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "5", "--lease", "3s", "--allow-trap", "all"]);
    let [stopped, other] = crawl.together(["stopped", "other"]).await;
    let asked = |node: &str| {
        servers.iter().filter(|it| it.hits().iter().any(|hit| hit.header("x-node-key") == Some(node))).count()
    };
    until("both nodes to have hosts", || asked("stopped") >= 1 && asked("other") >= 1).await;
    send("STOP", &stopped);
    let mut lost = false;
    while !lost {
        tokio::time::sleep(SECOND / 20).await;
        lost = !schema.rows("select 1 from node where name = 'stopped' and gone").await.is_empty();
    }
    send("CONT", &stopped);
    is_over.store(true, Ordering::SeqCst);
    let (stopped, other) = (end(stopped).await, end(other).await);
    assert_eq!(
        (stopped.status.code(), other.status.code()),
        (Some(0), Some(0)),
        "{}{}",
        stderr(&stopped),
        stderr(&other)
    );
    assert_eq!(stderr(&stopped).matches("was silent for longer than its lease").count(), 1, "{}", stderr(&stopped));
    crawl.assert_whole(pages_of(&servers)).await;
    let states = schema.rows("select state from nodes where node = 'stopped' order by state").await;
    assert_eq!(states, ["ended", "lost"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn page_budgets_are_exact_over_all_nodes() {
    let Some(schema) = schema().await else { return };
    let servers = hosts(6, 40).await;
    let options = ["--rate", "0", "--max-pages", "61", "--max-pages-per-host", "12"];
    let crawl = Crawl::new(&schema, &servers, &options);
    for output in crawl.all(["a", "b", "c"]).await {
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let told = summary(&output);
        assert_eq!((&told["fetched"], &told["outcome"]), (&61.into(), &"limit".into()));
    }
    assert_eq!(schema.rows("select count(*) from pages").await, ["61"]);
    assert!(servers.iter().all(|server| server.hit_count() <= 13), "twelve pages and the robots.txt");
    assert_eq!(schema.rows("select outcome from runs").await, ["limit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pace_of_all_holds_over_all_nodes() {
    let Some(schema) = schema().await else { return };
    let servers = hosts(6, 20).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "0", "--global-rate", "20"]);
    for output in crawl.all(["a", "b", "c"]).await {
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    crawl.assert_whole(120).await;
    assert_eq!(nodes_of(&servers).len(), 3);
    let times: BTreeSet<_> = servers.iter().flat_map(Server::hits).map(|hit| hit.at).collect();
    let (first, last) = (times.first().unwrap(), times.last().unwrap());
    // Each node makes a request at once. A second is forgiven for what was held up on its way: if each had made as many as all
    // may, it would have taken two seconds in all.
    let least = SECOND * u32::try_from(times.len() - 3).unwrap() / 20 - SECOND;
    assert!(*last - *first >= least, "{} requests in {:?}, not in {least:?}", times.len(), *last - *first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_again_at_once_is_another_node() {
    let Some(schema) = schema().await else { return };
    let servers = hosts(1, 20).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "10", "--lease", "3s"]);
    let mut first = crawl.start("same", &[]);
    until("requests", || servers[0].hit_count() > 5).await;
    first.kill().unwrap();
    first.wait().unwrap();
    let second = crawl.run("same", &[]).await;
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    crawl.assert_whole(20).await;
    assert_eq!(schema.rows("select node, state from nodes order by started_at").await, ["same|lost", "same|ended"]);
    // What the first held was its own until its lease had ended.
    let between = "select count(*) from node one, node two, request q where one.id = 1 and two.id = 2
         and q.at between extract(epoch from two.started_at) * 1000 and extract(epoch from one.leased_until) * 1000";
    assert_eq!(schema.rows(between).await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_stopped_leaves_the_run_to_the_others() {
    let Some(schema) = schema().await else { return };
    let servers = hosts(3, 50).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "10"]);
    let [stopped, other] = crawl.together(["stopped", "other"]).await;
    until("requests", || servers.iter().map(Server::hit_count).sum::<usize>() > 20).await;
    send("TERM", &stopped);
    let stopped = end(stopped).await;
    assert_eq!(stopped.status.code(), Some(143), "{}", stderr(&stopped));
    assert_eq!(schema.rows("select outcome from runs").await, [""]);
    assert_eq!(end(other).await.status.code(), Some(0));
    crawl.assert_whole(150).await;
    assert_pace(&schema, &servers, SECOND / 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_settings_are_refused_or_waited_for_and_there_may_be_nobody_to_join() {
    let Some(schema) = schema().await else { return };
    let (servers, is_over) = growing(1).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "2", "--allow-trap", "all"]);
    let alone = crawl.run("late", &["--join"]).await;
    assert_eq!((alone.status.code(), servers[0].hit_count()), (Some(0), 0), "{}", stderr(&alone));
    assert!(stderr(&alone).starts_with("Nothing to join: no other node"), "{}", stderr(&alone));
    let first = crawl.start("first", &[]);
    until("the first node", || servers[0].hit_count() > 0).await;
    let refused = crawl.run("other", &["--max-depth", "3"]).await;
    assert_eq!(refused.status.code(), Some(4), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("--max-depth is `3` here and not set there"), "{}", stderr(&refused));
    let joined = crawl.start("joined", &["--join", "--concurrency", "3"]);
    let began = Instant::now();
    while schema.rows("select 1 from node where name = 'joined'").await.is_empty() {
        assert!(began.elapsed() < 60 * SECOND, "it does not take part");
        tokio::time::sleep(SECOND / 50).await;
    }
    let waited = crawl.start("waited", &["--max-depth", "3", "--wait-lock", "1m"]);
    is_over.store(true, Ordering::SeqCst);
    assert_eq!(end(first).await.status.code(), Some(0));
    assert_eq!(end(joined).await.status.code(), Some(0));
    assert_eq!(end(waited).await.status.code(), Some(0), "it began the next run");
    assert_eq!(schema.rows("select outcome from runs order by id").await, ["finished", "finished"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_hangs_on_a_session_so_that_a_pool_may_stand_between() {
    let Some(schema) = schema().await else { return };
    let Some(pool) = Pool::start(&schema).await else { return };
    let servers = hosts(6, 20).await;
    let crawl = Crawl { by: Some(&pool.url), ..Crawl::new(&schema, &servers, &["--rate", "10"]) };
    for output in crawl.all(["a", "b"]).await {
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(summary(&output)["fetched"], 120);
        assert!(!stderr(&output).contains("until the database"), "{}", stderr(&output));
    }
    crawl.assert_whole(120).await;
    // What reads goes through it too.
    for args in [
        &["status"][..],
        &["query", "select count(*) from pages"],
        &["search", "page"],
        &["export", "--format", "csv", "--output", "-"],
    ] {
        let args: Vec<_> = args.iter().copied().chain(["-d", &pool.url]).collect();
        let output = crawl.bench.run(&args).await;
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        assert!(!stdout(&output).is_empty(), "{args:?}");
    }
    // And so does a copy, out of one and into another.
    let Some(target) = self::schema().await else { return };
    let Some(into) = Pool::start(&target).await else { return };
    for (from, to) in [(pool.url.as_str(), "copy.db"), ("copy.db", into.url.as_str())] {
        let output = crawl.bench.run(&["copy", from, to]).await;
        assert_eq!(output.status.code(), Some(0), "{from} {to}: {}", stderr(&output));
    }
    assert_eq!(target.rows("select count(*) from pages").await, ["120"]);
}

/// How many seconds a host asks for.
const ASKED: u64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_outlives_the_node_that_was_told_it() {
    let Some(schema) = schema().await else { return };
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |path| match path {
        "/p/0" => page(["/p/1", "/p/2"]),
        "/p/1" if asked.fetch_add(1, Ordering::SeqCst) == 0 => {
            Reply::status(503).with_header("retry-after", &ASKED.to_string())
        }
        path => graph_page(3, 500, path),
    });
    let servers = [server.await.unwrap()];
    let crawl = Crawl::new(&schema, &servers, &["--rate", "20", "--ignore-robots", "--lease", "3s"]);
    let mut told = crawl.start("told", &[]);
    until("requests", || servers[0].hit_count() > 1).await;
    let is_stored = "select 1 from host where blocked_until > asked_at + 3000";
    let mut stored = false;
    while !stored {
        tokio::time::sleep(SECOND / 50).await;
        stored = !schema.rows(is_stored).await.is_empty();
    }
    told.kill().unwrap();
    told.wait().unwrap();
    let output = crawl.run("other", &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let hits = sorted(&servers[0]);
    let at = hits.iter().position(|hit| hit.path == "/p/1").unwrap();
    let node = |hit: &Hit| hit.header("x-node-key").map(str::to_owned);
    assert_eq!((node(&hits[at]).as_deref(), node(&hits[at + 1]).as_deref()), (Some("told"), Some("other")));
    let rest = hits[at + 1].at - hits[at].at;
    assert!(rest >= Duration::from_secs(ASKED), "{rest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn back_off_and_the_tries_so_far_outlive_the_node_that_made_them() {
    let Some(schema) = schema().await else { return };
    let server = Server::start(|path| match path {
        "/p/0" => page(["/p/1"]),
        _ => Reply::status(503),
    });
    let servers = [server.await.unwrap()];
    let crawl = Crawl::new(&schema, &servers, &["--rate", "20", "--ignore-robots", "--lease", "3s", "--retries", "3"]);
    let mut tried = crawl.start("tried", &[]);
    until("two tries", || servers[0].hit_count() > 2).await;
    let rest = "select (extract(epoch from due_at::timestamptz - clock_timestamp()) * 1000)::bigint from queue where attempts = 2";
    let due = loop {
        let now = Instant::now();
        if let [rest] = &schema.rows(rest).await[..] {
            break now + Duration::from_millis(rest.parse().unwrap_or_default());
        }
        tokio::time::sleep(SECOND / 50).await;
    };
    tried.kill().unwrap();
    tried.wait().unwrap();
    let output = crawl.run("other", &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let hits = sorted(&servers[0]);
    let nodes: Vec<_> =
        hits.iter().filter(|hit| hit.path == "/p/1").filter_map(|hit| hit.header("x-node-key")).collect();
    assert_eq!(nodes, ["tried", "tried", "other", "other"], "one try and three retries");
    assert!(hits[3].at >= due, "{:?} too early", due - hits[3].at);
}

/// The hosts of [`woven`], and the pages of each.
const WOVEN: (usize, usize) = (4, 12);

/// Where a page of those hosts leads: on within its host, and to some pages of the others.
fn woven(host: usize, page: usize) -> Vec<(usize, usize)> {
    let (hosts, pages) = WOVEN;
    let across = (0..2).map(|way| ((host + way + 1) % hosts, (page * 5 + host * 3 + way * 7 + 4) % pages));
    let next = (page + 1 < pages).then_some((host, page + 1));
    next.into_iter().chain(across.filter(|_| page % 3 == 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn depth_is_that_of_the_shortest_path_whichever_nodes_found_it() {
    let Some(schema) = schema().await else { return };
    let addresses = Arc::<std::sync::OnceLock<Vec<String>>>::default();
    let mut servers = Vec::new();
    for host in 0..WOVEN.0 {
        let addresses = addresses.clone();
        // Each slower than the one before, so that longer paths are found before shorter ones.
        let site = move |path: &str| match path.strip_prefix("/p/").and_then(|number| number.parse().ok()) {
            Some(number) => {
                let links = woven(host, number).into_iter();
                page(links.map(|(to, page)| format!("{}{page}", addresses.get().unwrap()[to])))
                    .delayed(SECOND / 5 * u32::try_from(host).unwrap())
            }
            None => Reply::status(404),
        };
        servers.push(Server::start(site).await.unwrap());
    }
    addresses.set(servers.iter().map(|server| server.url("/p/")).collect()).unwrap();
    const DEEPEST: usize = 4;
    // Breadth first from all seeds.
    let mut depths = BTreeSet::new();
    let mut known: HashMap<(usize, usize), usize> = (0..WOVEN.0).map(|host| ((host, 0), 0)).collect();
    let mut level: Vec<_> = known.keys().copied().collect();
    for depth in 0..=DEEPEST {
        depths
            .extend(level.iter().map(|&(host, page)| format!("{}|{depth}", servers[host].url(&format!("/p/{page}")))));
        let found: Vec<_> = level.iter().flat_map(|&(host, page)| woven(host, page)).collect();
        level = found.into_iter().filter(|&page| known.insert(page, depth + 1).is_none()).collect();
    }
    assert!(!level.is_empty(), "some pages are too deep");
    let crawl = Crawl::new(&schema, &servers, &["--rate", "4", "--lease", "3s", "--max-depth", &DEEPEST.to_string()]);
    for output in crawl.all(["a", "b"]).await {
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    assert_eq!(nodes_of(&servers).len(), 2);
    let found = schema.rows("select url, depth from pages where status = 200 order by url").await;
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), depths);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interval_that_is_longer_than_a_lease_outlives_the_node_too() {
    let Some(schema) = schema().await else { return };
    let servers = hosts(1, 2).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "0.25", "--ignore-robots", "--lease", "3s"]);
    let mut first = crawl.start("first", &[]);
    until("a request", || servers[0].hit_count() == 1).await;
    let mut stored = false;
    while !stored {
        tokio::time::sleep(SECOND / 50).await;
        stored = !schema.rows("select 1 from page").await.is_empty();
    }
    send("STOP", &first);
    let second = crawl.run("second", &[]).await;
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    first.kill().unwrap();
    first.wait().unwrap();
    let hits = sorted(&servers[0]);
    assert!(matches!(&hits[..], [one, other] if other.at - one.at >= 4 * SECOND), "{hits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_a_node_bear_its_name_and_tell_of_its_lease_and_its_locks() {
    let Some(schema) = schema().await else { return };
    let servers = hosts(1, 40).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "10"]);
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let node = crawl.start("one \"of\" many", &["--metrics", &address.to_string()]);
    until("a commit", || servers[0].hit_count() > 5).await;
    let figures = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let figures = figures.await.unwrap();
    let name = r#"node="one \"of\" many""#;
    for series in
        ["lease_age_seconds{", "lock_wait_seconds_total{", "requests_total{", "urls{", "stage_duration_seconds_count{"]
    {
        let line = figures.lines().find(|line| line.starts_with(&format!("harvestman_{series}")));
        assert!(line.is_some_and(|line| line.contains(name)), "{series} {figures}");
    }
    let age = figures.lines().find(|line| line.starts_with("harvestman_lease_age_seconds{")).unwrap();
    assert!(age.rsplit(' ').next().unwrap().parse::<f64>().unwrap() < 30.0, "it is held: {age}");
    assert_eq!(end(node).await.status.code(), Some(0));
}
