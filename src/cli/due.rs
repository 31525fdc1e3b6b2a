//! What the database holds for [`crate::policy::due`], which says when a known page is due.

use crate::config::Config;
use crate::policy::due::{Facts, Rules};
use crate::read::{Database, ReadError, Row};

/// The columns that [`facts`] reads, of `_url` as `u` beside `_page` as `p`.
pub const COLUMNS: &str = "p.fetched_at, p.interval_ms, p.fresh_until, u.lastmod, u.state = 2, u.sitemap is not null";

/// Reads them; the first is number `from`.
pub fn facts(row: &Row, from: usize) -> Result<Facts, ReadError> {
    Ok(Facts {
        fetched_at: row.at(from)?,
        interval: row.at(from + 1)?,
        fresh_until: row.at(from + 2)?,
        lastmod: row.at(from + 3)?,
        failed: row.at(from + 4)?,
        is_sitemap: row.at(from + 5)?,
    })
}

/// The settings of the last crawl; none in a database of an earlier version, which did not keep them.
pub fn settings(db: &Database) -> Result<Option<Config>, ReadError> {
    let told = db.first("select value from _meta where key = 'config'", [])?;
    let told: Option<String> = told.as_ref().map(|row| row.at(0)).transpose()?;
    Ok(told.and_then(|told| serde_json::from_str(&told).ok()))
}

/// By which rules pages are due.
pub fn rules(db: &Database) -> Result<Rules, ReadError> {
    Ok(Rules::of(&settings(db)?.unwrap_or_default()))
}
