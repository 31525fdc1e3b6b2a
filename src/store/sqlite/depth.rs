//! A shorter path is handed on along what is stored, so that depth does not depend on the order of answers.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::policy::nearer::{Nearer, Step, nearer, opens_nearer};
use crate::visit::{Element, State, UrlId, Way};

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
            lowered = nearer.iter().map(|it| it.id).collect();
            self.take_up(&nearer, batch).await?;
        }
        Ok(())
    }

    /// The URLs to which a shorter path leads through one of `lowered`.
    async fn nearer(&mut self, lowered: &[UrlId]) -> Result<Vec<Nearer>, Failed> {
        let rows = sqlx::query(
            "with way (from_id, to_id, element, follow, step) as (
                 select from_id, to_id, element, follow, null from link
                 where from_id in (select value from json_each(?1))
                 union select from_id, to_id, null, true, step from edge
                 where from_id in (select value from json_each(?1))
                 union select url_id, redirect_to, 'redirect', true, null from page
                 where redirect_to is not null and url_id in (select value from json_each(?1)))
             select t.id, t.depth, f.id as source, f.depth as source_depth, e.element, e.follow, e.step
             from way e join url f on f.id = e.from_id join url t on t.id = e.to_id where t.depth > f.depth",
        )
        .bind(json(lowered)?)
        .fetch_all(self.db())
        .await?;
        Ok(nearer(rows.iter().map(step)))
    }

    /// Stores the shorter depths, and opens what was too deep.
    async fn take_up(&mut self, nearer: &[Nearer], batch: &mut Batch) -> Result<(), Failed> {
        if nearer.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(concat!(
            "update url set depth = v.depth, referrer_id = v.referrer
             from (select value ->> 'id' as i, value ->> 'depth' as depth, value ->> 'referrer' as referrer
                 from json_each(?1)) v
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

/// A stored link, edge or redirect. An edge says what its element would; one of an unknown element is a link.
fn step(row: &SqliteRow) -> Step {
    let element = row.get::<Option<&str>, _>("element").and_then(Element::from_word);
    let edge = row.get::<Option<bool>, _>("step").map(|is_step| if is_step { Way::Link } else { Way::Listing });
    Step {
        id: row.get("id"),
        depth: row.get("depth"),
        source: row.get("source"),
        source_depth: row.get("source_depth"),
        way: edge.or(element.map(Way::of)).unwrap_or(Way::Link),
        follow: row.get("follow"),
    }
}
