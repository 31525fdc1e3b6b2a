//! A database of an earlier version, brought up to date.

use crate::config::Config;
use crate::store::postgres::{PgDatabase, is_postgres};
use crate::store::sqlite::{SqliteDatabase, file_path};
use crate::store::{Store as _, StoreError};

pub async fn run(database: &str) -> Result<(), StoreError> {
    if is_postgres(database) {
        return PgDatabase::open(database, &Config::default()).await?.close().await;
    }
    let path = file_path(database)?;
    SqliteDatabase::open(&path).await?.close().await
}
