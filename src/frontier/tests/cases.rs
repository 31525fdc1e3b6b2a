//! What the schedule does in cases that random work seldom meets.

use super::setting::{MAX_WAIT, START, limits, plain, record, target};
use crate::frontier::limits::Limits;
use crate::frontier::schedule::{Schedule, Step};
use crate::frontier::wait::Wait;
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

/// What each of the hosts waits for at the start, by the name of the first.
fn waits(schedule: &Schedule) -> Vec<(Wait, usize, String, Millis)> {
    let holdup = schedule.holdup(START);
    let told = |(wait, hosts): (Wait, crate::frontier::wait::Waiting)| {
        (wait, hosts.hosts, hosts.first.to_string(), hosts.left)
    };
    holdup.hosts.into_iter().map(told).collect()
}

#[test]
fn what_hosts_wait_for_is_told_apart() {
    let mut schedule = Schedule::new(Limits { sitemaps: false, ..limits(&plain()) });
    let by_rate = |host| HostRecord { asked_at: START - 100, robots: Some(answered("")), ..record(host) };
    let by_delay = HostRecord { robots: Some(answered("User-agent: *\nCrawl-delay: 20\n")), ..by_rate(3) };
    let asked = HostRecord { blocked_until: START + 5_000, ..by_rate(4) };
    let parked = HostRecord { blocked_until: START + 2 * MAX_WAIT, ..by_rate(5) };
    for (record, urls) in [(by_rate(1), 1), (by_rate(2), 1), (by_delay, 10), (asked, 1), (parked, 3)] {
        let id = record.id;
        schedule.add_host(record, START);
        (0..urls).for_each(|url| assert!(schedule.push(target(id, 100 * id + url), START)));
    }
    let name = |host: u32| format!("http://h{host}.test");
    let expected = [
        (Wait::Asked, 1, name(4), 5_000),
        (Wait::CrawlDelay, 1, name(3), 19_900),
        (Wait::Rate, 2, name(1), 233),
        (Wait::Later, 1, name(5), 2 * MAX_WAIT),
    ];
    let told = waits(&schedule);
    assert!(
        told.iter()
            .zip(&expected)
            .all(|(told, expected)| (told.0, told.1, told.3) == (expected.0, expected.1, expected.3))
    );
    assert_eq!((&told[0].2, &told[1].2, &told[3].2, told.len()), (&name(4), &name(3), &name(5), 4));
    let holdup = schedule.holdup(START);
    assert_eq!((holdup.longest, holdup.put_off), (10 * 20_000, 3), "ten URLs at 20 s each; three for later");
    assert_eq!((holdup.in_flight, holdup.connections, holdup.is_closed), (0, 4, false));
}

#[test]
fn a_host_that_does_not_answer_is_waited_for_as_one_that_rests() {
    let mut schedule = Schedule::new(Limits { sitemaps: false, rate: 0.0, ..limits(&plain()) });
    schedule.add_host(HostRecord { robots: Some(answered("")), ..record(1) }, START);
    (1..=3).for_each(|url| assert!(schedule.push(target(1, url), START)));
    let Step::Go(Errand::Page(first)) = schedule.next(START) else { panic!() };
    assert!(waits(&schedule).is_empty(), "it may be asked once more at the same time");
    let Step::Go(Errand::Page(_)) = schedule.next(START) else { panic!() };
    assert_eq!(waits(&schedule), [(Wait::Answers, 1, "http://h1.test".to_owned(), 0)]);
    assert_eq!(schedule.holdup(START).in_flight, 2);
    let rest = Rest { answered: Some(false), started_at: START, ..Rest::default() };
    schedule.release(first.host, rest, START);
    assert_eq!(waits(&schedule), [(Wait::Failed, 1, "http://h1.test".to_owned(), 750)]);
    let holdup = schedule.holdup(START);
    assert_eq!((holdup.in_flight, holdup.unstored), (1, 1), "its record is still to be committed");
}
