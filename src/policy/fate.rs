//! What the end of an errand makes of the URL that it was about.

use std::sync::Arc;

use crate::visit::{
    Failure, FailureKind, Millis, PageOutcome, Record, Refusal, Retry, RobotsOutcome, SkipReason, State, Target,
};

/// How a URL stands after an errand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    pub state: State,
    /// Why it is skipped.
    pub reason: Option<SkipReason>,
    /// Requests made for it in this run.
    pub attempts: u32,
    /// Not asked for again before this time.
    pub due_at: Option<Millis>,
    /// How it failed.
    pub failure: Option<(FailureKind, Arc<str>)>,
}

impl Fate {
    /// None if the errand was about no URL, or leaves it as it was.
    pub fn of(record: &Record) -> Option<Self> {
        match record {
            Record::Page { target, outcome, .. } => Self::of_request(target, outcome),
            Record::GuardedPage(target) => Some(Self::skipped(target, SkipReason::PrivateAddress)),
            Record::Refused { target, verdict: Refusal::Skip(reason) } => Some(Self::skipped(target, reason.clone())),
            Record::Refused { verdict: Refusal::Fail { kind, message, attempts }, .. } => {
                Some(Self::failed(*kind, message, *attempts))
            }
            Record::Robots {
                outcome: RobotsOutcome::Answered(_) | RobotsOutcome::Again { .. } | RobotsOutcome::Abandoned,
                ..
            }
            | Record::Check { .. }
            | Record::Refused { verdict: Refusal::Wait, .. }
            | Record::GuardedRobots(_)
            | Record::PostponedPage(_)
            | Record::PostponedRobots(_)
            | Record::Sitemaps { .. } => None,
        }
    }

    fn of_request(target: &Target, outcome: &PageOutcome) -> Option<Self> {
        let attempts = target.attempts + 1;
        match outcome {
            PageOutcome::Fetched(_) => Some(Self { attempts, ..Self::plain(State::Fetched) }),
            PageOutcome::Failed(Failure { kind, message }) => Some(Self::failed(*kind, message, attempts)),
            PageOutcome::Retry(Retry { due_at, .. }) => {
                Some(Self { attempts, due_at: Some(*due_at), ..Self::plain(State::Pending) })
            }
            PageOutcome::Abandoned => None,
        }
    }

    fn skipped(target: &Target, reason: SkipReason) -> Self {
        Self { reason: Some(reason), attempts: target.attempts, ..Self::plain(State::Skipped) }
    }

    fn failed(kind: FailureKind, message: &Arc<str>, attempts: u32) -> Self {
        Self { failure: Some((kind, message.clone())), attempts, ..Self::plain(State::Failed) }
    }

    fn plain(state: State) -> Self {
        Self { state, reason: None, attempts: 0, due_at: None, failure: None }
    }
}

/// Whether a URL waits for the end of an errand. Otherwise what became of it is stored already, and counts.
pub fn is_awaited(state: State) -> bool {
    state == State::Pending
}

/// Whether a shorter path was found to a page while it was in flight: its links were judged by the longer one.
pub fn was_lowered(target: &Target, stored_depth: u32) -> bool {
    stored_depth < target.depth
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::CanonicalUrl;
    use crate::visit::{Page, Request, Rest, RobotsCall};

    fn target() -> Target {
        let url = CanonicalUrl::parse("http://a.test/").unwrap();
        Target { attempts: 2, ..Target::new(1, 1, url, 3) }
    }

    fn after(outcome: PageOutcome) -> Option<Fate> {
        let elapsed = std::time::Duration::ZERO;
        let request = Request { at: 0, elapsed, status: None, failure: None, bytes: 0, certificate_expires_at: None };
        Fate::of(&Record::Page { target: target(), request, rest: Rest::default(), outcome })
    }

    #[test]
    fn every_end_of_a_request_but_a_stop_counts_a_try() {
        let plain = |state| Fate { attempts: 3, ..Fate::plain(state) };
        assert_eq!(after(PageOutcome::Fetched(Arc::new(Page::default()))), Some(plain(State::Fetched)));
        let failure = Failure::new(FailureKind::Dns, "no such name");
        let failed = Fate { failure: Some((FailureKind::Dns, "no such name".into())), ..plain(State::Failed) };
        assert_eq!(after(PageOutcome::Failed(failure)), Some(failed));
        let retry = Retry { due_at: 9, kind: None, message: "busy".into() };
        assert_eq!(after(PageOutcome::Retry(retry)), Some(Fate { due_at: Some(9), ..plain(State::Pending) }));
        assert_eq!(after(PageOutcome::Abandoned), None);
    }

    #[test]
    fn what_is_refused_was_not_tried() {
        let skipped = |reason| Some(Fate { reason: Some(reason), attempts: 2, ..Fate::plain(State::Skipped) });
        assert_eq!(Fate::of(&Record::GuardedPage(target())), skipped(SkipReason::PrivateAddress));
        let verdict = Refusal::Skip(SkipReason::Robots);
        assert_eq!(Fate::of(&Record::Refused { target: target(), verdict }), skipped(SkipReason::Robots));
        let verdict = Refusal::Fail { kind: FailureKind::Connect, message: "refused".into(), attempts: 1 };
        let fate = Fate::of(&Record::Refused { target: target(), verdict }).unwrap();
        assert_eq!((fate.state, fate.attempts), (State::Failed, 1));
        assert_eq!(fate.failure, Some((FailureKind::Connect, "refused".into())));
    }

    #[test]
    fn a_robots_txt_leaves_all_urls_as_they_are() {
        let url = CanonicalUrl::parse("http://a.test/robots.txt").unwrap();
        let call = RobotsCall { host: 1, for_host: 1, url, hop: 0, attempt: 0 };
        assert_eq!(Fate::of(&Record::GuardedRobots(call)), None);
    }

    #[test]
    fn only_a_pending_url_waits_for_an_end_and_only_a_shorter_path_lowers_it() {
        assert_eq!(State::ALL.map(is_awaited), [true, false, false, false]);
        assert_eq!([2, 3, 4].map(|depth| was_lowered(&target(), depth)), [true, false, false]);
    }
}
