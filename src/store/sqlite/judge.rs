//! A stored URL that is skipped or waits, judged by the present seeds and settings.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::policy::sweep::{Changed, Verdict, Waiting, judge_again};
use crate::scope::Scope;

use super::failed::Failed;
use super::rows;

/// The columns that [`verdict`] reads, of a row of `url`.
macro_rules! verdict_columns {
    () => {
        "url, state, depth, reason, followed, sitemap is not null as is_sitemap,
            (select status from page where url_id = url.referrer_id and not url.followed) as found_on"
    };
}
pub(super) use verdict_columns;

/// What a URL becomes, if it does not stay as it is.
pub(super) fn verdict(
    row: &SqliteRow,
    scope: &Scope,
    sitemaps: bool,
    changed: Changed,
) -> Result<Option<Verdict>, Failed> {
    let Ok(url) = rows::url(row) else { return Ok(None) };
    let waiting = Waiting {
        url: &url,
        state: rows::state(row)?,
        reason: rows::reason(row),
        depth: row.get("depth"),
        followed: row.get("followed"),
        found_on: row.get("found_on"),
        is_sitemap: row.get("is_sitemap"),
    };
    Ok(judge_again(&waiting, scope, sitemaps, changed))
}
