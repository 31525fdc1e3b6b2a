//! One invocation of a crawl from its beginning to its end: a pool of workers, one writer, and the way they stop.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use super::hook::{self, Hook};
use super::observe::{Observer, Observers};
use super::page::Page;
use super::reader::PageReader;
use super::summary::{CrawlEnd, CrawlError, Progress, Summary};
use super::visitor::Visitor;
use super::worker::{Finished, work};
use super::writer::{Room, Watchers, Writer};
use crate::canonical::CanonicalUrl;
use crate::config::Config;
use crate::fetch::{Connections, Fetch, HttpClient};
use crate::frontier::Frontier;
use crate::frontier::limits::{Limits, WAITING};
use crate::scope::Scope;
use crate::store::{Run, Start, Store, StoreError};
use crate::visit::{Lease, SeedLine, UrlId};

/// How long requests in flight may go on after a stop was asked for.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// How long a database that cannot be asked is waited for by a process that is to stop.
const AWAY: Duration = Duration::from_secs(2);

/// Between two looks whether the database can be asked.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Why and since when the crawl is to stop, for each who asks.
trait Stop: Future<Output = (CrawlEnd, Instant)> + Clone + Send {}
impl<F: Future<Output = (CrawlEnd, Instant)> + Clone + Send> Stop for F {}

/// A crawl on an open store, ready to run.
#[derive(Debug)]
pub(crate) struct Engine<S> {
    config: Config,
    seeds: Vec<CanonicalUrl>,
    given: Vec<SeedLine>,
    store: S,
    progress: watch::Sender<Progress>,
    observers: Observers,
    listener: Option<mpsc::Sender<Page>>,
    hook: Option<Arc<dyn Hook>>,
    /// What makes the requests; an HTTP client if unset.
    fetcher: Option<Arc<dyn Fetch>>,
}

impl<S: Store> Engine<S> {
    pub(crate) fn new(config: Config, seeds: Vec<CanonicalUrl>, store: S) -> Self {
        let (progress, observers, given) = Default::default();
        Self { config, seeds, given, store, progress, observers, listener: None, hook: None, fetcher: None }
    }

    /// Keeps how the seeds were given, and what was left out.
    pub(crate) fn given(self, given: Vec<SeedLine>) -> Self {
        Self { given, ..self }
    }

    /// Lets somebody watch.
    pub(crate) fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observers: self.observers.and(observer), ..self }
    }

    /// Hands every stored page over, after its commit; a full channel makes the crawl wait.
    pub(crate) fn delivering_to(self, listener: mpsc::Sender<Page>) -> Self {
        Self { listener: Some(listener), ..self }
    }

    /// Asks the program that runs the crawl about URLs and shows it responses.
    pub(crate) fn hooked(self, hook: Option<Arc<dyn Hook>>) -> Self {
        Self { hook, ..self }
    }

    /// Names what makes the requests; an HTTP client by the settings if nothing does.
    pub(crate) fn fetched_by(self, fetcher: Arc<dyn Fetch>) -> Self {
        Self { fetcher: Some(fetcher), ..self }
    }

    /// Follows the crawl from outside. Lossy: only the newest state is kept. News come from when the crawl runs, several
    /// times a second even when nothing has changed, as long as the loop that commits is alive.
    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Runs until nothing is left, a limit is reached, or `stop` completes. Everything committed stays, whatever
    /// happens.
    pub(crate) async fn run_until(self, stop: impl Future<Output = ()> + Send) -> Result<(Summary, S), CrawlError> {
        self.config.validate()?;
        let deadline = self.config.max_duration.and_then(|limit| Instant::now().checked_add(limit));
        let is_full = Notify::new();
        let stop = first_reason(stop, deadline, &is_full).map(|end| (end, Instant::now())).shared();
        let (lease, schedule) = (self.store.lease(), OnceLock::new());
        tokio::select! {
            done = self.run(stop.clone(), &is_full, &schedule) => done,
            lease = is_in_vain(stop, lease) => {
                let unstored = schedule.get().map_or(0, |frontier: &Arc<Frontier>| frontier.outstanding());
                Err(CrawlError::Abandoned { unstored, lease })
            }
        }
    }

    async fn run(
        self,
        stop: impl Stop,
        is_full: &Notify,
        schedule: &OnceLock<Arc<Frontier>>,
    ) -> Result<(Summary, S), CrawlError> {
        let Self { config, seeds, given, store, progress, observers, listener, hook, fetcher } = self;
        let started = Instant::now();
        let mut scope = Scope::new(&config, &seeds);
        if let Some(hook) = hook.clone() {
            scope = scope.with_gate(move |url| hook::ask(&*hook, url));
        }
        let scope = Arc::new(scope);
        let fetcher = match fetcher {
            Some(fetcher) => fetcher,
            None => Arc::new(HttpClient::new(&config, &[])?),
        };
        let clock = store.clock();
        let mut run = store.begin(Start { config: &config, scope: &scope, seeds: &seeds, given: &given }).await?;
        let lease = run.lease();
        if let Some(lease) = lease.clone() {
            fetcher.under(lease);
        }
        let limits = Limits { shared: lease.is_some(), ..limits(&config) };
        let frontier = schedule.get_or_init(|| Arc::new(Frontier::new(limits, clock.clone()).under(lease.clone())));
        observers.begins(frontier);
        let reader = PageReader::new(&config, scope, observers.clone());
        let visitor = Visitor::new(&config, reader, fetcher.clone(), clock, observers.clone(), hook).under(lease);
        let fetched_before = run.accounting().0.fetched;
        let (progress, observers, listener) = (&progress, &observers, listener.as_ref());
        let watchers = Watchers { progress, observers, listener, fetched_before };
        let room = Room::new(config.max_database_size, is_full);
        let writer = Writer { run: &mut run, frontier, fetcher: &*fetcher, watchers: &watchers, room };
        let stopped = work_until(stop.clone(), writer, frontier, visitor, config.concurrency).await;
        let ended = match stopped {
            Ok(stopped) => end(&stop, &mut run, frontier, stopped, &watchers, &config).await,
            Err(error) => Err(error),
        };
        let outcome = match ended {
            Ok(outcome) => outcome,
            Err(error) => {
                run.note_failure(&error).await;
                return Err(error.into());
            }
        };
        let (accounting, tally) = run.accounting();
        let elapsed_seconds = started.elapsed().as_secs_f64();
        let summary = Summary { run: run.id(), outcome, accounting, tally, elapsed_seconds };
        Ok((summary, run.into_store()))
    }
}

/// Ends this process's part in the run, and does what is left to do then. Answers how it ended.
async fn end(
    stop: &impl Stop,
    run: &mut impl Run,
    frontier: &Frontier,
    stopped: Option<CrawlEnd>,
    watchers: &Watchers<'_>,
    config: &Config,
) -> Result<CrawlEnd, StoreError> {
    let are_checks_left = run.are_checks_left().await?;
    let outcome = judge_end(run, frontier, stopped, are_checks_left);
    run.give_back(&frontier.holds()).await?;
    run.end(outcome.as_str(), outcome == CrawlEnd::Finished).await?;
    if config.checks_fragments() {
        look_for_places_until(stop, run).await?;
    }
    if outcome == CrawlEnd::Finished && stopped.is_none() {
        tidy_until(stop, run, watchers).await;
    }
    Ok(outcome)
}

/// The limits that the settings name, with no more connections than the machine lets a process have.
fn limits(config: &Config) -> Limits {
    let limits = Limits::new(config);
    let connections = Connections::of(config).in_use;
    if connections < limits.connections {
        tracing::warn!(
            "the limit on open files leaves room for {connections} requests at once instead of {}: `ulimit -n` raises it",
            limits.connections
        );
    }
    Limits { connections, ..limits }
}

/// Workers and writer, from the first request to the last commit. Answers why it came to an early end.
async fn work_until<R: Run>(
    stop: impl Stop,
    mut writer: Writer<'_, R>,
    frontier: &Arc<Frontier>,
    visitor: Visitor,
    concurrency: usize,
) -> Result<Option<CrawlEnd>, StoreError> {
    if writer.is_full().await? {
        return Ok(Some(CrawlEnd::Limit));
    }
    frontier.turn_traps(&writer.run.traps().await?);
    if writer.run.lease().is_none() {
        writer.wake_hosts().await?;
    }
    let (abort, aborted) = watch::channel(false);
    let (mut tasks, inbox) = start_workers(concurrency, frontier, visitor, &aborted);
    tasks.spawn({
        let frontier = frontier.clone();
        async move { frontier.keep_time().await }
    });
    let stopped = until_stopped(writer.run(inbox), stop, frontier, abort).await?;
    tasks.shutdown().await;
    Ok(stopped)
}

/// There may be years to tidy up; what is left when time is up is left to the next run.
async fn tidy_until(stop: &impl Stop, run: &mut impl Run, watchers: &Watchers<'_>) {
    while stop.clone().now_or_never().is_none() {
        match run.tidy().await {
            Ok(true) => watchers.publish(run),
            Ok(false) => break,
            Err(e) => {
                tracing::warn!("the logs of old runs are not pruned: {e}");
                break;
            }
        }
    }
}

/// What is not looked through when the crawl is to stop is left to the next invocation.
async fn look_for_places_until(stop: &impl Stop, run: &mut impl Run) -> Result<(), StoreError> {
    let mut after = UrlId::MIN;
    while stop.clone().now_or_never().is_none()
        && let Some(last) = run.look_for_places(after).await?
    {
        after = last;
    }
    Ok(())
}

fn judge_end(run: &impl Run, frontier: &Frontier, stopped: Option<CrawlEnd>, are_checks_left: bool) -> CrawlEnd {
    let (accounting, _) = run.accounting();
    match stopped {
        _ if run.outcome().is_some() => run.outcome().and_then(CrawlEnd::from_word).unwrap_or(CrawlEnd::Waiting),
        // Others may be about to find more.
        _ if accounting.pending == 0 && !are_checks_left && run.lease().is_none() => CrawlEnd::Finished,
        Some(end) => end,
        None if frontier.is_limited() => CrawlEnd::Limit,
        None => CrawlEnd::Waiting,
    }
}

/// The pool of workers, and where their records arrive.
fn start_workers(
    concurrency: usize,
    frontier: &Arc<Frontier>,
    visitor: Visitor,
    aborted: &watch::Receiver<bool>,
) -> (JoinSet<()>, mpsc::Receiver<Finished>) {
    let visitor = Arc::new(visitor);
    // Nobody waits here while the schedule says how many answers may wait for their commit.
    let (out, inbox) = mpsc::channel(concurrency.saturating_add(WAITING));
    let mut tasks = JoinSet::new();
    for _ in 0..concurrency {
        tasks.spawn(work(frontier.clone(), visitor.clone(), out.clone(), aborted.clone()));
    }
    (tasks, inbox)
}

/// Why to stop early: the caller's wish, or the time or the size of the database that the user gave.
async fn first_reason(stop: impl Future<Output = ()>, deadline: Option<Instant>, is_full: &Notify) -> CrawlEnd {
    let time_is_up = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = stop => CrawlEnd::Interrupted,
        () = time_is_up => CrawlEnd::Limit,
        () = is_full.notified() => CrawlEnd::Limit,
    }
}

/// Completes, with the length of its lease, once a process was to stop, its requests had their time, and its database cannot be
/// asked: nobody is to wait for that then.
async fn is_in_vain(stop: impl Stop, lease: Option<Lease>) -> Duration {
    let Some(lease) = lease else { return std::future::pending().await };
    let (_, since) = stop.await;
    tokio::time::sleep_until((since + GRACE).into()).await;
    // A connection that is lost alone is made again in a moment, and one that answers nothing at all is noticed by that alone.
    while lease.waited() < if lease.is_away() { AWAY } else { lease.length() + GRACE } {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    lease.length()
}

/// Lets the writer come to its end. After a reason to stop, requests in flight have [`GRACE`] to end by themselves.
async fn until_stopped(
    write: impl Future<Output = Result<(), StoreError>>,
    stop: impl Stop,
    frontier: &Frontier,
    abort: watch::Sender<bool>,
) -> Result<Option<CrawlEnd>, StoreError> {
    tokio::pin!(write);
    let reason = tokio::select! {
        result = &mut write => return result.map(|()| None),
        (reason, _) = stop => reason,
    };
    frontier.close();
    if let Ok(result) = tokio::time::timeout(GRACE, &mut write).await {
        return result.map(|()| Some(reason));
    }
    abort.send_replace(true);
    write.await.map(|()| Some(reason))
}
