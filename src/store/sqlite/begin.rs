//! The start of an invocation: continue or begin a run, judge again, admit the seeds.

use sqlx::{Connection, Row, SqliteConnection};

use crate::canonical::CanonicalUrl;
use crate::config::Config;
use crate::scope::Scope;
use crate::store::{Accounting, StoreError};
use crate::visit;

use super::SqliteStore;
use super::revisit::{save_recrawl, sweep_again};

/// Rows judged again in one go.
const CHUNK: i64 = 5_000;

impl SqliteStore {
    pub(super) async fn begin_run(
        &mut self,
        config: &Config,
        scope: &Scope,
        seeds: &[CanonicalUrl],
    ) -> Result<i64, StoreError> {
        self.store_bodies = config.store_bodies;
        self.store_links = config.store_links;
        self.store_text = config.store_text;
        self.reads_sitemaps = config.sitemaps;
        self.max_depth = config.max_depth;
        self.recrawl_after = config.recrawl_after;
        self.recrawl_min = config.recrawl_min;
        self.recrawl_max = config.recrawl_max;
        self.keep_versions = config.keep_versions;
        self.keep_runs = config.keep_runs;
        self.product_token = config.product_token().to_owned();
        self.known.clear();

        let mut tx = self.db.begin_with("begin immediate").await?;
        let last = sqlx::query("select id, finished_at is not null, outcome is null from run order by id desc limit 1")
            .fetch_optional(&mut *tx)
            .await?;
        let unfinished = last.as_ref().filter(|row| !row.get::<bool, _>(1) && !config.fresh).map(|row| row.get(0));
        if last.as_ref().is_some_and(|row| row.get(2)) {
            // A crash: which hosts it had just asked is not known.
            sqlx::query("update host set asked_at = ?1").bind(visit::now()).execute(&mut *tx).await?;
        }
        self.run = if let Some(run) = unfinished {
            sqlx::query("update run set outcome = null where id = ?1").bind(run).execute(&mut *tx).await?;
            run
        } else {
            if last.is_some() {
                sweep_again(&mut tx, config).await?;
            }
            sqlx::query_scalar("insert into run (started_at) values (?1) returning id")
                .bind(visit::now())
                .fetch_one(&mut *tx)
                .await?
        };
        // Unreachable then may be reachable now.
        sqlx::query("update url set state = 0, reason = null where state = 3 and reason in ('robots_unreachable', 'private_address')")
            .execute(&mut *tx)
            .await?;
        let changed = settings_changed(&mut tx, config, seeds).await?;
        admit(&mut tx, seeds).await?;
        save_recrawl(&mut tx, config).await?;
        remember(&mut tx, config).await?;
        if changed {
            judge_again(&mut tx, scope, config.sitemaps).await?;
        }
        self.next_url = sqlx::query_scalar("select coalesce(max(id), 0) + 1 from url").fetch_one(&mut *tx).await?;
        // The run counts from its first moment: it may end without a single commit.
        sqlx::query(
            "update run set (discovered, fetched, failed, skipped, pending) =
                 (select discovered, fetched, failed, skipped, pending from accounting) where id = ?1",
        )
        .bind(self.run)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.accounting = count(&mut self.db).await?;
        Ok(self.run)
    }
}

async fn admit(tx: &mut SqliteConnection, seeds: &[CanonicalUrl]) -> Result<(), StoreError> {
    let rows: Vec<_> = seeds.iter().map(|seed| (seed.as_str(), seed.host().as_str().to_owned())).collect();
    let json = serde_json::to_string(&rows).map_err(|e| sqlx::Error::Encode(e.into()))?;
    sqlx::query(
        "insert into host (host) select distinct value ->> 1 from json_each(?1) where true on conflict do nothing",
    )
    .bind(&json)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "insert into url (url, host_id, state, depth, first_seen_at)
         select value ->> 0, (select id from host where host = value ->> 1), 0, 0, ?2 from json_each(?1) where true
         on conflict (url) do update set depth = 0, referrer_id = null,
             state = iif(state = 3, 0, state), reason = iif(state = 3, null, reason)",
    )
    .bind(&json)
    .bind(visit::now())
    .execute(&mut *tx)
    .await?;
    sqlx::query("delete from seed").execute(&mut *tx).await?;
    sqlx::query("insert into seed (url_id) select id from url where url in (select value ->> 0 from json_each(?1))")
        .bind(&json)
        .execute(tx)
        .await?;
    Ok(())
}

/// Keeps the settings for those who ask what became of a URL, or would.
async fn remember(tx: &mut SqliteConnection, config: &Config) -> Result<(), StoreError> {
    let json = serde_json::to_string(config).map_err(|e| sqlx::Error::Encode(e.into()))?;
    sqlx::query("insert into meta (key, value) values ('config', ?1) on conflict do update set value = ?1")
        .bind(json)
        .execute(tx)
        .await?;
    Ok(())
}

/// Whether what decides on skipping differs from the last invocation's.
async fn settings_changed(
    tx: &mut SqliteConnection,
    config: &Config,
    seeds: &[CanonicalUrl],
) -> Result<bool, StoreError> {
    // Version 0.1 stored what decides on skipping as a text of its own, which cannot be compared: judging once more
    // by the same settings changes nothing.
    let of_first_version = sqlx::query("delete from meta where key = 'settings'").execute(&mut *tx).await?;
    if of_first_version.rows_affected() > 0 {
        return Ok(true);
    }
    let past: Option<String> =
        sqlx::query_scalar("select value from meta where key = 'config'").fetch_optional(&mut *tx).await?;
    let Some(past) = past else { return Ok(false) };
    if !serde_json::from_str::<Config>(&past).is_ok_and(|past| config.judges_like(&past)) {
        return Ok(true);
    }
    let past: Vec<String> = sqlx::query_scalar("select u.url from seed s join url u on u.id = s.url_id order by u.url")
        .fetch_all(tx)
        .await?;
    let mut present: Vec<_> = seeds.iter().map(CanonicalUrl::as_str).collect();
    present.sort_unstable();
    present.dedup();
    Ok(past != present)
}

/// Judges by the new settings whatever was skipped under the old ones or is still pending.
async fn judge_again(tx: &mut SqliteConnection, scope: &Scope, sitemaps: bool) -> Result<(), StoreError> {
    let (mut after, mut left_out) = (0_i64, 0);
    loop {
        let rows = sqlx::query(
            "select u.id, u.url, u.depth, u.reason,
                 u.depth = 0 or u.followed, u.sitemap is not null, u.state = 0
             from url u where u.id > ?1 and u.state in (0, 3) order by u.id limit ?2",
        )
        .bind(after)
        .bind(CHUNK)
        .fetch_all(&mut *tx)
        .await?;
        let Some(last) = rows.last() else { break };
        after = last.get(0);
        let mut verdicts = Vec::new();
        for row in &rows {
            let (id, depth, follow): (i64, u32, bool) = (row.get(0), row.get(2), row.get(4));
            let old: Option<String> = row.get(3);
            let Ok(url) = CanonicalUrl::parse(row.get(1)) else { continue };
            let is_sitemap = sitemaps && row.get::<bool, _>(5);
            let new =
                if is_sitemap { scope.judge_sitemap(&url, depth, follow) } else { scope.judge(&url, depth, follow) };
            left_out += i64::from(row.get::<bool, _>(6) && new.is_some());
            let new = new.map(|reason| reason.to_string());
            if old != new {
                verdicts.push((id, new));
            }
        }
        let json = serde_json::to_string(&verdicts).map_err(|e| sqlx::Error::Encode(e.into()))?;
        sqlx::query(
            "update url set state = iif(v.reason is null, 0, 3), reason = v.reason
             from (select value ->> 0 as id, value ->> 1 as reason from json_each(?1)) v where url.id = v.id",
        )
        .bind(json)
        .execute(&mut *tx)
        .await?;
    }
    if left_out > 0 {
        tracing::warn!("URLs that were pending are left out under these seeds and settings: {left_out}");
    }
    Ok(())
}

async fn count(db: &mut SqliteConnection) -> Result<Accounting, StoreError> {
    let row = sqlx::query("select discovered, fetched, failed, skipped, pending from accounting").fetch_one(db).await?;
    Ok(Accounting {
        discovered: row.get(0),
        fetched: row.get(1),
        failed: row.get(2),
        skipped: row.get(3),
        pending: row.get(4),
    })
}
