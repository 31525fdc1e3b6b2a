//! `vacuum`: gives the free space of a database back to the file system.

use crate::read::Database;
use crate::store::StoreError;
use crate::store::sqlite::{SqliteDatabase, disk_size, file_path};

use super::console::Console;
use super::failure::Failure;
use super::words;

/// SQLite's result code for a file system without room.
const FULL: i32 = 13;

pub async fn run(database: &str, console: &Console) -> Result<u8, Failure> {
    let Ok(path) = file_path(database);
    // Opening for writing would create a database if none is there.
    Database::open(&path)?;
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
    let after = disk_size(&path);
    console.say(&match before.saturating_sub(after) {
        0 => format!("Nothing to free: {}", size(after)),
        freed => format!("{} freed: {} before, {} now", size(freed), size(before), size(after)),
    });
    if !done {
        console.say("Someone still reads what was there before: the file shrinks further once that is over.");
    }
    Ok(0)
}

fn size(bytes: u64) -> String {
    words::size(i64::try_from(bytes).unwrap_or(i64::MAX))
}
