//! Sitemaps and feeds, packed or not.

use harvestman::internals::canonical::CanonicalUrl;
use harvestman::internals::parse::sitemap::{self, Entry, MAX_ENTRIES, Sitemap};

use super::text_line;
use super::urls::is_canonical;

/// A character encoding, and a body.
pub fn sitemap(input: &[u8]) {
    let (label, body) = text_line(input);
    let base = CanonicalUrl::parse("http://host.test/maps/sitemap.xml").unwrap();
    let label = Some(label.as_str()).filter(|label| !label.is_empty());
    let read = |body: &[u8], label, expected| {
        sitemap::read(base.url(), body, label, expected).ok().flatten().map(|(sitemap, _)| sitemap)
    };
    let (unexpected, found) = (read(body, label, false), read(body, label, true));
    assert!(unexpected.is_none() || unexpected == found, "what is a sitemap anyway is the same where one is expected");
    assert_eq!(found, read(body, label, true), "reading twice is the same");
    let Some(Sitemap { entries, .. }) = found else { return };
    assert!(entries.len() <= MAX_ENTRIES);
    entries.iter().take(32).for_each(|entry| is_canonical(&entry.url));
    // In the plainest form there is.
    let lines: String = entries.iter().map(|entry| format!("{}\n", entry.url)).collect();
    let again = read(lines.as_bytes(), None, true).map(|sitemap| sitemap.entries).unwrap_or_default();
    let urls = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.url).collect::<Vec<_>>();
    assert_eq!(urls(again), urls(entries), "what is written reads back");
}
