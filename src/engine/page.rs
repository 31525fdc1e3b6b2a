//! A stored response, as whoever follows a crawl gets it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::canonical::CanonicalUrl;
use crate::visit::{self, Target};

/// A response that a crawl has stored. Cheap to clone.
///
/// A page that was not modified since an earlier run arrives with the status 304 and without a body: the database keeps
/// the one it has.
#[derive(Debug, Clone)]
pub struct Page {
    url: CanonicalUrl,
    depth: u32,
    response: Arc<visit::Page>,
}

/// A link on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link<'a> {
    /// The canonical URL that it leads to.
    pub url: &'a str,
    /// Its text, white space collapsed.
    pub text: &'a str,
    /// Its `rel` attribute, lower case; empty if it has none.
    pub rel: &'a str,
    /// The element it was found in, such as `a`, `iframe` or `sitemap`.
    pub element: &'a str,
    /// The part of the page it stands in: `main`, `nav`, `header`, `footer` or `aside`, the innermost; `None` outside
    /// of them.
    pub part: Option<&'a str>,
    /// Why its target is not fetched, as far as this link can tell: a reason of the view `skipped`.
    pub skipped: Option<&'a str>,
}

impl Page {
    pub(super) fn new(target: &Target, response: &Arc<visit::Page>) -> Self {
        Self { url: target.url.clone(), depth: target.depth, response: response.clone() }
    }

    /// The canonical URL.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Links away from a seed.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// The header fields in their order: names lower case, values as received, bytes beyond ASCII read as UTF-8 or else
    /// as Latin-1.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first header field of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The `Content-Type` as received.
    pub fn content_type(&self) -> Option<&str> {
        self.response.content_type.as_deref()
    }

    /// The title of an HTML page.
    pub fn title(&self) -> Option<&str> {
        self.response.title.as_deref()
    }

    /// The meta description of an HTML page.
    pub fn description(&self) -> Option<&str> {
        self.response.description.as_deref()
    }

    /// The readable text: no scripts, styles or mark-up, a line for each block.
    pub fn text(&self) -> Option<&str> {
        self.response.text.as_deref()
    }

    /// The body with its content coding removed and its charset untouched. None if its media type was not wanted.
    pub fn body(&self) -> Option<&[u8]> {
        self.response.body.as_deref()
    }

    /// The charset that the body was read in, lower case.
    pub fn charset(&self) -> Option<&str> {
        self.response.charset.as_deref()
    }

    /// The canonical URL that it redirects to.
    pub fn redirect_to(&self) -> Option<&str> {
        self.response.redirect.as_ref().map(|candidate| candidate.url.as_str())
    }

    /// The links, in the order of the page.
    pub fn links(&self) -> impl Iterator<Item = Link<'_>> {
        self.response.links.iter().map(|link| Link {
            url: link.url.as_str(),
            text: &link.text,
            rel: &link.rel,
            element: link.element.as_str(),
            part: link.part.map(visit::Landmark::as_str),
            skipped: link.skip.as_ref().map(visit::SkipReason::as_str),
        })
    }

    /// When the response was complete.
    pub fn fetched_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(self.response.fetched_at).unwrap_or(0))
    }
}
