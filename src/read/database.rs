//! A crawl's database, open for questions.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::fallible_iterator::FallibleIterator as _;

use crate::canonical::CanonicalUrl;
use crate::store::sqlite::{file_path, schema};

use super::connection;
use super::error::ReadError;
use super::records::{LinkRow, PageRow};
use super::row::Row;
use super::statement::{Rows, Statement};
use super::value::Value;

/// A crawl's database, open for questions and for nothing else. A crawl may write to it meanwhile: each question is
/// answered as of one commit, and [`snapshot`](Self::snapshot) makes that hold for several.
///
/// It can be sent to another thread, and is used by one at a time; any number can be open at once.
#[derive(Debug)]
pub struct Database {
    db: Connection,
    path: PathBuf,
}

impl Database {
    /// Opens the database at a path, which may be written as `sqlite://PATH`. One of an earlier version is read as it
    /// is: views that it lacks are missing until the next crawl brings it up to date.
    ///
    /// # Errors
    ///
    /// [`ReadError::Missing`] if nothing is there, [`ReadError::Open`] if it cannot be opened or holds no crawl.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let path = path.to_str().map_or_else(
            || path.to_owned(),
            |text| {
                let Ok(path) = file_path(text);
                path
            },
        );
        Ok(Self { db: connection::open(&path)?, path })
    }

    /// Where its file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All pages that ever answered, each with its latest response, as the view `pages` has them.
    ///
    /// # Errors
    ///
    /// [`ReadError::Failed`] if the file cannot be read. Each item may fail too.
    pub fn pages(&self) -> Result<impl Iterator<Item = Result<PageRow, ReadError>>, ReadError> {
        let rows = self.query("select * from pages", [])?;
        Ok(rows.map(|row| PageRow::read(&row?)))
    }

    /// The links of a page, as the view `links` has them; none if the page is not known or has no links.
    ///
    /// # Errors
    ///
    /// [`ReadError::Failed`] if the file cannot be read. Each item may fail too.
    pub fn links_from(&self, url: &str) -> Result<impl Iterator<Item = Result<LinkRow, ReadError>>, ReadError> {
        let url = CanonicalUrl::parse(url).map_or_else(|_| url.to_owned(), |url| url.to_string());
        let rows = self.query("select * from links where from_url = ?1", [url.into()])?;
        Ok(rows.map(|row| LinkRow::read(&row?)))
    }

    /// Asks a question in SQL. The values take the place of its parameters `?1`, `?2` and so on; parameters without a
    /// value are NULL.
    ///
    /// ```no_run
    /// # use harvestman::read::{Database, ReadError};
    /// # fn main() -> Result<(), ReadError> {
    /// let db = Database::open("crawl.db")?;
    /// for row in db.query("select url, size from pages where size > ?1", [1_000_000.into()])? {
    ///     let row = row?;
    ///     println!("{} has {} bytes", row.get::<&str>("url")?, row.get::<i64>("size")?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReadError::Sql`] if it is not sound, also if it is several statements or has less parameters than values;
    /// [`ReadError::Refused`] if it does more than read. Each row may fail too.
    pub fn query(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<Rows<'_>, ReadError> {
        let mut statement = self.prepare(sql)?;
        values.into_iter().enumerate().try_for_each(|(index, value)| statement.bind(index, value))?;
        Ok(statement.rows())
    }

    /// The first row of an answer, or none. For questions that have one row.
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query).
    pub fn first(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<Option<Row>, ReadError> {
        self.query(sql, values)?.next().transpose()
    }

    /// A statement whose parameters are still to get their values.
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query).
    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>, ReadError> {
        self.db.prepare(sql).map(Statement::new).map_err(|e| ReadError::of(&e))
    }

    /// All statements of a text that holds several, with `;` between them.
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query).
    pub fn prepare_all(&self, sql: &str) -> Result<Vec<Statement<'_>>, ReadError> {
        rusqlite::Batch::new(&self.db, sql)
            .map(|statement| Ok(Statement::new(statement)))
            .collect()
            .map_err(|e| ReadError::of(&e))
    }

    /// From now on until the answer is dropped, all questions see the database as of this moment.
    ///
    /// # Errors
    ///
    /// [`ReadError::Failed`] if the file cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, ReadError> {
        // As long as one statement is unfinished, all others of its connection see the database as that one does.
        let mut rows = self.query("select name from sqlite_master", [])?;
        rows.next().transpose()?;
        Ok(Snapshot { _rows: rows })
    }

    /// Whether the database lacks what this version added to it. The next crawl brings it up to date.
    pub fn is_of_an_earlier_version(&self) -> bool {
        schema::is_of_an_earlier_version(&self.db)
    }
}

/// Holds the database still for its reader: see [`Database::snapshot`].
#[derive(Debug)]
pub struct Snapshot<'db> {
    _rows: Rows<'db>,
}
