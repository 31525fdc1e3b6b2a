//! What is known of a crawl that runs, beside its progress: what holds it up, and what failed lately.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::canonical::CanonicalUrl;
use crate::engine::observe::{Observer, Stage};
use crate::frontier::Frontier;
use crate::frontier::wait::Holdup;
use crate::visit::{FailureKind, PageOutcome, Record, Refusal};

use super::fit::cut;
use super::output::printable;
use super::words::counted;

/// Failures that are told one after the other; then one in each of these times.
const AT_ONCE: u32 = 5;
const ONE_EACH: Duration = Duration::from_secs(10);
/// Columns of a URL and of a reason.
const URL: usize = 300;
const REASON: usize = 200;

/// Clones are cheap and share what is known.
#[derive(Debug, Clone, Default)]
pub struct Watcher(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    frontier: OnceLock<Arc<Frontier>>,
    /// When the commit began that is under way.
    commit: Mutex<Option<Instant>>,
    failures: Mutex<Failures>,
}

impl Watcher {
    /// What holds the crawl up, once it has begun.
    pub fn holdup(&self) -> Option<Holdup> {
        self.0.frontier.get().map(|frontier| frontier.holdup())
    }

    /// How long the commit takes that is under way.
    pub fn storing(&self) -> Duration {
        let since = *self.0.commit.lock().unwrap_or_else(PoisonError::into_inner);
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// The failures that are to be told now, a line each, and how many more there were.
    pub fn failures(&self) -> Vec<String> {
        self.0.failures.lock().unwrap_or_else(PoisonError::into_inner).tell(Instant::now())
    }
}

impl Observer for Watcher {
    fn begins(&self, frontier: &Arc<Frontier>) {
        // Of one crawl there is one.
        let _ = self.0.frontier.set(frontier.clone());
    }

    fn batch(&self, records: &[Record]) {
        *self.0.commit.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let mut failures = self.0.failures.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().filter_map(failed).for_each(|(url, kind, reason)| failures.add(url, kind, reason));
    }

    fn took(&self, stage: Stage, _: Duration) {
        if stage == Stage::Commit {
            *self.0.commit.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// A URL that failed for good.
fn failed(record: &Record) -> Option<(&CanonicalUrl, FailureKind, &str)> {
    match record {
        Record::Page { target, outcome: PageOutcome::Failed(failure), .. } => {
            Some((&target.url, failure.kind, &*failure.message))
        }
        Record::Refused { target, verdict: Refusal::Fail { kind, message, .. } } if target.check.is_none() => {
            Some((&target.url, *kind, &**message))
        }
        _ => None,
    }
}

/// Failures that were not told yet, within what a person can read.
#[derive(Debug)]
struct Failures {
    lines: VecDeque<String>,
    more: u64,
    /// How many may be told, and as of when.
    room: f64,
    at: Option<Instant>,
}

impl Default for Failures {
    fn default() -> Self {
        Self { lines: VecDeque::new(), more: 0, room: f64::from(AT_ONCE), at: None }
    }
}

impl Failures {
    fn add(&mut self, url: &CanonicalUrl, kind: FailureKind, reason: &str) {
        if self.lines.len() >= AT_ONCE as usize {
            self.more += 1;
            return;
        }
        let (url, reason) = (printable(url.as_str()), printable(reason));
        self.lines.push_back(format!("failed: {} ({kind}: {})", cut(&url, URL), cut(&reason, REASON)));
    }

    fn tell(&mut self, now: Instant) -> Vec<String> {
        let passed = now.saturating_duration_since(self.at.unwrap_or(now));
        self.at = Some(now);
        self.room = (self.room + passed.as_secs_f64() / ONE_EACH.as_secs_f64()).min(f64::from(AT_ONCE));
        let mut told = Vec::new();
        while self.room >= 1.0
            && let Some(line) = self.lines.pop_front()
        {
            told.push(line);
            self.room -= 1.0;
        }
        if told.is_empty() && (self.room < 1.0 || self.more == 0) {
            return told;
        }
        let more = std::mem::take(&mut self.more) + std::mem::take(&mut self.lines).len() as u64;
        if more > 0 {
            told.push(format!("failed: {} more; all are in the view failures", counted(more, "URL")));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(n: usize) -> CanonicalUrl {
        CanonicalUrl::parse(&format!("http://a.test/{n}")).unwrap()
    }

    #[test]
    fn failures_are_told_as_they_come_and_many_are_counted() {
        let mut failures = Failures::default();
        let start = Instant::now();
        assert!(failures.tell(start).is_empty());
        failures.add(&url(1), FailureKind::Timeout, "no answer\u{1b}[2J");
        assert_eq!(failures.tell(start), ["failed: http://a.test/1 (timeout: no answer\\u{1b}[2J)"]);
        for n in 0..1000 {
            failures.add(&url(n), FailureKind::Dns, "x");
        }
        let told = failures.tell(start);
        assert_eq!((told.len(), told[4].as_str()), (5, "failed: 996 URLs more; all are in the view failures"));
        let mut lines = 0;
        for second in 0..600 {
            (0..100).for_each(|n| failures.add(&url(n), FailureKind::Dns, "x"));
            lines += failures.tell(start + Duration::from_secs(second)).len();
        }
        assert!((100..130).contains(&lines), "ten minutes of nothing but failures are {lines} lines");
    }
}
