//! A web that means ill, or does not know what it does: the crawl ends, and says what it met.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Bench, page, stderr, summary};
use harvestman::demo::{Reply, Server};

async fn crawl(bench: &Bench, args: &[&str]) -> std::process::Output {
    bench.run(&[&["crawl", "--rate", "0", "--retries", "0", "--json"], args].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_redirects_without_end_is_left() {
    let server = Server::start(|path| match path.trim_start_matches('/').parse::<u64>() {
        Ok(number) => Reply::redirect(302, &format!("/{}", number + 1)),
        Err(_) => Reply::status(404),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/1"), "--max-redirects", "3"]).await;
    assert_eq!(summary(&output)["outcome"], "finished");
    assert_eq!(server.hit_count(), 1 + 4, "robots.txt, the seed and three hops");
    assert_eq!(bench.rows("select kind from failures").await, ["redirect"]);
    assert_eq!(bench.rows("select discovered, pending from accounting").await, ["4|0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_that_was_turned_round_since_the_last_run_is_no_loop() {
    let turned = Arc::new(AtomicBool::new(false));
    let state = turned.clone();
    let server = Server::start(move |path| match (path, state.load(Ordering::Relaxed)) {
        ("/", _) => page(["/a", "/b"]),
        ("/a", false) => Reply::redirect(302, "/b"),
        ("/b", true) => Reply::redirect(302, "/a"),
        ("/a", true) => page([""; 0]).delayed(Duration::from_millis(300)),
        ("/robots.txt", _) => Reply::status(404),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    turned.store(true, Ordering::Relaxed);
    let output = crawl(&bench, &[&server.url("/"), "--max-connections-per-host", "4"]).await;
    assert_eq!((summary(&output)["fetched"].as_i64(), summary(&output)["failed"].as_i64()), (Some(3), Some(0)));
    assert_eq!(bench.rows("select from_url from redirects").await, [server.url("/b")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_base_does_not_blow_a_small_page_up() {
    let server = Server::start(|path| match path {
        "/" => {
            let links: String = (0..2_200).map(|number| format!("<a href={number}>x</a>")).collect();
            Reply::html(format!("<a href=/good>good</a><base href='/{}/'>{links}", "b".repeat(500_000)))
        }
        "/robots.txt" => Reply::status(404),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/"), &server.url("/good")]).await;
    assert_eq!(summary(&output)["outcome"], "finished", "{}", stderr(&output));
    assert!(stderr(&output).contains("read in part"), "{}", stderr(&output));
    assert_eq!(bench.rows("select count(*) from pages").await, ["2"]);
    assert_eq!(bench.rows("select distinct reason from skipped").await, ["url_too_long"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nofollow_holds_when_the_reason_that_hid_it_is_gone() {
    let server = Server::start(|path| match path {
        "/" => Reply::html("<a href=/secret rel=nofollow>x</a>"),
        "/robots.txt" => Reply::status(404),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/"), "--exclude", "secret"]).await;
    assert_eq!(bench.rows("select reason from skipped").await, ["excluded"]);
    crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(bench.rows("select reason from skipped").await, ["nofollow"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nofollow_link_lends_no_depth() {
    let server = Server::start(|path| match path {
        "/" => Reply::html("<a href=/far rel=nofollow>x</a><a href=/1>1</a>"),
        "/1" => page(["/2"]),
        "/2" => page(["/far"]),
        "/far" => page(["/beyond"]),
        "/robots.txt" => Reply::status(404),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/"), "--max-depth", "3"]).await;
    assert_eq!(bench.rows("select depth from pages where url like '%/far'").await, ["3"]);
    assert_eq!(bench.rows("select reason, url from skipped").await, [format!("depth|{}", server.url("/beyond"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_hang_do_not_count_as_an_outage_while_others_answer() {
    let server = Server::start(|path| match path {
        "/" => page((0..6).map(|n| format!("/hang/{n}")).chain((0..40).map(|n| format!("/good/{n}")))),
        "/robots.txt" => Reply::status(404),
        path if path.starts_with("/hang") => page([""; 0]).delayed(Duration::MAX),
        _ => page([""; 0]).delayed(Duration::from_millis(40)),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let hosts = ["--max-connections-per-host", "8", "--timeout", "1s"];
    let output = crawl(&bench, &[&[server.url("/").as_str()], &hosts[..]].concat()).await;
    assert_eq!((summary(&output)["fetched"].as_i64(), summary(&output)["failed"].as_i64()), (Some(41), Some(6)));
    let last = "select round(1000 * (julianday(max(at)) - julianday(min(at))) * 86.4) < 8000 from fetches
                where url like '%/good/%'";
    assert_eq!(bench.rows(last).await, ["1"], "the good pages are not held up by back-off");
}
