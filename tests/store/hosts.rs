//! What is kept of a host: its robots.txt, and when it was asked.

use std::time::Duration;

use harvestman::internals::config::Config;
use harvestman::internals::store::Run as _;
use harvestman::internals::visit::{
    self, FailureKind, Record, Request, Rest, RobotsAnswer, RobotsCall, RobotsOutcome, Settlement, Target,
};

use crate::place::{Hand, Place, fetched, page, request, row, target, url};

fn robots(target: &Target, outcome: RobotsOutcome) -> Record {
    let url = target.url.host().robots_url().unwrap();
    let call = RobotsCall { host: target.host, for_host: target.host, url, hop: 0, attempt: 0 };
    Record::Robots { call, request: request(Some(200)), rest: Rest::default(), outcome }
}

pub async fn robots_txt_is_kept_with_its_host<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let body = b"User-agent: *\nCrawl-delay: 7\n".to_vec();
    for answer in [
        RobotsAnswer::Unreachable { status: Some(503), failure: None },
        RobotsAnswer::Unreachable { status: None, failure: Some(FailureKind::Timeout) },
        RobotsAnswer::Unavailable { status: 404 },
        RobotsAnswer::Rules { status: 200, body },
    ] {
        let committed = hand.commit([robots(&front, RobotsOutcome::Answered(answer.clone()))]).await;
        assert!(matches!(committed.settlements[..], [Settlement::Robots { .. }]));
        let kept = hand.run.pending(&[(front.host, 1)]).await.unwrap().remove(0).host.robots.unwrap();
        assert_eq!(kept.answer, answer);
        assert!(kept.fetched_at >= visit::now() - 60_000);
    }
    assert_eq!(row(place, "select robots_status, crawl_delay_ms from hosts").await, "200|7000");
    let requests = "select count(*), min(url) from fetches";
    assert_eq!(row(place, requests).await, "4|http://a.test/robots.txt");
}

pub async fn a_robots_txt_elsewhere_brings_that_host_in<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let elsewhere = url("http://b.test/robots.txt");
    let again = RobotsOutcome::Again { url: elsewhere, hop: 1, attempt: 0, due_at: 0 };
    let committed = hand.commit([robots(&front, again)]).await;
    let [b] = &committed.hosts[..] else { panic!("{committed:?}") };
    assert_eq!(b.host.as_str(), "http://b.test");
    let on_host =
        |settlement: &Settlement| matches!(settlement, Settlement::RobotsAgain { on_host, .. } if *on_host == b.id);
    assert!(committed.settlements.iter().all(on_host));
}

pub async fn clocks_are_kept<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let hold = hand.holds.get_mut(&front.host).unwrap();
    let (asked_at, blocked_until) = (visit::now() - 5, visit::now() + 90_000);
    (hold.asked_at, hold.blocked_until) = (asked_at, blocked_until);
    let host = front.host;
    hand.commit([fetched(front, page([]))]).await;
    hand.run.end("limit", false).await.unwrap();
    drop(hand);
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/", "http://a.test/1"]).await;
    hand.take().await;
    let hold = hand.holds[&host];
    assert_eq!((hold.asked_at, hold.blocked_until), (asked_at, blocked_until));
}

pub async fn after_a_crash_every_host_counts_as_just_asked<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    assert_eq!(hand.holds[&front.host].asked_at, 0);
    drop(hand);
    let before = visit::now();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    hand.take().await;
    assert!(hand.holds[&front.host].asked_at > before);
}

pub async fn when_a_certificate_expires_is_kept_with_its_host<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/", "http://b.test/"]).await;
    let targets = hand.take().await;
    let asked = |host, certificate_expires_at| {
        let target = target(&targets, host);
        let url = target.url.host().robots_url().unwrap();
        let call = RobotsCall { host: target.host, for_host: target.host, url, hop: 0, attempt: 0 };
        let request = Request { certificate_expires_at, ..request(None) };
        Record::Robots { call, request, rest: Rest::default(), outcome: RobotsOutcome::Abandoned }
    };
    let sql = "select coalesce(certificate_expires_at, 'none') from hosts order by host";
    hand.commit([asked("a.test/", None), asked("b.test/", Some(1_700_000_000_123))]).await;
    assert_eq!(place.rows(sql).await, ["none", "2023-11-14T22:13:20.123Z"]);
    hand.commit([asked("a.test/", Some(0)), asked("b.test/", None)]).await;
    assert_eq!(place.rows(sql).await, ["1970-01-01T00:00:00.000Z", "2023-11-14T22:13:20.123Z"]);
}
