//! The engine on a web without sockets: what is asked for, in which order, and what becomes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use tempfile::TempDir;
use tokio::sync::watch;

use super::lifetime::Engine;
use super::observe::Observers;
use super::reader::PageReader;
use super::summary::{CrawlEnd, Summary};
use super::visitor::{Slot, Visitor};
use crate::canonical::CanonicalUrl;
use crate::config::Config;
use crate::fetch::canned::{Canned, html, status};
use crate::fetch::{FetchError, Response};
use crate::read::Database;
use crate::scope::Scope;
use crate::store::sqlite::SqliteDatabase;
use crate::visit::{Errand, FailureKind, PageOutcome, Record, SteadyClock, Target};

/// A crawl that is over, and the database it left.
struct Crawled {
    summary: Summary,
    folder: TempDir,
}

impl Crawled {
    /// The cells of an answer, joined.
    fn ask(&self, sql: &str) -> Vec<String> {
        let db = Database::open(self.folder.path().join("crawl.db")).unwrap();
        db.query(sql, []).unwrap().map(|row| row.unwrap().at(0).unwrap()).collect()
    }
}

async fn crawl_with(config: Config, seeds: &[&str], web: &Arc<Canned>) -> Crawled {
    crawl_into(tempfile::tempdir().unwrap(), config, seeds, web).await
}

async fn crawl_into(folder: TempDir, config: Config, seeds: &[&str], web: &Arc<Canned>) -> Crawled {
    let store = SqliteDatabase::open(&folder.path().join("crawl.db")).await.unwrap();
    let seeds = seeds.iter().map(|seed| CanonicalUrl::parse(seed).unwrap()).collect();
    let engine = Engine::new(config, seeds, store).fetched_by(web.clone());
    let (summary, store) = engine.run_until(std::future::pending()).await.unwrap();
    store.close().await.unwrap();
    Crawled { summary, folder }
}

async fn crawl(seed: &str, web: &Arc<Canned>) -> Crawled {
    crawl_with(Config { rate: 0.0, ..Config::default() }, &[seed], web).await
}

fn to(location: &'static str) -> Response {
    let mut moved = status(302);
    moved.headers.insert("location", http::HeaderValue::from_static(location));
    moved
}

fn asked(web: &Canned) -> Vec<String> {
    web.asked().into_iter().map(|asked| asked.url.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_comes_first_and_each_page_is_asked_for_once() {
    let web = Arc::new(Canned::web([
        ("http://a.test/", html("<a href=/b>b</a> <a href=/>again</a>")),
        ("http://a.test/b", html("<a href=/>back</a>")),
    ]));
    let crawled = crawl("http://a.test/", &web).await;
    assert_eq!(asked(&web), ["http://a.test/robots.txt", "http://a.test/", "http://a.test/b"]);
    assert_eq!((crawled.summary.outcome, crawled.summary.accounting.fetched), (CrawlEnd::Finished, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_robots_txt_forbids_is_never_asked_for() {
    let rules = Response { body: Some(b"user-agent: *\ndisallow: /b".to_vec().into()), ..status(200) };
    let web = Arc::new(Canned::web([
        ("http://a.test/robots.txt", rules),
        ("http://a.test/", html("<a href=/b>b</a>")),
        ("http://a.test/b", html("no")),
    ]));
    let crawled = crawl("http://a.test/", &web).await;
    assert_eq!(asked(&web), ["http://a.test/robots.txt", "http://a.test/"]);
    assert_eq!(crawled.ask("select url || ' ' || reason from skipped"), ["http://a.test/b robots"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_the_address_guard_holds_back_is_skipped_without_a_request() {
    let web = Arc::new(Canned::new(|asked| match asked.url.as_str() {
        "http://a.test/" => Ok(html("<a href=http://b.test/>b</a>")),
        url if url.starts_with("http://b.test/") => Err(FetchError::Private),
        _ => Ok(status(404)),
    }));
    let config = Config { rate: 0.0, scope: crate::config::ScopeKind::Any, ..Config::default() };
    let crawled = crawl_with(config, &["http://a.test/"], &web).await;
    assert_eq!(crawled.ask("select url || ' ' || reason from skipped"), ["http://b.test/ private_address"]);
    assert_eq!(crawled.ask("select url from fetches where url like '%b.test%'"), [""; 0]);
    let licensed = |url: &str| web.asked().iter().find(|asked| asked.url.as_str() == url).unwrap().licensed;
    assert_eq!((licensed("http://a.test/"), licensed("http://b.test/robots.txt")), (true, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_may_pass_is_tried_again_and_one_that_may_not_is_not() {
    let times = AtomicUsize::new(0);
    let web = Arc::new(Canned::new(move |asked| match asked.url.path_and_query() {
        "/" => Ok(html("<a href=/flaky>f</a> <a href=/broken>b</a>")),
        "/flaky" if times.fetch_add(1, Ordering::Relaxed) == 0 => {
            Err(FetchError::failed(FailureKind::Closed, "cut off"))
        }
        "/flaky" => Ok(html("there it is")),
        "/broken" => Err(FetchError::failed(FailureKind::Decode, "no gzip")),
        _ => Ok(status(404)),
    }));
    let crawled = crawl("http://a.test/", &web).await;
    assert_eq!(crawled.ask("select url from pages where status = 200 order by 1").len(), 2);
    let tries = "select url || ' ' || count(*) from fetches where url not like '%robots.txt' group by url order by 1";
    assert_eq!(crawled.ask(tries), ["http://a.test/ 1", "http://a.test/broken 1", "http://a.test/flaky 2"]);
    assert_eq!(crawled.ask("select kind || ' ' || attempts from failures"), ["decode 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_asks_for_more_time_than_there_is_leaves_its_urls_waiting() {
    let web = Arc::new(Canned::new(|asked| match asked.url.path_and_query() {
        "/" => {
            let mut busy = status(503);
            busy.headers.insert("retry-after", http::HeaderValue::from_static("86400"));
            Ok(busy)
        }
        _ => Ok(status(404)),
    }));
    let config = Config { rate: 0.0, max_wait: Duration::from_secs(1), ..Config::default() };
    let crawled = crawl_with(config, &["http://a.test/"], &web).await;
    assert_eq!((crawled.summary.outcome, crawled.summary.accounting.pending), (CrawlEnd::Waiting, 1));
    assert_eq!(asked(&web).len(), 2, "robots.txt and one try");
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_that_lead_back_are_a_failure_and_not_a_page() {
    let web = Arc::new(Canned::web([("http://a.test/", to("/b")), ("http://a.test/b", to("/"))]));
    let crawled = crawl("http://a.test/", &web).await;
    assert_eq!(crawled.ask("select url || ' ' || kind from failures"), ["http://a.test/b redirect"]);
    assert_eq!(crawled.ask("select url from pages"), ["http://a.test/"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_of_error_pages_are_stored_and_not_followed() {
    let gone =
        Response { status: 404, ..html("<a href=/only-here>x</a> <a href=/known>y</a> <a href=http://b.test/>z</a>") };
    let web = Arc::new(Canned::web([
        ("http://a.test/", html("<a href=/gone>g</a> <a href=/later>l</a>")),
        ("http://a.test/gone", gone),
        ("http://a.test/later", html("<a href=/known>k</a>")),
        ("http://a.test/known", html("there")),
    ]));
    let crawled = crawl("http://a.test/", &web).await;
    let skipped = "select url || ' ' || reason from skipped order by 1";
    assert_eq!(crawled.ask(skipped), ["http://a.test/only-here error_page", "http://b.test/ scope"]);
    assert_eq!(crawled.ask("select to_url from links where from_url like '%gone'").len(), 3);
    assert_eq!(crawled.ask("select url from pages where status = 200").len(), 3, "a good page links to /known");
    let Crawled { folder, .. } = crawled;
    let config = Config { rate: 0.0, ignore_robots: true, ..Config::default() };
    let again = crawl_into(folder, config, &["http://a.test/"], &web).await;
    assert_eq!(again.ask(skipped), ["http://a.test/only-here error_page", "http://b.test/ scope"], "judged again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_no_step_in_depth() {
    let web = Arc::new(Canned::web([
        ("http://a.test/", html("<a href=/b>b</a> <a href=/far>f</a>")),
        ("http://a.test/b", to("/b/")),
        ("http://a.test/b/", html("<a href=/c>c</a>")),
        ("http://a.test/far", to("/c")),
    ]));
    let config = Config { rate: 0.0, max_depth: Some(1), ..Config::default() };
    let crawled = crawl_with(config, &["http://a.test/"], &web).await;
    let depths = "select url || ' ' || depth from urls order by 1";
    let expected =
        ["http://a.test/ 0", "http://a.test/b 1", "http://a.test/b/ 1", "http://a.test/c 1", "http://a.test/far 1"];
    assert_eq!(crawled.ask(depths), expected);
    assert_eq!(crawled.summary.accounting.fetched, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_seed_moved_to_is_crawled_in_its_place_for_good() {
    let web = Arc::new(Canned::web([
        // It is met before anybody knows that the host is the seed's.
        ("http://a.test/list", html("<a href=https://www.a.test/early>e</a> <a href=https://www.b.test/>b</a>")),
        ("http://a.test/", to("https://a.test/")),
        ("https://a.test/", to("https://www.a.test/home")),
        ("https://www.a.test/home", html("<a href=/x>x</a> <a href=https://b.test/>b</a>")),
        ("https://www.a.test/x", html("<a href=/y>y</a>")),
    ]));
    let config = || Config { rate: 0.0, max_depth: Some(1), ..Config::default() };
    let seeds = ["http://a.test/list", "http://a.test/"];
    let crawled = crawl_with(config(), &seeds, &web).await;
    let of_www = "select replace(url, 'https://www.a.test', '') || ' ' || state || ' ' || depth from urls
        where host = 'https://www.a.test' order by 1";
    assert_eq!(crawled.ask(of_www), ["/early fetched 1", "/home fetched 0", "/x fetched 1", "/y skipped 2"]);
    let left_out = "select url from skipped where reason = 'scope' order by 1";
    assert_eq!(crawled.ask(left_out), ["https://b.test/", "https://www.b.test/"]);
    let licensed = web.asked().into_iter().filter(|asked| asked.licensed && asked.url.host_str() != "http://a.test");
    assert_eq!(licensed.count(), 0, "what is granted to the seed's host is not passed on");

    // A new run, in which the seed leads nowhere else any more.
    let Crawled { folder, .. } = crawled;
    let web = Arc::new(Canned::web([
        ("http://a.test/list", html("<a href=https://www.a.test/new>n</a>")),
        ("http://a.test/", html("here")),
        ("https://www.a.test/new", html("new")),
    ]));
    let again = crawl_into(folder, config(), &seeds, &web).await;
    assert_eq!(again.ask("select state from urls where url = 'https://www.a.test/new'"), ["fetched"]);
    assert_eq!(again.ask(left_out), ["https://b.test/", "https://www.b.test/"]);

    // Without the seed, nothing of it is left.
    let Crawled { folder, .. } = again;
    let without = crawl_into(folder, config(), &["http://c.test/"], &web).await;
    assert_eq!(without.ask("select count(*) || '' from urls where state = 'pending'"), ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_another_domain_the_page_that_a_seed_leads_to_is_fetched_alone() {
    let web = Arc::new(Canned::web([
        ("http://a.test/", to("https://b.test/home")),
        ("https://b.test/home", html("<a href=/x>x</a>")),
    ]));
    for scope in [crate::config::ScopeKind::Page, crate::config::ScopeKind::Prefix, crate::config::ScopeKind::Domain] {
        let config = Config { rate: 0.0, scope, ..Config::default() };
        let crawled = crawl_with(config, &["http://a.test/"], &web).await;
        assert_eq!(crawled.ask("select url from pages order by 1"), ["http://a.test/", "https://b.test/home"]);
        assert_eq!(crawled.ask("select url || ' ' || reason from skipped"), ["https://b.test/x scope"]);
    }
}

#[tokio::test]
async fn a_document_that_waits_to_be_read_holds_up_no_crawl_that_stops() {
    let (config, url) = (Config::default(), CanonicalUrl::parse("http://h.test/").unwrap());
    let scope = Arc::new(Scope::new(&config, std::slice::from_ref(&url)));
    let reader = PageReader::new(&config, scope, Observers::default());
    let memory = reader.memory().clone();
    let web = Arc::new(Canned::web([("http://h.test/", html("words"))]));
    let visitor = Visitor::new(&config, reader, web, SteadyClock::start(), Observers::default(), None);
    let _all = memory.hold(usize::MAX).await;
    let (abort, aborted) = watch::channel(false);
    let errand = Errand::Page(Target::new(1, 1, url, 0));
    let mut visit = Box::pin(visitor.visit(errand, Slot { aborted, released: |_| () }));
    assert!((&mut visit).now_or_never().is_none(), "there is no memory for it");
    abort.send_replace(true);
    let (record, _) = visit.await;
    assert!(matches!(record, Record::Page { outcome: PageOutcome::Abandoned, .. }));
}
