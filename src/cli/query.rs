//! `query`: SQL on a connection that cannot write.

use harvestman::store::sqlite::{file_path, read};
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::{Batch, Connection, Params, Statement};

use super::Failure;
use super::args::Format;
use super::output::{Answer, Rows, cells, unique};

pub fn run(database: &str, sql: &str, format: Format) -> Result<u8, Failure> {
    let Ok(path) = file_path(database);
    let db = read::open(&path)?;
    let mut statements = prepare(&db, sql)?;
    let Some(first) = statements.first() else {
        return Err(Failure::new("SQL: there is no statement").hint("try \"select * from accounting\""));
    };
    let columns = first.column_names();
    if statements.iter().any(|statement| statement.column_names() != columns) {
        return Err(Failure::new("SQL: the statements answer with different columns; ask them one by one"));
    }
    let mut out = Rows::new(format, unique(&columns))?;
    for statement in &mut statements {
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            out.row(cells(row)?)?;
        }
    }
    out.finish()?;
    Ok(0)
}

/// The whole answer to one statement, for what is small.
pub fn ask(db: &Connection, sql: &str, parameters: impl Params) -> Result<Answer, Failure> {
    let mut statement = db.prepare(sql)?;
    let columns = unique(&statement.column_names());
    let mut rows = statement.query(parameters)?;
    let mut answer = Answer { columns, rows: Vec::new() };
    while let Some(row) = rows.next()? {
        answer.rows.push(cells(row)?);
    }
    Ok(answer)
}

fn prepare<'db>(db: &'db Connection, sql: &str) -> Result<Vec<Statement<'db>>, Failure> {
    let statements = Batch::new(db, sql).collect();
    statements.map_err(|e| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::AuthorizationForStatementDenied | rusqlite::ErrorCode::ReadOnly) => {
            Failure::new("SQL: refused: the database is open for reading only")
        }
        _ => e.into(),
    })
}
