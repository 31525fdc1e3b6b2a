//! How a request of a check ended: one that asks whether what pages name is there, and reads nothing of it.

use std::sync::Arc;

use super::errand::{Millis, Resource};
use super::words::{FailureKind, Verdict};
use crate::canonical::CanonicalUrl;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub verdict: Verdict,
    pub status: Option<u16>,
    /// Why there is no status: a failure kind, or the reason for which nothing was asked.
    pub failure: Option<Arc<str>>,
}

/// How a request of a check ended.
#[derive(Debug, Clone)]
pub enum CheckOutcome {
    /// That is it; and what the style sheet that it is names.
    Found(Finding, Vec<Resource>),
    /// To be tried again.
    Retry { due_at: Millis, kind: Option<FailureKind>, message: Arc<str> },
    /// HEAD was answered with an error, which GET may not be.
    Whole,
    /// It is elsewhere.
    Moved(CanonicalUrl),
    /// The crawl was stopped before an answer came.
    Abandoned,
}
