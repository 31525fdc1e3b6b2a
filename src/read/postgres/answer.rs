//! Rows as the server writes them: each value as text, beside its type.

use sqlx::postgres::PgRow;
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};

use crate::store::value::Value;

/// Bytes of the rows that are asked for at once, as far as the rows before tell how large they are.
const BYTES: usize = 1 << 20;
/// Rows that are asked for at once, for however small those before were, the next may be the largest: of bytes, such as
/// bodies, of text, and of numbers alone.
const OF_BYTES: usize = 4;
const OF_TEXT: usize = 64;
const OF_NUMBERS: usize = 10_000;

/// Rows that came at once.
#[derive(Debug)]
pub struct Batch {
    /// The names of the columns; none if there are no rows.
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
    /// How many are to be asked for next.
    pub next: usize,
    /// No more are left.
    pub is_last: bool,
}

impl Batch {
    /// Reads the rows, of which `asked` were asked for.
    pub fn read(answer: &[PgRow], asked: usize) -> Result<Self, sqlx::Error> {
        let columns = answer.first().map_or(&[][..], PgRow::columns);
        let columns = columns.iter().map(|column| column.name().to_owned()).collect();
        let rows = answer.iter().map(|row| (0..row.len()).map(|at| value(row, at)).collect());
        let rows: Vec<Vec<Value>> = rows.collect::<Result<_, _>>()?;
        let largest = rows.iter().map(|row| row.iter().map(size).sum()).max().unwrap_or(1).max(1);
        let types = answer.first().map_or(&[][..], PgRow::columns).iter().map(|column| column.type_info().name());
        let most = types.map(|name| match name {
            "BYTEA" => OF_BYTES,
            "BOOL" | "INT2" | "INT4" | "INT8" | "FLOAT4" | "FLOAT8" | "NUMERIC" => OF_NUMBERS,
            _ => OF_TEXT,
        });
        let next = (BYTES / largest).clamp(1, most.min().unwrap_or(OF_TEXT));
        Ok(Self { columns, next, is_last: rows.len() < asked, rows })
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        _ => 8,
    }
}

/// A truth value is 0 or 1, and a number without an end is one with a fraction, as on SQLite; what SQLite does not know is
/// text as the server writes it.
fn value(row: &PgRow, at: usize) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let text = raw.as_str().map_err(sqlx::Error::Decode)?;
    let number = || text.parse().ok().map(Value::Integer);
    let read = match raw.type_info().name() {
        "BOOL" => Some(Value::Integer((text == "t").into())),
        "INT2" | "INT4" | "INT8" | "OID" => number(),
        "FLOAT4" | "FLOAT8" => text.parse().ok().map(Value::Real),
        "NUMERIC" => number().or_else(|| text.parse().ok().map(Value::Real)),
        "BYTEA" => bytes(text).map(Value::Blob),
        _ => None,
    };
    Ok(read.unwrap_or_else(|| Value::Text(text.to_owned())))
}

/// Bytes in the server's hexadecimal form.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.strip_prefix("\\x")?.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}
