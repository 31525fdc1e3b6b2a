//! House-keeping: logs of old runs go, free space is given back, and nothing of the crawl is lost by it.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Bench, ended, page, send, stderr, until};
use harvestman::demo::{Reply, Server, graph_page};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

async fn crawl(bench: &Bench, seed: &str, options: &[&str]) {
    let output = bench.run(&[&["crawl", seed, "--rate", "0"], options].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

/// A crawl of which most of the file is free: its bodies were large, and the second run keeps none.
async fn mostly_free() -> Bench {
    let server = Server::start(|path| graph_page(40, 100_000, path)).await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &server.url("/p/0"), &[]).await;
    crawl(&bench, &server.url("/p/0"), &["--no-bodies"]).await;
    assert!(size(&bench) > 8_000_000);
    bench
}

fn size(bench: &Bench) -> u64 {
    let size = |name| std::fs::metadata(bench.path(name)).map_or(0, |file| file.len());
    size("crawl.db") + size("crawl.db-wal")
}

async fn connect(bench: &Bench) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(bench.path("crawl.db"))).await.unwrap()
}

const PAGES: &str = "select count(*), sum(length(text)), (select count(*) from links) from pages";

#[tokio::test(flavor = "multi_thread")]
async fn keep_runs_deletes_the_fetches_and_changes_of_older_runs_and_nothing_else() {
    let day = AtomicUsize::new(0);
    let server = Server::start(move |path| match path {
        "/robots.txt" => Reply::status(404),
        "/" => page(["/a", "/b"]),
        "/a" => Reply::html(format!("day {}", day.fetch_add(1, Ordering::SeqCst))),
        _ => Reply::html("b"),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    for _ in 0..4 {
        crawl(&bench, &server.url("/"), &[]).await;
    }
    let runs = "select run, count(*) from fetches where url not like '%robots.txt' group by run";
    assert_eq!(bench.rows(runs).await, ["1|3", "2|3", "3|3", "4|3"]);
    crawl(&bench, &server.url("/"), &["--keep-runs", "2"]).await;
    assert_eq!(bench.rows(runs).await, ["4|3", "5|3"]);
    let changes = "select run, change, count(*) from changes group by 1, 2";
    assert_eq!(bench.rows(changes).await, ["1|new|3", "4|changed|1", "5|changed|1"]);
    assert_eq!(bench.rows("select count(*), min(id), sum(discovered = fetched) from runs").await, ["5|1|5"]);
    assert_eq!(bench.rows("select discovered, fetched from accounting").await, ["3|3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_runs_waits_for_the_end_of_the_run_and_keeps_at_least_that() {
    let server = Server::start(|path| graph_page(9, 300, path)).await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/p/0");
    crawl(&bench, &seed, &[]).await;
    crawl(&bench, &seed, &["--keep-runs", "1", "--max-pages", "3"]).await;
    let runs = "select run, count(*) from fetches where url not like '%robots.txt' group by run";
    assert_eq!(bench.rows(runs).await, ["1|9", "2|3"], "the run goes on");
    crawl(&bench, &seed, &["--keep-runs", "1"]).await;
    assert_eq!(bench.rows(runs).await, ["2|9"]);
    let output = bench.run(&["crawl", &seed, "--keep-runs", "0"]).await;
    assert!(output.status.code() == Some(2) && stderr(&output).contains("keep-runs"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_while_old_runs_are_pruned_is_heard_and_the_next_run_goes_on_with_it() {
    let server = Server::start(|path| graph_page(3, 300, path)).await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/p/0");
    crawl(&bench, &seed, &[]).await;
    let years = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000000)
        insert into fetch (run_id, url_id, at, elapsed_ms, bytes, unchanged) select 1, 1, i, 0, 0, false from n";
    bench.write(years).await;
    let mut job = bench.start(&["crawl", &seed, "--rate", "0", "--keep-runs", "1"]);
    let finished = async {
        while bench.rows("select outcome from runs where id = 2").await != ["finished"] {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), finished).await.unwrap();
    send("TERM", &job);
    assert_eq!(ended(&mut job).await.code(), Some(143));
    let left = "select count(*) > 0 from fetches where run = 1";
    assert_eq!(bench.rows(left).await, ["1"]);
    crawl(&bench, &seed, &["--keep-runs", "1"]).await;
    assert_eq!(bench.rows("select distinct run from fetches").await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn vacuum_gives_free_space_back_and_says_how_much() {
    let bench = mostly_free().await;
    let (before, pages) = (size(&bench), bench.rows(PAGES).await);
    let output = bench.run(&["vacuum"]).await;
    let said = stderr(&output);
    assert!(output.status.success() && said.contains("MiB freed") && said.contains("before"), "{said}");
    assert!(output.stdout.is_empty());
    assert!(size(&bench) < before - 3_000_000, "{before} before, {} after", size(&bench));
    assert_eq!(bench.rows("pragma freelist_count").await, ["0"]);
    assert_eq!(bench.rows("pragma integrity_check").await, ["ok"]);
    assert_eq!(bench.rows(PAGES).await, pages);
    assert!(stderr(&bench.run(&["vacuum"]).await).contains("Nothing to free"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_before_is_rewritten_once_and_gives_space_back_in_steps_from_then_on() {
    let bench = mostly_free().await;
    let mut db = connect(&bench).await;
    sqlx::raw_sql(AssertSqlSafe(
        "pragma auto_vacuum = none; vacuum; update content set body = zeroblob(200000); update content set body = null",
    ))
    .execute(&mut db)
    .await
    .unwrap();
    db.close().await.unwrap();
    let (before, pages) = (size(&bench), bench.rows(PAGES).await);
    assert_eq!(bench.rows("pragma auto_vacuum").await, ["0"]);
    let output = bench.run(&["vacuum"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(size(&bench) < before / 2, "{before} before, {} after", size(&bench));
    assert_eq!(bench.rows("pragma auto_vacuum").await, ["2"]);
    assert_eq!(bench.rows(PAGES).await, pages);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_read_leave_nothing_beside_the_database_and_change_nothing_in_it() {
    let server = Server::start(|path| graph_page(3, 300, path)).await.unwrap();
    let bench = Bench::on_sqlite();
    crawl(&bench, &server.url("/p/0"), &[]).await;
    let before = std::fs::read(bench.path("crawl.db")).unwrap();
    let calls = [
        &["query", "select * from pages"][..],
        &["status"],
        &["report", "--output", "r.html"],
        &["check"],
        &["changes"],
    ];
    let read = async || {
        for call in calls {
            let output = bench.run(call).await;
            assert!(output.status.success(), "{call:?}: {}", stderr(&output));
        }
        std::fs::read(bench.path("crawl.db")).unwrap()
    };
    assert!(read().await == before);
    let files = || {
        let files = std::fs::read_dir(bench.dir.path()).unwrap().map(|file| file.unwrap().file_name());
        files.collect::<std::collections::BTreeSet<_>>()
    };
    let alone = ["crawl.db", "r.html"].map(Into::into).into();
    assert_eq!(files(), alone);
    let mut fixed = std::fs::metadata(bench.path("crawl.db")).unwrap().permissions();
    fixed.set_readonly(true);
    std::fs::set_permissions(bench.path("crawl.db"), fixed).unwrap();
    assert!(read().await == before, "nor in one that must not be written");
    assert_eq!(files(), alone);
}

#[tokio::test(flavor = "multi_thread")]
async fn vacuum_is_safe_while_others_read() {
    let bench = mostly_free().await;
    let before = size(&bench);
    let mut reader = connect(&bench).await;
    sqlx::query("begin").execute(&mut reader).await.unwrap();
    let bodies = "select count(*) from page";
    let seen: i64 = sqlx::query_scalar(bodies).fetch_one(&mut reader).await.unwrap();
    let output = bench.run(&["vacuum"]).await;
    assert!(output.status.success() && stderr(&output).contains("still reads"), "{}", stderr(&output));
    assert_eq!(sqlx::query_scalar::<_, i64>(bodies).fetch_one(&mut reader).await.unwrap(), seen);
    sqlx::query("commit").execute(&mut reader).await.unwrap();
    reader.close().await.unwrap();
    assert!(size(&bench) < before - 3_000_000, "the last to close puts the log away");
}

#[tokio::test(flavor = "multi_thread")]
async fn vacuum_of_a_database_that_a_crawl_holds_ends_with_4_and_of_none_with_1() {
    let bench = Bench::new();
    assert_eq!(bench.run(&["vacuum"]).await.status.code(), Some(1));
    std::fs::write(bench.path("empty"), "").unwrap();
    assert_eq!(bench.run(&["vacuum", "-d", "empty"]).await.status.code(), Some(1));
    assert_eq!(std::fs::metadata(bench.path("empty")).unwrap().len(), 0, "no database is made of it");
    assert!(!bench.path("crawl.db").exists());

    let server = Server::start(|_| page([""; 0]).delayed(Duration::MAX)).await.unwrap();
    let mut child = bench.start(&["crawl", &server.url("/")]);
    until("the request that hangs", || server.hit_count() > 0).await;
    let output = bench.run(&["vacuum"]).await;
    assert!(output.status.code() == Some(4) && stderr(&output).contains("in use"), "{}", stderr(&output));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vacuum_that_is_interrupted_does_no_harm() {
    let bench = mostly_free().await;
    let pages = bench.rows(PAGES).await;
    // A writer in the way holds the vacuum up until the signal has come.
    let mut writer = connect(&bench).await;
    sqlx::query("begin immediate").execute(&mut writer).await.unwrap();
    let mut child = bench.command(&["vacuum"]).stderr(Stdio::null()).spawn().unwrap();
    let lock = std::fs::File::open(bench.path("crawl.db")).unwrap();
    until("the lock of the vacuum", || lock.try_lock().is_err() || lock.unlock().is_err()).await;
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut status = None;
    until("its end", || {
        status = child.try_wait().unwrap();
        status.is_some()
    })
    .await;
    assert!(!status.unwrap().success());
    sqlx::query("rollback").execute(&mut writer).await.unwrap();
    writer.close().await.unwrap();
    drop(lock);
    assert_eq!(bench.rows("pragma integrity_check").await, ["ok"]);
    assert_eq!(bench.rows(PAGES).await, pages);
    assert!(bench.run(&["vacuum"]).await.status.success());
}
