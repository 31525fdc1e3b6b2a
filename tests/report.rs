//! The report: one file that holds all it needs, says the true totals, and shows what comes from the web as text.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs::File;
use std::io::BufReader;
use std::process::Output;

use calamine::{Reader as _, Xlsx};
use common::{Bench, page, stderr, stdout, until};
use harvestman::demo::{Reply, Server};
use scraper::{ElementRef, Html, Selector};

const HOSTILE: &str = "</script><script>alert(1)</script>";

async fn crawl(bench: &Bench, url: &str, args: &[&str]) -> Output {
    let output = bench.run(&[&["crawl", url, "--rate", "0", "--retries", "0"], args].concat()).await;
    assert!(output.status.code() != Some(1), "{}", stderr(&output));
    output
}

async fn report(bench: &Bench) -> Html {
    let output = bench.run(&["report", "--output", "-"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    Html::parse_document(&stdout(&output))
}

fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    html.select(&Selector::parse(selector).unwrap()).collect()
}

/// Texts of the elements, white space made one space.
fn texts(html: &Html, selector: &str) -> Vec<String> {
    let text =
        |element: ElementRef<'_>| element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    all(html, selector).into_iter().map(text).collect()
}

fn text(html: &Html, selector: &str) -> String {
    texts(html, selector).first().unwrap_or_else(|| panic!("no {selector}")).clone()
}

/// A site with one of everything.
async fn site() -> Server {
    let server = Server::start(|path| match path {
        "/" => {
            let title = HOSTILE.replace('<', "&lt;");
            let links = "<a href=/a>a</a><a href=/b>b</a><a href=/gone?%22%3Cb%3E>x</a><a href=/gone?%22%3Cb%3E>y</a>
                <a href=/one>1</a><a href=/cut>c</a><a href=http://elsewhere.test/>e</a><a href=/no rel=nofollow>n</a>";
            Reply::html(format!("<title>{title}\u{202e}\u{1b}[31m</title>{links}"))
        }
        "/one" => Reply::redirect(301, "/two"),
        "/two" => Reply::redirect(302, "/three"),
        "/a" | "/b" => Reply::html("<title>Twins</title>"),
        "/cut" => Reply::html("x".repeat(200_000)),
        path if path.starts_with("/gone") => Reply::status(404),
        _ => Reply::html("<title>Fine</title><a href=/gone?%22%3Cb%3E>z</a>"),
    });
    server.await.unwrap()
}

async fn reported() -> (Server, Html) {
    let (site, bench) = (site().await, Bench::new());
    crawl(&bench, &site.url("/"), &["--max-body-size", "100KiB"]).await;
    let html = report(&bench).await;
    (site, html)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_holds_all_it_needs_and_may_ask_for_nothing() {
    let (_site, html) = reported().await;
    for loads in [
        "[src]", "[srcset]", "[poster]", "[data]", "[action]", "link", "iframe", "object", "base", "[style]", "use",
        "image",
    ] {
        assert!(all(&html, loads).is_empty(), "{loads}");
    }
    let style = text(&html, "style");
    assert!(!style.contains("url(") && !style.contains("@import"));
    for link in all(&html, "a[href]") {
        let (href, rel) = (link.attr("href").unwrap(), link.attr("rel"));
        assert!(
            href.starts_with('#') || (href.starts_with("http") && rel == Some("noopener noreferrer nofollow")),
            "{href}"
        );
    }
    let policy = all(&html, "meta[http-equiv=Content-Security-Policy]")[0].attr("content").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_markup_is_whole() {
    let (_site, html) = reported().await;
    assert_eq!(format!("{:?}", html.quirks_mode), "NoQuirks");
    assert_eq!([all(&html, "html[lang=en] > body > main > section").len(), all(&html, "body > footer").len()], [21, 1]);
    for table in all(&html, "table") {
        let rows =
            table.select(&Selector::parse("tr").unwrap()).map(|row| row.child_elements().count()).collect::<Vec<_>>();
        assert!(rows.len() > 1 && rows.iter().all(|cells| *cells == rows[0]), "{}", table.html());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_the_web_is_text() {
    let (_site, html) = reported().await;
    assert_eq!(all(&html, "script").len(), 1);
    let shown = texts(&html, "#slowest td");
    assert!(shown.contains(&format!("{HOSTILE}\\u{{202e}}\\u{{1b}}[31m")), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_section_can_be_reached_read_and_heard() {
    let (_site, html) = reported().await;
    let anchors = all(&html, "nav a").into_iter().map(|a| a.attr("href").unwrap());
    let sections =
        anchors.map(|anchor| all(&html, &format!("section{anchor}[aria-labelledby]")).len()).collect::<Vec<_>>();
    assert_eq!(sections, [1; 21]);
    let ids: Vec<_> = all(&html, "[id]").into_iter().map(|e| e.attr("id").unwrap()).collect();
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), ids.len(), "{ids:?}");
    for named in all(&html, "[aria-labelledby]") {
        let names = named.attr("aria-labelledby").unwrap();
        assert!(names.split(' ').all(|name| ids.contains(&name)), "{names}");
    }
    for svg in all(&html, "svg[role=img]") {
        assert!(
            svg.children().filter_map(ElementRef::wrap).any(|child| child.value().name() == "title"),
            "{}",
            svg.html()
        );
    }
    assert!(all(&html, "th:not([scope])").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sections_say_what_the_views_say() {
    let (site, bench) = (site().await, Bench::new());
    crawl(&bench, &site.url("/"), &["--max-body-size", "100KiB"]).await;
    let html = report(&bench).await;
    assert_eq!(bench.rows("select * from accounting").await, ["10|7|1|2|0"]);
    let states = texts(&html, "#accounting .legend tbody td");
    assert_eq!(states, ["7", "70.0 %", "1", "10.0 %", "2", "20.0 %", "0", "0 %"]);
    let statuses = texts(&html, "#status tbody th, #status tbody td:nth-child(3)");
    assert_eq!(statuses, ["200", "4", "301", "1", "302", "1", "404", "1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_links_stand_with_their_pages_and_chains_with_their_hops() {
    let (site, html) = reported().await;
    let broken = texts(&html, "#broken tbody tr").join("\n").replace(&site.url(""), "");
    assert_eq!(broken, "/gone?%22%3Cb%3E 404 3 2 //three\n/cut too_large 1 1 /");
    assert_eq!(text(&html, "#broken .lead"), "4 links to 2 broken URLs.");
    let chain = text(&html, "#redirects tbody tr").replace(&site.url(""), "");
    assert_eq!(chain, "/one/two/three 2 200");
    let twins = text(&html, "#duplicates tbody tr").replace(&site.url(""), "");
    assert!(["/a/b 2 20 bytes", "/b/a 2 20 bytes"].contains(&twins.as_str()), "{twins}");
    let skipped = texts(&html, "#skipped .bars tbody th");
    assert_eq!(skipped, ["nofollow: only nofollow links lead there", "scope: outside the scope"]);
    assert!(text(&html, "#failures .listing tbody tr").contains("too_large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_cut_and_says_how_long_it_is() {
    let server = Server::start(|path| match path {
        "/" => page((0..120).map(|n| format!("/{n}/{}", "x".repeat(300)))),
        _ => Reply::status(404),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    crawl(&bench, &server.url("/"), &["--max-connections-per-host", "16"]).await;
    let html = report(&bench).await;
    assert_eq!(texts(&html, "#broken tbody tr").len(), 50);
    assert_eq!(text(&html, "#broken .rest"), "50 of 120 broken URLs shown.");
    let link = all(&html, "#broken td a")[0];
    let (href, shown) = (link.attr("href").unwrap(), link.text().collect::<String>());
    assert!(shown.contains('…') && shown.chars().count() == 100, "{shown}");
    assert_eq!(link.attr("title"), Some(href));
    assert!(html.html().len() < 1_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_told_against_the_run_before() {
    let visit = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let now = visit.clone();
    let server = Server::start(move |path| match (path, now.load(std::sync::atomic::Ordering::SeqCst)) {
        ("/", 0) => page(["/stays", "/goes", "/turns"]),
        ("/", _) => page(["/stays", "/goes", "/turns", "/comes"]),
        ("/goes", 1) => Reply::status(404),
        ("/turns", run) => Reply::html(format!("<title>{run}</title>")),
        _ => Reply::html("<title>Same</title>"),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    crawl(&bench, &server.url("/"), &[]).await;
    assert!(text(&report(&bench).await, "#changes .lead").contains("first run"));
    visit.store(1, std::sync::atomic::Ordering::SeqCst);
    crawl(&bench, &server.url("/"), &[]).await;
    let html = report(&bench).await;
    let cells = texts(&html, "#changes .listing td:nth-child(-n+4)").join(" ").replace(&server.url(""), "");
    assert_eq!(cells, "/ changed  200 /turns changed 1 200 /goes gone  404 /comes new Same 200");
    assert_eq!(text(&html, "#changes .lead"), "4 pages: 2 changed, 1 gone, 1 new.");
    assert!(text(&html, "header > p").starts_with("Run 2, "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_without_a_single_page_has_a_report() {
    let bench = Bench::new();
    assert_eq!(crawl(&bench, "http://127.0.0.1:9/", &[]).await.status.code(), Some(3));
    let html = report(&bench).await;
    assert_eq!(text(&html, "#accounting .lead"), "1 URL discovered = 0 fetched + 1 failed + 0 skipped + 0 pending.");
    assert!(text(&html, "#failures .listing tbody tr").contains("connect"));
    assert_eq!(text(&html, "#slowest .lead"), "No page has been fetched.");
}

#[tokio::test]
async fn an_empty_database_of_the_first_version_has_a_report() {
    let bench = Bench::new();
    if bench.schema.is_some() {
        return; // It is about SQLite's files.
    }
    let db = rusqlite::Connection::open(bench.path("crawl.db")).unwrap();
    db.execute_batch(include_str!("../migrations/sqlite/0001_crawl.sql")).unwrap();
    let html = report(&bench).await;
    assert!(text(&html, "header > p").starts_with("No run has begun."));
    assert_eq!(all(&html, "main > section").len(), 21);
    assert!(all(&html, "table.listing").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_can_be_made_while_the_crawl_runs() {
    let server = Server::start(|path| match path {
        "/" => page(["/slow"]),
        "/slow" => page(["/never"]).delayed(std::time::Duration::from_secs(60)),
        _ => Reply::status(404),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let mut process = bench.start(&["crawl", &server.url("/"), "--rate", "0"]);
    until("the slow page to be asked for", || server.hits().iter().any(|hit| hit.path == "/slow")).await;
    let html = report(&bench).await;
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(text(&html, "#accounting .lead"), "2 URLs discovered = 1 fetched + 0 failed + 0 skipped + 1 pending.");
    assert!(text(&html, "header > p").contains("still running"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_named_and_the_database_never_overwritten() {
    let (site, bench) = (site().await, Bench::new());
    crawl(&bench, &site.url("/"), &[]).await;
    let output = bench.run(&["report"]).await;
    assert!(output.status.success() && stdout(&output).is_empty());
    assert!(stderr(&output).starts_with("Wrote report.html ("), "{}", stderr(&output));
    assert!(std::fs::read_to_string(bench.path("report.html")).unwrap().ends_with("</html>\n"));
    let database = if bench.schema.is_some() { "." } else { "./crawl.db" };
    for (args, code) in [
        (&["report", "-o", database][..], 1),
        (&["report", "-o", "no/such/folder.html"], 1),
        (&["report", "-d", "none.db"], 1),
        (&["report", "--plot"], 2),
    ] {
        let output = bench.run(args).await;
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        assert!(stderr(&output).starts_with("error: "), "{}", stderr(&output));
    }
    assert_eq!(bench.rows("select fetched from accounting").await, ["8"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_last_audit_found_is_told_the_gravest_first_or_how_to_make_one() {
    let (site, bench) = (site().await, Bench::new());
    crawl(&bench, &site.url("/"), &[]).await;
    assert!(text(&report(&bench).await, "#audit p").contains("harvestman audit"));
    assert_eq!(bench.run(&["audit"]).await.status.code(), Some(0));
    let html = report(&bench).await;
    let lead = text(&html, "#audit p");
    assert!(lead.starts_with("Run 1: ") && lead.contains(" errors, ") && lead.ends_with(" new, 0 fixed."), "{lead}");
    let order = ["error", "warning", "notice"];
    let severities: Vec<_> = texts(&html, "#audit td:first-child")
        .iter()
        .map(|word| order.iter().position(|known| known == word).unwrap())
        .collect();
    assert!(severities.is_sorted() && severities.len() > 3, "{severities:?}");
    let broken = all(&html, "#audit tbody tr").into_iter().find(|row| row.html().contains(">broken-link<")).unwrap();
    let cells: Vec<_> = broken.child_elements().map(|cell| cell.text().collect::<String>()).collect();
    let stored = bench.rows("select count(*), count(distinct url) from findings where finding = 'broken-link'").await;
    let (links, pages) = stored[0].split_once('|').unwrap();
    assert_eq!(cells[2], links);
    assert_eq!(broken.select(&Selector::parse("a").unwrap()).count(), pages.parse::<usize>().unwrap().min(3));
    assert!(cells[6].starts_with("Correct the link"), "{cells:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_holds_each_table_on_a_sheet_of_its_own() {
    let (site, bench) = (site().await, Bench::new());
    crawl(&bench, &site.url("/"), &[]).await;
    assert_eq!(bench.run(&["audit"]).await.status.code(), Some(0));
    let output = bench.run(&["report", "--output", "report.xlsx"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut book = Xlsx::new(BufReader::new(File::open(bench.path("report.xlsx")).unwrap())).unwrap();
    let names = book.sheet_names();
    let expected = [
        "overview",
        "Accounting",
        "Seeds",
        "Pages per second and failures",
        "Pages per second and failures 2",
        "Status codes",
        "Content types",
        "Response times by host",
        "Where the time went",
        "Page sizes",
        "Depth",
        "Largest hosts",
        "Audit",
        "Broken links",
        "Redirect chains and loops",
        "Titles and descriptions",
        "Titles and descriptions 2",
        "Duplicates",
        "Pages that no page links to",
        "Slowest pages",
        "What was skipped and why",
        "What was skipped and why 2",
    ];
    assert_eq!(names, expected);
    for name in names {
        assert!(book.worksheet_range(&name).unwrap().height() > 1, "{name}");
        assert_eq!(book.worksheet_formula(&name).unwrap().used_cells().count(), 0, "{name}");
    }
    let broken = book.worksheet_range("Broken links").unwrap();
    assert_eq!(broken.get((1, 0)).unwrap().to_string(), site.url("/gone?%22%3Cb%3E"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_seed_stands_with_its_fate_those_that_brought_nothing_first() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nDisallow: /no"),
        "/old" => Reply::redirect(301, "/new"),
        "/new" => page(["/more"]),
        "/gone" => Reply::status(404),
        _ => Reply::html("<title>Fine</title>"),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let lines = ["/old", "/no/way", "/gone"].map(|path| server.url(path));
    std::fs::write(bench.path("seeds.txt"), format!("{}\nmailto:a\n<b>&\nhttp://127.0.0.1:9/\n", lines.join("\n")))
        .unwrap();
    crawl(&bench, "seeds.txt", &[]).await;
    let html = report(&bench).await;
    let lead = "4 seeds: 2 fetched (1 with a status of 400 or above), 1 failed, 1 skipped, 0 pending. 2 lines left out: no URL that can be crawled.";
    assert_eq!(text(&html, "#seeds .lead"), lead);
    let row = |row: ElementRef<'_>| {
        row.child_elements()
            .map(|cell| cell.text().collect::<String>().replace(&server.url(""), ""))
            .collect::<Vec<_>>()
    };
    let rows: Vec<_> = all(&html, "#seeds tbody tr").into_iter().map(row).collect();
    let states: Vec<_> = rows.iter().map(|row| [&*row[0], &*row[1], &*row[2]]).collect();
    assert_eq!(
        states,
        [
            ["4", "mailto:a", "rejected"],
            ["5", "<b>&", "rejected"],
            ["6", "http://127.0.0.1:9/", "failed"],
            ["2", "/no/way", "skipped"],
            ["3", "/gone", "fetched"],
            ["1", "/old", "fetched"]
        ]
    );
    let fates: Vec<_> = rows[2..].iter().map(|row| row[3..].join(" ")).collect();
    assert_eq!(fates, ["connect  0 http://127.0.0.1:9/", "robots  0 /no/way", " 404 1 /gone", " 200 3 /new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_that_go_round_are_shown_as_loops() {
    let server = Server::start(|path| match path {
        "/" => page(["/in", "/self"]),
        "/in" => Reply::redirect(301, "/a"),
        "/a" => Reply::redirect(302, "/b"),
        "/b" => Reply::redirect(302, "/a"),
        "/self" => Reply::redirect(302, "/self"),
        _ => Reply::status(404),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    crawl(&bench, &server.url("/"), &[]).await;
    let html = report(&bench).await;
    let rows: Vec<_> = texts(&html, "#redirects tbody tr").iter().map(|row| row.replace(&server.url(""), "")).collect();
    assert_eq!(rows, ["/in/a/bback to /a 3", "/selfback to /self 1"]);
    assert_eq!(text(&html, "#redirects .lead"), "No redirects that lead on. 2 loops without end.");
    assert!(
        text(&html, "#failures .listing").contains(&format!("redirects to {}, which leads back", server.url("/a")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_that_an_earlier_version_stored_without_its_url_is_a_loop() {
    let server = Server::start(|path| match path {
        "/" => page(["/a"]),
        "/a" => Reply::redirect(302, "/b"),
        "/b" => Reply::redirect(302, "/a"),
        _ => Reply::status(404),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    crawl(&bench, &server.url("/"), &[]).await;
    bench.write("update failure set message = 'the redirects lead back to this URL' where kind = 'redirect'").await;
    let html = report(&bench).await;
    assert_eq!(text(&html, "#redirects .lead"), "No redirects that lead on. 1 loop without end.");
    assert!(text(&html, "#redirects tbody tr").contains(&server.url("/b")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_of_redirects_that_several_runs_stored_is_a_loop_too() {
    let (site, bench) = (site().await, Bench::new());
    crawl(&bench, &site.url("/"), &[]).await;
    let id = |path| format!("(select id from url where url = '{}')", site.url(path));
    bench.write(&format!("update page set redirect_to = {} where url_id = {}", id("/one"), id("/three"))).await;
    let html = report(&bench).await;
    let round = text(&html, "#redirects tbody tr").replace(&site.url(""), "");
    assert_eq!(round, "/one/two/threeback to /one 3");
}

#[tokio::test(flavor = "multi_thread")]
async fn titles_and_descriptions_are_counted_by_what_is_wrong_with_them() {
    let long = "w".repeat(80);
    let server = Server::start(move |path| match path {
        "/" => page(["/none", "/one", "/two", "/long", "/elsewhere"]),
        "/none" => Reply::html("<title> </title>"),
        "/long" => Reply::html(format!("<title>{long}</title><meta name=description content='So &lt;b> it is'>")),
        "/elsewhere" => Reply::html("<link rel=canonical href=/one>"),
        _ => Reply::html("<title>A title of two pages</title>"),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    crawl(&bench, &server.url("/"), &[]).await;
    let rows = |html: &Html, place: usize| -> Vec<Vec<String>> {
        let row = |row: ElementRef<'_>| row.child_elements().map(|cell| cell.text().collect::<String>()).collect();
        let body = Selector::parse("tbody tr").unwrap();
        all(html, "#titles table")[place].select(&body).map(row).collect()
    };
    let told = |html: &Html| -> Vec<String> {
        let row = |row: Vec<String>| format!("{} {} {}", row[0], row[2], row[4].replace(&server.url(""), ""));
        rows(html, 0).into_iter().map(row).collect()
    };
    let html = report(&bench).await;
    let expected = [
        "title missing 2 //none",
        "title duplicate 1 /two",
        "title long 1 /long",
        "description missing 4 //none/oneand 1 more",
        "description short 1 /long",
    ];
    assert_eq!(told(&html), expected);
    let shared = rows(&html, 1).concat().join(" ").replace(&server.url(""), "");
    assert_eq!(shared, "title A title of two pages 2 /one/two");
    // As audits have it.
    std::fs::write(bench.path("harvestman.toml"), "[audit]\ntitle = [30, 900]\ndescription = [1, 160]").unwrap();
    let shorter = told(&report(&bench).await);
    assert!(shorter.contains(&"title short 2 /one/two".to_owned()) && shorter.len() == 5, "{shorter:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_no_page_links_to_stand_with_what_led_to_them() {
    let address = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let told = address.clone();
    let server = Server::start(move |path| match path {
        "/robots.txt" => Reply::text(format!("Sitemap: {}/sitemap.txt", told.get().unwrap())),
        "/sitemap.txt" => Reply::text(format!("{0}/lonely\n{0}/linked\n", told.get().unwrap())),
        "/" => Reply::html("<title>t</title><a href=/linked>l</a><a href=/moved>m</a><link rel=alternate href=/other>"),
        "/moved" => Reply::redirect(301, "/target"),
        _ => Reply::html("<title>Some</title>"),
    });
    let server = server.await.unwrap();
    address.set(server.url("")).unwrap();
    let bench = Bench::new();
    crawl(&bench, &server.url("/"), &["--sitemaps"]).await;
    let html = report(&bench).await;
    let rows = texts(&html, "#orphans tbody tr").join("\n").replace(&server.url(""), "");
    assert_eq!(rows, "/lonely Some sitemap /sitemap.txt\n/other Some link /\n/target Some a redirect /moved");
    assert!(text(&html, "#orphans .lead").starts_with("3 HTML pages of status 200, no seed,"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_tell_how_they_differ_from_the_run_before() {
    let visit = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let now = visit.clone();
    let server = Server::start(move |path| match (path, now.load(std::sync::atomic::Ordering::SeqCst)) {
        ("/", 0) => page(["/stays", "/cut"]),
        ("/", _) => page(["/stays", "/cut", "/comes", "/comes/too"]),
        ("/cut", 0) => Reply::html("x".repeat(200_000)),
        _ => Reply::html("<title>Same</title>"),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let small = ["--max-body-size", "100KiB"];
    crawl(&bench, &server.url("/"), &small).await;
    assert!(all(&report(&bench).await, ".figures small").is_empty(), "there is nothing to compare with");
    visit.store(1, std::sync::atomic::Ordering::SeqCst);
    crawl(&bench, &server.url("/"), &small).await;
    let html = report(&bench).await;
    let figures = texts(&html, ".figures dd");
    assert_eq!(figures[..4], ["5 +2", "5 +3", "0 −1", "1 as before"], "{figures:?}");
    assert!(all(&html, ".figures small").len() >= 7, "{figures:?}");
    let states = texts(&html, "#accounting .legend tbody td:last-child");
    assert_eq!(states, ["+3", "−1", "as before", "as before"]);
    assert!(text(&html, "header > p").contains("Differences are to run 1, started "));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_come_first_that_took_most_time_and_not_those_of_one_slow_answer() {
    let quick = Server::start(|path| match path {
        "/" => page((0..20).map(|n| format!("/{n}"))),
        _ => Reply::html("<title>q</title>"),
    });
    let (quick, slow) = (quick.await.unwrap(), Server::start(|_| Reply::html("<title>s</title>")).await.unwrap());
    let bench = Bench::new();
    std::fs::write(bench.path("seeds.txt"), [slow.url("/"), quick.url("/")].join("\n")).unwrap();
    crawl(&bench, "seeds.txt", &[]).await;
    let table = bench.either("fetch", "request");
    let host = |server: &Server| format!("(select id from url where url like '{}%')", server.url("/"));
    bench.write(&format!("update {table} set elapsed_ms = 100 where url_id in {}", host(&quick))).await;
    bench.write(&format!("update {table} set elapsed_ms = 1900 where url_id in {}", host(&slow))).await;
    let html = report(&bench).await;
    let rows = texts(&html, "#slow-hosts tbody tr").join("\n");
    let [quick, slow] = [&quick, &slow].map(|server| server.url(""));
    let rows = rows.replace(&quick, "quick").replace(&slow, "slow");
    let rows: Vec<_> = rows.lines().map(|row| row.split(" 0 ").next().unwrap()).collect();
    assert_eq!(
        rows,
        ["quick 21 2,100 ms 52.5 % 100 ms 100 ms 100 ms", "slow 1 1,900 ms 47.5 % 1,900 ms 1,900 ms 1,900 ms"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_without_end_do_not_make_a_file_without_end() {
    let long = |chain: usize, hop: usize| format!("/{chain}/{hop}?{}", "&".repeat(1_900));
    let server = Server::start(move |path| {
        let mut numbers = path[1..].split(['/', '?']).map(str::parse::<usize>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(chain)), Some(Ok(hop))) if hop < 8 => Reply::redirect(302, &long(chain, hop + 1)),
            (Some(Ok(_)), _) => Reply::status(404),
            _ => page((0..60).map(|chain| long(chain, 0))),
        }
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    crawl(&bench, &server.url("/start"), &["--max-connections-per-host", "16"]).await;
    let output = bench.run(&["report", "--output", "-"]).await;
    assert!(output.stdout.len() < 5_000_000, "{} bytes", output.stdout.len());
    let html = Html::parse_document(&stdout(&output));
    assert_eq!(all(&html, "#redirects tbody tr").len(), 50);
    assert_eq!(all(&html, "#redirects tbody a").len(), 0, "what is too long to be mailed by the hundred is no link");
}
