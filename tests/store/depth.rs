//! How far from the seeds a URL is, in whatever order the answers come.

use harvestman::internals::config::Config;
use harvestman::internals::store::Run as _;
use harvestman::internals::visit::{Page, Record, SkipReason, Target};

use crate::place::{Hand, Place, fetched, link, page, redirect, row, skipped_link, target};

async fn depth<P: Place>(place: &P, path: &str) -> String {
    row(place, &format!("select depth from urls where url = 'http://a.test{path}'")).await
}

fn deep(max_depth: u32) -> Config {
    Config { max_depth: Some(max_depth), ..Config::default() }
}

/// A chain of pages below the front page, each fetched, and the front page's brother that is still pending.
async fn chain<'p, P: Place>(place: &'p P, config: &Config) -> (Hand<'p, P>, Target) {
    let mut hand = Hand::begin(place, config, &["http://a.test/", "http://a.test/brother"]).await;
    let targets = hand.take().await;
    let mut at = target(&targets, "test/");
    for next in ["/1", "/2", "/3"] {
        let committed = hand.commit([fetched(at, page([link(&format!("http://a.test{next}"))]))]).await;
        at = target(&committed.targets, next);
    }
    let last = skipped_link("http://a.test/4", SkipReason::Depth);
    let last = if config.max_depth.is_some() { last } else { link("http://a.test/4") };
    hand.commit([fetched(at, page([last]))]).await;
    (hand, target(&targets, "/brother"))
}

pub async fn a_shorter_path_found_later_counts<P: Place>(place: &P) {
    let (mut hand, brother) = chain(place, &Config::default()).await;
    assert_eq!(depth(place, "/3").await, "3");
    hand.commit([fetched(brother, page([link("http://a.test/3")]))]).await;
    assert_eq!(depth(place, "/3").await, "1");
    let referrer = "select referrer from urls where url = 'http://a.test/3'";
    assert_eq!(row(place, referrer).await, "http://a.test/brother");
    assert_eq!(depth(place, "/2").await, "2", "a longer path takes nothing away");
}

pub async fn a_shorter_path_is_handed_on_to_what_was_found_through_it<P: Place>(place: &P) {
    let (mut hand, brother) = chain(place, &Config::default()).await;
    hand.commit([fetched(brother, page([link("http://a.test/3")]))]).await;
    assert_eq!(depth(place, "/4").await, "2");
}

pub async fn what_was_too_deep_opens_on_a_shorter_path<P: Place>(place: &P) {
    let (mut hand, brother) = chain(place, &deep(3)).await;
    assert_eq!(hand.accounting(), (4, 0, 1, 1));
    let committed = hand.commit([fetched(brother, page([link("http://a.test/2")]))]).await;
    assert_eq!(target(&committed.targets, "/4").depth, 3);
    assert_eq!(hand.accounting(), (5, 0, 0, 1));
}

pub async fn a_shorter_path_found_while_a_page_was_in_flight_reaches_its_links<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &deep(2), &["http://a.test/", "http://a.test/brother"]).await;
    let targets = hand.take().await;
    let links = page([link("http://a.test/1")]);
    let committed = hand.commit([fetched(target(&targets, "test/"), links)]).await;
    let links = page([link("http://a.test/2")]);
    let committed = hand.commit([fetched(target(&committed.targets, "/1"), links)]).await;
    let in_flight = target(&committed.targets, "/2");
    let links = page([link("http://a.test/2")]);
    hand.commit([fetched(target(&targets, "/brother"), links)]).await;
    let links = page([skipped_link("http://a.test/3", SkipReason::Depth)]);
    let committed = hand.commit([fetched(in_flight, links)]).await;
    assert_eq!(target(&committed.targets, "/3").depth, 2);
}

pub async fn without_links_depth_is_handed_on_all_the_same<P: Place>(place: &P) {
    let (mut hand, brother) = chain(place, &Config { store_links: false, ..deep(3) }).await;
    let committed = hand.commit([fetched(brother, page([link("http://a.test/2")]))]).await;
    assert_eq!(target(&committed.targets, "/4").depth, 3);
    assert_eq!(row(place, "select count(*) from links").await, "0");
}

pub async fn a_link_that_is_followed_opens_what_was_nofollow<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/", "http://a.test/brother"]).await;
    let targets = hand.take().await;
    let nofollow = skipped_link("http://a.test/x", SkipReason::Nofollow);
    hand.commit([fetched(target(&targets, "test/"), page([nofollow]))]).await;
    assert_eq!(hand.accounting(), (1, 0, 1, 1));
    let committed = hand.commit([fetched(target(&targets, "/brother"), page([link("http://a.test/x")]))]).await;
    assert_eq!(target(&committed.targets, "/x").depth, 1);
    assert_eq!(hand.accounting(), (2, 0, 0, 1));
}

pub async fn redirects_count_their_hops_and_a_loop_is_a_failure<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/0"]).await;
    let zero = target(&hand.take().await, "/0");
    let committed = hand.commit([fetched(zero, redirect("http://a.test/1"))]).await;
    let one = target(&committed.targets, "/1");
    assert_eq!(one.hops, 1);
    let committed = hand.commit([fetched(one, redirect("http://a.test/2"))]).await;
    let two = target(&committed.targets, "/2");
    assert_eq!(two.hops, 2);
    hand.commit([fetched(two, redirect("http://a.test/0"))]).await;
    assert_eq!(hand.accounting(), (2, 1, 0, 0));
    assert_eq!(row(place, "select url, kind from failures").await, "http://a.test/2|redirect");
    assert_eq!(row(place, "select count(*) from redirects").await, "2");
}

/// A redirect, which sets a cookie, of a URL among these to another.
fn back(targets: &[Target], from: &str, to: &str) -> Record {
    let headers = vec![("set-cookie".to_owned(), "sid=…".to_owned())];
    fetched(target(targets, from), Page { headers, ..redirect(&format!("http://a.test{to}")) })
}

pub async fn a_way_back_that_was_gone_in_one_run_does_not_lengthen_that_of_the_next<P: Place>(place: &P) {
    for run in 1..=4 {
        let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/page", "http://a.test/set"]).await;
        let targets = hand.take().await;
        assert!(targets.iter().all(|target| target.hops == 0), "run {run}: {targets:?}");
        // Both are under way before the cookie is there, and the page is stored last.
        hand.commit([back(&targets, "/set", "/page")]).await;
        let again = hand.commit([back(&targets, "/page", "/set")]).await.targets;
        assert_eq!(target(&again, "/set").hops, 1);
        let again = hand.window(target(&again, "/set").host, 10).await;
        assert_eq!(target(&again, "/set").hops, 1, "read again");
        let again = hand.commit([back(&again, "/set", "/page")]).await.targets;
        assert_eq!(target(&again, "/page").hops, 2);
        hand.commit([fetched(target(&again, "/page"), page([]))]).await;
        assert_eq!(hand.accounting(), (2, 0, 0, 0));
        hand.run.end("finished", true).await.unwrap();
    }
}
