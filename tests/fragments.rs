//! `crawl --check fragments`: which links lead to places that their pages do not have.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use common::{Bench, stderr, stdout};
use harvestman::demo::{Hit, Reply, Server};

/// A site that can be edited between two runs, and answers 304 where nothing changed.
#[derive(Clone, Default)]
struct Site(Arc<Mutex<BTreeMap<String, String>>>);

impl Site {
    fn put(&self, path: &str, body: &str) {
        self.0.lock().unwrap().insert(path.to_owned(), format!("<!doctype html><title>{path}</title>{body}"));
    }

    fn answer(&self, hit: &Hit) -> Reply {
        let pages = self.0.lock().unwrap();
        let Some(body) = pages.get(&hit.path) else { return Reply::html("<p id=here>").with_status(404) };
        let tag = format!("\"{}\"", body.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte)));
        let reply = if hit.header("if-none-match") == Some(&tag) { Reply::status(304) } else { Reply::html(&**body) };
        reply.with_header("etag", &tag)
    }

    async fn serve(&self) -> Server {
        let site = self.clone();
        Server::start_with_request(move |hit| site.answer(hit)).await.unwrap()
    }
}

trait WithStatus {
    fn with_status(self, status: u16) -> Self;
}

impl WithStatus for Reply {
    fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

async fn crawl(bench: &Bench, server: &Server, options: &[&str]) {
    let seed = server.url("/");
    let output = bench.run(&[&["crawl", &seed, "--rate", "0", "--retries", "0"], options].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

const CHECKED: [&str; 2] = ["--check", "fragments"];

async fn broken(bench: &Bench, server: &Server) -> Vec<String> {
    let rows = bench.rows("select from_url, to_url, fragment, text from broken_fragments order by 1, 2, 3").await;
    rows.into_iter().map(|row| row.replace(&server.url(""), "")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn links_to_places_that_pages_lack_are_listed_and_no_others() {
    let site = Site::default();
    site.put(
        "/",
        "<p id=own><a href='#own'>own</a> <a href='#none'>none</a> <a href='#'>#</a> <a href='#top'>top</a>
         <a href='/b#here'>here</a> <a href='/b#gone'>gone</a> <a href='/b#gone'>gone</a> <a href='/b#old'>gone</a>
         <a href='/b#named'>named</a> <a href='/b#b%C3%BCcher'>escaped</a> <a href='/b#sp ace'>space</a>
         <a href='/b#/route'>route</a> <a href='/b#!bang'>bang</a> <a href='/b#x:~:text=x'>text</a>
         <a href='/b#Here'>case</a> <a href='/missing#here'>missing</a> <a href='/old#here'>redirected</a>
         <a href='http://elsewhere.test/#x'>elsewhere</a> <a href='./b#lost%20place'>spelt</a>
         <map><area href='/b#area' alt=area></map> <iframe src='/b#frame'></iframe>
         <iframe srcdoc=\"<a href='/b#inner'>inner</a>\"></iframe>",
    );
    site.put("/b", "<p id=here><a name=named></a><p id='b\u{fc}cher'><p id='sp ace'><template><p id=gone></template>");
    let server = site.serve().await;
    let bench = Bench::new();
    crawl(&bench, &server, &CHECKED).await;
    let expected = [
        "/|/|none|none",
        "/|/b|Here|case",
        "/|/b|area|area",
        "/|/b|gone|gone",
        "/|/b|inner|inner",
        "/|/b|lost place|spelt",
        "/|/b|old|gone",
    ];
    assert_eq!(broken(&bench, &server).await, expected);
    let audit = bench.run(&["audit"]).await;
    assert!(!stdout(&audit).contains("--check fragments"), "{}", stdout(&audit));
    let found =
        "select count(*), min(detail) from findings where finding = 'broken-fragment' and other_url like '%/b#%'";
    assert_eq!(bench.rows(found).await, ["6|area"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_judged_again_and_what_did_not_stays() {
    let site = Site::default();
    site.put("/", "<a href=/a>a</a><a href='/b#one'>one</a><a href='/b#two'>two</a><a href='/c#three'>three</a>");
    site.put("/a", "<a href='/b#one'>one</a>");
    site.put("/b", "<p id=two>");
    site.put("/c", "");
    let server = site.serve().await;
    let bench = Bench::new();
    let first = ["/|/b|one|one", "/|/c|three|three", "/a|/b|one|one"];
    // Pages that were read without the option are asked for as a whole once it is given.
    crawl(&bench, &server, &[]).await;
    assert_eq!(broken(&bench, &server).await, [""; 0]);
    for _ in 0..2 {
        crawl(&bench, &server, &CHECKED).await;
        assert_eq!(broken(&bench, &server).await, first);
    }
    assert_eq!(
        bench.rows("select distinct status from fetches where run = 3 and url not like '%robots.txt'").await,
        ["304"]
    );
    // A target that changed, a page whose link is mended, and a target that is gone.
    site.put("/b", "<p id=one>");
    site.put("/a", "mended");
    site.0.lock().unwrap().remove("/c");
    crawl(&bench, &server, &CHECKED).await;
    assert_eq!(broken(&bench, &server).await, ["/|/b|two|two"]);
    // Links that are read without the option take those with them that were there.
    site.put("/", "<a href=/a>a</a><a href='/b#two'>two</a>");
    crawl(&bench, &server, &[]).await;
    assert_eq!(broken(&bench, &server).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_bodies_or_links_it_is_refused_and_without_it_the_audit_says_so() {
    let site = Site::default();
    site.put("/", "<a href='#x'>x</a>");
    let server = site.serve().await;
    let bench = Bench::new();
    for option in ["--no-bodies", "--no-links"] {
        let output = bench.run(&["crawl", &server.url("/"), "--check", "fragments", option]).await;
        assert_eq!(output.status.code(), Some(2));
        assert!(
            stderr(&output).contains(option) && stderr(&output).contains("--check fragments"),
            "{}",
            stderr(&output)
        );
    }
    assert_eq!(server.hit_count(), 0);
    crawl(&bench, &server, &[]).await;
    let audit = stdout(&bench.run(&["audit"]).await);
    assert!(audit.contains("broken-fragment: needs --check fragments"), "{audit}");
}
