//! What a sitemap names, however it is written.

use crate::canonical::CanonicalUrl;
use crate::visit::Millis;

/// Entries of one sitemap (sitemaps.org).
pub const MAX_ENTRIES: usize = 50_000;

/// A URL that a sitemap names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub url: CanonicalUrl,
    /// When it changed last.
    pub lastmod: Option<Millis>,
}

/// What a sitemap says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sitemap {
    /// In the order of the file, at most [`MAX_ENTRIES`].
    pub entries: Vec<Entry>,
    /// The entries are sitemaps.
    pub is_index: bool,
    /// Entries without an http(s) URL.
    pub unusable: usize,
    /// Why the file was read in part only. May quote the file.
    pub cut_short: Option<String>,
}

impl Sitemap {
    /// Takes an entry, or counts it as unusable.
    pub(super) fn push(&mut self, url: Option<CanonicalUrl>, lastmod: Option<Millis>) {
        match url {
            None => self.unusable += 1,
            Some(_) if self.entries.len() == MAX_ENTRIES => {
                self.cut_short = Some(format!("it has more than {MAX_ENTRIES} entries"));
            }
            Some(url) => self.entries.push(Entry { url, lastmod }),
        }
    }
}
