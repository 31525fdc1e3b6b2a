//! The examples do what they say, on a web of their own.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use harvestman::CrawlEnd;
use harvestman::demo::{Reply, Server, graph_page};
use tempfile::tempdir;
use tokio::net::TcpListener;

#[path = "../examples/follow.rs"]
mod follow;
#[path = "../examples/keep_out.rs"]
mod keep_out;
#[path = "../examples/read_back.rs"]
mod read_back;
#[path = "../examples/service.rs"]
mod service;
#[path = "../examples/stop_when.rs"]
mod stop_when;

/// A front page that links to a few others; one of them is missing, one is a print version.
async fn small_site() -> Server {
    let server = Server::start(|path| match path {
        "/" => Reply::html("<a href=/a>a</a> <a href=/a?print=1>print</a> <a href=/missing>gone</a>"),
        "/a" => Reply::html("<title>A</title>A rare word: <b>Phrontistery</b>. <a href=/b>b</a>"),
        "/b" => Reply::html("the end"),
        _ => Reply::status(404),
    });
    server.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_prints_what_it_stores() {
    let server = small_site().await;
    let dir = tempdir().unwrap();
    let summary = follow::run(&server.url("/"), &dir.path().join("crawl.db")).await.unwrap();
    assert_eq!((summary.outcome, summary.accounting.pending), (CrawlEnd::Finished, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_when_ends_at_the_page_that_holds_the_word() {
    let server = small_site().await;
    let dir = tempdir().unwrap();
    let found = stop_when::run(&server.url("/"), "phrontistery", &dir.path().join("crawl.db")).await.unwrap();
    assert_eq!(found, Some(server.url("/a")));
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_out_leaves_the_print_version_alone_and_says_why() {
    let server = small_site().await;
    let dir = tempdir().unwrap();
    let (bytes, skipped) = keep_out::run(&server.url("/"), &dir.path().join("crawl.db")).await.unwrap();
    assert!(bytes > 0);
    assert_eq!(skipped, [format!("{}: hook: a print version", server.url("/a?print=1"))]);
    assert!(server.hits().iter().all(|hit| !hit.path.contains("print")));
}

#[tokio::test(flavor = "multi_thread")]
async fn read_back_finds_what_is_missing() {
    let server = small_site().await;
    let dir = tempdir().unwrap();
    let database = dir.path().join("crawl.db");
    follow::run(&server.url("/"), &database).await.unwrap();
    let missing = tokio::task::spawn_blocking(move || read_back::run(&database).unwrap()).await.unwrap();
    let (front, print) = (server.url("/"), server.url("/a?print=1"));
    assert_eq!(missing, [(print, front.clone()), (server.url("/missing"), front)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn service_stops_the_crawl_when_its_button_is_pressed() {
    let server = Server::start(|path| graph_page(1_000, 300, path).delayed(Duration::from_millis(5))).await.unwrap();
    let dir = tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = format!("http://{}", listener.local_addr().unwrap());
    let database = dir.path().join("crawl.db");
    let seed = server.url("/p/0");
    let run = tokio::spawn(async move { service::run(&seed, &database, listener).await.map_err(|e| e.to_string()) });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let shown = client.get(&service).send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("pages") && shown.contains("Stop"), "{shown}");
    client.post(format!("{service}/stop")).send().await.unwrap();
    // The connection that the client keeps open would hold up a graceful end.
    drop(client);
    let summary = run.await.unwrap().unwrap();
    assert_eq!(summary.outcome, CrawlEnd::Interrupted);
    assert!(summary.accounting.pending > 0);
}
