//! How a crawl is followed while it runs: a live display on a terminal, a log line now and then elsewhere.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::engine::Progress;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::activity::{Activity, HostActivity};
use super::console::Console;
use super::terminal;
use super::words::{count, size, time};

/// Time between two log lines where there is no live display.
pub const LOG_EVERY: Duration = Duration::from_secs(10);
/// Time between two repaintings.
pub const PAINT_EVERY: Duration = Duration::from_millis(250);
/// The time over which pages per second are averaged.
const WINDOW: Duration = Duration::from_secs(10);
/// Hosts named in the display for being busy, and for being slow.
const HOSTS_SHOWN: usize = 3;

/// The target of this file's log lines, which are not shown on a console that has a live display.
pub const TARGET: &str = module_path!();

/// Follows a crawl until aborted.
/// `activity` is what a live display shows of the hosts.
pub async fn follow(
    console: Console,
    progress: watch::Receiver<Progress>,
    activity: Option<Activity>,
    max_pages: Option<u64>,
) {
    match activity {
        Some(activity) => tokio::join!(paint(console, progress.clone(), activity, max_pages), log(progress)).1,
        None => log(progress).await,
    }
}

/// Whether standard error is a terminal that can move its cursor, and messages are for a person.
pub fn is_live(console: &Console) -> bool {
    let can_move = std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    console.is_for_people() && std::io::stderr().is_terminal() && can_move
}

async fn paint(console: Console, progress: watch::Receiver<Progress>, activity: Activity, max_pages: Option<u64>) {
    let started = Instant::now();
    let mut pace = Pace::default();
    let mut ticks = tokio::time::interval(PAINT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = *progress.borrow();
        let pages_per_second = pace.of(now.stored, Instant::now());
        let view = View {
            progress: now,
            max_pages,
            pages_per_second,
            elapsed: started.elapsed(),
            busiest: activity.busiest(HOSTS_SHOWN),
            slowest: activity.slowest(HOSTS_SHOWN),
        };
        console.show(&view.lines(), terminal::size());
    }
}

async fn log(progress: watch::Receiver<Progress>) {
    let mut pace = Pace::default();
    pace.of(0, Instant::now());
    let mut ticks = tokio::time::interval(LOG_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let Progress { accounting: a, tally, stored } = *progress.borrow();
        let rate = pace.of(stored, Instant::now());
        tracing::info!(
            fetched = a.fetched,
            failed = a.failed,
            skipped = a.skipped,
            pending = a.pending,
            requests = tally.requests,
            bytes = tally.bytes,
            checked = tally.checked,
            "{rate:.1} pages/s"
        );
    }
}

/// Pages per second over the last moments, not since the start.
#[derive(Debug, Default)]
struct Pace(VecDeque<(Instant, u64)>);

impl Pace {
    fn of(&mut self, pages: u64, now: Instant) -> f64 {
        self.0.push_back((now, pages));
        // The newest sample that is as old as the window stays, to count from.
        while self.0.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            self.0.pop_front();
        }
        let Some(&(since, before)) = self.0.front() else { return 0.0 };
        let seconds = now.duration_since(since).as_secs_f64();
        if seconds > 0.0 { pages.saturating_sub(before) as f64 / seconds } else { 0.0 }
    }
}

/// What the display shows at one moment.
#[derive(Debug, Default)]
struct View {
    progress: Progress,
    max_pages: Option<u64>,
    pages_per_second: f64,
    elapsed: Duration,
    busiest: Vec<HostActivity>,
    slowest: Vec<HostActivity>,
}

impl View {
    /// The most important first, since a narrow or low terminal cuts off the rest. ASCII, so that each character is a
    /// column: hosts are in the form in which they are asked for.
    fn lines(&self) -> Vec<String> {
        let Progress { accounting: a, tally, stored } = self.progress;
        let pages = match self.max_pages {
            Some(max) => format!("{} of {} pages", count(stored), count(max)),
            None => format!("{} pages", count(stored)),
        };
        let rate = self.pages_per_second;
        let mut lines = vec![
            format!("{pages}, {} queued, {} failed, {rate:.1} pages/s", count(a.pending), count(a.failed)),
            format!(
                "{}, {} requests, {} skipped, {}",
                size(tally.bytes),
                count(tally.requests),
                count(a.skipped),
                time(Duration::from_secs(self.elapsed.as_secs())).replace(".0 s", " s"),
            ),
        ];
        if tally.checked > 0 {
            lines.push(format!("{} checked that are not crawled", count(tally.checked)));
        }
        let list = |title: &str, hosts: &[HostActivity], figure: &dyn Fn(&HostActivity) -> String| {
            let hosts: Vec<_> = hosts.iter().map(|host| format!("{} {}", host.host, figure(host))).collect();
            format!("{title}  {}", hosts.join("  "))
        };
        if !self.busiest.is_empty() {
            lines.push(list("busiest", &self.busiest, &|host| format!("{:.1}/s", host.requests_per_second)));
            lines.push(list("slowest", &self.slowest, &|host| match host.mean_elapsed.as_millis() {
                ms @ ..1000 => format!("{ms} ms"),
                _ => format!("{:.1} s", host.mean_elapsed.as_secs_f64()),
            }));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Accounting, Tally};

    #[test]
    fn the_pace_is_that_of_the_last_moments() {
        let mut pace = Pace::default();
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        assert_eq!(pace.of(0, at(0)), 0.0);
        assert_eq!(pace.of(100, at(1)), 100.0);
        for second in 2..=60 {
            pace.of(100 + second, at(second));
        }
        assert!((pace.of(161, at(61)) - 1.0).abs() < 0.01, "the burst is forgotten");
        assert!(pace.0.len() < 20);
    }

    #[test]
    fn the_display_says_how_far_the_crawl_is_and_which_hosts_matter() {
        let host = |name: &str, rate, seconds| HostActivity {
            host: name.into(),
            requests_per_second: rate,
            mean_elapsed: Duration::from_secs(seconds),
        };
        let accounting = Accounting { discovered: 4321, fetched: 1300, failed: 12, skipped: 9, pending: 3000 };
        let view = View {
            progress: Progress {
                accounting,
                tally: Tally { bytes: 3 << 20, requests: 1250, checked: 1017, ..Tally::default() },
                stored: 1234,
            },
            max_pages: Some(5000),
            pages_per_second: 41.26,
            elapsed: Duration::from_millis(5_300),
            busiest: vec![host("http://a.test", 2.0, 1), host("http://b.test:81", 1.5, 1)],
            slowest: vec![host("http://b.test:81", 1.5, 3)],
        };
        let expected = [
            "1,234 of 5,000 pages, 3,000 queued, 12 failed, 41.3 pages/s",
            "3.0 MiB, 1,250 requests, 9 skipped, 5 s",
            "1,017 checked that are not crawled",
            "busiest  http://a.test 2.0/s  http://b.test:81 1.5/s",
            "slowest  http://b.test:81 3.0 s",
        ];
        assert_eq!(view.lines(), expected);
        assert_eq!(View::default().lines().len(), 2, "no host, no line about hosts");
    }
}
