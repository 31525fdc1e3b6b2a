//! What documents being parsed may take together.

use std::time::Duration;

use tokio::sync::Semaphore;

/// Bytes of documents being parsed at once: a tree takes up to 28 times its input.
pub(super) const PARSE_BUDGET: usize = 4 << 20;
/// Larger documents are parsed on a blocking thread, so that they stall no worker.
pub(super) const INLINE_PARSE: usize = 256 << 10;
/// Smaller ones that take longer than this are begun anew there.
pub(super) const INLINE_TIME: Duration = Duration::from_millis(50);
/// After this the tree is taken as far as it got.
pub(super) const PARSE_DEADLINE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Parsers {
    pub(super) budget: Semaphore,
    /// Blocking threads that parse: half of the cores, so that no document holds up the other hosts.
    pub(super) threads: Semaphore,
}

impl Parsers {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Self { budget: Semaphore::new(PARSE_BUDGET), threads: Semaphore::new((cores / 2).max(1)) }
    }
}
