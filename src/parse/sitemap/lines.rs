//! Sitemaps of plain lines.

use super::entries::Sitemap;
use crate::canonical::CanonicalUrl;

/// Reads a sitemap of one URL a line; None if no line is an absolute http(s) URL.
pub(super) fn parse_lines(text: &str) -> Option<Sitemap> {
    let mut sitemap = Sitemap::default();
    for line in text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()) {
        if sitemap.cut_short.is_some() {
            break;
        }
        sitemap.push(CanonicalUrl::parse(line).ok(), None);
    }
    (!sitemap.entries.is_empty()).then_some(sitemap)
}
