//! What the parts of the pipeline are measured with: pages, a web of many hosts, batches of records.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use harvestman::demo::graph_page;
use harvestman::internals::canonical::CanonicalUrl;
use harvestman::internals::config::Config;
use harvestman::internals::frontier::limits::Limits;
use harvestman::internals::frontier::schedule::{Schedule, Step};
use harvestman::internals::parse::{Parsed, parse_html};
use harvestman::internals::scope::Scope;
use harvestman::internals::store::part::Part;
use harvestman::internals::store::sqlite::SqliteDatabase;
use harvestman::internals::store::{Refill, Run as _, Start, Store as _};
use harvestman::internals::visit::{
    self, Candidate, Errand, Hold, HostRecord, Page, PageOutcome, Record, Request, Rest, Settlement, Target,
};
use tempfile::TempDir;

pub const BASE: &str = "http://shop.example/catalogue/index.html";
pub const TARGETS_PER_HOST: i64 = 5;
/// Connections of the schedule, which has so many requests in flight.
pub const IN_FLIGHT: usize = 64;
const RECORDS_PER_COMMIT: usize = 64;

/// References to 1,000 pages as a page names them.
pub fn references() -> Vec<String> {
    (0..1_000).map(|item| format!("../item/{item}?ref=list&page={}#part", item / 20)).collect()
}

/// The same as whole URLs that are not canonical.
pub fn absolute(references: &[String]) -> Vec<String> {
    references.iter().map(|reference| format!("HTTPS://Shop.Example:443/a/./b/{reference}")).collect()
}

pub fn demo_page(number: usize) -> String {
    String::from_utf8(graph_page(5_000, 20_000, &format!("/p/{number}")).body).unwrap()
}

/// A page as shops have them: nested boxes, classes, inline scripts and styles, entities, some hundred links.
pub fn shop_page() -> String {
    let mut html = String::from("<!doctype html><html lang=en><head><meta charset=utf-8><title>All goods</title>");
    html += &format!("<style>{}</style>", ".card > .price { color: #c00; margin: 0 auto }\n".repeat(200));
    html += &format!("<script>{}</script></head><body>", "window.q = window.q || []; q.push(['a', 1]);\n".repeat(300));
    for item in 0..400 {
        let _ = writeln!(
            html,
            "<div class=\"col-sm-6 col-md-4\"><article class=\"card card--wide\" data-id=\"{item}\" id=\"c{item}\">\
             <a class=\"card__image\" href=\"../item/{item}?ref=list&amp;page={}\"><img src=\"/i/{item}.webp\" \
             alt=\"Item {item}\" width=320 height=240 loading=lazy></a><h3><a href='/item/{item}#reviews' \
             title=\"Item {item} &mdash; now in stock\">Item {item} &amp; more</a></h3><p>A good thing to have, said \
             <a rel=\"nofollow ugc\" href=\"https://people.example/u/{item}\">somebody&nbsp;{item}</a>: &ldquo;it \
             lasts&rdquo;.</p><ul><li>Weight<b>{item}&thinsp;g</b><li>Size<b>{item} × {item}</b></ul>\
             <button type=button class=\"btn btn-primary\" onclick=\"buy({item})\">Buy</button></article></div>",
            item / 20
        );
    }
    html + "</body></html>"
}

pub fn parse(base: &CanonicalUrl, html: &str) -> Parsed {
    parse_html(base.url(), html, "harvestman", Duration::from_secs(60))
}

pub fn host_and_targets(host: i64) -> (HostRecord, Vec<Target>) {
    let front = CanonicalUrl::parse(&format!("http://host-{host}.example/")).unwrap();
    let target = |number| {
        let url = CanonicalUrl::join(front.url(), &format!("/page/{number}")).unwrap();
        let id = host * TARGETS_PER_HOST + number;
        Target::new(id, host, url, 1)
    };
    let record =
        HostRecord { id: host, host: front.host(), asked_at: 0, blocked_until: 0, robots: None, epoch: 1, stored: 0 };
    (record, (0..TARGETS_PER_HOST).map(target).collect())
}

/// Takes in all targets and hands them out at the rate of their hosts, on a clock that jumps to the next moment.
pub fn schedule_all(limits: &Limits, web: Vec<(HostRecord, Vec<Target>)>) -> usize {
    let mut schedule = Schedule::new(limits.clone());
    let mut now = 0;
    for (host, targets) in web {
        schedule.add_host(host, now);
        targets.into_iter().for_each(|target| assert!(schedule.push(target, now)));
    }
    let (mut out, mut handed_out) = (Vec::with_capacity(IN_FLIGHT), 0);
    loop {
        match schedule.next(now) {
            Step::Go(Errand::Page(target)) => {
                schedule.release(target.host, Rest { answered: Some(true), ..Rest::default() }, now);
                out.push(Settlement::Stored { host: target.host, id: target.id });
                handed_out += 1;
            }
            Step::Drained => return handed_out,
            Step::Wait(until) if out.is_empty() => now = until,
            _ => out.drain(..).for_each(|settlement| schedule.settle(settlement, now)),
        }
    }
}

/// What a worker makes of a target: a page of 20 kB with its links.
fn record(number: usize, target: Target) -> Record {
    let html = demo_page(number);
    let parsed = parse(&target.url, &html);
    let candidate = |link: harvestman::internals::parse::FoundLink| Candidate {
        text: link.text,
        rel: link.rel,
        part: link.part,
        ..Candidate::new(link.url, link.element)
    };
    let page = Page {
        status: 200,
        headers: vec![("content-type".into(), "text/html; charset=utf-8".into())],
        content_type: Some("text/html".into()),
        charset: Some("UTF-8".into()),
        language: parsed.head.language,
        title: parsed.head.title,
        description: parsed.head.description,
        text: Some(parsed.text),
        content_hash: Some([u8::try_from(number % 256).unwrap(); 32]),
        links: parsed.links.into_iter().map(candidate).collect(),
        fetched_at: visit::now(),
        body: Some(html.into_bytes()),
        ..Page::default()
    };
    let elapsed = Duration::from_millis(20);
    let request = Request {
        at: page.fetched_at,
        elapsed,
        status: Some(200),
        failure: None,
        bytes: 20_000,
        certificate_expires_at: None,
    };
    let rest = Rest { answered: Some(true), ..Rest::default() };
    Record::Page { target, request, rest, outcome: PageOutcome::Fetched(Arc::new(page)) }
}

/// A fresh database with so many seeds pending, and the batches that settle them.
pub async fn store_and_batches(pages: usize) -> (TempDir, Part<SqliteDatabase>, Hold, Vec<Vec<Record>>) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::default();
    let url = |number| CanonicalUrl::parse(&format!("http://shop.example/p/{number}")).unwrap();
    let seeds: Vec<_> = (0..pages).map(url).collect();
    let database = SqliteDatabase::open(&folder.path().join("crawl.db")).await.unwrap();
    let scope = Scope::new(&config, &seeds).into();
    let mut run = database.begin(Start { config: &config, scope: &scope, seeds: &seeds, given: &[] }).await.unwrap();
    let host = run.take(1).await.unwrap()[0];
    let Refill { host, targets, .. } = run.pending(&[(host, pages)]).await.unwrap().remove(0);
    let mut records = targets.into_iter().enumerate().map(|(number, target)| record(number, target));
    let batches = std::iter::repeat_with(|| records.by_ref().take(RECORDS_PER_COMMIT).collect::<Vec<_>>());
    let batches = batches.take_while(|batch| !batch.is_empty()).collect();
    (folder, run, host.hold(), batches)
}
