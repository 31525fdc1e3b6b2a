//! What the caller wants of a crawl besides the crawl itself.

use std::net::SocketAddr;
use std::time::Duration;

use super::threshold::Threshold;

/// How a crawl is run: what concerns the caller and not the crawl itself.
#[derive(Debug, Default)]
pub struct Job {
    /// The summary as JSON on standard output.
    pub json: bool,
    /// Bring the full-text index up to date at the end.
    pub index: bool,
    pub fail_on: Vec<Threshold>,
    /// The longest to wait for a database that another crawl holds.
    pub wait_lock: Duration,
    /// Where figures are served.
    pub metrics: Option<SocketAddr>,
}
