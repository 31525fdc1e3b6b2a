//! Looking into a database that somebody else may hold, without changing it.

use sqlx::{Connection as _, PgConnection};

use crate::store::StoreError;

use super::schema::open_error;
use super::{database, schema};

/// A database that holds a crawl.
#[derive(Debug)]
pub struct Peeked {
    pub db: PgConnection,
    /// Its URL without user, password and parameters.
    pub name: String,
    /// It lacks what this version added.
    pub is_of_an_earlier_version: bool,
}

/// Connects to a database; refused if it holds no crawl.
pub async fn connect(url: &str) -> Result<Peeked, StoreError> {
    let (mut db, _, name) = database::connect(url).await?;
    // Of a pool, a statement is asked for and run by one connection only within a transaction.
    let mut tx = db.begin().await.map_err(|e| open_error(&name, &e))?;
    let is_of_an_earlier_version = schema::is_of_an_earlier_version(&mut tx, &name).await?;
    tx.rollback().await.map_err(|e| open_error(&name, &e))?;
    Ok(Peeked { db, name, is_of_an_earlier_version })
}
