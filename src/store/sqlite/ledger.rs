//! The accounting of a run: what a transaction changes of it, and what the run's row says after it.

use super::failed::Failed;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::store::{Accounting, Tally};
use crate::visit::State;

/// What one transaction changes.
#[derive(Debug, Default)]
pub(super) struct Delta {
    accounting: Accounting,
    pub(super) tally: Tally,
}

impl Delta {
    /// A URL was met for the first time.
    pub(super) fn discover(&mut self, state: State) {
        self.accounting.discovered += 1;
        *self.count(state) += 1;
    }

    pub(super) fn change(&mut self, from: State, to: State) {
        *self.count(from) -= 1;
        *self.count(to) += 1;
    }

    fn count(&mut self, state: State) -> &mut i64 {
        match state {
            State::Pending => &mut self.accounting.pending,
            State::Fetched => &mut self.accounting.fetched,
            State::Failed => &mut self.accounting.failed,
            State::Skipped => &mut self.accounting.skipped,
        }
    }
}

/// What the run's row said after the last commit. The row is the truth: others may change it too.
#[derive(Debug)]
pub(super) struct Ledger {
    accounting: Accounting,
    tally: Tally,
    /// The run's tally before this invocation.
    earlier: Tally,
}

impl Ledger {
    /// Counts the URLs at the beginning of an invocation: the run counts from then on, even if it ends without a commit.
    pub(super) async fn begin(tx: &mut SqliteConnection, run: i64) -> Result<Self, Failed> {
        let row = sqlx::query(
            "update run set (discovered, fetched, failed, skipped, pending) =
                 (select discovered, fetched, failed, skipped, pending from accounting) where id = ?1
             returning discovered, fetched, failed, skipped, pending, unchanged, bytes, requests",
        )
        .bind(run)
        .fetch_one(tx)
        .await?;
        let (accounting, tally) = read(&row);
        Ok(Self { accounting, tally, earlier: tally })
    }

    /// Writes a transaction's changes into the run's row, and answers with what it holds then.
    pub(super) async fn write(&self, tx: &mut SqliteConnection, run: i64, delta: &Delta) -> Result<Self, Failed> {
        let (accounting, tally) = (&delta.accounting, &delta.tally);
        let row = sqlx::query(
            "update run set discovered = discovered + ?2, fetched = fetched + ?3, failed = failed + ?4,
                 skipped = skipped + ?5, pending = pending + ?6, unchanged = unchanged + ?7, bytes = bytes + ?8,
                 requests = requests + ?9 where id = ?1
             returning discovered, fetched, failed, skipped, pending, unchanged, bytes, requests",
        )
        .bind(run)
        .bind(accounting.discovered)
        .bind(accounting.fetched)
        .bind(accounting.failed)
        .bind(accounting.skipped)
        .bind(accounting.pending)
        .bind(tally.unchanged)
        .bind(tally.bytes)
        .bind(tally.requests)
        .fetch_one(tx)
        .await?;
        let (accounting, tally) = read(&row);
        Ok(Self { accounting, tally, earlier: self.earlier })
    }

    pub(super) fn accounting(&self) -> Accounting {
        self.accounting
    }

    /// What this invocation did.
    pub(super) fn tally(&self) -> Tally {
        Tally {
            unchanged: self.tally.unchanged - self.earlier.unchanged,
            bytes: self.tally.bytes - self.earlier.bytes,
            requests: self.tally.requests - self.earlier.requests,
        }
    }
}

fn read(row: &SqliteRow) -> (Accounting, Tally) {
    let accounting = Accounting {
        discovered: row.get("discovered"),
        fetched: row.get("fetched"),
        failed: row.get("failed"),
        skipped: row.get("skipped"),
        pending: row.get("pending"),
    };
    (accounting, Tally { unchanged: row.get("unchanged"), bytes: row.get("bytes"), requests: row.get("requests") })
}
