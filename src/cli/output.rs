//! Rows for people and for programs: table, JSON, JSON lines, CSV.

use std::io::{IsTerminal, Write};

use base64::Engine as _;
use serde_json::{Map, Value};
use sqlx::sqlite::{SqliteColumn, SqliteRow};
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
            self.name_columns(row.columns());
        }
        self.rows.push((0..row.len()).map(|index| value(row, index)).collect());
    }

    /// Takes the columns' names; one that is there already gets a number, as in SQLite's own shell.
    pub fn name_columns(&mut self, columns: &[SqliteColumn]) {
        for column in columns {
            let mut name = column.name().to_owned();
            let mut number = 0;
            while self.columns.contains(&name) {
                number += 1;
                name = format!("{}:{number}", column.name());
            }
            self.columns.push(name);
        }
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
    let mut out = std::io::BufWriter::new(Guarded::stdout());
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

/// Standard output; what goes to a terminal goes without the control characters of what it shows.
pub struct Guarded {
    out: std::io::StdoutLock<'static>,
    is_terminal: bool,
    /// The start of a character whose other bytes are to come.
    rest: Vec<u8>,
}

impl Guarded {
    pub fn stdout() -> Self {
        let out = std::io::stdout().lock();
        Self { is_terminal: out.is_terminal(), out, rest: Vec::new() }
    }
}

impl Write for Guarded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if !self.is_terminal {
            return self.out.write(bytes);
        }
        self.rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.rest) {
            Err(e) if e.error_len().is_none() => e.valid_up_to(),
            _ => self.rest.len(),
        };
        let text = String::from_utf8_lossy(&self.rest[..whole]).replace("\r\n", "\n");
        let lines: Vec<_> =
            text.split('\n').map(|line| line.split('\t').map(printable).collect::<Vec<_>>().join("\t")).collect();
        self.out.write_all(lines.join("\n").as_bytes())?;
        self.rest.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
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

/// Characters of a cell that a table shows.
const MAX_CELL: usize = 1_000;

/// A table as wide as its content; control characters escaped, and what no screen holds cut off.
pub fn table(answer: &Answer) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(answer.columns.iter().map(|name| printable(name)));
    for row in &answer.rows {
        table.add_row(row.iter().map(|cell| {
            let text = plain(cell);
            match text.char_indices().nth(MAX_CELL) {
                Some((end, _)) => printable(&text[..end]) + "…",
                None => printable(&text),
            }
        }));
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
