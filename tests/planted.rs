//! A site of 300 pages with 60 faults, each told beforehand. An audit finds them all, and nothing on the other pages.
//!
//! `cargo test --test planted -- --ignored --nocapture` serves the site until it is stopped, for other programs to look at,
//! and prints the faults as JSON lines.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fmt::Write as _;

use Plant::*;
use common::Bench;
use common::site::{Site, audited, crawl, page, sitemap};
use harvestman::demo::{Reply, Server};

const PAGES: usize = 300;

/// What is wrong on a page, and how it came there.
#[derive(Debug, Clone, Copy)]
enum Plant {
    /// A link, from where on the site or, with `*`, on another host.
    Link(&'static str),
    /// The same in another element: `@` is its target.
    Element(&'static str, &'static str),
    /// What stands in the head.
    Head(&'static str),
    /// What stands in the body.
    Body(&'static str),
    Title(&'static str),
    NoDescription,
    NoHeading,
    /// The page is what the site shows where there is none.
    Lost,
    /// No page links to it; the sitemap names it.
    Unlinked,
}

/// The finding, the number of the page that has it, and what was planted there.
const FAULTS: [(&str, usize, Plant); 60] = [
    ("broken-link", 3, Link("/missing/1")),
    ("broken-link", 17, Link("/missing/2")),
    ("broken-link", 41, Link("/missing/3?a=1&b=2")),
    ("broken-link", 58, Link("/missing/fa%C3%A7ade")),
    ("broken-link", 99, Link("/removed")),
    ("broken-link", 120, Link("/failing")),
    ("broken-link", 121, Link("/to-missing")),
    ("broken-link", 166, Link("/forbidden")),
    ("broken-link", 203, Element("<map name=m><area href='@' alt=area></map>", "/missing/area")),
    ("broken-link", 204, Element("<iframe src='@' title=frame></iframe>", "/missing/frame")),
    ("broken-link", 250, Element("<svg><a href='@'><text>drawn</text></a></svg>", "/missing/drawn")),
    ("broken-link", 299, Link("/unavailable")),
    ("broken-link", 5, Link("*/missing/1")),
    ("broken-link", 18, Link("*/missing/2")),
    ("broken-link", 77, Link("*/removed")),
    ("broken-link", 102, Link("*/failing")),
    ("broken-link", 103, Link("*/to-missing")),
    ("broken-link", 180, Link("*/missing/3")),
    ("broken-link", 181, Link("http://127.0.0.4:9/")),
    ("broken-link", 260, Link("http://nowhere.invalid/")),
    ("broken-resource", 8, Element("<img src='@' alt=gone>", "/missing/a.png")),
    ("broken-resource", 19, Element("<img srcset='@ 2x' src=/leg.png alt=gone>", "/missing/b.png")),
    (
        "broken-resource",
        60,
        Element("<picture><source srcset='@'><img src=/leg.png alt=gone></picture>", "/missing/c.webp"),
    ),
    ("broken-resource", 61, Element("<script src='@'></script>", "/missing/d.js")),
    ("broken-resource", 140, Element("<link rel=stylesheet href='@'>", "/missing/e.css")),
    ("broken-resource", 141, Element("<style>p { background: url(@) }</style>", "/missing/f.png")),
    ("broken-resource", 222, Element("<video src='@'></video>", "/missing/g.mp4")),
    ("broken-resource", 223, Element("<img src='@' alt=gone>", "*/missing/h.png")),
    ("broken-fragment", 9, Link("/p/10#nowhere")),
    ("broken-fragment", 33, Link("/p/33#nowhere")),
    ("broken-fragment", 150, Link("/p/151#More")),
    ("broken-fragment", 270, Link("/#foot")),
    ("redirected-link", 11, Link("/moved/1")),
    ("redirected-link", 84, Link("/moved/2")),
    ("redirected-link", 85, Link("/moved/3")),
    ("redirect-chain", 90, Link("/chain/1")),
    ("redirect-chain", 190, Link("/chain/4")),
    ("redirect-loop", 191, Link("/loop/1")),
    ("title-missing", 20, Title("")),
    ("title-missing", 130, Title(" ")),
    ("title-missing", 131, Title("\n")),
    ("title-duplicate", 45, Title("All there is to know of /p/44")),
    ("title-duplicate", 48, Title("All there is to know of /p/47")),
    (
        "title-long",
        210,
        Title("A title that goes on and on until nobody who looks for anything can see its end any more"),
    ),
    ("description-missing", 50, NoDescription),
    ("description-missing", 51, NoDescription),
    ("h1-missing", 62, NoHeading),
    ("h1-missing", 63, NoHeading),
    ("h1-several", 160, Body("<h1>Another</h1>")),
    ("image-alt-missing", 70, Body("<img src=/leg.png>")),
    ("image-alt-missing", 71, Body("<a href=/><img src=/leg.png></a>")),
    ("image-alt-missing", 170, Body("<img data-src=/leg.png>")),
    ("canonical-broken", 100, Head("<link rel=canonical href=/missing/canonical>")),
    ("hreflang-unreturned", 200, Head("<link rel=alternate hreflang=de href=/p/201>")),
    ("hreflang-code", 202, Head("<link rel=alternate hreflang=en-UK href=/p/202>")),
    ("jsonld-broken", 230, Head("<script type='application/ld+json'>{\"@type\": \"Person\", \"name\": </script>")),
    (
        "jsonld-incomplete",
        231,
        Head("<script type='application/ld+json'>{\"@type\": \"Recipe\", \"name\": \"A\"}</script>"),
    ),
    ("soft-404", 240, Lost),
    ("orphan", 280, Unlinked),
    ("duplicate-id", 290, Body("<p id=twice>One<p id=twice>Two")),
];

fn path(number: usize) -> String {
    if number == 0 { "/".to_owned() } else { format!("/p/{number}") }
}

/// The addresses of another host stand for its `*`.
fn target(other: &Server, target: &str) -> String {
    target.strip_prefix('*').map_or(target.to_owned(), |path| other.url(path))
}

fn made(number: usize, other: &Server) -> Reply {
    let path = path(number);
    let mut made = page(&path).head(&format!("<link rel=canonical href='{path}'>"));
    let below = 12 * number + 1..=12 * number + 12;
    let is_linked =
        |child: &usize| *child < PAGES && !FAULTS.iter().any(|(_, at, plant)| at == child && matches!(plant, Unlinked));
    let below: Vec<_> = below.filter(is_linked).map(self::path).collect();
    made = made.links(&below.iter().map(String::as_str).collect::<Vec<_>>()).links(&["/", "/#foot-of-start"]);
    made.body.push_str(
        "<h2 id=more>More</h2><img src=/leg.png alt='A leg'><img src=/leg.png alt=''><a href='#more'>more</a>",
    );
    if number == 0 {
        made.body.push_str("<p id=foot-of-start>");
    }
    for (_, _, plant) in FAULTS.iter().filter(|(_, at, _)| *at == number) {
        match plant {
            Link(to) => write!(made.body, "<a href='{}'>link</a>", target(other, to)).unwrap(),
            Element(markup, to) => made.body.push_str(&markup.replace('@', &target(other, to))),
            Head(markup) if markup.contains("canonical") => {
                made.head = page(&path).head;
                made.head.push_str(markup);
            }
            Head(markup) => made.head.push_str(markup),
            Body(markup) => made.body.push_str(markup),
            Title(title) => {
                let own = format!("<title>All there is to know of {path}</title>");
                made.head = made.head.replace(&own, &format!("<title>{title}</title>"));
            }
            NoDescription => made.head = made.head.replace("name=description", "name=other"),
            NoHeading => made.body = made.body.replace("h1>", "p>"),
            Lost => made.body = LOST.to_owned(),
            Unlinked => {}
        }
    }
    made.reply()
}

/// What is not a page of the site: what links lead to, and what they find there.
fn beside(path: &str) -> Reply {
    match path {
        "/removed" => Reply::status(410),
        "/failing" => Reply::status(500),
        "/unavailable" => Reply::status(503),
        "/forbidden" => Reply::status(451),
        "/to-missing" => Reply::redirect(302, "/missing/after"),
        "/moved/1" => Reply::redirect(301, "/p/2"),
        "/moved/2" => Reply::redirect(302, "/p/4"),
        "/moved/3" => Reply::redirect(308, "/"),
        "/chain/1" => Reply::redirect(301, "/chain/2"),
        "/chain/2" => Reply::redirect(301, "/chain/3"),
        "/chain/3" | "/chain/5" => Reply::redirect(301, "/p/6"),
        "/chain/4" => Reply::redirect(302, "/chain/5"),
        "/loop/1" => Reply::redirect(302, "/loop/2"),
        "/loop/2" => Reply::redirect(302, "/loop/1"),
        "/leg.png" => {
            Reply { body: b"\x89PNG\r\n\x1a\n".to_vec(), ..Reply::status(200) }.with_header("content-type", "image/png")
        }
        _ => Reply { status: 404, ..Reply::html(format!("<title>What is not</title>{LOST}")) },
    }
}

const LOST: &str = "<h1>There is nothing of this name here</h1><p>And there never was.";

async fn serve() -> (Server, Server) {
    let other = Server::bind("127.0.0.3:0".parse().unwrap(), beside).await.unwrap();
    let site = Site::default();
    let pages: Vec<_> = (0..PAGES).map(|number| (path(number), made(number, &other))).collect();
    pages.into_iter().for_each(|(path, reply)| site.put(&path, reply));
    let sitemap_of = site.clone();
    let server = Server::start(move |path| site.get(path).unwrap_or_else(|| beside(path))).await.unwrap();
    let paths: Vec<_> = (0..PAGES).map(path).collect();
    sitemap_of.put("/sitemap.xml", sitemap(&server, &paths.iter().map(String::as_str).collect::<Vec<_>>()));
    sitemap_of.put("/robots.txt", Reply::text(format!("Sitemap: {}", server.url("/sitemap.xml"))));
    (server, other)
}

/// A finding as the audit is to have it: its name, the page, and the other URL.
fn finding(fault: &(&'static str, usize, Plant), server: &Server, other: &Server) -> [String; 3] {
    let (name, number, plant) = fault;
    let page = server.url(&path(*number));
    let to = match plant {
        Link(to) | Element(_, to) if to.starts_with('/') => server.url(to),
        Link(to) | Element(_, to) => target(other, to),
        Title(title) if *name == "title-duplicate" => server.url(title.rsplit(' ').next().unwrap_or_default()),
        _ => String::new(),
    };
    // A chain is told of its first redirect, a loop of its least URL.
    match *name {
        "redirect-chain" | "redirect-loop" => [(*name).to_owned(), to, String::new()],
        _ => [(*name).to_owned(), page, to],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_finds_every_fault_that_was_planted_and_nothing_on_other_pages() {
    let (server, other) = serve().await;
    let bench = Bench::new();
    let of_all = ["--sitemaps", "--extract", "all", "--check", "external,resources,fragments"];
    let options = [&of_all[..], &["--allow-address", "127.0.0.0/8", "--max-connections-per-host", "8"]].concat();
    crawl(&bench, &server, &options).await;
    audited(&bench).await;
    assert_eq!(bench.rows("select count(*) from pages where status = 200 and url like '%/p/%'").await, ["299"]);
    let found = bench.rows("select finding, url, other_url from findings").await;
    let missed = FAULTS.iter().map(|fault| (fault, finding(fault, &server, &other)));
    let missed = missed.filter(|(_, [name, page, to])| {
        let is_it = |row: &String| {
            let mut cells = row.split('|');
            let (own, url, other) = (cells.next(), cells.next(), cells.next().unwrap_or_default());
            own == Some(name) && url == Some(page) && (to.is_empty() || other == to)
        };
        !found.iter().any(is_it)
    });
    let missed: Vec<_> = missed.map(|(fault, _)| format!("{fault:?}")).collect();
    assert!(missed.is_empty(), "{}\n\n{}", missed.join("\n"), found.join("\n"));
    let healthy = (0..PAGES).filter(|number| FAULTS.iter().all(|(_, at, _)| at != number));
    let healthy: Vec<_> = healthy.map(|number| server.url(&path(number))).collect();
    let on_healthy: Vec<_> =
        found.iter().filter(|row| healthy.iter().any(|url| row.split('|').nth(1) == Some(url))).collect();
    assert!(on_healthy.is_empty(), "{on_healthy:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "serves until it is stopped"]
async fn serves_the_site_for_others() {
    let (server, other) = serve().await;
    for fault in &FAULTS {
        let [name, page, to] = finding(fault, &server, &other);
        println!("{}", serde_json::json!({ "finding": name, "url": page, "other_url": to }));
    }
    println!("{}", server.url("/"));
    std::future::pending::<()>().await;
}
