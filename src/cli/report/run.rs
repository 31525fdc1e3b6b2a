//! The run that a report is about, and the one before it.

use std::time::Duration;

use crate::cli::failure::Failure;
use crate::read::{Database, ReadError};

use super::query::{all, one};

/// The latest run; times in milliseconds since 1970.
#[derive(Default)]
pub struct Run {
    pub id: i64,
    pub started_at: i64,
    /// When it began and how it stands, in a sentence.
    pub state: String,
    /// Whether nothing is left to do in it.
    pub is_over: bool,
    pub requests: i64,
    pub bytes: i64,
    pub span: Span,
    /// The run before it.
    pub before: Option<Before>,
}

/// The requests for pages of a run: when the first and the last of them started, and how many were answered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    pub first_at: i64,
    pub last_at: i64,
    pub answers: i64,
}

impl Span {
    pub fn length(self) -> Duration {
        Duration::from_millis((self.last_at - self.first_at).try_into().unwrap_or_default())
    }

    /// Answers a second; None if there was no time between the first and the last request.
    pub fn pace(self) -> Option<f64> {
        Some(self.length()).filter(|took| !took.is_zero()).map(|took| self.answers as f64 / took.as_secs_f64())
    }
}

/// What the run before left.
pub struct Before {
    pub id: i64,
    pub started: String,
    pub discovered: i64,
    /// As the accounting names them: fetched, failed, skipped, pending.
    pub states: [i64; 4],
    pub requests: i64,
    pub bytes: i64,
    /// None once its requests are deleted, by --keep-runs.
    pub span: Option<Span>,
}

impl Run {
    /// The latest run; one without requests if no run has begun.
    pub fn latest(db: &Database) -> Result<Self, Failure> {
        let sql = "select id, started_at, outcome, requests, bytes, finished_at from _run order by id desc limit 1";
        let run = db.first(sql, [])?.as_ref().map(|row| {
            let (id, started_at): (i64, i64) = (row.at(0)?, row.at(1)?);
            let (outcome, finished): (Option<String>, Option<i64>) = (row.at(2)?, row.at(5)?);
            let now = now(finished.map(moment), outcome.as_deref());
            Ok::<_, ReadError>(Self {
                id,
                started_at,
                state: format!("Run {id}, started {}, {now}.", moment(started_at)),
                is_over: finished.is_some(),
                requests: row.at(3)?,
                bytes: row.at(4)?,
                span: Span { first_at: started_at, last_at: started_at, answers: 0 },
                before: None,
            })
        });
        let Some(mut run) = run.transpose()? else {
            return Ok(Self { state: "No run has begun.".to_owned(), ..Self::default() });
        };
        run.before = before(db, run.id)?;
        // In one go, for no index leads to the requests of a run.
        let sql = "select run_id, min(at), max(at), count(*) filter (where failure is null) from _fetch
            where run_id in (?1, ?2) and url_id is not null group by run_id";
        let earlier = run.before.as_ref().map(|before| before.id);
        for (id, span) in all(db, sql, [run.id.into(), earlier.into()], |row| {
            Ok((row.at::<i64>(0)?, Span { first_at: row.at(1)?, last_at: row.at(2)?, answers: row.at(3)? }))
        })? {
            match &mut run.before {
                Some(before) if before.id == id => before.span = Some(span),
                _ => run.span = span,
            }
        }
        Ok(run)
    }

    /// What the differences are to, in a sentence.
    pub fn compared(&self) -> Option<String> {
        let before = self.before.as_ref()?;
        let unfinished = if self.is_over { "" } else { ", and this run is not over" };
        Some(format!("Differences are to run {}, started {}{unfinished}.", before.id, before.started))
    }
}

fn before(db: &Database, run: i64) -> Result<Option<Before>, Failure> {
    let sql = "select id, discovered, fetched, failed, skipped, pending, requests, bytes from runs
        where id = (select max(id) from _run where id < ?1)";
    let Some(row) = db.first(sql, [run.into()])? else { return Ok(None) };
    let id: i64 = row.at(0)?;
    let started = one(db, "select started_at from _run where id = ?1", [id.into()], |row| Ok(moment(row.at(0)?)))?;
    Ok(Some(Before {
        id,
        started,
        discovered: row.at(1)?,
        states: [row.at(2)?, row.at(3)?, row.at(4)?, row.at(5)?],
        requests: row.at(6)?,
        bytes: row.at(7)?,
        span: None,
    }))
}

fn moment(at: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn now(finished_at: Option<String>, outcome: Option<&str>) -> String {
    match (finished_at, outcome) {
        (Some(at), _) => format!("finished {at}"),
        (_, None) => "still running, or cut off".to_owned(),
        (_, Some("limit")) => "stopped at a limit; the same command goes on".to_owned(),
        (_, Some("waiting")) => "waits for hosts that asked for time; the same command goes on".to_owned(),
        (_, Some(_)) => "was interrupted; the same command goes on".to_owned(),
    }
}
