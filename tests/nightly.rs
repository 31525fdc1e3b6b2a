//! Night after night on one database: what is asked for again, on which condition, and what became of each page.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Bench, page, stderr, stdout, summary, until};
use harvestman::demo::{Hit, Reply, Server};
use serde_json::Value;

/// A site that can be edited between two nights.
#[derive(Clone, Default)]
struct Pages(Arc<Mutex<BTreeMap<String, Reply>>>);

impl Pages {
    fn put(&self, path: &str, reply: Reply) -> &Self {
        self.0.lock().unwrap().insert(path.to_owned(), reply);
        self
    }

    /// A page with an ETag of its own.
    fn put_tagged(&self, path: &str, tag: &str, reply: Reply) -> &Self {
        self.put(path, reply.with_header("etag", tag))
    }

    fn remove(&self, path: &str) -> &Self {
        self.0.lock().unwrap().remove(path);
        self
    }

    /// Answers 304 where the request names the page's present ETag.
    fn answer(&self, hit: &Hit) -> Reply {
        let pages = self.0.lock().unwrap();
        let Some(reply) = pages.get(&hit.path) else { return Reply::status(404) };
        let tag = reply.headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value.as_str());
        match tag.filter(|tag| hit.header("if-none-match") == Some(*tag)) {
            Some(tag) => Reply::status(304).with_header("etag", tag),
            None => reply.clone(),
        }
    }

    async fn serve(&self) -> Server {
        let pages = self.clone();
        Server::start_with_request(move |hit| pages.answer(hit)).await.unwrap()
    }
}

async fn night(bench: &Bench, seed: &str, options: &[&str]) -> Output {
    bench.run(&[&["crawl", seed, "--rate", "0", "--retries", "0", "--json"][..], options].concat()).await
}

/// Counters of the closing summary.
async fn counts(bench: &Bench, seed: &str, options: &[&str]) -> Vec<Value> {
    let output = night(bench, seed, options).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let summary = summary(&output);
    ["fetched", "failed", "unchanged", "requests"].iter().map(|key| summary[*key].clone()).collect()
}

/// What a run changed, without the server's name.
async fn changes(bench: &Bench, run: u32) -> Vec<String> {
    let sql = format!(
        "select change || ' ' || substr(url, instr(substr(url, 9), '/') + 8) from changes where run = {run} order by 1"
    );
    bench.rows(&sql).await
}

/// Headers of the last request for a path.
fn last_request(server: &Server, path: &str) -> Hit {
    server.hits().into_iter().rfind(|hit| hit.path == path).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_night_tells_what_became_of_the_site() {
    let site = Pages::default();
    site.put_tagged("/", "\"1\"", page(["/edited", "/removed", "/moved", "/flapping", "/same", "/down"]))
        .put_tagged("/edited", "\"1\"", Reply::html("first"))
        .put_tagged("/removed", "\"1\"", Reply::html("here"))
        .put("/moved", Reply::html("old place"))
        .put("/flapping", Reply::html("now and then"))
        .put("/same", Reply::html("no validators"))
        .put("/down", Reply::html("mostly up"));
    let server = site.serve().await;
    let bench = Bench::new();
    let seed = server.url("/");
    assert_eq!(counts(&bench, &seed, &[]).await, [7, 0, 0, 8]);
    let all = ["/", "/down", "/edited", "/flapping", "/moved", "/removed", "/same"].map(|path| format!("new {path}"));
    assert_eq!(changes(&bench, 1).await, all);

    site.put_tagged("/edited", "\"2\"", Reply::html("second"))
        .remove("/removed")
        .put("/moved", Reply::redirect(301, "/added"))
        .put("/added", Reply::html("new place"))
        .put("/flapping", Reply::status(404))
        .put("/down", Reply::status(500));
    assert_eq!(counts(&bench, &seed, &[]).await, [8, 0, 2, 8]);
    let second = ["changed /edited", "changed /moved", "gone /flapping", "gone /removed", "new /added"];
    assert_eq!(changes(&bench, 2).await, second);
    let unchanged = "select url like '%/', status from fetches where run = 2 and unchanged = 1 order by status";
    assert_eq!(bench.rows(unchanged).await, ["0|200", "1|304"], "the same bytes, and not modified");

    site.put("/flapping", Reply::html("now and then")).put("/down", Reply::html("mostly up"));
    assert_eq!(counts(&bench, &seed, &[]).await, [8, 0, 6, 8]);
    assert_eq!(changes(&bench, 3).await, ["restored /flapping"], "an outage is no change");
    let balance = "select discovered = fetched + failed + skipped + pending, pending from accounting";
    assert_eq!(bench.rows(balance).await, ["1|0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_down_for_a_night_loses_nothing() {
    let site = Pages::default();
    site.put("/", page(["/a"])).put("/a", Reply::html("kept"));
    let server = site.serve().await;
    let (bench, seed, address) = (Bench::new(), server.url("/"), server.address());
    counts(&bench, &seed, &[]).await;
    drop(server);
    let down = night(&bench, &seed, &[]).await;
    assert_eq!(down.status.code(), Some(3), "not one seed could be fetched");
    assert_eq!(summary(&down)["failed"], 2);
    assert_eq!(bench.rows("select status, text from pages order by url").await, ["200|/a", "200|kept"]);
    let pages = site.clone();
    let again = Server::bind(address, move |path| pages.0.lock().unwrap().get(path).cloned().unwrap()).await.unwrap();
    assert_eq!(counts(&bench, &again.url("/"), &[]).await, [2, 0, 2, 2]);
    assert_eq!(bench.rows("select run, count(*) from changes group by run").await, ["1|2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_304_keeps_the_page_its_body_and_its_links() {
    let site = Pages::default();
    site.put_tagged("/", "W/\"weak\"", page(["/a"])).put_tagged("/a", "\"a\"", Reply::html("<title>A</title>text"));
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    counts(&bench, &seed, &[]).await;
    let kept = "select url, status, title, text, size, content_hash, etag, changed_at from pages order by url";
    let linked = "select * from links";
    let before = (bench.rows(kept).await, bench.rows(linked).await);
    assert_eq!(counts(&bench, &seed, &[]).await, [2, 0, 2, 2]);
    assert_eq!((bench.rows(kept).await, bench.rows(linked).await), before);
    assert_eq!(last_request(&server, "/").header("if-none-match"), Some("W/\"weak\""));
    let log = "select status, bytes, unchanged from fetches where run = 2";
    assert_eq!(bench.rows(log).await, ["304|0|1"; 2]);
    let (first, last) = ("min(at)", "max(fetched_at)");
    let later = format!("select (select {last} from pages) >= (select {first} from fetches where run = 2)");
    assert_eq!(bench.rows(&later).await, ["1"], "it was seen this night");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_date_of_last_modification_is_a_condition_only_where_it_can_be_trusted() {
    let dated = |modified: &str| Reply::html("x").with_header("last-modified", modified);
    let site = Pages::default();
    site.put("/", page(["/past", "/future", "/nonsense"]))
        .put("/past", dated("Mon, 06 Nov 2023 12:00:00 GMT"))
        .put("/future", dated("Mon, 06 Nov 2096 12:00:00 GMT"))
        .put("/nonsense", dated("last week"));
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    counts(&bench, &seed, &[]).await;
    assert_eq!(counts(&bench, &seed, &[]).await, [4, 0, 4, 4], "the bytes decide");
    let condition = |path| last_request(&server, path).header("if-modified-since").map(str::to_owned);
    assert_eq!(condition("/past").as_deref(), Some("Mon, 06 Nov 2023 12:00:00 GMT"));
    assert_eq!((condition("/future"), condition("/nonsense")), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_is_another_on_every_answer_does_not_make_a_page_changed() {
    let server = Server::start(|path| match path {
        "/" => Reply::html("the same").with_header("etag", &format!("\"{}\"", fastrand::u64(..))),
        _ => Reply::status(404),
    })
    .await
    .unwrap();
    let (bench, seed) = (Bench::new(), server.url("/"));
    counts(&bench, &seed, &[]).await;
    assert_eq!(counts(&bench, &seed, &[]).await, [1, 0, 1, 1]);
    assert_eq!(bench.rows("select run, change from changes").await, ["1|new"]);
    let latest = server.hits().len();
    assert_eq!(latest, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_304_that_nobody_asked_for_takes_nothing_away() {
    let site = Pages::default();
    site.put("/", page(["/a", "/never"])).put("/a", Reply::html("no tag")).put("/never", Reply::status(304));
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    assert_eq!(counts(&bench, &seed, &[]).await, [3, 0, 0, 4]);
    site.put("/a", Reply::status(304));
    assert_eq!(counts(&bench, &seed, &[]).await[0], 3);
    let rows = "select status, text from pages order by url";
    assert_eq!(bench.rows(rows).await, ["200|/a /never", "200|no tag", "304|null"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_asked_for_without_condition_when_more_of_it_is_wanted_than_was_kept() {
    let site = Pages::default();
    site.put_tagged("/", "\"1\"", page(["/a"])).put_tagged("/a", "\"1\"", Reply::html("text"));
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    counts(&bench, &seed, &["--no-bodies", "--no-links"]).await;
    assert_eq!(counts(&bench, &seed, &[]).await, [2, 0, 2, 2]);
    let stored = "select (select count(*) from bodies), (select count(*) from links)";
    assert_eq!(bench.rows(stored).await, ["2|1"]);
    counts(&bench, &seed, &["--no-bodies"]).await;
    assert_eq!(last_request(&server, "/a").header("if-none-match"), Some("\"1\""), "all that is wanted is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_pages_come_before_known_ones() {
    let site = Pages::default();
    site.put("/", page(["/1", "/2"])).put("/1", Reply::html("1")).put("/2", page([""; 0]));
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    counts(&bench, &seed, &[]).await;
    site.put("/", page(["/1", "/2", "/new"])).put("/new", Reply::html("new"));
    let before = server.hits().len();
    // Until the links of a page are stored, others are asked for.
    let one = ["--max-connections", "1", "--max-pages", "1"];
    counts(&bench, &seed, &one).await;
    counts(&bench, &seed, &one[..2]).await;
    let asked: Vec<_> = server.hits()[before..].iter().map(|hit| hit.path.clone()).collect();
    assert_eq!(asked[..2], ["/", "/new"], "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fresh_pages_are_left_alone_with_respect_cache_alone() {
    let site = Pages::default();
    site.put("/", page(["/hour", "/stale", "/silent"]))
        .put("/hour", Reply::html("x").with_header("cache-control", "max-age=3600").with_header("age", "60"))
        .put("/stale", Reply::html("x").with_header("cache-control", "max-age=60").with_header("age", "60"))
        .put("/silent", Reply::html("x"));
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    counts(&bench, &seed, &[]).await;
    assert_eq!(counts(&bench, &seed, &["--respect-cache"]).await, [4, 0, 3, 3]);
    assert_eq!(counts(&bench, &seed, &[]).await, [4, 0, 4, 4], "what the user asks for again is asked for again");
}

#[tokio::test(flavor = "multi_thread")]
async fn intervals_follow_the_changes_and_auto_keeps_to_them() {
    let site = Pages::default();
    site.put("/", page(["/calm", "/busy"])).put("/calm", Reply::html("x")).put("/busy", Reply::html("0"));
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    for night in 1..4 {
        counts(&bench, &seed, &["--recrawl-max", "2d"]).await;
        site.put("/busy", Reply::html(night.to_string()));
    }
    let hours = "select substr(url, length(url) - 3), round(interval_ms / 3600000.0, 2) from recrawl
        where url not like '%/' order by 1";
    assert_eq!(bench.rows(hours).await, ["busy|15.36", "calm|47.04"]);
    assert_eq!(counts(&bench, &seed, &["--recrawl-after", "auto"]).await[3], 0, "nothing is due yet");
    let due = bench.either(
        "(julianday(r.due_at) - julianday(p.fetched_at)) * 24",
        "extract(epoch from r.due_at::timestamptz - p.fetched_at::timestamptz)::numeric / 3600",
    );
    let due = format!("select round({due}, 2) from recrawl r join pages p using (url) where url like '%y' order by 1");
    assert_eq!(bench.rows(&due).await, ["15.36"]);
    let age = "update page set fetched_at = fetched_at - 16 * 3600000";
    bench.write(age).await;
    assert_eq!(counts(&bench, &seed, &["--recrawl-after", "auto"]).await[3], 1, "the busy one is");
    assert_eq!(changes(&bench, 5).await, ["changed /busy"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_what_is_due_when() {
    let site = Pages::default();
    site.put("/", page(["/a"])).put("/a", Reply::html("x"));
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    let due = async || {
        let status = stdout(&bench.run(&["status"]).await);
        let part =
            status.split("Pages that a new run fetches again").nth(1).unwrap().lines().nth(2).unwrap().to_owned();
        part.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    for (after, when) in [("0s", "now"), ("30m", "within an hour"), ("auto", "within a day"), ("3d", "within a week")] {
        counts(&bench, &seed, &["--recrawl-after", after, "--recrawl-max", "12h"]).await;
        assert_eq!(due().await, [when, "2"], "{after}");
    }
}

/// A site of forty pages, crawled while they were old; now they are new.
async fn forty_old_pages_turned_new(bench: &Bench, delay: Duration) -> (Server, String) {
    let site = Pages::default();
    let links: Vec<_> = (0..40).map(|i| format!("/{i}")).collect();
    let put = |text: &str, delay| {
        for path in &links {
            site.put(path, Reply::html(text.repeat(20_000)).delayed(delay));
        }
    };
    site.put("/", page(&links));
    put("old ", Duration::ZERO);
    let server = site.serve().await;
    let seed = server.url("/");
    counts(bench, &seed, &[]).await;
    put("new ", delay);
    (server, seed)
}

/// Each page is there, old or new, and whole.
async fn must_be_old_or_new(bench: &Bench) {
    let whole = "select count(*) from pages where (text like 'old %' or text like 'new %') and length(text) = 79999";
    assert_eq!(bench.rows(whole).await, ["40"]);
    bench.must_be_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_amid_a_recrawl_leaves_each_page_old_or_new() {
    let bench = Bench::new();
    let (server, seed) = forty_old_pages_turned_new(&bench, Duration::from_millis(30)).await;
    for requests in [50, 55, 60] {
        let mut child = bench.start(&["crawl", &seed, "--rate", "0"]);
        until("requests", || server.hit_count() > requests).await;
        bench.kill(&mut child).await;
        must_be_old_or_new(&bench).await;
        assert_eq!(bench.rows("select discovered = fetched + pending from accounting").await, ["1"]);
    }
    assert_eq!(counts(&bench, &seed, &[]).await[0], 41);
    assert_eq!(bench.rows("select count(*) from changes where change = 'changed' and run = 2").await, ["40"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_amid_a_recrawl_loses_no_page() {
    // A server has a disk of its own.
    let bench = Bench::on_sqlite();
    let (_server, seed) = forty_old_pages_turned_new(&bench, Duration::ZERO).await;
    let size = std::fs::metadata(bench.path("crawl.db")).unwrap().len();
    // A limit on the size of files, in blocks of a kilobyte, stands in for the end of the disk.
    let script = format!("ulimit -f {}; exec \"$0\" crawl \"$1\" --rate 0", size / 1024 / 3);
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_harvestman"), &seed]).current_dir(bench.dir.path());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    must_be_old_or_new(&bench).await;
    assert_eq!(counts(&bench, &seed, &[]).await[0], 41);
    assert_eq!(bench.rows("select count(*) from pages where text like 'new %'").await, ["40"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_fetches_at_once_what_a_sitemap_says_was_modified() {
    let site = Pages::default();
    let sitemap = |modified: &str| {
        let entry =
            |path: &str, modified: &str| format!("<url><loc>HOST{path}</loc><lastmod>{modified}</lastmod></url>");
        format!("<urlset>{}{}</urlset>", entry("/a", modified), entry("/b", "2020-01-01"))
    };
    site.put("/", page(["/a", "/b"])).put("/a", Reply::html("a")).put("/b", Reply::html("b"));
    let server = site.serve().await;
    let host = server.url("");
    let put = |modified: &str| {
        let text = sitemap(modified).replace("HOST", &host);
        site.put("/sitemap.xml", Reply::html(text).with_header("content-type", "application/xml"));
    };
    let (bench, seed) = (Bench::new(), server.url("/"));
    let auto = ["--sitemaps", "--recrawl-after", "auto"];
    put("2020-01-01");
    assert_eq!(counts(&bench, &seed, &auto).await, [4, 0, 0, 5]);
    assert_eq!(counts(&bench, &seed, &auto).await, [4, 0, 1, 1], "the sitemap alone is asked for");
    bench.write("update page set fetched_at = fetched_at - 7200000").await;
    let hour_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    put(&humantime::format_rfc3339_seconds(hour_ago).to_string());
    assert_eq!(counts(&bench, &seed, &auto).await, [4, 0, 1, 2]);
    assert_eq!(last_request(&server, "/a").path, server.hits().last().unwrap().path);
    put("2096-01-01");
    assert_eq!(counts(&bench, &seed, &auto).await[3], 1, "a date to come is a mistake");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recrawl_that_is_cut_short_keeps_the_old_pages_until_the_new_ones_are_there() {
    let site = Pages::default();
    let links: Vec<_> = (0..40).map(|i| format!("/{i}")).collect();
    site.put("/", page(&links));
    for path in &links {
        site.put(path, Reply::html("old"));
    }
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    counts(&bench, &seed, &[]).await;
    for path in &links {
        site.put(path, Reply::html("new"));
    }
    let texts = "select text, count(*) from pages where text in ('old', 'new') group by text order by text";
    let output = night(&bench, &seed, &["--max-pages", "11"]).await;
    assert_eq!((output.status.code(), summary(&output)["outcome"].as_str()), (Some(0), Some("limit")));
    assert_eq!(bench.rows(texts).await, ["new|10", "old|30"]);
    assert_eq!(bench.rows("select count(*) from changes where run = 2").await, ["10"]);
    assert_eq!(counts(&bench, &seed, &[]).await, [41, 0, 0, 30], "the same run goes on");
    assert_eq!(bench.rows(texts).await, ["new|40"]);
    assert_eq!(bench.rows("select max(run), count(*) from changes where change = 'changed'").await, ["2|40"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_304_that_tells_of_another_version_does_not_keep_the_old_one_for_good() {
    let site = Pages::default();
    site.put_tagged("/", "\"1\"", Reply::html("first"));
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    counts(&bench, &seed, &[]).await;
    // It mistakes the condition of the first version for the second.
    site.put("/", Reply::status(304).with_header("etag", "\"2\""));
    assert_eq!(counts(&bench, &seed, &[]).await, [1, 0, 1, 1]);
    site.put_tagged("/", "\"2\"", Reply::html("second"));
    assert_eq!(counts(&bench, &seed, &[]).await, [1, 0, 0, 1]);
    assert_eq!(last_request(&server, "/").header("if-none-match"), None);
    assert_eq!(bench.rows("select text, etag from pages").await, ["second|\"2\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_a_sitemap_is_read_as_one_when_sitemaps_are_wanted_later() {
    let site = Pages::default();
    let server = site.serve().await;
    let sitemap = format!("<urlset><url><loc>{}</loc></url></urlset>", server.url("/named"));
    let xml = Reply::html(sitemap).with_header("content-type", "application/xml");
    site.put("/", page(["/sitemap.xml"])).put_tagged("/sitemap.xml", "\"1\"", xml).put("/named", Reply::html("here"));
    let (bench, seed) = (Bench::new(), server.url("/"));
    assert_eq!(counts(&bench, &seed, &[]).await[0], 2);
    assert_eq!(counts(&bench, &seed, &["--sitemaps"]).await[0], 3);
    counts(&bench, &seed, &["--sitemaps"]).await;
    assert_eq!(last_request(&server, "/sitemap.xml").header("if-none-match"), Some("\"1\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sitemap_wakes_no_page_that_was_fetched_in_the_same_run() {
    let site = Pages::default();
    let server = site.serve().await;
    let soon = std::time::SystemTime::now() + Duration::from_secs(3600);
    let date = humantime::format_rfc3339_seconds(soon).to_string();
    let entry = format!("<url><loc>{}</loc><lastmod>{date}</lastmod></url>", server.url("/"));
    for name in ["/1.xml", "/2.xml"] {
        let xml = Reply::html(format!("<urlset>{entry}</urlset>")).with_header("content-type", "application/xml");
        site.put(name, xml.delayed(Duration::from_millis(50)));
    }
    let robots = format!("Sitemap: {}\nSitemap: {}\n", server.url("/1.xml"), server.url("/2.xml"));
    site.put("/robots.txt", Reply::text(robots)).put("/", page([""; 0]));
    let (bench, seed) = (Bench::new(), server.url("/"));
    let auto = ["--sitemaps", "--recrawl-after", "auto"];
    assert_eq!(counts(&bench, &seed, &auto).await, [3, 0, 0, 4]);
    assert_eq!(bench.rows("select pending from accounting").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_304_without_cache_control_leaves_a_page_fresh_for_as_long_as_before() {
    let site = Pages::default();
    site.put_tagged("/", "\"1\"", Reply::html("x").with_header("cache-control", "max-age=3600"));
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    for requests in [1, 1, 0] {
        let options: &[&str] = if requests == 0 { &["--respect-cache"] } else { &[] };
        let made = counts(&bench, &seed, options).await[3].as_u64().unwrap();
        assert_eq!(made - u64::from(server.hits().len() == 2), requests, "robots.txt is asked for once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_downloaded_of_a_page_is_no_change_of_it() {
    let image = Reply::html("png").with_header("content-type", "image/png").with_header("etag", "\"1\"");
    let site = Pages::default();
    site.put("/", image);
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    counts(&bench, &seed, &[]).await;
    assert_eq!(counts(&bench, &seed, &[]).await[2], 1, "its ETag says that it is the same");
    counts(&bench, &seed, &["--body-types", "*/*"]).await;
    assert_eq!(bench.rows("select change from changes").await, ["new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_given_up_and_a_clock_that_was_ahead_change_nothing_in_what_is_due() {
    let site = Pages::default();
    site.put("/", page(["/a", "/b"])).put("/a", page([""; 0])).put("/b", page([""; 0]));
    let server = site.serve().await;
    let (bench, seed) = (Bench::new(), server.url("/"));
    counts(&bench, &seed, &[]).await;
    counts(&bench, &seed, &["--max-pages", "1"]).await;
    assert_eq!(counts(&bench, &seed, &["--fresh", "--recrawl-after", "1h"]).await[3], 0, "all are seconds old");
    bench.write("update page set fetched_at = fetched_at + 86400000").await;
    assert_eq!(counts(&bench, &seed, &["--recrawl-after", "1h"]).await[3], 3, "they were not fetched tomorrow");
}
