//! From a response to a page: its headers, where it redirects to, its text and its links, judged.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use url::Url;

use super::metrics::{Metrics, Stage};
use super::parsers::{INLINE_PARSE, INLINE_TIME, PARSE_BUDGET, PARSE_DEADLINE, Parsers};
use super::sitemaps::Sitemaps;
use crate::canonical::{CanonicalUrl, Host};
use crate::config::Config;
use crate::fetch::{self, Fetched, latin1};
use crate::parse::{self, Kind, Parsed, charset};
use crate::policy::{politeness, recrawl};
use crate::scope::Scope;
use crate::visit::{Candidate, Element, Failure, FailureKind, Page, Request, Target};

/// Reads responses to pages, by the settings of one crawl.
#[derive(Debug)]
pub(super) struct PageReader {
    scope: Arc<Scope>,
    sitemaps: Sitemaps,
    parsers: Arc<Parsers>,
    max_redirects: u32,
    ignore_robots: bool,
    product_token: String,
    metrics: Metrics,
}

impl PageReader {
    pub(super) fn new(config: &Config, scope: Scope, metrics: Metrics) -> Self {
        let (scope, parsers) = (Arc::new(scope), Arc::new(Parsers::new()));
        Self {
            sitemaps: Sitemaps::new(config, scope.clone(), parsers.clone()),
            scope,
            parsers,
            max_redirects: config.max_redirects,
            ignore_robots: config.ignore_robots,
            product_token: config.product_token().to_owned(),
            metrics,
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

    /// Reads a response. An `Err` is the fate of the URL.
    pub(super) async fn read(&self, target: &Target, fetched: Fetched, request: &Request) -> Result<Page, Failure> {
        let header = |name: &str| fetched.headers.get(name).map(|value| latin1(value.as_bytes()));
        let mut page = Page {
            status: fetched.status,
            headers: fetched.headers.iter().map(|(n, v)| (n.as_str().to_owned(), latin1(v.as_bytes()))).collect(),
            content_type: header("content-type"),
            language: header("content-language"),
            etag: header("etag"),
            last_modified: header("last-modified"),
            fetched_at: request.at + politeness::millis(request.elapsed),
            fresh_until: recrawl::fresh_until(fetched.status, &fetched.headers, request.at),
            ..Page::default()
        };
        if matches!(page.status, 301 | 302 | 303 | 307 | 308) {
            match self.redirect(target, header("location").as_deref()) {
                Ok(candidate) => page.redirect = Some(candidate),
                Err(message) => return Err(Failure::new(FailureKind::Redirect, message)),
            }
        }
        let forbids = |value: &reqwest::header::HeaderValue| {
            parse::robots_tag_forbids_following(&latin1(value.as_bytes()), &self.product_token)
        };
        let nofollow = fetched.headers.get_all("x-robots-tag").iter().any(forbids);
        if let Some(body) = fetched.body {
            page.content_hash = digest::digest(&digest::SHA256, &body).as_ref().try_into().ok();
            if let Some(body) = self.sitemaps.read(target, &mut page, body, nofollow).await? {
                self.read_body(target, &mut page, body, nofollow).await;
            }
        }
        Ok(page)
    }

    fn redirect(&self, target: &Target, location: Option<&str>) -> Result<Candidate, String> {
        let Some(location) = location else { return Err("a redirect without a Location".into()) };
        if target.hops >= self.max_redirects {
            return Err(format!("more than {} redirects in a row", self.max_redirects));
        }
        let url = CanonicalUrl::join(target.url.url(), location)
            .map_err(|e| format!("the redirect's Location cannot be followed: {e}"))?;
        if let Some(sitemap) = self.sitemaps.redirect(target, url.clone()) {
            return Ok(sitemap);
        }
        let skip = self.scope.judge(&url, target.depth + 1, true);
        let (text, rel) = Default::default();
        let (element, sitemap, lastmod) = (Element::Redirect, None, None);
        Ok(Candidate { url, text, rel, element, follow: true, skip, sitemap, lastmod })
    }

    async fn read_body(&self, target: &Target, page: &mut Page, body: Vec<u8>, nofollow: bool) {
        let content_type = page.content_type.clone().unwrap_or_default();
        let media_type = fetch::essence(content_type.as_bytes());
        let kind = Kind::of(media_type.as_deref(), &body);
        if kind == Kind::Other {
            page.body = Some(body);
            return;
        }
        let label = fetch::charset_label(&content_type).map(str::to_owned);
        let is_xml = media_type.is_some_and(|essence| essence.ends_with("xml"));
        if kind == Kind::Text {
            let (text, encoding) = charset::decode(&body, label.as_deref(), is_xml);
            page.charset = Some(encoding.name().to_ascii_lowercase());
            page.text = Some(text.into_owned());
            page.body = Some(body);
            return;
        }
        let base = target.url.url().clone();
        let token = self.product_token.clone();
        let cost = u32::try_from(body.len().clamp(1, PARSE_BUDGET)).unwrap_or(1);
        let metrics = self.metrics.clone();
        let parse = move |body: Vec<u8>, time| {
            let started = Instant::now();
            let parsed = parse_body(body, label.as_deref(), is_xml, &base, &token, time);
            metrics.took(Stage::Parse, started.elapsed());
            parsed
        };
        let inline = if body.len() > INLINE_PARSE {
            Err(body)
        } else {
            let _budget = self.parsers.budget.acquire_many(cost).await;
            Ok(parse(body, INLINE_TIME))
        };
        let parsed = match inline {
            Ok((body, _, Parsed { cut_short: true, .. })) | Err(body) => {
                // The thread first: whoever waits for it must not hold what the others need.
                let _thread = self.parsers.threads.acquire().await;
                let _budget = self.parsers.budget.acquire_many(cost).await;
                tokio::task::spawn_blocking(move || parse(body, PARSE_DEADLINE)).await.ok()
            }
            Ok(parsed) => Some(parsed),
        };
        let Some((body, charset, parsed)) = parsed else { return };
        page.body = Some(body);
        page.charset = Some(charset);
        self.take_in(target, page, parsed, nofollow);
    }

    fn take_in(&self, target: &Target, page: &mut Page, parsed: Parsed, nofollow: bool) {
        if parsed.cut_short {
            tracing::warn!(url = %target.url, "takes too long to parse: its text and links are read in part");
        }
        let page_follows = self.ignore_robots || !(nofollow || parsed.head.nofollow);
        page.links = parsed
            .links
            .into_iter()
            .map(|link| {
                let follow = page_follows && (self.ignore_robots || !link.nofollow);
                let skip = self.scope.judge(&link.url, target.depth + 1, follow);
                let (url, text, rel, element) = (link.url, link.text, link.rel, link.element);
                Candidate { url, text, rel, element, follow, skip, sitemap: None, lastmod: None }
            })
            .collect();
        page.title = parsed.head.title;
        page.description = parsed.head.description;
        page.language = parsed.head.language.or(page.language.take());
        page.canonical_url = parsed.head.canonical_url;
        page.text = Some(parsed.text);
    }
}

fn parse_body(
    body: Vec<u8>,
    label: Option<&str>,
    is_xml: bool,
    base: &Url,
    token: &str,
    time: Duration,
) -> (Vec<u8>, String, Parsed) {
    let (text, encoding) = charset::decode(&body, label, is_xml);
    let parsed = parse::parse_html(base, &text, token, Instant::now() + time);
    let charset = encoding.name().to_ascii_lowercase();
    drop(text);
    (body, charset, parsed)
}
