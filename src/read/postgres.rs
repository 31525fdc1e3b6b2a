//! Reading a PostgreSQL database: each answer is a cursor in a transaction that only reads, and all that are open at one time
//! share the transaction, and so see the database as of one moment.

mod answer;
mod fts;
mod search;
mod session;
mod template;

use std::collections::VecDeque;
use std::fmt::Debug;
use std::time::Duration;

use super::driver::{Answer, Cursor, Driver, Prepared};
use super::error::ReadError;
use super::hit::Hit;
use crate::store::postgres::SIZE;
use crate::store::postgres::schema::is_newer;
use crate::store::value::{FromValue as _, Value};
use answer::Batch;
use session::Session;
use template::Template;

/// What a migration makes beside what the server has.
const FUNCTIONS: [&str; 5] = ["regexp_like", "url_host", "url_path", "url_param", "registrable_domain"];

/// A server's database, open for reading.
#[derive(Debug)]
pub struct Postgres {
    session: Session,
    is_of_an_earlier_version: bool,
}

impl Postgres {
    /// Connects; also answers with what the database is called in messages.
    pub fn open(url: &str) -> Result<(Self, String), ReadError> {
        let (session, name, is_of_an_earlier_version) = Session::open(url.to_owned())?;
        Ok((Self { session, is_of_an_earlier_version }, name))
    }

    /// Opens the answer to a statement that is complete.
    fn open_rows(&self, sql: String) -> Result<Open<'_>, ReadError> {
        let (id, first) = self.session.ask(async move |server| server.declare(&sql).await)?;
        let Batch { columns, rows, next, is_last } = first;
        Ok(Open { session: &self.session, id, columns, buffer: rows.into(), next, is_over: is_last })
    }

    fn statement(&self, sql: &str) -> Result<Statement<'_>, ReadError> {
        let template = Template::new(sql);
        let columns = self.columns(template.filled(&[]))?;
        let values = vec![Value::Null; template.parameters().len()];
        Ok(Statement { database: self, template, values, columns })
    }

    fn columns(&self, sql: String) -> Result<Vec<String>, ReadError> {
        self.session.ask(async move |server| server.describe(&sql).await)
    }
}

impl Driver for Postgres {
    fn query<'db>(&'db self, sql: &str, values: Vec<Value>) -> Result<Answer<'db>, ReadError> {
        let template = Template::new(sql);
        if values.len() > template.parameters().len() {
            return Err(no_such_parameter());
        }
        let mut rows = self.open_rows(template.filled(&values))?;
        Ok((std::mem::take(&mut rows.columns), Box::new(rows)))
    }

    fn prepare<'db>(&'db self, sql: &str) -> Result<Box<dyn Prepared<'db> + 'db>, ReadError> {
        Ok(Box::new(self.statement(sql)?))
    }

    fn prepare_all<'db>(&'db self, sql: &str) -> Result<Vec<Box<dyn Prepared<'db> + 'db>>, ReadError> {
        if template::first_word(sql).is_empty() {
            return Ok(vec![]);
        }
        Ok(vec![self.prepare(sql)?])
    }

    fn hold<'db>(&'db self) -> Result<Box<dyn Debug + 'db>, ReadError> {
        self.session.ask(async move |server| server.enter().await)?;
        Ok(Box::new(Held(&self.session)))
    }

    fn size(&self) -> Result<i64, ReadError> {
        let (_, mut rows) = self.query(SIZE, vec![])?;
        Ok(rows.next()?.and_then(|row| i64::from_value(row.first()?)).unwrap_or_default())
    }

    fn views(&self) -> Result<Vec<String>, ReadError> {
        let sql = "select viewname from pg_views where schemaname = current_schema() order by viewname";
        let (_, mut rows) = self.query(sql, vec![])?;
        let mut names = Vec::new();
        while let Some(row) = rows.next()? {
            names.extend(row.first().and_then(String::from_value));
        }
        Ok(names)
    }

    fn functions(&self) -> &'static [&'static str] {
        &FUNCTIONS
    }

    fn bound(&self, time: Duration, _: i32) -> Result<(), ReadError> {
        self.session.ask(async move |server| server.bound(time).await)
    }

    fn has_view(&self, name: &str) -> Result<bool, ReadError> {
        let sql = "select 1 from pg_views where schemaname = current_schema() and viewname = ?1";
        let (_, mut rows) = self.query(sql, vec![name.into()])?;
        Ok(rows.next()?.is_some())
    }

    fn is_of_a_newer_version(&self) -> bool {
        let sql = "select max(version) from _sqlx_migrations";
        let newest = self.query(sql, vec![]).and_then(|(_, mut rows)| rows.next());
        let newest = newest.ok().flatten().and_then(|row| i64::from_value(row.first()?));
        newest.is_some_and(is_newer)
    }

    fn is_of_an_earlier_version(&self) -> bool {
        self.is_of_an_earlier_version
    }

    fn search(&self, words: &str, hosts: Option<&[String]>, limit: u32) -> Result<Vec<Hit>, ReadError> {
        search::hits(self, words, hosts, limit)
    }

    fn unindexed(&self) -> Result<Option<i64>, ReadError> {
        if !self.has_view("_unindexed")? {
            return Ok(None);
        }
        let (_, mut rows) = self.query("select count(*) from _unindexed", vec![])?;
        let count = rows.next()?.and_then(|row| i64::from_value(row.first()?));
        Ok(count)
    }
}

fn no_such_parameter() -> ReadError {
    ReadError::Sql { problem: "there are more values than parameters".to_owned() }
}

/// A statement, with the values that its parameters have so far.
#[derive(Debug)]
struct Statement<'db> {
    database: &'db Postgres,
    template: Template,
    values: Vec<Value>,
    columns: Vec<String>,
}

impl<'db> Prepared<'db> for Statement<'db> {
    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn parameters(&self) -> Vec<String> {
        self.template.parameters().to_vec()
    }

    fn bind(&mut self, index: usize, value: Value) -> Result<(), ReadError> {
        *self.values.get_mut(index).ok_or_else(no_such_parameter)? = value;
        Ok(())
    }

    fn rows(self: Box<Self>) -> Box<dyn Cursor + 'db> {
        let sql = self.template.filled(&self.values);
        Box::new(Unopened { database: self.database, sql: Some(sql), open: None })
    }
}

/// An answer that is asked for with its first row.
#[derive(Debug)]
struct Unopened<'db> {
    database: &'db Postgres,
    sql: Option<String>,
    open: Option<Open<'db>>,
}

impl Cursor for Unopened<'_> {
    fn next(&mut self) -> Result<Option<Vec<Value>>, ReadError> {
        if let Some(sql) = self.sql.take() {
            self.open = Some(self.database.open_rows(sql)?);
        }
        self.open.as_mut().map_or(Ok(None), Open::next)
    }
}

/// A cursor on the server, and the rows that came and were not asked for yet.
#[derive(Debug)]
struct Open<'db> {
    session: &'db Session,
    id: u32,
    columns: Vec<String>,
    buffer: VecDeque<Vec<Value>>,
    /// How many are asked for at once.
    next: usize,
    is_over: bool,
}

impl Cursor for Open<'_> {
    fn next(&mut self) -> Result<Option<Vec<Value>>, ReadError> {
        if self.buffer.is_empty() && !self.is_over {
            let (id, rows) = (self.id, self.next);
            let batch = self.session.ask(async move |server| server.fetch(id, rows).await)?;
            (self.buffer, self.next, self.is_over) = (batch.rows.into(), batch.next, batch.is_last);
        }
        Ok(self.buffer.pop_front())
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let id = self.id;
        self.session.tell(async move |server| server.close(id).await);
    }
}

/// Keeps the transaction open.
#[derive(Debug)]
struct Held<'db>(&'db Session);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.tell(async |server| server.leave().await);
    }
}
