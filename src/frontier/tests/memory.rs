//! Hosts with nothing left leave memory, and come back as they were.

use super::setting::{ALL, START, limits, plain, record, target};
use crate::canonical::CanonicalUrl;
use crate::frontier::limits::Limits;
use crate::frontier::schedule::{Schedule, Step};
use crate::visit::{
    Errand, FailureKind, Hold, HostId, HostRecord, Millis, Refusal, Rest, RobotsAnswer, Settlement, SkipReason, UrlId,
};

fn without_robots(limits: Limits) -> Schedule {
    Schedule::new(Limits { ignore_robots: true, sitemaps: false, ..limits })
}

fn answered() -> Rest {
    Rest { answered: Some(true), ..Rest::default() }
}

/// Hands out pages and commits them, until there is nothing to do at `now`. Answers with how many there were.
fn store_pages(schedule: &mut Schedule, now: Millis) -> usize {
    let mut pages = 0;
    while let Step::Go(Errand::Page(target)) = schedule.next(now) {
        schedule.release(target.host, answered(), now);
        schedule.settle(Settlement::Stored { host: target.host, id: target.id }, now);
        pages += 1;
    }
    pages
}

/// A host that was met again comes back from the store's record.
fn meet_again(schedule: &mut Schedule, record: HostRecord, url: UrlId, now: Millis) {
    let target = target(record.id, url);
    assert!(!schedule.push(target.clone(), now), "it left memory");
    assert_eq!(schedule.low().iter().map(|(id, _)| *id).collect::<Vec<_>>(), [record.id]);
    assert!(!matches!(schedule.next(now), Step::Drained), "a URL of it is pending");
    schedule.refill(record, vec![target], ALL, now);
    assert!(schedule.low().is_empty());
}

#[test]
fn a_hundred_thousand_hosts_of_two_pages_leave_nothing_behind() {
    const HOSTS: HostId = 100_000;
    let mut schedule = without_robots(limits(&plain()));
    let mut pages = 0;
    // Each page is found by the commit of one of the host before.
    for host in 1..=HOSTS {
        let (first, second) = (target(host, 2 * host), target(host, 2 * host + 1));
        schedule.settle_all(vec![record(host)], vec![first, second], Vec::new(), START);
        pages += store_pages(&mut schedule, START + host);
        assert!(schedule.hosts() <= 400, "{} hosts after {host}", schedule.hosts());
    }
    pages += store_pages(&mut schedule, START + HOSTS + 1_000);
    assert_eq!((pages, schedule.hosts()), (2 * 100_000, 0));
    assert!(matches!(schedule.next(START + HOSTS + 1_000), Step::Drained));
}

#[test]
fn a_host_that_nothing_is_asked_of_does_not_enter_memory() {
    let mut schedule = Schedule::new(limits(&plain()));
    schedule.settle_all(vec![record(1), record(2)], vec![target(2, 1)], Vec::new(), START);
    assert_eq!(schedule.hosts(), 1);
}

#[test]
fn a_host_that_is_met_again_keeps_its_interval() {
    let mut schedule = without_robots(limits(&plain()));
    schedule.add_host(record(1), START);
    schedule.push(target(1, 1), START);
    let Step::Go(Errand::Page(_)) = schedule.next(START) else { panic!("it may be asked") };
    schedule.release(1, answered(), START);
    let Hold { asked_at, blocked_until, .. } = schedule.hold(1).unwrap();
    schedule.settle(Settlement::Stored { host: 1, id: 1 }, START);
    assert_eq!((schedule.hosts(), schedule.hold(1)), (0, None));
    meet_again(&mut schedule, HostRecord { asked_at, blocked_until, ..record(1) }, 2, START + 10);
    let Step::Wait(until) = schedule.next(START + 10) else { panic!("it was asked 10 ms ago") };
    assert_eq!(until, START + 333);
    assert!(matches!(schedule.next(until), Step::Go(Errand::Page(_))));
}

#[test]
fn a_host_that_is_met_again_keeps_its_own_budget() {
    let mut schedule = without_robots(Limits { max_pages_per_host: Some(1), ..limits(&plain()) });
    schedule.add_host(record(1), START);
    schedule.push(target(1, 1), START);
    assert_eq!((store_pages(&mut schedule, START), schedule.hosts()), (1, 0));
    assert!(!schedule.is_limited(), "nothing of it is left");
    meet_again(&mut schedule, record(1), 2, START + 10_000);
    assert!(matches!(schedule.next(START + 10_000), Step::Drained));
    assert!(schedule.is_limited());
}

#[test]
fn a_host_that_asked_for_too_much_time_stays_parked() {
    let mut schedule = without_robots(limits(&plain()));
    schedule.add_host(record(1), START);
    schedule.push(target(1, 1), START);
    let Step::Go(Errand::Page(_)) = schedule.next(START) else { panic!("it may be asked") };
    schedule.release(1, Rest { asked_until: Some(START + 90_000), ..answered() }, START);
    schedule.settle(Settlement::Stored { host: 1, id: 1 }, START);
    assert_eq!(schedule.hosts(), 0);
    meet_again(&mut schedule, HostRecord { blocked_until: START + 90_000, ..record(1) }, 2, START + 80_000);
    assert!(matches!(schedule.next(START + 100_000), Step::Drained));
}

/// A schedule in which a robots.txt was answered like this, and its host left; with what the host's next URL gets.
fn met_again_after(answer: RobotsAnswer) -> Refusal {
    let mut schedule = Schedule::new(limits(&plain()));
    schedule.add_host(record(1), START);
    schedule.push(target(1, 1), START);
    let Step::Go(Errand::Robots(_)) = schedule.next(START) else { panic!("robots.txt comes first") };
    schedule.release(1, Rest::default(), START);
    schedule.settle(Settlement::Robots { host: 1, answer, attempts: 3 }, START);
    let Step::Go(Errand::Refuse { .. }) = schedule.next(START + 1_000) else { panic!("nothing may be asked") };
    schedule.settle(Settlement::Refused { host: 1, id: 1 }, START + 1_000);
    assert_eq!(schedule.hosts(), 0);
    meet_again(&mut schedule, record(1), 2, START + 2_000);
    let Step::Go(Errand::Refuse { verdict, .. }) = schedule.next(START + 2_000) else { panic!("it is forgotten") };
    verdict
}

#[test]
fn a_verdict_on_a_host_that_left_holds_for_the_whole_invocation() {
    let dead = RobotsAnswer::Dead { kind: FailureKind::Dns, message: "no such host".into() };
    assert!(matches!(met_again_after(dead), Refusal::Fail { kind: FailureKind::Dns, attempts: 3, .. }));
    let private = met_again_after(RobotsAnswer::Private);
    assert_eq!(private, Refusal::Skip(SkipReason::PrivateAddress));
    let unreachable = met_again_after(RobotsAnswer::Unreachable { status: Some(500), failure: None });
    assert_eq!(unreachable, Refusal::Skip(SkipReason::RobotsUnreachable));
}

#[test]
fn a_host_stays_until_the_robots_txt_that_another_host_moved_there_is_settled() {
    let mut schedule = Schedule::new(limits(&plain()));
    schedule.add_host(record(1), START);
    schedule.push(target(1, 1), START);
    let Step::Go(Errand::Robots(call)) = schedule.next(START) else { panic!("robots.txt comes first") };
    schedule.release(1, answered(), START);
    let url = CanonicalUrl::parse("http://h2.test/robots.txt").unwrap();
    let moved = Settlement::RobotsAgain { host: 1, on_host: 2, url, hop: 1, attempt: call.attempt, due_at: 0 };
    schedule.settle_all(vec![record(2)], Vec::new(), vec![moved], START);
    assert!(schedule.low().iter().any(|(host, _)| *host == 2), "what is pending of it on disk is read");
    let Step::Go(Errand::Robots(call)) = schedule.next(START) else { panic!("it is asked for on the other host") };
    assert_eq!((call.host, call.for_host), (2, 1));
    schedule.release(2, answered(), START);
    assert!(schedule.hold(2).is_some(), "its clock is stored with the commit");
    let answer = RobotsAnswer::Unavailable { status: 404 };
    schedule.settle(Settlement::Robots { host: 1, answer, attempts: 1 }, START);
    assert_eq!(schedule.hold(2), None);
    assert_eq!(schedule.hosts(), 1, "the page of host 1 is left");
}

#[test]
fn a_target_of_a_host_that_is_not_in_memory_is_read_from_disk() {
    let mut schedule = without_robots(limits(&plain()));
    assert!(!schedule.push(target(9, 1), START));
    assert_eq!(schedule.low().iter().map(|(host, _)| *host).collect::<Vec<_>>(), [9]);
}

#[test]
fn of_a_lost_host_nothing_is_handed_out_and_what_is_under_way_is_counted_out() {
    let mut schedule = without_robots(limits(&plain()));
    for host in [1, 2] {
        schedule.add_host(record(host), START);
        schedule.push(target(host, host), START);
        schedule.push(target(host, host + 10), START);
    }
    let Step::Go(Errand::Page(page)) = schedule.next(START) else { panic!("a page is ready") };
    schedule.lose(page.host, START);
    assert_eq!((schedule.hold(page.host), schedule.hosts()), (None, 1));
    schedule.release(page.host, answered(), START);
    schedule.settle(Settlement::Ended { host: page.host, id: page.id }, START);
    let mut handed_out = Vec::new();
    let mut now = START;
    loop {
        match schedule.next(now) {
            Step::Go(Errand::Page(page)) => {
                handed_out.push(page.host);
                schedule.release(page.host, answered(), now);
                schedule.settle(Settlement::Ended { host: page.host, id: page.id }, now);
            }
            Step::Wait(until) => now = until,
            Step::Drained => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(handed_out, [3 - page.host, 3 - page.host]);
}
