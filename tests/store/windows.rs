//! What is pending of a host, in which order, and on which condition.

use harvestman::internals::config::Config;
use harvestman::internals::store::Run as _;
use harvestman::internals::visit::Target;

use crate::place::{Hand, Place, fetched, link, page, target};

fn paths(targets: &[Target]) -> Vec<String> {
    targets.iter().map(|target| target.url.url().path().to_owned()).collect()
}

pub async fn new_urls_come_before_known_ones_and_shorter_paths_first<P: Place>(place: &P) {
    let hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    hand.finish(|target| page((target.depth == 0).then(|| link("http://a.test/known")))).await;
    let mut hand = Hand::begin(place, &Config::default(), &["http://a.test/"]).await;
    let taken = hand.take().await;
    assert_eq!(paths(&taken), ["/", "/known"]);
    assert!(taken.iter().all(|target| target.known));
    let links = ["/deep", "/new"].map(|path| link(&format!("http://a.test{path}")));
    hand.commit([fetched(taken[0].clone(), page(links))]).await;
    let below = page([link("http://a.test/below")]);
    let deep = target(&hand.window(taken[0].host, 10).await, "/deep");
    hand.commit([fetched(deep, below)]).await;
    assert_eq!(paths(&hand.window(taken[0].host, 10).await), ["/new", "/below", "/known"]);
}

pub async fn a_window_is_a_part_of_what_is_pending_and_says_so<P: Place>(place: &P) {
    let seeds = ["/0", "/1", "/2"].map(|path| format!("http://a.test{path}"));
    let mut hand = Hand::begin(place, &Config::default(), &seeds.each_ref().map(String::as_str)).await;
    let [host] = hand.run.take(10).await.unwrap()[..] else { panic!("one host has pending URLs") };
    let part = hand.run.pending(&[(host, 2)]).await.unwrap().remove(0);
    assert_eq!((paths(&part.targets), part.complete.pages), (vec!["/0".to_owned(), "/1".to_owned()], false));
    let whole = hand.run.pending(&[(host, 4)]).await.unwrap().remove(0);
    assert_eq!((whole.targets.len(), whole.complete.pages), (3, true));
    assert_eq!((whole.host.id, whole.host.host.as_str()), (host, "http://a.test"));
}

pub async fn a_known_page_is_asked_for_on_condition_only_if_all_is_kept<P: Place>(place: &P) {
    let tagged = |_: &Target| {
        let mut tagged = page([]);
        tagged.etag = Some("\"1\"".to_owned());
        tagged
    };
    let no_bodies = Config { store_bodies: false, ..Config::default() };
    for (config, is_conditional) in [(&no_bodies, false), (&no_bodies, true), (&Config::default(), false)] {
        let mut hand = Hand::begin(place, config, &["http://a.test/"]).await;
        let front = target(&hand.take().await, "/");
        assert_eq!(front.validators.is_some(), is_conditional);
        let record = fetched(front.clone(), tagged(&front));
        hand.commit([record]).await;
        hand.run.end("finished", true).await.unwrap();
    }
}
