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
    assert!(table.starts_with("Accounting\n") && table.contains("\nTraps: none\n"), "{table}");
}
