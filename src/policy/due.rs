//! When a known page is worth asking for again: the one definition of "due", for a crawl and for whoever looks on.

use std::time::{Duration, SystemTime};

use http_cache_semantics::{CacheOptions, CachePolicy};
use serde::Serialize;

use crate::config::{Config, Recrawl};
use crate::policy::politeness::millis;
use crate::visit::Millis;

/// The interval of a page of which only one answer is known.
pub const FIRST_INTERVAL: Duration = Duration::from_secs(24 * 3600);
/// The next interval in percent of the last, without a change and with one: the rates of Nutch's
/// `AdaptiveFetchSchedule`.
const UNCHANGED_PERCENT: Millis = 140;
const CHANGED_PERCENT: Millis = 80;
const DAY: Millis = 86_400_000;
const SECOND: Millis = 1_000;

/// The settings that decide when a page is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// The same time for all pages; none: each page at its own interval.
    after: Option<Millis>,
    min: Millis,
    max: Millis,
    respect_cache: bool,
    sitemaps: bool,
}

/// What is known of a page that was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    pub fetched_at: Millis,
    /// Its own interval; none while only one answer is known.
    pub interval: Option<Millis>,
    /// Until when the response said that it is fresh.
    pub fresh_until: Option<Millis>,
    /// When it changed last, as a sitemap says.
    pub lastmod: Option<Millis>,
    /// The last request for it failed.
    pub failed: bool,
    /// It is a sitemap itself.
    pub is_sitemap: bool,
}

impl Rules {
    pub fn of(config: &Config) -> Self {
        let after = match config.recrawl_after {
            Recrawl::After(age) => Some(millis(age)),
            Recrawl::Auto => None,
        };
        let (min, max) = (millis(config.recrawl_min), millis(config.recrawl_max));
        Self { after, min, max, respect_cache: config.respect_cache, sitemaps: config.sitemaps }
    }

    /// Whether what a sitemap says of a page's last change matters.
    pub fn heed_lastmod(&self) -> bool {
        self.sitemaps && self.after.is_none()
    }

    /// The interval after an answer: longer while nothing changes, shorter after a change.
    pub fn next_interval(&self, interval: Option<Millis>, changed: bool) -> Millis {
        let percent = if changed { CHANGED_PERCENT } else { UNCHANGED_PERCENT };
        let interval = interval.unwrap_or_else(|| millis(FIRST_INTERVAL));
        interval.saturating_mul(percent).div_euclid(100).max(self.min).min(self.max)
    }
}

/// From when on a new run fetches the page again. Never before it was fetched.
pub fn due_at(facts: &Facts, rules: &Rules) -> Millis {
    let fetched_at = facts.fetched_at;
    if facts.failed {
        return fetched_at;
    }
    let wait = match rules.after {
        _ if rules.sitemaps && facts.is_sitemap => 0,
        Some(after) => after,
        None => facts.interval.unwrap_or_else(|| millis(FIRST_INTERVAL)).min(rules.max).max(rules.min),
    };
    let mut due = fetched_at.saturating_add(wait);
    if let Some(lastmod) = facts.lastmod.filter(|lastmod| rules.heed_lastmod() && fetched_at < end_of(*lastmod)) {
        // A date more than a day ahead is taken for a mistake, and ignored until the day before it.
        due = due.min(lastmod.saturating_sub(DAY).max(fetched_at));
    }
    due.max(facts.fresh_until.filter(|_| rules.respect_cache).unwrap_or(due))
}

/// How long after it was fetched a page is due: what a store keeps of it.
pub fn wait(facts: &Facts, rules: &Rules) -> Millis {
    due_at(facts, rules).saturating_sub(facts.fetched_at)
}

/// Whether a page is due at `now`: it rests from when it was fetched until `due_at`, which is no part of the rest. That it
/// was fetched in the future is a clock's mistake, and says nothing.
pub fn is_due(due_at: Millis, fetched_at: Millis, now: Millis) -> bool {
    !(fetched_at..due_at).contains(&now)
}

/// A date names a whole day, or a whole second: the page may have changed at its end.
fn end_of(lastmod: Millis) -> Millis {
    let unit = [DAY, SECOND].into_iter().find(|unit| lastmod % unit == 0).unwrap_or(1);
    lastmod.saturating_add(unit - 1)
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

    const HOUR: Millis = 3_600_000;
    const NOON: Millis = 1_700_000_000_123;

    fn rules(edit: impl FnOnce(&mut Config)) -> Rules {
        let mut config = Config::default();
        edit(&mut config);
        Rules::of(&config)
    }

    fn auto(sitemaps: bool) -> Rules {
        rules(|config| (config.recrawl_after, config.sitemaps) = (Recrawl::Auto, sitemaps))
    }

    /// How long after it was fetched.
    fn wait(facts: Facts, rules: &Rules) -> Millis {
        due_at(&Facts { fetched_at: NOON, ..facts }, rules) - NOON
    }

    #[test]
    fn a_page_is_due_at_the_age_or_the_interval_that_the_settings_name() {
        let aged = rules(|config| config.recrawl_after = Recrawl::After(Duration::from_secs(7200)));
        let interval = Facts { interval: Some(5 * HOUR), ..Facts::default() };
        assert_eq!((wait(interval, &aged), wait(interval, &auto(false))), (2 * HOUR, 5 * HOUR));
        assert_eq!(wait(Facts::default(), &auto(false)), 24 * HOUR, "one answer says nothing of its changes");
        assert_eq!(
            wait(Facts { interval: Some(1), ..Facts::default() }, &auto(false)),
            HOUR,
            "no sooner than the least"
        );
        assert_eq!(wait(Facts { interval: Some(Millis::MAX), ..Facts::default() }, &auto(false)), 720 * HOUR);
    }

    #[test]
    fn what_failed_and_what_is_a_sitemap_is_due_at_once() {
        let fresh = Some(NOON + HOUR);
        let failed = Facts { failed: true, fresh_until: fresh, ..Facts::default() };
        assert_eq!(wait(failed, &rules(|config| config.respect_cache = true)), 0);
        let sitemap = Facts { is_sitemap: true, ..Facts::default() };
        assert_eq!((wait(sitemap, &auto(true)), wait(sitemap, &auto(false))), (0, 24 * HOUR));
    }

    #[test]
    fn what_is_still_fresh_waits_only_if_caches_are_respected() {
        let fresh = Facts { fresh_until: Some(NOON + HOUR), ..Facts::default() };
        assert_eq!(wait(fresh, &rules(|config| config.respect_cache = true)), HOUR);
        assert_eq!(wait(fresh, &rules(|_| {})), 0);
        let stale = Facts { fresh_until: Some(NOON - HOUR), ..Facts::default() };
        assert_eq!(wait(stale, &rules(|config| config.respect_cache = true)), 0);
    }

    #[test]
    fn a_sitemap_makes_due_what_it_says_was_modified_since() {
        let listed = |lastmod| wait(Facts { lastmod: Some(lastmod), ..Facts::default() }, &auto(true));
        let today = NOON - NOON % DAY;
        assert_eq!((listed(NOON + HOUR), listed(NOON - HOUR)), (0, 24 * HOUR));
        assert_eq!((listed(today), listed(today - DAY)), (0, 24 * HOUR), "a day may mean its last moment");
        assert_eq!(listed(NOON - NOON % SECOND), 0, "and a second too");
        assert_eq!(listed(NOON + DAY + HOUR), HOUR, "beyond tomorrow it is a mistake");
        assert_eq!(listed(NOON + 1000 * DAY), 24 * HOUR);
        assert_eq!(wait(Facts { lastmod: Some(NOON + HOUR), ..Facts::default() }, &auto(false)), 24 * HOUR);
        let aged = rules(|config| {
            (config.recrawl_after, config.sitemaps) = (Recrawl::After(Duration::from_secs(7200)), true);
        });
        assert_eq!(wait(Facts { lastmod: Some(NOON + HOUR), ..Facts::default() }, &aged), 2 * HOUR);
    }

    #[test]
    fn a_page_fetched_in_the_future_is_due_now() {
        assert!(is_due(NOON, NOON, NOON) && !is_due(NOON + 1, NOON, NOON) && is_due(NOON - 1, NOON - HOUR, NOON));
        assert!(is_due(NOON + HOUR, NOON + 1, NOON));
    }

    #[test]
    fn the_interval_follows_the_changes_within_its_bounds() {
        let rules = rules(|config| config.recrawl_max = Duration::from_secs(100 * 3600));
        let day = millis(FIRST_INTERVAL);
        assert_eq!(rules.next_interval(None, false), day * 14 / 10);
        assert_eq!(rules.next_interval(Some(day), true), day * 8 / 10);
        assert_eq!(rules.next_interval(Some(HOUR), true), HOUR);
        assert_eq!(rules.next_interval(Some(99 * HOUR), false), 100 * HOUR);
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
