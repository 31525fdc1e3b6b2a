//! URLs that sitemaps name, and sitemaps themselves.

use harvestman::internals::config::{Config, Recrawl};
use harvestman::internals::store::Run as _;
use harvestman::internals::visit::{self, Candidate, Element, Record, Settlement, Target};

use crate::place::{Hand, Place, fetched, link, page, row, target};

fn config() -> Config {
    Config { sitemaps: true, recrawl_after: Recrawl::Auto, ..Config::default() }
}

fn sitemap(to: &str) -> Candidate {
    Candidate { element: Element::Sitemap, sitemap: Some(1), ..link(to) }
}

fn named(target: &Target, named: Vec<Candidate>) -> Record {
    Record::Sitemaps { id: target.host, host: target.url.host(), named }
}

pub async fn what_robots_txt_names_has_depth_1_and_no_referrer<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &config(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let committed = hand.commit([named(&front, vec![sitemap("http://a.test/map.xml")])]).await;
    assert!(matches!(committed.settlements[..], [Settlement::Sitemaps { .. }]));
    let map = target(&committed.targets, "/map.xml");
    assert_eq!((map.depth, map.sitemap), (1, Some(1)));
    let row_of = "select depth, referrer from urls where url like '%/map.xml'";
    assert_eq!(row(place, row_of).await, "1|");
    let listed = Candidate { element: Element::Sitemap, ..link("http://a.test/listed") };
    let committed = hand.commit([fetched(map, page([listed]))]).await;
    assert_eq!(target(&committed.targets, "/listed").depth, 1, "a file is no step");
}

pub async fn a_page_becomes_a_sitemap_once_it_is_listed_as_one<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &config(), &["http://a.test/", "http://a.test/map.xml"]).await;
    let targets = hand.take().await;
    let map = target(&targets, "/map.xml");
    hand.commit([fetched(map, page([]))]).await;
    let committed = hand.commit([named(&targets[0], vec![sitemap("http://a.test/map.xml")])]).await;
    assert_eq!(target(&committed.targets, "/map.xml").sitemap, Some(1));
    assert_eq!(hand.accounting(), (0, 0, 0, 2), "it is asked for again");
    let committed = hand.commit([named(&targets[0], vec![sitemap("http://a.test/map.xml")])]).await;
    assert!(committed.targets.is_empty());
}

pub async fn a_sitemap_wakes_what_it_says_was_modified_once_in_a_run<P: Place>(place: &P) {
    let map = |target: &Target| {
        if target.sitemap.is_none() {
            page([])
        } else {
            page([Candidate { element: Element::Sitemap, ..link("http://a.test/") }])
        }
    };
    let mut hand = Hand::begin(place, &config(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    hand.commit([named(&front, vec![sitemap("http://a.test/map.xml")])]).await;
    let taken = hand.window(front.host, 10).await;
    hand.commit(taken.into_iter().map(|target| fetched(target.clone(), map(&target)))).await;
    hand.run.end("finished", true).await.unwrap();
    drop(hand);
    place.age(7_200_000).await;
    let mut hand = Hand::begin(place, &config(), &["http://a.test/"]).await;
    let due = hand.take().await;
    assert_eq!(due.len(), 1, "only the sitemap is due: {due:?}");
    let lastmod = Some(visit::now() - 3_600_000);
    let entry = || Candidate { element: Element::Sitemap, lastmod, ..link("http://a.test/") };
    let committed = hand.commit([fetched(due[0].clone(), page([entry()]))]).await;
    let woken = target(&committed.targets, "test/");
    assert!(woken.known);
    assert_eq!(hand.accounting(), (1, 0, 0, 1));
    hand.commit([fetched(woken, page([]))]).await;
    let committed = hand.commit([named(&front, vec![entry()])]).await;
    assert!(committed.targets.is_empty(), "once in a run is enough");
    assert_eq!(hand.accounting(), (2, 0, 0, 0));
}
