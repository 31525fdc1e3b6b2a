//! Asking the database: one row, or all rows.

use crate::cli::failure::Failure;
use crate::read::{Database, ReadError, Row, Value};

/// The only row of an answer.
pub fn one<T>(
    db: &Database,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
    read: impl FnOnce(&Row) -> Result<T, ReadError>,
) -> Result<T, Failure> {
    let row = db.first(sql, values)?.ok_or_else(|| Failure::new("SQL: there is no answer"))?;
    Ok(read(&row)?)
}

/// All rows of an answer.
pub fn all<T>(
    db: &Database,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
    mut read: impl FnMut(&Row) -> Result<T, ReadError>,
) -> Result<Vec<T>, Failure> {
    Ok(db.query(sql, values)?.map(|row| read(&row?)).collect::<Result<_, ReadError>>()?)
}
