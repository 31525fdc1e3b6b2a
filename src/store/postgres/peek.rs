//! Looking into a database that somebody else may hold, without changing it.

use sqlx::PgConnection;

use crate::store::StoreError;

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
    let is_of_an_earlier_version = schema::is_of_an_earlier_version(&mut db, &name).await?;
    Ok(Peeked { db, name, is_of_an_earlier_version })
}
