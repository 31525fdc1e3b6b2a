//! Sitemaps are pages of their own: named by robots.txt or by each other, fetched like any other, and read for what they
//! name.

use url::Url;

use super::{INLINE_PARSE, Kind, PARSE_BUDGET, Visitor};
use crate::canonical::{CanonicalUrl, Host};
use crate::fetch;
use crate::parse::charset;
use crate::parse::sitemap::{self, MAX_LEVEL, MAX_NAMED, Sitemap, UnpackError};
use crate::visit::{Candidate, Element, FailureKind, Outcome, Page, Target};

/// How a candidate was come by: the file that names it, if not robots.txt, and what that may lend.
#[derive(Clone, Copy)]
struct Naming<'a> {
    from: Option<&'a Target>,
    element: Element,
    level: u32,
    follow: bool,
}

impl Visitor {
    /// Whether a sitemap is expected at this URL: it was named as one, or is a seed that looks like one.
    pub(super) fn expects_sitemap(&self, target: &Target) -> bool {
        let path = target.url.url().path();
        let named_so = || target.depth == 0 && (path.ends_with(".xml") || path.ends_with(".xml.gz"));
        self.sitemaps && (target.sitemap.is_some() || named_so())
    }

    /// Judges the sitemaps of a host, if pages of it can be in scope at all.
    pub(super) fn name_sitemaps(&self, host: &Host, named: &[CanonicalUrl]) -> Vec<Candidate> {
        if !self.scope.reaches(host) {
            return Vec::new();
        }
        if named.len() > MAX_NAMED {
            tracing::warn!(%host, named = named.len(), "robots.txt names more than {MAX_NAMED} sitemaps: the first are taken");
        }
        let naming = Naming { from: None, element: Element::Sitemap, level: 1, follow: true };
        named.iter().take(MAX_NAMED).map(|url| self.sitemap_file(url.clone(), naming)).collect()
    }

    /// Where a sitemap redirects to is one too.
    pub(super) fn sitemap_redirect(&self, target: &Target, url: CanonicalUrl) -> Option<Candidate> {
        let level = target.sitemap.filter(|_| self.sitemaps)?;
        Some(self.sitemap_file(url, Naming { from: Some(target), element: Element::Redirect, level, follow: true }))
    }

    /// A file may lie anywhere if robots.txt names it, and beside the file that names it; elsewhere it is a link like any.
    fn sitemap_file(&self, url: CanonicalUrl, naming: Naming<'_>) -> Candidate {
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
    pub(super) async fn read_sitemap(
        &self,
        target: &Target,
        page: &mut Page,
        body: Vec<u8>,
        nofollow: bool,
    ) -> Result<Option<Vec<u8>>, Outcome> {
        let expected = self.expects_sitemap(target);
        let content_type = page.content_type.clone().unwrap_or_default();
        let media_type = fetch::essence(content_type.as_bytes());
        let is_xml = media_type.as_deref().is_some_and(|essence| essence.ends_with("xml"));
        let looked_into = expected || is_xml && Kind::of(media_type.as_deref(), &body) == Kind::Other;
        if !self.sitemaps || page.status / 100 != 2 || !looked_into {
            return Ok(Some(body));
        }
        let label = fetch::charset_label(&content_type).map(str::to_owned);
        let base = target.url.url().clone();
        let read = move |body: Vec<u8>| (read(&body, label.as_deref(), &base, expected), body);
        let is_packed = body.starts_with(&[0x1f, 0x8b]);
        let (result, body) = if body.len() > INLINE_PARSE || is_packed {
            let cost = if is_packed { PARSE_BUDGET } else { body.len().min(PARSE_BUDGET) };
            let _thread = self.parse_threads.acquire().await;
            let _budget = self.parse_budget.acquire_many(u32::try_from(cost).unwrap_or(1)).await;
            let task = tokio::task::spawn_blocking(move || read(body));
            task.await.map_err(|_| failed(target, FailureKind::Protocol, "the sitemap could not be read"))?
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
                Err(failed(target, FailureKind::TooLarge, &message))
            }
            Ok(None) => Ok(Some(body)),
            Err(error @ UnpackError::TooLarge) => Err(failed(target, FailureKind::TooLarge, &error.to_string())),
            Err(error) => Err(failed(target, FailureKind::Decode, &error.to_string())),
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
                return self.sitemap_file(entry.url, naming);
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

fn failed(target: &Target, kind: FailureKind, message: &str) -> Outcome {
    Outcome::Failed { kind, message: message.into(), attempts: target.attempts + 1 }
}
