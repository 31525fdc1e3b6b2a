//! A stored URL that is skipped or waits, judged by the present seeds and settings.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::policy::sweep::{Changed, Waiting, judge_again};
use crate::scope::Scope;
use crate::visit::SkipReason;

use super::rows;

/// The columns that [`verdict`] reads, of a row of `url`.
macro_rules! verdict_columns {
    () => {
        "url, depth, reason, followed, sitemap is not null as is_sitemap, not followed and exists
            (select 1 from page where url_id = url.referrer_id and status >= 400) as on_error_page"
    };
}
pub(super) use verdict_columns;

/// A skip reason as it is stored.
pub(super) type SkipWord = String;

/// Why a URL was skipped so far, and why it is from now on.
pub(super) fn verdict(
    row: &SqliteRow,
    scope: &Scope,
    sitemaps: bool,
    changed: Changed,
) -> Option<(Option<SkipWord>, Option<SkipWord>)> {
    let url = rows::url(row).ok()?;
    let old: Option<SkipWord> = row.get("reason");
    let waiting = Waiting {
        url: &url,
        reason: old.as_deref().and_then(SkipReason::from_word),
        depth: row.get("depth"),
        followed: row.get("followed"),
        is_on_error_page: row.get("on_error_page"),
        is_sitemap: row.get("is_sitemap"),
    };
    let new = judge_again(&waiting, scope, sitemaps, changed);
    Some((old, new.map(|reason| reason.to_string())))
}
