//! Columns and what they mean: reading rows into the crawl's words, and writing rows as one JSON array.

use super::failed::Failed;
use std::sync::Arc;

use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::canonical::{CanonicalUrl, Host};
use crate::policy::robots::answer_of;
use crate::visit::{
    FailureKind, HostRecord, Millis, RobotsAnswer, SkipReason, State, StoredRobots, Target, Validators,
};

/// ISO 8601 in UTC.
pub fn timestamp(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |t| format!("{t:.3}"))
}

/// What robots.txt said, from the columns of its host.
pub fn robots_answer(status: Option<u16>, failure: Option<&str>, body: Option<Vec<u8>>) -> RobotsAnswer {
    match status {
        Some(status) => answer_of(status, body),
        None => RobotsAnswer::Unreachable { status: None, failure: failure.and_then(FailureKind::from_word) },
    }
}

/// The columns that [`host_record`] reads.
macro_rules! host_columns {
    () => {
        "id, host, asked_at, blocked_until, robots_at, robots_status, robots_failure, robots_body, epoch"
    };
}
pub(super) use host_columns;

pub(super) fn host_record(row: &SqliteRow) -> Result<HostRecord, Failed> {
    let host = host_name(row)?;
    let (asked_at, blocked_until) = (row.get("asked_at"), row.get("blocked_until"));
    Ok(HostRecord {
        id: row.get("id"),
        host,
        asked_at,
        blocked_until,
        robots: stored_robots(row),
        epoch: row.get("epoch"),
    })
}

/// The column `host`.
pub(super) fn host_name(row: &SqliteRow) -> Result<Host, Failed> {
    Ok(Host::parse(row.get("host")).map_err(|e| sqlx::Error::Decode(e.into()))?)
}

fn stored_robots(row: &SqliteRow) -> Option<StoredRobots> {
    let fetched_at: Option<Millis> = row.get("robots_at");
    let status: Option<u16> = row.get("robots_status");
    let failure: Option<String> = row.get("robots_failure");
    let body: Option<Vec<u8>> = row.get("robots_body");
    Some(StoredRobots { fetched_at: fetched_at?, answer: robots_answer(status, failure.as_deref(), body) })
}

/// The columns that [`target`] reads, of a row of `url`.
macro_rules! target_columns {
    () => {
        "id, url, host_id, depth, hops, attempts, due_at, known, sitemap, trap_id"
    };
}
pub(super) use target_columns;

pub(super) fn target(row: &SqliteRow, validators: Option<Validators>) -> Result<Target, Failed> {
    Ok(Target {
        id: row.get("id"),
        host: row.get("host_id"),
        url: url(row)?,
        depth: row.get("depth"),
        hops: row.get("hops"),
        attempts: row.get("attempts"),
        due_at: row.get("due_at"),
        known: row.get("known"),
        validators: validators.map(Arc::new),
        sitemap: row.get("sitemap"),
        trap: row.get("trap_id"),
    })
}

/// The column `url`.
pub(super) fn url(row: &SqliteRow) -> Result<CanonicalUrl, Failed> {
    Ok(CanonicalUrl::parse(row.get("url")).map_err(|e| sqlx::Error::Decode(e.into()))?)
}

/// The column `state`.
pub(super) fn state(row: &SqliteRow) -> Result<State, Failed> {
    let number: u8 = row.get("state");
    let unknown = || sqlx::Error::Decode(format!("no state has the number {number}").into());
    Ok(State::from_number(number).ok_or_else(unknown)?)
}

/// The column `reason`.
pub(super) fn reason(row: &SqliteRow) -> Option<SkipReason> {
    row.get::<Option<&str>, _>("reason").and_then(SkipReason::from_word)
}

/// Rows handed over to a statement as one JSON array.
pub(super) fn json(rows: &(impl Serialize + ?Sized)) -> Result<String, Failed> {
    Ok(serde_json::to_string(rows).map_err(|e| sqlx::Error::Encode(e.into()))?)
}

/// Rows handed over at once: JSON and what SQLite makes of it take more memory than the rows.
pub(super) const ROWS: usize = 8192;

/// Runs a statement that treats each row by itself; no rows, no statement.
pub(super) async fn run_json(
    db: &mut SqliteConnection,
    sql: &'static str,
    rows: &[impl Serialize],
) -> Result<(), Failed> {
    for some in rows.chunks(ROWS) {
        sqlx::query(sql).bind(json(some)?).execute(&mut *db).await?;
    }
    Ok(())
}
