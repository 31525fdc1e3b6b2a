//! The schedule as one of several: hosts that it gives to others, loses and gets back.

use super::setting::{ALL, START, limits, plain, record, target};
use crate::frontier::limits::Limits;
use crate::frontier::schedule::{Schedule, Step};
use crate::visit::{Errand, HostId, HostRecord, Rest, Settlement, Target};

/// One of several, without robots.txt unless `asks_robots`.
fn schedule(asks_robots: bool) -> Schedule {
    Schedule::new(Limits { ignore_robots: !asks_robots, sitemaps: false, shared: true, ..limits(&plain()) })
}

fn bring(schedule: &mut Schedule, host: HostRecord, urls: impl IntoIterator<Item = i64>) {
    let id = host.id;
    let targets: Vec<_> = urls.into_iter().map(|url| target(id, url)).collect();
    schedule.refill(host, targets, ALL, START);
}

fn page(schedule: &mut Schedule) -> Target {
    match schedule.next(START) {
        Step::Go(Errand::Page(target)) => target,
        other => panic!("{other:?}"),
    }
}

fn hosts(schedule: &Schedule) -> Vec<HostId> {
    let mut hosts: Vec<_> = schedule.holds().iter().map(|hold| hold.host).collect();
    hosts.sort_unstable();
    hosts
}

#[test]
fn hosts_are_spared_that_are_quiet_and_those_first_that_are_to_be_asked_last() {
    let mut schedule = schedule(false);
    for (id, blocked_until) in [(1, 0), (2, START + 100), (3, START + 9_000), (4, START + 500)] {
        bring(&mut schedule, HostRecord { blocked_until, ..record(id) }, [id * 10, id * 10 + 1]);
    }
    assert_eq!(page(&mut schedule).host, 1);
    let spared: Vec<_> = schedule.spare(2).iter().map(|hold| (hold.host, hold.blocked_until)).collect();
    assert_eq!(spared, [(3, START + 9_000), (4, START + 500)]);
    assert_eq!(schedule.take_left().len(), 2);
    let spared: Vec<_> = schedule.spare(9).iter().map(|hold| hold.host).collect();
    assert_eq!(spared, [2], "the one that is asked stays");
    assert_eq!(hosts(&schedule), [1]);
    schedule.assert_counted();
}

#[test]
fn it_rests_while_nothing_is_under_way_and_nothing_can_be() {
    let mut schedule = schedule(false);
    assert!(schedule.standing(START).rests, "it has no host");
    bring(&mut schedule, HostRecord { blocked_until: START + 9_000, ..record(1) }, [1]);
    assert!(!schedule.standing(START).rests, "it waits for a time that comes");
    bring(&mut schedule, record(2), [2]);
    assert_eq!(page(&mut schedule).id, 2);
    schedule.release(2, Rest::default(), START);
    schedule.lose(1, START);
    assert!(!schedule.standing(START).rests, "the answer is not stored");
    schedule.settle(Settlement::Stored { host: 2, id: 2 }, START);
    assert!(schedule.standing(START).rests);
    schedule.push(target(3, 3), START);
    assert!(!schedule.standing(START).rests, "a host is to be brought in");
}

#[test]
fn it_rests_without_a_share_of_the_pages_though_it_has_hosts() {
    let limits = Limits { max_pages: Some(9), shared: true, ignore_robots: true, sitemaps: false, ..limits(&plain()) };
    let mut schedule = Schedule::new(limits);
    bring(&mut schedule, record(1), [1]);
    assert!(matches!(schedule.next(START), Step::Idle));
    let standing = schedule.standing(START);
    assert!(standing.rests && standing.lacks_pages && standing.is_limited);
    schedule.set_share(1);
    assert!(!schedule.standing(START).rests);
}

#[test]
fn all_is_lost_at_once_and_what_was_under_way_counts_for_nothing() {
    let limits = Limits { max_pages: Some(9), shared: true, ignore_robots: true, sitemaps: false, ..limits(&plain()) };
    let mut schedule = Schedule::new(limits);
    schedule.set_share(5);
    for id in 1..=3 {
        bring(&mut schedule, record(id), [id]);
    }
    let under_way = page(&mut schedule);
    assert_eq!(schedule.lose_all(START), 3);
    assert!(hosts(&schedule).is_empty() && matches!(schedule.next(START), Step::Idle));
    assert_eq!(schedule.take_left().len(), 3);
    assert!(!schedule.standing(START).rests, "its request is not over");
    schedule.release(under_way.host, Rest::default(), START);
    schedule.settle(Settlement::Ended { host: under_way.host, id: under_way.id }, START);
    assert_eq!(schedule.outstanding(), 0);
    bring(&mut schedule, record(3), [3]);
    assert!(matches!(schedule.next(START), Step::Idle), "its share is lost");
    schedule.set_share(1);
    assert_eq!(page(&mut schedule).id, 3);
}

#[test]
fn a_host_that_was_lost_comes_back_once_nothing_of_the_hold_before_is_under_way() {
    let mut schedule = schedule(false);
    bring(&mut schedule, record(1), [1, 2, 3]);
    assert_eq!(page(&mut schedule).id, 1);
    schedule.lose(1, START);
    let again = HostRecord { epoch: 2, ..record(1) };
    bring(&mut schedule, again.clone(), [1, 2, 3]);
    assert_eq!(schedule.hold(1), None, "so what is under way is refused");
    schedule.push(target(1, 4), START);
    schedule.release(1, Rest::default(), START);
    schedule.settle(Settlement::Ended { host: 1, id: 1 }, START);
    assert_eq!(schedule.low().iter().map(|low| low.0).collect::<Vec<_>>(), [1], "it is to be read from disk");
    bring(&mut schedule, again, [1, 2, 3]);
    assert_eq!(schedule.hold(1).map(|hold| hold.epoch), Some(2));
    assert_eq!(page(&mut schedule).id, 1);
    schedule.assert_counted();
}

/// A schedule in which the robots.txt of host 1 is to be asked for on host 2.
fn robots_elsewhere() -> Schedule {
    let mut schedule = schedule(true);
    bring(&mut schedule, record(1), [1]);
    let Step::Go(Errand::Robots(call)) = schedule.next(START) else { panic!("robots.txt comes first") };
    schedule.release(1, Rest::default(), START);
    bring(&mut schedule, HostRecord { blocked_until: START + 50, ..record(2) }, []);
    let settlement = Settlement::RobotsAgain { host: 1, on_host: 2, url: call.url, hop: 1, attempt: 0, due_at: 0 };
    schedule.settle_all(vec![record(2)], Vec::new(), vec![settlement], START);
    schedule
}

#[test]
fn a_robots_txt_that_was_to_be_asked_for_on_a_host_that_is_lost_is_asked_for_anew() {
    let later = START + 1_000;
    let mut schedule = robots_elsewhere();
    schedule.lose(2, START);
    let Step::Go(Errand::Robots(call)) = schedule.next(later) else { panic!("its asker does not wait for ever") };
    assert_eq!((call.host, call.for_host, call.hop), (1, 1, 0));
}

#[test]
fn a_robots_txt_of_a_host_that_is_lost_is_asked_for_nowhere() {
    let later = START + 1_000;
    let mut schedule = robots_elsewhere();
    schedule.lose(1, START);
    assert!(matches!(schedule.next(later), Step::Idle));

    let mut schedule = robots_elsewhere();
    let Step::Go(Errand::Robots(call)) = schedule.next(later) else { panic!("it is asked for on host 2") };
    assert_eq!((call.host, call.for_host), (2, 1));
    schedule.lose(1, later);
    bring(&mut schedule, record(1), [1]);
    assert_eq!(schedule.hold(1), None, "the request is out");
    schedule.release(2, Rest::default(), later);
    schedule.settle(Settlement::RefusedRobots { on_host: 2, for_host: 1 }, later);
    assert!(schedule.holds().is_empty(), "host 2 has nothing left, and host 1 may come back");
    bring(&mut schedule, record(1), [1]);
    assert!(matches!(schedule.next(2 * later), Step::Go(Errand::Robots(call)) if call.host == 1));
}
