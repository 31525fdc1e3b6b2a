//! Several processes in one crawl on PostgreSQL, as the hosts see them: see tests/common/postgres.rs for where.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::{BTreeSet, HashMap};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

use common::postgres::Schema;
use common::{Bench, page, send, stderr, summary, until};
use harvestman::demo::{Hit, Reply, Server, graph_page};

const SECOND: Duration = Duration::from_secs(1);

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

/// The same command for each node.
struct Crawl<'a> {
    bench: Bench,
    args: Vec<String>,
    schema: &'a Schema,
}

impl<'a> Crawl<'a> {
    fn new(schema: &'a Schema, servers: &[Server], options: &[&str]) -> Self {
        let seeds = servers.iter().map(|server| server.url("/p/0"));
        let mut args: Vec<_> = ["crawl".to_owned()].into_iter().chain(seeds).collect();
        args.extend(["-d", &schema.url, "--json", "--lease", "2s"].map(str::to_owned));
        args.extend(options.iter().map(|&option| option.to_owned()));
        Self { bench: Bench::new(), args, schema }
    }

    /// A node that says in each request which one it is, in a header that nodes may differ in.
    fn start(&self, node: &str, more: &[&str]) -> Child {
        let label = format!("x-node-key: {node}");
        let args = self.args.iter().map(String::as_str).chain(["--node", node, "--header", &label]);
        let args: Vec<_> = args.chain(more.iter().copied()).collect();
        let mut command = self.bench.command(&args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    async fn run(&self, node: &str, more: &[&str]) -> Output {
        end(self.start(node, more)).await
    }

    async fn all(&self, nodes: &[&str]) -> Vec<Output> {
        let started: Vec<_> = nodes.iter().map(|node| self.start(node, &[])).collect();
        let mut ended = Vec::new();
        for child in started {
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
    let servers = hosts(12, 20).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "5"]);
    for output in crawl.all(&["a", "b", "c", "d"]).await {
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let told = summary(&output);
        let requests = 12 * 21;
        assert_eq!((&told["fetched"], &told["requests"]), (&240.into(), &requests.into()), "of the whole run");
    }
    crawl.assert_whole(240).await;
    assert_eq!(nodes_of(&servers).len(), 4);
    assert_pace(&schema, &servers, SECOND / 5).await;
    assert!(servers.iter().all(|server| server.hit_count() == 21), "each page and the robots.txt, once");
    let nodes = schema.rows("select node, state, hosts from nodes order by node").await;
    assert_eq!(nodes, ["a|ended|0", "b|ended|0", "c|ended|0", "d|ended|0"]);
    assert_eq!(schema.rows("select sum(fetched) from nodes").await, ["240"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_of_a_killed_node_go_on_after_its_lease_and_nothing_is_lost() {
    let Some(schema) = schema().await else { return };
    let servers = hosts(4, 50).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "10"]);
    let (mut killed, other) = (crawl.start("killed", &[]), crawl.start("other", &[]));
    let asked = |node: &str| {
        servers.iter().filter(|it| it.hits().iter().any(|hit| hit.header("x-node-key") == Some(node))).count()
    };
    until("both nodes to have hosts", || asked("killed") >= 1 && asked("other") >= 1).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let died = Instant::now();
    let output = end(other).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    crawl.assert_whole(200).await;
    assert_pace(&schema, &servers, SECOND / 10).await;
    for server in &servers {
        let hits = sorted(server);
        let Some(last) = hits.iter().rev().find(|hit| hit.header("x-node-key") == Some("killed")) else { continue };
        if let Some(next) = hits.iter().find(|hit| hit.at > last.at && hit.at > died) {
            let stood = next.at - died;
            assert!(stood <= 4 * SECOND + SECOND / 2, "it stood still for {stood:?}");
        }
    }
    let fetches: usize = schema.rows("select count(*) from fetches").await[0].parse().unwrap();
    let hits: usize = servers.iter().map(Server::hit_count).sum();
    assert!(hits - fetches <= 16, "{hits} requests, {fetches} of them stored");
    assert_eq!(schema.rows("select node, state from nodes order by node").await, ["killed|lost", "other|ended"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_stopped_past_its_lease_stores_nothing_of_what_it_lost_and_ends_well() {
    let Some(schema) = schema().await else { return };
    let servers = hosts(4, 50).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "10"]);
    let (stopped, other) = (crawl.start("stopped", &[]), crawl.start("other", &[]));
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
    let (stopped, other) = (end(stopped).await, end(other).await);
    assert_eq!(
        (stopped.status.code(), other.status.code()),
        (Some(0), Some(0)),
        "{}{}",
        stderr(&stopped),
        stderr(&other)
    );
    assert_eq!(stderr(&stopped).matches("was silent for longer than its lease").count(), 1, "{}", stderr(&stopped));
    crawl.assert_whole(200).await;
    let states = schema.rows("select node, state from nodes order by node, state").await;
    assert_eq!(states, ["other|ended", "stopped|ended", "stopped|lost"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn page_budgets_are_exact_over_all_nodes() {
    let Some(schema) = schema().await else { return };
    let servers = hosts(6, 40).await;
    let options = ["--rate", "0", "--max-pages", "61", "--max-pages-per-host", "12"];
    let crawl = Crawl::new(&schema, &servers, &options);
    for output in crawl.all(&["a", "b", "c"]).await {
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let told = summary(&output);
        assert_eq!((&told["fetched"], &told["outcome"]), (&61.into(), &"limit".into()));
    }
    assert_eq!(schema.rows("select count(*) from pages").await, ["61"]);
    assert!(servers.iter().all(|server| server.hit_count() <= 13), "twelve pages and the robots.txt");
    assert_eq!(schema.rows("select outcome from runs").await, ["limit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_stopped_leaves_the_run_to_the_others() {
    let Some(schema) = schema().await else { return };
    let servers = hosts(3, 30).await;
    let crawl = Crawl::new(&schema, &servers, &["--rate", "10"]);
    let (stopped, other) = (crawl.start("stopped", &[]), crawl.start("other", &[]));
    until("requests", || servers.iter().map(Server::hit_count).sum::<usize>() > 20).await;
    send("TERM", &stopped);
    let stopped = end(stopped).await;
    assert_eq!(stopped.status.code(), Some(143), "{}", stderr(&stopped));
    assert_eq!(schema.rows("select outcome from runs").await, [""]);
    assert_eq!(end(other).await.status.code(), Some(0));
    crawl.assert_whole(90).await;
    assert_pace(&schema, &servers, SECOND / 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_settings_are_refused_or_waited_for_and_there_may_be_nobody_to_join() {
    let Some(schema) = schema().await else { return };
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        "/p/0" => page(["/1", "/2", "/3", "/4"]),
        _ => Reply::html("x"),
    })
    .await
    .unwrap();
    let servers = [server];
    let crawl = Crawl::new(&schema, &servers, &["--rate", "2"]);
    let alone = crawl.run("late", &["--join"]).await;
    assert_eq!((alone.status.code(), servers[0].hit_count()), (Some(0), 0), "{}", stderr(&alone));
    assert!(stderr(&alone).starts_with("Nothing to join: no other node"), "{}", stderr(&alone));
    let first = crawl.start("first", &[]);
    until("the first node", || servers[0].hit_count() > 0).await;
    let refused = crawl.run("other", &["--max-depth", "3"]).await;
    assert_eq!(refused.status.code(), Some(4), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("--max-depth is `3` here and not set there"), "{}", stderr(&refused));
    let joined = crawl.start("joined", &["--join", "--concurrency", "3"]);
    let waited = crawl.start("waited", &["--max-depth", "3", "--wait-lock", "1m"]);
    assert_eq!(end(first).await.status.code(), Some(0));
    assert_eq!(end(joined).await.status.code(), Some(0));
    assert_eq!(end(waited).await.status.code(), Some(0), "it began the next run");
    assert_eq!(schema.rows("select outcome from runs order by id").await, ["finished", "finished"]);
}
