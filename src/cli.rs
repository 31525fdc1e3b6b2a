//! The command line: one file a command, what was typed becomes a `Config` once, errors become words and exit codes.

mod activity;
mod args;
mod audit;
mod bare;
mod changes;
mod check;
mod console;
mod cookies;
mod copy;
mod crawl;
mod datasette;
mod demo;
mod display;
mod due;
mod ending;
mod explain;
mod export;
mod extract;
mod failure;
mod figures;
mod fit;
mod headway;
mod hints;
mod index;
mod init;
mod job;
mod journal;
mod last_run;
mod leftovers;
mod log;
mod log_file;
mod mcp;
mod memory;
mod metrics;
mod mistyped;
mod notify;
mod open;
mod outlet;
mod outlook;
mod output;
mod patience;
mod progress;
mod query;
mod questions;
mod reasons;
mod recipes;
mod report;
mod robots;
mod schema;
mod search;
mod seeds;
mod settings;
mod show;
mod signals;
mod status;
mod success;
mod suggest;
mod summary;
mod table;
mod target;
mod terminal;
mod text;
mod threshold;
mod upgrade;
mod vacuum;
mod watcher;
mod words;
mod workbook;

/// For the project's own tests.
pub mod internals {
    pub use crate::cli::args::Format;
    pub use crate::cli::output::{Rows, unique};
    pub use crate::cli::seeds::lines as seeds;
    pub use crate::cli::threshold::Threshold;
}

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use console::Console;
use failure::Failure;

/// Runs the command and says how it went.
pub fn main() -> ExitCode {
    let typed = args::spelt_out(std::env::args_os());
    let cli = Cli::try_parse_from(&typed).unwrap_or_else(|error| {
        let typed: Vec<_> = typed.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        mistyped::told(error, &args::built(), &typed[1.min(typed.len())..]).exit()
    });
    let console = Console::new(cli.quiet, cli.log_format);
    log::start(&cli, &console);
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
    let code = match result {
        Ok(code) => code,
        Err(failure) => {
            if failure.code != 0 {
                console.error(&failure.message, &failure.causes, failure.hint.as_deref());
            }
            failure.code
        }
    };
    console.drain();
    ExitCode::from(code)
}

async fn run(cli: Cli, console: &Console) -> Result<u8, Failure> {
    signals::outlive_file_limits();
    match cli.command {
        Command::Crawl(args) => crawl::run(*args, console).await,
        Command::Query { database, question, param, form } => {
            query::run(&database.path()?, &question, &param, form, console)
        }
        Command::Search { database, words, host, limit, form } => {
            let search = search::Search { words: &words.join(" "), host: host.as_deref(), limit };
            search::run(&database.path()?, search, form, console).await
        }
        Command::Status { database, format, wide } => status::run(&database.path()?, format, wide),
        Command::Show { database, url, part, wide } => show::run(&database.path()?, &url, part, wide),
        Command::Export(args) => export::run(&args, console),
        Command::Mcp { database, how } => mcp::run(database.path()?, how, console).await,
        Command::Open { database, how } => open::run(database.path()?, how, console).await,
        Command::Report { database, output } => report::run(&database.path()?, &output, console),
        Command::Explain { database, url, json } => explain::run(&database.path()?, &url, json),
        Command::Changes { database, since, diff, form } => changes::run(&database.path()?, since, diff, form),
        Command::Audit(args) => audit::run(args, console).await,
        Command::Extract(args) => extract::run(args, console).await,
        Command::Copy { from, to } => copy::run(&from, &to, console).await,
        Command::Check { database, format, wide } => check::run(&database.path()?, format, wide),
        Command::Init { seeds, yes } => init::run(&seeds, yes, console),
        Command::Vacuum(database) => vacuum::run(&database.path()?, console).await,
        Command::Robots { robots, user_agent } => robots::run(&robots, user_agent, console).await,
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
