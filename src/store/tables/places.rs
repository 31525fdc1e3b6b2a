//! Places of pages that links name by their fragments.

use std::future::Future;

use crate::store::failed::Failed;
use crate::visit::{Fragment, Millis, UrlId};

/// A page that fragments lead to.
#[derive(Debug)]
pub struct Sought {
    pub id: UrlId,
    /// When its content changed last.
    pub changed_at: Millis,
    pub charset: Option<String>,
    pub body: Vec<u8>,
    pub fragments: Vec<Fragment>,
}

pub trait Places: Send {
    /// The first page of an id after `after` that fragments lead to, which were not looked for in what it holds now: HTML of
    /// status 200 whose body is stored.
    fn sought(&mut self, after: UrlId) -> impl Future<Output = Result<Option<Sought>, Failed>> + Send;

    /// All fragments that lead to a page were looked for in what it holds since `changed_at`, and these are missing.
    fn keep_missing(
        &mut self,
        id: UrlId,
        changed_at: Millis,
        missing: &[&Fragment],
    ) -> impl Future<Output = Result<(), Failed>> + Send;
}
