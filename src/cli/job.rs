//! How `crawl` is run: what concerns the caller and not the crawl itself.

use std::net::SocketAddr;
use std::time::Duration;

use super::threshold::Threshold;

/// Options of the command `crawl` that the library does not know.
#[derive(Debug, Default)]
pub struct Job {
    /// The summary as JSON on standard output.
    pub json: bool,
    /// Bring the full-text index up to date at the end.
    pub index: bool,
    pub fail_on: Vec<Threshold>,
    /// The longest to wait for a database that another crawl holds.
    pub wait_lock: Duration,
    /// The address at which metrics are served.
    pub metrics: Option<SocketAddr>,
}
