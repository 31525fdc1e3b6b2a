//! What a crawl waits for, in words.

use std::time::Duration;

use crate::config::Config;
use crate::engine::lifetime::GRACE;
use crate::frontier::wait::{Holdup, Wait, Waiting};

use super::words::{count, counted, roughly};

/// A commit that takes longer is told.
const LONG_COMMIT: Duration = Duration::from_secs(2);

/// How long requests in flight may take to end once the crawl is to stop.
pub fn grace(config: &Config) -> Duration {
    GRACE.min(config.timeout)
}

/// What the crawl waits for, what matters most first; nothing if it goes as fast as it can. `storing`: how long the commit
/// takes that is under way; `stopping`: how long ago it was to stop.
pub fn reasons(holdup: &Holdup, config: &Config, storing: Duration, stopping: Duration) -> Vec<String> {
    let in_flight = holdup.in_flight;
    if holdup.is_closed {
        let left = roughly(grace(config).saturating_sub(stopping));
        let requests = counted(in_flight as u64, "request");
        return (in_flight > 0)
            .then(|| format!("the end of {requests} in flight, {left} at most: the crawl stops"))
            .into_iter()
            .collect();
    }
    let mut reasons = Vec::new();
    if storing >= LONG_COMMIT || holdup.awaits_commit {
        let answers = counted(holdup.unstored as u64, "answer");
        let since = if storing >= LONG_COMMIT { format!(" since {}", roughly(storing)) } else { String::new() };
        reasons.push(format!("the disk, to store what came{since}: {answers} wait"));
    }
    if holdup.awaits_machine {
        reasons.push("the machine, which can make no more connections".to_owned());
    }
    if in_flight >= holdup.connections && holdup.connections > 0 {
        reasons.push(format!("answers: all {} connections are in use", count(holdup.connections as u64)));
        return reasons;
    }
    if holdup.awaits_global_pace {
        reasons.push(format!("--global-rate {}", config.global_rate));
    }
    let at_least = if holdup.is_part { "at least " } else { "" };
    reasons.extend(holdup.hosts.iter().map(|(wait, hosts)| format!("{at_least}{}", of_hosts(*wait, hosts, config))));
    reasons
}

fn of_hosts(wait: Wait, Waiting { hosts, first, left, interval }: &Waiting, config: &Config) -> String {
    let millis = |millis: i64| Duration::from_millis(millis.cast_unsigned());
    let left = roughly(millis(*left));
    let name = match hosts {
        1 => first.to_string(),
        hosts => counted(*hosts as u64, "host"),
    };
    let is_one = *hosts == 1;
    let first = if is_one { String::new() } else { ", the first".to_owned() };
    match wait {
        Wait::Failed => format!("{name}, which did not answer{first}: tried again in {left}"),
        Wait::Asked => format!("{name}, which asked for time{first}: {left} more"),
        Wait::CrawlDelay if is_one => {
            format!("{name}: one request in {}, by its robots.txt", roughly(millis(*interval)))
        }
        Wait::CrawlDelay => format!("{name} by the Crawl-delay of their robots.txt"),
        Wait::Rate => format!("{name} by --rate {}", config.rate),
        Wait::Answers => format!("answers of {name}, {} at once", config.max_connections_per_host),
        Wait::Retries => format!("{name}{first}: what failed is tried again in {left}"),
        Wait::Later => {
            let wait = humantime::format_duration(config.max_wait);
            let who = if is_one { "it" } else { "they" };
            format!("{name} for a later crawl: {who} asked for more than --max-wait {wait}")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::canonical::Host;

    use super::*;

    fn hosts(wait: Wait, hosts: usize, left: i64, interval: i64) -> Holdup {
        let first = Host::parse("http://a.test").unwrap();
        let hosts = BTreeMap::from([(wait, Waiting { hosts, first, left, interval })]);
        Holdup { connections: 64, hosts, ..Holdup::default() }
    }

    fn told(holdup: &Holdup) -> String {
        reasons(holdup, &Config::default(), Duration::ZERO, Duration::from_secs(3)).join("; ")
    }

    #[test]
    fn each_reason_names_the_host_and_the_time_or_how_many_there_are() {
        for (holdup, words) in [
            (hosts(Wait::Rate, 1, 400, 500), "http://a.test by --rate 2"),
            (hosts(Wait::Rate, 12, 400, 500), "12 hosts by --rate 2"),
            (hosts(Wait::CrawlDelay, 1, 400, 10_000), "http://a.test: one request in 10 s, by its robots.txt"),
            (hosts(Wait::CrawlDelay, 2, 400, 10_000), "2 hosts by the Crawl-delay of their robots.txt"),
            (hosts(Wait::Asked, 1, 34_000, 0), "http://a.test, which asked for time: 34 s more"),
            (hosts(Wait::Asked, 3, 34_000, 0), "3 hosts, which asked for time, the first: 34 s more"),
            (hosts(Wait::Failed, 1, 12_000, 0), "http://a.test, which did not answer: tried again in 12 s"),
            (hosts(Wait::Answers, 1, 0, 0), "answers of http://a.test, 2 at once"),
            (hosts(Wait::Retries, 1, 3_000, 0), "http://a.test: what failed is tried again in 3 s"),
            (hosts(Wait::Later, 1, 0, 0), "http://a.test for a later crawl: it asked for more than --max-wait 10m"),
        ] {
            assert_eq!(told(&holdup), words);
        }
        let many = Holdup { is_part: true, ..hosts(Wait::Rate, 10_000, 0, 500) };
        assert_eq!(told(&many), "at least 10,000 hosts by --rate 2");
    }

    #[test]
    fn connections_disk_and_machine_come_before_hosts() {
        let full = Holdup { in_flight: 64, ..hosts(Wait::Rate, 12, 0, 500) };
        assert_eq!(told(&full), "answers: all 64 connections are in use");
        let disk = Holdup { awaits_commit: true, unstored: 530, ..hosts(Wait::Rate, 1, 0, 500) };
        assert_eq!(told(&disk), "the disk, to store what came: 530 answers wait; http://a.test by --rate 2");
        let slow = reasons(&Holdup::default(), &Config::default(), Duration::from_secs(7), Duration::ZERO);
        assert_eq!(slow, ["the disk, to store what came since 7 s: 0 answers wait"]);
        let machine = Holdup { awaits_machine: true, ..Holdup::default() };
        assert_eq!(told(&machine), "the machine, which can make no more connections");
        assert_eq!(told(&Holdup { connections: 64, ..Holdup::default() }), "", "it goes as fast as it can");
    }

    #[test]
    fn a_crawl_that_stops_says_for_how_long_it_may_take() {
        let stopping = Holdup { in_flight: 3, is_closed: true, ..hosts(Wait::Rate, 1, 0, 500) };
        assert_eq!(told(&stopping), "the end of 3 requests in flight, 7 s at most: the crawl stops");
        let short = Config { timeout: Duration::from_secs(4), ..Config::default() };
        assert_eq!(grace(&short), Duration::from_secs(4), "no request takes longer than it may");
    }
}
