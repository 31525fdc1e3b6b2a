//! The run that a report is about.

use crate::cli::failure::Failure;
use crate::read::{Database, ReadError};

use super::query::one;

/// The latest run; times in milliseconds since 1970.
#[derive(Default)]
pub struct Run {
    pub id: i64,
    pub started_at: i64,
    /// When its first and its last request started.
    pub first_at: i64,
    pub last_at: i64,
    /// Whether another run came before it.
    pub has_earlier: bool,
    /// When it began and how it stands, in a sentence.
    pub state: String,
    pub requests: i64,
    pub bytes: i64,
}

impl Run {
    /// The latest run; one without requests if no run has begun.
    pub fn latest(db: &Database) -> Result<Self, Failure> {
        let sql = "select id, started_at, outcome, requests, bytes, finished_at,
            exists (select 1 from _run earlier where earlier.id < run.id)
        from _run run order by id desc limit 1";
        let run = db.first(sql, [])?.as_ref().map(|row| {
            let (id, started_at): (i64, i64) = (row.at(0)?, row.at(1)?);
            let (outcome, finished): (Option<String>, Option<i64>) = (row.at(2)?, row.at(5)?);
            let now = now(finished.map(moment), outcome.as_deref());
            Ok::<_, ReadError>(Self {
                id,
                started_at,
                first_at: started_at,
                last_at: started_at,
                has_earlier: row.at(6)?,
                state: format!("Run {id}, started {}, {now}.", moment(started_at)),
                requests: row.at(3)?,
                bytes: row.at(4)?,
            })
        });
        let Some(run) = run.transpose()? else {
            return Ok(Self { state: "No run has begun.".to_owned(), ..Self::default() });
        };
        let ends =
            "select coalesce(min(at), ?2), coalesce(max(at), ?2) from _fetch where run_id = ?1 and url_id is not null";
        let (first_at, last_at) =
            one(db, ends, [run.id.into(), run.started_at.into()], |row| Ok((row.at(0)?, row.at(1)?)))?;
        Ok(Self { first_at, last_at, ..run })
    }
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
