//! Data derived from stored pages: what is read, when it is read again, and how it is told.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Bench, page, stderr, stdout};
use harvestman::demo::{Reply, Server};

/// A site that is another one each day.
struct Web {
    bench: Bench,
    server: Server,
    day: Arc<AtomicUsize>,
}

impl Web {
    async fn new(site: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let day = Arc::new(AtomicUsize::new(0));
        let today = day.clone();
        let server = Server::start(move |path| site(today.load(Ordering::SeqCst), path)).await.unwrap();
        Self { bench: Bench::new(), server, day }
    }

    /// The crawl of the next day; what it tells.
    async fn crawl(&self, options: &[&str]) -> String {
        self.day.fetch_add(1, Ordering::SeqCst);
        let seed = self.server.url("/");
        self.run(&[&["crawl"], options, &[seed.as_str(), "--rate", "0"]].concat()).await.1
    }

    /// What a command prints, and what it tells.
    async fn run(&self, args: &[&str]) -> (String, String) {
        let output = self.bench.run(args).await;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        (stdout(&output), stderr(&output))
    }

    async fn extract(&self, options: &[&str]) -> (String, String) {
        self.run(&[&["extract"], options].concat()).await
    }

    /// Rows with paths in place of URLs.
    async fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.bench.rows(sql).await;
        rows.into_iter().map(|row| row.replace(&self.server.url(""), "")).collect()
    }
}

/// Day 1: three pages and an image; day 2: /a is another, /b is gone.
fn news(day: usize, path: &str) -> Reply {
    match (path, day) {
        ("/", _) => page(["/a", "/b", "/plain.txt"]),
        ("/a", 1) => {
            Reply::html("<html lang=en><title>First</title><h1>One</h1><img src=i.png alt='An image'><p>one two")
        }
        ("/a", _) => Reply::html("<html lang=en><title>Second</title><h1>Two</h1><p>one two three"),
        ("/b", 1) => Reply::html("<title>B</title><meta property=og:title content='Og of b'>"),
        ("/plain.txt", _) => Reply::text("{}"),
        _ => Reply::status(404),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_read_from_stored_pages_and_asks_no_server() {
    let web = Web::new(news).await;
    web.crawl(&[]).await;
    let before = web.rows("select count(*) from fetches").await;
    assert!(web.rows("select * from metadata").await.is_empty());
    let (printed, told) = web.extract(&["metadata"]).await;
    assert_eq!(printed, "");
    assert!(told.contains("Extracted from 4 pages"), "{told}");
    assert_eq!(
        web.rows("select url, source, name, value, position from metadata order by url, source").await,
        ["/a|heading|h1|One|1", "/a|image|/i.png|An image|1", "/b|opengraph|og:title|Og of b|1",]
    );
    assert_eq!(
        web.rows("select url, title, language, words from page_data where url not like '%/' order by url").await,
        ["/a|First|en|3", "/b|Og of b|null|0"]
    );
    assert_eq!(web.rows("select count(*) from fetches").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_page_shows_its_metadata_once_it_was_read() {
    let web = Web::new(news).await;
    web.crawl(&[]).await;
    let url = web.server.url("/a");
    let output = web.bench.run(&["show", &url, "--metadata"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("harvestman extract metadata"), "{}", stderr(&output));
    web.extract(&["metadata"]).await;
    let (printed, _) = web.run(&["show", &url, "--metadata"]).await;
    assert!(printed.contains("heading") && printed.contains("An image"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_is_read_again_and_what_is_gone_is_dropped() {
    let web = Web::new(news).await;
    web.crawl(&[]).await;
    web.extract(&["metadata"]).await;
    let (_, told) = web.extract(&["metadata"]).await;
    assert!(told.contains("Nothing is new"), "{told}");
    web.crawl(&[]).await;
    let (_, told) = web.extract(&["metadata"]).await;
    assert!(told.contains("Extracted from 1 page."), "{told}");
    assert_eq!(
        web.rows("select url, source, name, value from metadata order by url").await,
        ["/a|heading|h1|Two"],
        "/b is a 404 now"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_derived_by_another_version_is_derived_anew() {
    let web = Web::new(news).await;
    web.crawl(&[]).await;
    web.extract(&["metadata"]).await;
    web.bench.write("update derived set version = 'of long ago'; delete from meta_value").await;
    let (_, told) = web.extract(&["metadata"]).await;
    assert!(told.contains("Extracted from 4 pages"), "{told}");
    assert_eq!(web.rows("select count(*) from metadata").await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_is_printed_or_what_changed_since_a_run() {
    let web = Web::new(news).await;
    web.crawl(&[]).await;
    let lines = |printed: &str| -> Vec<serde_json::Value> {
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (printed, _) = web.extract(&["metadata", "--format", "jsonl"]).await;
    assert_eq!(lines(&printed).len(), 3);
    let first = &lines(&printed)[0];
    assert_eq!((&first["source"], &first["value"], &first["position"]), (&"heading".into(), &"One".into(), &1.into()));
    let (printed, _) = web.extract(&["--format", "csv"]).await;
    assert!(printed.starts_with("url,type,title,"), "{printed}");
    web.crawl(&[]).await;
    let (printed, _) = web.extract(&["--since", "2", "--format", "jsonl"]).await;
    let titles: Vec<_> = lines(&printed).iter().map(|line| line["title"].clone()).collect();
    assert_eq!(titles, ["Second"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_extracts_at_its_end_whether_what_is_named_or_not() {
    let web = Web::new(news).await;
    // The seed that follows is not what is to be extracted.
    let told = web.crawl(&["--extract"]).await;
    assert!(told.contains("Extracted from 4 pages"), "{told}");
    let told = web.crawl(&["--extract", "metadata"]).await;
    assert!(told.contains("Extracted from 1 page."), "{told}");
    assert_eq!(web.rows("select value from metadata").await, ["Two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn extracting_twice_at_once_derives_each_page_once() {
    let web = Web::new(|_, path| match path {
        "/" => page((0..300).map(|n| format!("/{n}"))),
        path => Reply::html(format!("<h1>{path}</h1><meta name=description content={path}>")),
    });
    let web = web.await;
    web.crawl(&["--max-connections-per-host", "16"]).await;
    let (one, other) = tokio::join!(web.extract(&["metadata"]), web.extract(&["metadata"]));
    for (_, told) in [one, other] {
        assert!(told.contains("xtracted"), "{told}");
    }
    assert_eq!(web.rows("select count(*), count(distinct value) from metadata where name = 'h1'").await, ["300|300"]);
    assert_eq!(web.rows("select count(*) from page_data").await, ["301"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_without_bodies_leaves_nothing_to_extract_from_and_is_told_so() {
    let web = Web::new(news).await;
    web.crawl(&["--no-bodies"]).await;
    let (_, told) = web.extract(&[]).await;
    assert!(told.contains("no body"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_is_refused() {
    let bench = Bench::new();
    for (args, code, said) in [
        (&["extract", "metadata", "--rules", "product"][..], 2, "only items are found by rules"),
        (&["extract", "nothing"], 2, "nothing"),
        (&["extract", "--rules", "absent.toml"], 1, "absent.toml"),
        (&["extract", "-d", "absent.db"], 1, "absent.db"),
        (&["crawl", "http://127.0.0.1:9/", "--rules", "product"], 2, "--extract"),
        (&["crawl", "http://127.0.0.1:9/", "--extract", "--rules", "absent.toml"], 1, "absent.toml"),
        (&["crawl", "http://127.0.0.1:9/", "--extract=articles", "--rules", "product"], 2, "only items"),
        (&["crawl", "http://127.0.0.1:9/", "--extract=some"], 2, "all, metadata, articles or items"),
    ] {
        let output = bench.run(args).await;
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{args:?}: {}", stderr(&output));
    }
    assert!(!bench.path("crawl.db").exists());
}
