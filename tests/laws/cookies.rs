//! Cookies and dates.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::{Duration, UNIX_EPOCH};

use harvestman::internals::canonical::CanonicalUrl;
use harvestman::internals::fetch::cookies::{Jar, add, hide};
use harvestman::internals::parse::cookie::{self, MAX_PAIR, SetCookie, without_value};
use harvestman::internals::policy::retry::Trouble;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

/// 1 May 2026.
const NOW: i64 = 1_777_593_600;
/// Days that a cookie lasts, at most (RFC 6265bis, section 5.5).
const MAX_DAYS: i64 = 400;
/// Cookies that go with one request, at most.
const MAX_SENT: usize = 180;

/// Lines of a URL, white space, and what it sets.
pub fn cookie(input: &[u8]) {
    let jar = Jar::default();
    let mut urls = Vec::new();
    let mut values = HashSet::new();
    for (line, now) in input.split(|byte| *byte == b'\n').zip(NOW..) {
        let mut parts = line.splitn(2, |byte| *byte == b' ');
        let url = String::from_utf8_lossy(parts.next().unwrap_or_default());
        let (Ok(url), Some(set)) = (CanonicalUrl::parse(&url), parts.next()) else { continue };
        let Ok(value) = HeaderValue::from_bytes(set) else { continue };
        if let Some(set) = SetCookie::parse(set, now) {
            assert!(set.name.len() + set.value.len() <= MAX_PAIR);
            assert!(set.expires.is_none_or(|expires| expires <= now + MAX_DAYS * 24 * 3600), "{set:?}");
            values.insert((set.value.to_owned(), url.url().host_str().unwrap_or_default().to_owned()));
        }
        let shown = without_value(set);
        assert_eq!(shown, without_value(shown.as_bytes()), "hiding twice is once");
        let mut headers = HeaderMap::from_iter([(SET_COOKIE, value)]);
        jar.take(url.url(), &headers, now);
        hide(&mut headers);
        assert_eq!(headers.len(), 1);
        urls.push(url);
    }
    for now in [NOW, NOW + 1000] {
        for url in urls.iter().rev().take(8) {
            let mut headers = HeaderMap::new();
            add(Some(&jar), url.url(), &mut headers, now);
            let Some(sent) = headers.get(COOKIE) else { continue };
            assert!(sent.is_sensitive());
            assert!(sent.as_bytes().split(|byte| *byte == b';').count() <= MAX_SENT);
            let is_sent = |start: &[u8]| {
                let sent = sent.as_bytes().to_ascii_lowercase();
                sent.split(|byte| *byte == b';').any(|pair| pair.trim_ascii().starts_with(start))
            };
            assert!(url.url().scheme() == "https" || !is_sent(b"__secure-") && !is_sent(b"__host-"), "{url}: {sent:?}");
            for pair in sent.as_bytes().split(|byte| *byte == b';') {
                let host = url.url().host_str().unwrap_or_default();
                let is_from = |(value, from): &(Vec<u8>, String)| pair.ends_with(value) && are_related(host, from);
                assert!(values.iter().any(is_from), "{url} is sent a cookie that nobody near it set: {sent:?}");
            }
        }
    }
}

/// Whether two hosts may share cookies: they are one, or names that share more than their last label.
fn are_related(host: &str, other: &str) -> bool {
    let is_name = |host: &str| host.parse::<Ipv4Addr>().is_err() && !host.starts_with('[');
    let end = |host: &str| host.rsplit('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    host == other || is_name(host) && is_name(other) && end(host) == end(other)
}

/// A date, in a cookie and in Retry-After.
pub fn date(input: &[u8]) {
    let found = cookie::date(input);
    assert_eq!(found, cookie::date(input));
    if let Some(found) = found {
        // From 1601 (RFC 6265bis, section 5.1.1) to the last year of four digits.
        assert!((-11_644_473_600..253_402_300_800).contains(&found), "{found}");
        if let Ok(seconds) = u64::try_from(found) {
            let written = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(cookie::date(written.as_bytes()), Some(found), "{written}");
            assert_eq!(httpdate::parse_http_date(&written).ok(), Some(UNIX_EPOCH + Duration::from_secs(seconds)));
        }
    }
    let text = String::from_utf8_lossy(input);
    let now = NOW * 1000;
    for status in [200, 429, 503] {
        let until = Trouble::Status(status).asks_until(Some(&text), 1, now);
        assert!(until.is_none_or(|until| (now..=now + 30 * 24 * 3600 * 1000).contains(&until)), "{until:?}");
        // A clock that is out of its mind.
        let _ = Trouble::Status(status).asks_until(Some(&text), u32::MAX, i64::MAX);
    }
}
