//! What several processes of one crawl, its nodes, have in common. What stands here as a method's body is what a process does
//! that has the database alone.

use std::future::Future;
use std::time::Duration;

use crate::store::counts::{Accounting, Tally};
use crate::store::failed::Failed;
use crate::visit::{HostId, Millis, Settlement, Standing, SteadyClock, Word};

/// How an invocation begins.
#[derive(Debug)]
pub struct Entrance {
    /// Its number, greater than any before.
    pub me: i64,
    /// Others are at work on a run: it takes part in that.
    pub joins: Option<Joined>,
}

/// An invocation of others.
#[derive(Debug)]
pub struct Joined {
    pub run: i64,
    /// When the run was begun.
    pub began: Millis,
    /// What they were told, as [`Company::settle`] was told.
    pub settings: String,
    pub accounting: Accounting,
    /// The run's, now and before the invocation.
    pub tally: Tally,
    pub earlier: Tally,
}

/// What the others and the database say.
#[derive(Debug)]
pub struct Heard {
    pub word: Word,
    /// How the invocation ended, if it has.
    pub outcome: Option<String>,
    pub accounting: Accounting,
    /// The run's.
    pub tally: Tally,
    /// Pages that redirects of seeds led to, in all.
    pub heirs: i64,
}

/// What a transaction comes to.
#[derive(Debug)]
pub struct Done<'a> {
    /// The node, and the number of its transaction.
    pub me: i64,
    pub batch: i64,
    pub accounting: &'a Accounting,
    pub tally: &'a Tally,
    pub settlements: &'a [Settlement],
}

pub trait Company: Send {
    /// The clock that stored times are of.
    fn clock(&self) -> SteadyClock {
        SteadyClock::start()
    }

    /// Waits for those who begin at the same time, and takes its place. With `join` it is refused where there are no others.
    fn enter(&mut self, join: bool) -> impl Future<Output = Result<Entrance, Failed>> + Send;

    /// All is as it is to be for the run, and the others may come.
    fn settle(&mut self, me: i64, run: i64, settings: &str) -> impl Future<Output = Result<(), Failed>> + Send {
        let _ = (me, run, settings);
        async { Ok(()) }
    }

    /// Renews the lease, tells how this node stands, and hears how the others do; none if its lease had ended and others
    /// have noted that: what it held is theirs.
    fn report(
        &mut self,
        me: i64,
        run: i64,
        standing: &Standing,
    ) -> impl Future<Output = Result<Option<Heard>, Failed>> + Send {
        let _ = (me, run, standing);
        async { Ok(None) }
    }

    /// Renews the lease and no more, unless others have noted that it had ended.
    fn renew(&mut self, me: i64) -> impl Future<Output = Result<(), Failed>> + Send {
        let _ = me;
        async { Ok(()) }
    }

    /// Takes part in the same invocation once more, as another node. Answers with its number. It may ask nothing before it
    /// reports: what it held is to be forgotten first.
    fn come_back(&mut self, me: i64) -> impl Future<Output = Result<i64, Failed>> + Send {
        async move { Ok(me) }
    }

    /// The hosts that it holds, known to the schedule or not. What a transaction of its own has still to take is waited for.
    fn held(&mut self, me: i64) -> impl Future<Output = Result<Vec<HostId>, Failed>> + Send {
        let _ = me;
        async { Ok(Vec::new()) }
    }

    /// Whether the transaction of this number was stored, if the answer to its commit did not come.
    fn has_stored(&mut self, me: i64, batch: i64) -> impl Future<Output = Result<bool, Failed>> + Send {
        let _ = (me, batch);
        async { Ok(false) }
    }

    /// Waits until the database can be asked again, if it may be able to within `patience`; else gives the error back.
    fn recover(&mut self, error: Failed, patience: Duration) -> impl Future<Output = Result<(), Failed>> + Send {
        let _ = patience;
        async { Err(error) }
    }
}
