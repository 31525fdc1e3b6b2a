//! What the next answer says of a page known before (new, changed, gone, restored), what a request for it may be
//! conditional on, and when it is worth asking again.

use std::time::{Duration, SystemTime};

use http_cache_semantics::{CacheOptions, CachePolicy};

use crate::policy::politeness::millis;
use crate::visit::{Millis, UrlId, Validators};

/// What became of a page between two answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It answers for the first time, with 2xx or 3xx.
    New,
    /// Other bytes, or another redirect target, than when it answered last.
    Changed,
    /// It answers 404 or 410. No other status and no failure makes a page gone.
    Gone,
    /// It answers again after it was gone.
    Restored,
}

impl Change {
    /// The word used in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::Restored => "restored",
        }
    }
}

/// What is remembered of a page from answer to answer, whatever statuses lie between.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Life {
    /// What it was when it answered last with 2xx or 3xx; none if it never did.
    pub fingerprint: Option<String>,
    pub gone: bool,
}

impl Life {
    /// Takes in the next answer and says what it changes.
    pub fn advance(&mut self, status: u16, fingerprint: String) -> Option<Change> {
        match status {
            404 | 410 => {
                let is_news = self.fingerprint.is_some() && !self.gone;
                self.gone |= is_news;
                is_news.then_some(Change::Gone)
            }
            // It says that nothing changed since an answer that was never given.
            304 => None,
            200..=399 => {
                let change = match &self.fingerprint {
                    None => Some(Change::New),
                    Some(_) if self.gone => Some(Change::Restored),
                    Some(old) => differ(old, &fingerprint).then_some(Change::Changed),
                };
                *self = Self { fingerprint: Some(fingerprint), gone: false };
                change
            }
            _ => None,
        }
    }
}

/// What a page is told by from answer to answer: its redirect target, else its bytes, else what the server says of them.
pub fn fingerprint(target: Option<UrlId>, hash: Option<&str>, etag: Option<&str>, modified: Option<&str>) -> String {
    let told = [("sha256", hash), ("etag", etag.map(strong)), ("modified", modified)];
    let by = |(kind, value): (&str, Option<&str>)| value.map(|value| format!("{kind} {value}"));
    target.map(|id| format!("to {id}")).or_else(|| told.into_iter().find_map(by)).unwrap_or_default()
}

/// The opaque part of an ETag: weak comparison leaves out the mark of weakness (RFC 9110, section 8.8.3.2).
fn strong(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag)
}

/// Whether two fingerprints tell of a change: bytes and redirects do; that more or less is known of a page does not.
fn differ(old: &str, new: &str) -> bool {
    let kind = |fingerprint: &str| fingerprint.split_once(' ').map_or(String::new(), |(kind, _)| kind.to_owned());
    let is_sure = |fingerprint: &str| matches!(kind(fingerprint).as_str(), "to" | "sha256");
    old != new && (kind(old) == kind(new) || (is_sure(old) && is_sure(new)))
}

/// The interval of a page of which only one answer is known.
pub const FIRST_INTERVAL: Duration = Duration::from_secs(24 * 3600);
/// The next interval in percent of the last, without a change and with one: the rates of Nutch's
/// `AdaptiveFetchSchedule`.
const UNCHANGED_PERCENT: Millis = 140;
const CHANGED_PERCENT: Millis = 80;

/// The interval after an answer: longer while nothing changes, shorter after a change.
pub fn next_interval(interval: Option<Millis>, changed: bool, min: Duration, max: Duration) -> Millis {
    let percent = if changed { CHANGED_PERCENT } else { UNCHANGED_PERCENT };
    let interval = interval.unwrap_or_else(|| millis(FIRST_INTERVAL));
    interval.saturating_mul(percent).div_euclid(100).max(millis(min)).min(millis(max))
}

/// What the next request may be conditional on (RFC 9110, section 13.1). A date counts only if it is older than the
/// answer that named it, by the server's own clock where it told the time: within one second a page can change again
/// (section 8.8.2.2), and a date to come says nothing.
pub fn validators(
    etag: Option<String>,
    last_modified: Option<String>,
    date: Option<&str>,
    fetched_at: Millis,
) -> Option<Validators> {
    let ours = || SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(fetched_at).unwrap_or(0));
    let answered = date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(ours);
    let is_settled = |text: &String| {
        httpdate::parse_http_date(text).is_ok_and(|modified| modified + Duration::from_secs(1) <= answered)
    };
    let etag = etag.filter(|etag| etag.bytes().all(|byte| byte.is_ascii_graphic()) && !etag.is_empty());
    let last_modified = last_modified.filter(is_settled);
    (etag.is_some() || last_modified.is_some()).then_some(Validators { etag, last_modified })
}

/// Until when the response itself says that it is fresh (RFC 9111, section 4.2, without heuristics); none if it says
/// nothing.
pub fn fresh_until(status: u16, headers: &http::HeaderMap, now: Millis) -> Option<Millis> {
    if !headers.contains_key("cache-control") && !headers.contains_key("expires") {
        return None;
    }
    let mut response = http::Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(status).ok()?;
    response.headers_mut().clone_from(headers);
    let options = CacheOptions { shared: false, cache_heuristic: 0.0, ..CacheOptions::default() };
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(now).unwrap_or(0));
    let policy = CachePolicy::new_options(&http::Request::new(()), &response, at, options);
    Some(now.saturating_add(millis(policy.time_to_live(at))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(answers: &[(u16, &str)]) -> Vec<&'static str> {
        let mut life = Life::default();
        let change = |(status, body): &(u16, &str)| life.advance(*status, (*body).to_owned());
        answers.iter().map(change).map(|change| change.map_or("", Change::as_str)).collect()
    }

    #[test]
    fn a_page_is_new_then_changed_gone_and_restored() {
        let answers = [(200, "a"), (200, "a"), (200, "b"), (404, "x"), (410, "y"), (200, "b"), (301, "c")];
        assert_eq!(changes(&answers), ["new", "", "changed", "gone", "", "restored", "changed"]);
    }

    #[test]
    fn no_other_status_changes_anything() {
        assert_eq!(changes(&[(200, "a"), (503, "x"), (403, "x"), (500, "y"), (200, "a")]), ["new", "", "", "", ""]);
        assert_eq!(changes(&[(404, "x"), (503, "x"), (304, ""), (200, "a")]), ["", "", "", "new"]);
        assert_eq!(changes(&[(200, "a"), (404, "x"), (503, "y"), (404, "x")]), ["new", "gone", "", ""]);
    }

    #[test]
    fn other_settings_are_no_change_but_another_redirect_is() {
        let told = |hash, etag| fingerprint(None, hash, etag, None);
        let (bytes, tag) = (told(Some("1"), Some("\"a\"")), told(None, Some("\"a\"")));
        let changes = |answers: [String; 2]| {
            let mut life = Life::default();
            answers.map(|answer| life.advance(200, answer)).map(|change| change.map_or("", Change::as_str))
        };
        assert_eq!(changes([bytes.clone(), tag.clone()]), ["new", ""]);
        assert_eq!(changes([tag, told(None, Some("W/\"a\""))]), ["new", ""]);
        assert_eq!(changes([told(None, Some("\"a\"")), told(None, Some("\"b\""))]), ["new", "changed"]);
        assert_eq!(changes([bytes, fingerprint(Some(7), Some("1"), None, None)]), ["new", "changed"]);
    }

    #[test]
    fn the_interval_follows_the_changes_within_its_bounds() {
        let hour = Duration::from_secs(3600);
        let next = |interval, changed| next_interval(interval, changed, hour, 100 * hour);
        let day = millis(FIRST_INTERVAL);
        assert_eq!(next(None, false), day * 14 / 10);
        assert_eq!(next(Some(day), true), day * 8 / 10);
        assert_eq!(next(Some(millis(hour)), true), millis(hour));
        assert_eq!(next(Some(millis(99 * hour)), false), millis(100 * hour));
    }

    #[test]
    fn a_date_is_a_validator_only_if_it_was_past_when_the_server_named_it() {
        let since = |modified: &str, date: Option<&str>| {
            let at = 1_700_000_000_000; // Tue, 14 Nov 2023 22:13:20 GMT
            validators(None, Some(modified.to_owned()), date, at).and_then(|v| v.last_modified).is_some()
        };
        let noon = "Mon, 06 Nov 2023 12:00:00 GMT";
        assert!(since(noon, Some("Mon, 06 Nov 2023 12:00:01 GMT")));
        assert!(!since(noon, Some(noon)), "it may change again within the second");
        assert!(!since(noon, Some("Sun, 05 Nov 2023 12:00:00 GMT")), "a date to come");
        assert!(since(noon, None) && since(noon, Some("yesterday")));
        assert!(!since("Tue, 14 Nov 2023 22:13:20 GMT", None));
        assert!(!since("yesterday", Some(noon)));
    }

    #[test]
    fn an_etag_is_sent_back_as_it_came_unless_no_header_holds_it() {
        let etag = |text: &str| validators(Some(text.to_owned()), None, None, 0).and_then(|v| v.etag);
        assert_eq!(etag("W/\"a\"").as_deref(), Some("W/\"a\""));
        assert_eq!((etag(""), etag("\"ü\""), etag("\"a\nb\"")), (None, None, None));
    }

    #[test]
    fn a_response_is_as_fresh_as_its_headers_say() {
        let fresh = |headers: &[(&'static str, &'static str)]| {
            let pairs = headers.iter().map(|(n, v)| (http::HeaderName::from_static(n), v.parse().unwrap()));
            fresh_until(200, &pairs.collect(), 1_700_000_000_000).map(|until| until - 1_700_000_000_000)
        };
        assert_eq!(fresh(&[("etag", "x")]), None);
        assert_eq!(fresh(&[("cache-control", "max-age=60")]), Some(60_000));
        assert_eq!(fresh(&[("cache-control", "max-age=60"), ("age", "20")]), Some(40_000));
        assert_eq!(fresh(&[("cache-control", "no-cache, max-age=60")]), Some(0));
        let (date, expires) = ("Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:14:20 GMT");
        assert_eq!(fresh(&[("date", date), ("expires", expires)]), Some(60_000));
        assert_eq!(fresh(&[("expires", "0")]), Some(0));
    }
}
