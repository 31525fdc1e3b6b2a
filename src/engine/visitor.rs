//! One errand from request to record. Never fails: whatever happens becomes an outcome.

mod sitemaps;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use url::Url;

use crate::canonical::CanonicalUrl;
use crate::config::Config;
use crate::fetch::{self, FetchError, Fetched, Fetcher, Read};
use crate::frontier::SteadyClock;
use crate::parse::charset;
use crate::parse::sitemap;
use crate::parse::{self, Parsed};
use crate::policy::politeness;
use crate::policy::recrawl;
use crate::policy::robots::{MAX_ROBOTS_BYTES, MAX_ROBOTS_REDIRECTS};
use crate::scope::Scope;
use crate::visit::{
    Candidate, Element, Errand, FailureKind, Millis, Outcome, Page, Record, Request, Rest, RobotsAnswer, SkipReason,
    Target,
};

use super::metrics::{Metrics, Stage};

/// It has no body, whatever its headers say (RFC 9110, section 15.4.5).
const NOT_MODIFIED: u16 = 304;
/// Bytes of documents being parsed at once: a tree takes up to 28 times its input.
const PARSE_BUDGET: usize = 4 << 20;
/// Larger documents are parsed on a blocking thread, so that they stall no worker.
const INLINE_PARSE: usize = 256 << 10;
/// Smaller ones that take longer than this are begun anew there.
const INLINE_TIME: Duration = Duration::from_millis(50);
/// After this the tree is taken as far as it got.
const PARSE_DEADLINE: Duration = Duration::from_secs(2);

/// Everything an errand needs, shared by all workers.
#[derive(Debug)]
pub(super) struct Visitor {
    scope: Scope,
    fetcher: Fetcher,
    retries: u32,
    max_redirects: u32,
    ignore_robots: bool,
    product_token: String,
    body_types: crate::config::BodyTypes,
    max_body_size: u64,
    sitemaps: bool,
    parse_budget: Semaphore,
    /// Blocking threads that parse: half of the cores, so that no document holds up the other hosts.
    parse_threads: Semaphore,
    clock: SteadyClock,
    metrics: Metrics,
}

/// A response or its absence, timed.
struct Visit {
    request: Request,
    result: Result<Fetched, FetchError>,
    rest: Rest,
}

impl Visit {
    /// Judges what the host may be asked for after try number `tries`.
    fn new(at: Millis, elapsed: Duration, result: Result<Fetched, FetchError>, tries: u32) -> Self {
        // Both were rounded down, and what a host asks for is to be kept in full.
        let now = at.saturating_add(politeness::millis(elapsed)).saturating_add(2);
        let mut request = Request { at, elapsed, status: None, failure: None, bytes: 0 };
        let mut rest = Rest { started_at: at, ..Rest::default() };
        match &result {
            Ok(fetched) => {
                request.status = Some(fetched.status);
                request.bytes = fetched.body.as_ref().map_or(0, |body| body.len() as u64);
                rest.answered = Some(true);
                if politeness::is_transient_status(fetched.status) {
                    let value = fetched.headers.get("retry-after").and_then(|value| value.to_str().ok());
                    let asked = value.and_then(|value| politeness::retry_after(value, now));
                    // Too many requests: the whole host rests, whether it says for how long or not.
                    let pause = || now.saturating_add(politeness::millis(politeness::backoff(tries, 0.5)));
                    rest.asked_until = asked.or_else(|| (fetched.status == 429).then(pause));
                }
            }
            Err(FetchError::Failed { kind, .. }) => {
                request.failure = Some(*kind);
                rest.answered = match kind {
                    FailureKind::Dns | FailureKind::Connect | FailureKind::Tls | FailureKind::Timeout => Some(false),
                    _ => None,
                };
            }
            Err(FetchError::Private) => {}
        }
        Self { request, result, rest }
    }
}

impl Visitor {
    pub(super) fn new(config: &Config, scope: Scope, fetcher: Fetcher, clock: SteadyClock, metrics: Metrics) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Self {
            scope,
            fetcher,
            retries: config.retries,
            max_redirects: config.max_redirects,
            ignore_robots: config.ignore_robots,
            product_token: config.product_token().to_owned(),
            body_types: config.body_types.clone(),
            max_body_size: config.max_body_size,
            sitemaps: config.sitemaps,
            parse_budget: Semaphore::new(PARSE_BUDGET),
            parse_threads: Semaphore::new((cores / 2).max(1)),
            clock,
            metrics,
        }
    }

    /// Does the errand. `released` is called once the request is over and the host may rest; the permit is dropped
    /// then too.
    pub(super) async fn visit(
        &self,
        errand: Errand,
        permit: Option<OwnedSemaphorePermit>,
        mut aborted: watch::Receiver<bool>,
        released: impl FnOnce(Rest),
    ) -> Record {
        let at_once = |errand, outcome| Record { errand, request: None, outcome, rest: Rest::default() };
        let (url, tries) = match &errand {
            Errand::Refuse { .. } => return at_once(errand, Outcome::Abandoned),
            Errand::Sitemaps { host, named, .. } => {
                let named = self.name_sitemaps(host, named);
                return at_once(errand, Outcome::Sitemaps(named));
            }
            Errand::Page(target) => (target.url.clone(), target.attempts + 1),
            Errand::Robots { url, attempt, .. } => (url.clone(), attempt + 1),
        };
        let page = if let Errand::Page(target) = &errand { Some(target) } else { None };
        let in_use = self.metrics.connect();
        let (at, started) = (self.clock.now(), Instant::now());
        let result = tokio::select! {
            result = AssertUnwindSafe(self.request(&url, page)).catch_unwind() => Some(result.unwrap_or_else(|_| {
                Err(FetchError::failed(FailureKind::Protocol, "the response could not be read"))
            })),
            _ = aborted.wait_for(|stop| *stop) => None,
        };
        drop((permit, in_use));
        let elapsed = started.elapsed();
        let Some(result) = result else {
            released(Rest::default());
            // It was made, so it is accounted for; its URL stays pending.
            let failure = Some(FailureKind::Closed);
            let request = Some(Request { at, elapsed, status: None, failure, bytes: 0 });
            return Record { errand, request, outcome: Outcome::Abandoned, rest: Rest::default() };
        };
        let Visit { request, result, rest } = Visit::new(at, elapsed, result, tries);
        released(rest);
        let guarded = matches!(result, Err(FetchError::Private));
        let outcome = match &errand {
            Errand::Page(target) => AssertUnwindSafe(self.page(target, result, &request, rest))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Outcome::Failed {
                    kind: FailureKind::Protocol,
                    message: "the response could not be read".into(),
                    attempts: target.attempts + 1,
                }),
            Errand::Robots { hop, attempt, .. } => self.robots(&url, result, *hop, *attempt, rest),
            Errand::Sitemaps { .. } | Errand::Refuse { .. } => Outcome::Abandoned,
        };
        Record { errand, request: (!guarded).then_some(request), outcome, rest }
    }

    async fn request(&self, url: &CanonicalUrl, page: Option<&Target>) -> Result<Fetched, FetchError> {
        let licensed = self.scope.is_seed_host(url);
        let wants = |status: u16, media_type: Option<&str>| match page {
            _ if status == NOT_MODIFIED => Read::Nothing,
            None if status / 100 == 2 => Read::Start(MAX_ROBOTS_BYTES),
            None => Read::Nothing,
            Some(target) if status / 100 == 2 && self.expects_sitemap(target) => Read::Whole(sitemap::MAX_BYTES),
            Some(_) if media_type.is_none_or(|t| self.body_types.wants(t)) => Read::Whole(self.max_body_size),
            Some(_) => Read::Nothing,
        };
        let validators = page.and_then(|target| target.validators.as_deref());
        self.fetcher.get(url, licensed, validators, wants).await
    }

    /// The one place that decides on another try: by kind of error and number of tries.
    fn again(&self, attempts: u32, rest: Rest) -> Option<Millis> {
        if attempts > self.retries {
            return None;
        }
        let pause = politeness::backoff(attempts, fastrand::f64());
        let due = self.clock.now().saturating_add(politeness::millis(pause));
        Some(rest.asked_until.map_or(due, |asked| asked.max(due)))
    }

    async fn page(
        &self,
        target: &Target,
        result: Result<Fetched, FetchError>,
        request: &Request,
        rest: Rest,
    ) -> Outcome {
        let attempts = target.attempts + 1;
        match result {
            Err(FetchError::Private) => Outcome::Skipped(SkipReason::PrivateAddress),
            Err(FetchError::Failed { kind, message, .. }) => {
                let message: Arc<str> = message.into();
                let due = politeness::is_transient_failure(kind).then(|| self.again(attempts, rest)).flatten();
                match due {
                    Some(due_at) => Outcome::Retry { due_at, kind: Some(kind), message },
                    None => Outcome::Failed { kind, message, attempts },
                }
            }
            Ok(fetched) => {
                if politeness::is_transient_status(fetched.status)
                    && let Some(due_at) = self.again(attempts, rest)
                {
                    let message = format!("status {}", fetched.status).into();
                    return Outcome::Retry { due_at, kind: None, message };
                }
                self.read(target, fetched, request).await
            }
        }
    }

    async fn read(&self, target: &Target, fetched: Fetched, request: &Request) -> Outcome {
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
                Err(message) => {
                    return Outcome::Failed {
                        kind: FailureKind::Redirect,
                        message: message.into(),
                        attempts: target.attempts + 1,
                    };
                }
            }
        }
        let forbids = |value: &reqwest::header::HeaderValue| {
            parse::robots_tag_forbids_following(&latin1(value.as_bytes()), &self.product_token)
        };
        let nofollow = fetched.headers.get_all("x-robots-tag").iter().any(forbids);
        if let Some(body) = fetched.body {
            page.content_hash = digest::digest(&digest::SHA256, &body).as_ref().try_into().ok();
            match self.read_sitemap(target, &mut page, body, nofollow).await {
                Ok(None) => {}
                Ok(Some(body)) => self.read_body(target, &mut page, body, nofollow).await,
                Err(failed) => return failed,
            }
        }
        Outcome::Fetched(Box::new(page))
    }

    fn redirect(&self, target: &Target, location: Option<&str>) -> Result<Candidate, String> {
        let Some(location) = location else { return Err("a redirect without a Location".into()) };
        if target.hops >= self.max_redirects {
            return Err(format!("more than {} redirects in a row", self.max_redirects));
        }
        let url = CanonicalUrl::join(target.url.url(), location)
            .map_err(|e| format!("the redirect's Location cannot be followed: {e}"))?;
        if let Some(sitemap) = self.sitemap_redirect(target, url.clone()) {
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
            let _budget = self.parse_budget.acquire_many(cost).await;
            Ok(parse(body, INLINE_TIME))
        };
        let parsed = match inline {
            Ok((body, _, Parsed { cut_short: true, .. })) | Err(body) => {
                // The thread first: whoever waits for it must not hold what the others need.
                let _thread = self.parse_threads.acquire().await;
                let _budget = self.parse_budget.acquire_many(cost).await;
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

    /// The cases of RFC 9309, section 2.3.1.
    fn robots(
        &self,
        url: &CanonicalUrl,
        result: Result<Fetched, FetchError>,
        hop: u32,
        attempt: u32,
        rest: Rest,
    ) -> Outcome {
        let tries = attempt + 1;
        match result {
            // Where a redirect leads says nothing of the host itself.
            Err(FetchError::Private) if hop > 0 => {
                Outcome::Robots(RobotsAnswer::Unreachable { status: None, failure: None })
            }
            Err(FetchError::Private) => Outcome::Robots(RobotsAnswer::Private),
            Err(FetchError::Failed { kind, message, unconnected }) => {
                if politeness::is_transient_failure(kind)
                    && let Some(due_at) = self.again(tries, rest)
                {
                    return Outcome::RobotsAgain { url: url.clone(), hop, attempt: tries, due_at };
                }
                // A dead host that it was moved to says nothing about its own.
                Outcome::Robots(if unconnected && hop == 0 {
                    RobotsAnswer::Dead { kind, message: message.into() }
                } else {
                    RobotsAnswer::Unreachable { status: None, failure: Some(kind) }
                })
            }
            Ok(Fetched { status, headers, body }) => match status {
                200..=299 => Outcome::Robots(RobotsAnswer::Rules { status, body: body.unwrap_or_default() }),
                300..=399 => {
                    let location = headers.get("location").map(|value| latin1(value.as_bytes()));
                    let next = location.and_then(|location| CanonicalUrl::join(url.url(), &location).ok());
                    match next.filter(|_| hop < MAX_ROBOTS_REDIRECTS) {
                        Some(url) => Outcome::RobotsAgain { url, hop: hop + 1, attempt, due_at: 0 },
                        None => Outcome::Robots(RobotsAnswer::Unavailable { status }),
                    }
                }
                429 | 500..=599 => match self.again(tries, rest).filter(|_| politeness::is_transient_status(status)) {
                    Some(due_at) => Outcome::RobotsAgain { url: url.clone(), hop, attempt: tries, due_at },
                    None if status == 429 => Outcome::Robots(RobotsAnswer::Unavailable { status }),
                    None => Outcome::Robots(RobotsAnswer::Unreachable { status: Some(status), failure: None }),
                },
                _ => Outcome::Robots(RobotsAnswer::Unavailable { status }),
            },
        }
    }
}

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Html,
    Text,
    Other,
}

impl Kind {
    fn of(essence: Option<&str>, body: &[u8]) -> Self {
        match essence {
            Some("text/html" | "application/xhtml+xml") => Self::Html,
            Some("text/plain" | "text/markdown") => Self::Text,
            // Without a label, a document that starts like markup is read as HTML (WHATWG MIME sniffing, section 7.1).
            None if body.trim_ascii_start().starts_with(b"<") => Self::Html,
            _ => Self::Other,
        }
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

/// Header bytes as text: UTF-8 if they are, else each byte a Latin-1 character.
fn latin1(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|&byte| char::from(byte)).collect(), str::to_owned)
}
