//! `query`: SQL on a connection that cannot write.

use crate::store::sqlite::{file_path, read};
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::{Batch, Connection, Params, Statement};

use super::args::{Format, Param, Question};
use super::output::{self, Answer, Rows, cells, unique};
use super::{Failure, recipes, signals};

pub fn run(database: &str, question: &Question, params: &[Param], format: Format) -> Result<u8, Failure> {
    if question.list {
        let rows = recipes::RECIPES.iter().map(|recipe| vec![recipe.name.into(), recipe.about().into()]);
        output::print(Answer { columns: vec!["recipe".into(), "answers".into()], rows: rows.collect() }, format)?;
        return Ok(0);
    }
    signals::end_after(|| ())?;
    let recipe = question.recipe.as_deref().map(recipes::find).transpose()?;
    let sql = recipe.map(|recipe| recipe.sql).or(question.sql.as_deref()).unwrap_or_default();
    let Ok(path) = file_path(database);
    let db = read::open(&path)?;
    let mut statements = prepare(&db, sql)?;
    let Some(first) = statements.first() else {
        return Err(Failure::new("SQL: there is no statement").hint("try \"select * from accounting\""));
    };
    let columns = unique(&first.column_names());
    if statements.iter().any(|statement| unique(&statement.column_names()) != columns) {
        return Err(Failure::new("SQL: the statements answer with different columns; ask them one by one"));
    }
    bind(&mut statements, params, recipe.is_some())?;
    let mut out = Rows::new(format, columns)?;
    for statement in &mut statements {
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            out.row(cells(row)?)?;
        }
    }
    out.finish()?;
    Ok(0)
}

/// Gives the parameters their values. Those of a recipe that are not given stay NULL: the SQL has their defaults.
fn bind(statements: &mut [Statement<'_>], params: &[Param], has_defaults: bool) -> Result<(), Failure> {
    let mut used = vec![false; params.len()];
    for statement in statements {
        for index in 1..=statement.parameter_count() {
            let name = statement.parameter_name(index).unwrap_or("?").to_owned();
            let given = params.iter().rposition(|param| name.get(1..) == Some(&param.name));
            if let Some(given) = given {
                statement.raw_bind_parameter(index, value(&params[given].value))?;
                used[given] = true;
            } else if !has_defaults {
                let failure = Failure::new(format!("SQL: the parameter `{name}` has no value"));
                return Err(failure.hint("name it :NAME and give it one with --param NAME=VALUE"));
            }
        }
    }
    match used.iter().position(|used| !used) {
        Some(unused) => {
            let name = output::printable(&params[unused].name);
            let is_twice = params.iter().filter(|param| param.name == params[unused].name).count() > 1;
            let problem = if is_twice { "is given twice" } else { "is none of the query's" };
            Err(Failure::new(format!("the parameter `:{name}` {problem}")).code(2))
        }
        None => Ok(()),
    }
}

/// What looks like a whole number is one: SQLite compares numbers and text by their type.
fn value(text: &str) -> rusqlite::types::Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => number.into(),
        _ => text.to_owned().into(),
    }
}

/// The whole answer to one statement, for what is small.
pub fn ask(db: &Connection, sql: &str, parameters: impl Params) -> Result<Answer, Failure> {
    let mut statement = db.prepare(sql).map_err(|e| unprepared(db, &e))?;
    let columns = unique(&statement.column_names());
    let mut rows = statement.query(parameters)?;
    let mut answer = Answer { columns, rows: Vec::new() };
    while let Some(row) = rows.next()? {
        answer.rows.push(cells(row)?);
    }
    Ok(answer)
}

fn prepare<'db>(db: &'db Connection, sql: &str) -> Result<Vec<Statement<'db>>, Failure> {
    Batch::new(db, sql).collect().map_err(|e| unprepared(db, &e))
}

fn unprepared(db: &Connection, error: &rusqlite::Error) -> Failure {
    use rusqlite::ErrorCode as E;
    let problem = read::in_words(error);
    if matches!(error.sqlite_error_code(), Some(E::AuthorizationForStatementDenied | E::ReadOnly)) {
        return Failure::new("SQL: refused: the database is open for reading only");
    }
    let failure = Failure::new(format!("SQL: {problem}"));
    if problem.contains("no such") && read::is_of_an_earlier_version(db) {
        return failure
            .hint("an earlier version wrote the database: the next `crawl` or `search` brings it up to date");
    }
    failure
}
