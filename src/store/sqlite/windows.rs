//! What is pending of a host, and the end of a run.

use std::sync::LazyLock;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::policy::kept::{Kept, Stored};
use crate::policy::turn::COLUMNS;
use crate::store::Refill;
use crate::visit::{self, HostId};

use super::failed::Failed;
use super::rows;
use super::run::SqliteRun;

/// The first pending URLs of a host, in their order.
static WINDOW: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select u.id, u.url, u.host_id, u.depth, u.hops, u.attempts, u.due_at, u.known, u.sitemap, u.trap_id, p.status, p.kept,
             p.etag, p.last_modified, p.content_hash is not null as has_content, p.fetched_at,
             (select j.value ->> 1 from json_each(p.headers) j where j.value ->> 0 = 'date') as date
         from (select * from url where host_id = ?1 and state = 0 order by {COLUMNS} limit ?2) u
         left join page p on p.url_id = u.id and u.known
         order by {COLUMNS}"
    )
});

impl SqliteRun {
    pub(super) async fn window(&mut self, host: HostId, limit: usize) -> Result<Option<Refill>, Failed> {
        let Some(record) = self.held_host(host).await? else { return Ok(None) };
        let rows = sqlx::query(sqlx::AssertSqlSafe(WINDOW.as_str()))
            .bind(host)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.db())
            .await?;
        let complete = rows.len() < limit;
        let condition = |row| stored(row).and_then(|stored| stored.condition(&self.config));
        let targets = rows.iter().map(|row| rows::target(row, condition(row))).collect::<Result<_, _>>()?;
        Ok(Some(Refill { host: record, targets, complete }))
    }

    pub(super) async fn close_run(&mut self, outcome: &str, finished: bool) -> Result<(), Failed> {
        let id = self.id;
        sqlx::query("update run set outcome = ?1, finished_at = case when ?2 then ?3 end where id = ?4")
            .bind(outcome)
            .bind(finished)
            .bind(visit::now())
            .bind(id)
            .execute(self.db())
            .await?;
        if finished {
            sqlx::query("delete from edge").execute(self.db()).await?;
        }
        Ok(())
    }
}

/// The page that is stored of a pending URL.
fn stored(row: &SqliteRow) -> Option<Stored> {
    Some(Stored {
        status: row.get::<Option<u16>, _>("status")?,
        kept: Kept(row.get("kept")),
        has_content: row.get("has_content"),
        etag: row.get("etag"),
        last_modified: row.get("last_modified"),
        date: row.get("date"),
        fetched_at: row.get("fetched_at"),
    })
}
