//! `show`: one page, or a part of it.

use std::io::Write as _;

use harvestman::canonical::CanonicalUrl;
use harvestman::store::sqlite::{file_path, read};
use sqlx::Row;

use super::Failure;
use super::args::{Format, Part};
use super::output::{self, Answer, printable};

pub async fn run(database: &str, url: &str, part: Part) -> Result<u8, Failure> {
    let url = CanonicalUrl::parse(url).map_err(|e| Failure::new(format!("`{url}`: {e}")))?;
    let Ok(path) = file_path(database);
    let pool = read::open(&path).await?;
    let known =
        sqlx::query("select state, reason from url where url = ?1").bind(url.as_str()).fetch_optional(&pool).await?;
    let Some(known) = known else {
        return Err(Failure::new(format!("`{url}` is not in the database")));
    };
    let mut out = output::Guarded::stdout();
    if part.body || part.text {
        let sql =
            if part.body { "select body from bodies where url = ?1" } else { "select text from pages where url = ?1" };
        let row = sqlx::query(sql).bind(url.as_str()).fetch_optional(&pool).await?;
        let bytes: Option<Vec<u8>> = row.and_then(|row| row.try_get_unchecked(0).ok());
        let bytes = bytes.ok_or_else(|| Failure::new(format!("nothing of the kind is stored for `{url}`")))?;
        out.write_all(&bytes)?;
        return Ok(0);
    }
    let sql = match part {
        Part { headers: true, .. } => "select name, value from headers where url = ?1",
        Part { links: true, .. } => "select to_url, text, rel, element from links where from_url = ?1",
        _ => {
            drop(out);
            return everything(&pool, &url, &known).await;
        }
    };
    let mut answer = Answer::default();
    for row in sqlx::query(sql).bind(url.as_str()).fetch_all(&pool).await? {
        answer.push(&row);
    }
    drop(out);
    output::print(&answer, Format::Table)?;
    Ok(0)
}

async fn everything(
    pool: &sqlx::SqlitePool,
    url: &CanonicalUrl,
    known: &sqlx::sqlite::SqliteRow,
) -> Result<u8, Failure> {
    let state = match known.get::<i64, _>(0) {
        0 => "pending".to_owned(),
        1 => "fetched".to_owned(),
        2 => "failed".to_owned(),
        _ => format!("skipped: {}", known.get::<Option<String>, _>(1).unwrap_or_default()),
    };
    let mut text = format!("{url}\n{:16}{state}\n", "state");
    for sql in [
        "select * from pages where url = ?1",
        "select kind, message, attempts, last_attempt_at from failures where url = ?1",
    ] {
        let mut answer = Answer::default();
        if let Some(row) = sqlx::query(sql).bind(url.as_str()).fetch_optional(pool).await? {
            answer.push(&row);
        }
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
