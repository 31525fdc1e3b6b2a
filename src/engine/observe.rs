//! How a crawl is watched from outside while it runs. Watching changes nothing and holds nothing up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::frontier::Frontier;
use crate::store::Accounting;
use crate::visit::Record;

/// A step on a page's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// From the request to the last byte of the response, or to its failure.
    Fetch,
    /// Reading a document.
    Parse,
    /// Waiting for the writer.
    Queue,
    /// One transaction, which takes many records.
    Commit,
}

/// Whoever watches a crawl. Called by workers and the writer as things happen, so each method must be quick.
pub trait Observer: fmt::Debug + Send + Sync {
    /// The crawl begins, and this is what it waits by.
    fn begins(&self, frontier: &Arc<Frontier>) {
        let _ = frontier;
    }
    /// A request is in flight from now on.
    fn request_begins(&self) {}
    /// A request is in flight no longer.
    fn request_ends(&self) {}
    /// A step took so long.
    fn took(&self, stage: Stage, time: Duration) {
        let _ = (stage, time);
    }
    /// These records are about to be committed.
    fn batch(&self, records: &[Record]) {
        let _ = records;
    }
    /// So long it was waited for rows that all nodes of a crawl change.
    fn waited(&self, time: Duration) {
        let _ = time;
    }
    /// The accounting as of the last commit.
    fn accounted(&self, accounting: Accounting) {
        let _ = accounting;
    }
}

/// All who watch one crawl. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Observers(Arc<[Arc<dyn Observer>]>);

impl Observers {
    /// Adds one more.
    pub fn and(self, observer: Arc<dyn Observer>) -> Self {
        Self(self.0.iter().cloned().chain([observer]).collect())
    }

    pub(super) fn begins(&self, frontier: &Arc<Frontier>) {
        self.0.iter().for_each(|observer| observer.begins(frontier));
    }

    /// Counts a request in flight until what is returned is dropped.
    pub(super) fn request(&self) -> InFlight<'_> {
        self.0.iter().for_each(|observer| observer.request_begins());
        InFlight(self)
    }

    pub(super) fn took(&self, stage: Stage, time: Duration) {
        self.0.iter().for_each(|observer| observer.took(stage, time));
    }

    pub(super) fn batch(&self, records: &[Record]) {
        for request in records.iter().filter_map(Record::request) {
            self.took(Stage::Fetch, request.elapsed);
        }
        self.0.iter().for_each(|observer| observer.batch(records));
    }

    pub(super) fn waited(&self, time: Duration) {
        self.0.iter().for_each(|observer| observer.waited(time));
    }

    pub(super) fn accounted(&self, accounting: Accounting) {
        self.0.iter().for_each(|observer| observer.accounted(accounting));
    }
}

/// A request in flight.
#[derive(Debug)]
pub(super) struct InFlight<'a>(&'a Observers);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.0.iter().for_each(|observer| observer.request_ends());
    }
}
