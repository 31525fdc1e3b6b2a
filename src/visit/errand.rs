//! What is known before a request: links as judged, URLs that wait, their hosts, and the work handed out.

use std::sync::Arc;

use super::words::{CheckKind, Element, FailureKind, Landmark, Method, SkipReason, Way};
use crate::canonical::{CanonicalUrl, Host};

/// Milliseconds since the Unix epoch: the one notion of time that is stored, scheduled by and shown.
pub type Millis = i64;

/// Row id of a URL.
pub type UrlId = i64;
/// Row id of a trap, or of what may become one.
pub type TrapId = i64;
/// Row id of a host.
pub type HostId = i64;

/// A place of a page that a link names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fragment {
    /// Percent-decoded.
    pub text: String,
    /// As the URL has it, if that differs.
    pub raw: Option<String>,
}

impl Fragment {
    /// About how many bytes it takes.
    pub fn weight(&self) -> usize {
        self.text.len() + self.raw.as_ref().map_or(0, String::len) + size_of::<Self>()
    }
}

/// A link as a page states it, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub url: CanonicalUrl,
    /// Anchor text, white space collapsed.
    pub text: String,
    /// The `rel` attribute as written, lower case.
    pub rel: String,
    pub element: Element,
    /// Where on the page it stands, if in one of its landmarks.
    pub part: Option<Landmark>,
    /// The places of its target that it names, if these are checked: links that differ in nothing else are one.
    pub fragments: Vec<Fragment>,
    /// Whether the page lets crawlers follow it. A link that is not followed lends its target no depth.
    pub follow: bool,
    /// Why the target is not to be requested, as far as this link can tell.
    pub skip: Option<SkipReason>,
    /// The target is a sitemap: how many files from robots.txt, which names those of level 1.
    pub sitemap: Option<u32>,
    /// When the target changed last, as a sitemap says.
    pub lastmod: Option<Millis>,
}

impl Candidate {
    /// A link that may be followed, of which nothing else is known.
    pub fn new(url: CanonicalUrl, element: Element) -> Self {
        let (text, rel, part, fragments, skip, sitemap, lastmod) = Default::default();
        Self { url, text, rel, element, part, fragments, follow: true, skip, sitemap, lastmod }
    }

    /// How it leads to its target.
    pub fn way(&self) -> Way {
        match Way::of(self.element) {
            Way::Link if self.sitemap.is_some() => Way::Listing,
            way => way,
        }
    }
}

/// What a page's last response offered to make the next request conditional on (RFC 9110, section 8.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validators {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// What is asked of a target that is no page of the crawl: whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    pub kind: CheckKind,
    pub method: Method,
    /// It is a style sheet, of which is read what it names in turn: how many style sheets led here.
    pub sheet: Option<u32>,
}

/// A part of a page, or of a style sheet, that is a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    pub url: CanonicalUrl,
    /// The element that names it; a style sheet, or a style within the page, is `style`.
    pub element: &'static str,
    pub is_sheet: bool,
}

/// A URL that is committed as pending and waits in the frontier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub id: UrlId,
    pub host: HostId,
    pub url: CanonicalUrl,
    /// Links away from a seed.
    pub depth: u32,
    /// Redirects in a row that led here.
    pub hops: u32,
    /// Requests made for it so far in this run.
    pub attempts: u32,
    /// Not before this time.
    pub due_at: Option<Millis>,
    /// A page of it is stored: what is new comes first.
    pub known: bool,
    /// What the request is made conditional on.
    pub validators: Option<Arc<Validators>>,
    /// It was named as a sitemap: how many files from robots.txt.
    pub sitemap: Option<u32>,
    /// Only pages that this pays for name it ([`crate::policy::traps`]).
    pub trap: Option<TrapId>,
    /// It is not to be fetched but checked: its id is that of a check, and redirects lead from the URL that pages name to
    /// this one.
    pub check: Option<Check>,
}

impl Target {
    /// A URL met for the first time.
    pub fn new(id: UrlId, host: HostId, url: CanonicalUrl, depth: u32) -> Self {
        let (known, validators, sitemap, trap) = Default::default();
        let (hops, attempts, due_at, check) = (0, 0, None, None);
        Self { id, host, url, depth, hops, attempts, due_at, known, validators, sitemap, trap, check }
    }

    /// A URL to be checked.
    pub fn to_check(id: UrlId, host: HostId, url: CanonicalUrl, check: Check) -> Self {
        Self { check: Some(check), ..Self::new(id, host, url, 0) }
    }
}

/// What is known of a host when its first URL enters the frontier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRecord {
    pub id: HostId,
    pub host: Host,
    /// When the last request to it started, kept across restarts; 0 is never.
    pub asked_at: Millis,
    /// The host asked for rest until then (`Retry-After`), or is backing off.
    pub blocked_until: Millis,
    pub robots: Option<StoredRobots>,
    /// The number under which this process has taken it.
    pub epoch: i64,
    /// Responses that nodes stored of it in this invocation, as far as that is limited and others may have.
    pub stored: u64,
}

impl HostRecord {
    /// The hold of the process that takes it like this.
    pub fn hold(&self) -> Hold {
        Hold { host: self.id, epoch: self.epoch, asked_at: self.asked_at, blocked_until: self.blocked_until }
    }
}

/// A host that a process holds, and its clock: when it was asked last, and until when it must be left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    pub host: HostId,
    /// Whoever takes the host raises it: what is done under an older one counts no more.
    pub epoch: i64,
    pub asked_at: Millis,
    pub blocked_until: Millis,
}

/// A robots.txt as it was answered, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRobots {
    pub fetched_at: Millis,
    pub answer: RobotsAnswer,
}

/// The cases of RFC 9309, section 2.3.1, and the one before them: no connection at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RobotsAnswer {
    /// 2xx: the rules.
    Rules { status: u16, body: Vec<u8> },
    /// 3xx that leads nowhere, 4xx: everything is allowed.
    Unavailable { status: u16 },
    /// 5xx, or the connection stood but gave no usable answer: nothing is allowed until it answers.
    Unreachable { status: Option<u16>, failure: Option<FailureKind> },
    /// No connection: the host's URLs fail the same way.
    Dead { kind: FailureKind, message: Arc<str> },
    /// The address is not for crawling.
    Private,
}

/// Whether what was read of a host is all that waits there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complete {
    pub pages: bool,
    pub checks: bool,
}

/// One piece of work for a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// Fetch a robots.txt.
    Robots(RobotsCall),
    /// Fetch a page.
    Page(Target),
    /// Look whether a URL is there.
    Check(Target, Check),
    /// Take up the sitemaps `named` for a host, by its robots.txt or by custom; costs no request.
    Sitemaps { id: HostId, host: Host, named: Vec<CanonicalUrl> },
    /// Record why a page is not fetched; costs no request.
    Refuse { target: Target, verdict: Refusal },
}

/// A request for the robots.txt of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RobotsCall {
    /// The host that is asked: after a redirect another than `for_host`.
    pub host: HostId,
    pub for_host: HostId,
    pub url: CanonicalUrl,
    /// Redirects that led here.
    pub hop: u32,
    /// Requests made before.
    pub attempt: u32,
}

/// Why the frontier lets a URL go without a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Skip(SkipReason),
    /// Of a check: the host asks for more time than this invocation waits.
    Wait,
    /// The host is dead: how its last request failed.
    Fail {
        kind: FailureKind,
        message: Arc<str>,
        attempts: u32,
    },
}

/// Now, on the wall clock.
pub fn now() -> Millis {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
