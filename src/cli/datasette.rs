//! `query --datasette`: what Datasette (datasette.io) is to know of a crawl's file, in its metadata.yaml. Views and their columns
//! are described, recipes are canned queries, and the tables behind them are hidden.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

use crate::read::Database;
use crate::store::sqlite::described::View;

use super::failure::Failure;
use super::output::unwritten;
use super::recipes::{RECIPES, Recipe};
use super::schema;

/// A parameter, and the number that stands in its place if it is not given.
static PARAMETER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?<numeric>coalesce\(:(?<number>\w+), (?<default>\d+)\))|:(?<text>[a-z_]+)").ok());

pub fn run(database: &str) -> Result<u8, Failure> {
    let db = Database::open(database)?;
    let Some(path) = db.path() else {
        let failure = Failure::new("Datasette reads SQLite files, and this is a PostgreSQL database");
        return Err(failure.hint("make a file of it: harvestman copy postgres://… crawl.db"));
    };
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let views = schema::of(&db)?;
    let tables = "select name from sqlite_master where type = 'table' order by name";
    let tables = db.query(tables, [])?.map(|row| row?.at(0)).collect::<Result<Vec<String>, _>>()?;
    let text = metadata(&name, &views, &tables);
    std::io::stdout().write_all(text.as_bytes()).map_err(|e| unwritten(&e))?;
    Ok(0)
}

fn metadata(database: &str, views: &[View], tables: &[String]) -> String {
    let mut out = format!(
        "# For Datasette: datasette serve FILE --metadata metadata.yaml\n\
         title: A crawl by harvestman\ndatabases:\n  {}:\n    tables:\n",
        quoted(database)
    );
    for View { name, about, columns } in views {
        let _ = writeln!(out, "      {}:\n        description: {}\n        columns:", quoted(name), quoted(about));
        for (column, holds) in columns {
            let _ = writeln!(out, "          {}: {}", quoted(column), quoted(holds));
        }
    }
    for table in tables {
        let _ = writeln!(out, "      {}:\n        hidden: true", quoted(table));
    }
    out.push_str("    queries:\n");
    for recipe in RECIPES {
        // Several have the name of a view, which the address would lead to.
        let _ = writeln!(out, "      {}:", quoted(&format!("recipe-{}", recipe.name)));
        let _ = writeln!(out, "        title: {}", quoted(recipe.name));
        let _ = writeln!(out, "        description: {}\n        sql: |2", quoted(&recipe.about()));
        for line in with_blanks(recipe).lines() {
            let _ = writeln!(out, "          {line}");
        }
    }
    out
}

/// JSON's way of writing a text is one of YAML's.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The SQL of a recipe for a form in which a field that is not filled in is an empty text, and a number is text.
fn with_blanks(recipe: &Recipe) -> String {
    let code = recipe.sql.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    let Some(parameter) = PARAMETER.as_ref() else { return code };
    let filled = parameter.replace_all(&code, |found: &Captures<'_>| match found.name("numeric") {
        Some(_) => format!("coalesce(cast(nullif(:{}, '') as integer), {})", &found["number"], &found["default"]),
        None => format!("nullif(:{}, '')", &found["text"]),
    });
    filled.into_owned()
}
