//! What can be asked: the views and their columns as docs/views.md describes them, of which a test sees that it is true of
//! the database.

use std::sync::LazyLock;

use crate::cli::recipes::RECIPES;
use crate::read::{Database, ReadError};
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../../../docs/views.md");

/// A view: its name, what a row is, and its columns.
struct View {
    name: &'static str,
    about: &'static str,
    columns: Vec<(&'static str, &'static str)>,
}

static VIEWS: LazyLock<Vec<View>> = LazyLock::new(|| {
    let start = DOCUMENT.find("<!-- views:").unwrap_or(DOCUMENT.len());
    let views = DOCUMENT[start..].split("<!-- end of views").next().unwrap_or_default();
    views.split("\n### `").skip(1).filter_map(view).collect()
});

fn view(section: &'static str) -> Option<View> {
    let (name, rest) = section.split_once('`')?;
    let about = rest.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let column = |line: &'static str| {
        let (name, about) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some((name, about.trim_end_matches(" |")))
    };
    Some(View { name, about, columns: rest.lines().filter_map(column).collect() })
}

/// The names of all views.
pub fn names() -> Vec<&'static str> {
    VIEWS.iter().map(|view| view.name).collect()
}

/// The views of this database in a line each, and the recipes. Some views are of SQLite alone, and a database of an earlier
/// version lacks those that came later.
pub fn all(db: &Database) -> Result<Value, ReadError> {
    let _moment = db.snapshot()?;
    let mut known = Vec::new();
    for view in VIEWS.iter() {
        if db.has_view(view.name)? {
            known.push(view);
        }
    }
    let views = known.into_iter().map(|view| {
        let columns: Vec<_> = view.columns.iter().map(|(name, _)| *name).collect();
        json!({ "view": view.name, "row": view.about, "columns": columns.join(", ") })
    });
    let recipes = RECIPES.iter().map(|recipe| json!({ "recipe": recipe.name, "answers": recipe.about() }));
    Ok(json!({ "views": views.collect::<Vec<_>>(), "recipes": recipes.collect::<Vec<_>>() }))
}

/// What the columns of a view hold, if there is one of this name.
pub fn of(name: &str) -> Option<Value> {
    let view = VIEWS.iter().find(|view| view.name == name)?;
    let columns: serde_json::Map<_, _> =
        view.columns.iter().map(|(name, about)| ((*name).to_owned(), Value::from(*about))).collect();
    Some(json!({ "view": view.name, "row": view.about, "columns": columns }))
}
