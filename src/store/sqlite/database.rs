//! An open database file: one writer connection in WAL mode, and the lock that makes it the only one.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};

use crate::store::StoreError;
use crate::store::failed::Failed;
use crate::store::part::times;
use crate::store::tables::{Space, Transactions};
use crate::visit;

use super::packing::Packer;
use super::peek;
use super::rows::timestamp;
use super::schema;

/// How long a lock of SQLite's is waited for, which another program holds: less than the watchdog of the service waits.
const PATIENCE: Duration = Duration::from_secs(240);
/// After which this is said.
const MOMENT: Duration = Duration::from_secs(5);
/// Pages given back in one transaction.
const PAGES: i64 = 1_000;
/// The value of `pragma auto_vacuum` that lets free pages be given back without rewriting the file.
const INCREMENTAL: i64 = 2;

/// Bytes of the pages that are in use.
pub const SIZE: &str = "select (page_count - freelist_count) * page_size
    from pragma_page_count, pragma_freelist_count, pragma_page_size";

/// A crawl in a SQLite file, held by this process alone until dropped.
#[derive(Debug)]
pub struct SqliteDatabase {
    pub(super) db: SqliteConnection,
    pub(super) path: PathBuf,
    /// Once bodies are to be stored compressed.
    pub(super) packer: Option<Packer>,
    // Declared after `db`: closing any descriptor of the file would drop SQLite's own locks.
    lock: File,
}

impl SqliteDatabase {
    /// Opens or creates the database, takes its lock, and brings its schema up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let refuse = |problem: String| StoreError::Open { path: path.to_owned(), problem };
        let was_there = path.exists();
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
            if holder.starts_with(&this_process()) {
                // Closing it would drop the locks of the crawl that this process already runs on the file.
                std::mem::forget(lock);
            }
            return Err(StoreError::InUse { path, holder });
        }
        // Before anything is set, so that somebody else's database stays as it is.
        if peek::holds_something_else(&path) {
            return Err(refuse("it holds no crawl but something else".into()));
        }
        let is_new = lock.metadata().is_ok_and(|file| file.len() == 0);
        match connect(&path).await {
            Ok(db) => {
                let mut database = Self { db, path, packer: None, lock };
                times::bring_in(&mut database).await?;
                Ok(database)
            }
            Err(error) => {
                if is_new {
                    take_back(&path, &lock, was_there);
                }
                Err(error)
            }
        }
    }

    /// Closes the database cleanly: the WAL is written back. Fails too if its file was taken away meanwhile.
    pub async fn close(self) -> Result<(), StoreError> {
        let Self { db, path, lock, .. } = self;
        db.close().await.map_err(StoreError::database)?;
        let identity = |file: std::io::Result<Metadata>| file.map(|file| (file.dev(), file.ino())).ok();
        match identity(lock.metadata()) == identity(path.metadata()) {
            true => Ok(()),
            false => Err(StoreError::Moved { path }),
        }
    }

    /// Gives free pages back to the file system, in steps beside which others can read. A database of a version that
    /// could not do so is rewritten once, which takes up to twice its size of free space; without it nothing changes. False
    /// if a reader still needs the older state, so that the file shrinks only later.
    pub async fn vacuum(&mut self) -> Result<bool, StoreError> {
        Ok(self.free_space().await?)
    }

    async fn free_space(&mut self) -> Result<bool, Failed> {
        let mode: i64 = sqlx::query_scalar("pragma auto_vacuum").fetch_one(&mut self.db).await?;
        if mode == INCREMENTAL {
            free_pages(&mut self.db).await?;
        } else {
            tracing::info!("rewriting the whole file, this once");
            // Everything is copied: too much for memory, where temporary tables are otherwise.
            sqlx::raw_sql("pragma temp_store = file; pragma auto_vacuum = incremental; vacuum")
                .execute(&mut self.db)
                .await?;
        }
        sqlx::query("pragma busy_timeout = 2000").execute(&mut self.db).await?;
        let busy: bool = sqlx::query_scalar("pragma wal_checkpoint(truncate)").fetch_one(&mut self.db).await?;
        Ok(!busy)
    }
}

async fn connect(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .page_size(16384)
        // Takes effect in a new file only; `vacuum` makes older ones so.
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(false)
        .busy_timeout(PATIENCE)
        // A reader may make the log grow; it does not stay so long.
        .pragma("journal_size_limit", "67108864")
        .pragma("cache_size", "-32768")
        .pragma("temp_store", "memory");
    let failed = |e| schema::open_error(path, &e);
    // Setting `auto_vacuum` is the first step that takes the lock.
    let mut db = locking(SqliteConnection::connect_with(&options)).await.map_err(failed)?;
    match prepare(&mut db, path).await {
        Ok(()) => Ok(db),
        Err(error) => {
            // Before its file may be taken back.
            let _ = db.close().await;
            Err(error)
        }
    }
}

/// Brings the schema up to date, and writes down who holds the database.
async fn prepare(db: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    schema::migrate(db, path).await?;
    let holder = format!("{}since {}", this_process(), timestamp(visit::now()));
    sqlx::query("insert into meta (key, value) values ('holder', ?1) on conflict do update set value = ?1")
        .bind(holder)
        .execute(db)
        .await
        .map_err(|e| schema::open_error(path, &e))?;
    Ok(())
}

/// Leaves nothing of a database that could not be made: no file where there was none, or the empty one.
fn take_back(path: &Path, lock: &File, was_there: bool) {
    let _ = if was_there { lock.set_len(0) } else { std::fs::remove_file(path) };
    for beside in ["-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(beside);
        let _ = std::fs::remove_file(name);
    }
}

impl Transactions for SqliteDatabase {
    async fn open_transaction(&mut self) -> Result<(), Failed> {
        locking(sqlx::query("begin immediate").execute(&mut self.db)).await?;
        Ok(())
    }

    async fn commit_transaction(&mut self) -> Result<(), Failed> {
        sqlx::query("commit").execute(&mut self.db).await?;
        Ok(())
    }

    async fn undo_transaction(&mut self) {
        let _ = sqlx::query("rollback").execute(&mut self.db).await;
        // The dictionary that it has may not be stored.
        self.packer = None;
    }
}

impl Space for SqliteDatabase {
    async fn size(&mut self) -> Result<u64, Failed> {
        let size: i64 = sqlx::query_scalar(SIZE).fetch_one(&mut self.db).await?;
        Ok(u64::try_from(size).unwrap_or_default())
    }

    async fn note_failure(&mut self, why: Option<&str>) -> Result<(), Failed> {
        // What the transaction that failed had written to the log already is room for a small one.
        let sql = match why {
            Some(_) => "insert into meta (key, value) values ('failure', ?1) on conflict do update set value = ?1",
            None => "delete from meta where key = 'failure'",
        };
        sqlx::query(sql).bind(why).execute(&mut self.db).await?;
        Ok(())
    }
}

/// Waits for work that begins with a lock of SQLite's, and says so if that takes a while.
async fn locking<T>(work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    if let Ok(done) = tokio::time::timeout(MOMENT, &mut work).await {
        return done;
    }
    let longest = humantime::format_duration(PATIENCE);
    tracing::warn!("the database is busy: another program may hold its lock, which is waited for up to {longest}");
    work.await
}

/// The beginning of what is written down of the process that holds a database.
fn this_process() -> String {
    format!("process {}, ", std::process::id())
}

async fn free_pages(db: &mut SqliteConnection) -> Result<(), Failed> {
    let mut free: i64 = sqlx::query_scalar("pragma freelist_count").fetch_one(&mut *db).await?;
    while free > 0 {
        sqlx::query(sqlx::AssertSqlSafe(format!("pragma incremental_vacuum({PAGES})"))).execute(&mut *db).await?;
        let left = sqlx::query_scalar("pragma freelist_count").fetch_one(&mut *db).await?;
        if left >= free {
            break;
        }
        free = left;
    }
    Ok(())
}

fn in_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::IsADirectory => "it is a directory".into(),
        std::io::ErrorKind::NotFound => "its folder does not exist".into(),
        _ => error.to_string(),
    }
}

/// The file of a database, from what the user typed. What names a server is refused, and not shown: there may be a password
/// in it.
pub fn file_path(database: &str) -> Result<PathBuf, StoreError> {
    let refuse = |shown: String| {
        let problem = "a database is a SQLite file, or one of PostgreSQL: postgres://user@host/database";
        Err(StoreError::Open { path: shown.into(), problem: problem.to_owned() })
    };
    let is_scheme =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c));
    match database.split_once("://") {
        Some((scheme, path)) if scheme.eq_ignore_ascii_case("sqlite") => return Ok(path.into()),
        Some((scheme, _)) if is_scheme(scheme) => return refuse(format!("{scheme}://…")),
        _ => {}
    }
    match connection_key(database) {
        Some(key) => refuse(format!("{key}=…")),
        None => Ok(database.into()),
    }
}

/// The first key of a [connection string](https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE),
/// if it is one.
fn connection_key(database: &str) -> Option<&str> {
    const KEYS: [&str; 12] = [
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "password",
        "passfile",
        "service",
        "sslmode",
        "options",
        "application_name",
        "connect_timeout",
    ];
    let (key, _) = database.split_once('=')?;
    KEYS.contains(&key.trim()).then_some(key.trim())
}

/// Bytes that a database and its write-ahead log take on the disk.
pub fn disk_size(path: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    size(path) + size(Path::new(&log))
}
