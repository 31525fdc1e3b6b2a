//! Budgets of URL patterns, and what is held back for want of one.

use std::future::Future;

use crate::policy::traps::{Account, Recalled};
use crate::store::failed::Failed;
use crate::visit::{HostId, TrapId};

use super::urls::Woken;

pub trait Accounts {
    /// The accounts that are traps, but for those of patterns that are let through.
    fn held_traps(&mut self, allowed: &[String]) -> impl Future<Output = Result<Vec<TrapId>, Failed>> + Send;

    /// The accounts of these hosts and those of these ids, each beside the name of its host.
    fn accounts(
        &mut self,
        hosts: &[HostId],
        ids: &[TrapId],
    ) -> impl Future<Output = Result<Vec<(String, Account)>, Failed>> + Send;

    /// The last pages that an account paid for, `limit` at most.
    fn paid_pages(&mut self, id: TrapId, limit: i64) -> impl Future<Output = Result<Vec<Recalled>, Failed>> + Send;

    fn write_accounts(&mut self, accounts: &[Account]) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Makes pending the first `limit` of the URLs that are held back for this account, those nearest to a seed first.
    fn release(&mut self, me: i64, id: TrapId, limit: i64) -> impl Future<Output = Result<Vec<Woken>, Failed>> + Send;
}
