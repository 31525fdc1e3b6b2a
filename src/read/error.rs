//! Why a question got no answer.

use std::path::PathBuf;

use crate::store::StoreError;
use crate::store::postgres::passing::passes;

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
        /// The file, or the URL of a PostgreSQL database without user, password and parameters.
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
        /// What the database says of it.
        problem: String,
    },
    /// The statement is sound, but the database cannot be read: the file is locked for too long, or damaged; the server is
    /// gone, or gives no right to read.
    #[error("{problem}")]
    Failed {
        /// What the database says.
        problem: String,
    },
    /// The server cannot be asked for now: the connection was lost, or it shuts down, or starts.
    #[error("{problem}")]
    Away {
        /// What was said of it.
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
    /// The same of PostgreSQL's.
    pub(super) fn of_postgres(error: &sqlx::Error) -> Self {
        let problem = error.as_database_error().map_or_else(|| error.to_string(), |e| e.message().to_owned());
        if passes(error) {
            return Self::Away { problem };
        }
        let sqlx::Error::Database(error) = error else { return Self::Failed { problem } };
        // https://www.postgresql.org/docs/current/errcodes-appendix.html
        match error.code().as_deref() {
            // It writes, or wants to be allowed to.
            Some("25006" | "25001") => Self::Refused,
            Some("42601") if problem.contains("multiple commands") => {
                Self::Sql { problem: "PostgreSQL is asked one statement at a time".to_owned() }
            }
            // The rights to read are missing, or the statement was cancelled.
            Some("42501" | "57014") => Self::Failed { problem },
            Some(code) if ["0A", "21", "22", "2B", "34", "42", "54"].contains(&code.get(..2).unwrap_or_default()) => {
                Self::Sql { problem }
            }
            _ => Self::Failed { problem },
        }
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Open { path, problem } => Self::Open { path, problem },
            other => Self::Failed { problem: other.to_string() },
        }
    }
}
