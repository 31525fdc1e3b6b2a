//! Which URLs there are, and what is stored of them at first.

use harvestman::internals::config::Config;
use harvestman::internals::visit::{Candidate, Landmark, SkipReason};

use crate::place::{Hand, Place, fetched, link, page, row, skipped_link, target};

pub async fn each_url_is_stored_once_however_often_it_is_linked<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/", "http://a.test/b"]).await;
    let targets = hand.take().await;
    let [front, b] = [target(&targets, "test/"), target(&targets, "/b")];
    let links = || [link("http://a.test/c"), link("http://a.test/"), link("http://a.test/c")];
    let committed = hand.commit([fetched(front, page(links())), fetched(b, page(links()))]).await;
    assert_eq!(committed.targets.len(), 1);
    let c = target(&committed.targets, "/c");
    assert!(hand.commit([fetched(c, page(links()))]).await.targets.is_empty());
    assert_eq!(hand.accounting(), (3, 0, 0, 0));
    assert_eq!(row(place, "select count(*), count(distinct url) from urls").await, "3|3");
    assert_eq!(row(place, "select count(*) from links").await, "9");
}

pub async fn what_a_link_judges_skipped_is_stored_with_its_reason<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let reasons = [SkipReason::Scope, SkipReason::Nofollow, SkipReason::hook("not today")];
    let links = reasons.iter().enumerate();
    let links = links.map(|(n, reason)| skipped_link(&format!("http://a.test/{n}"), reason.clone()));
    let committed = hand.commit([fetched(front, page(links))]).await;
    assert!(committed.targets.is_empty());
    let sql = "select url, reason, referrer from skipped order by url";
    assert_eq!(
        place.rows(sql).await,
        [
            "http://a.test/0|scope|http://a.test/",
            "http://a.test/1|nofollow|http://a.test/",
            "http://a.test/2|hook: not today|http://a.test/"
        ]
    );
}

pub async fn links_are_stored_with_the_part_of_the_page_they_stand_in<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let parts = [None, Some(Landmark::Nav), Some(Landmark::Nav), None, Some(Landmark::Main), Some(Landmark::Nav)];
    let mut links: Vec<_> =
        (0..6).zip(parts).map(|(n, part)| Candidate { part, ..link(&format!("http://a.test/{n}")) }).collect();
    links[4].rel = "next".to_owned();
    hand.commit([fetched(front, page(links))]).await;
    let sql = "select substr(to_url, 15), coalesce(part, 'none') from links order by to_url";
    assert_eq!(place.rows(sql).await, ["0|none", "1|nav", "2|nav", "3|none", "4|main", "5|nav"]);
}

pub async fn two_spellings_in_one_batch_and_in_two_are_one_url<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let links = [link("http://A.test:80/x"), link("http://a.test/./x#part")];
    let committed = hand.commit([fetched(front, page(links))]).await;
    let x = target(&committed.targets, "/x");
    let again = hand.commit([fetched(x, page([link("HTTP://a.test/y/../x")]))]).await;
    assert!(again.targets.is_empty());
    assert_eq!(hand.accounting(), (2, 0, 0, 0));
}

pub async fn seeds_are_pending_at_depth_0_and_listed<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/", "http://b.test/x"]).await;
    let targets = hand.take().await;
    assert_eq!(targets.len(), 2);
    assert!(targets.iter().all(|target| target.depth == 0 && target.attempts == 0 && !target.known));
    assert_eq!(
        place.rows("select url, state from seeds order by url").await,
        ["http://a.test/|pending", "http://b.test/x|pending"]
    );
}

pub async fn hostile_texts_are_stored_as_they_came<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let text = "'; drop table url; -- \" \\ \u{1f577} \u{202e} \u{7f} \r\n %s {} $1 ?1 \u{feff}";
    let mut hostile = page([link("http://a.test/'%22;--?q=[1]&%00")]);
    hostile.title = Some(text.to_owned());
    hostile.text = Some(text.repeat(1_000));
    hostile.headers = vec![("x".to_owned(), text.to_owned()); 2];
    hostile.links[0].text = text.to_owned();
    let committed = hand.commit([fetched(front, hostile)]).await;
    assert_eq!(committed.targets.len(), 1);
    assert_eq!(row(place, "select title from pages").await, text);
    assert_eq!(row(place, "select text from links").await, text);
    assert_eq!(place.rows("select value from headers").await, [text, text]);
    assert_eq!(row(place, "select text from pages").await, text.repeat(1_000));
}

pub async fn a_big_batch_is_stored_whole<P: Place>(place: &P) {
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let front = target(&hand.take().await, "/");
    let links = |from: usize| (from..from + 2_000).map(|n| link(&format!("http://h{}.test/{n}", n % 100)));
    let committed = hand.commit([fetched(front, page(links(0)))]).await;
    assert_eq!((committed.targets.len(), committed.hosts.len()), (2_000, 100));
    let records = committed.targets.into_iter().take(200).map(|target| fetched(target, page(links(1_000))));
    let committed = hand.commit(records).await;
    assert_eq!(committed.targets.len(), 1_000);
    assert_eq!(hand.accounting(), (201, 0, 0, 2_800));
    assert_eq!(row(place, "select count(*) from links").await, (2_000 * 201).to_string());
    let next = target(&committed.targets, "/2500");
    let of_one_host = (0..9_000).map(|n| link(&format!("http://h.test/{n}")));
    let many = links(2_000).chain(links(4_000)).chain(of_one_host);
    let committed = hand.commit([fetched(next, page(many))]).await;
    assert_eq!(committed.targets.len(), 3_000 + 9_000);
    assert_eq!(hand.accounting(), (202, 0, 0, 2_799 + 12_000));
}
