//! A statement, its parameters, and its rows as they come.

use std::sync::Arc;

use super::error::ReadError;
use super::row::Row;
use super::value::Value;

/// A statement that was understood and waits for the values of its parameters.
#[derive(Debug)]
pub struct Statement<'db>(rusqlite::Statement<'db>);

impl<'db> Statement<'db> {
    pub(super) fn new(statement: rusqlite::Statement<'db>) -> Self {
        Self(statement)
    }

    /// The names of the columns of its answer.
    pub fn columns(&self) -> Vec<&str> {
        self.0.column_names()
    }

    /// Its parameters as they are written, such as `:host`; `?` for one without a name.
    pub fn parameters(&self) -> Vec<String> {
        let name = |index| self.0.parameter_name(index).unwrap_or("?").to_owned();
        (1..=self.0.parameter_count()).map(name).collect()
    }

    /// Gives a parameter its value, by its place in [`parameters`](Self::parameters). One without a value is NULL.
    ///
    /// # Errors
    ///
    /// [`ReadError::Sql`] if there is no such parameter.
    pub fn bind(&mut self, index: usize, value: Value) -> Result<(), ReadError> {
        self.0.raw_bind_parameter(index + 1, value.into_sqlite()).map_err(|e| ReadError::of(&e))
    }

    /// Its answer, row by row.
    pub fn rows(self) -> Rows<'db> {
        let columns = self.columns().into_iter().map(str::to_owned).collect();
        Rows { statement: self.0, columns, is_over: false }
    }
}

/// The rows of an answer: each is read when it is asked for, so that memory does not grow with their number.
///
/// As long as some are left, all other questions to this [`Database`](super::Database) see it as of the same commit.
#[derive(Debug)]
pub struct Rows<'db> {
    statement: rusqlite::Statement<'db>,
    columns: Arc<[String]>,
    /// SQLite would start anew.
    is_over: bool,
}

impl Rows<'_> {
    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    fn step(&mut self) -> rusqlite::Result<Option<Vec<Value>>> {
        let mut rows = self.statement.raw_query();
        let values = match rows.next()? {
            Some(row) => {
                let value = |index| Ok::<_, rusqlite::Error>(Value::read(row.get_ref(index)?));
                Some((0..self.columns.len()).map(value).collect::<Result<_, _>>()?)
            }
            None => None,
        };
        // Its drop would take the statement back to the first row.
        std::mem::forget(rows);
        Ok(values)
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.step();
        self.is_over = !matches!(step, Ok(Some(_)));
        match step {
            Ok(values) => values.map(|values| Ok(Row::new(self.columns.clone(), values))),
            Err(e) => Some(Err(ReadError::of(&e))),
        }
    }
}
