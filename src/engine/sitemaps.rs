//! Sitemaps are pages of their own: named by robots.txt or by each other, fetched like any other, and read for what they
//! name.

use std::sync::Arc;

use crate::canonical::{CanonicalUrl, Host};
use crate::config::Config;
use crate::parse::kind::{Format, Kind};
use crate::parse::pool::{Admitted, Attempt, ParsePool};
use crate::parse::sitemap::{self, MAX_LEVEL, MAX_NAMED, Sitemap, UnpackError};
use crate::scope::Scope;
use crate::visit::{Candidate, Element, Failure, FailureKind, Page, Target, Way};

/// How a candidate was come by: the file that names it, if not robots.txt, and what that may lend.
#[derive(Clone, Copy)]
struct Naming<'a> {
    from: Option<&'a Target>,
    element: Element,
    level: u32,
    follow: bool,
}

/// Finds sitemaps and reads them, by the settings of one crawl.
#[derive(Debug)]
pub(super) struct Sitemaps {
    scope: Arc<Scope>,
    parsers: Arc<ParsePool>,
    /// Whether sitemaps are looked for at all.
    wanted: bool,
    ignore_robots: bool,
    max_body_size: u64,
}

impl Sitemaps {
    pub(super) fn new(config: &Config, scope: Arc<Scope>, parsers: Arc<ParsePool>) -> Self {
        let (wanted, ignore_robots, max_body_size) = (config.sitemaps, config.ignore_robots, config.max_body_size);
        Self { scope, parsers, wanted, ignore_robots, max_body_size }
    }

    /// Whether a sitemap is expected at this URL: it was named as one, or is a seed that looks like one.
    pub(super) fn expects(&self, target: &Target) -> bool {
        let path = target.url.url().path();
        let named_so = || target.depth == 0 && (path.ends_with(".xml") || path.ends_with(".xml.gz"));
        self.wanted && (target.sitemap.is_some() || named_so())
    }

    /// Judges the sitemaps of a host, if pages of it can be in scope at all.
    pub(super) fn name(&self, host: &Host, named: &[CanonicalUrl]) -> Vec<Candidate> {
        if !self.scope.reaches(host) {
            return Vec::new();
        }
        if named.len() > MAX_NAMED {
            tracing::warn!(%host, named = named.len(), "robots.txt names more than {MAX_NAMED} sitemaps: the first are taken");
        }
        let naming = Naming { from: None, element: Element::Sitemap, level: 1, follow: true };
        named.iter().take(MAX_NAMED).map(|url| self.file(url.clone(), naming)).collect()
    }

    /// Where a sitemap redirects to is one too.
    pub(super) fn redirect(&self, target: &Target, url: CanonicalUrl) -> Option<Candidate> {
        let level = target.sitemap.filter(|_| self.wanted)?;
        Some(self.file(url, Naming { from: Some(target), element: Element::Redirect, level, follow: true }))
    }

    /// A file may lie anywhere if robots.txt names it, and beside the file that names it; elsewhere it is a link like any.
    fn file(&self, url: CanonicalUrl, naming: Naming<'_>) -> Candidate {
        let Naming { from, element, level, follow } = naming;
        let depth = Way::Listing.depth_below(from.map_or(0, |from| from.depth));
        let vouched = from.is_none_or(|from| from.url.host() == url.host());
        let skip =
            if vouched { self.scope.judge_sitemap(&url, depth, follow) } else { self.scope.judge(&url, depth, follow) };
        let sitemap = Some(level).filter(|_| vouched || skip.is_none());
        Candidate { follow, skip, sitemap, ..Candidate::new(url, element) }
    }

    /// Reads a body as a sitemap into `page`, if it is one; an `Err` is the fate of the URL.
    pub(super) async fn read(
        &self,
        target: &Target,
        page: &mut Page,
        body: &mut Admitted,
        format: &Format,
        nofollow: bool,
    ) -> Result<bool, Failure> {
        let expected = self.expects(target);
        let looked_into = expected || format.is_xml && format.kind == Kind::Other;
        if !self.wanted || page.status / 100 != 2 || !looked_into {
            return Ok(false);
        }
        let base = target.url.url().clone();
        let charset = format.charset.clone();
        // Its size bounds the time that a sitemap takes, so no deadline is needed.
        let job = move |body: &[u8], _| Attempt::Whole(sitemap::read(&base, body, charset.as_deref(), expected));
        let read = self.parsers.run(body, job).await;
        let unreadable = |_| Failure::new(FailureKind::Protocol, "the sitemap could not be read");
        let result = read.map_err(unreadable)?;
        let size = body.document.len() as u64;
        match result {
            Ok(Some((sitemap, charset))) => {
                page.charset = Some(charset);
                self.take_entries(target, page, sitemap, self.ignore_robots || !nofollow);
                Ok(true)
            }
            // Only a sitemap has room for more.
            Ok(None) if size > self.max_body_size => {
                let message = format!("body is larger than {} bytes, and no sitemap", self.max_body_size);
                Err(Failure::new(FailureKind::TooLarge, message))
            }
            Ok(None) => Ok(false),
            Err(error @ UnpackError::TooLarge) => Err(Failure::new(FailureKind::TooLarge, error.to_string())),
            Err(error) => Err(Failure::new(FailureKind::Decode, error.to_string())),
        }
    }

    fn take_entries(&self, target: &Target, page: &mut Page, sitemap: Sitemap, follow: bool) {
        let url = &target.url;
        if let Some(why) = &sitemap.cut_short {
            tracing::warn!(%url, entries = sitemap.entries.len(), reason = ?why, "this sitemap is read in part");
        }
        if sitemap.unusable > 0 {
            tracing::warn!(%url, entries = sitemap.unusable, "entries of this sitemap hold no http(s) URL");
        }
        let level = target.sitemap.unwrap_or(1) + 1;
        if sitemap.is_index && level > MAX_LEVEL {
            tracing::warn!(%url, "this sitemap index is one of indexes of indexes: what it names is not taken");
            return;
        }
        let depth = Way::Listing.depth_below(target.depth);
        let naming = Naming { from: Some(target), element: Element::Sitemap, level, follow };
        let candidate = |entry: sitemap::Entry| {
            if sitemap.is_index {
                return self.file(entry.url, naming);
            }
            let url = self.scope.without_dropped(entry.url);
            let skip = self.scope.judge(&url, depth, follow);
            Candidate { follow, skip, lastmod: entry.lastmod, ..Candidate::new(url, Element::Sitemap) }
        };
        page.links = sitemap.entries.into_iter().map(candidate).collect();
    }
}
