//! What a program that embeds the crawler can count on.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/postgres.rs"]
mod schema;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harvestman::demo::{Reply, Server, graph_page};
use harvestman::read::Database;
use harvestman::{CancellationToken, Crawl, CrawlEnd, CrawlError, Hook, Page};
use schema::Schema;
use tempfile::{TempDir, tempdir};

/// Where a crawl is kept, as long as this is not dropped: in a file, or as `HARVESTMAN_TEST_ON` says.
struct Place {
    database: PathBuf,
    _folder: TempDir,
    _schema: Option<Schema>,
}

impl Place {
    fn new() -> Self {
        let on_postgres = std::env::var("HARVESTMAN_TEST_ON").is_ok_and(|store| store == "postgres");
        let schema = on_postgres.then(|| Schema::new().unwrap());
        schema.as_ref().inspect(|schema| schema.create());
        let place = Self::in_file();
        let database = schema.as_ref().map_or(place.database.clone(), |schema| schema.url.clone().into());
        Self { database, _schema: schema, ..place }
    }

    fn in_file() -> Self {
        let folder = tempdir().unwrap();
        Self { database: folder.path().join("crawl.db"), _folder: folder, _schema: None }
    }
}

async fn count(database: &Path, sql: &'static str) -> i64 {
    let database = database.to_owned();
    let ask = move || Database::open(database).unwrap().first(sql, []).unwrap().unwrap().at(0).unwrap();
    tokio::task::spawn_blocking(ask).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stored_response_arrives_once_after_it_is_durable() {
    let server = Server::start(|path| graph_page(60, 300, path)).await.unwrap();
    let place = Place::new();
    let database = &place.database;
    let mut crawl = Crawl::new([server.url("/p/0")]).unwrap().rate(0.0).database(database).start().await.unwrap();
    let mut seen = HashMap::new();
    while let Some(page) = crawl.next().await {
        *seen.entry(page.url().to_owned()).or_insert(0) += 1;
        let sql = "select count(*) from pages where url = ?1";
        let (file, url) = (database.clone(), page.url().to_owned());
        let ask = move || Database::open(&file).unwrap().first(sql, [url.into()]).unwrap().unwrap().at(0).unwrap();
        let stored: i64 = tokio::task::spawn_blocking(ask).await.unwrap();
        assert_eq!(stored, 1, "{} is in the database before it arrives", page.url());
    }
    let summary = crawl.finish().await.unwrap();
    assert_eq!((summary.outcome, summary.accounting.fetched), (CrawlEnd::Finished, 60));
    assert_eq!(seen.len(), 60);
    assert!(seen.values().all(|&times| times == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_tells_what_was_received_and_what_was_read_out_of_it() {
    let server = Server::start(|path| match path {
        "/" => Reply::html(
            "<html lang=en><title>T</title><meta name=description content=D><p>Text <a rel=next href=/b>b</a>",
        )
        .with_header("x-test", "1"),
        "/b" => Reply::redirect(302, "/c"),
        _ => Reply::status(404),
    });
    let server = server.await.unwrap();
    let place = Place::new();
    let crawl = Crawl::new([server.url("/")]).unwrap().rate(0.0).database(&place.database);
    let mut crawl = crawl.start().await.unwrap();
    let mut pages = HashMap::new();
    while let Some(page) = crawl.next().await {
        pages.insert(page.url().to_owned(), page);
    }
    let front = &pages[&server.url("/")];
    assert_eq!((front.status(), front.depth(), front.header("X-Test")), (200, 0, Some("1")));
    assert_eq!((front.title(), front.description(), front.text()), (Some("T"), Some("D"), Some("Text b")));
    assert!(front.body().unwrap().starts_with(b"<html"));
    let link = front.links().next().unwrap();
    assert_eq!((link.url, link.text, link.rel, link.element), (&*server.url("/b"), "b", "next", "a"));
    assert_eq!(pages[&server.url("/b")].redirect_to(), Some(&*server.url("/c")));
    assert_eq!(pages[&server.url("/c")].status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_does_not_come_for_its_pages_slows_the_crawl() {
    let server = Server::start(|path| graph_page(5_000, 300, path)).await.unwrap();
    let place = Place::new();
    let crawl = Crawl::new([server.url("/p/0")]).unwrap().rate(0.0).max_connections_per_host(8);
    let mut crawl = crawl.database(&place.database).start().await.unwrap();
    crawl.next().await.unwrap();
    // Without a listener the site takes about a second; here it must come to a stand.
    let mut before = usize::MAX;
    while server.hit_count() != before {
        before = server.hit_count();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(before < 4_000, "{before} requests were made though nobody took the pages");
    let summary = crawl.finish().await.unwrap();
    assert_eq!(summary.accounting.fetched, 5_000, "finishing without listening lets it run to its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_running_crawl_cancels_it_cleanly() {
    let server = Server::start(|path| graph_page(3_000, 300, path).delayed(Duration::from_millis(1))).await.unwrap();
    let place = Place::new();
    let database = &place.database;
    let start = || Crawl::new([server.url("/p/0")]).unwrap().rate(0.0).database(database).start();
    let mut crawl = start().await.unwrap();
    crawl.next().await.unwrap();
    drop(crawl);
    // The next one gets the database once the first has ended.
    let crawl = loop {
        match start().await {
            Ok(crawl) => break crawl,
            Err(CrawlError::Store(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(count(database, "select count(*) from runs").await, 1, "the interrupted run goes on");
    let summary = crawl.finish().await.unwrap();
    assert_eq!((summary.outcome, summary.accounting.fetched), (CrawlEnd::Finished, 3_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_stops_a_crawl_and_what_was_committed_stays() {
    let server = Server::start(|path| graph_page(3_000, 300, path).delayed(Duration::from_millis(1))).await.unwrap();
    let place = Place::new();
    let database = &place.database;
    let token = CancellationToken::new();
    let crawl = Crawl::new([server.url("/p/0")]).unwrap().rate(0.0).database(database).cancelled_by(token.clone());
    let mut crawl = crawl.start().await.unwrap();
    crawl.next().await.unwrap();
    token.cancel();
    let summary = crawl.finish().await.unwrap();
    assert_eq!(summary.outcome, CrawlEnd::Interrupted);
    assert_eq!(count(database, "select fetched from accounting").await, summary.accounting.fetched);
    assert_eq!(count(database, "select pending from accounting").await, summary.accounting.pending);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_crawl_leaves_a_token_that_others_share_alone() {
    let server = Server::start(|path| graph_page(50, 300, path)).await.unwrap();
    let place = Place::new();
    let token = CancellationToken::new();
    let crawl = Crawl::new([server.url("/p/0")]).unwrap().database(&place.database);
    drop(crawl.cancelled_by(token.clone()).start().await.unwrap());
    assert!(!token.is_cancelled());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_crawls_run_in_one_process() {
    let server = Server::start(|path| graph_page(40, 300, path)).await.unwrap();
    let other = Server::start(|path| graph_page(30, 300, path)).await.unwrap();
    let dir = tempdir().unwrap();
    let crawl = |server: &Server, file: &str| {
        Crawl::new([server.url("/p/0")]).unwrap().rate(0.0).database(dir.path().join(file)).start()
    };
    let (one, two) = tokio::join!(crawl(&server, "one.db"), crawl(&other, "two.db"));
    let (one, two) = tokio::join!(one.unwrap().finish(), two.unwrap().finish());
    assert_eq!((one.unwrap().accounting.fetched, two.unwrap().accounting.fetched), (40, 30));
}

/// Notes what it is shown, and keeps out what ends in an odd number.
#[derive(Clone, Default)]
struct Odd {
    asked: Arc<AtomicUsize>,
    shown: Arc<Mutex<Vec<String>>>,
}

impl Hook for Odd {
    fn skip(&self, url: &url::Url) -> Option<String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let odd = url.path().ends_with(['1', '3', '5', '7', '9']);
        odd.then(|| "odd".to_owned())
    }

    fn response(&self, page: &Page) {
        self.shown.lock().unwrap().push(page.url().to_owned());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_keeps_urls_out_and_its_reason_is_data() {
    let server = Server::start(|path| graph_page(20, 300, path)).await.unwrap();
    let place = Place::new();
    let database = &place.database;
    let hook = Odd::default();
    let crawl = Crawl::new([server.url("/p/0")]).unwrap().rate(0.0).database(database).hook(hook.clone());
    let summary = crawl.start().await.unwrap().finish().await.unwrap();
    assert!(summary.accounting.skipped > 0);
    let skipped = count(database, "select count(*) from skipped where reason = 'hook: odd'").await;
    assert_eq!(skipped, summary.accounting.skipped);
    assert_eq!(hook.shown.lock().unwrap().len(), usize::try_from(summary.accounting.fetched).unwrap());
    let fetched = server.hits();
    assert!(fetched.iter().all(|hit| !hit.path.starts_with("/p/") || !hit.path.ends_with(['1', '3', '5', '7', '9'])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_can_keep_a_seed_out_and_the_next_crawl_without_it_takes_it() {
    let server = Server::start(|path| graph_page(1, 300, path)).await.unwrap();
    let place = Place::new();
    let database = &place.database;
    let crawl = || Crawl::new([server.url("/p/1"), server.url("/p/0")]).unwrap().rate(0.0).database(database);
    crawl().hook(Odd::default()).start().await.unwrap().finish().await.unwrap();
    let by_hook = "select count(*) from skipped where reason like 'hook%'";
    assert_eq!(count(database, by_hook).await, 1);
    crawl().start().await.unwrap().finish().await.unwrap();
    assert_eq!(count(database, by_hook).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_that_wait_are_judged_by_the_hook_of_a_later_crawl() {
    let server = Server::start(|path| graph_page(200, 300, path)).await.unwrap();
    let place = Place::new();
    let database = &place.database;
    let crawl = || Crawl::new([server.url("/p/0")]).unwrap().rate(0.0).database(database);
    crawl().max_pages(1).start().await.unwrap().finish().await.unwrap();
    let before = server.hit_count();
    crawl().hook(Odd::default()).start().await.unwrap().finish().await.unwrap();
    let later = &server.hits()[before..];
    assert!(!later.is_empty() && later.iter().all(|hit| !hit.path.ends_with(['1', '3', '5', '7', '9'])));
}

#[test]
fn the_first_text_that_is_no_url_is_named_without_its_password() {
    let refused = |seeds: &[&str]| Crawl::new(seeds).unwrap_err();
    assert_eq!(refused(&["http://a.test/", "ftp://b.test/", "nonsense"]).seed(), "ftp://b.test/");
    let told = refused(&["ftp://user:secret@b.test/"]).to_string();
    assert!(told.contains("b.test") && !told.contains("secret"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_work_and_a_database_in_use_are_typed_errors() {
    let place = Place::in_file();
    let database = &place.database;
    let start = Crawl::new(["http://127.0.0.1:9/"]).unwrap().concurrency(0).database(database).start().await;
    assert!(matches!(start, Err(CrawlError::Config(_))));
    let server = Server::start(|path| graph_page(9, 300, path).delayed(Duration::from_secs(5))).await.unwrap();
    let first = Crawl::new([server.url("/p/0")]).unwrap().database(database).start().await.unwrap();
    let second = Crawl::new([server.url("/p/0")]).unwrap().database(database).start().await;
    assert!(matches!(second, Err(CrawlError::Store(harvestman::StoreError::InUse { .. }))));
    drop(first);
}

/// Panics where it is asked.
struct Panics;

impl Hook for Panics {
    fn skip(&self, url: &url::Url) -> Option<String> {
        assert!(!url.path().ends_with("/1"), "the hook's own fault");
        None
    }

    fn response(&self, page: &Page) {
        assert!(!page.url().ends_with("/2"), "the hook's own fault");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_panics_ends_nothing() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("Sitemap: /map/1"),
        path => graph_page(4, 300, path),
    });
    let server = server.await.unwrap();
    let place = Place::new();
    let database = &place.database;
    let crawl = Crawl::new([server.url("/p/0")]).unwrap().rate(0.0).sitemaps(true).database(database).hook(Panics);
    let summary = crawl.start().await.unwrap().finish().await.unwrap();
    assert_eq!(summary.outcome, CrawlEnd::Finished);
    let skipped = "select count(*) from skipped where reason = 'hook: it panicked'";
    assert_eq!(count(database, skipped).await, 2, "a page and a sitemap");
    assert_eq!(count(database, "select count(*) from failures where url like '%/p/2'").await, 1);
}

/// What another process that opens the database for writing sees fetched: Python's SQLite, which is mostly older than the
/// crawler's own and trusts the locks on the file alone. None without Python.
async fn seen_by_another_process(database: &Path) -> Option<i64> {
    let program = "import sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1])\n\
        db.execute('begin immediate'); db.execute('commit')\n\
        print(db.execute('select fetched from accounting').fetchone()[0])\n\
        db.close()";
    let mut command = std::process::Command::new("python3");
    command.args(["-c", program]).arg(database);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().ok()?;
    String::from_utf8(output.stdout).unwrap().trim().parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_crawl_that_is_refused_leaves_the_locks_of_the_first_alone() {
    let server = Server::start(|path| graph_page(150, 300, path).delayed(Duration::from_millis(20))).await.unwrap();
    let place = Place::in_file();
    let database = &place.database;
    let start = || Crawl::new([server.url("/p/0")]).unwrap().rate(0.0).database(database).start();
    let mut crawl = start().await.unwrap();
    crawl.next().await.unwrap();
    assert!(start().await.is_err());
    // It must not believe that it is the last to have the file open, and put the write-ahead log away.
    if seen_by_another_process(database).await.is_none() {
        return eprintln!("skipped: there is no python3 with SQLite");
    }
    for _ in 1..100 {
        crawl.next().await.unwrap();
    }
    let seen = seen_by_another_process(database).await.unwrap();
    assert!(seen >= 100, "of 100 committed pages {seen} are seen");
    assert_eq!(crawl.finish().await.unwrap().accounting.fetched, 150);
}
