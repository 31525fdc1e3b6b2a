//! What the tables take on the disk, and giving it back to the file system.

use sqlx::AssertSqlSafe;

use crate::store::StoreError;
use crate::store::failed::Failed;
use crate::store::tables::{Space, Transactions as _};

use super::database::PgDatabase;
use super::rows::scalar;

/// Bytes of the crawl's tables and their indexes, with what is free in them.
pub const SIZE: &str = "select sum(pg_total_relation_size(oid))::bigint from pg_class
    where relnamespace = current_schema()::regnamespace and relkind = 'r'";

impl PgDatabase {
    /// Writes all tables anew, which takes their size of free space; who wants to read one waits meanwhile. Answers with the
    /// bytes that the tables took before and take now.
    pub async fn vacuum(&mut self) -> Result<(i64, i64), StoreError> {
        Ok(self.rewrite().await?)
    }

    async fn rewrite(&mut self) -> Result<(i64, i64), Failed> {
        self.refuse_beside("").await?;
        let before = self.bytes().await?;
        let tables: String = scalar(
            "select string_agg(oid::regclass::text, ', ') from pg_class
             where relnamespace = current_schema()::regnamespace and relkind = 'r'",
        )
        .fetch_one(&mut self.db)
        .await?;
        sqlx::raw_sql(AssertSqlSafe(format!("vacuum (full, analyze) {tables}"))).execute(&mut self.db).await?;
        Ok((before, self.bytes().await?))
    }

    async fn bytes(&mut self) -> Result<i64, Failed> {
        Ok(scalar(SIZE).fetch_one(&mut self.db).await?)
    }
}

impl Space for PgDatabase {
    async fn size(&mut self) -> Result<u64, Failed> {
        self.open_transaction().await?;
        let bytes = self.bytes().await?;
        self.commit_transaction().await?;
        Ok(u64::try_from(bytes).unwrap_or_default())
    }
}
