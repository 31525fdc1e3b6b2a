//! The full-text index, brought up to date with progress: what `search` does first and `crawl --index` last.

use crate::read::{Database, ReadError};
use crate::store::postgres::{self, is_postgres};
use crate::store::sqlite::{self, file_path};

use super::console::Console;
use super::failure::{Failure, hint_for};
use super::headway::Headway;
use super::words::counted;

/// Indexes all pages that wait, or those until `stopped` says so. A failure is only a warning, because what is indexed
/// already can be searched all the same.
pub async fn bring_up_to_date(database: &str, console: &Console, stopped: impl Fn() -> bool) -> Result<(), Failure> {
    if waiting(database)? == 0 {
        return Ok(());
    }
    let mut headway = Headway::new(console, "Indexing for full-text search");
    let go_on = |done, left| {
        headway.tell(done, left);
        !stopped()
    };
    let done = match is_postgres(database) {
        true => on_postgres(database, go_on).await,
        false => on_file(database, go_on),
    };
    console.clear();
    if let Err(problem) = done {
        let pages = counted(waiting(database)?, "page");
        console.warn(&format!("the full-text index cannot be brought up to date, {pages} not in it: {problem}"));
        if let Some(hint) = hint_for(&problem).filter(|_| !is_postgres(database)) {
            console.hint(hint);
        }
    }
    Ok(())
}

fn on_file(database: &str, go_on: impl FnMut(i64, i64) -> bool) -> Result<(), String> {
    let path = file_path(database).map_err(|e| e.to_string())?;
    let mut indexer = sqlite::index::Indexer::open(&path).map_err(|e| e.to_string())?;
    indexer.run(go_on).map_err(|e| e.to_string())
}

async fn on_postgres(url: &str, go_on: impl FnMut(i64, i64) -> bool) -> Result<(), String> {
    let mut indexer = postgres::index::Indexer::open(url).await.map_err(|e| e.to_string())?;
    indexer.run(go_on).await.map_err(|e| e.to_string())
}

fn waiting(database: &str) -> Result<i64, ReadError> {
    Ok(Database::open(database)?.unindexed()?.unwrap_or(0))
}
