//! How long a host rests: its pace by rate or Crawl-delay, Retry-After, and back-off after failures.

use std::time::Duration;

use crate::visit::{FailureKind, Millis};

/// The longest back-off between two tries of one URL, before jitter.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// The longest time between two requests that is reckoned with, 100 years: governor counts nanoseconds in 64 bits.
const MAX_INTERVAL: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The time between two requests to a host: its rate, or a longer Crawl-delay. None is no limit.
pub fn interval(rate: f64, crawl_delay: Option<Duration>) -> Option<Duration> {
    let pace =
        if rate > 0.0 { Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX) } else { Duration::ZERO };
    let interval = pace.max(crawl_delay.unwrap_or_default().min(MAX_ASKED)).min(MAX_INTERVAL);
    (!interval.is_zero()).then_some(interval)
}

/// Exponential back-off with jitter before try `attempt` + 1 (the first try is number 1): half to all of
/// 1 s · 2^(attempt-1), at most 60 s.
pub fn backoff(attempt: u32, jitter: f64) -> Duration {
    let full = Duration::from_secs(1).saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(MAX_BACKOFF);
    full.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

/// Statuses that may pass (RFC 9110, RFC 6585, RFC 8470).
pub fn is_transient_status(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// Failures that another try may mend: those of the transport, but not those of the content.
pub fn is_transient_failure(kind: FailureKind) -> bool {
    use FailureKind as K;
    match kind {
        K::Dns | K::Connect | K::Tls | K::Timeout | K::Closed | K::Protocol => true,
        K::Decode | K::TooLarge | K::Redirect => false,
    }
}

/// The longest rest a host gets by asking: one line of a broken server must not close it to this database for ever.
const MAX_ASKED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Reads `Retry-After` (RFC 9110, section 10.2.3): seconds or an HTTP date, at most thirty days ahead. None if it is
/// neither.
pub fn retry_after(value: &str, now: Millis) -> Option<Millis> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large to hold still means "not now".
        let asked = value.parse().map_or(MAX_ASKED, Duration::from_secs);
        return Some(now.saturating_add(millis(asked.min(MAX_ASKED))));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(millis(since).clamp(now, now.saturating_add(millis(MAX_ASKED))))
}

/// A duration as whole milliseconds, for adding to a time.
pub fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4).min(Millis::MAX / 4)
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
    fn backoff_doubles_up_to_a_minute() {
        assert_eq!(backoff(1, 1.0), Duration::from_secs(1));
        assert_eq!(backoff(3, 1.0), Duration::from_secs(4));
        assert_eq!(backoff(3, 0.0), Duration::from_secs(2));
        assert_eq!(backoff(40, 1.0), Duration::from_secs(60));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after(" 120 ", 1_000), Some(121_000));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:02:00 GMT", 1_000), Some(120_000));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:00:00 GMT", 1_000), Some(1_000));
        for for_ever in ["99999999999999999999", "9999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(retry_after(for_ever, 1_000), Some(1_000 + millis(MAX_ASKED)), "{for_ever}");
        }
        assert_eq!(retry_after("soon", 0), None);
        assert_eq!(retry_after("-1", 0), None);
    }
}
