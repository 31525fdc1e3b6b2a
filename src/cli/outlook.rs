//! How long a crawl may still take, by what it did lately: no figure where too little is known, and a lower bound as long as
//! more is found than done.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::engine::Progress;

use super::words::roughly;

/// The time that is looked back on, and between two looks.
const SPAN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What must be known before anything is said.
const LEAST_TIME: Duration = Duration::from_secs(5);
const LEAST_URLS: i64 = 10;
/// New URLs for each that is done; with fewer, what is left is known.
const FEW: f64 = 0.1;

/// What is left of a crawl.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Left {
    Unknown,
    About(Duration),
    /// More is found meanwhile: so many URLs for each that is done, if that is known.
    AtLeast(Duration, Option<f64>),
    /// A limit on the time ends it before.
    Limit(Duration),
}

/// What bounds the rest of a crawl, beside its pace.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds {
    pub max_pages: Option<u64>,
    /// Until --max-duration is over.
    pub time: Option<Duration>,
    /// The longest that one host's queue takes at its pace.
    pub longest: Duration,
    /// That queue may be longer than is known.
    pub is_longer: bool,
    /// --max-pages-per-host leaves out what is pending, nobody knows how much of it.
    pub is_by_host: bool,
    /// URLs that are not asked for by this invocation.
    pub put_off: i64,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    done: i64,
    pending: i64,
    stored: u64,
}

/// What was seen lately.
#[derive(Debug, Default)]
pub struct Outlook(VecDeque<Sample>);

impl Outlook {
    /// Takes in where the crawl stands now, and says what is left.
    pub fn look(&mut self, progress: &Progress, bounds: Bounds, now: Instant) -> Left {
        let Progress { accounting: a, stored, .. } = *progress;
        let sample = Sample { at: now, done: a.fetched + a.failed, pending: a.pending, stored };
        if self.0.back().is_none_or(|last| now.duration_since(last.at) >= LOOK_EVERY) {
            self.0.push_back(sample);
        }
        while self.0.get(1).is_some_and(|next| now.duration_since(next.at) >= SPAN) {
            self.0.pop_front();
        }
        let first = self.0.front().filter(|_| !bounds.is_by_host);
        let left = first.map_or(Left::Unknown, |first| estimate(first, &sample, bounds));
        match (left, bounds.time) {
            (Left::About(time) | Left::AtLeast(time, _), Some(limit)) if time >= limit => Left::Limit(limit),
            (Left::Unknown, Some(limit)) => Left::Limit(limit),
            _ => left,
        }
    }
}

fn estimate(first: &Sample, last: &Sample, bounds: Bounds) -> Left {
    let pending = last.pending.saturating_sub(bounds.put_off).max(0);
    let pages_left = bounds.max_pages.map(|max| max.saturating_sub(last.stored));
    let ends_by_pages = pages_left.is_some_and(|left| left <= pending.cast_unsigned());
    // Other hosts may use up the pages before this queue is done.
    let longest = if ends_by_pages { Duration::ZERO } else { bounds.longest };
    let least = |time: Duration, growth| Left::AtLeast(time.max(longest), growth);
    let seconds = last.at.duration_since(first.at).as_secs_f64();
    let done = last.done - first.done;
    if last.at.duration_since(first.at) < LEAST_TIME || done < LEAST_URLS {
        return if longest > Duration::from_secs(1) { least(longest, None) } else { Left::Unknown };
    }
    let time = |urls: f64, of: f64| Duration::try_from_secs_f64(urls * seconds / of).unwrap_or(Duration::MAX);
    if let Some(left) = pages_left.filter(|_| ends_by_pages) {
        let stored = last.stored.saturating_sub(first.stored);
        return if stored > 0 { Left::About(time(left as f64, stored as f64)) } else { Left::Unknown };
    }
    let found = (done + last.pending - first.pending).max(0) as f64 / done as f64;
    let at_this_pace = time(pending as f64, done as f64);
    if found > FEW {
        least(at_this_pace, Some(found))
    } else if bounds.is_longer {
        least(at_this_pace, None)
    } else {
        Left::About(at_this_pace.max(longest))
    }
}

impl Left {
    /// In words; none where nothing is known.
    pub fn told(self) -> Option<String> {
        Some(match self {
            Self::Unknown => return None,
            Self::About(time) => format!("about {}", roughly(time)),
            Self::AtLeast(time, None) => format!("at least {}", roughly(time)),
            Self::AtLeast(time, Some(found)) => {
                format!("at least {}, as each page brings {found:.1} new URLs", roughly(time))
            }
            Self::Limit(time) => format!("{} at most (--max-duration)", roughly(time)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Accounting;

    /// Looks each second at a crawl that does ten URLs a second and finds so many for each.
    fn after(seconds: u64, pending: i64, found: f64, bounds: Bounds) -> Left {
        let (mut outlook, start) = (Outlook::default(), Instant::now());
        let mut left = Left::Unknown;
        for second in 0..=seconds {
            let done = 10 * second as i64;
            let accounting = Accounting {
                fetched: 7_000 + done,
                pending: pending - done + (done as f64 * found) as i64,
                ..Accounting::default()
            };
            let progress = Progress { accounting, stored: done.cast_unsigned(), ..Progress::default() };
            left = outlook.look(&progress, bounds, start + Duration::from_secs(second));
        }
        left
    }

    #[test]
    fn nothing_is_said_where_too_little_is_known_but_what_a_queue_takes_at_its_pace() {
        assert_eq!(after(3, 5_000, 0.0, Bounds::default()), Left::Unknown);
        let bounds = Bounds { longest: Duration::from_secs(900), ..Bounds::default() };
        assert_eq!(after(3, 5_000, 0.0, bounds), Left::AtLeast(Duration::from_secs(900), None));
    }

    #[test]
    fn what_is_left_follows_from_the_pace_also_of_a_crawl_that_goes_on() {
        assert_eq!(after(20, 5_000, 0.0, Bounds::default()), Left::About(Duration::from_secs(480)));
        let bounds = Bounds { longest: Duration::from_secs(900), ..Bounds::default() };
        assert_eq!(after(20, 5_000, 0.0, bounds), Left::About(Duration::from_secs(900)), "one host takes longer");
        let bounds = Bounds { put_off: 4_000, ..Bounds::default() };
        assert_eq!(after(20, 5_000, 0.0, bounds), Left::About(Duration::from_secs(80)), "the rest is for later");
    }

    #[test]
    fn what_nobody_knows_of_hosts_makes_a_time_the_least_or_none() {
        let bounds = Bounds { is_longer: true, ..Bounds::default() };
        assert_eq!(after(20, 5_000, 0.0, bounds), Left::AtLeast(Duration::from_secs(480), None));
        let bounds = Bounds { is_by_host: true, ..Bounds::default() };
        assert_eq!(after(20, 5_000, 0.0, bounds), Left::Unknown);
    }

    #[test]
    fn as_long_as_more_is_found_a_time_is_the_least_it_takes() {
        let Left::AtLeast(time, Some(found)) = after(20, 5_000, 1.5, Bounds::default()) else { panic!() };
        assert_eq!((time, found), (Duration::from_secs(510), 1.5));
    }

    #[test]
    fn limits_are_what_is_left_where_they_come_first() {
        let bounds = Bounds { max_pages: Some(1_000), ..Bounds::default() };
        assert_eq!(after(20, 5_000, 3.0, bounds), Left::About(Duration::from_secs(80)));
        let bounds = Bounds { time: Some(Duration::from_secs(60)), ..Bounds::default() };
        assert_eq!(after(20, 5_000, 3.0, bounds), Left::Limit(Duration::from_secs(60)));
        assert_eq!(after(0, 5_000, 3.0, bounds), Left::Limit(Duration::from_secs(60)));
    }

    #[test]
    fn a_pace_of_long_ago_is_forgotten() {
        let (mut outlook, start) = (Outlook::default(), Instant::now());
        let mut left = Left::Unknown;
        let mut done = 0;
        for second in 0..400 {
            done += if second < 100 { 100 } else { 1 };
            let accounting = Accounting { fetched: done, pending: 20_000 - done, ..Accounting::default() };
            let progress = Progress { accounting, ..Progress::default() };
            left = outlook.look(&progress, Bounds::default(), start + Duration::from_secs(second));
        }
        let Left::About(time) = left else { panic!("{left:?}") };
        assert!(time > Duration::from_secs(9_000), "{time:?}");
    }
}
