//! Pages, and most of what a batch of records writes.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use serde::Serialize;

use crate::policy::life;
use crate::store::failed::Failed;
use crate::visit::{HostId, Millis, Page, State, TrapId, UrlId};

use super::urls::Seeded;

/// A URL that was asked for, as it stood before.
#[derive(Debug)]
pub struct Past {
    pub state: State,
    pub depth: u32,
    pub is_sitemap: bool,
    pub lastmod: Option<Millis>,
    pub trap: Option<TrapId>,
    pub page: Option<life::Past>,
}

/// Rows of many kinds that one batch writes, each kind by one statement.
#[derive(Debug, Default)]
pub struct Gathered {
    pub states: Vec<StateRow>,
    pub fetches: Vec<FetchRow>,
    /// Host, and when its certificate expires.
    pub certificates: Vec<(HostId, Millis)>,
    /// Pages whose stored links are replaced.
    pub replaced: Vec<UrlId>,
    pub links: Vec<LinkRow>,
    pub plain_links: Vec<PlainLink>,
    pub fragments: Vec<FragmentRow>,
    pub edges: Vec<Edge>,
    pub failures: Vec<FailureRow>,
    pub pages: Vec<PageRow>,
    /// Run, id, what became of it, when.
    pub changes: Vec<(i64, UrlId, &'static str, Millis)>,
    pub kept_alive: Vec<KeptAlive>,
    /// Pages whose words the full-text index does not have.
    pub unindexed: Vec<UrlId>,
}

/// From, position, to, text, rel, element, follow, part.
pub type LinkRow = (UrlId, usize, UrlId, String, String, &'static str, bool, Option<&'static str>);

/// A link from an `<a>` without `rel` that is followed, as almost every one: from, position, to, text, part. Those of one
/// page stand together.
pub type PlainLink = (UrlId, usize, UrlId, String, Option<&'static str>);

/// From, position of the link, fragment, the same as the URL has it if that differs, to.
pub type FragmentRow = (UrlId, usize, String, Option<String>, UrlId);

/// From, to, whether it is a step: what a depth is passed on along when links are not stored.
pub type Edge = (UrlId, UrlId, bool);

/// Id, kind, message, attempts.
pub type FailureRow = (UrlId, &'static str, Arc<str>, u32);

/// Of a page that was not modified: id, time of the answer, how long it took, interval, until when it is fresh, what
/// counts as kept.
pub type KeptAlive = (UrlId, Millis, u64, Millis, Option<Millis>, u8);

/// Id, state, reason, attempts, not before, how long after it was fetched the page is due again (none: as before).
pub type StateRow = (UrlId, u8, Option<String>, u32, Option<Millis>, Option<Millis>);

/// A request.
#[derive(Debug, Serialize)]
pub struct FetchRow {
    pub run: i64,
    pub id: Option<UrlId>,
    /// Of a robots.txt, which has no row of its own.
    pub url: Option<String>,
    pub at: Millis,
    pub status: Option<u16>,
    pub failure: Option<&'static str>,
    pub elapsed: u64,
    pub bytes: u64,
    pub unchanged: bool,
}

/// A page, but for its text and body.
#[derive(Debug, Serialize)]
pub struct PageRow {
    pub id: UrlId,
    pub status: u16,
    pub content_type: Option<String>,
    pub charset: Option<String>,
    pub language: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub canonical_url: Option<String>,
    pub size: usize,
    pub content_hash: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub redirect_to: Option<UrlId>,
    pub fetched_at: Millis,
    pub changed_at: Millis,
    pub elapsed: u64,
    /// An array of pairs, as JSON.
    pub headers: String,
    pub fingerprint: Option<String>,
    pub gone: bool,
    pub new_run: Option<i64>,
    pub new_at: Option<Millis>,
    pub interval: Option<Millis>,
    pub fresh_until: Option<Millis>,
    pub kept: u8,
}

pub trait Pages {
    /// How URLs stand, with their pages.
    fn past(&mut self, ids: &[UrlId]) -> impl Future<Output = Result<HashMap<UrlId, Past, Seeded>, Failed>> + Send;

    /// What a URL failed with last: the run, when, and the message.
    fn last_failure(&mut self, id: UrlId)
    -> impl Future<Output = Result<Option<(i64, Millis, String)>, Failed>> + Send;

    /// Keeps what a page is before another answer replaces it, and of its older versions the last `keep`. The one kept
    /// last takes on the newer time if its content is the same.
    fn keep_version(&mut self, id: UrlId, keep: u32) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Before a known page is replaced by `page`: keeps the words with which it is in the full-text index, if they change
    /// and the index needs them. Whether the page is to be indexed again.
    fn put_aside(&mut self, id: UrlId, page: &Page) -> impl Future<Output = Result<bool, Failed>> + Send;

    /// With `compress`, the body takes less space. A database that compresses by itself need not heed it.
    fn write_content(
        &mut self,
        id: UrlId,
        text: Option<String>,
        body: Option<Vec<u8>>,
        compress: bool,
    ) -> impl Future<Output = Result<(), Failed>> + Send;

    fn write_pages(&mut self, pages: &[PageRow]) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Writes all of it.
    fn write(&mut self, gathered: &Gathered) -> impl Future<Output = Result<(), Failed>> + Send;
}
