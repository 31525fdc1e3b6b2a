//! The library's way to read a crawl.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Bench, stderr};
use harvestman::demo::{Reply, Server, graph_page};
use harvestman::read::{Database, ReadError, Value};

async fn crawled() -> (Server, Bench) {
    let server = Server::start(|path| match path {
        "/" => Reply::html("<title>Front</title><a href=/a rel=next>A</a><a href=/b>B</a><a href=/a>A again</a>"),
        "/a" => Reply::html("<title>A</title><link rel=next href=https://www.example.co.uk/x><p>a needle</p>"),
        "/b" => Reply::redirect(301, "/a"),
        _ => Reply::status(404),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = bench.run(&["crawl", &server.url("/"), "--rate", "0", "--index"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    (server, bench)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_plain_structs_with_the_columns_of_the_view() {
    let (server, bench) = crawled().await;
    let db = Database::open(bench.database()).unwrap();
    let mut pages = db.pages().unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    pages.sort_by(|one, other| one.url.cmp(&other.url));
    let urls: Vec<_> = pages.iter().map(|page| page.url.replace(&server.url(""), "")).collect();
    assert_eq!(urls, ["/", "/a", "/b"]);
    let [front, a, b] = &pages[..] else { panic!() };
    assert_eq!((front.status, front.depth, front.referrer.as_deref()), (200, 0, None));
    assert_eq!((a.title.as_deref(), a.text.as_deref(), a.depth), (Some("A"), Some("a needle"), 1));
    assert_eq!((b.status, b.redirect_to.as_deref()), (301, Some(a.url.as_str())));
    let row = db.first("select * from pages", []).unwrap().unwrap();
    let debug = format!("{front:?}");
    assert!(row.columns().iter().all(|column| debug.contains(&format!("{column}: "))), "{debug}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_links_of_a_page_are_found_however_its_url_is_written() {
    let (server, bench) = crawled().await;
    let db = Database::open(match &bench.schema {
        Some(schema) => schema.url.clone(),
        None => format!("sqlite://{}", bench.database()),
    })
    .unwrap();
    let front = server.url("").replace("http", "HTTP");
    let links = db.links_from(&front).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    let texts: Vec<_> = links.iter().map(|link| (link.text.as_str(), link.rel.as_str())).collect();
    assert_eq!(texts, [("A", "next"), ("B", ""), ("A again", "")]);
    assert_eq!(db.links_from("http://nowhere.test/").unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_answers_with_names_and_typed_values() {
    let (_server, bench) = crawled().await;
    let db = Database::open(bench.database()).unwrap();
    let bytes = if bench.schema.is_some() { "decode('00ff', 'hex')" } else { "x'00ff'" };
    let sql = format!(
        "select status, count(*) as pages, null as empty, 0.5 as half, {bytes} as bytes
         from pages where status = ?1 group by status"
    );
    let rows = db.query(&sql, [200.into()]).unwrap();
    assert_eq!(rows.columns(), ["status", "pages", "empty", "half", "bytes"]);
    let rows = rows.collect::<Result<Vec<_>, _>>().unwrap();
    let [row] = &rows[..] else { panic!("{rows:?}") };
    let values = [200.into(), 2.into(), Value::Null, 0.5.into(), vec![0, 255].into()];
    assert_eq!(row.values(), values);
    assert_eq!((row.get::<u16>("status").unwrap(), row.at::<i64>(1).unwrap()), (200, 2));
    let wrong = row.get::<String>("status").unwrap_err().to_string();
    assert_eq!(wrong, "the column `status` holds an integer, not text");
    assert!(matches!(row.get::<i64>("none"), Err(ReadError::Type { .. })));
    let mut twice = db.query("select 1 union select 2", []).unwrap();
    assert_eq!(twice.by_ref().count(), 2);
    assert!(twice.next().is_none(), "an answer ends once");
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_are_taken_apart_by_functions_that_answer_the_same_on_both_stores() {
    let (server, bench) = crawled().await;
    let db = Database::open(bench.database()).unwrap();
    let ask = |sql: &str| db.first(&format!("select {sql}"), []).unwrap().unwrap().at::<Option<String>>(0).unwrap();
    for (sql, expected) in [
        ("url_host('https://a.test:8443/b?c#d')", Some("https://a.test:8443")),
        ("url_host('http://[::1]:80?q')", Some("http://[::1]:80")),
        ("url_host('ftp://a.test/')", None),
        ("url_host('https:///b')", None),
        ("url_host(null)", None),
        ("url_path('https://a.test/b/c?d=/e')", Some("/b/c")),
        ("url_path('https://a.test#/b')", Some("")),
        ("url_path('b/c')", None),
        ("url_param('https://a.test/?q=a%20b+c&q=2', 'q')", Some("a b c")),
        ("url_param('https://a.test/?a&b=', 'a')", Some("")),
        ("url_param('https://a.test/?a&b=c=d', 'b')", Some("c=d")),
        ("url_param('https://a.test/?&x%5By%5D=%C3%BC#?z=1', 'x[y]')", Some("ü")),
        ("url_param('https://a.test/?a#?z=1', 'z')", None),
        ("url_param('https://a.test/', 'a')", None),
        ("url_param('https://a.test/?a=%ff+&b=%zz%4', 'a')", Some("%ff+")),
        ("url_param('https://a.test/?a=%ff+&b=%zz%4', 'b')", Some("%zz%4")),
        ("url_param('https://a.test/?a=%00', 'a')", Some("%00")),
        ("registrable_domain('https://www.example.co.uk/x?y')", Some("example.co.uk")),
        ("registrable_domain(null)", None),
        ("registrable_domain('example.co.uk')", None),
    ] {
        assert_eq!(ask(sql).as_deref(), expected, "{sql}");
    }
    let domains = "select distinct registrable_domain(host) from urls order by 1";
    let domains = db.query(domains, []).unwrap().map(|row| row.unwrap().at(0).unwrap()).collect::<Vec<String>>();
    assert_eq!(domains, ["127.0.0.1", "example.co.uk"]);
    assert_eq!(ask("url_host(url) from pages").unwrap(), server.url("").trim_end_matches('/'));
}

#[tokio::test(flavor = "multi_thread")]
async fn regular_expressions_find_urls() {
    let (_server, bench) = crawled().await;
    let db = Database::open(bench.database()).unwrap();
    let operator = bench.either("url regexp '/[ab]$'", "url ~ '/[ab]$'");
    for condition in [operator, "regexp_like(url, '/[ab]$')"] {
        let sql = format!("select count(*) from pages where {condition}");
        assert_eq!(db.first(&sql, []).unwrap().unwrap().at::<i64>(0).unwrap(), 2, "{sql}");
    }
    let none = format!("select count(*) from pages where {}", bench.either("title regexp null", "title ~ null"));
    assert_eq!(db.first(&none, []).unwrap().unwrap().at::<i64>(0).unwrap(), 0);
    let wrong = db.first("select count(*) from pages where regexp_like(url, '(')", []).unwrap_err();
    assert!(matches!(&wrong, ReadError::Sql { problem } if problem.contains("regular expression")), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_fails_by_its_kind() {
    let (_server, bench) = crawled().await;
    let db = Database::open(bench.database()).unwrap();
    let of_sqlite = ["pragma user_version = 7", "attach 'x' as y"];
    let of_both = ["delete from url", "create table t (a int)", "begin"];
    let of_sqlite = if bench.schema.is_some() { &[][..] } else { &of_sqlite };
    for writes in of_both.iter().chain(of_sqlite) {
        assert!(matches!(db.query(writes, []), Err(ReadError::Refused)), "{writes}");
    }
    for unsound in ["select nothing from pages", "selekt 1", "select 1; select 2"] {
        assert!(matches!(db.query(unsound, []), Err(ReadError::Sql { .. })), "{unsound}");
    }
    assert!(matches!(db.query("select ?1", [1.into(), 2.into()]), Err(ReadError::Sql { .. })));
    if bench.schema.is_some() {
        return; // The rest is about files.
    }
    assert!(matches!(Database::open(bench.path("none.db")), Err(ReadError::Missing { .. })));
    assert!(matches!(Database::open(bench.dir.path()), Err(ReadError::Open { .. })));
    std::fs::write(bench.path("text.db"), "no database at all, and long enough to be told from one").unwrap();
    let text = Database::open(bench.path("text.db")).unwrap_err().to_string();
    assert!(text.ends_with("it is not a SQLite database"), "{text}");
    rusqlite::Connection::open(bench.path("other.db")).unwrap().execute_batch("create table t (a)").unwrap();
    let other = Database::open(bench.path("other.db")).unwrap_err().to_string();
    assert!(other.ends_with("it holds no crawl"), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_in_pages_that_are_indexed() {
    let (server, bench) = crawled().await;
    let db = Database::open(bench.database()).unwrap();
    assert_eq!(db.unindexed().unwrap(), Some(0));
    let hits = db.search("needle", None, 10).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.url.clone()).collect::<Vec<_>>(), [server.url("/a")]);
    assert_eq!(hits[0].snippet, "a \u{2}needle\u{3}");
    assert!(db.search("needle", Some(&["http://elsewhere.test".to_owned()]), 10).unwrap().is_empty());
    assert!(matches!(db.search("\"", None, 10), Err(ReadError::Sql { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_stays_the_same_while_the_crawl_goes_on() {
    let server = Server::start(|path| graph_page(1_000_000, 500, path)).await.unwrap();
    let bench = Bench::new();
    let mut child = bench.start(&["crawl", &server.url("/p/0"), "--rate", "0"]);
    let pages = |db: &Database| db.first("select count(*) from pages", []).unwrap().unwrap().at::<i64>(0).unwrap();
    let until = async |what: &dyn Fn() -> bool| {
        while !what() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    until(&|| Database::open(bench.database()).is_ok_and(|db| pages(&db) > 0)).await;
    let (still, live) = (Database::open(bench.database()).unwrap(), Database::open(bench.database()).unwrap());
    let snapshot = still.snapshot().unwrap();
    let before = pages(&still);
    until(&|| pages(&live) > before).await;
    assert_eq!(pages(&still), before);
    drop(snapshot);
    assert!(pages(&still) > before);
    child.kill().unwrap();
    child.wait().unwrap();
}
