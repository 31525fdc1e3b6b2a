//! The store on PostgreSQL, 14 and newer: what [`super::tables`] asks of a database, each trait in a file of its own.
//!
//! Rows go over as one array for each column (`unnest`), so that a batch takes the same few statements however large it is.
//! Nothing hangs on the session: each statement is prepared without a name, within the transaction that it is run in, and
//! locks end with their transaction. So a pool may stand between that lends a server's connection for each transaction.

pub mod audit;
mod begin;
mod checks;
mod company;
mod contents;
mod copy;
mod database;
pub mod derived;
mod domains;
mod hosts;
pub mod index;
mod outage;
mod pages;
pub mod passing;
pub mod peek;
mod places;
mod rows;
pub mod schema;
mod times;
mod traps;
mod urls;
mod vacuum;
pub mod words;

pub use database::{PgDatabase, is_postgres};
pub use vacuum::SIZE;

use crate::store::part::Part;
use crate::store::part::begin::{begin, try_begin};
use crate::store::{Start, Store, StoreError};
use crate::visit::{Lease, SteadyClock};

impl Store for PgDatabase {
    type Run = Part<Self>;

    async fn close(self) -> Result<(), StoreError> {
        // All is committed: whether the server hears of the end does not matter.
        let _ = sqlx::Connection::close(self.db).await;
        Ok(())
    }

    fn lease(&self) -> Option<Lease> {
        Some(self.lease.clone())
    }

    fn node(&self) -> Option<&str> {
        Some(&self.node)
    }

    fn clock(&self) -> SteadyClock {
        self.clock.clone()
    }

    async fn begin(self, start: Start<'_>) -> Result<Part<Self>, StoreError> {
        let lease = self.lease.clone();
        let _waits = lease.wait();
        begin(self, start).await
    }
}

impl PgDatabase {
    /// Whether a crawl could begin now: others that are at work were told the same.
    pub async fn welcomes(&mut self, start: Start<'_>) -> Result<(), StoreError> {
        while let Err(error) = try_begin(self, start).await {
            self.wait_out(error, start.config.max_wait).await?;
        }
        Ok(())
    }
}
