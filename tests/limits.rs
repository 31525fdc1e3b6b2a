//! The limits a user sets: exact under concurrency, and what is left stays for the next invocation.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use common::{Bench, page, stderr, summary};
use harvestman::demo::{Reply, Server, graph_page};

const WIDE: [&str; 4] = ["--rate", "0", "--max-connections-per-host", "16"];
const SLOW: Duration = Duration::from_millis(30);

async fn crawl(bench: &Bench, args: &[&str]) -> serde_json::Value {
    let output = bench.run(&[&["crawl", "--json"], args, &WIDE].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    summary(&output)
}

/// Slow hosts of `pages` pages each, with nothing but 404 for robots.txt, as seeds.
async fn slow_hosts(bench: &Bench, hosts: usize, pages: usize) -> Vec<Server> {
    let mut servers = Vec::new();
    for _ in 0..hosts {
        servers.push(Server::start(move |path| graph_page(pages, 300, path).delayed(SLOW)).await.unwrap());
    }
    let text: String = servers.iter().map(|server| server.url("/p/0\n")).collect();
    std::fs::write(bench.path("seeds.txt"), text).unwrap();
    servers
}

fn page_requests(servers: &[Server]) -> usize {
    servers.iter().flat_map(Server::hits).filter(|hit| hit.path != "/robots.txt").count()
}

async fn assert_balance(bench: &Bench) {
    let balance = "select discovered = fetched + failed + skipped + pending from accounting";
    assert_eq!(bench.rows(balance).await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn max_pages_is_exact_and_several_invocations_make_the_whole_site() {
    let bench = Bench::new();
    let servers = slow_hosts(&bench, 3, 40).await;
    for invocation in 1..=2 {
        let done = crawl(&bench, &["seeds.txt", "--max-pages", "47"]).await;
        assert_eq!((&done["outcome"], &done["fetched"]), (&"limit".into(), &(47 * invocation).into()));
        assert_eq!(page_requests(&servers), 47 * invocation, "no request beyond the limit");
        assert_balance(&bench).await;
    }
    let done = crawl(&bench, &["seeds.txt", "--max-pages", "47"]).await;
    assert_eq!((&done["outcome"], &done["fetched"], &done["pending"]), (&"finished".into(), &120.into(), &0.into()));
    assert_eq!(page_requests(&servers), 120, "every page once");
    assert_eq!(bench.rows("select count(*) from runs").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn max_pages_per_host_is_exact_on_every_host() {
    let bench = Bench::new();
    let servers = slow_hosts(&bench, 3, 40).await;
    let done = crawl(&bench, &["seeds.txt", "--max-pages-per-host", "25"]).await;
    assert_eq!((&done["outcome"], &done["fetched"]), (&"limit".into(), &75.into()));
    assert_eq!(bench.rows("select fetched from hosts").await, ["25"; 3]);
    assert_eq!(page_requests(&servers), 75);
    let done = crawl(&bench, &["seeds.txt", "--max-pages-per-host", "25"]).await;
    assert_eq!((&done["outcome"], &done["fetched"], &done["pending"]), (&"finished".into(), &120.into(), &0.into()));
    assert_eq!(page_requests(&servers), 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_fails_leaves_its_part_of_the_limit_to_others() {
    let server = Server::start(|path| match path {
        "/" => page((0..12).map(|number| format!("/{number}"))),
        "/0" | "/1" | "/2" => Reply::html("x".repeat(3000)).delayed(SLOW),
        _ => page([""; 0]).delayed(SLOW),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let done = crawl(&bench, &[&server.url("/"), "--max-pages", "10", "--max-body-size", "2KiB"]).await;
    assert_eq!(done["fetched"], 10, "all that can be, whichever come first: {done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_reached_waits_for_no_retry() {
    let server = Server::start(|path| match path {
        "/" => page(["/busy", "/a", "/b", "/c"]),
        "/busy" => Reply::status(503).with_header("Retry-After", "40"),
        _ => page([""; 0]),
    })
    .await
    .unwrap();
    let other = Server::start(|path| graph_page(30, 300, path)).await.unwrap();
    let bench = Bench::new();
    std::fs::write(bench.path("seeds.txt"), format!("{}\n{}\n", server.url("/"), other.url("/"))).unwrap();
    let started = Instant::now();
    let done = crawl(&bench, &["seeds.txt", "--max-pages", "20"]).await;
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert_eq!((&done["outcome"], &done["fetched"]), (&"limit".into(), &20.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_reached_ends_the_crawl_however_many_hosts_are_left() {
    let address = "0.0.0.0:0".parse().unwrap();
    let server = Server::bind(address, |_| page([""; 0])).await.unwrap();
    let port = server.address().port();
    let bench = Bench::new();
    // More hosts than are brought into memory at once.
    let seeds = (0..20_100).map(|n| format!("http://127.1.{}.{}:{port}/\n", n / 200, n % 200 + 1));
    std::fs::write(bench.path("seeds.txt"), seeds.collect::<String>()).unwrap();
    let done = tokio::time::timeout(
        Duration::from_secs(60),
        crawl(&bench, &["seeds.txt", "--max-pages", "5", "--ignore-robots"]),
    );
    let done = done.await.expect("the crawl ends");
    assert_eq!((&done["outcome"], &done["fetched"]), (&"limit".into(), &5.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn max_duration_stops_cleanly() {
    let bench = Bench::new();
    let servers = slow_hosts(&bench, 2, 400).await;
    let args = ["crawl", "seeds.txt", "--rate", "20", "--max-duration", "1500ms", "--json"];
    let output = bench.run(&args).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let done = summary(&output);
    assert_eq!(done["outcome"], "limit");
    assert!(done["pending"].as_u64().unwrap() > 0);
    assert_eq!(done["fetched"], page_requests(&servers), "what was in flight is stored");
    assert_balance(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_reached_by_one_host_is_not_the_reason_when_another_asks_for_time() {
    let server = Server::start(|path| graph_page(3, 300, path)).await.unwrap();
    let busy = Server::start(|_| Reply::status(503).with_header("Retry-After", "3600")).await.unwrap();
    let bench = Bench::new();
    std::fs::write(bench.path("seeds.txt"), format!("{}\n{}\n", server.url("/p/0"), busy.url("/"))).unwrap();
    let done = crawl(&bench, &["seeds.txt", "--max-pages-per-host", "3"]).await;
    assert_eq!((&done["outcome"], &done["pending"]), (&"waiting".into(), &1.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_asked_for_twice_over_many_short_invocations() {
    let bench = Bench::new();
    let servers = slow_hosts(&bench, 2, 30).await;
    let outcomes = async {
        let mut outcomes = Vec::new();
        while outcomes.last().is_none_or(|outcome| outcome == "limit") {
            let limits = ["seeds.txt", "--max-pages", "11", "--max-pages-per-host", "7"];
            outcomes.push(crawl(&bench, &limits).await["outcome"].as_str().unwrap().to_owned());
        }
        outcomes
    };
    assert_eq!(outcomes.await.last().unwrap(), "finished");
    let mut asked = HashMap::new();
    for (index, server) in servers.iter().enumerate() {
        server.hits().into_iter().for_each(|hit| *asked.entry((index, hit.path)).or_insert(0) += 1);
    }
    assert_eq!(asked.len(), 2 * 31);
    assert!(asked.values().all(|times| *times == 1), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_has_the_size_it_may_have_takes_no_more() {
    let bench = Bench::new();
    let server = Server::start(|path| graph_page(2000, 20_000, path)).await.unwrap();
    let seed = server.url("/p/0");
    let output = bench.run(&[&["crawl", "--json", &seed, "--max-database-size", "4MiB"], &WIDE[..]].concat()).await;
    let (done, said) = (summary(&output), stderr(&output));
    assert_eq!((output.status.code(), &done["outcome"]), (Some(0), &"limit".into()), "{said}");
    assert!(
        said.contains("hint: --max-database-size 4MiB was reached with") && said.contains("a larger one goes on"),
        "{said}"
    );
    assert!(done["fetched"].as_i64().unwrap() < 1000 && done["pending"].as_i64().unwrap() > 0, "{done}");
    assert_balance(&bench).await;
    let requests = page_requests(std::slice::from_ref(&server));
    let again = crawl(&bench, &[&seed, "--max-database-size", "4MiB"]).await;
    assert_eq!((&again["outcome"], &again["fetched"]), (&"limit".into(), &done["fetched"]));
    assert_eq!(page_requests(std::slice::from_ref(&server)), requests, "not one more request");
    let on = crawl(&bench, &[&seed, "--max-database-size", "1GiB", "--max-pages", "10"]).await;
    assert_eq!(on["fetched"].as_i64().unwrap(), done["fetched"].as_i64().unwrap() + 10);
}
