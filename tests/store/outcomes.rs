//! How each kind of record ends, and what is stored by it.

use std::sync::Arc;

use harvestman::internals::config::Config;
use harvestman::internals::store::Run as _;
use harvestman::internals::visit::{
    self, Failure, FailureKind, PageOutcome, Record, Refusal, Retry, Settlement, SkipReason,
};

use crate::place::{Hand, Place, ended, fetched, link, page, row, target};

pub async fn every_end_of_a_request_moves_its_url_and_is_counted<P: Place>(place: &P) {
    let seeds = ["/0", "/1", "/2", "/3", "/4"].map(|path| format!("http://a.test{path}"));
    let mut hand = Hand::begin(place, &Config::default(), &seeds.each_ref().map(String::as_str)).await;
    let targets = hand.take().await;
    let at = |path| target(&targets, path);
    let failed = PageOutcome::Failed(Failure::new(FailureKind::Timeout, "too slow"));
    let dead = Refusal::Fail { kind: FailureKind::Dns, message: Arc::from("no such host"), attempts: 4 };
    hand.commit([
        fetched(at("/0"), page([])),
        ended(at("/1"), failed),
        Record::GuardedPage(at("/2")),
        Record::Refused { target: at("/3"), verdict: Refusal::Skip(SkipReason::Robots) },
        Record::Refused { target: at("/4"), verdict: dead },
    ])
    .await;
    assert_eq!(hand.accounting(), (1, 2, 2, 0));
    let states = "select state, reason from urls order by url";
    assert_eq!(
        place.rows(states).await,
        ["fetched|", "failed|timeout", "skipped|private_address", "skipped|robots", "failed|dns"]
    );
    let failures = "select kind, message, attempts from failures order by url";
    assert_eq!(place.rows(failures).await, ["timeout|too slow|1", "dns|no such host|4"]);
    let tally = hand.run.accounting().1;
    assert_eq!((tally.requests, tally.bytes, tally.unchanged), (2, 200, 0));
    assert_eq!(row(place, "select requests, bytes from runs").await, "2|200");
    assert_eq!(row(place, "select count(*) from fetches").await, "2");
}

pub async fn a_retry_stays_pending_with_its_time_and_its_tries<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let host = front.host;
    let due_at = visit::now() + 60_000;
    let retry = Retry { due_at, kind: Some(FailureKind::Connect), message: Arc::from("refused") };
    hand.commit([ended(front, PageOutcome::Retry(retry))]).await;
    assert_eq!(hand.accounting(), (0, 0, 0, 1));
    let again = target(&hand.window(host, 10).await, "/");
    assert_eq!((again.attempts, again.due_at), (1, Some(due_at)));
    assert_eq!(row(place, "select attempts, due_at is not null from queue").await, "1|1");
}

pub async fn an_abandoned_request_changes_nothing<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    hand.commit([ended(front.clone(), PageOutcome::Abandoned)]).await;
    assert_eq!(hand.accounting(), (0, 0, 0, 1));
    assert_eq!(hand.window(front.host, 10).await, [front]);
}

pub async fn a_url_that_is_not_pending_any_more_is_not_stored_again<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    hand.commit([fetched(front.clone(), page([link("http://a.test/1")]))]).await;
    let committed = hand.commit([fetched(front, page([link("http://a.test/1")]))]).await;
    assert!(matches!(committed.settlements[..], [Settlement::Ended { .. }]), "{committed:?}");
    assert_eq!(hand.accounting(), (1, 0, 0, 1));
    assert_eq!(row(place, "select count(*) from fetches").await, "1");
}

pub async fn what_is_not_wanted_of_a_page_is_not_stored<P: Place>(place: &P) {
    let config = Config { store_bodies: false, store_links: false, store_text: false, ..Config::default() };
    let mut hand = Hand::begin(place, &config, &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    hand.commit([fetched(front, page([link("http://a.test/1")]))]).await;
    let sql = "select text is null, size, (select count(*) from bodies), (select count(*) from links) from pages";
    assert_eq!(row(place, sql).await, "1|4|0|0");
    assert_eq!(hand.accounting(), (1, 0, 0, 1), "the link counts all the same");
}

pub async fn a_settlement_follows_each_record<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/0", "http://a.test/1"]).await;
    let targets = hand.take().await;
    let (zero, one) = (target(&targets, "/0"), target(&targets, "/1"));
    let failed = PageOutcome::Failed(Failure::new(FailureKind::Timeout, "too slow"));
    let committed = hand.commit([fetched(zero, page([])), ended(one, failed)]).await;
    let is_right = matches!(committed.settlements[..], [Settlement::Stored { .. }, Settlement::Ended { .. }]);
    assert!(is_right && committed.lost.is_empty(), "{committed:?}");
}
