//! What asynchronous programming is for: URLs of a server with latency, fetched one after another and by the crawler;
//! then a thousand slow hosts at once.
//!
//! `cargo bench --bench latency` prints the table of the README.

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::{Outcome, Role, ServerProcess, crawl, serve_until_told};
use harvestman::demo::{Reply, Server, graph_page};
use harvestman::internals::config::{Config, ScopeKind};

const COUNTS: [usize; 5] = [1, 10, 50, 100, 500];
const LATENCY: Duration = Duration::from_millis(100);
const HOSTS: usize = 1_000;
const HOST_LATENCY: Duration = Duration::from_secs(1);
/// For a host a listener and a connection, and some to spare.
const FILES_NEEDED: usize = 2 * HOSTS + 100;

#[tokio::main]
async fn main() -> Outcome {
    match Role::of_this_process() {
        Role::Server(args) => serve(args[0].parse()?, args[1].parse()?, Duration::from_millis(args[2].parse()?)).await,
        Role::Bench(_) => measure().await,
        Role::Nothing => Ok(()),
    }
}

fn start_server(hosts: usize, pages: usize, latency: Duration) -> Outcome<ServerProcess> {
    ServerProcess::start(&[hosts.to_string(), pages.to_string(), latency.as_millis().to_string()])
}

/// Serves some pages on each of some hosts, and says at the end how many requests were open at once.
async fn serve(hosts: usize, pages: usize, latency: Duration) -> Outcome {
    let mut servers = Vec::new();
    for _ in 0..hosts {
        servers.push(Server::start(move |path| page(path).delayed(latency)).await?);
    }
    let urls = |server: &Server| (0..pages).map(|page| server.url(&format!("/p/{page}"))).collect::<Vec<_>>();
    let urls: Vec<_> = servers.iter().flat_map(urls).collect();
    serve_until_told(&urls).await?;
    let mut starts: Vec<_> = servers.iter().flat_map(Server::hits).map(|hit| hit.at).collect();
    starts.sort_unstable();
    let open =
        |(index, start): (usize, &Instant)| index + 1 - starts.partition_point(|other| *other + latency <= *start);
    println!("{}", starts.iter().enumerate().map(open).max().unwrap_or(0));
    Ok(())
}

fn page(path: &str) -> Reply {
    graph_page(1_000, 5_000, path)
}

async fn measure() -> Outcome {
    println!("\n| URLs | latency | one after another | harvestman | |\n|---|--:|--:|--:|--:|");
    for count in COUNTS {
        let server = start_server(1, count, LATENCY)?;
        let alone = one_after_another(&server.urls).await?;
        let crawled = by_the_crawler(&server.urls, count).await?;
        server.stop()?;
        print_row(&format!("{count} of one host"), LATENCY, (alone, ""), crawled);
    }
    let files = open_files();
    if files.is_some_and(|files| files < FILES_NEEDED) {
        let limit = files.unwrap_or_default();
        eprintln!("\n{HOSTS} hosts at once need {FILES_NEEDED} open files, but the limit is {limit}: left out.");
        eprintln!("Run `ulimit -n {FILES_NEEDED}` in this shell, then the bench again.");
        return Ok(());
    }
    let server = start_server(HOSTS, 1, HOST_LATENCY)?;
    let crawled = by_the_crawler(&server.urls, 1).await?;
    let open = server.stop()?;
    let alone = HOST_LATENCY * u32::try_from(HOSTS)?;
    print_row(&format!("1 of each of {HOSTS} hosts"), HOST_LATENCY, (alone, " (computed)"), crawled);
    println!("\nOpen at once at the {HOSTS} hosts: {} requests.", open.trim());
    Ok(())
}

fn print_row(what: &str, latency: Duration, (alone, note): (Duration, &str), crawled: Duration) {
    let (alone, crawled) = (alone.as_secs_f64(), crawled.as_secs_f64());
    let ratio = alone / crawled;
    println!("| {what} | {latency:?} | {alone:.1} s{note} | {crawled:.2} s | {ratio:.1} × |");
}

async fn one_after_another(urls: &[String]) -> Outcome<Duration> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let started = Instant::now();
    for url in urls {
        client.get(url).send().await?.error_for_status()?.bytes().await?;
    }
    Ok(started.elapsed())
}

/// From no database to a closed one, robots.txt included.
async fn by_the_crawler(urls: &[String], per_host: usize) -> Outcome<Duration> {
    let folder = tempfile::tempdir()?;
    let config = Config {
        scope: ScopeKind::Page,
        rate: 0.0,
        concurrency: urls.len(),
        max_connections_per_host: per_host,
        ..Config::default()
    };
    let started = Instant::now();
    let summary = crawl(config, urls, &folder.path().join("crawl.db")).await?;
    let elapsed = started.elapsed();
    if usize::try_from(summary.accounting.fetched)? != urls.len() {
        return Err(format!("of {} URLs not all were fetched: {summary:?}", urls.len()).into());
    }
    Ok(elapsed)
}

/// The limit of this shell; None if it has none or does not say.
fn open_files() -> Option<usize> {
    let output = Command::new("sh").args(["-c", "ulimit -n"]).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
