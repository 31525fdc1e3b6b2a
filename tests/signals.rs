//! Stopped from outside: cleanly at the first signal, at once at the second.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::io::{PipeReader, PipeWriter, Write as _};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{Bench, ended, page, send, stderr, until};
use harvestman::demo::{Server, graph_page};

const PAGES: usize = 300;

/// Stops a crawl amid requests in flight and lets the next one finish it.
async fn stop_and_resume(signal: &str, code: i32) {
    let delay = Duration::from_millis(100);
    let server = Server::start(move |path| graph_page(PAGES, 300, path).delayed(delay)).await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/p/0");
    let args = ["crawl", &seed, "--rate", "0", "--max-connections-per-host", "8"];
    let mut child = bench.start(&args);
    until("requests", || server.hit_count() > 40).await;
    send(signal, &child);
    assert_eq!(ended(&mut child).await.code(), Some(code));

    let asked = server.hit_count() - 1;
    let counts = "select fetched, failed, discovered = fetched + pending, pending > 0 from accounting";
    assert_eq!(bench.rows(counts).await, [format!("{asked}|0|1|1")], "what was in flight is stored");
    assert_eq!(bench.rows("select outcome, finished_at from runs").await, ["interrupted|null"]);
    assert_eq!(bench.rows("select count(*) from fetches").await, [(asked + 1).to_string()]);

    let output = bench.run(&args).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(bench.rows("select id, outcome, fetched, requests from runs").await, ["1|finished|300|301"]);
    assert_eq!(server.hit_count(), PAGES + 1, "nothing is asked for twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigint_stops_cleanly_with_130_and_the_next_crawl_goes_on() {
    stop_and_resume("INT", 130).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_stops_cleanly_with_143_and_the_next_crawl_goes_on() {
    stop_and_resume("TERM", 143).await;
}

/// A site whose `/hang` never answers, crawled until that request is in flight.
async fn hanging(bench: &Bench) -> (Server, Child) {
    let server = Server::start(|path| match path {
        "/" => page(["/hang", "/a"]),
        "/hang" => page([""; 0]).delayed(Duration::MAX),
        _ => page([""; 0]),
    })
    .await
    .unwrap();
    let child = bench.start(&["crawl", &server.url("/"), "--rate", "0", "--timeout", "10m"]);
    until("the request that hangs", || server.hit_count() == 4).await;
    (server, child)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once_even_while_a_server_hangs() {
    let bench = Bench::new();
    let (_server, mut child) = hanging(&bench).await;
    let started = Instant::now();
    send("INT", &child);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(child.try_wait().unwrap(), None, "the first signal leaves requests in flight some time");
    send("TERM", &child);
    assert_eq!(ended(&mut child).await.code(), Some(143));
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signal_is_enough_while_a_server_hangs_and_its_url_stays_pending() {
    let bench = Bench::new();
    let (server, mut child) = hanging(&bench).await;
    send("TERM", &child);
    assert_eq!(ended(&mut child).await.code(), Some(143));
    assert_eq!(bench.rows("select url, attempts from queue").await, [format!("{}|0", server.url("/hang"))]);
    assert_eq!(bench.rows("select fetched, pending from accounting").await, ["2|1"]);
    let broken_off = "select status, failure from fetches where url like '%/hang'";
    assert_eq!(bench.rows(broken_off).await, ["null|closed"], "it was asked for, so it is on record");
}

/// A pipe that has no room for a single byte, and that nobody reads.
async fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut filling = writer.try_clone().unwrap();
    let written = Arc::new(AtomicUsize::new(0));
    let so_far = written.clone();
    std::thread::spawn(move || {
        while filling.write_all(&[b'x'; 4096]).is_ok() {
            so_far.fetch_add(4096, Ordering::SeqCst);
        }
    });
    until("a full pipe", || written.load(Ordering::SeqCst) >= PIPE).await;
    (reader, writer)
}

/// What a pipe holds (pipe(7)).
const PIPE: usize = 64 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_standard_error_that_nobody_reads_holds_up_neither_the_crawl_nor_its_signals() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let delay = Duration::from_millis(50);
    let server = Server::start(move |path| graph_page(PAGES, 300, path).delayed(delay)).await.unwrap();
    let (bench, (_reader, writer)) = (Bench::new(), full_pipe().await);
    let seed = server.url("/p/0");
    let start = |args: &[&str]| {
        let args = [&["crawl", &seed, "-vv", "--rate", "0", "--max-connections-per-host", "8"], args].concat();
        let mut command = bench.command(&args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer.try_clone().unwrap()).spawn().unwrap()
    };
    let mut child = start(&[]);
    until("requests", || server.hit_count() > 40).await;
    send("INT", &child);
    assert_eq!(ended(&mut child).await.code(), Some(130));
    assert_eq!(bench.rows("select outcome, pending > 0 from runs").await, ["interrupted|1"], "cleanly");
    assert_eq!(ended(&mut start(&[])).await.code(), Some(0));
    assert_eq!(bench.rows("select outcome, fetched from runs").await, ["finished|300"]);

    let server = Server::start(|_| page([""; 0]).delayed(Duration::MAX)).await.unwrap();
    let mut command = bench.command(&["crawl", &server.url("/"), "-d", "other.db", "--timeout", "10m", "-vv"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer).spawn().unwrap();
    until("the request that hangs", || server.hit_count() > 0).await;
    let started = Instant::now();
    send("INT", &child);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(child.try_wait().unwrap(), None, "the first signal leaves requests in flight some time");
    send("INT", &child);
    assert_eq!(ended(&mut child).await.code(), Some(130));
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_are_heard_after_the_time_is_over_too() {
    let bench = Bench::new();
    let server = Server::start(|_| page([""; 0]).delayed(Duration::MAX)).await.unwrap();
    let args = ["crawl", &server.url("/"), "--timeout", "10m", "--max-duration", "500ms"];
    let mut child = bench.start(&args);
    until("the request that hangs", || server.hit_count() == 1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let started = Instant::now();
    send("INT", &child);
    tokio::time::sleep(Duration::from_millis(300)).await;
    send("INT", &child);
    assert_eq!(ended(&mut child).await.code(), Some(130));
    assert!(started.elapsed() < Duration::from_secs(7), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_runs_for_ever_is_stopped_by_ctrl_c() {
    let server = Server::start(|_| page([""; 0])).await.unwrap();
    let bench = Bench::new();
    assert!(bench.run(&["crawl", &server.url("/"), "-q"]).await.status.success());
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select 'row ' || i as row from n";
    let mut command = bench.command(&["query", endless, "--format", "jsonl"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let status = tokio::task::spawn_blocking(move || {
        let mut rows = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        std::io::BufRead::read_line(&mut rows, &mut first).unwrap();
        assert_eq!(first, "{\"row\":\"row 1\"}\n", "rows come while the query runs");
        send("INT", &child);
        child.wait().unwrap()
    });
    assert_eq!(status.await.unwrap().code(), Some(130));
}
