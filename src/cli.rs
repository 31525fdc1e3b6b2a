//! The command line: one file a command, what was typed becomes a `Config` once, errors become words and exit codes.

mod args;
mod crawl;
mod demo;
mod output;
mod query;
mod robots;
mod show;
mod status;

use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

use args::{Cli, Command, LogFormat};

/// A failure told in words, with the exit code it deserves.
#[derive(Debug)]
pub struct Failure {
    pub message: String,
    pub hint: Option<String>,
    pub code: u8,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, code: 1 }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }
}

impl From<harvestman::store::StoreError> for Failure {
    fn from(error: harvestman::store::StoreError) -> Self {
        use harvestman::store::StoreError as E;
        let failure = Self::new(error.to_string());
        match error {
            E::InUse { .. } => failure.code(4).hint("wait for it to end, or name another file with --database"),
            E::Missing { .. } => failure.hint("name the file with --database, or make one with `harvestman crawl`"),
            E::Newer { .. } => failure.hint("install the version that wrote it, or a later one"),
            _ => failure,
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(e) => Self::new(format!("SQL: {}", e.message())),
            other => Self::new(format!("SQL: {other}")),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // A reader that has seen enough, such as `head`, is no failure.
        let code = if error.kind() == std::io::ErrorKind::BrokenPipe { 0 } else { 1 };
        Self::new(error.to_string()).code(code)
    }
}

/// Runs the command and says how it went.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(&cli);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(run(cli));
            // A parser thread that is still busy must not hold up the exit.
            runtime.shutdown_background();
            result
        }
        Err(e) => Err(Failure::new(format!("cannot start: {e}"))),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) if failure.code == 0 => ExitCode::SUCCESS,
        Err(failure) => {
            let mut err = std::io::stderr().lock();
            let _ = writeln!(err, "error: {}", output::printable(&failure.message));
            if let Some(hint) = &failure.hint {
                let _ = writeln!(err, "hint: {hint}");
            }
            ExitCode::from(failure.code)
        }
    }
}

async fn run(cli: Cli) -> Result<u8, Failure> {
    let quiet = cli.quiet;
    match cli.command {
        Command::Crawl(args) => crawl::run(*args, quiet).await,
        Command::Query { database, sql, format } => query::run(&database.database, &sql, format).await,
        Command::Status(database) => status::run(&database.database).await,
        Command::Show { database, url, part } => show::run(&database.database, &url, part).await,
        Command::Robots { robots, urls, user_agent } => robots::run(&robots, &urls, &user_agent).await,
        Command::Demo { database } => demo::run(&database, quiet).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "harvestman", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(0)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            std::io::stdout().write_all(&page)?;
            Ok(0)
        }
    }
}

fn start_log(cli: &Cli) {
    let level = match (cli.quiet, cli.verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) => LevelFilter::INFO,
        (_, 1) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let ours = tracing_subscriber::filter::Targets::new().with_target("harvestman", level);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let ansi = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    match cli.log_format {
        LogFormat::Json => tracing_subscriber::registry().with(layer.json().with_filter(ours)).init(),
        LogFormat::Text => tracing_subscriber::registry().with(layer.with_ansi(ansi).with_filter(ours)).init(),
    }
}
