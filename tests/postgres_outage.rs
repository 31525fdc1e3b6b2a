//! A PostgreSQL server that cannot be asked for a while: see tests/common/postgres.rs for where.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::postgres::Schema;
use common::proxy::Proxy;
use common::{Bench, ended, send, stderr, until};
use harvestman::demo::{Server, graph_page};
use tokio::sync::Mutex;

/// The tests of this file take turns: one of them restarts the server.
static SERVER: Mutex<()> = Mutex::const_new(());

/// A schema that exists.
async fn schema() -> Option<Schema> {
    let schema = Schema::new()?;
    schema.execute("select 1".to_owned()).await;
    Some(schema)
}

async fn assert_whole(schema: &Schema, server: &Server, pages: usize) {
    let columns = "select discovered, fetched, pending from";
    assert_eq!(schema.rows(&format!("{columns} accounting")).await, [format!("{pages}|{pages}|0")]);
    assert_eq!(schema.rows(&format!("{columns} runs")).await, [format!("{pages}|{pages}|0")]);
    assert_eq!(schema.rows("select outcome from runs").await, ["finished"]);
    let twice = "select url from fetches where url not like '%/robots.txt' group by url having count(*) > 1";
    assert_eq!(schema.rows(twice).await, [""; 0]);
    assert_eq!(server.hit_count(), pages + 1, "and nothing was asked for twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_and_lost_answers_to_commits_are_waited_out() {
    let _turn = SERVER.lock().await;
    let Some(schema) = schema().await else { return };
    let server = Server::start(|path| graph_page(150, 500, path)).await.unwrap();
    let (proxy, bench) = (Proxy::start(&schema.url).await, Bench::new());
    let (seed, url) = (server.url("/p/0"), proxy.url(&schema.url));
    let mut crawl = bench.start(&["crawl", &seed, "--rate", "50", "-d", &url]);
    for wanted in [20, 40, 60, 80] {
        until("requests", || server.hit_count() >= wanted).await;
        proxy.lose_commits(1);
        let lost = wanted / 20;
        until("a commit whose answer is lost", || proxy.lost() >= lost).await;
    }
    until("requests", || server.hit_count() >= 100).await;
    proxy.close(true);
    proxy.cut();
    tokio::time::sleep(Duration::from_millis(700)).await;
    proxy.close(false);
    assert_eq!(ended(&mut crawl).await.code(), Some(0));
    assert_whole(&schema, &server, 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_falls_silent_is_given_up_after_ten_leases_and_made_anew() {
    let _turn = SERVER.lock().await;
    let Some(schema) = schema().await else { return };
    let server = Server::start(|path| graph_page(60, 500, path)).await.unwrap();
    let (proxy, bench) = (Proxy::start(&schema.url).await, Bench::new());
    let crawl = ["crawl", &server.url("/p/0"), "--rate", "50", "--lease", "1s", "-d", &proxy.url(&schema.url)];
    let crawl = bench.command(&crawl).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until("requests", || server.hit_count() >= 20).await;
    proxy.silence();
    let output = tokio::task::spawn_blocking(move || crawl.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("no answer within 10s: waiting up to"), "{}", stderr(&output));
    assert_whole(&schema, &server, 60).await;
}

/// One node has begun one run, and nobody else was there.
async fn assert_one_node(schema: &Schema) {
    assert_eq!(schema.rows("select count(*), min(state), (select count(*) from runs) from nodes").await, ["1|ended|1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_lost_at_the_beginning_or_at_the_end_is_waited_for() {
    let _turn = SERVER.lock().await;
    let Some(schema) = schema().await else { return };
    let server = Server::start(|path| graph_page(12, 500, path)).await.unwrap();
    let (proxy, bench) = (Proxy::start(&schema.url).await, Bench::new());
    // It opens the database, asks whether it is welcome, and looks into it.
    proxy.cut_at(&["5928374650192837465", "hashtext('harvestman')", "meta where key = $1", "_fetch"]);
    // It begins, ends, and tells how it went.
    proxy.cut_at(&["insert into node", "insert into invocation", "set invocation_id", "ended_at = clock_timestamp()"]);
    proxy.cut_at(&["changes where run", "_page group by"]);
    let crawl = ["crawl", &server.url("/p/0"), "--rate", "0", "--json", "-d", &proxy.url(&schema.url)];
    let output = bench.run(&crawl).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(proxy.not_cut_at(), [""; 0]);
    assert_whole(&schema, &server, 12).await;
    assert_one_node(&schema).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_commit_counts_once_whether_its_answer_is_lost_or_not() {
    let _turn = SERVER.lock().await;
    for but in [0, 1] {
        let Some(schema) = schema().await else { return };
        let server = Server::start(|path| graph_page(12, 500, path)).await.unwrap();
        let (proxy, bench) = (Proxy::start(&schema.url).await, Bench::new());
        proxy.lose_every(2, but);
        let output = bench.run(&["crawl", &server.url("/p/0"), "--rate", "0", "-d", &proxy.url(&schema.url)]).await;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_whole(&schema, &server, 12).await;
        assert_one_node(&schema).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_crawl_whose_database_is_away_and_says_what_is_not_stored() {
    let _turn = SERVER.lock().await;
    let Some(schema) = schema().await else { return };
    let server = Server::start(|path| graph_page(60, 500, path)).await.unwrap();
    let (proxy, bench) = (Proxy::start(&schema.url).await, Bench::new());
    let (seed, url) = (server.url("/p/0"), proxy.url(&schema.url));
    let crawl = ["crawl", &seed, "--rate", "50", "--lease", "2s", "-d", &url];
    let stopped = bench.command(&crawl).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until("requests", || server.hit_count() >= 20).await;
    proxy.close(true);
    proxy.cut();
    send("TERM", &stopped);
    let stopped = tokio::task::spawn_blocking(move || stopped.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(stopped.status.code(), Some(143), "{}", stderr(&stopped));
    let said = "stopped while the database cannot be asked: answers that are not stored: ";
    assert!(stderr(&stopped).contains(said), "{}", stderr(&stopped));
    proxy.close(false);
    let done = bench.run(&crawl).await;
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert_eq!(schema.rows("select discovered, fetched, pending from accounting").await, ["60|60|0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_is_waited_for() {
    let _turn = SERVER.lock().await;
    let Some(schema) = schema().await else { return };
    let Ok(restart) = std::env::var("HARVESTMAN_TEST_POSTGRES_RESTART") else { return };
    let server = Server::start(|path| graph_page(120, 500, path)).await.unwrap();
    let bench = Bench::new();
    let mut crawl = bench.start(&["crawl", &server.url("/p/0"), "--rate", "50", "-d", &schema.url]);
    for (wanted, mode) in [(30, "fast"), (70, "immediate")] {
        until("requests", || server.hit_count() >= wanted).await;
        let command = format!("{restart} {mode}");
        let restarted =
            tokio::task::spawn_blocking(move || Command::new("sh").args(["-c", &command]).status().unwrap());
        assert!(restarted.await.unwrap().success());
    }
    assert_eq!(ended(&mut crawl).await.code(), Some(0));
    assert_whole(&schema, &server, 120).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stays_away_ends_the_crawl_once_that_waited_long_enough_and_it_goes_on_later() {
    let _turn = SERVER.lock().await;
    let Some(schema) = schema().await else { return };
    let server = Server::start(|path| graph_page(60, 500, path)).await.unwrap();
    let (proxy, bench) = (Proxy::start(&schema.url).await, Bench::new());
    let (seed, url) = (server.url("/p/0"), proxy.url(&schema.url));
    let crawl = ["crawl", &seed, "--rate", "50", "--max-wait", "1s", "--lease", "1s", "-d", &url];
    let mut first = bench.start(&crawl);
    until("requests", || server.hit_count() >= 20).await;
    proxy.close(true);
    proxy.cut();
    assert_eq!(ended(&mut first).await.code(), Some(1));
    let unreachable = bench.run(&crawl).await;
    assert_eq!(unreachable.status.code(), Some(1), "{}", stderr(&unreachable));
    proxy.close(false);
    let done = bench.run(&crawl).await;
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert_eq!(schema.rows("select discovered, fetched, pending from accounting").await, ["60|60|0"]);
    let twice = "select url from fetches where url not like '%/robots.txt' group by url having count(*) > 1";
    assert_eq!(schema.rows(twice).await, [""; 0]);
}
