//! A statement, its parameters, and its rows as they come.

use std::sync::Arc;

use super::driver::{Cursor, Prepared};
use super::error::ReadError;
use super::row::Row;
use crate::store::value::Value;

/// A statement that was understood and waits for the values of its parameters.
#[derive(Debug)]
pub struct Statement<'db>(pub(super) Box<dyn Prepared<'db> + 'db>);

impl<'db> Statement<'db> {
    /// The names of the columns of its answer.
    pub fn columns(&self) -> Vec<&str> {
        self.0.columns()
    }

    /// Its parameters as they are written, such as `:host`; `?` for one without a name.
    pub fn parameters(&self) -> Vec<String> {
        self.0.parameters()
    }

    /// Gives a parameter its value, by its place in [`parameters`](Self::parameters). One without a value is NULL.
    ///
    /// # Errors
    ///
    /// [`ReadError::Sql`] if there is no such parameter.
    pub fn bind(&mut self, index: usize, value: Value) -> Result<(), ReadError> {
        self.0.bind(index, value)
    }

    /// Its answer, row by row.
    pub fn rows(self) -> Rows<'db> {
        let columns = self.columns().into_iter().map(str::to_owned).collect();
        Rows::new(columns, self.0.rows())
    }
}

/// The rows of an answer: each is read when it is asked for, so that memory does not grow with their number.
///
/// As long as some are left, all other questions to this [`Database`](super::Database) see it as of the same commit.
#[derive(Debug)]
pub struct Rows<'db> {
    cursor: Box<dyn Cursor + 'db>,
    columns: Arc<[String]>,
    is_over: bool,
}

impl<'db> Rows<'db> {
    pub(super) fn new(columns: Vec<String>, cursor: Box<dyn Cursor + 'db>) -> Self {
        Self { cursor, columns: columns.into(), is_over: false }
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.cursor.next();
        self.is_over = !matches!(step, Ok(Some(_)));
        step.transpose().map(|values| Ok(Row::new(self.columns.clone(), values?)))
    }
}
