//! What is asked for and what is answered, however it is fetched.

use std::fmt;
use std::pin::Pin;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::canonical::{CanonicalUrl, Host};
use crate::parse::body::Body;
use crate::parse::memory::Memory;
use crate::visit::{FailureKind, Lease, Method, Millis, Validators};

/// Answers requests.
pub trait Fetch: fmt::Debug + Send + Sync {
    /// Gets what a URL holds. Never waits for a host to rest, and ends by itself if the server stops sending.
    fn fetch<'a>(&'a self, request: Request<'a>) -> Fetching<'a>;

    /// No request is to be sent once this lease has ended.
    fn under(&self, lease: Lease) {
        let _ = lease;
    }

    /// Nothing more is to be asked of a host for now: what is kept for its next request can go.
    fn leave(&self, host: &Host) {
        let _ = host;
    }

    /// When the certificate expires that the host of this URL showed since this was asked last; none if it showed none.
    fn certificate_expires_at(&self, url: &CanonicalUrl) -> Option<Millis> {
        let _ = url;
        None
    }
}

/// A request in flight, until it is answered.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Response, FetchError>> + Send + 'a>>;

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub url: &'a CanonicalUrl,
    pub method: Method,
    /// A seed names its host, so its address may be private.
    pub licensed: bool,
    /// The body is wanted only if it changed since the response that gave these.
    pub validators: Option<&'a Validators>,
    /// How much of the body is read, by status and headers.
    pub wants: &'a (dyn Fn(u16, &HeaderMap) -> Read + Sync),
    /// The budget that its body takes from.
    pub memory: &'a Memory,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, method, licensed, validators, wants: _, memory: _ } = self;
        let mut debug = f.debug_struct("Request");
        debug.field("url", url).field("method", method).field("licensed", licensed);
        debug.field("validators", validators).finish_non_exhaustive()
    }
}

/// How much of a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// It is left on the wire.
    Nothing,
    /// All of it, up to so many bytes; more is a failure `too_large`.
    Whole(u64),
    /// So many bytes; what follows is left on the wire.
    Start(usize),
}

impl Read {
    /// How many bytes that is at most.
    pub(super) fn limit(self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Whole(bytes) => bytes,
            Self::Start(bytes) => bytes as u64,
        }
    }

    /// Adds a chunk to a body; true if that is as much of it as is wanted.
    pub(super) fn take(self, body: &mut Body, chunk: &[u8], memory: &Memory) -> Result<bool, FetchError> {
        let (chunk, is_enough) = match self {
            Self::Nothing => return Ok(true),
            Self::Start(wanted) => {
                let left = wanted - body.len();
                (&chunk[..chunk.len().min(left)], chunk.len() >= left)
            }
            Self::Whole(max) if body.len() as u64 + chunk.len() as u64 > max => {
                return Err(FetchError::failed(FailureKind::TooLarge, format!("body is larger than {max} bytes")));
            }
            Self::Whole(_) => (chunk, false),
        };
        body.push(chunk, memory).map_err(|_| FetchError::Shortage)?;
        Ok(is_enough)
    }
}

/// A response, whole or as much of it as was wanted.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    /// Without its content codings. None if nothing of it was wanted, or if it could not be read and the status says
    /// enough.
    pub body: Option<Body>,
}

impl Response {
    /// A response whose body was read, or tried to. What is wrong with the body of an error page (RFC 9110, sections 15.5
    /// and 15.6) takes nothing from its status.
    pub(super) fn new(
        status: u16,
        headers: HeaderMap,
        body: Result<Option<Body>, FetchError>,
    ) -> Result<Self, FetchError> {
        let body = if status >= 400 { body.unwrap_or_default() } else { body? };
        Ok(Self { status, headers, body })
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| latin1(value.as_bytes()))
    }

    /// The Content-Type, all its lines in one (RFC 9110, section 5.3).
    pub fn content_type(&self) -> Option<String> {
        let lines = self.headers.get_all(CONTENT_TYPE).iter().map(|value| latin1(value.as_bytes()));
        lines.reduce(|lines, line| format!("{lines}, {line}"))
    }
}

/// Header bytes as text: UTF-8 if they are, else each byte a Latin-1 character.
pub fn latin1(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|&byte| char::from(byte)).collect(), str::to_owned)
}

/// Why a request gave no usable response.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FetchError {
    /// The address is not for crawling, and no seed names this host.
    #[error("the address is not a public one")]
    Private,
    /// No request was made: this machine has no descriptor left for a connection, which says nothing of the host.
    #[error("this machine has no file descriptor left for a connection")]
    Shortage,
    /// No request was made: others may have taken the host, since this process's lease has ended.
    #[error("the lease of this process has ended")]
    Lapsed,
    /// There was an answer, in no form that the HTTP library reads. Another request may bring one that is read, since the
    /// host's answers are read leniently from now on.
    #[error("{message}")]
    Misread { kind: FailureKind, message: String },
    #[error("{message}")]
    Failed {
        kind: FailureKind,
        message: String,
        /// No connection stood.
        unconnected: bool,
    },
}

impl FetchError {
    pub(crate) fn failed(kind: FailureKind, message: impl Into<String>) -> Self {
        Self::Failed { kind, message: message.into(), unconnected: false }
    }
}
