//! Columns and what they mean: reading rows into the crawl's words, and writing rows as one JSON array.

use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::canonical::{CanonicalUrl, Host};
use crate::policy::redirect::led_by;
use crate::policy::robots::answer_of;
use crate::store::failed::Failed;
use crate::store::tables::{Holder, Waits, Woken};
use crate::visit::{FailureKind, HostRecord, Millis, RobotsAnswer, SkipReason, State, StoredRobots, Target};

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
        stored: 0,
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

pub(super) fn target(row: &SqliteRow) -> Result<Target, Failed> {
    Ok(Target {
        id: row.get("id"),
        host: row.get("host_id"),
        url: url(row)?,
        depth: row.get("depth"),
        hops: led_by(row.get("hops")),
        attempts: row.get("attempts"),
        due_at: row.get("due_at"),
        known: row.get("known"),
        validators: None,
        sitemap: row.get("sitemap"),
        trap: row.get("trap_id"),
        check: None,
    })
}

/// A target, and who holds its host, as the column `holder` has it.
pub(super) fn woken(row: &SqliteRow, me: i64) -> Result<Woken, Failed> {
    Ok(Woken { target: target(row)?, holder: holder(row, me) })
}

/// The column `holder`. Invocations that began before this one are over: only one at a time has the file.
pub(super) fn holder(row: &SqliteRow, me: i64) -> Holder {
    match row.get::<i64, _>("holder").cmp(&me) {
        std::cmp::Ordering::Less => Holder::None,
        std::cmp::Ordering::Equal => Holder::This,
        std::cmp::Ordering::Greater => Holder::Another,
    }
}

/// The columns that [`waits`] reads, of a row of `url`.
macro_rules! waits_columns {
    () => {
        "id, url, state, depth, reason, followed, sitemap is not null as is_sitemap,
            (select status from page where url_id = url.referrer_id and not url.followed) as found_on"
    };
}
pub(super) use waits_columns;

pub(super) fn waits(row: &SqliteRow) -> Result<Waits, Failed> {
    Ok(Waits {
        id: row.get("id"),
        url: row.get("url"),
        state: state(row)?,
        reason: reason(row),
        depth: row.get("depth"),
        followed: row.get("followed"),
        found_on: row.get("found_on"),
        is_sitemap: row.get("is_sitemap"),
    })
}

/// The columns `seed` and `heir`.
pub(super) fn seed_and_heir(row: &SqliteRow) -> Result<(CanonicalUrl, CanonicalUrl), Failed> {
    Ok((parse(row.get("seed"))?, parse(row.get("heir"))?))
}

/// The column `url`.
pub(super) fn url(row: &SqliteRow) -> Result<CanonicalUrl, Failed> {
    parse(row.get("url"))
}

fn parse(url: &str) -> Result<CanonicalUrl, Failed> {
    Ok(CanonicalUrl::parse(url).map_err(|e| sqlx::Error::Decode(e.into()))?)
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

/// Reasons as a JSON array of their words.
pub(super) fn words(reasons: &[SkipReason]) -> Result<String, Failed> {
    json(&reasons.iter().map(SkipReason::as_str).collect::<Vec<_>>())
}

/// States as a JSON array of their numbers.
pub(super) fn numbers(states: &[State]) -> Result<String, Failed> {
    json(&states.iter().map(|state| state.number()).collect::<Vec<_>>())
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
