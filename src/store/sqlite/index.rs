//! The full-text index, brought up to date from what the commits noted, bit by bit, beside a crawl too. It stands in the
//! store and not with the readers, because it writes tables: a reader's connection cannot.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use crate::parse::unspaced;
use crate::store::StoreError;
use crate::visit::UrlId;

use super::peek;

/// The longest that one transaction takes pages in, so that a crawl that wants to commit need not wait for longer.
const STINT: Duration = Duration::from_millis(100);

/// Pages whose present words are not in the index.
pub fn waiting(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("select count(*) from unindexed", [], |row| row.get(0))
}

/// Why the index cannot be brought up to date: what SQLite says.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct IndexError(String);

/// Brings pages into the index. It holds SQLite's lock only in its short transactions, so that several can work beside
/// each other and beside a crawl. If it is killed, what it has committed stays.
#[derive(Debug)]
pub struct Indexer {
    db: Connection,
}

impl Indexer {
    /// Opens a database that has an index.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let db = peek::connect_to_write(path);
        Ok(Self { db: db.map_err(|e| StoreError::Open { path: path.to_owned(), problem: peek::problem(&e) })? })
    }

    /// Indexes what waits, until `go_on` (told how many are done and how many wait) says no. Pages that are stored
    /// meanwhile are left to the next time, so that this ends however fast a crawl is.
    pub fn run(&mut self, go_on: impl FnMut(i64, i64) -> bool) -> Result<(), IndexError> {
        self.run_on(go_on).map_err(|e| IndexError(peek::in_words(&e)))
    }

    fn run_on(&mut self, mut go_on: impl FnMut(i64, i64) -> bool) -> rusqlite::Result<()> {
        let mut left = waiting(&self.db)?;
        let mut done = 0;
        while left > 0 && go_on(done, left) {
            let start = Instant::now();
            let indexed = self.step(left)?;
            if indexed == 0 {
                break;
            }
            (done, left) = (done + indexed, left - indexed);
            if left > 0 {
                std::thread::sleep(self.rest(start.elapsed())?);
            }
        }
        Ok(())
    }

    /// One transaction: up to `at_most` pages, as many as fit into its time. Returns how many were indexed.
    pub fn step(&mut self, at_most: i64) -> rusqlite::Result<i64> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let end = Instant::now() + STINT;
        let mut indexed = 0;
        while indexed < at_most && (indexed == 0 || Instant::now() < end) {
            let next = tx.prepare_cached("select url_id from unindexed limit 1")?.query_row([], |row| row.get(0));
            let Some(id) = next.optional()? else { break };
            index(&tx, id)?;
            indexed += 1;
        }
        tx.commit()?;
        Ok(indexed)
    }

    /// How long to pause after a transaction. SQLite's writers do not queue: each tries again after a while, so that without
    /// a pause a crawl might never find the database free.
    fn rest(&self, worked: Duration) -> rusqlite::Result<Duration> {
        let crawls = "select exists (select 1 from run where outcome is null)";
        let crawls: bool = self.db.prepare_cached(crawls)?.query_row([], |row| row.get(0))?;
        Ok(if crawls { worked } else { worked / 10 })
    }
}

/// Takes out of the index what it holds of a page, and puts in what there is now.
fn index(db: &Connection, id: UrlId) -> rusqlite::Result<()> {
    for sql in [
        "insert into page_index (page_index, rowid, title, description, text)
         select 'delete', url_id, title, description, text from outdated where url_id = ?1",
        "delete from outdated where url_id = ?1",
        "delete from unspaced where url_id = ?1",
        "delete from unindexed where url_id = ?1",
    ] {
        db.prepare_cached(sql)?.execute([id])?;
    }
    let mut words = db.prepare_cached(
        "select p.title, p.description, c.text from page p left join content c on c.url_id = p.url_id
         where p.url_id = ?1",
    )?;
    let mut words = words.query([id])?;
    let Some(row) = words.next()? else { return Ok(()) };
    let whole = [row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?].map(|text| text.as_str().ok());
    let cut = whole.map(|text| text.and_then(unspaced::cut));
    if cut.iter().any(Option::is_some) {
        db.prepare_cached("insert into unspaced (url_id, title, description, text) values (?1, ?2, ?3, ?4)")?
            .execute((id, &cut[0], &cut[1], &cut[2]))?;
    }
    let [title, description, text] = std::array::from_fn(|at| cut[at].as_deref().or(whole[at]));
    db.prepare_cached("insert into page_index (rowid, title, description, text) values (?1, ?2, ?3, ?4)")?
        .execute((id, title, description, text))?;
    Ok(())
}
