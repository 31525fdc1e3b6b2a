//! Columns and what they mean: reading rows into the crawl's words, and handing texts over.

use std::borrow::Cow;

use aws_lc_rs::digest;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Query, QueryScalar};
use sqlx::{FromRow, Postgres, Row as _};

use crate::canonical::{CanonicalUrl, Host};
use crate::policy::redirect::led_by;
use crate::policy::robots::answer_of;
use crate::store::failed::Failed;
use crate::store::tables::{Holder, Lowered, Waits, Woken};
use crate::visit::{FailureKind, HostRecord, Millis, RobotsAnswer, SkipReason, State, StoredRobots, Target, UrlId};

/// A statement that leaves nothing behind in the server's session.
pub(super) fn sql<'q>(text: &'static str) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(text).persistent(false)
}

/// The same for an answer of one column.
pub(super) fn scalar<'q, T>(text: &'static str) -> QueryScalar<'q, Postgres, T, PgArguments>
where
    (T,): for<'r> FromRow<'r, PgRow>,
{
    sqlx::query_scalar(text).persistent(false)
}

/// The first 16 bytes of the SHA-256 of a URL, by which its row is found.
pub(super) fn hash(url: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, url.as_bytes()).as_ref()[..16].to_vec()
}

/// Text as PostgreSQL can hold it: without U+0000.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// A number for a column of four bytes; none is ever so large.
pub(super) fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A number for a column of eight bytes.
pub(super) fn bigint(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// A number from a column of four bytes.
pub(super) fn uint(row: &PgRow, column: &str) -> u32 {
    row.get::<i32, _>(column).try_into().unwrap_or_default()
}

/// A number that may be null, from a column of four bytes.
pub(super) fn optional<T: TryFrom<i32>>(row: &PgRow, column: &str) -> Option<T> {
    row.get::<Option<i32>, _>(column)?.try_into().ok()
}

/// The columns that [`host_record`] reads.
macro_rules! host_columns {
    () => {
        "id, host, asked_at, blocked_until, robots_at, robots_status, robots_failure, robots_body, epoch, stored,
             stored_in"
    };
}
pub(super) use host_columns;

/// What was stored of it counts for its `invocation` alone.
pub(super) fn host_record(row: &PgRow, invocation: i64) -> Result<HostRecord, Failed> {
    let is_of_this = row.get::<i64, _>("stored_in") == invocation;
    Ok(HostRecord {
        id: row.get("id"),
        host: host_name(row)?,
        asked_at: row.get("asked_at"),
        blocked_until: row.get("blocked_until"),
        robots: stored_robots(row),
        epoch: row.get("epoch"),
        stored: row.get::<i64, _>("stored").try_into().ok().filter(|_| is_of_this).unwrap_or_default(),
    })
}

/// The column `host`.
pub(super) fn host_name(row: &PgRow) -> Result<Host, Failed> {
    Ok(Host::parse(row.get("host")).map_err(|e| sqlx::Error::Decode(e.into()))?)
}

pub(super) fn stored_robots(row: &PgRow) -> Option<StoredRobots> {
    let fetched_at: Option<Millis> = row.get("robots_at");
    let failure: Option<&str> = row.get("robots_failure");
    let answer = match optional(row, "robots_status") {
        Some(status) => answer_of(status, row.get("robots_body")),
        None => RobotsAnswer::Unreachable { status: None, failure: failure.and_then(FailureKind::from_word) },
    };
    Some(StoredRobots { fetched_at: fetched_at?, answer })
}

/// Whether nobody holds the host `h`, or who did is gone. A statement that waits for the lock of a host sees that as it is then,
/// and the nodes as they were when it began: to be relied on once the host is locked already.
macro_rules! is_free {
    () => {
        "not exists (select 1 from node n where n.id = h.holder and not n.gone)"
    };
}
pub(super) use is_free;

/// When a host `h` that is taken may have been asked last. Of one whose holder was silent for too long that is not known: until
/// its lease ended it may have.
macro_rules! asked_at {
    () => {
        "greatest(h.asked_at, (select (extract(epoch from n.leased_until) * 1000)::bigint + 1 from node n
             where n.id = h.holder and n.ended_at is null))"
    };
}
pub(super) use asked_at;

/// Who holds the host `h`, for [`holder`]; `$1` is the number of this invocation.
macro_rules! holder_column {
    () => {
        concat!(
            "case when h.holder = $1 then 1 when ",
            $crate::store::postgres::rows::is_free!(),
            " then 0 else 2 end as holder"
        )
    };
}
pub(super) use holder_column;

/// The same for the host of a row of `url`.
macro_rules! holder_of_url {
    () => {
        concat!(
            "(select ",
            $crate::store::postgres::rows::holder_column!(),
            " from host h where h.id = url.host_id) as holder"
        )
    };
}
pub(super) use holder_of_url;

pub(super) fn holder(row: &PgRow) -> Holder {
    match row.get::<i32, _>("holder") {
        0 => Holder::None,
        1 => Holder::This,
        _ => Holder::Another,
    }
}

/// The columns that [`target`] reads, of a row of `url`.
macro_rules! target_columns {
    () => {
        "url.id, url.url, url.host_id, url.depth, url.hops, url.attempts, url.due_at, url.known, url.sitemap, url.trap_id"
    };
}
pub(super) use target_columns;

pub(super) fn target(row: &PgRow) -> Result<Target, Failed> {
    Ok(Target {
        id: row.get("id"),
        host: row.get("host_id"),
        url: url(row)?,
        depth: uint(row, "depth"),
        hops: led_by(uint(row, "hops")),
        attempts: uint(row, "attempts"),
        due_at: row.get("due_at"),
        known: row.get("known"),
        validators: None,
        sitemap: optional(row, "sitemap"),
        trap: row.get("trap_id"),
        check: None,
    })
}

/// A target, and who holds its host.
pub(super) fn woken(row: &PgRow) -> Result<Woken, Failed> {
    Ok(Woken { target: target(row)?, holder: holder(row) })
}

/// The same with its state and reason.
pub(super) fn lowered(row: &PgRow) -> Result<Lowered, Failed> {
    Ok(Lowered { target: target(row)?, holder: holder(row), state: state(row)?, reason: reason(row) })
}

/// The columns that [`waits`] reads, of a row of `url`.
macro_rules! waits_columns {
    () => {
        "id, url, state, depth, reason, followed, sitemap is not null as is_sitemap,
            (select status from page where url_id = url.referrer_id and not url.followed) as found_on"
    };
}
pub(super) use waits_columns;

pub(super) fn waits(row: &PgRow) -> Result<Waits, Failed> {
    Ok(Waits {
        id: row.get("id"),
        url: row.get("url"),
        state: state(row)?,
        reason: reason(row),
        depth: uint(row, "depth"),
        followed: row.get("followed"),
        found_on: optional(row, "found_on"),
        is_sitemap: row.get("is_sitemap"),
    })
}

/// The columns `seed` and `heir`.
pub(super) fn seed_and_heir(row: &PgRow) -> Result<(CanonicalUrl, CanonicalUrl), Failed> {
    Ok((parse(row.get("seed"))?, parse(row.get("heir"))?))
}

/// The column `url`.
pub(super) fn url(row: &PgRow) -> Result<CanonicalUrl, Failed> {
    parse(row.get("url"))
}

fn parse(url: &str) -> Result<CanonicalUrl, Failed> {
    Ok(CanonicalUrl::parse(url).map_err(|e| sqlx::Error::Decode(e.into()))?)
}

/// The column `state`.
pub(super) fn state(row: &PgRow) -> Result<State, Failed> {
    let number: i16 = row.get("state");
    let unknown = || sqlx::Error::Decode(format!("no state has the number {number}").into());
    Ok(u8::try_from(number).ok().and_then(State::from_number).ok_or_else(unknown)?)
}

/// The column `reason`.
pub(super) fn reason(row: &PgRow) -> Option<SkipReason> {
    row.get::<Option<&str>, _>("reason").and_then(SkipReason::from_word)
}

pub(super) fn words(reasons: &[SkipReason]) -> Vec<&str> {
    reasons.iter().map(SkipReason::as_str).collect()
}

pub(super) fn numbers(states: &[State]) -> Vec<i16> {
    states.iter().map(|state| state.number().into()).collect()
}

/// Verdicts as columns.
pub(super) fn verdicts(verdicts: &[(UrlId, u8, Option<String>)]) -> (Vec<UrlId>, Vec<i16>, Vec<Option<Cow<'_, str>>>) {
    let ids = verdicts.iter().map(|(id, ..)| *id).collect();
    let states = verdicts.iter().map(|(_, state, _)| i16::from(*state)).collect();
    (ids, states, verdicts.iter().map(|(.., reason)| reason.as_deref().map(clean)).collect())
}

/// The column `kept`, which is null where no page is stored.
pub(super) fn kept(row: &PgRow) -> u8 {
    row.get::<Option<i16>, _>("kept").and_then(|kept| kept.try_into().ok()).unwrap_or_default()
}
