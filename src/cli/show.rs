//! `show`: one page, or a part of it.

use std::io::Write as _;

use crate::canonical::CanonicalUrl;
use crate::store::sqlite::{file_path, read};
use rusqlite::{Connection, OptionalExtension as _};

use super::Failure;
use super::args::{Format, Part};
use super::output::{self, printable};
use super::query::ask;

pub fn run(database: &str, url: &str, part: Part) -> Result<u8, Failure> {
    let url = CanonicalUrl::parse(url).map_err(|e| Failure::new(format!("`{url}`: {e}")))?;
    let Ok(path) = file_path(database);
    let db = read::open(&path)?;
    let state = "select state, reason from url where url = ?1";
    let known = db.query_row(state, [url.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((state, reason)) = known else {
        return Err(Failure::new(format!("`{url}` is not in the database")));
    };
    let listing = match part {
        Part { body: true, .. } => return one(&db, "select body from bodies where url = ?1", &url),
        Part { text: true, .. } => return one(&db, "select text from pages where url = ?1", &url),
        Part { headers: true, .. } => "select name, value from headers where url = ?1",
        Part { links: true, .. } => "select to_url, text, rel, element from links where from_url = ?1",
        _ => return everything(&db, &url, state, reason),
    };
    output::print(ask(&db, listing, [url.as_str()])?, Format::Table)?;
    Ok(0)
}

fn one(db: &Connection, sql: &str, url: &CanonicalUrl) -> Result<u8, Failure> {
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([url.as_str()])?;
    let row = rows.next()?;
    let bytes = match &row {
        Some(row) => row.get_ref(0)?.as_bytes_or_null().ok().flatten(),
        None => None,
    };
    let bytes = bytes.ok_or_else(|| Failure::new(format!("nothing of the kind is stored for `{url}`")))?;
    output::Guarded::stdout().write_all(bytes)?;
    Ok(0)
}

fn everything(db: &Connection, url: &CanonicalUrl, state: i64, reason: Option<String>) -> Result<u8, Failure> {
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
        let answer = ask(db, sql, [url.as_str()])?;
        for (name, value) in answer.columns.iter().zip(answer.rows.first().into_iter().flatten()) {
            if !value.is_null() && name != "url" && name != "text" {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                text.push_str(&format!("{name:16}{}\n", printable(&value)));
            }
        }
    }
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(0)
}
