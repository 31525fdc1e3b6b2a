//! How long an answer of the database is waited for.

use std::future::Future;
use std::io;
use std::time::Duration;

use crate::store::StoreError;
use crate::store::failed::Failed;
use crate::visit::Lease;

/// Leases in which no answer comes until the connection counts as lost: one that a firewall forgot, or whose machine has lost
/// its power, is never reset. By then others have long taken what this process held.
const LEASES: u32 = 10;

/// How long one step may take. A process that has the database alone reads a file, which answers.
pub(super) fn limit(lease: Option<&Lease>) -> Option<Duration> {
    lease.map(|lease| lease.length().saturating_mul(LEASES))
}

/// How long a step may take that reads or deletes much.
const LONG: Duration = Duration::from_secs(600);

/// How long one step may take after the crawl, when no host waits for it.
pub(super) fn long_limit(lease: Option<&Lease>) -> Option<Duration> {
    limit(lease).map(|limit| limit.max(LONG))
}

/// Takes a step, if that is done in time.
pub(super) async fn within<T>(
    limit: Option<Duration>,
    step: impl Future<Output = Result<T, Failed>>,
) -> Result<T, Failed> {
    let Some(limit) = limit else { return step.await };
    tokio::time::timeout(limit, step).await.unwrap_or_else(|_| {
        let silence = format!("no answer within {}", humantime::format_duration(limit));
        let error = io::Error::new(io::ErrorKind::TimedOut, silence);
        Err(StoreError::database(sqlx::Error::Io(error)).into())
    })
}
