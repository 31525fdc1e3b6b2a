//! Which run an invocation belongs to, and what the options given anew change.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Bench, page, stderr};
use harvestman::demo::{Reply, Server, graph_page};

async fn crawl(bench: &Bench, seed: &str, options: &[&str]) {
    let fast = ["crawl", seed, "--rate", "0"];
    let output = bench.run(&[&fast[..], options].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

fn page_requests(server: &Server) -> usize {
    server.hits().iter().filter(|hit| hit.path != "/robots.txt").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_run_is_continued_and_fresh_gives_it_up() {
    let server = Server::start(|path| graph_page(20, 300, path)).await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/p/0");
    crawl(&bench, &seed, &["--max-pages", "8"]).await;
    crawl(&bench, &seed, &["--max-pages", "8"]).await;
    let runs = "select id, outcome, fetched, pending > 0, finished_at is null from runs";
    assert_eq!(bench.rows(runs).await, ["1|limit|16|1|1"]);
    assert_eq!(page_requests(&server), 16);

    crawl(&bench, &seed, &["--fresh"]).await;
    assert_eq!(bench.rows(runs).await, ["1|limit|16|1|1", "2|finished|20|0|0"]);
    assert_eq!(page_requests(&server), 16 + 20, "the new run fetches all of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn fresh_counts_the_tries_of_a_url_anew() {
    let server = Server::start(|path| match path {
        "/" => Reply::status(503).with_header("Retry-After", "1"),
        _ => Reply::status(404),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let seed = server.url("/");
    crawl(&bench, &seed, &["--max-wait", "0s", "--retries", "1"]).await;
    assert_eq!(bench.rows("select attempts from queue").await, ["1"]);
    let output = bench.run(&["crawl", &seed, "--rate", "0", "--fresh", "--retries", "1"]).await;
    assert_eq!(output.status.code(), Some(3), "the seed gave no page: {}", stderr(&output));
    assert_eq!(page_requests(&server), 3, "one try of the old run, two of the new");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_finished_run_pages_are_fetched_again_as_recrawl_after_says() {
    let server = Server::start(|path| graph_page(10, 300, path)).await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/p/0");
    crawl(&bench, &seed, &[]).await;
    crawl(&bench, &seed, &["--recrawl-after", "1h"]).await;
    assert_eq!(page_requests(&server), 10, "none is older than an hour");
    crawl(&bench, &seed, &[]).await;
    assert_eq!(page_requests(&server), 20);
    let runs = "select id, outcome, fetched, requests, unchanged from runs";
    assert_eq!(bench.rows(runs).await, ["1|finished|10|11|0", "2|finished|10|0|0", "3|finished|10|10|10"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn options_given_anew_judge_again_by_scope_depth_patterns_and_robots() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nDisallow: /secret\n"),
        "/docs/" => page(["/docs/a", "/other", "/docs/x.pdf", "/docs/b", "/secret"]),
        "/docs/a" => page(["/docs/deep"]),
        _ => page([""; 0]),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let seed = server.url("/docs/");
    let keep = ["--recrawl-after", "1h"];
    let with = |options: &[&'static str]| [&keep[..], options].concat();
    crawl(&bench, &seed, &with(&["--scope", "prefix", "--max-depth", "1", "--exclude", "pdf$"])).await;
    let reasons = "select reason from skipped order by 1";
    assert_eq!(bench.rows(reasons).await, ["depth", "excluded", "scope", "scope"]);

    crawl(&bench, &seed, &with(&["--max-depth", "1", "--exclude", "pdf$"])).await;
    assert_eq!(bench.rows(reasons).await, ["depth", "excluded", "robots"], "the scope is wider");
    crawl(&bench, &seed, &with(&["--max-depth", "2"])).await;
    assert_eq!(bench.rows(reasons).await, ["robots"], "deeper, and nothing is excluded");
    crawl(&bench, &seed, &with(&["--ignore-robots"])).await;
    assert_eq!(bench.rows(reasons).await, [""; 0]);
    assert_eq!(bench.rows("select count(*) from pages").await, ["7"]);
    assert_eq!(page_requests(&server), 7, "what was fetched already is left alone");

    crawl(&bench, &seed, &with(&["--scope", "page"])).await;
    assert_eq!(bench.rows("select fetched, skipped from accounting").await, ["7|0"], "a page stays a page");
}

#[tokio::test(flavor = "multi_thread")]
async fn narrower_options_take_what_is_pending_out_of_the_queue() {
    let server = Server::start(|path| match path {
        "/" => page(["/a", "/b.pdf", "/c.pdf"]),
        _ => page([""; 0]),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let seed = server.url("/");
    crawl(&bench, &seed, &["--max-pages", "1"]).await;
    assert_eq!(bench.rows("select pending from accounting").await, ["3"]);
    crawl(&bench, &seed, &["--exclude", "pdf$"]).await;
    assert_eq!(bench.rows("select fetched, skipped, pending from accounting").await, ["2|2|0"]);
    assert_eq!(page_requests(&server), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_path_found_by_a_later_invocation_opens_pages_of_hosts_it_had_no_other_work_for() {
    let far = Server::start(|_| page([""; 0])).await.unwrap();
    let link = far.url("/far");
    let near = Server::start(move |path| match path {
        "/" => page(["/1"]),
        "/1" => page(["/2"]),
        "/2" => page([&link]),
        "/short" => page(["/2"]),
        _ => Reply::status(404),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let seeds = bench.path("seeds.txt");
    std::fs::write(&seeds, format!("{}\n{}\n", near.url("/"), far.url("/"))).unwrap();
    let options = ["--max-depth", "2", "--recrawl-after", "1h"];
    crawl(&bench, "seeds.txt", &options).await;
    assert_eq!(bench.rows("select url, reason from skipped").await, [format!("{}|depth", far.url("/far"))]);

    std::fs::write(&seeds, format!("{}\n{}\n", near.url("/short"), far.url("/"))).unwrap();
    crawl(&bench, "seeds.txt", &options).await;
    assert_eq!(bench.rows("select fetched, skipped, pending from accounting").await, ["6|0|0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_path_found_before_a_page_is_fetched_lends_its_depth_to_the_links_of_that_page() {
    let slow = std::time::Duration::from_millis(400);
    let server = Server::start(move |path| match path {
        "/" => page(["/1"]),
        "/1" => page(["/2"]),
        // Answers when /2 is in flight; then /2 is one link away from a seed, and /3 two.
        "/short" => page(["/2"]).delayed(slow),
        "/2" => page(["/3"]).delayed(2 * slow),
        _ => page([""; 0]),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    std::fs::write(bench.path("seeds.txt"), format!("{}\n{}\n", server.url("/"), server.url("/short"))).unwrap();
    crawl(&bench, "seeds.txt", &["--max-depth", "2", "--max-connections-per-host", "8"]).await;
    assert_eq!(bench.rows("select fetched, skipped from accounting").await, ["5|0"]);
}
