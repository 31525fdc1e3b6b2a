//! Hosts, and who holds them. `me` is the number of this invocation.

use std::collections::HashSet;
use std::future::Future;

use crate::canonical::Host;
use crate::store::failed::Failed;
use crate::visit::{Hold, HostId, HostRecord, Millis, StoredRobots};

/// Who holds a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    None,
    This,
    Another,
}

/// What a robots.txt said.
#[derive(Debug)]
pub struct Robots<'a> {
    pub at: Millis,
    pub status: Option<u16>,
    pub failure: Option<&'static str>,
    pub body: Option<&'a [u8]>,
    pub crawl_delay: Option<Millis>,
}

pub trait Hosts: Send {
    /// Takes at most `limit` hosts that have pending URLs and that nobody holds, and raises their epochs.
    fn take(&mut self, me: i64, limit: usize) -> impl Future<Output = Result<Vec<HostId>, Failed>> + Send;

    /// Which of these are not held any more under their epochs. Those that are stay held.
    fn lost(&mut self, me: i64, holds: &[Hold]) -> impl Future<Output = Result<Vec<HostId>, Failed>> + Send;

    /// Stores the clocks of those that are held under their epochs, and gives them back.
    fn free(&mut self, me: i64, holds: &[Hold]) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Stores the clocks of those that are held under their epochs, and answers with these.
    fn set_clocks(&mut self, me: i64, holds: &[Hold]) -> impl Future<Output = Result<HashSet<HostId>, Failed>> + Send;

    /// Inserts those that have no row, with an epoch of 1 and held, and answers with these.
    fn insert_hosts(
        &mut self,
        me: i64,
        hosts: &HashSet<&str>,
    ) -> impl Future<Output = Result<Vec<HostRecord>, Failed>> + Send;

    fn find_hosts(
        &mut self,
        me: i64,
        hosts: &HashSet<&str>,
    ) -> impl Future<Output = Result<Vec<(Host, HostId, Holder)>, Failed>> + Send;

    /// Takes those that nobody holds, and raises their epochs. Answers with all that are held then.
    fn take_reached(
        &mut self,
        me: i64,
        hosts: &HashSet<HostId>,
    ) -> impl Future<Output = Result<HashSet<HostId>, Failed>> + Send;

    /// A host, if it is held.
    fn held_host(&mut self, me: i64, id: HostId) -> impl Future<Output = Result<Option<HostRecord>, Failed>> + Send;

    /// What the robots.txt of a host said last, whoever holds it; none on a database that one process has alone.
    fn stored_robots(&mut self, host: &Host) -> impl Future<Output = Result<Option<StoredRobots>, Failed>> + Send {
        let _ = host;
        async { Ok(None) }
    }

    fn keep_robots(&mut self, id: HostId, robots: Robots<'_>) -> impl Future<Output = Result<(), Failed>> + Send;
}
