//! House-keeping: older versions of pages, the logs of old runs, and space given back.

use std::path::Path;

use sqlx::SqliteConnection;

use crate::store::StoreError;
use crate::visit::UrlId;

use super::SqliteStore;

/// Rows deleted in one transaction: so few that readers and signals wait for none of them.
const ROWS: i64 = 5_000;
/// Pages given back in one transaction.
const PAGES: i64 = 1_000;
/// The value of `pragma auto_vacuum` that lets free pages be given back without rewriting the file.
const INCREMENTAL: i64 = 2;

/// Bytes that a database and its write-ahead log take on the disk.
pub fn disk_size(path: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    size(path) + size(Path::new(&log))
}

impl SqliteStore {
    /// Keeps what the page is before another answer replaces it, and of older versions as many as are wanted. The one
    /// kept last takes on the newer time if its content is the same.
    pub(super) async fn keep_version(&mut self, id: UrlId) -> Result<(), StoreError> {
        sqlx::query(
            "insert into old_content (hash, text, body)
             select p.content_hash, c.text, c.body from page p join content c on c.url_id = p.url_id where p.url_id = ?1
             on conflict (hash) do update set body = excluded.body where body is null and excluded.body is not null",
        )
        .bind(id)
        .execute(&mut self.db)
        .await?;
        sqlx::query(
            "insert or replace into version (id, url_id, content_id, fetched_at, status, content_type, charset, size)
             select (select v.id from (select id, content_id from version where url_id = ?1 order by id desc limit 1) v
                     where v.content_id = c.id),
                 p.url_id, c.id, p.fetched_at, p.status, p.content_type, p.charset, p.size
             from page p join old_content c on c.hash = p.content_hash where p.url_id = ?1",
        )
        .bind(id)
        .execute(&mut self.db)
        .await?;
        sqlx::query(
            "delete from version where url_id = ?1
                 and id not in (select id from version where url_id = ?1 order by id desc limit ?2)",
        )
        .bind(id)
        .bind(self.keep_versions)
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    /// Deletes some of the fetches and changes of all but the last `keep` runs, while there are any. Both grow with the
    /// runs, so that the oldest are at the low end.
    pub(super) async fn prune(&mut self, keep: u32) -> Result<bool, StoreError> {
        let oldest: Option<i64> = sqlx::query_scalar("select id from run order by id desc limit 1 offset ?1")
            .bind(keep.saturating_sub(1))
            .fetch_optional(&mut self.db)
            .await?;
        let Some(oldest) = oldest else { return Ok(false) };
        let mut deleted = 0;
        for delete in [
            "delete from fetch where run_id < ?1 and id in (select id from fetch order by id limit ?2)",
            "delete from change where run_id < ?1 and id in (select id from change order by id limit ?2)",
        ] {
            deleted += sqlx::query(delete).bind(oldest).bind(ROWS).execute(&mut self.db).await?.rows_affected();
        }
        Ok(deleted > 0)
    }

    /// Gives free pages back to the file system, in steps beside which others can read. A database of a version that
    /// could not do so is rewritten once, which takes up to twice its size of free space; without it nothing changes. False
    /// if a reader still needs the older state, so that the file shrinks only later.
    pub async fn vacuum(&mut self) -> Result<bool, StoreError> {
        let mode: i64 = sqlx::query_scalar("pragma auto_vacuum").fetch_one(&mut self.db).await?;
        if mode == INCREMENTAL {
            free_pages(&mut self.db).await?;
        } else {
            tracing::info!("rewriting the whole file, this once");
            // Everything is copied: too much for memory, where temporary tables are otherwise.
            sqlx::raw_sql("pragma temp_store = file; pragma auto_vacuum = incremental; vacuum")
                .execute(&mut self.db)
                .await?;
        }
        sqlx::query("pragma busy_timeout = 2000").execute(&mut self.db).await?;
        let busy: bool = sqlx::query_scalar("pragma wal_checkpoint(truncate)").fetch_one(&mut self.db).await?;
        Ok(!busy)
    }
}

async fn free_pages(db: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut free: i64 = sqlx::query_scalar("pragma freelist_count").fetch_one(&mut *db).await?;
    while free > 0 {
        sqlx::query(sqlx::AssertSqlSafe(format!("pragma incremental_vacuum({PAGES})"))).execute(&mut *db).await?;
        let left = sqlx::query_scalar("pragma freelist_count").fetch_one(&mut *db).await?;
        if left >= free {
            break;
        }
        free = left;
    }
    Ok(())
}
