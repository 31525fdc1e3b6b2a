//! Full-text search: what is found, in which order, how it is shown, and that the index never tells of what is gone.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use common::{Bench, stderr, stdout, until};
use harvestman::demo::{Reply, Server};
use harvestman::internals::store::sqlite::SqliteDatabase;
use harvestman::internals::store::sqlite::index::{Indexer, waiting};
use rusqlite::{Connection, params};
use serde_json::Value;

fn document(title: &str, text: &str) -> Reply {
    Reply::html(format!("<!doctype html><title>{title}</title><p>{text}</p>"))
}

/// A front page that links to `paths`, and what `answer` says of these.
async fn site(paths: &'static [&str], answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Server {
    let front = paths.iter().map(|path| format!("<a href='{path}'>x</a> ")).collect::<String>();
    let site = Server::start(move |path| if path == "/" { Reply::html(front.clone()) } else { answer(path) });
    site.await.unwrap()
}

async fn crawl(bench: &Bench, server: &Server, options: &[&str]) -> String {
    let seed = server.url("/");
    let fast = ["crawl", &seed, "--rate", "0", "--retries", "0"];
    let output = bench.run(&[&fast[..], options].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stderr(&output)
}

async fn search(bench: &Bench, args: &[&str]) -> Output {
    let output = bench.run(&[&["search"], args].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    output
}

async fn hits(bench: &Bench, args: &[&str]) -> Vec<Value> {
    let output = search(bench, &[&["--format", "jsonl"], args].concat()).await;
    stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The paths of the pages found, best first.
async fn found(bench: &Bench, args: &[&str]) -> Vec<String> {
    let path = |hit: &Value| url::Url::parse(hit["url"].as_str().unwrap()).unwrap().path().to_owned();
    hits(bench, args).await.iter().map(path).collect()
}

fn open(bench: &Bench) -> Connection {
    Connection::open(bench.path("crawl.db")).unwrap()
}

/// FTS5 compares what is in the index with the present words of the pages. Nothing may be waiting.
async fn assert_sound(bench: &Bench) {
    if bench.schema.is_some() {
        return assert_eq!(bench.rows("select count(*) from unindexed").await, ["0"]);
    }
    let db = open(bench);
    assert_eq!(waiting(&db).unwrap(), 0);
    db.execute("insert into page_index (page_index, rank) values ('integrity-check', 1)", []).unwrap();
}

/// Pages of some length that no crawl has fetched, each with the word `common` and one of its own.
async fn many_pages(bench: &Bench, pages: i64) {
    SqliteDatabase::open(&bench.path("crawl.db")).await.unwrap().close().await.unwrap();
    let mut db = open(bench);
    let tx = db.transaction().unwrap();
    tx.execute("insert into host (id, host) values (1, 'http://a.test')", []).unwrap();
    for id in 1..=pages {
        let words = (0..1000).map(|n| format!("w{} ", (id * 7919 + n * 104_729) % 60_013));
        let text = format!("common own{id} {}", words.collect::<String>());
        for sql in [
            "insert into url (id, url, host_id, state, depth, first_seen_at)
             values (?1, 'http://a.test/' || ?1, 1, 1, 0, 0)",
            "insert into page (url_id, status, title, size, fetched_at, changed_at, elapsed_ms, headers)
             values (?1, 200, 'Page ' || ?1, 0, 0, 0, 0, '[]')",
            "insert into unindexed values (?1)",
        ] {
            tx.execute(sql, [id]).unwrap();
        }
        tx.execute("insert into content (url_id, text) values (?1, ?2)", params![id, text]).unwrap();
    }
    tx.commit().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_best_come_first_and_titles_weigh_more_than_texts() {
    let paths = &["/often", "/once", "/title", "/none", "/about"];
    let server = site(paths, |path| match path {
        "/often" => document("A", "spider spider spider, and something else"),
        "/once" => document("B", &format!("a spider among {}", "many other words ".repeat(20))),
        "/title" => document("The spider", "eight legs"),
        "/about" => Reply::html("<title>C</title><meta name=description content='of a spider'><p>eight legs"),
        _ => document("D", "nothing of the kind"),
    })
    .await;
    let bench = Bench::new();
    crawl(&bench, &server, &[]).await;
    assert_eq!(found(&bench, &["spider"]).await, ["/title", "/about", "/often", "/once"]);
    let scores: Vec<_> = hits(&bench, &["spider"]).await.iter().map(|hit| hit["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores[3] > 0.0, "{scores:?}");
    assert_eq!(found(&bench, &["spider", "--limit", "2"]).await, ["/title", "/about"]);
    assert_eq!(found(&bench, &["eight", "legs", "NOT", "title: spider"]).await, ["/about"]);
    assert_eq!(found(&bench, &["\"many other\" NEAR(among spider)"]).await, ["/once"]);
    assert_eq!(found(&bench, &["som*"]).await, ["/often"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_and_accents_make_no_difference() {
    let server = site(&["/a", "/b"], |path| match path {
        "/a" => document("Café", "Ångström und ÜBUNG"),
        _ => document("Cafe", "angstrom und Übung"),
    })
    .await;
    let bench = Bench::new();
    crawl(&bench, &server, &[]).await;
    for words in ["cafe", "CAFÉ", "angstrom", "ångström", "ubung", "übung"] {
        assert_eq!(found(&bench, &[words]).await.len(), 2, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hit_shows_title_url_and_a_snippet_with_the_words_marked() {
    let server = site(&["/a", "/t"], |path| match path {
        "/a" => document("First", &format!("{}the Needle <br>in hay{}", "before ".repeat(80), " after".repeat(80))),
        _ => document("A needle", "only the title has it"),
    })
    .await;
    let bench = Bench::new();
    crawl(&bench, &server, &[]).await;
    let table = stdout(&search(&bench, &["needle hay"]).await);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[..2], ["First", &format!("  {}", server.url("/a"))]);
    assert!(lines[2].starts_with("  …") && lines[2].contains("the [Needle] in [hay] after"), "{table}");
    let all = hits(&bench, &["needle"]).await;
    let of = |path: &str| all.iter().find(|hit| hit["url"] == server.url(path)).unwrap();
    let keys: Vec<_> = of("/a").as_object().unwrap().keys().collect();
    assert_eq!(keys, ["url", "host", "title", "snippet", "score"]);
    assert_eq!((&of("/a")["title"], &of("/a")["host"]), (&"First".into(), &server.url("").into()));
    assert!(of("/a")["snippet"].as_str().unwrap().contains("the [Needle] in hay"));
    assert_eq!(of("/t")["snippet"], "A [needle]", "found in the title alone");
    let json: Value = serde_json::from_str(&stdout(&search(&bench, &["needle", "--format", "json"]).await)).unwrap();
    assert_eq!(json.as_array().unwrap(), &all);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_says_does_not_steer_the_terminal() {
    let server = site(&["/a"], |_| document("red \u{1b}[31m", "evil \u{1b}[2J\u{202e} needle")).await;
    let bench = Bench::new();
    crawl(&bench, &server, &[]).await;
    let table = stdout(&search(&bench, &["needle"]).await);
    assert!(table.contains("\\u{1b}[2J\\u{202e} [needle]") && table.contains("red \\u{1b}[31m"), "{table}");
    assert!(!table.contains(['\u{1b}', '\u{202e}', '\u{2}']), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_named_by_url_or_by_name() {
    let one = site(&["/one"], |_| document("One", "needle")).await;
    let two = site(&["/two"], |_| document("Two", "needle")).await;
    let bench = Bench::new();
    crawl(&bench, &one, &[&two.url("/")]).await;
    assert_eq!(found(&bench, &["needle", "--host", &one.url("")]).await, ["/one"]);
    assert_eq!(found(&bench, &["needle", "--host", &two.url("/some/page")]).await, ["/two"]);
    assert_eq!(found(&bench, &["needle", "--host", one.url("").trim_start_matches("http://")]).await, ["/one"]);
    assert_eq!(found(&bench, &["needle", "--host", "127.0.0.1"]).await.len(), 2, "whatever the port");
    for (host, told) in [("nowhere.test", true), ("27.0.0.1", true), ("127.0.0.1", false)] {
        let none = search(&bench, &["nothing-of-it", "--host", host]).await;
        assert_eq!((stdout(&none).as_str(), stderr(&none).contains("No URL of the host")), ("", told), "{host}");
    }
    let bad = bench.run(&["search", "needle", "--host", "a b"]).await;
    assert!(bad.status.code() == Some(2) && stderr(&bad).starts_with("error: --host: `a b`"), "{}", stderr(&bad));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hit_is_an_answer_too() {
    let server = site(&["/a"], |_| document("A", "text")).await;
    let bench = Bench::new();
    crawl(&bench, &server, &[]).await;
    for (format, expected) in [("table", ""), ("json", "[]\n"), ("jsonl", "")] {
        let output = search(&bench, &["nothing", "--format", format]).await;
        let said = stderr(&output);
        assert_eq!((stdout(&output).as_str(), said.as_str()), (expected, "No page holds `nothing`.\n"), "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentence_that_no_page_holds_is_told_word_by_word_with_what_to_type() {
    let server = site(&["/a", "/b"], |path| match path {
        "/a" => document("A", "spiders weave"),
        _ => document("B", "orbs of c++"),
    })
    .await;
    let bench = Bench::new();
    crawl(&bench, &server, &[]).await;
    for (words, said) in [
        (
            "spiders orbs spiders",
            "No page holds all of these words: `spiders`, `orbs`. For any of them: harvestman search 'spiders OR orbs'",
        ),
        ("spiders moths", "No page holds `moths`. Without that: harvestman search spiders"),
        ("moths spiders c++", "No page holds `moths`. For any of the others: harvestman search 'spiders OR \"c++\"'"),
        ("moths bats", "No page holds any of these words: `moths`, `bats`."),
        ("spiders AND orbs", "No page holds `spiders AND orbs`."),
    ] {
        let output = search(&bench, &[words, "--format", "json"]).await;
        assert_eq!((stdout(&output).as_str(), stderr(&output).trim_end()), ("[]\n", said));
    }
    assert_eq!(found(&bench, &["spiders OR \"c++\""]).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_nothing_but_hits_is_found_like_any_other() {
    // FTS5's own snippet takes minutes for it.
    let server = site(&["/a"], |_| document("A", &format!("{} \u{2}forged\u{3}", "needle ".repeat(100_000)))).await;
    let bench = Bench::new();
    crawl(&bench, &server, &["--max-body-size", "2MiB"]).await;
    let output = search(&bench, &["needle"]).await;
    let snippet = stdout(&output).lines().nth(2).unwrap().to_owned();
    assert!(snippet.contains("[needle] [needle]") && snippet.len() < 400, "{snippet}");
    let forged = stdout(&search(&bench, &["needle forged", "--format", "jsonl"]).await);
    assert!(forged.contains("needle") && !forged.contains("\\u0002"), "{forged}");
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_words_are_refused_in_a_line_that_names_them_and_plain_words_never_are() {
    let server = site(&["/a"], |_| document("A", "C++ at rust-lang.org: don't, he said in 1/2 of a+b?")).await;
    let bench = Bench::new();
    crawl(&bench, &server, &[]).await;
    for words in
        ["\"open", "this AND", "NEAR(a b", "(a", "a OR OR b", "^", "*x", "title:", "{title nothing}: a", "rust -lang"]
    {
        let output = bench.run(&["search", "--", words]).await;
        let said = stderr(&output);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""), "{words}: {said}");
        let lines: Vec<_> = said.lines().collect();
        assert!(lines[0].starts_with("error: ") && lines[0].contains(words), "{said}");
        assert!(lines.len() == 1 || (lines.len() == 2 && lines[1].starts_with("hint: ")), "{said}");
    }
    for words in ["c++", "rust-lang.org", "don't", "1/2", "http://rust-lang.org", "a+b?", "-said"] {
        let expected: &[&str] = if words.starts_with("http") { &[] } else { &["/a"] };
        assert_eq!(found(&bench, &["--", words]).await, expected, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn updated_and_vanished_pages_leave_no_ghosts() {
    let run = Arc::new(AtomicU32::new(1));
    let seen = run.clone();
    let paths = &["/same", "/updated", "/vanished", "/moved", "/title"];
    let server = site(paths, move |path| match (path, seen.load(Ordering::Relaxed)) {
        ("/same", run) => document("A", &format!("constant <script>{run}</script>")),
        ("/updated", run) => document("B", &format!("version{run}")),
        ("/title", run) => document(&format!("title{run}"), "text"),
        (_, 1) => document("C", "original"),
        ("/moved", _) => Reply::redirect(301, "/same"),
        _ => Reply { status: 404, ..document("Gone", "apology") },
    })
    .await;
    let bench = Bench::new();
    crawl(&bench, &server, &[]).await;
    for (words, count) in [("version1", 1), ("original", 2), ("title1", 1)] {
        assert_eq!(found(&bench, &[words]).await.len(), count, "{words}");
    }
    assert_sound(&bench).await;
    // Fetched twice more before anybody searches again.
    for next in [2, 3] {
        run.store(next, Ordering::Relaxed);
        crawl(&bench, &server, &[]).await;
    }
    assert_eq!(bench.rows("select count(*) from unindexed").await, ["4"], "what is as it was stays in the index");
    for ghost in ["version1", "version2", "original", "apology", "title1", "title2"] {
        assert_eq!(found(&bench, &[ghost]).await, [""; 0], "{ghost}");
    }
    for (words, path) in [("version3", "/updated"), ("title3", "/title"), ("constant", "/same")] {
        assert_eq!(found(&bench, &[words]).await, [path]);
    }
    assert_sound(&bench).await;
    if bench.schema.is_some() {
        return;
    }
    assert_eq!(bench.rows("select count(*) from outdated").await, ["0"], "what was put aside is not kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_cannot_be_written_answers_without_what_is_missing_and_without_ghosts() {
    let run = Arc::new(AtomicU32::new(1));
    let seen = run.clone();
    let server = site(&["/same", "/updated"], move |path| match (path, seen.load(Ordering::Relaxed)) {
        ("/same", _) => document("A", "constant"),
        (_, run) => document("B", &format!("version{run}")),
    })
    .await;
    let bench = Bench::new();
    if bench.schema.is_some() {
        return; // It is about SQLite's index.
    }
    crawl(&bench, &server, &["--index"]).await;
    run.store(2, Ordering::Relaxed);
    crawl(&bench, &server, &[]).await;
    for (words, expected) in [("constant", 1), ("version1", 0), ("version2", 0)] {
        // No file can grow beyond what reading takes: as on a full disk.
        let script = "ulimit -f 32; exec \"$0\" search \"$1\" --format jsonl";
        let mut command = Command::new("bash");
        command.args(["-c", script, env!("CARGO_BIN_EXE_harvestman"), words]).current_dir(bench.dir.path());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stderr(&output).starts_with("warning: ") && stderr(&output).contains("1 page not in it"));
        assert_eq!(stdout(&output).lines().count(), expected, "{words}");
        let none = format!("No page that is indexed holds `{words}`; 1 page could not be looked into.");
        assert_eq!(stderr(&output).contains(&none), expected == 0, "{}", stderr(&output));
    }
    assert_eq!(found(&bench, &["version2"]).await, ["/updated"]);
    assert_sound(&bench).await;
}

#[tokio::test]
async fn the_index_is_made_bit_by_bit() {
    let bench = Bench::new();
    if bench.schema.is_some() {
        return; // It is about SQLite's index.
    }
    many_pages(&bench, 10).await;
    let mut indexer = Indexer::open(&bench.path("crawl.db")).unwrap();
    assert_eq!(indexer.step(3).unwrap(), 3);
    assert_eq!(bench.rows("select count(*) from search where words match 'common'").await, ["3"]);
    assert_eq!(bench.rows("select count(*) from unindexed").await, ["7"]);
    let mut told = Vec::new();
    let tell = |done, left| {
        told.push((done, left));
        true
    };
    indexer.run(tell).unwrap();
    assert_eq!(told[0], (0, 7));
    assert_eq!(indexer.step(1).unwrap(), 0);
    assert_sound(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_indexer_loses_nothing_and_the_next_goes_on() {
    let bench = Bench::new();
    if bench.schema.is_some() {
        return; // It is about SQLite's index.
    }
    many_pages(&bench, 600).await;
    let mut child = bench.start(&["search", "common"]);
    let db = open(&bench);
    until("the first pages to be indexed", || waiting(&db).unwrap() < 600).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let left = waiting(&db).unwrap();
    let indexed = "select count(*) from search where words match 'common'";
    assert_eq!(bench.rows(indexed).await, [(600 - left).to_string()]);
    assert_eq!(found(&bench, &["own599"]).await, ["/599"]);
    assert_eq!(bench.rows(indexed).await, ["600"]);
    assert_sound(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_searches_at_once_share_the_work() {
    let bench = Bench::new();
    if bench.schema.is_some() {
        return; // It is about SQLite's index.
    }
    many_pages(&bench, 300).await;
    let args = ["common", "--limit", "1000"];
    let (one, two, three) = tokio::join!(hits(&bench, &args), hits(&bench, &args), hits(&bench, &args));
    assert!([&one, &two, &three].iter().any(|hits| hits.len() == 300));
    assert_eq!(hits(&bench, &args).await.len(), 300);
    assert_sound(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_crawl_is_searched_and_not_disturbed() {
    let server = Server::start(|path| {
        let number: u32 = path.trim_start_matches("/p/").parse().unwrap_or(1);
        let links = [number * 2, number * 2 + 1]
            .map(|n| if n < 400 { format!("<a href=/p/{n}>{n}</a>") } else { String::new() });
        Reply::html(format!("<p>common own{number} {}", links.concat())).delayed(std::time::Duration::from_millis(20))
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let seed = server.url("/p/1");
    let mut child = bench.start(&["crawl", &seed, "--rate", "0", "--max-connections-per-host", "4"]);
    until("the first pages", || (bench.schema.is_some() || bench.path("crawl.db").exists()) && server.hit_count() > 20)
        .await;
    let mut counts = Vec::new();
    while child.try_wait().unwrap().is_none() {
        counts.push(hits(&bench, &["common", "--limit", "1000"]).await.len());
    }
    assert!(child.wait().unwrap().success());
    assert!(counts.len() > 1 && counts.is_sorted() && counts[counts.len() - 1] > counts[0], "{counts:?}");
    assert_eq!(hits(&bench, &["common", "--limit", "1000"]).await.len(), 399);
    assert_sound(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_indexes_at_its_end_if_asked() {
    let server = site(&["/a"], |_| document("A", "needle")).await;
    let bench = Bench::new();
    crawl(&bench, &server, &[]).await;
    assert_eq!(bench.rows("select count(*) from search").await, ["0"], "nobody asked");
    crawl(&bench, &server, &["--index"]).await;
    let (shown, asked) = match bench.schema {
        Some(_) => ("title", "words @@ 'needle'::tsquery"),
        None => ("title || snippet", "words match 'needle'"),
    };
    let expected = if bench.schema.is_some() { "A" } else { "A[needle]" };
    assert_eq!(bench.rows(&format!("select {shown} from search where {asked}")).await, [expected]);
    assert_sound(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_text_titles_and_descriptions_are_still_found() {
    let server =
        site(&["/a"], |_| Reply::html("<title>Heading</title><meta name=description content=Summary><p>needle")).await;
    let bench = Bench::new();
    std::fs::write(bench.path("harvestman.toml"), "no-text = true\nindex = true\n").unwrap();
    crawl(&bench, &server, &[]).await;
    let row = "select title, description, text, size > 0 from pages where url like '%/a'";
    assert_eq!(bench.rows(row).await, ["Heading|Summary|null|1"]);
    assert_sound(&bench).await;
    for (words, expected) in [("heading", 1), ("summary", 1), ("needle", 0)] {
        assert_eq!(found(&bench, &[words]).await.len(), expected, "{words}");
    }
    // The same pages with text, and without it again.
    for (flag, expected) in [("--no-text=false", 1), ("--no-text", 0)] {
        crawl(&bench, &server, &[flag]).await;
        assert_eq!(found(&bench, &["needle"]).await.len(), expected, "{flag}");
        assert_sound(&bench).await;
    }
}
