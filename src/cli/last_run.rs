//! How the last run of a database stands, in words.

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::read::{Database, ReadError};

use super::words::{count, counted};

/// The last run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    pub id: i64,
    pub started_at: String,
    pub finished_at: Option<String>,
    /// How its last invocation ended; none while it goes on, and after a crash.
    pub outcome: Option<String>,
    pub pending: i64,
    pub is_at_work: bool,
    /// Why its last invocation could not go on, if that could be kept.
    pub failure: Option<String>,
}

impl LastRun {
    pub fn read(db: &Database) -> Result<Option<Self>, ReadError> {
        let sql = "select id, started_at, finished_at, outcome, pending from runs order by id desc limit 1";
        let Some(row) = db.first(sql, [])? else { return Ok(None) };
        let (id, started_at, finished_at) = (row.at(0)?, row.at(1)?, row.at(2)?);
        let (outcome, pending): (Option<String>, i64) = (row.at(3)?, row.at(4)?);
        let is_at_work = outcome.is_none() && is_at_work(db)?;
        let failure = db.first("select value from _meta where key = 'failure'", [])?;
        let failure = failure.map(|row| row.at(0)).transpose()?.filter(|_| outcome.is_none());
        Ok(Some(Self { id, started_at, finished_at, outcome, pending, is_at_work, failure }))
    }

    /// It waits for nobody to go on with it.
    pub fn is_settled(&self) -> bool {
        self.is_at_work || self.outcome.as_deref() == Some("finished")
    }

    /// A sentence.
    pub fn told(&self) -> String {
        let Self { id, started_at, .. } = self;
        let wait = match self.pending {
            1 => "1 URL waits".to_owned(),
            n => format!("{} wait", counted(n, "URL")),
        };
        match self.outcome.as_deref() {
            None if self.is_at_work => format!("Run {id} is under way since {started_at}; {wait}."),
            None if self.failure.is_some() => {
                let why = self.failure.as_deref().unwrap_or_default();
                format!("Run {id} could not go on: {why}; {wait}, and nothing committed is lost.")
            }
            None => format!(
                "Run {id} was cut off, by a crash, a kill or a power cut; {wait}, and nothing committed is lost."
            ),
            Some("finished") => {
                let at = self.finished_at.as_deref().unwrap_or(started_at);
                format!("Run {id} is finished since {at}: nothing was left to fetch.")
            }
            Some("limit") => format!("Run {id} stopped at a limit; {wait}."),
            Some("interrupted") => format!("Run {id} was stopped by a signal; {wait}."),
            Some(_) => format!("Run {id} stopped because hosts asked for time; {wait}."),
        }
    }

    /// What to do next.
    pub fn next(&self) -> &'static str {
        if self.is_at_work {
            "It may be asked meanwhile."
        } else if self.is_settled() {
            "The next `crawl` begins a new run, which finds what has changed."
        } else if self.failure.is_some() {
            "See to the disk; then the same `crawl` command goes on with it."
        } else {
            "The same `crawl` command goes on with it."
        }
    }
}

/// By what was written down: to try the lock would turn away a crawl that begins in that moment.
fn is_at_work(db: &Database) -> Result<bool, ReadError> {
    if db.path().is_none() {
        let alive = db.first("select 1 from nodes where state = 'alive' limit 1", [])?;
        return Ok(alive.is_some());
    }
    let holder = db.first("select value from _meta where key = 'holder'", [])?;
    let holder: Option<String> = holder.map(|row| row.at(0)).transpose()?;
    let process = holder.as_deref().and_then(|holder| holder.strip_prefix("process ")?.split(',').next()?.parse().ok());
    let process = process.and_then(Pid::from_raw);
    // One of another user may not be asked, and is there.
    Ok(process.is_some_and(|process| !matches!(test_kill_process(process), Err(Errno::SRCH))))
}

/// The accounting in a sentence.
pub fn accounted(db: &Database) -> Result<String, ReadError> {
    let Some(row) = db.first("select discovered, fetched, failed, skipped, pending from accounting", [])? else {
        return Ok(String::new());
    };
    let counts: [i64; 5] = [row.at(0)?, row.at(1)?, row.at(2)?, row.at(3)?, row.at(4)?];
    let [known, fetched, failed, skipped, pending] = counts.map(count);
    let name = db.name();
    Ok(format!(
        "{name} knows {known} URLs: {fetched} fetched (an answer is stored), {failed} failed (no answer), \
         {skipped} skipped (left out on purpose), {pending} pending (still to fetch)."
    ))
}
