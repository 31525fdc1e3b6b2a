//! What the reading tools answer: bounded, and with how to get more.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::canonical::CanonicalUrl;
use crate::cli::args::{Param, Since};
use crate::cli::failure::Failure;
use crate::cli::questions::words::{Found, search};
use crate::cli::questions::{Bounded, Bounds, Source, cut, select};
use crate::cli::{changes, explain, output, recipes};
use crate::read::{Database, Hit};

use super::schema;

/// Bytes of texts in an answer, and characters of one text among others.
const BYTES: usize = 40_000;
const CELL: usize = 2_000;
/// Characters of a page's text that are shown at once, and beside what else is known of it.
const TEXT: usize = 20_000;
const BEGINNING: usize = 3_000;
/// Rows of a part of a page.
const ROWS: usize = 100;

/// An answer: JSON, or a text of a page as it stands.
#[derive(Debug)]
pub struct Answered {
    /// What is said of it, such as how to get more.
    pub note: Option<String>,
    pub data: String,
    /// Whether strangers wrote a part of it.
    pub is_of_the_web: bool,
}

impl Answered {
    pub fn of_the_web(data: &Value, note: Option<String>) -> Self {
        Self { note, data: data.to_string(), is_of_the_web: true }
    }
}

/// The arguments of a tool, or what is wrong with them.
pub fn arguments<T: DeserializeOwned>(arguments: Value) -> Result<T, Failure> {
    serde_json::from_value(arguments).map_err(|e| Failure::new(format!("the arguments: {e}")))
}

/// Calls a tool by its name.
pub fn answer(source: &Source, tool: &str, given: Value) -> Result<Answered, Failure> {
    match tool {
        "search" => found(source, &arguments(given)?),
        "show" => {
            let show: Show = arguments(given)?;
            let url = explain::url_of(&show.url)?;
            source.ask(|db| shown(db, &url, &show))
        }
        "explain" => {
            let Explain { url } = arguments(given)?;
            let url = explain::url_of(&url)?;
            let explained = source.ask(|db| explain::explained(db, &url))?;
            Ok(Answered { note: None, data: explained.text(url.as_str()), is_of_the_web: true })
        }
        "query" => queried(source, arguments(given)?),
        "schema" => described(source, &arguments(given)?),
        _ => changed(source, &arguments(given)?),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    words: String,
    host: Option<String>,
    #[serde(default = "ten")]
    limit: u32,
    #[serde(default)]
    skip: u32,
}

fn ten() -> u32 {
    10
}

fn found(source: &Source, asked: &Search) -> Result<Answered, Failure> {
    if asked.words.trim().is_empty() {
        return Err(Failure::new("there are no words to search for"));
    }
    let (limit, skip) = (asked.limit.clamp(1, 50), asked.skip.min(1_000));
    let found = source.ask(|db| search(db, &asked.words, asked.host.as_deref(), skip + limit + 1))?;
    let Found { hits, unindexed } = found;
    let has_more = hits.len() > (skip + limit) as usize;
    let hit = |hit: Hit| {
        let snippet = hit.snippet.replace(Hit::MARKS[0], "[").replace(Hit::MARKS[1], "]");
        json!({ "url": hit.url, "title": hit.title, "snippet": snippet })
    };
    let hits: Vec<_> = hits.into_iter().skip(skip as usize).take(limit as usize).map(hit).collect();
    let mut notes = Vec::new();
    if has_more {
        notes.push(format!("More with skip = {}.", skip + limit));
    }
    if unindexed > 0 {
        notes.push(format!(
            "{unindexed} pages are not in the full-text index and were looked through for the words as they stand; \
             `harvestman search` brings it up to date."
        ));
    }
    Ok(Answered::of_the_web(&hits.into(), (!notes.is_empty()).then(|| notes.join(" "))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explain {
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Show {
    url: String,
    #[serde(default)]
    part: Part,
    #[serde(default)]
    skip: usize,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Part {
    #[default]
    Summary,
    Text,
    Markdown,
    Headers,
    Links,
    Inbound,
    Metadata,
    Versions,
}

fn shown(db: &Database, url: &CanonicalUrl, asked: &Show) -> Result<Answered, Failure> {
    if db.first("select 1 from _url where url = ?1", [url.as_str().into()])?.is_none() {
        return Err(
            Failure::new(format!("`{url}` is not in the database")).hint("`search` and `query` find URLs that are")
        );
    }
    let sql = match asked.part {
        Part::Summary => return summary(db, url),
        Part::Text => return text(db, "select text from pages where url = ?1", url, asked.skip),
        Part::Markdown if !db.has_view("articles")? => return Err(nothing(url)),
        Part::Markdown => return text(db, "select markdown from articles where url = ?1", url, asked.skip),
        Part::Headers => "select name, value from headers where url = :url",
        Part::Links => {
            "select t.url, l.text, l.rel, l.element, l.part from _url f join _link l on l.from_id = f.id
             join _url t on t.id = l.to_id where f.url = :url order by l.position"
        }
        Part::Inbound => {
            "select f.url, l.text, l.rel, l.element, l.part from _url t join _link l on l.to_id = t.id
             join _url f on f.id = l.from_id where t.url = :url order by l.from_id, l.position"
        }
        Part::Metadata => {
            "select source, name, value, position from metadata where url = :url order by source, position, name"
        }
        Part::Versions => {
            "select fetched_at, status, content_type, size, content_hash from versions where url = :url order by fetched_at desc"
        }
    };
    let params = [Param { name: "url".to_owned(), value: url.to_string() }];
    let bounds = Bounds { rows: ROWS, bytes: BYTES, cell: CELL };
    Ok(rows(select(db, sql, &params, false, (asked.skip, bounds))?))
}

/// What is known of a page, and how its text begins.
fn summary(db: &Database, url: &CanonicalUrl) -> Result<Answered, Failure> {
    let params = [Param { name: "url".to_owned(), value: url.to_string() }];
    let bounds = Bounds { rows: 1, bytes: BYTES, cell: BEGINNING };
    let mut known = Map::new();
    let sources = [
        "select url, state, reason, depth, referrer, first_seen_at from urls where url = :url",
        "select * from pages where url = :url",
        "select kind, message, attempts, last_attempt_at from failures where url = :url",
    ];
    let mut is_cut = false;
    for sql in sources {
        let Bounded { answer, is_cut: cut, .. } = select(db, sql, &params, false, (0, bounds))?;
        is_cut |= cut;
        let row = answer.rows.into_iter().next().unwrap_or_default();
        known.extend(answer.columns.into_iter().zip(row).filter(|(_, value)| !value.is_null()));
    }
    let note = is_cut.then(|| "Texts that end in … are cut off: part = text has all of it.".to_owned());
    Ok(Answered::of_the_web(&Value::Object(known), note))
}

fn nothing(url: &CanonicalUrl) -> Failure {
    let failure = Failure::new(format!("nothing of the kind is stored for `{url}`"));
    failure.hint("part = summary says what is known of it; markdown is found by `harvestman extract articles`")
}

/// A part of a text as it stands.
fn text(db: &Database, sql: &str, url: &CanonicalUrl, skip: usize) -> Result<Answered, Failure> {
    let row = db.first(sql, [url.as_str().into()])?;
    let text = row.map_or(Ok(None), |row| row.at::<Option<String>>(0))?.ok_or_else(|| nothing(url))?;
    let rest = text.char_indices().nth(skip).map_or("", |(at, _)| &text[at..]);
    let part = cut(rest, TEXT);
    let note = part.map(|_| format!("It goes on: more with skip = {}.", skip.saturating_add(TEXT)));
    Ok(Answered { note, data: part.unwrap_or(rest).to_owned(), is_of_the_web: true })
}

/// Rows as an array of objects.
fn rows(bounded: Bounded) -> Answered {
    let Bounded { answer, next, is_cut } = bounded;
    let objects = answer.rows.into_iter().map(|row| Value::Object(output::object(&answer.columns, row)));
    let objects: Vec<_> = objects.collect();
    let mut notes = Vec::new();
    if let Some(next) = next {
        notes.push(format!("More rows with skip = {next}."));
    }
    if is_cut {
        notes.push("Texts that end in … are cut off: `show` has the whole text of a page.".to_owned());
    }
    Answered::of_the_web(&objects.into(), (!notes.is_empty()).then(|| notes.join(" ")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    sql: Option<String>,
    recipe: Option<String>,
    #[serde(default)]
    params: Map<String, Value>,
    #[serde(default = "fifty")]
    limit: usize,
    #[serde(default)]
    skip: usize,
}

fn fifty() -> usize {
    50
}

fn queried(source: &Source, asked: Query) -> Result<Answered, Failure> {
    let recipe = asked.recipe.as_deref().map(recipes::find).transpose()?;
    let sql = match (&recipe, &asked.sql) {
        (Some(recipe), None) => recipe.sql,
        (None, Some(sql)) => sql,
        _ => return Err(Failure::new("give either sql or recipe")),
    };
    let param = |(name, value): (String, Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Param { name: name.trim_start_matches(':').to_owned(), value }
    };
    let params: Vec<_> = asked.params.into_iter().map(param).collect();
    let bounds = Bounds { rows: asked.limit.clamp(1, 500), bytes: BYTES, cell: CELL };
    let answer = source.ask(|db| select(db, sql, &params, recipe.is_some(), (asked.skip, bounds)));
    Ok(rows(answer?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Schema {
    view: Option<String>,
}

fn described(source: &Source, asked: &Schema) -> Result<Answered, Failure> {
    let data = match &asked.view {
        None => source.ask(|db| Ok(schema::all(db)?))?,
        Some(view) => schema::of(view).ok_or_else(|| Failure::new(format!("there is no view `{view}`")))?,
    };
    Ok(Answered { note: None, data: data.to_string(), is_of_the_web: false })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    since: Option<Value>,
    #[serde(default = "fifty")]
    limit: usize,
    #[serde(default)]
    skip: usize,
}

fn changed(source: &Source, asked: &Changes) -> Result<Answered, Failure> {
    let since = asked.since.as_ref().map(|since| since.as_str().map_or_else(|| since.to_string(), str::to_owned));
    let since =
        since.map(|since| since.parse::<Since>().map_err(|e| Failure::new(format!("since: {e}")))).transpose()?;
    let bounds = Bounds { rows: asked.limit.clamp(1, 500), bytes: BYTES, cell: CELL };
    let answer = source.ask(|db| {
        changes::require_views(db)?;
        let (run, at) = changes::start(db, since)?;
        let params = [("run", run.to_string()), ("at", at)];
        let params = params.map(|(name, value)| Param { name: name.to_owned(), value });
        let sql = "select run, url, change, at from changes where run >= :run and at >= :at order by run, at, url";
        select(db, sql, &params, false, (asked.skip, bounds))
    });
    Ok(rows(answer?))
}
