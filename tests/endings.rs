//! How a crawl ends and what it says then, by what became of its seeds; and how seeds may be written.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::process::Output;

use common::{Bench, page, stderr, summary};
use harvestman::demo::{Reply, Server};
use serde_json::json;

async fn crawl(bench: &Bench, args: &[&str]) -> Output {
    bench.run(&[&["crawl", "--rate", "0", "--retries", "0"], args].concat()).await
}

/// `/good` and what it links to answer, `/old` leads there, `/lost` leads nowhere, and `/down` is out of order.
async fn site() -> Server {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nDisallow: /shut\n"),
        "/old" => Reply::redirect(301, "/good"),
        "/lost" => Reply::redirect(301, "/gone"),
        "/good" => page(["/a", "/gone", "/down"]),
        "/a" => page(["/gone"]),
        "/down" => Reply::status(500),
        _ => Reply::status(404),
    });
    server.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_3_is_for_seeds_of_which_none_gave_a_page_in_the_end() {
    let server = site().await;
    for (code, seeds) in [
        (3, &["/gone"][..]),
        (3, &["/down", "/gone"]),
        (3, &["/lost"]),
        (3, &["/shut", "/gone"]),
        (0, &["/old"]),
        (0, &["/gone", "/a"]),
    ] {
        let seeds: Vec<_> = seeds.iter().map(|path| server.url(path)).collect();
        let mut args: Vec<_> = seeds.iter().map(String::as_str).collect();
        args.extend(["--fail-on", "fetched<0"]);
        let output = crawl(&Bench::new(), &args).await;
        assert_eq!(output.status.code(), Some(code), "{seeds:?}: {}", stderr(&output));
        assert_eq!(stderr(&output).contains("not one seed could be fetched"), code == 3, "{}", stderr(&output));
    }
    let output = crawl(&Bench::new(), &[&server.url("/gone"), "--fail-on", "status_4xx>0"]).await;
    assert_eq!(output.status.code(), Some(3), "it comes before 5");
    assert!(stderr(&output).contains("each answered with a status of 400 or more"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_summary_counts_statuses_failures_and_changes_and_thresholds_judge_them() {
    let server = site().await;
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/old"), "http://127.0.0.1:1/", "--json"]).await;
    let told = summary(&output);
    assert_eq!(told["statuses"], json!({"200": 2, "301": 1, "404": 1, "500": 1}));
    assert_eq!(told["failures"], json!({"connect": 1}));
    assert_eq!(["new", "changed", "gone", "restored"].map(|key| told[key].as_i64().unwrap()), [3, 0, 0, 0]);
    let times = ["started_at", "finished_at"].map(|key| told[key].as_str().unwrap().to_owned());
    assert!(times[0].ends_with('Z') && times[0] <= times[1], "{times:?}");
    for (condition, holds) in [
        ("status_4xx=1", true),
        ("status_5xx>=1", true),
        ("status_5xx>1", false),
        ("broken_links=3", true),
        ("broken_links<3", false),
        ("new>50%", true),
        ("gone<=0", true),
        ("changed>0", false),
    ] {
        let output = crawl(&Bench::new(), &[&server.url("/old"), "--fail-on", condition]).await;
        assert_eq!(output.status.code(), Some(if holds { 5 } else { 0 }), "{condition}: {}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seeds_stand_as_they_were_given_with_what_became_of_them_and_of_lines_that_are_none() {
    let server = site().await;
    let bench = Bench::new();
    let at = server.url("");
    let text = format!(
        "# seeds\r{at}/old\tkey=value\r\r{at}/lost Title\r{} http://me:hidden@h.test/2\rnonsense\rftp://me:hidden@h.test/\r{at}/old\r",
        at.replace("://", "://me:hidden@") + "/shut"
    );
    let wide: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(bench.path("seeds.txt"), wide).unwrap();
    let output = crawl(&bench, &["seeds.txt", &server.url("/a")]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(["line 5", "line 6", "line 7"].iter().all(|line| stderr(&output).contains(line)), "{}", stderr(&output));
    assert!(!stderr(&output).contains("hidden"), "{}", stderr(&output));
    let sql = format!(
        "select replace(url, '{at}', ''), state, case when state = 'rejected' then 'why' else reason end, status, line,
             replace(replace(given, '{at}', ''), replace('{at}', 'http://', ''), ''), replace(final_url, '{at}', ''), pages
         from seeds order by coalesce(line, 99), url is null"
    );
    let expected = [
        "/old|fetched|null|200|2|/old|/good|3",
        "/lost|fetched|null|404|4|/lost|/gone|2",
        "/shut|skipped|robots|null|5|http://…@/shut|/shut|0",
        "null|rejected|why|null|5|http://…@h.test/2|null|null",
        "null|rejected|why|null|6|nonsense|null|null",
        "null|rejected|why|null|7|ftp://…@h.test/|null|null",
        "/a|fetched|null|200|null|/a|/a|1",
    ];
    assert_eq!(bench.rows(&sql).await, expected);
    crawl(&bench, &[&server.url("/a")]).await;
    assert_eq!(bench.rows("select count(*) from seeds").await, ["1"], "those of the last invocation");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_csv_file_the_urls_are_taken_and_a_comma_is_told_of() {
    let server = site().await;
    let bench = Bench::new();
    let at = server.url("");
    for (text, asked, words) in [
        (format!("{at}/a,Name of A\n{at}/good?x\n"), "/a", "line 1"),
        (format!("{at}/a,b\n"), "/a,b", "is taken with its comma"),
    ] {
        std::fs::write(bench.path("seeds.csv"), text).unwrap();
        let output = crawl(&bench, &["seeds.csv"]).await;
        assert!(server.hits().iter().any(|hit| hit.path == asked), "{asked}");
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_option_is_exit_2_before_any_file_is_looked_for() {
    let bench = Bench::new();
    let mut commands = vec![vec!["query"], vec!["search", "x"], vec!["status"], vec!["show", "http://h.test/"]];
    commands.extend([vec!["explain", "http://h.test/"], vec!["report"], vec!["changes"], vec!["vacuum"], vec!["demo"]]);
    commands.extend([vec!["export", "--format", "csv", "--output", "-"], vec!["crawl", "missing.txt"], vec!["man"]]);
    commands.extend([vec!["robots", "missing.txt", "http://h.test/"], vec!["completions", "bash"]]);
    for command in commands {
        for option in ["--no-such-option", "--no-such-option=x", "-X"] {
            let output = bench.run(&[&command[..], &[option]].concat()).await;
            assert_eq!(output.status.code(), Some(2), "{command:?} {option}: {}", stderr(&output));
        }
    }
    let output = bench.run(&["query", "-- a comment\nselect 1", "-d", "missing.db"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
}
