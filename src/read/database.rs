//! A crawl's database, open for questions.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::canonical::CanonicalUrl;
use crate::store::StoreError;
use crate::store::postgres::is_postgres;
use crate::store::sqlite::file_path;

use super::driver::Driver;
use super::error::ReadError;
use super::hit::Hit;
use super::postgres::Postgres;
use super::records::{LinkRow, PageRow};
use super::row::Row;
use super::sqlite::Sqlite;
use super::statement::{Rows, Statement};
use crate::store::value::Value;

/// A crawl's database, open for questions and for nothing else. A crawl may write to it meanwhile: each question is
/// answered as of one commit, and [`snapshot`](Self::snapshot) makes that hold for several.
///
/// It can be sent to another thread, and is used by one at a time; any number can be open at once.
#[derive(Debug)]
pub struct Database {
    driver: Box<dyn Driver>,
    /// Of a file.
    path: Option<PathBuf>,
    name: String,
}

impl Database {
    /// Opens the database at a path, which may be written as `sqlite://PATH`, or one of PostgreSQL by its URL. One of an
    /// earlier version is read as it is: views that it lacks are missing until the next crawl brings it up to date.
    ///
    /// # Errors
    ///
    /// [`ReadError::Missing`] if nothing is there, [`ReadError::Open`] if it cannot be opened or holds no crawl.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = match path.as_ref().to_str() {
            Some(url) if is_postgres(url) => {
                let (driver, name) = Postgres::open(url)?;
                return Ok(Self { driver: Box::new(driver), path: None, name });
            }
            Some(text) => file_path(text)?,
            None => path.as_ref().to_owned(),
        };
        let driver = Box::new(Sqlite::open(&path)?);
        Ok(Self { driver, name: path.display().to_string(), path: Some(path) })
    }

    /// Where its file is; `None` of a PostgreSQL database.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What it is called in messages: its path, or its URL without user, password and parameters.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All pages that ever answered, each with its latest response, as the view `pages` has them.
    ///
    /// # Errors
    ///
    /// [`ReadError::Failed`] if the database cannot be read. Each item may fail too.
    pub fn pages(&self) -> Result<impl Iterator<Item = Result<PageRow, ReadError>>, ReadError> {
        let rows = self.query("select * from pages", [])?;
        Ok(rows.map(|row| PageRow::read(&row?)))
    }

    /// The links of a page in their order, as the view `links` has them; none if the page is not known or has no links.
    ///
    /// # Errors
    ///
    /// [`ReadError::Failed`] if the database cannot be read. Each item may fail too.
    pub fn links_from(&self, url: &str) -> Result<impl Iterator<Item = Result<LinkRow, ReadError>>, ReadError> {
        let url = CanonicalUrl::parse(url).map_or_else(|_| url.to_owned(), |url| url.to_string());
        // In the order of the page, which the view does not tell.
        let sql = "select f.url as from_url, t.url as to_url, l.text, l.rel, l.element, l.part
            from _url f join _link l on l.from_id = f.id join _url t on t.id = l.to_id
            where f.url = ?1 order by l.position";
        let rows = self.query(sql, [url.into()])?;
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
        let (columns, cursor) = self.driver.query(sql, values.into_iter().collect())?;
        Ok(Rows::new(columns, cursor))
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
        self.driver.prepare(sql).map(Statement)
    }

    /// All statements of a text that holds several, with `;` between them. On PostgreSQL it is one.
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query).
    pub fn prepare_all(&self, sql: &str) -> Result<Vec<Statement<'_>>, ReadError> {
        Ok(self.driver.prepare_all(sql)?.into_iter().map(Statement).collect())
    }

    /// From now on until the answer is dropped, all questions see the database as of this moment.
    ///
    /// # Errors
    ///
    /// [`ReadError::Failed`] if the database cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, ReadError> {
        Ok(Snapshot { _held: self.driver.hold()? })
    }

    /// Bounds what its questions may cost: they fail once they take longer – on SQLite all of them together, on PostgreSQL each –
    /// and, on SQLite, if a value is larger than so many bytes.
    ///
    /// # Errors
    ///
    /// [`ReadError::Failed`] if the database cannot be reached.
    pub(crate) fn bound(&self, time: Duration, bytes: i32) -> Result<(), ReadError> {
        self.driver.bound(time, bytes)
    }

    /// Whether there is a view of this name: one of an earlier version lacks those that came later.
    ///
    /// # Errors
    ///
    /// [`ReadError::Failed`] if the database cannot be read.
    pub fn has_view(&self, name: &str) -> Result<bool, ReadError> {
        self.driver.has_view(name)
    }

    /// Bytes that the database takes on the disk; of a file without the space that is free in it, of PostgreSQL tables and
    /// indexes with theirs.
    ///
    /// # Errors
    ///
    /// [`ReadError::Failed`] if the database cannot be read.
    pub fn size(&self) -> Result<u64, ReadError> {
        Ok(u64::try_from(self.driver.size()?).unwrap_or_default())
    }

    /// The names of the views that are there to be read; those that may change are left out.
    ///
    /// # Errors
    ///
    /// [`ReadError::Failed`] if the database cannot be read.
    pub fn views(&self) -> Result<Vec<String>, ReadError> {
        let mut names = self.driver.views()?;
        names.retain(|name| !name.starts_with('_'));
        Ok(names)
    }

    /// The functions that SQL may use beside the database's own.
    pub fn functions(&self) -> &'static [&'static str] {
        self.driver.functions()
    }

    /// Whether the database lacks what this version added to it. The next crawl brings it up to date.
    pub fn is_of_an_earlier_version(&self) -> bool {
        self.driver.is_of_an_earlier_version()
    }

    /// Whether a later version than this one wrote the database: it may hold more than is known of here.
    pub fn is_of_a_newer_version(&self) -> bool {
        self.driver.is_of_a_newer_version()
    }

    /// Refuses a database that a newer version wrote: what it holds may mean something else there, such as bodies that are
    /// stored in another way.
    pub(crate) fn must_be_understood(&self) -> Result<(), StoreError> {
        match self.is_of_a_newer_version() {
            true => Err(StoreError::Newer { path: self.name.as_str().into() }),
            false => Ok(()),
        }
    }

    /// The pages that hold the words, which are in the syntax of [FTS5](https://sqlite.org/fts5.html), the best first, and
    /// `limit` of them at most. Words of scripts without spaces, such as Chinese, Japanese and Thai, are found within
    /// sentences. With `hosts`, only pages of these. Pages that wait to be indexed are left out:
    /// [`unindexed`](Self::unindexed).
    ///
    /// # Errors
    ///
    /// [`ReadError::Sql`] if the words are not sound, or the database has no full-text index.
    pub fn search(&self, words: &str, hosts: Option<&[String]>, limit: u32) -> Result<Vec<Hit>, ReadError> {
        self.driver.search(words, hosts, limit)
    }

    /// How many pages wait to be brought into the full-text index; `None` if the database has no index yet, as those of
    /// early versions.
    ///
    /// # Errors
    ///
    /// [`ReadError::Failed`] if the database cannot be read.
    pub fn unindexed(&self) -> Result<Option<i64>, ReadError> {
        self.driver.unindexed()
    }
}

/// Holds the database still for its reader: see [`Database::snapshot`].
#[derive(Debug)]
pub struct Snapshot<'db> {
    _held: Box<dyn Debug + 'db>,
}
