//! What the benches share: a server in a process of its own, so that its CPU time and its memory are not the
//! crawler's, and a crawl from seeds to a closed database.
#![allow(dead_code, reason = "each bench uses its part")]

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use harvestman::{Config, Crawl, Summary};

pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The hidden argument that makes a bench the server of another.
const SERVE: &str = "--serve";

/// What this process was started for, and the arguments that say more.
pub enum Role {
    Server(Vec<String>),
    Bench(Vec<String>),
    /// `cargo test --benches` only wants to see it start.
    Nothing,
}

impl Role {
    pub fn of_this_process() -> Self {
        let (flags, rest): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
        match flags.iter().map(String::as_str).find(|flag| matches!(*flag, SERVE | "--bench")) {
            Some(SERVE) => Self::Server(rest),
            Some(_) => Self::Bench(rest),
            None => Self::Nothing,
        }
    }
}

/// This bench, running once more as a server. It ends when its standard input does: with its parent at the latest.
pub struct ServerProcess {
    child: Child,
    output: BufReader<ChildStdout>,
    /// What it serves.
    pub urls: Vec<String>,
}

impl ServerProcess {
    /// Starts it, and waits until it listens.
    pub fn start(args: &[String]) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(SERVE).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut output = BufReader::new(child.stdout.take().ok_or("the server has no output")?);
        let mut urls = Vec::new();
        loop {
            let mut line = String::new();
            if output.read_line(&mut line)? == 0 {
                return Err("the server did not start".into());
            }
            match line.trim() {
                "" => return Ok(Self { child, output, urls }),
                url => urls.push(url.to_owned()),
            }
        }
    }

    /// Ends it, and returns what it said last.
    pub fn stop(mut self) -> Outcome<String> {
        drop(self.child.stdin.take());
        let mut last_words = String::new();
        self.output.read_to_string(&mut last_words)?;
        self.child.wait()?;
        Ok(last_words)
    }
}

/// The server's side: says what it serves, and returns when it is to end.
pub async fn serve_until_told<'a>(urls: impl IntoIterator<Item = &'a String>) -> Outcome {
    let lines: String = urls.into_iter().map(|url| format!("{url}\n")).collect();
    let mut stdout = std::io::stdout();
    stdout.write_all(lines.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()?;
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    Ok(())
}

/// Crawls `seeds` into `database`, from opening it to closing it.
pub async fn crawl(config: Config, seeds: &[String], database: &Path) -> Outcome<Summary> {
    let crawl = Crawl::new(seeds)?.config(config).database(database);
    Ok(crawl.start().await?.finish().await?)
}
