//! What an errand ended as, and what follows from it for the schedule.

use std::sync::Arc;
use std::time::Duration;

use super::check::{CheckOutcome, Finding};
use super::errand::{Candidate, Check, HostId, Millis, Refusal, Resource, RobotsAnswer, RobotsCall, Target, UrlId};
use super::words::{FailureKind, Method};
use crate::canonical::{CanonicalUrl, Host};

/// One request, for the log of every request ever made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub at: Millis,
    pub elapsed: Duration,
    pub status: Option<u16>,
    pub failure: Option<FailureKind>,
    /// Body bytes read, after the content coding was removed.
    pub bytes: u64,
    /// When the certificate expires that the host showed, if a connection was made.
    pub certificate_expires_at: Option<Millis>,
}

/// What an errand ended as: one variant for each end that there can be, with the data of just that.
#[derive(Debug, Clone)]
pub enum Record {
    /// A page was asked for.
    Page { target: Target, request: Request, rest: Rest, outcome: PageOutcome },
    /// A URL that is checked was asked for.
    Check { target: Target, request: Request, rest: Rest, outcome: CheckOutcome },
    /// A robots.txt was asked for.
    Robots { call: RobotsCall, request: Request, rest: Rest, outcome: RobotsOutcome },
    /// The address guard let no request for this page out.
    GuardedPage(Target),
    /// The address guard let no request for this robots.txt out.
    GuardedRobots(RobotsCall),
    /// This machine could not make the request for this page: it is pending as it was.
    PostponedPage(Target),
    /// This machine could not make the request for this robots.txt.
    PostponedRobots(RobotsCall),
    /// The sitemaps of a host, judged.
    Sitemaps { id: HostId, host: Host, named: Vec<Candidate> },
    /// A page that the frontier let go without a request.
    Refused { target: Target, verdict: Refusal },
}

/// How a request for a page ended.
#[derive(Debug, Clone)]
pub enum PageOutcome {
    /// A response was received. Shared with whoever follows the crawl.
    Fetched(Arc<Page>),
    /// No usable response, and no more tries.
    Failed(Failure),
    /// To be tried again.
    Retry(Retry),
    /// The crawl was stopped before an answer came, or before it was read: the page is pending as it was.
    Abandoned,
}

/// How a request for a robots.txt ended.
#[derive(Debug, Clone)]
pub enum RobotsOutcome {
    Answered(RobotsAnswer),
    /// It is elsewhere, or is to be asked for again.
    Again {
        url: CanonicalUrl,
        hop: u32,
        attempt: u32,
        due_at: Millis,
    },
    /// The crawl was stopped before an answer came.
    Abandoned,
}

/// Why a URL has no usable response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    pub message: Arc<str>,
}

impl Failure {
    pub fn new(kind: FailureKind, message: impl Into<Arc<str>>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Another try, and why the last one did not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    pub due_at: Millis,
    /// None if the server answered with a status that may pass.
    pub kind: Option<FailureKind>,
    pub message: Arc<str>,
}

impl Record {
    /// The host that was asked, and for what; none if there was no request.
    pub fn asked(&self) -> Option<(HostId, &CanonicalUrl)> {
        match self {
            Self::Page { target, .. }
            | Self::Check { target, .. }
            | Self::GuardedPage(target)
            | Self::PostponedPage(target) => Some((target.host, &target.url)),
            Self::Robots { call, .. } | Self::GuardedRobots(call) | Self::PostponedRobots(call) => {
                Some((call.host, &call.url))
            }
            Self::Sitemaps { .. } | Self::Refused { .. } => None,
        }
    }

    /// The host whose URLs or robots.txt it is about.
    pub fn subject(&self) -> HostId {
        match self {
            Self::Page { target, .. }
            | Self::Check { target, .. }
            | Self::GuardedPage(target)
            | Self::PostponedPage(target)
            | Self::Refused { target, .. } => target.host,
            Self::Robots { call, .. } | Self::GuardedRobots(call) | Self::PostponedRobots(call) => call.for_host,
            Self::Sitemaps { id, .. } => *id,
        }
    }

    /// The pending URL of the crawl that it is about.
    pub fn target(&self) -> Option<&Target> {
        self.waiting().filter(|target| target.check.is_none())
    }

    /// The check that it is about.
    pub fn check(&self) -> Option<&Target> {
        self.waiting().filter(|target| target.check.is_some())
    }

    fn waiting(&self) -> Option<&Target> {
        match self {
            Self::Page { target, .. }
            | Self::Check { target, .. }
            | Self::GuardedPage(target)
            | Self::PostponedPage(target)
            | Self::Refused { target, .. } => Some(target),
            Self::Robots { .. } | Self::GuardedRobots(_) | Self::PostponedRobots(_) | Self::Sitemaps { .. } => None,
        }
    }

    /// The request that was made.
    pub fn request(&self) -> Option<&Request> {
        match self {
            Self::Page { request, .. } | Self::Check { request, .. } | Self::Robots { request, .. } => Some(request),
            Self::GuardedPage(_)
            | Self::GuardedRobots(_)
            | Self::PostponedPage(_)
            | Self::PostponedRobots(_)
            | Self::Sitemaps { .. }
            | Self::Refused { .. } => None,
        }
    }

    /// Why what was asked for, but for a robots.txt, did not answer, if it did not.
    pub fn failure(&self) -> Option<(FailureKind, &Arc<str>)> {
        match self {
            Self::Page { outcome: PageOutcome::Failed(Failure { kind, message }), .. }
            | Self::Page { outcome: PageOutcome::Retry(Retry { kind: Some(kind), message, .. }), .. } => {
                Some((*kind, message))
            }
            Self::Check { outcome: CheckOutcome::Retry { kind: Some(kind), message, .. }, .. } => {
                Some((*kind, message))
            }
            Self::Check {
                outcome: CheckOutcome::Found(Finding { status: None, failure: Some(word), .. }, _), ..
            } => FailureKind::from_word(word).map(|kind| (kind, word)),
            Self::Page {
                outcome: PageOutcome::Fetched(_) | PageOutcome::Retry(Retry { kind: None, .. }) | PageOutcome::Abandoned,
                ..
            } => None,
            Self::Check { .. }
            | Self::Robots { .. }
            | Self::GuardedPage(_)
            | Self::GuardedRobots(_)
            | Self::PostponedPage(_)
            | Self::PostponedRobots(_)
            | Self::Sitemaps { .. }
            | Self::Refused { .. } => None,
        }
    }

    /// The response that is to be stored.
    pub fn page(&self) -> Option<(&Target, &Arc<Page>)> {
        if let Self::Page { target, outcome: PageOutcome::Fetched(page), .. } = self {
            Some((target, page))
        } else {
            None
        }
    }

    /// The links that it brings, and where it redirects to.
    pub fn candidates(&self) -> (&[Candidate], Option<&Candidate>) {
        match self {
            Self::Page { outcome: PageOutcome::Fetched(page), .. } => (&page.links, page.redirect.as_ref()),
            Self::Page { outcome: PageOutcome::Failed(_) | PageOutcome::Retry(_) | PageOutcome::Abandoned, .. } => {
                (&[], None)
            }
            Self::Sitemaps { named, .. } => (named, None),
            Self::Check { .. }
            | Self::Robots { .. }
            | Self::GuardedPage(_)
            | Self::GuardedRobots(_)
            | Self::PostponedPage(_)
            | Self::PostponedRobots(_)
            | Self::Refused { .. } => (&[], None),
        }
    }

    /// About how many bytes it holds.
    pub fn weight(&self) -> usize {
        let Some((_, page)) = self.page() else { return 0 };
        let links: usize = page.links.iter().map(|link| link.url.as_str().len() + link.text.len() + 200).sum();
        let resources: usize = page.resources.iter().map(|part| part.url.as_str().len() + 200).sum();
        page.body.as_ref().map_or(0, Vec::len) + page.text.as_ref().map_or(0, String::len) + links + resources
    }

    /// What the schedule has to know if the store refuses this: the errand is over, and nothing came of it.
    pub fn refused(&self) -> Settlement {
        match self {
            Self::Check { target, .. } => target.left(),
            Self::GuardedPage(target) | Self::PostponedPage(target) if target.check.is_some() => target.left(),
            Self::Page { target, .. } | Self::GuardedPage(target) | Self::PostponedPage(target) => {
                Settlement::Ended { host: target.host, id: target.id }
            }
            Self::Refused { target, .. } if target.check.is_some() => target.left_unasked(),
            Self::Refused { target, .. } => Settlement::Refused { host: target.host, id: target.id },
            Self::Sitemaps { id, .. } => Settlement::Sitemaps { host: *id },
            Self::Robots { call, .. } | Self::GuardedRobots(call) | Self::PostponedRobots(call) => {
                Settlement::RefusedRobots { on_host: call.host, for_host: call.for_host }
            }
        }
    }

    /// What the schedule has to know once this is committed. `host_id` finds the row of the host that a redirect of a
    /// robots.txt leads to.
    pub fn settlement(&self, host_id: impl Fn(&Host) -> Option<HostId>) -> Settlement {
        match self {
            Self::Page { target, outcome, .. } => target.settlement(outcome),
            Self::Check { target, outcome, .. } => target.settlement_of_check(outcome),
            Self::GuardedPage(target) if target.check.is_some() => target.left(),
            Self::Refused { target, .. } if target.check.is_some() => target.left_unasked(),
            Self::GuardedPage(target) => Settlement::Ended { host: target.host, id: target.id },
            Self::Refused { target, .. } => Settlement::Refused { host: target.host, id: target.id },
            Self::Sitemaps { id, .. } => Settlement::Sitemaps { host: *id },
            Self::GuardedRobots(call) => call.answered(call.guarded_answer()),
            Self::PostponedPage(target) => Settlement::Postponed { target: target.clone() },
            Self::PostponedRobots(call) => Settlement::PostponedRobots { call: call.clone() },
            Self::Robots { call, outcome, .. } => match outcome {
                RobotsOutcome::Answered(answer) => call.answered(answer.clone()),
                RobotsOutcome::Again { url, hop, attempt, due_at } => Settlement::RobotsAgain {
                    host: call.for_host,
                    on_host: host_id(&url.host()).unwrap_or(call.host),
                    url: url.clone(),
                    hop: *hop,
                    attempt: *attempt,
                    due_at: *due_at,
                },
                RobotsOutcome::Abandoned => Settlement::Abandoned,
            },
        }
    }
}

impl Target {
    fn settlement(&self, outcome: &PageOutcome) -> Settlement {
        let (host, id) = (self.host, self.id);
        match outcome {
            PageOutcome::Fetched(_) => Settlement::Stored { host, id },
            PageOutcome::Failed(_) => Settlement::Ended { host, id },
            PageOutcome::Retry(Retry { due_at, .. }) => {
                let target = Self { attempts: self.attempts + 1, due_at: Some(*due_at), ..self.clone() };
                Settlement::Again { target }
            }
            PageOutcome::Abandoned => Settlement::Abandoned,
        }
    }

    /// Where a check stands after a request of it; none if it is over, or if the crawl is closing.
    pub fn after(&self, outcome: &CheckOutcome) -> Option<Self> {
        let check = self.check?;
        match outcome {
            CheckOutcome::Retry { due_at, .. } => {
                Some(Self { attempts: self.attempts + 1, due_at: Some(*due_at), ..self.clone() })
            }
            CheckOutcome::Whole => {
                let check = Some(Check { method: Method::Get, ..check });
                Some(Self { attempts: 0, due_at: None, check, ..self.clone() })
            }
            CheckOutcome::Moved(url) => {
                let (url, hops) = (url.clone(), self.hops + 1);
                Some(Self { url, hops, attempts: 0, due_at: None, ..self.clone() })
            }
            CheckOutcome::Found(..) | CheckOutcome::Abandoned => None,
        }
    }

    fn settlement_of_check(&self, outcome: &CheckOutcome) -> Settlement {
        match self.after(outcome) {
            _ if matches!(outcome, CheckOutcome::Abandoned) => Settlement::Abandoned,
            Some(target) if target.url.host() == self.url.host() => Settlement::Again { target },
            // What is asked of another host waits there.
            Some(_) | None => self.left(),
        }
    }

    fn left(&self) -> Settlement {
        Settlement::Checked { host: self.host, id: self.id, asked: true }
    }

    fn left_unasked(&self) -> Settlement {
        Settlement::Checked { host: self.host, id: self.id, asked: false }
    }
}

impl RobotsCall {
    /// What a robots.txt says that the address guard keeps from being asked for. Where a redirect leads says nothing of
    /// the host itself.
    pub fn guarded_answer(&self) -> RobotsAnswer {
        match self.hop {
            0 => RobotsAnswer::Private,
            _ => RobotsAnswer::Unreachable { status: None, failure: None },
        }
    }

    fn answered(&self, answer: RobotsAnswer) -> Settlement {
        Settlement::Robots { host: self.for_host, answer, attempts: self.attempt + 1 }
    }
}

/// How a host is to be treated after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rest {
    /// The host itself asked for time until then.
    pub asked_until: Option<Millis>,
    /// Whether the host answered (`Some(true)`), could not be connected to or hung (`Some(false)`).
    pub answered: Option<bool>,
    /// When the request started.
    pub started_at: Millis,
    /// This machine could make no connection.
    pub unmade: bool,
}

/// How an errand ended, as far as the schedule is concerned.
#[derive(Debug)]
pub enum Settlement {
    /// A page's response was stored.
    Stored {
        host: HostId,
        id: UrlId,
    },
    /// A request that ended without a stored response, for good.
    Ended {
        host: HostId,
        id: UrlId,
    },
    /// A refusal was stored.
    Refused {
        host: HostId,
        id: UrlId,
    },
    /// A host has no more to do with a check. Whether it was asked for it.
    Checked {
        host: HostId,
        id: UrlId,
        asked: bool,
    },
    /// A host's sitemaps are known URLs now.
    Sitemaps {
        host: HostId,
    },
    /// To be tried again at its `due_at`.
    Again {
        target: Target,
    },
    /// A refusal was not stored: meanwhile the URL may be fetched.
    Reprieved {
        target: Target,
    },
    /// Not even tried, for want of a descriptor on this machine.
    Postponed {
        target: Target,
    },
    Robots {
        host: HostId,
        answer: RobotsAnswer,
        attempts: u32,
    },
    /// Not even tried, for want of a descriptor on this machine.
    PostponedRobots {
        call: RobotsCall,
    },
    /// A robots.txt of a host that is not held any more, which was asked for on `on_host`.
    RefusedRobots {
        on_host: HostId,
        for_host: HostId,
    },
    /// Ask for robots.txt once more, on `on_host`.
    RobotsAgain {
        host: HostId,
        on_host: HostId,
        url: CanonicalUrl,
        hop: u32,
        attempt: u32,
        due_at: Millis,
    },
    /// The crawl is closing; nothing changed.
    Abandoned,
}

/// A response and what was read out of it.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub status: u16,
    /// Names lower case, values as received (bytes beyond ASCII read as Latin-1).
    pub headers: Vec<(String, String)>,
    pub content_type: Option<String>,
    pub charset: Option<String>,
    pub language: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub canonical_url: Option<String>,
    pub text: Option<String>,
    /// Content coding removed, charset untouched. None if the media type was not wanted.
    pub body: Option<Vec<u8>>,
    /// SHA-256 of the body.
    pub content_hash: Option<[u8; 32]>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub redirect: Option<Candidate>,
    pub links: Vec<Candidate>,
    /// What it is put together from, if that is to be checked.
    pub resources: Vec<Resource>,
    /// Of the addresses of its images and other media, a hash each.
    pub images: Vec<u64>,
    /// What stands in place of its images.
    pub captions: String,
    pub fetched_at: Millis,
    /// Until when the response says that it is fresh.
    pub fresh_until: Option<Millis>,
}
