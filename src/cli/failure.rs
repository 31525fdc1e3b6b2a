//! What a command fails with: a sentence, its causes, a hint, and an exit code.

use std::error::Error;
use std::path::Path;

use crate::engine::CrawlError;
use crate::read::{Database, ReadError};
use crate::store::StoreError;
use crate::store::postgres::is_postgres;

use super::bare::{is_called_a_database, is_database, without_secrets};
use super::text::printable;
use super::words::shell;

/// A failure told in words, with the exit code it deserves.
#[derive(Debug)]
pub struct Failure {
    pub message: String,
    /// From the nearest cause to the farthest.
    pub causes: Vec<String>,
    pub hint: Option<String>,
    pub code: u8,
}

impl Failure {
    /// Whatever the message quotes, no password is in it.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: without_secrets(&message.into()), causes: Vec::new(), hint: None, code: 1 }
    }

    /// Adds an error as the cause, with its own causes.
    pub fn cause(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            let text = without_secrets(&cause.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" "));
            // Many errors repeat the text of their cause.
            if !self.causes.iter().any(|known| known.contains(&text)) {
                self.causes.push(text);
            }
            next = cause.source();
        }
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn maybe_hint(self, hint: Option<&str>) -> Self {
        Self { hint: hint.map(str::to_owned).or(self.hint), ..self }
    }

    pub fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }
}

impl From<CrawlError> for Failure {
    fn from(error: CrawlError) -> Self {
        match error {
            CrawlError::Config(e) => Self::new(format!("--{e}")),
            CrawlError::Store(e) => e.into(),
            CrawlError::Abandoned { .. } | CrawlError::Aborted => Self::new(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        use StoreError as E;
        let failure = Self::new(error.to_string());
        match error {
            E::InUse { .. } => failure
                .code(4)
                .hint("wait until it ends, as `crawl --wait-lock 10m` does, or name another file with --database"),
            E::Differs(_) => {
                failure.code(4).hint("give all nodes the same options and seeds, or wait for them with --wait-lock 10m")
            }
            // It is what was asked for.
            E::Alone { .. } => failure.code(0),
            E::Newer { .. } => failure.hint("install the version that wrote it, or a later one"),
            E::Open { path, problem } if path.to_str().is_some_and(is_postgres) => {
                failure.maybe_hint(hint_for_server(&problem))
            }
            E::Open { problem, .. } => failure.maybe_hint(hint_for(&problem)),
            E::Moved { .. } => failure.hint(
                "if it was only moved, move it back, with the files named after it; then the same command goes on",
            ),
            E::Partial { .. } => failure.hint("give the same `harvestman copy` again, which goes on with it"),
            E::Database(e) => {
                let failure = Self::new("the database failed; what was committed is kept").cause(&e);
                failure.maybe_hint(e.code().and_then(way_out))
            }
        }
    }
}

const MAKE_ROOM: &str = "make room on the disk; then the same command goes on";
const WRITABLE: &str = "the file and its folder must be writable; or name another file with --database";
const READABLE: &str = "the file and its folder must be readable by this user; or name another file with --database";
const UNLOCK: &str = "end the program that holds its lock, such as an open `sqlite3`; then the same command goes on";
const SEE_TO_THE_DISK: &str =
    "make room on the disk (a quota and `ulimit -f` count too), or see whether it fails; then the same command goes on";
pub const SAVE: &str = "the file is damaged: put a copy of it back, or save what can be read of it with \
     `sqlite3 FILE .dump | sed 's/^ROLLBACK.*/COMMIT;/' | sqlite3 NEW` and go on with --database NEW";
pub const LESS: &str = "give it more memory, or lower --concurrency or --max-body-size; then the same command goes on";

/// What to do about a primary result code of SQLite (sqlite.org/rescode.html).
fn way_out(code: i32) -> Option<&'static str> {
    match code {
        5 | 6 => Some(UNLOCK),
        7 => Some(LESS),
        8 | 14 => Some(WRITABLE),
        10 => Some(SEE_TO_THE_DISK),
        11 | 26 => Some(SAVE),
        13 => Some(MAKE_ROOM),
        _ => None,
    }
}

/// What to do about what a PostgreSQL server says.
fn hint_for_server(problem: &str) -> Option<&'static str> {
    problem.contains("password authentication").then_some("the password is read from PGPASSWORD or ~/.pgpass")
}

/// What to do about what SQLite or the system says.
pub fn hint_for(problem: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|word| problem.contains(word));
    if says(&["Resource temporarily unavailable", "Cannot allocate memory"]) {
        Some(LESS)
    } else if says(&["directory", "not a SQLite", "holds no crawl"]) {
        Some("name another file with --database")
    } else if says(&["read-only", "Permission denied", "unable to open", "Read-only"]) {
        Some(WRITABLE)
    } else if says(&["is full", "No space"]) {
        Some(MAKE_ROOM)
    } else if says(&["disk I/O"]) {
        Some(SEE_TO_THE_DISK)
    } else if says(&["locked"]) {
        Some(UNLOCK)
    } else if says(&["malformed", "vtable constructor failed"]) {
        Some(SAVE)
    } else {
        None
    }
}

/// What to do about a file that cannot be written.
pub fn hint_for_file(error: &std::io::Error) -> Option<&'static str> {
    use std::io::ErrorKind as E;
    match error.kind() {
        E::StorageFull | E::QuotaExceeded | E::FileTooLarge => {
            Some("make room on the disk, and give the command again")
        }
        E::PermissionDenied | E::ReadOnlyFilesystem => Some("name a file in a folder that is writable"),
        _ => None,
    }
}

/// The database in this folder, if it is the only one.
fn the_one_here() -> Option<String> {
    let names = std::fs::read_dir(".").ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_crawl = |name: &String| {
        let path = Path::new(name);
        is_called_a_database(name) && path.is_file() && is_database(path) && Database::open(path).is_ok()
    };
    let mut found = names.filter(is_crawl);
    found.next().filter(|_| found.next().is_none())
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        use ReadError as E;
        match &error {
            E::Missing { .. } => {
                let hint = "name the file with --database, or make one with `harvestman crawl`".to_owned();
                Self::new(error.to_string()).hint(the_one_here().map_or(hint, |file| {
                    format!("`{}` is one that is here: -d {}", printable(&file), printable(&shell(&file)))
                }))
            }
            E::Open { path, problem } if path.to_str().is_some_and(is_postgres) => {
                Self::new(error.to_string()).maybe_hint(hint_for_server(problem))
            }
            E::Open { problem, .. } if problem.contains("Permission denied") => {
                Self::new(error.to_string()).hint(READABLE)
            }
            E::Open { problem, .. } => Self::new(error.to_string()).maybe_hint(hint_for(problem)),
            E::Failed { problem } | E::Away { problem } => {
                Self::new(format!("the database cannot be read: {problem}")).maybe_hint(hint_for(problem))
            }
            _ => Self::new(format!("SQL: {error}")),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // A pipe that is closed by its reader, such as `head`, is no failure.
        let code = if error.kind() == std::io::ErrorKind::BrokenPipe { 0 } else { 1 };
        Self::new(error.to_string()).maybe_hint(hint_for_file(&error)).code(code)
    }
}
