//! A shorter path is handed on along what is stored, so that depth does not depend on the order of answers.

use crate::policy::nearer::{nearer, opens_nearer};
use crate::store::failed::Failed;
use crate::store::tables::{Lowered, Tables};
use crate::visit::{State, UrlId};

use super::batch::Batch;
use super::run::Part;

/// Rounds of passing a shorter depth on before the rest is left as it is.
const MAX_ROUNDS: u32 = 10_000;

impl<D: Tables> Part<D> {
    /// Hands the depth of the given URLs on along links and redirects.
    pub(super) async fn pass_depth_on(&mut self, mut lowered: Vec<UrlId>, batch: &mut Batch) -> Result<(), Failed> {
        for _ in 0..MAX_ROUNDS {
            if lowered.is_empty() {
                break;
            }
            let nearer = nearer(self.database.ways_from(&lowered).await?.into_iter());
            lowered = nearer.iter().map(|it| it.id).collect();
            if !nearer.is_empty() {
                let rows = self.database.lower(self.node.id, &nearer).await?;
                self.take_up(rows, batch).await?;
            }
        }
        Ok(())
    }

    /// Opens what was too deep.
    async fn take_up(&mut self, rows: Vec<Lowered>, batch: &mut Batch) -> Result<(), Failed> {
        let mut opened = Vec::new();
        for Lowered { target, holder, state, reason } in rows {
            let opens = opens_nearer(state, reason.as_ref(), target.depth, self.config.max_depth);
            if opens {
                opened.push(target.id);
                batch.delta.change(state, State::Pending);
            }
            if (opens || state == State::Pending) && batch.may_fetch_at(target.host, holder) {
                // Harmless if it is queued already: what is held is not queued twice.
                batch.committed.targets.push(target);
            }
        }
        self.database.open_urls(&opened).await
    }
}
