//! What travels through the crawl: candidates, targets, errands, and the record each errand ends as. Data only.

use std::sync::Arc;
use std::time::Duration;

use crate::canonical::{CanonicalUrl, Host};

/// Milliseconds since the Unix epoch: the one notion of time that is stored, scheduled by and shown.
pub type Millis = i64;

/// Row id of a URL.
pub type UrlId = i64;
/// Row id of a host.
pub type HostId = i64;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant),* }
        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
            /// The word used in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
            /// Reads the word back.
            pub fn from_word(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

named! {
    /// Why a known URL is deliberately not requested.
    SkipReason {
        Scope = "scope",
        Excluded = "excluded",
        Depth = "depth",
        Robots = "robots",
        RobotsUnreachable = "robots_unreachable",
        Nofollow = "nofollow",
        PrivateAddress = "private_address",
        UrlTooLong = "url_too_long",
    }
}

named! {
    /// Why a request gave no usable response.
    FailureKind {
        Dns = "dns",
        Connect = "connect",
        Tls = "tls",
        Timeout = "timeout",
        /// Cut off before a whole response.
        Closed = "closed",
        /// What answered does not speak HTTP.
        Protocol = "protocol",
        /// Broken or unsupported content coding.
        Decode = "decode",
        TooLarge = "too_large",
        /// Loop, too many hops, or no usable target.
        Redirect = "redirect",
    }
}

named! {
    /// The element (or header) a link was found in.
    Element {
        A = "a",
        Area = "area",
        Iframe = "iframe",
        Frame = "frame",
        Link = "link",
        Meta = "meta",
        Redirect = "redirect",
        /// Not an element of a page: the file is a sitemap, or robots.txt names the target as one.
        Sitemap = "sitemap",
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
    /// The depth of its target. However many files a sitemap is spread over, what it names is one link from the site.
    pub fn depth_below(&self, depth: u32) -> u32 {
        let listed = self.element == Element::Sitemap || self.sitemap.is_some();
        if listed { depth.max(1) } else { depth + 1 }
    }
}

/// What a page's last response offered to make the next request conditional on (RFC 9110, section 8.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validators {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
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
}

impl Target {
    /// A URL met for the first time.
    pub fn new(id: UrlId, host: HostId, url: CanonicalUrl, depth: u32) -> Self {
        let (known, validators, sitemap) = Default::default();
        Self { id, host, url, depth, hops: 0, attempts: 0, due_at: None, known, validators, sitemap }
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

/// One piece of work for a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// Fetch the robots.txt of `for_host` at `url`, which after a redirect may lie on another host.
    Robots { host: HostId, for_host: HostId, url: CanonicalUrl, hop: u32, attempt: u32 },
    /// Fetch a page.
    Page(Target),
    /// Take up the sitemaps `named` for a host, by its robots.txt or by custom; costs no request.
    Sitemaps { id: HostId, host: Host, named: Vec<CanonicalUrl> },
    /// Record why a page is not fetched; costs no request.
    Refuse { target: Target, verdict: Refusal },
}

/// Why the frontier lets a URL go without a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Skip(SkipReason),
    /// The host is dead: how its last request failed.
    Fail {
        kind: FailureKind,
        message: Arc<str>,
        attempts: u32,
    },
}

/// One request, for the log of every request ever made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub at: Millis,
    pub elapsed: Duration,
    pub status: Option<u16>,
    pub failure: Option<FailureKind>,
    /// Body bytes read, after the content coding was removed.
    pub bytes: u64,
}

/// What an errand ended as.
#[derive(Debug)]
pub struct Record {
    pub errand: Errand,
    /// The request that was made; none for a refusal or a guarded address.
    pub request: Option<Request>,
    pub outcome: Outcome,
    /// How long the host rests after this, and what it asked for.
    pub rest: Rest,
}

impl Record {
    /// About how many bytes it holds.
    pub fn weight(&self) -> usize {
        let Outcome::Fetched(page) = &self.outcome else { return 0 };
        let links: usize = page.links.iter().map(|link| link.url.as_str().len() + link.text.len() + 200).sum();
        page.body.as_ref().map_or(0, Vec::len) + page.text.as_ref().map_or(0, String::len) + links
    }
}

/// The fate of one URL.
#[derive(Debug)]
pub enum Outcome {
    /// A response was received.
    Fetched(Box<Page>),
    /// No usable response, and no more tries.
    Failed { kind: FailureKind, message: Arc<str>, attempts: u32 },
    /// Not requested.
    Skipped(SkipReason),
    /// Pending again: to be tried once more at `due_at`.
    Retry { due_at: Millis, kind: Option<FailureKind>, message: Arc<str> },
    /// Pending as it was: the crawl was stopped before an answer came.
    Abandoned,
    /// What robots.txt says.
    Robots(RobotsAnswer),
    /// robots.txt is elsewhere, or is to be asked for again.
    RobotsAgain { url: CanonicalUrl, hop: u32, attempt: u32, due_at: Millis },
    /// The host's sitemaps, judged.
    Sitemaps(Vec<Candidate>),
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
    /// A host's sitemaps are known URLs now.
    Sitemaps {
        host: HostId,
    },
    /// To be tried again at its `due_at`.
    Again {
        target: Target,
    },
    Robots {
        host: HostId,
        answer: RobotsAnswer,
        attempts: u32,
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
#[derive(Debug, Default)]
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
    pub fetched_at: Millis,
    /// Until when the response says that it is fresh.
    pub fresh_until: Option<Millis>,
}

/// Now, on the wall clock.
pub fn now() -> Millis {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
