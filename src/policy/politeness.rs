//! The pace of requests to a host: by the rate that the user set and the Crawl-delay that the host asks for.

use std::time::Duration;

use crate::visit::Millis;

/// The longest time between two requests that is reckoned with, 100 years: governor counts nanoseconds in 64 bits.
const MAX_INTERVAL: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The time between two requests to a host: its rate, or a longer Crawl-delay. None is no limit.
pub fn interval(rate: f64, crawl_delay: Option<Duration>) -> Option<Duration> {
    let pace =
        if rate > 0.0 { Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX) } else { Duration::ZERO };
    let interval = pace.max(crawl_delay.unwrap_or_default().min(MAX_ASKED)).min(MAX_INTERVAL);
    (!interval.is_zero()).then_some(interval)
}

/// The longest rest a host gets by asking: one line of a broken server must not close it to this database for ever.
pub(super) const MAX_ASKED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A duration as whole milliseconds, for adding to a time.
pub fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4).min(Millis::MAX / 4)
}

/// A clock that is behind by less is taken for right.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// How far the clock was set back since `last`, if it was.
pub fn set_back(last: Millis, now: Millis) -> Option<Millis> {
    Some(last.saturating_sub(now)).filter(|back| *back > millis(CLOCK_TOLERANCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_of_rate_and_crawl_delay_wins() {
        let second = Duration::from_secs(1);
        assert_eq!(interval(2.0, None), Some(second / 2));
        assert_eq!(interval(2.0, Some(second)), Some(second));
        assert_eq!(interval(0.5, Some(second)), Some(second * 2));
        assert_eq!(interval(0.0, None), None);
        assert_eq!(interval(0.0, Some(second)), Some(second));
        assert_eq!(interval(1e-300, Some(Duration::MAX)), Some(MAX_INTERVAL));
    }

    #[test]
    fn a_clock_that_was_set_back_is_told_from_one_that_wavers() {
        assert_eq!(set_back(1_000, 2_000), None);
        assert_eq!(set_back(61_000, 1_000), None);
        assert_eq!(set_back(86_401_000, 1_000), Some(86_400_000));
    }
}
