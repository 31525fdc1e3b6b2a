//! Where the crawl is kept. A store commits whole batches of records; what it gives back feeds the frontier.

pub mod audit;
pub mod copies;
mod counts;
pub mod derived;
mod error;
mod failed;
mod migrations;
pub mod part;
pub mod postgres;
pub mod sqlite;
pub mod tables;
pub mod value;

use std::future::Future;
use std::sync::Arc;

use crate::canonical::CanonicalUrl;
use crate::config::Config;
use crate::scope::Scope;
use crate::visit::{
    Complete, Hold, HostId, HostRecord, Lease, Record, SeedLine, Settlement, Standing, SteadyClock, Target, TrapId,
    UrlId, Word,
};
pub use counts::{Accounting, Tally};
pub use error::{DatabaseFailure, StoreError};

/// What an invocation of the crawl is told.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    pub config: &'a Config,
    /// Drawn from the settings and the seeds.
    pub scope: &'a Arc<Scope>,
    pub seeds: &'a [CanonicalUrl],
    /// How they were given, and what was left out.
    pub given: &'a [SeedLine],
}

/// What a commit made durable and the frontier has to know.
#[derive(Debug, Default)]
pub struct Committed {
    /// Hosts that nobody knew before, or that the settlements need: this process holds them.
    pub hosts: Vec<HostRecord>,
    /// URLs that became pending, of hosts that this process holds.
    pub targets: Vec<Target>,
    /// One for each record.
    pub settlements: Vec<Settlement>,
    /// Hosts of the batch that this process does not hold any more.
    pub lost: Vec<HostId>,
    /// Accounts that are traps from now on (`true`), or are no more.
    pub turned: Vec<(TrapId, bool)>,
}

/// What is pending of one host.
#[derive(Debug)]
pub struct Refill {
    pub host: HostRecord,
    pub targets: Vec<Target>,
    /// Of what nothing else of this host waits on disk.
    pub complete: Complete,
}

/// An open database in which no run of this process is under way.
pub trait Store: Sized + Send {
    type Run: Run<Store = Self>;

    /// Lets the database go, once all of it is written.
    fn close(self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What this process may not ask hosts without; none if it has the database alone, and all hosts for as long.
    fn lease(&self) -> Option<Lease> {
        None
    }

    /// What this process is called among others; none if it has the database alone.
    fn node(&self) -> Option<&str> {
        None
    }

    /// The clock that stored times are of.
    fn clock(&self) -> SteadyClock {
        SteadyClock::start()
    }

    /// Continues the unfinished run or begins a new one, judges again what other options left out, and admits the seeds:
    /// all of it or, on an error, nothing. A new run makes pending what is due ([`crate::policy::due`]) or is looked into
    /// by every run ([`crate::policy::sweep`]).
    fn begin(self, start: Start<'_>) -> impl Future<Output = Result<Self::Run, StoreError>> + Send;
}

/// One process's part in a run.
///
/// Work is shared out by hosts: a process takes some, alone asks them and alone settles their URLs, so URLs in flight need
/// no mark. Each take raises the host's epoch, and what is done under an older epoch is refused. The store's promises hold
/// whatever other processes do meanwhile, and it assumes nothing of what it has read before.
pub trait Run: Send {
    type Store: Store<Run = Self>;

    /// The run's number.
    fn id(&self) -> i64;

    /// Takes at most `limit` hosts that have pending URLs and that nobody holds, and raises their epochs. Answers with
    /// their ids; [`pending`](Self::pending) gives the rest. Fewer than `limit` are all there are now.
    fn take(&mut self, limit: usize) -> impl Future<Output = Result<Vec<HostId>, StoreError>> + Send;

    /// What this process may not ask hosts without; none if it has the database alone, and all hosts for as long.
    fn lease(&self) -> Option<Lease>;

    /// Renews what this process holds, and answers which of `holds` it holds no more.
    fn keep(&mut self, holds: &[Hold]) -> impl Future<Output = Result<Vec<HostId>, StoreError>> + Send;

    /// Renews what this process holds, tells others how it stands, and hears what they and the database say. To be done
    /// several times in a lease, and when it begins to rest.
    fn report(&mut self, standing: &Standing) -> impl Future<Output = Result<Word, StoreError>> + Send;

    /// Renews what this process holds and no more: for when something else takes so long that the next report would come too
    /// late.
    fn renew(&mut self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether there is anything left to check.
    fn are_checks_left(&mut self) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Bytes that the database takes, but for those that are free for what comes next, where it can tell them.
    fn size(&mut self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// How the invocation ended, if it has for all that take part in it.
    fn outcome(&self) -> Option<&str>;

    /// Gives hosts back: their clocks are stored, and anybody may take them. Those that were lost already stay as they
    /// are.
    fn give_back(&mut self, holds: &[Hold]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The accounts that are traps, each beside `true`: what only they would pay for is to be refused.
    fn traps(&mut self) -> impl Future<Output = Result<Vec<(TrapId, bool)>, StoreError>> + Send;

    /// Commits a batch in one transaction: pages, their links, the states of their URLs and the run's accounting together,
    /// durable when this returns. `hold` says under which epoch this process holds a host, and the host's clock, which is
    /// stored.
    ///
    /// A record about a host that `hold` does not name, that was given back, or whose epoch has moved on is refused:
    /// nothing of it is stored, and `lost` names the host. So is one about a URL that is not pending any more, which makes
    /// it harmless to commit a batch again if it is not known whether it was stored. Either way its settlement says
    /// that the errand is over.
    ///
    /// Each link gets a row: a URL that is met for the first time takes the state that the link names, and one that is
    /// known may be improved ([`crate::policy::offer`]). A host that is met for the first time, or that nobody holds when
    /// one of its URLs becomes pending, is taken by this process at once. URLs that become pending on a host that another
    /// process holds are stored and not answered: their holder finds them.
    fn commit(
        &mut self,
        batch: Vec<Record>,
        hold: impl Fn(HostId) -> Option<Hold> + Send + Sync,
    ) -> impl Future<Output = Result<Committed, StoreError>> + Send;

    /// The first pending URLs of some hosts, of each as many as is said beside it, in the order of [`crate::policy::turn`].
    /// Nothing is answered of a host that this process does not hold.
    fn pending(&mut self, hosts: &[(HostId, usize)]) -> impl Future<Output = Result<Vec<Refill>, StoreError>> + Send;

    /// Ends this process's part of the run with its outcome, which is the run's unless others go on; `finished` if nothing
    /// is pending, so that the next invocation begins a new run.
    fn end(&mut self, outcome: &str, finished: bool) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps why the invocation cannot go on, where that can be kept still and the run's row cannot say it.
    fn note_failure(&mut self, why: &StoreError) -> impl Future<Output = ()> + Send;

    /// One short step of keeping the database small, after a finished run. False once nothing is left to do.
    fn tidy(&mut self) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Looks through the next pages of an id after `after` for the places that links name by their fragments, once all is stored.
    /// Answers with the last of these pages, if there was one.
    fn look_for_places(&mut self, after: UrlId) -> impl Future<Output = Result<Option<UrlId>, StoreError>> + Send;

    /// What the last transaction said of the run's accounting, and what this invocation did. At every commit the run's row
    /// and the view `accounting` agree.
    fn accounting(&self) -> (Accounting, Tally);

    /// Gives the database back, for whatever comes after the run.
    fn into_store(self) -> Self::Store;
}
