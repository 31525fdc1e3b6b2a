//! `status`: what the database holds, for people and as JSON.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Bench, page, stderr, stdout};
use harvestman::demo::{Reply, Server};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn as_json_it_is_one_object_with_the_rows_of_each_part() {
    let server = Server::start(|path| match path {
        "/" => page(["/a", "/b"]),
        "/a" => page([""; 0]),
        _ => Reply::status(404),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let crawl = bench.run(&["crawl", &server.url("/"), "--rate", "0", "--max-pages", "2"]).await;
    assert!(crawl.status.success(), "{}", stderr(&crawl));
    let output = bench.run(&["status", "--format", "json"]).await;
    let status: Value = serde_json::from_str(&stdout(&output)).unwrap_or_else(|e| panic!("{e}: {}", stderr(&output)));
    // A file has no nodes.
    let keys: Vec<_> = status.as_object().unwrap().keys().filter(|key| *key != "nodes").collect();
    assert!(status.get("nodes").is_none_or(|nodes| nodes[0]["state"] == "ended"));
    assert_eq!(keys, ["accounting", "runs", "hosts", "queue", "checks", "traps", "due"]);
    let accounting = serde_json::json!({"discovered": 3, "fetched": 2, "failed": 0, "skipped": 0, "pending": 1});
    assert_eq!(status["accounting"], accounting);
    assert_eq!((&status["runs"][0]["id"], &status["runs"][0]["outcome"]), (&1.into(), &"limit".into()));
    assert_eq!(status["hosts"][0]["host"], server.url(""));
    assert_eq!((&status["queue"][0]["pending"], &status["traps"]), (&1.into(), &Value::Array(vec![])));
    assert_eq!((&status["due"][0]["due"], &status["due"][0]["pages"]), (&"now".into(), &2.into()));
    let table = stdout(&bench.run(&["status"]).await);
    assert!(table.contains("\nAccounting: each URL counts once\n"), "{table}");
    let words = "knows 3 URLs: 2 fetched (an answer is stored), 0 failed (no answer), 0 skipped (left out on purpose), 1 pending \
                 (still to fetch).\nRun 1 stopped at a limit; 1 URL waits. The same `crawl` command goes on with it.\n";
    assert!(table.contains(words), "{table}");
}

async fn check(bench: &Bench) -> (Option<i32>, Value) {
    let output = bench.run(&["check", "--format", "json"]).await;
    let told = serde_json::from_str(&stdout(&output)).unwrap_or_else(|e| panic!("{e}: {}", stderr(&output)));
    (output.status.code(), told)
}

/// What was found, by the name of the look: its state, and its words with the advice.
fn found(told: &Value, check: &str) -> (String, String) {
    let found = told["checks"].as_array().unwrap().iter().find(|found| found["check"] == check).unwrap();
    (found["state"].as_str().unwrap().to_owned(), format!("{} {}", found["found"], found["advice"]))
}

/// A crawl of three pages, one of which fails.
async fn crawled() -> (Server, Bench) {
    let server = Server::start(|path| match path {
        "/" => page(["/a", "/b"]),
        "/a" => page([""; 0]),
        "/robots.txt" => Reply::status(404),
        _ => Reply::html("x").with_header("Content-Encoding", "gzip"),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let crawl = bench.run(&["crawl", &server.url("/"), "--rate", "0", "--retries", "0", "--index"]).await;
    assert!(crawl.status.success(), "{}", stderr(&crawl));
    (server, bench)
}

#[tokio::test(flavor = "multi_thread")]
async fn check_finds_nothing_wrong_with_a_database_that_is_sound_and_changes_nothing() {
    let (_server, bench) = crawled().await;
    let bytes = |bench: &Bench| std::fs::read(bench.path("crawl.db")).ok();
    let before = bytes(&bench);
    let (code, told) = check(&bench).await;
    assert_eq!((code, &told["ok"]), (Some(0), &true.into()), "{told}");
    let states: Vec<_> = told["checks"].as_array().unwrap().iter().map(|found| &found["state"]).collect();
    assert!(states.iter().all(|state| *state == "ok"), "{told}");
    assert!(found(&told, "accounting").1.contains("3 discovered, 2 fetched, 1 failed, 0 skipped, 0 pending"), "{told}");
    assert_eq!(bytes(&bench), before);
    let table = bench.run(&["check"]).await;
    assert!(stdout(&table).ends_with(" is sound.\n") && table.status.success(), "{}", stdout(&table));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_what_is_wrong_and_what_to_do_and_exits_with_1() {
    let (_server, bench) = crawled().await;
    bench
        .write(
            "update run set fetched = 7; delete from failure; drop view pages cascade"
                .replace(" cascade", if bench.schema.is_some() { " cascade" } else { "" })
                .as_str(),
        )
        .await;
    let output = bench.run(&["check"]).await;
    if bench.schema.is_none() {
        // Without it, this is no crawl.
        assert!(output.status.code() == Some(1) && stderr(&output).contains("holds no crawl"), "{}", stderr(&output));
        bench.write("create view pages as select 1").await;
    }
    let (code, told) = check(&bench).await;
    assert_eq!((code, &told["ok"]), (Some(1), &false.into()), "{told}");
    let (state, words) = found(&told, "accounting");
    assert!(state == "problem" && words.contains("the last run says 3 discovered, 7 fetched"), "{told}");
    let (state, words) = found(&told, "contents");
    assert!(state == "problem" && words.contains("failed URLs without a failure: 1"), "{told}");
    if bench.schema.is_some() {
        let (state, words) = found(&told, "schema");
        assert!(state == "problem" && words.contains("views are missing: ") && words.contains("pages"), "{told}");
    }
    let table = stdout(&bench.run(&["check"]).await);
    assert!(table.contains("PROBLEM") && table.contains("needs to be seen to: "), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_a_crawl_that_was_killed_from_one_at_work() {
    let server = Server::start(|_| page([""; 0]).delayed(std::time::Duration::MAX)).await.unwrap();
    let bench = Bench::new();
    let mut child = bench.start(&["crawl", &server.url("/"), "--ignore-robots"]);
    common::until("the request that hangs", || server.hit_count() > 0).await;
    let (code, told) = check(&bench).await;
    assert!(code == Some(0) && found(&told, "crawl").0 == "ok", "{told}");
    assert!(found(&told, "crawl").1.contains("under way since"), "{told}");
    bench.kill(&mut child).await;
    let (code, told) = check(&bench).await;
    let (state, words) = found(&told, "crawl");
    assert!(code == Some(0) && state == "note", "nothing is lost by it: {told}");
    assert!(words.contains("was cut off") && words.contains("The same `crawl` command goes on"), "{told}");
}

#[tokio::test]
async fn check_finds_a_damaged_file() {
    let server = Server::start(|path| harvestman::demo::graph_page(40, 20_000, path)).await.unwrap();
    let bench = Bench::on_sqlite();
    assert!(bench.run(&["crawl", &server.url("/p/0"), "--rate", "0"]).await.status.success());
    let mut bytes = std::fs::read(bench.path("crawl.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 65_536].fill(0x5a);
    std::fs::write(bench.path("crawl.db"), bytes).unwrap();
    let (code, told) = check(&bench).await;
    let (state, words) = found(&told, "integrity");
    assert!(code == Some(1) && state == "problem" && words.contains("put a copy of it back"), "{told}");
}
