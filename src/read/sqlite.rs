//! Reading a SQLite file.

mod connection;
pub(super) mod functions;
mod search;

use std::fmt::Debug;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::limits::Limit;

use crate::store::sqlite::{SIZE, schema};

use super::driver::{Answer, Cursor, Driver, Prepared};
use super::error::ReadError;
use super::hit::Hit;
use crate::store::value::Value;

/// Steps of SQLite's virtual machine after which the clock is looked at: less than a millisecond.
const STEPS: i32 = 10_000;

/// A file, open for reading.
#[derive(Debug)]
pub struct Sqlite(Connection);

impl Sqlite {
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        connection::open(path).map(Self)
    }

    fn statement(&self, sql: &str) -> Result<Statement<'_>, ReadError> {
        self.0.prepare(sql).map(Statement).map_err(|e| ReadError::of(&e))
    }

    /// Whether a statement has an answer.
    fn exists(&self, sql: &str, value: &str) -> Result<bool, ReadError> {
        self.0.prepare(sql).and_then(|mut statement| statement.exists([value])).map_err(|e| ReadError::of(&e))
    }
}

impl Driver for Sqlite {
    fn query<'db>(&'db self, sql: &str, values: Vec<Value>) -> Result<Answer<'db>, ReadError> {
        let mut statement = self.statement(sql)?;
        values.into_iter().enumerate().try_for_each(|(index, value)| statement.bind(index, value))?;
        let columns = statement.columns().into_iter().map(str::to_owned).collect();
        Ok((columns, Box::new(statement)))
    }

    fn prepare<'db>(&'db self, sql: &str) -> Result<Box<dyn Prepared<'db> + 'db>, ReadError> {
        Ok(Box::new(self.statement(sql)?))
    }

    fn prepare_all<'db>(&'db self, sql: &str) -> Result<Vec<Box<dyn Prepared<'db> + 'db>>, ReadError> {
        rusqlite::Batch::new(&self.0, sql)
            .map(|statement| Ok(Box::new(Statement(statement)) as Box<dyn Prepared<'db> + 'db>))
            .collect()
            .map_err(|e| ReadError::of(&e))
    }

    fn hold<'db>(&'db self) -> Result<Box<dyn Debug + 'db>, ReadError> {
        // As long as one statement is unfinished, all others of its connection see the database as that one does.
        let mut rows = self.statement("select name from sqlite_master")?;
        rows.next()?;
        Ok(Box::new(rows))
    }

    fn size(&self) -> Result<i64, ReadError> {
        self.0.query_row(SIZE, [], |row| row.get(0)).map_err(|e| ReadError::of(&e))
    }

    fn views(&self) -> Result<Vec<String>, ReadError> {
        let names = || -> rusqlite::Result<Vec<String>> {
            let mut names = self.0.prepare("select name from sqlite_master where type = 'view' order by rowid")?;
            names.query_map([], |row| row.get(0))?.collect()
        };
        names().map_err(|e| ReadError::of(&e))
    }

    fn functions(&self) -> &'static [&'static str] {
        &functions::NAMES
    }

    fn bound(&self, time: Duration, bytes: i32) -> Result<(), ReadError> {
        let end = Instant::now() + time;
        let limit = || {
            self.0.set_limit(Limit::SQLITE_LIMIT_LENGTH, bytes)?;
            self.0.progress_handler(STEPS, Some(move || Instant::now() >= end))
        };
        limit().map_err(|e| ReadError::of(&e))
    }

    fn has_view(&self, name: &str) -> Result<bool, ReadError> {
        self.exists("select 1 from sqlite_master where type = 'view' and name = ?1", name)
    }

    fn is_of_a_newer_version(&self) -> bool {
        schema::is_of_a_newer_version(&self.0)
    }

    fn is_of_an_earlier_version(&self) -> bool {
        schema::is_of_an_earlier_version(&self.0)
    }

    fn search(&self, words: &str, hosts: Option<&[String]>, limit: u32) -> Result<Vec<Hit>, ReadError> {
        search::hits(&self.0, words, hosts, limit)
    }

    fn unindexed(&self) -> Result<Option<i64>, ReadError> {
        if !self.exists("select 1 from sqlite_master where name = ?1", "page_index")? {
            return Ok(None);
        }
        let waiting = self.0.query_row("select count(*) from _unindexed", [], |row| row.get(0));
        waiting.map(Some).map_err(|e| ReadError::of(&e))
    }
}

#[derive(Debug)]
struct Statement<'db>(rusqlite::Statement<'db>);

impl<'db> Prepared<'db> for Statement<'db> {
    fn columns(&self) -> Vec<&str> {
        self.0.column_names()
    }

    fn parameters(&self) -> Vec<String> {
        let name = |index| self.0.parameter_name(index).unwrap_or("?").to_owned();
        (1..=self.0.parameter_count()).map(name).collect()
    }

    fn bind(&mut self, index: usize, value: Value) -> Result<(), ReadError> {
        self.0.raw_bind_parameter(index + 1, value.into_sqlite()).map_err(|e| ReadError::of(&e))
    }

    fn rows(self: Box<Self>) -> Box<dyn Cursor + 'db> {
        self
    }
}

impl Cursor for Statement<'_> {
    fn next(&mut self) -> Result<Option<Vec<Value>>, ReadError> {
        let columns = self.0.column_count();
        let mut rows = self.0.raw_query();
        let values = match rows.next().map_err(|e| ReadError::of(&e))? {
            Some(row) => {
                let value = |index| Ok::<_, rusqlite::Error>(Value::read(row.get_ref(index)?));
                Some((0..columns).map(value).collect::<Result<_, _>>().map_err(|e| ReadError::of(&e))?)
            }
            None => None,
        };
        // Its drop would take the statement back to the first row.
        std::mem::forget(rows);
        Ok(values)
    }
}
