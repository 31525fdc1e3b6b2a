//! What is exported reads back equal.

use harvestman::cli::internals::{Format, Rows, unique};
use serde_json::{Map, Value};

use super::text_line;

/// Columns with tabs between them, and rows likewise.
pub fn rows(input: &[u8]) {
    let (columns, rest) = text_line(input);
    // At the start of a file it is a byte order mark.
    let columns = columns.trim_start_matches('\u{feff}');
    let names: Vec<_> = columns.split('\t').take(8).collect();
    let columns = unique(&names);
    assert_eq!(columns.iter().collect::<std::collections::BTreeSet<_>>().len(), columns.len());
    let rest = String::from_utf8_lossy(rest);
    let row = |line: &str| -> Vec<Value> {
        let cells = line.split('\t').chain(std::iter::repeat("~"));
        cells.take(columns.len()).map(cell).collect()
    };
    let rows: Vec<_> = rest.split('\n').take(64).map(row).collect();
    let write = |format| {
        let mut out = Vec::new();
        let mut written = Rows::to(&mut out, format, columns.clone()).unwrap();
        rows.iter().for_each(|row| written.row(row.clone()).unwrap());
        written.finish().unwrap();
        out
    };
    let object =
        |row: &Vec<Value>| Value::Object(columns.iter().cloned().zip(row.iter().cloned()).collect::<Map<_, _>>());
    let objects: Vec<_> = rows.iter().map(object).collect();
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&write(Format::Json)).unwrap(), objects);
    let lines = String::from_utf8(write(Format::Jsonl)).unwrap();
    assert_eq!(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>(), objects);
    let table = write(Format::Csv);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table.as_slice());
    let mut records = reader.records().map(Result::unwrap);
    assert_eq!(records.next().unwrap().iter().collect::<Vec<_>>(), columns);
    for (record, row) in records.by_ref().zip(&rows) {
        assert_eq!(record.len(), row.len());
        record.iter().zip(row).for_each(|(read, cell)| assert!(is_cell(read, cell), "{cell:?} reads back as {read:?}"));
    }
    assert!(table.iter().filter(|byte| **byte == b'\n').count() > rows.len(), "a line for each");
    let shown = String::from_utf8(write(Format::Table)).unwrap();
    assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
}

/// `~` is null; what is a number is one.
fn cell(text: &str) -> Value {
    match text.parse::<i64>() {
        _ if text == "~" => Value::Null,
        Ok(number) => number.into(),
        Err(_) => text.replace('\u{1}', "\n").replace('\u{2}', "\t").into(),
    }
}

/// What a spreadsheet would run may be marked as text.
fn is_cell(read: &str, cell: &Value) -> bool {
    let text = match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    read == text
        || read
            .strip_prefix('\'')
            .is_some_and(|read| read == text && text.starts_with(['=', '+', '-', '@', '\t', '\r']))
}
