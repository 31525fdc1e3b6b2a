//! Rows for people and for programs: table, JSON, JSON lines, CSV.

use std::io::{BufWriter, IsTerminal, Write};

use base64::Engine as _;
use serde_json::{Map, Value};

use crate::read;

use super::args::{Form, Format};
use super::failure::Failure;
use super::table::{Room, draw, draw_prose};

pub use super::table::Answer;
pub use super::text::{plain, printable};

/// Column names without repetition: a name that occurs again gets a number, as in SQLite's own shell.
pub fn unique(names: &[&str]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for name in names {
        let mut unique = (*name).to_owned();
        let mut number = 0;
        while columns.contains(&unique) {
            number += 1;
            unique = format!("{name}:{number}");
        }
        columns.push(unique);
    }
    columns
}

/// The cells of a row as JSON: NULL is null, a blob is base64.
pub fn cells(row: read::Row) -> Vec<Value> {
    let cell = |value| match value {
        read::Value::Null => Value::Null,
        read::Value::Integer(number) => number.into(),
        read::Value::Real(number) => number.into(),
        read::Value::Text(text) => text.into(),
        read::Value::Blob(bytes) => base64::engine::general_purpose::STANDARD.encode(bytes).into(),
    };
    row.into_values().into_iter().map(cell).collect()
}

/// Writes rows as they come; only a table is written after the last row, because its columns are as wide as their content.
pub struct Rows<W: Write = BufWriter<Guarded>> {
    out: W,
    format: Format,
    room: Room,
    answer: Answer,
    written: bool,
}

impl Rows {
    /// To standard output; a table as its terminal has room for it, unless it is to be wide.
    pub fn new(form: Form, columns: Vec<String>) -> Result<Self, Failure> {
        let rows = Self::to(BufWriter::new(Guarded::stdout()), form.format, columns)?;
        Ok(Self { room: form.wide.room(), ..rows })
    }
}

impl<W: Write> Rows<W> {
    pub fn to(out: W, format: Format, columns: Vec<String>) -> Result<Self, Failure> {
        let answer = Answer { columns, rows: Vec::new() };
        let mut rows = Self { out, format, room: Room::WHOLE, answer, written: false };
        if format == Format::Csv && !rows.answer.columns.is_empty() {
            let header = rows.answer.columns.clone();
            csv_line(&mut rows.out, header.iter().map(String::as_str))?;
        }
        Ok(rows)
    }

    pub fn row(&mut self, row: Vec<Value>) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.answer.rows.push(row),
            Format::Csv => csv_line(&mut self.out, row.iter().map(csv_cell))?,
            Format::Json | Format::Jsonl => {
                if self.format == Format::Json {
                    self.out.write_all(if self.written { b"," } else { b"[" })?;
                }
                let object = object(&self.answer.columns, row);
                serde_json::to_writer(&mut self.out, &object).map_err(std::io::Error::from)?;
                if self.format == Format::Jsonl {
                    self.out.write_all(b"\n")?;
                }
            }
        }
        self.written = true;
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), Failure> {
        match self.format {
            Format::Table => {
                let drawn = draw(&self.answer, self.room);
                writeln!(self.out, "{}", drawn.text)?;
                if drawn.is_cut {
                    writeln!(self.out, "\n{CUT}")?;
                }
            }
            Format::Json => writeln!(self.out, "{}", if self.written { "]" } else { "[]" })?,
            Format::Jsonl | Format::Csv => {}
        }
        self.out.flush()?;
        Ok(())
    }
}

/// What is said below tables that show less than there is.
pub const CUT: &str = "(cut to fit the terminal: --wide shows all)";

/// Writes a small answer to standard output.
pub fn print(answer: Answer, form: Form) -> Result<(), Failure> {
    let mut out = Rows::new(form, answer.columns)?;
    answer.rows.into_iter().try_for_each(|row| out.row(row))?;
    out.finish()
}

/// The same of an answer in sentences, which a table breaks into lines.
pub fn print_prose(answer: Answer, form: Form) -> Result<(), Failure> {
    if form.format != Format::Table {
        return print(answer, form);
    }
    let text = draw_prose(&answer, form.wide.room()).text;
    writeln!(Guarded::stdout(), "{text}")?;
    Ok(())
}

/// Standard output. On a terminal, control characters in the text are shown as escapes.
pub struct Guarded {
    out: std::io::StdoutLock<'static>,
    is_terminal: bool,
    /// The first bytes of a character whose other bytes have not been written yet.
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
            return self.out.write(bytes).map_err(|e| unwritten(&e));
        }
        self.rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.rest) {
            Err(e) if e.error_len().is_none() => e.valid_up_to(),
            _ => self.rest.len(),
        };
        let text = String::from_utf8_lossy(&self.rest[..whole]).replace("\r\n", "\n");
        let lines: Vec<_> =
            text.split('\n').map(|line| line.split('\t').map(printable).collect::<Vec<_>>().join("\t")).collect();
        self.out.write_all(lines.join("\n").as_bytes()).map_err(|e| unwritten(&e))?;
        self.rest.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush().map_err(|e| unwritten(&e))
    }
}

/// The error with what it is about, and of the same kind, so that a closed pipe is still known as one.
pub fn unwritten(error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("cannot write to standard output: {error}"))
}

/// A row as an object of JSON.
pub fn object(columns: &[String], row: Vec<Value>) -> Map<String, Value> {
    columns.iter().cloned().zip(row).collect()
}

/// RFC 4180, lines ended by CR LF.
pub fn csv_line(out: &mut impl Write, cells: impl Iterator<Item = impl AsRef<[u8]>>) -> std::io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(cells).map_err(|error| match error.into_kind() {
        // Of the same kind, so that a closed pipe is still known as one.
        csv::ErrorKind::Io(error) => error,
        kind => std::io::Error::other(format!("{kind:?}")),
    })?;
    writer.flush()
}

/// Text that a spreadsheet would run as a formula gets an apostrophe before it, which makes it text there (OWASP, CSV
/// injection); numbers with a sign stay as they are.
fn csv_cell(value: &Value) -> String {
    let text = plain(value);
    let runs = value.is_string() && text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if runs { format!("'{text}") } else { text }
}
