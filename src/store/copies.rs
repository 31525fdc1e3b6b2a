//! Taking a crawl over from another database, table by table: a copy that was cut off says how far it is, and is gone on with.

use std::future::Future;
use std::path::PathBuf;

use super::StoreError;
use super::value::Value;

/// A table that both stores have.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// What it is called on PostgreSQL, where that is not its name.
    pub on_postgres: Option<&'static str>,
    /// The columns in whose order its rows are copied: together they differ from row to row.
    pub key: &'static [&'static str],
}

impl Table {
    const fn new(name: &'static str, key: &'static [&'static str]) -> Self {
        Self { name, on_postgres: None, key }
    }

    /// Where its rows are read from: of a file with bodies as they were received.
    pub fn read_from(&self, is_postgres: bool) -> &'static str {
        match self.name {
            "content" if !is_postgres => "_content",
            "old_content" if !is_postgres => "_old_content",
            _ => self.name_on(is_postgres),
        }
    }

    /// What it is called in a database of this kind.
    pub fn name_on(&self, is_postgres: bool) -> &'static str {
        self.on_postgres.filter(|_| is_postgres).unwrap_or(self.name)
    }
}

/// What a crawl is made of. Not copied is what belongs to a database itself: who holds it, its full-text index, which the next
/// search makes, and what was derived from pages, which the next `extract` does.
pub const TABLES: [Table; 23] = [
    Table::new("host", &["id"]),
    Table::new("url", &["id"]),
    Table::new("page", &["url_id"]),
    Table::new("content", &["url_id"]),
    Table::new("link", &["from_id", "position"]),
    Table::new("fragment", &["from_id", "position", "fragment"]),
    Table::new("edge", &["from_id", "to_id"]),
    Table::new("failure", &["url_id"]),
    Table { name: "fetch", on_postgres: Some("request"), key: &["id"] },
    Table::new("change", &["id"]),
    Table::new("old_content", &["id"]),
    Table::new("version", &["id"]),
    Table::new("seed", &["url_id"]),
    Table::new("seed_line", &["id"]),
    Table::new("heir", &["url_id", "seed_id"]),
    Table::new("trap", &["id"]),
    Table::new("probe", &["id"]),
    Table::new("resource", &["by_sheet", "from_id", "probe_id", "element"]),
    Table::new("run", &["id"]),
    Table::new("audit", &["run_id"]),
    Table::new("finding_kind", &["finding"]),
    Table::new("finding", &["run_id", "number"]),
    Table::new("meta", &["key"]),
];

/// The rows of `meta` that are of the crawl.
pub const META: [&str; 2] = ["config", "set_back"];

/// The row of `meta` that says how far a copy is.
pub const MARK: &str = "copy";

/// Refuses to crawl into what is not whole yet.
pub async fn must_be_whole(database: &mut impl Takes) -> Result<(), StoreError> {
    match database.mark().await? {
        None => Ok(()),
        Some(_) => Err(StoreError::Partial { path: database.path() }),
    }
}

/// A database that takes rows over.
pub trait Takes: Sized {
    /// Its file, or its URL without password.
    fn path(&self) -> PathBuf;

    /// Refuses to take rows over while somebody crawls into it.
    fn must_be_free(&mut self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// How far a copy into it is, if one was begun.
    fn mark(&mut self) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// Whether it holds nothing of a crawl.
    fn is_empty(&mut self) -> impl Future<Output = Result<bool, StoreError>>;

    /// The columns of a table that are copied if the other database has them.
    fn columns(&mut self, table: &Table) -> impl Future<Output = Result<Vec<String>, StoreError>>;

    /// Takes rows over, and says how far that is, both or nothing.
    fn put(
        &mut self,
        table: &Table,
        columns: &[String],
        rows: &[Vec<Value>],
        mark: &str,
    ) -> impl Future<Output = Result<(), StoreError>>;

    /// What comes after the last row: numbers that are given out go on behind those that were taken over.
    fn complete(&mut self) -> impl Future<Output = Result<(), StoreError>>;
}
