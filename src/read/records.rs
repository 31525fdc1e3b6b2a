//! Rows of the views `pages` and `links` as plain structs.

use super::error::ReadError;
use super::row::Row;

/// A row of the view `pages`: the latest response of a URL. Times are ISO 8601 in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageRow {
    /// The canonical URL.
    pub url: String,
    /// Scheme, host and port.
    pub host: String,
    /// The HTTP status; pages of errors are pages too.
    pub status: u16,
    /// Content-Type as received.
    pub content_type: Option<String>,
    /// The encoding the text was read in.
    pub charset: Option<String>,
    /// What the page says of its language.
    pub language: Option<String>,
    /// The title, white space collapsed.
    pub title: Option<String>,
    /// The meta description.
    pub description: Option<String>,
    /// What the page names as its canonical URL.
    pub canonical_url: Option<String>,
    /// The readable text, without markup.
    pub text: Option<String>,
    /// Bytes of the body.
    pub size: i64,
    /// SHA-256 of the body, in hex.
    pub content_hash: Option<String>,
    /// ETag as received.
    pub etag: Option<String>,
    /// Last-Modified as received.
    pub last_modified: Option<String>,
    /// Where a redirect leads.
    pub redirect_to: Option<String>,
    /// Links away from a seed, on the shortest path known.
    pub depth: u32,
    /// The page through which it was found; `None` for a seed.
    pub referrer: Option<String>,
    /// When the URL was first seen.
    pub first_seen_at: String,
    /// When this response was received.
    pub fetched_at: String,
    /// When the response last differed from the one before.
    pub changed_at: String,
    /// Milliseconds from the request to the end of the body.
    pub elapsed_ms: i64,
}

impl PageRow {
    pub(super) fn read(row: &Row) -> Result<Self, ReadError> {
        Ok(Self {
            url: row.get("url")?,
            host: row.get("host")?,
            status: row.get("status")?,
            content_type: row.get("content_type")?,
            charset: row.get("charset")?,
            language: row.get("language")?,
            title: row.get("title")?,
            description: row.get("description")?,
            canonical_url: row.get("canonical_url")?,
            text: row.get("text")?,
            size: row.get("size")?,
            content_hash: row.get("content_hash")?,
            etag: row.get("etag")?,
            last_modified: row.get("last_modified")?,
            redirect_to: row.get("redirect_to")?,
            depth: row.get("depth")?,
            referrer: row.get("referrer")?,
            first_seen_at: row.get("first_seen_at")?,
            fetched_at: row.get("fetched_at")?,
            changed_at: row.get("changed_at")?,
            elapsed_ms: row.get("elapsed_ms")?,
        })
    }
}

/// A row of the view `links`: one link of a page, in its latest version.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkRow {
    /// The page the link is on.
    pub from_url: String,
    /// Where it leads.
    pub to_url: String,
    /// The link's text, white space collapsed.
    pub text: String,
    /// Its rel attribute, lower case.
    pub rel: String,
    /// The element it was found in: a, area, iframe, frame, link or meta.
    pub element: String,
    /// The part of the page it stands in: main, nav, header, footer or aside, the innermost; `None` outside of them.
    pub part: Option<String>,
}

impl LinkRow {
    pub(super) fn read(row: &Row) -> Result<Self, ReadError> {
        Ok(Self {
            from_url: row.get("from_url")?,
            to_url: row.get("to_url")?,
            text: row.get("text")?,
            rel: row.get("rel")?,
            element: row.get("element")?,
            part: row.get("part")?,
        })
    }
}
