//! The command line: one file a command, what was typed becomes a `Config` once, errors become words and exit codes.

mod args;
mod changes;
mod console;
mod crawl;
mod demo;
mod failure;
mod hints;
mod output;
mod progress;
mod query;
mod robots;
mod seeds;
mod show;
mod status;
mod summary;
mod vacuum;
mod words;

use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

use args::{Cli, Command, LogFormat};
use console::Console;
use failure::Failure;

/// Runs the command and says how it went.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = Console::new(cli.quiet, cli.log_format);
    start_log(&cli, &console);
    // Many hosts at once are many sockets. Where it cannot be raised, the limit stays as it is.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(run(cli, &console));
            // A parser thread that is still busy must not hold up the exit.
            runtime.shutdown_background();
            result
        }
        Err(e) => Err(Failure::new("cannot start").cause(&e)),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) if failure.code == 0 => ExitCode::SUCCESS,
        Err(failure) => {
            console.error(&failure.message, &failure.causes, failure.hint.as_deref());
            ExitCode::from(failure.code)
        }
    }
}

async fn run(cli: Cli, console: &Console) -> Result<u8, Failure> {
    match cli.command {
        Command::Crawl(args) => crawl::run(*args, console).await,
        Command::Query { database, sql, format } => query::run(&database.database, &sql, format),
        Command::Status(database) => status::run(&database.database),
        Command::Show { database, url, part } => show::run(&database.database, &url, part),
        Command::Changes { database, since, diff, format } => changes::run(&database.database, since, diff, format),
        Command::Vacuum(database) => vacuum::run(&database.database, console).await,
        Command::Robots { robots, urls, user_agent } => robots::run(&robots, &urls, &user_agent).await,
        Command::Demo { database } => demo::run(&database, console).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "harvestman", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(0)
        }
        Command::Man => {
            let mut page = Vec::new();
            let mut command = Cli::command();
            command.build();
            clap_mangen::Man::new(command.clone()).render(&mut page)?;
            for sub in command.get_subcommands() {
                clap_mangen::Man::new(sub.clone()).render(&mut page)?;
            }
            std::io::stdout().write_all(&page)?;
            Ok(0)
        }
    }
}

fn start_log(cli: &Cli, console: &Console) {
    let level = match (cli.quiet, cli.verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) => LevelFilter::INFO,
        (_, 1) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let ours = tracing_subscriber::filter::Targets::new().with_target("harvestman", level);
    let layer = tracing_subscriber::fmt::layer().with_writer(console.clone()).with_target(false);
    match cli.log_format {
        LogFormat::Json => {
            let layer = layer.json().flatten_event(true).with_current_span(false).with_span_list(false);
            tracing_subscriber::registry().with(layer.with_filter(ours)).init();
        }
        LogFormat::Text => {
            tracing_subscriber::registry().with(layer.with_ansi(wants_colours()).with_filter(ours)).init();
        }
    }
}

fn wants_colours() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    std::io::stderr().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}
