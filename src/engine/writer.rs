//! The writer: commits what the workers bring in batches, feeds the frontier with what the commits brought, and then shows
//! the stored pages to whoever follows the crawl.

use std::time::Instant;

use tokio::sync::{mpsc, watch};

use super::observe::{Observers, Stage};
use super::page::Page;
use super::summary::Progress;
use super::worker::Finished;
use crate::fetch::Fetch;
use crate::frontier::Frontier;
use crate::parse::memory::Held;
use crate::store::{Committed, Refill, Run, StoreError};
use crate::visit::{HostId, Record, Settlement, UrlId};

/// Records in one transaction, at most.
const MAX_BATCH: usize = 512;
/// Bytes after which a transaction takes no more records: statements are bound, and memory is.
const MAX_BATCH_BYTES: usize = 16 << 20;
/// Hosts whose windows are filled at the start, and again when more wait on disk.
const HOSTS_AT_ONCE: usize = 20_000;

/// The one task that changes the database while a crawl runs.
pub(super) struct Writer<'a, R> {
    pub(super) run: &'a mut R,
    pub(super) frontier: &'a Frontier,
    pub(super) fetcher: &'a dyn Fetch,
    pub(super) watchers: &'a Watchers<'a>,
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
        self.deliver(pages).await;
        Ok(())
    }

    /// The responses of a batch, if anybody wants them.
    fn pages(&self, records: &[Record]) -> Vec<(UrlId, Page)> {
        if self.watchers.listener.is_none_or(mpsc::Sender::is_closed) {
            return Vec::new();
        }
        let pages = records.iter().filter_map(Record::page);
        pages.map(|(target, response)| (target.id, Page::new(target, response))).collect()
    }

    async fn deliver(&self, pages: Vec<Page>) {
        let Some(listener) = self.watchers.listener else { return };
        for page in pages {
            if listener.send(page).await.is_err() {
                return;
            }
        }
    }

    async fn refill(&mut self) -> Result<(), StoreError> {
        for (host, limit) in self.frontier.low_windows() {
            self.read_window(host, limit).await?;
        }
        Ok(())
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
        for &host in &taken {
            self.read_window(host, self.frontier.window()).await?;
        }
        Ok(taken.len())
    }

    async fn read_window(&mut self, host: HostId, limit: usize) -> Result<(), StoreError> {
        match self.run.pending(host, limit).await? {
            Some(Refill { host, targets, complete }) => self.frontier.refill(host, targets, complete),
            None => self.frontier.lose(host),
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
    let stored: std::collections::HashSet<_> = settlements.iter().filter_map(is_stored).collect();
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
