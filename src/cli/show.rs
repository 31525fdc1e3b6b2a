//! `show`: one page, or a part of it.

use std::io::Write as _;

use crate::canonical::{CanonicalUrl, without_userinfo};
use crate::read::Database;

use super::args::{Form, Format, Part, Wide};
use super::bare;
use super::failure::Failure;
use super::output::{self, printable, unwritten};
use super::query::ask;
use super::summary::database_option;
use super::words::shell;

pub fn run(database: &str, url: &str, part: Part, wide: Wide) -> Result<u8, Failure> {
    let url = CanonicalUrl::parse(url).map_err(|e| {
        let failure = Failure::new(format!("`{}`: {e}", without_userinfo(url)));
        failure.maybe_hint(bare::named(url).as_deref())
    })?;
    let db = Database::open(database)?;
    let Some(known) = db.first("select state, reason from _url where url = ?1", [url.as_str().into()])? else {
        let failure = Failure::new(format!("`{url}` is not in the database"));
        let (before, option) = database_option(database);
        return Err(failure.hint(format!("{before}harvestman explain{option} {} says why", shell(url.as_str()))));
    };
    let listing = match part {
        Part { body: true, .. } => return one(&db, "select body from bodies where url = ?1", &url),
        Part { text: true, .. } => return one(&db, "select text from pages where url = ?1", &url),
        Part { markdown: true, .. } => return markdown(&db, &url),
        Part { headers: true, .. } => "select name, value from headers where url = ?1",
        Part { links: true, .. } => "select to_url, text, rel, element, part from links where from_url = ?1",
        Part { metadata: true, .. } => {
            "select source, name, value, position from metadata where url = ?1 order by source, position"
        }
        _ => return everything(&db, &url, known.at(0)?, known.at(1)?),
    };
    let answer = ask(&db, listing, [url.as_str().into()])?;
    if part.metadata && answer.rows.is_empty() {
        return Err(Failure::new(format!("no metadata of `{url}` is stored"))
            .hint("`harvestman extract metadata` reads it from the stored page"));
    }
    output::print(answer, Form { format: Format::Table, wide })?;
    Ok(0)
}

fn one(db: &Database, sql: &str, url: &CanonicalUrl) -> Result<u8, Failure> {
    let row = db.first(sql, [url.as_str().into()])?;
    let bytes = row.as_ref().map(|row| row.at::<Option<&[u8]>>(0)).transpose()?.flatten();
    let bytes = bytes.ok_or_else(|| Failure::new(format!("nothing of the kind is stored for `{url}`")))?;
    output::Guarded::stdout().write_all(bytes)?;
    Ok(0)
}

fn markdown(db: &Database, url: &CanonicalUrl) -> Result<u8, Failure> {
    let sql = "select markdown from articles where url = ?1";
    let row = if db.has_view("articles")? { db.first(sql, [url.as_str().into()])? } else { None };
    let row = row.ok_or_else(|| {
        Failure::new(format!("no article of `{url}` is stored"))
            .hint("`harvestman extract articles` finds the main content of stored pages")
    })?;
    writeln!(output::Guarded::stdout(), "{}", row.at::<&str>(0)?)?;
    Ok(0)
}

fn everything(db: &Database, url: &CanonicalUrl, state: i64, reason: Option<&str>) -> Result<u8, Failure> {
    let state = match state {
        0 => "pending".to_owned(),
        1 => "fetched".to_owned(),
        2 => "failed".to_owned(),
        _ => format!("skipped: {}", reason.unwrap_or_default()),
    };
    let mut text = format!("{url}\n{:16}{state}\n", "state");
    for sql in [
        "select * from pages where url = ?1",
        "select kind, message, attempts, last_attempt_at from failures where url = ?1",
    ] {
        let answer = ask(db, sql, [url.as_str().into()])?;
        for (name, value) in answer.columns.iter().zip(answer.rows.first().into_iter().flatten()) {
            if !value.is_null() && name != "url" && name != "text" {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                text.push_str(&format!("{name:16}{}\n", printable(&value)));
            }
        }
    }
    std::io::stdout().write_all(text.as_bytes()).map_err(|e| unwritten(&e))?;
    Ok(0)
}
