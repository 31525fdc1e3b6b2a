//! File descriptors: how many connections the machine's limit allows, and whether it has run out of them.

use std::error::Error;
use std::io;

use crate::config::Config;

/// Descriptors for all but connections: the database, the log, the runtime.
const RESERVE: usize = 32;
/// Descriptors that a request takes for a moment: two addresses of a host are tried side by side (RFC 8305), and looking
/// a name up takes some.
const PER_REQUEST: usize = 3;
/// Idle connections for each one that may be in use: most hosts of a crawl rest most of the time.
const IDLE_PER_CONNECTION: usize = 16;

/// How many connections a crawl may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connections {
    /// In use at once.
    pub in_use: usize,
    /// Kept for another request.
    pub idle: usize,
}

impl Connections {
    /// As many as the settings ask for and the limit on open files allows.
    pub(crate) fn of(config: &Config) -> Self {
        // Asking for no more gives the limit as it stands.
        let limit = rlimit::increase_nofile_limit(0).unwrap_or(u64::MAX);
        Self::within(usize::try_from(limit).unwrap_or(usize::MAX), config.connections())
    }

    fn within(limit: usize, wanted: usize) -> Self {
        let free = limit.saturating_sub(RESERVE);
        let in_use = wanted.min(free / PER_REQUEST).max(1);
        let left = free.saturating_sub(in_use * PER_REQUEST);
        Self { in_use, idle: in_use.saturating_mul(IDLE_PER_CONNECTION).min(left) }
    }
}

/// Whether this machine had no descriptor, buffer or memory for a connection, whatever is wrong with the host.
pub(super) fn are_missing(error: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |&cause| cause.source());
    causes.any(|cause| cause.downcast_ref::<io::Error>().is_some_and(is_shortage))
}

/// Whether there is no descriptor left at this moment. What resolves names does not say why it cannot.
pub(super) fn are_gone() -> bool {
    let is_short = |pipe: io::Result<_>| pipe.is_err_and(|error| is_shortage(&error));
    let held = io::pipe();
    is_short(io::pipe()) || is_short(held)
}

fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_follow_the_settings_as_far_as_the_limit_on_open_files_goes() {
        let connections = |limit, wanted| {
            let Connections { in_use, idle } = Connections::within(limit, wanted);
            assert!(limit < 40 || RESERVE + in_use * PER_REQUEST + idle <= limit);
            (in_use, idle)
        };
        assert_eq!(connections(usize::MAX, 64), (64, 1024));
        assert_eq!(connections(1024, 64), (64, 800));
        assert_eq!(connections(1024, 10_000), (330, 2));
        assert_eq!(connections(128, 16), (16, 48));
        assert_eq!(connections(40, 64), (2, 2));
        assert_eq!(connections(10, 64), (1, 0), "one at a time, and what fails for it waits");
    }

    #[test]
    fn a_want_of_descriptors_is_told_from_a_host_that_refuses() {
        let error = |code| io::Error::other(io::Error::from_raw_os_error(code));
        assert!(are_missing(&io::Error::from_raw_os_error(libc::EMFILE)));
        assert!(!are_missing(&error(libc::ECONNREFUSED)));
        assert!(!are_gone());
    }
}
