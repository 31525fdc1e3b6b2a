//! Hosts are taken, kept and given back; whoever lost one stores nothing for it.

use harvestman::internals::config::Config;
use harvestman::internals::store::Run as _;
use harvestman::internals::visit::{self, Settlement};

use crate::place::{Hand, Place, fetched, link, page, row, target};

const SEEDS: [&str; 2] = ["http://a.test/", "http://b.test/"];

pub async fn a_host_is_taken_once_and_with_a_new_epoch_each_time<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &SEEDS).await;
    let [first] = hand.run.take(1).await.unwrap()[..] else { panic!("one is taken, as asked") };
    let [second] = hand.run.take(10).await.unwrap()[..] else { panic!("the other is left") };
    assert_ne!(first, second);
    assert!(hand.run.take(10).await.unwrap().is_empty());
    hand.window(first, 10).await;
    let epoch = hand.holds[&first].epoch;
    drop(hand);
    let mut hand = Hand::begin(place, &Config::default(), &SEEDS).await;
    hand.take().await;
    assert!(hand.holds[&first].epoch > epoch, "whoever held it before holds it no more");
}

pub async fn hosts_first_met_in_a_commit_are_taken_at_once<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let committed = hand.commit([fetched(front, page([link("http://c.test/x")]))]).await;
    let [c] = &committed.hosts[..] else { panic!("{committed:?}") };
    assert_eq!((c.host.as_str(), c.id), ("http://c.test", committed.targets[0].host));
    assert!(hand.run.take(10).await.unwrap().is_empty());
    let x = committed.targets[0].clone();
    assert!(hand.commit([fetched(x, page([]))]).await.lost.is_empty());
}

pub async fn a_host_that_was_given_back_is_free_and_keeps_its_clock<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let mut hold = hand.holds[&front.host];
    (hold.asked_at, hold.blocked_until) = (visit::now(), visit::now() + 5_000);
    hand.run.give_back(&[hold]).await.unwrap();
    hand.take().await;
    let again = hand.holds[&front.host];
    assert!(again.epoch > hold.epoch);
    assert_eq!((again.asked_at, again.blocked_until), (hold.asked_at, hold.blocked_until));
    assert!(hand.commit([fetched(front, page([]))]).await.lost.is_empty());
}

pub async fn a_record_for_a_host_that_was_given_back_is_refused<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let hold = hand.holds[&front.host];
    hand.run.give_back(&[hold]).await.unwrap();
    let committed = hand.commit([fetched(front.clone(), page([]))]).await;
    assert_eq!(committed.lost, [front.host]);
    hand.holds.remove(&front.host);
    let committed = hand.commit([fetched(front.clone(), page([]))]).await;
    assert_eq!(committed.lost, [front.host], "nor is one for a host that is not held");
    assert_eq!(hand.accounting(), (0, 0, 0, 1));
}

pub async fn a_record_for_a_host_that_another_took_is_refused_and_nothing_of_it_stored<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &SEEDS).await;
    let targets = hand.take().await;
    let (a, b) = (target(&targets, "a.test/"), target(&targets, "b.test/"));
    place.seize("http://a.test").await;
    hand.holds.get_mut(&a.host).unwrap().blocked_until = visit::now() + 90_000;
    let lost = fetched(a.clone(), page([link("http://new.test/")]));
    let committed = hand.commit([lost, fetched(b.clone(), page([]))]).await;
    assert_eq!(committed.lost, [a.host]);
    let [Settlement::Ended { id: refused, .. }, Settlement::Stored { id: stored, .. }] = committed.settlements[..]
    else {
        panic!("{committed:?}")
    };
    assert_eq!((refused, stored), (a.id, b.id));
    assert!(committed.hosts.is_empty() && committed.targets.is_empty());
    assert_eq!(hand.accounting(), (1, 0, 0, 1));
    assert_eq!(place.rows("select url from pages").await, ["http://b.test/"]);
    assert_eq!(row(place, "select count(*) from urls").await, "2");
    assert_eq!(row(place, "select count(*) from fetches").await, "1");
    assert_eq!(row(place, "select due_at from queue").await, "", "the clock is the other's");
}

pub async fn what_is_lost_is_told_on_keeping<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &SEEDS).await;
    let a = target(&hand.take().await, "a.test/").host;
    let holds: Vec<_> = hand.holds.values().copied().collect();
    assert!(hand.run.keep(&holds).await.unwrap().is_empty());
    place.seize("http://a.test").await;
    assert_eq!(hand.run.keep(&holds).await.unwrap(), [a]);
}

pub async fn a_window_of_a_lost_host_is_not_given<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &SEEDS).await;
    let a = target(&hand.take().await, "a.test/").host;
    place.seize("http://a.test").await;
    assert!(hand.run.pending(&[(a, 10)]).await.unwrap().is_empty());
    assert!(hand.run.take(10).await.unwrap().is_empty(), "it is held, though by another");
}

pub async fn links_to_a_host_of_another_are_stored_and_not_handed_out<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &SEEDS).await;
    let [first] = hand.run.take(1).await.unwrap()[..] else { panic!("one is taken, as asked") };
    let mine = hand.window(first, 10).await.remove(0);
    let other = if mine.url.as_str() == SEEDS[0] { "http://b.test" } else { "http://a.test" };
    place.seize(other).await;
    let committed = hand.commit([fetched(mine, page([link(&format!("{other}/1"))]))]).await;
    assert!(committed.targets.is_empty() && committed.hosts.is_empty(), "{committed:?}");
    assert_eq!(hand.accounting(), (1, 0, 0, 2));
}
