//! SQL on the views, with the recipes at hand.

use std::collections::HashMap;
use std::time::Instant;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use crate::cli::args::Param;
use crate::cli::failure::Failure;
use crate::cli::output::printable;
use crate::cli::questions::{Bounded, Bounds, Source, select};
use crate::cli::recipes::{self, RECIPES, Recipe};
use crate::cli::words::count;
use crate::read::Database;

use super::frame::{Frame, render};
use super::site::Shared;
use super::table::{Field, Table, address};

const BOUNDS: Bounds = Bounds { rows: 500, bytes: 2 << 20, cell: 2_000 };

#[derive(Template)]
#[template(path = "open/sql.html", whitespace = "minimize")]
struct Sql {
    frame: Frame,
    sql: String,
    /// Names, what they answer, and where each is asked.
    recipes: Vec<(&'static str, String, String)>,
    chosen: Option<&'static Recipe>,
    /// Parameters of the chosen recipe, with the values given so far.
    params: Vec<(String, String)>,
    answer: Option<Result<Table, Failure>>,
    patience: String,
    rows: String,
}

pub async fn show(State(site): Shared, Query(asked): Query<HashMap<String, String>>) -> Response {
    let source = site.source.clone();
    site.show(move |db, frame| answer(db, frame, &asked, &source), "/sql").await
}

fn answer(db: &Database, frame: Frame, asked: &HashMap<String, String>, source: &Source) -> Result<String, Failure> {
    let began = Instant::now();
    let chosen = asked.get("recipe").filter(|name| !name.is_empty()).map(|name| recipes::find(name)).transpose()?;
    let sql = chosen.map_or_else(|| asked.get("sql").cloned().unwrap_or_default(), |recipe| recipe.sql.to_owned());
    let names = match chosen {
        Some(recipe) => parameters(db, recipe)?,
        None => vec![],
    };
    let given = |name: &String| asked.get(&format!(":{name}")).cloned().unwrap_or_default();
    let params: Vec<_> = names.into_iter().map(|name| (name.clone(), given(&name))).collect();
    let is_asked = !sql.trim().is_empty();
    let answer = is_asked.then(|| table(db, &sql, chosen.is_some(), &params).map_err(|e| source.reason(began, e)));
    let recipe = |recipe: &Recipe| {
        let sentence = recipe.about();
        (recipe.name, sentence, address("/sql", &[("recipe", recipe.name)]))
    };
    let recipes = RECIPES.iter().map(recipe).collect();
    let patience = humantime::format_duration(source.patience).to_string();
    render(&Sql { frame, sql, recipes, chosen, params, answer, patience, rows: count(BOUNDS.rows as i64) })
}

/// Names of parameters without the colon, each once.
fn parameters(db: &Database, recipe: &Recipe) -> Result<Vec<String>, Failure> {
    let mut names = db.prepare(recipe.sql)?.parameters();
    names.iter_mut().for_each(|name| *name = name.trim_start_matches([':', '@', '$']).to_owned());
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    Ok(names)
}

fn table(db: &Database, sql: &str, has_defaults: bool, params: &[(String, String)]) -> Result<Table, Failure> {
    let given = params.iter().filter(|(_, value)| !value.is_empty());
    let given: Vec<_> = given.map(|(name, value)| Param { name: name.clone(), value: value.clone() }).collect();
    let Bounded { answer, next, is_cut } = select(db, sql, &given, has_defaults, (0, BOUNDS))?;
    let shown = answer.rows.len() as i64;
    let mut rest = Vec::new();
    if next.is_some() {
        rest.push(format!("The first {} rows are shown; there are more.", count(shown)));
    }
    if is_cut {
        rest.push("Long texts are cut off.".to_owned());
    }
    if !rest.is_empty() {
        rest.push("harvestman query has no such limits.".to_owned());
    }
    let table = Table::of("answer", "Answer", answer);
    Ok(Table { rest: (!rest.is_empty()).then(|| rest.join(" ")), none: "No row.", ..table })
}

/// What is shown of a failure.
fn told(failure: &Failure) -> String {
    let hint = failure.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
    printable(&format!("{}{hint}", failure.message))
}
