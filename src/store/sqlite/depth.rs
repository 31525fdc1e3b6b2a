//! A shorter path is handed on along what is stored, so that depth does not depend on the order of answers.

use std::collections::HashMap;

use sqlx::Row as _;

use crate::policy::offer::{depth_along, opens_nearer};
use crate::visit::{State, UrlId};

use super::batch::Batch;
use super::failed::Failed;
use super::rows::{self, json};
use super::run::SqliteRun;

/// Rounds of passing a shorter depth on before the rest is left as it is.
const MAX_ROUNDS: u32 = 10_000;

impl SqliteRun {
    /// Hands the depth of the given URLs on along links and redirects.
    pub(super) async fn pass_depth_on(&mut self, mut lowered: Vec<UrlId>, batch: &mut Batch) -> Result<(), Failed> {
        for _ in 0..MAX_ROUNDS {
            if lowered.is_empty() {
                break;
            }
            let nearer = self.nearer(&lowered).await?;
            lowered = nearer.iter().map(|(id, ..)| *id).collect();
            self.take_up(&nearer, batch).await?;
        }
        Ok(())
    }

    /// The URLs to which a shorter path leads through one of `lowered`: id, depth and referrer.
    async fn nearer(&mut self, lowered: &[UrlId]) -> Result<Vec<(UrlId, u32, UrlId)>, Failed> {
        let rows = sqlx::query(
            "with way (from_id, to_id, step) as (
                 select from_id, to_id, element <> 'sitemap' from link
                 where follow and from_id in (select value from json_each(?1))
                 union select from_id, to_id, step from edge where from_id in (select value from json_each(?1))
                 union select p.url_id, p.redirect_to, u.sitemap is null from page p join url u on u.id = p.url_id
                 where p.redirect_to is not null and p.url_id in (select value from json_each(?1)))
             select t.id, t.depth, f.id as referrer, f.depth as source_depth, e.step
             from way e join url f on f.id = e.from_id join url t on t.id = e.to_id where t.depth > f.depth",
        )
        .bind(json(lowered)?)
        .fetch_all(self.db())
        .await?;
        let mut nearest = HashMap::new();
        for row in &rows {
            let depth = depth_along(row.get("source_depth"), row.get("step"));
            let best = nearest.entry(row.get::<UrlId, _>("id")).or_insert((row.get::<u32, _>("depth"), None));
            if depth < best.0 {
                *best = (depth, Some(row.get::<UrlId, _>("referrer")));
            }
        }
        Ok(nearest.into_iter().filter_map(|(id, (depth, referrer))| Some((id, depth, referrer?))).collect())
    }

    /// Stores the shorter depths, and opens what was too deep.
    async fn take_up(&mut self, nearer: &[(UrlId, u32, UrlId)], batch: &mut Batch) -> Result<(), Failed> {
        if nearer.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(concat!(
            "update url set depth = v.depth, referrer_id = v.referrer
             from (select value ->> 0 as i, value ->> 1 as depth, value ->> 2 as referrer from json_each(?1)) v
             where url.id = v.i
             returning state, reason, (select holder from host where id = url.host_id) as holder, ",
            rows::target_columns!(),
        ))
        .bind(json(nearer)?)
        .fetch_all(self.db())
        .await?;
        let mut opened = Vec::new();
        for row in &rows {
            let state = rows::state(row)?;
            let opens = opens_nearer(state, rows::reason(row).as_ref(), row.get("depth"), self.config.max_depth);
            if opens {
                opened.push(row.get::<UrlId, _>("id"));
                batch.delta.change(state, State::Pending);
            }
            if (opens || state == State::Pending) && self.may_fetch_at(row.get("host_id"), row.get("holder"), batch) {
                // Harmless if it is queued already: what is held is not queued twice.
                batch.committed.targets.push(rows::target(row, None)?);
            }
        }
        rows::run_json(
            self.db(),
            "update url set state = 0, reason = null where id in (select value from json_each(?1))",
            &opened,
        )
        .await
    }
}
