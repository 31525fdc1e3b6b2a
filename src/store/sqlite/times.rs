//! The stored times at which known pages are due, and how they are computed anew.

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::failed::Failed;
use super::rows::{self, run_json};
use super::told;
use crate::config::Told;
use crate::policy::due::{Facts, Rules, wait};
use crate::visit::{Millis, State, UrlId};

/// Pages computed in one go.
const CHUNK: i64 = 5_000;

/// The columns that [`facts`] reads, of `url` as `u` beside `page` as `p`.
macro_rules! fact_columns {
    () => {
        "u.id, u.state, u.sitemap is not null as is_sitemap, u.lastmod, u.recrawl_ms, p.fetched_at, p.interval_ms,
             p.fresh_until"
    };
}

/// None for a URL of which no page is stored.
pub(super) fn facts(row: &SqliteRow) -> Result<Option<Facts>, Failed> {
    let Some(fetched_at) = row.get("fetched_at") else { return Ok(None) };
    Ok(Some(Facts {
        fetched_at,
        interval: row.get("interval_ms"),
        fresh_until: row.get("fresh_until"),
        lastmod: row.get("lastmod"),
        failed: rows::state(row)? == State::Failed,
        is_sitemap: row.get("is_sitemap"),
    }))
}

/// Computes anew when all known pages are due, if the stored times were computed by other rules or never.
pub(super) async fn keep_up(tx: &mut SqliteConnection, past: Option<&Told>, rules: &Rules) -> Result<(), Failed> {
    let is_same = past.is_some_and(|past| Rules::of(&past.config) == *rules);
    if is_same && !lack(tx).await? {
        return Ok(());
    }
    let mut after = 0_i64;
    loop {
        let rows = sqlx::query(concat!(
            "select ",
            fact_columns!(),
            " from page p join url u on u.id = p.url_id where p.url_id > ?1 order by p.url_id limit ?2"
        ))
        .bind(after)
        .bind(CHUNK)
        .fetch_all(&mut *tx)
        .await?;
        let Some(last) = rows.last() else { break };
        after = last.get("id");
        let mut changed: Vec<(UrlId, Millis)> = Vec::new();
        for row in &rows {
            let Some(facts) = facts(row)? else { continue };
            let recrawl = wait(&facts, rules);
            if row.get::<Option<Millis>, _>("recrawl_ms") != Some(recrawl) {
                changed.push((row.get("id"), recrawl));
            }
        }
        run_json(
            tx,
            "update url set recrawl_ms = v.recrawl
             from (select value ->> 0 as id, value ->> 1 as recrawl from json_each(?1)) v where url.id = v.id",
            &changed,
        )
        .await?;
    }
    Ok(())
}

/// Whether times were never computed: an earlier version stored none. One page tells, since all are computed together.
async fn lack(db: &mut SqliteConnection) -> Result<bool, Failed> {
    let sql = "select recrawl_ms is null from url where id = (select url_id from page limit 1)";
    Ok(sqlx::query_scalar(sql).fetch_optional(db).await?.unwrap_or(false))
}

/// In a database of a version that stored no times: computes them by the settings of its last crawl, if there was one.
pub(super) async fn bring_in(db: &mut SqliteConnection) -> Result<(), Failed> {
    if !lack(db).await? {
        return Ok(());
    }
    let mut tx = db.begin_with("begin immediate").await?;
    if let Some(past) = told::recall(&mut tx).await? {
        keep_up(&mut tx, Some(&past), &Rules::of(&past.config)).await?;
    }
    Ok(tx.commit().await?)
}

pub(super) use fact_columns;
