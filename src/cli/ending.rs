//! What the database says of a crawl that has ended, beyond its accounting.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::read::{Database, ReadError};
use crate::store::sqlite::timestamp;
use crate::visit::Millis;

/// When an invocation began and ended, and what stands in the database then.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Ending {
    pub started_at: String,
    pub finished_at: String,
    #[serde(flatten)]
    pub changes: Changes,
    /// Pages by HTTP status.
    pub statuses: BTreeMap<String, i64>,
    /// URLs without a usable response, by kind.
    pub failures: BTreeMap<String, i64>,
    /// Told by a threshold alone: to count them, every link is read.
    #[serde(skip)]
    pub broken_links: i64,
}

/// Pages of a run by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    pub new: i64,
    pub changed: i64,
    pub gone: i64,
    pub restored: i64,
}

impl Changes {
    pub fn read(db: &Database, run: i64) -> Result<Self, ReadError> {
        let sql = "select change, count(*) from changes where run = ?1 group by change";
        let rows = db.query(sql, [run.into()])?.map(|row| row.and_then(|row| Ok((row.at(0)?, row.at(1)?))));
        let counts: BTreeMap<String, i64> = rows.collect::<Result<_, _>>()?;
        let of = |word| counts.get(word).copied().unwrap_or(0);
        Ok(Self { new: of("new"), changed: of("changed"), gone: of("gone"), restored: of("restored") })
    }
}

impl Ending {
    /// Of a database that does not answer.
    pub fn at((started_at, finished_at): (Millis, Millis)) -> Self {
        Self { started_at: timestamp(started_at), finished_at: timestamp(finished_at), ..Self::default() }
    }

    pub fn read(
        db: &Database,
        run: i64,
        (started_at, finished_at): (Millis, Millis),
        counts_broken_links: bool,
    ) -> Result<Self, ReadError> {
        let broken_links = match counts_broken_links {
            true => db.first("select count(*) from broken_links", [])?.map_or(Ok(0), |row| row.at(0))?,
            false => 0,
        };
        Ok(Self {
            started_at: timestamp(started_at),
            finished_at: timestamp(finished_at),
            changes: Changes::read(db, run)?,
            statuses: counts(db, "select cast(status as text), count(*) from _page group by status")?,
            failures: counts(db, "select kind, count(*) from failures group by kind")?,
            broken_links,
        })
    }

    /// Pages with a status of this hundred.
    pub fn statuses_of(&self, hundred: char) -> i64 {
        self.statuses.iter().filter(|(status, _)| status.starts_with(hundred)).map(|(_, pages)| pages).sum()
    }
}

fn counts(db: &Database, sql: &str) -> Result<BTreeMap<String, i64>, ReadError> {
    db.query(sql, [])?.map(|row| row.and_then(|row| Ok((row.at(0)?, row.at(1)?)))).collect()
}
