//! Hosts that run out of work, leave memory, and are met again in the middle of a crawl.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::{Arc, OnceLock};

use common::{Bench, page, summary};
use harvestman::demo::{Reply, Server};

const PAGES: usize = 20;

/// Two sites whose pages link to each other in turns, so that at any time one of them has nothing to do. Their front
/// pages are the seeds; the first leads to page 1.
async fn in_turns(bench: &Bench) -> [Server; 2] {
    let urls = Arc::new(OnceLock::<[String; 2]>::new());
    let site = |own: usize| {
        let urls = urls.clone();
        move |path: &str| {
            let next = match path {
                "/robots.txt" => return Reply::status(404),
                "/" if own == 1 => return page(Vec::<String>::new()),
                "/" => 1,
                path => path.trim_start_matches('/').parse::<usize>().unwrap() + 1,
            };
            page((next <= PAGES).then(|| format!("{}{next}", urls.get().unwrap()[next % 2])))
        }
    };
    let servers = [Server::start(site(0)).await.unwrap(), Server::start(site(1)).await.unwrap()];
    urls.set(servers.each_ref().map(|server| server.url("/"))).unwrap();
    std::fs::write(bench.path("seeds.txt"), urls.get().unwrap().join("\n")).unwrap();
    servers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_comes_back_keeps_its_pace_and_its_robots_txt() {
    let bench = Bench::new();
    let servers = in_turns(&bench).await;
    let output = bench.run(&["crawl", "seeds.txt", "--rate", "10", "--json"]).await;
    let done = summary(&output);
    assert_eq!((&done["outcome"], &done["fetched"]), (&"finished".into(), &(PAGES + 2).into()), "{done}");
    for server in &servers {
        let hits = server.hits();
        assert_eq!(hits.iter().filter(|hit| hit.path == "/robots.txt").count(), 1);
        assert_eq!(hits.len(), PAGES / 2 + 2, "each page once");
    }
    // By the crawler's own account, in whole milliseconds.
    let closest = bench.closest_requests().await;
    assert!(closest >= 89.0, "{closest} ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_comes_back_keeps_its_budget() {
    let bench = Bench::new();
    let servers = in_turns(&bench).await;
    let output = bench.run(&["crawl", "seeds.txt", "--rate", "0", "--max-pages-per-host", "4", "--json"]).await;
    let done = summary(&output);
    assert_eq!((&done["outcome"], &done["fetched"]), (&"limit".into(), &8.into()), "{done}");
    let pages = servers.each_ref().map(|server| server.hits().iter().filter(|hit| hit.path != "/robots.txt").count());
    assert_eq!(pages, [4, 4]);
}
