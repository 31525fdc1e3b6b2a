//! Several nodes of one crawl on PostgreSQL, as the hosts see them that they ask: what a second node and a fourth bring where
//! latency is the limit, and where the machine is; what the death of one costs.
//!
//! `HARVESTMAN_TEST_POSTGRES=postgres://… cargo bench --bench nodes`, or beside a server of its own, which does not flush what
//! it commits, `.ci/postgres cargo bench --bench nodes`. `-- latency`, `-- throughput` and `-- death` measure one of the three.
//! Nodes, hosts and server share the machine: compare the rows of a table with each other.

mod common;
#[path = "../tests/common/postgres.rs"]
mod postgres;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::{Outcome, Role, ServerProcess, serve_until_told};
use harvestman::demo::{Server, graph_page};
use postgres::Schema;

const TURNS: usize = 2;
const DEATHS: usize = 6;
/// A lease, between two requests to a host, and what the contract adds to them.
const LEASE: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_millis(250);
const MARGIN: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
struct Web {
    hosts: usize,
    pages: usize,
    bytes: usize,
    latency: Duration,
}

impl Web {
    fn size(&self) -> usize {
        self.hosts * self.pages
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let args = match Role::of_this_process() {
        Role::Server(args) => return serve(&args).await,
        Role::Bench(args) => args,
        Role::Nothing => return Ok(()),
    };
    let is_asked_for = |name: &str| args.is_empty() || args.iter().any(|arg| arg == name);
    if is_asked_for("latency") {
        latency().await?;
    }
    if is_asked_for("throughput") {
        throughput().await?;
    }
    if is_asked_for("death") {
        death().await?;
    }
    Ok(())
}

/// A request, as its host saw it.
#[derive(Debug, Clone)]
struct Ask {
    host: usize,
    /// Since 1970.
    at: Duration,
    node: String,
    path: String,
}

async fn serve(args: &[String]) -> Outcome {
    let number = |at: usize| args[at].parse::<usize>();
    let (hosts, pages, bytes, latency) = (number(0)?, number(1)?, number(2)?, Duration::from_millis(args[3].parse()?));
    let mut servers = Vec::new();
    for _ in 0..hosts {
        servers.push(Server::start(move |path| graph_page(pages, bytes, path).delayed(latency)).await?);
    }
    let urls: Vec<_> = servers.iter().map(|server| server.url("/p/0")).collect();
    let (began, now) = (Instant::now(), UNIX_EPOCH.elapsed()?);
    serve_until_told(&urls).await?;
    for (host, server) in servers.iter().enumerate() {
        for hit in server.hits() {
            let at = now + (hit.at - began);
            println!("{host} {} {} {}", at.as_micros(), hit.header("x-node-key").unwrap_or("-"), hit.path);
        }
    }
    Ok(())
}

/// A crawl by several processes.
struct Crawl {
    schema: Option<Schema>,
    folder: tempfile::TempDir,
    server: ServerProcess,
    nodes: Vec<Child>,
}

impl Crawl {
    /// By so many nodes; by none, it is one process with a file.
    fn start(web: Web, nodes: usize, options: &[&str]) -> Outcome<Self> {
        let args =
            [web.hosts.to_string(), web.pages.to_string(), web.bytes.to_string(), web.latency.as_millis().to_string()];
        let server = ServerProcess::start(&args)?;
        let folder = tempfile::tempdir()?;
        let schema =
            if nodes > 0 { Some(Schema::new().ok_or("HARVESTMAN_TEST_POSTGRES names no server")?) } else { None };
        if let Some(schema) = &schema {
            schema.create();
        }
        let mut crawl = Self { schema, folder, server, nodes: Vec::new() };
        for node in 0..nodes.max(1) {
            let child = crawl.node(node, options)?;
            crawl.nodes.push(child);
        }
        Ok(crawl)
    }

    fn node(&self, number: usize, options: &[&str]) -> Outcome<Child> {
        // Another build than this bench's own can be measured.
        let program = std::env::var("HARVESTMAN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_harvestman").to_owned());
        let mut command = Command::new(program);
        // The same pages on many hosts are a trap.
        command
            .args(["crawl", "--allow-trap", "all"])
            .args(&self.server.urls)
            .args(options)
            .current_dir(self.folder.path());
        command.args(["--header", &format!("x-node-key: {number}")]).env_remove("HARVESTMAN_TEST_POSTGRES");
        command.env_remove("HARVESTMAN_TEST_POSTGRES_RESTART").env_remove("HARVESTMAN");
        if let Some(schema) = &self.schema {
            command.args(["-d", &schema.url, "--node", &number.to_string()]);
        }
        let log = std::fs::File::create(self.folder.path().join(format!("{number}.log")))?;
        Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?)
    }

    async fn rows(&self, sql: &str) -> Vec<String> {
        match &self.schema {
            Some(schema) => schema.rows(sql).await,
            None => Vec::new(),
        }
    }

    /// Waits for all nodes, and answers with what the hosts were asked, by host and time.
    fn end(mut self) -> Outcome<Ended> {
        for (number, node) in self.nodes.iter_mut().enumerate() {
            let status = node.wait()?;
            if !status.success() && status.code().is_some() {
                let log = std::fs::read_to_string(self.folder.path().join(format!("{number}.log")))?;
                return Err(format!("{status}: {log}").into());
            }
        }
        let said = self.server.stop()?;
        let ask = |line: &str| -> Outcome<Ask> {
            let [host, at, node, path] = line.split(' ').collect::<Vec<_>>()[..] else { return Err(line.into()) };
            let (host, at) = (host.parse()?, Duration::from_micros(at.parse()?));
            Ok(Ask { host, at, node: node.to_owned(), path: path.to_owned() })
        };
        let mut asks = said.lines().map(ask).collect::<Outcome<Vec<_>>>()?;
        asks.sort_by_key(|ask| (ask.host, ask.at));
        Ok(Ended { asks, schema: self.schema, folder: self.folder })
    }
}

struct Ended {
    asks: Vec<Ask>,
    schema: Option<Schema>,
    folder: tempfile::TempDir,
}

impl Ended {
    /// Pages a second, from the first request to the last.
    fn pace(&self) -> f64 {
        let times = || self.asks.iter().map(|ask| ask.at);
        let took = times().max().unwrap_or_default() - times().min().unwrap_or_default();
        let pages = self.asks.iter().filter(|ask| ask.path != "/robots.txt").count();
        pages as f64 / took.as_secs_f64()
    }

    /// Two requests to one host, one after the other.
    fn pairs(&self) -> impl Iterator<Item = (&Ask, &Ask)> {
        self.asks.windows(2).map(|pair| (&pair[0], &pair[1])).filter(|(one, other)| one.host == other.host)
    }

    /// What was asked for more than once.
    fn again(&self) -> usize {
        self.asks.len() - self.asks.iter().map(|ask| (ask.host, &ask.path)).collect::<BTreeSet<_>>().len()
    }

    async fn stored(&self, web: Web) -> Outcome {
        if let Some(schema) = &self.schema {
            let stored = schema.rows("select count(*), count(distinct url) from pages").await;
            if stored != [format!("{0}|{0}", web.size())] {
                return Err(format!("of {} pages {stored:?} were stored", web.size()).into());
            }
        }
        Ok(())
    }
}

/// One node and four, each with eight connections to hosts that take 100 ms to answer.
async fn latency() -> Outcome {
    let web = Web { hosts: 400, pages: 10, bytes: 2_000, latency: Duration::from_millis(100) };
    let interval = Duration::from_millis(500);
    let options = ["--rate", "2", "--concurrency", "8", "--max-connections-per-host", "1"];
    println!(
        "\n{web:?}, {}\n\n| nodes | pages/s | against one node | shortest time between two requests to a host | hosts asked by two nodes at once | hosts that changed nodes | requested again |",
        options.join(" ")
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|");
    for _ in 0..TURNS {
        let mut alone = None;
        for nodes in [1, 4] {
            let ended = Crawl::start(web, nodes, &options)?.end()?;
            ended.stored(web).await?;
            let pace = ended.pace();
            let shortest = ended.pairs().map(|(one, other)| other.at - one.at).min().unwrap_or_default();
            let is_handed_over = |(one, other): &(&Ask, &Ask)| one.node != other.node;
            let at_once =
                ended.pairs().filter(is_handed_over).filter(|(one, other)| other.at < one.at + web.latency).count();
            let moved = ended.pairs().filter(is_handed_over).count();
            let against = pace / *alone.get_or_insert(pace);
            println!(
                "| {nodes} | {pace:.0} | {against:.2} × | {shortest:.0?} of {interval:?} | {at_once} | {moved} | {} |",
                ended.again()
            );
        }
    }
    Ok(())
}

/// One node, two and four, and a file, without latency and pace: the machine is the limit.
async fn throughput() -> Outcome {
    let web = Web { hosts: 40, pages: 250, bytes: 5_000, latency: Duration::ZERO };
    let cores = std::thread::available_parallelism()?;
    println!(
        "\n{web:?}, --rate 0, on {cores} cores\n\n| | pages/s | bytes per page | bytes per known URL |\n|---|--:|--:|--:|"
    );
    for _ in 0..TURNS {
        for nodes in [0, 1, 2, 4] {
            let ended = Crawl::start(web, nodes, &["--rate", "0"])?.end()?;
            ended.stored(web).await?;
            let (what, bytes) = match &ended.schema {
                None => ("a file".to_owned(), vec![std::fs::metadata(ended.folder.path().join("crawl.db"))?.len()]),
                Some(schema) => (format!("{nodes} nodes"), sizes(schema).await?),
            };
            let each =
                |at: usize| bytes.get(at).map_or("–".to_owned(), |bytes| (bytes / web.size() as u64).to_string());
            println!("| {what} | {:.0} | {} | {} |", ended.pace(), each(0), each(1));
        }
    }
    Ok(())
}

/// Of all tables with their indexes, and of the one of known URLs.
async fn sizes(schema: &Schema) -> Outcome<Vec<u64>> {
    let all = "select sum(pg_total_relation_size(oid)), pg_total_relation_size('url') from pg_class
               where relkind = 'r' and relnamespace = current_schema()::regnamespace";
    Ok(schema.rows(all).await[0].split('|').map(str::parse).collect::<Result<_, _>>()?)
}

/// One of four nodes is killed: how long its hosts are left alone, and what is asked for again.
async fn death() -> Outcome {
    let web = Web { hosts: 40, pages: 60, bytes: 2_000, latency: Duration::from_millis(100) };
    let options = ["--rate", "4", "--concurrency", "16", "--lease", "5s"];
    println!("\n{web:?}, {}: node 0 is killed", options.join(" "));
    println!(
        "\n| its hosts | stood still for: shortest | median | 9 of 10 | longest | allowed | under way as it died | requested again |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut all = Vec::new();
    for _ in 0..DEATHS {
        let mut crawl = Crawl::start(web, 4, &options)?;
        while crawl
            .rows("select 1 from pg_tables where tablename = 'page' and schemaname = current_schema()")
            .await
            .is_empty()
            || crawl.rows("select count(*) from page").await[0].parse::<usize>()? < web.size() / 3
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        crawl.nodes[0].kill()?;
        let died = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let ended = crawl.end()?;
        ended.stored(web).await?;
        let under_way = ended.asks.iter().filter(|ask| ask.node == "0" && ask.at + web.latency > died).count();
        let stood = stood_still(&ended, died);
        print_row(&stood, &format!("{under_way} | {}", ended.again()));
        all.extend(stood);
    }
    print_row(&all, "| in all");
    Ok(())
}

/// How long each host was left alone that the node had asked last, counted from its death.
fn stood_still(ended: &Ended, died: Duration) -> Vec<Duration> {
    let before = ended.asks.iter().filter(|ask| ask.at <= died);
    let last: BTreeMap<_, _> = before.map(|ask| (ask.host, ask)).collect();
    let next = |host: usize| ended.asks.iter().find(|ask| ask.host == host && ask.at > died && ask.node != "0");
    let held = last.into_iter().filter(|(_, ask)| ask.node == "0");
    held.filter_map(|(host, _)| Some(next(host)?.at - died)).collect()
}

fn print_row(stood: &[Duration], more: &str) {
    let mut stood = stood.to_vec();
    stood.sort_unstable();
    let share = |of: usize| stood.get((stood.len().saturating_sub(1)) * of / 10).copied().unwrap_or_default();
    let [shortest, median, most, longest] = [0, 5, 9, 10].map(share);
    let allowed = LEASE + INTERVAL + MARGIN;
    println!("| {} | {shortest:.2?} | {median:.2?} | {most:.2?} | {longest:.2?} | {allowed:?} | {more} |", stood.len());
}
