//! Sitemaps are pages of their own: named by robots.txt or by each other, fetched like any other, and read for what they
//! name.

use std::sync::Arc;

use url::Url;

use super::parsers::{INLINE_PARSE, PARSE_BUDGET, Parsers};
use crate::canonical::{CanonicalUrl, Host};
use crate::config::Config;
use crate::fetch;
use crate::parse::sitemap::{self, MAX_LEVEL, MAX_NAMED, Sitemap, UnpackError};
use crate::parse::{Kind, charset};
use crate::scope::Scope;
use crate::visit::{Candidate, Element, Failure, FailureKind, Page, Target};

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
    parsers: Arc<Parsers>,
    /// Whether sitemaps are looked for at all.
    wanted: bool,
    ignore_robots: bool,
    max_body_size: u64,
}

impl Sitemaps {
    pub(super) fn new(config: &Config, scope: Arc<Scope>, parsers: Arc<Parsers>) -> Self {
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
        let depth = from.map_or(1, |from| from.depth.max(1));
        let vouched = from.is_none_or(|from| from.url.host() == url.host());
        let skip =
            if vouched { self.scope.judge_sitemap(&url, depth, follow) } else { self.scope.judge(&url, depth, follow) };
        let sitemap = Some(level).filter(|_| vouched || skip.is_none());
        let (text, rel) = Default::default();
        Candidate { url, text, rel, element, follow, skip, sitemap, lastmod: None }
    }

    /// Reads a body as a sitemap into `page`. Gives it back if it is something else; an `Err` is the fate of the URL.
    pub(super) async fn read(
        &self,
        target: &Target,
        page: &mut Page,
        body: Vec<u8>,
        nofollow: bool,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let expected = self.expects(target);
        let content_type = page.content_type.clone().unwrap_or_default();
        let media_type = fetch::essence(content_type.as_bytes());
        let is_xml = media_type.as_deref().is_some_and(|essence| essence.ends_with("xml"));
        let looked_into = expected || is_xml && Kind::of(media_type.as_deref(), &body) == Kind::Other;
        if !self.wanted || page.status / 100 != 2 || !looked_into {
            return Ok(Some(body));
        }
        let label = fetch::charset_label(&content_type).map(str::to_owned);
        let base = target.url.url().clone();
        let read = move |body: Vec<u8>| (read(&body, label.as_deref(), &base, expected), body);
        let is_packed = body.starts_with(&[0x1f, 0x8b]);
        let (result, body) = if body.len() > INLINE_PARSE || is_packed {
            let cost = if is_packed { PARSE_BUDGET } else { body.len().min(PARSE_BUDGET) };
            let _thread = self.parsers.threads.acquire().await;
            let _budget = self.parsers.budget.acquire_many(u32::try_from(cost).unwrap_or(1)).await;
            let task = tokio::task::spawn_blocking(move || read(body));
            task.await.map_err(|_| Failure::new(FailureKind::Protocol, "the sitemap could not be read"))?
        } else {
            read(body)
        };
        let size = body.len() as u64;
        match result {
            Ok(Some((sitemap, charset))) => {
                page.charset = Some(charset.to_ascii_lowercase());
                page.body = Some(body);
                self.take_entries(target, page, sitemap, self.ignore_robots || !nofollow);
                Ok(None)
            }
            // Only a sitemap has room for more.
            Ok(None) if size > self.max_body_size => {
                let message = format!("body is larger than {} bytes, and no sitemap", self.max_body_size);
                Err(Failure::new(FailureKind::TooLarge, message))
            }
            Ok(None) => Ok(Some(body)),
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
        let depth = target.depth.max(1);
        let naming = Naming { from: Some(target), element: Element::Sitemap, level, follow };
        let candidate = |entry: sitemap::Entry| {
            if sitemap.is_index {
                return self.file(entry.url, naming);
            }
            let skip = self.scope.judge(&entry.url, depth, follow);
            let (text, rel) = Default::default();
            let (element, lastmod) = (Element::Sitemap, entry.lastmod);
            Candidate { url: entry.url, text, rel, element, follow, skip, sitemap: None, lastmod }
        };
        page.links = sitemap.entries.into_iter().map(candidate).collect();
    }
}

/// The sitemap and its character encoding; None if the body is something else.
fn read(
    body: &[u8],
    label: Option<&str>,
    base: &Url,
    expected: bool,
) -> Result<Option<(Sitemap, &'static str)>, UnpackError> {
    let unpacked = sitemap::unpack(body)?;
    let (text, encoding) = charset::decode(&unpacked, label, true);
    let sitemap = if text.trim_ascii_start().starts_with('<') {
        sitemap::parse_xml(base, text.trim_ascii_start())
    } else {
        Some(()).filter(|()| expected).and_then(|()| sitemap::parse_lines(&text))
    };
    Ok(sitemap.map(|sitemap| (sitemap, encoding.name())))
}
