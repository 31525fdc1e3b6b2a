//! The crawl itself: a pool of workers, one writer, and the way they stop.

mod activity;
mod metrics;
mod narrate;
mod page;
mod sitemaps;
mod visitor;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::canonical::CanonicalUrl;
use crate::config::{Config, ConfigError};
use crate::fetch::HttpClient;
use crate::frontier::schedule::Limits;
use crate::frontier::{Frontier, SteadyClock};
use crate::scope::Scope;
use crate::store::{Accounting, Store, StoreError, Tally};
use crate::visit::{Errand, HostId, Record};
pub use activity::{Activity, HostActivity};
pub use metrics::Metrics;
use metrics::Stage;
use page::PageReader;
use visitor::{Slot, Visitor};

/// Records in one transaction, at most.
const MAX_BATCH: usize = 256;
/// Bytes after which a transaction takes no more records: statements are bound, and memory is.
const MAX_BATCH_BYTES: usize = 32 << 20;
/// Hosts whose windows are filled at the start, and again when more wait on disk.
const HOSTS_AT_ONCE: usize = 20_000;
/// How long requests in flight may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// Between two publications of the progress, at most: whoever hears none for long knows that the writer is stuck.
const PULSE: Duration = Duration::from_millis(250);

/// Why a crawl could not run, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum CrawlError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CrawlEnd {
    /// Nothing is pending.
    Finished,
    /// A limit the user set was reached.
    Limit,
    /// Stopped from outside.
    Interrupted,
    /// What is left waits for hosts that asked for more time than this invocation gives.
    Waiting,
}

impl CrawlEnd {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Limit => "limit",
            Self::Interrupted => "interrupted",
            Self::Waiting => "waiting",
        }
    }
}

/// What an invocation did.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Summary {
    pub run: i64,
    pub outcome: CrawlEnd,
    #[serde(flatten)]
    pub accounting: Accounting,
    #[serde(flatten)]
    pub tally: Tally,
    pub elapsed_seconds: f64,
}

/// Where a running crawl stands, as of its last commit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    pub accounting: Accounting,
    pub tally: Tally,
    /// Responses stored by this invocation.
    pub stored: u64,
}

/// A crawl, ready to run.
#[derive(Debug)]
pub struct Crawl<S> {
    config: Config,
    seeds: Vec<CanonicalUrl>,
    store: S,
    progress: watch::Sender<Progress>,
    activity: Activity,
    metrics: Metrics,
}

impl<S: Store> Crawl<S> {
    pub fn new(config: Config, seeds: Vec<CanonicalUrl>, store: S) -> Self {
        let (progress, activity, metrics) = Default::default();
        Self { config, seeds, store, progress, activity, metrics }
    }

    /// Follows the crawl from outside. Lossy: only the newest state is kept. News come from when the crawl runs, several
    /// times a second even when nothing has changed, as long as the loop that commits is alive.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Which hosts are busy and which are slow, while the crawl runs.
    pub fn activity(&self) -> Activity {
        self.activity.clone()
    }

    /// Figures for a monitoring system, while the crawl runs.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Runs until nothing is left, a limit is reached, or `stop` completes. Everything committed stays, whatever
    /// happens.
    pub async fn run_until(mut self, stop: impl Future<Output = ()> + Send) -> Result<(Summary, S), CrawlError> {
        self.config.validate()?;
        let started = Instant::now();
        let scope = Scope::new(&self.config, &self.seeds);
        let fetcher = Arc::new(HttpClient::new(&self.config)?);
        let run = self.store.begin(&self.config, &scope, &self.seeds).await?;
        let clock = SteadyClock::start();
        let frontier = Arc::new(Frontier::new(Limits::new(&self.config), clock));
        let mut cursor = Cursor::default();
        wake_hosts(&mut self.store, &frontier, &mut cursor).await?;
        let reader = PageReader::new(&self.config, scope, self.metrics.clone());
        let visitor = Arc::new(Visitor::new(&self.config, reader, fetcher, clock, self.metrics.clone()));

        let (abort, aborted) = watch::channel(false);
        let (out, inbox) = mpsc::channel(self.config.concurrency);
        let mut tasks = JoinSet::new();
        for _ in 0..self.config.concurrency {
            tasks.spawn(work(frontier.clone(), visitor.clone(), out.clone(), aborted.clone()));
        }
        drop(out);
        tasks.spawn({
            let frontier = frontier.clone();
            async move { frontier.keep_time().await }
        });
        let stop = first_reason(stop, self.config.max_duration.and_then(|limit| started.checked_add(limit)));
        tokio::pin!(stop);
        let watchers = Watchers {
            progress: &self.progress,
            activity: &self.activity,
            metrics: &self.metrics,
            fetched_before: self.store.accounting().0.fetched,
        };
        let write = write(&mut self.store, &frontier, inbox, &mut cursor, &watchers);
        let stopped = until_stopped(write, stop.as_mut(), &frontier, abort).await?;
        tasks.shutdown().await;
        let outcome = self.judge_end(&frontier, stopped);
        self.store.end(outcome.as_str(), outcome == CrawlEnd::Finished).await?;
        if outcome == CrawlEnd::Finished && stopped.is_none() {
            // There may be years to tidy up; what is left when time is up is left to the next run.
            while stop.as_mut().now_or_never().is_none() {
                match self.store.tidy().await {
                    Ok(true) => watchers.publish(&self.store),
                    Ok(false) => break,
                    Err(e) => {
                        tracing::warn!("the logs of old runs are not pruned: {e}");
                        break;
                    }
                }
            }
        }
        let (accounting, tally) = self.store.accounting();
        let elapsed_seconds = started.elapsed().as_secs_f64();
        Ok((Summary { run, outcome, accounting, tally, elapsed_seconds }, self.store))
    }

    fn judge_end(&self, frontier: &Frontier, stopped: Option<CrawlEnd>) -> CrawlEnd {
        let (accounting, _) = self.store.accounting();
        match stopped {
            _ if accounting.pending == 0 => CrawlEnd::Finished,
            Some(end) => end,
            None if frontier.with(|schedule, _| schedule.is_limited()) => CrawlEnd::Limit,
            None => CrawlEnd::Waiting,
        }
    }
}

/// Why to stop early: the caller's wish, or the time the user gave.
async fn first_reason(stop: impl Future<Output = ()>, deadline: Option<Instant>) -> CrawlEnd {
    let time_is_up = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = stop => CrawlEnd::Interrupted,
        () = time_is_up => CrawlEnd::Limit,
    }
}

/// Lets the writer come to its end. After a reason to stop, requests in flight have [`GRACE`] to end by themselves.
async fn until_stopped(
    write: impl Future<Output = Result<(), StoreError>>,
    stop: impl Future<Output = CrawlEnd>,
    frontier: &Frontier,
    abort: watch::Sender<bool>,
) -> Result<Option<CrawlEnd>, StoreError> {
    tokio::pin!(write);
    let reason = tokio::select! {
        result = &mut write => return result.map(|()| None),
        reason = stop => reason,
    };
    frontier.close();
    if let Ok(result) = tokio::time::timeout(GRACE, &mut write).await {
        return result.map(|()| Some(reason));
    }
    abort.send_replace(true);
    write.await.map(|()| Some(reason))
}

async fn work(
    frontier: Arc<Frontier>,
    visitor: Arc<Visitor>,
    out: mpsc::Sender<Finished>,
    aborted: watch::Receiver<bool>,
) {
    while let Some((errand, permit)) = frontier.next().await {
        let host = asked_host(&errand);
        let released = |rest| {
            if let Some(host) = host {
                frontier.release(host, rest);
            }
        };
        let record = visitor.visit(errand, Slot { permit, aborted: aborted.clone(), released }).await;
        if let (Some(host), Some((kind, message))) = (host, record.page_failure()) {
            frontier.with(|schedule, _| schedule.give_up(host, kind, message.clone()));
        }
        narrate::tell(&record);
        if out.send(Finished { record, at: Instant::now() }).await.is_err() {
            return;
        }
    }
}

/// A record on its way to the writer.
struct Finished {
    record: Record,
    at: Instant,
}

/// The host that a request of this errand goes to.
fn asked_host(errand: &Errand) -> Option<HostId> {
    match errand {
        Errand::Page(target) => Some(target.host),
        Errand::Robots(call) => Some(call.host),
        Errand::Sitemaps { .. } | Errand::Refuse { .. } => None,
    }
}

async fn write<S: Store>(
    store: &mut S,
    frontier: &Frontier,
    mut inbox: mpsc::Receiver<Finished>,
    cursor: &mut Cursor,
    watchers: &Watchers<'_>,
) -> Result<(), StoreError> {
    let result = write_all(store, frontier, &mut inbox, cursor, watchers).await;
    // On every way out: workers must not wait for a frontier that nobody feeds.
    frontier.close();
    result
}

async fn write_all<S: Store>(
    store: &mut S,
    frontier: &Frontier,
    inbox: &mut mpsc::Receiver<Finished>,
    cursor: &mut Cursor,
    watchers: &Watchers<'_>,
) -> Result<(), StoreError> {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    watchers.publish(store);
    let mut pulse = tokio::time::interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            more = receive(inbox, &mut batch, watchers.metrics) => if !more { return Ok(()) },
            () = frontier.hungry() => {}
            _ = pulse.tick() => {}
        }
        if !batch.is_empty() {
            let records = std::mem::replace(&mut batch, Vec::with_capacity(MAX_BATCH));
            watchers.activity.count(&records);
            watchers.metrics.count(&records);
            let started = Instant::now();
            let clock = |host| frontier.with(|schedule, _| schedule.clock(host));
            let committed = store.commit(records, clock).await?;
            watchers.metrics.took(Stage::Commit, started.elapsed());
            frontier.settle(committed.hosts, committed.targets, committed.settlements);
            refill(store, frontier).await?;
        }
        if frontier.with(|schedule, _| schedule.wants_hosts()) {
            wake_hosts(store, frontier, cursor).await?;
        }
        watchers.publish(store);
    }
}

/// Waits for a record, then takes what else is there, as far as one transaction should hold it. False at the end.
async fn receive(inbox: &mut mpsc::Receiver<Finished>, batch: &mut Vec<Record>, metrics: &Metrics) -> bool {
    let mut bytes = 0;
    let mut take = |Finished { record, at }: Finished| {
        metrics.took(Stage::Queue, at.elapsed());
        bytes += record.weight();
        batch.push(record);
        batch.len() < MAX_BATCH && bytes < MAX_BATCH_BYTES
    };
    let Some(first) = inbox.recv().await else { return false };
    let mut has_room = take(first);
    while has_room {
        let Ok(finished) = inbox.try_recv() else { break };
        has_room = take(finished);
    }
    true
}

/// Those who look on from outside.
struct Watchers<'a> {
    progress: &'a watch::Sender<Progress>,
    activity: &'a Activity,
    metrics: &'a Metrics,
    fetched_before: i64,
}

impl Watchers<'_> {
    fn publish<S: Store>(&self, store: &S) {
        let (accounting, tally) = store.accounting();
        self.metrics.account(accounting);
        let stored = u64::try_from(accounting.fetched - self.fetched_before).unwrap_or(0);
        self.progress.send_replace(Progress { accounting, tally, stored });
    }
}

async fn refill<S: Store>(store: &mut S, frontier: &Frontier) -> Result<(), StoreError> {
    for (host, limit) in frontier.with(|schedule, _| schedule.low()) {
        let refill = store.pending(host, limit).await?;
        frontier.with(|schedule, now| schedule.refill(host, refill.targets, refill.complete, now));
    }
    Ok(())
}

/// Where the walk over hosts with pending URLs stands.
#[derive(Debug, Default)]
struct Cursor {
    after: HostId,
}

/// Brings hosts with pending URLs into memory.
async fn wake_hosts<S: Store>(store: &mut S, frontier: &Frontier, cursor: &mut Cursor) -> Result<(), StoreError> {
    let ids = store.hosts_with_pending(cursor.after, HOSTS_AT_ONCE).await?;
    let more = ids.len() == HOSTS_AT_ONCE;
    let window = frontier.with(|schedule, _| schedule.window());
    for id in ids {
        cursor.after = id;
        let refill = store.pending(id, window).await?;
        frontier.with(|schedule, now| {
            schedule.add_host(refill.host, now);
            schedule.refill(id, refill.targets, refill.complete, now);
        });
    }
    frontier.with(|schedule, _| schedule.set_dormant(more));
    Ok(())
}
