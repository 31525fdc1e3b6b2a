//! The full-text index, brought up to date with progress: what `search` does first and `crawl --index` last.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::read::{Database, ReadError};
use crate::store::sqlite::index::Indexer;

use super::console::Console;
use super::failure::{Failure, hint_for};
use super::progress::{LOG_EVERY, PAINT_EVERY, is_live};
use super::terminal;
use super::words::{count, counted};

/// Progress is told only if indexing takes longer.
const MOMENT: Duration = Duration::from_secs(1);

/// Indexes all pages that wait, or those until `stopped` says so. A failure is only a warning, because what is indexed
/// already can be searched all the same.
pub fn bring_up_to_date(path: &Path, console: &Console, stopped: impl Fn() -> bool) -> Result<(), Failure> {
    if waiting(path)? == 0 {
        return Ok(());
    }
    let mut progress = Progress::new(console);
    let done = Indexer::open(path).map_err(|e| e.to_string()).and_then(|mut indexer| {
        let done = indexer.run(|done, left| {
            progress.tell(done, left);
            !stopped()
        });
        done.map_err(|e| e.to_string())
    });
    console.clear();
    if let Err(problem) = done {
        let pages = counted(waiting(path)?, "page");
        console.warn(&format!("the full-text index cannot be brought up to date, {pages} not in it: {problem}"));
        if let Some(hint) = hint_for(&problem) {
            console.hint(hint);
        }
    }
    Ok(())
}

fn waiting(path: &Path) -> Result<i64, ReadError> {
    Ok(Database::open(path)?.unindexed()?.unwrap_or(0))
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
