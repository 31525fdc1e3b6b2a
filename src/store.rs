//! Where the crawl is kept. A store commits whole batches of records; what it gives back feeds the frontier.

mod counts;
mod error;
pub mod sqlite;

use std::future::Future;

use crate::canonical::CanonicalUrl;
use crate::config::Config;
use crate::scope::Scope;
use crate::visit::{HostId, HostRecord, Millis, Record, Settlement, Target};
pub use counts::{Accounting, Tally};
pub use error::{DatabaseFailure, StoreError};

/// What an invocation of the crawl is told.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    pub config: &'a Config,
    /// Drawn from the settings and the seeds.
    pub scope: &'a Scope,
    pub seeds: &'a [CanonicalUrl],
}

/// What a commit made durable and the frontier has to know.
#[derive(Debug, Default)]
pub struct Committed {
    pub hosts: Vec<HostRecord>,
    pub targets: Vec<Target>,
    pub settlements: Vec<Settlement>,
}

/// What is pending of one host.
#[derive(Debug)]
pub struct Refill {
    pub host: HostRecord,
    pub targets: Vec<Target>,
    /// Nothing else of this host is pending on disk.
    pub complete: bool,
}

/// An open database in which no run is under way.
pub trait Store: Sized + Send {
    type Run: Run<Store = Self>;

    /// Continues the unfinished run or starts a new one, judges again what other options left out, and admits the seeds.
    fn begin(self, start: Start<'_>) -> impl Future<Output = Result<Self::Run, StoreError>> + Send;
}

/// One process's part in a run: it owns its hosts, so URLs in flight need no mark.
pub trait Run: Send {
    type Store: Store<Run = Self>;

    /// The run's number.
    fn id(&self) -> i64;

    /// Commits a batch in one transaction: pages, their links and the state of their URLs together. `clock` names the
    /// time of the last request to a host and its blocked-until time.
    fn commit(
        &mut self,
        batch: Vec<Record>,
        clock: impl Fn(HostId) -> Option<(Millis, Millis)> + Send + Sync,
    ) -> impl Future<Output = Result<Committed, StoreError>> + Send;

    /// The first `limit` pending URLs of a host, shortest path first.
    fn pending(&mut self, host: HostId, limit: usize) -> impl Future<Output = Result<Refill, StoreError>> + Send;

    /// Hosts after `after`, by id, that have pending URLs.
    fn hosts_with_pending(
        &mut self,
        after: HostId,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<HostId>, StoreError>> + Send;

    /// Ends this invocation's part of the run with its outcome.
    fn end(&mut self, outcome: &str, finished: bool) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// One short step of keeping the database small, after a finished run. False once nothing is left to do.
    fn tidy(&mut self) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The accounting as of the last commit, and what this invocation did.
    fn accounting(&self) -> (Accounting, Tally);

    /// Gives the database back, for whatever comes after the run.
    fn into_store(self) -> Self::Store;
}
