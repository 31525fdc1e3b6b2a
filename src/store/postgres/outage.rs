//! What passes: transactions that got in each other's way, lost connections, a server that restarts.

use std::time::{Duration, Instant};

use sqlx::Connection as _;

use crate::store::StoreError;
use crate::store::failed::Failed;
use crate::store::tables::Transactions as _;

use super::database::PgDatabase;
use super::passing::{Need, need};

/// Between two tries to connect: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

impl PgDatabase {
    pub(super) async fn wait_out(&mut self, error: Failed, patience: Duration) -> Result<(), Failed> {
        let failed = match &error {
            Failed::Store(StoreError::Database(failed)) => failed,
            Failed::Store(_) => return self.undone(Err(error)).await,
            Failed::Lapsed => return self.undone(Ok(())).await,
        };
        match need(failed.error()) {
            None => self.undone(Err(error)).await,
            Some(Need::Again) => {
                tracing::debug!("a transaction is done again: {failed}");
                tokio::time::sleep(PAUSES.0.mul_f64(fastrand::f64())).await;
                self.undone(Ok(())).await
            }
            // The transaction ends with its connection.
            Some(Need::Connection) => {
                self.forget_unwritten();
                let until = Instant::now().checked_add(patience);
                self.lease.set_away(true);
                let connected = self.connect_again(error, until, patience).await;
                self.lease.set_away(false);
                connected
            }
        }
    }

    async fn undone(&mut self, then: Result<(), Failed>) -> Result<(), Failed> {
        self.undo_transaction().await;
        then
    }

    async fn connect_again(&mut self, first: Failed, until: Option<Instant>, patience: Duration) -> Result<(), Failed> {
        if let Failed::Store(error) = &first {
            let patience = humantime::format_duration(patience);
            tracing::warn!("{error}: waiting up to {patience} until the database can be asked again");
        }
        let (mut pause, longest) = PAUSES;
        loop {
            if let Ok(mut db) = self.reach().await
                && db.ping().await.is_ok()
            {
                self.db = db;
                tracing::warn!("the database can be asked again");
                return Ok(());
            }
            if until.is_some_and(|until| Instant::now() + pause >= until) {
                return Err(first);
            }
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause = (pause * 2).min(longest);
        }
    }
}
