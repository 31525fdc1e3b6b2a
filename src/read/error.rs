//! Why a question got no answer.

use std::path::PathBuf;

/// Why a database cannot be read, or a question to it not be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Nothing is at the path.
    #[error("no database at `{path}`")]
    Missing {
        /// Where the database was looked for.
        path: PathBuf,
    },
    /// What is at the path cannot be opened, or is no crawl.
    #[error("cannot open the database `{path}`: {problem}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, in words.
        problem: String,
    },
    /// The statement does more than read.
    #[error("refused: the database is open for reading only")]
    Refused,
    /// The statement is not sound, or meets values that it cannot work with.
    #[error("{problem}")]
    Sql {
        /// What SQLite says of it.
        problem: String,
    },
    /// The statement is sound, but the file cannot be read: it is locked for too long, or damaged.
    #[error("{problem}")]
    Failed {
        /// What SQLite says.
        problem: String,
    },
    /// A value is not of the type that it was asked for as, or there is no such column.
    #[error("the column `{column}` holds {found}, not {wanted}")]
    Type {
        /// Its name, or its place counted from 0.
        column: String,
        /// What it holds.
        found: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
}

impl ReadError {
    /// What SQLite's error means for someone who asked.
    pub(super) fn of(error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as E;
        let problem = crate::store::sqlite::peek::in_words(error);
        match error.sqlite_error_code() {
            Some(E::AuthorizationForStatementDenied | E::ReadOnly) => Self::Refused,
            // SQLITE_ERROR, which stands for whatever is wrong with the statement or its values, has no name of its own.
            Some(E::Unknown | E::TooBig | E::ParameterOutOfRange | E::TypeMismatch) => Self::Sql { problem },
            Some(_) => Self::Failed { problem },
            None => Self::Sql { problem },
        }
    }
}
