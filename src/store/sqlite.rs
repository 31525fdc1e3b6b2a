//! The store on SQLite.
//!
//! A file of this folder uses its siblings and never this one: `database` ← `known`, `ledger`, `rows` ← `run` ← what a
//! run does, one file each.

mod batch;
mod begin;
mod commit;
mod database;
mod depth;
mod due;
pub mod index;
mod known;
mod ledger;
mod links;
mod pages;
pub mod peek;
mod rows;
mod run;
pub mod schema;
mod versions;
pub mod views;
mod windows;

pub use database::{SqliteDatabase, disk_size, file_path};
pub use rows::{robots_answer, timestamp};
pub use run::SqliteRun;

use crate::store::{Accounting, Committed, Refill, Run, Start, Store, StoreError, Tally};
use crate::visit::{HostId, Millis, Record};

impl Store for SqliteDatabase {
    type Run = SqliteRun;

    async fn begin(self, start: Start<'_>) -> Result<SqliteRun, StoreError> {
        begin::begin(self, start).await
    }
}

impl Run for SqliteRun {
    type Store = SqliteDatabase;

    fn id(&self) -> i64 {
        self.id
    }

    async fn commit(
        &mut self,
        batch: Vec<Record>,
        clock: impl Fn(HostId) -> Option<(Millis, Millis)> + Send + Sync,
    ) -> Result<Committed, StoreError> {
        self.commit_batch(batch, clock).await
    }

    async fn pending(&mut self, host: HostId, limit: usize) -> Result<Refill, StoreError> {
        self.window(host, limit).await
    }

    async fn hosts_with_pending(&mut self, after: HostId, limit: usize) -> Result<Vec<HostId>, StoreError> {
        self.waiting_hosts(after, limit).await
    }

    async fn end(&mut self, outcome: &str, finished: bool) -> Result<(), StoreError> {
        self.close_run(outcome, finished).await
    }

    async fn tidy(&mut self) -> Result<bool, StoreError> {
        match self.config.keep_runs {
            Some(keep) => self.prune(keep).await,
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
