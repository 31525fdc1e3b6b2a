//! Why a store cannot be used.

use std::path::PathBuf;

use crate::config::Difference;

/// Why the database of a crawl cannot be used. Fatal to a crawl; what was committed stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another crawl uses the database.
    #[error("`{path}` is in use by another crawl ({holder})")]
    InUse {
        /// The file, or the URL of a PostgreSQL database without its password.
        path: PathBuf,
        /// Which process uses it, and since when, as far as that is known.
        holder: String,
    },
    /// It cannot be opened, or holds something else.
    #[error("cannot open the database `{path}`: {problem}")]
    Open {
        /// The file, or the URL of a PostgreSQL database without its password.
        path: PathBuf,
        /// What is wrong with it, in words.
        problem: String,
    },
    /// Its file is not there any more.
    #[error("the database `{path}` was moved or deleted while it was in use: what was stored since went with it")]
    Moved {
        /// Where the file was.
        path: PathBuf,
    },
    /// It has a schema that this version does not know.
    #[error("the database `{path}` was written by a newer version of harvestman")]
    Newer {
        /// The file, or the URL of a PostgreSQL database without its password.
        path: PathBuf,
    },
    /// Other processes are at work on it that were told something else.
    #[error("the database is in use by nodes with other settings: {0}")]
    Differs(Difference),
    /// No other process is at work on it, and this one was to join some.
    #[error("no other node is at work on `{path}`")]
    Alone {
        /// The URL of the database without its password.
        path: PathBuf,
    },
    /// A copy into it was begun and is not through.
    #[error("`{path}` holds a part of a copy")]
    Partial {
        /// The file, or the URL of a PostgreSQL database without its password.
        path: PathBuf,
    },
    /// A statement failed, such as for want of space on the disk.
    #[error("the database failed: {0}")]
    Database(#[source] DatabaseFailure),
}

/// What the database said of a statement that failed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DatabaseFailure(sqlx::Error);

impl DatabaseFailure {
    pub(super) fn error(&self) -> &sqlx::Error {
        &self.0
    }

    /// The primary result code of SQLite, such as 13 for a full disk; none if the failure is not SQLite's.
    pub fn code(&self) -> Option<i32> {
        let error = self.0.as_database_error()?.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
        let code: i32 = sqlx::error::DatabaseError::code(error)?.parse().ok()?;
        Some(code & 0xff)
    }
}

impl StoreError {
    /// What SQLite says of a disk that has no room or does not work. After any other failure, nothing more is to be tried.
    pub(super) fn of_the_disk(&self) -> Option<String> {
        let Self::Database(failure) = self else { return None };
        let message = failure.error().as_database_error()?.message().to_owned();
        matches!(failure.code(), Some(10 | 13)).then_some(message)
    }

    /// A statement failed.
    pub(super) fn database(error: sqlx::Error) -> Self {
        Self::Database(DatabaseFailure(error))
    }
}
