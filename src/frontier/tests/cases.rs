//! What the schedule does in cases that random work seldom meets.

use super::setting::{MAX_WAIT, START, limits, plain, record, target};
use crate::frontier::limits::Limits;
use crate::frontier::schedule::{Schedule, Step};
use crate::visit::{Errand, FailureKind, HostRecord, Millis, Refusal, Rest, RobotsAnswer, Settlement, StoredRobots};

fn answered(body: &str) -> StoredRobots {
    let answer = RobotsAnswer::Rules { status: 200, body: body.as_bytes().to_vec() };
    StoredRobots { fetched_at: START - 1_000, answer }
}

/// When a host from an earlier invocation is asked for its one page.
fn first_asked(record: HostRecord) -> Millis {
    let mut schedule = Schedule::new(limits(&plain()));
    let id = record.id;
    schedule.add_host(record, START);
    schedule.push(target(id, 1), START);
    let mut now = START;
    loop {
        match schedule.next(now) {
            Step::Go(Errand::Page(_)) => return now,
            Step::Go(Errand::Sitemaps { id, .. }) => schedule.settle(Settlement::Sitemaps { host: id }, now),
            Step::Wait(until) => now = until,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_host_of_an_earlier_invocation_rests_as_long_as_its_pace_says_and_no_longer() {
    let asked_at = START - 100;
    let by_rate = HostRecord { asked_at, robots: Some(answered("")), ..record(1) };
    assert_eq!(first_asked(by_rate.clone()), asked_at + 333);
    let by_delay = HostRecord { robots: Some(answered("User-agent: *\nCrawl-delay: 20\n")), ..by_rate.clone() };
    assert_eq!(first_asked(by_delay), asked_at + 20_000);
    let by_retry_after = HostRecord { blocked_until: START + 5_000, ..by_rate.clone() };
    assert_eq!(first_asked(by_retry_after), START + 5_000);
    let set_back = HostRecord { asked_at: START + 1_000_000, ..by_rate };
    assert_eq!(first_asked(set_back), START + 333, "a clock that was set back costs one interval");
}

#[test]
fn hosts_are_wanted_from_disk_when_those_in_memory_have_nothing_to_do() {
    let mut schedule = Schedule::new(limits(&plain()));
    schedule.add_host(HostRecord { blocked_until: START + 2 * MAX_WAIT, ..record(1) }, START);
    schedule.push(target(1, 1), START);
    schedule.set_dormant(true);
    assert!(matches!(schedule.next(START), Step::Idle), "the only host is parked, and others wait on disk");
    assert!(schedule.wants_hosts());
    schedule.set_dormant(false);
    assert!(matches!(schedule.next(START), Step::Drained));
}

#[test]
fn a_refusal_waits_for_no_connection() {
    let mut schedule = Schedule::new(Limits { connections: 1, uncommitted: 1, sitemaps: false, ..limits(&plain()) });
    let no = answered("User-agent: *\nDisallow: /no\n");
    for (host, url) in [(1, 1), (2, 2), (3, 3)] {
        schedule.add_host(HostRecord { robots: Some(no.clone()), ..record(host) }, START);
        schedule.push(target(host, url), START);
    }
    assert!(matches!(schedule.next(START), Step::Go(Errand::Page(target)) if target.host == 1));
    assert!(matches!(schedule.next(START), Step::Go(Errand::Refuse { target, .. }) if target.host == 3));
    assert!(matches!(schedule.next(START), Step::Idle), "host 2 waits for the connection");
    schedule.release(1, Rest { answered: Some(true), ..Rest::default() }, START);
    assert!(matches!(schedule.next(START), Step::Idle), "the answer is not committed yet");
    schedule.settle(Settlement::Stored { host: 1, id: 1 }, START);
    assert!(matches!(schedule.next(START), Step::Go(Errand::Page(target)) if target.host == 2));
}

#[test]
fn a_page_of_the_budget_that_is_given_back_goes_to_the_next_host() {
    let mut schedule =
        Schedule::new(Limits { max_pages: Some(1), ignore_robots: true, sitemaps: false, ..limits(&plain()) });
    for host in 1..=2 {
        schedule.add_host(record(host), START);
        schedule.push(target(host, host), START);
    }
    assert!(matches!(schedule.next(START), Step::Go(Errand::Page(target)) if target.host == 1));
    assert!(matches!(schedule.next(START), Step::Idle));
    schedule.release(1, Rest::default(), START);
    schedule.settle(Settlement::Ended { host: 1, id: 1 }, START);
    assert!(matches!(schedule.next(START), Step::Go(Errand::Page(target)) if target.host == 2));
}

#[test]
fn what_is_left_of_a_host_fails_at_once_when_it_is_given_up() {
    let mut schedule = Schedule::new(Limits { retries: 0, ignore_robots: true, sitemaps: false, ..limits(&plain()) });
    schedule.add_host(record(1), START);
    for id in 1..=2 {
        schedule.push(target(1, id), START);
    }
    assert!(matches!(schedule.next(START), Step::Go(Errand::Page(_))));
    schedule.release(1, Rest { answered: Some(false), started_at: START, ..Rest::default() }, START);
    schedule.give_up(1, FailureKind::Connect, "refused".into(), START);
    schedule.settle(Settlement::Ended { host: 1, id: 1 }, START);
    let Step::Go(Errand::Refuse { verdict, .. }) = schedule.next(START) else { panic!("nothing waits for it") };
    assert!(matches!(verdict, Refusal::Fail { kind: FailureKind::Connect, attempts: 1, .. }));
}
