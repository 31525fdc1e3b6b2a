//! What a crawl leaves behind: pages, links, reasons, and numbers that add up.
#![cfg(feature = "cli")]

mod common;

use std::time::Duration;

use common::{Bench, stderr, stdout};
use harvestman::demo::{Reply, Server, graph_page};

const FAST: [&str; 4] = ["--rate", "0", "--max-connections-per-host", "16"];

async fn crawl(bench: &Bench, args: &[&str]) -> std::process::Output {
    bench.run(&[&["crawl"], args, &FAST[..]].concat()).await
}

fn page(links: &[&str]) -> Reply {
    let links: String = links.iter().map(|link| format!("<a href='{link}'>{link}</a> ")).collect();
    Reply::html(format!("<!doctype html><html lang=en><title>A page</title><body>{links}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_site_is_stored_once_and_the_accounting_balances() {
    let server = Server::start(|path| graph_page(400, 3000, path)).await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/p/0"), "--json"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let summary: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(summary["outcome"], "finished");
    assert_eq!(summary["fetched"], 400);
    assert_eq!(bench.rows("select count(*), count(distinct url) from pages where status = 200").await, ["400|400"]);
    assert_eq!(server.hit_count(), 401, "each page once, and robots.txt");
    let balance = "select discovered = fetched + failed + skipped + pending, pending from accounting";
    assert_eq!(bench.rows(balance).await, ["1|0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_comes_first_and_forbidden_urls_are_never_requested() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: harvestman extra\nDisallow: /private\n"),
        "/" => page(&["/private/a", "/open"]),
        _ => page(&[]),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    let hits: Vec<_> = server.hits().into_iter().map(|hit| hit.path).collect();
    assert_eq!(hits, ["/robots.txt", "/", "/open"]);
    assert_eq!(bench.rows("select reason from skipped").await, ["robots"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_huge_robots_txt_the_first_500_kibibytes_are_obeyed() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text(format!("User-agent: *\nDisallow: /early\n{}\n", "# padding\n".repeat(2_000_000))),
        "/" => page(&["/early"]),
        _ => page(&[]),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(bench.rows("select count(*) from pages").await, ["1"]);
    assert_eq!(bench.rows("select reason from skipped").await, ["robots"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robots_txt_that_fails_forbids_everything_and_the_exit_code_is_3() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::status(500),
        _ => page(&[]),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/"), "--retries", "0"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(bench.rows("select reason from skipped").await, ["robots_unreachable"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_that_are_not_requested_have_their_reason() {
    let server = Server::start(|path| match path {
        "/" => Reply::html(
            "<a href=/next>n</a><a href=/no rel=nofollow>x</a><a href=/skip.pdf>p</a>
             <a href=https://example.com/>o</a><a href='mailto:a@b.c'>m</a>",
        ),
        "/next" => page(&["/deep"]),
        _ => page(&[]),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/"), "--max-depth", "1", "--exclude", r"\.pdf$"]).await;
    let rows = bench.rows("select reason, count(*) from skipped group by 1 order by 1").await;
    assert_eq!(rows, ["depth|1", "excluded|1", "nofollow|1", "scope|1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn options_given_anew_judge_again_what_was_skipped() {
    let server = Server::start(|path| match path {
        "/" => page(&["/a"]),
        "/a" => page(&["/b"]),
        _ => page(&[]),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let seed = server.url("/");
    crawl(&bench, &[&seed, "--max-depth", "1"]).await;
    assert_eq!(bench.rows("select reason from skipped").await, ["depth"]);
    crawl(&bench, &[&seed, "--max-depth", "2", "--recrawl-after", "1h"]).await;
    assert_eq!(bench.rows("select fetched, skipped from accounting").await, ["3|0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_limit_is_exact_and_the_rest_stays_pending() {
    let server = Server::start(|path| graph_page(300, 1000, path)).await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/p/0");
    let output = crawl(&bench, &[&seed, "--max-pages", "37", "--json"]).await;
    assert!(stdout(&output).contains("\"outcome\":\"limit\""), "{}", stdout(&output));
    assert_eq!(bench.rows("select count(*) from pages").await, ["37"]);
    let output = crawl(&bench, &[&seed, "--json"]).await;
    assert!(stdout(&output).contains("\"outcome\":\"finished\""), "{}", stdout(&output));
    assert_eq!(bench.rows("select count(*) from pages").await, ["300"]);
    assert_eq!(bench.rows("select count(*) from runs").await, ["1"], "the same run was continued");
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_rows_and_loops_are_failures() {
    let server = Server::start(|path| match path {
        "/" => Reply::redirect(301, "/a"),
        "/a" => page(&["/loop/1"]),
        "/loop/1" => Reply::redirect(302, "/loop/2"),
        "/loop/2" => Reply::redirect(302, "/loop/1"),
        _ => Reply::status(404),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    let rows = bench.rows("select status, count(*) from redirects group by 1 order by 1").await;
    assert_eq!(rows, ["301|1", "302|1"]);
    assert_eq!(bench.rows("select kind from failures").await, ["redirect"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_tried_again_and_counts_once() {
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |path| match path {
        "/" if tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 => Reply::status(503),
        _ => page(&[]),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(bench.rows("select status from pages").await, ["200"]);
    assert_eq!(bench.rows("select status from fetches where url like '%/' order by at").await, ["503", "200"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_requested_only_where_a_seed_names_them() {
    let other = Server::start(|_| page(&[])).await.unwrap();
    let link = other.url("/");
    let server = Server::start(move |_| page(&[&link])).await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/"), "--scope", "any"]).await;
    assert_eq!(other.hit_count(), 0);
    assert_eq!(bench.rows("select reason from skipped").await, ["private_address"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_cap_and_a_server_that_hangs_are_failures() {
    let server = Server::start(|path| match path {
        "/" => page(&["/big", "/hang"]),
        "/big" => Reply::html("x".repeat(200_000)),
        "/hang" => page(&[]).delayed(Duration::MAX),
        _ => Reply::status(404),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let limits = ["--max-body-size", "100KiB", "--timeout", "500ms", "--retries", "0"];
    crawl(&bench, &[&[server.url("/").as_str()], &limits[..]].concat()).await;
    assert_eq!(bench.rows("select kind from failures order by 1").await, ["timeout", "too_large"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_host_ends_as_a_failure() {
    let bench = Bench::new();
    let output = crawl(&bench, &["http://127.0.0.1:1/", "--retries", "1"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(bench.rows("select kind, attempts from failures").await, ["connect|2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_never_asked_faster_than_its_rate() {
    let server = Server::start(|path| graph_page(10, 500, path)).await.unwrap();
    let bench = Bench::new();
    bench.run(&["crawl", &server.url("/p/0"), "--rate", "5"]).await;
    let hits = server.hits();
    assert_eq!(hits.len(), 11);
    for pair in hits.windows(2) {
        assert!(pair[1].at - pair[0].at >= Duration::from_millis(180), "{:?}", pair[1].at - pair[0].at);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_asks_for_more_time_than_given_keeps_its_urls_for_later() {
    for busy in ["/robots.txt", "/"] {
        let later = Server::start(move |path| match path {
            path if path == busy => Reply::status(503).with_header("Retry-After", "3600"),
            "/robots.txt" => Reply::status(404),
            _ => page(&[]),
        });
        let later = later.await.unwrap();
        let other = Server::start(|_| page(&[])).await.unwrap();
        let bench = Bench::new();
        let output = crawl(&bench, &[&later.url("/"), &other.url("/"), "--json"]).await;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stdout(&output).contains("\"outcome\":\"waiting\""), "{}", stdout(&output));
        let soon =
            bench.either("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+50 minutes')", "(now() + interval '50 minutes')");
        let due_at = bench.either("due_at", "due_at::timestamptz");
        let late = format!("select count(*), count(*) filter (where {due_at} > {soon}) from queue");
        assert_eq!(bench.rows(&late).await, ["1|1"]);
        assert_eq!(bench.rows("select fetched from accounting").await, ["1"]);
    }
}
