//! The pages that redirects of seeds lead to, kept for good: what they let in stays in scope on resume and in new runs.

use crate::canonical::CanonicalUrl;
use crate::policy::sweep::{Changed, OPENED_BY_BEING_HEIR, OPENED_BY_HEIR};
use crate::scope::Scope;
use crate::store::failed::Failed;
use crate::store::tables::{Lowered, Tables};
use crate::visit::State;

use super::batch::Batch;
use super::judge::verdicts;
use super::run::Part;

/// Tells the scope what the redirects of the present seeds led to so far.
pub(super) async fn recall(database: &mut impl Tables, scope: &Scope) -> Result<(), Failed> {
    for (seed, heir) in database.heirs().await? {
        scope.inherit(&seed, &heir);
    }
    Ok(())
}

impl<D: Tables> Part<D> {
    /// Notes where redirects of seeds, and of pages that count for one, lead. What was left out of scope on the hosts
    /// that this lets in becomes pending.
    pub(super) async fn note_heirs(&mut self, batch: &mut Batch) -> Result<(), Failed> {
        for (from, to) in std::mem::take(&mut batch.heirs) {
            for (seed, heir) in self.database.add_heirs(from, to).await? {
                self.scope.inherit(&seed, &heir);
                self.bring_in(&heir.host(), batch).await?;
                self.let_in(&heir, batch).await?;
            }
        }
        Ok(())
    }

    /// Judges once more what was left out on the host of a page that counts for a seed.
    pub(super) async fn let_in(&mut self, heir: &CanonicalUrl, batch: &mut Batch) -> Result<(), Failed> {
        let left_out = self.database.left_out(heir, &OPENED_BY_HEIR, &OPENED_BY_BEING_HEIR).await?;
        let changed = Changed { scope: true, robots: false };
        let verdicts = verdicts(left_out, &self.scope, self.config.sitemaps, changed).rows;
        if verdicts.is_empty() {
            return Ok(());
        }
        for Lowered { target, holder, state, .. } in self.database.let_in(self.node.id, &verdicts).await? {
            if state == State::Pending {
                batch.delta.change(State::Skipped, State::Pending);
                if batch.may_fetch_at(target.host, holder) {
                    batch.committed.targets.push(target);
                }
            }
        }
        Ok(())
    }
}
