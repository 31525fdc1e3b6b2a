//! One process's part in a run, the same on every database: what records change is decided by `policy`, gathered here, and
//! written by the database as [`Tables`] has it.
//!
//! This file implements the trait [`Run`] by calling the files of the folder, which do not use this one: `known` and
//! `ledger` are at the bottom, `run` puts them together, and each other file is one thing that a run does.

mod batch;
pub mod begin;
mod clocks;
mod commit;
mod depth;
mod due;
mod heirs;
mod hosts;
mod judge;
mod known;
mod ledger;
mod links;
mod pages;
mod run;
pub mod times;
mod told;
mod traps;
mod windows;

pub use run::Part;

use std::time::Duration;

use crate::store::tables::Tables;
use crate::store::{Accounting, Committed, Refill, Run, Store, StoreError, Tally};
use crate::visit::{Hold, HostId, Record, TrapId};

impl<D: Tables + Store<Run = Self>> Run for Part<D> {
    type Store = D;

    fn id(&self) -> i64 {
        self.id
    }

    fn lease(&self) -> Option<Duration> {
        self.database.lease()
    }

    async fn traps(&mut self) -> Result<Vec<(TrapId, bool)>, StoreError> {
        Ok(self.held_traps().await?)
    }

    async fn take(&mut self, limit: usize) -> Result<Vec<HostId>, StoreError> {
        Ok(self.take_hosts(limit).await?)
    }

    async fn keep(&mut self, holds: &[Hold]) -> Result<Vec<HostId>, StoreError> {
        Ok(self.lost(holds).await?)
    }

    async fn give_back(&mut self, holds: &[Hold]) -> Result<(), StoreError> {
        Ok(self.free_hosts(holds).await?)
    }

    async fn commit(
        &mut self,
        batch: Vec<Record>,
        hold: impl Fn(HostId) -> Option<Hold> + Send + Sync,
    ) -> Result<Committed, StoreError> {
        Ok(self.commit_batch(batch, hold).await?)
    }

    async fn pending(&mut self, host: HostId, limit: usize) -> Result<Option<Refill>, StoreError> {
        Ok(self.window(host, limit).await?)
    }

    async fn end(&mut self, outcome: &str, finished: bool) -> Result<(), StoreError> {
        Ok(self.close_run(outcome, finished).await?)
    }

    async fn tidy(&mut self) -> Result<bool, StoreError> {
        match self.config.keep_runs {
            Some(keep) => Ok(self.database.prune(keep).await?),
            None => Ok(false),
        }
    }

    fn accounting(&self) -> (Accounting, Tally) {
        (self.ledger.accounting(), self.ledger.tally())
    }

    fn into_store(self) -> D {
        self.database
    }
}
