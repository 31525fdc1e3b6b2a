//! Checks: what pages name and the crawl does not fetch. A check stands beside the URLs of the crawl, waits on its host as
//! they do, and is none of them. `me` is the number of this invocation.

use std::future::Future;
use std::sync::Arc;

use crate::store::failed::Failed;
use crate::visit::{CheckKind, HostId, Millis, SkipReason, Target, UrlId};

use super::urls::Woken;

/// A URL to check.
#[derive(Debug)]
pub struct NewCheck {
    pub url: String,
    pub host: HostId,
    pub kind: CheckKind,
    pub sheet: Option<u32>,
}

/// Where something is named: by a page, or by a style sheet, which is a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    Page(UrlId),
    Sheet(UrlId),
}

impl NamedBy {
    /// The columns `by_sheet` and `from_id`.
    pub fn columns(self) -> (u8, UrlId) {
        match self {
            Self::Page(id) => (0, id),
            Self::Sheet(id) => (1, id),
        }
    }
}

/// What became of checks, as one transaction writes it.
#[derive(Debug, Default)]
pub struct CheckRows {
    /// Where those stand that are not over.
    pub moved: Vec<Target>,
    pub found: Vec<FoundRow>,
    /// Pages and style sheets that were read: what they named before counts no more.
    pub read: Vec<NamedBy>,
    /// What they name now, and the element that names it.
    pub named: Vec<(NamedBy, String, &'static str)>,
}

/// What was found.
#[derive(Debug)]
pub struct FoundRow {
    pub id: UrlId,
    /// How the last request asked; none if there was no request.
    pub asked: Option<&'static str>,
    pub status: Option<u16>,
    pub failure: Option<Arc<str>>,
    pub final_url: String,
    pub verdict: &'static str,
    pub at: Millis,
}

pub trait Checks {
    /// Inserts those that nobody knows, each of them once, and answers with these. A known one that a page names as a style sheet
    /// for the first time is to be asked for anew, as a whole.
    fn insert_checks(&mut self, me: i64, new: &[NewCheck]) -> impl Future<Output = Result<Vec<Woken>, Failed>> + Send;

    fn write_checks(&mut self, rows: &CheckRows) -> impl Future<Output = Result<(), Failed>> + Send;

    /// The first checks of these hosts that wait, of each as many as is said beside it.
    fn waiting_checks(&mut self, hosts: &[(HostId, usize)])
    -> impl Future<Output = Result<Vec<Target>, Failed>> + Send;

    /// Whether any check waits.
    fn are_checks_left(&mut self) -> impl Future<Output = Result<bool, Failed>> + Send;

    /// Checks of these kinds alone are made, and of targets of links those that are skipped for one of these reasons: what else
    /// waits does so no more. What is a target of links no more may still be named as a resource.
    fn leave_checks(
        &mut self,
        kinds: &[CheckKind],
        reasons: &[SkipReason],
    ) -> impl Future<Output = Result<(), Failed>> + Send;

    /// The first `limit` checks of an id after `after` that wait, by id, each with the URL that is to be asked for.
    fn waiting_urls(
        &mut self,
        after: UrlId,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<(UrlId, String)>, Failed>> + Send;

    /// These wait no more.
    fn drop_checks(&mut self, checks: &[UrlId]) -> impl Future<Output = Result<(), Failed>> + Send;

    /// A new run makes all checks anew. Forgets resources that nothing names any more.
    fn renew_checks(&mut self) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Forgets targets of links, if links are stored, that no page leads to any more.
    fn forget_unlinked(&mut self) -> impl Future<Output = Result<(), Failed>> + Send;

    /// The first `limit` URLs of an id after `after` that are skipped for one of these reasons, with their hosts, by id.
    fn skipped_for(
        &mut self,
        reasons: &[SkipReason],
        after: UrlId,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<(UrlId, String, HostId)>, Failed>> + Send;
}
