//! The live display of a crawl: what it shows at one moment, as lines for a terminal of any width.

use std::time::Duration;

use crate::engine::Progress;

use super::activity::HostActivity;
use super::fit::fill;
use super::words::{count, counted, size, time};

/// Columns of the words that lines begin with, and the width from which later lines stand below what follows them.
const LABEL: usize = 9;
const WIDE: usize = 60;

/// What the display shows at one moment.
#[derive(Debug, Default)]
pub struct View {
    pub progress: Progress,
    pub max_pages: Option<u64>,
    pub pages_per_second: f64,
    pub elapsed: Duration,
    /// How long it may still take.
    pub left: Option<String>,
    /// What it waits for.
    pub waits: Vec<String>,
    pub busiest: Vec<HostActivity>,
    pub slowest: Vec<HostActivity>,
}

impl View {
    /// The most important first, since a terminal that is very low cuts off the rest. Hosts are named as far as there is room.
    pub fn lines(&self, columns: usize, rows: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for (busiest, slowest) in [(usize::MAX, usize::MAX), (2, 2), (1, 1), (1, 0), (0, 0)] {
            lines = self.with_hosts(columns, busiest, slowest);
            if lines.len() <= rows {
                break;
            }
        }
        lines
    }

    /// With so many of the busiest and of the slowest hosts.
    fn with_hosts(&self, columns: usize, busiest: usize, slowest: usize) -> Vec<String> {
        let Progress { accounting: a, tally, stored } = self.progress;
        let pages = match self.max_pages {
            Some(max) => format!("{} of {} pages", count(stored), count(max)),
            None => counted(stored, "page"),
        };
        let (queued, failed) = (format!("{} queued", count(a.pending)), format!("{} failed", count(a.failed)));
        let rate = format!("{:.1} pages/s", self.pages_per_second);
        let mut lines = fill("", &[pages, queued, failed, rate], ", ", 2, columns);
        let labelled = |label: &str, parts: &[String], separator: &str| {
            let indent = if columns < WIDE { 2 } else { LABEL };
            fill(&format!("{label:LABEL$}"), parts, separator, indent, columns)
        };
        if let Some(left) = &self.left {
            lines.extend(labelled("left", std::slice::from_ref(left), ", "));
        }
        if !self.waits.is_empty() {
            lines.extend(labelled("waits on", &self.waits, "; "));
        }
        let elapsed = time(Duration::from_secs(self.elapsed.as_secs())).replace(".0 s", " s");
        let requests = counted(tally.requests, "request");
        let mut done = vec![size(tally.bytes), requests, format!("{} skipped", count(a.skipped)), elapsed];
        if tally.checked > 0 {
            done.push(format!("{} checked that are not crawled", count(tally.checked)));
        }
        lines.extend(fill("", &done, ", ", 2, columns));
        let mut tell = |label: &str, hosts: &[HostActivity], most: usize, figure: &dyn Fn(&HostActivity) -> String| {
            let hosts: Vec<_> = hosts.iter().take(most).map(|host| format!("{} {}", host.host, figure(host))).collect();
            if !hosts.is_empty() {
                lines.extend(labelled(label, &hosts, "  "));
            }
        };
        tell("busiest", &self.busiest, busiest, &|host| format!("{:.1}/s", host.requests_per_second));
        tell("slowest", &self.slowest, slowest, &|host| match host.mean_elapsed.as_millis() {
            ms @ ..1000 => format!("{ms} ms"),
            _ => format!("{:.1} s", host.mean_elapsed.as_secs_f64()),
        });
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Accounting, Tally};

    fn view() -> View {
        let host = |name: &str, rate, seconds| HostActivity {
            host: name.into(),
            requests_per_second: rate,
            mean_elapsed: Duration::from_secs(seconds),
        };
        let accounting = Accounting { discovered: 4321, fetched: 1300, failed: 12, skipped: 9, pending: 3000 };
        let tally = Tally { bytes: 3 << 20, requests: 1250, checked: 1017, ..Tally::default() };
        View {
            progress: Progress { accounting, tally, stored: 1234 },
            max_pages: Some(5000),
            pages_per_second: 41.26,
            elapsed: Duration::from_millis(5_300),
            left: Some("at least 12 min, as each page brings 1.4 new URLs".to_owned()),
            waits: vec![
                "http://slow.test, which asked for time: 34 s more".to_owned(),
                "2 hosts by --rate 2".to_owned(),
            ],
            busiest: vec![host("http://a.test", 2.0, 1), host("http://b.test:81", 1.5, 1)],
            slowest: vec![host("http://b.test:81", 1.5, 3)],
        }
    }

    #[test]
    fn a_wide_terminal_gets_a_line_for_each_question() {
        let expected = [
            "1,234 of 5,000 pages, 3,000 queued, 12 failed, 41.3 pages/s",
            "left     at least 12 min, as each page brings 1.4 new URLs",
            "waits on http://slow.test, which asked for time: 34 s more; 2 hosts by --rate 2",
            "3.0 MiB, 1,250 requests, 9 skipped, 5 s, 1,017 checked that are not crawled",
            "busiest  http://a.test 2.0/s  http://b.test:81 1.5/s",
            "slowest  http://b.test:81 3.0 s",
        ];
        assert_eq!(view().lines(200, 24), expected);
        assert_eq!(View::default().lines(200, 24).len(), 2, "nothing is known of hosts, and nothing is said of them");
    }

    #[test]
    fn a_narrow_and_low_terminal_gets_all_that_matters() {
        let expected = [
            "1,234 of 5,000 pages, 3,000 queued,",
            "  12 failed, 41.3 pages/s",
            "left     at least 12 min, as each",
            "  page brings 1.4 new URLs",
            "waits on http://slow.test, which",
            "  asked for time: 34 s more;",
            "  2 hosts by --rate 2",
            "3.0 MiB, 1,250 requests, 9 skipped,",
            "  5 s,",
            "  1,017 checked that are not crawled",
            "busiest  http://a.test 2.0/s",
            "  http://b.test:81 1.5/s",
            "slowest  http://b.test:81 3.0 s",
        ];
        assert_eq!(view().lines(37, 13), expected);
        let low: Vec<_> = view().lines(37, 12);
        assert_eq!(low[10..], ["busiest  http://a.test 2.0/s", "slowest  http://b.test:81 3.0 s"], "one of each");
        assert_eq!(view().lines(37, 11)[10..], expected[10..11], "the busiest alone");
        assert_eq!(view().lines(37, 10), expected[..10]);
    }
}
