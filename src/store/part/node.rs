//! What a process is among those of an invocation.

use crate::store::Committed;

use super::ledger::Ledger;

/// One process among those of an invocation.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Its number: it holds the hosts that bear it.
    pub(super) id: i64,
    /// The number of its last transaction.
    pub(super) batch: i64,
    /// Pages that redirects of seeds led to, as far as it knows.
    pub(super) heirs: i64,
    /// How the invocation ended, if it has.
    pub(super) outcome: Option<String>,
    /// What a transaction came to of which it is not known whether it was stored.
    pub(super) doubt: Option<(Ledger, Committed)>,
}

impl Node {
    pub(super) fn new(id: i64) -> Self {
        Self { id, ..Self::default() }
    }
}
