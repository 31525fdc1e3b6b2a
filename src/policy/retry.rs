//! Whether and when something is tried again: a request, by what went wrong and how often it was tried; a host, by how
//! many outages in a row it had.

use std::time::Duration;

use crate::policy::politeness::{MAX_ASKED, millis};
use crate::visit::{FailureKind, Millis};

/// The longest back-off between two tries of one URL, before jitter.
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// The jitter of a host's back-off: the middle, since one host's requests are spread by its pace.
const HOST_JITTER: f64 = 0.5;

/// What went wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A response with this status.
    Status(u16),
    /// No usable response.
    Failure(FailureKind),
    /// A response that was read too strictly: the host's next ones are read leniently.
    Misread,
}

impl Trouble {
    /// Whether another try may mend it.
    pub fn may_pass(self) -> bool {
        use FailureKind as K;
        match self {
            // RFC 9110, RFC 6585, RFC 8470.
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            // Failures of the transport, but not those of the content.
            Self::Failure(K::Dns | K::Connect | K::Tls | K::Timeout | K::Closed | K::Protocol) => true,
            Self::Failure(K::Decode | K::TooLarge | K::Redirect) => false,
            Self::Misread => true,
        }
    }

    /// Whether the host answered; None if that cannot be told from a failure in the middle of a response.
    pub fn host_answered(self) -> Option<bool> {
        use FailureKind as K;
        match self {
            Self::Status(_) | Self::Misread => Some(true),
            Self::Failure(K::Dns | K::Connect | K::Tls | K::Timeout) => Some(false),
            Self::Failure(_) => None,
        }
    }

    /// Until when the host asks to be left alone: by the `Retry-After` of a status that may pass, or, after "too many
    /// requests" without one, for the back-off of its number of tries.
    pub fn asks_until(self, retry_after: Option<&str>, tries: u32, now: Millis) -> Option<Millis> {
        let Self::Status(status) = self else { return None };
        if !self.may_pass() {
            return None;
        }
        let named = retry_after.and_then(|value| read_retry_after(value, now));
        named.or_else(|| (status == 429).then(|| now.saturating_add(millis(backoff(tries, HOST_JITTER)))))
    }
}

/// When a request is made once more after `tries` tries, of which `retries` may follow the first; None if it ended for
/// good. Never before `asked_until`, the time that its host asked for. `jitter` is random, from 0 to 1.
pub fn again(
    trouble: Trouble,
    tries: u32,
    retries: u32,
    asked_until: Option<Millis>,
    now: Millis,
    jitter: f64,
) -> Option<Millis> {
    if trouble == Trouble::Misread && tries <= retries.saturating_add(1) {
        // It says nothing against the host, which needs no rest for it.
        return Some(asked_until.map_or(now, |asked| asked.max(now)));
    }
    if tries > retries || !trouble.may_pass() {
        return None;
    }
    let due = now.saturating_add(millis(backoff(tries, jitter)));
    Some(asked_until.map_or(due, |asked| asked.max(due)))
}

/// What a host's requests of this invocation tell about its being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outages {
    /// Outages since it answered last.
    streak: u32,
    ever_answered: bool,
    /// When it answered last, as far as requests in flight need it.
    answered_at: Millis,
}

impl Default for Outages {
    fn default() -> Self {
        Self::recalled(0, false)
    }
}

impl Outages {
    /// Those of a host that was forgotten but for these facts, while no request to it was in flight.
    pub fn recalled(streak: u32, ever_answered: bool) -> Self {
        Self { streak, ever_answered, answered_at: Millis::MIN }
    }

    pub fn streak(&self) -> u32 {
        self.streak
    }

    pub fn ever_answered(&self) -> bool {
        self.ever_answered
    }

    /// Counts an answer.
    pub fn answered(&mut self, now: Millis) {
        (self.streak, self.ever_answered, self.answered_at) = (0, true, now);
    }

    /// Counts a request, started at `started_at`, that the host did not answer; it is already left alone until
    /// `blocked_until`. Answers until when it rests for this.
    ///
    /// A request that started before the host's last answer, or that failed while the host already rests, is not counted:
    /// requests in flight together meet the same outage once.
    pub fn failed(&mut self, started_at: Millis, blocked_until: Millis, now: Millis) -> Option<Millis> {
        if now < blocked_until || started_at <= self.answered_at {
            return None;
        }
        self.streak += 1;
        Some(now.saturating_add(millis(backoff(self.streak, HOST_JITTER))))
    }

    /// Whether the host is given up. One that has answered may come back: it is given twice the tries of one that never
    /// did.
    pub fn are_final(&self, retries: u32) -> bool {
        let tries = retries.saturating_add(1);
        self.streak >= if self.ever_answered { tries.saturating_mul(2) } else { tries }
    }
}

/// Exponential back-off with jitter before try `attempt` + 1 (the first try is number 1): half to all of
/// 1 s · 2^(attempt-1), at most 60 s.
fn backoff(attempt: u32, jitter: f64) -> Duration {
    let full = Duration::from_secs(1).saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(MAX_BACKOFF);
    full.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

/// Reads `Retry-After` (RFC 9110, section 10.2.3): seconds or an HTTP date, at most thirty days ahead. None if it is
/// neither.
fn read_retry_after(value: &str, now: Millis) -> Option<Millis> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: Trouble = Trouble::Status(503);
    const REFUSED: Trouble = Trouble::Failure(FailureKind::Connect);

    #[test]
    fn backoff_doubles_up_to_a_minute() {
        assert_eq!(backoff(1, 1.0), Duration::from_secs(1));
        assert_eq!(backoff(3, 1.0), Duration::from_secs(4));
        assert_eq!(backoff(3, 0.0), Duration::from_secs(2));
        assert_eq!(backoff(40, 1.0), Duration::from_secs(60));
    }

    #[test]
    fn what_was_read_too_strictly_is_asked_for_once_more_at_once_even_without_retries() {
        assert_eq!(again(Trouble::Misread, 1, 0, None, 5_000, 1.0), Some(5_000));
        assert_eq!(again(Trouble::Misread, 1, 0, Some(9_000), 5_000, 1.0), Some(9_000));
        assert_eq!(again(Trouble::Misread, 2, 0, None, 5_000, 1.0), None);
    }

    #[test]
    fn what_may_pass_is_tried_again_as_often_as_allowed() {
        assert_eq!(again(BUSY, 1, 2, None, 5_000, 1.0), Some(6_000));
        assert_eq!(again(REFUSED, 2, 2, None, 5_000, 0.0), Some(6_000));
        assert_eq!(again(REFUSED, 3, 2, None, 5_000, 0.0), None);
        assert_eq!(again(BUSY, 1, 0, None, 5_000, 0.0), None);
        assert_eq!(again(Trouble::Status(404), 1, 2, None, 5_000, 0.0), None);
        assert_eq!(again(Trouble::Failure(FailureKind::TooLarge), 1, 2, None, 5_000, 0.0), None);
    }

    #[test]
    fn no_try_comes_before_the_time_the_host_asked_for() {
        assert_eq!(again(BUSY, 1, 2, Some(90_000), 5_000, 1.0), Some(90_000));
        assert_eq!(again(BUSY, 1, 2, Some(5_100), 5_000, 1.0), Some(6_000));
    }

    #[test]
    fn too_many_requests_rests_the_host_even_without_a_time() {
        assert_eq!(Trouble::Status(429).asks_until(None, 1, 1_000), Some(1_750));
        assert_eq!(Trouble::Status(429).asks_until(Some("2"), 1, 1_000), Some(3_000));
        assert_eq!(BUSY.asks_until(None, 1, 1_000), None);
        assert_eq!(BUSY.asks_until(Some("2"), 1, 1_000), Some(3_000));
        assert_eq!(Trouble::Status(404).asks_until(Some("2"), 1, 1_000), None, "a missing page asks for no time");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(read_retry_after(" 120 ", 1_000), Some(121_000));
        assert_eq!(read_retry_after("Thu, 01 Jan 1970 00:02:00 GMT", 1_000), Some(120_000));
        assert_eq!(read_retry_after("Thu, 01 Jan 1970 00:00:00 GMT", 1_000), Some(1_000));
        for for_ever in ["99999999999999999999", "9999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(read_retry_after(for_ever, 1_000), Some(1_000 + millis(MAX_ASKED)), "{for_ever}");
        }
        assert_eq!(read_retry_after("soon", 0), None);
        assert_eq!(read_retry_after("-1", 0), None);
    }

    #[test]
    fn requests_in_flight_together_meet_one_outage() {
        let mut outages = Outages::default();
        assert_eq!(outages.failed(1_000, 0, 2_000), Some(2_750));
        assert_eq!(outages.failed(1_000, 2_750, 2_100), None);
        assert_eq!(outages.streak(), 1);
        assert_eq!(outages.failed(3_000, 2_750, 4_000), Some(5_500), "the next outage rests it twice as long");
    }

    #[test]
    fn an_outage_is_over_where_a_later_request_was_answered() {
        let mut outages = Outages::default();
        outages.answered(2_000);
        assert_eq!(outages.failed(1_500, 0, 2_500), None);
        assert_eq!(outages.failed(2_001, 0, 2_500), Some(3_250));
    }

    #[test]
    fn a_host_that_has_answered_gets_twice_the_tries() {
        let fail = |mut outages: Outages, times| {
            for _ in 0..times {
                outages.failed(1, 0, 1);
            }
            outages
        };
        let never = Outages::default();
        assert!(!fail(never, 2).are_final(2));
        assert!(fail(never, 3).are_final(2));
        let once = Outages::recalled(0, true);
        assert!(!fail(once, 5).are_final(2));
        assert!(fail(once, 6).are_final(2));
    }
}
