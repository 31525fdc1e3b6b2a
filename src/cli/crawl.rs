//! `crawl`: seeds and settings in, a database out, a summary at the end.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use harvestman::canonical::CanonicalUrl;
use harvestman::config::Config;
use harvestman::engine::{Crawl, CrawlEnd, CrawlError, Progress, Summary};
use harvestman::store::sqlite::{SqliteStore, file_path, read};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::Failure;
use super::args::CrawlArgs;
use super::output::printable;

/// Between two log lines when nobody watches.
const LOG_EVERY: Duration = Duration::from_secs(10);
/// The settings file that is read if it is there.
const CONFIG_FILE: &str = "harvestman.toml";

pub async fn run(args: CrawlArgs, quiet: bool) -> Result<u8, Failure> {
    let args = with_file(args)?;
    let config = args.to_config();
    config.validate().map_err(|e| Failure::new(format!("--{e}")))?;
    let seeds = read_seeds(&args.seeds)?;
    let database = args.database.clone().unwrap_or_else(|| "crawl.db".into());
    crawl(config, seeds, &database, quiet, args.json.unwrap_or(false)).await
}

/// Crawls and reports; what `demo` runs too.
pub async fn crawl(
    config: Config,
    seeds: Vec<CanonicalUrl>,
    database: &str,
    quiet: bool,
    json: bool,
) -> Result<u8, Failure> {
    if database.starts_with("postgres://") || database.starts_with("postgresql://") {
        return Err(Failure::new("--database: PostgreSQL is not supported by this version; name a file"));
    }
    let Ok(path) = file_path(database);
    let store = SqliteStore::open(&path).await?;
    let crawl = Crawl::new(config, seeds.clone(), store);
    let reporter = (!quiet).then(|| tokio::spawn(report_progress(crawl.progress())));
    let signals = Arc::new(AtomicU8::new(0));
    let stop = stop_signal(signals.clone())?;
    let result = crawl.run_until(stop).await;
    if let Some(reporter) = reporter {
        reporter.abort();
    }
    let (summary, store) = result.map_err(|e| match e {
        CrawlError::Config(e) => Failure::new(format!("--{e}")),
        CrawlError::Store(e) => Failure::from(e),
    })?;
    store.close().await?;
    if json {
        let line = serde_json::to_string(&summary).map_err(std::io::Error::from)?;
        writeln!(std::io::stdout(), "{line}")?;
    }
    if !quiet {
        print_summary(&summary, database);
    }
    match signals.load(Ordering::Relaxed) {
        0 => {}
        signal => return Ok(128 + signal),
    }
    if no_seed_fetched(&path, &seeds, &summary).await? {
        if !quiet {
            eprintln!(
                "No seed could be fetched: see `harvestman query -d {database} \"select * from failures\"` and `skipped`."
            );
        }
        return Ok(3);
    }
    Ok(0)
}

/// Options of the settings file under those typed or in the environment.
fn with_file(args: CrawlArgs) -> Result<CrawlArgs, Failure> {
    let (path, asked) = match &args.config {
        Some(path) => (path.clone(), true),
        None => (CONFIG_FILE.into(), false),
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if !asked && e.kind() == std::io::ErrorKind::NotFound => return Ok(args),
        Err(e) => return Err(Failure::new(format!("cannot read `{}`: {e}", path.display()))),
    };
    let file: CrawlArgs = toml::from_str(&text).map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        Failure::new(format!("{}, line {line}: {}", path.display(), e.message().replace('\n', " ")))
    })?;
    Ok(args.or(file))
}

/// Reads every seed; lines that are none are reported and left out.
fn read_seeds(sources: &[String]) -> Result<Vec<CanonicalUrl>, Failure> {
    let mut seeds = Vec::new();
    for source in sources {
        if source.contains("://") {
            take_seed(source, source, &mut seeds);
            continue;
        }
        let (name, text) = if source == "-" {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map_err(|e| Failure::new(format!("standard input: {e}")))?;
            ("standard input", bytes)
        } else {
            let bytes = std::fs::read(source).map_err(|e| {
                Failure::new(format!("cannot read the seeds file `{source}`: {e}"))
                    .hint("a SEED is a file with one URL a line, a URL that starts with http:// or https://, or -")
            })?;
            (source.as_str(), bytes)
        };
        let text = String::from_utf8_lossy(&text);
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = without_comment(line);
            if !line.is_empty() {
                take_seed(line, &format!("{name}, line {}", index + 1), &mut seeds);
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    seeds.retain(|seed: &CanonicalUrl| seen.insert(seed.clone()));
    if seeds.is_empty() {
        return Err(Failure::new(format!("no seed in {}", sources.join(", "))).hint("write one http(s) URL a line"));
    }
    Ok(seeds)
}

fn take_seed(text: &str, place: &str, seeds: &mut Vec<CanonicalUrl>) {
    match CanonicalUrl::parse(text) {
        Ok(url) => seeds.push(url),
        Err(e) => eprintln!("warning: {}: `{}` left out: {e}", printable(place), printable(text)),
    }
}

/// A `#` at the start or after white space begins a comment.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (index, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return line[..index].trim();
        }
        before = c;
    }
    line.trim()
}

/// Completes at the first SIGINT or SIGTERM; the second ends the process at once.
fn stop_signal(seen: Arc<AtomicU8>) -> Result<impl Future<Output = ()> + Send, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (stop, stopped) = tokio::sync::oneshot::channel();
    // A task of its own, so that signals are heard whatever the crawl is busy with.
    tokio::spawn(async move {
        let number = tokio::select! { _ = interrupt.recv() => 2, _ = terminate.recv() => 15 };
        seen.store(number, Ordering::Relaxed);
        eprintln!("Stopping: requests in flight are finished and stored; once more to stop at once.");
        let _ = stop.send(());
        let number = tokio::select! { _ = interrupt.recv() => 2, _ = terminate.recv() => 15 };
        std::process::exit(128 + number);
    });
    Ok(async move {
        let _ = stopped.await;
    })
}

async fn report_progress(progress: watch::Receiver<Progress>) {
    let started = Instant::now();
    let mut ticks = tokio::time::interval(LOG_EVERY);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let Progress { accounting: a, tally } = *progress.borrow();
        let rate = tally.requests as f64 / started.elapsed().as_secs_f64();
        tracing::info!(
            fetched = a.fetched,
            failed = a.failed,
            skipped = a.skipped,
            pending = a.pending,
            requests = tally.requests,
            bytes = tally.bytes,
            "{rate:.1} requests/s"
        );
    }
}

fn print_summary(summary: &Summary, database: &str) {
    let a = summary.accounting;
    let t = summary.tally;
    let why = match summary.outcome {
        CrawlEnd::Finished => "finished",
        CrawlEnd::Limit => "stopped at a limit",
        CrawlEnd::Interrupted => "interrupted",
        CrawlEnd::Waiting => "waiting for hosts that asked for time",
    };
    eprintln!(
        "Run {} {why} after {:.1} s: {} requests, {} bytes.",
        summary.run, summary.elapsed_seconds, t.requests, t.bytes
    );
    eprintln!(
        "{} URLs discovered = {} fetched + {} failed + {} skipped + {} pending",
        a.discovered, a.fetched, a.failed, a.skipped, a.pending
    );
    if summary.outcome != CrawlEnd::Finished {
        eprintln!("The same command continues it.");
    }
    eprintln!("Next: harvestman status -d {database}");
}

/// Whether the run got nowhere: every seed failed or is forbidden.
async fn no_seed_fetched(path: &Path, seeds: &[CanonicalUrl], summary: &Summary) -> Result<bool, Failure> {
    if summary.accounting.fetched > 0 && summary.accounting.failed + summary.accounting.skipped == 0 {
        return Ok(false);
    }
    let pool = read::open(path).await?;
    let urls: Vec<_> = seeds.iter().map(CanonicalUrl::as_str).collect();
    let json = serde_json::to_string(&urls).map_err(std::io::Error::from)?;
    let hopeless: i64 = sqlx::query_scalar(
        "select count(*) from url where state in (2, 3) and url in (select value from json_each(?1))",
    )
    .bind(json)
    .fetch_one(&pool)
    .await?;
    Ok(usize::try_from(hopeless).is_ok_and(|hopeless| hopeless == seeds.len()))
}
