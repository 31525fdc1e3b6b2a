//! `crawl`: seeds and settings in, a database out, a summary at the end.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::engine::{CrawlEnd, CrawlError, Engine, Progress, Summary};
use crate::fetch::HttpClient;
use crate::read::{Database, ReadError};
use crate::scope::Scope;
use crate::store::copies::{Takes, must_be_whole};
use crate::store::postgres::{PgDatabase, is_postgres};
use crate::store::sqlite::{SqliteDatabase, file_path};
use crate::store::{Accounting, Start, Store, StoreError, Tally};
use crate::visit::Millis;
use clap::CommandFactory as _;
use tokio::net::TcpListener;

use super::activity::Activity;
use super::args::{Cli, CrawlArgs};
use super::bare::is_database;
use super::console::Console;
use super::ending::{Changes, Ending};
use super::failure::{Failure, hint_for_file};
use super::figures::Metrics;
use super::job::Job;
use super::last_run::LastRun;
use super::notify::Notifier;
use super::output::{printable, unwritten};
use super::patience::Patience;
use super::progress::Follower;
use super::seeds::Seeds;
use super::signals::Signals;
use super::success::{self, SuccessFile};
use super::threshold::{self, Threshold};
use super::watcher::Watcher;
use super::{cookies, extract, hints, index, memory, metrics, progress, reasons, seeds, settings, summary};

/// Between two looks at a database that another crawl holds: at first, and at most.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

pub async fn run(args: CrawlArgs, console: &Console) -> Result<u8, Failure> {
    let (config, job) = settings::settle(&args)?;
    if let Some(path) = &job.log_file {
        let refuse = || Failure::new(format!("cannot open the log file `{}`", path.display()));
        if is_database(path) || args.seeds.iter().any(|seeds| Path::new(seeds) == path) {
            return Err(refuse().hint("it is read for something else; name another file with --log-file"));
        }
        console.log_file().open(path).map_err(|e| refuse().cause(&e).maybe_hint(hint_for_file(&e)))?;
    }
    SuccessFile::of(&job, &config, &args.seeds)?;
    warn_of_unknown_variables(console);
    let seeds = seeds::read(&args.seeds, console)?;
    cookies::warn_of_strangers(&config, &seeds.urls, console);
    crawl(config, seeds, console, &job).await
}

/// Crawls and reports; what `demo` runs too.
pub async fn crawl(config: Config, seeds: Seeds, console: &Console, job: &Job) -> Result<u8, Failure> {
    // Before a database is made for a crawl that cannot be.
    let extraction = extract::Task::of(job)?;
    let fetcher = HttpClient::new(&config, &seeds.logins).map_err(|e| {
        let code = if e.option == "proxy" { 2 } else { 1 };
        Failure::new(format!("--{e}")).code(code)
    })?;
    memory::watch(console);
    let watcher = Watcher::default();
    let signals = Signals::listen(console, &watcher, reasons::grace(&config))?;
    let notifier = Notifier::from_environment(console);
    let task = Task { config, seeds, fetcher: Arc::new(fetcher), console, job, signals, notifier, watcher };
    let extraction = extraction.as_ref();
    let code = if is_postgres(&job.database) {
        let (config, seeds) = (&task.config, &task.seeds);
        let scope = Arc::new(Scope::new(config, &seeds.urls));
        let start = Start { config, scope: &scope, seeds: &seeds.urls, given: &seeds.lines };
        let open = async || {
            let mut store = PgDatabase::open(&job.database, config).await?;
            store.welcomes(start).await.map(|()| store)
        };
        task.crawl_into(open, extraction).await?
    } else {
        let path = file_path(&job.database)?;
        task.crawl_into(|| SqliteDatabase::open(&path), extraction).await?
    };
    Ok(code.unwrap_or_else(|| task.signals.exit_code().unwrap_or_default()))
}

/// A crawl that is to be made, and who listens meanwhile.
struct Task<'a> {
    config: Config,
    seeds: Seeds,
    fetcher: Arc<HttpClient>,
    console: &'a Console,
    job: &'a Job,
    signals: Signals,
    notifier: Notifier,
    watcher: Watcher,
}

/// A crawl that was made.
struct Made<S> {
    summary: Summary,
    store: S,
    stored: u64,
    times: (Millis, Millis),
}

impl Task<'_> {
    /// Crawls into the store that `open` opens. Answers with the exit code, or none if a signal came before the crawl began.
    async fn crawl_into<S: Store + Takes>(
        &self,
        open: impl AsyncFn() -> Result<S, StoreError>,
        extraction: Option<&extract::Task>,
    ) -> Result<Option<u8>, Failure> {
        let database = &self.job.database;
        let Some(mut store) = self.open(open).await? else { return Ok(None) };
        must_be_whole(&mut store).await?;
        let listener = self.listen().await?;
        let (signals, console) = (&self.signals, self.console);
        let patience = Patience { database, max_wait: self.config.max_wait, signals, console };
        let last = || {
            let reader = Database::open(database)?;
            Ok((hints::last_request(&reader)?, success::last(self.job.success_file.as_deref(), &reader)?))
        };
        let (last_request, last_success) = patience.read(last).await?;
        let metrics = Metrics::default();
        if let Some(at) = last_success {
            metrics.note_success(at);
        }
        let Made { summary, store, stored, times } = self.make(store, listener, metrics).await?;
        let seeds = (&self.seeds.urls[..], &self.seeds.logins[..]);
        let read = || {
            let reader = Database::open(database)?;
            let facts = hints::gather(&reader, &self.config, seeds, &summary, stored, last_request)?;
            let changes = if self.shows_changes(&summary) { Some(Changes::read(&reader, summary.run)?) } else { None };
            Ok((facts, self.job.ending(&reader, summary.run, times)?, changes))
        };
        let read = patience.read(read).await;
        // The writer is the last to close, so that SQLite can put the WAL away.
        store.close().await?;
        let (facts, ending, changes) = read?;
        if self.job.index {
            patience.read(|| Database::open(database).map(drop)).await?;
            let stopped = || {
                self.notifier.tell("WATCHDOG=1");
                self.signals.exit_code().is_some()
            };
            index::bring_up_to_date(database, self.console, stopped).await?;
        }
        let extracted = self.extract(extraction).await;
        let code = self.tell(&summary, &facts, &ending, changes.as_ref())?;
        summary::say_next(self.console, &summary, changes.as_ref(), database);
        extracted?;
        // A database that is full takes nothing any more, night after night.
        let is_full = summary.outcome == CrawlEnd::Limit && stored == 0;
        if let Some(file) = SuccessFile::of(self.job, &self.config, &[])?.filter(|_| code == 0 && !is_full) {
            file.note(&summary, times.1)?;
        }
        Ok(Some(code))
    }

    /// Derives what is wanted from the stored pages. A signal ends that, and what is kept then stays.
    async fn extract(&self, extraction: Option<&extract::Task>) -> Result<(), Failure> {
        let Some(task) = extraction.filter(|_| self.signals.exit_code().is_none()) else { return Ok(()) };
        tokio::select! {
            extracted = extract::bring_up_to_date(&self.job.database, task, self.console) => extracted,
            () = self.signals.clone().stopped() => Ok(()),
        }
    }

    /// Opens the database; as long as another crawl holds it, up to --wait-lock later. None if a signal came before.
    async fn open<S>(&self, open: impl AsyncFn() -> Result<S, StoreError>) -> Result<Option<S>, Failure> {
        tokio::select! {
            store = open_in_time(open, self.job.wait_lock, self.console, &self.notifier) => store.map(Some),
            () = self.signals.clone().stopped() => Ok(None),
        }
    }

    /// Not before the database is open: of two crawls with the same settings the second is to hear of the first, and not of
    /// its address.
    async fn listen(&self) -> Result<Option<TcpListener>, Failure> {
        match self.job.metrics {
            Some(address) => metrics::bind(address, self.console).await.map(Some),
            None => Ok(None),
        }
    }

    /// What became of pages since the run before is counted for people: it takes a look at every page.
    fn shows_changes(&self, summary: &Summary) -> bool {
        summary.run > 1 && self.console.is_for_people()
    }

    async fn make<S: Store>(
        &self,
        store: S,
        listener: Option<TcpListener>,
        metrics: Metrics,
    ) -> Result<Made<S>, Failure> {
        let Seeds { urls, lines, .. } = &self.seeds;
        let clock = store.clock();
        let node = store.node().map(str::to_owned).zip(store.lease());
        let mut crawl = Engine::new(self.config.clone(), urls.clone(), store);
        crawl = crawl.given(lines.clone()).fetched_by(self.fetcher.clone());
        let progress = crawl.progress();
        let mut followers = tokio::task::JoinSet::new();
        let activity = progress::is_live(self.console).then(Activity::default);
        let is_live = activity.is_some();
        if let Some(activity) = activity.clone() {
            crawl = crawl.observed_by(Arc::new(activity));
        }
        let (watcher, config, console) = (self.watcher.clone(), self.config.clone(), self.console.clone());
        crawl = crawl.observed_by(Arc::new(watcher.clone()));
        let follower = Follower { console, config, progress: progress.clone(), watcher };
        followers.spawn(follower.follow(activity));
        followers.spawn(self.notifier.clone().follow(progress.clone()));
        if let Some(listener) = listener {
            crawl = crawl.observed_by(Arc::new(metrics.clone()));
            followers.spawn(metrics::serve(listener, metrics, progress.clone(), node));
        }
        let stop = async {
            self.signals.clone().stopped().await;
            self.notifier.tell("STOPPING=1");
        };
        let started_at = clock.now();
        let result = crawl.run_until(stop).await;
        let times = (started_at, clock.now());
        // The last painting is over before the display is taken away.
        followers.shutdown().await;
        self.console.clear();
        if is_live {
            progress::tell_failures(self.console, &self.watcher);
        }
        let (summary, store) = result.map_err(|e| {
            let failure = match (&e, self.signals.exit_code()) {
                (CrawlError::Abandoned { .. }, Some(code)) => Failure::from(e).code(code),
                _ => e.into(),
            };
            self.tell_cut_off(&failure, *progress.borrow(), times);
            failure
        })?;
        let stored = progress.borrow().stored;
        Ok(Made { summary, store, stored, times })
    }

    /// The summary of a crawl that had begun and could not go on: as of its last commit, as far as the database answers.
    fn tell_cut_off(&self, failure: &Failure, progress: Progress, times: (Millis, Millis)) {
        #[derive(serde::Serialize)]
        struct CutOff {
            run: Option<i64>,
            outcome: Option<&'static str>,
            error: String,
            #[serde(flatten)]
            accounting: Accounting,
            #[serde(flatten)]
            tally: Tally,
            elapsed_seconds: f64,
            #[serde(flatten)]
            ending: Ending,
        }
        if !self.job.json || progress.accounting == Accounting::default() {
            return;
        }
        let read = || {
            let reader = Database::open(&self.job.database).ok()?;
            let run = LastRun::read(&reader).ok()??.id;
            Some((Some(run), self.job.ending(&reader, run, times).ok()?))
        };
        let (run, ending) = read().unwrap_or_else(|| (None, Ending::at(times)));
        let error = std::iter::once(&failure.message).chain(&failure.causes).cloned().collect::<Vec<_>>().join(": ");
        let Progress { accounting, tally, .. } = progress;
        let elapsed_seconds = (times.1 - times.0) as f64 / 1e3;
        let told = CutOff { run, outcome: None, error, accounting, tally, elapsed_seconds, ending };
        // The failure of the crawl is what is told if this cannot be.
        let _ = serde_json::to_string(&told).map(|line| writeln!(std::io::stdout(), "{line}"));
    }

    /// Tells how it went, and answers with the exit code.
    fn tell(
        &self,
        summary: &Summary,
        facts: &hints::Facts,
        ending: &Ending,
        changes: Option<&Changes>,
    ) -> Result<u8, Failure> {
        let Self { console, job, signals, .. } = self;
        self.notifier.tell("STOPPING=1");
        if job.json {
            writeln!(std::io::stdout(), "{}", job.report(summary, ending)?).map_err(|e| unwritten(&e))?;
        }
        summary::say(console, summary, changes);
        let said = hints::hints(facts);
        let code = signals.exit_code().unwrap_or_else(|| job.judge(summary, ending, facts, console));
        said.iter().for_each(|hint| console.hint(hint));
        Ok(code)
    }
}

impl Job {
    /// What the summary and the thresholds stand on, as far as they are asked for.
    fn ending(&self, db: &Database, run: i64, times: (Millis, Millis)) -> Result<Ending, ReadError> {
        if !self.wants_ending() {
            return Ok(Ending::default());
        }
        Ending::read(db, run, times, self.counts_broken_links())
    }

    fn wants_ending(&self) -> bool {
        self.json || !self.fail_on.is_empty()
    }

    fn counts_broken_links(&self) -> bool {
        self.fail_on.iter().any(Threshold::is_of_broken_links)
    }

    /// The summary as JSON, with the thresholds that hold if any were given.
    fn report(&self, summary: &Summary, ending: &Ending) -> Result<String, std::io::Error> {
        #[derive(serde::Serialize)]
        struct Report<'a> {
            #[serde(flatten)]
            summary: &'a Summary,
            #[serde(flatten)]
            ending: &'a Ending,
            #[serde(skip_serializing_if = "Option::is_none")]
            failed_on: Option<Vec<&'a str>>,
        }
        let held =
            self.fail_on.iter().filter(|threshold| threshold.judge(summary, ending).is_some()).map(Threshold::as_str);
        let failed_on = (!self.fail_on.is_empty()).then(|| held.collect());
        Ok(serde_json::to_string(&Report { summary, ending, failed_on })?)
    }

    /// The exit code of a crawl that came to its end by itself, with the reason for one that is not 0.
    fn judge(&self, summary: &Summary, ending: &Ending, facts: &hints::Facts, console: &Console) -> u8 {
        if facts.no_seed_fetched() {
            let were_refused = facts.seeds_refused.total == facts.seeds;
            let why = if were_refused { ": each answered with a status of 400 or more" } else { "" };
            console.error(&format!("not one seed could be fetched{why}"), &[], None);
            return 3;
        }
        let held: Vec<_> = self.fail_on.iter().filter_map(|threshold| threshold.judge(summary, ending)).collect();
        if held.is_empty() {
            return 0;
        }
        console.error(&format!("--fail-on: {}", held.join(", ")), &[], None);
        threshold::EXIT_CODE
    }
}

/// Opens the database; as long as another crawl holds it, up to `patience` later.
async fn open_in_time<S>(
    open: impl AsyncFn() -> Result<S, StoreError>,
    patience: Duration,
    console: &Console,
    notifier: &Notifier,
) -> Result<S, Failure> {
    let deadline = Instant::now().checked_add(patience);
    let (mut pause, longest) = LOOK_EVERY;
    let mut told = false;
    loop {
        let in_use = match open().await {
            Ok(store) => return Ok(store),
            Err(e @ (StoreError::InUse { .. } | StoreError::Differs(_))) => e,
            Err(e) => {
                if matches!(e, StoreError::Alone { .. }) {
                    // A service that ends before it was ready has failed.
                    notifier.tell("READY=1");
                    console.say(&printable(&format!("Nothing to join: {e}")));
                }
                return Err(e.into());
            }
        };
        let left = deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Err(in_use.into());
        }
        if !told {
            let text = printable(&format!("Waiting up to {}: {in_use}", humantime::format_duration(patience)));
            notifier.tell(&format!("STATUS={text}"));
            console.say(&text);
            told = true;
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(longest);
    }
}

/// A misspelt variable would be obeyed by nobody, and nobody would know.
fn warn_of_unknown_variables(console: &Console) {
    let command = Cli::command();
    let arguments = command.get_subcommands().flat_map(clap::Command::get_arguments);
    let known: HashSet<_> = arguments.filter_map(clap::Arg::get_env).collect();
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HARVESTMAN_") && !known.contains(name.as_os_str()) {
            console.warn(&format!("{} is set, but no option has this variable", name.to_string_lossy()));
        }
    }
}
