//! The beginning and the end of an invocation, and the run's row.

use std::future::Future;

use crate::canonical::CanonicalUrl;
use crate::store::counts::{Accounting, Tally};
use crate::store::failed::Failed;
use crate::visit::{Millis, SeedLine, SkipReason, State, UrlId};

use super::company::Done;

/// The last run.
#[derive(Debug)]
pub struct StoredRun {
    pub id: i64,
    pub began: Millis,
    pub is_finished: bool,
    pub has_ended: bool,
}

/// A URL that is skipped or pending, as it is judged again.
#[derive(Debug)]
pub struct Waits {
    pub id: UrlId,
    pub url: String,
    pub state: State,
    pub reason: Option<SkipReason>,
    pub depth: u32,
    pub followed: bool,
    /// The status of its referrer, if no followed link leads there.
    pub found_on: Option<u16>,
    pub is_sitemap: bool,
}

pub trait Beginning {
    /// Id and time of the last request, unless [`set_back`](Self::set_back) was called for it.
    fn last_request(&mut self) -> impl Future<Output = Result<Option<(i64, Millis)>, Failed>> + Send;

    /// The clock was set back by `by` since that request: what waits for a time after `now` waits for a time as much
    /// earlier, and no host was asked after `now`.
    fn set_back(&mut self, by: Millis, now: Millis, request: i64) -> impl Future<Output = Result<(), Failed>> + Send;

    /// What the last invocation was told.
    fn told(&mut self) -> impl Future<Output = Result<Option<String>, Failed>> + Send;

    fn keep_told(&mut self, told: &str) -> impl Future<Output = Result<(), Failed>> + Send;

    fn last_run(&mut self) -> impl Future<Output = Result<Option<StoredRun>, Failed>> + Send;

    /// Every host was asked `now`.
    fn count_as_asked(&mut self, now: Millis) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Takes the outcome of a run away.
    fn continue_run(&mut self, id: i64) -> impl Future<Output = Result<(), Failed>> + Send;

    fn insert_run(&mut self, began: Millis) -> impl Future<Output = Result<i64, Failed>> + Send;

    /// Gives every URL the state in which it begins a new run ([`crate::policy::sweep`]), by the stored times.
    fn sweep(&mut self, now: Millis) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Makes pending what is skipped for one of these reasons.
    fn open_skipped(&mut self, reasons: &[SkipReason]) -> impl Future<Output = Result<(), Failed>> + Send;

    /// The seeds of the last invocation.
    fn seeds(&mut self) -> impl Future<Output = Result<Vec<String>, Failed>> + Send;

    /// Gives the seeds their rows, at depth 0 and without a referrer, and notes them in place of those before. Those that
    /// are in one of the states `opened` become pending.
    fn admit(
        &mut self,
        seeds: &[CanonicalUrl],
        now: Millis,
        opened: &[State],
    ) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Keeps how the seeds were given; for a seed that is not among `given`, its URL.
    fn note_lines(&mut self, given: &[SeedLine]) -> impl Future<Output = Result<(), Failed>> + Send;

    /// The present seeds beside what counts for each.
    fn heirs(&mut self) -> impl Future<Output = Result<Vec<(CanonicalUrl, CanonicalUrl)>, Failed>> + Send;

    /// The first `limit` URLs of an id after `after` that are skipped or pending, by id.
    fn waiting(&mut self, after: UrlId, limit: i64) -> impl Future<Output = Result<Vec<Waits>, Failed>> + Send;

    /// Gives URLs another state and reason.
    fn judge(&mut self, verdicts: &[(UrlId, u8, Option<String>)]) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Makes pending what is held back by patterns that are let through now.
    fn open_traps(&mut self, allowed: &[String]) -> impl Future<Output = Result<(), Failed>> + Send;

    /// A number from which on this invocation may number its budgets of patterns.
    fn next_trap(&mut self) -> impl Future<Output = Result<i64, Failed>> + Send;

    /// Counts all URLs into the run's row, and answers with what that says then.
    fn count(&mut self, run: i64) -> impl Future<Output = Result<(Accounting, Tally), Failed>> + Send;

    /// Adds what a transaction came to to the run's row, and answers with what that says then.
    fn add(&mut self, run: i64, done: &Done<'_>) -> impl Future<Output = Result<(Accounting, Tally), Failed>> + Send;

    /// This invocation (`me`) is over. Writes the run's outcome unless others are at work on it; `finished` says when it was
    /// finished, if it is.
    fn end(
        &mut self,
        me: i64,
        run: i64,
        outcome: &str,
        finished: Option<Millis>,
    ) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Deletes some of the requests and changes of all but the last `keep` runs. Whether there were any.
    fn prune(&mut self, keep: u32) -> impl Future<Output = Result<bool, Failed>> + Send;
}
