//! How long a document may take.

use std::time::{Duration, Instant};

/// Until when a document is read, and what becomes of the rest.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    pub at: Instant,
    /// For how long its links and words are read after that, without its structure.
    pub skim: Duration,
}
