//! `crawl`: seeds and settings in, a database out, a summary at the end.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use clap::CommandFactory as _;
use harvestman::canonical::CanonicalUrl;
use harvestman::config::Config;
use harvestman::engine::Crawl;
use harvestman::store::sqlite::{SqliteStore, file_path, read};
use tokio::signal::unix::{SignalKind, signal};

use super::args::{Cli, CrawlArgs};
use super::console::Console;
use super::{Failure, hints, index, progress, seeds, summary};

/// The settings file that is read if it is there.
const CONFIG_FILE: &str = "harvestman.toml";

pub async fn run(args: CrawlArgs, console: &Console) -> Result<u8, Failure> {
    args.to_config().validate().map_err(|e| Failure::new(format!("--{e}")).code(2))?;
    let args = with_file(args)?;
    warn_of_unknown_variables(console);
    let seeds = seeds::read(&args.seeds, console)?;
    let database = args.database.clone().unwrap_or_else(|| "crawl.db".into());
    let ending = Ending { index: args.index.unwrap_or(false), json: args.json.unwrap_or(false) };
    crawl(args.to_config(), seeds, &database, console, ending).await
}

/// What is done when a crawl has ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ending {
    /// Bring the full-text index up to date.
    pub index: bool,
    /// Print the summary as JSON.
    pub json: bool,
}

/// Crawls and reports; what `demo` runs too.
pub async fn crawl(
    config: Config,
    seeds: Vec<CanonicalUrl>,
    database: &str,
    console: &Console,
    ending: Ending,
) -> Result<u8, Failure> {
    if database.starts_with("postgres://") || database.starts_with("postgresql://") {
        return Err(Failure::new("--database: PostgreSQL is not supported by this version; name a file"));
    }
    let Ok(path) = file_path(database);
    let store = SqliteStore::open(&path).await?;
    let readers = read::pool(&path).await?;
    let last_request = hints::last_request(&readers).await?;
    let crawl = Crawl::new(config.clone(), seeds.clone(), store);
    let progress = crawl.progress();
    let follower =
        tokio::spawn(progress::follow(console.clone(), progress.clone(), crawl.activity(), config.max_pages));
    let signals = Arc::new(AtomicU8::new(0));
    let stop = stop_signal(signals.clone(), console.clone())?;
    let result = crawl.run_until(stop).await;
    follower.abort();
    // Its last painting is over before the display is taken away.
    let _ = follower.await;
    console.clear();
    let (summary, store) = result?;
    let stored = progress.borrow().stored;
    let facts = hints::gather(&readers, &config, &seeds, &summary, stored, last_request).await;
    // The writer is the last to close, so that it can put the WAL away.
    readers.close().await;
    store.close().await?;
    let facts = facts?;
    if ending.index {
        index::bring_up_to_date(&path, console, || signals.load(Ordering::Relaxed) != 0)?;
    }
    if ending.json {
        let line = serde_json::to_string(&summary).map_err(std::io::Error::from)?;
        writeln!(std::io::stdout(), "{line}")?;
    }
    summary::say(console, &summary);
    let said = hints::hints(&facts);
    let signal = signals.load(Ordering::Relaxed);
    if signal == 0 && facts.no_seed_fetched() {
        console.error("not one seed could be fetched", &[], None);
    }
    said.iter().for_each(|hint| console.hint(hint));
    summary::say_next(console, &summary, database);
    Ok(match signal {
        0 if facts.no_seed_fetched() => 3,
        0 => 0,
        signal => 128 + signal,
    })
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
        Err(e) => {
            return Err(Failure::new(format!("cannot read the settings file `{}`", path.display())).cause(&e));
        }
    };
    let place = |line: usize| format!("{}, line {line}", path.display());
    let file: CrawlArgs = toml::from_str(&text).map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        in_toml(&place(line), e.message())
    })?;
    file.to_config().validate().map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
    Ok(args.or(file))
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

/// What the TOML reader says, for someone who does not know its types.
fn in_toml(place: &str, message: &str) -> Failure {
    const KEYS: &str = "the keys are the long options of `harvestman crawl --help`, without the dashes";
    let message = message.replace('\n', " ");
    if let Some((unknown, _)) = message.split_once(", expected one of").filter(|(m, _)| m.starts_with("unknown field"))
    {
        let of_all_commands = ["`quiet`", "`verbose`", "`log-format`"].iter().any(|option| unknown.contains(option));
        let hint = if of_all_commands { "this option is for the command line alone" } else { KEYS };
        return Failure::new(format!("{place}: {}", unknown.replacen("field", "key", 1))).hint(hint);
    }
    let mut message = message;
    for (theirs, ours) in [
        ("expected f64", "expected a number"),
        ("expected u32", "expected a whole number"),
        ("expected u64", "expected a whole number"),
        ("expected usize", "expected a whole number"),
        ("expected a boolean", "expected true or false"),
        ("expected a sequence", "expected a list, such as [\"...\"]"),
    ] {
        message = message.replace(theirs, ours);
    }
    Failure::new(format!("{place}: {message}"))
}

/// Completes at the first SIGINT or SIGTERM; the second ends the process at once.
fn stop_signal(seen: Arc<AtomicU8>, console: Console) -> Result<impl Future<Output = ()> + Send, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (stop, stopped) = tokio::sync::oneshot::channel();
    // A task of its own, so that signals are heard whatever the crawl is busy with.
    tokio::spawn(async move {
        let number = tokio::select! { _ = interrupt.recv() => 2, _ = terminate.recv() => 15 };
        seen.store(number, Ordering::Relaxed);
        console.say("Stopping: requests in flight are finished and stored; once more to stop at once.");
        let _ = stop.send(());
        let number = tokio::select! { _ = interrupt.recv() => 2, _ = terminate.recv() => 15 };
        console.clear();
        std::process::exit(128 + number);
    });
    Ok(async move {
        let _ = stopped.await;
    })
}
