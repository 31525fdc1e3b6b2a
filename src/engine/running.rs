//! A crawl while it runs.

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::page::Page;
use super::summary::{CrawlError, Progress, Summary};

/// A crawl that runs, and the pages it stores.
///
/// Pages wait for [`next`](Self::next): a slow listener slows the crawl, and nothing is dropped. Whoever does not want
/// them calls [`finish`](Self::finish). Dropping the value cancels the crawl cleanly.
#[derive(Debug)]
#[must_use = "dropping a running crawl cancels it"]
pub struct RunningCrawl {
    pages: mpsc::Receiver<Page>,
    progress: watch::Receiver<Progress>,
    cancel: CancellationToken,
    task: JoinHandle<Result<Summary, CrawlError>>,
    on_drop: DropGuard,
}

impl RunningCrawl {
    pub(super) fn new(
        pages: mpsc::Receiver<Page>,
        progress: watch::Receiver<Progress>,
        cancel: CancellationToken,
        task: JoinHandle<Result<Summary, CrawlError>>,
    ) -> Self {
        let on_drop = cancel.clone().drop_guard();
        Self { pages, progress, cancel, task, on_drop }
    }

    /// The next response that was stored, after its commit: each arrives once. None when the crawl is over;
    /// [`finish`](Self::finish) then says how it went. Cancel safe.
    pub async fn next(&mut self) -> Option<Page> {
        self.pages.recv().await
    }

    /// Where the crawl stands, as of its last commit.
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Cancelling it stops the crawl cleanly, from wherever it is held. What was stored by then still has to be taken with
    /// [`next`](Self::next), or left with [`finish`](Self::finish).
    pub fn token(&self) -> CancellationToken {
        self.cancel.clone()
    }

    /// Lets the crawl run to its end, whether anybody listened or not.
    ///
    /// # Errors
    ///
    /// The database failed; what was committed stays.
    ///
    /// # Panics
    ///
    /// If the crawl panicked, which is a bug.
    pub async fn finish(self) -> Result<Summary, CrawlError> {
        let Self { pages, task, on_drop, .. } = self;
        drop(pages);
        let result = task.await;
        on_drop.disarm();
        result.unwrap_or_else(|e| match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Nobody aborts the task but a runtime that shuts down.
            Err(_) => Err(CrawlError::Aborted),
        })
    }
}
