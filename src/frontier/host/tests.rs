//! What a host offers.

use super::*;
use crate::config::Config;
use crate::visit::StoredRobots;

const NOW: Millis = 1_000_000;

fn limits() -> Limits {
    Limits::new(&Config { rate: 0.0, max_connections_per_host: 2, max_pages_per_host: Some(2), ..Config::default() })
}

/// A host with these rules and the URLs `/1` and `/2`.
fn host(rules: &str) -> HostState {
    let answer = RobotsAnswer::Rules { status: 200, body: rules.as_bytes().to_vec() };
    let robots = Some(StoredRobots { fetched_at: NOW, answer });
    let record = HostRecord {
        id: 1,
        host: Host::parse("http://h.test").unwrap(),
        asked_at: 0,
        blocked_until: 0,
        robots,
        epoch: 1,
        stored: 0,
    };
    let mut host = HostState::new(record, Facts::default(), &limits(), &Tick::default(), NOW);
    for id in 1..=2 {
        let url = CanonicalUrl::parse(&format!("http://h.test/{id}")).unwrap();
        host.push(Target::new(id, 1, url, 0), NOW, &limits());
    }
    host
}

fn start_page(host: &mut HostState) {
    assert!(matches!(host.offer(NOW, &limits(), &Traps::default(), true), Offer::Ask(Queue::Pages)));
    host.start(NOW, &limits()).unwrap();
    host.take_asked(Queue::Pages);
}

#[test]
fn pages_are_offered_as_far_as_connections_and_budget_go() {
    let mut host = host("");
    start_page(&mut host);
    assert!(
        matches!(host.offer(NOW, &limits(), &Traps::default(), false), Offer::Nothing),
        "the budget of all hosts is used up"
    );
    let one = Limits { max_connections_per_host: 1, ..limits() };
    assert!(matches!(host.offer(NOW, &one, &Traps::default(), true), Offer::Nothing), "it is at its connections");
    let spent = Limits { max_pages_per_host: Some(1), ..limits() };
    assert!(matches!(host.offer(NOW, &spent, &Traps::default(), true), Offer::Nothing), "its own budget is used up");
    start_page(&mut host);
}

#[test]
fn what_costs_no_request_is_offered_though_none_may_be_made() {
    let mut host = host("User-agent: *\nDisallow: /1\n");
    host.release(Rest { asked_until: Some(Millis::MAX), ..Rest::default() }, NOW, &limits());
    assert!(matches!(
        host.offer(NOW, &limits(), &Traps::default(), false),
        Offer::Refuse(Queue::Pages, Refusal::Skip(_))
    ));
    host.take_refused(Queue::Pages);
    host.settle_refused(1);
    assert!(matches!(host.offer(NOW, &limits(), &Traps::default(), true), Offer::Nothing), "it is parked");
}

#[test]
fn a_request_for_a_robots_txt_goes_before_the_pages() {
    let mut host = host("");
    let url = CanonicalUrl::parse("http://h.test/robots.txt").unwrap();
    host.queue_call(RobotsCall { host: 1, for_host: 2, url, hop: 1, attempt: 0 }, NOW + 10);
    assert!(matches!(host.offer(NOW, &limits(), &Traps::default(), true), Offer::At(at) if at == NOW + 10));
    assert!(matches!(host.offer(NOW + 10, &limits(), &Traps::default(), true), Offer::Call));
}

#[test]
fn a_host_is_idle_once_all_it_handed_out_is_settled() {
    let mut host = host("");
    for id in 1..=2 {
        start_page(&mut host);
        host.release(Rest::default(), NOW, &limits());
        assert!(!host.is_idle(), "its page is not committed");
        host.settle_page(id, 1);
    }
    assert!(host.is_idle());
    let facts = host.into_facts(&limits());
    assert_eq!((facts.rare.stored, facts.are_sitemaps_known, facts.ever_answered), (2, true, false));
}
