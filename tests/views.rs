//! The SQL views that people and scripts stand on: their columns, their contents, and how they are asked.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use common::{Bench, stderr, stdout};
use harvestman::demo::{Reply, Server, graph_page};
use sqlx::Connection as _;

const FAST: [&str; 4] = ["--rate", "0", "--max-connections-per-host", "16"];

/// The contract.
const VIEWS: [(&str, &str); 30] = [
    (
        "pages",
        "url, host, status, content_type, charset, language, title, description, canonical_url, text, size, \
         content_hash, etag, last_modified, redirect_to, depth, referrer, first_seen_at, fetched_at, changed_at, \
         elapsed_ms",
    ),
    ("bodies", "url, body"),
    ("headers", "url, name, value"),
    ("links", "from_url, to_url, text, rel, element, part"),
    ("failures", "url, host, kind, message, attempts, last_attempt_at, referrer"),
    ("skipped", "url, host, reason, referrer"),
    ("queue", "url, host, depth, attempts, due_at"),
    ("redirects", "from_url, to_url, status"),
    ("broken_links", "from_url, to_url, text, status, failure, element, final_url"),
    ("broken_fragments", "from_url, to_url, fragment, text"),
    ("checks", "url, kind, method, status, failure, final_url, verdict, checked_at"),
    ("duplicates", "content_hash, url, copies"),
    (
        "runs",
        "id, started_at, finished_at, outcome, discovered, fetched, failed, skipped, pending, unchanged, bytes, requests",
    ),
    (
        "hosts",
        "host, discovered, fetched, failed, skipped, pending, mean_elapsed_ms, robots_status, crawl_delay_ms, \
         certificate_expires_at",
    ),
    ("fetches", "run, url, at, status, failure, elapsed_ms, bytes, unchanged"),
    ("accounting", "discovered, fetched, failed, skipped, pending"),
    ("urls", "url, host, state, reason, depth, referrer, first_seen_at"),
    ("seeds", "url, state, reason, status, line, given, final_url, pages"),
    ("inbound_links", "url, links, pages"),
    ("host_links", "from_host, to_host, links"),
    ("orphans", "url, host, status, depth, referrer"),
    ("redirect_chains", "from_url, to_url, hops, path, status"),
    ("page_ranks", "url, rank"),
    ("search", "words, url, host, status, title, description, snippet, rank"),
    ("metadata", "url, source, name, value, position"),
    (
        "page_data",
        "url, type, title, description, image, site_name, author, published_at, modified_at, price, currency, \
         availability, language, words",
    ),
    ("articles", "url, title, author, published_at, language, words, text, markdown"),
    ("near_duplicates", "url, other_url, distance"),
    ("items", "item, url, position, data"),
    ("findings", "finding, severity, url, other_url, detail, advice, state, run"),
];

async fn crawl(bench: &Bench, args: &[&str]) -> Output {
    bench.run(&[&["crawl"], args, &FAST[..]].concat()).await
}

/// A site with one of everything.
async fn site() -> Server {
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nCrawl-delay: 0.005\nDisallow: /private\n"),
        "/" => Reply::html(
            "<!doctype html><html lang=en-GB><title> A  front\npage </title>
             <meta name=description content='What it is&#27;[1m'><link rel=canonical href=/?canonical>
             <p>Some text</p><a href=/twin/1 rel=next>One</a><a href=/twin/2>Two</a><a href=/gone>Gone</a>
             <a href=/moved>Moved</a><a href=/big>Big</a><a href=/flaky>Flaky</a><a href=/private>Private</a>
             <a href=http://elsewhere.test/>Elsewhere</a><a href=/no rel=nofollow>No</a>",
        )
        .with_header("etag", "\"e1\"")
        .with_header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        .with_header("x-twice", "one")
        .with_header("x-twice", "two \u{9b}31m"),
        "/twin/1" | "/twin/2" => Reply::html("<title>Twins</title>"),
        "/moved" => Reply::redirect(301, "/target#part"),
        "/big" => Reply::html("x".repeat(200_000)),
        "/flaky" if tries.fetch_add(1, Ordering::SeqCst) == 0 => Reply::status(503),
        "/target" => Reply::html("<a href=/gone>also gone</a>"),
        "/gone" => Reply { status: 404, ..Reply::html("<title>Gone</title>") },
        _ => Reply::html("<title>Fine</title>"),
    });
    server.await.unwrap()
}

async fn crawled(site: &Server) -> Bench {
    let bench = Bench::new();
    let output = crawl(&bench, &[&site.url("/"), "--max-body-size", "100KiB"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    bench
}

/// Rows with the site's origin left out.
async fn rows(bench: &Bench, site: &Server, sql: &str) -> Vec<String> {
    bench.rows(sql).await.into_iter().map(|row| row.replace(&site.url(""), "")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_has_the_contracts_columns_in_their_order() {
    let site = site().await;
    let bench = crawled(&site).await;
    for (view, columns) in VIEWS {
        assert_eq!(bench.columns(view).await, columns, "{view}");
        bench.rows(&format!("select * from {view}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_say_what_came_back() {
    let site = site().await;
    let bench = crawled(&site).await;
    let front = "select status, content_type, charset, language, title, description, canonical_url, text, size = (select length(body) from bodies b where b.url = pages.url), etag, last_modified, redirect_to, depth, referrer from pages where depth = 0";
    assert_eq!(
        rows(&bench, &site, front).await,
        [
            "200|text/html; charset=utf-8|utf-8|en-GB|A front page|What it is\u{1b}[1m|/?canonical|Some text\nOneTwoGone Moved\
          BigFlakyPrivate ElsewhereNo|1|\"e1\"|Thu, 01 Jan 2026 00:00:00 GMT|null|0|null"
        ]
    );
    let statuses = "select url, status, redirect_to, depth, referrer from pages where depth > 0 order by url";
    assert_eq!(
        rows(&bench, &site, statuses).await,
        [
            "/?canonical|200|null|1|/",
            "/flaky|200|null|1|/",
            "/gone|404|null|1|/",
            "/moved|301|/target|1|/",
            "/target|200|null|1|/moved",
            "/twin/1|200|null|1|/",
            "/twin/2|200|null|1|/",
        ]
    );
    let twice = "select value from headers where name = 'x-twice'";
    assert_eq!(rows(&bench, &site, twice).await, ["one", "two \u{9b}31m"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_redirects_duplicates_and_broken_links_tell_how_pages_hang_together() {
    let site = site().await;
    let bench = crawled(&site).await;
    let links =
        "select to_url, text, rel, element from links where element = 'link' or to_url like '%/twin/%' order by 1";
    let links = rows(&bench, &site, links).await;
    assert_eq!(links, ["/?canonical||canonical|link", "/twin/1|One|next|a", "/twin/2|Two||a"]);
    assert_eq!(rows(&bench, &site, "select * from redirects").await, ["/moved|/target|301"]);
    let twins = "select url, copies, content_hash = (select content_hash from pages p where p.url = d.url) from duplicates d order by 1";
    assert_eq!(rows(&bench, &site, twins).await, ["/?canonical|2|1", "/flaky|2|1", "/twin/1|2|1", "/twin/2|2|1"]);
    let broken = rows(&bench, &site, "select * from broken_links order by from_url, to_url").await;
    assert_eq!(
        broken,
        [
            "/|/big|Big|null|too_large|a|/big",
            "/|/gone|Gone|404|null|a|/gone",
            "/target|/gone|also gone|404|null|a|/gone"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_page_has_its_reason() {
    let site = site().await;
    let bench = crawled(&site).await;
    let failures = rows(&bench, &site, "select url, kind, attempts, referrer, message <> '' from failures").await;
    assert_eq!(failures, ["/big|too_large|1|/|1"]);
    let skipped = rows(&bench, &site, "select url, reason, referrer from skipped order by 1").await;
    assert_eq!(skipped, ["/no|nofollow|/", "/private|robots|/", "http://elsewhere.test/|scope|/"]);
    assert_eq!(rows(&bench, &site, "select * from queue").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn fetches_hold_one_row_for_each_request_the_server_saw() {
    let site = site().await;
    let bench = crawled(&site).await;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for hit in site.hits() {
        *seen.entry(hit.path).or_default() += 1;
    }
    assert_eq!((seen["/flaky"], seen["/robots.txt"]), (2, 1));
    let logged = rows(&bench, &site, "select url, count(*) from fetches group by 1 order by 1").await;
    assert_eq!(logged, seen.iter().map(|(path, count)| format!("{path}|{count}")).collect::<Vec<_>>());
    let told = "select status, failure, bytes, unchanged from fetches where url like ";
    assert_eq!(rows(&bench, &site, &format!("{told} '%/big'")).await, ["null|too_large|0|0"]);
    assert_eq!(rows(&bench, &site, &format!("{told} '%/twin/1'")).await, ["200|null|20|0"]);
    let sums =
        "select max(r.requests) = count(*), max(r.bytes) = sum(f.bytes) from fetches f, runs r where f.run = r.id";
    assert_eq!(bench.rows(sums).await, ["1|1"]);
    crawl(&bench, &[&site.url("/"), "--max-body-size", "100KiB"]).await;
    let unchanged = "select run, sum(unchanged) from fetches group by 1 order by 1";
    assert_eq!(bench.rows(unchanged).await, ["1|0", "2|8"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_and_hosts_add_up_with_the_accounting() {
    let site = site().await;
    let bench = crawled(&site).await;
    let accounting = bench.rows("select * from accounting").await;
    assert_eq!(accounting, ["12|8|1|3|0"]);
    let sums = "select sum(discovered), sum(fetched), sum(failed), sum(skipped), sum(pending) from hosts";
    assert_eq!(bench.rows(sums).await, accounting);
    let run = "select discovered, fetched, failed, skipped, pending from runs";
    assert_eq!(bench.rows(run).await, accounting);
    let run = "select id, outcome, finished_at >= started_at, unchanged, requests from runs";
    assert_eq!(bench.rows(run).await, [format!("1|finished|1|0|{}", site.hit_count())]);
    let hosts = "select host, robots_status, crawl_delay_ms, mean_elapsed_ms >= 0 from hosts order by discovered desc";
    let expected = [format!("{}|200|5|1", site.url("")), "http://elsewhere.test|null|null|null".into()];
    assert_eq!(bench.rows(hosts).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_iso_8601_in_utc_and_lie_within_the_crawl() {
    let site = site().await;
    let now = || humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let before = now();
    let bench = crawled(&site).await;
    let after = now();
    let form = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z";
    let form = regex::Regex::new(&format!("^{form}$")).unwrap();
    let mut columns = 0;
    // The times there are what pages say.
    let stated = ["page_data", "articles"];
    for (view, names) in VIEWS.into_iter().filter(|(view, _)| !stated.contains(view)) {
        for name in names.split(", ").filter(|name| name.ends_with("_at") || *name == "at") {
            // What lies ahead is no time of the crawl.
            if name == "certificate_expires_at" {
                continue;
            }
            for time in bench.rows(&format!("select {name} from {view} where {name} is not null")).await {
                assert!(form.is_match(&time), "{view}.{name}: {time}");
                assert!((before.as_str()..=&after).contains(&time.as_str()), "{view}.{name}: {before} {time} {after}");
            }
            columns += 1;
        }
    }
    assert_eq!(columns, 10);
    let order = "select count(*) from pages where not first_seen_at <= fetched_at or changed_at <> fetched_at";
    assert_eq!(bench.rows(order).await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_in_the_queue_with_the_time_it_is_due() {
    let server = Server::start(|path| match path {
        "/" => Reply::html("<a href=/a>a</a>"),
        "/a" => Reply::status(503).with_header("retry-after", "3000"),
        _ => Reply::status(404),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(rows(&bench, &server, "select url, depth, attempts from queue").await, ["/a|1|1"]);
    let due = humantime::parse_rfc3339(&bench.rows("select due_at from queue").await[0]).unwrap();
    let minutes = due.duration_since(SystemTime::now()).unwrap().as_secs() / 60;
    assert!((40..51).contains(&minutes), "{minutes}");
    assert_eq!(bench.rows("select outcome, finished_at from runs").await, ["waiting|null"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stock_shell_reads_every_view_while_the_crawl_runs() {
    if std::process::Command::new("sqlite3").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("left out: there is no sqlite3 shell here");
        return;
    }
    let server = Server::start(|path| graph_page(5000, 500, path).delayed(Duration::from_millis(50))).await.unwrap();
    let bench = Bench::on_sqlite();
    let mut child = bench.start(&[&["crawl", &server.url("/p/0")], &FAST[..]].concat());
    while server.hit_count() < 200 {
        assert!(child.try_wait().unwrap().is_none(), "the crawl ended early");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for (view, _) in VIEWS {
        let mut shell = std::process::Command::new("sqlite3");
        shell.current_dir(bench.dir.path()).args(["-readonly", "crawl.db"]).arg(format!("select count(*) from {view}"));
        let output = tokio::task::spawn_blocking(move || shell.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{view}: {}", stderr(&output));
    }
    let balance = "select discovered = fetched + failed + skipped + pending and fetched > 0 from accounting";
    assert_eq!(bench.rows(balance).await, ["1"]);
    assert!(child.try_wait().unwrap().is_none(), "the crawl was still running");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Rows in the tables that the views are made of, where there should be none.
const LEFT_OVERS: &str = "select (select count(*) from link), (select count(*) from edge),
     (select count(*) from content where body is not null), (select count(*) from content where text is not null) > 0";

#[tokio::test(flavor = "multi_thread")]
async fn without_bodies_and_links_the_rest_is_the_same_and_nothing_is_left_over() {
    let server = Server::start(|path| graph_page(120, 900, path)).await.unwrap();
    let (full, lean) = (Bench::new(), Bench::new());
    crawl(&full, &[&server.url("/p/0"), "--max-depth", "5"]).await;
    crawl(&lean, &[&server.url("/p/0"), "--max-depth", "5", "--no-bodies", "--no-links"]).await;
    let pages = "select url, status, title, text, size, content_hash, depth from pages order by url";
    let depths = lean.rows(pages).await;
    assert_eq!(depths, full.rows(pages).await);
    assert!(depths.len() > 100);
    assert_eq!(lean.rows(LEFT_OVERS).await, ["0|0|0|1"]);
}

/// A site where the short way to `/goal` is found after the long one was walked.
async fn detour() -> Server {
    let server = Server::start(|path| match path {
        "/" => Reply::html("<a href=/a1>long</a><a href=/slow>short</a>"),
        "/a1" => Reply::html("<a href=/a2>x</a>"),
        "/a2" => Reply::html("<a href=/goal>x</a>"),
        "/slow" => Reply::html("<a href=/goal>x</a>").delayed(Duration::from_millis(800)),
        "/goal" => Reply::html("<a href=/beyond/1>x</a>"),
        "/beyond/1" => Reply::html("<a href=/beyond/2>x</a>"),
        _ => Reply::html(""),
    });
    server.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_path_found_later_opens_what_was_too_deep_with_and_without_stored_links() {
    for more in [&[][..], &["--no-links"]] {
        let site = detour().await;
        let bench = Bench::new();
        crawl(&bench, &[&[site.url("/").as_str(), "--max-depth", "3"], more].concat()).await;
        let depths = rows(&bench, &site, "select url, depth from pages where depth > 1 order by url").await;
        assert_eq!(depths, ["/a2|2", "/beyond/1|3", "/goal|2"], "{more:?}");
        assert_eq!(rows(&bench, &site, "select url, reason from skipped").await, ["/beyond/2|depth"]);
        assert_eq!(bench.rows("select count(*) from edge").await, ["0"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_path_found_while_a_page_is_in_flight_counts_for_its_links_too() {
    for more in [&[][..], &["--no-links"]] {
        let site = Server::start(|path| match path {
            "/" => Reply::html("<a href=/a1>long</a><a href=/short>short</a>"),
            "/a1" => Reply::html("<a href=/a2>x</a>"),
            "/a2" => Reply::html("<a href=/goal>x</a>"),
            "/short" => Reply::html("<a href=/goal>x</a>").delayed(Duration::from_millis(600)),
            "/goal" => Reply::html("<a href=/beyond>x</a>").delayed(Duration::from_millis(1500)),
            _ => Reply::html(""),
        });
        let site = site.await.unwrap();
        let bench = Bench::new();
        crawl(&bench, &[&[site.url("/").as_str(), "--max-depth", "3"], more].concat()).await;
        let depths = rows(&bench, &site, "select url, depth from pages where depth > 1 order by url").await;
        assert_eq!(depths, ["/a2|2", "/beyond|3", "/goal|2"], "{more:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn query_answers_in_four_formats() {
    let bench = crawled(&site().await).await;
    let ask = async |format: &str| {
        let [some, none] =
            ["00ff", ""].map(|hex| bench.either(&format!("x'{hex}'"), &format!("decode('{hex}', 'hex')")).to_owned());
        let sql = format!(
            "select 1 as a, 2.5 as b, null as c, 'x,\"y\"\nz' as d, {some} as e union all select 2, 0.25, '', '', {none}"
        );
        stdout(&bench.run(&["query", &sql, "--format", format]).await)
    };
    assert_eq!(ask("csv").await, "a,b,c,d,e\r\n1,2.5,,\"x,\"\"y\"\"\nz\",AP8=\r\n2,0.25,,,\r\n");
    let rows = [r#"{"a":1,"b":2.5,"c":null,"d":"x,\"y\"\nz","e":"AP8="}"#, r#"{"a":2,"b":0.25,"c":"","d":"","e":""}"#];
    assert_eq!(ask("jsonl").await, format!("{}\n{}\n", rows[0], rows[1]));
    assert_eq!(ask("json").await, format!("[{},{}]\n", rows[0], rows[1]));
    let table = ask("table").await;
    assert!(table.lines().count() == 3 && table.contains("\\n"), "{table}");
    let none =
        async |format| stdout(&bench.run(&["query", "select url from pages where 1 = 0", "--format", format]).await);
    assert_eq!((none("json").await.as_str(), none("jsonl").await.as_str()), ("[]\n", ""));
    let twice = bench.run(&["query", "select 1 as z, 2 as a, 3 as z", "--format", "jsonl"]).await;
    assert_eq!(stdout(&twice), "{\"z\":1,\"a\":2,\"z:1\":3}\n");
}

/// What more than asks. A file could be changed, and others made beside it.
const OF_BOTH: [&str; 9] = [
    "delete from page",
    "drop view pages",
    "create table t (x int)",
    "insert into meta values ('a', 'b')",
    "select 1; delete from page",
    "select 1; select 2, 3",
    "create temp table t (x int)",
    "begin",
    "with w as (delete from page returning url_id) select * from w",
];
const OF_A_FILE: [&str; 10] = [
    "attach 'other.db' as o; create table o.t (x)",
    "attach 'other.db' as o",
    "vacuum into 'other.db'",
    "pragma query_only = off; delete from page",
    "pragma user_version = 7",
    "pragma writable_schema = on; delete from sqlite_master",
    "pragma journal_mode = delete",
    "pragma wal_checkpoint(truncate)",
    "reindex",
    "select load_extension('other.so')",
];
#[tokio::test(flavor = "multi_thread")]
async fn query_never_writes() {
    let bench = crawled(&site().await).await;
    let before = bench.rows("select count(*) from pages").await;
    for sql in OF_A_FILE.iter().filter(|_| bench.schema.is_none()).chain(&OF_BOTH) {
        let output = bench.run(&["query", sql]).await;
        assert_eq!(output.status.code(), Some(1), "{sql}: {}", stdout(&output));
        assert!(stderr(&output).starts_with("error:") && !stderr(&output).contains("panicked"), "{}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    }
    assert!(!bench.path("other.db").exists());
    assert_eq!(bench.rows("select count(*) from pages").await, before);
    if bench.schema.is_some() {
        return;
    }
    let harmless = bench.run(&["query", "select * from pragma_user_version"]).await;
    assert_eq!(stdout(&harmless).split_whitespace().collect::<Vec<_>>(), ["user_version", "0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_with_other_columns_are_refused_in_one_line() {
    let bench = crawled(&site().await).await;
    for format in ["table", "json", "jsonl", "csv"] {
        let output = bench.run(&["query", "select 1, 2; select 3", "--format", format]).await;
        let said = stderr(&output);
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{format}: {said}");
        assert!(said.contains("one") && !said.contains("panicked"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_the_web_steers_no_terminal() {
    let site = site().await;
    let bench = crawled(&site).await;
    let sql = "select value, '\u{1b}[2J' as esc, '\u{202e}' as bidi, '\u{9b}' as c1 from headers";
    for args in [&["query", sql][..], &["show", &site.url("/"), "--headers"], &["show", &site.url("/")], &["status"]] {
        let output = bench.run(args).await;
        assert!(output.status.success(), "{}", stderr(&output));
        let text = stdout(&output);
        assert!(!text.contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}')), "{args:?}: {text:?}");
    }
    let shown = stdout(&bench.run(&["show", &site.url("/"), "--headers"]).await);
    assert!(shown.contains("two \\u{9b}31m"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn show_prints_a_page_or_one_part_of_it() {
    let site = site().await;
    let bench = crawled(&site).await;
    let show = async |path: &str, part: &str| {
        let url = site.url(path);
        let args: Vec<_> = ["show", &url, part].into_iter().filter(|arg| !arg.is_empty()).collect();
        let output = bench.run(&args).await;
        (output.status.code(), stdout(&output), stderr(&output))
    };
    assert_eq!(show("/twin/1", "--body").await.1, "<title>Twins</title>");
    assert_eq!(show("/TWIN/../twin/1#x", "--body").await.1, "<title>Twins</title>", "any spelling will do");
    assert!(show("/", "--text").await.1.starts_with("Some text\n"));
    let headers = show("/", "--headers").await.1;
    assert!(headers.contains("etag") && headers.contains("\"e1\""), "{headers}");
    let links = show("/", "--links").await.1;
    assert!(links.contains(&site.url("/moved")) && links.contains("Flaky"), "{links}");
    let all = show("/", "").await.1;
    assert!(["fetched", "A front page", "text/html", "200"].iter().all(|word| all.contains(word)), "{all}");
    assert!(show("/big", "").await.1.contains("too_large"));
    assert!(show("/private", "").await.1.contains("robots"));
    for (path, part) in [("/unknown", ""), ("/unknown", "--links"), ("/big", "--body"), ("/big", "--text")] {
        let (code, out, said) = show(path, part).await;
        let errors = said.lines().filter(|line| !line.starts_with("hint: ")).count();
        assert_eq!((code, out.as_str(), errors), (Some(1), "", 1), "{path} {part}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_the_accounting_runs_hosts_and_queue() {
    let site = site().await;
    let bench = crawled(&site).await;
    let text = stdout(&bench.run(&["status"]).await);
    let words = ["discovered", "finished", "Queue", "12", "http://elsewhere.test", &site.url("")];
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_crawl_is_named_in_one_line() {
    let bench = Bench::on_sqlite();
    std::fs::create_dir(bench.path("folder")).unwrap();
    std::fs::write(bench.path("text"), "no database at all, but long enough to look like a file. ".repeat(99)).unwrap();
    std::fs::write(bench.path("empty"), "").unwrap();
    let foreign = format!("sqlite://{}?mode=rwc", bench.path("foreign").display());
    let mut db = sqlx::SqliteConnection::connect(&foreign).await.unwrap();
    sqlx::query("create table accounting (x)").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    for file in ["missing", "folder", "text", "empty", "foreign"] {
        for command in [
            &["query", "select * from pages"][..],
            &["query", "--recipe", "depths"],
            &["show", "http://a.test/"],
            &["explain", "http://a.test/"],
            &["status"],
        ] {
            let output = bench.run(&[command, &["-d", file]].concat()).await;
            let said = stderr(&output);
            assert_eq!((output.status.code(), stdout(&output)), (Some(1), String::new()), "{command:?} {file}: {said}");
            let errors = said.lines().filter(|line| line.starts_with("error:")).count();
            assert!(errors == 1 && said.lines().all(|l| l.starts_with("error:") || l.starts_with("hint:")), "{said}");
            assert!(said.contains(file), "{command:?} {file}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_ends_a_command_quietly() {
    let bench = crawled(&site().await).await;
    let endless =
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) select i, 'some text' from n";
    for format in ["table", "json", "jsonl", "csv"] {
        let mut command = bench.command(&["query", endless, "--format", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let started = Instant::now();
        let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{format}");
        assert!(started.elapsed() < Duration::from_secs(120));
    }
    for args in [&["status"][..], &["man"], &["completions", "bash"], &["demo", "--quiet"]] {
        let mut child = bench.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{args:?}");
    }
}
