//! `query`: SQL on a connection that cannot write.

use std::collections::BTreeSet;

use crate::read::{Database, ReadError, Statement, Value};

use super::args::{Form, Param, Question};
use super::console::Console;
use super::failure::Failure;
use super::output::{self, Answer, Rows, cells, printable, unique};
use super::words::shell;
use super::{bare, datasette, recipes, schema, signals, suggest};

pub fn run(
    database: &str,
    question: &Question,
    params: &[Param],
    form: Form,
    console: &Console,
) -> Result<u8, Failure> {
    if question.list {
        let rows = recipes::RECIPES.iter().map(|recipe| vec![recipe.name.into(), recipe.about().into()]);
        let answer = Answer { columns: vec!["recipe".into(), "answers".into()], rows: rows.collect() };
        output::print_prose(answer, form)?;
        return Ok(0);
    }
    signals::end_after(|| ())?;
    if let Some(view) = &question.schema {
        return schema::run(database, view.as_deref(), form);
    }
    if question.datasette {
        return datasette::run(database);
    }
    let recipe = question.recipe.as_deref().map(recipes::find).transpose()?;
    let typed = match question.sql.as_deref() {
        Some("-") => Some(standard_input()?),
        sql => sql.map(str::to_owned),
    };
    let sql = recipe.map(|recipe| recipe.sql).or(typed.as_deref()).unwrap_or_default();
    if let Some(problem) = no_sql(sql) {
        return Err(problem);
    }
    let db = Database::open(database)?;
    let mut statements = db.prepare_all(sql).map_err(|e| unprepared(&db, sql, e))?;
    let Some(first) = statements.first() else {
        return Err(Failure::new("SQL: there is no statement").hint("try \"select * from accounting\""));
    };
    let columns = unique(&first.columns());
    if statements.iter().any(|statement| unique(&statement.columns()) != columns) {
        return Err(Failure::new("SQL: the statements answer with different columns; ask them one by one"));
    }
    bind(&db, &mut statements, params, recipe.is_some())?;
    let mut out = Rows::new(form, columns)?;
    let parameter = statements.iter().find_map(|statement| statement.parameters().into_iter().next());
    let parameter = parameter.and_then(|name| Some(name.get(1..)?.to_owned()));
    let mut is_empty = true;
    for statement in statements {
        for row in statement.rows() {
            is_empty = false;
            out.row(cells(row?))?;
        }
    }
    out.finish()?;
    if let (true, [], Some(recipe), Some(name)) = (is_empty, params, recipe, parameter) {
        console.hint(&format!("{} Another value: --param {name}=VALUE", recipe.about()));
    }
    Ok(0)
}

fn standard_input() -> Result<String, Failure> {
    std::io::read_to_string(std::io::stdin()).map_err(|e| Failure::new("cannot read SQL from standard input").cause(&e))
}

/// A single word is no SQL, but it may name something else.
fn no_sql(sql: &str) -> Option<Failure> {
    let word = sql.trim();
    if let Some(recipe) = recipes::RECIPES.iter().find(|recipe| recipe.name == word) {
        let failure = Failure::new(format!("`{word}` is no SQL, but a recipe: {}", recipe.about()));
        return Some(failure.hint(format!("harvestman query --recipe {word}")).code(2));
    }
    let named = bare::named(word)?;
    let failure = Failure::new(format!("`{}` is no SQL, but a database", printable(&bare::shown(word))));
    Some(failure.hint(named).code(2))
}

/// Gives the parameters their values. Those of a recipe that are not given stay NULL: the SQL has their defaults.
pub fn bind(
    db: &Database,
    statements: &mut [Statement<'_>],
    params: &[Param],
    has_defaults: bool,
) -> Result<(), Failure> {
    let mut used = vec![false; params.len()];
    let mut known = Vec::new();
    for statement in statements {
        known.extend(statement.parameters().iter().filter_map(|name| Some(name.get(1..)?.to_owned())));
        for (index, name) in statement.parameters().into_iter().enumerate() {
            let given = params.iter().rposition(|param| name.get(1..) == Some(&param.name));
            if let Some(given) = given {
                statement.bind(index, value(&params[given].value, db))?;
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
            let failure = Failure::new(format!("the parameter `:{name}` {problem}")).code(2);
            Err(if is_twice || known.is_empty() { failure } else { failure.hint(those(&name, &known)) })
        }
        None => Ok(()),
    }
}

/// Which parameters a query has, in place of one that it has not.
fn those(name: &str, known: &[String]) -> String {
    let known: BTreeSet<_> = known.iter().map(|name| format!(":{name}")).collect();
    let all = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    suggest::meant(&format!(":{name}"), known.iter().map(String::as_str), &format!("it has {all}"))
}

/// Text that looks like a whole number becomes a number, because SQLite never finds a number equal to text. PostgreSQL takes
/// text for what is wanted where it stands.
fn value(text: &str, db: &Database) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text && db.path().is_some() => number.into(),
        _ => text.into(),
    }
}

/// The whole answer to one statement, in memory.
pub fn ask(db: &Database, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<Answer, Failure> {
    let rows = db.query(sql, values).map_err(|e| unprepared(db, sql, e))?;
    let names: Vec<_> = rows.columns().iter().map(String::as_str).collect();
    let columns = unique(&names);
    Ok(Answer { columns, rows: rows.map(|row| row.map(cells)).collect::<Result<_, _>>()? })
}

pub fn unprepared(db: &Database, sql: &str, error: ReadError) -> Failure {
    let problem = error.to_string();
    let failure = Failure::from(error);
    let is_missing = ["no such", "does not exist"].iter().any(|words| problem.contains(words));
    if is_missing && db.is_of_an_earlier_version() {
        return failure
            .hint("an earlier version wrote the database: the next `crawl` or `search` brings it up to date");
    }
    // PostgreSQL takes it for a name that stands where none can.
    if db.path().is_none() && problem.contains("syntax error") && problem.to_lowercase().contains("\"regexp\"") {
        return failure.hint("PostgreSQL writes it as url ~ 'PATTERN'");
    }
    // Without a hint, the failure is still told.
    let word = || Some(sql).filter(|_| problem.contains("syntax error")).and_then(|sql| a_word(db, sql));
    let hint = suggest::in_sql(db, sql, &problem).ok().flatten().or_else(word);
    failure.maybe_hint(hint.as_deref())
}

/// What was meant by SQL that is nothing but a name, of a file, a view or something like these; or that is a command of a shell.
fn a_word(db: &Database, sql: &str) -> Option<String> {
    let word = sql.trim();
    if std::path::Path::new(word).is_file() {
        return Some(format!("SQL in a file is given so: harvestman query - < {}", shell(word)));
    }
    let first = word.split_whitespace().next()?.to_lowercase();
    if first.starts_with(['.', '\\']) || ["show", "describe", "desc"].contains(&&*first) {
        return Some("`harvestman query --schema` names the views, and with the name of one its columns".to_owned());
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !word.chars().all(is_name) {
        return None;
    }
    let views = db.views().ok()?;
    if views.iter().any(|view| view == word) {
        return Some(format!("it is a view: harvestman query \"select * from {word} limit 20\""));
    }
    let known = views.iter().map(String::as_str).chain(recipes::RECIPES.iter().map(|recipe| recipe.name));
    let near = suggest::nearest(word, known).map_or_else(String::new, |near| {
        let is_view = views.iter().any(|view| view == near);
        let meant = if is_view { format!("\"select * from {near} limit 20\"") } else { format!("--recipe {near}") };
        format!("did you mean {meant}? ")
    });
    Some(near + "`harvestman query --list` shows the recipes, and --schema the views")
}
