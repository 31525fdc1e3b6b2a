//! One run after another: what is fetched again, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use harvestman::internals::config::{Config, Recrawl};
use harvestman::internals::store::Run as _;
use harvestman::internals::visit::{
    self, Failure, FailureKind, Page, PageOutcome, Record, Refusal, SkipReason, Target,
};

use crate::place::{Hand, Place, ended, fetched, link, page, row, target, text_page};

const SEED: [&str; 1] = ["http://a.test/"];

fn after(seconds: u64) -> Config {
    Config { recrawl_after: Recrawl::After(Duration::from_secs(seconds)), ..Config::default() }
}

/// A run in which the front page answers so; whether it was asked for.
async fn night<P: Place>(place: &P, config: &Config, answer: Page) -> bool {
    let mut hand = Hand::begin(place, config, &SEED).await;
    let targets = hand.take().await;
    let is_due = !targets.is_empty();
    hand.commit(targets.into_iter().map(|target| fetched(target, answer.clone()))).await;
    hand.run.end("finished", true).await.unwrap();
    is_due
}

pub async fn a_new_run_fetches_again_what_is_due<P: Place>(place: &P) {
    let first = visit::now();
    assert!(night(place, &after(3_600), page([])).await);
    assert!(!night(place, &after(3_600), page([])).await);
    let due = row(place, "select due_at from recrawl").await;
    let due: jiff::Timestamp = due.parse().unwrap();
    assert!((first + 3_600_000..=visit::now() + 3_600_000).contains(&due.as_millisecond()));
    place.age(3_600_000).await;
    assert!(night(place, &after(3_600), page([])).await);
    assert!(night(place, &after(0), page([])).await, "other settings, other times");
    let fresh = Page { fresh_until: Some(visit::now() + 60_000), ..page([]) };
    let respectful = Config { respect_cache: true, ..after(0) };
    assert!(night(place, &respectful, fresh.clone()).await && !night(place, &respectful, fresh).await);
}

pub async fn a_page_that_was_fetched_in_the_future_is_due_now<P: Place>(place: &P) {
    assert!(night(place, &after(3_600), page([])).await);
    place.age(-5_000_000).await;
    let due = row(place, "select due_at from recrawl").await;
    assert!(due.parse::<jiff::Timestamp>().unwrap().as_millisecond() <= visit::now() + 1);
    assert!(night(place, &after(3_600), page([])).await);
    assert!(!night(place, &after(3_600), page([])).await);
}

pub async fn what_failed_and_what_robots_txt_forbade_is_asked_for_again<P: Place>(place: &P) {
    let seeds = ["http://a.test/0", "http://a.test/1", "http://a.test/2"];
    let mut hand = Hand::begin(place, &after(3_600), &seeds).await;
    let targets = hand.take().await;
    let failed = PageOutcome::Failed(Failure::new(FailureKind::Timeout, "too slow"));
    hand.commit([
        ended(target(&targets, "/0"), failed),
        Record::Refused { target: target(&targets, "/1"), verdict: Refusal::Skip(SkipReason::Robots) },
        fetched(target(&targets, "/2"), page([])),
    ])
    .await;
    hand.run.end("finished", true).await.unwrap();
    drop(hand);
    let mut hand = Hand::begin(place, &after(3_600), &seeds).await;
    let again = hand.take().await;
    let paths: Vec<_> = again.iter().map(|target| target.url.url().path()).collect();
    assert_eq!((paths, again[0].attempts), (vec!["/0", "/1"], 0));
}

pub async fn a_page_is_new_changed_gone_and_restored<P: Place>(place: &P) {
    let status = |status| Page { status, ..text_page("error", []) };
    let answers = [
        text_page("a", []),
        text_page("b", []),
        status(503),
        status(404),
        status(410),
        text_page("b", []),
        text_page("b", []),
    ];
    for answer in answers {
        assert!(night(place, &after(0), answer).await);
    }
    let changes = "select run - (select min(id) from runs), change from changes order by run";
    assert_eq!(place.rows(changes).await, ["0|new", "1|changed", "3|gone", "5|restored"]);
    assert_eq!(row(place, "select sum(unchanged) from runs").await, "1");
}

pub async fn a_304_keeps_the_page_and_counts_as_unchanged<P: Place>(place: &P) {
    let first = Page { etag: Some("\"1\"".to_owned()), ..page([link("http://b.test/")]) };
    let mut hand = Hand::begin(place, &after(0), &SEED).await;
    let front = target(&hand.take().await, "a.test/");
    hand.commit([fetched(front, first)]).await;
    hand.run.end("finished", true).await.unwrap();
    drop(hand);
    place.age(5_000).await;
    let before = row(place, "select fetched_at from pages").await;
    let mut hand = Hand::begin(place, &after(0), &SEED).await;
    let front = target(&hand.take().await, "a.test/");
    let not_modified = Page { status: 304, fetched_at: visit::now(), ..Page::default() };
    hand.commit([fetched(front, not_modified)]).await;
    assert_eq!(hand.run.accounting().1.unchanged, 1);
    let sql = "select status, text, etag, size, (select count(*) from links) from pages";
    assert_eq!(row(place, sql).await, "200|text|\"1\"|4|1");
    assert!(row(place, "select fetched_at from pages").await > before);
}

pub async fn older_versions_are_kept_as_far_as_they_are_wanted<P: Place>(place: &P) {
    let config = Config { keep_versions: 2, ..after(0) };
    for text in ["a", "b", "c", "c", "d"] {
        night(place, &config, text_page(text, [])).await;
    }
    let versions = "select text from versions order by fetched_at, text";
    assert_eq!(place.rows(versions).await, ["b", "c"]);
    assert_eq!(row(place, "select text from pages").await, "d");
}

pub async fn tidying_deletes_the_logs_of_old_runs<P: Place>(place: &P) {
    let config = Config { keep_runs: Some(2), ..after(0) };
    for text in ["a", "b", "c"] {
        night(place, &config, text_page(text, [])).await;
    }
    let mut hand = Hand::begin(place, &config, &SEED).await;
    let front: Vec<Target> = hand.take().await;
    let failed = PageOutcome::Failed(Failure { kind: FailureKind::Timeout, message: Arc::from("too slow") });
    hand.commit([ended(front[0].clone(), failed)]).await;
    hand.run.end("finished", true).await.unwrap();
    while hand.run.tidy().await.unwrap() {}
    assert_eq!(row(place, "select count(*), count(distinct run) from fetches").await, "2|2");
    assert_eq!(row(place, "select count(*) from runs").await, "4");
}
