//! Giving space back to the file system.

use sqlx::AssertSqlSafe;

use crate::store::StoreError;
use crate::store::failed::Failed;

use super::database::PgDatabase;
use super::rows::scalar;

impl PgDatabase {
    /// Writes all tables anew, which takes their size of free space; who wants to read one waits meanwhile. Answers with the
    /// bytes that the tables took before and take now.
    pub async fn vacuum(&mut self) -> Result<(i64, i64), StoreError> {
        Ok(self.rewrite().await?)
    }

    async fn rewrite(&mut self) -> Result<(i64, i64), Failed> {
        self.refuse_beside("").await?;
        let before = self.size().await?;
        let tables: String = scalar(
            "select string_agg(oid::regclass::text, ', ') from pg_class
             where relnamespace = current_schema()::regnamespace and relkind = 'r'",
        )
        .fetch_one(&mut self.db)
        .await?;
        sqlx::raw_sql(AssertSqlSafe(format!("vacuum (full, analyze) {tables}"))).execute(&mut self.db).await?;
        Ok((before, self.size().await?))
    }

    async fn size(&mut self) -> Result<i64, Failed> {
        let size = scalar(
            "select sum(pg_total_relation_size(oid))::bigint from pg_class
             where relnamespace = current_schema()::regnamespace and relkind = 'r'",
        );
        Ok(size.fetch_one(&mut self.db).await?)
    }
}
