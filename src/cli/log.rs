//! Where log lines go: to standard error, in the journal's format if systemd's journal reads it, and to `--log-file`.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use super::args::{Cli, LogFormat};
use super::console::Console;
use super::journal::Prioritised;
use super::log_file::FILE_ONLY;
use super::progress;
use super::terminal::wants_colours;

/// Starts the log as the command line says.
pub fn start(cli: &Cli, console: &Console) {
    let level = match cli.verbose {
        0 => LevelFilter::INFO,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let mut said = Targets::new().with_target("harvestman", if cli.quiet { LevelFilter::ERROR } else { level });
    if progress::is_live(console) {
        said = said.with_target(progress::TARGET, LevelFilter::OFF);
    }
    let written = Targets::new().with_target("harvestman", level).with_target(FILE_ONLY, level);
    let to_console = tracing_subscriber::fmt::layer().with_writer(console.clone()).with_target(false);
    let to_file = tracing_subscriber::fmt::layer().with_writer(console.log_file().clone()).with_target(false);
    let to_file = to_file.with_ansi(false);
    let (to_console, to_file) = match cli.log_format {
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
