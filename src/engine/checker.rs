//! What an answer says of a URL that is checked.

use crate::canonical::CanonicalUrl;
use crate::config::Config;
use crate::fetch::Response;
use crate::policy::retry::{self, Trouble};
use crate::policy::{check, politeness, redirect};
use crate::visit::{Check, CheckOutcome, Failure, FailureKind, Millis, Rest, Target};

/// The settings that decide.
#[derive(Debug)]
pub(super) struct Checker {
    retries: u32,
    max_redirects: u32,
    max_wait: Millis,
}

impl Checker {
    pub(super) fn new(config: &Config) -> Self {
        let Config { retries, max_redirects, .. } = *config;
        Self { retries, max_redirects, max_wait: politeness::millis(config.max_wait) }
    }

    pub(super) fn judge(
        &self,
        target: &Target,
        Check { method, .. }: Check,
        answer: Result<&Response, (Trouble, &Failure)>,
        rest: Rest,
        now: Millis,
    ) -> CheckOutcome {
        let again = |trouble| {
            let due = retry::again(trouble, target.attempts + 1, self.retries, rest.asked_until, now, fastrand::f64());
            // What others' servers ask for is not to keep a run from its end.
            due.filter(|due| due - now <= self.max_wait)
        };
        let failed = |kind| CheckOutcome::Found(check::failed(kind), Vec::new());
        match answer {
            Err((_, Failure { kind, .. })) if check::fails_for_whole(method, *kind) => CheckOutcome::Whole,
            Err((trouble, Failure { kind, message })) => match again(trouble) {
                Some(due_at) => CheckOutcome::Retry { due_at, kind: Some(*kind), message: message.clone() },
                None => failed(*kind),
            },
            Ok(response) => {
                let status = response.status;
                if check::asks_for_whole(method, status) {
                    return CheckOutcome::Whole;
                }
                if let Some(due_at) = again(Trouble::Status(status)) {
                    return CheckOutcome::Retry { due_at, kind: None, message: format!("status {status}").into() };
                }
                let Some(location) = redirect::location(status, &response.headers) else {
                    return CheckOutcome::Found(check::answered(status, &response.headers), Vec::new());
                };
                match CanonicalUrl::join_header(target.url.url(), location.as_bytes()) {
                    Ok(url) if target.hops < self.max_redirects => CheckOutcome::Moved(url),
                    _ => failed(FailureKind::Redirect),
                }
            }
        }
    }
}
