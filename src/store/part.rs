//! One process's part in a run, the same on every database: what records change is decided by `policy`, gathered here, and
//! written by the database as [`Tables`] has it.
//!
//! This file implements the trait [`Run`] by calling the files of the folder, which do not use this one: `known` and
//! `ledger` are at the bottom, `run` puts them together, and each other file is one thing that a run does.

mod batch;
pub mod begin;
mod checks;
mod clocks;
mod commit;
mod company;
mod depth;
mod due;
mod heirs;
mod hosts;
mod judge;
mod known;
mod ledger;
mod links;
mod node;
mod pages;
mod patience;
mod places;
mod run;
pub mod times;
mod told;
mod traps;
mod windows;

pub use run::Part;

use std::time::Duration;

use crate::store::tables::Tables;
use crate::store::{Accounting, Committed, Refill, Run, Store, StoreError, Tally};
use crate::visit::{Hold, HostId, Lease, Record, Standing, TrapId, UrlId, Waiting, Word};

/// Does it again once what the database could not do for now has passed, or did not do within the limit.
macro_rules! patiently {
    ($part:ident, $limit:expr, $act:expr) => {{
        let limit = $limit;
        let _waits = $part.waits();
        loop {
            match patience::within(limit, $act).await {
                Ok(done) => break Ok(done),
                Err(error) => $part.recover(error).await?,
            }
        }
    }};
}

impl<D: Tables + Store<Run = Self>> Part<D> {
    fn waits(&self) -> Option<Waiting> {
        self.lease().map(|lease| lease.wait())
    }

    /// How long one step may take while the crawl goes on.
    fn limit(&self) -> Option<Duration> {
        patience::limit(self.lease().as_ref())
    }

    /// How long one may take when it is over.
    fn long_limit(&self) -> Option<Duration> {
        patience::long_limit(self.lease().as_ref())
    }
}

impl<D: Tables + Store<Run = Self>> Run for Part<D> {
    type Store = D;

    fn id(&self) -> i64 {
        self.id
    }

    fn lease(&self) -> Option<Lease> {
        Store::lease(&self.database)
    }

    async fn traps(&mut self) -> Result<Vec<(TrapId, bool)>, StoreError> {
        patiently!(self, self.limit(), self.held_traps())
    }

    async fn take(&mut self, limit: usize) -> Result<Vec<HostId>, StoreError> {
        let _waits = self.waits();
        let error = match patience::within(self.limit(), self.take_hosts(limit)).await {
            Ok(taken) => return Ok(taken),
            Err(error) => error,
        };
        self.recover(error).await?;
        // What was taken may be so though the answer did not come.
        patiently!(self, self.limit(), self.held_hosts())
    }

    async fn keep(&mut self, holds: &[Hold]) -> Result<Vec<HostId>, StoreError> {
        patiently!(self, self.limit(), self.lost(holds))
    }

    async fn report(&mut self, standing: &Standing) -> Result<Word, StoreError> {
        patiently!(self, self.limit(), self.exchange(standing))
    }

    async fn renew(&mut self) -> Result<(), StoreError> {
        patiently!(self, self.limit(), self.database.renew(self.node.id))
    }

    async fn give_back(&mut self, holds: &[Hold]) -> Result<(), StoreError> {
        patiently!(self, self.limit(), self.free_hosts(holds))
    }

    async fn commit(
        &mut self,
        batch: Vec<Record>,
        hold: impl Fn(HostId) -> Option<Hold> + Send + Sync,
    ) -> Result<Committed, StoreError> {
        let mut records = batch;
        let spare = self.lease().map(|_| records.clone());
        self.node.batch += 1;
        let (limit, _waits) = (self.limit(), self.waits());
        loop {
            let error = match self.commit_batch(records, &hold, limit).await {
                Ok(committed) => return Ok(committed),
                Err(error) => error,
            };
            self.recover(error).await?;
            if let Some(committed) = self.in_doubt().await? {
                return Ok(committed);
            }
            records = spare.clone().unwrap_or_default();
        }
    }

    async fn pending(&mut self, hosts: &[(HostId, usize)]) -> Result<Vec<Refill>, StoreError> {
        patiently!(self, self.limit(), self.windows(hosts))
    }

    async fn are_checks_left(&mut self) -> Result<bool, StoreError> {
        patiently!(self, self.long_limit(), self.database.are_checks_left())
    }

    async fn size(&mut self) -> Result<u64, StoreError> {
        patiently!(self, self.limit(), self.database.size())
    }

    async fn end(&mut self, outcome: &str, finished: bool) -> Result<(), StoreError> {
        patiently!(self, self.long_limit(), self.close_run(outcome, finished))
    }

    async fn note_failure(&mut self, why: &StoreError) {
        if let Some(words) = why.of_the_disk() {
            let _ = self.database.note_failure(Some(&words)).await;
        }
    }

    fn outcome(&self) -> Option<&str> {
        self.node.outcome.as_deref()
    }

    async fn tidy(&mut self) -> Result<bool, StoreError> {
        match self.config.keep_runs {
            Some(keep) => patiently!(self, self.long_limit(), self.database.prune(keep)),
            None => Ok(false),
        }
    }

    async fn look_for_places(&mut self, after: UrlId) -> Result<Option<UrlId>, StoreError> {
        patiently!(self, self.long_limit(), self.seek_places(after))
    }

    fn accounting(&self) -> (Accounting, Tally) {
        (self.ledger.accounting(), self.ledger.tally())
    }

    fn into_store(self) -> D {
        self.database
    }
}
