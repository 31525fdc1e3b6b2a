//! What a look at a database brings.

use serde::Serialize;

use crate::read::ReadError;

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Ok,
    /// Worth knowing, and nothing is wrong.
    Note,
    Problem,
}

/// How it is, what was found, and what to do.
pub type Look = Result<(State, String, Option<String>), ReadError>;
