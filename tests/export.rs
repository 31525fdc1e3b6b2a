//! `export` of rows and sitemaps, and what holds for every format: where it writes, and what it leaves as it was.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::io::Read as _;
use std::process::Stdio;

use common::{Bench, stderr, stdout};
use harvestman::demo::{Reply, Server};

const FORMATS: [&str; 5] = ["jsonl", "csv", "warc", "wacz", "sitemap"];

async fn site() -> Server {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        "/" => Reply::html(
            "<title>\"Front\", page</title><a href='/a?x=1&y=2'></a><a href=/copy></a><a href=/gone></a><a href=/text></a>",
        ),
        "/copy" => Reply::html("<link rel=canonical href='/a?x=1&y=2'>"),
        "/gone" => Reply { status: 404, ..Reply::html("") },
        "/text" => Reply::text("plain"),
        _ => Reply::html("<link rel=canonical href='/a?x=1&y=2'>")
            .with_header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
    });
    server.await.unwrap()
}

async fn crawled(site: &Server) -> Bench {
    let bench = Bench::new();
    let output = bench.run(&["crawl", &site.url("/"), "--rate", "0"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    bench
}

async fn export(bench: &Bench, format: &str, output: &str, more: &[&str]) -> std::process::Output {
    bench.run(&[&["export", "--format", format, "--output", output], more].concat()).await
}

async fn lines(bench: &Bench, format: &str, more: &[&str]) -> String {
    let output = export(bench, format, "-", more).await;
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    stdout(&output)
}

/// Asserts a failure told in one line (and perhaps a hint) that names what is wrong.
fn refused(output: &std::process::Output, code: i32, names: &[&str]) {
    let said = stderr(output);
    assert_eq!((output.status.code(), stdout(output)), (Some(code), String::new()), "{said}");
    assert!(said.lines().all(|line| line.starts_with("error: ") || line.starts_with("hint: ")), "{said}");
    assert!(said.lines().count() <= 2 && names.iter().all(|name| said.contains(name)), "{names:?}: {said}");
}

/// A crawl as if one host had so many pages.
async fn with_pages(bench: &Bench, count: usize) {
    let (column, value) = if bench.schema.is_some() { (", hash", ", decode(md5(i::text), 'hex')") } else { ("", "") };
    let by_hand = if bench.schema.is_some() { "overriding system value" } else { "" };
    let gone = if bench.schema.is_some() { (", gone, kept", ", false, 0") } else { ("", "") };
    for sql in [
        "delete from url",
        "delete from page",
        &format!("insert into host (id, host) {by_hand} values (1000, 'http://big.test')"),
        &format!(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < {count})
            insert into url (id, url, host_id, state, depth, first_seen_at{column})
            select i, 'http://big.test/' || i, 1000, 1, 0, 0{value} from n"
        ),
        &format!(
            "insert into page (url_id, status, content_type, size, fetched_at, changed_at, elapsed_ms, headers{})
            select id, 200, 'text/html', 0, 0, 0, 0, '[]'{} from url",
            gone.0, gone.1
        ),
    ] {
        bench.write(sql).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_have_the_columns_of_pages_in_the_order_in_which_urls_were_found() {
    let site = site().await;
    let bench = crawled(&site).await;
    let jsonl = lines(&bench, "jsonl", &[]).await;
    let asked = bench.run(&[
        "query",
        "select p.* from pages p order by (select id from url u where u.url = p.url)",
        "--format",
        "jsonl",
    ]);
    assert_eq!(jsonl, stdout(&asked.await));
    assert_eq!(jsonl.lines().count(), 5);
    let front: serde_json::Value = serde_json::from_str(jsonl.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&front["title"], &front["etag"], &front["status"]),
        (&"\"Front\", page".into(), &().into(), &200.into())
    );
    let csv = lines(&bench, "csv", &[]).await;
    let columns = "url,host,status,content_type,charset,language,title,description,canonical_url,text,size,content_hash,\
                   etag,last_modified,redirect_to,depth,referrer,first_seen_at,fetched_at,changed_at,elapsed_ms\r\n";
    assert!(csv.starts_with(columns) && csv.contains(",\"\"\"Front\"\", page\",,"), "{csv}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_and_rows_are_chosen() {
    let site = site().await;
    let bench = crawled(&site).await;
    let chosen =
        lines(&bench, "csv", &["--columns", "status, body,redirect_to", "--where", "url like '%/text' -- this one"])
            .await;
    assert_eq!(chosen, "status,body,redirect_to\r\n200,cGxhaW4=,\r\n");
    let bytes = if bench.schema.is_some() { "bytea" } else { "blob" };
    let filter = format!("depth = 0 or body = cast('plain' as {bytes})");
    let chosen = lines(&bench, "jsonl", &["--columns", "status,etag", "--where", &filter]).await;
    assert_eq!(chosen, "{\"status\":200,\"etag\":null}\n{\"status\":200,\"etag\":null}\n");
    let broken =
        lines(&bench, "jsonl", &["--columns", "status", "--where", "url in (select to_url from broken_links)"]).await;
    assert_eq!(broken, "{\"status\":404}\n");
    assert_eq!(lines(&bench, "csv", &["--columns", "url", "--where", "false"]).await, "url\r\n");
    assert_eq!(lines(&bench, "jsonl", &["--where", "false"]).await, "");
    refused(
        &export(&bench, "csv", "-", &["--columns", "url,nonsense"]).await,
        1,
        &["--columns", "`nonsense`", "hint", "title"],
    );
    refused(&export(&bench, "sitemap", "-", &["--columns", "url"]).await, 2, &["--columns"]);
    refused(&export(&bench, "csv", "-", &["--sitemap-base", "http://a.test/"]).await, 2, &["--sitemap-base"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_takes_one_expression_that_only_reads() {
    let bench = crawled(&site().await).await;
    let before = bench.rows("select count(*) from pages").await;
    let mut formats = FORMATS.into_iter().cycle();
    for filter in [
        "status =",
        "",
        "nonsense = 1",
        "url_id = 1",
        "count(*) > 1",
        "status = ?1",
        "json(text)",
        "/* open",
        "'",
        "1; delete from page",
        "1); delete from page; --",
        "1) union select * from pages where (1",
        "1)) union select 1 from pages where ((1",
        "status = 200 order by url",
        "load_extension('x')",
        "zeroblob(2000000000)",
    ] {
        refused(&export(&bench, formats.next().unwrap(), "x", &["--where", filter]).await, 1, &["--where"]);
        assert!(!bench.path("x").exists());
    }
    assert_eq!(bench.rows("select count(*) from pages").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_export_leaves_the_old_file_and_nothing_else() {
    let bench = crawled(&site().await).await;
    let files = || {
        let names = std::fs::read_dir(bench.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.filter(|name| !name.to_string_lossy().starts_with("crawl.db-")).collect();
        names.sort();
        names
    };
    for format in FORMATS {
        assert!(export(&bench, format, "old", &[]).await.status.success());
    }
    let before = (std::fs::read(bench.path("old")).unwrap(), files());
    for format in FORMATS {
        // It fails at the last page, when others are written.
        let failing = "case when url like '%/text' then json('{') else 1 end";
        refused(&export(&bench, format, "old", &["--where", failing]).await, 1, &["--where"]);
        assert_eq!((std::fs::read(bench.path("old")).unwrap(), files()), before, "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_or_must_not_be_written_is_named() {
    let bench = crawled(&site().await).await;
    if bench.schema.is_some() {
        return; // It is about SQLite's files.
    }
    std::fs::create_dir(bench.path("folder")).unwrap();
    std::fs::write(bench.path("kept"), "kept").unwrap();
    let mut kept = std::fs::metadata(bench.path("kept")).unwrap().permissions();
    kept.set_readonly(true);
    std::fs::set_permissions(bench.path("kept"), kept).unwrap();
    std::os::unix::fs::symlink("crawl.db", bench.path("link")).unwrap();
    for (output, reason) in [
        ("folder", "directory"),
        ("none/x", "its folder does not exist"),
        ("crawl.db", "database"),
        ("link", "database"),
        ("kept", "read-only"),
        ("/dev/full", "No space"),
    ] {
        refused(&export(&bench, "csv", output, &[]).await, 1, &[output, reason]);
    }
    assert_eq!(std::fs::read(bench.path("kept")).unwrap(), b"kept");
    assert_eq!(bench.rows("select count(*) from pages").await, ["5"]);
    let elsewhere = bench.run(&["export", "--format", "csv", "--output", "x", "-d", "none.db"]).await;
    refused(&elsewhere, 1, &["none.db"]);
    assert!(!bench.path("x").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_followed_and_a_device_stays_one() {
    let bench = crawled(&site().await).await;
    std::fs::write(bench.path("real"), "old").unwrap();
    std::os::unix::fs::symlink("real", bench.path("link")).unwrap();
    for output in ["link", "/dev/null"] {
        let output = export(&bench, "csv", output, &["--columns", "status", "--where", "depth = 0"]).await;
        assert!(output.status.success() && stderr(&output).contains("1 page written"), "{}", stderr(&output));
    }
    assert_eq!(std::fs::read(bench.path("real")).unwrap(), b"status\r\n200\r\n");
    assert!(bench.path("link").is_symlink() && !std::fs::metadata("/dev/null").unwrap().is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_sees_one_state_of_a_database_that_changes() {
    let bench = crawled(&site().await).await;
    with_pages(&bench, 3_000).await;
    for format in ["jsonl", "csv", "warc", "sitemap"] {
        let mut child =
            bench.command(&["export", "--format", format, "--output", "-"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let mut start = [0; 100];
        out.read_exact(&mut start).unwrap();
        // More than a pipe holds is still to be read from the database.
        bench.write("update url set url = url || '#late'").await;
        let rest = tokio::task::spawn_blocking(move || {
            let mut rest = Vec::new();
            out.read_to_end(&mut rest).unwrap();
            rest
        });
        let all = [&start[..], &rest.await.unwrap()].concat();
        assert!(child.wait().unwrap().success(), "{format}");
        let text = if format == "warc" {
            let mut text = String::new();
            flate2::read::MultiGzDecoder::new(&all[..]).read_to_string(&mut text).unwrap();
            text
        } else {
            String::from_utf8(all).unwrap()
        };
        assert!(text.contains("http://big.test/3000") && !text.contains("#late"), "{format}");
        bench.write("update url set url = replace(url, '#late', '')").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_ends_an_export_quietly() {
    let bench = crawled(&site().await).await;
    with_pages(&bench, 3_000).await;
    for format in FORMATS {
        let mut command = bench.command(&["export", "--format", format, "--output", "-"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sitemap_lists_the_html_pages_that_are_found_under_their_own_url() {
    let site = site().await;
    let bench = crawled(&site).await;
    let seen = &bench.rows("select substr(changed_at, 1, 19) || 'Z' from pages where depth = 0").await[0];
    let expected = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n\
         <url><loc>{0}/</loc><lastmod>{seen}</lastmod></url>\n\
         <url><loc>{0}/a?x=1&amp;y=2</loc><lastmod>2026-01-01T00:00:00Z</lastmod></url>\n</urlset>\n",
        site.url("")
    );
    assert_eq!(lines(&bench, "sitemap", &[]).await, expected);
    assert!(export(&bench, "sitemap", "sitemap.xml", &[]).await.status.success());
    assert_eq!(std::fs::read_to_string(bench.path("sitemap.xml")).unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sitemap_is_of_one_host() {
    let (one, other) = (site().await, site().await);
    let bench = Bench::new();
    let output = bench.run(&["crawl", &one.url("/"), &other.url("/"), "--rate", "0"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    refused(&export(&bench, "sitemap", "-", &[]).await, 1, &["2 hosts", "--where \"host = 'http://127.0.0.1:"]);
    let of_one = lines(&bench, "sitemap", &["--where", &format!("host = '{}'", one.url(""))]).await;
    assert_eq!((of_one.matches("<url>").count(), of_one.contains(&other.url(""))), (2, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn above_fifty_thousand_urls_the_file_is_an_index_of_parts() {
    let bench = crawled(&site().await).await;
    with_pages(&bench, 50_001).await;
    let read = |name: &str| std::fs::read_to_string(bench.path(name)).unwrap();
    assert!(export(&bench, "sitemap", "map.xml", &["--where", "url <> 'http://big.test/7'"]).await.status.success());
    assert_eq!(read("map.xml").matches("<url>").count(), 50_000);
    assert!(!bench.path("map-1.xml").exists());
    assert!(export(&bench, "sitemap", "map.xml", &[]).await.status.success());
    assert_eq!(["map-1.xml", "map-2.xml"].map(|name| read(name).matches("<url>").count()), [50_000, 1]);
    let index = read("map.xml");
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n";
    let at = |base: &str| {
        let part = |n: u8| format!("<sitemap><loc>{base}map-{n}.xml</loc></sitemap>\n");
        format!("{head}{}{}</sitemapindex>\n", part(1), part(2))
    };
    assert_eq!(index, at("http://big.test/"));
    assert!(export(&bench, "sitemap", "map.xml", &["--sitemap-base", "https://cdn.test/maps"]).await.status.success());
    assert_eq!(read("map.xml"), at("https://cdn.test/maps/"));
    refused(&export(&bench, "sitemap", "-", &[]).await, 1, &["50,000", "--output"]);
    let parts = std::fs::read_dir(bench.dir.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "part"));
    assert_eq!(parts.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_but_the_named_one_is_touched_and_none_of_the_database() {
    let site = site().await;
    let bench = crawled(&site).await;
    std::fs::write(bench.path("o.csv.part"), "mine").unwrap();
    assert!(export(&bench, "csv", "o.csv", &[]).await.status.success());
    assert_eq!(std::fs::read_to_string(bench.path("o.csv.part")).unwrap(), "mine");
    if bench.schema.is_some() {
        return; // It is about SQLite's files.
    }
    std::fs::hard_link(bench.path("crawl.db"), bench.path("link.db")).unwrap();
    for output in ["crawl.db", "crawl.db-wal", "crawl.db-shm", "./crawl.db-journal", "link.db"] {
        refused(&export(&bench, "csv", output, &[]).await, 1, &["cannot write", output, "the database"]);
        let report = bench.run(&["report", "--output", output]).await;
        refused(&report, 1, &["cannot write", output, "the database"]);
    }
    assert_eq!(bench.rows("pragma integrity_check").await, ["ok"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_view_is_exported_with_its_own_columns_and_what_does_not_fit_is_refused() {
    let site = site().await;
    let bench = crawled(&site).await;
    let gone = site.url("/gone");
    let columns = ["--from", "links", "--columns", "to_url,element", "--where", "to_url like '%gone'"];
    assert_eq!(lines(&bench, "csv", &columns).await, format!("to_url,element\r\n{gone},a\r\n"));
    assert_eq!(lines(&bench, "jsonl", &["--from", "hosts"]).await.lines().count(), 1);
    let unnamed = bench.run(&[&["export", "--format", "csv"], &columns[..]].concat()).await;
    assert_eq!(stdout(&unnamed), lines(&bench, "csv", &columns).await, "standard output needs no name");
    refused(&bench.run(&["export", "--from", "links"]).await, 2, &["nothing says what is to be written", "--format"]);
    let since = lines(&bench, "csv", &["--from", "headers", "--columns", "url", "--since", "2999-01-01"]).await;
    assert_eq!(since, "url\r\n");
    let table = [
        ("jsonl", 1, &["--from", "no_view"][..], "no_view"),
        ("jsonl", 1, &["--from", "_page"], "_page"),
        ("jsonl", 1, &["--from", "links\" as l --"], "there is no view"),
        ("jsonl", 1, &["--from", "links", "--columns", "body"], "body"),
        ("jsonl", 1, &["--from", "links", "--since", "1"], "url"),
        ("jsonl", 1, &["--since", "7"], "run 7"),
        ("warc", 2, &["--from", "links"], "--from"),
        ("csv", 2, &["--chunk", "10"], "--chunk"),
        ("markdown", 2, &["--columns", "url"], "--columns"),
    ];
    for (format, code, more, name) in table {
        refused(&export(&bench, format, "-", more).await, code, &[name]);
    }
}
