//! The writer: commits what the workers bring in batches, feeds the frontier with what the commits brought, and then shows
//! the stored pages to whoever follows the crawl.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, watch};

use super::observe::{Observers, Stage};
use super::page::Page;
use super::summary::Progress;
use super::worker::Finished;
use crate::fetch::Fetch;
use crate::frontier::Frontier;
use crate::parse::memory::Held;
use crate::store::{Committed, Refill, Run, StoreError};
use crate::visit::{HostId, Lease, Record, Settlement, UrlId};

/// Records in one transaction, at most.
const MAX_BATCH: usize = 512;
/// Bytes after which a transaction takes no more records: statements are bound, and memory is.
const MAX_BATCH_BYTES: usize = 16 << 20;
/// Hosts whose windows are filled at the start, and again when more wait on disk.
const HOSTS_AT_ONCE: usize = 20_000;
/// Hosts whose windows are read in one go: so many that it does not matter how far away the database is, and so few that the
/// rows of all fit into memory twice.
const WINDOWS_AT_ONCE: usize = 32;
/// Between two looks at the size of the database, which on a server costs as much as a small commit.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between two renewals of the lease, at most.
const BEAT: Duration = Duration::from_millis(500);

/// The same for a lease of this length.
pub(super) fn beat(lease: &Lease) -> Duration {
    BEAT.min(lease.length() / 4)
}

/// The one task that changes the database while a crawl runs.
pub(super) struct Writer<'a, R> {
    pub(super) run: &'a mut R,
    pub(super) frontier: &'a Frontier,
    pub(super) fetcher: &'a dyn Fetch,
    pub(super) watchers: &'a Watchers<'a>,
    pub(super) room: Room<'a>,
}

/// How large the database may become, and who is to hear that it has.
pub(super) struct Room<'a> {
    pub(super) max: Option<u64>,
    pub(super) is_full: &'a Notify,
    looked_at: Option<Instant>,
}

impl<'a> Room<'a> {
    pub(super) fn new(max: Option<u64>, is_full: &'a Notify) -> Self {
        Self { max, is_full, looked_at: None }
    }
}

/// What is committed at once, and what it takes of the budget until then.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) records: Vec<Record>,
    held: Vec<Held>,
}

/// Those who look on.
pub(super) struct Watchers<'a> {
    pub(super) progress: &'a watch::Sender<Progress>,
    pub(super) observers: &'a Observers,
    /// Gets each stored page; a receiver that is gone wants no more.
    pub(super) listener: Option<&'a mpsc::Sender<Page>>,
    pub(super) fetched_before: i64,
}

impl Watchers<'_> {
    pub(super) fn publish(&self, run: &impl Run) {
        let (accounting, tally) = run.accounting();
        self.observers.accounted(accounting);
        let stored = u64::try_from(accounting.fetched - self.fetched_before).unwrap_or(0);
        self.progress.send_replace(Progress { accounting, tally, stored });
    }
}

impl<R: Run> Writer<'_, R> {
    /// Renews the hold on the hosts, and lets those go that others have taken meanwhile.
    pub(super) async fn keep(&mut self) -> Result<(), StoreError> {
        let lost = self.run.keep(&self.frontier.holds()).await?;
        self.lose(&lost);
        Ok(())
    }

    /// Whether the database has the size at which the crawl is to stop. It is not looked at all the time.
    pub(super) async fn is_full(&mut self) -> Result<bool, StoreError> {
        let Some(max) = self.room.max else { return Ok(false) };
        if self.room.looked_at.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return Ok(false);
        }
        let is_full = self.run.size().await? >= max;
        self.room.looked_at = Some(Instant::now());
        Ok(is_full)
    }

    fn lose(&self, lost: &[HostId]) {
        if !lost.is_empty() {
            tracing::warn!("hosts that are not this node's any more: {}; nothing of them is stored here", lost.len());
        }
        lost.iter().for_each(|host| self.frontier.lose(*host));
    }

    pub(super) async fn commit(&mut self, Batch { records, held }: Batch) -> Result<(), StoreError> {
        self.watchers.observers.batch(&records);
        let pages = self.pages(&records);
        let started = Instant::now();
        let hold = |host| self.frontier.hold(host);
        let Committed { hosts, targets, settlements, lost, turned } = self.run.commit(records, hold).await?;
        drop(held);
        self.watchers.observers.took(Stage::Commit, started.elapsed());
        let pages = stored(pages, &settlements);
        self.frontier.turn_traps(&turned);
        self.frontier.settle(hosts, targets, settlements);
        self.lose(&lost);
        self.refill().await?;
        self.deliver(pages).await
    }

    /// The responses of a batch, if anybody wants them.
    fn pages(&self, records: &[Record]) -> Vec<(UrlId, Page)> {
        if self.watchers.listener.is_none_or(mpsc::Sender::is_closed) {
            return Vec::new();
        }
        let pages = records.iter().filter_map(Record::page);
        pages.map(|(target, response)| (target.id, Page::new(target, response))).collect()
    }

    /// Shows pages to the listener. As long as that has no room for more, the crawl stands still and keeps its hosts.
    async fn deliver(&mut self, pages: Vec<Page>) -> Result<(), StoreError> {
        let Some(listener) = self.watchers.listener else { return Ok(()) };
        for page in pages {
            let sending = listener.send(page);
            tokio::pin!(sending);
            let sent = loop {
                match tokio::time::timeout(BEAT, &mut sending).await {
                    Ok(sent) => break sent,
                    Err(_) => self.renew_in_time().await?,
                }
            };
            if sent.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Renews the lease, if there is one and it is time to: to be called in the midst of what may take long.
    async fn renew_in_time(&mut self) -> Result<(), StoreError> {
        let Some(lease) = self.run.lease().filter(|lease| lease.age() >= beat(lease)) else { return Ok(()) };
        let was_held = lease.is_held();
        self.run.renew().await?;
        if !was_held {
            // Those who looked when it had ended wait.
            self.frontier.resume();
        }
        Ok(())
    }

    async fn refill(&mut self) -> Result<(), StoreError> {
        let low = self.frontier.low_windows();
        self.read_windows(&low).await
    }

    /// Takes hosts with pending URLs and brings them into memory.
    pub(super) async fn wake_hosts(&mut self) -> Result<(), StoreError> {
        let taken = self.take(HOSTS_AT_ONCE).await?;
        self.frontier.set_dormant(taken == HOSTS_AT_ONCE);
        Ok(())
    }

    /// The same with at most so many. Answers with how many there were.
    pub(super) async fn take(&mut self, limit: usize) -> Result<usize, StoreError> {
        let taken = if limit > 0 { self.run.take(limit).await? } else { Vec::new() };
        let window = self.frontier.window();
        self.read_windows(&taken.iter().map(|host| (*host, window)).collect::<Vec<_>>()).await?;
        Ok(taken.len())
    }

    async fn read_windows(&mut self, hosts: &[(HostId, usize)]) -> Result<(), StoreError> {
        for some in hosts.chunks(WINDOWS_AT_ONCE) {
            let refills = self.run.pending(some).await?;
            let mut missing: HashSet<_> = some.iter().map(|(host, _)| *host).collect();
            for Refill { host, targets, complete } in refills {
                missing.remove(&host.id);
                self.frontier.refill(host, targets, complete);
            }
            missing.into_iter().for_each(|host| self.frontier.lose(host));
            self.renew_in_time().await?;
        }
        Ok(())
    }
}

/// Those of the pages whose responses were stored: one that closed a loop of redirects became a failure.
fn stored(pages: Vec<(UrlId, Page)>, settlements: &[Settlement]) -> Vec<Page> {
    if pages.is_empty() {
        return Vec::new();
    }
    let is_stored =
        |settlement: &Settlement| if let Settlement::Stored { id, .. } = settlement { Some(*id) } else { None };
    let stored: HashSet<_> = settlements.iter().filter_map(is_stored).collect();
    pages.into_iter().filter(|(id, _)| stored.contains(id)).map(|(_, page)| page).collect()
}

/// Waits for a record, then takes what else is there, as far as one transaction should hold it. False at the end.
pub(super) async fn receive(inbox: &mut mpsc::Receiver<Finished>, batch: &mut Batch, observers: &Observers) -> bool {
    let mut bytes = 0;
    let mut take = |Finished { record, at, held }: Finished| {
        observers.took(Stage::Queue, at.elapsed());
        bytes += record.weight();
        batch.records.push(record);
        batch.held.push(held);
        batch.records.len() < MAX_BATCH && bytes < MAX_BATCH_BYTES
    };
    let Some(first) = inbox.recv().await else { return false };
    let mut has_room = take(first);
    while has_room {
        let Ok(finished) = inbox.try_recv() else { break };
        has_room = take(finished);
    }
    true
}
