//! The full-text index, brought up to date with progress: what `search` does first and `crawl --index` last.

use std::time::{Duration, Instant};

use crate::read::{Database, ReadError};
use crate::store::postgres::{self, is_postgres};
use crate::store::sqlite::{self, file_path};

use super::console::Console;
use super::failure::{Failure, hint_for};
use super::progress::{LOG_EVERY, PAINT_EVERY, is_live};
use super::terminal;
use super::words::{count, counted};

/// Progress is told only if indexing takes longer.
const MOMENT: Duration = Duration::from_secs(1);

/// Indexes all pages that wait, or those until `stopped` says so. A failure is only a warning, because what is indexed
/// already can be searched all the same.
pub async fn bring_up_to_date(database: &str, console: &Console, stopped: impl Fn() -> bool) -> Result<(), Failure> {
    if waiting(database)? == 0 {
        return Ok(());
    }
    let mut progress = Progress::new(console);
    let go_on = |done, left| {
        progress.tell(done, left);
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
    let Ok(path) = file_path(database);
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

/// Tells how far it is: on a terminal by a line that is repainted, elsewhere by a log line now and then.
struct Progress<'a> {
    console: &'a Console,
    is_live: bool,
    next: Instant,
}

impl<'a> Progress<'a> {
    fn new(console: &'a Console) -> Self {
        Self { console, is_live: is_live(console), next: Instant::now() + MOMENT }
    }

    fn tell(&mut self, done: i64, left: i64) {
        if Instant::now() < self.next {
            return;
        }
        let line = format!("Indexing for full-text search: {} of {}", count(done), counted(done + left, "page"));
        if self.is_live {
            self.console.show(&[line], terminal::size());
        } else {
            self.console.say(&line);
        }
        self.next = Instant::now() + if self.is_live { PAINT_EVERY } else { LOG_EVERY };
    }
}
