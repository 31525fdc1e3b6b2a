//! When known pages are due again.

use std::future::Future;

use crate::policy::due::Facts;
use crate::store::failed::Failed;
use crate::visit::{Millis, State, UrlId};

use super::urls::Woken;

/// A URL, and what the time depends on at which it is due again.
#[derive(Debug)]
pub struct Timed {
    pub id: UrlId,
    pub state: State,
    /// None if no page of it is stored.
    pub facts: Option<Facts>,
    pub lastmod: Option<Millis>,
    /// How long after it was fetched it is due, as stored.
    pub recrawl: Option<Millis>,
}

pub trait Times {
    /// Whether the times were never computed: an earlier version stored none.
    fn lacks_times(&mut self) -> impl Future<Output = Result<bool, Failed>> + Send;

    /// The first `limit` known pages of an id after `after`, by id.
    fn known_pages(&mut self, after: UrlId, limit: i64) -> impl Future<Output = Result<Vec<Timed>, Failed>> + Send;

    fn set_recrawl(&mut self, times: &[(UrlId, Millis)]) -> impl Future<Output = Result<(), Failed>> + Send;

    fn timed(&mut self, ids: &[UrlId]) -> impl Future<Output = Result<Vec<Timed>, Failed>> + Send;

    /// Id, when a sitemap says that it changed last, how long after it was fetched it is due.
    fn set_lastmods(
        &mut self,
        times: &[(UrlId, Option<Millis>, Option<Millis>)],
    ) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Makes known pages pending.
    fn wake(&mut self, me: i64, ids: &[UrlId]) -> impl Future<Output = Result<Vec<Woken>, Failed>> + Send;
}
