//! The store on SQLite.
//!
//! This file implements the store's traits by calling the files of the folder, which do not use this one: `rows`, `known`,
//! `ledger` and `database` are at the bottom, `run` puts them together, and each other file is one thing that a run does.

mod batch;
mod begin;
mod clocks;
mod commit;
mod database;
mod depth;
mod due;
mod failed;
mod heirs;
mod hosts;
pub mod index;
mod judge;
mod known;
mod ledger;
mod links;
mod pages;
pub mod peek;
mod rows;
mod run;
pub mod schema;
mod times;
mod told;
mod traps;
mod versions;
pub mod views;
mod windows;

pub use database::{SqliteDatabase, disk_size, file_path};
pub use rows::{robots_answer, timestamp};
pub use run::SqliteRun;

use crate::store::{Accounting, Committed, Refill, Run, Start, Store, StoreError, Tally};
use crate::visit::{Hold, HostId, Record, TrapId};

impl Store for SqliteDatabase {
    type Run = SqliteRun;

    async fn begin(self, start: Start<'_>) -> Result<SqliteRun, StoreError> {
        Ok(begin::begin(self, start).await?)
    }
}

impl Run for SqliteRun {
    type Store = SqliteDatabase;

    fn id(&self) -> i64 {
        self.id
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
            Some(keep) => Ok(self.prune(keep).await?),
            None => Ok(false),
        }
    }

    fn accounting(&self) -> (Accounting, Tally) {
        (self.ledger.accounting(), self.ledger.tally())
    }

    fn into_store(self) -> SqliteDatabase {
        self.database
    }
}
