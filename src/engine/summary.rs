//! What an invocation of a crawl did, how it ended, and why it could not run.

use std::time::Duration;

use crate::config::ConfigError;
use crate::store::{Accounting, StoreError, Tally};

/// Why a crawl could not run, or not go on. What was committed stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrawlError {
    /// The settings cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The crawl was stopped while its database could not be asked, or gave no answer.
    #[error(
        "stopped while the database gives no answer: answers that are not stored: {unstored}; what this process holds stays \
         with it until its lease of {} ends, and is then fetched again",
        humantime::format_duration(*.lease)
    )]
    Abandoned {
        /// What was fetched or under way and is not stored.
        unstored: usize,
        /// How long others wait until they take its hosts.
        lease: Duration,
    },
    /// The runtime was shut down before the crawl could end.
    #[error("the runtime ended before the crawl did")]
    Aborted,
}

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CrawlEnd {
    /// Nothing is pending.
    Finished,
    /// A limit of the settings was reached.
    Limit,
    /// Stopped from outside.
    Interrupted,
    /// What is left waits for hosts that asked for more time than this invocation gives.
    Waiting,
}

impl CrawlEnd {
    /// The one of this word.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Finished, Self::Limit, Self::Interrupted, Self::Waiting].into_iter().find(|end| end.as_str() == word)
    }

    /// The word used in the view `runs` and in the summary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Limit => "limit",
            Self::Interrupted => "interrupted",
            Self::Waiting => "waiting",
        }
    }
}

/// What an invocation did.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The run that it began or continued.
    pub run: i64,
    /// How it ended.
    pub outcome: CrawlEnd,
    /// The URLs that the database knows, by state.
    #[serde(flatten)]
    pub accounting: Accounting,
    /// What was done.
    #[serde(flatten)]
    pub tally: Tally,
    /// From the beginning of the invocation to its end.
    pub elapsed_seconds: f64,
}

/// Where a running crawl stands, as of its last commit.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Progress {
    /// The URLs that the database knows, by state.
    pub accounting: Accounting,
    /// What was done.
    pub tally: Tally,
    /// Responses stored by this invocation.
    pub stored: u64,
}
