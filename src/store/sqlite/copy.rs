//! Taking a crawl over from another database.

use std::path::PathBuf;

use sqlx::AssertSqlSafe;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments};

use crate::store::StoreError;
use crate::store::copies::{MARK, Table, Takes};
use crate::store::failed::Failed;
use crate::store::tables::Transactions as _;
use crate::store::value::Value;

use super::database::SqliteDatabase;

impl Takes for SqliteDatabase {
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Its lock says so already.
    async fn must_be_free(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn mark(&mut self) -> Result<Option<String>, StoreError> {
        let mark = sqlx::query_scalar("select value from meta where key = ?1").bind(MARK).fetch_optional(&mut self.db);
        mark.await.map_err(StoreError::database)
    }

    async fn is_empty(&mut self) -> Result<bool, StoreError> {
        let sql = "select not exists (select 1 from url) and not exists (select 1 from run)";
        sqlx::query_scalar(sql).fetch_one(&mut self.db).await.map_err(StoreError::database)
    }

    async fn columns(&mut self, table: &Table) -> Result<Vec<String>, StoreError> {
        // Who holds a host is another's matter, and bodies are taken over as they were received.
        let sql = "select name from pragma_table_info(?1) where name not in ('holder', 'dictionary_id')";
        sqlx::query_scalar(sql).bind(table.name).fetch_all(&mut self.db).await.map_err(StoreError::database)
    }

    async fn put(
        &mut self,
        table: &Table,
        columns: &[String],
        rows: &[Vec<Value>],
        mark: &str,
    ) -> Result<(), StoreError> {
        self.open_transaction().await?;
        let written = self.write(table, columns, rows, mark).await;
        if written.is_err() {
            self.undo_transaction().await;
        }
        Ok(written?)
    }

    async fn complete(&mut self) -> Result<(), StoreError> {
        let sql = "delete from meta where key = ?1";
        sqlx::query(sql).bind(MARK).execute(&mut self.db).await.map(drop).map_err(StoreError::database)
    }
}

impl SqliteDatabase {
    async fn write(
        &mut self,
        table: &Table,
        columns: &[String],
        rows: &[Vec<Value>],
        mark: &str,
    ) -> Result<(), Failed> {
        let places = vec!["?"; columns.len()].join(", ");
        let sql = format!("insert into {} ({}) values ({places})", table.name, columns.join(", "));
        for row in rows {
            let insert = row.iter().fold(sqlx::query(AssertSqlSafe(sql.clone())), bind);
            insert.execute(&mut self.db).await?;
        }
        let sql = "insert into meta (key, value) values (?1, ?2) on conflict do update set value = ?2";
        sqlx::query(sql).bind(MARK).bind(mark).execute(&mut self.db).await?;
        self.commit_transaction().await
    }
}

fn bind<'q>(insert: Query<'q, Sqlite, SqliteArguments>, value: &'q Value) -> Query<'q, Sqlite, SqliteArguments> {
    match value {
        Value::Null => insert.bind(None::<i64>),
        Value::Integer(number) => insert.bind(number),
        Value::Real(number) => insert.bind(number),
        Value::Text(text) => insert.bind(text),
        Value::Blob(bytes) => insert.bind(bytes),
    }
}
