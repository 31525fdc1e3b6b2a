//! Stored times after the clock was set back.

use crate::policy::politeness;
use crate::store::failed::Failed;
use crate::store::tables::Tables;

/// What waits for a time of a clock that was set back since the last request waits as long as it was to then, and not
/// until the clock comes there once more. Done once for each last request, however often nothing is asked for.
pub(super) async fn follow(database: &mut impl Tables) -> Result<(), Failed> {
    let now = database.clock().now();
    let Some((request, at)) = database.last_request().await? else { return Ok(()) };
    let Some(back) = politeness::set_back(at, now) else { return Ok(()) };
    database.set_back(back, now, request).await?;
    let back = std::time::Duration::from_secs(back.unsigned_abs() / 1000);
    let back = humantime::format_duration(back);
    tracing::warn!(
        "the clock was set back by {back} since the last request: what waits for a time is moved by as much"
    );
    Ok(())
}
