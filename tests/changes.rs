//! What became of pages from run to run: the listing, the older versions, and what changed in their text.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::web::Web;
use common::{page, stderr};
use harvestman::demo::Reply;

async fn changes(web: &Web, options: &[&str]) -> String {
    web.run(&[&["changes"], options].concat()).await.0
}

/// Run, path and change of each line.
async fn listed(web: &Web, options: &[&str]) -> Vec<String> {
    let lines = changes(web, &[options, &["--format", "jsonl"]].concat()).await;
    let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut lines: Vec<_> = lines
        .map(|line| {
            let path = line["url"].as_str().unwrap().replace(&web.server.url(""), "");
            format!("{} {path} {}", line["run"], line["change"].as_str().unwrap())
        })
        .collect();
    lines.sort();
    lines
}

/// Day 1: three pages; day 2: /a is another, /b is gone; day 3: nothing changes; day 4: /b is back.
fn news(day: usize, path: &str) -> Reply {
    match (path, day) {
        ("/", _) => page(["/a", "/b"]),
        ("/a", 1) => Reply::html("<p>first"),
        ("/a", _) => Reply::html("<p>second"),
        ("/b", 2 | 3) => Reply::status(404),
        ("/b", _) => Reply::html("<p>b"),
        _ => Reply::status(404),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_changes_of_the_last_run_are_listed_or_of_all_since_a_run_or_a_day() {
    let web = Web::new(news).await;
    let said = web.crawl(&[]).await;
    assert!(!said.contains("Since run"), "there was none before: {said}");
    assert_eq!(listed(&web, &[]).await, ["1 / new", "1 /a new", "1 /b new"]);
    let said = web.crawl(&[]).await;
    for words in ["\nSince run 1: 0 pages new, 1 changed, 1 gone, 0 restored.\n", "\nNext: harvestman changes"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let second = ["2 /a changed", "2 /b gone"];
    assert_eq!(listed(&web, &[]).await, second);
    let said = web.crawl(&[]).await;
    let nothing = "\nSince run 2: no page is new, changed, gone or restored.\n";
    assert!(said.contains(nothing) && said.contains("\nNext: harvestman status"), "{said}");
    assert_eq!(listed(&web, &[]).await, [""; 0]);
    assert_eq!(changes(&web, &["--format", "json"]).await, "[]\n");
    web.crawl(&[]).await;
    let later = [&second[..], &["4 /b restored"]].concat();
    assert_eq!(listed(&web, &["--since", "2"]).await, later);
    for all in ["1", "2020-01-01", "2020-01-01T12:30", "2020-01-01T12:30:15Z", "2020-01-01T12:30+02:00"] {
        assert_eq!(listed(&web, &["--since", all]).await.len(), 6, "{all}");
    }
    assert_eq!(listed(&web, &["--since", "2999-12-31"]).await, [""; 0]);
    let third = &web.bench.rows("select started_at from runs where id = 3").await[0];
    assert_eq!(listed(&web, &["--since", third]).await, ["4 /b restored"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listing_is_a_table_csv_json_or_json_lines() {
    let web = Web::new(|_, _| Reply::html("x")).await;
    web.crawl(&[]).await;
    let (url, at) = (web.server.url("/"), &web.bench.rows("select at from changes").await[0]);
    let table = changes(&web, &[]).await;
    assert!(table.lines().next().unwrap().split_whitespace().eq(["run", "url", "change", "at"]), "{table}");
    assert!(table.lines().nth(1).unwrap().split_whitespace().eq(["1", &url, "new", at]), "{table}");
    assert_eq!(changes(&web, &["--format", "csv"]).await, format!("run,url,change,at\r\n1,{url},new,{at}\r\n"));
    let object = format!("{{\"run\":1,\"url\":\"{url}\",\"change\":\"new\",\"at\":\"{at}\"}}");
    assert_eq!(changes(&web, &["--format", "jsonl"]).await, format!("{object}\n"));
    assert_eq!(changes(&web, &["--format", "json"]).await, format!("[{object}]\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_run_a_malformed_date_and_a_missing_database_are_told_in_one_line() {
    let web = Web::new(|_, _| Reply::html("x")).await;
    let missing = web.bench.run(&["changes"]).await;
    let named = if web.bench.schema.is_some() { "it holds no crawl" } else { "crawl.db" };
    assert!(missing.status.code() == Some(1) && stderr(&missing).contains(named), "{}", stderr(&missing));
    web.crawl(&[]).await;
    for (since, code, says) in [
        ("7", 1, "no run 7; the last is 1"),
        ("0", 1, "no run 0"),
        ("yesterday", 2, "2026-01-31"),
        ("2026-13-01", 2, "2026-01-31"),
    ] {
        let output = web.bench.run(&["changes", "--since", since]).await;
        let said = stderr(&output);
        assert!(output.status.code() == Some(code) && said.contains(says), "{since}: {said}");
        assert!(said.lines().filter(|line| line.starts_with("error:")).count() == 1 && output.stdout.is_empty());
    }
}

const VERSIONS: &str =
    "select replace(url, rtrim(url, 'abcdefgh'), '/'), status, body, text from versions order by 1, fetched_at";

#[tokio::test(flavor = "multi_thread")]
async fn keep_versions_keeps_what_a_page_was_before_it_changed_or_went_away() {
    let web = Web::new(news).await;
    for _ in 0..2 {
        web.crawl(&["--keep-versions", "2"]).await;
    }
    assert_eq!(web.bench.rows(VERSIONS).await, ["/a|200|<p>first|first", "/b|200|<p>b|b"]);
    let contract = "url, fetched_at, status, content_type, charset, size, content_hash, body, text";
    assert_eq!(web.bench.columns("versions").await, contract);
    let facts = "select content_type, charset, size, length(content_hash), fetched_at < (select started_at from runs where id = 2)
                 from versions where text = 'first'";
    assert_eq!(web.bench.rows(facts).await, ["text/html; charset=utf-8|utf-8|8|64|1"]);
    assert_eq!(web.bench.rows("select text from pages where url like '%/a'").await, ["second"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keep_versions_none_are_added_and_none_are_lost() {
    let web = Web::new(|day, _| Reply::html(format!("<p>day {day}"))).await;
    web.crawl(&[]).await;
    web.crawl(&[]).await;
    assert_eq!(web.bench.rows("select count(*) from versions").await, ["0"]);
    web.crawl(&["--keep-versions", "1"]).await;
    web.crawl(&["--keep-versions", "0"]).await;
    assert_eq!(web.bench.rows("select text from versions").await, ["day 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_each_page_the_newest_versions_are_kept_and_what_they_were_goes_with_the_oldest() {
    let web = Web::new(|day, _| Reply::html(format!("<p>day {day}"))).await;
    for _ in 0..5 {
        web.crawl(&["--keep-versions", "2"]).await;
    }
    assert_eq!(web.bench.rows("select text from versions order by 1").await, ["day 3", "day 4"]);
    assert_eq!(web.bench.rows("select count(*) from old_content").await, ["2"]);
    web.crawl(&["--keep-versions", "1"]).await;
    assert_eq!(web.bench.rows("select text from versions").await, ["day 5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_flaps_between_two_contents_does_not_grow() {
    let web = Web::new(|day, _| Reply::html(if day % 2 == 0 { "<p>even" } else { "<p>odd" })).await;
    for _ in 0..7 {
        web.crawl(&["--keep-versions", "3"]).await;
    }
    assert_eq!(web.bench.rows("select text from versions order by fetched_at").await, ["even", "odd", "even"]);
    assert_eq!(web.bench.rows("select hash, text from old_content").await.len(), 2, "each content is stored once");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_in_between_neither_are_versions_nor_push_any_out() {
    let web = Web::new(|day, path| match (path, day) {
        ("/", _) => page(["/a"]),
        (_, 1) => Reply::html("<p>one"),
        (_, 3 | 5) => Reply::status(500),
        _ => Reply::html("<p>two"),
    })
    .await;
    for _ in 0..6 {
        web.crawl(&["--keep-versions", "2"]).await;
    }
    assert_eq!(web.bench.rows("select text from versions order by fetched_at").await, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_one_content_share_it_and_a_body_missing_in_it_is_added() {
    let web = Web::new(|day, path| match (path, day) {
        ("/", _) => page(["/a", "/b"]),
        (_, 1) => Reply::html("<p>same"),
        ("/a", 2) => Reply::html("<p>a"),
        ("/b", 2) => Reply::html("<p>same"),
        _ => Reply::html("<p>other"),
    })
    .await;
    web.crawl(&["--keep-versions", "1", "--no-bodies"]).await;
    web.crawl(&["--keep-versions", "1"]).await;
    assert_eq!(web.bench.rows(VERSIONS).await, ["/a|200|null|same"]);
    web.crawl(&["--keep-versions", "1"]).await;
    assert_eq!(web.bench.rows(VERSIONS).await, ["/a|200|<p>a|a", "/b|200|<p>same|same"]);
    assert_eq!(web.bench.rows("select count(*) from old_content").await, ["2"]);
}

/// A page of ten lines, of which one tells the day; from day 3 on the same again.
fn diary(day: usize, path: &str) -> Reply {
    let lines =
        (0..10).map(|line| if line == 5 { format!("<p>day {}", day.min(3)) } else { format!("<p>line {line}") });
    match path {
        "/" => Reply::html(lines.collect::<String>()),
        _ => Reply::status(404),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_shows_what_changed_in_the_readable_text() {
    let web = Web::new(diary).await;
    for _ in 0..3 {
        web.crawl(&["--keep-versions", "5"]).await;
    }
    let shown = changes(&web, &["--diff"]).await;
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines[0].starts_with("run 3  changed  http://127.0.0.1:"), "{shown}");
    assert!(
        lines[1].starts_with("--- 20") && lines[2].starts_with("+++ 20") && lines[1][4..] < lines[2][4..],
        "{shown}"
    );
    let hunk =
        ["@@ -3,7 +3,7 @@", " line 2", " line 3", " line 4", "-day 2", "+day 3", " line 6", " line 7", " line 8", ""];
    assert_eq!(&lines[3..], hunk);

    let objects = changes(&web, &["--diff", "--since", "1", "--format", "jsonl"]).await;
    let objects = objects.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let diffs: Vec<_> = objects.map(|object| object["diff"].clone()).collect();
    assert!(diffs.len() == 3 && diffs[0].is_null(), "{diffs:?}");
    assert!(diffs[1].as_str().unwrap().contains("\n-day 1\n+day 2\n"), "a change of an older run: {diffs:?}");
    assert!(diffs[2].as_str().unwrap().contains("\n-day 2\n+day 3\n"), "{diffs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_says_where_nothing_is_kept_and_where_the_text_is_the_same() {
    let web = Web::new(diary).await;
    web.crawl(&[]).await;
    web.crawl(&[]).await;
    let shown = changes(&web, &["--diff"]).await;
    assert!(shown.contains("changed") && shown.contains("crawl --keep-versions 1"), "{shown}");
    assert!(changes(&web, &["--diff", "--format", "json"]).await.contains("\"diff\":null"));

    let web = Web::new(|day, _| Reply::html(format!("<p class={day}>text"))).await;
    web.crawl(&[]).await;
    web.crawl(&["--keep-versions", "1"]).await;
    let shown = changes(&web, &["--diff"]).await;
    assert!(shown.contains("the readable text is the same"), "{shown}");
    assert!(changes(&web, &["--diff", "--format", "json"]).await.contains("\"diff\":\"\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_pages_cannot_steer_the_terminal_and_a_text_too_long_is_not_compared() {
    let web = Web::new(|day, path| match path {
        "/" => Reply::html(format!("<p>\u{9b}31m \u{202e}day {day}<a href=/long>")),
        _ => Reply::text(format!("{day} ").repeat(600_000)),
    })
    .await;
    web.crawl(&["--body-types", "*/*"]).await;
    web.crawl(&["--body-types", "*/*", "--keep-versions", "1"]).await;
    let shown = changes(&web, &["--diff"]).await;
    assert!(shown.contains("+\\u{9b}31m \\u{202e}day 2"), "{shown}");
    assert!(shown.contains("too long to be compared"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_of_redirects_that_stays_as_it_is_changes_nothing_in_any_run() {
    let web = Web::new(|day, path| match (path, day) {
        ("/", _) => page(["/loop1", "/other1"]),
        ("/loop1", _) => Reply::redirect(302, "/loop2"),
        ("/loop2", _) => Reply::redirect(302, "/loop1"),
        ("/other1", _) => Reply::redirect(301, "/other2"),
        ("/other2", _) => Reply::redirect(301, "/other3"),
        ("/other3", 1..=3) => Reply::redirect(301, "/other1"),
        ("/other3", _) => Reply::html("the way out"),
        _ => Reply::status(404),
    });
    let web = web.await;
    web.crawl(&[]).await;
    for run in 2..=3 {
        let said = web.crawl(&[]).await;
        assert!(said.contains("no page is new, changed, gone or restored"), "{said}");
        assert_eq!(listed(&web, &[]).await, [""; 0], "{run}");
    }
    web.crawl(&[]).await;
    assert!(listed(&web, &[]).await.iter().all(|line| line.contains("/other3")), "{:?}", listed(&web, &[]).await);
}
