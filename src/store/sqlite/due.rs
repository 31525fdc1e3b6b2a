//! The stored times at which known pages are due, kept up with what they depend on, and what a run fetches again by them.

use std::collections::{HashMap, HashSet};

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::policy::due::{Facts, Rules, due_at};
use crate::policy::sweep::{ASKED_BY_RUN, OPENED_BY_RUN, wakes};
use crate::store::StoreError;
use crate::visit::{self, Millis, SkipReason, State, UrlId};

use super::batch::Batch;
use super::rows::{self, json, run_json};
use super::run::SqliteRun;

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
fn facts(row: &SqliteRow) -> Result<Option<Facts>, StoreError> {
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

/// Computes anew when all known pages are due, if the stored times were computed by other rules.
pub(super) async fn keep_up(tx: &mut SqliteConnection, rules: &Rules) -> Result<(), StoreError> {
    let present = json(rules)?;
    let past: Option<String> =
        sqlx::query_scalar("select value from meta where key = 'due'").fetch_optional(&mut *tx).await?;
    if past.as_ref() == Some(&present) {
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
            let recrawl = due_at(&facts, rules).saturating_sub(facts.fetched_at);
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
    sqlx::query("insert into meta (key, value) values ('due', ?1) on conflict do update set value = ?1")
        .bind(present)
        .execute(tx)
        .await?;
    Ok(())
}

/// A new run: what is due by the stored times, and whatever a run asks for anyway, is pending; what a given-up run left
/// pending and is not due counts as fetched.
pub(super) async fn sweep(tx: &mut SqliteConnection) -> Result<(), StoreError> {
    /// The condition of [`crate::policy::due::is_due`] on the stored time.
    macro_rules! is_due {
        () => {
            "exists (select 1 from page p where p.url_id = url.id
                 and (p.fetched_at + coalesce(url.recrawl_ms, 0) <= ?1 or p.fetched_at > ?1))"
        };
    }
    let now = visit::now();
    sqlx::query(concat!(
        "update url set state = 1, attempts = 0, due_at = null
         where state = 0 and exists (select 1 from page where url_id = url.id) and not ",
        is_due!()
    ))
    .bind(now)
    .execute(&mut *tx)
    .await?;
    sqlx::query(concat!(
        "update url set state = 0, reason = null, attempts = 0, due_at = null,
             known = exists (select 1 from page where url_id = id)
         where state in (select value from json_each(?2))
             or (state = 3 and reason in (select value from json_each(?3))) or (state = 1 and ",
        is_due!(),
        ")"
    ))
    .bind(now)
    .bind(json(&ASKED_BY_RUN.map(State::number))?)
    .bind(json(&OPENED_BY_RUN.each_ref().map(SkipReason::as_str))?)
    .execute(tx)
    .await?;
    Ok(())
}

impl SqliteRun {
    /// Takes in when pages changed, as sitemaps say, and wakes those that are due by it.
    pub(super) async fn heed_lastmods(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let listed: HashMap<UrlId, Millis> = std::mem::take(&mut batch.lastmods).into_iter().collect();
        if listed.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(concat!(
            "select ",
            fact_columns!(),
            " from json_each(?1) j join url u on u.id = j.value left join page p on p.url_id = u.id"
        ))
        .bind(json(&listed.keys().collect::<Vec<_>>())?)
        .fetch_all(self.db())
        .await?;
        let now = visit::now();
        let mut changed: Vec<(UrlId, Option<Millis>, Option<Millis>)> = Vec::new();
        let mut woken: Vec<UrlId> = Vec::new();
        for row in &rows {
            let id: UrlId = row.get("id");
            let lastmod = listed.get(&id).copied();
            let facts = facts(row)?.map(|facts| Facts { lastmod, ..facts });
            let due_at = facts.map(|facts| due_at(&facts, &self.rules));
            let recrawl = due_at.zip(facts).map(|(due_at, facts)| due_at.saturating_sub(facts.fetched_at));
            if lastmod != row.get("lastmod") || recrawl != row.get("recrawl_ms") {
                changed.push((id, lastmod, recrawl));
            }
            if let (Some(facts), Some(due_at), true) = (facts, due_at, self.rules.heed_lastmod())
                && wakes(rows::state(row)?, due_at, facts.fetched_at, self.began, now)
            {
                woken.push(id);
            }
        }
        run_json(
            self.db(),
            "update url set lastmod = v.lastmod, recrawl_ms = v.recrawl
             from (select value ->> 0 as id, value ->> 1 as lastmod, value ->> 2 as recrawl from json_each(?1)) v
             where url.id = v.id",
            &changed,
        )
        .await?;
        self.wake(&woken, batch).await
    }

    async fn wake(&mut self, woken: &[UrlId], batch: &mut Batch) -> Result<(), StoreError> {
        if woken.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(concat!(
            "update url set state = 0, attempts = 0, due_at = null, known = 1
             where id in (select value from json_each(?1)) returning ",
            rows::target_columns!()
        ))
        .bind(json(woken)?)
        .fetch_all(self.db())
        .await?;
        let mut hosts = HashSet::new();
        for row in &rows {
            let target = rows::target(row, None)?;
            hosts.insert(target.host);
            batch.committed.targets.push(target);
            batch.delta.change(State::Fetched, State::Pending);
        }
        self.reach(hosts, batch).await
    }
}
