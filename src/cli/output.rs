//! Rows for people and for programs: table, JSON, JSON lines, CSV.

use std::io::Write;

use base64::Engine as _;
use serde_json::{Map, Value};
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Row, TypeInfo, ValueRef};

use super::Failure;
use super::args::Format;

/// Columns and rows of an answer.
#[derive(Debug, Default)]
pub struct Answer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

impl Answer {
    pub fn push(&mut self, row: &SqliteRow) {
        if self.columns.is_empty() {
            self.columns = row.columns().iter().map(|column| column.name().to_owned()).collect();
        }
        self.rows.push((0..row.len()).map(|index| value(row, index)).collect());
    }
}

/// A cell as JSON: NULL is null, a blob is base64.
fn value(row: &SqliteRow, index: usize) -> Value {
    let Ok(raw) = row.try_get_raw(index) else { return Value::Null };
    if raw.is_null() {
        return Value::Null;
    }
    match raw.type_info().name() {
        "INTEGER" | "BOOLEAN" => row.try_get_unchecked::<i64, _>(index).map_or(Value::Null, Value::from),
        "REAL" => row.try_get_unchecked::<f64, _>(index).map_or(Value::Null, Value::from),
        "BLOB" => row
            .try_get_unchecked::<Vec<u8>, _>(index)
            .map_or(Value::Null, |bytes| base64::engine::general_purpose::STANDARD.encode(bytes).into()),
        _ => row
            .try_get_unchecked::<Vec<u8>, _>(index)
            .map_or(Value::Null, |bytes| String::from_utf8_lossy(&bytes).into_owned().into()),
    }
}

/// Writes an answer to standard output.
pub fn print(answer: &Answer, format: Format) -> Result<(), Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match format {
        Format::Table => writeln!(out, "{}", table(answer))?,
        Format::Json => {
            let rows: Vec<_> = answer.rows.iter().map(|row| object(&answer.columns, row)).collect();
            serde_json::to_writer(&mut out, &rows).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        Format::Jsonl => {
            for row in &answer.rows {
                serde_json::to_writer(&mut out, &object(&answer.columns, row)).map_err(std::io::Error::from)?;
                writeln!(out)?;
            }
        }
        Format::Csv => csv(answer, &mut out)?,
    }
    out.flush()?;
    Ok(())
}

fn object(columns: &[String], row: &[Value]) -> Map<String, Value> {
    columns.iter().cloned().zip(row.iter().cloned()).collect()
}

/// RFC 4180, lines ended by CR LF.
fn csv(answer: &Answer, out: &mut impl Write) -> Result<(), Failure> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    let failed = |e: csv::Error| match e.into_kind() {
        csv::ErrorKind::Io(e) => Failure::from(e),
        other => Failure::new(format!("{other:?}")),
    };
    if !answer.columns.is_empty() {
        writer.write_record(&answer.columns).map_err(failed)?;
    }
    for row in &answer.rows {
        writer.write_record(row.iter().map(plain)).map_err(failed)?;
    }
    writer.flush()?;
    Ok(())
}

/// A table as wide as its content; control characters escaped.
pub fn table(answer: &Answer) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(answer.columns.iter().map(|name| printable(name)));
    for row in &answer.rows {
        table.add_row(row.iter().map(|cell| printable(&plain(cell))));
    }
    for (index, _) in answer.columns.iter().enumerate() {
        let is_number = answer.rows.iter().all(|row| row[index].is_number() || row[index].is_null());
        if let Some(column) = table.column_mut(index).filter(|_| is_number && !answer.rows.is_empty()) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    table
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What comes from the web must not steer a terminal: control characters are shown as escapes.
pub fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if is_unsafe(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        out
    })
}

/// Characters that steer a terminal: controls, and those that turn the direction of writing.
pub fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
