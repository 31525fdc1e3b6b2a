//! Stored times after the clock was set back.

use sqlx::{Row as _, SqliteConnection};

use crate::policy::politeness;
use crate::visit;

use super::failed::Failed;

/// What waits for a time of a clock that was set back since the last request waits as long as it was to then, and not
/// until the clock comes there once more. Done once for each last request, however often nothing is asked for.
pub(super) async fn follow(tx: &mut SqliteConnection) -> Result<(), Failed> {
    let now = visit::now();
    let last = sqlx::query(
        "select id, at from fetch where id = (select max(id) from fetch)
             and id is not (select cast(value as integer) from meta where key = 'set_back')",
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(last) = last else { return Ok(()) };
    let Some(back) = politeness::set_back(last.get("at"), now) else { return Ok(()) };
    for sql in [
        "update host set asked_at = min(asked_at, ?2),
             blocked_until = iif(blocked_until > ?2, blocked_until - ?1, blocked_until),
             robots_at = iif(robots_at > ?2, robots_at - ?1, robots_at)
         where asked_at > ?2 or blocked_until > ?2 or robots_at > ?2",
        "update url set due_at = due_at - ?1 where state = 0 and due_at > ?2",
        "insert into meta (key, value) values ('set_back', ?3) on conflict do update set value = ?3",
    ] {
        sqlx::query(sql).bind(back).bind(now).bind(last.get::<i64, _>("id")).execute(&mut *tx).await?;
    }
    let back = std::time::Duration::from_secs(back.unsigned_abs() / 1000);
    let back = humantime::format_duration(back);
    tracing::warn!(
        "the clock was set back by {back} since the last request: what waits for a time is moved by as much"
    );
    Ok(())
}
