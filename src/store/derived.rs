//! What is derived from stored pages, beside a crawl too: which pages lack it, and what was derived.

use std::future::Future;

use crate::extract::derive::{Derived, Stored};
use crate::extract::items::Column;
use crate::extract::{Kind, Wanted};
use crate::visit::UrlId;

/// Why nothing can be derived: what the database says.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DerivedError(pub String);

/// A page that lacks something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    pub id: UrlId,
    /// Bytes of its body.
    pub size: u64,
    pub kinds: Vec<Kind>,
}

/// The row of `meta` that says that all articles were compared, and those of the rules.
pub const COMPARED: &str = "compared";
pub const RULES: [&str; 2] = ["rules", "rules_name"];

/// The rules by which items are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRules {
    /// The file they were read from.
    pub name: String,
    pub text: String,
}

/// A view with a column for each field of an item.
#[derive(Debug, Clone)]
pub struct ItemView {
    pub item: String,
    /// The names of the fields, and what they are.
    pub columns: Vec<(String, Column)>,
}

/// A database that derived data is kept in. Each call is a short transaction, so that a crawl finds its turn.
pub trait Derives {
    /// How many pages lack something.
    fn waiting(&mut self, wanted: &Wanted) -> impl Future<Output = Result<i64, DerivedError>> + Send;

    /// Whether anything was derived.
    fn has_any(&mut self) -> impl Future<Output = Result<bool, DerivedError>> + Send;

    /// The last page there is.
    fn last_page(&mut self) -> impl Future<Output = Result<UrlId, DerivedError>> + Send;

    /// Pages behind `after` that lack something, in their order.
    fn lacking(
        &mut self,
        wanted: &Wanted,
        after: UrlId,
        at_most: i64,
    ) -> impl Future<Output = Result<Vec<Lacking>, DerivedError>> + Send;

    /// What is stored of these pages, as far as they still have bodies of a response of status 200.
    fn load(&mut self, pages: &[Lacking]) -> impl Future<Output = Result<Vec<Stored>, DerivedError>> + Send;

    /// Keeps what was derived instead of what there was, and tells of how many pages somebody else had done the same meanwhile.
    fn keep(
        &mut self,
        derived: &[Derived],
        wanted: &Wanted,
    ) -> impl Future<Output = Result<usize, DerivedError>> + Send;

    /// Drops what was derived from pages whose body is not that of a response of status 200 any more.
    fn drop_gone(&mut self) -> impl Future<Output = Result<(), DerivedError>> + Send;

    /// Whether all articles that there are were compared.
    fn is_near_current(&mut self) -> impl Future<Output = Result<bool, DerivedError>> + Send;

    /// The simhashes of articles; of those with byte-identical bodies that of one.
    fn simhashes(&mut self) -> impl Future<Output = Result<Vec<(UrlId, u64)>, DerivedError>> + Send;

    /// Keeps which articles are near each other instead of what there was.
    fn keep_near(&mut self, pairs: &[(UrlId, UrlId, u32)]) -> impl Future<Output = Result<(), DerivedError>> + Send;

    /// The rules that items were found by last.
    fn rules(&mut self) -> impl Future<Output = Result<Option<StoredRules>, DerivedError>> + Send;

    /// Takes these rules instead, drops items that they do not name, and makes a view for each that they do.
    fn keep_rules(
        &mut self,
        rules: &StoredRules,
        views: &[ItemView],
    ) -> impl Future<Output = Result<(), DerivedError>> + Send;
}
