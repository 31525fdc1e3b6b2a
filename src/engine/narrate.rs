//! What a crawl says of each errand in the log: outcomes at debug level, the reasons behind them at trace level.
//! URLs are escaped by their canonical form, what a server said by being quoted.

use std::time::Duration;

use tracing::{debug, trace};

use crate::canonical::{CanonicalUrl, Host};
use crate::visit::{
    self, CheckOutcome, Failure, Finding, Millis, PageOutcome, Record, Refusal, Request, Rest, Retry, RobotsAnswer,
    RobotsCall, RobotsOutcome, SkipReason, Target,
};

pub(super) fn tell(record: &Record) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    match record {
        Record::Page { target, request, rest, outcome } => {
            page(target, outcome, millis(request));
            host(&target.url.host(), *rest);
        }
        Record::Check { target, request, rest, outcome } => {
            check(target, outcome, millis(request));
            host(&target.url.host(), *rest);
        }
        Record::Robots { call, request, rest, outcome } => {
            robots(&call.url, outcome, millis(request));
            host(&call.url.host(), *rest);
        }
        Record::GuardedPage(target) => debug!(reason = %SkipReason::PrivateAddress, url = %target.url, "skipped"),
        Record::PostponedPage(Target { url, .. }) | Record::PostponedRobots(RobotsCall { url, .. }) => {
            trace!(%url, "postponed: no file descriptor, or no lease any more");
        }
        Record::GuardedRobots(call) => robots_answer(&call.url, &call.guarded_answer(), 0),
        Record::Sitemaps { host, named, .. } => trace!(%host, named = named.len(), "sitemaps looked for"),
        Record::Refused { target, verdict: Refusal::Skip(reason) } => debug!(%reason, url = %target.url, "skipped"),
        Record::Refused { target, verdict: Refusal::Wait } => {
            debug!(url = %target.url, "not checked: the host asks for more time than there is");
        }
        Record::Refused { target, verdict: Refusal::Fail { kind, message, attempts } } => {
            debug!(%kind, attempts, reason = ?&**message, url = %target.url, "failed with its host");
        }
    }
}

fn millis(request: &Request) -> u64 {
    u64::try_from(request.elapsed.as_millis()).unwrap_or(u64::MAX)
}

fn page(target: &Target, outcome: &PageOutcome, ms: u64) {
    let url = &target.url;
    match outcome {
        PageOutcome::Fetched(page) => {
            let bytes = page.body.as_ref().map_or(0, Vec::len);
            debug!(status = page.status, ms, bytes, links = page.links.len(), %url, "fetched");
        }
        PageOutcome::Failed(Failure { kind, message }) => {
            debug!(%kind, attempts = target.attempts + 1, ms, reason = ?&**message, %url, "failed");
        }
        PageOutcome::Retry(Retry { due_at, message, .. }) => {
            trace!(seconds = seconds_until(*due_at), ms, reason = ?&**message, %url, "to be tried again");
        }
        PageOutcome::Abandoned => trace!(%url, "left for later: the crawl is stopping"),
    }
}

fn check(target: &Target, outcome: &CheckOutcome, ms: u64) {
    let url = &target.url;
    match outcome {
        CheckOutcome::Found(Finding { verdict, status, failure }, _) => {
            debug!(%verdict, status, failure = failure.as_deref(), ms, %url, "checked");
        }
        CheckOutcome::Retry { due_at, message, .. } => {
            trace!(seconds = seconds_until(*due_at), ms, reason = ?&**message, %url, "to be checked again");
        }
        CheckOutcome::Whole => trace!(ms, %url, "to be checked with GET: HEAD is answered with an error"),
        CheckOutcome::Moved(next) => trace!(ms, %next, %url, "to be checked where it is"),
        CheckOutcome::Abandoned => trace!(%url, "left for later: the crawl is stopping"),
    }
}

fn robots(url: &CanonicalUrl, outcome: &RobotsOutcome, ms: u64) {
    match outcome {
        RobotsOutcome::Answered(answer) => robots_answer(url, answer, ms),
        RobotsOutcome::Again { url: next, due_at, .. } => {
            trace!(seconds = seconds_until(*due_at), ms, %next, %url, "robots.txt to be asked for again");
        }
        RobotsOutcome::Abandoned => {}
    }
}

fn robots_answer(url: &CanonicalUrl, answer: &RobotsAnswer, ms: u64) {
    match answer {
        RobotsAnswer::Rules { status, body } => trace!(status, ms, bytes = body.len(), %url, "robots.txt read"),
        RobotsAnswer::Unavailable { status } => trace!(status, ms, %url, "no robots.txt: everything is allowed"),
        RobotsAnswer::Unreachable { status, failure } => {
            let failure = failure.map(|kind| kind.as_str());
            trace!(status, failure, ms, %url, "robots.txt is unreachable: nothing is allowed");
        }
        RobotsAnswer::Dead { kind, message } => {
            trace!(%kind, ms, reason = ?&**message, %url, "no connection: the host's URLs fail");
        }
        RobotsAnswer::Private => trace!(%url, "a private address that no seed names"),
    }
}

fn host(host: &Host, rest: Rest) {
    if let Some(until) = rest.asked_until {
        trace!(%host, seconds = seconds_until(until), "the host asks for time");
    }
    if rest.answered == Some(false) {
        trace!(%host, "the host did not answer and is left alone for a while");
    }
}

fn seconds_until(at: Millis) -> f64 {
    Duration::from_millis(u64::try_from(at - visit::now()).unwrap_or(0)).as_secs_f64()
}
