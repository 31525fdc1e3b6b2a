//! What headers say of an answer: how it is read, how long it is fresh, where it leads.

use harvestman::internals::canonical::CanonicalUrl;
use harvestman::internals::config::Config;
use harvestman::internals::parse::kind::Format;
use harvestman::internals::parse::{refresh_link, robots_tag_forbids_following};
use harvestman::internals::policy::due::fresh_until;
use harvestman::internals::policy::kept::{Kept, Stored};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::urls::is_canonical;

/// 1 May 2026, in milliseconds.
const NOW: i64 = 1_777_593_600_000;

/// Header lines.
pub fn header(input: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n').take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(line[..colon].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii())) {
            headers.append(name, value);
        }
    }
    let format = Format::of(&headers, b"<html>");
    assert_eq!(format, Format::of(&headers, b"<html>"));
    for now in [NOW, 0, i64::MAX, i64::MIN] {
        let until = fresh_until(200, &headers, now);
        assert!(until.is_none_or(|until| until >= now), "fresh until {until:?}, before {now}");
    }
    let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let base = CanonicalUrl::parse("http://host.test/a/b").unwrap();
    if let Some(link) = text("refresh").and_then(|value| refresh_link(base.url(), &value)) {
        is_canonical(&link.url);
    }
    if let Some(value) = text("x-robots-tag") {
        let _ = robots_tag_forbids_following(&value, "harvestman");
    }
    let (etag, last_modified, date) = (text("etag"), text("last-modified"), text("date"));
    let config = Config::default();
    let (status, kept) = (200, Kept::of(&config));
    let stored = Stored { status, kept, has_content: true, etag, last_modified, date, fetched_at: NOW };
    if let Some(validators) = stored.condition(&config) {
        let fits = |value: &Option<String>| value.as_ref().is_none_or(|value| HeaderValue::from_str(value).is_ok());
        assert!(fits(&validators.etag) && fits(&validators.last_modified), "{validators:?}");
    }
}
