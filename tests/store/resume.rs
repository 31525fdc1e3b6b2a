//! One invocation after another: which run it belongs to, and what it judges again.

use harvestman::internals::config::Config;
use harvestman::internals::store::Run as _;
use harvestman::internals::visit::{Record, Refusal, SkipReason};

use crate::place::{Hand, Place, fetched, link, page, row, skipped_link, target};

pub async fn what_was_committed_is_there_after_a_crash_and_the_run_goes_on<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let committed = hand.commit([fetched(front, page([link("http://a.test/1"), link("http://a.test/2")]))]).await;
    let run = hand.run.id();
    drop(hand);
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    assert_eq!(hand.run.id(), run);
    let mut targets = hand.take().await;
    targets.sort_by_key(|target| target.id);
    let mut before = committed.targets;
    before.sort_by_key(|target| target.id);
    assert_eq!(targets, before);
    hand.run.end("interrupted", false).await.unwrap();
    assert_eq!(row(place, "select id, outcome, finished_at from runs").await, format!("{run}|interrupted|"));
}

pub async fn a_finished_run_is_followed_by_a_new_one<P: Place>(place: &P) {
    let hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let first = hand.run.id();
    hand.finish(|_| page([])).await;
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    assert!(hand.run.id() > first);
    let front = target(&hand.take().await, "/");
    hand.run.end("limit", false).await.unwrap();
    drop(hand);
    let hand = Hand::begin(place, &Config { fresh: true, ..Config::default() }, &["http://a.test/"]).await;
    assert!(hand.run.id() > first + 1, "an unfinished run is given up");
    assert_eq!((hand.accounting(), front.known), ((0, 0, 0, 1), true));
    assert_eq!(row(place, "select count(*), count(finished_at) from runs").await, "3|1");
}

pub async fn what_an_invocation_did_is_told_apart_from_the_run<P: Place>(place: &P) {
    let seeds = ["http://a.test/0", "http://a.test/1"];
    for path in ["/0", "/1"] {
        let mut hand = Hand::begin(place, &Config::default(), &seeds).await;
        let one = target(&hand.take().await, path);
        hand.commit([fetched(one, page([]))]).await;
        assert_eq!(hand.run.accounting().1.requests, 1);
        hand.run.end("limit", false).await.unwrap();
    }
    assert_eq!(row(place, "select fetched, requests from runs").await, "2|2");
}

pub async fn other_settings_judge_again_what_was_skipped_and_what_waits<P: Place>(place: &P) {
    let shallow = Config { max_depth: Some(1), ..Config::default() };
    let mut hand = Hand::begin(place, &shallow, &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let committed = hand.commit([fetched(front, page([link("http://a.test/1")]))]).await;
    let one = target(&committed.targets, "/1");
    let links = [skipped_link("http://a.test/2", SkipReason::Depth), skipped_link("http://b.test/", SkipReason::Scope)];
    hand.commit([fetched(one, page(links))]).await;
    drop(hand);
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    assert_eq!(target(&hand.take().await, "/2").depth, 2);
    assert_eq!(hand.accounting(), (2, 0, 1, 1));
    drop(hand);
    let exclude = Config::from_toml("exclude = [\"/2$\"]").unwrap();
    let hand = Hand::begin(place, &exclude, &["http://a.test/"]).await;
    assert_eq!(hand.accounting(), (2, 0, 2, 0));
    let reasons = "select reason from skipped order by url";
    assert_eq!(place.rows(reasons).await, ["excluded", "scope"]);
}

pub async fn what_was_unreachable_is_pending_in_the_next_invocation<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let links = ["/0", "/1", "/2"].map(|path| link(&format!("http://a.test{path}")));
    let targets = hand.commit([fetched(front, page(links))]).await.targets;
    let refused =
        |path: &str, reason| Record::Refused { target: target(&targets, path), verdict: Refusal::Skip(reason) };
    hand.commit([
        refused("/0", SkipReason::RobotsUnreachable),
        Record::GuardedPage(target(&targets, "/1")),
        refused("/2", SkipReason::hook("no")),
    ])
    .await;
    assert_eq!(hand.accounting(), (1, 0, 3, 0));
    drop(hand);
    let hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    assert_eq!(hand.accounting(), (1, 0, 1, 2));
}
