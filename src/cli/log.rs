//! Where log lines go: to standard error, in the journal's manner if that is the journal, and to `--log-file`.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

use super::console::Console;
use super::progress;

/// The target of events for the log file alone: the console has said the same in its own words.
pub const FILE_ONLY: &str = "log-file";

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// Starts the log as the command line says.
pub fn start(quiet: bool, verbose: u8, log_format: LogFormat, console: &Console) {
    let level = match verbose {
        0 => LevelFilter::INFO,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let mut said = Targets::new().with_target("harvestman", if quiet { LevelFilter::ERROR } else { level });
    if progress::is_live(console) {
        said = said.with_target(progress::TARGET, LevelFilter::OFF);
    }
    let written = Targets::new().with_target("harvestman", level).with_target(FILE_ONLY, level);
    let to_console = tracing_subscriber::fmt::layer().with_writer(console.clone()).with_target(false);
    let to_file = tracing_subscriber::fmt::layer().with_writer(console.log_file().clone()).with_target(false);
    let to_file = to_file.with_ansi(false);
    let (to_console, to_file) = match log_format {
        LogFormat::Json => (
            to_console.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
            to_file.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
        ),
        LogFormat::Text if console.is_journal() => {
            let format = tracing_subscriber::fmt::format().with_target(false).with_level(false).with_ansi(false);
            (to_console.event_format(Prioritised(format.without_time())).boxed(), to_file.boxed())
        }
        LogFormat::Text => (to_console.with_ansi(wants_colours(io::stderr().is_terminal())).boxed(), to_file.boxed()),
    };
    tracing_subscriber::registry().with(to_console.with_filter(said)).with(to_file.with_filter(written)).init();
}

pub fn wants_colours(is_terminal: bool) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    is_terminal && !is_set("NO_COLOR") && !is_dumb
}

/// Whether standard error is the journal's stream itself (systemd.exec(5), `JOURNAL_STREAM`).
pub fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stderr) = io::stderr().as_fd().try_clone_to_owned() else { return false };
    File::from(stderr).metadata().is_ok_and(|file| stream == format!("{}:{}", file.dev(), file.ino()))
}

/// How a line starts that the journal is to file under a level (sd-daemon(3)).
pub fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        _ => "<7>",
    }
}

/// Lines for the journal, which has levels and times of its own.
struct Prioritised<F>(F);

impl<S, N, F> FormatEvent<S, N> for Prioritised<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        out.write_str(priority(*event.metadata().level()))?;
        self.0.format_event(ctx, out, event)
    }
}

/// The file of `--log-file`, once it is open. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct LogFile(Arc<Mutex<Option<(PathBuf, File)>>>);

impl LogFile {
    /// Writes to `path` from now on, after what it holds.
    pub fn open(&self, path: &Path) -> io::Result<()> {
        let file = File::options().create(true).append(true).open(path)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((path.to_owned(), file));
        Ok(())
    }

    /// Opens the file of that name anew: the old one may have been moved away. False if there is none.
    pub fn reopen(&self) -> io::Result<bool> {
        let path = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(path, _)| path.clone());
        path.map_or(Ok(false), |path| self.open(&path).map(|()| true))
    }
}

/// A call is one event and one write, so that each line is in the file at once, and whole. A log that cannot be
/// written is no reason to stop.
impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some((_, file)) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = file.write_all(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
