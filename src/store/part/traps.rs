//! Budgets of URL patterns: what pages bring is booked, and what is held back for want of one is refused.

use crate::store::failed::Failed;
use crate::store::tables::Tables;
use crate::visit::{Record, Refusal, SkipReason, State, Target, TrapId};

use super::batch::{Batch, Weights};
use super::pages::Past;
use super::run::Part;

/// Pages of a large pattern that are read again when an invocation meets it.
const RECALLED: i64 = 4_096;

impl<D: Tables> Part<D> {
    pub(super) async fn held_traps(&mut self) -> Result<Vec<(TrapId, bool)>, Failed> {
        let held = self.database.held_traps(&self.config.allow_trap).await?;
        Ok(held.into_iter().map(|id| (id, true)).collect())
    }

    /// Looks at the pages of a batch before their links are.
    pub(super) async fn weigh<'a>(&mut self, records: &'a [Record]) -> Result<Weights<'a>, Failed> {
        let targets: Vec<_> = records.iter().filter_map(Record::target).collect();
        let (hosts, accounts) = self.traps.missing(&targets);
        if !hosts.is_empty() || !accounts.is_empty() {
            let accounts = self.database.accounts(&hosts, &accounts).await?;
            self.traps.load(&hosts, accounts);
            for id in self.traps.forgotten() {
                let pages = self.database.paid_pages(id, RECALLED).await?;
                self.traps.recall(&pages);
            }
        }
        Ok(records.iter().map(|record| record.page().map(|(target, page)| self.traps.weigh(target, page))).collect())
    }

    /// Books what the pages of a batch brought.
    pub(super) fn settle_traps(&mut self, records: &[Record], weights: Weights<'_>, past: &Past, batch: &Batch) {
        for (record, page) in records.iter().zip(weights) {
            let target = record.target().filter(|target| !past.ended.contains(&target.id));
            if let (Some(target), Some(mut page)) = (target, page) {
                page.leads_on = page.account.is_some_and(|trap| batch.led_on.contains(&(target.id, trap)));
                page.led_to = batch.led_to.get(&target.id).copied().unwrap_or_default();
                self.traps.settle(&mut page);
            }
        }
    }

    /// The URL of a record that refuses it as part of a trap, if that pays for it no more.
    pub(super) fn reprieved(&mut self, record: &Record, past: &Past) -> Option<Target> {
        let Record::Refused { target, verdict: Refusal::Skip(SkipReason::Trap) } = record else { return None };
        let trap = past.trap(target.id);
        let is_held = trap.is_some_and(|trap| self.traps.is_held(trap));
        if is_held {
            // A better link can change its state again.
            self.urls.forget(target.url.as_str());
        }
        (!is_held).then(|| Target { trap, ..target.clone() })
    }

    /// Stores what became of the budgets. What is held back by one that is a trap no more is pending again: as many as
    /// its budget pays for, so that no more than these are held back again with it spent anew.
    pub(super) async fn write_traps(&mut self, batch: &mut Batch) -> Result<(), Failed> {
        let changes = self.traps.take_changes();
        self.database.write_accounts(&changes.accounts).await?;
        for account in &changes.accounts {
            if changes.turned.contains(&(account.id, false)) {
                let released = self.database.release(self.node.id, account.id, account.left()).await?;
                batch.wake(State::Skipped, released);
            }
        }
        batch.committed.turned = changes.turned;
        Ok(())
    }
}
