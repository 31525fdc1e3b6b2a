//! Looking into a database file that somebody else may hold, without changing it.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::packing;

/// How long a reader waits for a lock.
const PATIENCE: Duration = Duration::from_secs(10);
/// And who writes beside a crawl, which never holds one for long.
const WRITER_PATIENCE: Duration = Duration::from_secs(30);

/// A connection for reading; that it writes nothing is to be seen to. A file that may be written is opened so: otherwise the
/// last reader could not take away the files beside it (`-wal`, `-shm`) when it closes. Beside one that may not, none are
/// made: they would be this user's, and who may write it could not open it any more.
pub fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let may_write = std::fs::metadata(path).is_ok_and(|file| !file.permissions().readonly())
        && rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    match connect_as(path, if may_write { "rw" } else { "ro" }, may_write || has_log(path)) {
        Err(e) if is_closed(&e) && !has_log(path) => connect_as(path, "ro", false),
        connected => connected,
    }
}

/// A connection that writes what can be made again, beside a crawl that holds the database: after a power cut its last
/// transactions may be missing.
pub fn connect_to_write(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(WRITER_PATIENCE)?;
    packing::register(&db)?;
    db.execute_batch("pragma synchronous = normal; pragma cache_size = -32768; pragma temp_store = memory")?;
    Ok(db)
}

/// `shares`: with whoever reads and writes it at the same time; without, nothing is made beside the file, and nobody may change
/// it meanwhile.
fn connect_as(path: &Path, mode: &str, shares: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name: String = url::form_urlencoded::byte_serialize(path.as_os_str().as_bytes()).collect();
    let mode = if shares { mode.to_owned() } else { format!("{mode}&immutable=1") };
    let uri = format!("file:{}?mode={mode}", name.replace("%2F", "/").replace('+', "%20"));
    let db = Connection::open_with_flags(uri, flags)?;
    db.busy_timeout(PATIENCE)?;
    // The file is opened by the first statement that reads it.
    db.query_row("select count(*) from sqlite_master", [], |_| Ok(()))?;
    Ok(db)
}

/// Whether the database could not be opened because its folder cannot be written, so that nobody changes it either: what
/// SQLite shares between readers and writers has no place there.
fn is_closed(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as E;
    matches!(error.sqlite_error_code(), Some(E::CannotOpen | E::ReadOnly))
}

/// Whether there is a write-ahead log beside it: somebody has it open, or was killed.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).exists()
}

/// Whether this is a database, but not one of a crawl.
pub fn holds_something_else(path: &Path) -> bool {
    let sql = "select exists (select 1 from sqlite_master) and not exists
                   (select 1 from sqlite_master where name = '_sqlx_migrations')";
    connect_as(path, "ro", true).and_then(|db| db.query_row(sql, [], |row| row.get(0))).unwrap_or(false)
}

/// Who holds the database, as that crawl wrote it down.
pub fn holder(path: &Path) -> Option<String> {
    let sql = "select value from meta where key = 'holder'";
    connect_as(path, "ro", true).and_then(|db| db.query_row(sql, [], |row| row.get(0))).ok()
}

/// Why a database cannot be opened.
pub fn problem(error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode as E;
    match error.sqlite_error_code() {
        Some(E::NotADatabase) => "it is not a SQLite database".to_owned(),
        Some(E::ReadOnly) => "it is read-only".to_owned(),
        _ => in_words(error),
    }
}

/// What SQLite says, without the statement.
pub fn in_words(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}
