//! What sitemaps say of when pages changed.

use std::collections::HashMap;

use crate::policy::due::{Facts, due_at, wait};
use crate::policy::sweep::wakes;
use crate::store::failed::Failed;
use crate::store::tables::{Tables, Timed};
use crate::visit::{Millis, State, UrlId};

use super::batch::Batch;
use super::run::Part;

impl<D: Tables> Part<D> {
    /// Takes in when pages changed, as sitemaps say, and wakes those that are due by it.
    pub(super) async fn heed_lastmods(&mut self, batch: &mut Batch) -> Result<(), Failed> {
        let listed: HashMap<UrlId, Millis> = std::mem::take(&mut batch.lastmods).into_iter().collect();
        if listed.is_empty() {
            return Ok(());
        }
        let rows = self.database.timed(&listed.keys().copied().collect::<Vec<_>>()).await?;
        let now = self.database.clock().now();
        let mut changed: Vec<(UrlId, Option<Millis>, Option<Millis>)> = Vec::new();
        let mut woken: Vec<UrlId> = Vec::new();
        for Timed { id, state, facts, lastmod: stored, recrawl: before } in rows {
            let lastmod = listed.get(&id).copied();
            let facts = facts.map(|facts| Facts { lastmod, ..facts });
            let due_at = facts.map(|facts| due_at(&facts, &self.rules));
            let recrawl = facts.map(|facts| wait(&facts, &self.rules));
            if lastmod != stored || recrawl != before {
                changed.push((id, lastmod, recrawl));
            }
            if let (Some(facts), Some(due_at), true) = (facts, due_at, self.rules.heed_lastmod())
                && wakes(state, due_at, facts.fetched_at, self.began, now)
            {
                woken.push(id);
            }
        }
        self.database.set_lastmods(&changed).await?;
        if !woken.is_empty() {
            batch.wake(State::Fetched, self.database.wake(self.node.id, &woken).await?);
        }
        Ok(())
    }
}
