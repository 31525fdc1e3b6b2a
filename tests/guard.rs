//! No private targets by accident: what no seed names is not requested, whoever says so and however it is spelt.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Bench, stderr};
use harvestman::demo::{Reply, Server};

/// Ways to write the loopback address, or one that leads there.
const SPELLINGS: [&str; 20] = [
    "127.0.0.1",
    "127.1",
    "127.0.0.1.",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "%31%32%37.0.0.1",
    "１２７.０.０.１",
    "127.8.8.8",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "localhost",
    "LocalHost.",
];

async fn crawl(bench: &Bench, args: &[&str]) -> std::process::Output {
    let fast = ["--rate", "0", "--retries", "0", "--timeout", "10s", "--scope", "any"];
    bench.run(&[&["crawl"], args, &fast[..]].concat()).await
}

fn empty() -> Reply {
    Reply::html("")
}

/// A server that must not be asked for anything, and its address in every spelling, each with a path of its own.
async fn forbidden() -> (Server, Vec<String>) {
    let server = Server::start(|_| empty()).await.unwrap();
    let port = server.address().port();
    let urls = SPELLINGS.iter().enumerate().map(|(n, host)| format!("http://{host}:{port}/{n}")).collect();
    (server, urls)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_leads_to_a_private_address_in_any_spelling() {
    let (other, urls) = forbidden().await;
    let body: String = urls.iter().map(|url| format!("<a href='{url}'>x</a><iframe src='{url}?'></iframe>")).collect();
    let server = Server::start(move |path| if path == "/" { Reply::html(&*body) } else { empty() }).await.unwrap();
    for more in [&[][..], &["--ignore-robots"]] {
        let bench = Bench::new();
        let output = crawl(&bench, &[&[server.url("/").as_str()], more].concat()).await;
        assert_eq!(other.hit_count(), 0, "{}", stderr(&output));
        let rows = bench.rows("select reason, count(*) from skipped group by 1").await;
        assert_eq!(rows, [format!("private_address|{}", 2 * SPELLINGS.len())]);
        assert_eq!(bench.rows("select fetched, failed, pending from accounting").await, ["1|0|0"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_redirect_leads_to_a_private_address() {
    let (other, urls) = forbidden().await;
    let count = urls.len();
    let server = Server::start(move |path| match path.strip_prefix("/to/").map(|n| n.parse::<usize>().unwrap()) {
        Some(n) => {
            Reply::redirect(302, &urls[n].replace('１', "1").replace('２', "2").replace('７', "7").replace('０', "0"))
        }
        None => Reply::html((0..urls.len()).map(|n| format!("<a href=/to/{n}>x</a>")).collect::<String>()),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(other.hit_count(), 0);
    assert_eq!(bench.rows("select count(*) from redirects").await, [count.to_string()]);
    assert_eq!(bench.rows("select distinct reason from skipped").await, ["private_address"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robots_txt_that_redirects_to_a_private_address_is_unreachable() {
    let (other, urls) = forbidden().await;
    for to in [0, 13, 18] {
        let url = urls[to].clone();
        let server = Server::start(move |path| match path {
            "/robots.txt" => Reply::redirect(301, &url),
            _ => empty(),
        });
        let server = server.await.unwrap();
        let bench = Bench::new();
        crawl(&bench, &[&server.url("/")]).await;
        assert_eq!(server.hits().iter().map(|hit| hit.path.as_str()).collect::<Vec<_>>(), ["/robots.txt"]);
        assert_eq!(bench.rows("select reason from skipped").await, ["robots_unreachable"]);
    }
    assert_eq!(other.hit_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_opens_its_own_host_name_port_and_scheme_alone() {
    let server = Server::start(|_| empty()).await.unwrap();
    let port = server.address().port();
    let site = Server::start(move |path| match path {
        "/" => Reply::html(format!(
            "<a href='http://127.0.0.1:{port}/named'>x</a><a href='http://localhost:{port}/by-name'>x</a>
             <a href='https://127.0.0.1:{port}/by-scheme'>x</a>"
        )),
        _ => empty(),
    });
    let site = site.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&site.url("/"), &server.url("/seed")]).await;
    let mut asked: Vec<_> = server.hits().into_iter().map(|hit| hit.path).collect();
    asked.sort();
    assert_eq!(asked, ["/named", "/robots.txt", "/seed"]);
    assert_eq!(bench.rows("select reason, count(*) from skipped group by 1").await, ["private_address|2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_resolves_to_loopback_is_crawled_if_it_is_a_seed() {
    let server = Server::start(|path| if path == "/" { Reply::html("<a href=/next>x</a>") } else { empty() });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&format!("http://localhost:{}/", server.address().port())]).await;
    assert_eq!(bench.rows("select fetched, skipped from accounting").await, ["2|0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_that_is_allowed_is_requested_and_crawled_on_a_later_invocation_too() {
    let other = Server::start(|_| empty()).await.unwrap();
    let port = other.address().port();
    let body = format!("<a href='http://127.0.0.1:{port}/a'>x</a><a href='http://localhost:{port}/b'>x</a>");
    let server = Server::start(move |path| if path == "/" { Reply::html(&*body) } else { empty() }).await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/"), "--allow-address", "10.0.0.0/8"]).await;
    assert_eq!(bench.rows("select reason, count(*) from skipped group by 1").await, ["private_address|2"]);
    let output = crawl(&bench, &[&server.url("/"), "--allow-address", "127.0.0.0/8"]).await;
    assert_eq!(bench.rows("select fetched, skipped from accounting").await, ["3|0"], "{}", stderr(&output));
    let mut asked: Vec<_> = other.hits().into_iter().map(|hit| hit.path).collect();
    asked.sort();
    assert_eq!(asked, ["/a", "/b", "/robots.txt", "/robots.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_private_addresses_are_denied_not_even_a_seed_is_requested() {
    let server = Server::start(|_| empty()).await.unwrap();
    let named = format!("http://localhost:{}/", server.address().port());
    for seed in [server.url("/"), named] {
        let bench = Bench::new();
        let output = crawl(&bench, &[&seed, "--deny-private"]).await;
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert_eq!(bench.rows("select reason from skipped").await, ["private_address"]);
    }
    assert_eq!(server.hit_count(), 0);
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/"), "--deny-private", "--allow-address", "10.0.0.0/8"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}
