//! The same command on PostgreSQL: see tests/common/postgres.rs for where.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::postgres::Schema;
use common::{Bench, page, stderr, stdout};
use harvestman::demo::{Reply, Server, graph_page};
use sqlx::Connection as _;
use sqlx::migrate::Migrator;

/// A schema that exists.
async fn schema() -> Option<Schema> {
    let schema = Schema::new()?;
    schema.execute("select 1".to_owned()).await;
    Some(schema)
}

const VIEWS: [&str; 6] = [
    "select url, host, state, reason, depth from urls order by url",
    "select url, status, content_type, charset, title, text, size, content_hash, depth from pages order by url",
    "select from_url, to_url, text, rel, element, part, count(*) from links group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3",
    "select host, discovered, fetched, failed, skipped, pending, robots_status from hosts order by host",
    "select discovered, fetched, failed, skipped, pending, unchanged, bytes, requests, outcome from runs order by id",
    "select from_url, to_url, status from broken_links order by 1, 2",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_leaves_in_its_views_what_it_leaves_on_sqlite() {
    let Some(schema) = schema().await else { return };
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::html("User-agent: *\nDisallow: /p/7"),
        "/p/3" => Reply::status(404),
        "/p/5" => Reply::redirect(301, "/p/6"),
        path => graph_page(40, 3_000, path),
    })
    .await
    .unwrap();
    let bench = Bench::on_sqlite();
    let seed = server.url("/p/0");
    let crawl = |database: String| {
        let args = ["crawl", &seed, "--rate", "0", "--json", "-d", &database].map(str::to_owned);
        let bench = &bench;
        async move { bench.run(&args.each_ref().map(String::as_str)).await }
    };
    for _ in 0..2 {
        let (file, postgres) = (crawl("crawl.db".to_owned()).await, crawl(schema.url.clone()).await);
        assert_eq!((file.status.code(), postgres.status.code()), (Some(0), Some(0)), "{}", stderr(&postgres));
        for view in VIEWS {
            let null_is_empty = |row: &String| {
                row.split('|').map(|cell| if cell == "null" { "" } else { cell }).collect::<Vec<_>>().join("|")
            };
            let expected: Vec<_> = bench.rows(view).await.iter().map(null_is_empty).collect();
            assert_eq!(schema.rows(view).await, expected, "{view}");
        }
        let told = |output| {
            let mut told: serde_json::Value = serde_json::from_str(&stdout(output)).unwrap();
            for own in ["elapsed_seconds", "started_at", "finished_at"] {
                told.as_object_mut().unwrap().remove(own);
            }
            told
        };
        assert_eq!(told(&postgres), told(&file));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_that_was_stopped_goes_on_and_a_killed_one_once_its_lease_has_ended() {
    let Some(schema) = schema().await else { return };
    let requests = std::sync::Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    let server = Server::start(move |path| {
        count.fetch_add(usize::from(path.starts_with("/p/")), Ordering::SeqCst);
        graph_page(30, 1_000, path)
    })
    .await
    .unwrap();
    let bench = Bench::on_sqlite();
    let seed = server.url("/p/0");
    let crawl = ["crawl", &seed, "--rate", "0", "-d", &schema.url];
    let stopped = bench.run(&[&crawl[..], &["--max-pages", "10"]].concat()).await;
    assert_eq!(stopped.status.code(), Some(0), "{}", stderr(&stopped));
    assert_eq!(schema.rows("select outcome from runs").await, ["limit"]);
    let mut killed = bench.start(&["crawl", &seed, "--rate", "0.01", "-d", &schema.url]);
    while schema.rows("select 1 from node where leased_until > now()").await.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let in_use = bench.run(&crawl).await;
    assert_eq!(in_use.status.code(), Some(4), "{}", stderr(&in_use));
    assert!(
        stderr(&in_use).contains("in use by nodes with other settings: --rate is `0` here and `0.01` there"),
        "{}",
        stderr(&in_use)
    );
    schema.lapse().await;
    let done = bench.run(&crawl).await;
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert_eq!(schema.rows("select discovered, fetched, pending from accounting").await, ["30|30|0"]);
    assert_eq!(schema.rows("select count(*), count(distinct url) from pages").await, ["30|30"]);
    assert!(requests.load(Ordering::SeqCst) <= 31, "one may have been in flight when it was killed");
}

/// Brings a schema to where it was after some migrations, and leaves a crawl in it that was stopped: what was fetched, what waits,
/// what failed and what was left out.
async fn fill(schema: &Schema, migrations: &Path, host: &str) {
    let mut db = schema.connect().await;
    Migrator::new(migrations).await.unwrap().run(&mut db).await.unwrap();
    db.close().await.unwrap();
    schema
        .execute(format!(
            "insert into run (started_at, outcome, discovered, fetched, failed, skipped, pending, requests)
                 values (1000, 'interrupted', 4, 1, 1, 1, 1, 2);
             insert into node (name, leased_until, ended_at) values ('old', now(), now());
             insert into host (host, asked_at) values ('{host}', 1000);
             insert into url (hash, url, host_id, state, reason, depth, first_seen_at)
                 select substring(sha256(convert_to(u, 'UTF8')) for 16), u, 1, state, reason, depth, 1000
                 from (values ('{host}/p/0', 1, null, 0), ('{host}/p/1', 0, null, 1), ('{host}/gone', 2, null, 1),
                     ('http://elsewhere.test/', 3, 'scope', 1)) v (u, state, reason, depth);
             insert into page (url_id, status, content_type, title, size, fetched_at, changed_at, elapsed_ms, headers, gone,
                 new_run, new_at, kept) values (1, 200, 'text/html', 'Old', 6, 1000, 1000, 5, '[]', false, 1, 1000, 15);
             insert into content values (1, 'a needle', 'needle');
             insert into link values (1, 0, 2, 'next', '', 'a', true), (1, 1, 3, 'gone', '', 'a', true);
             insert into failure values (3, 'dns', 'no such name', 1, 1000);
             insert into request (run_id, url_id, at, status, elapsed_ms, bytes, unchanged)
                 values (1, 1, 1000, 200, 5, 6, false);
             insert into seed values (1);
             insert into seed_line (url_id, given) values (1, '{host}/p/0')"
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_of_each_earlier_version_goes_on_and_loses_nothing() {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let mut files: Vec<_> = std::fs::read_dir(migrations).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let bench = Bench::on_sqlite();
    let folder = bench.path("migrations");
    std::fs::create_dir(&folder).unwrap();
    for file in &files[..files.len() - 1] {
        std::fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
        let Some(schema) = schema().await else { return };
        let server = Server::start(|path| match path {
            "/p/1" => page(["/p/2"]),
            "/p/2" => page(["/p/0"]),
            _ => Reply::status(404),
        });
        let server = server.await.unwrap();
        fill(&schema, &folder, &server.url("")).await;
        let after = file.display();
        let output = bench.run(&["crawl", &server.url("/p/0"), "--rate", "0", "-d", &schema.url]).await;
        assert_eq!(output.status.code(), Some(0), "{after}: {}", stderr(&output));
        let asked: Vec<_> = server.hits().into_iter().map(|hit| hit.path).collect();
        assert_eq!(asked, ["/robots.txt", "/p/1", "/p/2"], "{after}");
        let counted = "discovered, fetched, failed, skipped, pending";
        for counters in ["accounting", "runs"] {
            assert_eq!(schema.rows(&format!("select {counted} from {counters}")).await, ["5|3|1|1|0"], "{after}");
        }
        assert_eq!(schema.rows("select outcome, requests from runs").await, ["finished|5"], "{after}");
        let old = "select first_seen_at, title from pages where url like '%/p/0'";
        assert_eq!(schema.rows(old).await, ["1970-01-01T00:00:01.000Z|Old"], "{after}");
        assert_eq!(schema.rows("select kind, message from failures").await, ["dns|no such name"], "{after}");
        let found = bench.run(&["search", "needle", "-d", &schema.url]).await;
        assert!(stdout(&found).starts_with("Old\n"), "{after}: {}{}", stdout(&found), stderr(&found));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_takes_no_page_for_several_leases_costs_the_node_none_of_its_hosts() {
    let Some(schema) = schema().await else { return };
    let server = Server::start(|path| graph_page(200, 300, path)).await.unwrap();
    let crawl =
        harvestman::Crawl::new([server.url("/p/0")]).unwrap().rate(0.0).lease(std::time::Duration::from_secs(1));
    let mut crawl = crawl.database(&schema.url).start().await.unwrap();
    let held = "select 1 from node where not gone and seen_at > started_at + interval '4 seconds'";
    let began = std::time::Instant::now();
    while schema.rows(held).await.is_empty() {
        assert!(began.elapsed().as_secs() < 60, "its lease is not renewed while the listener takes nothing");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mut pages = 0;
    while crawl.next().await.is_some() {
        pages += 1;
    }
    assert_eq!((pages, server.hit_count()), (200, 201));
    crawl.finish().await.unwrap();
    assert_eq!(schema.rows("select state, fetched from nodes").await, ["ended|200"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_and_thresholds_are_those_of_sqlite() {
    let Some(schema) = schema().await else { return };
    let server = Server::start(|path| match path {
        "/" => page(["/gone"]),
        _ => Reply::status(404),
    })
    .await
    .unwrap();
    let bench = Bench::on_sqlite();
    let crawl = |path| {
        let seed = server.url(path);
        let args = ["crawl", &seed, "--rate", "0", "--fail-on", "broken_links>0", "-d", &schema.url].map(str::to_owned);
        let bench = &bench;
        async move { bench.run(&args.each_ref().map(String::as_str)).await }
    };
    let missing = crawl("/missing").await;
    assert_eq!(missing.status.code(), Some(3), "{}", stderr(&missing));
    assert!(stderr(&missing).contains("/missing (404)"), "{}", stderr(&missing));
    let broken = crawl("/").await;
    assert_eq!(broken.status.code(), Some(5), "{}", stderr(&broken));
}

const READERS: [&[&str]; 8] = [
    &["status"],
    &["query", "select 1"],
    &["show", "http://a.test/"],
    &["explain", "http://a.test/"],
    &["report", "--output", "-"],
    &["export", "--format", "jsonl", "--output", "-"],
    &["changes"],
    &["vacuum"],
];

#[tokio::test]
async fn a_schema_without_a_crawl_or_with_something_else_is_refused_in_a_line_and_no_password_is_shown() {
    let Some(schema) = schema().await else { return };
    let bench = Bench::on_sqlite();
    let mut url = url::Url::parse(&schema.url).unwrap();
    url.set_password(Some("hunter2")).unwrap();
    let theirs = "create table _sqlx_migrations (version bigint, success boolean, checksum bytea);
                  insert into _sqlx_migrations values (1, true, '\\x00'); create table page (a int)";
    for (state, says) in [("select 1", "it holds no crawl"), (theirs, "holds no crawl but something else")] {
        schema.execute(state.to_owned()).await;
        for command in READERS {
            let refused = bench.run(&[command, &["-d", url.as_str()]].concat()).await;
            let told = stderr(&refused);
            assert_eq!((refused.status.code(), stdout(&refused)), (Some(1), String::new()), "{command:?}: {told}");
            assert!(told.starts_with("error: cannot open the database `postgres://") && told.contains(says), "{told}");
            assert!(told.lines().count() == 1 && !told.contains("hunter2") && !told.contains("postgres@"), "{told}");
        }
    }
    for wrong in ["postgres://me:hunter2@127.0.0.1:1/x", "postgres://me:hunter2@h@ost/x", "postgres://me:hunter2@[/x"] {
        for command in READERS.iter().chain(&[&["crawl", "http://127.0.0.1:1/"][..]]) {
            let refused = bench.run(&[command, &["-d", wrong][..]].concat()).await;
            assert_eq!(refused.status.code(), Some(1), "{command:?}");
            assert!(!stderr(&refused).contains("hunter2"), "{}", stderr(&refused));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_question_is_asked_and_nothing_is_changed_by_it() {
    let Some(schema) = schema().await else { return };
    let server = Server::start(|path| graph_page(4, 100, path)).await.unwrap();
    let bench = Bench::on_sqlite();
    let crawled = bench.run(&["crawl", &server.url("/p/0"), "--rate", "0", "-d", &schema.url]).await;
    assert!(crawled.status.success(), "{}", stderr(&crawled));
    let ask = async |sql: &str| bench.run(&["query", sql, "--format", "csv", "-d", &schema.url]).await;
    for sql in ["values (1)", "with n as (select 1) select * from n", " -- one\n(select 1);", "table accounting"] {
        assert!(ask(sql).await.status.success(), "{sql}");
    }
    for sql in [
        "select 1; delete from url",
        "delete from url",
        "with gone as (delete from url returning 1) select * from gone",
        "select nextval('url_id')",
        "select 1 into other",
        "select * from url for update",
        "commit; delete from url",
        "copy url to stdout",
        "set transaction read write",
        "select set_config('transaction_read_only', 'off', true) from (values (1), (2)) v",
        "explain analyze delete from url",
        "do $$ begin delete from url; end $$",
        "",
        "-- nothing",
    ] {
        let refused = ask(sql).await;
        assert_eq!(refused.status.code(), Some(1), "{sql}: {}", stdout(&refused));
        assert!(stderr(&refused).starts_with("error: "), "{sql}: {}", stderr(&refused));
    }
    assert_eq!(schema.rows("select count(*) from url").await, ["4"]);
    let short = format!("{}&options[statement_timeout]=100", schema.url);
    for sql in [
        "select pg_sleep(60)",
        "select pg_sleep(60 * n), set_config('statement_timeout', '0', true) from generate_series(0, 1) n",
    ] {
        let slow = bench.run(&["query", sql, "-d", &short]).await;
        assert!(stderr(&slow).contains("statement timeout"), "{}", stderr(&slow));
    }
    let types =
        "select 1::smallint as a, 2.50::numeric as b, 12::numeric as c, true as d, null as e, '\\x00ff'::bytea as f,
        '{\"k\": 1}'::jsonb as g, date '2026-01-31' as h, array[1, 2] as i, 'x'::name as j, 0.1::float8 as k";
    let typed = bench.run(&["query", types, "--format", "jsonl", "-d", &schema.url]).await;
    let expected = r#"{"a":1,"b":2.5,"c":12,"d":1,"e":null,"f":"AP8=","g":"{\"k\": 1}","h":"2026-01-31","i":"{1,2}","j":"x","k":0.1}"#;
    assert_eq!(stdout(&typed).trim_end(), expected, "{}", stderr(&typed));
    let vacuumed = bench.run(&["vacuum", "-d", &schema.url]).await;
    assert!(
        vacuumed.status.success() && schema.rows("select count(*) from pages").await == ["4"],
        "{}",
        stderr(&vacuumed)
    );
}
