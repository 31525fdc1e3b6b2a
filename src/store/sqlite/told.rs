//! What the last invocation was told, kept as one document for those who ask what became of a URL, or would.

use sqlx::SqliteConnection;

use crate::config::Told;

use super::failed::Failed;
use super::rows::json;

/// None if there was none, or if it cannot be read.
pub(super) async fn recall(db: &mut SqliteConnection) -> Result<Option<Told>, Failed> {
    let told: Option<String> =
        sqlx::query_scalar("select value from meta where key = 'config'").fetch_optional(db).await?;
    Ok(told.and_then(|told| serde_json::from_str(&told).ok()))
}

pub(super) async fn keep(tx: &mut SqliteConnection, told: &Told) -> Result<(), Failed> {
    sqlx::query("insert into meta (key, value) values ('config', ?1) on conflict do update set value = ?1")
        .bind(json(told)?)
        .execute(tx)
        .await?;
    Ok(())
}
