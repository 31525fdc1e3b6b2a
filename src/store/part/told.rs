//! What the last invocation was told, kept as one document for those who ask what became of a URL, or would.

use crate::config::Told;
use crate::store::failed::Failed;
use crate::store::tables::Tables;

/// None if there was none, or if it cannot be read.
pub(super) async fn recall(database: &mut impl Tables) -> Result<Option<Told>, Failed> {
    Ok(database.told().await?.and_then(|told| serde_json::from_str(&told).ok()))
}

pub(super) async fn keep(database: &mut impl Tables, told: &Told) -> Result<(), Failed> {
    database.keep_told(&written(told)?).await
}

pub(super) fn written(told: &Told) -> Result<String, Failed> {
    Ok(serde_json::to_string(told).map_err(|e| sqlx::Error::Encode(e.into()))?)
}
