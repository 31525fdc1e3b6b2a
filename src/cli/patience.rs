//! What a crawl reads of its database before and after: a server that cannot be asked for now is waited for.

use std::time::{Duration, Instant};

use super::console::Console;
use super::failure::Failure;
use super::signals::Signals;
use crate::read::ReadError;
use crate::store::postgres::is_postgres;

/// Between two tries: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// A database that was open a moment ago, and how long it is waited for.
pub struct Patience<'a> {
    pub database: &'a str,
    pub max_wait: Duration,
    pub signals: &'a Signals,
    pub console: &'a Console,
}

impl Patience<'_> {
    /// Reads, until it could be done. A signal ends the waiting, with its exit code.
    pub async fn read<T>(&self, mut read: impl FnMut() -> Result<T, ReadError>) -> Result<T, Failure> {
        let until = Instant::now().checked_add(self.max_wait);
        let (mut pause, longest) = PAUSES;
        let mut is_told = false;
        loop {
            let error = match read() {
                Ok(read) => return Ok(read),
                // It could be opened before.
                Err(e @ (ReadError::Open { .. } | ReadError::Away { .. })) if is_postgres(self.database) => e,
                Err(e) => return Err(e.into()),
            };
            if let Some(code) = self.signals.exit_code() {
                return Err(Failure::from(error).code(code));
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Err(error.into());
            }
            if !is_told {
                let patience = humantime::format_duration(self.max_wait);
                self.console.warn(&format!("{error}: waiting up to {patience} until the database can be asked again"));
                is_told = true;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.signals.clone().stopped() => {}
            }
            pause = (pause * 2).min(longest);
        }
    }
}
