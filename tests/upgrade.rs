//! Databases of earlier versions open, are brought up to date, and lose nothing.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::Path;

use common::{Bench, stderr, stdout};
use harvestman::demo::{Server, graph_page};
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

/// A database as it was after the first `count` migrations.
async fn database_after(bench: &Bench, count: usize) -> SqliteConnection {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let mut files: Vec<_> = std::fs::read_dir(migrations).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let folder = bench.path("migrations");
    std::fs::create_dir(&folder).unwrap();
    for file in &files[..count] {
        std::fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
    }
    let options = SqliteConnectOptions::new().filename(bench.path("crawl.db")).create_if_missing(true);
    let mut db = SqliteConnection::connect_with(&options).await.unwrap();
    Migrator::new(folder.as_path()).await.unwrap().run(&mut db).await.unwrap();
    db
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_of_the_first_version_is_continued() {
    let server = Server::start(|path| graph_page(5, 300, path)).await.unwrap();
    let bench = Bench::new();
    let mut db = database_after(&bench, 1).await;
    let (host, url) = (server.url(""), server.url("/p/0"));
    sqlx::query("insert into run (id, started_at) values (1, 1000)").execute(&mut db).await.unwrap();
    sqlx::query("insert into host (id, host, next_at) values (1, ?1, 2000)").bind(host).execute(&mut db).await.unwrap();
    sqlx::query("insert into url (id, url, host_id, state, depth, first_seen_at) values (1, ?1, 1, 0, 0, 1000)")
        .bind(&url)
        .execute(&mut db)
        .await
        .unwrap();
    db.close().await.unwrap();
    let output = bench.run(&["crawl", &url, "--rate", "0"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let all = "select (select count(*) from runs), (select count(*) from pages where status = 200),
                   (select first_seen_at from pages where url like '%/p/0')";
    assert_eq!(bench.rows(all).await, ["1|5|1970-01-01T00:00:01.000Z"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_the_first_version_is_explained_as_far_as_it_can_be() {
    let bench = Bench::new();
    let mut db = database_after(&bench, 1).await;
    let rows = "insert into run (id, started_at) values (1, 1000);
        insert into meta values ('holder', 'nobody');
        insert into host (id, host, robots_at, robots_status, robots_body)
            values (1, 'http://old.test', 1000, 200, x'557365722d6167656e743a202a0a446973616c6c6f773a202f700a');
        insert into url (id, url, host_id, state, reason, depth, first_seen_at)
            values (1, 'http://old.test/p', 1, 3, 'robots', 0, 1000)";
    sqlx::raw_sql(rows).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    for (url, words) in [
        ("http://old.test/p", ["skipped: robots", "line 2: Disallow: /p", "kept no settings"]),
        ("http://old.test/new", ["unknown", "No rule matches", "earlier version"]),
    ] {
        let output = bench.run(&["explain", url]).await;
        let told = stdout(&output);
        assert!(output.status.success() && words.iter().all(|word| told.contains(word)), "{told}{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_from_before_the_search_gets_its_index_when_it_is_first_searched() {
    let bench = Bench::new();
    let mut db = database_after(&bench, 4).await;
    for sql in [
        "insert into host (id, host) values (1, 'http://a.test')",
        "insert into url (id, url, host_id, state, depth, first_seen_at) values (1, 'http://a.test/1', 1, 1, 0, 0)",
        "insert into page (url_id, status, title, size, fetched_at, changed_at, elapsed_ms, headers)
         values (1, 200, 'Old', 0, 0, 0, 0, '[]')",
        "insert into content (url_id, text) values (1, 'a needle')",
    ] {
        sqlx::query(sql).execute(&mut db).await.unwrap();
    }
    db.close().await.unwrap();
    let output = bench.run(&["search", "needle"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "Old\n  http://a.test/1\n  a [needle]\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_from_before_scripts_without_spaces_is_made_anew_when_it_is_first_searched() {
    let bench = Bench::new();
    let mut db = database_after(&bench, 13).await;
    for sql in [
        "insert into host (id, host) values (1, 'http://a.test')",
        "insert into url (id, url, host_id, state, depth, first_seen_at) values (1, 'http://a.test/1', 1, 1, 0, 0)",
        "insert into page (url_id, status, title, size, fetched_at, changed_at, elapsed_ms, headers)
         values (1, 200, 'Old', 0, 0, 0, 0, '[]')",
        "insert into content (url_id, text) values (1, 'a needle 今天讨论全文检索')",
        "insert into page_index (rowid, title, text) values (1, 'Old', 'a needle 今天讨论全文检索')",
    ] {
        sqlx::query(sql).execute(&mut db).await.unwrap();
    }
    db.close().await.unwrap();
    for (words, said) in [("全文检索", "brought up to date first"), ("needle", "")] {
        let output = bench.run(&["search", words]).await;
        assert!(output.status.success() && stderr(&output).contains(said), "{}", stderr(&output));
        assert!(stdout(&output).starts_with("Old\n  http://a.test/1\n  a "), "{}", stdout(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_the_first_version_is_read_without_being_changed() {
    let bench = Bench::new();
    let mut db = database_after(&bench, 1).await;
    let rows = "insert into run (id, started_at) values (1, 1000);
        insert into host (id, host) values (1, 'http://old.test');
        insert into url (id, url, host_id, state, depth, first_seen_at) values (1, 'http://old.test/', 1, 1, 0, 1000),
            (2, 'http://old.test/gone', 1, 2, 1, 1000);
        insert into failure values (2, 'dns', 'no such name', 1, 1000);
        insert into page (url_id, status, content_type, title, size, fetched_at, changed_at, elapsed_ms, headers)
            values (1, 200, 'text/html', 'Old', 0, 1000, 1000, 5, '[]');
        insert into link values (1, 0, 2, 'gone', '', 'a', 1)";
    sqlx::raw_sql(rows).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    let before = std::fs::read(bench.path("crawl.db")).unwrap();
    for (args, words) in [
        (&["show", "http://old.test/gone"][..], "no such name"),
        (&["explain", "http://old.test/gone"], "failed: dns"),
        (&["report", "--output", "-"], "http://old.test/gone"),
        (&["export", "--format", "sitemap", "--output", "-"], "<loc>http://old.test/</loc>"),
        (&["export", "--format", "csv", "--output", "-"], "Old"),
    ] {
        let output = bench.run(args).await;
        assert!(output.status.success() && stdout(&output).contains(words), "{args:?}: {}", stderr(&output));
    }
    assert_eq!(std::fs::read(bench.path("crawl.db")).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_first_version_skipped_is_judged_by_the_settings_of_now() {
    let server = Server::start(|path| graph_page(2, 300, path)).await.unwrap();
    let bench = Bench::new();
    let mut db = database_after(&bench, 9).await;
    let (host, seed) = (server.url(""), server.url("/p/0"));
    let rows = format!(
        r#"insert into run (id, started_at, outcome) values (1, 1000, 'limit');
        insert into host (id, host) values (1, '{host}');
        insert into url (id, url, host_id, state, reason, depth, first_seen_at)
            values (1, '{seed}', 1, 0, null, 0, 1000), (2, '{host}/alone', 1, 3, 'excluded', 1, 1000);
        insert into seed values (1);
        insert into meta values ('settings', 'Host [] [Regex("alone")] None 4096 false true harvestman ["{seed}"]'),
            ('config', '{{"scope":"host","include":[],"exclude":["alone"],"max_depth":null,"max_url_length":4096,
                "ignore_robots":false,"user_agent":"harvestman/0.1.0","rate":2.0,"retries":3,"max_redirects":10,
                "max_body_size":10485760,"recrawl_after_ms":0,"recrawl_min_ms":3600000,"recrawl_max_ms":2592000000}}')"#
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(rows)).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    let told = stdout(&bench.run(&["explain", &server.url("/alone")]).await);
    assert!(told.contains("--exclude alone matches it"), "{told}");
    let output = bench.run(&["crawl", &seed, "--rate", "0"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(bench.rows("select state from urls where url like '%alone'").await, ["fetched"]);
    assert_eq!(bench.rows("select key from meta where key = 'settings'").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_becomes_one_document_and_a_hook_in_it_is_not_forgotten() {
    let server = Server::start(|path| graph_page(2, 300, path)).await.unwrap();
    let bench = Bench::new();
    let mut db = database_after(&bench, 13).await;
    let (host, seed) = (server.url(""), server.url("/p/0"));
    let rows = format!(
        r#"insert into run (id, started_at, outcome) values (1, 1000, 'limit');
        insert into host (id, host) values (1, '{host}');
        insert into url (id, url, host_id, state, reason, depth, first_seen_at)
            values (1, '{seed}', 1, 0, null, 0, 1000), (2, '{host}/alone', 1, 3, 'hook: not today', 1, 1000);
        insert into seed values (1);
        insert into meta values ('gated', '1'), ('due', '{{}}'), ('config', '{{"scope":"host","max-depth":3}}')"#
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(rows)).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    let crawl = ["crawl", &seed, "--rate", "0", "--max-depth", "3"];
    let output = bench.run(&crawl).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(bench.rows("select state from urls where url like '%alone'").await, ["fetched"]);
    assert_eq!(bench.rows("select key from meta order by key").await, ["config", "holder", "invocation"]);
    let told = bench.rows("select value ->> '$.max-depth', value ->> '$.gated' from meta where key = 'config'").await;
    assert_eq!(told, ["3|null"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_fetched_is_due_by_its_age() {
    let server = Server::start(|path| graph_page(2, 300, path)).await.unwrap();
    let bench = Bench::new();
    let mut db = database_after(&bench, 9).await;
    let rows = "insert into run (id, started_at, finished_at, outcome) values (1, 1000, 2000, 'finished');
        insert into meta values ('recrawl_after_ms', '0'), ('respect_cache', '0'), ('sitemaps', '0')";
    sqlx::raw_sql(rows).execute(&mut db).await.unwrap();
    sqlx::query("insert into host (id, host) values (1, ?1)").bind(server.url("")).execute(&mut db).await.unwrap();
    for (id, age) in [(1_i64, 7_200_000_i64), (2, 1_000)] {
        sqlx::query("insert into url (id, url, host_id, state, depth, first_seen_at) values (?1, ?2, 1, 1, 0, 0)")
            .bind(id)
            .bind(server.url(&format!("/p/{}", id - 1)))
            .execute(&mut db)
            .await
            .unwrap();
        sqlx::query(
            "insert into page (url_id, status, size, fetched_at, changed_at, elapsed_ms, headers)
             values (?1, 200, 0, cast(unixepoch('subsec') * 1000 as integer) - ?2, 0, 0, '[]')",
        )
        .bind(id)
        .bind(age)
        .execute(&mut db)
        .await
        .unwrap();
    }
    db.close().await.unwrap();
    let output = bench.run(&["crawl", &server.url("/p/0"), "--rate", "0", "--recrawl-after", "1h"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let asked: Vec<_> = server.hits().into_iter().map(|hit| hit.path).collect();
    assert_eq!(asked, ["/robots.txt", "/p/0"]);
    assert_eq!(bench.rows("select count(due_at) from recrawl").await, ["2"]);
}
