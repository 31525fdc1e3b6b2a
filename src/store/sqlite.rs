//! The store on SQLite: one writer connection in WAL mode, and the lock that makes it the only one.

mod begin;
mod commit;
pub mod house;
pub mod index;
pub mod peek;
mod resolve;
mod revisit;
pub mod schema;
pub mod views;
mod write;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, Row, SqliteConnection};

use crate::canonical::{CanonicalUrl, Host};
use crate::config::{Config, Recrawl};
use crate::scope::Scope;
use crate::store::{Accounting, Committed, Refill, Store, StoreError, Tally};
use crate::visit::{self, FailureKind, HostId, HostRecord, Millis, Record, RobotsAnswer, StoredRobots, Target, UrlId};

/// URLs remembered with their row, so that a link seen again costs no statement; and the bytes of them.
const KNOWN_URLS: usize = 1 << 18;
const KNOWN_BYTES: usize = 64 << 20;

/// The values of `url.state`.
mod state {
    pub const PENDING: u8 = 0;
    pub const FETCHED: u8 = 1;
    pub const FAILED: u8 = 2;
    pub const SKIPPED: u8 = 3;
}

/// What is remembered of a URL row.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: UrlId,
    depth: u32,
    hops: u32,
    /// A better link cannot change its state any more.
    settled: bool,
}

/// A crawl in a SQLite file, held by this process alone until dropped.
#[derive(Debug)]
pub struct SqliteStore {
    db: SqliteConnection,
    // Declared after `db`: closing any descriptor of the file would drop SQLite's own locks.
    _lock: File,
    run: i64,
    store_bodies: bool,
    store_links: bool,
    store_text: bool,
    reads_sitemaps: bool,
    product_token: String,
    max_depth: Option<u32>,
    recrawl_after: Recrawl,
    recrawl_min: Duration,
    recrawl_max: Duration,
    keep_versions: u32,
    keep_runs: Option<u32>,
    accounting: Accounting,
    tally: Tally,
    known: Recent,
    /// The id of the next URL to be inserted: nobody else inserts any.
    next_url: UrlId,
    hosts: HashMap<Host, HostId>,
}

/// Fast, and seeded at random: the keys are the web's choice.
type Seeded = foldhash::fast::RandomState;

/// Two generations of remembered URLs: bounded, and what is used stays.
#[derive(Debug, Default)]
struct Recent {
    young: HashMap<Box<str>, Known, Seeded>,
    young_bytes: usize,
    old: HashMap<Box<str>, Known, Seeded>,
}

impl Recent {
    fn get(&mut self, url: &str) -> Option<Known> {
        if let Some(known) = self.young.get(url) {
            return Some(*known);
        }
        let (url, known) = self.old.remove_entry(url)?;
        self.insert(url, known);
        Some(known)
    }

    fn insert(&mut self, url: Box<str>, known: Known) {
        if self.young.len() >= KNOWN_URLS / 2 || self.young_bytes >= KNOWN_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += url.len();
        self.young.insert(url, known);
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl SqliteStore {
    /// Opens or creates the database, takes its lock, and brings its schema up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let refuse = |problem: String| StoreError::Open { path: path.to_owned(), problem };
        let lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|e| refuse(in_words(&e)))?;
        if path.is_dir() {
            return Err(refuse("it is a directory".into()));
        }
        let path = path.canonicalize().map_err(|e| refuse(in_words(&e)))?;
        if lock.try_lock().is_err() {
            let holder = peek::holder(&path).unwrap_or_else(|| "its process is not known".into());
            return Err(StoreError::InUse { path, holder });
        }
        // Before anything is set, so that somebody else's database stays as it is.
        if peek::holds_something_else(&path) {
            return Err(refuse("it holds no crawl but something else".into()));
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .page_size(16384)
            // Takes effect in a new file only; `vacuum` makes older ones so.
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(false)
            .busy_timeout(Duration::from_secs(30))
            // A reader may make the log grow; it does not stay so long.
            .pragma("journal_size_limit", "67108864")
            .pragma("cache_size", "-32768")
            .pragma("temp_store", "memory");
        let mut db = SqliteConnection::connect_with(&options).await.map_err(|e| schema::open_error(&path, &e))?;
        schema::migrate(&mut db, &path).await?;
        let holder = format!("process {}, since {}", std::process::id(), timestamp(visit::now()));
        sqlx::query("insert into meta (key, value) values ('holder', ?1) on conflict do update set value = ?1")
            .bind(holder)
            .execute(&mut db)
            .await
            .map_err(|e| schema::open_error(&path, &e))?;
        Ok(Self {
            db,
            _lock: lock,
            run: 0,
            store_bodies: true,
            store_links: true,
            store_text: true,
            reads_sitemaps: false,
            product_token: String::new(),
            max_depth: None,
            recrawl_after: Recrawl::Auto,
            recrawl_min: Duration::ZERO,
            recrawl_max: Duration::MAX,
            keep_versions: 0,
            keep_runs: None,
            accounting: Accounting::default(),
            tally: Tally::default(),
            known: Recent::default(),
            next_url: 1,
            hosts: HashMap::new(),
        })
    }

    /// Closes the database cleanly: the WAL is written back.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.db.close().await?)
    }

    async fn host_record(&mut self, id: HostId) -> Result<HostRecord, StoreError> {
        let row = sqlx::query(
            "select host, asked_at, blocked_until, robots_at, robots_status, robots_failure, robots_body
             from host where id = ?1",
        )
        .bind(id)
        .fetch_one(&mut self.db)
        .await?;
        let host = Host::parse(row.get(0)).map_err(|e| sqlx::Error::Decode(e.into()))?;
        Ok(HostRecord { id, host, asked_at: row.get(1), blocked_until: row.get(2), robots: stored_robots(&row) })
    }
}

fn stored_robots(row: &sqlx::sqlite::SqliteRow) -> Option<StoredRobots> {
    let fetched_at: Option<Millis> = row.get("robots_at");
    let status: Option<u16> = row.get("robots_status");
    let failure: Option<String> = row.get("robots_failure");
    let body: Option<Vec<u8>> = row.get("robots_body");
    Some(StoredRobots { fetched_at: fetched_at?, answer: robots_answer(status, failure.as_deref(), body) })
}

/// What robots.txt said, from the columns of its host.
pub fn robots_answer(status: Option<u16>, failure: Option<&str>, body: Option<Vec<u8>>) -> RobotsAnswer {
    match (status, body) {
        (Some(status), Some(body)) => RobotsAnswer::Rules { status, body },
        (Some(status), None) if status < 500 => RobotsAnswer::Unavailable { status },
        (status, _) => RobotsAnswer::Unreachable { status, failure: failure.and_then(FailureKind::from_word) },
    }
}

fn in_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::IsADirectory => "it is a directory".into(),
        std::io::ErrorKind::NotFound => "its folder does not exist".into(),
        _ => error.to_string(),
    }
}

/// ISO 8601 in UTC.
pub fn timestamp(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |t| format!("{t:.3}"))
}

impl Store for SqliteStore {
    async fn begin(&mut self, config: &Config, scope: &Scope, seeds: &[CanonicalUrl]) -> Result<i64, StoreError> {
        self.begin_run(config, scope, seeds).await
    }

    async fn commit(
        &mut self,
        batch: Vec<Record>,
        clock: impl Fn(HostId) -> Option<(Millis, Millis)> + Send + Sync,
    ) -> Result<Committed, StoreError> {
        self.commit_batch(batch, clock).await
    }

    async fn pending(&mut self, host: HostId, limit: usize) -> Result<Refill, StoreError> {
        let rows = sqlx::query(
            "select u.id, u.url, u.depth, u.hops, u.attempts, u.due_at, u.known, u.sitemap, p.status, p.kept, p.etag,
                 p.last_modified, p.content_hash is not null as has_content, p.fetched_at,
                 (select j.value ->> 1 from json_each(p.headers) j where j.value ->> 0 = 'date') as date
             from (select * from url where host_id = ?1 and state = 0 order by known, depth, id limit ?2) u
             left join page p on p.url_id = u.id and u.known
             order by u.known, u.depth, u.id",
        )
        .bind(host)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut self.db)
        .await?;
        let complete = rows.len() < limit;
        let mut targets = Vec::with_capacity(rows.len());
        for row in rows {
            let url = CanonicalUrl::parse(row.get(1)).map_err(|e| sqlx::Error::Decode(e.into()))?;
            targets.push(Target {
                id: row.get(0),
                host,
                url,
                depth: row.get(2),
                hops: row.get(3),
                attempts: row.get(4),
                due_at: row.get(5),
                known: row.get(6),
                validators: self.validators(&row),
                sitemap: row.get(7),
            });
        }
        Ok(Refill { host: self.host_record(host).await?, targets, complete })
    }

    async fn hosts_with_pending(&mut self, after: HostId, limit: usize) -> Result<Vec<HostId>, StoreError> {
        let rows = sqlx::query_scalar(
            "select id from host h where id > ?1 and exists (select 1 from url where host_id = h.id and state = 0)
             order by id limit ?2",
        )
        .bind(after)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut self.db)
        .await?;
        Ok(rows)
    }

    async fn end(&mut self, outcome: &str, finished: bool) -> Result<(), StoreError> {
        sqlx::query("update run set outcome = ?1, finished_at = case when ?2 then ?3 end where id = ?4")
            .bind(outcome)
            .bind(finished)
            .bind(visit::now())
            .bind(self.run)
            .execute(&mut self.db)
            .await?;
        if finished {
            sqlx::query("delete from edge").execute(&mut self.db).await?;
        }
        Ok(())
    }

    async fn tidy(&mut self) -> Result<bool, StoreError> {
        match self.keep_runs {
            Some(keep) => self.prune(keep).await,
            None => Ok(false),
        }
    }

    fn accounting(&self) -> (Accounting, Tally) {
        (self.accounting, self.tally)
    }
}

/// The file of a database, from what the user typed.
pub fn file_path(database: &str) -> Result<PathBuf, std::convert::Infallible> {
    PathBuf::from_str(database.strip_prefix("sqlite://").unwrap_or(database))
}
