//! Errors on their way through this room, so that no error of the driver is part of the library.

use super::error::StoreError;

/// A store's error that errors of the driver turn into by themselves.
#[derive(Debug)]
pub enum Failed {
    Store(StoreError),
    /// The lease of this process had ended and others have noted that: nothing of the transaction may be stored.
    Lapsed,
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::database(error))
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Store(error) => error,
            // The node's row, that is.
            Failed::Lapsed => Self::database(sqlx::Error::RowNotFound),
        }
    }
}
