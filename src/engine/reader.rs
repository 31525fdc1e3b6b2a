//! From a response to a page: its headers, where it redirects to, its text and its links, judged.

use std::sync::Arc;
use std::time::Instant;

use super::observe::{Observers, Stage};
use super::sitemaps::Sitemaps;
use crate::canonical::{CanonicalUrl, Host};
use crate::config::{Config, ToCheck};
use crate::fetch::{Response, latin1};
use crate::parse::kind::{Format, Kind};
use crate::parse::memory::{Held, Memory};
use crate::parse::pool::{Admitted, Attempt, ParsePool};
use crate::parse::{self, FoundLink, Parsed};
use crate::policy::{due, offer, politeness, redirect};
use crate::scope::Scope;
use crate::visit::{Candidate, Element, Failure, FailureKind, Page, Request, Resource, Target, Way};
use aws_lc_rs::digest;

/// Reads responses to pages, by the settings of one crawl.
#[derive(Debug)]
pub(super) struct PageReader {
    scope: Arc<Scope>,
    sitemaps: Sitemaps,
    parsers: Arc<ParsePool>,
    max_redirects: u32,
    ignore_robots: bool,
    /// Whether what pages are put together from is to be checked.
    reads_resources: bool,
    product_token: String,
    checks_fragments: bool,
    observers: Observers,
}

impl PageReader {
    pub(super) fn new(config: &Config, scope: Arc<Scope>, observers: Observers) -> Self {
        let parsers = Arc::<ParsePool>::default();
        Self {
            sitemaps: Sitemaps::new(config, scope.clone(), parsers.clone()),
            scope,
            parsers,
            max_redirects: config.max_redirects,
            ignore_robots: config.ignore_robots,
            reads_resources: config.check.contains(&ToCheck::Resources),
            product_token: config.product_token().to_owned(),
            checks_fragments: config.checks_fragments(),
            observers,
        }
    }

    /// Whether a seed names this very host, which licenses requests to a private address.
    pub(super) fn is_seed_host(&self, url: &CanonicalUrl) -> bool {
        self.scope.is_seed_host(url)
    }

    pub(super) fn expects_sitemap(&self, target: &Target) -> bool {
        self.sitemaps.expects(target)
    }

    pub(super) fn name_sitemaps(&self, host: &Host, named: &[CanonicalUrl]) -> Vec<Candidate> {
        self.sitemaps.name(host, named)
    }

    /// The budget of bodies and of what is read out of them.
    pub(super) fn memory(&self) -> &Memory {
        self.parsers.memory()
    }

    /// Reads a response; gives what the page takes of the budget, too. An `Err` is the fate of the URL.
    pub(super) async fn read(
        &self,
        target: &Target,
        fetched: Response,
        request: &Request,
    ) -> Result<(Page, Held), Failure> {
        let mut page = Page {
            status: fetched.status,
            headers: fetched.headers.iter().map(|(n, v)| (n.as_str().to_owned(), latin1(v.as_bytes()))).collect(),
            content_type: fetched.content_type(),
            language: fetched.header("content-language"),
            etag: fetched.header("etag"),
            last_modified: fetched.header("last-modified"),
            fetched_at: request.at + politeness::millis(request.elapsed),
            fresh_until: due::fresh_until(fetched.status, &fetched.headers, request.at),
            ..Page::default()
        };
        if let Some(location) = redirect::location(page.status, &fetched.headers) {
            match self.redirect(target, location) {
                Ok(candidate) => page.redirect = Some(candidate),
                Err(message) => return Err(Failure::new(FailureKind::Redirect, message)),
            }
        }
        let forbids = |value: &http::HeaderValue| {
            parse::robots_tag_forbids_following(&latin1(value.as_bytes()), &self.product_token)
        };
        let nofollow = fetched.headers.get_all("x-robots-tag").iter().any(forbids);
        let refresh = fetched.header("refresh").and_then(|value| parse::refresh_link(target.url.url(), &value));
        let mut follows = self.ignore_robots || !nofollow;
        let mut held = Held::default();
        if let Some(body) = fetched.body {
            let admitted = self.parsers.admit(body, self.sitemaps.expects(target)).await;
            let mut body = admitted.map_err(|_| unreadable())?;
            page.content_hash = digest::digest(&digest::SHA256, &body.document).as_ref().try_into().ok();
            let format = Format::of(&fetched.headers, &body.document);
            if !self.sitemaps.read(target, &mut page, &mut body, &format, nofollow).await? {
                follows = self.read_body(target, &mut page, &mut body, format, follows).await?;
            }
            let (document, holds) = body.finish();
            (page.body, held) = (Some(document), holds);
        }
        let refresh =
            refresh.filter(|_| page.redirect.is_none()).map(|link| self.candidate(target, page.status, link, follows));
        // The page may say the same once more.
        let is_known = |known: &Candidate, link: &Candidate| (&known.url, known.element) == (&link.url, link.element);
        page.links.extend(refresh.filter(|link| !page.links.iter().any(|known| is_known(known, link))));
        Ok((page, held))
    }

    fn redirect(&self, target: &Target, location: &http::HeaderValue) -> Result<Candidate, String> {
        if target.hops >= self.max_redirects {
            return Err(format!("more than {} redirects in a row", self.max_redirects));
        }
        let url = CanonicalUrl::join_header(target.url.url(), location.as_bytes())
            .map_err(|e| format!("the redirect's Location cannot be followed: {e}"))?;
        if let Some(sitemap) = self.sitemaps.redirect(target, url.clone()) {
            return Ok(sitemap);
        }
        self.scope.inherit(&target.url, &url);
        let skip = self.scope.judge(&url, Way::Redirect.depth_below(target.depth), true);
        Ok(Candidate { skip, ..Candidate::new(url, Element::Redirect) })
    }

    /// Reads a body; answers whether the links of the page may be followed: `follows`, unless the body forbids it.
    async fn read_body(
        &self,
        target: &Target,
        page: &mut Page,
        body: &mut Admitted,
        format: Format,
        mut follows: bool,
    ) -> Result<bool, Failure> {
        match format.kind {
            Kind::Other => {}
            Kind::Text => {
                let job = move |body: &[u8], _| {
                    let (text, charset) = format.decode(body);
                    Attempt::Whole((Some(text.into_owned()), Some(charset)))
                };
                (page.text, page.charset) = self.parsers.run(body, job).await.map_err(|_| unreadable())?;
            }
            Kind::Html => {
                let reads_resources = self.reads_resources && !offer::is_error(page.status);
                let (charset, parsed, resources) = self.parse(target, body, format, reads_resources).await?;
                page.resources = resources;
                page.charset = Some(charset);
                follows &= self.ignore_robots || !parsed.head.nofollow;
                self.take_in(target, page, parsed, follows);
            }
        }
        Ok(follows)
    }

    /// The character encoding of a page, what it says, and what it is put together from, if that is read.
    async fn parse(
        &self,
        target: &Target,
        body: &mut Admitted,
        format: Format,
        reads_resources: bool,
    ) -> Result<(String, Parsed, Vec<Resource>), Failure> {
        let base = target.url.url().clone();
        let (token, fragments) = (self.product_token.clone(), self.checks_fragments);
        let observers = self.observers.clone();
        let job = move |body: &[u8], deadline| {
            let started = Instant::now();
            let (charset, parsed) = parse::parse_page(&base, &format, body, &token, fragments, deadline);
            let (resources, are_all) = match reads_resources {
                true => parse::resources_of_page(&base, body, &charset, deadline),
                false => (Vec::new(), true),
            };
            observers.took(Stage::Parse, started.elapsed());
            let is_whole = !parsed.cut_short && are_all;
            let read = (charset, parsed, resources);
            if is_whole { Attempt::Whole(read) } else { Attempt::CutShort(read) }
        };
        self.parsers.run(body, job).await.map_err(|_| unreadable())
    }

    fn take_in(&self, target: &Target, page: &mut Page, parsed: Parsed, follows: bool) {
        if parsed.cut_short {
            tracing::warn!(url = %target.url, "takes too long to parse: its text and links are read in part");
        }
        let status = page.status;
        page.links = parsed.links.into_iter().map(|link| self.candidate(target, status, link, follows)).collect();
        page.title = parsed.head.title;
        page.description = parsed.head.description;
        page.language = parsed.head.language.or(page.language.take());
        page.canonical_url = parsed.head.canonical_url;
        page.text = Some(parsed.text);
        page.images = parsed.media.addresses;
        page.captions = parsed.media.captions;
    }

    /// A link of a page of this status, whose links may be followed or not, judged. Those of error pages are not.
    fn candidate(&self, target: &Target, status: u16, link: FoundLink, page_follows: bool) -> Candidate {
        let FoundLink { url, text, rel, element, nofollow, part, fragments } = link;
        let url = self.scope.without_dropped(url);
        let is_error = offer::is_error(status);
        let follow = !is_error && page_follows && (self.ignore_robots || !nofollow);
        let skip = match is_error {
            true => self.scope.judge_on_error_page(&url),
            false => self.scope.judge(&url, Way::Link.depth_below(target.depth), follow),
        };
        Candidate { text, rel, part, fragments, follow, skip, ..Candidate::new(url, element) }
    }
}

/// What is said of a response on which a parser panicked.
pub(super) fn unreadable() -> Failure {
    Failure::new(FailureKind::Protocol, "the response could not be read")
}
