//! The suite on SQLite.

use harvestman::internals::store::sqlite::SqliteDatabase;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Row, SqliteConnection, TypeInfo as _, ValueRef as _};
use tempfile::TempDir;

use crate::place::Place;

/// A folder with a database.
pub struct Folder(TempDir);

impl Folder {
    async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.0.path().join("crawl.db"));
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    async fn execute(&self, sql: String) {
        let mut db = self.connect().await;
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
    }
}

impl Place for Folder {
    type Store = SqliteDatabase;

    fn new() -> Option<Self> {
        Some(Self(tempfile::tempdir().unwrap()))
    }

    async fn open(&self) -> SqliteDatabase {
        SqliteDatabase::open(&self.0.path().join("crawl.db")).await.unwrap()
    }

    async fn rows(&self, sql: &str) -> Vec<String> {
        let mut db = self.connect().await;
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut db).await.unwrap();
        db.close().await.unwrap();
        let cell = |row: &sqlx::sqlite::SqliteRow, at: usize| {
            let value = row.try_get_raw(at).unwrap();
            match value.type_info().name() {
                "NULL" => String::new(),
                "INTEGER" | "BOOLEAN" => row.get::<i64, _>(at).to_string(),
                "BLOB" => String::from_utf8(row.get(at)).unwrap(),
                _ => row.get(at),
            }
        };
        let join = |row| (0..row_len(row)).map(|at| cell(row, at)).collect::<Vec<_>>().join("|");
        rows.iter().map(join).collect()
    }

    async fn age(&self, by: i64) {
        self.execute(format!("update page set fetched_at = fetched_at - {by}")).await;
    }

    async fn seize(&self, host: &str) {
        self.execute(format!("update host set epoch = epoch + 1, holder = 1000000000 where host = '{host}'")).await;
    }
}

fn row_len(row: &sqlx::sqlite::SqliteRow) -> usize {
    row.columns().len()
}

crate::cases::every_case!(crate::sqlite::Folder);
