//! Questions that are answered within bounds of time and size: what `open` and `mcp` ask for people and programs who may not
//! know what a question costs.

pub mod list;
pub mod words;

use std::time::{Duration, Instant};

use crate::read::{self, Database};
use serde_json::Value;

use super::args::Param;
use super::failure::Failure;
use super::output::{Answer, unique};
use super::query;

/// Bytes of a value, on SQLite.
const MAX_VALUE: i32 = 64 << 20;

/// A database that is asked, and for how long.
#[derive(Debug, Clone)]
pub struct Source {
    pub database: String,
    /// The longest that a question takes.
    pub patience: Duration,
}

impl Source {
    /// Opens the database for one question, so that one that was replaced, or brought up to date, is read as it is now.
    pub fn ask<T>(&self, question: impl FnOnce(&Database) -> Result<T, Failure>) -> Result<T, Failure> {
        let began = Instant::now();
        let bounded = || {
            let db = Database::open(&self.database)?;
            bound(&db, self.patience)?;
            question(&db)
        };
        bounded().map_err(|failure| self.reason(began, failure))
    }

    /// Why a question that began then got no answer: mostly because it took too long, if it did.
    pub fn reason(&self, began: Instant, failure: Failure) -> Failure {
        if began.elapsed() < self.patience || failure.message.contains("locked") {
            return failure;
        }
        let patience = humantime::format_duration(self.patience);
        Failure::new(format!("the question took longer than {patience} and was given up"))
            .hint("ask for less at once, or give more time with --timeout")
    }
}

/// Gives what takes longer up from now on.
pub fn bound(db: &Database, patience: Duration) -> Result<(), Failure> {
    Ok(db.bound(patience, MAX_VALUE)?)
}

/// What an answer holds at most.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub rows: usize,
    /// Of all texts together.
    pub bytes: usize,
    /// Characters of one text.
    pub cell: usize,
}

/// A part of an answer.
#[derive(Debug)]
pub struct Bounded {
    pub answer: Answer,
    /// How many rows were passed over or are in the part, if others follow.
    pub next: Option<usize>,
    /// Texts were cut off.
    pub is_cut: bool,
}

/// The rows of one statement, after so many that are passed over. Parameters that are not given are NULL if the statement has
/// defaults of its own.
pub fn select(
    db: &Database,
    sql: &str,
    params: &[Param],
    has_defaults: bool,
    (skip, bounds): (usize, Bounds),
) -> Result<Bounded, Failure> {
    let mut statements = db.prepare_all(sql).map_err(|e| query::unprepared(db, sql, e))?;
    if statements.len() != 1 {
        return Err(Failure::new("SQL: one statement is asked for").hint("try: select * from accounting"));
    }
    query::bind(db, &mut statements, params, has_defaults)?;
    let mut bounded = Bounded { answer: Answer::default(), next: None, is_cut: false };
    let mut bytes = 0;
    for statement in statements {
        bounded.answer.columns = unique(&statement.columns());
        for (number, row) in statement.rows().enumerate() {
            let row = row?;
            if number < skip {
                continue;
            }
            if bounded.answer.rows.len() == bounds.rows || bytes >= bounds.bytes {
                bounded.next = Some(number);
                break;
            }
            let cells = row.into_values().into_iter().map(|value| cell(value, bounds.cell, &mut bounded.is_cut));
            let cells: Vec<_> = cells.collect();
            bytes += cells.iter().map(|cell| cell.as_str().map_or(8, str::len)).sum::<usize>();
            bounded.answer.rows.push(cells);
        }
    }
    Ok(bounded)
}

/// A value as JSON. Of bytes, only how many they are is told.
fn cell(value: read::Value, most: usize, is_cut: &mut bool) -> Value {
    match value {
        read::Value::Null => Value::Null,
        read::Value::Integer(number) => number.into(),
        read::Value::Real(number) => number.into(),
        read::Value::Text(text) => match cut(&text, most) {
            Some(start) => {
                *is_cut = true;
                format!("{start}…").into()
            }
            None => text.into(),
        },
        read::Value::Blob(bytes) => format!("({} bytes)", bytes.len()).into(),
    }
}

/// The first characters of a text that has more.
pub fn cut(text: &str, most: usize) -> Option<&str> {
    text.char_indices().nth(most).map(|(end, _)| &text[..end])
}
