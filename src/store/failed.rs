//! Errors on their way through this room, so that no error of the driver is part of the library.

use super::error::StoreError;

/// A store's error that errors of the driver turn into by themselves.
#[derive(Debug)]
pub struct Failed(StoreError);

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self(StoreError::database(error))
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<Failed> for StoreError {
    fn from(Failed(error): Failed) -> Self {
        error
    }
}
