//! What was probably meant by a word that names nothing.

use std::sync::LazyLock;

use regex::Regex;

use crate::read::{Database, ReadError};

/// How alike two words are that may be meant for each other, from 0 to 1.
const ALIKE: f64 = 0.75;

/// The word that is most like another.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let likeness = |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &word);
    let known = known.into_iter().map(|known| (likeness(known), known)).filter(|(likeness, _)| *likeness > ALIKE);
    known.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known)
}

/// What is said of a name that is a column here, though one may look for a view.
const NO_VIEWS: [(&str, &str); 1] = [(
    "titles",
    "titles are a column: select url, title from pages; `harvestman query --recipe repeated-titles` lists those of several pages",
)];

/// What a database says of a name that it does not know.
static UNKNOWN: LazyLock<[Option<Regex>; 2]> = LazyLock::new(|| {
    [
        Regex::new(r"no such (?<what>table|column|function): (?<name>[^\s(]+)").ok(),
        Regex::new(r#"(?<what>relation|column|function) "?(?<name>[^\s"(]+)"?(\(.*\))? does not exist"#).ok(),
    ]
});

/// A hint for SQL that names what is not there.
pub fn in_sql(db: &Database, sql: &str, problem: &str) -> Result<Option<String>, ReadError> {
    let no_view = |name: &str| NO_VIEWS.iter().find(|(other, _)| *other == name).map(|(_, words)| (*words).to_owned());
    // Where the name stands alone, the database tells of the syntax.
    let Some(found) = UNKNOWN.iter().flatten().find_map(|unknown| unknown.captures(problem)) else {
        return Ok(no_view(sql.trim()));
    };
    let name = &found["name"];
    let views = db.views()?;
    let hint = match &found["what"] {
        "function" => meant(name, db.functions().iter().copied(), "docs/queries.md names the functions"),
        "column" => {
            let columns = columns(db, sql, &views)?;
            // `p.title` is the column of a view that is called p.
            let name = name.rsplit('.').next().unwrap_or(name);
            meant(name, columns.iter().map(String::as_str), "`harvestman query --schema VIEW` names the columns")
        }
        _ => {
            let name = name.rsplit('.').next().unwrap_or(name);
            let nearest =
                || meant(name, views.iter().map(String::as_str), "`harvestman query --schema` names the views");
            no_view(name).unwrap_or_else(nearest)
        }
    };
    Ok(Some(hint))
}

/// A question whether another was meant, if one is like it, and where all are named.
pub fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>, all: &str) -> String {
    nearest(word, known).map_or_else(|| all.to_owned(), |known| format!("did you mean `{known}`? {all}"))
}

/// The columns of the views that a statement names.
fn columns(db: &Database, sql: &str, views: &[String]) -> Result<Vec<String>, ReadError> {
    let words: Vec<_> = sql.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut columns = Vec::new();
    for view in views.iter().filter(|view| words.iter().any(|word| word.eq_ignore_ascii_case(view))) {
        columns.extend_from_slice(db.query(&format!("select * from {view} limit 0"), [])?.columns());
    }
    Ok(columns)
}
