//! How a crawl is followed while it runs: a live display on a terminal, a log line now and then elsewhere.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::engine::Progress;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::activity::Activity;
use super::console::Console;
use super::display::View;
use super::outlook::{Bounds, Outlook};
use super::reasons::reasons;
use super::terminal;
use super::watcher::Watcher;

/// Time between two log lines where there is no live display.
pub const LOG_EVERY: Duration = Duration::from_secs(10);
/// Time between two repaintings.
pub const PAINT_EVERY: Duration = Duration::from_millis(250);
/// Time between two looks at what the hosts wait for, of which there may be many.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The time over which pages per second are averaged.
const WINDOW: Duration = Duration::from_secs(10);
/// Hosts named in the display for being busy, and for being slow.
const HOSTS_SHOWN: usize = 3;
/// Columns at the right edge that stay free, for the `^C` that a terminal writes where the cursor stands.
const MARGIN: usize = 3;

/// The target of this file's log lines, which are not shown on a console that has a live display.
pub const TARGET: &str = module_path!();

/// Follows a crawl until aborted.
#[derive(Debug)]
pub struct Follower {
    pub console: Console,
    pub config: Config,
    pub progress: watch::Receiver<Progress>,
    pub watcher: Watcher,
}

impl Follower {
    /// `activity` is what a live display shows of the hosts.
    pub async fn follow(self, activity: Option<Activity>) {
        match activity {
            Some(activity) => {
                let log = log(self.progress.clone(), Standing::new(&self));
                tokio::join!(self.paint(activity), log).1
            }
            None => {
                let told = self.tell_failures();
                tokio::join!(log(self.progress.clone(), Standing::new(&self)), told).0
            }
        }
    }

    async fn paint(&self, activity: Activity) {
        let started = Instant::now();
        let (mut pace, mut standing) = (Pace::default(), Standing::new(self));
        let mut ticks = every(PAINT_EVERY);
        loop {
            ticks.tick().await;
            tell_failures(&self.console, &self.watcher);
            let progress = *self.progress.borrow();
            let now = Instant::now();
            standing.look(&progress, now);
            let view = View {
                progress,
                max_pages: self.config.max_pages,
                pages_per_second: pace.of(progress.stored, now),
                elapsed: started.elapsed(),
                left: standing.left.clone(),
                waits: standing.waits.clone(),
                busiest: activity.busiest(HOSTS_SHOWN),
                slowest: activity.slowest(HOSTS_SHOWN),
            };
            let size = terminal::size();
            // The last row is where the cursor stands.
            let (columns, rows) = (size.columns.saturating_sub(MARGIN), size.rows.saturating_sub(1));
            self.console.show(&view.lines(columns, rows), size);
        }
    }

    async fn tell_failures(&self) {
        let mut ticks = every(LOG_EVERY);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            tell_failures(&self.console, &self.watcher);
        }
    }
}

/// Tells what failed lately, unless the log tells all of it.
pub fn tell_failures(console: &Console, watcher: &Watcher) {
    let failures = watcher.failures();
    if !tracing::enabled!(target: "harvestman::engine", tracing::Level::DEBUG) {
        failures.iter().for_each(|line| console.say(line));
    }
}

/// What the crawl waits for and how much is left, looked at now and then.
struct Standing {
    watcher: Watcher,
    config: Config,
    outlook: Outlook,
    started: Instant,
    looked: Option<Instant>,
    /// Since when nothing more is asked for.
    closed: Option<Instant>,
    left: Option<String>,
    waits: Vec<String>,
}

impl Standing {
    fn new(follower: &Follower) -> Self {
        let Follower { config, watcher, .. } = follower;
        let (outlook, looked, closed, left, waits) = Default::default();
        let (watcher, config) = (watcher.clone(), config.clone());
        Self { watcher, config, outlook, started: Instant::now(), looked, closed, left, waits }
    }

    fn look(&mut self, progress: &Progress, now: Instant) {
        if self.looked.is_some_and(|at| now.duration_since(at) < LOOK_EVERY) {
            return;
        }
        self.looked = Some(now);
        let Some(holdup) = self.watcher.holdup() else { return };
        let closed = holdup.is_closed.then(|| *self.closed.get_or_insert(now));
        let stopping = closed.map_or(Duration::ZERO, |at| now.duration_since(at));
        self.waits = reasons(&holdup, &self.config, self.watcher.storing(), stopping);
        let bounds = Bounds {
            max_pages: self.config.max_pages,
            time: self.config.max_duration.map(|max| max.saturating_sub(now.duration_since(self.started))),
            longest: Duration::from_millis(holdup.longest.cast_unsigned()),
            is_longer: holdup.has_more,
            is_by_host: self.config.max_pages_per_host.is_some(),
            put_off: i64::try_from(holdup.put_off).unwrap_or(i64::MAX),
        };
        let left = self.outlook.look(progress, bounds, now).told();
        self.left = left.filter(|_| !holdup.is_closed && progress.accounting.pending > 0);
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Whether standard error is a terminal that can move its cursor, and messages are for a person.
pub fn is_live(console: &Console) -> bool {
    let can_move = std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    console.is_for_people() && std::io::stderr().is_terminal() && can_move
}

async fn log(progress: watch::Receiver<Progress>, mut standing: Standing) {
    let mut pace = Pace::default();
    pace.of(0, Instant::now());
    let mut looks = every(LOOK_EVERY);
    looks.tick().await;
    let mut looked = Duration::ZERO;
    loop {
        looks.tick().await;
        looked += LOOK_EVERY;
        let now = *progress.borrow();
        standing.look(&now, Instant::now());
        if looked < LOG_EVERY {
            continue;
        }
        looked = Duration::ZERO;
        let Progress { accounting: a, tally, stored } = now;
        let rate = pace.of(stored, Instant::now());
        let waits = (!standing.waits.is_empty()).then(|| standing.waits.join("; "));
        tracing::info!(
            fetched = a.fetched,
            failed = a.failed,
            skipped = a.skipped,
            pending = a.pending,
            requests = tally.requests,
            bytes = tally.bytes,
            checked = tally.checked,
            left = standing.left.as_deref(),
            waits_on = waits.as_deref(),
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
