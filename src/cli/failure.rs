//! What a command fails with: a sentence, its causes, a hint, and an exit code.

use std::error::Error;

use crate::engine::CrawlError;
use crate::read::ReadError;
use crate::store::StoreError;

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
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), causes: Vec::new(), hint: None, code: 1 }
    }

    /// Adds an error as the cause, with its own causes.
    pub fn cause(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            let text = cause.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ");
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
            CrawlError::Aborted => Self::new(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        use StoreError as E;
        let failure = Self::new(error.to_string());
        match error {
            E::InUse { .. } => {
                failure.code(4).hint("wait for it with --wait-lock 10m, or name another file with --database")
            }
            E::Newer { .. } => failure.hint("install the version that wrote it, or a later one"),
            E::Open { problem, .. } => match hint_for(&problem) {
                Some(hint) => failure.hint(hint),
                None => failure,
            },
            E::Database(e) => {
                let failure = Self::new("the database failed; what was committed is kept").cause(&e);
                match e.code() {
                    Some(FULL | IO) => failure.hint(MAKE_ROOM),
                    Some(CORRUPT) => failure.hint("the file is damaged: `sqlite3 FILE .recover` may save what it held"),
                    _ => failure,
                }
            }
        }
    }
}

const MAKE_ROOM: &str = "make room on the disk; then the same command goes on";

/// Result codes of SQLite.
const IO: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;

fn hint_for(problem: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|word| problem.contains(word));
    if says(&["directory", "not a SQLite"]) {
        Some("name another file with --database")
    } else if says(&["read-only", "Permission denied", "unable to open", "Read-only"]) {
        Some("the file and its folder must be writable; or name another file with --database")
    } else if says(&["full", "disk I/O", "No space"]) {
        Some(MAKE_ROOM)
    } else {
        None
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        use ReadError as E;
        match &error {
            E::Missing { .. } => {
                Self::new(error.to_string()).hint("name the file with --database, or make one with `harvestman crawl`")
            }
            E::Open { problem, .. } => {
                let failure = Self::new(error.to_string());
                match hint_for(problem) {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            }
            _ => Self::new(format!("SQL: {error}")),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // A pipe that is closed by its reader, such as `head`, is no failure.
        let code = if error.kind() == std::io::ErrorKind::BrokenPipe { 0 } else { 1 };
        Self::new(error.to_string()).code(code)
    }
}
