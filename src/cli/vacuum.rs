//! `vacuum`: gives the free space of a database back to the file system.

use crate::config::Config;
use crate::read::Database;
use crate::store::postgres::{PgDatabase, is_postgres};
use crate::store::sqlite::{SqliteDatabase, disk_size, file_path};
use crate::store::{Store as _, StoreError};

use super::console::Console;
use super::failure::Failure;
use super::words;

/// SQLite's result code for a file system without room.
const FULL: i32 = 13;

pub async fn run(database: &str, console: &Console) -> Result<u8, Failure> {
    // Opening for writing would create a database if none is there.
    Database::open(database)?;
    let done = match is_postgres(database) {
        true => on_postgres(database).await?,
        false => on_file(database).await?,
    };
    console.say(&match done.before.saturating_sub(done.after) {
        0 => format!("Nothing to free: {}", size(done.after)),
        freed => format!("{} freed: {} before, {} now", size(freed), size(done.before), size(done.after)),
    });
    if done.is_awaited {
        console.say("Someone still reads what was there before: the file shrinks further once that is over.");
    }
    Ok(0)
}

/// Bytes before and after.
struct Done {
    before: u64,
    after: u64,
    /// A reader still needs the older state.
    is_awaited: bool,
}

async fn on_file(database: &str) -> Result<Done, Failure> {
    let path = file_path(database)?;
    let before = disk_size(&path);
    let mut store = SqliteDatabase::open(&path).await?;
    let done = store.vacuum().await.map_err(|error| match &error {
        StoreError::Database(e) if e.code() == Some(FULL) => {
            Failure::new(format!("no room to vacuum `{database}`; what it holds is kept")).hint(format!(
                "the first time it takes up to {0} free beside the file, and {0} in the folder for temporary files \
                 (which SQLITE_TMPDIR names)",
                size(before)
            ))
        }
        _ => error.into(),
    })?;
    store.close().await?;
    Ok(Done { before, after: disk_size(&path), is_awaited: !done })
}

async fn on_postgres(url: &str) -> Result<Done, Failure> {
    let mut store = PgDatabase::open(url, &Config::default()).await?;
    let (before, after) = store.vacuum().await?;
    store.close().await?;
    let [before, after] = [before, after].map(|bytes| u64::try_from(bytes).unwrap_or_default());
    Ok(Done { before, after, is_awaited: false })
}

fn size(bytes: u64) -> String {
    words::size(i64::try_from(bytes).unwrap_or(i64::MAX))
}
