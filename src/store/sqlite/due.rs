//! What a run fetches again by the stored times, and how these follow what they depend on.

use std::collections::HashMap;

use sqlx::{Row as _, SqliteConnection};

use crate::policy::due::{Facts, due_at, wait};
use crate::policy::sweep::{OPENED_BY_RUN, led_to, wakes};
use crate::visit::{self, Millis, SkipReason, State, UrlId};

use super::batch::Batch;
use super::failed::Failed;
use super::rows::{self, json, run_json};
use super::run::SqliteRun;
use super::times::{fact_columns, facts};

/// Gives every URL the state in which it begins a new run, by the stored times.
pub(super) async fn sweep(tx: &mut SqliteConnection) -> Result<(), Failed> {
    /// The present moment lies in the stored time in which the page rests ([`crate::policy::due::is_due`]).
    macro_rules! rests {
        () => {
            "exists (select 1 from page p where p.url_id = url.id
                 and ?1 between p.fetched_at and p.fetched_at + coalesce(url.recrawl_ms, 0) - 1)"
        };
    }
    let states = |to, rests| json(&led_to(to, rests).into_iter().map(State::number).collect::<Vec<_>>());
    let now = visit::now();
    sqlx::query(concat!(
        "update url set state = 1, attempts = 0, due_at = null
         where state in (select value from json_each(?2)) and state <> 1 and ",
        rests!()
    ))
    .bind(now)
    .bind(states(State::Fetched, true)?)
    .execute(&mut *tx)
    .await?;
    sqlx::query(concat!(
        "update url set state = 0, reason = null, attempts = 0, due_at = null,
             known = exists (select 1 from page where url_id = id)
         where state in (select value from json_each(?3))
             or (state = 3 and reason in (select value from json_each(?4)))
             or (state in (select value from json_each(?2)) and not ",
        rests!(),
        ")"
    ))
    .bind(now)
    .bind(states(State::Pending, false)?)
    .bind(states(State::Pending, true)?)
    .bind(json(&OPENED_BY_RUN.each_ref().map(SkipReason::as_str))?)
    .execute(tx)
    .await?;
    Ok(())
}

impl SqliteRun {
    /// Takes in when pages changed, as sitemaps say, and wakes those that are due by it.
    pub(super) async fn heed_lastmods(&mut self, batch: &mut Batch) -> Result<(), Failed> {
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
            let recrawl = facts.map(|facts| wait(&facts, &self.rules));
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

    async fn wake(&mut self, woken: &[UrlId], batch: &mut Batch) -> Result<(), Failed> {
        if woken.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(concat!(
            "update url set state = 0, attempts = 0, due_at = null, known = 1
             where id in (select value from json_each(?1))
             returning (select holder from host where id = url.host_id) as holder, ",
            rows::target_columns!()
        ))
        .bind(json(woken)?)
        .fetch_all(self.db())
        .await?;
        for row in &rows {
            batch.delta.change(State::Fetched, State::Pending);
            if self.may_fetch_at(row.get("host_id"), row.get("holder"), batch) {
                batch.committed.targets.push(rows::target(row, None)?);
            }
        }
        Ok(())
    }
}
