//! `copy`: a crawl from one database to another. To PostgreSQL, and back, where a server is named.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::postgres::Schema;
use common::{Bench, page, stderr, stdout};
use harvestman::demo::{Reply, Server, graph_page};
use harvestman::internals::config::Config;
use harvestman::internals::store::Store as _;
use harvestman::internals::store::copies::TABLES;
use harvestman::internals::store::postgres::PgDatabase;
use harvestman::internals::store::sqlite::SqliteDatabase;
use harvestman::{Crawl, CrawlError, StoreError};

const VIEWS: [&str; 28] = [
    "accounting",
    "bodies",
    "broken_links",
    "changes",
    "duplicates",
    "failures",
    "fetches",
    "headers",
    "host_links",
    "hosts",
    "inbound_links",
    "links",
    "orphans",
    "page_ranks",
    "pages",
    "queue",
    "recrawl",
    "redirect_chains",
    "redirects",
    "runs",
    "seeds",
    "skipped",
    "traps",
    "urls",
    "versions",
    "_heir",
    "_url",
    "_host",
];

/// The rows of all views of a database, in an order of their own.
async fn views(bench: &Bench, database: &str) -> Vec<(&'static str, Vec<String>)> {
    let mut views = Vec::new();
    for view in VIEWS {
        let sql = format!("select * from {view}");
        let output = bench.run(&["query", &sql, "--format", "jsonl", "-d", database]).await;
        assert!(output.status.success(), "{view}: {}", stderr(&output));
        let mut rows: Vec<_> = stdout(&output).lines().map(str::to_owned).collect();
        rows.sort();
        views.push((view, rows));
    }
    views
}

async fn same(bench: &Bench, one: &str, other: &str) {
    for ((view, one), (_, other)) in views(bench, one).await.into_iter().zip(views(bench, other).await) {
        assert_eq!(one, other, "{view}");
    }
}

async fn crawl(bench: &Bench, seed: &str, database: &str, more: &[&str]) -> String {
    let output = bench.run(&[&["crawl", seed, "--rate", "0", "--json", "-d", database], more].concat()).await;
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

async fn copy(bench: &Bench, from: &str, to: &str) {
    let output = bench.run(&["copy", from, to]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("Copied: "), "{}", stderr(&output));
}

/// A site with all that the tables hold, which is another on the second visit.
async fn site() -> Server {
    let visits = AtomicUsize::new(0);
    site_of(move || visits.fetch_add(1, Ordering::SeqCst)).await
}

async fn site_of(visits: impl Fn() -> usize + Send + Sync + 'static) -> Server {
    let server = Server::start(move |path| match path {
        "/robots.txt" => Reply::html("User-agent: *\nDisallow: /private"),
        "/" => page(["/a", "/b", "/moved", "/gone", "/private", "/tab%09", "http://other.test/", "/same"]),
        "/a" => Reply::html(format!("<title>Tab\tand \\ back\u{a0}slash</title><p>line\n\nline {}", visits())),
        "/b" | "/same" => Reply::html("<p>käse 全文检索\r\n"),
        "/moved" => Reply::redirect(301, "/a"),
        _ => Reply::status(404),
    });
    server.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back_every_view_is_the_same_and_the_crawl_goes_on_where_it_is() {
    let (server, bench) = (site().await, Bench::on_sqlite());
    for _ in 0..2 {
        crawl(&bench, &server.url("/"), "one.db", &["--keep-versions", "2"]).await;
    }
    copy(&bench, "one.db", "two.db").await;
    same(&bench, "one.db", "two.db").await;
    let Some(schema) = Schema::new() else { return };
    schema.create();
    copy(&bench, "one.db", &schema.url).await;
    same(&bench, "one.db", &schema.url).await;
    copy(&bench, &schema.url, "back.db").await;
    same(&bench, "one.db", "back.db").await;
    let changed = async |database: &str| {
        let told: serde_json::Value =
            serde_json::from_str(&crawl(&bench, &server.url("/"), database, &["--keep-versions", "2"]).await).unwrap();
        ["run", "outcome", "fetched", "unchanged", "changed", "new"].map(|key| told[key].clone())
    };
    assert_eq!(changed(&schema.url).await, changed("back.db").await);
    let again = bench.run(&["copy", "one.db", &schema.url]).await;
    assert_eq!(again.status.code(), Some(1), "it is another by now");
}

/// What the two cannot have in common: when, how long, and an index of words in the form of each.
fn is_its_own(column: &str) -> bool {
    column == "at" || column == "words" || ["_at", "elapsed_ms"].iter().any(|end| column.ends_with(end))
}

/// The columns of a view, and its rows as far as two crawls of one site have them in common, sorted.
async fn shown(bench: &Bench, view: &str) -> (String, Vec<String>) {
    let output = bench.run(&["query", &format!("select * from {view}"), "--format", "jsonl"]).await;
    assert!(output.status.success(), "{view}: {}", stderr(&output));
    let common = |line: &str| {
        let mut row: serde_json::Map<_, _> = serde_json::from_str(line).unwrap();
        // A header tells the time too.
        let is_date = row.get("name").is_some_and(|name| name == "date");
        let own = row.iter_mut().filter(|(column, _)| is_its_own(column) || (is_date && *column == "value"));
        own.for_each(|(_, value)| *value = value.is_null().into());
        serde_json::Value::from(row).to_string()
    };
    let mut rows: Vec<_> = stdout(&output).lines().map(common).collect();
    // These have an order of their own.
    if !["runs", "seeds"].contains(&view) {
        rows.sort();
    }
    (bench.columns(view).await, rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_site_every_view_shows_the_same_columns_and_values_on_both() {
    let Some(schema) = Schema::new() else { return };
    schema.create();
    let night = Arc::new(AtomicUsize::new(0));
    let now = night.clone();
    let server = site_of(move || now.load(Ordering::SeqCst)).await;
    let (file, server_of_data) = (Bench::on_sqlite(), Bench { schema: Some(schema), ..Bench::on_sqlite() });
    for tonight in 0..2 {
        night.store(tonight, Ordering::SeqCst);
        for bench in [&file, &server_of_data] {
            std::fs::write(bench.path("seeds.txt"), format!("{}\nnonsense\n{}\n", server.url("/"), server.url("/b")))
                .unwrap();
            // One after the other, so that what is found where does not hang on who is faster.
            let options = ["--rate", "0", "--max-connections", "1", "--keep-versions", "2", "--index"];
            let crawled = bench.run(&[&["crawl", "seeds.txt"][..], &options].concat()).await;
            assert!(crawled.status.success(), "{}", stderr(&crawled));
        }
    }
    let of_file = "select name from sqlite_master where type = 'view' and substr(name, 1, 1) <> '_' order by 1";
    let of_server = "select viewname from pg_views
        where schemaname = current_schema() and left(viewname, 1) <> '_' order by viewname collate \"C\"";
    let mut views = file.rows(of_file).await;
    // What the full-text index of a file reads.
    views.retain(|view| view != "searchable");
    assert_eq!(views, server_of_data.rows(of_server).await);
    for view in views {
        let (there, here) = (shown(&file, &view).await, shown(&server_of_data, &view).await);
        assert_eq!(there.0, here.0, "{view}");
        // A file has no nodes.
        if view != "nodes" {
            assert_eq!(there.1, here.1, "{view}");
        }
    }
    for bench in [&file, &server_of_data] {
        assert_eq!(bench.rows("select count(*) from hosts where robots_status = '200'").await, ["1"]);
    }
    let ask = "select url, snippet, rank < 0 from search(to_tsquery('simple', 'line')) order by rank";
    assert_eq!(
        server_of_data.rows(ask).await,
        [format!("{}|Tab and \\ back\u{a0}slash … [line] [line] 1|1", server.url("/a"))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_holds_another_crawl_is_refused_and_one_that_is_whole_is_left_alone() {
    let (server, bench) = (site().await, Bench::on_sqlite());
    let schema = Schema::new();
    schema.as_ref().inspect(|schema| schema.create());
    let mut targets = vec!["target.db".to_owned()];
    targets.extend(schema.as_ref().map(|schema| schema.url.clone()));
    crawl(&bench, &server.url("/"), "one.db", &["--max-pages", "2"]).await;
    crawl(&bench, &server.url("/"), "other.db", &["--max-pages", "2"]).await;
    for target in &targets {
        copy(&bench, "one.db", target).await;
        copy(&bench, "one.db", target).await;
        let refused = bench.run(&["copy", "other.db", target]).await;
        let told = stderr(&refused);
        assert!(refused.status.code() == Some(1) && told.contains("holds another crawl"), "{told}");
        crawl(&bench, &server.url("/"), target, &[]).await;
        let whole = bench.run(&["query", "select count(*) from queue", "--format", "csv", "-d", target]).await;
        assert!(stdout(&whole).ends_with("\r\n0\r\n"), "{}", stdout(&whole));
    }
    assert_eq!(bench.run(&["copy", "none.db", "new.db"]).await.status.code(), Some(1));
    assert!(!bench.path("new.db").exists(), "nothing is made for a source that is not there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_killed_goes_on_and_until_then_nobody_crawls_into_it() {
    let server = Server::start(|path| graph_page(600, 4_000, path)).await.unwrap();
    let bench = Bench::on_sqlite();
    crawl(&bench, &server.url("/p/0"), "one.db", &[]).await;
    let schema = Schema::new();
    schema.as_ref().inspect(|schema| schema.create());
    let mut ways = vec![("one.db".to_owned(), "target.db".to_owned())];
    if let Some(schema) = &schema {
        ways.push(("one.db".to_owned(), schema.url.clone()));
        ways.push((schema.url.clone(), "back.db".to_owned()));
    }
    for (from, to) in ways {
        let mut copying = bench.start(&["copy", &from, &to]);
        let is_begun = async || match &schema {
            Some(schema) if to == schema.url => {
                let mark =
                    "select 1 from pg_class where relname = 'meta' and relnamespace = current_schema()::regnamespace";
                !schema.rows(mark).await.is_empty()
                    && !schema.rows("select 1 from meta where key = 'copy'").await.is_empty()
            }
            _ => has_mark(&bench, &to),
        };
        while !is_begun().await {
            assert!(copying.try_wait().unwrap().is_none(), "it was over before it could be killed");
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        copying.kill().unwrap();
        copying.wait().unwrap();
        if let Some(schema) = &schema {
            schema.lapse().await;
        }
        let crawled = bench.run(&["crawl", &server.url("/p/0"), "-d", &to]).await;
        assert_eq!(crawled.status.code(), Some(1), "{}", stderr(&crawled));
        assert!(stderr(&crawled).contains("holds a part of a copy"), "{}", stderr(&crawled));
        let file = if to.contains("://") { to.clone().into() } else { bench.path(&to) };
        let refused = Crawl::new([server.url("/p/0")]).unwrap().database(file).start().await;
        assert!(matches!(refused, Err(CrawlError::Store(StoreError::Partial { .. }))));
        copy(&bench, &from, &to).await;
        same(&bench, "one.db", &to).await;
    }
}

fn has_mark(bench: &Bench, file: &str) -> bool {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let mark = rusqlite::Connection::open_with_flags(bench.path(file), flags)
        .and_then(|db| db.query_row("select 1 from meta where key = 'copy'", [], |_| Ok(())));
    mark.is_ok()
}

/// Tables that belong to a file itself: its schema, its full-text index, what is derived from its pages, and by what its
/// bodies are compressed.
const OF_THE_FILE: [&str; 12] = [
    "_sqlx_migrations",
    "dictionary",
    "unindexed",
    "outdated",
    "unspaced",
    "page_index",
    "derived",
    "meta_value",
    "page_fact",
    "article",
    "near",
    "item",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_table_and_column_of_a_crawl_is_copied() {
    let bench = Bench::on_sqlite();
    SqliteDatabase::open(&bench.path("crawl.db")).await.unwrap().close().await.unwrap();
    let is_of_the_file = |name: &String| OF_THE_FILE.iter().any(|own| name == own || name.starts_with("page_index_"));
    let mut tables =
        bench.rows("select name from sqlite_master where type = 'table' and name not like 'sqlite%'").await;
    tables.retain(|name| !is_of_the_file(name));
    tables.sort();
    let mut copied: Vec<_> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    copied.sort();
    assert_eq!(tables, copied);
    let Some(schema) = Schema::new() else { return };
    schema.create();
    PgDatabase::open(&schema.url, &Config::default()).await.unwrap().close().await.unwrap();
    for table in &TABLES {
        let own = "dictionary_id";
        let here = format!("select name from pragma_table_info('{}') where name <> '{own}'", table.name);
        let here = bench.rows(&here).await;
        let name = table.name_on(true);
        let there = format!("select attname from pg_attribute where attrelid = '{name}'::regclass and attnum > 0");
        let there = schema.rows(&there).await;
        let alone: Vec<_> = here.iter().filter(|column| !there.contains(column)).collect();
        assert!(alone.is_empty(), "{name} of PostgreSQL lacks {alone:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_version_wrote_is_neither_copied_nor_extracted_from() {
    let bench = Bench::on_sqlite();
    SqliteDatabase::open(&bench.path("crawl.db")).await.unwrap().close().await.unwrap();
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (9999, 'newer', true, x'00', 0)";
    bench.write(newer).await;
    for args in [&["copy", "crawl.db", "copy.db"][..], &["extract", "metadata"]] {
        let output = bench.run(args).await;
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("newer version"), "{args:?}: {}", stderr(&output));
    }
    assert!(!bench.path("copy.db").exists());
}
