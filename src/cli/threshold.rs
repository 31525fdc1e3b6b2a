//! `--fail-on`: conditions on the numbers of the summary under which a crawl that ran counts as failed.

use std::fmt;
use std::str::FromStr;

use super::ending::Ending;
use crate::engine::Summary;
use serde::Deserialize;

/// Exit code if a condition holds.
pub const EXIT_CODE: u8 = 5;

type Counter = fn(&Summary, &Ending) -> f64;
type Comparison = fn(f64, f64) -> bool;

const COUNTERS: [(&str, Counter); 17] = [
    ("discovered", |summary, _| summary.accounting.discovered as f64),
    ("fetched", |summary, _| summary.accounting.fetched as f64),
    ("failed", |summary, _| summary.accounting.failed as f64),
    ("skipped", |summary, _| summary.accounting.skipped as f64),
    ("pending", |summary, _| summary.accounting.pending as f64),
    ("unchanged", |summary, _| summary.tally.unchanged as f64),
    ("requests", |summary, _| summary.tally.requests as f64),
    ("checked", |summary, _| summary.tally.checked as f64),
    ("bytes", |summary, _| summary.tally.bytes as f64),
    ("elapsed_seconds", |summary, _| summary.elapsed_seconds),
    ("status_4xx", |_, ending| ending.statuses_of('4') as f64),
    ("status_5xx", |_, ending| ending.statuses_of('5') as f64),
    (BROKEN_LINKS, |_, ending| ending.broken_links as f64),
    ("new", |_, ending| ending.changes.new as f64),
    ("changed", |_, ending| ending.changes.changed as f64),
    ("gone", |_, ending| ending.changes.gone as f64),
    ("restored", |_, ending| ending.changes.restored as f64),
];

const BROKEN_LINKS: &str = "broken_links";

/// The longer ones first, so that `>=` is not read as `>`.
const COMPARISONS: [(&str, Comparison); 5] = [
    (">=", |left, right| left >= right),
    ("<=", |left, right| left <= right),
    (">", |left, right| left > right),
    ("<", |left, right| left < right),
    ("=", |left, right| left == right),
];

/// `OPERATOR NUMBER[%]` behind the name of what is counted.
#[derive(Debug, Clone)]
pub struct Condition {
    text: String,
    compare: Comparison,
    number: f64,
    pub is_percent: bool,
}

impl Condition {
    /// Reads a condition on one of the things that are counted, and gives its place among them.
    pub fn parse(text: &str, example: &str, counted: &[&str]) -> Result<(usize, Self), String> {
        let name_end = text.find(['<', '>', '=']).ok_or_else(|| format!("write a threshold such as {example}"))?;
        let name = text[..name_end].trim();
        let Some(place) = counted.iter().position(|known| *known == name) else {
            return Err(format!("`{name}` is not counted; these are: {}", counted.join(", ")));
        };
        let rest = &text[name_end..];
        let found = COMPARISONS.into_iter().find_map(|(sign, compare)| Some((rest.strip_prefix(sign)?, compare)));
        let (number, compare) = found.ok_or("write one of > >= < <= =")?;
        let (digits, is_percent) = match number.trim().strip_suffix('%') {
            Some(digits) => (digits.trim_end(), true),
            None => (number.trim(), false),
        };
        // `f64` would also read signs, exponents, `inf` and `NaN`.
        let is_plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
        let number = digits.parse::<f64>().ok().filter(|_| is_plain);
        let number = number.ok_or_else(|| format!("`{digits}` is no number; write such as 100 or 2.5%"))?;
        Ok((place, Self { text: text.trim().to_owned(), compare, number, is_percent }))
    }

    /// If it holds, the condition and the numbers in words; a percentage is that of `whole`.
    pub fn judge(&self, counted: f64, whole: f64) -> Option<String> {
        if !self.is_percent {
            return (self.compare)(counted, self.number).then(|| format!("{} holds ({counted})", self.text));
        }
        // Compared without a division, so that ten of a hundred are exactly ten percent.
        (self.compare)(counted * 100.0, self.number * whole)
            .then(|| format!("{} holds ({counted} of {whole})", self.text))
    }
}

/// `COUNTER OPERATOR NUMBER[%]`, such as `failed>10%`; a percentage is that of the discovered URLs.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Threshold {
    counter: Counter,
    condition: Condition,
}

impl Threshold {
    /// Whether links have to be counted for it.
    pub fn is_of_broken_links(&self) -> bool {
        self.as_str().starts_with(BROKEN_LINKS)
    }

    /// If it holds for this summary, the condition and the numbers in words.
    pub fn judge(&self, summary: &Summary, ending: &Ending) -> Option<String> {
        self.condition.judge((self.counter)(summary, ending), summary.accounting.discovered as f64)
    }

    pub fn as_str(&self) -> &str {
        &self.condition.text
    }
}

impl fmt::Debug for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Threshold").field(&self.as_str()).finish()
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = COUNTERS.map(|(known, _)| known);
        let (place, condition) = Condition::parse(text, "failed>10% or fetched<100", &names)?;
        Ok(Self { counter: COUNTERS[place].1, condition })
    }
}

impl TryFrom<String> for Threshold {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ending::Changes;
    use crate::engine::CrawlEnd;
    use crate::store::{Accounting, Tally};

    #[test]
    fn a_threshold_holds_by_its_counter_its_comparison_and_what_was_discovered() {
        let summary = Summary {
            run: 1,
            outcome: CrawlEnd::Finished,
            accounting: Accounting { discovered: 200, fetched: 170, failed: 20, skipped: 7, pending: 3 },
            tally: Tally { unchanged: 50, bytes: 1, requests: 999, ..Tally::default() },
            elapsed_seconds: 1.0,
        };
        let ending = Ending {
            statuses: [("200", 160), ("404", 7), ("410", 3), ("503", 1)].map(|(s, n)| (s.to_owned(), n)).into(),
            broken_links: 12,
            changes: Changes { gone: 4, ..Changes::default() },
            ..Ending::default()
        };
        let held = |text: &str| text.parse::<Threshold>().unwrap().judge(&summary, &ending);
        for holds in [
            "failed>=10%",
            "failed=10%",
            "failed<=10%",
            "failed>9.99%",
            "failed > 19",
            " fetched<171 ",
            "skipped=7",
            "pending<2 %",
            "unchanged>=25%",
            "requests>998",
            "bytes<2",
            "elapsed_seconds>=1.0",
            "discovered=100%",
            "status_4xx=10",
            "status_4xx>=5%",
            "status_5xx>0",
            "broken_links>11",
            "gone>1.9%",
            "new<=0",
        ] {
            assert!(held(holds).is_some(), "{holds}");
        }
        for not in [
            "failed>10%",
            "failed<10%",
            "failed>20",
            "fetched<170",
            "skipped=6",
            "requests<999",
            "elapsed_seconds>1",
            "pending=0",
        ] {
            assert_eq!(held(not), None);
        }
        assert_eq!(held("failed > 5%").unwrap(), "failed > 5% holds (20 of 200)");
        assert_eq!(held("skipped>0").unwrap(), "skipped>0 holds (7)");
    }

    #[test]
    fn of_nothing_discovered_no_share_is_exceeded() {
        let nothing = Summary {
            run: 1,
            outcome: CrawlEnd::Finished,
            accounting: Accounting::default(),
            tally: Tally::default(),
            elapsed_seconds: 0.0,
        };
        assert_eq!("failed>0%".parse::<Threshold>().unwrap().judge(&nothing, &Ending::default()), None);
    }

    #[test]
    fn what_is_no_threshold_is_refused_with_the_part_that_is_wrong() {
        for (text, words) in [
            ("", "such as failed>10%"),
            ("failed", "such as failed>10%"),
            (">10%", "`` is not counted"),
            ("pages>1", "`pages` is not counted"),
            ("Failed>1", "`Failed` is not counted"),
            ("failed>", "`` is no number"),
            ("failed>%", "`` is no number"),
            ("failed>-1", "`-1` is no number"),
            ("failed>1e3", "`1e3` is no number"),
            ("failed>inf", "`inf` is no number"),
            ("failed>NaN%", "`NaN` is no number"),
            ("failed>10%%", "`10%` is no number"),
            ("failed=>1", "`>1` is no number"),
            ("failed>1 or pending>2", "is no number"),
        ] {
            let error = text.parse::<Threshold>().unwrap_err();
            assert!(error.contains(words), "{text:?}: {error}");
        }
    }
}
