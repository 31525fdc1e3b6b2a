//! One errand from request to record. Never fails: whatever happens becomes an outcome.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use http::HeaderMap;
use tokio::sync::watch;

use super::checker::Checker;
use super::hook::Hook;
use super::observe::Observers;
use super::page::Page;
use super::reader::{PageReader, unreadable};
use crate::canonical::CanonicalUrl;
use crate::config::Config;
use crate::fetch::{self, Fetch, FetchError, Read, Response};
use crate::parse::body::Body;
use crate::parse::memory::Held;
use crate::parse::{self, mime, sitemap};
use crate::policy::check::MAX_SHEET_BYTES;
use crate::policy::politeness;
use crate::policy::redirect;
use crate::policy::retry::{self, Trouble};
use crate::policy::robots::{MAX_ROBOTS_BYTES, MAX_ROBOTS_REDIRECTS, answer_of};
use crate::visit::{
    Check, CheckOutcome, Errand, Failure, FailureKind, Lease, Method, Millis, PageOutcome, Record, Request, Rest,
    Retry, RobotsAnswer, RobotsCall, RobotsOutcome, SteadyClock, Target,
};

/// It has no body, whatever its headers say (RFC 9110, section 15.4.5).
const NOT_MODIFIED: u16 = 304;

/// Everything an errand needs, shared by all workers.
pub(super) struct Visitor {
    reader: PageReader,
    fetcher: Arc<dyn Fetch>,
    retries: u32,
    max_redirects: u32,
    checker: Checker,
    body_types: crate::config::BodyTypes,
    max_body_size: u64,
    clock: SteadyClock,
    /// Without it no request is made, if there is one.
    lease: Option<Lease>,
    observers: Observers,
    hook: Option<Arc<dyn Hook>>,
}

/// What a request is for.
#[derive(Clone, Copy)]
enum Aim<'a> {
    Robots,
    Page(&'a Target),
    Check(Check),
}

/// What a request has to do with while it is out.
pub(super) struct Slot<F: FnOnce(Rest)> {
    /// Turns true when requests must not go on.
    pub(super) aborted: watch::Receiver<bool>,
    /// Told once the request is over.
    pub(super) released: F,
}

/// How a request ended.
enum Asked {
    /// The address is not for crawling: none was made.
    Guarded,
    /// This machine could make none, or none any more under its lease.
    Postponed,
    /// The crawl was stopped first.
    Aborted(Request),
    Done {
        request: Request,
        rest: Rest,
        result: Result<Response, Missed>,
    },
}

/// A request without a usable response.
struct Missed {
    failure: Failure,
    /// No connection stood.
    unconnected: bool,
    trouble: Trouble,
}

impl Visitor {
    pub(super) fn new(
        config: &Config,
        reader: PageReader,
        fetcher: Arc<dyn Fetch>,
        clock: SteadyClock,
        observers: Observers,
        hook: Option<Arc<dyn Hook>>,
    ) -> Self {
        let Config { retries, max_redirects, max_body_size, .. } = *config;
        let body_types = config.body_types.clone();
        let (checker, lease) = (Checker::new(config), None);
        Self {
            reader,
            fetcher,
            retries,
            max_redirects,
            checker,
            body_types,
            max_body_size,
            clock,
            lease,
            observers,
            hook,
        }
    }

    /// Makes no request once this lease has ended.
    pub(super) fn under(self, lease: Option<Lease>) -> Self {
        Self { lease, ..self }
    }

    /// Does the errand. A request tells its slot once it is over and the host may rest.
    /// Gives what of the budget the record takes, too.
    pub(super) async fn visit(&self, errand: Errand, slot: Slot<impl FnOnce(Rest)>) -> (Record, Held) {
        let record = match errand {
            Errand::Refuse { target, verdict } => Record::Refused { target, verdict },
            Errand::Sitemaps { id, host, named } => {
                let named = self.reader.name_sitemaps(&host, &named);
                Record::Sitemaps { id, host, named }
            }
            Errand::Page(target) => return self.visit_page(target, slot).await,
            Errand::Check(target, check) => self.visit_check(target, check, slot).await,
            Errand::Robots(call) => self.visit_robots(call, slot).await,
        };
        (record, Held::default())
    }

    async fn visit_page(&self, target: Target, slot: Slot<impl FnOnce(Rest)>) -> (Record, Held) {
        let mut held = Held::default();
        let mut aborted = slot.aborted.clone();
        let record = match self.ask(&target.url, Aim::Page(&target), target.attempts + 1, slot).await {
            Asked::Guarded => Record::GuardedPage(target),
            Asked::Postponed => Record::PostponedPage(target),
            Asked::Aborted(request) => {
                let (rest, outcome) = (Rest::default(), PageOutcome::Abandoned);
                Record::Page { target, request, rest, outcome }
            }
            Asked::Done { request, rest, result } => {
                let page = self.page(&target, result, &request, rest, &mut held);
                let outcome = tokio::select! {
                    outcome = AssertUnwindSafe(page).catch_unwind() => {
                        outcome.unwrap_or_else(|_| PageOutcome::Failed(unreadable()))
                    }
                    // Large documents take turns at being read, which may be long.
                    _ = aborted.wait_for(|stop| *stop) => PageOutcome::Abandoned,
                };
                Record::Page { target, request, rest, outcome }
            }
        };
        held.shrink(record.weight());
        (record, held)
    }

    async fn visit_check(&self, target: Target, check: Check, slot: Slot<impl FnOnce(Rest)>) -> Record {
        match self.ask(&target.url, Aim::Check(check), target.attempts + 1, slot).await {
            Asked::Guarded => Record::GuardedPage(target),
            Asked::Postponed => Record::PostponedPage(target),
            Asked::Aborted(request) => {
                let (rest, outcome) = (Rest::default(), CheckOutcome::Abandoned);
                Record::Check { target, request, rest, outcome }
            }
            Asked::Done { request, rest, result } => {
                let answer = result.as_ref().map_err(|missed| (missed.trouble, &missed.failure));
                let mut outcome = self.checker.judge(&target, check, answer, rest, self.clock.now());
                if let (CheckOutcome::Found(_, named), Ok(Response { headers, body: Some(body), .. })) =
                    (&mut outcome, result)
                {
                    // What this machine could not read back, or nobody could read, names nothing.
                    let body = body.load().unwrap_or_default();
                    let read = || parse::resources_of_style_sheet(target.url.url(), &body, &headers);
                    *named = std::panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_default();
                }
                Record::Check { target, request, rest, outcome }
            }
        }
    }

    async fn visit_robots(&self, call: RobotsCall, slot: Slot<impl FnOnce(Rest)>) -> Record {
        match self.ask(&call.url, Aim::Robots, call.attempt + 1, slot).await {
            Asked::Guarded => Record::GuardedRobots(call),
            Asked::Postponed => Record::PostponedRobots(call),
            Asked::Aborted(request) => {
                let (rest, outcome) = (Rest::default(), RobotsOutcome::Abandoned);
                Record::Robots { call, request, rest, outcome }
            }
            Asked::Done { request, rest, result } => {
                let outcome = self.robots(&call, result, rest);
                Record::Robots { call, request, rest, outcome }
            }
        }
    }

    /// Makes one request: try number `tries` for `url`.
    async fn ask(&self, url: &CanonicalUrl, aim: Aim<'_>, tries: u32, slot: Slot<impl FnOnce(Rest)>) -> Asked {
        let Slot { mut aborted, released } = slot;
        let in_use = self.observers.request();
        let (at, started) = (self.clock.now(), Instant::now());
        let result = tokio::select! {
            result = AssertUnwindSafe(self.request(url, aim)).catch_unwind() => Some(result.unwrap_or_else(|_| {
                let Failure { kind, message } = unreadable();
                Err(FetchError::failed(kind, &*message))
            })),
            _ = aborted.wait_for(|stop| *stop) => None,
        };
        drop(in_use);
        let certificate_expires_at = self.fetcher.certificate_expires_at(url);
        let (elapsed, bytes) = (started.elapsed(), 0);
        let mut request = Request { at, elapsed, status: None, failure: None, bytes, certificate_expires_at };
        let Some(result) = result else {
            released(Rest::default());
            // It was made, so it is accounted for.
            request.failure = Some(FailureKind::Closed);
            return Asked::Aborted(request);
        };
        let rest = judge(&mut request, &result, tries);
        released(rest);
        match result {
            Ok(fetched) => Asked::Done { request, rest, result: Ok(fetched) },
            Err(FetchError::Private) => Asked::Guarded,
            Err(FetchError::Shortage | FetchError::Lapsed) => Asked::Postponed,
            Err(FetchError::Misread { kind, message }) => {
                let failure = Failure::new(kind, message);
                Asked::Done {
                    request,
                    rest,
                    result: Err(Missed { failure, unconnected: false, trouble: Trouble::Misread }),
                }
            }
            Err(FetchError::Failed { kind, message, unconnected }) => {
                let failure = Failure::new(kind, message);
                Asked::Done {
                    request,
                    rest,
                    result: Err(Missed { failure, unconnected, trouble: Trouble::Failure(kind) }),
                }
            }
        }
    }

    async fn request(&self, url: &CanonicalUrl, aim: Aim<'_>) -> Result<Response, FetchError> {
        let licensed = self.reader.is_seed_host(url);
        let wants = |status: u16, headers: &HeaderMap| match aim {
            _ if status == NOT_MODIFIED || redirect::location(status, headers).is_some() => Read::Nothing,
            Aim::Robots if status / 100 == 2 => Read::Start(MAX_ROBOTS_BYTES),
            Aim::Check(Check { sheet: Some(_), .. }) if status / 100 == 2 && is_style_sheet(headers) => {
                Read::Start(MAX_SHEET_BYTES)
            }
            Aim::Robots | Aim::Check(_) => Read::Nothing,
            Aim::Page(target) if status / 100 == 2 && self.reader.expects_sitemap(target) => {
                Read::Whole(sitemap::MAX_BYTES)
            }
            Aim::Page(_) if mime::of(headers).is_none_or(|t| self.body_types.wants(&t.essence)) => {
                Read::Whole(self.max_body_size)
            }
            Aim::Page(_) => Read::Nothing,
        };
        let (method, validators) = match aim {
            Aim::Robots => (Method::Get, None),
            Aim::Page(target) => (Method::Get, target.validators.as_deref()),
            Aim::Check(check) => (check.method, None),
        };
        let memory = self.reader.memory();
        if self.lease.as_ref().is_some_and(|lease| !lease.is_held()) {
            // The process may have been stopped since the host's turn came.
            return Err(FetchError::Lapsed);
        }
        self.fetcher.fetch(fetch::Request { url, method, licensed, validators, wants: &wants, memory }).await
    }

    /// When a request is made once more after `tries` tries, if it is.
    fn again(&self, trouble: Trouble, tries: u32, rest: Rest) -> Option<Millis> {
        retry::again(trouble, tries, self.retries, rest.asked_until, self.clock.now(), fastrand::f64())
    }

    async fn page(
        &self,
        target: &Target,
        result: Result<Response, Missed>,
        request: &Request,
        rest: Rest,
        held: &mut Held,
    ) -> PageOutcome {
        let attempts = target.attempts + 1;
        match result {
            Err(Missed { failure, trouble, .. }) => match self.again(trouble, attempts, rest) {
                Some(due_at) => {
                    PageOutcome::Retry(Retry { due_at, kind: Some(failure.kind), message: failure.message })
                }
                None => PageOutcome::Failed(failure),
            },
            Ok(fetched) => {
                if let Some(due_at) = self.again(Trouble::Status(fetched.status), attempts, rest) {
                    let message = format!("status {}", fetched.status).into();
                    return PageOutcome::Retry(Retry { due_at, kind: None, message });
                }
                let to_itself = redirect::leads_to_itself(&target.url, fetched.status, &fetched.headers);
                if to_itself && attempts <= self.max_redirects {
                    let (due_at, message) = (self.clock.now(), "a redirect to itself".into());
                    return PageOutcome::Retry(Retry { due_at, kind: None, message });
                }
                match self.reader.read(target, fetched, request).await {
                    Ok((page, holds)) => {
                        *held = holds;
                        let page = Arc::new(page);
                        if let Some(hook) = &self.hook {
                            hook.response(&Page::new(target, &page));
                        }
                        PageOutcome::Fetched(page)
                    }
                    Err(failure) => PageOutcome::Failed(failure),
                }
            }
        }
    }

    /// The cases of RFC 9309, section 2.3.1.
    fn robots(&self, call: &RobotsCall, result: Result<Response, Missed>, rest: Rest) -> RobotsOutcome {
        let RobotsCall { url, hop, attempt, .. } = call;
        let tries = attempt + 1;
        let again = |due_at| RobotsOutcome::Again { url: url.clone(), hop: *hop, attempt: tries, due_at };
        let answered = RobotsOutcome::Answered;
        match result {
            Err(Missed { failure: Failure { kind, message }, unconnected, trouble }) => {
                if let Some(due_at) = self.again(trouble, tries, rest) {
                    return again(due_at);
                }
                // A dead host that it was moved to says nothing about its own.
                answered(if unconnected && *hop == 0 {
                    RobotsAnswer::Dead { kind, message }
                } else {
                    RobotsAnswer::Unreachable { status: None, failure: Some(kind) }
                })
            }
            Ok(Response { status, headers, body, .. }) => {
                // What this machine could not read back says nothing of the host.
                let Ok(body) = body.map(Body::load).transpose() else {
                    let due_at = self.clock.now() + 1_000;
                    return RobotsOutcome::Again { url: url.clone(), hop: *hop, attempt: *attempt, due_at };
                };
                match status {
                    300..=399 if *hop < MAX_ROBOTS_REDIRECTS => {
                        let location = headers.get("location");
                        match location.and_then(|at| CanonicalUrl::join_header(url.url(), at.as_bytes()).ok()) {
                            Some(url) => RobotsOutcome::Again { url, hop: hop + 1, attempt: *attempt, due_at: 0 },
                            None => answered(answer_of(status, body)),
                        }
                    }
                    429 | 500..=599 => match self.again(Trouble::Status(status), tries, rest) {
                        Some(due_at) => again(due_at),
                        None => answered(answer_of(status, body)),
                    },
                    _ => answered(answer_of(status, body)),
                }
            }
        }
    }
}

/// Whether a response is one that browsers take for a style sheet (WHATWG HTML, 4.6.7.20).
fn is_style_sheet(headers: &HeaderMap) -> bool {
    mime::of(headers).is_none_or(|media_type| media_type.essence == "text/css")
}

/// Judges what the host may be asked for after try number `tries`, and completes the log of the request.
fn judge(request: &mut Request, result: &Result<Response, FetchError>, tries: u32) -> Rest {
    // Both were rounded down, and what a host asks for is to be kept in full.
    let now = request.at.saturating_add(politeness::millis(request.elapsed)).saturating_add(2);
    let mut rest = Rest { started_at: request.at, ..Rest::default() };
    match result {
        Ok(fetched) => {
            request.status = Some(fetched.status);
            request.bytes = fetched.body.as_ref().map_or(0, |body| body.len() as u64);
            let trouble = Trouble::Status(fetched.status);
            let retry_after = fetched.headers.get("retry-after").and_then(|value| value.to_str().ok());
            rest.answered = trouble.host_answered();
            rest.asked_until = trouble.asks_until(retry_after, tries, now);
        }
        Err(FetchError::Misread { kind, .. }) => {
            request.failure = Some(*kind);
            rest.answered = Trouble::Misread.host_answered();
        }
        Err(FetchError::Failed { kind, .. }) => {
            request.failure = Some(*kind);
            rest.answered = Trouble::Failure(*kind).host_answered();
        }
        Err(FetchError::Private | FetchError::Lapsed) => {}
        Err(FetchError::Shortage) => rest.unmade = true,
    }
    rest
}
