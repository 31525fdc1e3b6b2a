//! One row of an answer.

use std::sync::Arc;

use super::error::ReadError;
use crate::store::value::{FromValue, Value};

/// One row of an answer, with the names of its columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    pub(super) fn new(columns: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// The names of the columns, in the order of the values.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The values, one for each column.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The values alone, without a copy.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// The value of a column by its name; of several with one name, the first.
    ///
    /// # Errors
    ///
    /// [`ReadError::Type`] if there is no such column, or its value is not of this type.
    pub fn get<'r, T: FromValue<'r>>(&'r self, column: &str) -> Result<T, ReadError> {
        let index = self.columns.iter().position(|name| name == column);
        self.taken(index.and_then(|index| self.values.get(index)), column)
    }

    /// The value of a column by its place, counted from 0.
    ///
    /// # Errors
    ///
    /// [`ReadError::Type`] if there is no such column, or its value is not of this type.
    pub fn at<'r, T: FromValue<'r>>(&'r self, index: usize) -> Result<T, ReadError> {
        self.taken(self.values.get(index), &index)
    }

    fn taken<'r, T: FromValue<'r>>(
        &'r self,
        value: Option<&'r Value>,
        column: &(impl std::fmt::Display + ?Sized),
    ) -> Result<T, ReadError> {
        value.and_then(T::from_value).ok_or_else(|| ReadError::Type {
            column: column.to_string(),
            found: value.map_or("nothing", Value::kind),
            wanted: T::KIND,
        })
    }
}
