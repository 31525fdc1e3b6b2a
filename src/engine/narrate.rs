//! What a crawl says of each errand in the log: outcomes at debug level, the reasons behind them at trace level.
//! URLs are escaped by their canonical form, what a server said by being quoted.

use std::time::Duration;

use tracing::{debug, trace};

use crate::canonical::CanonicalUrl;
use crate::visit::{self, Errand, Millis, Outcome, Record, Refusal, RobotsAnswer};

pub(super) fn tell(record: &Record) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let ms = record.request.as_ref().map_or(0, |request| request.elapsed.as_millis() as u64);
    match &record.errand {
        Errand::Page(target) => page(&target.url, &record.outcome, ms),
        Errand::Refuse { target, verdict: Refusal::Skip(reason) } => debug!(%reason, url = %target.url, "skipped"),
        Errand::Refuse { target, verdict: Refusal::Fail { kind, message, attempts } } => {
            debug!(%kind, attempts, reason = ?&**message, url = %target.url, "failed with its host");
        }
        Errand::Robots { url, .. } => robots(url, &record.outcome, ms),
        Errand::Sitemaps { host, named, .. } => trace!(%host, named = named.len(), "sitemaps looked for"),
    }
    if let Some(until) = record.rest.asked_until
        && let Some(host) = host(&record.errand)
    {
        trace!(%host, seconds = seconds_until(until), "the host asks for time");
    }
    if record.rest.answered == Some(false)
        && let Some(host) = host(&record.errand)
    {
        trace!(%host, "the host did not answer and is left alone for a while");
    }
}

fn page(url: &CanonicalUrl, outcome: &Outcome, ms: u64) {
    match outcome {
        Outcome::Fetched(page) => {
            let bytes = page.body.as_ref().map_or(0, Vec::len);
            debug!(status = page.status, ms, bytes, links = page.links.len(), %url, "fetched");
        }
        Outcome::Failed { kind, message, attempts } => {
            debug!(%kind, attempts, ms, reason = ?&**message, %url, "failed");
        }
        Outcome::Skipped(reason) => debug!(%reason, %url, "skipped"),
        Outcome::Retry { due_at, message, .. } => {
            trace!(seconds = seconds_until(*due_at), ms, reason = ?&**message, %url, "to be tried again");
        }
        Outcome::Abandoned => trace!(%url, "left for later: the crawl is stopping"),
        Outcome::Robots(_) | Outcome::RobotsAgain { .. } | Outcome::Sitemaps(_) => {}
    }
}

fn robots(url: &CanonicalUrl, outcome: &Outcome, ms: u64) {
    match outcome {
        Outcome::Robots(RobotsAnswer::Rules { status, body }) => {
            trace!(status, ms, bytes = body.len(), %url, "robots.txt read");
        }
        Outcome::Robots(RobotsAnswer::Unavailable { status }) => {
            trace!(status, ms, %url, "no robots.txt: everything is allowed");
        }
        Outcome::Robots(RobotsAnswer::Unreachable { status, failure }) => {
            let failure = failure.map(|kind| kind.as_str());
            trace!(status, failure, ms, %url, "robots.txt is unreachable: nothing is allowed");
        }
        Outcome::Robots(RobotsAnswer::Dead { kind, message }) => {
            trace!(%kind, ms, reason = ?&**message, %url, "no connection: the host's URLs fail");
        }
        Outcome::Robots(RobotsAnswer::Private) => trace!(%url, "a private address that no seed names"),
        Outcome::RobotsAgain { url: next, due_at, .. } => {
            trace!(seconds = seconds_until(*due_at), ms, %next, %url, "robots.txt to be asked for again");
        }
        _ => {}
    }
}

fn host(errand: &Errand) -> Option<crate::canonical::Host> {
    match errand {
        Errand::Page(target) => Some(target.url.host()),
        Errand::Robots { url, .. } => Some(url.host()),
        Errand::Sitemaps { .. } | Errand::Refuse { .. } => None,
    }
}

fn seconds_until(at: Millis) -> f64 {
    Duration::from_millis(u64::try_from(at - visit::now()).unwrap_or(0)).as_secs_f64()
}
