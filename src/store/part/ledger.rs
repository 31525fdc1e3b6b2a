//! The accounting of a run: what a transaction changes of it, and what the run's row says after it.

use crate::store::failed::Failed;
use crate::store::tables::{Joined, Tables};
use crate::store::{Accounting, Tally};
use crate::visit::State;

/// What one transaction changes.
#[derive(Debug, Default)]
pub(super) struct Delta {
    accounting: Accounting,
    pub(super) tally: Tally,
}

impl Delta {
    pub(super) fn accounting(&self) -> &Accounting {
        &self.accounting
    }

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
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    accounting: Accounting,
    tally: Tally,
    /// The run's tally before this invocation.
    earlier: Tally,
}

impl Ledger {
    /// Counts the URLs at the beginning of an invocation: the run counts from then on, even if it ends without a commit.
    pub(super) async fn begin(database: &mut impl Tables, run: i64) -> Result<Self, Failed> {
        let (accounting, tally) = database.count(run).await?;
        Ok(Self { accounting, tally, earlier: tally })
    }

    /// That of an invocation of others.
    pub(super) fn join(joined: &Joined) -> Self {
        Self { accounting: joined.accounting, tally: joined.tally, earlier: joined.earlier }
    }

    /// The same once the run's row says this.
    pub(super) fn after(&self, accounting: Accounting, tally: Tally) -> Self {
        Self { accounting, tally, earlier: self.earlier }
    }

    pub(super) fn accounting(&self) -> Accounting {
        self.accounting
    }

    /// What this invocation did, others that take part in it included.
    pub(super) fn tally(&self) -> Tally {
        Tally {
            unchanged: self.tally.unchanged - self.earlier.unchanged,
            bytes: self.tally.bytes - self.earlier.bytes,
            requests: self.tally.requests - self.earlier.requests,
            checked: self.tally.checked - self.earlier.checked,
        }
    }
}
