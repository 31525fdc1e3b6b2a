//! What is kept beside the present: older versions of pages, and the logs of old runs.

use crate::visit::UrlId;

use super::failed::Failed;
use super::run::SqliteRun;

/// Rows deleted in one transaction: so few that readers and signals wait for none of them.
const ROWS: i64 = 5_000;

impl SqliteRun {
    /// Keeps what the page is before another answer replaces it, and of older versions as many as are wanted. The one
    /// kept last takes on the newer time if its content is the same.
    pub(super) async fn keep_version(&mut self, id: UrlId) -> Result<(), Failed> {
        let keep = self.config.keep_versions;
        sqlx::query(
            "insert into old_content (hash, text, body)
             select p.content_hash, c.text, c.body from page p join content c on c.url_id = p.url_id where p.url_id = ?1
             on conflict (hash) do update set body = excluded.body where body is null and excluded.body is not null",
        )
        .bind(id)
        .execute(self.db())
        .await?;
        sqlx::query(
            "insert or replace into version (id, url_id, content_id, fetched_at, status, content_type, charset, size)
             select (select v.id from (select id, content_id from version where url_id = ?1 order by id desc limit 1) v
                     where v.content_id = c.id),
                 p.url_id, c.id, p.fetched_at, p.status, p.content_type, p.charset, p.size
             from page p join old_content c on c.hash = p.content_hash where p.url_id = ?1",
        )
        .bind(id)
        .execute(self.db())
        .await?;
        sqlx::query(
            "delete from version where url_id = ?1
                 and id not in (select id from version where url_id = ?1 order by id desc limit ?2)",
        )
        .bind(id)
        .bind(keep)
        .execute(self.db())
        .await?;
        Ok(())
    }

    /// Deletes some of the fetches and changes of all but the last `keep` runs, while there are any. Both grow with the
    /// runs, so that the oldest are at the low end.
    pub(super) async fn prune(&mut self, keep: u32) -> Result<bool, Failed> {
        let oldest: Option<i64> = sqlx::query_scalar("select id from run order by id desc limit 1 offset ?1")
            .bind(keep.saturating_sub(1))
            .fetch_optional(self.db())
            .await?;
        let Some(oldest) = oldest else { return Ok(false) };
        let mut deleted = 0;
        for delete in [
            "delete from fetch where run_id < ?1 and id in (select id from fetch order by id limit ?2)",
            "delete from change where run_id < ?1 and id in (select id from change order by id limit ?2)",
        ] {
            deleted += sqlx::query(delete).bind(oldest).bind(ROWS).execute(self.db()).await?.rows_affected();
        }
        Ok(deleted > 0)
    }
}
