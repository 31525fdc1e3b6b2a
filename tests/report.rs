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
    assert_eq!([all(&html, "html[lang=en] > body > main > section").len(), all(&html, "body > footer").len()], [17, 1]);
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
    assert_eq!(sections, [1; 17]);
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
    let rows = texts(&html, "#changes tbody tr").join("\n").replace(&server.url(""), "");
    assert_eq!(rows, "/ changed\n/turns changed\n/goes gone\n/comes new");
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
    assert_eq!(all(&html, "main > section").len(), 17);
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
        "Pages per second and failures",
        "Pages per second and failures 2",
        "Status codes",
        "Content types",
        "Response times by host",
        "Page sizes",
        "Depth",
        "Largest hosts",
        "Audit",
        "Broken links",
        "Redirect chains",
        "Duplicates",
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
