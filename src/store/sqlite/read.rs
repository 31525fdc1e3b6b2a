//! Reading a crawl, also while it runs: connections that cannot write.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::OpenFlags;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

use crate::store::StoreError;

pub use super::schema::is_of_an_earlier_version;

/// How long a reader waits for a lock.
const PATIENCE: Duration = Duration::from_secs(10);

const KNOWN_VIEWS: &str =
    "select count(*) from sqlite_master where type = 'view' and name in ('accounting', 'fetches', 'pages')";

/// Pragmas that only tell something, whatever their argument.
const TELLING_PRAGMAS: [&str; 15] = [
    "collation_list",
    "compile_options",
    "database_list",
    "foreign_key_check",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "module_list",
    "pragma_list",
    "quick_check",
    "table_info",
    "table_xinfo",
];

/// Pragmas that do something without being given a value.
const DOING_PRAGMAS: [&str; 4] = ["incremental_vacuum", "optimize", "shrink_memory", "wal_checkpoint"];

/// Opens an existing database for questions of any kind: whatever is not reading, the connection itself refuses.
pub fn open(path: &Path) -> Result<rusqlite::Connection, StoreError> {
    let failed = |e: rusqlite::Error| open_error(path, &e);
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    if path.is_dir() {
        return Err(StoreError::Open { path: path.to_owned(), problem: "it is a directory".into() });
    }
    let (db, known) = match connect(path, "ro") {
        Err(e) if is_immutable(path, &e) => connect(path, "ro&immutable=1"),
        connected => connected,
    }
    .map_err(failed)?;
    if known < 3 {
        return Err(holds_no_crawl(path));
    }
    db.authorizer(Some(may)).map_err(failed)?;
    Ok(db)
}

/// A connection, and how many of the views it takes to be a crawl are there.
fn connect(path: &Path, mode: &str) -> rusqlite::Result<(rusqlite::Connection, i64)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name: String = url::form_urlencoded::byte_serialize(path.as_os_str().as_bytes()).collect();
    let uri = format!("file:{}?mode={mode}", name.replace("%2F", "/").replace('+', "%20"));
    let db = rusqlite::Connection::open_with_flags(uri, flags)?;
    db.busy_timeout(PATIENCE)?;
    db.execute_batch("pragma query_only = on")?;
    let known = db.query_row(KNOWN_VIEWS, [], |row| row.get(0))?;
    Ok((db, known))
}

/// Whether the database could not be opened because its folder cannot be written, so that nobody changes it either: what
/// SQLite shares between readers and writers has no place there.
fn is_immutable(path: &Path, error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as E;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    matches!(error.sqlite_error_code(), Some(E::CannotOpen | E::ReadOnly)) && !Path::new(&log).exists()
}

/// Whether this is a database, but not one of a crawl.
pub(super) fn holds_something_else(path: &Path) -> bool {
    let sql = "select exists (select 1 from sqlite_master) and not exists
                   (select 1 from sqlite_master where name = '_sqlx_migrations')";
    connect(path, "ro").and_then(|(db, _)| db.query_row(sql, [], |row| row.get(0))).unwrap_or(false)
}

/// Readers beside the writer of the same process.
pub async fn pool(path: &Path) -> Result<SqlitePool, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let options =
        SqliteConnectOptions::new().filename(path).read_only(true).pragma("query_only", "on").busy_timeout(PATIENCE);
    let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await;
    let pool = pool.map_err(|e| super::schema::open_error(path, &e))?;
    let known: i64 = sqlx::query_scalar(KNOWN_VIEWS).fetch_one(&pool).await.map_err(|e| super::schema::open_error(path, &e))?;
    if known < 3 {
        return Err(holds_no_crawl(path));
    }
    Ok(pool)
}

/// Who holds the database, as that crawl wrote it down.
pub async fn holder(path: &Path) -> Option<String> {
    let pool = pool(path).await.ok()?;
    sqlx::query_scalar("select value from meta where key = 'holder'").fetch_optional(&pool).await.ok()?
}

fn holds_no_crawl(path: &Path) -> StoreError {
    StoreError::Open { path: path.to_owned(), problem: "it holds no crawl".into() }
}

/// Asked by SQLite for every step of every statement.
fn may(context: AuthContext<'_>) -> Authorization {
    let reads = match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => !function_name.eq_ignore_ascii_case("load_extension"),
        AuthAction::Pragma { pragma_name, pragma_value } => {
            let is_among = |names: &[&str]| names.iter().any(|name| pragma_name.eq_ignore_ascii_case(name));
            is_among(&TELLING_PRAGMAS) || (pragma_value.is_none() && !is_among(&DOING_PRAGMAS))
        }
        _ => false,
    };
    if reads { Authorization::Allow } else { Authorization::Deny }
}

pub(super) fn open_error(path: &Path, error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode as E;
    let problem = match error.sqlite_error_code() {
        Some(E::NotADatabase) => "it is not a SQLite database".to_owned(),
        Some(E::ReadOnly) => "it is read-only".to_owned(),
        _ => in_words(error),
    };
    StoreError::Open { path: path.to_owned(), problem }
}

/// What SQLite says, without the statement.
pub fn in_words(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}
