//! Reading a crawl, also while it runs: connections that cannot write.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

use crate::store::StoreError;

/// Opens an existing database for reading only.
pub async fn open(path: &Path) -> Result<SqlitePool, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .pragma("query_only", "on")
        .busy_timeout(Duration::from_secs(10));
    let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await;
    let pool = pool.map_err(|e| super::open_error(path, &e))?;
    let views = "select count(*) from sqlite_master where type = 'view' and name in ('accounting', 'fetches', 'pages')";
    let known: i64 = sqlx::query_scalar(views).fetch_one(&pool).await.map_err(|e| super::open_error(path, &e))?;
    if known < 3 {
        return Err(StoreError::Open { path: path.to_owned(), problem: "it holds no crawl".into() });
    }
    Ok(pool)
}

/// Who holds the database, as that crawl wrote it down.
pub async fn holder(path: &Path) -> Option<String> {
    let pool = open(path).await.ok()?;
    sqlx::query_scalar("select value from meta where key = 'holder'").fetch_optional(&pool).await.ok()?
}
